package s4nn_test

import (
	"context"
	"fmt"
	"log"

	"synfire/rule/s4nn"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// Two classes by which of two halves of the inputs is the larger, and so comes first.
func Example() {
	x := []tensor.Float{
		0.9, 1.0, 0.2, 0.1,
		0.1, 0.2, 1.0, 0.8,
		0.8, 0.9, 0.3, 0.2,
		0.2, 0.1, 0.9, 1.0,
	}
	b := sample.Labelled([]int{0, 1, 2, 3}, x, []int{0, 1, 0, 1}, 2)
	rule := s4nn.NewRule()
	rule.Hidden, rule.Threshold, rule.Weights = []int{6}, 4, []float64{4, 4}
	learner, err := rule.Learner(train.Setting{
		Spec: *b.Spec, Steps: 100, Samples: 4, Batch: 4, Epochs: 50, Seed: 1,
		Tasks: []task.Binding{{Task: task.Classify{}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 50 {
		if _, err := learner.Step(context.Background(), b); err != nil {
			log.Fatal(err)
		}
	}
	p, err := learner.Predict(context.Background(), b)
	if err != nil {
		log.Fatal(err)
	}
	for i, steps := range p.Steps {
		fmt.Printf("class %d, before all of the time: %v\n", p.Outputs[0].Answer(i), steps < 100)
	}
	// Output:
	// class 0, before all of the time: true
	// class 1, before all of the time: true
	// class 0, before all of the time: true
	// class 1, before all of the time: true
}
