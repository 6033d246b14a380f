// Package canonical measures how alike two representations of the same stimuli are up to
// invertible maps: by the correlations of the linear combinations of units that correlate most.
//
// X is n stimuli × p units, Y n × q. With orthonormal bases Q_x and Q_y of their centred columns
//
//	ρ = singular values of Q_xᵀQ_y,   CCA: mean ρ_i over i
//	SVCCA: the same of the principal components that explain a share of each side's variance
//	PWCCA: Σ α_i·ρ_i / Σ α_i, α_i = Σ_j |⟨h_i, x_j⟩|, h_i the variates of X
//
// (Hotelling 1936; Raghu et al. 2017; Morcos et al. 2018). Units whose rank is that of rounding
// alone count as none.
package canonical

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// Correlations is the outcome of CCA.
type Correlations struct {
	Rho      []float64  // descending, within [0, 1]; as many as the smaller rank
	Variates *mat.Dense // of X, stimuli × len(Rho), orthonormal columns

	surplus int // dimensions that X has more than Y
}

// CCA finds the linear combinations of the units of X and of Y that correlate
// most. It needs more stimuli than both sides have dimensions together, since it
// finds perfect correlations otherwise; ten times as many are advisable.
func CCA(x, y *mat.Dense) (Correlations, error) { return cca("canonical.CCA", x, y, 1) }

func cca(op string, x, y *mat.Dense, variance float64) (c Correlations, err error) {
	if err := numeric.CheckPair(op, x, y, numeric.MinStimuli); err != nil {
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
		return c, fmt.Errorf("%s: %d stimuli for sides of %d and %d dimensions: with no more stimuli than dimensions all correlations are 1; use more stimuli, SVCCA with less variance, or CKA", op, n, p, q)
	}
	var m mat.Dense
	m.Mul(qx.T(), qy)
	var svd mat.SVD
	if !svd.Factorize(&m, mat.SVDThin) {
		return c, fmt.Errorf("%s: the singular values did not converge", op)
	}
	c.Rho = svd.Values(nil)
	for i, v := range c.Rho {
		c.Rho[i] = min(v, 1)
	}
	var u mat.Dense
	svd.UTo(&u)
	c.surplus = max(p-q, 0)
	c.Variates = &mat.Dense{}
	c.Variates.Mul(qx, &u)
	return c, nil
}

// basis is an orthonormal basis of the centred columns, of the fewest principal
// components that explain the given share of the variance.
func basis(op string, x *mat.Dense, variance float64) (*mat.Dense, error) {
	if !(variance > 0 && variance <= 1) {
		return nil, fmt.Errorf("%s: %v of the variance, want a share in (0, 1]", op, variance)
	}
	c, noise := spanning(x, variance == 1)
	var svd mat.SVD
	if !svd.Factorize(c, mat.SVDThin) {
		return nil, fmt.Errorf("%s: the singular values did not converge", op)
	}
	s := svd.Values(nil)
	if s[0] <= noise {
		return nil, numeric.Undefined(op, "one side responds to all stimuli alike")
	}
	rank := 0
	for rank < len(s) && s[rank] > max(numeric.RankTolerance*s[0], noise) {
		rank++
	}
	var u mat.Dense
	svd.UTo(&u)
	n, _ := u.Dims()
	return mat.DenseCopyOf(u.Slice(0, n, 0, explaining(s, rank, variance))), nil
}

// explaining is the fewest of the first singular values whose squares make up a
// share of all. Equal ones are kept together: nothing tells their directions apart.
func explaining(s []float64, rank int, variance float64) int {
	const equal = 1e-10 // relative, far above rounding
	total, sum, keep := numeric.Dot(s, s), 0.0, 0
	for keep < rank && (variance == 1 || sum < variance*total*(1-equal)) {
		sum += s[keep] * s[keep]
		keep++
	}
	for keep < rank && s[keep] >= s[keep-1]*(1-equal) {
		keep++
	}
	return keep
}

// spanning is the centred columns, and the norm that the rounding of the responses
// may have left in them. Where they are balanced each is scaled by a power of two
// that brings it near 1: what all of them span does not depend on the units' scales,
// but which singular values count would.
func spanning(x *mat.Dense, balance bool) (c *mat.Dense, noise float64) {
	near1, _ := numeric.Rescaled(x)
	c, e := numeric.Rescaled(numeric.Centred(near1))
	n, p := x.Dims()
	u := numeric.InputRoundoff(x, numeric.Roundoff) + 2*numeric.Roundoff
	column := make([]float64, n)
	for j := range p {
		most := numeric.Largest(mat.Col(column, j, c))
		if most == 0 {
			continue
		}
		scale := 0
		if balance {
			scale = numeric.Exponent(most)
			c.SetCol(j, numeric.ScaledBy(column, -scale))
		}
		rounding := u * math.Ldexp(numeric.Norm(mat.Col(column, j, near1)), -e-scale)
		noise = math.Hypot(noise, rounding)
	}
	return c, noise
}

// Mean is the mean correlation.
func (c Correlations) Mean() float64 { return numeric.Mean(c.Rho) }

// MeanSquare is the mean squared correlation.
func (c Correlations) MeanSquare() float64 {
	return numeric.Dot(c.Rho, c.Rho) / float64(len(c.Rho))
}

// MeanCCA is the mean canonical correlation.
func MeanCCA(x, y *mat.Dense) (float64, error) {
	c, err := cca("canonical.MeanCCA", x, y, 1)
	if err != nil {
		return 0, err
	}
	return c.Mean(), nil
}

// SVCCA is the mean canonical correlation of the principal components of each
// side that explain the given share of its variance, usually 0.99 (Raghu et al.
// 2017).
func SVCCA(x, y *mat.Dense, variance float64) (float64, error) {
	c, err := cca("canonical.SVCCA", x, y, variance)
	if err != nil {
		return 0, err
	}
	return c.Mean(), nil
}

// PWCCA is the mean of the correlations ρ_i weighted by how much of X its
// canonical variates h_i account for, α_i = Σ_j |⟨h_i, x_j⟩| over units j (Morcos
// et al. 2018). It is not symmetric. Where some of the correlations are equal and
// others not it is undefined: variates of equal ones may be turned among themselves,
// and the weights with them.
func PWCCA(x, y *mat.Dense) (float64, error) {
	const op = "canonical.PWCCA"
	c, err := cca(op, x, y, 1)
	if err != nil {
		return 0, err
	}
	if c.Rho[0]-c.Rho[len(c.Rho)-1] <= equalRho {
		return c.Mean(), nil
	}
	if c.turnable() {
		return 0, numeric.Undefined(op, "some canonical correlations are equal, so the directions that weigh them are not determined; use CCA")
	}
	var h mat.Dense
	h.Mul(c.Variates.T(), numeric.CentredNear1(x))
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

// equalRho is the difference below which rounding turns the variates of two
// correlations.
const equalRho = 1e-8

// turnable reports whether two correlations are equal, counting a 0 for each
// dimension of X that Y has no partner for.
func (c Correlations) turnable() bool {
	for i, rho := range c.Rho[1:] {
		if c.Rho[i]-rho <= equalRho {
			return true
		}
	}
	return c.surplus > 0 && c.Rho[len(c.Rho)-1] <= equalRho
}
