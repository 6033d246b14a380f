package task_test

import (
	"fmt"

	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
)

// A score collects batches, here one of three samples.
func Example() {
	target := sample.Field{Name: "class", Kind: sample.Class, Classes: []string{"cat", "dog"}}
	score := task.Classify{}.Score(target)
	err := score.Add(task.Case{
		Output: task.Output{Shape: tensor.Shape{2}, Scores: []tensor.Float{3, 1, 0, 2, 5, 4}},
		Target: &sample.Column{Field: &target, Class: []int{0, 1, 1}},
		Batch:  &sample.Batch{Index: []int{0, 1, 2}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range score.Scalars() {
		fmt.Println(s.Name, s)
	}
	// Output: accuracy 66.67 %
}
