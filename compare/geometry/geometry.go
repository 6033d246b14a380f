// Package geometry compares dissimilarities of stimuli as geometries, by the second moments of
// the patterns that they are squared distances of.
//
// Bures has the Gram matrices of package compare, Whitened takes noise that stimuli share. Riemann
// is how far second moments are apart along the curved space of positive definite matrices
// (Shahbazi, Shirali, Aghajan and Nili, "Using distance on the Riemannian manifold to compare
// representations in brain and in models", NeuroImage 2021). Squared distances d of n stimuli have
// those of the patterns less that of stimulus 0,
//
//	G_ij = ½(d_0i + d_0j − d_ij),   i, j = 1 … n−1
//
// Those of a model, with a scale a and noise b that every pattern has alike, are held against those
// of data,
//
//	Ĝ = e^a·G_model + e^b·Σ,   Σ = 1 + 11ᵀ
//	δ = min over a, b of √(Σ_i log² λ_i),   λ the eigenvalues of Ĝ in the metric of G_data
//
// δ is 0 where some scale and noise make the model the data, and does not depend on which stimulus
// is number 0. In logarithms a is the mean of −log λ, so that for a share of noise c = b − a
//
//	δ² = min over c of Σ_i (log μ_i − mean log μ)²,   μ the eigenvalues of G_model + e^c·Σ
//
// is sought along one line, between a model without noise and noise alone.
package geometry

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/compare/internal/numeric"
)

// Comparison holds RDMs against each other by one of the similarities of this package, pooled by the
// mean of RDMs of one size each, as no scale matters. Unrelated RDMs are not at 0.
func Comparison(s compare.Similarity) compare.Comparison {
	return compare.Comparison{Similarity: s, Pooling: compare.PoolCosine, NoZero: true}
}

// Bures is compare.Bures of the stimuli between which no entry is missing, as Riemann has it.
func Bures(r, s compare.RDM) (float64, error) {
	const op = "geometry.Bures"
	stimuli, err := whole(op, r, s)
	if err != nil {
		return 0, err
	}
	return compare.Bures(r.Subset(stimuli), s.Subset(stimuli))
}

// Riemann is −δ of a model and of data: 0 at most, and not symmetric, as noise is the model's.
// The data must be squared distances of n patterns of which none is a mixture of the others:
// else it is undefined. Missing entries must be the same in both; of stimuli between which they are,
// as between copies in a bootstrap sample, those are left out that lack most, until none is missing.
func Riemann(model, data compare.RDM) (float64, error) {
	const op = "geometry.Riemann"
	stimuli, err := whole(op, model, data)
	if err != nil {
		return 0, err
	}
	g, err := moments(op, "model", model, stimuli)
	if err != nil {
		return 0, err
	}
	h, err := moments(op, "data", data, stimuli)
	if err != nil {
		return 0, err
	}
	l, err := newLine(op, g, h)
	if err != nil {
		return 0, err
	}
	square, err := l.least()
	return -math.Sqrt(square), err
}

// Whitened is the cosine of RDMs in the metric V⁻¹ of their noise, V = (CΣCᵀ)∘² for contrasts C of
// pairs of stimuli (Diedrichsen et al. 2020), or with centre their correlation in it, for noise of
// any covariance Σ between stimuli (compare.Whitened has variances alone). V⁻¹ needs no matrix of
// pairs: with P the contrasts to stimulus 0 and S = PΣPᵀ, products in it are tr(G·S⁻¹·H·S⁻¹) of the
// moments. No entry may be missing.
func Whitened(covariance *mat.SymDense, centre bool) (compare.Similarity, error) {
	const op = "geometry.Whitened"
	n := covariance.SymmetricDim()
	if n < numeric.MinStimuli {
		return nil, fmt.Errorf("%s: a covariance of %d stimuli, want at least %d", op, n, numeric.MinStimuli)
	}
	var c mat.Cholesky
	if !c.Factorize(contrasted(covariance)) {
		return nil, fmt.Errorf("%s: the covariance of differences of stimuli is not positive definite; shrink it", op)
	}
	var lower mat.TriDense
	c.LTo(&lower)
	return func(r, s compare.RDM) (float64, error) {
		if r.N != n || s.N != n || r.Missing()+s.Missing() > 0 {
			return 0, fmt.Errorf("%s: RDMs of %d and %d stimuli, of which %d and %d entries are missing; want %d and none", op, r.N, s.N, r.Missing(), s.Missing(), n)
		}
		var sides [2][]float64
		for k, x := range []compare.RDM{r, s} {
			values, _ := numeric.RescaledValues(x.Values)
			if centre {
				values = numeric.Deviations(values)
			}
			w := within(&lower, secondMoments(compare.RDM{N: n, Values: values}))
			sides[k] = mat.DenseCopyOf(w).RawMatrix().Data
		}
		return numeric.Cosine(op, sides[0], sides[1])
	}, nil
}

// whole is the stimuli between which no entry is missing, in order.
func whole(op string, r, s compare.RDM) ([]int, error) {
	both, _, err := compare.Common(r, s)
	if err != nil {
		return nil, err
	}
	if m := both.Missing(); m != r.Missing() || m != s.Missing() {
		return nil, fmt.Errorf("%s: %d and %d entries are missing, of which some in one RDM only; leave out what is missing in either (Common)", op, r.Missing(), s.Missing())
	}
	lacks, order := make([]int, both.N), make([]int, both.N)
	for i := range both.N {
		order[i] = i
		for j := range both.N {
			if math.IsNaN(both.At(i, j)) {
				lacks[i]++
			}
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return lacks[i] - lacks[j] })
	var kept []int
	for _, i := range order {
		if !slices.ContainsFunc(kept, func(j int) bool { return math.IsNaN(both.At(i, j)) }) {
			kept = append(kept, i)
		}
	}
	if len(kept) < numeric.MinStimuli {
		return nil, numeric.Undefined(op, "%d stimuli have all entries, want at least %d", len(kept), numeric.MinStimuli)
	}
	slices.Sort(kept)
	return kept, nil
}

