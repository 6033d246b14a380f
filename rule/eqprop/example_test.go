package eqprop_test

import (
	"context"
	"fmt"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/rule/eqprop"
	"synfire/train"
)

// Two relaxations and a local product teach a network to read digits.
func Example() {
	trainSet, testSet := mnist.Sample()
	learner, err := eqprop.New(eqprop.Config{
		Sizes: []int{28 * 28, 100, 10}, Free: 20, Nudged: 4,
		Beta: 0.3, CostScale: 1, Rates: []float64{0.2, 0.1}, Seed: 1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	cursor, err := data.NewCursor(trainSet, data.CursorOptions{Batch: 10, Seed: 1, Shuffle: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	loop := train.Loop{Learner: learner, Train: cursor, Test: testSet, Epochs: 5}
	result, err := loop.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("better than 80 %:", result.Metrics.Accuracy() > 80)
	// Output: better than 80 %: true
}
