package loss

import (
	"fmt"
	"math"

	"synfire/encode"
	"synfire/tensor"
)

// RateMSE is the squared error of the firing rates r_k = Σ_t o_k[t]/T against
// the rate Right for the label and Wrong for the other classes,
//
//	Σ_k (r_k − y_k)²,   ∂o_k[t] = 2·(r_k − y_k)/(T·B).
//
// A target below 1, and one above 0 for the classes that are wrong, keeps
// units from silence and saturation. Its scores are rates.
type RateMSE struct {
	classes
	Right float64 `yaml:"right"`
	Wrong float64 `yaml:"wrong"`
}

// Validate returns an error unless both are rates and Right is the larger.
func (l RateMSE) Validate() error {
	if l.Wrong >= 0 && l.Right <= 1 && l.Wrong < l.Right {
		return nil
	}
	return fmt.Errorf("loss rate-mse: right is %v and wrong %v, want rates 0 ≤ wrong < right ≤ 1, such as 0.9 and 0.03", l.Right, l.Wrong)
}

// Score reads rates.
func (RateMSE) Score(c *Call) error { return c.score(encode.Membrane{}) }

// Eval computes the loss.
func (l RateMSE) Eval(c *Call) (float64, error) {
	return decoded(encode.Membrane{}, l.sample, c)
}

func (l RateMSE) sample(grad, scores []tensor.Float, label int) float64 {
	var total float64
	for i, s := range scores {
		d := float64(s) - l.Wrong
		if i == label {
			d = float64(s) - l.Right
		}
		if grad != nil {
			grad[i] = tensor.Float(2 * d)
		}
		total += d * d
	}
	return total
}

// Regularizer is a term of the objective in the firing of each spiking layer.
type Regularizer interface {
	Validate() error
	// Penalty returns the term for one layer of which counts [B, N] holds the
	// spikes of each unit over the steps, and adds to grad [B, N] the error
	// at a unit's spike, the same at each step.
	Penalty(grad, counts []tensor.Float, b, steps int) float64
}

// RateBounds draws firing rates into bounds (after Zenke and Vogels, "The
// remarkable robustness of surrogate gradient learning", 2021). With the rate
// r of a unit in a sample, spikes per step, and (x)₊ = max(0, x), a layer of N
// units adds
//
//	Weight · mean over samples and units of (Lower − r)₊² + (r − Upper)₊²
//
// to the loss, and 2·Weight·((r − Upper)₊ − (Lower − r)₊)/(T·B·N) to the error
// at each of its spikes. With PerLayer, r is the mean rate of the layer's
// units, and single units are free. Equal bounds are a target.
type RateBounds struct {
	Weight   float64 `yaml:"weight"`
	Lower    float64 `yaml:"lower"`
	Upper    float64 `yaml:"upper"`
	PerLayer bool    `yaml:"per-layer"`
}

// Validate returns an error unless the weight is positive and 0 ≤ Lower ≤
// Upper ≤ 1.
func (r RateBounds) Validate() error {
	switch {
	case !(r.Weight > 0) || math.IsInf(r.Weight, 0):
		return fmt.Errorf("regularizer rate-bounds: weight is %v, want a positive number", r.Weight)
	case !(0 <= r.Lower && r.Lower <= r.Upper && r.Upper <= 1):
		return fmt.Errorf("regularizer rate-bounds: lower is %v and upper %v, want rates 0 ≤ lower ≤ upper ≤ 1; leave out lower for 0", r.Lower, r.Upper)
	}
	return nil
}

// Penalty computes the term.
func (r RateBounds) Penalty(grad, counts []tensor.Float, b, steps int) float64 {
	n := len(counts) / b
	group := 1 // units that share a rate
	if r.PerLayer {
		group = n
	}
	var total float64
	slope := 2 * r.Weight / (float64(steps) * float64(b) * float64(n))
	for i := 0; i < len(counts); i += group {
		var spikes float64
		for _, c := range counts[i : i+group] {
			spikes += float64(c)
		}
		rate := spikes / float64(steps*group)
		d := max(0, rate-r.Upper) - max(0, r.Lower-rate)
		total += d * d * float64(group)
		for j := range grad[i : i+group] {
			grad[i+j] += tensor.Float(slope * d)
		}
	}
	return r.Weight * total / float64(len(counts))
}
