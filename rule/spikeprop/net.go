package spikeprop

import (
	"fmt"
	"math"
	"slices"

	"synfire/internal/rng"
	"synfire/tensor"
	"synfire/train/online"
)

// Net is layers of neurons behind the encoding of values.
type Net struct {
	rule    Rule
	inputs  int
	classes int
	layers  []*Layer
	low     []float64 // range of each value in the training samples
	high    []float64
	seen    bool
	before  [][]float64 // of each layer's weights: the last change
	sign    [][]float64 // the last gradient, for quickprop and rprop
	step    [][]float64 // step of a weight, for rprop

	spikes []float64
	errors []float64
	back   [][]float64
	grad   [][]float64

	trains []*Trains // views of the layers, where neurons fire several times
	ones   [][]float64
	fronts [][][]float64 // errors of each layer's spikes
}

// NewNet makes a network with weights drawn by the seed.
func (r Rule) NewNet(inputs, classes int, seed uint64) *Net {
	n := &Net{rule: r, inputs: inputs, classes: classes, low: make([]float64, inputs), high: make([]float64, inputs)}
	for i := range n.high {
		n.high[i] = 1
	}
	sizes := append(append([]int{r.spikes(inputs)}, r.Hidden...), classes)
	if r.Single {
		sizes[len(sizes)-1] = 1
	}
	for l := 1; l < len(sizes); l++ {
		layer := NewLayer(sizes[l-1], sizes[l], r.Terminals, r.Tau, r.Threshold)
		n.draw(layer, l, seed)
		n.add(layer)
	}
	return n
}

func (n *Net) add(l *Layer) {
	n.layers = append(n.layers, l)
	if n.rule.Several {
		n.trains = append(n.trains, NewTrains(l))
		n.fronts = append(n.fronts, make([][]float64, l.Out))
	}
	n.back = append(n.back, make([]float64, l.In))
	n.grad = append(n.grad, make([]float64, len(l.W)))
	n.before = append(n.before, make([]float64, len(l.W)))
	n.sign = append(n.sign, make([]float64, len(l.W)))
	n.step = append(n.step, make([]float64, len(l.W)))
	n.errors = make([]float64, l.Out)
}

// draw takes weights from a tenth of the greatest on; those from inhibitory neurons get a
// minus.
func (n *Net) draw(layer *Layer, l int, seed uint64) {
	most := n.rule.initial(l - 1)
	layer.grow = 0.05 * 0.55 * most
	src := rng.New(seed, rng.Init).Str(fmt.Sprintf("spikeprop%d", l)).Source()
	for k := range layer.W {
		layer.W[k] = most * (0.1 + 0.9*src.Float64())
		if n.inhibits(l-1, k/layer.Terminals%layer.In) {
			layer.W[k] *= -1
		}
	}
}

// inhibits tells whether unit i of what layer l receives is inhibitory.
func (n *Net) inhibits(l, i int) bool { return l > 0 && i >= n.rule.Hidden[l-1]-n.rule.Inhibitory }

// Fork shares the weights.
func (n *Net) Fork() online.Network {
	f := &Net{rule: n.rule, inputs: n.inputs, classes: n.classes, low: n.low, high: n.high, seen: n.seen}
	for _, l := range n.layers {
		f.add(l.share())
	}
	return f
}

// Look widens the ranges of the values. Those of the first sample replace [0, 1].
func (n *Net) Look(x []tensor.Float) {
	for i, v := range x {
		if !n.seen {
			n.low[i], n.high[i] = float64(v), float64(v)
		}
		n.low[i], n.high[i] = min(n.low[i], float64(v)), max(n.high[i], float64(v))
	}
	n.seen = true
}

// Encode is the spikes of a sample, and the one at 0 behind them. The result is the network's.
func (n *Net) Encode(x []tensor.Float) []float64 {
	m := n.rule.Fields
	n.spikes = n.spikes[:0]
	for i, v := range x {
		if m == 0 {
			n.spikes = append(n.spikes, float64(v))
			continue
		}
		span := (n.high[i] - n.low[i]) / float64(m-2)
		for f := range m {
			a := 0.0
			if span > 0 {
				d := (float64(v) - n.low[i] - (float64(f)-0.5)*span) / (span / 1.5)
				a = math.Exp(-d * d / 2)
			}
			t := silent
			if a >= 0.1 {
				t = 10 * (1 - a)
			}
			n.spikes = append(n.spikes, t)
		}
	}
	if !n.rule.NoBias {
		n.spikes = append(n.spikes, 0)
	}
	return n.spikes
}

