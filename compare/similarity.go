package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// Similarity says how far two RDMs of the same stimuli agree. Missing entries
// must be the same in both, and are left out.
type Similarity func(r, s RDM) (float64, error)

// entries are the entries of both that are not missing, each side scaled by a power
// of two that brings it near 1: no similarity depends on the scale.
func entries(op string, r, s RDM) (a, b side, err error) {
	if err := r.check(op); err != nil {
		return a, b, err
	}
	if err := s.check(op); err != nil {
		return a, b, err
	}
	if r.N != s.N {
		return a, b, fmt.Errorf("compare.%s: RDMs of %d and of %d stimuli; make both of the same stimuli in the same order", op, r.N, s.N)
	}
	for i, v := range r.Values {
		if math.IsNaN(v) != math.IsNaN(s.Values[i]) {
			return a, b, fmt.Errorf("compare.%s: entry %d is missing in one RDM only; leave out what is missing in either (Common)", op, i)
		}
	}
	a, b = r.near1(), s.near1()
	if len(a.v) < numeric.MinStimuli {
		return a, b, fmt.Errorf("compare.%s: %d entries are not missing, want at least %d", op, len(a.v), numeric.MinStimuli)
	}
	return a, b, nil
}

// near1 is the entries that are not missing, on a scale near 1.
func (r RDM) near1() side {
	s := r.side().rescaled()
	if r.kept != nil {
		s.ranked = &r.kept.near1
	}
	return s
}

// CosineSimilarity is r·s/(‖r‖·‖s‖).
func CosineSimilarity(r, s RDM) (float64, error) {
	const op = "CosineSimilarity"
	a, b, err := entries(op, r, s)
	if err != nil {
		return 0, err
	}
	if a.zero() || b.zero() {
		return 0, numeric.Undefined(op, "all dissimilarities of one RDM are 0")
	}
	return numeric.Cosine(op, a.v, b.v)
}

// Pearson is the linear correlation of the entries.
func Pearson(r, s RDM) (float64, error) {
	const op = "Pearson"
	a, b, err := entries(op, r, s)
	if err != nil {
		return 0, err
	}
	if a.alike() || b.alike() {
		return 0, undefinedAlike(op)
	}
	return numeric.Correlation(op, a.v, b.v)
}

func undefinedAlike(op string) error {
	return numeric.Undefined(op, "all dissimilarities of one RDM are equal, so none is larger than another")
}

// Spearman is the correlation of the ranks, equal entries sharing the mean of
// theirs.
func Spearman(r, s RDM) (float64, error) {
	const op = "Spearman"
	a, b, err := entries(op, r, s)
	if err != nil {
		return 0, err
	}
	return numeric.Correlation(op, a.ranks(), b.ranks())
}

// RhoA is 12·Σ(R_i − R̄)(S_i − S̄)/(m³ − m) of the ranks of m entries: Spearman's
// correlation expected when ties are broken at random, so that a model that
// predicts ties gains nothing by them (Schütt et al. 2023).
func RhoA(r, s RDM) (float64, error) {
	a, b, err := entries("RhoA", r, s)
	if err != nil {
		return 0, err
	}
	m := float64(len(a.v))
	return 12 * numeric.Dot(numeric.Deviations(a.ranks()), numeric.Deviations(b.ranks())) / (m*m*m - m), nil
}

// TauA is Kendall's (concordant − discordant)/(m(m−1)/2) of pairs of entries.
func TauA(r, s RDM) (float64, error) {
	a, b, err := entries("TauA", r, s)
	if err != nil {
		return 0, err
	}
	k := kendall(a.ranks(), b.ranks())
	return k.excess / k.pairs, nil
}

// TauB is (concordant − discordant)/√((N − T_r)(N − T_s)), N pairs of entries of
// which T are tied on each side.
func TauB(r, s RDM) (float64, error) {
	a, b, err := entries("TauB", r, s)
	if err != nil {
		return 0, err
	}
	k := kendall(a.ranks(), b.ranks())
	size := math.Sqrt((k.pairs - k.tiedA) * (k.pairs - k.tiedB))
	if size == 0 {
		return 0, undefinedAlike("TauB")
	}
	return min(max(k.excess/size, -1), 1), nil
}

