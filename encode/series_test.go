package encode_test

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/encode"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// dense encodes samples of a shape and returns all steps as numbers.
func dense(e encode.Encoder, x []tensor.Float, shape tensor.Shape, t0, t1 int) signal.Signal {
	var s, d signal.Signal
	e.Encode(&s, batch(x, shape), make([]rng.Key, len(x)/shape.Size()), encode.Window{T0: t0, T1: t1, Steps: t1})
	s.Densify(&d)
	return d
}

// spikeTimes is the step of the only spike of each of n units, −1 for none.
func spikeTimes(t *testing.T, d signal.Signal, n int) []int {
	t.Helper()
	times := make([]int, n)
	for i := range times {
		times[i] = -1
		for s := range d.T {
			if d.Data[s*n+i] == 1 {
				if times[i] >= 0 {
					t.Errorf("unit %d fires at %d and %d", i, times[i], s)
				}
				times[i] = s
			}
		}
	}
	return times
}

func TestLatency(t *testing.T) {
	x := []tensor.Float{1, 0.5, 0.25, 0.2, 0.1, 0, 2, -1, tensor.Float(math.NaN())}
	for _, c := range []struct {
		name string
		e    encode.Encoder
		want []int
	}{
		// 4.4629, 10.2165, 32.1888
		{"log", encode.LogLatency{Tau: 20, Threshold: 0.2}, []int{4, 10, 32, -1, -1, -1, 2, -1, -1}},
		{"linear", encode.Latency{Span: 33}, []int{0, 16, 24, 26, 29, 32, 0, -1, -1}},
		{"linear, threshold", encode.Latency{Span: 33, Threshold: 0.25}, []int{0, 16, 24, -1, -1, -1, 0, -1, -1}},
		{"one step", encode.Latency{Span: 1}, []int{0, 0, 0, 0, 0, 0, 0, -1, -1}},
	} {
		d := dense(c.e, x, tensor.Shape{len(x)}, 0, 40)
		if got := spikeTimes(t, d, len(x)); !slices.Equal(got, c.want) {
			t.Errorf("%s: spikes at %v, want %v", c.name, got, c.want)
		}
	}
}

// 162/256 has the digits 10100010; two periods carry its value twice.
func TestPhase(t *testing.T) {
	want := []tensor.Float{0.5, 0, 0.125, 0, 0, 0, 1. / 128, 0}
	d := dense(encode.Phase{}, []tensor.Float{162. / 256}, tensor.Shape{1}, 0, 16)
	if !slices.Equal(d.Data, slices.Concat(want, want)) {
		t.Errorf("162/256 gives %v", d.Data)
	}
	for _, c := range []struct{ x, sum tensor.Float }{{0, 0}, {-1, 0}, {1, 0.9375}, {7, 0.9375}, {0.3, 0.25}, {0.5, 0.5}} {
		var sum tensor.Float
		for _, v := range dense(encode.Phase{Bits: 4}, []tensor.Float{c.x}, tensor.Shape{1}, 0, 4).Data {
			sum += v
		}
		if sum != c.sum {
			t.Errorf("the digits of %v add up to %v, want %v", c.x, sum, c.sum)
		}
	}
}

// signs is +1 for on and −1 for off of one element.
func signs(d signal.Signal) (s []int) {
	for t := range d.T {
		s = append(s, int(d.Data[2*t])-int(d.Data[2*t+1]))
	}
	return s
}

