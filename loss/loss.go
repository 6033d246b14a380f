// Package loss holds training objectives: functions of a network's outputs
// over time and of the labels.
//
//	count-cross-entropy     −log softmax(Σ_t o[t])[label]
//	membrane-cross-entropy  −log softmax(mean_t o[t])[label]
//	count-mse               Σ_k (Σ_t o_k[t]/T − y_k)², y = 1 for the label and 0 else
//
// each averaged over the batch. With p the softmax of the scores, the error at
// the scores of a cross-entropy is (p − y)/B.
package loss

import (
	"fmt"
	"math"

	"synfire/encode"
	"synfire/signal"
	"synfire/tensor"
)

// Loss compares outputs o, Dense [T, B, K], with labels, writes the error at
// each output to dout (Dense [T, B, K]) unless it is nil, and the scores that
// classes are ranked by to scores [B, K]. It returns the mean over the batch.
type Loss interface {
	Eval(dout *signal.Signal, scores []tensor.Float, o *signal.Signal, labels []int) (float64, error)
}

// CountCrossEntropy is the cross-entropy of the softmax over spike counts.
type CountCrossEntropy struct{}

// MembraneCrossEntropy is the cross-entropy of the softmax over the mean
// membranes of a readout.
type MembraneCrossEntropy struct{}

// CountMSE is the squared error of the firing rates against one-hot labels.
type CountMSE struct{}

// Eval computes the loss.
func (CountCrossEntropy) Eval(dout *signal.Signal, scores []tensor.Float, o *signal.Signal, labels []int) (float64, error) {
	return decoded(encode.Count{}, crossEntropy, dout, scores, o, labels)
}

// Eval computes the loss.
func (MembraneCrossEntropy) Eval(dout *signal.Signal, scores []tensor.Float, o *signal.Signal, labels []int) (float64, error) {
	return decoded(encode.Membrane{}, crossEntropy, dout, scores, o, labels)
}

// Eval computes the loss. Its scores are rates.
func (CountMSE) Eval(dout *signal.Signal, scores []tensor.Float, o *signal.Signal, labels []int) (float64, error) {
	return decoded(encode.Membrane{}, squaredError, dout, scores, o, labels)
}

// decoded evaluates f on decoded scores; f replaces them by their errors where
// grad is given.
func decoded(d encode.Decoder, f func(grad, scores []tensor.Float, label int) float64, dout *signal.Signal, scores []tensor.Float, o *signal.Signal, labels []int) (float64, error) {
	k := o.Units()
	if o.Kind != signal.Dense || len(labels) != o.B || len(scores) != o.B*k {
		return 0, fmt.Errorf("loss: %v outputs of %d samples × %d classes, %d labels, %d scores: want dense outputs and one label a sample", o.Kind, o.B, k, len(labels), len(scores))
	}
	d.Decode(scores, o)
	var grad []tensor.Float
	if dout != nil {
		grad = make([]tensor.Float, len(scores))
	}
	var total float64
	for b, label := range labels {
		if label < 0 || label >= k {
			return 0, fmt.Errorf("loss: label %d of sample %d, but the network has %d outputs: want labels in [0, %d)", label, b, k, k)
		}
		var g []tensor.Float
		if grad != nil {
			g = grad[b*k:][:k]
		}
		total += f(g, scores[b*k:][:k], label)
	}
	inv := 1 / float64(o.B)
	if dout != nil {
		for i := range grad {
			grad[i] *= tensor.Float(inv)
		}
		d.Spread(dout, grad, o.T, o.B, o.Shape)
	}
	return total * inv, nil
}

// crossEntropy is −log softmax(scores)[label]; grad becomes p − y.
func crossEntropy(grad, scores []tensor.Float, label int) float64 {
	top := math.Inf(-1)
	for _, s := range scores {
		top = max(top, float64(s))
	}
	var z float64
	for _, s := range scores {
		z += math.Exp(float64(s) - top)
	}
	for i := range grad {
		grad[i] = tensor.Float(math.Exp(float64(scores[i])-top) / z)
	}
	if grad != nil {
		grad[label]--
	}
	return math.Log(z) + (top - float64(scores[label]))
}

func squaredError(grad, scores []tensor.Float, label int) float64 {
	var total float64
	for i, s := range scores {
		d := float64(s)
		if i == label {
			d--
		}
		if grad != nil {
			grad[i] = tensor.Float(2 * d)
		}
		total += d * d
	}
	return total
}

// Best is the index of the largest score, the first of equals.
func Best(scores []tensor.Float) int {
	best := 0
	for i, s := range scores {
		if s > scores[best] {
			best = i
		}
	}
	return best
}
