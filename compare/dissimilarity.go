package compare

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// Dissimilarity makes an RDM of responses, stimuli × units.
type Dissimilarity func(x *mat.Dense) (RDM, error)

// Euclidean is the squared distance of two patterns divided by the number of
// units, ‖x_i − x_j‖²/p.
func Euclidean(x *mat.Dense) (RDM, error) { return euclidean(x, numeric.Roundoff) }

// euclidean and the like are told how coarsely responses were rounded.
func euclidean(x *mat.Dense, coarser float64) (RDM, error) {
	if err := numeric.CheckResponses("Euclidean", x, numeric.MinStimuli); err != nil {
		return RDM{}, err
	}
	near1, e := numeric.Rescaled(x)
	return squares(near1, coarser).times2("Euclidean", 2*e)
}

// Correlation is 1 − Pearson's correlation of two patterns over the units. For a
// pattern without variance it is missing (NaN).
func Correlation(x *mat.Dense) (RDM, error) { return correlationDistance(x, numeric.Roundoff) }

func correlationDistance(x *mat.Dense, coarser float64) (RDM, error) {
	if err := numeric.CheckResponses("Correlation", x, numeric.MinStimuli); err != nil {
		return RDM{}, err
	}
	near1 := rowsRescaled(x)
	return angles(withoutRowMeans(near1), norms(near1, true), numeric.InputRoundoff(x, coarser)), nil
}

// Cosine is 1 − x_i·x_j/(‖x_i‖·‖x_j‖), missing (NaN) for a silent pattern.
func Cosine(x *mat.Dense) (RDM, error) { return cosineDistance(x, numeric.Roundoff) }

func cosineDistance(x *mat.Dense, coarser float64) (RDM, error) {
	if err := numeric.CheckResponses("Cosine", x, numeric.MinStimuli); err != nil {
		return RDM{}, err
	}
	near1 := rowsRescaled(x)
	return angles(near1, norms(near1, false), numeric.InputRoundoff(x, coarser)), nil
}

// angles is 1 − cos of rows a_i. whole are the norms from which they remained when
// means were taken away: a row that is nothing but the rounding of that has no
// angle. u is how far the responses were rounded.
func angles(a *mat.Dense, whole []float64, u float64) RDM {
	n, p := a.Dims()
	unit, bounds := mat.NewDense(n, p, nil), make([]float64, n)
	tolerance := numeric.AlikeTolerance(u)
	for i := range n {
		row := a.RawRowView(i)
		length := numeric.Norm(row)
		if length <= tolerance*whole[i] {
			length = math.NaN() // marks the entries of a silent pattern
		}
		for j, v := range row {
			unit.Set(i, j, v/length)
		}
		bounds[i] = (u+4*numeric.Roundoff)*whole[i]/length + float64(p/2+3)*numeric.Roundoff
	}
	k := gram(unit)
	r := NewRDM(n)
	r.fill(func(i, j int) float64 { return 1 - min(max(k.At(i, j), -1), 1) })
	r.bounded(func(i, j int, _ float64) float64 { return bounds[i] + bounds[j] + float64(p+2)*numeric.Roundoff })
	return r
}

// norms of rows, with that of the shift that withoutRowMeans begins with.
func norms(x *mat.Dense, shifted bool) []float64 {
	n, p := x.Dims()
	out := make([]float64, n)
	for i := range n {
		row := x.RawRowView(i)
		out[i] = numeric.Norm(row)
		if shifted {
			out[i] += math.Sqrt(float64(p)) * math.Abs(row[0])
		}
	}
	return out
}

// RemoveMean takes away from each pattern its mean over the units.
func RemoveMean(x *mat.Dense) (*mat.Dense, error) {
	if err := numeric.CheckResponses("RemoveMean", x, 1); err != nil {
		return nil, err
	}
	return withoutRowMeans(x), nil
}

// withoutRowMeans has rows that are exactly 0 where x's are constant.
func withoutRowMeans(x *mat.Dense) *mat.Dense {
	n, p := x.Dims()
	c := mat.NewDense(n, p, nil)
	for i := range n {
		from, row := x.RawRowView(i), c.RawRowView(i)
		shift := from[0]
		for j, v := range from {
			row[j] = v - shift
		}
		m := numeric.Mean(row)
		for j := range row {
			row[j] -= m
		}
	}
	return c
}

// Mahalanobis is the squared distance in units of the noise,
// (x_i − x_j)ᵀΣ⁻¹(x_i − x_j)/p, with the precision Σ⁻¹ that Precision gives.
func Mahalanobis(x *mat.Dense, precision *mat.SymDense) (RDM, error) {
	if err := numeric.CheckResponses("Mahalanobis", x, numeric.MinStimuli); err != nil {
		return RDM{}, err
	}
	if err := checkPrecision("Mahalanobis", x, precision); err != nil {
		return RDM{}, err
	}
	near1, e := numeric.Rescaled(x)
	in := given(near1, numeric.Roundoff)
	return products(in, in.weighed(precision)).Positive().times2("Mahalanobis", 2*e)
}

