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
	e.Low = -1 // to 0, which High is
	if v := e.Value([]int{-1, 0, -1, -1}); v != -0.75 {
		t.Errorf("of values from -1 to 0 the second unit alone stands for %v, want its centre -0.75", v)
	}
	for _, bad := range []encode.Population{{}, {Units: 2, Span: 5}, {Units: 8}, {Units: 8, Span: 5, Low: 1, High: 1}, {Units: 8, Span: 5, Width: -1}, {Units: 8, Span: 5, Threshold: 1}, {Units: 1 << 30, Span: 5},
		{Units: 8, Span: 5, Low: -1e308, High: 1e308}, {Units: 8, Span: 5, Width: math.Inf(1)}, {Units: 8, Span: 5, Low: math.NaN()}} {
		if bad.Validate() == nil {
			t.Errorf("%+v: accepted", bad)
		}
	}
	if v := (encode.Population{Units: 4, Span: 1}).Value([]int{-1, 0, 0, -1}); math.IsNaN(v) {
		t.Error("one step: no value")
	}
}

// Steps of a separate program by the equations, at the borders of the range and beyond, and the values
// that a search for the least squares finds in them.
func TestPopulationValues(t *testing.T) {
	wide := encode.Population{Units: 8, Span: 101}
	other := encode.Population{Units: 5, Span: 33, Low: -20, High: 60, Width: 2, Threshold: 0.3}
	for _, c := range []struct {
		e     encode.Population
		x     float64
		steps []int
		back  float64
	}{
		{wide, 0, []int{25, 25, -1, -1, -1, -1, -1, -1}, 0},
		{wide, 0.3, []int{-1, 85, 10, 42, -1, -1, -1, -1}, 0.3003578022},
		{wide, 0.99, []int{-1, -1, -1, -1, -1, -1, 20, 30}, 0.9901087857},
		{wide, -0.1, []int{1, 74, -1, -1, -1, -1, -1, -1}, -0.0990387639},
		{wide, 1.1, []int{-1, -1, -1, -1, -1, -1, 74, 1}, 1.0990387639},
		{wide, -0.32, []int{90, -1, -1, -1, -1, -1, -1, -1}, -1. / 12},
		{wide, 1.3, []int{-1, -1, -1, -1, -1, -1, -1, 85}, 13. / 12},
		{wide, 1.322, slices.Repeat([]int{-1}, 8), math.NaN()}, // 1.3217740 is the border
		{wide, math.Inf(1), slices.Repeat([]int{-1}, 8), math.NaN()},
		{wide, math.NaN(), slices.Repeat([]int{-1}, 8), math.NaN()},
		{other, 0, []int{-1, 4, 22, -1, -1}, -0.1974627812},
		{other, 17.5, []int{-1, -1, 1, -1, -1}, 20},
		{other, 71, []int{-1, -1, -1, -1, 0}, 220. / 3},
		{encode.Population{Units: 3, Span: 20}, 0.2, []int{8, 2, 16}, 0.2047293076},
		{encode.Population{Units: 3, Span: 1}, 0.2, []int{0, 0, 0}, 0.5},
	} {
		got := steps(t, c.e, tensor.Float(c.x))
		if !slices.Equal(got, c.steps) {
			t.Errorf("%+v: %v spikes in %v, want %v", c.e, c.x, got, c.steps)
		}
		if back := c.e.Value(got); !(math.Abs(back-c.back) <= 1e-9) && !(math.IsNaN(back) && math.IsNaN(c.back)) {
			t.Errorf("%+v: %v comes back as %v, want %v", c.e, c.x, back, c.back)
		}
	}
	if got := wide.Value([]int{-1, 95, -1, -1, -1, -1, -1, 400}); math.IsInf(got, 0) || math.IsNaN(got) {
		t.Errorf("spikes later than any unit's stand for %v", got)
	}
}

// Pictures of two channels, two of them: the units of a channel stand side by side in its place, and a
// run cut into windows has the spikes of the whole.
func TestPopulationPlaces(t *testing.T) {
	e := encode.Population{Units: 3, Span: 9}
	spec := sample.Spec{Shape: tensor.Shape{1, 2, 2}}
	b := sample.Batch{Spec: &spec, X: []tensor.Float{0, 0.2, 0.5, 0.9, 1, 0.1, 0.3, 0.7}}
	var whole, part signal.Signal
	e.Encode(&whole, &b, nil, encode.Window{T1: 9, Steps: 9})
	spikes := 0
	for k, x := range b.X {
		for u, want := range steps(t, e, x) {
			for s := range 9 {
				if got := whole.Raster.At(s*2+k/4, k%4*3+u); got != (s == want) {
					t.Errorf("value %d, unit %d, step %d: %v, and its spike is in %d", k, u, s, got, want)
				} else if got {
					spikes++
				}
			}
		}
	}
	if spikes < 18 {
		t.Errorf("%d spikes: the check shows little", spikes)
	}
	for t0 := 0; t0 < 9; t0 += 3 {
		e.Encode(&part, &b, nil, encode.Window{T0: t0, T1: t0 + 3, Steps: 9})
		for row := range 6 {
			if !slices.Equal(part.Raster.Row(row), whole.Raster.Row(t0*2+row)) {
				t.Errorf("window from %d, row %d differs from the whole", t0, row)
			}
		}
	}
	if shape, _, err := e.Plan(sample.Spec{Shape: tensor.Shape{7}}); err != nil || !slices.Equal(shape, tensor.Shape{7, 3}) {
		t.Errorf("shape %v, %v", shape, err)
	}
}
