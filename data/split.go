package data

import (
	"fmt"
	"math"
	"slices"

	"synfire/internal/rng"
	"synfire/sample"
)

// Holdout parts a source that has no test samples of its own: a share of its
// samples, at least one, becomes the test set. Which ones depends on the number of
// samples alone, so runs of all seeds are tested on the same. Both parts keep the
// source's order.
func Holdout(src sample.Source, share float64) (train, test sample.Source) {
	n := src.Len()
	order := rng.New(0, rng.Holdout).Int(uint64(n)).Source().Perm(n)
	cut := min(n, max(1, int(share*float64(n)+0.5)))
	return part(src, order[cut:]), part(src, order[:cut])
}

// Parted is a source that says itself which of its samples choose, by their Index.
type Parted interface {
	sample.Source
	Chooses(index int) bool
}

// Validation takes a share of the samples out of training, drawn by seed: they
// choose what the test set must not. Where samples have a class, each class gives
// its share, and all but the smallest classes keep samples in both parts. A source
// that is Parted, or a view of one, is parted as it says, whatever the share. Both
// parts keep the source's order. A part without samples is an error.
func Validation(src sample.Source, share float64, seed uint64) (train, valid sample.Source, err error) {
	if !(share > 0 && share < 1) {
		return nil, nil, fmt.Errorf("data: validation share is %v, want one in (0, 1), as 0.1", share)
	}
	if p, ok := parted(src); ok {
		return own(src, p)
	}
	strata, err := strata(src)
	if err != nil {
		return nil, nil, err
	}
	var held, kept []int
	due := 0.0 // of the classes so far, before rounding
	for c, members := range strata {
		due += share * float64(len(members))
		take := min(len(members), max(0, int(math.Round(due))-len(held)))
		order := rng.New(seed, rng.Valid).Int(uint64(c)).Source().Perm(len(members))
		for k, i := range order {
			if k < take {
				held = append(held, members[i])
			} else {
				kept = append(kept, members[i])
			}
		}
	}
	if len(held) == 0 || len(kept) == 0 {
		return nil, nil, fmt.Errorf("data: a validation share of %v of %d samples leaves %d for training and %d for validation; set valid to a share that leaves some of both, or to 0 to choose nothing", share, src.Len(), len(kept), len(held))
	}
	return part(src, kept), part(src, held), nil
}

// parted is what a view looks at, where that is Parted.
func parted(src sample.Source) (Parted, bool) {
	for {
		if p, ok := src.(Parted); ok {
			return p, true
		}
		view, ok := src.(interface{ Unwrap() sample.Source })
		if !ok {
			return nil, false
		}
		src = view.Unwrap()
	}
}

// own are the parts that a source has itself.
func own(src sample.Source, p Parted) (train, valid sample.Source, err error) {
	var held, kept []int
	for i := range src.Len() {
		if p.Chooses(src.Index(i)) {
			held = append(held, i)
		} else {
			kept = append(kept, i)
		}
	}
	if len(held) == 0 || len(kept) == 0 {
		return nil, nil, fmt.Errorf("data: of %d samples, %d are for validation as the data say, want some that are and some that are not; use more of them, or set valid to 0 to choose nothing", src.Len(), len(held))
	}
	return part(src, kept), part(src, held), nil
}

// strata are the positions of the samples of each class of the first target that
// is a class, or of all samples together.
func strata(src sample.Source) ([][]int, error) {
	spec := src.Spec()
	f := slices.IndexFunc(spec.Targets, func(f sample.Field) bool { return f.Kind == sample.Class })
	classes := 1
	if f >= 0 {
		classes = len(spec.Targets[f].Classes)
	}
	out := make([][]int, classes)
	for i := range src.Len() {
		class := 0
		if f >= 0 {
			target, err := src.Target(i, f)
			if err == nil {
				err = spec.Targets[f].Check(target)
			}
			if err != nil {
				return nil, fmt.Errorf("data: %s: %w", src.Origin(i), err)
			}
			class = target.Class
		}
		out[class] = append(out[class], i)
	}
	return out, nil
}

// part is the samples at positions, in the source's order.
func part(src sample.Source, positions []int) sample.Source {
	positions = slices.Clone(positions)
	slices.Sort(positions)
	s, err := sample.Subset(src, positions)
	if err != nil {
		panic(err) // positions of a permutation are in range
	}
	return s
}

// Lazy reports whether a source decodes samples when they are asked for, so that it
// pays to do so ahead.
func Lazy(src sample.Source) bool {
	for {
		if _, ok := src.(*Set); ok {
			return false
		}
		view, ok := src.(interface{ Unwrap() sample.Source })
		if !ok {
			return true
		}
		src = view.Unwrap()
	}
}
