package layer_test

import (
	"math"
	"strings"
	"testing"

	"synfire/internal/rng"
	"synfire/layer"
	"synfire/neuron"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
)

type shapes []tensor.Shape

var fast = surrogate.FastSigmoid{Slope: 5}

// The shapes that users compute by hand: padding widens, leftover rows and
// columns of a stride are dropped, a window of its own size leaves one pixel.
func TestOutput(t *testing.T) {
	lif := layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: fast}
	for _, c := range []struct {
		l        layer.Layer
		in, want tensor.Shape
	}{
		{layer.Linear{Out: 4}, tensor.Shape{9}, tensor.Shape{4}},
		{layer.Conv2D{Out: 4, Kernel: []int{3}}, tensor.Shape{5, 7, 2}, tensor.Shape{3, 5, 4}},
		{layer.Conv2D{Out: 4, Kernel: []int{3}, Stride: []int{1}}, tensor.Shape{5, 7, 2}, tensor.Shape{3, 5, 4}},
		{layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}}, tensor.Shape{5, 7, 2}, tensor.Shape{5, 7, 4}},
		{layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{2}}, tensor.Shape{1, 1, 2}, tensor.Shape{3, 3, 4}},
		{layer.Conv2D{Out: 4, Kernel: []int{3}, Stride: []int{2}}, tensor.Shape{6, 7, 2}, tensor.Shape{2, 3, 4}},
		{layer.Conv2D{Out: 4, Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}}, tensor.Shape{8, 9, 1}, tensor.Shape{4, 5, 4}},
		{layer.Conv2D{Out: 4, Kernel: []int{1}, Stride: []int{3}}, tensor.Shape{7, 6, 1}, tensor.Shape{3, 2, 4}},
		{layer.Conv2D{Out: 4, Kernel: []int{5}}, tensor.Shape{5, 5, 1}, tensor.Shape{1, 1, 4}},
		{layer.MaxPool{Size: 2}, tensor.Shape{5, 7, 3}, tensor.Shape{2, 3, 3}},
		{layer.MaxPool{Size: 3, Stride: 2}, tensor.Shape{8, 7, 3}, tensor.Shape{3, 3, 3}},
		{layer.AvgPool{Size: 2, Stride: 1}, tensor.Shape{5, 7, 3}, tensor.Shape{4, 6, 3}},
		{layer.AvgPool{Size: 2, Stride: 3}, tensor.Shape{7, 5, 3}, tensor.Shape{2, 2, 3}},
		{layer.Flatten{}, tensor.Shape{5, 7, 3}, tensor.Shape{105}},
		{layer.ReLU{}, tensor.Shape{5, 7, 3}, tensor.Shape{5, 7, 3}},
		{lif, tensor.Shape{5, 7, 3}, tensor.Shape{5, 7, 3}},
		{layer.Readout{Beta: 1}, tensor.Shape{5}, tensor.Shape{5}},
	} {
		got, err := c.l.Output(c.in)
		if err != nil || !got.Equal(c.want) {
			t.Errorf("%+v of %v: shape %v, error %v; want %v", c.l, c.in, got, err, c.want)
		}
	}
}

