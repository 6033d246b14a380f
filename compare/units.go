package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
	"synfire/internal/rng"
)

// Selectivity of each unit for a class is (μ_max − μ_rest)/(μ_max + μ_rest): the
// largest of its mean responses to the classes against the mean of the others'.
// 1 is a unit that answers one class alone, 0 one that answers all alike or none.
// Responses are rates: not negative. Labels number the classes from 0.
func Selectivity(x *mat.Dense, labels []int) ([]float64, error) {
	const op = "Selectivity"
	o := Observations{X: x, Condition: labels}
	if err := o.check(op); err != nil {
		return nil, err
	}
	if low := mat.Min(x); low < 0 {
		return nil, fmt.Errorf("compare.%s: a response is %v, want rates, which are not negative", op, low)
	}
	if o.Conditions() < 2 {
		return nil, fmt.Errorf("compare.%s: %d class, want at least 2", op, o.Conditions())
	}
	m, err := o.means(op, func(int) bool { return true })
	if err != nil {
		return nil, err
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

// AblationPoint is how well a model does with a share of its units silenced.
type AblationPoint struct {
	Silenced int
	Share    float64
	Accuracy float64
}

// Ablation measures accuracy with the first units of an order silenced, for each
// of the shares within [0, 1]. accuracy gets a mask of the silenced units.
func Ablation(accuracy func(silenced []bool) (float64, error), order []int, shares []float64) ([]AblationPoint, error) {
	const op = "Ablation"
	if !slices.Equal(slices.Sorted(slices.Values(order)), within(len(order))) {
		return nil, fmt.Errorf("compare.%s: the order of %d units is not a permutation of them; make it with Descending or RandomOrder", op, len(order))
	}
	var curve []AblationPoint
	for _, share := range shares {
		if !(share >= 0 && share <= 1) {
			return nil, fmt.Errorf("compare.%s: share %v, want one within [0, 1]", op, share)
		}
		k := int(math.Round(share * float64(len(order))))
		silenced := make([]bool, len(order))
		for _, u := range order[:k] {
			silenced[u] = true
		}
		a, err := accuracy(silenced)
		if err != nil {
			return nil, fmt.Errorf("compare.%s: %d units silenced: %w", op, k, err)
		}
		curve = append(curve, AblationPoint{k, share, a})
	}
	return curve, nil
}

// Descending is the order of units from the largest index (a rate, a selectivity)
// to the smallest; the first of equals stays first.
func Descending(index []float64) []int {
	order := within(len(index))
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(index[b], index[a]) })
	return order
}

// RandomOrder is an order of n units at random, to compare others with.
func RandomOrder(n int, seed uint64) []int { return rng.New(seed, "ablation").Source().Perm(n) }
