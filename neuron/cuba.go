package neuron

import (
	"errors"
	"fmt"
	"math"

	"synfire/tensor"
)

// CuBaLIF is the leaky integrate-and-fire neuron with a current-based synapse:
// a filter before the membrane. With input x, current I, decays per step α and
// β, and u, s, v as in the package comment,
//
//	I[t] = α·I[t−1] + g·x[t]
//	u[t] = β·v[t−1] + (1 − β)·r + κ·I[t]     input of step t acts at t
//	     | β·v[t−1] + (1 − β)·r + κ·I[t−1]   where Delay: it acts at t+1
//
// The coupling κ is 1, 1 − β or the exact propagator, g is Gain. x is added after the
// decay of I, which goes on while a unit is refractory. Backwards, with ∂u as
// in the package comment,
//
//	∂I[t] = α·∂I[t+1] + κ·∂u[t]   (where Delay, κ·∂u[t+1]),   ∂x[t] = g·∂I[t]
//
// Exact is the solution of the equations τs·dI/dt = −I and τm·dv/dt = −v + I
// over a step Δ of constant decays α = exp(−Δ/τs) and β = exp(−Δ/τm), spikes
// arriving at its start or, with Delay, at its end (Rotter and Diesmann, "Exact
// digital simulation of time-invariant linear systems", 1999). A resistance or
// the gain of a synapse is a matter of the weights. See also Exactly, Norse,
// Lava and SnnTorchSynaptic.
type CuBaLIF struct {
	Alpha      float64  `yaml:"alpha"`                 // α, what remains of the current after a step
	Beta       float64  `yaml:"beta"`                  // β, what remains of the membrane after a step
	Coupling   Coupling `yaml:"coupling"`              // κ: unit, euler or exact
	Delay      bool     `yaml:"delay"`                 // input acts one step later
	Threshold  float64  `yaml:"threshold"`             // θ, the fire level
	Leak       float64  `yaml:"leak,omitempty"`        // the resting potential, which the membrane decays to
	Strict     bool     `yaml:"strict"`                // fire above the threshold only, not at it
	Reset      Reset    `yaml:"reset"`                 // subtract, zero or none
	ResetValue float64  `yaml:"reset-value,omitempty"` // what reset zero sets the membrane to
	Gain       float64  `yaml:"gain,omitempty"`        // g, the factor of the input; 0: 1
	Refractory int      `yaml:"refractory"`            // steps of silence after a spike
}

// Coupling says what part κ of a synapse's current charges the membrane in a
// step.
type Coupling uint8

const (
	Unit  Coupling = iota // "unit": κ = 1
	Euler                 // "euler": κ = 1 − β, Euler's method with β = 1 − Δ/τm
	Exact                 // "exact": κ = −ln β·(β − α)/(ln β − ln α), and −β·ln β for α = β
)

var couplingNames = [...]string{"unit", "euler", "exact"}

// String is the coupling's name in configuration files.
func (c Coupling) String() string {
	if int(c) < len(couplingNames) {
		return couplingNames[c]
	}
	return fmt.Sprintf("coupling(%d)", c)
}

// MarshalText is String.
func (c Coupling) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is the inverse of String.
func (c *Coupling) UnmarshalText(text []byte) error {
	for i, name := range couplingNames {
		if string(text) == name {
			*c = Coupling(i)
			return nil
		}
	}
	return fmt.Errorf("coupling %q: want unit, euler or exact", text)
}

// Validate returns an error unless the threshold is positive, Alpha and Beta
// are in [0, 1], for the exact coupling within (0, 1), and for a ResetValue
// that no reset sets or that fires at once.
func (n CuBaLIF) Validate() error {
	if err := checkDecay("cuba-lif", "alpha", n.Alpha); err != nil {
		return err
	}
	if err := checkDecay("cuba-lif", "beta", n.Beta); err != nil {
		return err
	}
	if int(n.Coupling) >= len(couplingNames) {
		return fmt.Errorf("neuron cuba-lif: %v: want unit, euler or exact", n.Coupling)
	}
	if k := n.Kappa(); !(k > 0) {
		return fmt.Errorf("neuron cuba-lif: with coupling %v, alpha %v and beta %v no current reaches the membrane; want decays between 0 and 1", n.Coupling, n.Alpha, n.Beta)
	}
	return errors.Join(checkFiring("cuba-lif", n.Threshold, n.Reset, n.Refractory), checkLevels("cuba-lif", n.Threshold, n.Leak, n.Reset, n.ResetValue, n.Gain))
}

// Kappa is κ, the part of a synapse's current that charges the membrane in a step.
func (n CuBaLIF) Kappa() float64 {
	switch n.Coupling {
	case Euler:
		return 1 - n.Beta
	case Exact:
		d := math.Log(n.Beta) - math.Log(n.Alpha)
		if d == 0 {
			return -math.Log(n.Beta) * n.Beta
		}
		return -math.Log(n.Beta) * n.Alpha * math.Expm1(d) / d
	}
	return 1
}

// States is 2, the membrane and the current, and with a refractory time 3: the
// steps of it that remain.
func (n CuBaLIF) States() int { return n.firing().states(2) }

// Argument is u − θ, with slope 1.
func (n CuBaLIF) Argument(u tensor.Float) (z, slope tensor.Float) { return argument(u, n.Threshold) }

// Forward runs the equations of the type's comment.
func (n CuBaLIF) Forward(w Window) { n.scan(false, w) }

// Replay runs the charge and the reset for given spikes.
func (n CuBaLIF) Replay(w Window) { n.scan(true, w) }

