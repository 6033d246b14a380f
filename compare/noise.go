package compare

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// Covariance estimates the covariance of the noise from residuals, observations
// × units, that have dof degrees of freedom: observations less conditions.
type Covariance func(residuals *mat.Dense, dof int) (*mat.SymDense, error)

// FullCovariance is XᵀX/dof. With fewer observations than units it is singular;
// then shrink it.
func FullCovariance(residuals *mat.Dense, dof int) (*mat.SymDense, error) {
	if err := numeric.CheckResponses("FullCovariance", residuals, 2); err != nil {
		return nil, err
	}
	near1, e := numeric.Rescaled(residuals)
	s, err := scatter("FullCovariance", near1, dof)
	if err != nil {
		return nil, err
	}
	return s, unscaled("FullCovariance", s, e)
}

// scatter is XᵀX/d.
func scatter(op string, x *mat.Dense, d int) (*mat.SymDense, error) {
	if d < 1 {
		return nil, fmt.Errorf("compare.%s: %d degrees of freedom, want at least 1: repeat the conditions", op, d)
	}
	var s mat.SymDense
	s.SymOuterK(1/float64(d), x.T())
	return &s, nil
}

// unscaled makes the covariance of residuals that of ones 2^e times as large.
func unscaled(op string, s *mat.SymDense, e int) error {
	p := s.SymmetricDim()
	for i := range p {
		for j := i; j < p; j++ {
			v := s.At(i, j)
			large := math.Ldexp(v, 2*e)
			if i == j && v > 0 && (math.IsInf(large, 0) || large < 0x1p-1022) {
				return fmt.Errorf("compare.%s: %w: variances of about 2^%d; multiply the residuals by a power of two that brings them near 1", op, numeric.ErrRange, 2*e)
			}
			s.SetSym(i, j, large)
		}
	}
	return nil
}

// ShrinkToIdentity is the estimate of Ledoit and Wolf, "A well-conditioned
// estimator for large-dimensional covariance matrices", 2004: with S = XᵀX/n,
// m = tr S/p, d² = ‖S − mI‖² and b² = min(d², Σ_k ‖x_kx_kᵀ − S‖²/n²),
//
//	Σ = (b²/d²·mI + (d² − b²)/d²·S)·n/dof
//
// b² is multiplied by (n − 1)/dof first, as λ of ShrinkToDiagonal is: both papers are of n
// observations less their one mean, but S varies as of dof ones. With two or three repetitions
// of a condition the intensity would else be a half or two thirds of what it should be.
func ShrinkToIdentity(residuals *mat.Dense, dof int) (*mat.SymDense, error) {
	const op = "ShrinkToIdentity"
	if err := numeric.CheckResponses(op, residuals, 2); err != nil {
		return nil, err
	}
	near1, e := numeric.Rescaled(residuals) // ‖S‖² is of their fourth power
	if _, err := scatter(op, near1, dof); err != nil {
		return nil, err
	}
	n, p := near1.Dims()
	s, err := scatter(op, near1, n)
	if err != nil {
		return nil, err
	}
	m := mat.Trace(s) / float64(p)
	d2, norm2 := 0.0, 0.0
	for i := range p {
		for j := range p {
			v := s.At(i, j)
			norm2 += v * v
			if i == j {
				v -= m
			}
			d2 += v * v
		}
	}
	b2 := 0.0
	for k := range n {
		x := near1.RowView(k)
		xx := mat.Dot(x, x)
		b2 += xx*xx - 2*mat.Inner(x, s, x) + norm2 // ‖xxᵀ − S‖²
	}
	b2 = min(b2/float64(n*n)*float64(n-1)/float64(dof), d2)
	lambda := 0.0
	if d2 > 0 {
		lambda = b2 / d2
	}
	scale := float64(n) / float64(dof)
	for i := range p {
		for j := i; j < p; j++ {
			v := (1 - lambda) * s.At(i, j)
			if i == j {
				v += lambda * m
			}
			s.SetSym(i, j, v*scale)
		}
	}
	return s, unscaled(op, s, e)
}

// ShrinkToDiagonal keeps the variances of XᵀX/dof and multiplies the covariances
// by 1 − λ, λ = Σ_{i≠j} Var(r_ij)/Σ_{i≠j} r_ij² within [0, 1], r the correlations
// (Schäfer and Strimmer, "A shrinkage approach to large-scale covariance matrix
// estimation", 2005). It is the one to begin with. rsatoolbox's λ′ takes another
// mean of w (strimmer) and grows as 1/dof²: λ = λ′·dof/(n − 1) + 1/(dof·(n − 1)).
func ShrinkToDiagonal(residuals *mat.Dense, dof int) (*mat.SymDense, error) {
	const op = "ShrinkToDiagonal"
	if err := numeric.CheckResponses(op, residuals, 2); err != nil {
		return nil, err
	}
	near1, e := numeric.Rescaled(residuals)
	s, err := scatter(op, near1, dof)
	if err != nil {
		return nil, err
	}
	lambda := strimmer(near1, dof)
	for i := range s.SymmetricDim() {
		for j := range i {
			s.SetSym(j, i, (1-lambda)*s.At(i, j))
		}
	}
	return s, unscaled(op, s, e)
}

// strimmer is λ: with z the residuals over √(Σx²/(n−1)), w_kij = z_ki·z_kj and w̄ their
// mean over k, r_ij = n/(n−1)·w̄ and Var(r_ij) = n/((n−1)²·dof)·Σ_k (w_kij − w̄)².
func strimmer(x *mat.Dense, dof int) float64 {
	n, p := x.Dims()
	sd := make([]float64, p)
	for k := range n {
		for j, v := range x.RawRowView(k) {
			sd[j] += v * v
		}
	}
	for j := range sd {
		sd[j] = math.Sqrt(sd[j] / float64(n-1))
	}
	variance, squares := 0.0, 0.0
	for i := range p {
		for j := range i {
			if sd[i] == 0 || sd[j] == 0 {
				continue
			}
			sum, sum2 := 0.0, 0.0
			for k := range n {
				w := x.At(k, i) * x.At(k, j) / (sd[i] * sd[j])
				sum, sum2 = sum+w, sum2+w*w
			}
			m := float64(n)
			r := sum / (m - 1)
			variance += m / ((m - 1) * (m - 1) * float64(dof)) * (sum2 - sum*sum/m)
			squares += r * r
		}
	}
	if squares == 0 {
		return 1
	}
	return min(max(variance/squares, 0), 1)
}

// Precision is the inverse of a covariance.
func Precision(covariance *mat.SymDense) (*mat.SymDense, error) {
	var c mat.Cholesky
	if covariance == nil || covariance.IsEmpty() || !c.Factorize(covariance) {
		return nil, errSingular
	}
	var inverse mat.SymDense
	if err := c.InverseTo(&inverse); err != nil {
		return nil, fmt.Errorf("%w (%w)", errSingular, err)
	}
	return &inverse, nil
}

var errSingular = fmt.Errorf("compare.Precision: the covariance is empty or has no inverse; shrink it (ShrinkToDiagonal), or leave silent units out")