// A mistake in a configuration gets a message with what was found, what is
// wanted and, where it helps, what to try.
func TestOutputErrors(t *testing.T) {
	image := shapes{{4, 6, 1}}
	lif := neuron.LIF{Beta: 0.9, Threshold: 1}
	for _, c := range []struct {
		l    layer.Layer
		in   shapes
		want string
	}{
		{layer.Linear{Out: 4}, image, "linear: input of shape 4×6×1, want a vector; put a flatten layer before it"},
		{layer.Linear{}, shapes{{3}}, "linear: out is 0, want the number of outputs, at least 1"},
		{layer.Linear{Out: 4}, shapes{{3}, {3}}, "linear: 2 inputs, want 1"},
		{layer.Conv2D{Out: 4, Kernel: []int{3}}, shapes{{24}}, "conv2d: input of shape 24, want an image height×width×channels; put it before any flatten"},
		{layer.Conv2D{Out: 4}, image, "conv2d: no kernel is given; set its height and width, such as 3"},
		{layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{-1}}, image, "conv2d: padding is -1, want no negative number"},
		{layer.Conv2D{Kernel: []int{3}}, image, "conv2d: out is 0, want the number of channels, at least 1"},
		{layer.Conv2D{Out: 4, Kernel: []int{3, 3, 3}}, image, "conv2d: kernel has 3 numbers, want one, or height and width"},
		{layer.Conv2D{Out: 4, Kernel: []int{3, 0}}, image, "conv2d: kernel is 3×0, want at least 1"},
		{layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1, 2, 3}}, image, "conv2d: padding has 3 numbers, want one, height and width, or top, bottom, left and right"},
		{layer.Conv2D{Out: 4, Kernel: []int{2, 3}, Dilation: []int{4, 2}}, image, "conv2d: a kernel of 2×3 (dilated by 4×2) does not fit an image of 4×6 with padding 0; use a smaller kernel or more padding"},
		{layer.MaxPool{Size: 2, Padding: []int{2}}, image, "max-pool: padding 2 with a window of 2: windows may lie outside the image; use less than the size"},
		{layer.AvgPool{Size: 2, Padding: []int{0, 1, -1, 0}}, image, "avg-pool: padding is 0×1×-1×0, want no negative number"},
		{layer.AvgPool{Size: 2, CountPadding: true}, image, "avg-pool: count-padding without padding changes nothing; leave it out, or set padding"},
		{layer.GlobalAvgPool{}, shapes{{24}}, "global-avg-pool: input of shape 24, want an image height×width×channels; put it before any flatten"},
		{layer.Upsample{}, image, "upsample: factor is 0, want at least 1 (2 is usual)"},
		{layer.ReLU{Slope: 1}, image, "relu: slope is 1 and max 0, want a slope in [0, 1) and a positive max, or none"},
		{layer.ReLU{Max: -1}, image, "relu: slope is 0 and max -1, want a slope in [0, 1) and a positive max, or none"},
		{layer.Conv2D{Out: 4, Kernel: []int{7}, Padding: []int{1}}, image, "conv2d: a kernel of 7 does not fit an image of 4×6 with padding 1; use a smaller kernel or more padding"},
		{layer.MaxPool{Size: 2}, shapes{{24}}, "max-pool: input of shape 24, want an image height×width×channels; put it before any flatten"},
		{layer.MaxPool{}, image, "max-pool: size is 0 and stride 0, want a size of at least 1 and no negative stride"},
		{layer.AvgPool{Size: 5}, image, "avg-pool: a window of 5 does not fit an image of 4×6; use a smaller size"},
		{layer.Flatten{}, nil, "flatten: 0 inputs, want 1"},
		{layer.ReLU{}, shapes{{3}, {3}}, "relu: 2 inputs, want 1"},
		{layer.Spiking{Neuron: lif}, image, "spiking: neuron and surrogate must both be given, for instance neuron lif with surrogate fast-sigmoid"},
		{layer.Spiking{Neuron: neuron.LIF{Beta: 2, Threshold: 1}, Surrogate: fast}, image, "neuron lif: beta is 2, want a decay per step in [0, 1]"},
		{layer.Spiking{Neuron: lif, Surrogate: surrogate.ArcTan{}}, image, "surrogate arctan: alpha is 0, want a positive number"},
		{layer.BatchNorm{}, shapes{{}}, "batch-norm: input is a scalar, want channels in the last axis; put it behind a linear or conv2d layer"},
		{layer.BatchNorm{Momentum: 2}, image, "batch-norm: momentum is 2, want the part of the new statistics in (0, 1] (0.1 is usual)"},
		{layer.BatchNorm{Scale: -1}, image, "batch-norm: epsilon is 0 and scale -1, want both positive (1e-5 and 1 are usual)"},
		{layer.Dropout{Rate: 1}, image, "dropout: rate is 1, want the probability that a unit is silenced, in [0, 1)"},
		{layer.Add{}, image, "add: 1 inputs, want at least 2; name the nodes that it joins"},
		{layer.Add{}, shapes{{3}, {4}}, "add: input 1 has shape 4, input 0 3, want the same; adapt one by a conv2d layer of kernel 1"},
		{layer.Concat{}, shapes{{4, 4, 2}, {4, 3, 2}}, "concat: input 1 has shape 4×3×2, input 0 4×4×2, want the same but for the channels; pool or pad one of them"},
		{layer.Recurrent{Neuron: lif, Surrogate: fast}, image, "recurrent: input of shape 4×6×1, want a vector of currents; put a linear layer before it"},
		{layer.ParametricSpiking{Beta: 1, Threshold: 1, Surrogate: fast}, image, "parametric-spiking: beta is 1, want the decay before training in (0, 1), such as 0.5"},
		{layer.ParametricSpiking{Beta: 0.5, Threshold: 1, Surrogate: fast}, shapes{{}}, "parametric-spiking: input is a scalar, want channels in the last axis"},
		{layer.ParametricSpiking{Beta: 0.5, Threshold: 1}, image, "parametric-spiking: no surrogate is given, for instance arctan"},
		{layer.ParametricSpiking{Beta: 0.5, Surrogate: fast}, image, "parametric-spiking: neuron lif: threshold is 0, want a positive number (1 is usual)"},
		{layer.Readout{Beta: math.NaN()}, image, "readout: beta is NaN, want a decay per step in [0, 1]"},
	} {
		if _, err := c.l.Output(c.in...); err == nil || err.Error() != c.want {
			t.Errorf("%+v of %v:\n got %v\nwant %s", c.l, c.in, err, c.want)
		}
	}
}

