package diagnose

import (
	"context"
	"fmt"
	"math"
	"slices"

	"synfire/rule/eqprop"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/limit"
	"synfire/rule/eqprop/unit"
	"synfire/sample"
	"synfire/tensor"
)

// Backprop is the gradient of a batch's mean cost by backpropagation through the
// last steps of the free phase, in float64 and plain loops: what the estimates are
// compared with in reports. A step depends on the one before it as its clip, its
// budget of activity, its activation and the places of its largest elements in windows
// stand; predictions are constants, where the relaxation starts included. It knows the
// squared error, without spikes or another top-k than the budget, and takes all steps
// whatever the tolerance.
func Backprop(l *eqprop.Learner, d *sample.Batch, steps int) (*coupling.Net, error) {
	c := l.Config()
	if c.Spiking != nil || c.TopK != nil && c.TopK.Variant != limit.Budget || c.Output != eqprop.SquaredError {
		return nil, fmt.Errorf("eqprop: backprop: want the squared error, without spikes or another top-k than the budget; leave these out")
	}
	if steps < 1 || steps > c.Free {
		return nil, fmt.Errorf("eqprop: backprop through %d of %d free steps, want at least one and at most all", steps, c.Free)
	}
	if _, err := l.Predict(context.Background(), d); err != nil {
		return nil, err
	}
	ref, all := newReference(l), l.Guess()
	for i := range d.Len() {
		var guess [][]float64
		for k, s := range all {
			n := c.Sizes[k+1]
			guess = append(guess, doubles(s[i*n:][:n]))
		}
		ref.relax(doubles(d.X[i*c.Sizes[0]:][:c.Sizes[0]]), guess)
		ref.back(d.Classes()[i], steps)
	}
	return ref.gradient(d.Len()), nil
}

// reference is the relaxation of one sample and the gradient through it. Lists have an
// entry a layer, from the first on.
type reference struct {
	c      eqprop.Config
	net    *coupling.Net
	stages []stage
	order  []int     // in which a step updates the layers
	keep   float64   // of a state, in a step
	most   []float64 // of a layer's activity; infinite for none
	x      []float64
	base   [][]float64 // what stays of the drives
	pull   [][]float64 // s^f, or nil
	steps  []moment
	w, b   [][]float64 // the gradient, summed over samples
}

// moment is a step: the states before it, the places of the largest elements in
// windows, of each unit the derivatives of the clip and of the activation, and in which
// layers the budget binds.
type moment struct {
	states, clip, slope [][]float64
	places              [][]int
	binds               []bool
}

func newReference(of *eqprop.Learner) *reference {
	c, n := of.Config(), of.Net()
	r := &reference{c: c, net: n, stages: stagesOf(n), keep: 1 - c.Step*(1+lambda(c)), steps: make([]moment, c.Free+1)}
	for k, s := range r.stages {
		r.base, r.most = append(r.base, make([]float64, n.Sizes[k+1])), append(r.most, of.Limit(k+1))
		r.order = append(r.order, k)
		r.w, r.b = append(r.w, make([]float64, len(s.weights))), append(r.b, make([]float64, n.Columns(k+1)))
	}
	if c.Schedule == eqprop.SweepBackward {
		slices.Reverse(r.order)
	}
	for t := range r.steps {
		r.steps[t] = moment{like(r.base), like(r.base), like(r.base), make([][]int, len(r.stages)), make([]bool, len(r.stages))}
	}
	return r
}

// relax takes all free steps, from rest or from a prediction.
func (r *reference) relax(x []float64, guess [][]float64) {
	r.x, r.pull = x, guess
	for k, base := range r.base {
		bias := r.net.B[k].Value.Data
		for j := range base {
			base[j] = float64(bias[j%len(bias)])
		}
		clear(r.steps[0].states[k])
		if guess != nil {
			copy(r.steps[0].states[k], guess[k])
		}
	}
	places := r.stages[0].places(x)
	r.stages[0].up(r.base[0], x, places)
	for t := range r.c.Free {
		m := &r.steps[t]
		m.places = placesOf(r.stages, m.states)
		m.places[0] = places
		r.step(r.steps[t+1].states, m)
	}
}

// step writes the states after a step, and its derivatives.
func (r *reference) step(next [][]float64, m *moment) {
	for _, k := range r.order {
		z := next[k]
		copy(z, r.base[k])
		if k > 0 {
			r.stages[k].up(z, r.read(k, k-1, m.states, next)[k-1], m.places[k])
		}
		if k+1 < len(next) {
			r.stages[k+1].down(z, r.read(k, k+1, m.states, next)[k+1], m.places[k+1])
		}
		r.settle(k, z, m)
	}
}

// read is which states of a neighbour layer k reads: those before the step, or where a
// sweep has passed the neighbour, those after it.
func (r *reference) read(k, neighbour int, before, after [][]float64) [][]float64 {
	if r.c.Schedule == eqprop.SweepForward && neighbour < k || r.c.Schedule == eqprop.SweepBackward && neighbour > k {
		return after
	}
	return before
}

