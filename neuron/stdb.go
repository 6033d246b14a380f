package neuron

import (
	"errors"
	"fmt"
	"math/bits"

	"synfire/internal/kernel"
	"synfire/surrogate"
	"synfire/tensor"
)

// STDB is the neuron of spike-timing dependent backpropagation (Rathi, Srinivasan,
// Panda and Roy, "Enabling deep spiking neural networks with hybrid conversion and
// spike timing dependent backpropagation", ICLR 2020): integrate-and-fire, leaky where
// β < 1, with a reset by subtraction that does not decay. With the membrane m, 0 at the
// start,
//
//	z[t]   = m[t]/θ − 1,   s[t] = 1 if z[t] > 0, else 0
//	m[t+1] = β·m[t] − θ·s[t] + x[t]                      with Delay
//	m[t]   = β·m[t−1] − θ·s[t−1] + x[t]                  without
//
// Delay is the order of the authors' program: a spike follows from the input of earlier
// steps, so each such layer adds a step, and behind L of them nothing arrives before
// step L. Without it the order is the paper's. Steps T of both are not comparable.
//
// Backwards, with the reset detached and h the surrogate, of z or (surrogate.Timed) of
// the steps since the unit's last spike,
//
//	∂m[t] = β·∂m[t+1] + ∂s[t]·h/θ,   ∂x[t] = ∂m[t+1] with Delay, ∂m[t] without.
//
// With Delay the last spike is the one before step t, without it one of step t counts. A
// unit that has not fired did so Never steps before the start, so that a surrogate of
// spike times hardly moves it.
type STDB struct {
	Beta      float64 `yaml:"beta"`      // β, what remains of the membrane after a step; 1: no leak
	Threshold float64 `yaml:"threshold"` // θ, the fire level, and what a spike takes away
	Delay     bool    `yaml:"delay"`     // input acts one step later, as in the authors' program
}

// Never is how many steps before the start a unit of STDB counts as having fired.
const Never = 1000

// Timekeeper is a Keeper whose first kept value of a unit and step is the steps since
// the unit's last spike, which a surrogate.Timed asks for.
type Timekeeper interface {
	Keeper
	KeepsTime()
}

// Late is a Neuron whose spikes follow from the input of earlier steps alone.
type Late interface {
	Neuron
	// Latency is the number of steps after which an input first acts.
	Latency() int
}

// Fits returns an error for a surrogate that needs of a neuron what it does not keep.
func Fits(n Neuron, s surrogate.Surrogate) error {
	if _, timed := s.(surrogate.Timed); !timed {
		return nil
	}
	if _, keeps := n.(Timekeeper); !keeps {
		return fmt.Errorf("surrogate %T needs the time since a unit's last spike, which a neuron %T does not keep; give neuron stdb, or a surrogate of the membrane such as triangle", s, n)
	}
	return nil
}

// Validate returns an error unless the threshold is positive and 0 ≤ Beta ≤ 1.
func (n STDB) Validate() error {
	return errors.Join(checkDecay("stdb", "beta", n.Beta), checkFiring("stdb", n.Threshold, Subtract, 0))
}

// States is 2: the membrane, or without Delay what is left of it, and the steps since
// the last spike less Never.
func (STDB) States() int { return 2 }

// Keeps is 1, the steps since the last spike.
func (STDB) Keeps() int { return 1 }

// KeepsStart is false.
func (STDB) KeepsStart() bool { return false }

// KeepsTime says what is kept.
func (STDB) KeepsTime() {}

// Latency is 1 with Delay.
func (n STDB) Latency() int {
	if n.Delay {
		return 1
	}
	return 0
}

// Argument is m/θ − 1, with slope 1/θ.
func (n STDB) Argument(u tensor.Float) (z, slope tensor.Float) {
	theta := tensor.Float(n.Threshold)
	return u/theta - 1, 1 / theta
}

// Forward runs the equations of the type's comment.
func (n STDB) Forward(w Window) {
	n.scan(false, w)
	n.time(w)
}

