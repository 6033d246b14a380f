// Package units looks at single units of a network or a brain: how selective each is for a class,
// and how a network does without some of them.
//
//	selectivity = (μ_max − μ_rest)/(μ_max + μ_rest)
//
// of mean responses to classes, the largest against the mean of the others. Ablation silences units
// in an order, most selective first, say, or at random, and measures accuracy after each share
// (Morcos et al., "On the importance of single directions for generalization", 2018).
package units

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/compare/internal/numeric"
	"synfire/internal/rng"
)

// Selectivity of each unit for a class is (μ_max − μ_rest)/(μ_max + μ_rest): the
// largest of its mean responses to the classes against the mean of the others'.
// 1 is a unit that answers one class alone, 0 one that answers all alike or none.
// Responses are rates: not negative. Labels number the classes from 0.
func Selectivity(x *mat.Dense, labels []int) ([]float64, error) {
	const op = "Selectivity"
	o := compare.Observations{X: x, Condition: labels}
	m, err := o.Means()
	if err != nil {
		return nil, fmt.Errorf("units.%s: %w", op, err)
	}
	if low := mat.Min(x); low < 0 {
		return nil, fmt.Errorf("units.%s: a response is %v, want rates, which are not negative", op, low)
	}
	if o.Conditions() < 2 {
		return nil, fmt.Errorf("units.%s: %d class, want at least 2", op, o.Conditions())
	}
	classes, units := m.Dims()
	out := make([]float64, units)
	for j := range units {
		v := mat.Col(nil, j, m)
		top := slices.Max(v)
		rest := (numeric.Mean(v)*float64(classes) - top) / float64(classes-1)
		if sum := top + rest; sum > 0 {
			out[j] = (top - rest) / sum
		}
	}
	return out, nil
}

// Point is how well a model does with a share of its units silenced.
type Point struct {
	Silenced int
	Share    float64
	Accuracy float64
}

// Ablation measures accuracy with the first units of an order silenced, for each
// of the shares within [0, 1]. accuracy gets a mask of the silenced units.
func Ablation(accuracy func(silenced []bool) (float64, error), order []int, shares []float64) ([]Point, error) {
	const op = "Ablation"
	if !slices.Equal(slices.Sorted(slices.Values(order)), upTo(len(order))) {
		return nil, fmt.Errorf("units.%s: the order of %d units is not a permutation of them; make it with Descending or RandomOrder", op, len(order))
	}
	var curve []Point
	for _, share := range shares {
		if !(share >= 0 && share <= 1) {
			return nil, fmt.Errorf("units.%s: share %v, want one within [0, 1]", op, share)
		}
		k := int(math.Round(share * float64(len(order))))
		silenced := make([]bool, len(order))
		for _, u := range order[:k] {
			silenced[u] = true
		}
		a, err := accuracy(silenced)
		if err != nil {
			return nil, fmt.Errorf("units.%s: %d units silenced: %w", op, k, err)
		}
		curve = append(curve, Point{k, share, a})
	}
	return curve, nil
}

// Descending is the order of units from the largest index (a rate, a selectivity)
// to the smallest; the first of equals stays first.
func Descending(index []float64) []int {
	order := upTo(len(index))
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(index[b], index[a]) })
	return order
}

// RandomOrder is an order of n units at random, to compare others with.
func RandomOrder(n int, seed uint64) []int { return rng.New(seed, "ablation").Source().Perm(n) }

// upTo lists 0 … n−1.
func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
