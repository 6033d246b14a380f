package spikegrad

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"synfire/internal/kernel"
	"synfire/linmap"
	"synfire/sample"
	"synfire/tensor"
)

// counts are what a batch took. Synaptic operations are additions of a weight: of each
// spike to all potentials that it reaches, and of each error spike to those with S′ = 1;
// updates are changes of a weight, one for each error spike and synapse from a neuron that
// sent spikes.
type counts struct {
	input, spikes, errors      int64 // spikes
	forward, backward, updates int64 // synaptic operations
	ratio                      float64
	dead, inexact              int64 // samples
	layers, layerErrors        []int64
}

// add adds o. All but ratio are whole, and ratio is added in the order of samples.
func (c *counts) add(o counts) {
	c.input += o.input
	c.spikes += o.spikes
	c.errors += o.errors
	c.forward += o.forward
	c.backward += o.backward
	c.updates += o.updates
	c.ratio += o.ratio
	c.dead += o.dead
	c.inexact += o.inexact
	for l := range o.layers {
		c.layers[l] += o.layers[l]
		c.layerErrors[l] += o.layerErrors[l]
	}
}

func (c *counts) reset(layers int) {
	all, errors := c.layers, c.layerErrors
	if all == nil {
		all, errors = make([]int64, layers), make([]int64, layers)
	}
	clear(all)
	clear(errors)
	*c = counts{layers: all, layerErrors: errors}
}

// worker is the memory of a thread.
type worker struct {
	images linmap.Scratch
	pixels []tensor.Float // sums over channels
	reach  []tensor.Float
	sim    *Spiking
}

// passes runs batches through the equivalent network.
type passes struct {
	r       Rule
	stages  []*stage
	classes int

	samples int              // of the batch
	index   []int            // of its samples
	beyond  []string         // of each sample, what sends more spikes than can be counted; or none
	n, v, d [][]tensor.Float // spikes of layers 0 … L, potentials and errors of 1 … L: a row a sample
	loss    []float64        // of each sample
	each    []counts         // of each sample
	workers []worker
	fanOut  [][]int64      // of a layer's input pixels: neurons that a spike there reaches
	fanIn   [][]int64      // of a layer's output pixels: synapses of a neuron there
	mostOut []float64      // the largest fanOut of a layer
	mostIn  []float64      // and fanIn
	macs    float64        // of a dense pass that carries errors back
	rows    []tensor.Float // of samples with errors
	errors  []tensor.Float
	wiring  sync.Once
	wires   []wiring
}

func newPasses(r Rule, stages []*stage, threads int) *passes {
	p := &passes{r: r, stages: stages, classes: stages[len(stages)-1].units(), workers: make([]worker, threads)}
	p.n, p.v, p.d = make([][]tensor.Float, len(stages)+1), make([][]tensor.Float, len(stages)+1), make([][]tensor.Float, len(stages)+1)
	for l, s := range stages {
		out, in := s.fans()
		p.fanOut, p.fanIn = append(p.fanOut, out), append(p.fanIn, in)
		p.mostOut, p.mostIn = append(p.mostOut, float64(slices.Max(out))), append(p.mostIn, float64(slices.Max(in)))
		for _, n := range in {
			if l > 0 {
				p.macs += float64(n) * float64(s.out[2])
			}
		}
	}
	return p
}

// pixels is the layer's map without channels, with weights of one.
func (s *stage) pixels() (linmap.Map, *linmap.Weights) {
	m := s.m
	if s.size > 0 {
		m.Window = s.pool.Window
	}
	m.C, m.N = 1, 1
	if s.fan.Data == nil {
		s.fan.Data = make([]tensor.Float, m.KH*m.KW)
		for i := range s.fan.Data {
			s.fan.Data[i] = 1
		}
	}
	return m, &s.fan
}

// fans counts what a spike at a pixel of the input reaches, and what a neuron at a pixel
// of the output sees.
func (s *stage) fans() (out, in []int64) {
	m, ones := s.pixels()
	var sc linmap.Scratch
	y, x := make([]tensor.Float, m.Pixels()), make([]tensor.Float, m.H*m.W)
	for i := range x {
		x[i] = 1
	}
	m.Forward(&sc, ones, y, x)
	clear(x)
	whole := make([]tensor.Float, len(y))
	for i := range whole {
		whole[i] = 1
	}
	m.Transpose(&sc, ones, x, whole)
	channelsOut, channelsIn := int64(s.out[2]), int64(s.in[2])
	if s.size > 0 {
		channelsOut, channelsIn = 1, 1
	}
	for _, v := range x {
		out = append(out, int64(v)*channelsOut)
	}
	for _, v := range y {
		in = append(in, int64(v)*channelsIn)
	}
	return out, in
}

