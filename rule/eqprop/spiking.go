package eqprop

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/tensor"
)

// Spiking makes units send one bit a step in place of their state. Step t, counted
// from 1 and on into the nudged phase, reads the spikes q of the step before it:
//
//	u_l = W_lᵀ q_{l−1} + W_{l+1} q_{l+1}
//	v_l ← (1 − λ_t)·v_l + λ_t·u_l                       decoder
//	d_l = v_l + b_l + [l = L, nudged] 2κβ(y − s_L)
//	s_l ← clip((1 − ε)·s_l + ε·d_l, 0, 1)
//	p_l = (s_l − (1 − λ_t)·s_l of the step before)/λ_t   encoder
//	φ_l ← φ_l + p_l;  q_l = 1 and φ_l ← φ_l − 1 where φ_l > ½, else q_l = 0
//
// The input is encoded likewise, with s_0 = x. λ_t = Lambda/t^LambdaDecay; with
// Lambda = 1 nothing is encoded. For p in [0, 1] the sigma-delta modulator keeps the
// sum of its spikes within ½ of the sum of p.
//
// Steps are ε_t = Epsilon/t^Decay, or, with Drift, those of optimal step size
// adaptation for each unit, from its drive d: with ν ← ν/(1 + ν − Drift) from 1,
//
//	e = d − m,   g ← (1 − ν)g + νe,   h ← (1 − ν)h + νe²
//	ε = 1 − ((h − g²)/(1 + Λ) + c)/(h + c), at first 1
//	Λ ← (1 − ε)²Λ + ε²,   m ← (1 − ε)m + εd
//
// near 1 while the drive moves, small where it only fluctuates (George and Powell,
// "Adaptive stepsizes for recursive estimation", Machine Learning 65, 2006).
//
// Products add the rows of the units that spiked, so their cost follows spikes. The
// update takes the states, not the spikes. O'Connor, Gavves and Welling, "Training a
// Spiking Neural Network with Equilibrium Propagation", AISTATS 2019.
//
// With a predictor the states and the encoders' memories start at s^f, and the
// adaptation of steps begins as if Warm steps had been taken at m = s^f.
type Spiking struct {
	Quantiser      Quantiser
	Lambda         float64 // in (0, 1]; 0 means 1
	LambdaDecay    float64
	Epsilon, Decay float64 // of scheduled steps
	Drift          float64 // ν̄ in (0, 1), of adapted ones; 0: scheduled
	Warm           int
	// Bidirectional leaves the product of two differences out of the update, as the
	// published code does: m(p − m)ᵀ + (p − m)mᵀ.
	Bidirectional bool
}

// Quantiser turns a unit's code p into what it sends.
type Quantiser uint8

// The quantisers. Stochastic spikes are drawn from the seed, the epoch, the sample,
// the step and the unit.
const (
	SigmaDelta Quantiser = iota
	Stochastic           // q = 1 with probability p
	Threshold            // q = 1 where p > ½
	Identity             // q = p, for comparison: no spikes
)

// adaptationFloor is c: where nothing has ever moved a step is 0, and not 0/0.
const adaptationFloor = 1e-15

func (s *Spiking) validate(c Config) error {
	in := func(v, lo, hi float64) bool { return v > lo && v <= hi }
	lambda := s.lambda()
	switch {
	case c.Activation != Continuous || c.Output != SquaredError || c.Schedule != Simultaneous || c.Tolerance > 0 || c.Particles > 0:
		return errors.New("eqprop: spiking networks have continuous dynamics, simultaneous updates and the squared error, without tolerance and particles; leave these out")
	case !in(lambda, 0, 1) || !(s.LambdaDecay >= 0):
		return fmt.Errorf("eqprop: spiking: lambda %v, decay %v: want a lambda in (0, 1] and a decay that is not negative; 0.275 and 0 are common", lambda, s.LambdaDecay)
	case s.Drift == 0 && (!in(s.Epsilon, 0, 1) || !(s.Decay >= 0)):
		return fmt.Errorf("eqprop: spiking: epsilon %v, decay %v: want an epsilon in (0, 1] and a decay that is not negative, as 1 and 0.5, or a drift", s.Epsilon, s.Decay)
	case s.Drift != 0 && (!(s.Drift > 0 && s.Drift < 1) || s.Epsilon != 0):
		return fmt.Errorf("eqprop: spiking: drift %v, epsilon %v: want a drift in (0, 1), as 0.0346, and no epsilon", s.Drift, s.Epsilon)
	case s.Warm < 0 || s.Warm > 0 && c.Predictor == nil:
		return fmt.Errorf("eqprop: spiking: warm %d: it goes with a predictor, and is not negative", s.Warm)
	case s.Quantiser > Identity:
		return fmt.Errorf("eqprop: spiking: no quantiser %d", s.Quantiser)
	}
	return nil
}

