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
}

// Trace follows the first sample of a batch. The energy is that of the continuous
// dynamics, without the pull of a predictor.
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
	t := &Trace{Residual: make([][]float64, r.top), Free: l.c.Free, Energy: []float64{r.net.Energy(one.X, w.s[1:r.top+1])}}
	for step := range l.c.Free + l.c.Nudged {
		beta := tensor.Float(0)
		if step >= l.c.Free {
			beta = tensor.Float(l.c.Beta)
		}
		r.step(w, &l.batch, beta)
		t.Energy = append(t.Energy, r.net.Energy(one.X, w.s[1:r.top+1]))
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
	t.Energy = append(t.Energy, r.net.Energy(one.X, states))
	for step := range l.c.Free + l.c.Nudged {
		beta := tensor.Float(0)
		if step >= l.c.Free {
			beta = tensor.Float(l.c.Beta)
		}
		last := make([][]tensor.Float, r.top)
		for k, s := range states {
			last[k] = slices.Clone(s)
		}
		r.simulate(w, &l.batch, 0, 1, beta)
		t.Energy = append(t.Energy, r.net.Energy(one.X, states))
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

// Warnings names the bounds of a stable and informative relaxation that the
// network breaks as it is now, and what to do. A batch shows whether the phases
// settle and units live; nil leaves that out. The couplings of convolutions move with
// the states, and only what does not settle tells of them.
func (l *Learner) Warnings(d *data.Batch) ([]string, error) {
	all := l.c.Warnings()
	if l.c.Convolutional == nil {
		all = append(all, l.unstable()...)
	}
	if d == nil || d.Len() == 0 {
		return all, nil
	}
	t, err := l.Trace(d)
	if err != nil {
		return nil, err
	}
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

// unstable is the bound of the step where the network breaks it.
func (l *Learner) unstable() []string {
	norm, lambda := l.r.net.Norm(l.r.top), l.c.lambda()
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

// Backprop is the gradient of a batch's mean cost by backpropagation through the
// last steps of the free phase, in float64 and plain loops: what the estimates are
// compared with in reports. It knows the continuous dynamics with simultaneous
// updates and the squared error.
func (l *Learner) Backprop(d *data.Batch, steps int) (*Net, error) {
	c := l.c
	if c.Convolutional != nil || c.Spiking != nil || c.Activation != Continuous || c.Schedule != Simultaneous || c.Output != SquaredError || c.Predictor != nil {
		return nil, fmt.Errorf("eqprop: backprop: want fully connected layers, continuous dynamics, simultaneous updates, the squared error and no predictor")
	}
	if steps < 1 || steps > c.Free {
		return nil, fmt.Errorf("eqprop: backprop through %d of %d free steps, want at least one and at most all", steps, c.Free)
	}
	if err := l.take(d, false); err != nil {
		return nil, err
	}
	g := zeros(l.r.net)
	for i := range d.Len() {
		l.backprop(g, d.X[i*c.Sizes[0]:][:c.Sizes[0]], d.Labels[i], steps, 1/float64(d.Len()))
	}
	return g, nil
}

// backprop adds the gradient of one sample, times share.
func (l *Learner) backprop(g *Net, x []tensor.Float, label, steps int, share float64) {
	n := l.r.net
	layers := len(n.W)
	base := make([][]float64, layers) // biases, and the input's product
	states := make([][][]float64, l.c.Free+1)
	for t := range states {
		states[t] = make([][]float64, layers)
		for k := range states[t] {
			states[t][k] = make([]float64, n.Sizes[k+1])
		}
	}
	for k := range base {
		for _, b := range n.B[k].Value.Data {
			base[k] = append(base[k], float64(b))
		}
	}
	for i, v := range x {
		for j := range base[0] {
			base[0][j] += float64(v) * float64(n.W[0].Value.Data[i*len(base[0])+j])
		}
	}
	for t := range l.c.Free {
		n.couple(states[t+1], states[t])
		for k, s := range states[t+1] {
			for j := range s {
				s[j] = min(max((1-l.c.Step)*states[t][k][j]+l.c.Step*(s[j]+base[k][j]), 0), 1)
			}
		}
	}
	l.backwards(g, x, states, label, steps, share)
}

// backwards runs through the last steps from the cost.
func (l *Learner) backwards(g *Net, x []tensor.Float, states [][][]float64, label, steps int, share float64) {
	n := l.r.net
	last := len(states) - 1
	errs, next, first := like(states[0]), like(states[0]), make([]float64, n.Sizes[1])
	for j, v := range states[last][len(errs)-1] {
		if j == label {
			v--
		}
		errs[len(errs)-1][j] = 2 * l.c.CostScale * v * share
	}
	for t := last; t > last-steps; t-- {
		for k, e := range errs {
			for j := range e {
				if s := states[t][k][j]; s <= 0 || s >= 1 {
					e[j] = 0
				}
				g.B[k].Value.Data[j] += tensor.Float(l.c.Step * e[j])
			}
		}
		for j, e := range errs[0] {
			first[j] += l.c.Step * e
		}
		for k := 1; k < len(errs); k++ {
			outer(g.W[k].Value.Data, states[t-1][k-1], errs[k], l.c.Step)
			outer(g.W[k].Value.Data, errs[k-1], states[t-1][k], l.c.Step)
		}
		n.couple(next, errs)
		for k, e := range next {
			for j := range e {
				e[j] = (1-l.c.Step)*errs[k][j] + l.c.Step*e[j]
			}
		}
		errs, next = next, errs
	}
	for i, v := range x {
		if v == 0 {
			continue
		}
		for j, e := range first {
			g.W[0].Value.Data[i*len(first)+j] += tensor.Float(float64(v) * e)
		}
	}
}

func like(layers [][]float64) [][]float64 {
	out := make([][]float64, len(layers))
	for k, s := range layers {
		out[k] = make([]float64, len(s))
	}
	return out
}

// outer adds scale·a bᵀ.
func outer(dst []tensor.Float, a, b []float64, scale float64) {
	for i, v := range a {
		if v == 0 {
			continue
		}
		for j, u := range b {
			dst[i*len(b)+j] += tensor.Float(scale * v * u)
		}
	}
}

// Cosine is the cosine of the angle between two sets of gradients of a layer's
// weights, or 0 where one of them is zero.
func Cosine(a, b *Net, layer int) float64 {
	var ab, aa, bb float64
	for i, v := range a.W[layer-1].Value.Data {
		u := float64(b.W[layer-1].Value.Data[i])
		ab += float64(v) * u
		aa += float64(v) * float64(v)
		bb += u * u
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
