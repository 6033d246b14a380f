package neuron

import (
	"errors"
	"fmt"
	"math"

	"synfire/surrogate"
	"synfire/tensor"
)

// ALIF is the leaky integrate-and-fire neuron with an adaptive threshold (Bellec
// et al., "Long short-term memory and learning-to-learn in networks of spiking
// neurons", 2018; "A solution to the learning dilemma for recurrent networks
// of spiking neurons", 2020). With u and v as in the package comment, the
// strength of the adaptation κ and its decay per step ρ,
//
//	s[t]   = 1 if u[t] ≥ θ + κ·a[t], else 0
//	a[t+1] = ρ·a[t] + s[t],   a[0] = 0
//
// so a spike raises the threshold from the next step on; a reset subtracts θ
// alone. What is recorded as the membrane is u − κ·a. A refractory unit's
// threshold goes on decaying.
//
// Errors pass through the adaptation: the spike in a is the surrogate's, the
// one of the reset is detached. With σ' at u − κ·a − θ,
//
//	∂z[t] = (∂s[t] + ∂a[t+1])·σ'
//	∂u[t] = ∂z[t] + ∂v[t]·k
//	∂a[t] = ρ·∂a[t+1] − κ·∂z[t]
type ALIF struct {
	Beta       float64 `yaml:"beta"`                  // β, what remains of the membrane after a step
	Threshold  float64 `yaml:"threshold"`             // θ, the fire level
	Adaptation float64 `yaml:"adaptation"`            // κ, what a spike adds to the threshold
	Rho        float64 `yaml:"rho"`                   // ρ, what remains of the adaptation after a step
	Leak       float64 `yaml:"leak,omitempty"`        // the resting potential, which the membrane decays to
	Strict     bool    `yaml:"strict"`                // fire above the threshold only, not at it
	Reset      Reset   `yaml:"reset"`                 // subtract, zero or none
	ResetValue float64 `yaml:"reset-value,omitempty"` // what reset zero sets the membrane to
	Gain       float64 `yaml:"gain,omitempty"`        // factor of the input; 0: 1
	DecayInput bool    `yaml:"decay-input"`           // scale the input by 1 − β
	Refractory int     `yaml:"refractory"`            // steps of silence after a spike
}

// Softener is a Neuron on whose state its own spikes act with an error that
// passes back through them. The check of gradients then needs soft spikes in
// that place, as after the layer: ForwardSoft is Forward, or Replay, with the
// primitive of s there. Resets are by hard spikes as ever.
type Softener interface {
	Neuron
	ForwardSoft(w Window, s surrogate.Surrogate, replay bool)
}

// Validate returns an error unless the threshold is positive, the adaptation
// not negative, and the decays in [0, 1], and for a ResetValue that no reset
// sets or that fires at once.
func (n ALIF) Validate() error {
	if err := checkDecay("alif", "beta", n.Beta); err != nil {
		return err
	}
	if err := checkDecay("alif", "rho", n.Rho); err != nil {
		return err
	}
	if !(n.Adaptation >= 0) || math.IsInf(n.Adaptation, 0) {
		return fmt.Errorf("neuron alif: adaptation is %v, want the rise of the threshold by a spike, 0 or more", n.Adaptation)
	}
	return errors.Join(checkFiring("alif", n.Threshold, n.Reset, n.Refractory), checkLevels("alif", n.Threshold, n.Leak, n.Reset, n.ResetValue, n.Gain))
}

// States is 2, the membrane and the adaptation, and with a refractory time 3:
// the steps of it that remain.
func (n ALIF) States() int { return n.firing().states(2) }

// Argument is the recorded membrane less θ, with slope 1.
func (n ALIF) Argument(u tensor.Float) (z, slope tensor.Float) { return argument(u, n.Threshold) }

// Forward runs the equations of the type's comment.
func (n ALIF) Forward(w Window) { n.scan(nil, false, w) }

// Replay runs the charge, the reset and the adaptation for given spikes.
func (n ALIF) Replay(w Window) { n.scan(nil, true, w) }

// ForwardSoft adapts the threshold by soft spikes.
func (n ALIF) ForwardSoft(w Window, s surrogate.Surrogate, replay bool) { n.scan(s, replay, w) }

