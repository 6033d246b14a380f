// Package neuron holds neuron models: one transition each, as a pure function
// of input and state.
//
// The integrate-and-fire family is, per unit and time step t,
//
//	u[t] = β·v[t−1] + g·x[t]            charge
//	s[t] = 1 if u[t] ≥ θ, else 0        fire  (u > θ where Strict)
//	v[t] = u[t] − θ·s[t]                reset by subtraction
//	     | u[t]·(1 − s[t])              reset to zero
//	     | u[t]                         no reset
//
// The reset acts in the step of the spike, input of step t acts at t, and the
// membrane reported is u, the one before the reset. Backwards, with the reset
// detached and σ' the surrogate of z = u − θ,
//
//	∂L/∂u[t] = ∂L/∂s[t]·σ'(z) + ∂L/∂v[t]·k,   k = 1 − s[t] for reset to zero, else 1
//	∂L/∂x[t] = g·∂L/∂u[t],   ∂L/∂v[t−1] = β·∂L/∂u[t].
package neuron

import (
	"fmt"
	"math"

	"synfire/internal/kernel"
	"synfire/surrogate"
	"synfire/tensor"
)

// Neuron is a model of a population of independent units. State and window are
// the caller's: a Neuron holds options only and may be shared.
//
// Slices of time are strided: value i of step t stands at [t·stride+i].
type Neuron interface {
	Validate() error
	// States is the number of state variables of a unit, all zero at rest.
	// The state of n units holds n of the first, then n of the second, ….
	States() int
	// Forward advances n units over steps. xs may be 0 (constant input). u
	// (nil, or strided by us) receives the membranes before reset; the spikes
	// of step t become the bits of spikes[t·ss:], unused bits cleared.
	Forward(steps, n int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int)
	// Replay is Forward with the spikes given instead of computed.
	Replay(steps, n int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int)
	// Backward turns errors at the spikes, gs, into errors at the input, gx
	// (gxs = 0: their sum over time is added to gx, last step first). gstate
	// is the error at the state, carried from the window's end to its start.
	Backward(steps, n int, s surrogate.Surrogate, u []tensor.Float, us int, gs []tensor.Float, gss int, gstate, gx []tensor.Float, gxs int)
	// Argument maps a membrane to the surrogate's argument and its slope.
	Argument(u tensor.Float) (z, slope tensor.Float)
}

// Reset says what a spike does to the membrane.
type Reset uint8

const (
	Subtract Reset = iota // "subtract": v = u − θ, also called soft reset
	Zero                  // "zero": v = 0, also called hard reset
	None                  // "none": v = u
)

var resetNames = [...]string{"subtract", "zero", "none"}

// String is the reset's name in configuration files.
func (r Reset) String() string {
	if int(r) < len(resetNames) {
		return resetNames[r]
	}
	return fmt.Sprintf("reset(%d)", r)
}

// MarshalText is String.
func (r Reset) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is the inverse of String.
func (r *Reset) UnmarshalText(text []byte) error {
	for i, name := range resetNames {
		if string(text) == name {
			*r = Reset(i)
			return nil
		}
	}
	return fmt.Errorf("reset %q: want subtract, zero or none", text)
}

// IF is the integrate-and-fire neuron without leak: β = 1, g = 1.
type IF struct {
	Threshold float64 `yaml:"threshold"`
	Strict    bool    `yaml:"strict"`
	Reset     Reset   `yaml:"reset"`
}

// LIF is the leaky integrate-and-fire neuron. Beta in [0, 1] is the part of
// the membrane that remains after a step, exp(−Δ/τ) for the exact solution
// (Decay) and 1 − Δ/τ for Euler's. With DecayInput the input is scaled by
// g = 1 − β, so that a constant input x drives the membrane towards x.
type LIF struct {
	Beta       float64 `yaml:"beta"`
	Threshold  float64 `yaml:"threshold"`
	Strict     bool    `yaml:"strict"`
	Reset      Reset   `yaml:"reset"`
	DecayInput bool    `yaml:"decay-input"`
}

// Decay is exp(−dt/tau), the exact decay of a membrane over dt.
func Decay(tau, dt float64) float64 { return math.Exp(-dt / tau) }

// Validate returns an error unless the threshold is positive.
func (n IF) Validate() error { return checkThreshold("if", n.Threshold, n.Reset) }

