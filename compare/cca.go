package compare

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// CanonicalCorrelations is the outcome of CCA.
type CanonicalCorrelations struct {
	Rho      []float64  // descending, within [0, 1]; as many as the smaller rank
	Variates *mat.Dense // of X, stimuli × len(Rho), orthonormal columns
}

// rankTolerance times the largest singular value is the smallest that counts.
const rankTolerance = 1e-10

// CCA finds the linear combinations of the units of X and of Y that correlate
// most. It needs more stimuli than both sides have dimensions together, since it
// finds perfect correlations otherwise; ten times as many are advisable.
func CCA(x, y *mat.Dense) (CanonicalCorrelations, error) { return cca("CCA", x, y, 1) }

func cca(op string, x, y *mat.Dense, variance float64) (c CanonicalCorrelations, err error) {
	if err := checkPair(op, x, y, minStimuli); err != nil {
		return c, err
	}
	qx, err := basis(op, x, variance)
	if err != nil {
		return c, err
	}
	qy, err := basis(op, y, variance)
	if err != nil {
		return c, err
	}
	n, p := qx.Dims()
	_, q := qy.Dims()
	if n <= p+q {
		return c, fmt.Errorf("compare.%s: %d stimuli for sides of %d and %d dimensions: with no more stimuli than dimensions all correlations are 1; use more stimuli, SVCCA with less variance, or CKA", op, n, p, q)
	}
	var m mat.Dense
	m.Mul(qx.T(), qy)
	var svd mat.SVD
	if !svd.Factorize(&m, mat.SVDThin) {
		return c, fmt.Errorf("compare.%s: the singular values did not converge", op)
	}
	c.Rho = svd.Values(nil)
	for i, v := range c.Rho {
		c.Rho[i] = min(v, 1)
	}
	var u mat.Dense
	svd.UTo(&u)
	c.Variates = &mat.Dense{}
	c.Variates.Mul(qx, &u)
	return c, nil
}

// basis is an orthonormal basis of the centred columns, of the fewest principal
// components that explain the given share of the variance.
func basis(op string, x *mat.Dense, variance float64) (*mat.Dense, error) {
	if !(variance > 0 && variance <= 1) {
		return nil, fmt.Errorf("compare.%s: %v of the variance, want a share in (0, 1]", op, variance)
	}
	var svd mat.SVD
	if !svd.Factorize(centred(x), mat.SVDThin) {
		return nil, fmt.Errorf("compare.%s: the singular values did not converge", op)
	}
	s := svd.Values(nil)
	total := dot(s, s)
	if s[0] <= rankTolerance*mat.Norm(x, 2) {
		return nil, undefined(op, "one side responds to all stimuli alike")
	}
	keep, sum := 0, 0.0
	for keep < len(s) && s[keep] > rankTolerance*s[0] && (sum < variance*total || variance == 1) {
		sum += s[keep] * s[keep]
		keep++
	}
	var u mat.Dense
	svd.UTo(&u)
	n, _ := u.Dims()
	return mat.DenseCopyOf(u.Slice(0, n, 0, keep)), nil
}

// Mean is the mean correlation.
func (c CanonicalCorrelations) Mean() float64 { return mean(c.Rho) }

// MeanSquare is the mean squared correlation.
func (c CanonicalCorrelations) MeanSquare() float64 {
	return dot(c.Rho, c.Rho) / float64(len(c.Rho))
}

// MeanCCA is the mean canonical correlation.
func MeanCCA(x, y *mat.Dense) (float64, error) {
	c, err := cca("MeanCCA", x, y, 1)
	if err != nil {
		return 0, err
	}
	return c.Mean(), nil
}

// SVCCA is the mean canonical correlation of the principal components of each
// side that explain the given share of its variance, usually 0.99 (Raghu et al.
// 2017).
func SVCCA(x, y *mat.Dense, variance float64) (float64, error) {
	c, err := cca("SVCCA", x, y, variance)
	if err != nil {
		return 0, err
	}
	return c.Mean(), nil
}

// PWCCA is the mean of the correlations ρ_i weighted by how much of X its
// canonical variates h_i account for, α_i = Σ_j |⟨h_i, x_j⟩| over units j (Morcos
// et al. 2018). It is not symmetric.
func PWCCA(x, y *mat.Dense) (float64, error) {
	c, err := cca("PWCCA", x, y, 1)
	if err != nil {
		return 0, err
	}
	var h mat.Dense
	h.Mul(c.Variates.T(), centred(x))
	sum, weights := 0.0, 0.0
	for i, rho := range c.Rho {
		alpha := 0.0
		for _, v := range h.RawRowView(i) {
			alpha += math.Abs(v)
		}
		sum, weights = sum+alpha*rho, weights+alpha
	}
	return sum / weights, nil
}
