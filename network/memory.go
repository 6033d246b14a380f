package network

import (
	"unsafe"

	"synfire/layer"
	"synfire/neuron"
	"synfire/tensor"
)

// Memory is what training needs for one sample, in bytes: for each step that a
// window holds, and for the state at each border between windows. It is an
// upper bound of the signals, membranes and errors that grow with the batch;
// parameters and the working memory of single layers come on top.
func (n *Network) Memory() (step, state int64) {
	const float = int64(unsafe.Sizeof(tensor.Float(0)))
	step = float * int64(n.input.Size())
	for _, nd := range n.nodes {
		units := int64(nd.out.Size())
		step += 2 * float * units // the output, or a neuron's membrane, and its error
		if l, ok := nd.Layer.(layer.Population); ok {
			n, _ := l.Neurons()
			keeps, _ := neuron.Keeps(n)
			step += 8*((units+63)/64) + float*units*int64(keeps) // its spikes, and what it keeps besides the membrane
		}
		state += float * int64(nd.state)
	}
	return step, state
}

// InferenceMemory is what a run of t steps of b samples needs when nothing is
// kept for Backward, in bytes: the encoded input (one step of it where it is
// constant), the states, and the signals of one chunk of steps. Like Memory it is an
// upper bound without the parameters.
func (n *Network) InferenceMemory(t, b int, constant bool) float64 {
	const float = float64(unsafe.Sizeof(tensor.Float(0)))
	chunk := n.chunkSteps(t, b)
	if _, whole := n.WholeTime(false); whole {
		chunk = t
	}
	sample := float * float64(n.input.Size())
	if !constant {
		sample *= float64(t)
	}
	for _, nd := range n.nodes {
		sample += float * (float64(nd.out.Size())*float64(chunk) + float64(nd.state))
	}
	return sample * float64(b)
}

// Truncate drops the errors at the states: going on backwards, what came
// before counts as given. Sums over time go on.
func (a *Adjoint) Truncate() {
	for _, s := range a.states {
		clear(s)
	}
}
