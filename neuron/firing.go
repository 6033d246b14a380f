package neuron

import (
	"fmt"
	"math"
	"slices"

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
	floor               tensor.Float // the least membrane that is carried on
	reset               Reset
	pause               tensor.Float // refractory steps
	each                *units       // the options of each unit; nil where all are alike
}

// units are the options of a block of units, derived like those of alike ones.
type units struct {
	alpha, beta, gain, kappa, rho, offset [unitBlock]tensor.Float
	theta, fire, amount, value            [unitBlock]tensor.Float
}

// set takes the firing of unit i, and its membrane after a reset to zero.
func (u *units) set(i int, f firing, value float64) {
	u.theta[i], u.fire[i], u.amount[i], u.value[i] = f.theta, f.fire, f.amount, tensor.Float(value)
}

func newFiring(threshold float64, strict bool, reset Reset, pause int) firing {
	theta := tensor.Float(threshold)
	f := firing{theta: theta, fire: theta, amount: theta, floor: refractory, reset: reset, pause: tensor.Float(pause)}
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
	if !replay && pause == nil && f.each == nil {
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
		v[i] = max(m, f.floor)
		if f.fires(replay, m, spikes, i) {
			v[i] = f.after(m, i)
			if pause != nil {
				pause[i] = f.pause
			}
		}
	}
}

// softReset puts resets by soft spikes in place of those that run did.
func (f firing) softReset(v, u []tensor.Float, soft surrogate.Surrogate) {
	for i, m := range u {
		if m != refractory {
			v[i] = m + f.softSpike(m, i, soft)*(f.after(m, i)-m)
		}
	}
}

// softSpike is the soft spike of unit i with membrane u.
func (f firing) softSpike(u tensor.Float, i int, soft surrogate.Surrogate) tensor.Float {
	theta := f.theta
	if f.each != nil {
		theta = f.each.theta[i]
	}
	return soft.Primitive(u - theta)
}

// fires decides on the spike of unit i and records it, or in a replay reads it.
func (f firing) fires(replay bool, u tensor.Float, spikes []uint64, i int) bool {
	word, bit := &spikes[i>>6], uint64(1)<<(i&63)
	fire := f.fire
	if f.each != nil {
		fire = f.each.fire[i]
	}
	if !replay && u >= fire {
		*word |= bit
	}
	return *word&bit != 0
}

// after is the membrane after the reset of unit i, which fired.
func (f firing) after(u tensor.Float, i int) tensor.Float {
	amount, value := f.amount, tensor.Float(0)
	if f.each != nil {
		amount, value = f.each.amount[i], f.each.value[i]
	}
	switch f.reset {
	case Subtract:
		return u - amount
	case Zero:
		return value
	}
	return u
}

// through is the part of the error g at the state of unit i, with membrane u, that a
// reset to zero leaves: by a spike, or by a soft one where soft is given.
func (f firing) through(u, g tensor.Float, i int, soft surrogate.Surrogate) tensor.Float {
	switch {
	case soft != nil && f.reset == Zero:
		return g * (1 - f.softSpike(u, i, soft))
	case soft == nil && f.cut(u, i):
		return 0
	}
	return g
}

// cut reports whether the reset of unit i with membrane u, or the floor, cuts the
// error at its state.
func (f firing) cut(u tensor.Float, i int) bool {
	if u < f.floor {
		return true
	}
	if f.reset != Zero {
		return false
	}
	if f.each != nil {
		return u >= f.each.fire[i]
	}
	return u >= f.fire
}

