package ecd

import (
	"fmt"
	"math"
	"slices"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/tensor"
	"synfire/train/online"
)

// weights are what a net has learned. Visible units are the inputs and then those of each class.
type weights struct {
	visible, hidden int
	w               []float64      // [visible, hidden]
	bv, bh          []float64      // [visible], [hidden]
	up, down        []tensor.Float // w and its transpose, as spikes add them
	biasV, biasH    []tensor.Float // bv and bh, as drives
}

// round takes over rows of weights that have changed.
func (w *weights) round(lo, hi int) {
	for i, v := range w.w[lo*w.hidden : hi*w.hidden] {
		w.up[lo*w.hidden+i] = tensor.Float(v)
	}
}

// turn takes over what round does not.
func (w *weights) turn() {
	kernel.Transpose(w.down, w.visible, w.up, w.hidden, w.visible, w.hidden)
	for i, v := range w.bv {
		w.biasV[i] = tensor.Float(v)
	}
	for j, v := range w.bh {
		w.biasH[j] = tensor.Float(v)
	}
}

// Net is a machine that learns by spikes. It is an online.Batcher.
type Net struct {
	rule            Rule
	inputs, classes int
	seed            uint64
	steps           []float64 // batches learned from, one number
	*weights
	runs  []*run // one a sample of a batch
	index csr

	// Fired are the spikes of inputs, hidden units and class units for the last sample that was
	// answered.
	Fired [3]int
}

// run is a simulation.
type run struct {
	visible, hidden layer
	drive           []tensor.Float // of visible units
	pairs           []tensor.Float // [2·phase, hidden]: what a visible spike of a step changes its weights by
	events          []event        // of the visible units
	bv, bh          []float64      // spikes that count, signed
}

// event is a spike of a visible unit in a row of pairs.
type event struct{ unit, row int32 }

// NewNet is a net that has learned nothing.
func (r Rule) NewNet(inputs, classes int, seed uint64) *Net {
	visible := inputs + classes*r.PerClass
	w := &weights{visible: visible, hidden: r.Hidden, w: make([]float64, visible*r.Hidden), bv: make([]float64, visible), bh: make([]float64, r.Hidden)}
	w.up, w.down = make([]tensor.Float, len(w.w)), make([]tensor.Float, len(w.w))
	w.biasV, w.biasH = make([]tensor.Float, visible), make([]tensor.Float, r.Hidden)
	src := rng.New(seed, "event-cd.weights").Source()
	for i := range w.w {
		w.w[i] = r.Initial * src.Norm()
	}
	n := &Net{rule: r, inputs: inputs, classes: classes, seed: seed, steps: []float64{0}, weights: w}
	n.Refresh()
	return n
}

// Refresh takes over weights that were read from a file.
func (n *Net) Refresh() {
	n.round(0, n.visible)
	n.turn()
}

// during is a simulation in the net's sizes.
func (n *Net) during() *run {
	return &run{
		visible: newLayer(n.visible), hidden: newLayer(n.hidden), drive: make([]tensor.Float, n.visible),
		bv: make([]float64, n.visible), bh: make([]float64, n.hidden),
	}
}

func (r *run) rest() {
	r.visible.rest()
	r.hidden.rest()
}

// step goes a millisecond on; visible units from free on are driven by their biases and the hidden
// ones, those before by what is shown. Spikes of a step act in the next.
func (r *run) step(w *weights, drive []tensor.Float, free int, noise rng.Key, t int) {
	at := uint64(t) * (blocks(w.visible) + blocks(w.hidden))
	r.visible.receive(w.down, r.hidden.fired)
	r.hidden.receive(w.up, r.visible.fired)
	r.visible.step(drive, free, noise, at)
	r.hidden.step(w.biasH, 0, noise, at+blocks(w.visible))
}

// The data's values are kept from certainty, as in the paper.
const least, most = 1e-5, 0.98

