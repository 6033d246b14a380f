package eqprop

import (
	"fmt"
	"math"
	"slices"

	"synfire/data"
	"synfire/tensor"
)

// Trace is a relaxation of one sample, step by step: freely, then nudged by +β.
type Trace struct {
	Energy   []float64   // E before the first step and after each
	Residual [][]float64 // by layer: the largest change of a state in each step
	Free     int         // steps of the free phase

	settled [][]tensor.Float // the states after it, by layer
}

// Trace follows the first sample of a batch. The energy is the one that the dynamics
// lower: with the pull of a predictor, and of discrete ones with ∫σ⁻¹(s) ds in place of
// ½s².
func (l *Learner) Trace(d *data.Batch) (*Trace, error) {
	if d.Len() == 0 {
		return nil, fmt.Errorf("eqprop: trace of an empty batch; give one sample")
	}
	if l.c.Spiking != nil {
		return l.traceSpikes(d)
	}
	in := l.c.Sizes[0]
	one := &data.Batch{Index: d.Index[:1], Labels: d.Labels[:1], X: d.X[:min(in, len(d.X))]}
	if err := l.take(one, false); err != nil {
		return nil, err
	}
	r := l.r
	tolerance := r.c.Tolerance
	r.c.Tolerance = 0
	defer func() { r.c.Tolerance = tolerance }()
	r.run(&l.batch, nil, 0) // what is needed beforehand, as packed inputs, is made
	w := &r.blocks[0]
	w.begin(r, 0, 1)
	r.setBase(w, &l.batch)
	r.start(w, &l.batch)
	t := &Trace{Residual: make([][]float64, r.top), Free: l.c.Free, Energy: []float64{l.energy(one.X, w.s[1:r.top+1])}}
	for step := range l.c.Free + l.c.Nudged {
		beta := tensor.Float(0)
		if step >= l.c.Free {
			beta = tensor.Float(l.c.Beta)
		}
		r.step(w, &l.batch, beta)
		if step == l.c.Free-1 {
			t.settled = copies(w.s[1 : r.top+1])
		}
		t.Energy = append(t.Energy, l.energy(one.X, w.s[1:r.top+1]))
		for i := range t.Residual {
			t.Residual[i] = append(t.Residual[i], float64(w.moved[i+1]))
		}
	}
	return t, nil
}

// traceSpikes follows a spiking network, whose states approach those of least
// energy as steps shrink.
func (l *Learner) traceSpikes(d *data.Batch) (*Trace, error) {
	r, in := l.r, l.c.Sizes[0]
	one := &data.Batch{Index: d.Index[:1], Labels: d.Labels[:1], X: d.X[:min(in, len(d.X))]}
	if _, err := l.Predict(nil, one); err != nil {
		return nil, err
	}
	w := &r.blocks[0]
	m := w.simulation
	m.reset()
	r.warm(m, 0)
	t := &Trace{Residual: make([][]float64, r.top), Free: l.c.Free}
	states := make([][]tensor.Float, r.top)
	for k := range states {
		states[k] = m.layers[k+1].s
	}
	t.Energy = append(t.Energy, l.energy(one.X, states))
	for step := range l.c.Free + l.c.Nudged {
		beta := tensor.Float(0)
		if step >= l.c.Free {
			beta = tensor.Float(l.c.Beta)
		}
		last := copies(states)
		if step == l.c.Free {
			t.settled = last
		}
		r.simulate(w, &l.batch, 0, 1, beta)
		t.Energy = append(t.Energy, l.energy(one.X, states))
		for k, s := range states {
			moved := 0.0
			for j, v := range s {
				moved = max(moved, math.Abs(float64(v-last[k][j])))
			}
			t.Residual[k] = append(t.Residual[k], moved)
		}
	}
	return t, nil
}

// energy is that of a batch's first sample, of the states as a clip makes them: a
// prediction may be outside.
func (l *Learner) energy(x []tensor.Float, states [][]tensor.Float) float64 {
	sum, s := 0.0, copies(states)
	for k := range s {
		for j, v := range s[k] {
			s[k][j] = min(max(v, l.r.move.Lo), l.r.move.Hi)
			sum += l.c.Activation.potential(float64(s[k][j])) - float64(s[k][j]*s[k][j])/2
			if p := l.c.Predictor; p != nil {
				d := float64(s[k][j] - l.r.guess[k+1][j])
				sum += p.Lambda / 2 * d * d
			}
		}
	}
	return sum + l.r.net.Energy(x, s)
}

