package data

import (
	"slices"

	"synfire/internal/rng"
)

// Holdout parts a set that has no test samples of its own: a share of its samples,
// at least one, becomes the test set. Which ones depends on the number of samples
// alone, so runs of all seeds are tested on the same. Both parts keep the set's order.
func (s *Set) Holdout(share float64) (train, test *Set) {
	n := s.Len()
	order := rng.New(0, rng.Holdout).Int(uint64(n)).Source().Perm(n)
	cut := min(n, max(1, int(share*float64(n)+0.5)))
	held, kept := order[:cut], order[cut:]
	slices.Sort(held)
	slices.Sort(kept)
	train, _ = s.Subset(kept) // positions of a permutation are in range
	test, _ = s.Subset(held)
	train.Split, test.Split = "train", "test"
	return train, test
}
