// Package mostafa trains deep networks of neurons without leak that fire once, by the exact times
// of their spikes (Mostafa, "Supervised learning based on temporal coding in spiking neural
// networks", IEEE TNNLS 29, 2018).
//
// Time is in units of the synapse's constant. A neuron integrates currents that decay and fires
// where its potential reaches 1:
//
//	dV/dt = Σ_i w_i e^(−(t−t_i)) Θ(t − t_i)   →   Σ_{i∈C} w_i (1 − e^(t_i−t)) = 1
//
// In z = e^t that is linear, with the causal set C of the inputs before the spike:
//
//	z = Σ_{i∈C} w_i z_i / (S − 1),   S = Σ_{i∈C} w_i
//	∂z/∂w_i = (z_i − z)/(S − 1),   ∂z/∂z_i = w_i/(S − 1)   for i ∈ C, else 0
//
// C is the first prefix of the inputs, in the order of their times, with S > 1 and z not after the next
// input; a neuron without one is silent. With the label y,
//
//	L = −ln(e^(−z_y) / Σ_j e^(−z_j)) + K Σ_neurons max(0, 1 − Σ_i w_i)
//
// whose second part, over all neurons of all layers, keeps them able to fire: a step raises all weights
// of a neuron whose sum is below 1 by η K, but the sum to no more above 1 than it was below. In the
// first part z is 100 where it is later or the neuron silent; outputs that do fire keep the derivative
// that the formula has there, so that a late label is drawn near. Tables of the loss have the first part
// alone. S − 1 may be small, so that the gradient of a sample is scaled to a norm of at most clip in each layer. That
// norm needs no gradient: with n, Σz and Σz² over a causal set it is
//
//	Σ_j (∂L/∂z_j/(S_j − 1))² (Σz² − 2z_j Σz + n z_j²)
//
// Inputs of one time are a group. A layer sorts its inputs once, adds group after group of its rows
// of weights to S and P = Σ w_i z_i of all neurons, and looks for spikes between groups. Where the
// last group is most of the inputs, as the dark pixels of a picture are, its sum is that of all
// weights less that of the other groups, and its gradient is added once a batch to all rows.
package mostafa

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Silent is the z of a neuron that does not fire. In the loss it counts as latest.
var Silent = math.Inf(1)

// latest is the largest z in the loss, at which e^(−z) is nothing beside others.
const latest = 100

// Layer is the weights of neurons without leak.
type Layer struct {
	In, Out int
	W       []float64 // [in, out]
	Change  []float64 // of the weights by the batch before, for momentum; nil for none

	total []float64 // Σ_i w_i of each neuron
}

// NewLayer makes a layer without weights.
func NewLayer(in, out int) *Layer {
	return &Layer{In: in, Out: out, W: make([]float64, in*out), total: make([]float64, out)}
}

// Refresh is to be called when weights were changed from outside.
func (l *Layer) Refresh() { l.sum(0, l.Out) }

// sum works out Σ_i w_i of neurons from lo to hi.
func (l *Layer) sum(lo, hi int) {
	total := l.total[lo:hi]
	clear(total)
	for i := range l.In {
		add(total, l.W[i*l.Out+lo:])
	}
}

// add adds the first elements of src to dst.
func add(dst, src []float64) { floats.Add(dst, src[:len(dst)]) }

// spike is an input's.
type spike struct {
	z    float64
	unit int
}

// group is inputs of one time.
type group struct {
	z     float64
	units []spike
}

// Pass is what a layer does with one sample.
type Pass struct {
	layer  *Layer
	z      []float64 // of the neurons
	sum    []float64 // S of the causal sets
	cause  []int     // how many groups are in the causal set
	fired  []int     // neurons that fire, by the size of their causal sets
	keys   []uint64  // of the inputs that fire, to sort them by
	spikes []spike   // these inputs, by their times
	groups []group   // of the spikes
	rest   bool      // the last group is most of the inputs, and all fire

	s, p, part []float64
	live       []int
	d          []float64 // ∂L/∂z_j / (S_j − 1), 0 of neurons that do not learn
	scale      float64   // of the gradient, by its norm
}

// NewPass makes one.
func (l *Layer) NewPass() *Pass {
	n := l.Out
	return &Pass{
		layer: l, z: make([]float64, n), sum: make([]float64, n), cause: make([]int, n), d: make([]float64, n),
		s: make([]float64, n), p: make([]float64, n), part: make([]float64, n), live: make([]int, 0, n), fired: make([]int, 0, n),
	}
}