// moments is G of the stimuli, its trace 1.
func moments(op, what string, r compare.RDM, stimuli []int) (*mat.SymDense, error) {
	values := r.Subset(stimuli).Values
	if slices.ContainsFunc(values, func(v float64) bool { return math.IsInf(v, 0) }) {
		return nil, fmt.Errorf("%s: an entry of the %s is infinite, want finite ones", op, what)
	}
	near1, _ := numeric.RescaledValues(values)
	g := secondMoments(compare.RDM{N: len(stimuli), Values: near1})
	if !(mat.Trace(g) > 0) {
		return nil, numeric.Undefined(op, "no dissimilarity of the %s to its first stimulus is above 0", what)
	}
	return unit(g), nil
}

// secondMoments is G.
func secondMoments(r compare.RDM) *mat.SymDense {
	g := mat.NewSymDense(r.N-1, nil)
	for i := range r.N - 1 {
		for j := i; j < r.N-1; j++ {
			g.SetSym(i, j, (r.At(0, i+1)+r.At(0, j+1)-r.At(i+1, j+1))/2)
		}
	}
	return g
}

// line is what the share of noise is sought along: a model's moments and the noise's, in the metric
// of the data, each of trace 1.
type line struct {
	op           string
	model, noise *mat.SymDense
}

func newLine(op string, model, data *mat.SymDense) (line, error) {
	n := data.SymmetricDim()
	noise := contrasted(mat.NewDiagDense(n+1, slices.Repeat([]float64{1}, n+1)))
	var c mat.Cholesky
	if !c.Factorize(data) || c.Cond() > 1/(float64(n)*numeric.RankTolerance) {
		return line{}, numeric.Undefined(op, "the data are no squared distances of patterns of which none is a mixture of the others")
	}
	var lower mat.TriDense
	c.LTo(&lower)
	return line{op, unit(within(&lower, model)), unit(within(&lower, noise))}, nil
}

// contrasted is PΣPᵀ of a covariance of stimuli, P the contrasts to stimulus 0.
func contrasted(covariance mat.Symmetric) *mat.SymDense {
	n := covariance.SymmetricDim() - 1
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, covariance.At(i+1, j+1)-covariance.At(0, i+1)-covariance.At(0, j+1)+covariance.At(0, 0))
		}
	}
	return s
}

// within is L⁻¹·A·L⁻ᵀ.
func within(lower *mat.TriDense, a *mat.SymDense) *mat.SymDense {
	n := a.SymmetricDim()
	var half, out mat.Dense
	_ = half.Solve(lower, a) // what is singular was refused
	_ = out.Solve(lower, half.T())
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (out.At(i, j)+out.At(j, i))/2)
		}
	}
	return s
}

// unit is a with a trace of 1.
func unit(a *mat.SymDense) *mat.SymDense {
	a.ScaleSym(1/mat.Trace(a), a)
	return a
}

// spread is Σ(log μ − mean log μ)² of shares of the model and of noise; +∞ where some μ is not
// above what rounding leaves.
func (l line) spread(model, noise float64) (float64, error) {
	n := l.model.SymmetricDim()
	sum := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			sum.SetSym(i, j, model*l.model.At(i, j)+noise*l.noise.At(i, j))
		}
	}
	var e mat.EigenSym
	if !e.Factorize(sum, false) {
		return 0, fmt.Errorf("%s: the eigenvalues did not converge", l.op)
	}
	logs := e.Values(nil)
	least := numeric.RankTolerance * logs[n-1]
	for i, v := range logs {
		if v <= least {
			return math.Inf(1), nil
		}
		logs[i] = math.Log(v)
	}
	d := numeric.Deviations(logs)
	return numeric.Dot(d, d), nil
}

// The line is looked at from e^-span to e^span, in steps of one, and where it is least there more
// closely.
const (
	span   = 20
	closer = 1e-6 // of the logarithm: δ² is off by its square
)

// least is the smallest spread along the line and at its ends.
func (l line) least() (float64, error) {
	best, at := math.Inf(1), 0.0
	for c := -float64(span); c <= span; c++ {
		v, err := l.spread(1, math.Exp(c))
		if err != nil {
			return 0, err
		}
		if v < best {
			best, at = v, c
		}
	}
	within, err := l.golden(at-1, at+1)
	if err != nil {
		return 0, err
	}
	alone, err := l.spread(1, 0)
	if err != nil {
		return 0, err
	}
	nothing, err := l.spread(0, 1)
	return min(best, within, alone, nothing), err
}

// golden is the least value between two places, by sections of the golden ratio.
func (l line) golden(lo, hi float64) (float64, error) {
	ratio := (math.Sqrt(5) - 1) / 2
	at := [2]float64{hi - ratio*(hi-lo), lo + ratio*(hi-lo)}
	var v [2]float64
	for k := range v {
		var err error
		if v[k], err = l.spread(1, math.Exp(at[k])); err != nil {
			return 0, err
		}
	}
	for hi-lo > closer {
		k := 0 // which of the two is moved
		if v[0] <= v[1] {
			hi, at[1], v[1] = at[1], at[0], v[0]
			at[0] = hi - ratio*(hi-lo)
		} else {
			lo, at[0], v[0] = at[0], at[1], v[1]
			at[1], k = lo+ratio*(hi-lo), 1
		}
		var err error
		if v[k], err = l.spread(1, math.Exp(at[k])); err != nil {
			return 0, err
		}
	}
	return min(v[0], v[1]), nil
}
