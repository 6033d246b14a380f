package neuron

import (
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
	Beta       float64 `yaml:"beta"`        // β, what remains of the membrane after a step
	Threshold  float64 `yaml:"threshold"`   // θ, the fire level
	Adaptation float64 `yaml:"adaptation"`  // κ, what a spike adds to the threshold
	Rho        float64 `yaml:"rho"`         // ρ, what remains of the adaptation after a step
	Strict     bool    `yaml:"strict"`      // fire above the threshold only, not at it
	Reset      Reset   `yaml:"reset"`       // subtract, zero or none
	DecayInput bool    `yaml:"decay-input"` // scale the input by 1 − β
	Refractory int     `yaml:"refractory"`  // steps of silence after a spike
}

// Scan is the type of Neuron's Forward and Replay.
type Scan func(steps, n int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int)

// Softener is a Neuron on whose state its own spikes act with an error that
// passes back through them. The check of gradients then needs soft spikes in
// that place, as after the layer: Soften returns Forward, or Replay, with the
// primitive of s there. Resets are by hard spikes as ever.
type Softener interface {
	Neuron
	Soften(s surrogate.Surrogate, replay bool) Scan
}

// Validate returns an error unless the threshold is positive, the adaptation
// not negative, and the decays in [0, 1].
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
	return checkFiring("alif", n.Threshold, n.Reset, n.Refractory)
}

// States is 2, the membrane and the adaptation, and with a refractory time 3:
// the steps of it that remain.
func (n ALIF) States() int { return n.firing().states(2) }

// Argument is the recorded membrane less θ, with slope 1.
func (n ALIF) Argument(u tensor.Float) (z, slope tensor.Float) { return argument(u, n.Threshold) }

// Forward runs the equations of the type's comment.
func (n ALIF) Forward(steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	n.scan(nil, false, steps, units, x, xs, state, u, us, spikes, ss)
}

// Replay runs the charge, the reset and the adaptation for given spikes.
func (n ALIF) Replay(steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	n.scan(nil, true, steps, units, x, xs, state, u, us, spikes, ss)
}

// Soften adapts the threshold by soft spikes.
func (n ALIF) Soften(s surrogate.Surrogate, replay bool) Scan {
	return func(steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
		n.scan(s, replay, steps, units, x, xs, state, u, us, spikes, ss)
	}
}

func (n ALIF) scan(soft surrogate.Surrogate, replay bool, steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	f, pause := n.firing(), n.firing().pauses(state, 2, units, 0, units)
	beta, gain := tensor.Float(n.Beta), inputGain(n.Beta, n.DecayInput)
	kappa, rho := tensor.Float(n.Adaptation), tensor.Float(n.Rho)
	v, a := state[:units], state[units:2*units]
	for t := range steps {
		in, words := x[t*xs:][:units], spikes[t*ss:][:(units+63)/64]
		if !replay {
			clear(words)
		}
		for i, xi := range in {
			z, spike := refractory, tensor.Float(0)
			if pause != nil && pause[i] > 0 {
				pause[i]--
			} else {
				m := tensor.Float(beta*v[i]) + tensor.Float(gain*xi)
				z = m - tensor.Float(kappa*a[i])
				if f.fires(replay, z, words, i) {
					spike, m = 1, f.after(m)
					if pause != nil {
						pause[i] = f.pause
					}
				}
				v[i] = m
				if soft != nil {
					spike = soft.Primitive(z - f.theta)
				}
			}
			a[i] = tensor.Float(rho*a[i]) + spike
			if u != nil {
				u[t*us+i] = z
			}
		}
	}
}

// Backward runs the equations of the type's comment.
func (n ALIF) Backward(steps, units int, s surrogate.Surrogate, u []tensor.Float, us int, gs []tensor.Float, gss int, gstate, gx []tensor.Float, gxs int) {
	f, beta, gain := n.firing(), tensor.Float(n.Beta), inputGain(n.Beta, n.DecayInput)
	kappa, rho := tensor.Float(n.Adaptation), tensor.Float(n.Rho)
	var row [unitBlock]tensor.Float
	for lo := 0; lo < units; lo += unitBlock {
		hi := min(lo+unitBlock, units)
		gv, ga := gstate[lo:hi], gstate[units+lo:units+hi]
		for t := steps - 1; t >= 0; t-- {
			m, gz, out := u[t*us+lo:][:len(gv)], row[:len(gv)], gx[t*gxs+lo:][:len(gv)]
			for i, g := range gs[t*gss+lo:][:len(gz)] {
				gz[i] = g + ga[i]
			}
			f.throughSpikes(gz, gz, m, s)
			for i, g := range gz {
				ga[i] = tensor.Float(rho*ga[i]) - tensor.Float(kappa*g)
				if m[i] == refractory { // the membrane passes unchanged
					put(out, i, 0, gxs)
					continue
				}
				if !f.cut(m[i]) {
					g += gv[i]
				}
				gv[i] = beta * g
				put(out, i, gain*g, gxs)
			}
		}
	}
}

func (n ALIF) firing() firing { return newFiring(n.Threshold, n.Strict, n.Reset, n.Refractory) }