// Replay runs them for given spikes.
func (n STDB) Replay(w Window) {
	n.scan(true, w)
	n.time(w)
}

// stdbUnits are the options of a block of units.
type stdbUnits struct {
	theta, fire, beta [unitBlock]tensor.Float
	leaks             bool // one at least
}

// units takes the options of units [lo, hi) of a window; those of alike ones once.
func (n STDB) units(u *stdbUnits, v Values, lo, hi int) {
	if lo > 0 && len(v.Of) == 0 {
		return
	}
	alike := newFiring(n.Threshold, true, Subtract, 0)
	for i := range u.theta {
		u.theta[i], u.fire[i], u.beta[i] = alike.theta, alike.fire, tensor.Float(n.Beta)
	}
	u.leaks = n.Beta != 1
	if len(v.Of) == 0 {
		return
	}
	f, of := alike, n.Threshold
	for i := range hi - lo {
		if theta := v.At(0, lo+i, n.Threshold); theta != of { // often the same all over
			f, of = newFiring(theta, true, Subtract, 0), theta
		}
		beta := v.At(1, lo+i, n.Beta)
		u.theta[i], u.fire[i], u.beta[i] = f.theta, f.fire, tensor.Float(beta)
		u.leaks = u.leaks || beta != 1
	}
}

// ones are the decays and gains of units that neither leak nor scale.
var ones = func() (v [unitBlock]tensor.Float) {
	for i := range v {
		v[i] = 1
	}
	return v
}()

// scan advances the membranes: those without a leak and a delay are those of IF, which has
// a kernel.
func (n STDB) scan(replay bool, w Window) {
	var u stdbUnits
	for lo := 0; lo < w.Units; lo += unitBlock {
		hi := min(lo+unitBlock, w.Units)
		n.units(&u, w.Values, lo, hi)
		if !replay && !n.Delay && !u.leaks {
			scanEach(w, lo, hi, kernel.LIFs{Beta: ones[:], Gain: ones[:], Fire: u.fire[:], Amount: u.theta[:]})
			continue
		}
		for t := range w.Steps {
			n.step(replay, &u, w, t, lo, hi)
		}
	}
}

// step takes the membranes of units [lo, hi) through step t, 64 at a time and without
// branches on spikes, which are hard to foretell.
func (n STDB) step(replay bool, u *stdbUnits, w Window, t, lo, hi int) {
	var row [64]tensor.Float
	words := w.Spikes.Row(t, lo, hi-lo)
	for k := range words {
		a, b := lo+64*k, min(lo+64*k+64, hi)
		state, x, m := w.State[a:b], w.Input.Row(t, a, b), row[:b-a]
		theta, fire, beta := u.theta[a-lo:b-lo], u.fire[a-lo:b-lo], u.beta[a-lo:b-lo]
		copy(m, state)
		if !n.Delay {
			kernel.Add(m, x)
		}
		if !replay {
			words[k] = reached(m, fire)
		}
		for i, u := range m {
			state[i] = tensor.Float(beta[i]*u) - tensor.Float(theta[i]*spiked(words[k], i))
		}
		if n.Delay {
			kernel.Add(state, x)
		}
		if w.Membrane.Data != nil {
			copy(w.Membrane.Row(t, a, b), m) // it may take the input's place
		}
	}
}

// reached has a bit for each of up to 64 membranes that is at its level or above.
func reached(m, level []tensor.Float) (word uint64) {
	level = level[:len(m)]
	for i, u := range m {
		var spike uint64
		if u >= level[i] {
			spike = 1
		}
		word |= spike << (i & 63)
	}
	return word
}

// spiked is bit i of a word, 0 or 1.
func spiked(word uint64, i int) tensor.Float { return tensor.Float(int64(word >> (i & 63) & 1)) }

