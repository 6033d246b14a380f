package loss

import (
	"fmt"

	"synfire/tensor"
)

// CrossEntropy is −log softmax(scores)[label] of one sample; grad, unless nil, becomes
// p − y with p the softmax and y the label as 0 and 1.
func CrossEntropy(grad, scores []tensor.Float, label int) float64 {
	return crossEntropy(grad, scores, label)
}

// smoothed is the cross-entropy with a share s of the label spread over all classes:
// −(1 − s)·log p_label − s·mean_k(log p_k). grad becomes p − y.
func smoothed(s float64) func(grad, scores []tensor.Float, label int) float64 {
	if s == 0 {
		return crossEntropy
	}
	return func(grad, scores []tensor.Float, label int) float64 {
		value := crossEntropy(grad, scores, label)
		k := float64(len(scores))
		var mean float64
		for i, o := range scores {
			mean += float64(o) / k
			if grad != nil {
				grad[i] -= tensor.Float(s / k)
			}
		}
		if grad != nil {
			grad[label] += tensor.Float(s)
		}
		return value + s*(float64(scores[label])-mean)
	}
}

// checkSmoothing returns an error unless s is a share below 1.
func checkSmoothing(kind string, s float64) error {
	if s >= 0 && s < 1 {
		return nil
	}
	return fmt.Errorf("loss %s: smoothing is %v, want the share of a label that all classes have alike, in [0, 1), such as 0.1", kind, s)
}
