package unit

import (
	"fmt"
	"math"
	"slices"

	"synfire/internal/enum"
	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/rule/eqprop/limit"
	"synfire/rule/eqprop/sparse"
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
	Quantiser   Quantiser `yaml:"quantiser"`    // turns a unit's code into what it sends
	Lambda      float64   `yaml:"lambda"`       // of encoders and decoders, in (0, 1]; 0: 1, no code
	LambdaDecay float64   `yaml:"lambda-decay"` // with which lambda falls in a phase
	Epsilon     float64   `yaml:"epsilon"`      // of scheduled steps, in (0, 1]
	Decay       float64   `yaml:"decay"`        // with which they fall
	Drift       float64   `yaml:"drift"`        // ν̄ in (0, 1), of adapted steps; 0: scheduled
	Warm        int       `yaml:"warm"`         // steps that the adaptation begins as if taken, with a predictor
	// Bidirectional leaves the product of two differences out of the update, as the
	// published code does: m(p − m)ᵀ + (p − m)mᵀ.
	Bidirectional bool `yaml:"bidirectional"` // leaves the product of two differences out of the update
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

var quantiserNames = []string{"sigma-delta", "stochastic", "threshold", "identity"}

// String is the quantiser's name in configurations.
func (q Quantiser) String() string { return enum.Name(q, quantiserNames) }

// MarshalText is String.
func (q Quantiser) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// UnmarshalText is the inverse of String.
func (q *Quantiser) UnmarshalText(text []byte) error {
	return enum.Parse(q, text, "quantiser", quantiserNames)
}

// Validate returns an error for units that cannot be.
func (s *Spiking) Validate() error {
	in := func(v, lo, hi float64) bool { return v > lo && v <= hi }
	lambda := s.lambda()
	switch {
	case !in(lambda, 0, 1) || !(s.LambdaDecay >= 0):
		return fmt.Errorf("eqprop: spiking: lambda %v, decay %v: want a lambda in (0, 1] and a decay that is not negative; 0.275 and 0 are common", lambda, s.LambdaDecay)
	case s.Drift == 0 && (!in(s.Epsilon, 0, 1) || !(s.Decay >= 0)):
		return fmt.Errorf("eqprop: spiking: epsilon %v, decay %v: want an epsilon in (0, 1] and a decay that is not negative, as 1 and 0.5, or a drift", s.Epsilon, s.Decay)
	case s.Drift != 0 && (!(s.Drift > 0 && s.Drift < 1) || s.Epsilon != 0):
		return fmt.Errorf("eqprop: spiking: drift %v, epsilon %v: want a drift in (0, 1), as 0.0346, and no epsilon", s.Drift, s.Epsilon)
	case s.Warm < 0:
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

// Plan is what depends on the step of a relaxation alone.
type Plan struct{ lambda, epsilon, nu []tensor.Float }

// NewPlan plans a number of steps.
func NewPlan(s *Spiking, steps int) (p Plan) {
	nu := 1.0
	for range s.Warm {
		nu /= 1 + nu - s.Drift
	}
	for t := 1; t <= steps; t++ {
		nu /= 1 + nu - s.Drift
		p.nu = append(p.nu, tensor.Float(nu))
		p.lambda = append(p.lambda, tensor.Float(s.lambda()/math.Pow(float64(t), s.LambdaDecay)))
		p.epsilon = append(p.epsilon, tensor.Float(s.Epsilon/math.Pow(float64(t), s.Decay)))
	}
	return p
}

// Units is the state of a layer: s, and what its encoders, decoders and adaptation keep.
type Units struct {
	S, last, phi, V, g, h, spread, mean []tensor.Float
}

// Population is one sample's network of spiking units: what a thread works on.
type Population struct {
	Layers   []Units        // by number, the input's (0) unused
	U        []tensor.Float // room for the drives of a layer
	Theta    []tensor.Float // of soft limits
	Chosen   [][]bool       // by layer, under limit.Hard once it has chosen; else none
	Key      rng.Key        // of stochastic spikes
	Spikes   []int          // by layer, of all samples since the counts were reset
	Synapses int            // additions of weights

	quantiser    Quantiser
	plan         Plan
	t            int
	all          []tensor.Float   // the state of all layers, and of the input's modulators
	input        []tensor.Float   // φ of the listed inputs
	sent, next   [][]int32        // units that spiked, by layer
	values, news [][]tensor.Float // what they send, for Identity
	uniform      []float32
	at           []int32 // of states that are not zero
	val          []tensor.Float

	kept       []tensor.Float // copies, see Keep
	keptSent   [][]int32
	keptValues [][]tensor.Float
	keptTime   int
}

// NewPopulation makes the memory of a thread, for layers of some sizes.
func NewPopulation(q Quantiser, p Plan, sizes []int) *Population {
	m := &Population{quantiser: q, plan: p, Layers: make([]Units, len(sizes)), Spikes: make([]int, len(sizes)), Theta: make([]tensor.Float, len(sizes)), Chosen: make([][]bool, len(sizes))}
	total, widest := 0, 0
	for _, n := range sizes {
		total, widest = total+8*n, max(widest, n)
	}
	m.all, m.U, m.uniform = make([]tensor.Float, total), make([]tensor.Float, widest), make([]float32, widest)
	m.kept = make([]tensor.Float, total)
	m.at, m.val = make([]int32, widest+kernel.Slack), make([]tensor.Float, widest+kernel.Slack)
	at := 0
	take := func(n int) []tensor.Float { at += n; return m.all[at-n : at] }
	m.input = take(sizes[0])
	for l := 1; l < len(sizes); l++ {
		n := sizes[l]
		m.Layers[l] = Units{take(n), take(n), take(n), take(n), take(n), take(n), take(n), take(n)}
	}
	for _, list := range []*[][]int32{&m.sent, &m.next, &m.keptSent} {
		*list = make([][]int32, len(sizes))
	}
	for _, list := range []*[][]tensor.Float{&m.values, &m.news, &m.keptValues} {
		*list = make([][]tensor.Float, len(sizes))
	}
	return m
}

// Reset puts all units at rest.
func (m *Population) Reset() {
	m.t = 0
	clear(m.all)
	for l := range m.Theta {
		m.Theta[l] = limit.Unsought
	}
	for l := range m.sent {
		m.sent[l], m.values[l], m.Chosen[l] = m.sent[l][:0], m.values[l][:0], m.Chosen[l][:0]
	}
}

// Keep remembers the state, and Recall returns to it.
func (m *Population) Keep() {
	copy(m.kept, m.all)
	m.keptTime = m.t
	for l := range m.sent {
		m.keptSent[l] = append(m.keptSent[l][:0], m.sent[l]...)
		m.keptValues[l] = append(m.keptValues[l][:0], m.values[l]...)
	}
}

// Recall returns to the state of Keep.
func (m *Population) Recall() {
	copy(m.all, m.kept)
	m.t = m.keptTime
	for l := range m.sent {
		m.sent[l] = append(m.sent[l][:0], m.keptSent[l]...)
		m.values[l] = append(m.values[l][:0], m.keptValues[l]...)
	}
}

// Matrix is weights as spikes add them: a row for each unit that sends, ld elements
// apart, and where the matrix is pruned what is kept of each row.
type Matrix struct {
	W     []tensor.Float
	LD    int
	Kept  *sparse.Entries
	Lists bool // add the kept weights one by one
}

// Receive adds to u the rows of the units of a layer that sent something, as a whole or
// by the kept weights, and counts the weights.
func (m *Population) Receive(u []tensor.Float, w Matrix, from int) {
	var values []tensor.Float
	if m.quantiser == Identity {
		values = m.values[from]
	}
	m.Synapses += w.Kept.Count(m.sent[from], len(u))
	if !w.Lists {
		kernel.AddRowsMulti(1, u, len(u), w.W, 0, w.LD, len(u), m.sent[from], values)
		return
	}
	for e, i := range m.sent[from] {
		x := tensor.Float(1)
		if values != nil {
			x = values[e]
		}
		w.Kept.AddRow(u, i, x)
	}
}

// WeighStates adds the rows of the units of a layer above zero, times their states.
func (m *Population) WeighStates(z []tensor.Float, w Matrix, from int) {
	at, val := kernel.Nonzeros(m.at[:0], m.val[:0], m.Layers[from].S, 0)
	m.Weigh(z, w, at, val)
}

// Weigh adds listed rows times their values, and counts their weights.
func (m *Population) Weigh(z []tensor.Float, w Matrix, at []int32, val []tensor.Float) {
	m.Synapses += w.Kept.Count(at, len(z))
	kernel.AddRowsMulti(1, z, len(z), w.W, 0, w.LD, len(z), at, val)
}

// Decode takes the sums u into what the decoders of layer l make of them, which it
// returns.
func (m *Population) Decode(l int, u []tensor.Float) []tensor.Float {
	v := m.Layers[l].V
	decode(v, u, m.plan.lambda[m.t])
	return v
}

func decode(v, u []tensor.Float, lambda tensor.Float) {
	keep := 1 - lambda
	for j, x := range u {
		v[j] = tensor.Float(keep*v[j]) + tensor.Float(lambda*x)
	}
}

// Warm starts layer l at the prediction s^f, with its biases.
func (m *Population) Warm(s *Spiking, l int, guess, bias []tensor.Float) {
	x := &m.Layers[l]
	for j, v := range guess {
		x.S[j] = min(max(v, 0), 1)
	}
	copy(x.last, x.S)
	copy(x.mean, x.S)
	for j, s := range x.S {
		x.V[j] = s - bias[j]
	}
	for j := range x.spread {
		x.spread[j] = 1 / tensor.Float(max(1, s.Warm))
	}
}

// Integrate moves the states of layer l towards drives d, by scheduled or adapted steps.
func (m *Population) Integrate(s *Spiking, l int, d []tensor.Float) {
	x := &m.Layers[l]
	if s.Drift == 0 {
		e := m.plan.epsilon[m.t]
		kernel.Relax{Keep: 1 - e, Gain: e, Hi: 1}.Step(x.S, d)
		return
	}
	if m.t == 0 && s.Warm == 0 {
		x.first(d, m.plan.nu[0])
		return
	}
	nu := m.plan.nu[m.t]
	kernel.Adapt{Nu: nu, Keep: 1 - nu, Floor: adaptationFloor}.Step(x.S, d, x.g, x.h, x.spread, x.mean)
}

// Silence holds the units at zero that layer l has not chosen, where it has.
func (m *Population) Silence(l int) {
	for j, chosen := range m.Chosen[l] {
		if !chosen {
			m.Layers[l].S[j] = 0
		}
	}
}

// Advance ends a step: what was encoded in it is what has been sent.
func (m *Population) Advance() {
	m.t++
	m.sent, m.next = m.next, m.sent
	m.values, m.news = m.news, m.values
}

// first is an adapted step of size 1, from rest.
func (x *Units) first(d []tensor.Float, nu tensor.Float) {
	for j, v := range d {
		x.g[j], x.h[j] = nu*v, nu*v*v
		x.spread[j], x.mean[j] = 1, v
		x.S[j] = min(max(v, 0), 1)
	}
}

// Encode makes the spikes of layer l for the next step.
func (m *Population) Encode(l int) {
	x, q, lambda := &m.Layers[l], m.quantiser, m.plan.lambda[m.t]
	out, values := m.next[l][:0], m.news[l][:0]
	n := len(x.S)
	s, last, phi := x.S[:n], x.last[:n], x.phi[:n]
	keep := 1 - lambda
	if q == SigmaDelta {
		m.next[l] = modulate(slices.Grow(out, n)[:n], s, last, phi, lambda)
		m.Spikes[l] += len(m.next[l])
		return
	}
	if q == Stochastic {
		m.Key.Uniforms(m.uniform[:n], uint64(m.t), uint64(l)<<32)
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
	m.Spikes[l] += len(out)
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

// EncodeInput makes the spikes of n inputs, listed by those that are not zero. From the
// second step on the code is x.
func (m *Population) EncodeInput(n int, at []int32, val []tensor.Float) {
	q, lambda := m.quantiser, m.plan.lambda[m.t]
	out, values := m.next[0][:0], m.news[0][:0]
	if q == Stochastic {
		m.Key.Uniforms(m.uniform[:n], uint64(m.t), 0)
	}
	phi := m.input[:len(at)]
	if m.t > 0 {
		lambda = 1
	}
	if q == SigmaDelta {
		m.next[0] = modulateInput(slices.Grow(out, len(at))[:len(at)], at, val, phi, lambda)
		m.Spikes[0] += len(m.next[0])
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
	m.Spikes[0] += len(out)
}
