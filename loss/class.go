package loss

import "synfire/tensor"

// CrossEntropy is −log softmax(scores)[label] of one sample; grad, unless nil, becomes
// p − y with p the softmax and y the label as 0 and 1.
func CrossEntropy(grad, scores []tensor.Float, label int) float64 {
	return crossEntropy(grad, scores, label)
}