// time advances the steps since the last spike by those of a window whose spikes are
// known, and keeps them where somebody asks.
func (n STDB) time(w Window) {
	for lo := 0; lo < w.Units; lo += 64 {
		hi := min(lo+64, w.Units)
		age := w.State[w.Units+lo : w.Units+hi]
		if w.Kept.Data == nil {
			latest(age, w, lo)
			continue
		}
		for t := range w.Steps {
			n.since(w.Kept.Row(t, lo, hi), age, w.Spikes.Row(t, lo, 1)[0])
		}
	}
}

// since keeps the steps since the last spike of up to 64 units, and takes them through a
// step.
func (n STDB) since(dst, age []tensor.Float, word uint64) {
	for i, a := range age {
		spike, passed := spiked(word, i), a+Never
		if dst[i] = passed; !n.Delay {
			dst[i] = passed * (1 - spike)
		}
		age[i] = a + 1 - spike*passed
	}
}

// latest looks for the last spikes in a window of up to 64 units from lo on, from its end.
func latest(age []tensor.Float, w Window, lo int) {
	var found uint64
	for t := w.Steps - 1; t >= 0; t-- {
		for fresh := w.Spikes.Row(t, lo, 1)[0] &^ found; fresh != 0; fresh &= fresh - 1 {
			age[bits.TrailingZeros64(fresh)] = tensor.Float(w.Steps-t) - Never
		}
		found |= w.Spikes.Row(t, lo, 1)[0]
	}
	for i := range age {
		if found>>i&1 == 0 {
			age[i] += tensor.Float(w.Steps)
		}
	}
}

// Backward runs the equations of the type's comment.
func (n STDB) Backward(e Errors) {
	var u stdbUnits
	var row [unitBlock]tensor.Float
	known := newSlopes()
	for lo := 0; lo < e.Units; lo += unitBlock {
		hi := min(lo+unitBlock, e.Units)
		n.units(&u, e.Values, lo, hi)
		carried, gz := e.State[lo:hi], row[:hi-lo]
		for t := e.Steps - 1; t >= 0; t-- {
			n.throughSpikes(gz, &u, &known, e, t, lo, hi)
			out := e.Input.Row(t, lo, hi)
			for i, g := range carried { // at m[t+1] with Delay, else at what is left of m[t]
				at := tensor.Float(u.beta[i]*g) + gz[i]/u.theta[i]
				if !n.Delay {
					g = at
				}
				carried[i] = at
				put(out, i, g, e.Input.Stride)
			}
		}
	}
}

// slopes remembers what a surrogate of spike times gave: units share few times.
type slopes [128]struct{ since, slope tensor.Float }

func newSlopes() (s slopes) {
	for i := range s {
		s[i].since = -1
	}
	return s
}

func (s *slopes) at(since tensor.Float, of surrogate.Timed) tensor.Float {
	k := &s[int(since)%len(s)]
	if k.since != since {
		k.since, k.slope = since, of.Slope(since)
	}
	return k.slope
}

// throughSpikes is the errors at the spikes of step t, times the surrogate.
func (n STDB) throughSpikes(dst []tensor.Float, u *stdbUnits, known *slopes, e Errors, t, lo, hi int) {
	given := e.Spikes.Row(t, lo, hi)
	if timed, ok := e.Surrogate.(surrogate.Timed); ok {
		for i, since := range e.Kept.Row(t, lo, hi) {
			dst[i] = given[i] * known.at(since, timed)
		}
		return
	}
	var z [unitBlock]tensor.Float
	for i, m := range e.Membrane.Row(t, lo, hi) {
		z[i] = m/u.theta[i] - 1
	}
	firing{}.throughSpikes(dst, given, z[:len(dst)], e.Surrogate)
}

// Options are threshold and beta.
func (n STDB) Options() []Option { return []Option{{"threshold", n.Threshold}, {"beta", n.Beta}} }

// With is the neuron of a unit with these values of the Options.
func (n STDB) With(values []float64) Neuron {
	n.Threshold, n.Beta = values[0], values[1]
	return n
}
