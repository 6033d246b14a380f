// Package loss holds training objectives: functions of a network's outputs
// over time and of the labels.
//
//	count-cross-entropy     −log softmax(Σ_t o[t])[label]
//	weighted-cross-entropy  −log softmax(Σ_t m^t·o[t])[label]
//	membrane-cross-entropy  −log softmax(mean_t o[t])[label]
//	count-mse               Σ_k (Σ_t o_k[t]/T − y_k)², y = 1 for the label and 0 else
//	rate-mse                the same with other rates y
//	step-cross-entropy      mean over t of −log softmax(o[t])[label]
//	first-spike             −log softmax(−t/τ)[label], t the times of the first spikes
//
// each averaged over the batch. With p the softmax of the scores, the error at
// the scores of a cross-entropy is (p − y)/B. A Regularizer adds a term in the
// firing of the layers within.
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
	return RateMSE{Right: 1}.Eval(dout, scores, o, labels)
}

// decoded evaluates f on decoded scores; f replaces them by their errors where
// grad is given.
func decoded(d encode.Decoder, f func(grad, scores []tensor.Float, label int) float64, dout *signal.Signal, scores []tensor.Float, o *signal.Signal, labels []int) (float64, error) {
	if err := check(scores, o, labels); err != nil {
		return 0, err
	}
	d.Decode(scores, o)
	grad := errorsFor(dout, scores)
	value := mean(f, grad, scores, labels)
	if dout != nil {
		d.Spread(dout, grad, o.T, o.B, o.Shape)
	}
	return value, nil
}

// check returns an error unless the arguments of Eval belong together.
func check(scores []tensor.Float, o *signal.Signal, labels []int) error {
	k := o.Units()
	if o.Kind != signal.Dense || len(labels) != o.B || len(scores) != o.B*k {
		return fmt.Errorf("loss: %v outputs of %d samples × %d classes, %d labels, %d scores: want dense outputs and one label a sample", o.Kind, o.B, k, len(labels), len(scores))
	}
	for b, label := range labels {
		if label < 0 || label >= k {
			return fmt.Errorf("loss: label %d of sample %d, but the network has %d outputs: want labels in [0, %d)", label, b, k, k)
		}
	}
	return nil
}

// errorsFor has room for the errors at scores, where errors are asked for.
func errorsFor(dout *signal.Signal, scores []tensor.Float) []tensor.Float {
	if dout == nil {
		return nil
	}
	return make([]tensor.Float, len(scores))
}

// mean is the mean of f over rows of scores, one for each label; grad, unless
// nil, receives the errors of the mean.
func mean(f func(grad, scores []tensor.Float, label int) float64, grad, scores []tensor.Float, labels []int) float64 {
	k, inv := len(scores)/len(labels), 1/float64(len(labels))
	var total float64
	for b, label := range labels {
		var g []tensor.Float
		if grad != nil {
			g = grad[b*k:][:k]
		}
		total += f(g, scores[b*k:][:k], label)
	}
	for i := range grad {
		grad[i] *= tensor.Float(inv)
	}
	return total * inv
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