// throughSpikes writes the errors g at the spikes of up to unitBlock units to
// dst, which may be g, as errors at their membranes, g·σ'(u − θ).
func (f firing) throughSpikes(dst, g, u []tensor.Float, s surrogate.Surrogate) {
	theta := f.theta
	if f.each != nil { // less its threshold each, they fire at 0
		var z [unitBlock]tensor.Float
		for i, m := range u {
			z[i] = m - f.each.theta[i]
		}
		u, theta = z[:len(u)], 0
	}
	if fast, ok := s.(surrogate.Fast); ok { // a scan of one step, from no error at the state
		var zero [unitBlock]tensor.Float
		ks := fast.Kernel()
		ks.Theta = theta
		kernel.LIF{Gain: 1, Reset: kernel.ResetNone}.Backward(1, ks, u, len(u), g, len(u), zero[:len(u)], dst, len(u))
		return
	}
	for i, m := range u {
		if m == refractory {
			dst[i] = 0
			continue
		}
		dst[i] = g[i] * s.Derivative(m-theta)
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
func (n LIF) scan(replay bool, w Window, order lifOrder) { n.scanSoft(nil, replay, w, order) }

// scanSoft is scan with resets by soft spikes, where soft is given.
func (n LIF) scanSoft(soft surrogate.Surrogate, replay bool, w Window, order lifOrder) {
	f, beta, gain := n.firing(), tensor.Float(n.Beta), n.inputGain()
	if n.each(w.Values) {
		f.each = new(units)
	}
	var row [unitBlock]tensor.Float
	for lo := 0; lo < w.Units; lo += unitBlock {
		hi := min(lo+unitBlock, w.Units)
		v, pause, m := w.State[lo:hi], f.pauses(w.State, 1, w.Units, lo, hi), row[:hi-lo]
		if f.each != nil {
			n.units(f.each, w.Values, order, lo, hi)
		}
		if f.each != nil && !replay && soft == nil && pause == nil && f.reset == Subtract && f.floor == refractory && f.each.restAtZero(hi-lo) {
			scanEach(w, lo, hi, kernel.LIFs{Beta: f.each.beta[:], Gain: f.each.gain[:], Fire: f.each.fire[:], Amount: f.each.amount[:]})
			continue
		}
		for t := range w.Steps {
			if w.Membrane.Data != nil {
				m = w.Membrane.Row(t, lo, hi)
			}
			in := w.Input.Row(t, lo, hi)
			if f.each != nil {
				f.each.charge(m, v, in, !replay && pause == nil)
			} else {
				for i, old := range v[:len(m)] {
					m[i] = tensor.Float(beta*old) + tensor.Float(gain*in[i])
				}
			}
			f.run(replay, m, v, pause, w.Spikes.Row(t, lo, hi-lo))
			if soft != nil {
				f.softReset(v, m, soft)
			}
		}
	}
}

// restAtZero reports whether the first n units all do.
func (u *units) restAtZero(n int) bool {
	return !slices.ContainsFunc(u.offset[:n], func(v tensor.Float) bool { return v != 0 })
}

// scanEach runs units [lo, hi) through all steps by the kernel for units that differ.
func scanEach(w Window, lo, hi int, options kernel.LIFs) {
	var u []tensor.Float
	if w.Membrane.Data != nil {
		u = w.Membrane.Data[lo:]
	}
	options.Forward(w.Steps, w.Input.Data[lo:], w.Input.Stride, w.State[lo:hi], u, w.Membrane.Stride, w.Spikes.Data[lo/64:], w.Spikes.Stride)
}

// charge is u = β·v + (1 − β)·r + g·x. It rounds as the path of alike units does:
// the kernel, where fused, or else the plain one.
func (u *units) charge(m, v, x []tensor.Float, fused bool) {
	gain, offset, beta := u.gain[:len(m)], u.offset[:len(m)], u.beta[:len(m)]
	for i, xi := range x[:len(m)] {
		m[i] = tensor.Float(gain[i]*xi) + offset[i]
	}
	if fused {
		kernel.MulWalks(m, beta, kernel.Walk{}, v, kernel.Walk{}, 1, 1)
		return
	}
	for i, old := range v[:len(m)] {
		m[i] += tensor.Float(beta[i] * old)
	}
}

// scanBack is the plain form of Backward.
func (n LIF) scanBack(e Errors, order lifOrder) {
	f, beta, gain := n.firing(), tensor.Float(n.Beta), n.inputGain()
	var soft surrogate.Surrogate // of resets
	if e.Soft && n.ResetGradient {
		soft = e.Surrogate
	}
	if n.each(e.Values) {
		f.each = new(units)
	}
	var row, spikes [unitBlock]tensor.Float
	for lo := 0; lo < e.Units; lo += unitBlock {
		hi := min(lo+unitBlock, e.Units)
		gv := e.State[lo:hi]
		if f.each != nil {
			n.units(f.each, e.Values, order, lo, hi)
		}
		for t := e.Steps - 1; t >= 0; t-- {
			m, gu, out := e.Membrane.Row(t, lo, hi), row[:len(gv)], e.Input.Row(t, lo, hi)
			gs := e.Spikes.Row(t, lo, hi)
			if n.ResetGradient {
				gs = f.throughReset(spikes[:len(gv)], gs, gv, m)
			}
			f.throughSpikes(gu, gs, m, e.Surrogate)
			for i, g := range gu {
				if m[i] == refractory { // the state passes unchanged
					put(out, i, 0, e.Input.Stride)
					continue
				}
				g += f.through(m[i], gv[i], i, soft)
				if f.each != nil {
					beta, gain = f.each.beta[i], f.each.gain[i]
				}
				gv[i] = beta * g
				put(out, i, gain*g, e.Input.Stride)
			}
		}
	}
}

// resetBack is backward with errors through the reset: the kernel step by step, on the
// errors at the spikes and those by way of the reset.
func (n LIF) resetBack(e Errors, s kernel.Surrogate) {
	k := n.kernel()
	var row [unitBlock]tensor.Float
	for lo := 0; lo < e.Units; lo += unitBlock {
		hi := min(lo+unitBlock, e.Units)
		gv, gs := e.State[lo:hi], row[:hi-lo]
		for t := e.Steps - 1; t >= 0; t-- {
			m, given := e.Membrane.Row(t, lo, hi), e.Spikes.Row(t, lo, hi)
			if n.Reset == Zero {
				kernel.SubProducts(gs, given, gv, m)
			} else {
				kernel.SubScaled(gs, given, gv, k.Amount)
			}
			k.Backward(1, s, m, len(m), gs, len(gs), gv, e.Input.Row(t, lo, hi), min(e.Input.Stride, len(gs)))
		}
	}
}

// throughReset is the errors gs at the spikes and those that come by way of the reset,
// from the errors gv at the states.
func (f firing) throughReset(dst, gs, gv, u []tensor.Float) []tensor.Float {
	for i, m := range u {
		dst[i] = gs[i]
		if m != refractory {
			dst[i] += gv[i] * (f.after(m, i) - m)
		}
	}
	return dst
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
	switch held := float64(tensor.Float(threshold)); {
	case !(held > 0) || math.IsInf(held, 0):
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

// checkLevels checks the potentials beside the threshold, and the gain.
func checkLevels(kind string, threshold, leak float64, reset Reset, value, gain float64) error {
	for _, o := range []struct {
		name  string
		value float64
	}{{"leak", leak}, {"reset-value", value}, {"gain", gain}} {
		if math.IsNaN(o.value) || math.IsInf(o.value, 0) {
			return fmt.Errorf("neuron %s: %s is %v, want a finite number; leave it out for the default", kind, o.name, o.value)
		}
	}
	switch {
	case value != 0 && reset != Zero:
		return fmt.Errorf("neuron %s: reset-value is %v with reset %v, which does not set the membrane; give reset zero or leave reset-value out", kind, value, reset)
	case value >= threshold && threshold > 0:
		return fmt.Errorf("neuron %s: reset-value is %v, at which a unit of threshold %v fires again at once; want less than the threshold", kind, value, threshold)
	}
	return nil
}

// checkFloor checks the least membrane.
func checkFloor(kind string, floor, reset float64) error {
	if floor == 0 || floor < 0 && floor <= reset && !math.IsInf(floor, 0) {
		return nil
	}
	return fmt.Errorf("neuron %s: floor is %v, want a number below 0 and not above reset-value (%v); leave it out for none", kind, floor, reset)
}