func copies(layers [][]tensor.Float) [][]tensor.Float {
	out := make([][]tensor.Float, len(layers))
	for k, s := range layers {
		out[k] = slices.Clone(s)
	}
	return out
}

// States are a batch's states after the free phase, and how a nudged phase at +β
// changes them: by layer from the first on, a row a sample.
func (l *Learner) States(d *data.Batch) (free, changes [][]tensor.Float, err error) {
	if err := l.take(d, false); err != nil {
		return nil, nil, err
	}
	beta := tensor.Float(l.c.Beta)
	l.r.run(&l.batch, []tensor.Float{beta}, l.c.Beta)
	return copies(l.r.free[1 : l.r.top+1]), copies(l.r.diff[1 : l.r.top+1]), nil
}

// Warnings names the bounds of a stable and informative relaxation that the
// network breaks as it is now, and what to do. A batch shows whether the phases
// settle and units live, and by its first sample how max pooling couples; nil leaves
// that out.
func (l *Learner) Warnings(d *data.Batch) ([]string, error) {
	all := l.c.Warnings()
	if d == nil || d.Len() == 0 {
		return append(all, l.unstable(nil)...), nil
	}
	t, err := l.Trace(d)
	if err != nil {
		return nil, err
	}
	all = append(all, l.unstable(t.settled)...)
	for i, r := range t.Residual {
		if last := r[t.Free-1]; last > l.c.Beta/10 {
			all = append(all, fmt.Sprintf("layer %d still moves by %.2g in the last free step, above β/10 = %.2g: what is left of the relaxation is taken for learning, divided by β; take more free steps, or a larger β",
				i+1, last, l.c.Beta/10))
		}
	}
	if _, err := l.Predict(nil, d); err != nil {
		return nil, err
	}
	for _, r := range l.metrics().Rates {
		if r.Spikes == 0 {
			all = append(all, fmt.Sprintf("%s is dead: no unit is above zero for any of %d samples, and nothing passes it; lower the rates or draw weights anew", r.Layer, d.Len()))
		}
	}
	return all, nil
}

// unstable is the bound of the step where the network breaks it, with max pooling as
// the states make it. A sweep moves one layer at a time, within which nothing is
// coupled.
func (l *Learner) unstable(states [][]tensor.Float) []string {
	norm, lambda := 0.0, l.c.lambda()
	if l.c.Schedule == Simultaneous {
		norm = l.r.net.Norm(l.r.top, states)
	}
	bound := l.c.Step * (1 + lambda + norm)
	if bound < 2 {
		return nil
	}
	return []string{fmt.Sprintf("step %.3g with couplings of norm %.3g: ε(1 + λ + ‖A‖) = %.3g, stable below 2: states that are not clipped may swing for ever; take a step below %.3g",
		l.c.Step, norm, bound, 2/(1+lambda+norm))}
}

// Warnings names the bounds that a configuration breaks whatever the weights.
func (c Config) Warnings() (all []string) {
	c = c.withDefaults()
	lambda := c.lambda()
	if k := 2 * c.CostScale * c.Beta; c.Nudge != OneSided && c.Output == SquaredError && k >= 1+lambda {
		all = append(all, fmt.Sprintf("negative nudges of 2κβ = %.3g: the outputs' leak 1 + λ − 2κβ = %.3g must be positive for a fixed point; the clip and %d nudged steps alone hold the states; take β below %.3g, centred at most %.3g",
			k, 1+lambda-k, c.Nudged, (1+lambda)/(2*c.CostScale), 0.3/c.CostScale))
	}
	if c.Nudged < c.dynamic() {
		all = append(all, fmt.Sprintf("%d nudged steps for %d layers: the nudge reaches one layer a step, and the first ones learn nothing; take at least %d", c.Nudged, c.dynamic(), c.dynamic()))
	}
	if c.Free < c.dynamic() && c.Predictor == nil && c.Particles == 0 {
		all = append(all, fmt.Sprintf("%d free steps from zeros for %d layers: the input reaches one layer a step; take at least %d, or a predictor", c.Free, c.dynamic(), c.dynamic()))
	}
	return all
}