func (n ALIF) scan(soft surrogate.Surrogate, replay bool, w Window) {
	f := n.firing()
	beta, gain, offset := tensor.Float(n.Beta), inputGain(orOne(n.Gain), n.Beta, n.DecayInput), tensor.Float(0)
	kappa, rho, theta := tensor.Float(n.Adaptation), tensor.Float(n.Rho), f.theta
	if n.each(w.Values) {
		f.each = new(units)
	}
	for lo := 0; lo < w.Units; lo += unitBlock {
		hi := min(lo+unitBlock, w.Units)
		v, a, pause := w.State[lo:hi], w.State[w.Units+lo:w.Units+hi], f.pauses(w.State, 2, w.Units, lo, hi)
		if f.each != nil {
			n.units(f.each, w.Values, lo, hi)
		}
		for t := range w.Steps {
			words := w.Spikes.Row(t, lo, hi-lo)
			if !replay {
				clear(words)
			}
			for i, xi := range w.Input.Row(t, lo, hi) {
				if e := f.each; e != nil {
					beta, gain, offset, kappa, rho, theta = e.beta[i], e.gain[i], e.offset[i], e.kappa[i], e.rho[i], e.theta[i]
				}
				z, spike := refractory, tensor.Float(0)
				if pause != nil && pause[i] > 0 {
					pause[i]--
				} else {
					m := tensor.Float(beta*v[i]) + (tensor.Float(gain*xi) + offset)
					z = m - tensor.Float(kappa*a[i])
					if f.fires(replay, z, words, i) {
						spike, m = 1, f.after(m, i)
						if pause != nil {
							pause[i] = f.pause
						}
					}
					v[i] = m
					if soft != nil {
						spike = soft.Primitive(z - theta)
					}
				}
				a[i] = tensor.Float(rho*a[i]) + spike
				if w.Membrane.Data != nil {
					w.Membrane.Data[t*w.Membrane.Stride+lo+i] = z
				}
			}
		}
	}
}

// Backward runs the equations of the type's comment.
func (n ALIF) Backward(e Errors) {
	f := n.firing()
	beta, gain := tensor.Float(n.Beta), inputGain(orOne(n.Gain), n.Beta, n.DecayInput)
	kappa, rho := tensor.Float(n.Adaptation), tensor.Float(n.Rho)
	if n.each(e.Values) {
		f.each = new(units)
	}
	var row [unitBlock]tensor.Float
	for lo := 0; lo < e.Units; lo += unitBlock {
		hi := min(lo+unitBlock, e.Units)
		gv, ga := e.State[lo:hi], e.State[e.Units+lo:e.Units+hi]
		if f.each != nil {
			n.units(f.each, e.Values, lo, hi)
		}
		for t := e.Steps - 1; t >= 0; t-- {
			m, gz, out := e.Membrane.Row(t, lo, hi), row[:len(gv)], e.Input.Row(t, lo, hi)
			for i, g := range e.Spikes.Row(t, lo, hi) {
				gz[i] = g + ga[i]
			}
			f.throughSpikes(gz, gz, m, e.Surrogate)
			for i, g := range gz {
				if u := f.each; u != nil {
					beta, gain, kappa, rho = u.beta[i], u.gain[i], u.kappa[i], u.rho[i]
				}
				ga[i] = tensor.Float(rho*ga[i]) - tensor.Float(kappa*g)
				if m[i] == refractory { // the membrane passes unchanged
					put(out, i, 0, e.Input.Stride)
					continue
				}
				if !f.cut(m[i], i) {
					g += gv[i]
				}
				gv[i] = beta * g
				put(out, i, gain*g, e.Input.Stride)
			}
		}
	}
}

func (n ALIF) firing() firing { return newFiring(n.Threshold, n.Strict, n.Reset, n.Refractory) }

// Options are threshold, beta, adaptation, rho, leak, reset-value and gain.
func (n ALIF) Options() []Option {
	return []Option{
		{"threshold", n.Threshold}, {"beta", n.Beta}, {"adaptation", n.Adaptation}, {"rho", n.Rho},
		{"leak", n.Leak}, {"reset-value", n.ResetValue}, {"gain", orOne(n.Gain)},
	}
}

// With is the neuron of a unit with these values of the Options.
func (n ALIF) With(values []float64) Neuron {
	n.Threshold, n.Beta, n.Adaptation, n.Rho = values[0], values[1], values[2], values[3]
	n.Leak, n.ResetValue, n.Gain = values[4], values[5], notZero(values[6])
	return n
}

// each reports whether units differ, or have a potential of rest or of reset.
func (n ALIF) each(v Values) bool { return len(v.Of) > 0 || n.Leak != 0 || n.ResetValue != 0 }

// units are the options of units [lo, hi) of a window.
func (n ALIF) units(u *units, v Values, lo, hi int) {
	for i := range hi - lo {
		o, at := n, lo+i
		o.Threshold = v.At(0, at, n.Threshold)
		beta := v.At(1, at, n.Beta)
		u.beta[i] = tensor.Float(beta)
		u.kappa[i] = tensor.Float(v.At(2, at, n.Adaptation))
		u.rho[i] = tensor.Float(v.At(3, at, n.Rho))
		u.offset[i] = rest(beta, v.At(4, at, n.Leak))
		u.gain[i] = inputGain(v.At(6, at, orOne(n.Gain)), beta, n.DecayInput)
		u.set(i, o.firing(), v.At(5, at, n.ResetValue))
	}
}