// Validate returns an error unless the threshold is positive and 0 ≤ Beta ≤ 1.
func (n LIF) Validate() error {
	if !(n.Beta >= 0 && n.Beta <= 1) {
		return fmt.Errorf("neuron lif: beta is %v, want a decay per step in [0, 1]", n.Beta)
	}
	return checkThreshold("lif", n.Threshold, n.Reset)
}

// States is 1: the membrane.
func (n IF) States() int { return 1 }

// States is 1: the membrane.
func (n LIF) States() int { return 1 }

// Argument is u − θ, with slope 1.
func (n IF) Argument(u tensor.Float) (z, slope tensor.Float) { return n.lif().Argument(u) }

// Argument is u − θ, with slope 1.
func (n LIF) Argument(u tensor.Float) (z, slope tensor.Float) {
	return u - tensor.Float(n.Threshold), 1
}

// Forward runs the equations of the package comment.
func (n IF) Forward(steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	n.lif().Forward(steps, units, x, xs, state, u, us, spikes, ss)
}

// Forward runs the equations of the package comment.
func (n LIF) Forward(steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	n.kernel().Forward(steps, x, xs, state[:units], u, us, spikes, ss)
}

// Replay runs the charge and the reset for given spikes.
func (n IF) Replay(steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	n.lif().Replay(steps, units, x, xs, state, u, us, spikes, ss)
}

// Replay runs the charge and the reset for given spikes.
func (n LIF) Replay(steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	k := n.kernel()
	for t := range steps {
		for i := range units {
			m := tensor.Float(k.Beta*state[i]) + tensor.Float(k.Gain*x[t*xs+i])
			u[t*us+i] = m
			if spikes[t*ss+i>>6]>>(i&63)&1 == 1 {
				switch n.Reset {
				case Subtract:
					m -= k.Amount
				case Zero:
					m = 0
				}
			}
			state[i] = m
		}
	}
}

// Backward runs the equations of the package comment.
func (n IF) Backward(steps, units int, s surrogate.Surrogate, u []tensor.Float, us int, gs []tensor.Float, gss int, gstate, gx []tensor.Float, gxs int) {
	n.lif().Backward(steps, units, s, u, us, gs, gss, gstate, gx, gxs)
}

// Backward runs the equations of the package comment, by a kernel where the
// surrogate has one.
func (n LIF) Backward(steps, units int, s surrogate.Surrogate, u []tensor.Float, us int, gs []tensor.Float, gss int, gstate, gx []tensor.Float, gxs int) {
	k := n.kernel()
	if fast, ok := s.(surrogate.Fast); ok {
		ks := fast.Kernel()
		ks.Theta = tensor.Float(n.Threshold)
		k.Backward(steps, ks, u, us, gs, gss, gstate[:units], gx, gxs)
		return
	}
	for t := steps - 1; t >= 0; t-- {
		for i := range units {
			m := u[t*us+i]
			z, slope := n.Argument(m)
			g := gs[t*gss+i] * s.Derivative(z) * slope
			if n.Reset != Zero || m < k.Fire {
				g += gstate[i]
			}
			gstate[i] = k.Beta * g
			if gxs == 0 {
				gx[i] += k.Gain * g
			} else {
				gx[t*gxs+i] = k.Gain * g
			}
		}
	}
}

func (n IF) lif() LIF {
	return LIF{Beta: 1, Threshold: n.Threshold, Strict: n.Strict, Reset: n.Reset}
}

func (n LIF) kernel() kernel.LIF {
	k := kernel.LIF{
		Beta:   tensor.Float(n.Beta),
		Gain:   1,
		Fire:   tensor.Float(n.Threshold),
		Amount: tensor.Float(n.Threshold),
		Reset:  kernel.Reset(n.Reset),
	}
	if n.DecayInput {
		k.Gain = tensor.Float(1 - n.Beta)
	}
	if n.Strict { // u > θ is u ≥ the next number above θ: one comparison for both
		k.Fire = nextAbove(k.Fire)
	}
	return k
}

// nextAbove is the smallest Float greater than x, for finite positive x.
func nextAbove(x tensor.Float) tensor.Float {
	step := x // halve until the smallest step that still changes x
	for x+step/2 > x {
		step /= 2
	}
	return x + step
}

func checkThreshold(kind string, threshold float64, reset Reset) error {
	if !(threshold > 0) || math.IsInf(threshold, 0) {
		return fmt.Errorf("neuron %s: threshold is %v, want a positive number (1 is usual)", kind, threshold)
	}
	if int(reset) >= len(resetNames) {
		return fmt.Errorf("neuron %s: %v: want subtract, zero or none", kind, reset)
	}
	return nil
}