func (s *Spiking) lambda() float64 {
	if s.Lambda == 0 {
		return 1
	}
	return s.Lambda
}

// plan is what depends on the step alone.
type plan struct{ lambda, epsilon, nu []tensor.Float }

func newPlan(c Config) (p plan) {
	s, nu := c.Spiking, 1.0
	for range s.Warm {
		nu /= 1 + nu - s.Drift
	}
	for t := 1; t <= c.Free+c.settling()+c.Nudged; t++ {
		nu /= 1 + nu - s.Drift
		p.nu = append(p.nu, tensor.Float(nu))
		p.lambda = append(p.lambda, tensor.Float(s.lambda()/math.Pow(float64(t), s.LambdaDecay)))
		p.epsilon = append(p.epsilon, tensor.Float(s.Epsilon/math.Pow(float64(t), s.Decay)))
	}
	return p
}

// units is the state of a layer.
type units struct {
	s, last, phi, v, g, h, spread, mean []tensor.Float
}

// simulation is one sample's network of spiking units.
type simulation struct {
	t      int
	all    []tensor.Float // the state of all layers, and of the input's modulators
	kept   []tensor.Float // a copy
	layers []units
	u      []tensor.Float
	theta  []tensor.Float // of soft limits
	chosen [][]bool       // by layer, under Hard once it has chosen; else none
	input  []tensor.Float // φ of the listed inputs

	sent, next   [][]int32        // units that spiked, by layer
	values, news [][]tensor.Float // what they send, for Identity
	keptSent     [][]int32
	keptValues   [][]tensor.Float
	keptTime     int
	uniform      []float32
	key          rng.Key

	spikes   []int // by layer, of all samples since the counts were reset
	synapses int   // additions of weights
}

// newSimulation makes the memory of a thread.
func newSimulation(sizes []int) *simulation {
	m := &simulation{layers: make([]units, len(sizes)), spikes: make([]int, len(sizes)), theta: make([]tensor.Float, len(sizes)), chosen: make([][]bool, len(sizes))}
	total, widest := 0, 0
	for _, n := range sizes {
		total, widest = total+8*n, max(widest, n)
	}
	m.all, m.u, m.uniform = make([]tensor.Float, total), make([]tensor.Float, widest), make([]float32, widest)
	m.kept = make([]tensor.Float, total)
	at := 0
	take := func(n int) []tensor.Float { at += n; return m.all[at-n : at] }
	m.input = take(sizes[0])
	for l := 1; l < len(sizes); l++ {
		n := sizes[l]
		m.layers[l] = units{take(n), take(n), take(n), take(n), take(n), take(n), take(n), take(n)}
	}
	for _, list := range []*[][]int32{&m.sent, &m.next, &m.keptSent} {
		*list = make([][]int32, len(sizes))
	}
	for _, list := range []*[][]tensor.Float{&m.values, &m.news, &m.keptValues} {
		*list = make([][]tensor.Float, len(sizes))
	}
	return m
}

// reset puts all units at rest.
func (m *simulation) reset() {
	m.t = 0
	clear(m.all)
	kernel.FillRows(m.theta, unsought[:])
	for l := range m.sent {
		m.sent[l], m.values[l], m.chosen[l] = m.sent[l][:0], m.values[l][:0], m.chosen[l][:0]
	}
}

// keep remembers the state, and recall returns to it.
func (m *simulation) keep() {
	copy(m.kept, m.all)
	m.keptTime = m.t
	for l := range m.sent {
		m.keptSent[l] = append(m.keptSent[l][:0], m.sent[l]...)
		m.keptValues[l] = append(m.keptValues[l][:0], m.values[l]...)
	}
}

func (m *simulation) recall() {
	copy(m.all, m.kept)
	m.t = m.keptTime
	for l := range m.sent {
		m.sent[l] = append(m.sent[l][:0], m.keptSent[l]...)
		m.values[l] = append(m.values[l][:0], m.keptValues[l]...)
	}
}