// show drives the inputs by a sample's values and the units of classes by their label, or their
// biases for a label of −1.
func (n *Net) show(drive, x []tensor.Float, label int) {
	logit := func(v float64) tensor.Float {
		v = min(max(v, least), most)
		return tensor.Float(math.Log(v / (1 - v)))
	}
	off, on := logit(0), logit(1)
	for i, v := range x {
		switch v {
		case 0:
			drive[i] = off
		case 1:
			drive[i] = on
		default:
			drive[i] = logit(float64(v))
		}
	}
	copy(drive[n.inputs:], n.biasV[n.inputs:])
	if label < 0 {
		return
	}
	for k := range drive[n.inputs:] {
		drive[n.inputs+k] = off
		if k/n.rule.PerClass == label {
			drive[n.inputs+k] = on
		}
	}
}

// learn runs both phases of a sample and notes how its spikes change the weights.
func (n *Net) learn(r *run, x []tensor.Float, label int, noise rng.Key) {
	r.rest()
	r.events = r.events[:0]
	clear(r.bv)
	clear(r.bh)
	T := n.rule.Phase
	r.pairs = tensor.Resize(r.pairs, 2*T*n.hidden)
	clear(r.pairs)
	n.show(r.drive, x, label)
	n.phase(r, r.drive, n.visible, 1, noise, 0)
	n.phase(r, n.biasV, 0, -1, noise, T)
}

// phase runs one phase, from step t on, whose pairs count by sign. First pairs hold each step's
// hidden spikes; then what a visible spike of the step pairs with,
//
//	g(t)·Σ_{s ≤ t} q^{t−s}·h(s) + Σ_{s > t} q^{s−t}·g(s)·h(s),   q = e^{−1/τ_s}
//
// the earlier hidden spikes at its own time, the later ones each at theirs.
func (n *Net) phase(r *run, drive []tensor.Float, free int, sign tensor.Float, noise rng.Key, t int) {
	rows := r.pairs[t*n.hidden:][:n.rule.Phase*n.hidden]
	for s := range n.rule.Phase {
		r.step(n.weights, drive, free, noise, t+s)
		for _, i := range r.visible.fired {
			r.events = append(r.events, event{i, int32(t + s)})
		}
		for _, j := range r.hidden.fired {
			rows[s*n.hidden+int(j)] = 1
		}
		if s >= n.rule.BurnIn {
			tally(r.bv, r.visible.fired, float64(sign))
			tally(r.bh, r.hidden.fired, float64(sign))
		}
	}
	couple(rows, n.hidden, n.rule.BurnIn, sign)
}

func tally(sum []float64, fired []int32, by float64) {
	for _, i := range fired {
		sum[i] += by
	}
}

// couple makes the pairs of a phase of its hidden spikes, rows of n of them.
func couple(rows []tensor.Float, n, burnIn int, sign tensor.Float) {
	steps := len(rows) / n
	before, after := make([]tensor.Float, steps*n), make([]tensor.Float, n)
	for t := range steps { // q^{t−s}·h(s) so far
		row := before[t*n:][:n]
		if t > 0 {
			kernel.AddScaled(row, before[(t-1)*n:][:n], fade)
		}
		kernel.Add(row, rows[t*n:][:n])
	}
	for t := steps - 1; t >= 0; t-- {
		row, g := rows[t*n:][:n], tensor.Float(0)
		if t >= burnIn {
			g = sign
		}
		for j, h := range row {
			row[j] = g*before[t*n+j] + after[j]
			after[j] = fade * (after[j] + g*h)
		}
	}
}

// kernelSum is Σ_lag e^{−|lag|/τ_s}, the pairs of two units that fire in each step.
var kernelSum = 1 + 2*math.Exp(-1/synaptic)/(1-math.Exp(-1/synaptic))

// Batches is true: samples of a batch are independent given the weights.
func (n *Net) Batches() bool { return true }