type concordance struct{ excess, pairs, tiedA, tiedB float64 }

// kendall counts in O(m log m): sorted by a, then b, the discordant pairs are the
// inversions of b (Knight, "A computer method for calculating Kendall's tau with
// ungrouped data", 1966).
func kendall(a, b []float64) concordance {
	order := make([]int, len(a))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Or(cmp.Compare(a[i], a[j]), cmp.Compare(b[i], b[j])) })
	y := make([]float64, len(b))
	for k, i := range order {
		y[k] = b[i]
	}
	tiedA := ties(order, func(i, j int) bool { return a[i] == a[j] })
	both := ties(order, func(i, j int) bool { return a[i] == a[j] && b[i] == b[j] })
	swaps := float64(inversions(y, make([]float64, len(y))))
	tiedB := ties(y, func(u, v float64) bool { return u == v })
	m := float64(len(a))
	pairs := m * (m - 1) / 2
	return concordance{pairs - tiedA - tiedB + both - 2*swaps, pairs, tiedA, tiedB}
}

// ties counts the pairs within runs of equal neighbours.
func ties[T any](v []T, equal func(a, b T) bool) float64 {
	total := 0.0
	for lo := 0; lo < len(v); {
		hi := lo
		for hi < len(v) && equal(v[hi], v[lo]) {
			hi++
		}
		n := float64(hi - lo)
		total += n * (n - 1) / 2
		lo = hi
	}
	return total
}

// inversions sorts y by merging and counts the pairs that were out of order.
func inversions(y, spare []float64) int {
	if len(y) < 2 {
		return 0
	}
	mid := len(y) / 2
	count := inversions(y[:mid], spare[:mid]) + inversions(y[mid:], spare[mid:])
	copy(spare, y)
	for i, j, k := 0, mid, 0; k < len(y); k++ {
		if j == len(y) || i < mid && spare[i] <= spare[j] {
			y[k] = spare[i]
			i++
		} else {
			y[k] = spare[j]
			count += mid - i
			j++
		}
	}
	return count
}

// WhitenedCosine is the cosine of RDMs in the metric V⁻¹ of their noise,
// V = (CΣ_kCᵀ)∘² for contrasts C of pairs of stimuli, with Σ_k = I (Diedrichsen
// et al. 2020). It equals the cosine of the Gram matrices −½HDH, and so LinearCKA
// where D are squared Euclidean distances.
func WhitenedCosine(r, s RDM) (float64, error) { return Whitened(nil, false)(r, s) }

// WhitenedPearson is WhitenedCosine after the mean entry is taken away.
func WhitenedPearson(r, s RDM) (float64, error) { return Whitened(nil, true)(r, s) }

// Whitened is WhitenedCosine, or WhitenedPearson with centre, for stimuli whose
// noise has the given variances σ²; nil for equal ones. In V⁻¹ the product of two
// RDMs is that of their Gram matrices, centred with weights (1/σ_i²)/Σ(1/σ²) and
// divided by σ_i·σ_j.
func Whitened(variances []float64, centre bool) Similarity {
	const op = "Whitened"
	return func(r, s RDM) (float64, error) {
		a, b, err := entries(op, r, s)
		if err != nil {
			return 0, err
		}
		if err := checkVariances(variances, r.N); err != nil {
			return 0, err
		}
		if a.zero() || b.zero() {
			return 0, numeric.Undefined(op, "all dissimilarities of one RDM are 0")
		}
		if centre {
			if a.alike() || b.alike() {
				return 0, undefinedAlike(op)
			}
			a.v, b.v = numeric.Deviations(a.v), numeric.Deviations(b.v)
		}
		if len(a.v) < len(r.Values) {
			return whitenedPresent(r, a.v, b.v, variances)
		}
		g, h := whitenedGram(a.v, r.N, variances), whitenedGram(b.v, r.N, variances)
		return numeric.Cosine(op, elements(g), elements(h))
	}
}

