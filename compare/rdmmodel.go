package compare

import (
	"fmt"
	"math"
	"slices"

	"synfire/compare/internal/numeric"
)

// Model predicts an RDM. Fit adapts the model's freedom, if it has any, to a
// target RDM of the listed stimuli and returns the prediction for all stimuli.
type Model interface {
	Fit(c Comparison, target RDM, stimuli []int) (RDM, error)
}

// Fixed is a model without freedom.
type Fixed struct{ RDM RDM }

// Select is the one of several RDMs that agrees best.
type Select struct{ RDMs []RDM }

// Weighted is Σ_k w_k·RDM_k with weights w_k ≥ 0 that minimise the squared error
// to the target, both on the scale of the pooling: the parts of a representation
// weighted as the data have it.
type Weighted struct{ RDMs []RDM }

// Interpolate is w·RDM_k + (1 − w)·RDM_{k+1} of neighbours in an ordered list, such
// as of widths of a tuning curve, with the k and w that agree best.
type Interpolate struct{ RDMs []RDM }

// Fit returns the RDM.
func (m Fixed) Fit(Comparison, RDM, []int) (RDM, error) { return m.RDM, nil }

// Fit chooses.
func (m Select) Fit(c Comparison, target RDM, stimuli []int) (RDM, error) {
	if err := sameStimuli("Select", m.RDMs); err != nil {
		return RDM{}, err
	}
	best, score := 0, math.Inf(-1)
	for k, r := range m.RDMs {
		v, err := orZero(c.Similarity(r.Subset(stimuli), target))
		if err != nil {
			return RDM{}, err
		}
		if v > score+numeric.Rounding { // the first of equals
			best, score = k, v
		}
	}
	return m.RDMs[best], nil
}

// Fit solves the non-negative least squares.
func (m Weighted) Fit(c Comparison, target RDM, stimuli []int) (RDM, error) {
	if err := sameStimuli("Weighted", m.RDMs); err != nil {
		return RDM{}, err
	}
	var parts [][]float64
	for _, r := range m.RDMs {
		parts = append(parts, fittable(c.Pooling, r.Subset(stimuli)))
	}
	y := fittable(c.Pooling, target)
	if len(parts[0]) != len(y) {
		return RDM{}, fmt.Errorf("compare.Weighted: %d entries to fit %d: the model's RDMs lack others than the data do", len(parts[0]), len(y))
	}
	return mixture(m.RDMs, nonNegative(parts, y)), nil
}

// fittable is the entries that are not missing, less their mean where the
// comparison does not see it.
func fittable(p Pooling, r RDM) []float64 {
	v := r.present()
	if p != PoolCosine {
		v = numeric.Deviations(v)
	}
	return v
}

// mixture is Σ w_k·r_k.
func mixture(rdms []RDM, w []float64) RDM {
	sum := NewRDM(rdms[0].N)
	sum.Rounding = make([]float64, len(sum.Values))
	for k, r := range rdms {
		for i, v := range r.Values {
			sum.Values[i] += w[k] * v
			sum.Rounding[i] += math.Abs(w[k]) * (r.bound(i) + float64(len(rdms)+1)*numeric.Roundoff*math.Abs(v))
		}
	}
	return sum
}

// nonNegative minimises ‖Σ w_k·a_k − y‖² over w ≥ 0, one coordinate after another:
// the problem is convex, so this finds the minimum.
func nonNegative(a [][]float64, y []float64) []float64 {
	k := len(a)
	g, b, w := make([][]float64, k), make([]float64, k), make([]float64, k)
	for i := range k {
		b[i] = numeric.Dot(a[i], y)
		for j := range k {
			g[i] = append(g[i], numeric.Dot(a[i], a[j]))
		}
	}
	const sweeps, enough = 10_000, 1e-11
	for range sweeps {
		moved, size := 0.0, 0.0
		for i := range k {
			if g[i][i] == 0 {
				continue
			}
			next := max(0, w[i]+(b[i]-numeric.Dot(g[i], w))/g[i][i])
			moved, size = max(moved, math.Abs(next-w[i])), max(size, next)
			w[i] = next
		}
		if moved <= enough*size {
			break
		}
	}
	return w
}

// Fit searches each pair of neighbours: by a grid, refined around its best.
func (m Interpolate) Fit(c Comparison, target RDM, stimuli []int) (RDM, error) {
	if err := sameStimuli("Interpolate", m.RDMs); err != nil {
		return RDM{}, err
	}
	if len(m.RDMs) < 2 {
		return RDM{}, fmt.Errorf("compare.Interpolate: %d RDMs, want at least 2 to interpolate between", len(m.RDMs))
	}
	var sub []RDM
	for _, r := range m.RDMs {
		sub = append(sub, r.Subset(stimuli))
	}
	bestK, bestW, score := 0, 0.0, math.Inf(-1)
	for k := range len(sub) - 1 {
		centre, width := 0.5, 0.5
		for range refinements {
			for g := range gridPoints {
				w := min(max(centre+width*(2*float64(g)/(gridPoints-1)-1), 0), 1)
				v, err := orZero(c.Similarity(mixture(sub[k:k+2], []float64{w, 1 - w}), target))
				if err != nil {
					return RDM{}, err
				}
				if v > score {
					bestK, bestW, score = k, w, v
				}
			}
			if bestK != k {
				break
			}
			centre, width = bestW, width/4
		}
	}
	return mixture(m.RDMs[bestK:bestK+2], []float64{bestW, 1 - bestW}), nil
}

const (
	gridPoints  = 11
	refinements = 6
)

// within lists 0 … n−1.
func within(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// distinct values of v, ascending.
func distinct(v []int) []int { return slices.Compact(slices.Sorted(slices.Values(v))) }