// settle turns the drives of a layer into its states.
func (r *reference) settle(k int, z []float64, m *moment) {
	for j := range z {
		z[j], m.slope[k][j] = activate(r.c.Activation, z[j])
		if r.pull != nil {
			z[j] += lambda(r.c) * r.pull[k][j]
		}
		z[j] = r.keep*m.states[k][j] + r.c.Step*z[j]
	}
	move, theta := r.c.Activation.Move(r.c.Step, lambda(r.c)), shiftTo(z, r.most[k])
	lo, hi := float64(move.Lo), float64(move.Hi)
	m.binds[k] = theta > 0
	for j, v := range z {
		v -= theta
		z[j], m.clip[k][j] = min(max(v, lo), hi), 1
		if v < lo || v > hi {
			m.clip[k][j] = 0
		}
	}
}

// shiftTo is the θ ≥ 0 with which the sum of clip(v − θ, 0, 1) is at most a limit, by
// bisection.
func shiftTo(v []float64, most float64) float64 {
	sum := func(theta float64) (sum float64) {
		for _, x := range v {
			sum += min(max(x-theta, 0), 1)
		}
		return sum
	}
	if math.IsInf(most, 1) || sum(0) <= most {
		return 0
	}
	lo, hi := 0.0, slices.Max(v)
	for range 60 {
		if mid := (lo + hi) / 2; sum(mid) > most {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// project is the derivative of clip and budget, backwards: where the budget binds, the
// units inside share what the others gain.
func (m *moment) project(k int, e []float64) {
	inside := 0.0
	for j, c := range m.clip[k] {
		e[j] *= c
		inside += c
	}
	if !m.binds[k] || inside == 0 {
		return
	}
	mean := 0.0
	for _, v := range e {
		mean += v / inside
	}
	for j, c := range m.clip[k] {
		e[j] -= c * mean
	}
}

// back adds the gradient of the sample's cost through the last steps.
func (r *reference) back(label, steps int) {
	last := len(r.steps) - 1
	errs, before := like(r.base), like(r.base) // at the states after a step, and before
	top := len(errs) - 1
	for j, v := range r.steps[last].states[top] {
		if j == label {
			v--
		}
		errs[top][j] = 2 * r.c.CostScale * v
	}
	first := make([]float64, len(errs[0]))
	for t := last - 1; t >= last-steps; t-- {
		for k := range before {
			clear(before[k])
		}
		for _, k := range slices.Backward(r.order) {
			drives := r.backLayer(k, t, errs, before)
			if k == 0 {
				addScaled(first, drives, 1)
			}
		}
		errs, before = before, errs
	}
	r.stages[0].outer(r.w[0], r.x, first, r.steps[0].places[0])
}

// backLayer sends the errors of layer k at its states after step t to what it was made
// of, and returns those at its drives.
func (r *reference) backLayer(k, t int, errs, before [][]float64) []float64 {
	m, next := &r.steps[t], r.steps[t+1].states
	m.project(k, errs[k])
	addScaled(before[k], errs[k], r.keep)
	drives := make([]float64, len(errs[k]))
	for j, e := range errs[k] {
		drives[j] = r.c.Step * m.slope[k][j] * e
		r.b[k][j%len(r.b[k])] += drives[j]
	}
	if k > 0 {
		r.stages[k].outer(r.w[k], r.read(k, k-1, m.states, next)[k-1], drives, m.places[k])
		r.stages[k].down(r.read(k, k-1, before, errs)[k-1], drives, m.places[k])
	}
	if k+1 < len(errs) {
		r.stages[k+1].outer(r.w[k+1], drives, r.read(k, k+1, m.states, next)[k+1], m.places[k+1])
		r.stages[k+1].up(r.read(k, k+1, before, errs)[k+1], drives, m.places[k+1])
	}
	return drives
}

// gradient is the mean over samples as a network.
func (r *reference) gradient(samples int) *coupling.Net {
	g := r.net.Zeros()
	for k, s := range r.stages {
		for i, v := range r.w[k] {
			g.W[k].Value.Data[s.index(i)] = tensor.Float(v / float64(samples))
		}
		for j, v := range r.b[k] {
			g.B[k].Value.Data[j] = tensor.Float(v / float64(samples))
		}
	}
	return g
}

// lambda is the strength of a predictor's pull.
func lambda(c eqprop.Config) float64 {
	if c.Predictor == nil {
		return 0
	}
	return c.Predictor.Lambda
}

// activate is σ(z) and its derivative.
func activate(a unit.Activation, z float64) (value, slope float64) {
	clipped := func(z, slope float64) (float64, float64) {
		if z < 0 || z > 1 {
			return min(max(z, 0), 1), 0
		}
		return z, slope
	}
	switch a {
	case unit.HardSigmoid:
		return clipped(z, 1)
	case unit.HalfSigmoid:
		return clipped(z/2, 0.5)
	case unit.Logistic:
		y := 1 / (1 + math.Exp(-4*(z-0.5)))
		return y, 4 * y * (1 - y)
	case unit.Tanh:
		y := math.Tanh(z)
		return y, 1 - y*y
	}
	return z, 1
}

// potential is ∫σ⁻¹(s) ds, whose least sum with −Φ is where s = σ(z).
func potential(a unit.Activation, s float64) float64 {
	entropy := func(p float64) float64 {
		if p <= 0 {
			return 0
		}
		return p * math.Log(p)
	}
	switch a {
	case unit.HalfSigmoid:
		return s * s
	case unit.Logistic:
		return s/2 + (entropy(s)+entropy(1-s))/4
	case unit.Tanh:
		return (entropy(1+s) + entropy(1-s)) / 2
	}
	return s * s / 2
}