// whitenedGram is −½HDHᵀ/(σ_i·σ_j), H = I − 1wᵀ.
func whitenedGram(values []float64, n int, variances []float64) *mat.Dense {
	r := RDM{N: n, Values: values}
	if variances == nil {
		return r.Gram()
	}
	least := slices.Min(variances)
	weights, sum := make([]float64, n), 0.0
	for i, v := range variances {
		weights[i] = least / v
		sum += weights[i]
	}
	g := r.Matrix()
	means, total := make([]float64, n), 0.0
	for i := range n {
		means[i] = numeric.Dot(weights, g.RawRowView(i)) / sum
		total += weights[i] * means[i] / sum
	}
	g.Apply(func(i, j int, d float64) float64 {
		return -0.5 * (d - means[i] - means[j] + total) * math.Sqrt(weights[i]) * math.Sqrt(weights[j])
	}, g)
	return g
}

func checkVariances(v []float64, n int) error {
	if v == nil {
		return nil
	}
	if len(v) != n || slices.ContainsFunc(v, func(x float64) bool { return !(x > 0) || math.IsInf(x, 0) }) {
		return fmt.Errorf("compare.Whitened: %d variances for %d stimuli, want one positive number for each", len(v), n)
	}
	return nil
}

// whitenedPresent is the cosine in V⁻¹ where entries are missing: V is then that of those that
// are not. It is BBᵀ + E, where B has a row for each entry, with σ² of its two stimuli i and j,
// and E is diagonal, 2σ_i²σ_j². So there is a vector z of a number a stimulus for each RDM x,
// z = (1 + BᵀE⁻¹B)⁻¹BᵀE⁻¹x, with
//
//	xᵀV⁻¹y = (x − Bz_x)ᵀE⁻¹(y − Bz_y) + z_xᵀz_y
func whitenedPresent(r RDM, a, b []float64, variances []float64) (float64, error) {
	const op = "Whitened"
	if variances == nil {
		variances = slices.Repeat([]float64{1}, r.N)
	}
	variances, _ = numeric.RescaledValues(variances)
	inner := mat.NewSymDense(r.N, nil) // 1 + BᵀE⁻¹B
	p := present{variances: variances}
	for i := range r.N {
		inner.SetSym(i, i, inner.At(i, i)+1)
		for j := i + 1; j < r.N; j++ {
			if math.IsNaN(r.At(i, j)) {
				continue
			}
			p.pairs = append(p.pairs, [2]int{i, j})
			x, y := variances[i], variances[j]
			inner.SetSym(i, j, 0.5)
			inner.SetSym(i, i, inner.At(i, i)+x/(2*y))
			inner.SetSym(j, j, inner.At(j, j)+y/(2*x))
		}
	}
	if !p.inner.Factorize(inner) {
		return 0, numeric.Undefined(op, "the covariance of the entries is singular")
	}
	u, errU := p.whitened(a)
	v, errV := p.whitened(b)
	if err := cmp.Or(errU, errV); err != nil {
		return 0, fmt.Errorf("compare.%s: %w", op, err)
	}
	return numeric.Cosine(op, u, v)
}

// present is the entries that are not missing.
type present struct {
	pairs     [][2]int
	variances []float64
	inner     mat.Cholesky
}

// whitened is E^−½(x − Bz) and z, one after the other: products of those are products in V⁻¹.
func (p *present) whitened(x []float64) ([]float64, error) {
	z := mat.NewVecDense(len(p.variances), nil)
	for k, pair := range p.pairs {
		i, j := pair[0], pair[1]
		z.SetVec(i, z.AtVec(i)+x[k]/(2*p.variances[j]))
		z.SetVec(j, z.AtVec(j)+x[k]/(2*p.variances[i]))
	}
	if err := p.inner.SolveVecTo(z, z); err != nil {
		return nil, err
	}
	out := make([]float64, len(x), len(x)+z.Len())
	for k, pair := range p.pairs {
		u, v := p.variances[pair[0]], p.variances[pair[1]]
		out[k] = (x[k] - u*z.AtVec(pair[0]) - v*z.AtVec(pair[1])) / math.Sqrt(2*u*v)
	}
	return append(out, z.RawVector().Data...), nil
}

