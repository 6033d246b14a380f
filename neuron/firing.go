package neuron

import (
	"fmt"
	"math"

	"synfire/internal/kernel"
	"synfire/surrogate"
	"synfire/tensor"
)

// unitBlock is the number of units that run through all steps before the next
// ones do: their state and a row of work stay in the first level of cache. It
// is a multiple of 64, so that blocks own whole words of spikes.
const unitBlock = 256

// refractory is the membrane recorded for a unit that cannot fire. Every
// surrogate's derivative is 0 there.
var refractory = tensor.Float(math.Inf(-1))

// firing is what the models share once a membrane is charged: the threshold,
// the reset and the refractory time.
type firing struct {
	theta, fire, amount tensor.Float // a unit fires at u ≥ fire
	reset               Reset
	pause               tensor.Float // refractory steps
}

func newFiring(threshold float64, strict bool, reset Reset, pause int) firing {
	theta := tensor.Float(threshold)
	f := firing{theta: theta, fire: theta, amount: theta, reset: reset, pause: tensor.Float(pause)}
	if strict { // u > θ is u ≥ the next number above θ: one comparison for both
		f.fire = nextAbove(theta)
	}
	return f
}

// states is the number of state variables of a model that has n of its own.
func (f firing) states(n int) int {
	if f.pause > 0 {
		n++
	}
	return n
}

// pauses are the counters of refractory steps of units [lo, hi), which stand
// behind n other variables of all units; nil without a refractory time.
func (f firing) pauses(state []tensor.Float, n, units, lo, hi int) []tensor.Float {
	if f.pause == 0 {
		return nil
	}
	return state[n*units+lo : n*units+hi]
}

// run takes units with charged membranes u through one step: it writes the
// spikes (reads them, in a replay), the membranes after the reset to v, and
// marks refractory units in u.
func (f firing) run(replay bool, u, v, pause []tensor.Float, spikes []uint64) {
	if !replay && pause == nil {
		k := kernel.LIF{Gain: 1, Fire: f.fire, Amount: f.amount, Reset: kernel.Reset(f.reset)}
		k.Forward(1, u, 0, v, u, 0, spikes, 0)
		return
	}
	if !replay {
		clear(spikes[:(len(u)+63)/64])
	}
	for i, m := range u {
		if pause != nil && pause[i] > 0 {
			pause[i]--
			u[i] = refractory
			continue
		}
		v[i] = m
		if f.fires(replay, m, spikes, i) {
			v[i] = f.after(m)
			if pause != nil {
				pause[i] = f.pause
			}
		}
	}
}

// fires decides on the spike of unit i and records it, or in a replay reads it.
func (f firing) fires(replay bool, u tensor.Float, spikes []uint64, i int) bool {
	word, bit := &spikes[i>>6], uint64(1)<<(i&63)
	if !replay && u >= f.fire {
		*word |= bit
	}
	return *word&bit != 0
}

// after is the membrane after the reset of a unit that fired.
func (f firing) after(u tensor.Float) tensor.Float {
	switch f.reset {
	case Subtract:
		return u - f.amount
	case Zero:
		return 0
	}
	return u
}

// cut reports whether the reset of a unit with membrane u cuts the error at
// its state.
func (f firing) cut(u tensor.Float) bool { return f.reset == Zero && u >= f.fire }

// throughSpikes writes the errors g at the spikes of up to unitBlock units to
// dst, which may be g, as errors at their membranes, g·σ'(u − θ).
func (f firing) throughSpikes(dst, g, u []tensor.Float, s surrogate.Surrogate) {
	if fast, ok := s.(surrogate.Fast); ok { // a scan of one step, from no error at the state
		var zero [unitBlock]tensor.Float
		ks := fast.Kernel()
		ks.Theta = f.theta
		kernel.LIF{Gain: 1, Reset: kernel.ResetNone}.Backward(1, ks, u, len(u), g, len(u), zero[:len(u)], dst, len(u))
		return
	}
	for i, m := range u {
		if m == refractory {
			dst[i] = 0
			continue
		}
		dst[i] = g[i] * s.Derivative(m-f.theta)
	}
}

// argument is u − θ with slope 1; for a refractory unit it is far below any
// threshold, yet finite, with slope 0.
func argument(u tensor.Float, threshold float64) (z, slope tensor.Float) {
	if u == refractory {
		return -math.MaxFloat32, 0
	}
	return u - tensor.Float(threshold), 1
}

// scan is the plain form of Forward and Replay.
func (n LIF) scan(replay bool, steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	f, beta, gain := n.firing(), tensor.Float(n.Beta), inputGain(n.Beta, n.DecayInput)
	var row [unitBlock]tensor.Float
	for lo := 0; lo < units; lo += unitBlock {
		hi := min(lo+unitBlock, units)
		v, pause, m := state[lo:hi], f.pauses(state, 1, units, lo, hi), row[:hi-lo]
		for t := range steps {
			if u != nil {
				m = u[t*us+lo:][:hi-lo]
			}
			in := x[t*xs+lo:][:len(m)]
			for i, old := range v[:len(m)] {
				m[i] = tensor.Float(beta*old) + tensor.Float(gain*in[i])
			}
			f.run(replay, m, v, pause, spikes[t*ss+lo/64:])
		}
	}
}

// scanBack is the plain form of Backward.
func (n LIF) scanBack(steps, units int, s surrogate.Surrogate, u []tensor.Float, us int, gs []tensor.Float, gss int, gstate, gx []tensor.Float, gxs int) {
	f, beta, gain := n.firing(), tensor.Float(n.Beta), inputGain(n.Beta, n.DecayInput)
	var row [unitBlock]tensor.Float
	for lo := 0; lo < units; lo += unitBlock {
		gv := gstate[lo:min(lo+unitBlock, units)]
		for t := steps - 1; t >= 0; t-- {
			m, gu, out := u[t*us+lo:][:len(gv)], row[:len(gv)], gx[t*gxs+lo:][:len(gv)]
			f.throughSpikes(gu, gs[t*gss+lo:][:len(gv)], m, s)
			for i, g := range gu {
				if m[i] == refractory { // the state passes unchanged
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

// put stores the error at an input, or adds it to the sum over time.
func put(gx []tensor.Float, i int, g tensor.Float, stride int) {
	if stride == 0 {
		g += gx[i]
	}
	gx[i] = g
}

// nextAbove is the smallest Float greater than x, for finite positive x.
func nextAbove(x tensor.Float) tensor.Float {
	step := x // halve until the smallest step that still changes x
	for x+step/2 > x {
		step /= 2
	}
	return x + step
}

func checkFiring(kind string, threshold float64, reset Reset, pause int) error {
	switch {
	case !(threshold > 0) || math.IsInf(threshold, 0):
		return fmt.Errorf("neuron %s: threshold is %v, want a positive number (1 is usual)", kind, threshold)
	case int(reset) >= len(resetNames):
		return fmt.Errorf("neuron %s: %v: want subtract, zero or none", kind, reset)
	case pause < 0 || pause > 1<<20:
		return fmt.Errorf("neuron %s: refractory is %d, want a number of steps from 0 to %d; 0 means none", kind, pause, 1<<20)
	}
	return nil
}

func checkDecay(kind, option string, v float64) error {
	if v >= 0 && v <= 1 {
		return nil
	}
	return fmt.Errorf("neuron %s: %s is %v, want a decay per step in [0, 1]", kind, option, v)
}