// Times are those of each layer for a sample, +∞ where a neuron is silent. They are the
// network's until the next call.
func (n *Net) Times(x []tensor.Float) (all [][]float64) {
	t := n.Encode(x)
	if n.rule.Several {
		return n.first(t)
	}
	for _, l := range n.layers {
		t = l.Forward(t)
		all = append(all, t)
	}
	return all
}

// first is the first spikes of each layer where neurons fire several times.
func (n *Net) first(t []float64) (all [][]float64) {
	n.ones = n.ones[:0]
	for i := range t {
		n.ones = append(n.ones, t[i:i+1])
	}
	in := n.ones
	for _, l := range n.trains {
		in = l.Forward(in)
		all = append(all, l.out)
	}
	return all
}

// Layers are the network's layers.
func (n *Net) Layers() []*Layer { return n.layers }

// Trains are views of the layers with all spikes of the sample that was run last, where neurons
// fire several times.
func (n *Net) Trains() []*Trains { return n.trains }

// runaway is an error where a neuron fired without end.
func (n *Net) runaway() error {
	for l, t := range n.trains {
		if t.Runaway {
			return fmt.Errorf("a neuron of layer %d fires more than %d times; take a smaller lr or initial", l+1, mostSpikes)
		}
	}
	return nil
}

// target is the time that output j is to fire at for a class.
func (n *Net) target(j, label int) float64 {
	if n.rule.Single {
		j = 1
	}
	if j == label {
		return n.rule.Early
	}
	return n.rule.Late
}

// run is the loss of a sample that is run, and the errors of the outputs. A silent output
// counts as one that is 10 ms later than late.
func (n *Net) run(x []tensor.Float, label int, scores []float64) (loss float64) {
	n.Times(x)
	out := n.layers[len(n.layers)-1].out
	for j, t := range out {
		if t > n.rule.Late+10 {
			t = n.rule.Late + 10
		}
		if n.rule.Single {
			middle := (n.rule.Early + n.rule.Late) / 2
			scores[0], scores[1] = t-middle, middle-t
		} else {
			scores[j] = -t
		}
		if label >= 0 {
			e := t - n.target(j, label)
			n.errors[j] = out[j] - n.target(j, label)
			loss += e * e / 2
		}
	}
	return loss
}

// Run answers by the first output to fire.
func (n *Net) Run(x []tensor.Float, label int, scores []float64) (float64, error) {
	loss := n.run(x, label, scores)
	return loss, n.runaway()
}

// Learn changes all weights by the gradient of a sample.
func (n *Net) Learn(x []tensor.Float, label int, factor float64, scores []float64) (float64, error) {
	for _, g := range n.grad {
		clear(g)
	}
	loss := n.run(x, label, scores)
	if err := n.runaway(); err != nil {
		return loss, err
	}
	n.gradient()
	n.change(factor)
	for _, l := range n.layers {
		l.Revive()
	}
	n.keepSigns()
	return loss, nil
}

// Batches tells that quickprop and rprop compare gradients, which must be of the same samples.
func (n *Net) Batches() bool { return n.rule.Update == QuickProp || n.rule.Update == RProp }

// LearnBatch changes all weights by the gradient of a batch.
func (n *Net) LearnBatch(b *online.Batch) error {
	for _, g := range n.grad {
		clear(g)
	}
	for i, label := range b.Labels {
		if err := b.Ctx.Err(); err != nil {
			return err
		}
		b.Loss[i] = n.run(b.Sample(i), label, b.ScoresOf(i))
		if err := n.runaway(); err != nil {
			return b.Named(i, err)
		}
		n.gradient()
		for _, l := range n.layers {
			l.Revive()
		}
	}
	n.change(b.Factor)
	n.keepSigns()
	return nil
}

// gradient adds that of the sample that was run to those of all layers.
func (n *Net) gradient() {
	if n.rule.Several {
		n.gradientOfTrains()
		return
	}
	errors := n.errors
	for l := len(n.layers) - 1; l >= 0; l-- {
		var back []float64
		if l > 0 {
			back = n.back[l]
		}
		n.layers[l].Backward(errors, back)
		errors = back
		g := n.grad[l]
		n.layers[l].Gradient(func(k int, v float64) { g[k] += v })
	}
}

