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
	Lambda float64 `yaml:"lambda"`
	Level  float64 `yaml:"level"`
}

// Validate returns an error unless Lambda is in [0, 1) and Level a number.
func (l StepCrossEntropy) Validate() error {
	if l.Lambda >= 0 && l.Lambda < 1 && l.Level-l.Level == 0 {
		return nil
	}
	return fmt.Errorf("loss step-cross-entropy: lambda is %v and level %v, want a share in [0, 1) and a finite level (the threshold is usual)", l.Lambda, l.Level)
}

// Eval computes the loss.
func (l StepCrossEntropy) Eval(dout *signal.Signal, scores []tensor.Float, o *signal.Signal, labels []int) (float64, error) {
	if err := check(scores, o, labels); err != nil {
		return 0, err
	}
	encode.Membrane{}.Decode(scores, o)
	var grad []tensor.Float
	if dout != nil {
		dout.Reset(signal.Dense, o.T, o.B, o.Shape)
		grad = dout.Data
	}
	n, inv := len(scores), 1/float64(o.T)
	var total float64
	for t := range o.T {
		var g []tensor.Float
		if grad != nil {
			g = grad[t*n:][:n]
		}
		total += mean(l.step, g, o.Data[t*n:][:n], labels)
	}
	for i := range grad {
		grad[i] *= tensor.Float(inv)
	}
	return total * inv, nil
}

// step is the loss of one sample in one step.
func (l StepCrossEntropy) step(grad, o []tensor.Float, label int) float64 {
	entropy := crossEntropy(grad, o, label)
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
	Temperature float64 `yaml:"temperature"`
}

// Validate returns an error unless Temperature is positive, or 0.
func (l FirstSpike) Validate() error {
	if l.Temperature >= 0 && !math.IsInf(l.Temperature, 0) {
		return nil
	}
	return fmt.Errorf("loss first-spike: temperature is %v, want a positive number of steps", l.Temperature)
}

// Eval computes the loss.
func (l FirstSpike) Eval(dout *signal.Signal, scores []tensor.Float, o *signal.Signal, labels []int) (float64, error) {
	if err := check(scores, o, labels); err != nil {
		return 0, err
	}
	tau := tensor.Float(l.Temperature)
	if tau == 0 {
		tau = 1
	}
	encode.FirstSpike{}.Decode(scores, o)
	for i := range scores {
		scores[i] /= tau
	}
	grad := errorsFor(dout, scores)
	value := mean(crossEntropy, grad, scores, labels)
	if dout != nil {
		for i := range grad {
			grad[i] /= tau
		}
		encode.FirstSpike{}.Backward(dout, grad, o)
	}
	return value, nil
}