// weighed is x·Σ⁻¹. The errors are those of x, weighed, and of a sum over the units.
func (f features) weighed(precision *mat.SymDense) features {
	n, p := f.x.Dims()
	var w, bound mat.Dense
	c, means := mat.NewDense(n, p, nil), numeric.ColumnMeans(f.x) // differences do not see them
	c.Apply(func(_, j int, v float64) float64 { return v - means[j] }, f.x)
	w.Mul(c, precision)
	abs := func(m mat.Matrix) *mat.Dense {
		var a mat.Dense
		a.Apply(func(_, _ int, v float64) float64 { return math.Abs(v) }, m)
		return &a
	}
	bound.Mul(abs(c), abs(precision))
	out := features{&w, norms(&bound, false)}
	size := mat.Norm(precision, 2)
	for i := range n {
		out.err[i] = float64(p+2)*numeric.Roundoff*out.err[i] + size*f.err[i]
	}
	return out
}

func checkPrecision(op string, x *mat.Dense, precision *mat.SymDense) error {
	if p := x.RawMatrix().Cols; precision == nil || precision.SymmetricDim() != p {
		return fmt.Errorf("compare.%s: want the precision of the noise of %d units; make it with Precision of their covariance", op, p)
	}
	return nil
}

// Poisson prior: PriorRate counts in PriorWeight observations are added to each
// unit's, so that silent units do not make the logarithm infinite.
const (
	PriorRate   = 1.0
	PriorWeight = 0.1
)

// Poisson is the symmetrised Kullback–Leibler divergence of Poisson counts,
// Σ_k (λ_ik − λ_jk)(ln λ_ik − ln λ_jk)/p, with λ = (x + λ0·w0)/(1 + w0) for
// PriorRate λ0 and PriorWeight w0. Counts must not be negative.
func Poisson(x *mat.Dense) (RDM, error) { return poisson(x, numeric.Roundoff) }

func poisson(x *mat.Dense, coarser float64) (RDM, error) {
	if err := numeric.CheckResponses("Poisson", x, numeric.MinStimuli); err != nil {
		return RDM{}, err
	}
	rate, log, err := poissonRates("Poisson", given(x, coarser))
	if err != nil {
		return RDM{}, err
	}
	e := numeric.Exponent(numeric.LargestOf(rate.x))
	return products(rate.times2(-e), log).times2("Poisson", e)
}

// poissonRates are the rates λ of counts and their logarithms.
func poissonRates(op string, counts features) (rate, log features, err error) {
	x := counts.x
	if err := numeric.CheckResponses(op, x, numeric.MinStimuli); err != nil {
		return rate, log, err
	}
	if low := mat.Min(x); low < 0 {
		return rate, log, fmt.Errorf("compare.%s: a count is %v, want none below 0; for other responses use Euclidean or Mahalanobis", op, low)
	}
	n, p := x.Dims()
	rate, log = features{mat.NewDense(n, p, nil), make([]float64, n)}, features{mat.NewDense(n, p, nil), make([]float64, n)}
	for i := range n {
		rates, logs := rate.x.RawRowView(i), log.x.RawRowView(i)
		for j, v := range x.RawRowView(i) {
			rates[j] = (v + PriorRate*PriorWeight) / (1 + PriorWeight)
			logs[j] = math.Log(rates[j])
		}
		rate.err[i] = counts.err[i] + 3*numeric.Roundoff*safeNorm(rates)
		// ∂ ln λ = ∂λ/λ, and counts are known to their own relative precision
		relative := 3 * numeric.Roundoff
		if size := safeNorm(x.RawRowView(i)); size > 0 {
			relative += counts.err[i] / size
		}
		log.err[i] = relative*math.Sqrt(float64(p)) + numeric.Roundoff*numeric.Norm(logs)
	}
	return rate, log, nil
}

// times2 is f·2^e.
func (f features) times2(e int) features {
	factor := math.Ldexp(1, e)
	s := features{&mat.Dense{}, make([]float64, len(f.err))}
	s.x.Scale(factor, f.x)
	for i, v := range f.err {
		s.err[i] = v * factor
	}
	return s
}

// safeNorm is norm of values of any magnitude.
func safeNorm(v []float64) float64 {
	near1, e := numeric.RescaledValues(v)
	return math.Ldexp(numeric.Norm(near1), e)
}

// Movie is an RDM for each time bin of responses over time.
func Movie(bins []*mat.Dense, d Dissimilarity) ([]RDM, error) {
	movie := make([]RDM, len(bins))
	for t, x := range bins {
		var err error
		if movie[t], err = d(x); err != nil {
			return nil, fmt.Errorf("time bin %d: %w", t, err)
		}
	}
	return movie, nil
}