// reset makes room for a batch and turns it into input spikes.
func (p *passes) reset(b *sample.Batch) {
	p.samples, p.index = b.Len(), b.Index
	p.beyond = append(p.beyond[:0], make([]string, p.samples)...)
	p.n[0] = tensor.Resize(p.n[0], len(b.X))
	for i, v := range b.X {
		count := float64(v) / p.r.ThetaIn
		if p.r.Truncate != None {
			count = math.Trunc(count)
		}
		p.n[0][i] = tensor.Float(count)
	}
	for l, s := range p.stages {
		size := p.samples * s.units()
		p.n[l+1], p.v[l+1], p.d[l+1] = tensor.Resize(p.n[l+1], size), tensor.Resize(p.v[l+1], size), tensor.Resize(p.d[l+1], size)
	}
	for len(p.each) < p.samples {
		p.each = append(p.each, counts{})
	}
	p.loss = p.loss[:0]
	for i := range p.samples {
		p.each[i].reset(len(p.stages))
		p.loss = append(p.loss, 0)
	}
}

// row is what a layer's array holds of a sample.
func row(x []tensor.Float, samples, i int) []tensor.Float {
	n := len(x) / samples
	return x[i*n:][:n]
}

// forward runs samples [lo, hi).
func (p *passes) forward(w *worker, lo, hi int) {
	for l, s := range p.stages {
		k, u := s.in.Size(), s.units()
		x, v := p.n[l][lo*k:hi*k], p.v[l+1][lo*u:hi*u]
		s.drive(&w.images, v, x, hi-lo, p.r.Truncate != None)
		for i := lo; i < hi; i++ {
			p.countForward(l, i)
		}
		if s.last {
			copy(p.n[l+1][lo*u:hi*u], v)
			continue
		}
		s.fire(p.n[l+1][lo*u:hi*u], v, p.r.Truncate != None)
	}
}

// countForward counts the spikes that a layer gets of a sample.
func (p *passes) countForward(l, i int) {
	s, c := p.stages[l], &p.each[i]
	spikes, squares, reached := 0.0, 0.0, int64(0)
	x, channels := row(p.n[l], p.samples, i), s.in[2]
	for pixel, fan := range p.fanOut[l] {
		here := 0.0
		for _, v := range x[pixel*channels:][:channels] {
			a := math.Abs(float64(v))
			here += a
			squares += a * a
		}
		spikes += here
		reached += int64(here) * fan
	}
	c.forward += reached
	if l == 0 {
		c.input = int64(spikes)
	} else {
		c.spikes += int64(spikes)
		c.layers[l-1] = int64(spikes)
	}
	if p.r.Truncate != None && !s.certain(squares) {
		c.inexact = 1
	}
	if p.r.Truncate != None && !(s.most(squares) < countable && spikes*p.mostOut[l] < countable) {
		p.beyond[i] = fmt.Sprintf("layer %d", l+1)
	}
}

// countable is below what whole numbers of 64 bits hold. Sums of spikes beyond it would change
// their sign.
const countable = 1 << 62

// counted returns an error where a sample has more spikes than can be counted.
func (p *passes) counted() error {
	for i, where := range p.beyond {
		if where != "" {
			return fmt.Errorf("spikegrad: sample %d: %s would be of more spikes than 64 bits count; lower the learning rate or alpha, or raise the thresholds", p.index[i], where)
		}
	}
	return nil
}

// scores are the output potentials of a sample.
func (p *passes) scores(i int) []tensor.Float { return row(p.n[len(p.stages)], p.samples, i) }

// outputs turns the outputs' units into potentials.
func (p *passes) outputs() {
	scale := tensor.Float(1 / p.stages[len(p.stages)-1].scale)
	kernel.Scale(p.n[len(p.stages)], scale)
}

// inject writes D^L of output potentials, and returns the loss.
func (p *passes) inject(d, scores []tensor.Float, label int) float64 {
	top := math.Inf(-1)
	for _, v := range scores {
		top = max(top, float64(v)/p.r.Kappa)
	}
	sum := 0.0
	for _, v := range scores {
		sum += math.Exp(float64(v)/p.r.Kappa - top)
	}
	for j, v := range scores {
		e := math.Exp(float64(v)/p.r.Kappa-top) / sum
		if j == label {
			e--
		}
		d[j] = tensor.Float(p.truncated(p.r.Alpha * e / float64(p.stages[len(p.stages)-1].thetaBP)))
	}
	return math.Log(sum) + top - float64(scores[label])/p.r.Kappa
}

