// Package loss holds training objectives: functions of a network's outputs
// over time and of their targets. Of classes:
//
//	count-cross-entropy     −log softmax(Σ_t o[t])[label]
//	weighted-cross-entropy  −log softmax(Σ_t m^t·o[t])[label]
//	membrane-cross-entropy  −log softmax(mean_t o[t])[label]
//	count-mse               Σ_k (Σ_t o_k[t]/T − y_k)², y = 1 for the label and 0 else
//	rate-mse                the same with other rates y
//	step-cross-entropy      mean over t of −log softmax(o[t])[label]
//	first-spike             −log softmax(−t/τ)[label], t the times of the first spikes
//
// of values and of spike trains:
//
//	mse                     mean over the values of (o − y)²
//	van-rossum              ½·mean over t of ((o − y)∗exp(−t/τ))[t]²
//
// each averaged over the batch, and over the steps that are no padding. With p the softmax of the scores, the error at
// the scores of a cross-entropy is (p − y)/B. A Regularizer adds a term in the
// firing of the layers within.
//
// Label smoothing s (Szegedy et al., "Rethinking the Inception architecture", CVPR 2016)
// spreads a share of the label over all K classes: −Σ_k y_k·log p_k with
// y = 1 − s + s/K for the label and s/K else. The error is p − y as before, and a value of
// 0 is out of reach.
package loss