func TestSeries(t *testing.T) {
	x := []tensor.Float{0, 0.3, 0.9, 1.2, 0.4, 0.4, -0.5}
	shape := tensor.Shape{7}
	if got := signs(dense(encode.StepForward{Threshold: 0.25}, x, shape, 0, 9)); !slices.Equal(got, []int{0, 1, 1, 1, -1, 0, -1, 0, 0}) {
		t.Errorf("step-forward gives %v", got)
	}
	if got := signs(dense(encode.Delta{Threshold: 0.5}, x, shape, 0, 9)); !slices.Equal(got, []int{0, 0, 1, 0, -1, 0, -1, 0, 0}) {
		t.Errorf("delta gives %v", got)
	}
	// A change of just the threshold is none.
	if got := signs(dense(encode.Delta{Threshold: 0.5}, []tensor.Float{0, 0.5, 0}, tensor.Shape{3}, 0, 3)); !slices.Equal(got, []int{0, 0, 0}) {
		t.Errorf("delta at its threshold gives %v", got)
	}
	// Two samples of two frames of two elements, in steps 0 and 1 of three.
	frames := []tensor.Float{1, 2, 3, 4, 5, 6, 7, 8}
	d := dense(encode.Frames{}, frames, tensor.Shape{2, 2}, 0, 3)
	if want := []tensor.Float{1, 2, 5, 6, 3, 4, 7, 8, 0, 0, 0, 0}; !slices.Equal(d.Data, want) {
		t.Errorf("frames are %v, want %v", d.Data, want)
	}
	// The units of two elements: on and off side by side.
	d = dense(encode.Delta{Threshold: 1}, []tensor.Float{0, 0, 5, -5}, tensor.Shape{2, 2}, 1, 2)
	if want := []tensor.Float{1, 0, 0, 1}; !slices.Equal(d.Data, want) {
		t.Errorf("delta of two elements gives %v, want %v", d.Data, want)
	}
}

func TestShapes(t *testing.T) {
	for _, c := range []struct {
		e        encode.Encoder
		in, want tensor.Shape
	}{
		{encode.Frames{}, tensor.Shape{9, 5}, tensor.Shape{5}},
		{encode.Frames{}, tensor.Shape{9, 8, 8, 2}, tensor.Shape{8, 8, 2}},
		{encode.Frames{}, tensor.Shape{9}, nil},
		{encode.Delta{}, tensor.Shape{9}, tensor.Shape{2}},
		{encode.Delta{}, tensor.Shape{9, 5}, tensor.Shape{5, 2}},
		{encode.StepForward{}, tensor.Shape{9, 8, 7}, tensor.Shape{8, 7, 2}},
		{encode.StepForward{}, tensor.Shape{9, 8, 7, 3}, tensor.Shape{8, 7, 6}},
		{encode.Delta{}, tensor.Shape{}, nil},
	} {
		got, steps, err := c.e.Plan(sample.Spec{Shape: c.in})
		if (err != nil) != (c.want == nil) || !slices.Equal(got, c.want) {
			t.Errorf("%T of %v: %v, %v, want %v", c.e, c.in, got, err, c.want)
		}
		if err != nil {
			continue
		}
		if steps != c.in[0] {
			t.Errorf("%T of %v: %d steps", c.e, c.in, steps)
		}
		again, _, err := c.e.Plan(sample.Spec{Shape: c.in[1:], Steps: c.in[0]})
		if err != nil || !slices.Equal(again, got) {
			t.Errorf("%T of %d steps of %v: %v, %v, want %v", c.e, c.in[0], c.in[1:], again, err, c.want)
		}
		var s signal.Signal
		c.e.Encode(&s, batch(make([]tensor.Float, 2*c.in.Size()), c.in), make([]rng.Key, 2), encode.Window{T0: 0, T1: 4, Steps: 4})
		if err := s.Check(got); err != nil || s.B != 2 || s.T != 4 {
			t.Errorf("%T of %v: a signal of %d steps, %d samples: %v", c.e, c.in, s.T, s.B, err)
		}
	}
}

// A row of a flat table is no series of one frame, unless it is said to be one.
func TestFlatTableIsNoFrame(t *testing.T) {
	for _, e := range []encode.Encoder{encode.Frames{}, encode.Delta{Threshold: 1}, encode.StepForward{Threshold: 1}} {
		if _, steps, err := e.Plan(sample.Spec{Shape: tensor.Shape{1, 1, 4}}); err == nil || !strings.Contains(err.Error(), "values without time") {
			t.Errorf("%T of a row of 4 values: %d steps, %v", e, steps, err)
		}
		if _, steps, err := e.Plan(sample.Spec{Shape: tensor.Shape{1, 1, 4}, Steps: 1}); err != nil || steps != 1 {
			t.Errorf("%T of a series of one step: %d steps, %v", e, steps, err)
		}
	}
}