// Bures is tr √(√G₁·G₂·√G₁)/√(tr G₁·tr G₂) of the Gram matrices −½HDH, whose
// negative eigenvalues count as 0: 1 for equal geometries.
func Bures(r, s RDM) (float64, error) {
	const op = "Bures"
	a, b, err := entries(op, r, s)
	if err != nil {
		return 0, err
	}
	fidelity, t1, t2, err := bures(op, r.N, a, b)
	if err != nil {
		return 0, err
	}
	if a.zero() || b.zero() || t1 == 0 || t2 == 0 {
		return 0, numeric.Undefined(op, "all dissimilarities of one RDM are 0")
	}
	return min(fidelity/(math.Sqrt(t1)*math.Sqrt(t2)), 1), nil
}

// BuresDistance is √(tr G₁ + tr G₂ − 2·tr √(√G₁·G₂·√G₁)), a metric: 0 for equal
// geometries.
func BuresDistance(r, s RDM) (float64, error) {
	const op = "BuresDistance"
	a, b, err := entries(op, r, s)
	if err != nil {
		return 0, err
	}
	fidelity, t1, t2, err := bures(op, r.N, a, b)
	if err != nil {
		return 0, err
	}
	// both sides on the scale of the larger: exponents are even
	top := max(a.exponent, b.exponent)
	t1, t2 = math.Ldexp(t1, a.exponent-top), math.Ldexp(t2, b.exponent-top)
	square := t1 + t2 - 2*math.Ldexp(fidelity, (a.exponent-top)/2+(b.exponent-top)/2)
	if square <= 8*float64(r.N)*numeric.Roundoff*(t1+t2) {
		return 0, nil // what rounding alone may leave
	}
	return math.Ldexp(math.Sqrt(square), top/2), nil
}

func bures(op string, n int, a, b side) (fidelity, trace1, trace2 float64, err error) {
	if len(a.v) < n*(n-1)/2 {
		return 0, 0, 0, fmt.Errorf("compare.%s: entries are missing; leave the stimuli without a pattern out (Subset)", op)
	}
	g, trace1, err := root(op, RDM{N: n, Values: a.v}.Gram())
	if err != nil {
		return 0, 0, 0, err
	}
	h, trace2, err := root(op, RDM{N: n, Values: b.v}.Gram())
	if err != nil {
		return 0, 0, 0, err
	}
	var gh mat.Dense
	gh.Mul(g, h)
	var svd mat.SVD
	if !svd.Factorize(&gh, mat.SVDNone) {
		return 0, 0, 0, fmt.Errorf("compare.%s: the singular values did not converge", op)
	}
	for _, v := range svd.Values(nil) {
		fidelity += v
	}
	return fidelity, trace1, trace2, nil
}

// root is the square root of a symmetric matrix without its negative part, and
// the trace of that matrix.
func root(op string, g *mat.Dense) (*mat.Dense, float64, error) {
	n, _ := g.Dims()
	var e mat.EigenSym
	if !e.Factorize(mat.NewSymDense(n, g.RawMatrix().Data), true) {
		return nil, 0, fmt.Errorf("compare.%s: the eigenvalues did not converge", op)
	}
	var v, scaled, out mat.Dense
	e.VectorsTo(&v)
	values, trace := e.Values(nil), 0.0
	for i, x := range values {
		values[i] = max(x, 0)
		trace += values[i]
	}
	scaled.Apply(func(_, j int, x float64) float64 { return x * math.Sqrt(values[j]) }, &v)
	out.Mul(&scaled, v.T())
	return &out, trace, nil
}
