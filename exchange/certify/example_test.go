package certify_test

import (
	"fmt"

	"synfire/exchange/certify"
	"synfire/exchange/nir"
	"synfire/neuron"
)

func ExampleCheck() {
	g := &nir.Graph{
		Nodes: []nir.Node{
			{Name: "input", Kind: "Input", Params: map[string]nir.Param{"shape": {Shape: []int{1}, Data: []float64{1}}}},
			{Name: "if", Kind: "IF", Params: map[string]nir.Param{"v_threshold": {Data: []float64{1}}}},
			{Name: "output", Kind: "Output"},
		},
		Edges: []nir.Edge{{From: "input", To: "if"}, {From: "if", To: "output"}},
	}
	reset := neuron.Subtract
	c, err := certify.Check(g, certify.Setting{
		Options: nir.Options{DT: 1, Reset: &reset},
		Input:   [][]float64{{0.75}, {0.75}, {0.75}, {0.75}}, // 0.75 is left after the spike of step 1, or nothing
	})
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println("agrees:", c.Agrees)
	for _, a := range c.Against[:3] {
		fmt.Printf("%s: spikes equal %v, voltages differ by %v\n", a.Trace, a.SpikesEqual, a.MaxError)
	}
	// Output:
	// agrees: true
	// steps: spikes equal true, voltages differ by 0
	// exact: spikes equal true, voltages differ by 0
	// reset: zero: spikes equal false, voltages differ by 0.5
}
