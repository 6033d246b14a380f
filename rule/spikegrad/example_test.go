package spikegrad_test

import (
	"context"
	"fmt"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/rule/spikegrad"
	"synfire/sample"
	"synfire/task"
	"synfire/train"
)

// A network of integers learns digits, and the spikes that it stands for, sent in random
// order, end with the same potentials.
func Example() {
	trainSet, testSet := mnist.Sample()
	rule := spikegrad.NewRule()
	rule.Layers = []spikegrad.Layer{{Dense: 50}}
	learner, err := spikegrad.New(rule, train.Setting{Spec: trainSet.Spec(), Samples: trainSet.Len(), Epochs: 5, Batch: 20, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	cursor, err := data.NewCursor(trainSet, data.CursorOptions{Batch: 20, Seed: 1, Shuffle: true})
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

	cursor, err = data.NewCursor(testSet, data.CursorOptions{Batch: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	var b sample.Batch
	if _, err = cursor.Next(context.Background(), &b); err != nil {
		fmt.Println(err)
		return
	}
	v, err := learner.Verify(context.Background(), &b, 3)
	fmt.Println("digits, orders and differences:", v.Samples, v.Orders, v.Different, err)
	// Output:
	// better than 80 %: true
	// digits, orders and differences: 20 3 0 <nil>
}
