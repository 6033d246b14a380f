package model_test

import (
	"fmt"
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
		neuron.CuBaLIF{Alpha: 0.6, Beta: 0.8, Threshold: 0.5},
		neuron.CuBaLIF{Alpha: 0.6, Beta: 0.8, Threshold: 0.1, Coupling: neuron.Euler, Delay: true, Reset: neuron.None},
		neuron.CuBaLIF{Alpha: 0.6, Beta: 0.8, Threshold: 0.3, Reset: neuron.Zero, Refractory: 2},
		neuron.ALIF{Beta: 0.9, Threshold: 0.2, Adaptation: 0.4, Rho: 0.8, Reset: neuron.Zero, Refractory: 1},
		neuron.ALIF{Beta: 0.9, Threshold: 0.2, Adaptation: 0.4, Rho: 0.8, Reset: neuron.None, DecayInput: true},
	} {
		t.Run(fmt.Sprintf("%+v", n), func(t *testing.T) {
			spiking := layer.Spiking{Neuron: n, Surrogate: surrogate.FastSigmoid{Slope: 3}}
			net, err := network.Sequential(tensor.Shape{7}, 1, layer.Linear{Out: 9}, spiking, layer.Linear{Out: 3}, spiking)
			if err != nil {
				t.Fatal(err)
			}
			in := snntest.Random(signal.Dense, 7, 2, net.InputShape(), 0, 1)
			snntest.Gradient(t, net, in, 20)
		})
	}
}

// Refractory and adaptive populations in a network: paths, windows and threads
// give the same bits.
func TestNeuronsInNetworks(t *testing.T) {
	for _, k := range model.Default().Neurons {
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
