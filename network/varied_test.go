package network_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

// scatter makes the values of all buffers differ, by up to a quarter.
func scatter(net *network.Network) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, b := range net.Buffers() {
		for i := range b.Value.Data {
			b.Value.Data[i] *= tensor.Float(1 - r.Float64()/4)
		}
	}
}

// Populations whose options differ within them pass what others do.
func TestVariedLayers(t *testing.T) {
	s, slow := surrogate.FastSigmoid{Slope: 4}, surrogate.Sigmoid{Slope: 4}
	net, err := network.Sequential(tensor.Shape{6, 6, 2}, 1,
		layer.Conv2D{Out: 9, Kernel: []int{3}},
		layer.Spiking{
			Neuron: neuron.LIF{Beta: 0.9, Threshold: 0.3, Leak: 0.1, Reset: neuron.Zero, DecayInput: true, Gain: 8}, Surrogate: s,
			Varied: layer.Varied{"threshold": layer.PerChannel, "beta": layer.PerUnit, "leak": layer.PerUnit, "gain": layer.PerChannel},
		},
		layer.Flatten{}, layer.Linear{Out: 66},
		layer.Spiking{
			Neuron:    neuron.CuBaLIF{Alpha: 0.6, Beta: 0.8, Threshold: 0.2, Reset: neuron.Zero, ResetValue: -0.2, Refractory: 1},
			Surrogate: slow, Varied: layer.Varied{"alpha": layer.PerUnit, "reset-value": layer.PerChannel},
		},
		layer.Linear{Out: 7},
		layer.Recurrent{
			Neuron:    neuron.ALIF{Beta: 0.9, Threshold: 0.2, Adaptation: 0.4, Rho: 0.8},
			Surrogate: s, Varied: layer.Varied{"adaptation": layer.PerUnit, "threshold": layer.PerChannel},
		},
		layer.Linear{Out: 4}, layer.Spiking{Neuron: neuron.IF{Threshold: 0.3}, Surrogate: s, Varied: layer.Varied{"threshold": layer.PerUnit}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, b := range net.Buffers() {
		names = append(names, b.Name)
	}
	want := []string{
		"spiking1.threshold", "spiking1.beta", "spiking1.leak", "spiking1.gain", "spiking2.alpha", "spiking2.reset-value",
		"recurrent1.threshold", "recurrent1.adaptation", "spiking3.threshold",
	}
	if !slices.Equal(names, want) {
		t.Errorf("buffers %v, want %v", names, want)
	}
	if first := net.Buffers(); first[0].Value.Shape.Size() != 9 || first[1].Value.Shape.Size() != 4*4*9 || first[3].Value.Data[5] != 8 {
		t.Errorf("threshold %v, beta %v, a gain of %v, want 9 channels, 144 units and 8", first[0].Value.Shape, first[1].Value.Shape, first[3].Value.Data[5])
	}
	scatter(net)
	for _, kind := range []signal.Kind{signal.Constant, signal.Spikes, signal.Dense} {
		in := snntest.Random(kind, 5, 3, net.InputShape(), 0.4, 1)
		snntest.Paths(t, net, in)
		snntest.Splits(t, net, in)
		snntest.Threads(t, net, in)
		t.Run("gradient", func(t *testing.T) { snntest.Gradient(t, net, in, 20) })
	}
}

// A channel with its own threshold fires like a layer of that threshold.
func TestVariedChannelsAreSeparateLayers(t *testing.T) {
	build := func(threshold float64, v layer.Varied) *network.Network {
		net, err := network.Sequential(tensor.Shape{5, 5, 3}, 1,
			layer.Spiking{Neuron: neuron.LIF{Beta: 0.75, Threshold: threshold}, Surrogate: surrogate.FastSigmoid{Slope: 4}, Varied: v})
		if err != nil {
			t.Fatal(err)
		}
		return net
	}
	run := func(net *network.Network, in *signal.Signal) []tensor.Float {
		out, err := net.Compile(nil, false).NewPass(network.Options{}).Forward(net.NewState(in.B), in, false)
		if err != nil {
			t.Fatal(err)
		}
		var d signal.Signal
		out[0].Densify(&d)
		return d.Data
	}
	in := snntest.Random(signal.Dense, 8, 2, tensor.Shape{5, 5, 3}, 0, 1)
	mixed := build(1, layer.Varied{"threshold": layer.PerChannel})
	thresholds := []tensor.Float{0.25, 0.5, 1.25}
	copy(mixed.Buffers()[0].Value.Data, thresholds)
	got := run(mixed, in)
	for ch, threshold := range thresholds {
		want, fired := run(build(float64(threshold), nil), in), 0
		for i := ch; i < len(want); i += 3 {
			if got[i] != want[i] {
				t.Fatalf("channel %d: spike %d is %v, of the layer with threshold %v %v", ch, i/3, got[i], threshold, want[i])
			}
			fired += int(want[i])
		}
		if fired == 0 {
			t.Errorf("threshold %v: nothing fires", threshold)
		}
	}
}

// What cannot vary is an error that says what can.
func TestVariedErrors(t *testing.T) {
	lif, s := neuron.LIF{Beta: 0.9, Threshold: 1}, surrogate.FastSigmoid{Slope: 4}
	for _, c := range []struct {
		l    layer.Layer
		want string
	}{
		{layer.Spiking{Neuron: lif, Surrogate: s, Varied: layer.Varied{"alpha": layer.PerUnit}}, "alpha is not an option of this neuron that may differ; it has threshold, beta, leak, reset-value, gain"},
		{layer.Spiking{Neuron: lif, Surrogate: s, Varied: layer.Varied{"beta": 0}}, "beta by none, want channel or unit"},
		{layer.Recurrent{Neuron: struct{ neuron.Neuron }{lif}, Surrogate: s, Varied: layer.Varied{"beta": layer.PerUnit}}, "leave varied out"},
	} {
		if _, err := network.Sequential(tensor.Shape{3}, 1, c.l); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