// runSpikes is runPhases for spiking networks, sample by sample.
func runSpikes(p *pass, worker, lo, hi int) {
	r, b, w := p.r, p.b, &p.r.blocks[worker]
	w.begin(r, lo, hi)
	b.list(lo, hi)
	if r.predictor != nil {
		r.predict(w, b)
	}
	if w.simulation == nil {
		w.simulation = newSimulation(r.sizes)
	}
	m := w.simulation
	clear(m.spikes)
	m.synapses = 0
	for i := lo; i < hi; i++ {
		m.reset()
		m.key = rng.New(r.c.Seed, b.purpose()).Int(uint64(b.epoch)).Int(uint64(b.index[i]))
		r.warm(m, i)
		r.simulate(w, b, i, r.c.Free, 0)
		r.chooseSpiking(w, b, i)
		m.save(r, i, r.free)
		m.keep()
		for k, beta := range p.betas {
			m.recall()
			r.simulate(w, b, i, r.c.Nudged, beta)
			m.save(r, i, [][][]tensor.Float{r.plus, r.minus}[k])
		}
	}
	r.count(m)
	if len(p.betas) == 0 {
		return
	}
	r.differences(w, p)
	if r.predictor != nil {
		r.predictorErrors(w, b.n)
	}
}

// count adds a thread's counts to the run's.
func (r *relaxer) count(m *simulation) {
	for l, n := range m.spikes {
		r.spikes[l].Add(int64(n))
	}
	r.synapses.Add(int64(m.synapses))
}

func (m *simulation) save(r *relaxer, sample int, states [][]tensor.Float) {
	for l := 1; l < len(r.sizes); l++ {
		copy(states[l][sample*r.sizes[l]:], m.layers[l].s)
	}
}

// warm starts a sample at its prediction.
func (r *relaxer) warm(m *simulation, sample int) {
	if r.predictor == nil {
		return
	}
	for l := 1; l < len(r.sizes); l++ {
		n, x := r.sizes[l], &m.layers[l]
		copy(x.s, r.guess[l][sample*n:][:n])
		for j, v := range x.s {
			x.s[j] = min(max(v, 0), 1)
		}
		copy(x.last, x.s)
		copy(x.mean, x.s)
		for j, s := range x.s {
			x.v[j] = s - r.net.B[l-1].Value.Data[j]
			x.spread[j] = 1 / tensor.Float(max(1, r.c.Spiking.Warm))
		}
	}
}

// simulate runs steps of one sample.
func (r *relaxer) simulate(w *block, b *batch, sample, steps int, beta tensor.Float) {
	m, s, top := w.simulation, r.c.Spiking, len(r.sizes)-1
	for range steps {
		lambda := r.plan.lambda[m.t]
		for l := 1; l <= top; l++ {
			n := r.sizes[l]
			u := m.u[:n]
			clear(u)
			m.receive(u, r.net.W[l-1].Value.Data, &r.kept[l-1].rows, r.kept[l-1].below(eventShare), l-1, s.Quantiser)
			if l < top {
				m.receive(u, r.turned[l+1], &r.kept[l].columns, r.kept[l].below(eventShare), l+1, s.Quantiser)
			}
			x := &m.layers[l]
			decode(x.v, u, lambda)
			d := u
			copy(d, x.v)
			kernel.Add(d, r.net.B[l-1].Value.Data)
			if l == top && beta != 0 {
				strength := tensor.Float(2*r.c.CostScale) * beta
				for j, v := range x.s {
					d[j] -= strength * v
				}
				d[b.labels[sample]] += strength
			}
			if r.predictor != nil {
				pull := tensor.Float(r.c.Predictor.Lambda)
				for j, v := range r.guess[l][sample*n:][:n] {
					d[j] += pull * (v - x.s[j])
				}
			}
			if r.limits(l) {
				r.limit(w, l, d, &m.theta[l])
			}
			r.integrate(m, x, d)
			for j, chosen := range m.chosen[l] {
				if !chosen {
					x.s[j] = 0
				}
			}
			m.encode(x, l, lambda, s.Quantiser)
		}
		m.encodeInput(b, sample, lambda, s.Quantiser)
		m.t++
		m.sent, m.next = m.next, m.sent
		m.values, m.news = m.news, m.values
	}
}

// receive adds the rows of the units that sent something, as a whole or by the kept
// weights, and counts the weights.
func (m *simulation) receive(u, w []tensor.Float, kept *entries, lists bool, from int, q Quantiser) {
	var values []tensor.Float
	if q == Identity {
		values = m.values[from]
	}
	m.synapses += kept.count(m.sent[from], len(u))
	if !lists {
		kernel.AddRowsMulti(1, u, len(u), w, len(u), len(u), len(u), m.sent[from], values)
		return
	}
	for e, i := range m.sent[from] {
		x := tensor.Float(1)
		if values != nil {
			x = values[e]
		}
		at, weights := kept.of(int(i))
		weights = weights[:len(at)]
		for k, j := range at {
			u[j] += tensor.Float(x * weights[k])
		}
	}
}

