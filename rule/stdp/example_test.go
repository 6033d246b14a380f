package stdp_test

import (
	"context"
	"fmt"
	"log"

	"synfire/rule/stdp"
	"synfire/tensor"
)

// The window of spike-timing-dependent plasticity: an input fires 10 ms before or after its
// neuron, which another input makes fire.
func ExampleNetwork() {
	for _, at := range []float64{5, 25} {
		n, err := stdp.New(stdp.Options{Step: 1})
		if err != nil {
			log.Fatal(err)
		}
		in, _ := n.Add("input", 1, stdp.Trains{})
		teacher, _ := n.Add("teacher", 1, stdp.Trains{})
		out, _ := n.Add("neuron", 1, stdp.LIF{Tau: 20, Threshold: 10})
		n.Connect("teach", teacher, out, stdp.Synapses{OneToOne: 50})
		c, err := n.Connect("learn", in, out, stdp.Synapses{
			Weights: []tensor.Float{0.5}, Delay: 1, High: 1,
			Rule: stdp.Pair{Plus: 0.01, Minus: 0.012, TauPlus: 20, TauMinus: 20},
		})
		if err != nil {
			log.Fatal(err)
		}
		in.Play([][]float64{{at}})
		teacher.Play([][]float64{{15}})
		if err := n.Run(context.Background(), 50); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("input at %v ms, neuron at 15: %.4f\n", at, c.Weights()[0])
	}
	// Output:
	// input at 5 ms, neuron at 15: 0.5061
	// input at 25 ms, neuron at 15: 0.4927
}