// sort groups the inputs by their times. Numbers of the first bits of z with the unit behind sort
// fast, and leave little to be put right by all bits.
func (p *Pass) sort(in []float64) {
	p.keys, p.spikes, p.groups = p.keys[:0], p.spikes[:0], p.groups[:0]
	for i, z := range in {
		if !math.IsInf(z, 1) {
			p.keys = append(p.keys, math.Float64bits(z)>>32<<32|uint64(i)) // of positive numbers the bits are in their order
		}
	}
	slices.Sort(p.keys)
	for k, key := range p.keys {
		i := int(uint32(key))
		p.spikes = append(p.spikes, spike{in[i], i})
		for ; k > 0 && p.spikes[k].z < p.spikes[k-1].z; k-- {
			p.spikes[k], p.spikes[k-1] = p.spikes[k-1], p.spikes[k]
		}
	}
	for lo, hi := 0, 0; lo < len(p.spikes); lo = hi {
		for hi = lo + 1; hi < len(p.spikes) && p.spikes[hi].z == p.spikes[lo].z; hi++ {
		}
		p.groups = append(p.groups, group{p.spikes[lo].z, p.spikes[lo:hi]})
	}
	p.rest = len(p.spikes) == len(in) && 2*len(p.groups[len(p.groups)-1].units) > len(in)
}

// Forward is the z of the neurons for those of the inputs. The result is the pass's until the
// next call.
func (p *Pass) Forward(in []float64) []float64 {
	p.sort(in)
	p.live, p.fired = p.live[:0], p.fired[:0]
	for j := range p.z {
		p.z[j], p.s[j], p.p[j], p.cause[j] = Silent, 0, 0, 0
		p.live = append(p.live, j)
	}
	for k, g := range p.groups {
		p.integrate(k, g)
		next := math.Inf(1)
		if k+1 < len(p.groups) {
			next = p.groups[k+1].z
		}
		if p.fire(k+1, next); len(p.live) == 0 {
			break
		}
	}
	return p.z
}

// integrate adds a group to S and P of all neurons, also of those that have fired: to skip them
// costs more.
func (p *Pass) integrate(k int, g group) {
	l, s := p.layer, p.s
	part := p.part[:len(s)]
	switch {
	case p.rest && k == len(p.groups)-1:
		for j, t := range l.total {
			part[j] = t - s[j]
		}
	case len(g.units) == 1:
		part = l.W[g.units[0].unit*l.Out:][:len(s)]
	default:
		clear(part)
		for _, u := range g.units {
			add(part, l.W[u.unit*l.Out:])
		}
	}
	sums := p.p[:len(s)]
	for j, w := range part {
		s[j] += w
		sums[j] += w * g.z
	}
}

// fire takes the neurons that fire before the next group out of those that may.
func (p *Pass) fire(count int, next float64) {
	left := p.live[:0]
	for _, j := range p.live {
		over := p.s[j] - 1
		if over > 0 && p.p[j] <= next*over {
			if z := p.p[j] / over; !math.IsInf(z, 1) {
				p.z[j], p.sum[j], p.cause[j] = z, p.s[j], count
				p.fired = append(p.fired, j)
				continue
			}
		}
		left = append(left, j)
	}
	p.live = left
}

// Backward takes ∂L/∂z of the neurons, keeps what Gradient needs, with the gradient scaled to a
// norm of at most clip, and writes ∂L/∂z of the inputs to back, nil for none. An error of a silent
// neuron does not count.
func (p *Pass) Backward(errors []float64, clip float64, back []float64) {
	clear(p.d)
	for _, j := range p.fired {
		p.d[j] = errors[j] / (p.sum[j] - 1)
	}
	p.scale = 1
	if norm := p.norm(); norm > clip {
		p.scale = clip / norm
	}
	if back == nil {
		return
	}
	clear(back)
	l, d, at := p.layer, p.s, 0
	copy(d, p.d)
	for k, g := range p.groups {
		if at = p.leave(d, at, k, 0, l.Out); at == len(p.fired) {
			break
		}
		for _, u := range g.units {
			sum := 0.0
			for j, w := range l.W[u.unit*l.Out:][:len(d)] {
				sum += d[j] * w
			}
			back[u.unit] = sum
		}
	}
}