// fixed is a neuron whose options are the same for all units.
type fixed struct{ neuron.Neuron }

// Options that differ from unit to unit are those that the neuron says may.
func TestVariedOptions(t *testing.T) {
	lif := neuron.LIF{Beta: 0.9, Threshold: 1}
	for _, c := range []struct {
		n    neuron.Neuron
		v    layer.Varied
		want string
	}{
		{lif, layer.Varied{"threshold": layer.PerChannel, "beta": layer.PerUnit}, ""},
		{fixed{lif}, nil, ""},
		{fixed{lif}, layer.Varied{"threshold": layer.PerUnit}, "are the same for all units"},
		{lif, layer.Varied{"slope": layer.PerUnit}, "slope is not an option"},
		{lif, layer.Varied{"beta": 7}, "want channel or unit"},
	} {
		_, err := layer.Spiking{Neuron: c.n, Surrogate: fast, Varied: c.v}.Output(tensor.Shape{4, 4, 2})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T, %v: %v, want %q", c.n, c.v, err, c.want)
		}
	}
	if _, err := (layer.Spiking{Neuron: lif, Surrogate: fast, Varied: layer.Varied{"beta": layer.PerChannel}}).Output(tensor.Shape{}); err == nil || !strings.Contains(err.Error(), "the input is a scalar") {
		t.Errorf("a scalar by channel: %v", err)
	}
}

// What a layer accepts decides which arithmetic runs: a kind too many would
// feed it bits that it does not read, one too few would cost a conversion.
func TestAccepts(t *testing.T) {
	all, steps, rows := "dense constant spikes", "dense constant", "dense constant"
	for _, c := range []struct {
		l    layer.Layer
		want string
	}{
		{layer.Linear{}, all}, {layer.Conv2D{}, all}, {layer.MaxPool{}, all}, {layer.Flatten{}, all}, {layer.AvgPool{}, all},
		{layer.ReLU{}, rows}, {layer.GlobalAvgPool{}, all}, {layer.Upsample{}, all},
		{layer.Spiking{}, steps}, {layer.Readout{}, steps},
		{struct{ layer.Layer }{layer.ReLU{}}, rows},
		{struct{ layer.Stateful }{layer.Readout{}}, "dense"},
	} {
		var got []string
		for _, k := range []signal.Kind{signal.Dense, signal.Constant, signal.Spikes} {
			if layer.Accepts(c.l, k) {
				got = append(got, k.String())
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%T accepts %v, want %s", c.l, got, c.want)
		}
	}
}

// Parameter shapes are part of every checkpoint, and the fan-in sets the range
// of the initial weights.
func TestParams(t *testing.T) {
	for _, c := range []struct {
		l     layer.Weighted
		in    tensor.Shape
		w     tensor.Shape
		fanIn int
	}{
		{layer.Linear{Out: 4}, tensor.Shape{9}, tensor.Shape{9, 4}, 9},
		{layer.Conv2D{Out: 5, Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}}, tensor.Shape{8, 6, 2}, tensor.Shape{3, 3, 2, 5}, 18},
	} {
		p := c.l.Params(c.in)
		if len(p) != 2 || p[0].Role != "weight" || !p[0].Shape.Equal(c.w) || p[0].FanIn != c.fanIn ||
			p[1].Role != "bias" || !p[1].Shape.Equal(c.w[len(c.w)-1:]) || p[1].FanIn != c.fanIn {
			t.Errorf("%+v of %v: %+v", c.l, c.in, p)
		}
	}
	for _, l := range []layer.Weighted{layer.Linear{Out: 4, NoBias: true}, layer.Conv2D{Out: 4, Kernel: []int{1}, NoBias: true}} {
		if p := l.Params(tensor.Shape{3, 3, 1}); len(p) != 1 || p[0].Role != "weight" {
			t.Errorf("%+v: %+v, want weights alone", l, p)
		}
	}
}

