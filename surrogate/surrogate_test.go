package surrogate_test

import (
	"fmt"
	"math"
	"testing"

	"synfire/internal/kernel"
	"synfire/surrogate"
	"synfire/tensor"
)

var all = []surrogate.Surrogate{
	surrogate.FastSigmoid{Slope: 25},
	surrogate.FastSigmoid{Slope: 1},
	surrogate.ArcTan{Alpha: 2},
	surrogate.Triangle{Height: 0.3, Width: 1},
	surrogate.Triangle{Height: 1, Width: 0.5},
	surrogate.Rectangle{Height: 0.5, Width: 1},
	surrogate.Rectangle{Height: 0.5, Width: 0.3, Open: true},
	surrogate.FastSigmoid{Slope: 25, Cut: 0.3},
	surrogate.ArcTan{Alpha: 2, Cut: 0.8},
}

func Example() {
	s := surrogate.FastSigmoid{Slope: 25}
	fmt.Printf("%.3f at threshold, %.3f a little below\n", s.Derivative(0), s.Derivative(-0.04))
	// Output: 1.000 at threshold, 0.250 a little below
}

// The derivative is that of the primitive: their difference quotient, with a
// step that suits the element type.
func TestPrimitive(t *testing.T) {
	h, tol := 1e-2, 2e-2
	if tensor.Float(1)+1e-12 != 1 {
		h, tol = 1e-5, 1e-6
	}
	for _, s := range append(smooth, all...) {
		for _, z := range []float64{-3, -0.7, -0.123, 0.0321, 0.29, 0.81, 2} {
			up, down := s.Primitive(tensor.Float(z+h)), s.Primitive(tensor.Float(z-h))
			got := (float64(up) - float64(down)) / (2 * h)
			if want := float64(s.Derivative(tensor.Float(z))); math.Abs(got-want) > tol*(1+math.Abs(want)) {
				t.Errorf("%+v at %v: the primitive rises by %v, derivative %v", s, z, got, want)
			}
		}
	}
}

// The edge of a rectangle counts, of an open one it does not, in the kernels as
// in plain code; just inside both count.
func TestRectangleEdge(t *testing.T) {
	for _, w := range []tensor.Float{0.5, 1, 0.3, 0.7, 1.1, 1e-3, 12345} {
		inside := w - w/(1<<20)
		for _, open := range []bool{false, true} {
			s := surrogate.Rectangle{Height: 1, Width: float64(w), Open: open}
			k := s.Kernel()
			for _, z := range []tensor.Float{w, -w, inside, -inside} {
				want := tensor.Float(1)
				if open && (z == w || z == -w) {
					want = 0
				}
				gx := []tensor.Float{0}
				kernel.LIF{Gain: 1}.Backward(1, k, []tensor.Float{z}, 1, []tensor.Float{1}, 1, []tensor.Float{0}, gx, 1)
				if got := s.Derivative(z); got != want || gx[0] != want {
					t.Errorf("width %v, open %v: σ'(%v) is %v, of the kernel %v, want %v", w, open, z, got, gx[0], want)
				}
			}
		}
	}
}

// The kernels compute the same function: a scan of one unit and one step.
func TestKernelForm(t *testing.T) {
	for _, s := range all {
		k := s.(surrogate.Fast).Kernel()
		k.Theta = 1
		lif := kernel.LIF{Beta: 1, Gain: 1, Fire: 1, Amount: 1}
		for _, z := range []tensor.Float{-2, -0.3, 0, 0.01, 0.7} {
			gx := []tensor.Float{0}
			lif.Backward(1, k, []tensor.Float{1 + z}, 1, []tensor.Float{1}, 1, []tensor.Float{0}, gx, 1)
			want := s.Derivative(tensor.Float(1+z) - 1)
			if math.Abs(float64(gx[0]-want)) > 1e-6 {
				t.Errorf("%+v at %v: kernel %v, want %v", s, z, gx[0], want)
			}
		}
	}
}

// Beyond a cut-off, derivatives are zero and primitives constant; within it,
// and without one, nothing changes.
func TestCut(t *testing.T) {
	for _, c := range []struct{ plain, cut surrogate.Surrogate }{
		{surrogate.FastSigmoid{Slope: 25}, surrogate.FastSigmoid{Slope: 25, Cut: 0.5}},
		{surrogate.ArcTan{Alpha: 2}, surrogate.ArcTan{Alpha: 2, Cut: 0.5}},
	} {
		for _, z := range []tensor.Float{-0.5, -0.1, 0, 0.25, 0.5} {
			if c.cut.Derivative(z) != c.plain.Derivative(z) || c.cut.Primitive(z) != c.plain.Primitive(z) {
				t.Errorf("%+v changes within the cut-off, at %v", c.cut, z)
			}
		}
		for _, z := range []tensor.Float{-3, -0.501, 0.501, 3} {
			edge := tensor.Float(math.Copysign(0.5, float64(z)))
			if c.cut.Derivative(z) != 0 || c.cut.Primitive(z) != c.plain.Primitive(edge) {
				t.Errorf("%+v at %v: derivative %v, primitive %v", c.cut, z, c.cut.Derivative(z), c.cut.Primitive(z))
			}
			if c.plain.Derivative(z) == 0 {
				t.Errorf("%+v at %v: zero without a cut-off", c.plain, z)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	for _, s := range all {
		if err := s.Validate(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
	for _, s := range []surrogate.Surrogate{
		surrogate.FastSigmoid{}, surrogate.ArcTan{Alpha: -1}, surrogate.ArcTan{Alpha: math.NaN()},
		surrogate.Triangle{Height: 1}, surrogate.Triangle{Width: math.Inf(1), Height: 1},
		surrogate.Rectangle{Height: 1}, surrogate.Rectangle{Width: 1, Height: -1},
		surrogate.FastSigmoid{Slope: 25, Cut: -0.1}, surrogate.FastSigmoid{Slope: 25, Cut: math.NaN()},
		surrogate.ArcTan{Alpha: 2, Cut: math.Inf(1)}, surrogate.ArcTan{Cut: 1},
	} {
		if s.Validate() == nil {
			t.Errorf("%+v: accepted", s)
		}
	}
}

// The derivative of spike times, by hand, and what is no decay.
func TestSpikeTime(t *testing.T) {
	s := surrogate.SpikeTime{Alpha: 0.3, Beta: 0.01}
	for since, want := range map[float64]float64{0: 0.3, 100: 0.3 / math.E, 1000: 1.362e-5} {
		if got := float64(s.Slope(tensor.Float(since))); math.Abs(got-want) > 1e-6*want+1e-9 {
			t.Errorf("%v steps after a spike: %v, want %v", since, got, want)
		}
	}
	if err := (surrogate.SpikeTime{Alpha: 0.3}).Validate(); err != nil {
		t.Error(err)
	}
	for _, s := range []surrogate.SpikeTime{{Beta: 1}, {Alpha: 1, Beta: -1}, {Alpha: math.NaN()}, {Alpha: 1, Beta: math.Inf(1)}} {
		if s.Validate() == nil {
			t.Errorf("%+v: accepted", s)
		}
	}
}
