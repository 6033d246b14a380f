package loss_test

import (
	"fmt"

	"synfire/loss"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// The spikes of two output neurons over three steps, for one sample of class 1.
func Example() {
	o := signal.Signal{Kind: signal.Dense, T: 3, B: 1, Shape: tensor.Shape{2}, Data: []tensor.Float{
		1, 0,
		0, 1,
		1, 0,
	}}
	var errors signal.Signal
	counts := make([]tensor.Float, 2)
	value, err := loss.CountCrossEntropy{}.Eval(&loss.Call{
		Out: &o, DOut: &errors, Scores: counts,
		Target: &sample.Column{Field: &sample.Field{Name: "digit", Kind: sample.Class, Classes: []string{"zero", "one"}}, Class: []int{1}},
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("counts %v, class %d, loss %.4f\n", counts, loss.Best(counts), value)
	fmt.Printf("error at each step %.4f\n", errors.Data[:2])
	// Output:
	// counts [2 1], class 0, loss 1.3133
	// error at each step [0.7311 -0.7311]
}