// norm is that of the gradient.
func (p *Pass) norm() float64 {
	square, at := 0.0, 0
	var n, first, second float64
	for k, g := range p.groups {
		size := float64(len(g.units))
		n, first, second = n+size, first+size*g.z, second+size*g.z*g.z
		for ; at < len(p.fired) && p.cause[p.fired[at]] == k+1; at++ {
			j := p.fired[at]
			z := p.z[j]
			square += p.d[j] * p.d[j] * max(0, second-2*z*first+n*z*z)
		}
	}
	return math.Sqrt(square)
}

// leave clears those of the neurons from lo to hi whose causal sets do not reach group k, and
// returns where it stopped in fired.
func (p *Pass) leave(d []float64, at, k, lo, hi int) int {
	for ; at < len(p.fired) && p.cause[p.fired[at]] <= k; at++ {
		if j := p.fired[at]; j >= lo && j < hi {
			d[j-lo] = 0
		}
	}
	return at
}

// block is how many neurons learn together, on one thread.
const block = 64

// room is what a thread needs to let a block learn.
type room struct {
	grad             []float64      // [in, neurons]
	all              [block]float64 // what the gradients of all inputs have besides
	d, z, last, part [block]float64
}

// begin clears a gradient of a size.
func (r *room) begin(size int) {
	if cap(r.grad) < size {
		r.grad = make([]float64, size)
	}
	r.grad = r.grad[:size]
	clear(r.grad)
	clear(r.all[:])
}

// learn changes the weights of the neurons from lo to hi by the mean gradient of the samples, in
// their order:
//
//	Δw ← μ Δw' − η·∂L/∂w,   w ← w + Δw
func (l *Layer) learn(passes []*Pass, lo, hi int, o *Rule, rate float64, r *room) {
	n := hi - lo
	r.begin(l.In * n)
	all := r.all[:n]
	for _, p := range passes {
		p.gradient(lo, hi, r)
	}
	step, total := rate/float64(len(passes)), l.total[lo:hi]
	clear(total)
	for i := range l.In {
		w, g := l.W[i*l.Out+lo:][:n], r.grad[i*n:][:n]
		if l.Change == nil {
			for j, a := range all {
				w[j] -= step * (g[j] + a)
				total[j] += w[j]
			}
			continue
		}
		change := l.Change[i*l.Out+lo:][:n]
		for j, a := range all {
			change[j] = o.Momentum*change[j] - step*(g[j]+a)
			w[j] += change[j]
			total[j] += w[j]
		}
	}
	l.lift(lo, hi, rate*o.SumCost)
}

// gradient adds that of a sample for the neurons from lo to hi to the room's.
func (p *Pass) gradient(lo, hi int, r *room) {
	n := hi - lo
	d, z, last, part := r.d[:n], r.z[:n], r.last[:n], r.part[:n]
	for j := range d {
		d[j], z[j], last[j] = 0, 0, 0
		if k := lo + j; p.d[k] != 0 {
			d[j], z[j] = p.scale*p.d[k], p.z[k]
		}
	}
	if p.rest {
		late := p.groups[len(p.groups)-1].z
		for j := range last {
			if p.cause[lo+j] == len(p.groups) {
				last[j] = d[j] * (late - z[j])
			}
		}
		add(r.all[:n], last)
	}
	at := 0
	for k, g := range p.groups {
		if p.rest && k == len(p.groups)-1 {
			break
		}
		if at = p.leave(d, at, k, lo, hi); at == len(p.fired) {
			break // of the last group too
		}
		for j := range part {
			part[j] = d[j]*(g.z-z[j]) - last[j]
		}
		for _, u := range g.units {
			add(r.grad[u.unit*n:][:n], part)
		}
	}
}

// lift raises the weights of neurons from lo to hi whose sum is below 1, by the gradient of
// the cost K, no further than to as much above 1.
func (l *Layer) lift(lo, hi int, step float64) {
	lifted := false
	for j := lo; j < hi; j++ {
		if l.total[j] >= 1 {
			continue
		}
		by := min(step, 2*(1-l.total[j])/float64(l.In))
		for i := range l.In {
			l.W[i*l.Out+j] += by
		}
		lifted = true
	}
	if lifted {
		l.sum(lo, hi)
	}
}

// loss is the cross-entropy of the outputs by a label, and its derivative by z.
func loss(z []float64, label int, errors []float64) (e float64) {
	least, sum := math.Inf(1), 0.0
	at := func(j int) float64 { return min(z[j], latest) }
	for j := range z {
		least = min(least, at(j))
	}
	for j := range z {
		errors[j] = math.Exp(least - at(j))
		sum += errors[j]
	}
	for j := range errors {
		errors[j] /= -sum
	}
	errors[label]++
	return at(label) - least + math.Log(sum)
}