// Learn is LearnBatch with one sample.
func (n *Net) Learn(x []tensor.Float, label int, factor float64, scores []float64) (float64, error) {
	return online.LearnOne(n, x, label, factor, scores)
}

// LearnBatch runs the samples side by side, each with noise of its own, and changes weights by the
// mean of what their spikes ask for. Scores are by Rates, before.
func (n *Net) LearnBatch(b *online.Batch) error {
	if err := b.Each(func(i int) error { return inRange(b.Sample(i)) }); err != nil {
		return err
	}
	size := len(b.Labels)
	n.Rates(b.Pool, b.X, b.Scores)
	for i, label := range b.Labels {
		b.Loss[i] = loss(b.ScoresOf(i), label)
	}
	for len(n.runs) < size {
		n.runs = append(n.runs, n.during())
	}
	key := rng.New(n.seed, "event-cd.noise").Int(uint64(n.steps[0]))
	err := b.Each(func(i int) error {
		n.learn(n.runs[i], b.Sample(i), b.Labels[i], key.Int(uint64(i)))
		return nil
	})
	if err != nil {
		return err
	}
	n.change(b.Pool, n.runs[:size], n.rule.LR*b.Factor)
	n.steps[0]++
	for i, v := range n.bv {
		if math.IsNaN(v) || math.Abs(v) > 1e6 {
			return fmt.Errorf("the bias of visible unit %d is %v; take a smaller lr", i, v)
		}
	}
	return nil
}

// change moves weights and biases by the pairs of runs. Each weight is one thread's, which adds runs
// in their order.
func (n *Net) change(pool *par.Pool, runs []*run, rate float64) {
	counted := float64((n.rule.Phase - n.rule.BurnIn) * len(runs))
	single := rate * refractory / counted // a unit's spikes cover τ_r each
	pair := rate * refractory * refractory / kernelSum / counted
	n.index.of(n.visible, runs)
	pool.For(n.visible, 16, func(_, lo, hi int) {
		sum := make([]tensor.Float, n.hidden)
		for i := lo; i < hi; i++ {
			clear(sum)
			for k, r := range runs {
				kernel.AddRows(sum, r.pairs, n.hidden, n.index.rows(k, i))
				n.bv[i] += single * r.bv[i]
			}
			row := n.w[i*n.hidden:][:n.hidden]
			for j, v := range sum {
				row[j] += pair * float64(v)
			}
		}
		n.round(lo, hi)
	})
	for _, r := range runs {
		for j, v := range r.bh {
			n.bh[j] += single * v
		}
	}
	n.turn()
}

// csr lists rows of events for each run and unit.
type csr struct {
	units int
	start []int32 // [runs·units + 1]
	row   []int32
}

func (c *csr) of(units int, runs []*run) {
	c.units = units
	c.start = append(c.start[:0], make([]int32, len(runs)*units+1)...)
	for k, r := range runs {
		for _, e := range r.events {
			c.start[k*units+int(e.unit)+1]++
		}
	}
	for i := range len(runs) * units {
		c.start[i+1] += c.start[i]
	}
	next := slices.Clone(c.start)
	c.row = slices.Grow(c.row[:0], int(c.start[len(runs)*units]))[:c.start[len(runs)*units]]
	for k, r := range runs {
		for _, e := range r.events {
			at := &next[k*units+int(e.unit)]
			c.row[*at] = e.row
			*at++
		}
	}
}

func (c *csr) rows(run, unit int) []int32 {
	i := run*c.units + unit
	return c.row[c.start[i]:c.start[i+1]]
}

// inRange returns an error for a value that is no chance.
func inRange(x []tensor.Float) error {
	for i, v := range x {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("value %d is %v, want one in [0, 1], which becomes a chance to be on; scale the data, and leave normalize out", i, v)
		}
	}
	return nil
}

// loss is the squared differences of the classes' activities from what they should be.
func loss(scores []float64, label int) (sum float64) {
	for c, v := range scores {
		if c == label {
			v -= 1
		}
		sum += v * v
	}
	return sum
}

