package predictivity_test

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/predictivity"
)

// How well the second unit of a network says what a neuron does: the neuron's response
// is twice the unit's, and one of the network's units is noise.
func Example() {
	network := mat.NewDense(6, 2, []float64{3, 1, 1, 2, 4, 3, 1, 4, 5, 5, 9, 6})
	neuron := mat.NewDense(6, 1, []float64{2, 4, 6, 8, 10, 12})
	folds, err := predictivity.Folds(6, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := predictivity.PredictPooled(network, neuron, predictivity.Ridge{Penalty: 0.01}, folds)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("r = %.3f\n", p.Score)
	// Output: r = 1.000
}
