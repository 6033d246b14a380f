package s4nn

import (
	"math"
	"math/bits"

	"synfire/internal/kernel"
	"synfire/tensor"
)

// weights are those of all layers. What stands in w is to be multiplied by scale, which
// weight decay lowers in place of each of them.
type weights struct {
	sizes []int            // units of the input and of each layer
	w     [][]tensor.Float // of each layer, [in, out]: a spike adds a row
	scale float64
}

func newWeights(sizes []int) *weights {
	w := &weights{sizes: sizes, scale: 1}
	for l := 1; l < len(sizes); l++ {
		w.w = append(w.w, make([]tensor.Float, sizes[l-1]*sizes[l]))
	}
	return w
}

// layers is the number of matrices.
func (w *weights) layers() int { return len(w.w) }

// block is how many times with spikes are integrated at once.
const block = 16

// horizon is how many steps of time a sample that stops early is run at once.
const horizon = 16

// population is a layer of neurons on one sample.
type population struct {
	times  []int32        // t_j, T for the silent
	v      []tensor.Float // potentials, to be multiplied by the scale
	out    spikes
	fired  int // that are in out
	at     int // spikes of the layer below that were integrated
	passed []uint64

	currents []tensor.Float // [block, n]
	above    []uint64       // [block, words]: potential above the threshold
	when     [block]int32
}

func newPopulation(n int) *population {
	words := (n + 63) / 64
	return &population{
		times: make([]int32, n), v: make([]tensor.Float, n), passed: make([]uint64, words),
		currents: make([]tensor.Float, block*n), above: make([]uint64, block*words),
	}
}

func (p *population) reset(steps int) {
	for i := range p.times {
		p.times[i] = int32(steps)
	}
	clear(p.v)
	clear(p.passed)
	p.out.reset()
	p.fired, p.at = 0, 0
}

// integrate adds the spikes below that come before a time. Those of one time are summed
// in the order of their units and then added to the potentials: the one order of all
// sums here.
func (p *population) integrate(in *spikes, w []tensor.Float, fire tensor.Float, until, steps int32) {
	n := len(p.v)
	for p.at < len(in.time) && in.time[p.at] < until && p.fired < n {
		k := 0
		for k < block && p.at < len(in.time) && in.time[p.at] < until {
			t, end := in.time[p.at], p.at+1
			for end < len(in.time) && in.time[end] == t {
				end++
			}
			row := p.currents[k*n:][:n]
			copy(row, w[int(in.unit[p.at])*n:])
			for _, i := range in.unit[p.at+1 : end] {
				kernel.Add(row, w[int(i)*n:][:n])
			}
			p.when[k], p.at = t, end
			k++
		}
		integrator := kernel.LIF{Beta: 1, Gain: 1, Fire: fire, Reset: kernel.ResetNone}
		integrator.Forward(k, p.currents, n, p.v, nil, 0, p.above, len(p.passed))
		for i := range k {
			p.cross(p.above[i*len(p.passed):][:len(p.passed)], p.when[i]+1, steps)
		}
	}
}

// cross lets the neurons that are above the threshold for the first time fire at t.
func (p *population) cross(above []uint64, t, steps int32) {
	if t >= steps {
		return // as if silent
	}
	for i, word := range above {
		if word &^= p.passed[i]; word == 0 {
			continue
		}
		p.passed[i] |= word
		for ; word != 0; word &= word - 1 {
			j := int32(64*i + bits.TrailingZeros64(word))
			p.times[j] = t
			p.out.add(t, j)
			p.fired++
		}
	}
}

// network runs one sample at a time. Several may share weights.
type network struct {
	*weights
	threshold float64
	steps     int
	encoder   encoder
	input     *spikes
	layer     []*population
	final     []tensor.Float // potentials of the outputs at T − 3

	mask  []tensor.Float // of the layer that learns
	delta [][]float64    // errors of each layer
}

