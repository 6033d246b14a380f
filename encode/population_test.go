package encode_test

import (
	"math"
	"slices"
	"testing"

	"synfire/encode"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// steps are those of the spikes of a value's units; −1: none.
func steps(t *testing.T, e encode.Population, x tensor.Float) []int {
	t.Helper()
	if err := e.Validate(); err != nil {
		t.Fatal(err)
	}
	spec := sample.Spec{Shape: tensor.Shape{1}}
	var s signal.Signal
	e.Encode(&s, &sample.Batch{Spec: &spec, X: []tensor.Float{x}}, nil, encode.Window{T1: e.Span, Steps: e.Span})
	out := slices.Repeat([]int{-1}, e.Units)
	for step := range s.T {
		for i := range out {
			if s.Raster.At(step, i) {
				if out[i] >= 0 {
					t.Fatalf("unit %d spikes twice", i)
				}
				out[i] = step
			}
		}
	}
	return out
}

// Eight units on [0, 1] and x = 0.3: the second, third and fourth fire after 8.51, 0.96 and 4.24
// of ten.
func TestPopulation(t *testing.T) {
	if got, want := steps(t, encode.Population{Units: 8, Span: 1001}, 0.3), []int{-1, 851, 96, 424, -1, -1, -1, -1}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	shape, _, err := encode.Population{Units: 3, Span: 5}.Plan(sample.Spec{Shape: tensor.Shape{4, 5, 2}})
	if err != nil || !slices.Equal(shape, tensor.Shape{4, 5, 6}) {
		t.Errorf("shape %v, %v", shape, err)
	}
}

// The decoder gives back what was encoded, the better the finer time is cut, on other ranges and
// for values beyond the outer centres too.
func TestPopulationRoundTrip(t *testing.T) {
	for _, c := range []struct {
		e     encode.Population
		worst float64
	}{
		{encode.Population{Units: 8, Span: 1001}, 5e-4}, {encode.Population{Units: 8, Span: 101}, 5e-3}, {encode.Population{Units: 8, Span: 16}, 0.05},
		{encode.Population{Units: 5, Span: 1001, Low: -20, High: 60}, 0.1}, {encode.Population{Units: 12, Span: 1001, Width: 1}, 5e-4},
	} {
		low, high := c.e.Low, c.e.High
		if high == 0 {
			high = 1
		}
		for k := range 201 {
			x := low + (high-low)*float64(k)/200
			if got := c.e.Value(steps(t, c.e, tensor.Float(x))); !(math.Abs(got-x) <= c.worst) {
				t.Errorf("%+v: %v comes back as %v", c.e, x, got)
			}
		}
	}
	e := encode.Population{Units: 4, Span: 10}
	if v := e.Value([]int{-1, -1, -1, -1}); !math.IsNaN(v) {
		t.Errorf("silence stands for %v", v)
	}
	if v := e.Value([]int{-1, 0, -1, -1}); v != 0.25 {
		t.Errorf("the second unit alone stands for %v, want its centre 0.25", v)
	}
	for _, bad := range []encode.Population{{}, {Units: 2, Span: 5}, {Units: 8}, {Units: 8, Span: 5, Low: 1, High: 1}, {Units: 8, Span: 5, Width: -1}, {Units: 8, Span: 5, Threshold: 1}, {Units: 1 << 30, Span: 5}} {
		if bad.Validate() == nil {
			t.Errorf("%+v: accepted", bad)
		}
	}
	if v := (encode.Population{Units: 4, Span: 1}).Value([]int{-1, 0, 0, -1}); math.IsNaN(v) {
		t.Error("one step: no value")
	}
}