func decode(v, u []tensor.Float, lambda tensor.Float) {
	keep := 1 - lambda
	for j, x := range u {
		v[j] = tensor.Float(keep*v[j]) + tensor.Float(lambda*x)
	}
}

// integrate moves the states by scheduled or adapted steps.
func (r *relaxer) integrate(m *simulation, x *units, d []tensor.Float) {
	if r.c.Spiking.Drift == 0 {
		e := r.plan.epsilon[m.t]
		kernel.Relax{Keep: 1 - e, Gain: e, Hi: 1}.Step(x.s, d)
		return
	}
	if m.t == 0 && r.c.Spiking.Warm == 0 {
		x.first(d, r.plan.nu[0])
		return
	}
	nu := r.plan.nu[m.t]
	kernel.Adapt{Nu: nu, Keep: 1 - nu, Floor: adaptationFloor}.Step(x.s, d, x.g, x.h, x.spread, x.mean)
}

// first is an adapted step of size 1, from rest.
func (x *units) first(d []tensor.Float, nu tensor.Float) {
	for j, v := range d {
		x.g[j], x.h[j] = nu*v, nu*v*v
		x.spread[j], x.mean[j] = 1, v
		x.s[j] = min(max(v, 0), 1)
	}
}

// encode makes the spikes of a layer for the next step.
func (m *simulation) encode(x *units, l int, lambda tensor.Float, q Quantiser) {
	out, values := m.next[l][:0], m.news[l][:0]
	n := len(x.s)
	s, last, phi := x.s[:n], x.last[:n], x.phi[:n]
	keep := 1 - lambda
	if q == SigmaDelta {
		m.next[l] = modulate(slices.Grow(out, n)[:n], s, last, phi, lambda)
		m.spikes[l] += len(m.next[l])
		return
	}
	if q == Stochastic {
		m.key.Uniforms(m.uniform[:n], uint64(m.t), uint64(l)<<32)
	}
	for j, v := range s {
		p := (v - tensor.Float(keep*last[j])) / lambda
		last[j] = v
		switch q {
		case Stochastic:
			if tensor.Float(m.uniform[j]) < p {
				out = append(out, int32(j))
			}
		case Threshold:
			if p > 0.5 {
				out = append(out, int32(j))
			}
		default:
			out, values = append(out, int32(j)), append(values, p)
		}
	}
	m.next[l], m.news[l] = out, values
	m.spikes[l] += len(out)
}

// modulate writes to out, which has room for all, the units whose modulators fire.
// Spikes are hard to foresee, and so there is no branch.
func modulate(out []int32, s, last, phi []tensor.Float, lambda tensor.Float) []int32 {
	keep, count := 1-lambda, 0
	for j, v := range s {
		f := phi[j] + (v-tensor.Float(keep*last[j]))/lambda
		last[j] = v
		fires := 0
		if f > 0.5 {
			fires = 1
		}
		phi[j] = f - tensor.Float(fires)
		out[count] = int32(j)
		count += fires
	}
	return out[:count]
}

// modulateInput is modulate for listed inputs with the code x/λ.
func modulateInput(out, at []int32, x, phi []tensor.Float, lambda tensor.Float) []int32 {
	count := 0
	for i, v := range x {
		f := phi[i] + v/lambda
		fires := 0
		if f > 0.5 {
			fires = 1
		}
		phi[i] = f - tensor.Float(fires)
		out[count] = at[i]
		count += fires
	}
	return out[:count]
}

// encodeInput makes the input's spikes. From the second step on the code is x.
func (m *simulation) encodeInput(b *batch, sample int, lambda tensor.Float, q Quantiser) {
	at, val := b.events(sample)
	out, values := m.next[0][:0], m.news[0][:0]
	if q == Stochastic {
		m.key.Uniforms(m.uniform[:b.in], uint64(m.t), 0)
	}
	phi := m.input[:len(at)]
	if m.t > 0 {
		lambda = 1
	}
	if q == SigmaDelta {
		m.next[0] = modulateInput(slices.Grow(out, len(at))[:len(at)], at, val, phi, lambda)
		m.spikes[0] += len(m.next[0])
		return
	}
	for i, j := range at {
		p := val[i] / lambda
		switch q {
		case Stochastic:
			if tensor.Float(m.uniform[j]) < p {
				out = append(out, j)
			}
		case Threshold:
			if p > 0.5 {
				out = append(out, j)
			}
		default:
			out, values = append(out, j), append(values, p)
		}
	}
	m.next[0], m.news[0] = out, values
	m.spikes[0] += len(out)
}
