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
//
// With a refractory time of R steps, a unit that fired at t holds its membrane,
// ignores its input and does not fire at t+1 … t+R: v[t+1] = v[t], and so with
// the error at v. The number of steps that remain is a state variable, through
// which no error passes. A refractory unit's membrane is recorded as −∞, which
// is how Backward knows it: its spike is 0 whatever its input, with derivative 0.
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
	// of step t become the bits of spikes[t·ss:], unused bits cleared. u may be x.
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

// IF is the integrate-and-fire neuron without leak: β = 1, g = 1. Refractory is
// the number of steps after a spike in which a unit holds its membrane.
type IF struct {
	Threshold  float64 `yaml:"threshold"`  // θ, the fire level
	Strict     bool    `yaml:"strict"`     // fire above the threshold only, not at it
	Reset      Reset   `yaml:"reset"`      // subtract, zero or none
	Refractory int     `yaml:"refractory"` // steps of silence after a spike
}

// LIF is the leaky integrate-and-fire neuron. Beta in [0, 1] is the part of
// the membrane that remains after a step, exp(−Δ/τ) for the exact solution
// (Decay) and 1 − Δ/τ for Euler's. With DecayInput the input is scaled by
// g = 1 − β, so that a constant input x drives the membrane towards x.
//
// With Delayed a reset by subtraction acts one step after its spike and does
// not decay, u[t+1] = β·u[t] + g·x[t+1] − θ·s[t], which is v = u − s·θ/β.
// Refractory is the number of steps after a spike in which a unit holds its
// membrane, ignores its input and does not fire.
type LIF struct {
	Beta       float64 `yaml:"beta"`        // β, what remains of the membrane after a step
	Threshold  float64 `yaml:"threshold"`   // θ, the fire level
	Strict     bool    `yaml:"strict"`      // fire above the threshold only, not at it
	Reset      Reset   `yaml:"reset"`       // subtract, zero or none
	DecayInput bool    `yaml:"decay-input"` // scale the input by 1 − β
	Delayed    bool    `yaml:"delayed"`     // the reset acts one step later
	Refractory int     `yaml:"refractory"`  // steps of silence after a spike
}

// Decay is exp(−dt/tau), the exact decay of a membrane over dt.
func Decay(tau, dt float64) float64 { return math.Exp(-dt / tau) }

// Validate returns an error unless the threshold is positive.
func (n IF) Validate() error { return checkFiring("if", n.Threshold, n.Reset, n.Refractory) }

// Validate returns an error unless the threshold is positive and 0 ≤ Beta ≤ 1,
// and for a Delayed reset that is not by subtraction or has no Beta to act
// through.
func (n LIF) Validate() error {
	if err := checkDecay("lif", "beta", n.Beta); err != nil {
		return err
	}
	if n.Delayed && (n.Reset != Subtract || n.Beta == 0) {
		return fmt.Errorf("neuron lif: delayed with reset %v and beta %v, want reset subtract and a positive beta; leave delayed out", n.Reset, n.Beta)
	}
	return checkFiring("lif", n.Threshold, n.Reset, n.Refractory)
}

// States is 1, the membrane, and with a refractory time 2: the steps of it
// that remain.
func (n IF) States() int { return n.lif().States() }

// States is 1, the membrane, and with a refractory time 2: the steps of it
// that remain.
func (n LIF) States() int { return n.firing().states(1) }

// Argument is u − θ, with slope 1.
func (n IF) Argument(u tensor.Float) (z, slope tensor.Float) { return n.lif().Argument(u) }

// Argument is u − θ, with slope 1.
func (n LIF) Argument(u tensor.Float) (z, slope tensor.Float) { return argument(u, n.Threshold) }

// Forward runs the equations of the package comment.
func (n IF) Forward(steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	n.lif().Forward(steps, units, x, xs, state, u, us, spikes, ss)
}

// Forward runs the equations of the package comment.
func (n LIF) Forward(steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	if n.Refractory > 0 {
		n.scan(false, steps, units, x, xs, state, u, us, spikes, ss)
		return
	}
	n.kernel().Forward(steps, x, xs, state[:units], u, us, spikes, ss)
}

// Replay runs the charge and the reset for given spikes.
func (n IF) Replay(steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	n.lif().Replay(steps, units, x, xs, state, u, us, spikes, ss)
}

// Replay runs the charge and the reset for given spikes.
func (n LIF) Replay(steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	n.scan(true, steps, units, x, xs, state, u, us, spikes, ss)
}

// Backward runs the equations of the package comment.
func (n IF) Backward(steps, units int, s surrogate.Surrogate, u []tensor.Float, us int, gs []tensor.Float, gss int, gstate, gx []tensor.Float, gxs int) {
	n.lif().Backward(steps, units, s, u, us, gs, gss, gstate, gx, gxs)
}

// Backward runs the equations of the package comment, by a kernel where the
// surrogate has one.
func (n LIF) Backward(steps, units int, s surrogate.Surrogate, u []tensor.Float, us int, gs []tensor.Float, gss int, gstate, gx []tensor.Float, gxs int) {
	fast, ok := s.(surrogate.Fast)
	if !ok || n.Refractory > 0 {
		n.scanBack(steps, units, s, u, us, gs, gss, gstate, gx, gxs)
		return
	}
	ks := fast.Kernel()
	ks.Theta = tensor.Float(n.Threshold)
	n.kernel().Backward(steps, ks, u, us, gs, gss, gstate[:units], gx, gxs)
}

func (n IF) lif() LIF {
	return LIF{Beta: 1, Threshold: n.Threshold, Strict: n.Strict, Reset: n.Reset, Refractory: n.Refractory}
}

func (n LIF) kernel() kernel.LIF {
	f := n.firing()
	return kernel.LIF{Beta: tensor.Float(n.Beta), Gain: inputGain(n.Beta, n.DecayInput), Fire: f.fire, Amount: f.amount, Reset: kernel.Reset(f.reset)}
}

func (n LIF) firing() firing {
	f := newFiring(n.Threshold, n.Strict, n.Reset, n.Refractory)
	if n.Delayed {
		f.amount = tensor.Float(n.Threshold / n.Beta)
	}
	return f
}

// inputGain is g.
func inputGain(beta float64, decayInput bool) tensor.Float {
	if decayInput {
		return tensor.Float(1 - beta)
	}
	return 1
}