func (n CuBaLIF) scan(replay bool, w Window) {
	f := n.firing()
	alpha, beta, kappa := tensor.Float(n.Alpha), tensor.Float(n.Beta), tensor.Float(n.Kappa())
	if n.each(w.Values) {
		f.each = new(units)
	}
	var row [unitBlock]tensor.Float
	for lo := 0; lo < w.Units; lo += unitBlock {
		hi := min(lo+unitBlock, w.Units)
		v, current, pause, m := w.State[lo:hi], w.State[w.Units+lo:w.Units+hi], f.pauses(w.State, 2, w.Units, lo, hi), row[:hi-lo]
		if f.each != nil {
			n.units(f.each, w.Values, lo, hi)
		}
		for t := range w.Steps {
			if w.Membrane.Data != nil {
				m = w.Membrane.Row(t, lo, hi)
			}
			in := w.Input.Row(t, lo, hi)
			if f.each != nil {
				f.each.chargeCurrents(m, v, current, in, n.Delay)
				f.run(replay, m, v, pause, w.Spikes.Row(t, lo, hi-lo))
				continue
			}
			for i, c := range current[:len(m)] {
				now := tensor.Float(alpha*c) + in[i]
				current[i] = now
				if !n.Delay {
					c = now
				}
				m[i] = tensor.Float(beta*v[i]) + tensor.Float(kappa*c)
			}
			f.run(replay, m, v, pause, w.Spikes.Row(t, lo, hi-lo))
		}
	}
}

// chargeCurrents is a step of currents and membranes.
func (u *units) chargeCurrents(m, v, current, in []tensor.Float, delay bool) {
	for i, c := range current[:len(m)] {
		now := tensor.Float(u.alpha[i]*c) + tensor.Float(u.gain[i]*in[i])
		current[i] = now
		if !delay {
			c = now
		}
		m[i] = tensor.Float(u.beta[i]*v[i]) + (tensor.Float(u.kappa[i]*c) + u.offset[i])
	}
}

// Backward runs the equations of the type's comment.
func (n CuBaLIF) Backward(e Errors) {
	f := n.firing()
	alpha, beta, kappa, gain := tensor.Float(n.Alpha), tensor.Float(n.Beta), tensor.Float(n.Kappa()), tensor.Float(1)
	if n.each(e.Values) {
		f.each = new(units)
	}
	var row [unitBlock]tensor.Float
	for lo := 0; lo < e.Units; lo += unitBlock {
		hi := min(lo+unitBlock, e.Units)
		gv, gc := e.State[lo:hi], e.State[e.Units+lo:e.Units+hi]
		if f.each != nil {
			n.units(f.each, e.Values, lo, hi)
		}
		for t := e.Steps - 1; t >= 0; t-- {
			m, gu, out := e.Membrane.Row(t, lo, hi), row[:len(gv)], e.Input.Row(t, lo, hi)
			f.throughSpikes(gu, e.Spikes.Row(t, lo, hi), m, e.Surrogate)
			for i, g := range gu {
				if u := f.each; u != nil {
					alpha, beta, kappa, gain = u.alpha[i], u.beta[i], u.kappa[i], u.gain[i]
				}
				if m[i] == refractory { // the membrane passes unchanged
					g = 0
				} else {
					if !f.cut(m[i], i) {
						g += gv[i]
					}
					gv[i] = beta * g
				}
				now, before := gc[i], tensor.Float(kappa*g)
				if !n.Delay {
					now, before = now+before, 0
				}
				gc[i] = tensor.Float(alpha*now) + before
				put(out, i, gain*now, e.Input.Stride)
			}
		}
	}
}

func (n CuBaLIF) firing() firing {
	return newFiring(n.Threshold, n.Strict, n.Reset, n.Refractory)
}

// Options are threshold, alpha, beta, leak, reset-value and gain.
func (n CuBaLIF) Options() []Option {
	return []Option{
		{"threshold", n.Threshold}, {"alpha", n.Alpha}, {"beta", n.Beta},
		{"leak", n.Leak}, {"reset-value", n.ResetValue}, {"gain", orOne(n.Gain)},
	}
}

// With is the neuron of a unit with these values of the Options.
func (n CuBaLIF) With(values []float64) Neuron {
	n.Threshold, n.Alpha, n.Beta = values[0], values[1], values[2]
	n.Leak, n.ResetValue, n.Gain = values[3], values[4], notZero(values[5])
	return n
}

// each reports whether units differ, or have a potential of rest or of reset or
// a gain.
func (n CuBaLIF) each(v Values) bool {
	return len(v.Of) > 0 || n.Leak != 0 || n.ResetValue != 0 || orOne(n.Gain) != 1
}

// units are the options of units [lo, hi) of a window.
func (n CuBaLIF) units(u *units, v Values, lo, hi int) {
	for i := range hi - lo {
		o, at := n, lo+i
		o.Threshold = v.At(0, at, n.Threshold)
		o.Alpha = v.At(1, at, n.Alpha)
		o.Beta = v.At(2, at, n.Beta)
		u.alpha[i], u.beta[i], u.kappa[i] = tensor.Float(o.Alpha), tensor.Float(o.Beta), tensor.Float(o.Kappa())
		u.offset[i] = rest(o.Beta, v.At(3, at, n.Leak))
		u.gain[i] = tensor.Float(v.At(5, at, orOne(n.Gain)))
		u.set(i, o.firing(), v.At(4, at, n.ResetValue))
	}
}
