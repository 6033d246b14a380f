package neuron

import (
	"math"

	"synfire/tensor"
)

// Run is one unit on a constant input, from rest, step by step: its membrane in each
// step before the reset, and the steps in which it fires. While it is refractory its
// membrane is the one that it holds, its first state variable.
func Run(n Neuron, input float64, steps int) (membrane []float64, spikes []int) {
	x, u, state, fired := []tensor.Float{tensor.Float(input)}, make([]tensor.Float, 1), make([]tensor.Float, n.States()), make([]uint64, 1)
	membrane, spikes = make([]float64, steps), []int{}
	w := Window{
		Steps: 1, Units: 1, Input: Strided{Data: x}, State: state,
		Membrane: Strided{Data: u}, Spikes: Bits{Data: fired},
	}
	for t := range steps {
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
