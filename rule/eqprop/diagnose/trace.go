package diagnose

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/rule/eqprop"
	"synfire/sample"
	"synfire/tensor"
)

// Trace is a relaxation of one sample, step by step: freely, then nudged by +β.
type Trace struct {
	Energy   []float64   // E before the first step and after each
	Residual [][]float64 // by layer: the largest change of a state in each step
	Free     int         // steps of the free phase

	settled [][]tensor.Float // the states after it, by layer
}

// Follow traces the first sample of a batch. The energy is the one that the dynamics
// lower: with the pull of a predictor, and of discrete ones with ∫σ⁻¹(s) ds in place of
// ½s². Spiking states approach those of least energy as steps shrink.
func Follow(l *eqprop.Learner, d *sample.Batch) (*Trace, error) {
	if d.Len() == 0 {
		return nil, errors.New("eqprop: trace of an empty batch; give one sample")
	}
	c := l.Config()
	one := d.Slice(0, 1)
	x, err := l.Relaxation(one)
	if err != nil {
		return nil, err
	}
	states := x.States()
	t := &Trace{Residual: make([][]float64, len(states)), Free: c.Free, Energy: []float64{energy(l, one.X, states)}}
	for step := range c.Free + c.Nudged {
		beta, last := 0.0, copies(states)
		if step >= c.Free {
			beta = c.Beta
		}
		x.Step(beta)
		if step == c.Free-1 {
			t.settled = copies(states)
		}
		t.Energy = append(t.Energy, energy(l, one.X, states))
		for k, s := range states {
			moved := 0.0
			for j, v := range s {
				moved = max(moved, math.Abs(float64(v-last[k][j])))
			}
			t.Residual[k] = append(t.Residual[k], moved)
		}
	}
	return t, nil
}

// energy is that of one sample, of the states as a clip makes them: a prediction may be
// outside.
func energy(l *eqprop.Learner, x []tensor.Float, states [][]tensor.Float) float64 {
	c := l.Config()
	move, guess := c.Activation.Move(c.Step, lambda(c)), l.Guess()
	sum, s := 0.0, copies(states)
	for k := range s {
		for j, v := range s[k] {
			s[k][j] = min(max(v, move.Lo), move.Hi)
			sum += potential(c.Activation, float64(s[k][j])) - float64(s[k][j]*s[k][j])/2
			if p := c.Predictor; p != nil {
				d := float64(s[k][j] - guess[k][j])
				sum += p.Lambda / 2 * d * d
			}
		}
	}
	return sum + l.Net().Energy(x, s)
}

func copies(layers [][]tensor.Float) [][]tensor.Float {
	out := make([][]tensor.Float, len(layers))
	for k, s := range layers {
		out[k] = slices.Clone(s)
	}
	return out
}

// Warnings names the bounds of a stable and informative relaxation that the
// network breaks as it is now, and what to do. A batch shows whether the phases
// settle and units live, and by its first sample how max pooling couples; nil leaves
// that out.
func Warnings(l *eqprop.Learner, d *sample.Batch) ([]string, error) {
	c := l.Config()
	all := c.Warnings()
	if d == nil || d.Len() == 0 {
		return append(all, unstable(l, nil)...), nil
	}
	t, err := Follow(l, d)
	if err != nil {
		return nil, err
	}
	all = append(all, unstable(l, t.settled)...)
	for i, r := range t.Residual {
		if last := r[t.Free-1]; last > c.Beta/10 {
			all = append(all, fmt.Sprintf("layer %d still moves by %.2g in the last free step, above β/10 = %.2g: what is left of the relaxation is taken for learning, divided by β; take more free steps, or a larger β",
				i+1, last, c.Beta/10))
		}
	}
	p, err := l.Predict(context.Background(), d)
	if err != nil {
		return nil, err
	}
	for _, r := range p.Metrics.Rates {
		if r.Spikes == 0 {
			all = append(all, fmt.Sprintf("%s is dead: no unit is above zero for any of %d samples, and nothing passes it; lower the rates or draw weights anew", r.Layer, d.Len()))
		}
	}
	return all, nil
}

// unstable is the bound of the step where the network breaks it, with max pooling as
// the states make it. A sweep moves one layer at a time, within which nothing is
// coupled.
func unstable(l *eqprop.Learner, states [][]tensor.Float) []string {
	c := l.Config()
	norm, lambda := 0.0, lambda(c)
	if c.Schedule == eqprop.Simultaneous {
		norm = Norm(l.Net(), len(l.Free()), states)
	}
	bound := c.Step * (1 + lambda + norm)
	if bound < 2 {
		return nil
	}
	return []string{fmt.Sprintf("step %.3g with couplings of norm %.3g: ε(1 + λ + ‖A‖) = %.3g, stable below 2: states that are not clipped may swing for ever; take a step below %.3g",
		c.Step, norm, bound, 2/(1+lambda+norm))}
}
