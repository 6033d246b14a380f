package neuron

import (
	"math"

	"synfire/tensor"
)

// Run is one unit from rest with an input for each step: its membrane in each
// step before the reset, and the steps in which it fires. While it is refractory its
// membrane is the one that it holds, its first state variable.
func Run(n Neuron, input []float64) (membrane []float64, spikes []int) {
	x, u, state, fired := make([]tensor.Float, 1), make([]tensor.Float, 1), make([]tensor.Float, n.States()), make([]uint64, 1)
	membrane, spikes = make([]float64, len(input)), []int{}
	w := Window{
		Steps: 1, Units: 1, Input: Strided{Data: x}, State: state,
		Membrane: Strided{Data: u}, Spikes: Bits{Data: fired},
	}
	for t, now := range input {
		x[0] = tensor.Float(now)
		n.Forward(w)
		membrane[t] = float64(u[0])
		if math.IsInf(membrane[t], -1) {
			membrane[t] = float64(state[0])
		}
		if fired[0]&1 != 0 {
			spikes = append(spikes, t)
		}
	}
	return membrane, spikes
}
