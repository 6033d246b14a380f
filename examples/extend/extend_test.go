package main

import (
	"testing"

	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

func TestTrains(t *testing.T) {
	accuracy, err := run(t.Context())
	if err != nil || accuracy < 90 {
		t.Errorf("accuracy %v %%, want at least 90: %v", accuracy, err)
	}
}

// The checks that synfire's own kinds pass: gradients (with -tags float64), and
// the same bits for any arithmetic, cut of time and number of threads.
func TestKinds(t *testing.T) {
	snntest.Neuron(t, table().Neurons["bounded-lif"].Example.(neuron.Neuron))
	spiking := layer.Spiking{Neuron: table().Neurons["bounded-lif"].Example.(neuron.Neuron), Surrogate: surrogate.FastSigmoid{Slope: 4}}
	net, err := network.Sequential(tensor.Shape{5, 5, 2}, 1,
		layer.Conv2D{Out: 3, Kernel: []int{3}}, table().Layers["gain"].Example.(Gain), spiking,
		layer.Conv2D{Out: 4, Kernel: []int{2}}, Gain{Start: 1.5}, spiking)
	if err != nil {
		t.Fatal(err)
	}
	in := snntest.Random(signal.Constant, 5, 3, net.InputShape(), 0, 1)
	snntest.Paths(t, net, in)
	snntest.Splits(t, net, in)
	snntest.Threads(t, net, in)
	t.Run("gradient", func(t *testing.T) { snntest.Gradient(t, net, in, 20) })
}

func TestBadOptions(t *testing.T) {
	if err := (BoundedLIF{Beta: 0.9, Threshold: 1, Floor: -1}).Validate(); err == nil {
		t.Error("a negative floor is accepted")
	}
	if _, err := (Gain{}).Output(); err == nil {
		t.Error("no inputs are accepted")
	}
}