import (
	"fmt"
	"math"
	"strings"

	"synfire/encode"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// Loss compares the outputs of a network with what they should have been.
type Loss interface {
	// Check returns an error where outputs of a shape, over some steps, cannot be
	// compared with a target.
	Check(out tensor.Shape, steps int, target sample.Field) error
	// Score writes the Scores of a call that may have no target: what classes are
	// ranked by, or the values that are predicted.
	Score(c *Call) error
	// Eval returns the mean over the batch, and writes what the Call asks for.
	Eval(c *Call) (float64, error)
}

// Call is what a Loss works on: an output of a batch and its target.
type Call struct {
	Out    *signal.Signal // Dense [T, B, K…]; of padded samples the padding is cleared
	Target *sample.Column
	Valid  []int // steps of each sample that are no padding; nil: all
	// Duration is the time in seconds that the T steps span, for targets that are
	// spike trains.
	Duration float64

	DOut   *signal.Signal // becomes the errors at Out, Dense; nil where they are not wanted
	Scores []tensor.Float // [B, K…], becomes what the output says, by which classes are ranked
}

// classes are losses whose target is a class. They are embedded.
type classes struct{}

// Check wants a unit of output for each class.
func (classes) Check(out tensor.Shape, _ int, target sample.Field) error {
	switch {
	case target.Kind != sample.Class:
		return fmt.Errorf("the loss is of classes, and target %q is %v: choose another loss (mse for values, van-rossum for trains) or another target", target.Name, target.Kind)
	case out.Size() != len(target.Classes):
		return fmt.Errorf("the output has %d units, and target %q of the data has %d classes (%s): are these the data and the labels that were meant? Else give the last linear layer out: %d", out.Size(), target.Name, len(target.Classes), listed(target.Classes), len(target.Classes))
	}
	return nil
}

// listed is names of classes as far as a message may be long.
func listed(classes []string) string {
	const most = 6
	if len(classes) <= most {
		return strings.Join(classes, ", ")
	}
	return strings.Join(classes[:most], ", ") + ", …"
}

// CountCrossEntropy is the cross-entropy of the softmax over spike counts.
//
//	L = −log softmax(Σ_t o[t])[label]
type CountCrossEntropy struct {
	classes
	Smoothing float64 `yaml:"smoothing,omitempty"` // of labels: the share that all classes have alike, in [0, 1)
}

// MembraneCrossEntropy is the cross-entropy of the softmax over the mean
// membranes of a readout.
//
//	L = −log softmax(mean_t o[t])[label]
type MembraneCrossEntropy struct {
	classes
	Smoothing float64 `yaml:"smoothing,omitempty"` // of labels: the share that all classes have alike, in [0, 1)
}

// CountMSE is the squared error of the firing rates against one-hot labels.
//
//	L = Σ_k (Σ_t o_k[t]/T − y_k)²,  y = 1 for the label and 0 else
type CountMSE struct{ classes }

// Validate returns an error unless the smoothing is a share.
func (l CountCrossEntropy) Validate() error {
	return checkSmoothing("count-cross-entropy", l.Smoothing)
}

// Validate returns an error unless the smoothing is a share.
func (l MembraneCrossEntropy) Validate() error {
	return checkSmoothing("membrane-cross-entropy", l.Smoothing)
}

// Score reads spike counts.
func (CountCrossEntropy) Score(c *Call) error { return c.score(encode.Count{}) }

// Eval computes the loss.
func (l CountCrossEntropy) Eval(c *Call) (float64, error) {
	return decoded(encode.Count{}, smoothed(l.Smoothing), c)
}

// Score reads means over time.
func (MembraneCrossEntropy) Score(c *Call) error { return c.score(encode.Membrane{}) }

// Eval computes the loss.
func (l MembraneCrossEntropy) Eval(c *Call) (float64, error) {
	return decoded(encode.Membrane{}, smoothed(l.Smoothing), c)
}

// Score reads rates.
func (CountMSE) Score(c *Call) error { return c.score(encode.Membrane{}) }

// Eval computes the loss. Its scores are rates.
func (CountMSE) Eval(c *Call) (float64, error) {
	return RateMSE{Right: 1}.Eval(c)
}

// decoded evaluates f on decoded scores; f replaces them by their errors where
// grad is given.
func decoded(d encode.Decoder, f func(grad, scores []tensor.Float, label int) float64, c *Call) (float64, error) {
	if err := c.check(); err != nil {
		return 0, err
	}
	c.decode(d)
	grad := errorsFor(c.DOut, c.Scores)
	value := mean(f, grad, c.Scores, c.Target.Class)
	if c.DOut != nil {
		c.Spread(d, grad)
	}
	return value, nil
}

// Decode reads the scores off an output that no loss reads, without its padding.
func (c *Call) Decode(d encode.Decoder) error { return c.score(d) }

// score is Score by a decoder.
func (c *Call) score(d encode.Decoder) error {
	if err := c.checkSizes(); err != nil {
		return err
	}
	c.decode(d)
	return nil
}

// decode reads the scores off the outputs that are no padding.
func (c *Call) decode(d encode.Decoder) {
	c.mask(c.Out)
	d.Decode(c.Scores, c.Out)
	c.rescale(d, c.Scores)
}

// Spread is the way back of Decode: it writes errors at scores to DOut, none to padding.
func (c *Call) Spread(d encode.Decoder, errors []tensor.Float) {
	c.rescale(d, errors)
	d.Spread(c.DOut, errors, c.Out.T, c.Out.B, c.Out.Shape)
	c.mask(c.DOut)
}

// rescale turns a mean over all steps into one over those that are no padding.
func (c *Call) rescale(d encode.Decoder, x []tensor.Float) {
	if _, ok := d.(encode.Membrane); !ok {
		return
	}
	k := c.Out.Units()
	for b, valid := range c.Valid {
		for i := range x[b*k:][:k] {
			x[b*k+i] *= tensor.Float(c.Out.T) / tensor.Float(valid)
		}
	}
}

// mask clears the padding of a dense signal.
func (c *Call) mask(s *signal.Signal) {
	k := s.Units()
	for b, valid := range c.Valid {
		for t := valid; t < s.T; t++ {
			clear(s.Data[(t*s.B+b)*k:][:k])
		}
	}
}

// check returns an error unless the parts of a call for classes belong together.
func (c *Call) check() error {
	if err := c.checkSizes(); err != nil {
		return err
	}
	k := c.Out.Units()
	if c.Target == nil || len(c.Target.Class) != c.Out.B {
		return fmt.Errorf("loss: %v outputs of %d samples × %d classes, %d labels, %d scores: want dense outputs and one label a sample", c.Out.Kind, c.Out.B, k, c.labels(), len(c.Scores))
	}
	for b, label := range c.Target.Class {
		if label < 0 || label >= k {
			return fmt.Errorf("loss: label %d of sample %d, but the network has %d outputs: want labels in [0, %d)", label, b, k, k)
		}
	}
	return nil
}

func (c *Call) labels() int {
	if c.Target == nil {
		return 0
	}
	return len(c.Target.Class)
}

// checkSizes returns an error unless outputs, scores and padding belong together.
func (c *Call) checkSizes() error {
	k := c.Out.Units()
	switch {
	case c.Out.Kind != signal.Dense || len(c.Scores) != c.Out.B*k:
		return fmt.Errorf("loss: %v outputs of %d samples × %d units, %d scores: want dense outputs, and a score for each unit", c.Out.Kind, c.Out.B, k, len(c.Scores))
	case c.Valid != nil && len(c.Valid) != c.Out.B:
		return fmt.Errorf("loss: lengths of %d samples for outputs of %d", len(c.Valid), c.Out.B)
	}
	for b, valid := range c.Valid {
		if valid < 1 || valid > c.Out.T {
			return fmt.Errorf("loss: sample %d has %d steps of %d that are no padding, want at least one", b, valid, c.Out.T)
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
