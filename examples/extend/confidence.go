package main

import (
	"fmt"
	"math"

	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
)

// Confidence is a task: how much of the softmax of the scores falls to the right
// class, in the mean over the samples, in percent.
type Confidence struct{}

// Validate always succeeds.
func (Confidence) Validate() error { return nil }

// Check wants a score for each class.
func (Confidence) Check(out tensor.Shape, _ int, target sample.Field) error {
	if target.Kind != sample.Class || out.Size() != len(target.Classes) {
		return fmt.Errorf("task confidence: %d scores for target %q, which is %v with %d classes; want a class and a score for each", out.Size(), target.Name, target.Kind, len(target.Classes))
	}
	return nil
}

// Score begins an evaluation.
func (Confidence) Score(sample.Field) task.Score { return &confidence{} }

type confidence struct {
	n   int
	sum float64
}

func (c *confidence) Add(of task.Case) error {
	for i, label := range of.Target.Class {
		scores := of.Output.Of(i)
		top, sum := math.Inf(-1), 0.0
		for _, s := range scores {
			top = max(top, float64(s))
		}
		for _, s := range scores {
			sum += math.Exp(float64(s) - top)
		}
		if math.IsNaN(sum) || math.IsInf(top, 0) {
			return &task.SampleError{Place: of.First + i, Err: fmt.Errorf("scores %v, want finite numbers", scores)}
		}
		c.n++
		c.sum += math.Exp(float64(scores[label])-top) / sum
	}
	return nil
}

func (c *confidence) Scalars() []task.Scalar {
	s := task.Scalar{Name: "confidence", Unit: "%", Better: task.Higher, Value: 100 * c.sum / float64(max(1, c.n))}
	if c.n == 0 {
		s.Why = "no samples"
	}
	return []task.Scalar{s}
}

func (c *confidence) Exhibits() []task.Exhibit {
	return []task.Exhibit{{Title: "Confidence", Table: &task.Table{Head: []string{"samples", "confidence"}, Rows: [][]string{{fmt.Sprint(c.n), c.Scalars()[0].String()}}}}}
}
