package dbn

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/tensor"
	"synfire/train/online"
)

// Net is a belief net: machines on one another, the last one's visible units being those below
// and one for each class. It is an online.Batcher.
type Net struct {
	rule    Rule
	classes int
	seed    uint64
	stack   []*machine
	steps   []float64 // batches learned from, one number
	cells   []*cells

	// Fired are the spikes of each layer for the last sample that was run, the inputs first and
	// the labels last.
	Fired []int
}

// NewNet is a net that has learned nothing.
func (r Rule) NewNet(inputs, classes int, seed uint64) *Net {
	n := &Net{rule: r, classes: classes, seed: seed, steps: []float64{0}}
	below := inputs
	for l, size := range r.Hidden {
		visible := below
		if l == len(r.Hidden)-1 {
			visible += classes
		}
		m := newMachine(visible, size, spiking{r.Neuron, r.Noise}, r.Initial, rng.New(seed, "spiking-dbn.weights").Int(uint64(l)).Source())
		n.stack = append(n.stack, m)
		below = size
	}
	n.rest()
	return n
}

// Batches is true: correlations are means over a batch.
func (n *Net) Batches() bool { return true }

// Learn is LearnBatch with one sample.
func (n *Net) Learn(x []tensor.Float, label int, factor float64, scores []float64) (float64, error) {
	return online.LearnOne(n, x, label, factor, scores)
}

// LearnBatch lets all machines learn, each from the rates of the one below. Scores are the rates
// of the labels before.
func (n *Net) LearnBatch(b *online.Batch) error {
	if err := b.Each(func(i int) error { return inRange(b.Sample(i)) }); err != nil {
		return err
	}
	size := len(b.Labels)
	n.Rates(b.Pool, b.X, b.Scores)
	for i, label := range b.Labels {
		b.Loss[i] = n.loss(b.ScoresOf(i), label)
	}
	src := rng.New(n.seed, "spiking-dbn.noise").Int(uint64(n.steps[0])).Source()
	s := step{n.rule.LR * b.Factor, n.rule.Momentum, n.rule.Decay, n.rule.Push, n.rule.Sparsity}
	states := n.inputRates(b.X)
	for l, m := range n.stack {
		if l == len(n.stack)-1 {
			states = n.beside(states, b.Labels)
		}
		hidden := make([]tensor.Float, size*m.hidden)
		m.up(b.Pool, hidden, states, size)
		m.learn(b.Pool, states, hidden, size, n.rule.Gibbs, s, src)
		states = hidden
	}
	n.steps[0]++
	for l, m := range n.stack {
		if k, ok := finite(m.w); !ok {
			return fmt.Errorf("layer %d: weight %d is %v; take a smaller lr", l+1, k, m.w[k])
		}
	}
	return nil
}

// inRange returns an error for a value that is no brightness.
func inRange(x []tensor.Float) error {
	for i, v := range x {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("value %d is %v, want one in [0, 1], which becomes a rate; scale the data, and leave normalize out", i, v)
		}
	}
	return nil
}

func finite(w []float64) (int, bool) {
	for i, v := range w {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return i, false
		}
	}
	return 0, true
}

// Rates answers samples, of values in [0, 1], by Siegert's rates, without spikes: scores are the
// activities of the labels. It is for one goroutine.
func (n *Net) Rates(pool *par.Pool, x []tensor.Float, scores []float64) {
	size := len(scores) / n.classes
	states := n.inputRates(x)
	for l, m := range n.stack {
		m.refresh()
		if l == len(n.stack)-1 {
			states = n.beside(states, slices.Repeat([]int{-1}, size))
		}
		hidden := make([]tensor.Float, size*m.hidden)
		m.up(pool, hidden, states, size)
		states = hidden
	}
	last := n.stack[len(n.stack)-1]
	back := make([]tensor.Float, size*last.visible)
	last.down(pool, back, states, size)
	for i := range size {
		for c := range n.classes {
			scores[i*n.classes+c] = float64(back[(i+1)*last.visible-n.classes+c])
		}
	}
}

// inputRates are the activities of inputs.
func (n *Net) inputRates(x []tensor.Float) []tensor.Float {
	out := make([]tensor.Float, len(x))
	for i, v := range x {
		out[i] = tensor.Float(n.rule.Bright) * v
	}
	return out
}

// beside is the states of the last machine's visible units: those below, and the labels', which
// rest for a label of −1.
func (n *Net) beside(below []tensor.Float, labels []int) []tensor.Float {
	m := n.stack[len(n.stack)-1]
	inner := m.visible - n.classes
	v := make([]tensor.Float, len(labels)*m.visible)
	for i, label := range labels {
		row := v[i*m.visible:][:m.visible]
		copy(row, below[i*inner:][:inner])
		if label >= 0 {
			row[inner+label] = tensor.Float(n.rule.Bright)
		}
	}
	return v
}

// loss is the squared differences of the labels' activities from what they should be, as parts
// of it.
func (n *Net) loss(scores []float64, label int) (sum float64) {
	for c, v := range scores {
		want := 0.0
		if c == label {
			want = 1
		}
		sum += (v/n.rule.Bright - want) * (v/n.rule.Bright - want)
	}
	return sum
}

