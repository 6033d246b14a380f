package unit_test

import (
	"fmt"

	"synfire/rule/eqprop/unit"
)

// A unit at 5/16 whose modulator fires five times in sixteen steps.
func Example() {
	m := unit.NewPopulation(unit.SigmaDelta, unit.NewPlan(&unit.Spiking{Epsilon: 1}, 16), []int{1, 1})
	m.Layers[1].S[0] = 5.0 / 16
	for range 16 {
		m.Encode(1)
		m.Advance()
	}
	fmt.Println(m.Spikes[1], "spikes")
	// Output: 5 spikes
}
