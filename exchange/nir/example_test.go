package nir_test

import (
	"fmt"
	"strings"

	"synfire/exchange/nir"
	"synfire/neuron"
	"synfire/surrogate"
)

func ExampleGraph_Lower() {
	g := &nir.Graph{
		Nodes: []nir.Node{
			{Name: "input", Kind: "Input", Params: map[string]nir.Param{"shape": {Shape: []int{1}, Data: []float64{2}}}},
			{Name: "fc", Kind: "Linear", Params: map[string]nir.Param{"weight": {Shape: []int{1, 2}, Data: []float64{0.5, 0.25}}}},
			{Name: "lif", Kind: "LIF", Params: map[string]nir.Param{"tau": {Data: []float64{0.01}}, "v_threshold": {Data: []float64{1}}}},
			{Name: "output", Kind: "Output"},
		},
		Edges: []nir.Edge{{From: "input", To: "fc"}, {From: "fc", To: "lif"}, {From: "lif", To: "output"}},
	}
	reset := neuron.Subtract
	network, report, err := g.Lower(nir.Options{DT: 0.001, Reset: &reset, Surrogate: surrogate.FastSigmoid{Slope: 25}})
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(len(network.Nodes), "layers")
	for _, l := range report {
		fmt.Printf("%s → %s (%s)\n", l.Node, l.To, strings.Join(l.Lost, ", "))
	}
	// Output:
	// 2 layers
	// input → input ()
	// fc → fc ()
	// lif → lif (dt: 0.001, reset: subtract, surrogate)
	// output → lif ()
}
