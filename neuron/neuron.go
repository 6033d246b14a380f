// Package neuron holds neuron models: one transition each, as a pure function
// of input and state.
//
// The integrate-and-fire family is, per unit and time step t,
//
//	u[t] = β·v[t−1] + (1 − β)·r + g·x[t]   charge
//	s[t] = 1 if u[t] ≥ θ, else 0           fire  (u > θ where Strict)
//	v[t] = u[t] − θ·s[t]                   reset by subtraction
//	     | u[t]·(1 − s[t]) + z·s[t]        reset to zero, or to the value z
//	     | u[t]                            no reset
//
// with the resting potential r (Leak) and the value z (ResetValue) 0 by default.
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
//
// With a Floor f < 0 a membrane that is not reset is carried on as max(u[t], f), and where it was
// below no error passes through the state, k = 0.
//
// Options such as the threshold hold for all units, or differ from unit to unit
// by arrays that the caller holds (Variable, Values). Where nothing differs and
// r = z = 0, IF and LIF run in kernels.
package neuron

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

	"synfire/internal/kernel"
	"synfire/surrogate"
	"synfire/tensor"
)

// Neuron is a model of a population of independent units. State and windows are
// the caller's: a Neuron holds options only and may be shared.
type Neuron interface {
	Validate() error
	// States is the number of state variables of a unit, all zero at the start.
	// The state of n units holds n of the first, the membrane, then n of the
	// second, ….
	States() int
	// Forward advances the units over a window.
	Forward(w Window)
	// Replay is Forward with the spikes given instead of computed.
	Replay(w Window)
	// Backward turns the errors at the spikes of a window into those at its input.
	Backward(e Errors)
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

// IF is the integrate-and-fire neuron without leak: β = 1, g = Gain. Refractory is
// the number of steps after a spike in which a unit holds its membrane.
//
//	u[t] = v[t−1] + g·x[t],  s[t] = 1 if u[t] ≥ θ, else 0
//	v[t] = u[t] − a·s[t], or as Reset says
//
// The amount a of a reset by subtraction is θ unless Amount says otherwise. A neuron of
// the threshold a that starts from v0 is one of the threshold a − v0 that starts from 0,
// as all do here.
type IF struct {
	Threshold  float64 `yaml:"threshold"`             // θ, the fire level
	Strict     bool    `yaml:"strict"`                // fire above the threshold only, not at it
	Reset      Reset   `yaml:"reset"`                 // subtract, zero or none
	ResetValue float64 `yaml:"reset-value,omitempty"` // what reset zero sets the membrane to
	Gain       float64 `yaml:"gain,omitempty"`        // g, the factor of the input; 0: 1
	Floor      float64 `yaml:"floor,omitempty"`       // the least membrane that is carried on, below 0; 0: none
	Refractory int     `yaml:"refractory"`            // steps of silence after a spike
	Amount     float64 `yaml:"amount,omitempty"`      // a, what reset subtract takes from the membrane; 0: the threshold
}

// LIF is the leaky integrate-and-fire neuron. Beta in [0, 1] is the part of
// the membrane that remains after a step, exp(−Δ/τ) for the exact solution
// (Decay) and 1 − Δ/τ for Euler's. With DecayInput the input is scaled by
// g = Gain·(1 − β), so that a constant input x drives the membrane towards
// Leak + Gain·x. It starts from 0, not from Leak.
//
// With Delayed a reset by subtraction acts one step after its spike and does
// not decay, u[t+1] = β·u[t] + g·x[t+1] − θ·s[t], which is v = u − s·θ/β.
// Refractory is the number of steps after a spike in which a unit holds its
// membrane, ignores its input and does not fire.
//
//	u[t] = β·v[t−1] + (1 − β)·r + g·x[t],  s[t] = 1 if u[t] ≥ θ, else 0
//	v[t] = u[t] − θ·s[t], or as Reset says
//
// With ResetGradient the reset is not detached: what it takes away by a spike passes
// its error to the spike, as in spatio-temporal backpropagation (Wu et al., Front.
// Neurosci. 12:331, 2018),
//
//	∂s[t] ← ∂s[t] + ∂v[t]·(v' − u[t]),   v' the membrane after a reset
type LIF struct {
	Beta       float64 `yaml:"beta"`                  // β, what remains of the membrane after a step
	Threshold  float64 `yaml:"threshold"`             // θ, the fire level
	Leak       float64 `yaml:"leak,omitempty"`        // the resting potential, which the membrane decays to
	Strict     bool    `yaml:"strict"`                // fire above the threshold only, not at it
	Reset      Reset   `yaml:"reset"`                 // subtract, zero or none
	ResetValue float64 `yaml:"reset-value,omitempty"` // what reset zero sets the membrane to
	Gain       float64 `yaml:"gain,omitempty"`        // factor of the input; 0: 1
	Floor      float64 `yaml:"floor,omitempty"`       // the least membrane that is carried on, below 0; 0: none
	DecayInput bool    `yaml:"decay-input"`           // scale the input by 1 − β
	Delayed    bool    `yaml:"delayed"`               // the reset acts one step later
	Refractory int     `yaml:"refractory"`            // steps of silence after a spike

	ResetGradient bool `yaml:"reset-gradient,omitempty"` // errors pass through the reset too

	amount float64 // of IF
}

// Decay is exp(−dt/tau), the exact decay of a membrane over dt.
func Decay(tau, dt float64) float64 { return math.Exp(-dt / tau) }

// Validate returns an error unless the threshold is positive, for a ResetValue
// that no reset sets or that fires at once, for an Amount that no reset takes, and for
// a Floor that is not below 0 and the ResetValue.
func (n IF) Validate() error {
	if !(n.Amount >= 0) || math.IsInf(n.Amount, 0) || n.Amount > 0 && n.Reset != Subtract {
		return fmt.Errorf("neuron if: amount is %v with reset %v, want a positive number with reset subtract; leave it out for the threshold", n.Amount, n.Reset)
	}
	return errors.Join(checkFiring("if", n.Threshold, n.Reset, n.Refractory), checkLevels("if", n.Threshold, 0, n.Reset, n.ResetValue, n.Gain), checkFloor("if", n.Floor, n.ResetValue))
}

// Validate returns an error unless the threshold is positive and 0 ≤ Beta ≤ 1,
// for a Delayed reset that is not by subtraction or has no Beta to act through,
// for a ResetValue that no reset sets or that fires at once, for a ResetGradient
// without a reset, and for a Floor that is not below 0 and the ResetValue.
func (n LIF) Validate() error {
	if err := checkDecay("lif", "beta", n.Beta); err != nil {
		return err
	}
	if n.Delayed && (n.Reset != Subtract || n.Beta == 0) {
		return fmt.Errorf("neuron lif: delayed with reset %v and beta %v, want reset subtract and a positive beta; leave delayed out", n.Reset, n.Beta)
	}
	if n.ResetGradient && n.Reset == None {
		return fmt.Errorf("neuron lif: reset-gradient with reset none, where no error passes; leave it out, or give reset zero or subtract")
	}
	if n.ResetGradient && n.Floor != 0 || n.Delayed && n.Floor != 0 {
		return fmt.Errorf("neuron lif: floor %v with reset-gradient or delayed, which know none; leave one of them out", n.Floor)
	}
	return errors.Join(checkFiring("lif", n.Threshold, n.Reset, n.Refractory), checkLevels("lif", n.Threshold, n.Leak, n.Reset, n.ResetValue, n.Gain), checkFloor("lif", n.Floor, n.ResetValue))
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
func (n IF) Forward(w Window) { n.lif().forward(w, ifValues) }

// Forward runs the equations of the package comment, by a kernel where all units
// are alike and rest at 0.
func (n LIF) Forward(w Window) { n.forward(w, lifValues) }

// Replay runs the charge and the reset for given spikes.
func (n IF) Replay(w Window) { n.lif().scan(true, w, ifValues) }

// Replay runs the charge and the reset for given spikes.
func (n LIF) Replay(w Window) { n.scan(true, w, lifValues) }

// ForwardSoft resets by soft spikes where errors pass through the reset.
func (n LIF) ForwardSoft(w Window, s surrogate.Surrogate, replay bool) {
	switch {
	case n.ResetGradient:
		n.scanSoft(s, replay, w, lifValues)
	case replay:
		n.Replay(w)
	default:
		n.Forward(w)
	}
}

// Backward runs the equations of the package comment.
func (n IF) Backward(e Errors) { n.lif().backward(e, ifValues) }

// Backward runs the equations of the package comment, by a kernel where all units
// are alike and the surrogate has one.
func (n LIF) Backward(e Errors) { n.backward(e, lifValues) }

func (n LIF) forward(w Window, order lifOrder) {
	if n.Refractory > 0 || n.each(w.Values) {
		n.scan(false, w, order)
		return
	}
	n.kernel().Forward(w.Steps, w.Input.Data, w.Input.Stride, w.State[:w.Units], w.Membrane.Data, w.Membrane.Stride, w.Spikes.Data, w.Spikes.Stride)
}

func (n LIF) backward(e Errors, order lifOrder) {
	fast, ok := e.Surrogate.(surrogate.Fast)
	if !ok || n.Refractory > 0 || n.ResetGradient && e.Soft || n.each(e.Values) {
		n.scanBack(e, order)
		return
	}
	ks := fast.Kernel()
	ks.Theta = tensor.Float(n.Threshold)
	if n.ResetGradient {
		n.resetBack(e, ks)
		return
	}
	n.kernel().Backward(e.Steps, ks, e.Membrane.Data, e.Membrane.Stride, e.Spikes.Data, e.Spikes.Stride, e.State[:e.Units], e.Input.Data, e.Input.Stride)
}

func (n IF) lif() LIF {
	return LIF{Beta: 1, Threshold: n.Threshold, Strict: n.Strict, Reset: n.Reset, ResetValue: n.ResetValue, Gain: n.Gain, Floor: n.Floor, Refractory: n.Refractory, amount: n.Amount}
}

func (n LIF) kernel() kernel.LIF {
	f := n.firing()
	return kernel.LIF{Beta: tensor.Float(n.Beta), Gain: n.inputGain(), Fire: f.fire, Amount: f.amount, Reset: kernel.Reset(f.reset)}
}

func (n LIF) firing() firing {
	f := newFiring(n.Threshold, n.Strict, n.Reset, n.Refractory)
	if n.Floor < 0 {
		f.floor = tensor.Float(n.Floor)
	}
	switch {
	case n.Delayed:
		f.amount = tensor.Float(n.Threshold / n.Beta)
	case n.amount > 0:
		f.amount = tensor.Float(n.amount)
	}
	return f
}

// inputGain is g.
func (n LIF) inputGain() tensor.Float { return inputGain(orOne(n.Gain), n.Beta, n.DecayInput) }

// inputGain is g of a neuron whose Gain is gain.
func inputGain(gain, beta float64, decayInput bool) tensor.Float {
	if decayInput {
		return tensor.Float(gain * (1 - beta))
	}
	return tensor.Float(gain)
}

// lifOrder is where the values of threshold, beta, leak, reset-value and gain
// stand in Values.Of; −1 for those that a model does not have.
type lifOrder [5]int

var (
	ifValues  = lifOrder{0, -1, -1, 1, 2}
	lifValues = lifOrder{0, 1, 2, 3, 4}
)

// Options are threshold, reset-value and gain.
func (n IF) Options() []Option {
	return []Option{{"threshold", n.Threshold}, {"reset-value", n.ResetValue}, {"gain", orOne(n.Gain)}}
}

// With is the neuron of a unit with these values of the Options.
func (n IF) With(values []float64) Neuron {
	n.Threshold, n.ResetValue, n.Gain = values[0], values[1], notZero(values[2])
	return n
}

// Options are threshold, beta, leak, reset-value and gain.
func (n LIF) Options() []Option {
	return []Option{{"threshold", n.Threshold}, {"beta", n.Beta}, {"leak", n.Leak}, {"reset-value", n.ResetValue}, {"gain", orOne(n.Gain)}}
}

// With is the neuron of a unit with these values of the Options.
func (n LIF) With(values []float64) Neuron {
	n.Threshold, n.Beta, n.Leak, n.ResetValue, n.Gain = values[0], values[1], values[2], values[3], notZero(values[4])
	return n
}

// each reports whether units differ, or do what the kernels do not.
func (n LIF) each(v Values) bool {
	return len(v.Of) > 0 || n.Leak != 0 || n.ResetValue != 0 || n.Floor != 0
}

// units are the options of units [lo, hi) of a window.
func (n LIF) units(u *units, v Values, order lifOrder, lo, hi int) {
	for i := range hi - lo {
		o, at := n, lo+i
		o.Threshold = v.At(order[0], at, n.Threshold)
		o.Beta = v.At(order[1], at, n.Beta)
		o.Leak = v.At(order[2], at, n.Leak)
		o.ResetValue = v.At(order[3], at, n.ResetValue)
		gain := v.At(order[4], at, orOne(n.Gain))
		u.beta[i], u.gain[i], u.offset[i] = tensor.Float(o.Beta), inputGain(gain, o.Beta, n.DecayInput), rest(o.Beta, o.Leak)
		u.set(i, o.firing(), o.ResetValue)
	}
}

// rest is what the resting potential adds to a membrane in a step.
func rest(beta, leak float64) tensor.Float { return tensor.Float((1 - beta) * leak) }

// orOne is a gain as its option gives it, where 0 means 1.
func orOne(gain float64) float64 {
	if gain == 0 {
		return 1
	}
	return gain
}

// notZero is a gain as an option, where 0 would mean 1: what rounds to 0 instead.
func notZero(gain float64) float64 {
	if gain == 0 {
		return math.SmallestNonzeroFloat64
	}
	return gain
}

// Kind is the name of a neuron's kind as files of runs have it: cuba-lif of CuBaLIF. A test of
// package model holds it against the table of kinds.
func Kind(n Neuron) string {
	t := reflect.TypeOf(n)
	if t == nil {
		return "none"
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return strings.ToLower(strings.ReplaceAll(t.Name(), "CuBaLIF", "cuba-lif"))
}
