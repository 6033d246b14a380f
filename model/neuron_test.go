package model_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

// The options of the neurons that the examples of the table leave out, with
// errors through several layers and steps.
func TestGradientsOfNeuronOptions(t *testing.T) {
	for _, n := range []neuron.Neuron{
		neuron.IF{Threshold: 0.2, Refractory: 2},
		neuron.LIF{Beta: 0.8, Threshold: 0.2, Refractory: 1, Reset: neuron.Zero},
		neuron.LIF{Beta: 0.8, Threshold: 0.2, Delayed: true},
		neuron.LIF{Beta: 0.8, Threshold: 0.2, Delayed: true, ResetGradient: true},
		neuron.LIF{Beta: 0.8, Threshold: 0.3, ResetGradient: true},
		neuron.LIF{Beta: 0.8, Threshold: 0.3, Strict: true, Reset: neuron.Zero, DecayInput: true, ResetGradient: true},
		neuron.LIF{Beta: 0.8, Threshold: 0.3, Reset: neuron.Zero, ResetValue: -0.1, Refractory: 1, ResetGradient: true},
		neuron.CuBaLIF{Alpha: 0.6, Beta: 0.8, Threshold: 0.5},
		neuron.CuBaLIF{Alpha: 0.6, Beta: 0.8, Threshold: 0.1, Coupling: neuron.Euler, Delay: true, Reset: neuron.None},
		neuron.CuBaLIF{Alpha: 0.6, Beta: 0.8, Threshold: 0.3, Reset: neuron.Zero, Refractory: 2},
		neuron.ALIF{Beta: 0.9, Threshold: 0.2, Adaptation: 0.4, Rho: 0.8, Reset: neuron.Zero, Refractory: 1},
		neuron.ALIF{Beta: 0.9, Threshold: 0.2, Adaptation: 0.4, Rho: 0.8, Reset: neuron.None, DecayInput: true},
		neuron.IF{Threshold: 0.2, Reset: neuron.Zero, ResetValue: -0.1, Gain: 1.5},
		neuron.LIF{Beta: 0.8, Threshold: 0.3, Leak: 0.2, Gain: 1.5, DecayInput: true},
		neuron.LIF{Beta: 0.8, Threshold: 0.3, Floor: -0.05},
		neuron.IF{Threshold: 0.2, Reset: neuron.Zero, ResetValue: -0.05, Floor: -0.1, Refractory: 1},
		neuron.CuBaLIF{Alpha: 0.6, Beta: 0.8, Threshold: 0.5, Leak: 0.2, Gain: 1.5},
		neuron.ALIF{Beta: 0.9, Threshold: 0.2, Adaptation: 0.4, Rho: 0.8, Leak: 0.1, Reset: neuron.Zero, ResetValue: -0.1, Gain: 1.5},
	} {
		t.Run(fmt.Sprintf("%+v", n), func(t *testing.T) {
			spiking := layer.Spiking{Neuron: n, Surrogate: surrogate.FastSigmoid{Slope: 3}}
			net, err := network.Sequential(tensor.Shape{7}, 1, layer.Linear{Out: 9}, spiking, layer.Linear{Out: 3}, spiking)
			if err != nil {
				t.Fatal(err)
			}
			in := snntest.Random(signal.Dense, 7, 2, net.InputShape(), 0, 1)
			snntest.Neuron(t, n)
			snntest.Gradient(t, net, in, 20)
		})
	}
}

// The gradient of stdb through several layers and steps, by both surrogates: the linear
// one against its primitive, that of spike times against spikes that are linear in z with
// the slopes recorded; in both orders, and of populations that differ.
func TestGradientsOfSTDB(t *testing.T) {
	for _, n := range []neuron.STDB{{Beta: 1, Threshold: 0.4, Delay: true}, {Beta: 0.8, Threshold: 0.4, Delay: true}, {Beta: 0.8, Threshold: 0.4}} {
		for _, s := range []surrogate.Surrogate{surrogate.Triangle{Height: 0.3, Width: 1}, surrogate.SpikeTime{Alpha: 0.3, Beta: 0.2}} {
			t.Run(fmt.Sprintf("%+v %T", n, s), func(t *testing.T) {
				spiking, varied := layer.Spiking{Neuron: n, Surrogate: s}, layer.Spiking{Neuron: n, Surrogate: s, Varied: layer.Varied{"threshold": layer.PerUnit}}
				net, err := network.Sequential(tensor.Shape{7}, 1, layer.Linear{Out: 9}, spiking, layer.Linear{Out: 5}, varied,
					layer.Linear{Out: 6}, layer.Recurrent{Neuron: n, Surrogate: s}, layer.Linear{Out: 3}, layer.Readout{Beta: 1})
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range net.Buffers()[0].Value.Data {
					net.Buffers()[0].Value.Data[i] = v * tensor.Float(1+i) / 4
				}
				in := snntest.Random(signal.Dense, 7, 2, net.InputShape(), 0, 1)
				snntest.Splits(t, net, in)
				snntest.Gradient(t, net, in, 20)
			})
		}
	}
}

// Refractory and adaptive populations in a network: paths, windows and threads
// give the same bits.
func TestNeuronsInNetworks(t *testing.T) {
	for _, k := range model.Default().Neurons {
		snntest.Neuron(t, k.Example.(neuron.Neuron))
		spiking := layer.Spiking{Neuron: k.Example.(neuron.Neuron), Surrogate: surrogate.FastSigmoid{Slope: 3}}
		net, err := network.Sequential(tensor.Shape{6, 6, 2}, 1, layer.Conv2D{Out: 9, Kernel: []int{3}}, spiking, layer.Flatten{}, layer.Linear{Out: 5}, spiking)
		if err != nil {
			t.Fatal(err)
		}
		in := snntest.Random(signal.Constant, 5, 3, net.InputShape(), 0, 1)
		snntest.Paths(t, net, in)
		snntest.Splits(t, net, in)
		snntest.Threads(t, net, in)
	}
}

// Options that differ within a layer are read and written by name, and the
// defaults of today's files are written as they were.
func TestVariedInFiles(t *testing.T) {
	const file = `
data: {name: mnist}
steps: 4
layers:
  - flatten
  - {kind: linear, out: 10}
  - kind: spiking
    neuron: {kind: lif, leak: 0.1, reset: zero, reset-value: -0.5, gain: 2}
    varied: {threshold: channel, beta: unit}
`
	table := kinds()
	c, err := table.Decode("x.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	l := rule(t, c).Layers[2].Layer.(layer.Spiking)
	if n := l.Neuron.(neuron.LIF); n.Leak != 0.1 || n.ResetValue != -0.5 || n.Gain != 2 || l.Varied["threshold"] != layer.PerChannel || l.Varied["beta"] != layer.PerUnit {
		t.Errorf("decoded as %+v", l)
	}
	src, err := table.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := table.Decode("y.yaml", src)
	if err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("written as\n%s\nread as %+v, %v", src, again, err)
	}
	if _, err := table.Decode("z.yaml", []byte(strings.Replace(file, "beta: unit", "beta: pixel", 1))); err == nil || !strings.Contains(err.Error(), `varied by "pixel": want channel or unit`) {
		t.Errorf("pixel: %v", err)
	}
	plain, err := table.Decode("x.yaml", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if src, err = table.Encode(plain); err != nil || strings.Contains(string(src), "varied") || strings.Contains(string(src), "gain") || strings.Contains(string(src), "leak:") {
		t.Errorf("a file without the new options is written with them: %v\n%s", err, src)
	}
}
