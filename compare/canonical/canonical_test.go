package canonical_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/canonical"
	"synfire/compare/internal/numeric"
	"synfire/internal/rng"
)

// Two sides that share one of their two dimensions.
func Example() {
	x := mat.NewDense(6, 2, []float64{1, 1, 2, -1, 3, 1, 4, -1, 5, 1, 6, -1})
	y := mat.NewDense(6, 2, []float64{2, 1, 4, 1, 6, -2, 8, -2, 10, 1, 12, 1})
	c, err := canonical.CCA(x, y)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f, mean %.3f\n", c.Rho, c.Mean())
	// Output: [1.000 0.000], mean 0.500
}

func gaussian(seed uint64, n, p int) *mat.Dense {
	s := rng.New(seed, "test").Int(uint64(n)).Int(uint64(p)).Source()
	x := mat.NewDense(n, p, nil)
	x.Apply(func(int, int, float64) float64 { return s.Norm() }, x)
	return x
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}

// Canonical correlations: known ones of a shared and a private dimension, and the
// orthonormal variates.
func TestCCA(t *testing.T) {
	z := gaussian(1, 5000, 3)
	x, y := mat.NewDense(5000, 2, nil), mat.NewDense(5000, 2, nil)
	for i := range 5000 {
		x.SetRow(i, []float64{z.At(i, 0), 2*z.At(i, 0) + z.At(i, 1)})
		y.SetRow(i, []float64{z.At(i, 0) - z.At(i, 2), z.At(i, 2)})
	}
	c, err := canonical.CCA(x, y)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "shared", c.Rho[0], 1, 1e-10)
	near(t, "private", c.Rho[1], 0, 0.05)
	near(t, "mean", c.Mean(), (c.Rho[0]+c.Rho[1])/2, 1e-12)
	near(t, "mean square", c.MeanSquare(), (c.Rho[0]*c.Rho[0]+c.Rho[1]*c.Rho[1])/2, 1e-12)
	var g mat.Dense
	g.Mul(c.Variates.T(), c.Variates)
	near(t, "norm of a variate", g.At(0, 0), 1, 1e-10)
	near(t, "product of variates", g.At(0, 1), 0, 1e-10)
	noisy := mat.DenseCopyOf(x)
	noisy.Apply(func(i, j int, v float64) float64 { return v + 1e-3*z.At(i, 2) }, noisy)
	few, err := canonical.SVCCA(noisy, x.Slice(0, 5000, 0, 1).(*mat.Dense), 0.5)
	if err != nil {
		t.Fatal(err)
	}
	if few < 0.9 {
		t.Errorf("SVCCA of one component %v", few)
	}
	for _, f := range []func(x, y *mat.Dense) (float64, error){canonical.MeanCCA, canonical.PWCCA} {
		if _, err := f(gaussian(1, 10, 6), gaussian(2, 10, 6)); err == nil || !strings.Contains(err.Error(), "no more stimuli than dimensions") {
			t.Errorf("10 stimuli, 12 dimensions: %v", err)
		}
	}
	if v, err := canonical.MeanCCA(mat.NewDense(10, 2, nil), gaussian(2, 10, 2)); v != 0 || !errors.Is(err, numeric.ErrUndefined) {
		t.Errorf("silent units: %v, %v", v, err)
	}
	// a dead unit has no dimension
	dead := mat.NewDense(40, 3, nil)
	dead.Slice(0, 40, 0, 2).(*mat.Dense).Copy(gaussian(4, 40, 2))
	a, err := canonical.MeanCCA(dead, gaussian(5, 40, 3))
	if err != nil {
		t.Fatal(err)
	}
	b, err := canonical.MeanCCA(dead.Slice(0, 40, 0, 2).(*mat.Dense), gaussian(5, 40, 3))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "CCA with a dead unit", a, b, 1e-10)
}

// What rounding leaves of a unit that repeats another is no dimension.
func TestRoundingIsNoDimension(t *testing.T) {
	g, y := gaussian(1, 30, 1), gaussian(2, 30, 2)
	twice := mat.NewDense(30, 2, nil)
	for i := range 30 {
		twice.SetRow(i, []float64{g.At(i, 0), g.At(i, 0) + 1e9/3})
	}
	want, err := canonical.CCA(g, y)
	if err != nil {
		t.Fatal(err)
	}
	got, err := canonical.CCA(twice, y)
	if err != nil || len(got.Rho) != 1 || math.Abs(got.Rho[0]-want.Rho[0]) > 1e-6 {
		t.Errorf("correlations %v, %v; want %v", got.Rho, err, want.Rho)
	}
	// nor is a unit of small scale none
	small := mat.NewDense(30, 2, nil)
	for i := range 30 {
		small.SetRow(i, []float64{y.At(i, 0), 1e-15 * y.At(i, 1)})
	}
	if got, err = canonical.CCA(small, y); err != nil || len(got.Rho) != 2 || got.Rho[1] < 1-1e-9 {
		t.Errorf("correlations %v, %v; want 1 and 1", got.Rho, err)
	}
}
