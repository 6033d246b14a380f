package classify

import (
	"fmt"
	"math"
	"slices"
)

// Rule gives an item to a class by its distances to others: ClassMean or Nearest.
type Rule interface {
	check() error
	// prepare is distances in the form in which share takes them.
	prepare(d [][]float64) [][]float64
	// share adds to dst, one number a class, what part of an item each class gets. Row is
	// prepared, and only items that are in count.
	share(dst, row []float64, labels []int, in []bool)
}

// ClassMean takes the class with the least power mean of distances, of the exponent Power:
// −2 is Victor and Purpura's, 1 the mean distance. Classes with a distance of 0 to the item
// have a mean of 0 for any negative power.
type ClassMean struct{ Power float64 }

func (r ClassMean) check() error {
	if r.Power == 0 || math.IsNaN(r.Power) || math.IsInf(r.Power, 0) {
		return fmt.Errorf("%w: ClassMean of power %v, want a number other than 0, such as -2 or 1", ErrInput, r.Power)
	}
	return nil
}

// prepare raises to the power, negative where a small power stands for a large distance:
// of what share compares, less is nearer.
func (r ClassMean) prepare(d [][]float64) [][]float64 {
	out := make([][]float64, len(d))
	for i, row := range d {
		out[i] = make([]float64, len(row))
		for j, v := range row {
			out[i][j] = math.Pow(v, r.Power)
			if r.Power < 0 {
				out[i][j] = -out[i][j]
			}
		}
	}
	return out
}

func (r ClassMean) share(dst, row []float64, labels []int, in []bool) {
	mean, n := make([]float64, len(dst)), make([]float64, len(dst))
	for j, v := range row {
		if in[j] {
			mean[labels[j]] += v
			n[labels[j]]++
		}
	}
	for c := range mean {
		if mean[c] /= n[c]; n[c] == 0 {
			mean[c] = math.Inf(1) // a permutation may leave a class empty
		}
	}
	least := slices.Min(mean)
	slack := equal * math.Abs(least)
	if math.IsInf(least, 0) {
		slack = 0
	}
	give(dst, func(c int) bool { return mean[c] <= least+slack })
}

// equal is by how much, of themselves, means differ by rounding alone.
const equal = 1e-12

// give shares an item between the classes that win.
func give(dst []float64, wins func(c int) bool) {
	n := 0
	for c := range dst {
		if wins(c) {
			n++
		}
	}
	for c := range dst {
		if wins(c) {
			dst[c] += 1 / float64(n)
		}
	}
}

// Nearest takes the class of most of the K nearest items. Items as far as the last of the K
// have equal parts of the votes that are left for them. K above the number of items means all.
type Nearest struct{ K int }

func (r Nearest) check() error {
	if r.K < 1 {
		return fmt.Errorf("%w: Nearest of %d neighbours, want one or more", ErrInput, r.K)
	}
	return nil
}

func (Nearest) prepare(d [][]float64) [][]float64 { return d }

func (r Nearest) share(dst, row []float64, labels []int, in []bool) {
	var near []float64
	for j, v := range row {
		if in[j] {
			near = append(near, v)
		}
	}
	if len(near) == 0 {
		return
	}
	slices.Sort(near)
	k := min(r.K, len(near))
	last := near[k-1]
	closer, _ := slices.BinarySearch(near, last)
	as := 0
	for _, v := range near[closer:] {
		if v == last {
			as++
		}
	}
	part := float64(k-closer) / float64(as)
	votes := make([]float64, len(dst))
	for j, v := range row {
		switch {
		case !in[j]:
		case v < last:
			votes[labels[j]]++
		case v == last:
			votes[labels[j]] += part
		}
	}
	most := slices.Max(votes)
	give(dst, func(c int) bool { return votes[c] >= most-tie })
}
