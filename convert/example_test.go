package convert_test

import (
	"context"
	"fmt"

	"synfire/convert"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
)

// A rectified unit with the weights 1/2 and 1/4 becomes a neuron. On the one sample it
// receives 3/4 in each step, which is its threshold.
func Example() {
	net, err := network.Sequential(tensor.Shape{2}, 1,
		layer.Linear{Out: 1, NoBias: true}, layer.ReLU{}, layer.Linear{Out: 2, NoBias: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	copy(net.Params()[0].Value.Data, []tensor.Float{0.5, 0.25})
	sample := func(yield func(*signal.Signal, error) bool) {
		yield(&signal.Signal{Kind: signal.Constant, T: 5, B: 1, Shape: tensor.Shape{2}, Data: []tensor.Float{1, 1}}, nil)
	}
	stdb := layer.Spiking{Neuron: neuron.STDB{Beta: 1, Threshold: 1, Delay: true}, Surrogate: surrogate.SpikeTime{Alpha: 0.3, Beta: 0.01}}
	g, report, err := convert.Apply(context.Background(), net.Graph(), sample,
		convert.Check{}, convert.Swap{Spiking: stdb}, convert.Balance{Factor: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(report)
	fmt.Println(g.Nodes[1].Name, g.Nodes[1].Layer.(layer.Spiking).Neuron.(neuron.STDB).Threshold)
	// Output:
	// relu1: changed: became spiking1, neurons without leak
	// spiking1: changed: threshold 0.75, 1 of the largest input 0.75; rate 0.6000
	// spiking1 0.75
}