// truncated is the whole number of error spikes, where they are whole.
func (p *passes) truncated(v float64) float64 {
	if p.r.Truncate != Both {
		return v
	}
	return math.Trunc(v)
}

// backward carries the errors of samples [lo, hi) back.
func (p *passes) backward(w *worker, lo, hi int) {
	for l := len(p.stages) - 1; l >= 0; l-- {
		s := p.stages[l]
		k, u := s.in.Size(), s.units()
		if l > 0 {
			d, below := p.d[l+1][lo*u:hi*u], p.d[l][lo*k:hi*k]
			s.back(&w.images, below, d, hi-lo, p.r.Truncate == Both)
			p.stages[l-1].fireErrors(below, p.n[l][lo*k:hi*k], p.v[l][lo*k:hi*k], p.r.Truncate == Both)
		}
		for i := lo; i < hi && p.r.Truncate == Both; i++ {
			p.countBackward(w, l, i)
		}
	}
}

// fireErrors turns what drives errors into error spikes.
func (s *stage) fireErrors(u, n, v []tensor.Float, truncate bool) {
	for i, in := range u {
		if in == 0 {
			continue
		}
		if !s.open(n[i], v[i]) {
			u[i] = 0
			continue
		}
		if in /= s.thetaBP; truncate {
			in = tensor.Float(int64(in))
		}
		u[i] = in
	}
}

// countBackward counts the error spikes that a layer sends of a sample, to the layer
// below and to its weights.
func (p *passes) countBackward(w *worker, l, i int) {
	s, c := p.stages[l], &p.each[i]
	d := row(p.d[l+1], p.samples, i)
	w.pixels = tensor.Resize(w.pixels, len(p.fanIn[l]))
	spikes, squares, weighted := 0.0, 0.0, int64(0)
	channels := s.out[2]
	for pixel, fan := range p.fanIn[l] {
		here := 0.0
		for _, v := range d[pixel*channels:][:channels] {
			a := math.Abs(float64(v))
			here += a
			squares += a * a
		}
		w.pixels[pixel] = tensor.Float(here)
		spikes += here
		weighted += int64(here) * fan
	}
	if !(s.mostBack(squares) < countable && spikes*p.mostIn[l] < countable) && p.beyond[i] == "" {
		p.beyond[i] = fmt.Sprintf("the errors of layer %d", l+1)
	}
	c.errors += int64(spikes)
	c.layerErrors[l] = int64(spikes)
	if s.last && spikes == 0 {
		c.dead = 1
	}
	if spikes == 0 {
		return
	}
	open, sent := p.reached(w, l, i)
	if l > 0 {
		c.ratio += float64(weighted) / p.macs
		c.backward += open
		if !s.certainBack(squares) {
			c.inexact = 1
		}
	}
	if s.size == 0 {
		c.updates += sent
	}
}

// reached is the number of synapses by which the error spikes of a sample, in w.pixels, reach
// those of a layer's inputs that let errors through, S′ = 1, and those that sent spikes.
func (p *passes) reached(w *worker, l, i int) (open, sent int64) {
	s, n := p.stages[l], row(p.n[l], p.samples, i)
	var below *stage
	var v []tensor.Float
	if l > 0 {
		below, v = p.stages[l-1], row(p.v[l], p.samples, i)
	}
	if s.size > 0 { // each channel by itself
		if below == nil {
			return 0, 0 // input lets nothing through, and a pooling has no weights
		}
		w.reach = tensor.Resize(w.reach, s.in.Size())
		s.pool.Transpose(&w.images, w.reach, row(p.d[l+1], p.samples, i), nil)
		for j, spikes := range w.reach {
			if spikes != 0 && below.open(n[j], v[j]) {
				open += int64(math.Abs(float64(spikes))*s.scale + 0.5) // of a mean, which may be rounded
			}
		}
		return open, 0
	}
	m, ones := s.pixels()
	w.reach = tensor.Resize(w.reach, m.H*m.W)
	clear(w.reach)
	m.Transpose(&w.images, ones, w.reach, w.pixels[:m.Pixels()])
	channels := s.in[2]
	for pixel, spikes := range w.reach {
		if spikes == 0 {
			continue
		}
		at := pixel * channels
		sent += int64(spikes) * int64(kernel.CountNonzero(n[at:][:channels]))
		if below != nil {
			open += int64(spikes) * below.opened(n[at:][:channels], v[at:][:channels])
		}
	}
	return open, sent
}