// Initial weights are uniform in ±1/√FanIn: all inside, both ends reached, and
// with the variance of that distribution.
func TestInit(t *testing.T) {
	v := make([]tensor.Float, 10000)
	layer.ParamSpec{FanIn: 16}.Init(v, rng.New(1, rng.Init).Source())
	var lo, hi, squares float64
	for _, x := range v {
		lo, hi = min(lo, float64(x)), max(hi, float64(x))
		squares += float64(x) * float64(x)
	}
	if lo < -0.25 || hi > 0.25 || lo > -0.249 || hi < 0.249 {
		t.Errorf("weights from %v to %v, want ±0.25", lo, hi)
	}
	if got, want := squares/1e4, 0.25*0.25/3; math.Abs(got/want-1) > 0.05 {
		t.Errorf("variance %v, want %v", got, want)
	}
	wide := make([]tensor.Float, len(v))
	layer.ParamSpec{FanIn: 16, Gain: 2}.Init(wide, rng.New(1, rng.Init).Source())
	for i := range v {
		if wide[i] != 2*v[i] {
			t.Fatalf("weight %d of gain 2 is %v, want twice %v", i, wide[i], v[i])
		}
	}
}

// The gain is of the weights alone, and must be a factor.
func TestGain(t *testing.T) {
	image, vector := tensor.Shape{4, 4, 2}, tensor.Shape{6}
	for _, c := range []struct {
		of func(gain float64) layer.Layer
		in tensor.Shape
	}{
		{func(g float64) layer.Layer { return layer.Linear{Out: 3, Gain: g} }, vector},
		{func(g float64) layer.Layer { return layer.Conv2D{Out: 4, Kernel: []int{3}, Gain: g} }, image},
		{func(g float64) layer.Layer { return layer.Conv2D{Out: 4, Kernel: []int{3}, Groups: 2, Gain: g} }, image},
	} {
		specs := c.of(2).(layer.Weighted).Params(c.in)
		if specs[0].Gain != 2 || specs[1].Gain != 0 {
			t.Errorf("%T: gains %v and %v of weights and biases, want 2 and 0 (none)", c.of(2), specs[0].Gain, specs[1].Gain)
		}
		for _, g := range []float64{-1, math.NaN(), math.Inf(1)} {
			if _, err := c.of(g).Output(c.in); err == nil {
				t.Errorf("%T takes a gain of %v", c.of(g), g)
			}
		}
	}
}

// forward runs a layer on its own, the first step's state being zero, and
// checks that the output is a whole signal of the shape that was announced.
func forward(t *testing.T, l layer.Layer, in *signal.Signal, path layer.Path, params ...[]tensor.Float) *signal.Signal {
	t.Helper()
	c := call(t, l, in, path, params...)
	l.Forward(c)
	want, err := l.Output(in.Shape)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Out.Check(want); err != nil {
		t.Fatalf("%+v of %v: %v", l, in.Shape, err)
	}
	return c.Out
}

// call is all that a layer needs to run forwards over one window.
func call(t *testing.T, l layer.Layer, in *signal.Signal, path layer.Path, params ...[]tensor.Float) *layer.Call {
	t.Helper()
	if err := in.Check(in.Shape); err != nil || !layer.Accepts(l, in.Kind) {
		t.Fatalf("%T takes no %v signal like this: %v", l, in.Kind, err)
	}
	c := &layer.Call{
		Mode:   layer.Mode{Path: path},
		Chunk:  layer.Chunk{In: []*signal.Signal{in}, Out: &signal.Signal{}, DIn: make([]*signal.Signal, 1), Chunks: 1},
		Memory: layer.NewMemory(nil),
	}
	var err error
	if c.Shape, err = l.Output(in.Shape); err != nil {
		t.Fatal(err)
	}
	if w, ok := l.(layer.Weighted); ok {
		for i, p := range w.Params(in.Shape) {
			c.Params = append(c.Params, tensor.Tensor{Shape: p.Shape, Data: params[i]})
		}
		c.Weights = w.Compile(nil, nil, c.Params, false, in.Shape)
	}
	if s, ok := l.(layer.Stateful); ok {
		c.State = make([]tensor.Float, in.B*s.StateSize(in.Shape))
	}
	return c
}

// sig is a signal of given elements; those of Spikes are set where not zero.
func sig(kind signal.Kind, steps, b int, shape tensor.Shape, x ...tensor.Float) *signal.Signal {
	s := &signal.Signal{}
	s.Reset(kind, steps, b, shape)
	if kind != signal.Spikes {
		copy(s.Data, x)
		return s
	}
	for i, v := range x {
		if v != 0 {
			s.Raster.Set(i/s.Units(), i%s.Units())
		}
	}
	return s
}

// numbers are the stored elements of a signal.
func numbers(s *signal.Signal) []tensor.Float {
	var d signal.Signal
	s.Densify(&d)
	return d.Data
}
