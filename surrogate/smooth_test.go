package surrogate_test

import (
	"math"
	"testing"

	"synfire/surrogate"
	"synfire/tensor"
)

var smooth = []surrogate.Surrogate{
	surrogate.Sigmoid{Slope: 4},
	surrogate.Sigmoid{Slope: 1, Cut: 0.5},
	surrogate.Exponential{Height: 1, Slope: 2},
	surrogate.Exponential{Height: 0.3, Slope: 5, Cut: 0.5},
	surrogate.SpikeTime{Alpha: 0.3, Beta: 0.01},
}

// Values by hand, and the limits far from the threshold, where neither overflow
// nor a value that is no number may appear.
func TestSmoothValues(t *testing.T) {
	for _, c := range []struct {
		s                        surrogate.Surrogate
		z, derivative, primitive float64
	}{
		{surrogate.Sigmoid{Slope: 4}, 0, 1, 0.5},
		{surrogate.Sigmoid{Slope: 2}, math.Ln2 / 2, 4. / 9, 2. / 3},
		{surrogate.Sigmoid{Slope: 2}, -math.Ln2 / 2, 4. / 9, 1. / 3},
		{surrogate.Sigmoid{Slope: 25}, -math.MaxFloat32, 0, 0},
		{surrogate.Sigmoid{Slope: 25}, math.MaxFloat32, 0, 1},
		{surrogate.Sigmoid{Slope: 2, Cut: math.Ln2 / 2}, 3, 0, 2. / 3},
		{surrogate.Exponential{Height: 3, Slope: 2}, 0, 3, 0.5},
		{surrogate.Exponential{Height: 3, Slope: 2}, math.Ln2 / 2, 1.5, 1.25},
		{surrogate.Exponential{Height: 3, Slope: 2}, -math.Ln2 / 2, 1.5, -0.25},
		{surrogate.Exponential{Height: 3, Slope: 2}, -math.MaxFloat32, 0, -1},
		{surrogate.Exponential{Height: 3, Slope: 2, Cut: math.Ln2 / 2}, -3, 0, -0.25},
	} {
		z := tensor.Float(c.z)
		if d, p := c.s.Derivative(z), c.s.Primitive(z); math.Abs(float64(d)-c.derivative) > 1e-6 || math.Abs(float64(p)-c.primitive) > 1e-6 {
			t.Errorf("%+v at %v: derivative %v, primitive %v, want %v and %v", c.s, c.z, d, p, c.derivative, c.primitive)
		}
	}
}

func TestSmoothValidate(t *testing.T) {
	for _, s := range smooth {
		if err := s.Validate(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
	for _, s := range []surrogate.Surrogate{
		surrogate.Sigmoid{}, surrogate.Sigmoid{Slope: math.NaN()}, surrogate.Sigmoid{Slope: 1, Cut: -1},
		surrogate.Exponential{Height: 1}, surrogate.Exponential{Slope: 1}, surrogate.Exponential{Height: 1, Slope: 1, Cut: math.Inf(1)},
	} {
		if s.Validate() == nil {
			t.Errorf("%+v: accepted", s)
		}
	}
}
