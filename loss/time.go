package loss

import (
	"fmt"
	"math"

	"synfire/encode"
	"synfire/signal"
	"synfire/tensor"
)

// StepCrossEntropy is the cross-entropy of the softmax of each step's outputs,
// averaged over the T steps (temporal efficient training; Deng et al.,
// "Temporal efficient training of spiking neural network via gradient
// re-weighting", 2022), with a share λ = Lambda for a term that draws all K
// outputs to Level:
//
//	(1 − λ)·mean_t(−log softmax(o[t])[label]) + λ·mean_t,k((o_k[t] − Level)²)
//	∂o_k[t] = ((1 − λ)·(p_k[t] − y_k) + 2λ·(o_k[t] − Level)/K) / (T·B)
//
// Its outputs are those of a linear layer or a readout. Scores are means over
// time.
type StepCrossEntropy struct {
	classes
	Lambda    float64 `yaml:"lambda"`
	Level     float64 `yaml:"level"`
	Smoothing float64 `yaml:"smoothing,omitempty"` // of labels: the share that all classes have alike, in [0, 1)
}

// Validate returns an error unless Lambda is in [0, 1) and Level a number.
func (l StepCrossEntropy) Validate() error {
	if l.Lambda >= 0 && l.Lambda < 1 && l.Level-l.Level == 0 {
		return checkSmoothing("step-cross-entropy", l.Smoothing)
	}
	return fmt.Errorf("loss step-cross-entropy: lambda is %v and level %v, want a share in [0, 1) and a finite level (the threshold is usual)", l.Lambda, l.Level)
}

// Score reads means over time.
func (StepCrossEntropy) Score(c *Call) error { return c.score(encode.Membrane{}) }

// Eval computes the loss.
func (l StepCrossEntropy) Eval(c *Call) (float64, error) {
	if err := c.check(); err != nil {
		return 0, err
	}
	c.decode(encode.Membrane{})
	o := c.Out
	var grad []tensor.Float
	if c.DOut != nil {
		c.DOut.Reset(signal.Dense, o.T, o.B, o.Shape)
		grad = c.DOut.Data
	}
	n := len(c.Scores)
	var total float64
	for t := range o.T {
		var g []tensor.Float
		if grad != nil {
			g = grad[t*n:][:n]
		}
		total += c.stepMean(l.step, g, o.Data[t*n:][:n], t)
	}
	if c.Valid != nil { // the weights of samples are in the steps
		return total, nil
	}
	inv := 1 / float64(o.T)
	for i := range grad {
		grad[i] *= tensor.Float(inv)
	}
	return total * inv, nil
}

// stepMean is the mean of f over the samples in step t, where none is padded. Else
// it is the step's share of the mean over samples of their means over steps.
func (c *Call) stepMean(f func(grad, o []tensor.Float, label int) float64, grad, o []tensor.Float, t int) (total float64) {
	if c.Valid == nil {
		return mean(f, grad, o, c.Target.Class)
	}
	clear(grad)
	k := c.Out.Units()
	for b, valid := range c.Valid {
		if t >= valid {
			continue
		}
		var g []tensor.Float
		if grad != nil {
			g = grad[b*k:][:k]
		}
		weight := 1 / (float64(valid) * float64(c.Out.B))
		total += weight * f(g, o[b*k:][:k], c.Target.Class[b])
		for i := range g {
			g[i] *= tensor.Float(weight)
		}
	}
	return total
}

// step is the loss of one sample in one step.
func (l StepCrossEntropy) step(grad, o []tensor.Float, label int) float64 {
	entropy := smoothed(l.Smoothing)(grad, o, label)
	if l.Lambda == 0 {
		return entropy
	}
	k := float64(len(o))
	var squares float64
	for i, v := range o {
		d := float64(v) - l.Level
		squares += d * d
		if grad != nil {
			grad[i] = tensor.Float((1-l.Lambda)*float64(grad[i]) + 2*l.Lambda*d/k)
		}
	}
	return (1-l.Lambda)*entropy + l.Lambda*squares/k
}

// FirstSpike is the cross-entropy of the softmax over −t_k/τ, with t_k the step
// of the first spike of output k, T for none, and τ = Temperature (0 means 1):
// the label's unit is to fire first. Errors reach the spikes through
//
//	t_k = Σ_t Π_{t' ≤ t} (1 − o_k[t'])
//
// the number of steps before the first spike, which is linear in each o_k[t].
// Its slope says how much earlier a spike would make the unit, and how much
// later the loss of its first one: f the first, g the second spike (or T),
//
//	∂t/∂o[s] = −(f − s) for s < f,   −(g − f) for s = f,   0 after,
//
// so a silent unit learns too, most of all to fire at the start. Scores are
// −t_k/τ; see encode.FirstSpike.
type FirstSpike struct {
	classes
	Temperature float64 `yaml:"temperature"`
}

// Validate returns an error unless Temperature is positive, or 0.
func (l FirstSpike) Validate() error {
	if l.Temperature >= 0 && !math.IsInf(l.Temperature, 0) {
		return nil
	}
	return fmt.Errorf("loss first-spike: temperature is %v, want a positive number of steps", l.Temperature)
}

// Score writes −t_k/τ.
func (l FirstSpike) Score(c *Call) error {
	if err := c.checkSizes(); err != nil {
		return err
	}
	c.mask(c.Out)
	encode.FirstSpike{}.Decode(c.Scores, c.Out)
	for i := range c.Scores {
		c.Scores[i] /= l.tau()
	}
	return nil
}

// Eval computes the loss.
func (l FirstSpike) Eval(c *Call) (float64, error) {
	if err := c.check(); err != nil {
		return 0, err
	}
	if err := l.Score(c); err != nil {
		return 0, err
	}
	grad := errorsFor(c.DOut, c.Scores)
	value := mean(crossEntropy, grad, c.Scores, c.Target.Class)
	if c.DOut != nil {
		for i := range grad {
			grad[i] /= l.tau()
		}
		encode.FirstSpike{}.Backward(c.DOut, grad, c.Out)
		c.mask(c.DOut)
	}
	return value, nil
}

func (l FirstSpike) tau() tensor.Float {
	if l.Temperature == 0 {
		return 1
	}
	return tensor.Float(l.Temperature)
}
