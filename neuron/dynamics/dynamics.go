// Package dynamics has neurons in the units of physiology: differential equations in ms, mV, pA,
// nS and pF that a current drives, to be looked at one by one. Neurons that networks are trained
// with, on steps and without units, are those of package neuron.
//
//	Izhikevich   v' = 0.04v² + 5v + 140 − u + I,  u' = a(bv − u)
//	AdEx         C v' = −g(v − E) + gΔ·e^((v − V_T)/Δ) + I − w,  τ_w w' = a(v − E) − w
//	LIF          C v' = −g(v − E) + I + i,  τ_s i' = −i
//	Conductance  C v' = −g(v − E) − g_e(v − E_e) − g_i(v − E_i) + I
//	SRM0         u = E + ∫κ(s)·I(t − s)ds + η(t − t̂)
//
// A Model is options; its Cell is one neuron at rest, which takes a current for a step of Δ ms
// and says its membrane, before the reset, and whether it fired. LIF and SRM0 are linear between
// their spikes and are solved exactly for currents that stand still within a step; the conductance
// neuron is solved exactly for conductances that do; the others by the schemes that they name.
//
// Patterns are the firing patterns that the models are known by, each with its current.
//
// Izhikevich, IEEE Trans. Neural Netw. 14:1569, 2003, and 15:1063, 2004. Brette and Gerstner, J.
// Neurophysiol. 94:3637, 2005. Naud et al., Biol. Cybern. 99:335, 2008. Rotter and Diesmann, Biol.
// Cybern. 81:381, 1999. Gerstner et al., Neuronal Dynamics, 2014.
package dynamics

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Model is a neuron's equations with their constants.
type Model interface {
	// Cell is a neuron at rest, on steps of so many ms.
	Cell(step float64) (Cell, error)
	// Unit is that of the current: pA, or none.
	Unit() string
}

// Cell is one neuron.
type Cell interface {
	// Step takes the neuron through a step with a current. The membrane is that at the step's
	// end, before the reset; at a spike no more than the peak where the model has one.
	Step(current float64) (membrane float64, fired bool)
}

// Receiver is a Cell with synapses.
type Receiver interface {
	Cell
	// Receive lets a spike arrive before the next step: at a synapse of so many pA (LIF, SRM0)
	// or nS (Conductance); below 0 it inhibits.
	Receive(weight float64)
}

// Trace is what a neuron did.
type Trace struct {
	Times    []float64 // of the steps' ends in ms
	Current  []float64 // in each step
	Membrane []float64 // at its end, before the reset
	Spikes   []float64 // times in ms
}

// MaxSteps bounds a run.
const MaxSteps = 10_000_000

// Run is a neuron from rest under a current for a time, on steps of so many ms. The current of
// a step is that at its beginning.
func Run(ctx context.Context, m Model, s Stimulus, duration, step float64) (Trace, error) {
	n := math.Round(duration / step)
	if !(step > 0) || !(n >= 1 && n <= MaxSteps) {
		return Trace{}, fmt.Errorf("dynamics: %v ms in steps of %v ms: want a positive step, and 1 to %d of them", duration, step, MaxSteps)
	}
	c, err := m.Cell(step)
	if err != nil {
		return Trace{}, err
	}
	var tr Trace
	for k := range int(n) {
		if k%4096 == 0 && ctx.Err() != nil {
			return tr, ctx.Err()
		}
		current := s(float64(k) * step)
		v, fired := c.Step(current)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return tr, fmt.Errorf("dynamics: the membrane is %v after %v ms; is the current %v too large, or the step too long?", v, float64(k+1)*step, current)
		}
		at := float64(k+1) * step
		tr.Times, tr.Current, tr.Membrane = append(tr.Times, at), append(tr.Current, current), append(tr.Membrane, v)
		if fired {
			tr.Spikes = append(tr.Spikes, at)
		}
	}
	return tr, nil
}

// Rate is a neuron's firing at a current that stands still.
type Rate struct {
	Current float64
	Spikes  int
	First   float64 // Hz, of the first interval; 0 without two spikes
	Steady  float64 // Hz, of the last half of the intervals; 0 without two spikes
}

// Curve is the f–I curve: a neuron from rest under each of some currents.
func Curve(ctx context.Context, m Model, currents []float64, duration, step float64) ([]Rate, error) {
	var out []Rate
	for _, current := range currents {
		tr, err := Run(ctx, m, Constant(current), duration, step)
		if err != nil {
			return out, err
		}
		out = append(out, RateOf(current, tr.Spikes))
	}
	return out, nil
}

// RateOf is the firing of spikes, at times in ms.
func RateOf(current float64, spikes []float64) Rate {
	r, n := Rate{Current: current, Spikes: len(spikes)}, len(spikes)
	if n >= 2 {
		r.First = 1000 / (spikes[1] - spikes[0])
		from := (n - 1) / 2
		r.Steady = 1000 * float64(n-1-from) / (spikes[n-1] - spikes[from])
	}
	return r
}

// checkStep wants a step that is a positive time.
func checkStep(kind string, step float64) error {
	if step > 0 && !math.IsInf(step, 0) {
		return nil
	}
	return fmt.Errorf("neuron %s: a step of %v ms, want a positive time, such as 0.1", kind, step)
}

// positive wants values that are positive and finite.
func positive(kind string, values ...named) error {
	var all error
	for _, v := range values {
		if !(v.value > 0) || math.IsInf(v.value, 0) {
			all = errors.Join(all, fmt.Errorf("neuron %s: %s is %v, want a positive number", kind, v.name, v.value))
		}
	}
	return all
}

// finite wants values that are numbers.
func finite(kind string, values ...named) error {
	var all error
	for _, v := range values {
		if math.IsNaN(v.value) || math.IsInf(v.value, 0) {
			all = errors.Join(all, fmt.Errorf("neuron %s: %s is %v, want a finite number", kind, v.name, v.value))
		}
	}
	return all
}

type named struct {
	name  string
	value float64
}

// levels checks a potential of reset and a refractory time against a threshold.
func levels(kind string, reset, threshold, refractory float64) error {
	if !(reset < threshold) {
		return fmt.Errorf("neuron %s: reset %v mV, threshold %v mV: want the reset below the threshold, or it fires for ever", kind, reset, threshold)
	}
	if !(refractory >= 0) || math.IsInf(refractory, 0) {
		return fmt.Errorf("neuron %s: refractory is %v ms, want a time that is not below 0", kind, refractory)
	}
	return nil
}