// cells are neurons of a layer while spikes run.
type cells struct {
	v, until []float64 // potentials, and the ends of silence
	at       float64   // time of the potentials
	fired    []int32   // by the last input
}

func (n *Net) rest() {
	n.cells = nil
	for _, m := range n.stack {
		n.cells = append(n.cells, &cells{v: make([]float64, m.hidden), until: make([]float64, m.hidden)})
	}
	n.cells = append(n.cells, &cells{v: make([]float64, n.classes), until: make([]float64, n.classes)})
	n.Fired = make([]int, len(n.stack)+2)
}

// receive lets a spike at a time act by its weights, and lists who fires.
func (c *cells) receive(at float64, w func(i int) float64, n LIF) {
	decay := math.Exp((c.at - at) / n.TauM)
	c.at, c.fired = at, c.fired[:0]
	for i, v := range c.v {
		v *= decay
		if at >= c.until[i] {
			if v += w(i); v >= 1 {
				v, c.until[i] = 0, at+n.Refractory
				c.fired = append(c.fired, int32(i))
			}
		}
		c.v[i] = v
	}
}

// Run answers by spikes: each input fires as a Poisson process, of the rate of its brightness,
// for the rule's duration; who is brought over the threshold fires at once, up to the labels.
// Scores are spikes of the labels as parts of the most there could be, and what is left of a
// potential counts as part of a spike.
func (n *Net) Run(x []tensor.Float, label int, scores []float64) (float64, error) {
	if err := inRange(x); err != nil {
		return 0, err
	}
	for _, c := range n.cells {
		clear(c.v)
		clear(c.until)
		c.at = 0
	}
	clear(n.Fired)
	counts := make([]float64, n.classes)
	for _, s := range n.inputs(x) {
		n.spike(0, s.unit, s.at, counts)
	}
	most := n.rule.Duration / n.rule.Neuron.Refractory
	for c := range scores {
		scores[c] = (counts[c] + n.cells[len(n.cells)-1].v[c]) / most
	}
	if label < 0 {
		return 0, nil
	}
	return n.loss(scores, label), nil
}

// event is a spike of an input.
type event struct {
	at   float64
	unit int
}

// inputs are the spikes of a sample, in order. They depend on the seed and the sample alone.
func (n *Net) inputs(x []tensor.Float) []event {
	key := rng.New(n.seed, "spiking-dbn.inputs")
	for _, v := range x {
		key = key.Int(math.Float64bits(float64(v)))
	}
	src := key.Source()
	most := n.rule.Bright / n.rule.Neuron.Refractory // Hz
	var all []event
	for i, v := range x {
		if v == 0 {
			continue
		}
		rate := most * float64(v)
		for at := -math.Log1p(-src.Float64()) / rate; at < n.rule.Duration; at -= math.Log1p(-src.Float64()) / rate {
			all = append(all, event{at, i})
		}
	}
	slices.SortFunc(all, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	return all
}

// spike delivers a spike of a unit of layer l, 0 for the inputs.
func (n *Net) spike(l, unit int, at float64, counts []float64) {
	n.Fired[l]++
	if l == len(n.stack)+1 {
		counts[unit]++
		return
	}
	c := n.cells[l]
	if l < len(n.stack) {
		m := n.stack[l]
		row := m.w[unit*m.hidden:][:m.hidden]
		c.receive(at, func(i int) float64 { return row[i] }, n.rule.Neuron)
	} else { // from the last hidden layer to the labels
		m := n.stack[l-1]
		inner := m.visible - n.classes
		c.receive(at, func(i int) float64 { return m.w[(inner+i)*m.hidden+unit] }, n.rule.Neuron)
	}
	for _, u := range c.fired {
		n.spike(l+1, int(u), at, counts)
	}
}

// During is another net with the same weights, whose answers take so many seconds.
func (n *Net) During(seconds float64) *Net {
	f := n.Fork().(*Net)
	f.rule.Duration = seconds
	return f
}

// Features are the weights of the first layer, those of each unit by itself.
func (n *Net) Features() [][]float64 {
	m := n.stack[0]
	out := make([][]float64, m.hidden)
	for j := range out {
		for i := range m.visible {
			out[j] = append(out[j], m.w[i*m.hidden+j])
		}
	}
	return out
}

// Fork is another net with the same weights, for another goroutine.
func (n *Net) Fork() online.Network {
	f := *n
	f.rest()
	return &f
}

// Model is the weights.
func (n *Net) Model() (all []online.Array) {
	for l, m := range n.stack {
		all = append(all, online.Array{Name: fmt.Sprintf("machine%d/weight", l+1), Shape: []int{m.visible, m.hidden}, Data: m.w})
	}
	return all
}

// Memory is their last changes and the number of batches, which the noise follows.
func (n *Net) Memory() (all []online.Array) {
	for l, m := range n.stack {
		all = append(all, online.Array{Name: fmt.Sprintf("machine%d/moved", l+1), Shape: []int{m.visible, m.hidden}, Data: m.moved})
	}
	return append(all, online.Array{Name: "batches", Shape: []int{1}, Data: n.steps})
}
