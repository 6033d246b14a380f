package layer_test

import (
	"slices"
	"testing"

	"synfire/layer"
	"synfire/neuron"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
)

// Two neurons over four steps by hand, in halves and eighths so that nothing
// is rounded: spikes, and the membranes that go on to the next window.
func TestSpiking(t *testing.T) {
	lif := func(r neuron.Reset) neuron.LIF { return neuron.LIF{Beta: 0.5, Threshold: 1, Reset: r} }
	for _, c := range []struct {
		name   string
		neuron neuron.Neuron
		in     *signal.Signal
		want   []tensor.Float // spikes of both neurons, step after step
		state  []tensor.Float
	}{
		// u = 0.75, 1.125 (fires, 0.125), 0.8125, 1.15625 (fires) and 2 (1), 1.5 (0.5), 0.25, 0.125
		{"subtract", lif(neuron.Subtract), sig(signal.Dense, 4, 1, tensor.Shape{2}, 0.75, 2, 0.75, 1, 0.75, 0, 0.75, 0),
			[]tensor.Float{0, 1, 1, 1, 0, 0, 1, 0}, []tensor.Float{0.15625, 0.125}},
		// u = 0.75, 1.125 (fires, 0), 0.75, 1.125 (fires) and 2 (0), 1 (0), 0, 0
		{"zero", lif(neuron.Zero), sig(signal.Dense, 4, 1, tensor.Shape{2}, 0.75, 2, 0.75, 1, 0.75, 0, 0.75, 0),
			[]tensor.Float{0, 1, 1, 1, 0, 0, 1, 0}, []tensor.Float{0, 0}},
		// u = 0.75, 1.125, 1.3125, 1.40625 and 2, 2, 1, 0.5
		{"no reset", lif(neuron.None), sig(signal.Dense, 4, 1, tensor.Shape{2}, 0.75, 2, 0.75, 1, 0.75, 0, 0.75, 0),
			[]tensor.Float{0, 1, 1, 1, 1, 1, 1, 0}, []tensor.Float{1.40625, 0.5}},
		// u = 0.5, 1 (fires, 0), 0.5, 1 (fires, 0) and 0.25, 0.5, 0.75, 1 (fires, 0)
		{"constant", neuron.IF{Threshold: 1}, sig(signal.Constant, 4, 1, tensor.Shape{2}, 0.5, 0.25),
			[]tensor.Float{0, 0, 1, 0, 0, 0, 1, 1}, []tensor.Float{0, 0}},
		// the same, where reaching the threshold is not enough
		{"strict", neuron.IF{Threshold: 1, Strict: true}, sig(signal.Constant, 4, 1, tensor.Shape{2}, 0.5, 0.25),
			[]tensor.Float{0, 0, 0, 0, 1, 0, 0, 0}, []tensor.Float{1, 1}},
		// two samples of one neuron: each has its own state
		{"samples", neuron.IF{Threshold: 1}, sig(signal.Dense, 4, 2, tensor.Shape{1}, 1, 0.5, 0.5, 0.5, 0.5, 0, 0, 0.75),
			[]tensor.Float{1, 0, 0, 1, 1, 0, 0, 0}, []tensor.Float{0, 0.75}},
	} {
		l := layer.Spiking{Neuron: c.neuron, Surrogate: fast}
		k := call(t, l, c.in, layer.Auto)
		l.Forward(k)
		if k.Out.Kind != signal.Spikes || !slices.Equal(numbers(k.Out), c.want) || !slices.Equal(k.State, c.state) {
			t.Errorf("%s: %v %v, state %v; want spikes %v, state %v", c.name, k.Out.Kind, numbers(k.Out), k.State, c.want, c.state)
		}
	}
}

