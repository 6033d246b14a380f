package diagnose_test

import (
	"fmt"

	"synfire/rule/eqprop"
	"synfire/rule/eqprop/diagnose"
	"synfire/sample"
	"synfire/tensor"
)

// The estimate of a small network has nearly the direction of the gradient, and its
// energy falls as it relaxes.
func Example() {
	learner, err := eqprop.New(eqprop.Config{
		Sizes: []int{2, 8, 2}, Free: 40, Nudged: 20, Beta: 0.1, LearningRates: []float64{0.1, 0.1}, Seed: 3,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	batch := sample.Labelled([]int{0}, []tensor.Float{0.9, 0.4}, []int{1}, 2)
	estimate, _, err := learner.Gradient(batch)
	if err != nil {
		fmt.Println(err)
		return
	}
	exact, err := diagnose.Backprop(learner, batch, 40)
	if err != nil {
		fmt.Println(err)
		return
	}
	trace, err := diagnose.Follow(learner, batch)
	if err != nil {
		fmt.Println(err)
		return
	}
	cos := diagnose.Cosine(estimate.W[1].Value.Data, exact.W[1].Value.Data)
	fmt.Println("same direction:", cos > 0.99, "energy falls:", trace.Energy[trace.Free] < trace.Energy[0])
	// Output: same direction: true energy falls: true
}