// Rates answers samples, of values in [0, 1], without spikes: scores are the chances of the classes'
// units given those of the hidden units given the values,
//
//	σ(b_c + Σ_j w_cj·σ(b_j + Σ_i w_ij·x_i))
//
// It is for one goroutine.
func (n *Net) Rates(pool *par.Pool, x []tensor.Float, scores []float64) {
	size, k := len(scores)/n.classes, n.classes*n.rule.PerClass
	hidden, out := make([]tensor.Float, size*n.hidden), make([]tensor.Float, size*k)
	kernel.FillRows(hidden, n.biasH)
	kernel.FillRows(out, n.biasV[n.inputs:])
	kernel.Gemm(pool, size, n.hidden, n.inputs, x, n.inputs, false, n.up, n.hidden, false, hidden, n.hidden)
	kernel.Logistic{Slope: 1}.Of(hidden, hidden)
	kernel.Gemm(pool, size, k, n.hidden, hidden, n.hidden, false, n.up[n.inputs*n.hidden:], n.hidden, true, out, k)
	kernel.Logistic{Slope: 1}.Of(out, out)
	clear(scores)
	for i, v := range out {
		scores[i/n.rule.PerClass] += float64(v) / float64(n.rule.PerClass)
	}
}

// Run answers by spikes: inputs are held at the sample's values, units of classes run freely for the
// rule's duration. Scores are the parts of the time after the burn-in for which a class's units are on.
func (n *Net) Run(x []tensor.Float, label int, scores []float64) (float64, error) {
	if err := inRange(x); err != nil {
		return 0, err
	}
	if len(n.runs) == 0 {
		n.runs = append(n.runs, n.during())
	}
	r := n.runs[0]
	r.rest()
	n.show(r.drive, x, -1)
	key := rng.New(n.seed, "event-cd.answer")
	for _, v := range x {
		key = key.Int(math.Float64bits(float64(v)))
	}
	clear(scores)
	n.Fired = [3]int{}
	share := refractory / float64((n.rule.Duration-n.rule.BurnIn)*n.rule.PerClass)
	for t := range n.rule.Duration {
		r.step(n.weights, r.drive, n.inputs, key, t)
		n.Fired[1] += len(r.hidden.fired)
		for _, i := range r.visible.fired {
			if int(i) < n.inputs {
				n.Fired[0]++
				continue
			}
			n.Fired[2]++
			if t >= n.rule.BurnIn {
				scores[(int(i)-n.inputs)/n.rule.PerClass] += share
			}
		}
	}
	if label < 0 {
		return 0, nil
	}
	return loss(scores, label), nil
}

// During is another net with the same weights, whose answers take so many ms.
func (n *Net) During(ms int) *Net {
	f := n.Fork().(*Net)
	f.rule.Duration = ms
	return f
}

// Features are the weights of the inputs, those of each hidden unit by itself.
func (n *Net) Features() [][]float64 {
	out := make([][]float64, n.hidden)
	for j := range out {
		for i := range n.inputs {
			out[j] = append(out[j], n.w[i*n.hidden+j])
		}
	}
	return out
}

// Fork is another net with the same weights, for another goroutine.
func (n *Net) Fork() online.Network {
	f := *n
	f.runs, f.index = nil, csr{}
	return &f
}

// Model is the weights and biases.
func (n *Net) Model() []online.Array {
	return []online.Array{
		{Name: "weight", Shape: []int{n.visible, n.hidden}, Data: n.w},
		{Name: "visible/bias", Shape: []int{n.visible}, Data: n.bv},
		{Name: "hidden/bias", Shape: []int{n.hidden}, Data: n.bh},
	}
}

// Memory is the number of batches, which the noise follows.
func (n *Net) Memory() []online.Array {
	return []online.Array{{Name: "batches", Shape: []int{1}, Data: n.steps}}
}
