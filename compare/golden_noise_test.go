package compare_test

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
)

// At n − 1 degrees of freedom rsatoolbox has the same full covariance and the same of Ledoit and
// Wolf. Its λ of Schäfer and Strimmer is another, and becomes theirs by the relation that the
// comment of ShrinkToDiagonal has.
func TestGoldenCovariances(t *testing.T) {
	g := load(t)
	x := ofRows(g.Residuals)
	n, p := x.Dims()
	for _, dof := range []int{n - 1, n - 3} {
		full, err := compare.FullCovariance(x, dof)
		if err != nil {
			t.Fatal(err)
		}
		g.list(t, fmt.Sprintf("full_%d", dof), mat.DenseCopyOf(full).RawMatrix().Data, nil, 1e-12)
		shrunk, err := compare.ShrinkToDiagonal(x, dof)
		if err != nil {
			t.Fatal(err)
		}
		theirs := value[[]float64](t, g, fmt.Sprintf("shrinkage_diag_%d", dof))
		for i := range p {
			near(t, "variance", shrunk.At(i, i), theirs[i*p+i], 1e-12)
			for j := range i {
				lambda := 1 - theirs[i*p+j]/full.At(i, j)
				want := lambda*float64(dof)/float64(n-1) + 1/float64(dof*(n-1))
				near(t, fmt.Sprintf("λ at %d degrees of freedom", dof), 1-shrunk.At(i, j)/full.At(i, j), want, 1e-11)
			}
		}
	}
	eye, err := compare.ShrinkToIdentity(x, n-1)
	if err != nil {
		t.Fatal(err)
	}
	g.list(t, fmt.Sprintf("shrinkage_eye_%d", n-1), mat.DenseCopyOf(eye).RawMatrix().Data, nil, 1e-12)
}

// Units without correlation: nearly all that two repetitions of a condition show is chance, and
// is shrunk away. Counted as n independent observations only half of it would be.
func TestShrinkageCountsDegreesOfFreedom(t *testing.T) {
	const conditions, p = 60, 30
	x := gaussian(7, 2*conditions, p)
	for k := range conditions {
		for j := range p {
			half := (x.At(2*k, j) - x.At(2*k+1, j)) / 2
			x.Set(2*k, j, half)
			x.Set(2*k+1, j, -half)
		}
	}
	full, err := compare.FullCovariance(x, conditions)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]compare.Covariance{"identity": compare.ShrinkToIdentity, "diagonal": compare.ShrinkToDiagonal} {
		s, err := f(x, conditions)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "intensity towards the "+name, 1-s.At(1, 0)/full.At(1, 0), 1, 0.1)
	}
}
