package network_test

import (
	"fmt"

	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
)

// Two neurons are fed 0.5 and 0.25 at each step and fire at 1. The caller holds
// their state, so a run goes on where the window before ended.
func Example() {
	net, err := network.Sequential(tensor.Shape{1}, 1,
		layer.Linear{Out: 2, NoBias: true},
		layer.Spiking{Neuron: neuron.IF{Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range net.Params() {
		fmt.Println(p.Name, p.Value.Shape)
		copy(p.Value.Data, []tensor.Float{0.5, 0.25})
	}
	pass, state := net.Compile(nil, false).NewPass(network.Options{}), net.NewState(1)
	in := &signal.Signal{Kind: signal.Constant, T: 3, B: 1, Shape: tensor.Shape{1}, Data: []tensor.Float{1}}
	for range 3 {
		outs, err := pass.Forward(state, in, false)
		if err != nil {
			fmt.Println(err)
			return
		}
		out := outs[0] // of the one output
		for t := range out.T {
			fmt.Println("step", state.Step-out.T+t, out.Raster.At(t, 0), out.Raster.At(t, 1))
		}
	}
	// Output:
	// linear1.weight 1×2
	// step 0 false false
	// step 1 true false
	// step 2 false false
	// step 3 true true
	// step 4 false false
	// step 5 true false
	// step 6 false false
	// step 7 true true
	// step 8 false false
}

// A graph of two outputs is edited: its ReLU becomes spiking. All that took its
// output takes the spikes, and weights stay.
func ExampleGraph() {
	g := network.Graph{
		Input: tensor.Shape{2},
		Nodes: []network.GraphNode{
			{Node: network.Node{Name: "body", Layer: layer.Linear{Out: 4}}},
			{Node: network.Node{Name: "relu", Layer: layer.ReLU{}}},
			{Node: network.Node{Name: "class", Layer: layer.Linear{Out: 3}}},
			{Node: network.Node{Name: "value", Layer: layer.Linear{Out: 1}, Inputs: []string{"relu"}}},
		},
		Outputs: []network.Output{{Name: "class", Node: "class"}, {Name: "value", Node: "value"}},
	}
	net, err := g.Build(1)
	if err != nil {
		fmt.Println(err)
		return
	}
	e := network.Edit(net.Graph()) // with the weights
	spiking := layer.Spiking{Neuron: neuron.IF{Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}}
	if err := e.Replace("relu", network.GraphNode{Node: network.Node{Name: "spikes", Layer: spiking}}); err != nil {
		fmt.Println(err)
		return
	}
	edited, err := e.Graph().Build(1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, nd := range edited.Nodes() {
		fmt.Printf("%s %T of %v\n", nd.Name, nd.Layer, nd.Inputs)
	}
	fmt.Println(edited.Outputs()[1].Name, edited.OutputShapes()[1])
	// Output:
	// body layer.Linear of [input]
	// spikes layer.Spiking of [body]
	// class layer.Linear of [spikes]
	// value layer.Linear of [spikes]
	// value 1
}