// gradientOfTrains is gradient where neurons fire several times: the error is of the outputs' first
// spikes.
func (n *Net) gradientOfTrains() {
	last := len(n.trains) - 1
	for j := range n.errors {
		n.fronts[last][j] = n.errors[j : j+1]
	}
	for l := last; l >= 0; l-- {
		var back [][]float64
		if l > 0 {
			back = n.fronts[l-1]
			for i, t := range n.trains[l-1].Spikes {
				back[i] = append(back[i][:0], make([]float64, len(t))...)
			}
		}
		n.trains[l].Backward(n.fronts[l], back)
		g := n.grad[l]
		n.trains[l].Gradient(func(k int, v float64) { g[k] += v })
	}
}

// Gradients are ∂E/∂w of each layer for a sample, of which the loss is E. They are the
// network's until the next call.
func (n *Net) Gradients(x []tensor.Float, label int) (loss float64, g [][]float64) {
	for _, g := range n.grad {
		clear(g)
	}
	loss = n.run(x, label, make([]float64, n.classes))
	n.gradient()
	return loss, n.grad
}

// change changes the weights by their gradients g:
//
//	plain      Δw = −η g
//	momentum   Δw = −η g + 0.9 Δw'                      Δw' the change before
//	quickprop  Δw = Δw'·g/(g' − g) within ±1.75·|Δw'|, plain where g' or Δw' is 0 or it would climb
//	rprop      Δw = −s·sign(g),  s ← 1.2 s where g·g' > 0, 0.5 s where < 0, from η on
//
// of a sample, or with quickprop and rprop of a batch.
func (n *Net) change(factor float64) {
	for l := range n.layers {
		n.changeLayer(l, factor*n.rule.LR)
	}
}

func (n *Net) changeLayer(l int, rate float64) {
	w := n.layers[l].W
	for k, g := range n.grad[l] {
		if g == 0 && n.rule.Update != Momentum {
			continue
		}
		change := -rate * g
		before, last := n.before[l][k], n.sign[l][k]
		switch n.rule.Update {
		case Momentum:
			change += 0.9 * before
		case QuickProp:
			if d := last - g; before != 0 && d != 0 {
				if q := before * g / d; q*g < 0 {
					change = math.Copysign(min(math.Abs(q), 1.75*math.Abs(before)), q)
				}
			}
		case RProp:
			s := n.step[l][k]
			switch {
			case s == 0:
				s = rate
			case g*last > 0:
				s = min(1.2*s, 50*rate)
			case g*last < 0:
				s = max(0.5*s, rate/1000)
			}
			n.step[l][k] = s
			change = -math.Copysign(s, g)
		}
		n.before[l][k], n.sign[l][k] = change, g
		w[k] += change
	}
}

// keepSigns cuts weights off at 0 where they would change sides: a neuron is excitatory or
// inhibitory as a whole.
func (n *Net) keepSigns() {
	if n.rule.FreeSigns {
		return
	}
	for l, layer := range n.layers {
		for k, w := range layer.W {
			if w < 0 != n.inhibits(l, k/layer.Terminals%layer.In) {
				layer.W[k] = 0
			}
		}
	}
}

// Model is the weights of each layer, [out, in, terminals], and the ranges of the values.
func (n *Net) Model() []online.Array {
	all := []online.Array{{Name: "low", Shape: []int{n.inputs}, Data: n.low}, {Name: "high", Shape: []int{n.inputs}, Data: n.high}}
	return append(all, n.arrays("weight", func(l int) []float64 { return n.layers[l].W })...)
}

// Memory is what the rule of updates remembers.
func (n *Net) Memory() []online.Array {
	if n.rule.Update == Plain {
		return nil
	}
	return slices.Concat(n.arrays("change", func(l int) []float64 { return n.before[l] }), n.arrays("gradient", func(l int) []float64 { return n.sign[l] }), n.arrays("step", func(l int) []float64 { return n.step[l] }))
}

func (n *Net) arrays(name string, of func(l int) []float64) (all []online.Array) {
	for l, layer := range n.layers {
		all = append(all, online.Array{Name: fmt.Sprintf("%s%d", name, l+1), Shape: []int{layer.Out, layer.In, layer.Terminals}, Data: of(l)})
	}
	return all
}
