package main

import (
	"fmt"

	"synfire/neuron"
	"synfire/tensor"
)

// BoundedLIF is a leaky integrate-and-fire neuron whose membrane cannot fall
// below −Floor, as some neuromorphic chips have it:
//
//	u[t] = β·v[t−1] + x[t],   s[t] = 1 if u[t] ≥ θ, else 0
//	v[t] = max(u[t] − θ·s[t], −Floor)
//
// Backwards, with the reset detached and σ' the surrogate of z = u − θ,
//
//	∂u[t] = ∂s[t]·σ'(z) + ∂v[t]·k,   k = 0 at the floor, else 1
//	∂x[t] = ∂u[t],   ∂v[t−1] = β·∂u[t].
type BoundedLIF struct {
	Beta      float64 `yaml:"beta"`      // what remains of the membrane after a step
	Threshold float64 `yaml:"threshold"` // θ
	Floor     float64 `yaml:"floor"`
}

// Validate returns an error for options out of range.
func (n BoundedLIF) Validate() error {
	if n.Beta < 0 || n.Beta > 1 || !(n.Threshold > 0) || !(n.Floor >= 0) {
		return fmt.Errorf("bounded-lif: beta %v, threshold %v, floor %v: want beta in [0, 1], a positive threshold and a floor that is not negative", n.Beta, n.Threshold, n.Floor)
	}
	return nil
}

// States is 1, the membrane.
func (BoundedLIF) States() int { return 1 }

// Argument is u − θ, with slope 1.
func (n BoundedLIF) Argument(u tensor.Float) (z, slope tensor.Float) {
	return u - tensor.Float(n.Threshold), 1
}

// after is the membrane after a step, and whether it stands at the floor.
func (n BoundedLIF) after(u tensor.Float, spike bool) (v tensor.Float, floor bool) {
	if spike {
		u -= tensor.Float(n.Threshold)
	}
	low := tensor.Float(-n.Floor)
	return max(u, low), u < low
}

// Forward runs the equations.
func (n BoundedLIF) Forward(w neuron.Window) { n.run(false, w) }

// Replay runs them for given spikes.
func (n BoundedLIF) Replay(w neuron.Window) { n.run(true, w) }

func (n BoundedLIF) run(given bool, w neuron.Window) {
	beta, theta, v := tensor.Float(n.Beta), tensor.Float(n.Threshold), w.State
	for t := range w.Steps {
		x, row := w.Input.Row(t, 0, w.Units), w.Spikes.Row(t, 0, w.Units)
		if !given {
			clear(row)
		}
		for i := range w.Units {
			now := beta*v[i] + x[i]
			if !given && now >= theta {
				row[i/64] |= 1 << (i % 64)
			}
			if w.Membrane.Data != nil {
				w.Membrane.Row(t, 0, w.Units)[i] = now
			}
			v[i], _ = n.after(now, row[i/64]>>(i%64)&1 == 1)
		}
	}
}

// Backward runs the equations from the last step to the first.
func (n BoundedLIF) Backward(e neuron.Errors) {
	gv := e.State
	for t := e.Steps - 1; t >= 0; t-- {
		u, gs, gx := e.Membrane.Row(t, 0, e.Units), e.Spikes.Row(t, 0, e.Units), e.Input.Row(t, 0, e.Units)
		for i, now := range u {
			z, _ := n.Argument(now)
			du := gs[i] * e.Surrogate.Derivative(z)
			if _, floor := n.after(now, z >= 0); !floor {
				du += gv[i]
			}
			if e.Input.Stride == 0 {
				gx[i] += du
			} else {
				gx[i] = du
			}
			gv[i] = tensor.Float(n.Beta) * du
		}
	}
}
