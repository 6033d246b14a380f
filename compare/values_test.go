package compare_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/compare/internal/numeric"
)

// Digits of π and of e, 14 stimuli, and the rankings of four subjects, two of which
// have ties.
var (
	digitsOfPi   = dense(14, 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3, 3, 8, 3, 2, 7, 9, 5, 0, 2, 8, 8, 4, 1, 9, 7, 1, 6)
	digitsOfE    = dense(14, 2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5, 9, 0, 4, 5, 2, 3, 5, 3, 6, 0, 2, 8, 7, 4, 7, 1)
	fourRankings = []compare.RDM{
		{N: 4, Values: []float64{1, 2, 3, 4, 5, 6}}, {N: 4, Values: []float64{2, 1, 3, 6, 4, 5}},
		{N: 4, Values: []float64{1, 1, 2, 3, 5, 4}}, {N: 4, Values: []float64{6, 2, 3, 1, 5, 4}},
	}
)

// Values that another program computed from the definitions: canonical correlations by
// orthonormal bases, ridge by singular values, PLS by those of XᵀY. No size of the
// responses changes them.
func TestValuesOfDigits(t *testing.T) {
	for _, c := range []struct {
		metric string
		set    func(p *compare.Params)
		want   float64
	}{
		{"cca", func(*compare.Params) {}, 0.5055847318367107},
		{"svcca", func(p *compare.Params) { p.Variance = 0.8 }, 0.7688101548759018},
		{"pwcca", func(*compare.Params) {}, 0.5582268562219569},
		{"ridge", func(p *compare.Params) { p.Penalty, p.Folds = 0.5, 4 }, 0.40674357820021834},
		{"ridge", func(p *compare.Params) { p.Penalty, p.Folds = 20, 4 }, 0.42327490234661813},
		{"pls", func(p *compare.Params) { p.Components, p.Folds = 1, 4 }, 0.4982411294693373},
		{"pls", func(p *compare.Params) { p.Components, p.Folds = 2, 4 }, 0.4953495347992932},
	} {
		for _, size := range []float64{1, 1e-150, 1e150} {
			p := compare.DefaultParams()
			c.set(&p)
			p.Penalty *= size * size
			m, err := compare.Lookup(c.metric)
			if err != nil {
				t.Fatal(err)
			}
			r, err := m.Compare(compare.Responses{X: scaled(digitsOfPi, size)}, compare.Responses{X: digitsOfE}, p, nil)
			if err != nil || r.Undefined != "" {
				t.Fatalf("%s: %v %s", c.metric, err, r.Undefined)
			}
			near(t, c.metric, r.Value, c.want, 1e-10)
		}
	}
}

// Noise ceilings, likewise, of four subjects in any order.
func TestValuesOfNoiseCeilings(t *testing.T) {
	variances := []float64{1, 1, 4, 9}
	for _, c := range []struct {
		name         string
		similarity   compare.Similarity
		pooling      compare.Pooling
		lower, upper float64
	}{
		{"pearson", compare.Pearson, compare.PoolCorrelation, 0.5408644865683465, 0.7242354882463099},
		{"spearman", compare.Spearman, compare.PoolRanks, 0.5983002973808859, 0.7209581632367994},
		{"rho-a", compare.RhoA, compare.PoolRanks, 0.5892857142857143, 0.7071428571428572},
		{"tau-a", compare.TauA, compare.PoolRanks, 0.4666666666666667, 0.6166666666666667},
		{"tau-b", compare.TauB, compare.PoolRanks, 0.4844416832970423, 0.6461821927482697},
		{"cosine", compare.CosineSimilarity, compare.PoolCosine, 0.9137712408467827, 0.9511251299160162},
		{"whitened cosine", compare.Whitened(variances, false), compare.PoolCosine, 0.7462574975090887, 0.8719573476911325},
		{"whitened correlation", compare.Whitened(variances, true), compare.PoolCorrelation, 0.3470035977040439, 0.5701700154453756},
	} {
		data := slices.Clone(fourRankings)
		for range 2 {
			lower, upper, err := compare.NoiseCeiling(compare.Comparison{Similarity: c.similarity, Pooling: c.pooling}, data)
			if err != nil {
				t.Fatal(err)
			}
			near(t, c.name+", lower", lower, c.lower, 1e-12)
			near(t, c.name+", upper", upper, c.upper, 1e-12)
			slices.Reverse(data)
		}
	}
}

// The fourth power of the residuals left the range of a float64: of 1e-100 nothing
// was shrunk, and of 1e100 all was NaN.
func TestLedoitWolfOfAnySize(t *testing.T) {
	x := gaussian(5, 12, 4)
	for name, f := range map[string]compare.Covariance{"full": compare.FullCovariance, "identity": compare.ShrinkToIdentity, "diagonal": compare.ShrinkToDiagonal} {
		want, err := f(x, 9)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []int{-500, -250, 250, 500} {
			got, err := f(scaled(x, math.Ldexp(1, e)), 9)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 4 {
				for j := range 4 {
					if v := math.Ldexp(got.At(i, j), -2*e); v != want.At(i, j) {
						t.Errorf("%s of 2^%d: %v, want %v", name, e, v, want.At(i, j))
					}
				}
			}
		}
		for _, e := range []int{-540, 540} { // squares of them are no float64
			if got, err := f(scaled(x, math.Ldexp(1, e)), 9); !errors.Is(err, numeric.ErrRange) {
				t.Errorf("%s of 2^%d: %v, %v", name, e, got, err)
			}
		}
	}
	// two residuals, (2, 0) and (0, 1): S = diag(2, ½), m = 5/4, d² = 9/8,
	// b² = ((4 − 2)² + ¼ + 4 + ¼)/4 = 17/8, which is more than d²: all is m·I, times n/dof
	s, err := compare.ShrinkToIdentity(mat.NewDense(2, 2, []float64{2e-100, 0, 0, 1e-100}), 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "variance", s.At(0, 0)*1e200, 2.5, 1e-12)
	near(t, "variance", s.At(1, 1)*1e200, 2.5, 1e-12)
}

// A unit that never varies has no correlations: the others are shrunk as without it.
func TestShrinkToDiagonalWithASilentUnit(t *testing.T) {
	x, with := gaussian(5, 12, 4), mat.NewDense(12, 5, nil)
	for i := range 12 {
		for j := range 4 {
			with.Set(i, []int{0, 2, 3, 4}[j], x.At(i, j))
		}
	}
	want, err := compare.ShrinkToDiagonal(x, 9)
	if err != nil {
		t.Fatal(err)
	}
	got, err := compare.ShrinkToDiagonal(with, 9)
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range []int{0, 2, 3, 4} {
		for j, to := range []int{0, 2, 3, 4} {
			near(t, "covariance of units that vary", got.At(at, to), want.At(i, j), 1e-15)
		}
		if v := got.At(1, at); v != 0 {
			t.Errorf("covariance %v with the silent unit", v)
		}
	}
}
