package fixedpoint_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/fixedpoint"
	"synfire/internal/rng"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// h ← tanh(Wh), W = diag(2, ½): a saddle at 0 and two attractors at ±(0.9575, 0).
func TestFind(t *testing.T) {
	step := func(dst, h []float64) {
		dst[0], dst[1] = math.Tanh(2*h[0]), math.Tanh(0.5*h[1])
	}
	s := rng.New(1, "starts").Source()
	starts := mat.NewDense(40, 2, nil)
	starts.Apply(func(int, int, float64) float64 { return 2*s.Float64() - 1 }, starts)
	got, err := fixedpoint.Find(step, starts, fixedpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 {
		t.Fatalf("%d fixed points, want 3: %+v", len(got), got)
	}
	slices.SortFunc(got, func(a, b fixedpoint.Point) int { return int(math.Copysign(1, a.H[0]-b.H[0])) })
	const attractor = 0.957504024077
	for k, want := range []float64{-attractor, 0, attractor} {
		p := got[k]
		near(t, "fixed point", p.H[0], want, 1e-5)
		near(t, "fixed point", p.H[1], 0, 1e-5)
		if p.Speed > 1e-12 || p.Unstable != k%2 {
			t.Errorf("point %v: speed %v, %d unstable directions", p.H, p.Speed, p.Unstable)
		}
	}
	near(t, "eigenvalue of the saddle", real(got[1].Eigenvalues[0]), 2, 1e-4)
	near(t, "eigenvalue of the saddle", real(got[1].Eigenvalues[1]), .5, 1e-4)
	none, err := fixedpoint.Find(func(dst, h []float64) { dst[0] = h[0] + 1 }, mat.NewDense(1, 1, []float64{0}), fixedpoint.Options{})
	if err != nil || len(none) != 0 {
		t.Errorf("a map without fixed points: %v, %v", none, err)
	}
	if _, err := fixedpoint.Find(func(dst, _ []float64) { dst[0] = math.NaN() }, mat.NewDense(1, 1, []float64{0}), fixedpoint.Options{}); err == nil {
		t.Error("a step that is not finite: no error")
	}
}

// A unit that excites itself, h ← tanh(2h), rests at 0, which it leaves, and at two others.
func Example() {
	step := func(dst, h []float64) { dst[0] = math.Tanh(2 * h[0]) }
	points, err := fixedpoint.Find(step, mat.NewDense(3, 1, []float64{-0.8, 0.01, 0.8}), fixedpoint.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	slices.SortFunc(points, func(a, b fixedpoint.Point) int { return int(math.Copysign(1, a.H[0]-b.H[0])) })
	for _, p := range points {
		fmt.Printf("%+.3f: largest eigenvalue %.3f\n", math.Round(1e3*p.H[0])/1e3+0, real(p.Eigenvalues[0]))
	}
	// Output:
	// -0.958: largest eigenvalue 0.166
	// +0.000: largest eigenvalue 2.000
	// +0.958: largest eigenvalue 0.166
}
