package compare

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

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

// Weighted is Σ_k w_k·RDM_k with weights w_k ≥ 0, or of any sign, that minimise the squared error
// to the target, both on the scale of the pooling: the parts of a representation weighted as the
// data have it. Of several such w of any sign it is the one of least norm.
type Weighted struct {
	RDMs   []RDM
	Signed bool // weights may be negative
}

// Interpolate is w·RDM_k + (1 − w)·RDM_{k+1} of neighbours in an ordered list, such
// as of widths of a tuning curve, with the k and w that agree best.
type Interpolate struct{ RDMs []RDM }

// Fit returns the RDM.
func (m Fixed) Fit(Comparison, RDM, []int) (RDM, error) { return m.RDM, nil }

// Fit chooses.
func (m Select) Fit(c Comparison, target RDM, stimuli []int) (RDM, error) {
	best, err := m.best(c, target, stimuli)
	if err != nil {
		return RDM{}, err
	}
	return m.RDMs[best], nil
}

func (m Select) weights(c Comparison, target RDM, stimuli []int) ([]float64, error) {
	best, err := m.best(c, target, stimuli)
	w := make([]float64, len(m.RDMs))
	if err == nil {
		w[best] = 1
	}
	return w, err
}

func (m Select) best(c Comparison, target RDM, stimuli []int) (int, error) {
	if err := sameStimuli("Select", m.RDMs); err != nil {
		return 0, err
	}
	best, score := 0, math.Inf(-1)
	target = target.keeping()
	for k, r := range m.RDMs {
		v, err := orZero(c.Similarity(r.Subset(stimuli), target))
		if err != nil {
			return 0, err
		}
		if v > score+numeric.Rounding { // the first of equals
			best, score = k, v
		}
	}
	return best, nil
}

// Fit solves the least squares.
func (m Weighted) Fit(c Comparison, target RDM, stimuli []int) (RDM, error) {
	w, err := m.weights(c, target, stimuli)
	if err != nil {
		return RDM{}, err
	}
	return mixture(m.RDMs, w), nil
}

func (m Weighted) weights(c Comparison, target RDM, stimuli []int) ([]float64, error) {
	if err := sameStimuli("Weighted", m.RDMs); err != nil {
		return nil, err
	}
	var parts [][]float64
	for _, r := range m.RDMs {
		parts = append(parts, fittable(c.Pooling, r.Subset(stimuli)))
	}
	y := fittable(c.Pooling, target)
	if len(parts[0]) != len(y) {
		return nil, fmt.Errorf("compare.Weighted: %d entries to fit %d: the model's RDMs lack others than the data do", len(parts[0]), len(y))
	}
	if m.Signed {
		return leastSquares(parts, y)
	}
	return nonNegative(parts, y), nil
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

// leastSquares minimises ‖Σ w_k·a_k − y‖². Parts are scaled by powers of two, so that small ones
// are not taken for dependent ones.
func leastSquares(a [][]float64, y []float64) ([]float64, error) {
	x, exponents := mat.NewDense(len(y), len(a), nil), make([]int, len(a))
	for k, v := range a {
		near1, e := numeric.RescaledValues(v)
		x.SetCol(k, near1)
		exponents[k] = e
	}
	var svd mat.SVD
	if !svd.Factorize(x, mat.SVDThin) {
		return make([]float64, len(a)), fmt.Errorf("compare.Weighted: the singular values did not converge")
	}
	rank := svd.Rank(numeric.RankTolerance)
	w := make([]float64, len(a))
	if rank == 0 {
		return w, nil
	}
	var z mat.Dense
	svd.SolveTo(&z, mat.NewDense(len(y), 1, slices.Clone(y)), rank)
	for k := range w {
		w[k] = math.Ldexp(z.At(k, 0), -exponents[k])
	}
	return w, nil
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
	k, w, err := m.best(c, target, stimuli)
	if err != nil {
		return RDM{}, err
	}
	return mixture(m.RDMs[k:k+2], []float64{w, 1 - w}), nil
}

func (m Interpolate) weights(c Comparison, target RDM, stimuli []int) ([]float64, error) {
	k, w, err := m.best(c, target, stimuli)
	if err != nil {
		return nil, err
	}
	all := make([]float64, len(m.RDMs))
	all[k], all[k+1] = w, 1-w
	return all, nil
}

// best is the pair k, k + 1 and the share of k.
func (m Interpolate) best(c Comparison, target RDM, stimuli []int) (k int, w float64, err error) {
	if err := sameStimuli("Interpolate", m.RDMs); err != nil {
		return 0, 0, err
	}
	if len(m.RDMs) < 2 {
		return 0, 0, fmt.Errorf("compare.Interpolate: %d RDMs, want at least 2 to interpolate between", len(m.RDMs))
	}
	var sub []RDM
	for _, r := range m.RDMs {
		sub = append(sub, r.Subset(stimuli))
	}
	bestK, bestW, score := 0, 0.0, math.Inf(-1)
	target = target.keeping()
	for k := range len(sub) - 1 {
		centre, width := 0.5, 0.5
		for range refinements {
			for g := range gridPoints {
				w := min(max(centre+width*(2*float64(g)/(gridPoints-1)-1), 0), 1)
				v, err := orZero(c.Similarity(mixture(sub[k:k+2], []float64{w, 1 - w}), target))
				if err != nil {
					return 0, 0, err
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
	return bestK, bestW, nil
}

// combination is a model that weighs RDMs.
type combination interface {
	weights(c Comparison, target RDM, stimuli []int) ([]float64, error)
}

// Weights are those of a model's RDMs when it is fitted to all the data, scaled to a squared
// sum of 1 where they are not all 0. A model without freedom has none.
func Weights(m Model, c Comparison, data []RDM) ([]float64, error) {
	of, ok := m.(combination)
	if !ok {
		return nil, nil
	}
	if err := sameStimuli("Weights", data); err != nil {
		return nil, err
	}
	w, err := of.weights(c, pooled(c.Pooling, data), within(data[0].N))
	if err != nil {
		return nil, err
	}
	near1, _ := numeric.RescaledValues(w)
	if size := math.Sqrt(numeric.Dot(near1, near1)); size > 0 {
		for k, v := range near1 {
			near1[k] = v / size
		}
	}
	return near1, nil
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