func newNetwork(w *weights, threshold float64, steps int) *network {
	n := &network{weights: w, threshold: threshold, steps: steps, encoder: encoder{steps: steps}}
	widest := 0
	for _, size := range w.sizes[1:] {
		n.layer = append(n.layer, newPopulation(size))
		n.delta = append(n.delta, make([]float64, size))
		widest = max(widest, size)
	}
	n.mask = make([]tensor.Float, widest)
	n.final = make([]tensor.Float, w.sizes[len(w.sizes)-1])
	return n
}

// output is the last layer.
func (n *network) output() *population { return n.layer[len(n.layer)-1] }

// below is the spikes that a layer gets.
func (n *network) below(l int) *spikes {
	if l == 0 {
		return n.input
	}
	return &n.layer[l-1].out
}

// start takes a sample up.
func (n *network) start(x []tensor.Float) (err error) {
	n.input, err = n.encoder.encode(x)
	for _, p := range n.layer {
		p.reset(n.steps)
	}
	return err
}

// fire is the least unscaled potential that is above the threshold.
func (n *network) fire() tensor.Float { return nextAbove(tensor.Float(n.threshold / n.scale)) }

// nextAbove is the smallest Float greater than x, for finite positive x.
func nextAbove(x tensor.Float) tensor.Float {
	step := x // halve until the smallest step that still changes x
	for x+step/2 > x {
		step /= 2
	}
	return x + step
}

// advance runs all layers over the spikes from one time up to another, before which all
// were integrated.
func (n *network) advance(fire tensor.Float, from, until int) {
	steps, last := int32(n.steps), len(n.layer)-1
	for l, p := range n.layer {
		if end := max(n.steps-2, 1); l == last && from < end && end <= until {
			p.integrate(n.below(l), n.w[l], fire, int32(end), steps)
			copy(n.final, p.v)
		}
		p.integrate(n.below(l), n.w[l], fire, int32(until), steps)
	}
}

// run runs a sample to its end, or early to the first spike of an output.
func (n *network) run(x []tensor.Float, early bool) error {
	if err := n.start(x); err != nil {
		return err
	}
	fire, stride := n.fire(), n.steps
	if early {
		stride = horizon
	}
	for from := 0; from < n.steps; from += stride {
		n.advance(fire, from, min(from+stride, n.steps))
		if early && n.output().fired > 0 {
			break
		}
	}
	if early {
		n.forget()
	}
	return nil
}

// forget drops what came after the first output spike: how far beyond it a sample was
// run says nothing.
func (n *network) forget() {
	first := n.first()
	for l, p := range n.layer {
		p.at = n.below(l).before(first, p.at)
	}
	for _, p := range n.layer {
		until := first // a spike at the time of the decision cannot have contributed
		if p == n.output() {
			until++
		}
		for k := p.out.before(until, len(p.out.time)); k < len(p.out.time); k++ {
			p.times[p.out.unit[k]] = int32(n.steps)
		}
		p.fired = p.out.before(until, len(p.out.time))
		p.out.time, p.out.unit = p.out.time[:p.fired], p.out.unit[:p.fired]
	}
}

// first is τ, the time of the first output spike; T where there is none.
func (n *network) first() int32 {
	if out := n.output().out; len(out.time) > 0 {
		return out.time[0]
	}
	return int32(n.steps)
}

// operations is the number of weights that were added to potentials.
func (n *network) operations() (sum int) {
	for _, p := range n.layer {
		sum += p.at * len(p.v)
	}
	return sum
}

// score writes what the answer is the largest of: −t_j; where no output fires, below
// −T, by the order of their potentials.
func (n *network) score(scores []tensor.Float) {
	p := n.output()
	for j, t := range p.times {
		scores[j] = -tensor.Float(t)
	}
	if p.fired > 0 {
		return
	}
	for j, v := range n.final {
		for _, other := range n.final {
			if other > v {
				scores[j]--
			}
		}
	}
}

// winner is the answer.
func (n *network) winner() (best int) {
	p := n.output()
	if p.fired > 0 {
		for j, t := range p.times {
			if t < p.times[best] {
				best = j
			}
		}
		return best
	}
	for j, v := range n.final {
		if v > n.final[best] {
			best = j
		}
	}
	return best
}

// norm is the Euclidean norm.
func norm(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}
