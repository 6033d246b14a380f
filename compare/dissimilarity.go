package compare

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Dissimilarity makes an RDM of responses, stimuli × units.
type Dissimilarity func(x *mat.Dense) (RDM, error)

// Euclidean is the squared distance of two patterns divided by the number of
// units, ‖x_i − x_j‖²/p.
func Euclidean(x *mat.Dense) (RDM, error) {
	if err := check("Euclidean", x, minStimuli); err != nil {
		return RDM{}, err
	}
	r := squaredDistances(centred(x))
	p := float64(x.RawMatrix().Cols)
	return r.mapped(func(v float64) float64 { return v / p }), nil
}

// squaredDistances of rows come from one product: ‖x_i‖² + ‖x_j‖² − 2x_i·x_j.
func squaredDistances(x *mat.Dense) RDM {
	k := gram(x)
	r := NewRDM(x.RawMatrix().Rows)
	r.fill(func(i, j int) float64 { return max(k.At(i, i)+k.At(j, j)-2*k.At(i, j), 0) })
	return r
}

// Correlation is 1 − Pearson's correlation of two patterns over the units. For a
// pattern without variance it is missing (NaN).
func Correlation(x *mat.Dense) (RDM, error) {
	if err := check("Correlation", x, minStimuli); err != nil {
		return RDM{}, err
	}
	return angles(withoutRowMeans(x)), nil
}

// Cosine is 1 − x_i·x_j/(‖x_i‖·‖x_j‖), missing (NaN) for a silent pattern.
func Cosine(x *mat.Dense) (RDM, error) {
	if err := check("Cosine", x, minStimuli); err != nil {
		return RDM{}, err
	}
	return angles(x), nil
}

func angles(x *mat.Dense) RDM {
	n, p := x.Dims()
	unit := mat.NewDense(n, p, nil)
	for i := range n {
		row := unit.RawRowView(i)
		norm := mat.Norm(x.RowView(i), 2)
		for j, v := range x.RawRowView(i) {
			row[j] = v / norm // 0/0 of a silent pattern marks its entries
		}
	}
	k := gram(unit)
	r := NewRDM(n)
	r.fill(func(i, j int) float64 { return 1 - min(max(k.At(i, j), -1), 1) })
	return r
}

// RemoveMean takes away from each pattern its mean over the units.
func RemoveMean(x *mat.Dense) (*mat.Dense, error) {
	if err := check("RemoveMean", x, 1); err != nil {
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
		m := mean(row)
		for j := range row {
			row[j] -= m
		}
	}
	return c
}

// Mahalanobis is the squared distance in units of the noise,
// (x_i − x_j)ᵀΣ⁻¹(x_i − x_j)/p, with the precision Σ⁻¹ that Precision gives.
func Mahalanobis(x *mat.Dense, precision *mat.SymDense) (RDM, error) {
	if err := check("Mahalanobis", x, minStimuli); err != nil {
		return RDM{}, err
	}
	if err := checkPrecision("Mahalanobis", x, precision); err != nil {
		return RDM{}, err
	}
	c := centred(x)
	var xs, k mat.Dense
	xs.Mul(c, precision)
	k.Mul(&xs, c.T())
	p := float64(x.RawMatrix().Cols)
	r := NewRDM(x.RawMatrix().Rows)
	r.fill(func(i, j int) float64 { return max(k.At(i, i)+k.At(j, j)-k.At(i, j)-k.At(j, i), 0) / p })
	return r, nil
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
func Poisson(x *mat.Dense) (RDM, error) {
	rate, log, err := poissonRates("Poisson", x)
	if err != nil {
		return RDM{}, err
	}
	r := NewRDM(x.RawMatrix().Rows)
	r.fill(bilinear(rate, log))
	return r, nil
}

func poissonRates(op string, x *mat.Dense) (rate, log *mat.Dense, err error) {
	if err := check(op, x, minStimuli); err != nil {
		return nil, nil, err
	}
	if low := mat.Min(x); low < 0 {
		return nil, nil, fmt.Errorf("compare.%s: a count is %v, want none below 0; for other responses use Euclidean or Mahalanobis", op, low)
	}
	rate, log = mat.DenseCopyOf(x), mat.DenseCopyOf(x)
	rate.Apply(func(_, _ int, v float64) float64 { return (v + PriorRate*PriorWeight) / (1 + PriorWeight) }, rate)
	log.Apply(func(_, _ int, v float64) float64 { return math.Log(v) }, rate)
	return rate, log, nil
}

// bilinear is ⟨a_i − a_j, b_i − b_j⟩/p.
func bilinear(a, b *mat.Dense) func(i, j int) float64 {
	var k mat.Dense
	k.Mul(centred(a), centred(b).T())
	p := float64(a.RawMatrix().Cols)
	return func(i, j int) float64 { return (k.At(i, i) + k.At(j, j) - k.At(i, j) - k.At(j, i)) / p }
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
