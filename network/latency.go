package network

import (
	"fmt"

	"synfire/layer"
	"synfire/neuron"
)

// Latencies are, for each output, the steps before the network's input first reaches it:
// of the ways that lead there, the fewest neurons that act a step late (neuron.Late). In
// a run of no more steps the output is the same for every input.
func (n *Network) Latencies() []int {
	at := make([]int, len(n.nodes))
	for i, nd := range n.nodes {
		for k, in := range nd.in {
			before := 0
			if in != inputNode {
				before = at[in]
			}
			if k == 0 || before < at[i] {
				at[i] = before
			}
		}
		if p, ok := nd.Layer.(layer.Population); ok {
			if of, _ := p.Neurons(); of != nil {
				at[i] += latency(of)
			}
		}
	}
	late := make([]int, len(n.outNodes))
	for k, i := range n.outNodes {
		late[k] = at[i]
	}
	return late
}

func latency(n neuron.Neuron) int {
	if l, ok := n.(neuron.Late); ok {
		return l.Latency()
	}
	return 0
}

// CheckSteps returns an error where a run of so many steps ends before anything reaches
// an output, whose answer would be no answer.
func (n *Network) CheckSteps(steps int) error {
	for k, late := range n.Latencies() {
		if steps <= late {
			return fmt.Errorf("%d steps, and output %q sees the input only after %d, one for each layer of neurons that act a step late: its scores would be 0 for every sample; give steps %d or more, or neurons without delay",
				steps, n.outputs[k].Name, late, late+1)
		}
	}
	return nil
}
