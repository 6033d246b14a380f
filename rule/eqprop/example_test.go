package eqprop_test

import (
	"context"
	"fmt"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/rule/eqprop"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/unit"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// Two relaxations and a local product teach a network to read digits.
func Example() {
	trainSet, testSet := mnist.Sample()
	learner, err := eqprop.New(eqprop.Config{
		Sizes: []int{28 * 28, 100, 10}, Free: 20, Nudged: 4,
		Beta: 0.3, CostScale: 1, LearningRates: []float64{0.2, 0.1}, Seed: 1,
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
	loop := train.Loop{Learner: learner, Train: cursor, Test: testSet, Tasks: []task.Binding{{Task: task.Classify{}}}, Epochs: 5}
	result, err := loop.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("better than 80 %:", result.Test.Value("accuracy") > 80)
	// Output: better than 80 %: true
}

// Convolutions take the place of the first layers; their sizes follow from the image.
func ExampleConvolutional() {
	convs := &coupling.Convolutional{Image: tensor.Shape{28, 28, 1}, Layers: []coupling.Convolution{
		{Out: 32, Kernel: 5, Pool: 2}, {Out: 64, Kernel: 5, Pool: 2},
	}}
	learner, err := eqprop.New(eqprop.Config{
		Convolutional: convs, Sizes: convs.Sizes(10), Activation: unit.HardSigmoid, Step: 1, Weights: coupling.FanIn,
		Free: 50, Nudged: 10, Beta: 0.4, LearningRates: []float64{0.15, 0.035, 0.015},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(convs.Sizes(10), learner.Net().W[1].Value.Shape)
	// Output: [784 4608 1024 10] 5×5×32×64
}