// Large populations are split into blocks; each unit still fires by its own
// input and keeps its own state.
func TestSpikingManyUnits(t *testing.T) {
	const n, samples = 5000, 2
	x := make([]tensor.Float, samples*n)
	for i := range x {
		x[i] = tensor.Float(i*i%17) / 8
	}
	l := layer.Spiking{Neuron: neuron.IF{Threshold: 1}, Surrogate: fast}
	k := call(t, l, sig(signal.Constant, 1, samples, tensor.Shape{n}, x...), layer.Auto)
	l.Forward(k)
	for i, v := range x {
		fires := v >= 1
		if fires {
			v--
		}
		if k.Out.Raster.At(i/n, i%n) != fires || k.State[i] != v {
			t.Fatalf("unit %d of sample %d: fires %v, state %v; want %v, %v", i%n, i/n, k.Out.Raster.At(i/n, i%n), k.State[i], fires, v)
		}
	}
}

// Soft spikes, which gradients are checked with, are the surrogate's primitive
// of the membrane; the membrane itself runs on with the real spikes' resets,
// in Replay with those of the run before.
func TestSoftSpikes(t *testing.T) {
	l := layer.Spiking{Neuron: neuron.IF{Threshold: 1}, Surrogate: surrogate.Triangle{Height: 1, Width: 1}}
	in := sig(signal.Dense, 2, 1, tensor.Shape{1}, 1.5, 0.25)
	k := call(t, l, in, layer.Auto)
	for _, c := range []struct {
		soft layer.Soft
		x    tensor.Float
		want []tensor.Float
	}{
		{layer.Record, 1.5, []tensor.Float{0.875, 0.28125}}, // u = 1.5 (fires, 0.5), 0.75: z = 0.5, −0.25
		{layer.Replay, 0.5, []tensor.Float{0.125, 0}},       // u = 0.5 (told to fire, −0.5), −0.25: z = −0.5, −1.25
	} {
		clear(k.State)
		in.Data[0], k.Soft = c.x, c.soft
		l.Forward(k)
		if k.Out.Kind != signal.Dense || !slices.Equal(k.Out.Data, c.want) {
			t.Errorf("soft %d: %v %v, want %v", c.soft, k.Out.Kind, k.Out.Data, c.want)
		}
	}
}

// The leaky integrator by hand, over two windows: v = β·v + x from where the
// window before ended.
func TestReadout(t *testing.T) {
	l := layer.Readout{Beta: 0.5}
	for _, c := range []struct {
		name         string
		in           *signal.Signal
		first, later []tensor.Float
	}{
		{"dense", sig(signal.Dense, 2, 2, tensor.Shape{1}, 8, 1, -4, 2), []tensor.Float{8, 1, 0, 2.5}, []tensor.Float{8, 2.25, 0, 3.125}},
		{"constant", sig(signal.Constant, 2, 2, tensor.Shape{1}, 8, 1), []tensor.Float{8, 1, 12, 1.5}, []tensor.Float{14, 1.75, 15, 1.875}},
	} {
		k := call(t, l, c.in, layer.Auto)
		for i, want := range [][]tensor.Float{c.first, c.later} {
			l.Forward(k)
			if k.Out.Kind != signal.Dense || !slices.Equal(k.Out.Data, want) {
				t.Errorf("%s, window %d: %v %v, want %v", c.name, i, k.Out.Kind, k.Out.Data, want)
			}
		}
	}
}

// Flatten renames without a copy, so that a large image costs nothing; ReLU
// clips and keeps a constant constant.
func TestFlattenAndReLU(t *testing.T) {
	in := sig(signal.Constant, 3, 1, tensor.Shape{1, 2, 2}, -1, 0, 2, -3)
	flat := forward(t, layer.Flatten{}, in, layer.Auto)
	if flat.Kind != signal.Constant || &flat.Data[0] != &in.Data[0] {
		t.Errorf("flatten: %v signal, copied: %v", flat.Kind, &flat.Data[0] != &in.Data[0])
	}
	clipped := forward(t, layer.ReLU{}, in, layer.Auto)
	if clipped.Kind != signal.Constant || !slices.Equal(clipped.Data, []tensor.Float{0, 0, 2, 0}) {
		t.Errorf("relu: %v %v", clipped.Kind, clipped.Data)
	}
}