// Any split of time gives the same signals, in memory that held others.
func TestSplitsOfTime(t *testing.T) {
	const steps, b = 9, 3
	x := ramp(b, 7*4)
	for _, e := range []encode.Encoder{
		encode.Latency{Span: 8}, encode.LogLatency{Tau: 3, Threshold: 0.1}, encode.Phase{Bits: 3},
		encode.Frames{}, encode.Delta{Threshold: 0.1}, encode.StepForward{Threshold: 0.1},
	} {
		shape := tensor.Shape{7, 4}
		want := dense(e, x, shape, 0, steps).Data
		if !slices.ContainsFunc(want, func(v tensor.Float) bool { return v != 0 }) {
			t.Errorf("%T: nothing is encoded, the test shows nothing", e)
		}
		for cut := 1; cut < steps; cut++ {
			got := slices.Concat(dense(e, x, shape, 0, cut).Data, dense(e, x, shape, cut, steps).Data)
			if !slices.Equal(got, want) {
				t.Errorf("%T: cut at %d, other signals", e, cut)
			}
		}
		var used signal.Signal
		used.Reset(signal.Spikes, 20, b, tensor.Shape{9, 9})
		for i := range used.Raster.Bits {
			used.Raster.Bits[i] = math.MaxUint64
		}
		used.Data = slices.Repeat([]tensor.Float{9}, 5000)
		e.Encode(&used, batch(x, shape), make([]rng.Key, b), encode.Window{T0: 0, T1: steps, Steps: steps})
		var d signal.Signal
		used.Densify(&d)
		if !slices.Equal(d.Data, want) {
			t.Errorf("%T: what the signal held before shows", e)
		}
	}
}

// Times by hand: unit 0 fires at 1 and 3, unit 1 never, unit 2 at 0; and the
// errors are the transpose of a small change of the outputs.
func TestFirstSpikeDecoder(t *testing.T) {
	o := signal.Signal{Kind: signal.Dense, T: 4, B: 1, Shape: tensor.Shape{3}, Data: []tensor.Float{
		0, 0, 1,
		1, 0, 0,
		0, 0, 0,
		1, 0, 0,
	}}
	scores := make([]tensor.Float, 3)
	encode.FirstSpike{}.Decode(scores, &o)
	if !slices.Equal(scores, []tensor.Float{-1, -4, 0}) {
		t.Errorf("scores %v, want −1, −4 and 0", scores)
	}
	var dst signal.Signal
	encode.FirstSpike{}.Backward(&dst, []tensor.Float{1, 1, 2}, &o)
	if want := []tensor.Float{1, 4, 8, 2, 3, 0, 0, 2, 0, 0, 1, 0}; !slices.Equal(dst.Data, want) {
		t.Errorf("errors %v, want %v", dst.Data, want)
	}
}

func TestNewEncodersValidate(t *testing.T) {
	for _, e := range []encode.Encoder{
		encode.Latency{Span: 1}, encode.LogLatency{Tau: 1, Threshold: 0.1}, encode.Phase{}, encode.Frames{},
		encode.Delta{Threshold: 1}, encode.StepForward{Threshold: 1},
	} {
		if err := e.Validate(); err != nil {
			t.Errorf("%+v: %v", e, err)
		}
	}
	nan := math.NaN()
	for _, e := range []encode.Encoder{
		encode.Latency{}, encode.Latency{Span: 1, Threshold: 2}, encode.Latency{Span: 1, Threshold: nan},
		encode.LogLatency{Tau: 1}, encode.LogLatency{Threshold: 1}, encode.LogLatency{Tau: nan, Threshold: 1},
		encode.Phase{Bits: -1}, encode.Phase{Bits: 17}, encode.Delta{}, encode.Delta{Threshold: nan}, encode.StepForward{Threshold: -1},
	} {
		if e.Validate() == nil {
			t.Errorf("%s %+v: accepted", reflect.TypeOf(e), e)
		}
	}
}
