package spikegrad

import (
	"context"
	"fmt"
	"math"
	"sync"

	"synfire/internal/rng"
	"synfire/linmap"
	"synfire/sample"
	"synfire/tensor"
)

// synapse leads from a pixel to another by a place of the window: the weights of its
// channels stand together.
type synapse struct{ to, tap int32 }

// wiring is a layer's synapses by the pixel of the input, and by that of the output.
type wiring struct{ down, up [][]synapse }

// wired reads the synapses off the layer's map: a spike at one pixel through weights that
// are their own places.
func (s *stage) wired() wiring {
	m, _ := s.pixels()
	places := &linmap.Weights{Data: make([]tensor.Float, m.KH*m.KW)}
	for i := range places.Data {
		places.Data[i] = tensor.Float(i + 1)
	}
	var sc linmap.Scratch
	w := wiring{make([][]synapse, m.H*m.W), make([][]synapse, m.Pixels())}
	x, y := make([]tensor.Float, m.H*m.W), make([]tensor.Float, m.Pixels())
	for from := range x {
		x[from] = 1
		clear(y)
		m.Forward(&sc, places, y, x)
		x[from] = 0
		for to, place := range y {
			if place != 0 {
				tap := int32(place) - 1
				w.down[from] = append(w.down[from], synapse{int32(to), tap})
				w.up[to] = append(w.up[to], synapse{int32(from), tap})
			}
		}
	}
	return w
}

// event is a spike on its way to the next layer, or of an error to the layer below.
type event struct {
	layer, unit int32
	sign        int8
}

// compartment is one of a layer's neurons' two potentials, with the spikes that left it.
type compartment struct {
	v, n, sent []int64 // potential in units, spikes in sum, and spikes of either sign
	theta      int64
	linear     bool
}

// Spiking is the network of spikes: neurons on int64 that are told of one event after the
// other. It runs one sample at a time.
type Spiking struct {
	r       Rule
	stages  []*stage
	wires   []wiring
	forward []compartment // of layers 0 … L; of the input n alone, of the output V alone
	back    []compartment // of layers 1 … L, at their numbers
	weights [][]int64
	dw, db  [][]int64 // n ⊗ D and D, summed over samples
	pending []event
	total   int
	count   counts
}

// newSpiking makes the network of spikes for the weights that are used now.
func (p *passes) newSpiking(wires []wiring) *Spiking {
	s := &Spiking{r: p.r, stages: p.stages, wires: wires}
	s.forward, s.back = make([]compartment, len(p.stages)+1), make([]compartment, len(p.stages)+1)
	in := p.stages[0].in.Size()
	s.forward[0] = compartment{n: make([]int64, in), sent: make([]int64, in)}
	for l, st := range p.stages {
		u := st.units()
		for _, c := range []*[]compartment{&s.forward, &s.back} {
			(*c)[l+1] = compartment{v: make([]int64, u), n: make([]int64, u), sent: make([]int64, u), linear: true}
		}
		s.forward[l+1].theta, s.forward[l+1].linear = int64(st.theta), st.linear
		s.back[l+1].theta = int64(st.thetaBP)
		if st.last { // neither compartment of an output fires
			s.forward[l+1].theta, s.back[l+1].theta = math.MaxInt64, math.MaxInt64
		}
		s.weights = append(s.weights, make([]int64, len(st.used.Data)))
		s.dw, s.db = append(s.dw, make([]int64, len(st.used.Data))), append(s.db, make([]int64, len(st.bias)))
	}
	return s
}

// take takes up the weights that are used now.
func (s *Spiking) take() {
	for l, st := range s.stages {
		for i, v := range st.used.Data {
			s.weights[l][i] = int64(v)
		}
		clear(s.dw[l])
		clear(s.db[l])
	}
}

// begin sets potentials to the biases, and the input to its spikes.
func (s *Spiking) begin(input []tensor.Float) {
	s.pending, s.total = s.pending[:0], 0
	s.count.reset(len(s.stages))
	for l := range s.forward {
		for _, c := range []compartment{s.forward[l], s.back[l]} {
			clear(c.v)
			clear(c.n)
			clear(c.sent)
		}
		if l > 0 && s.stages[l-1].size == 0 {
			bias := s.stages[l-1].bias
			for i := range s.forward[l].v {
				s.forward[l].v[i] = int64(bias[i%len(bias)])
			}
		}
	}
	for i, v := range input {
		s.forward[0].n[i] = int64(v)
		s.forward[0].sent[i] = max(int64(v), -int64(v))
	}
}

// ready is how many spikes a neuron has to send now, with their sign.
func (c *compartment) ready(i int) int64 {
	k := c.v[i] / c.theta
	if k < 0 && !c.linear {
		k = -min(-k, c.n[i])
	}
	return k
}

// send takes count spikes from a neuron's potential.
func (c *compartment) send(i int, count int64) {
	c.v[i] -= count * c.theta
	c.n[i] += count
	c.sent[i] += max(count, -count)
}

// unsettled is the spike that settles a neuron, 0 where it is settled.
func (c *compartment) unsettled(i int) int64 {
	switch {
	case c.n[i] > 0 && c.v[i] < 0:
		return -1
	case c.n[i] < 0 && c.v[i] > 0:
		return 1
	}
	return 0
}

// spent counts a sample's spikes, before memory is taken for them.
func (s *Spiking) spent(layer int, count int64) error {
	if size := max(count, -count); size > int64(s.r.MostSpikes-s.total) {
		return fmt.Errorf("spikegrad: more than %d spikes for one sample, at layer %d; raise most-spikes or theta, or scale the data", s.r.MostSpikes, layer)
	}
	s.total += int(max(count, -count))
	return nil
}

// enqueue puts spikes of a layer's neuron on their way.
func (s *Spiking) enqueue(layer, unit int, count int64) error {
	if err := s.spent(layer, count); err != nil {
		return err
	}
	sign := int8(1)
	if count < 0 {
		sign = -1
	}
	for range max(count, -count) {
		s.pending = append(s.pending, event{int32(layer), int32(unit), sign})
	}
	return nil
}

// next takes a spike out of those that are on their way, each as likely as another.
func (s *Spiking) next(src *rng.Source) event {
	i, last := src.IntN(len(s.pending)), len(s.pending)-1
	e := s.pending[i]
	s.pending[i] = s.pending[last]
	s.pending = s.pending[:last]
	return e
}

// deliver adds count spikes of a neuron to the potentials of the layer above it, whose
// neurons fire at once, or later.
func (s *Spiking) deliver(layer, unit int, count int64, fires bool) error {
	st, c := s.stages[layer], &s.forward[layer+1]
	channels := st.in[2]
	pixel, channel, size := unit/channels, unit%channels, max(count, -count)
	one := [1]int64{1}
	for _, y := range s.wires[layer].down[pixel] {
		w, at := one[:], int(y.to)*channels+channel
		if st.size == 0 {
			n := st.m.N
			w, at = s.weights[layer][(int(y.tap)*channels+channel)*n:][:n], int(y.to)*n
		}
		s.count.forward += size * int64(len(w))
		v := c.v[at:][:len(w)]
		for o, x := range w {
			v[o] += count * x
			if fires && (v[o] >= c.theta || v[o] <= -c.theta) {
				if err := s.fire(layer+1, at+o); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// fire lets a neuron send what it has to.
func (s *Spiking) fire(layer, i int) error {
	c := &s.forward[layer]
	k := c.ready(i)
	if k == 0 {
		return nil
	}
	c.send(i, k)
	return s.enqueue(layer, i, k)
}

// forwardSynchronous adds all input of a layer, then lets it fire, layer by layer.
func (s *Spiking) forwardSynchronous(input []tensor.Float) error {
	s.begin(input)
	for _, n := range s.forward[0].n {
		if err := s.spent(0, n); err != nil {
			return err
		}
	}
	for l := range s.stages {
		for j, n := range s.forward[l].n {
			if n != 0 {
				if err := s.deliver(l, j, n, false); err != nil {
					return err
				}
			}
		}
		if s.stages[l].last {
			break
		}
		c := &s.forward[l+1]
		for i := range c.v {
			if k := c.ready(i); k != 0 {
				c.send(i, k)
				if err := s.spent(l+1, k); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// asynchronous delivers spikes of all layers in random order until none is left.
func (s *Spiking) asynchronous(src *rng.Source) error {
	for len(s.pending) > 0 {
		e := s.next(src)
		if err := s.deliver(int(e.layer), int(e.unit), int64(e.sign), true); err != nil {
			return err
		}
	}
	return nil
}

// start begins an asynchronous forward phase: the spikes of the input and those of biases
// are on their way.
func (s *Spiking) start(input []tensor.Float) error {
	s.begin(input)
	for i, n := range s.forward[0].n {
		if err := s.enqueue(0, i, n); err != nil {
			return err
		}
	}
	for l := 1; l < len(s.stages); l++ {
		for i := range s.forward[l].v {
			if err := s.fire(l, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle settles layer by layer: the corrections of a layer arrive before the next one
// settles.
func (s *Spiking) settle(src *rng.Source) error {
	for l := 1; l < len(s.stages); l++ {
		c := &s.forward[l]
		for i := range c.v {
			if k := c.unsettled(i); k != 0 {
				c.send(i, k)
				if err := s.enqueue(l, i, k); err != nil {
					return err
				}
			}
		}
		if err := s.asynchronous(src); err != nil {
			return err
		}
	}
	return nil
}

// run is the forward phase in the order of a source, or without one in synchrony.
func (s *Spiking) run(input []tensor.Float, src *rng.Source) error {
	if src == nil {
		return s.forwardSynchronous(input)
	}
	if err := s.start(input); err != nil {
		return err
	}
	if err := s.asynchronous(src); err != nil {
		return err
	}
	return s.settle(src)
}

// open is S′ of a neuron at the end of the forward phase.
func (s *Spiking) open(layer, i int) bool {
	c := &s.forward[layer]
	return c.linear || c.v[i] > 0 || c.n[i] > 0
}

// deliverError adds count error spikes of a neuron to the error potentials of the layer
// below, of neurons with S′ = 1 which fire at once, or later, and to the gradient of its
// weights.
func (s *Spiking) deliverError(layer, unit int, count int64, fires bool) error {
	st, size := s.stages[layer-1], max(count, -count)
	n, channels := st.out[2], st.in[2]
	pixel, o := unit/n, unit%n
	u, spikes := s.back[layer-1].v, s.forward[layer-1].n
	if st.size == 0 {
		s.db[layer-1][o] += count
	}
	for _, x := range s.wires[layer-1].up[pixel] {
		first, last := 0, channels
		if st.size > 0 {
			first, last = o, o+1
		}
		for c := first; c < last; c++ {
			i := int(x.to)*channels + c
			weight := int64(1)
			if st.size == 0 {
				w := (int(x.tap)*channels+c)*n + o
				weight = s.weights[layer-1][w]
				if spikes[i] != 0 {
					s.dw[layer-1][w] += count * spikes[i]
					s.count.updates += size
				}
			}
			if layer == 1 || !s.open(layer-1, i) {
				continue
			}
			u[i] += count * weight
			s.count.backward += size
			if k := s.back[layer-1].ready(i); fires && k != 0 {
				s.back[layer-1].send(i, k)
				if err := s.enqueue(layer-1, i, k); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// runBack is the backward phase from D^L, in the order of a source or in synchrony.
func (s *Spiking) runBack(d []tensor.Float, src *rng.Source) error {
	last := len(s.stages)
	for i, v := range d {
		s.back[last].n[i], s.back[last].sent[i] = int64(v), max(int64(v), -int64(v))
	}
	if src == nil {
		return s.backSynchronous()
	}
	for i, n := range s.back[last].n {
		if err := s.enqueue(last, i, n); err != nil {
			return err
		}
	}
	if err := s.asynchronousBack(src); err != nil {
		return err
	}
	for l := last - 1; l >= 1; l-- {
		c := &s.back[l]
		for i := range c.v {
			if k := c.unsettled(i); k != 0 {
				c.send(i, k)
				if err := s.enqueue(l, i, k); err != nil {
					return err
				}
			}
		}
		if err := s.asynchronousBack(src); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spiking) asynchronousBack(src *rng.Source) error {
	for len(s.pending) > 0 {
		e := s.next(src)
		if err := s.deliverError(int(e.layer), int(e.unit), int64(e.sign), true); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spiking) backSynchronous() error {
	for l := len(s.stages); l >= 1; l-- {
		for i, n := range s.back[l].n {
			if n != 0 {
				if err := s.deliverError(l, i, n, false); err != nil {
					return err
				}
			}
		}
		if l == 1 {
			break
		}
		c := &s.back[l-1]
		for i := range c.v {
			if k := c.ready(i); k != 0 {
				c.send(i, k)
			}
		}
	}
	return nil
}

// counted is what the sample took.
func (s *Spiking) counted(learning bool) counts {
	c := s.count
	sum := func(x []int64) (total int64) {
		for _, v := range x {
			total += v
		}
		return total
	}
	c.input = sum(s.forward[0].sent)
	for l := 1; l < len(s.stages); l++ {
		c.layers[l-1] = sum(s.forward[l].sent)
		c.spikes += c.layers[l-1]
	}
	for l := 1; l <= len(s.stages) && learning; l++ {
		c.layerErrors[l-1] = sum(s.back[l].sent)
		c.errors += c.layerErrors[l-1]
	}
	if learning && sum(s.back[len(s.stages)].sent) == 0 {
		c.dead = 1
	}
	return c
}

// spikingOf is a thread's network of spikes.
func (p *passes) spikingOf(w *worker) *Spiking {
	p.wiring.Do(func() {
		for _, st := range p.stages {
			p.wires = append(p.wires, st.wired())
		}
	})
	if w.sim == nil {
		w.sim = p.newSpiking(p.wires)
	}
	return w.sim
}

// spike runs a batch on the spiking side. What the neurons of a sample end with goes where
// the equivalent network has it, gradients into grads.
func (l *Learner) spike(ctx context.Context, b *sample.Batch, learning bool) error {
	p := l.p
	for i := range p.workers {
		p.spikingOf(&p.workers[i]).take()
	}
	var mu sync.Mutex
	var failed error
	firstFailed := math.MaxInt
	l.s.Pool.For(p.samples, 1, func(worker, lo, hi int) {
		w := &p.workers[worker]
		for i := lo; i < hi; i++ {
			err := ctx.Err()
			if err == nil {
				err = l.spikeSample(w.sim, b, i, learning)
			}
			mu.Lock()
			if err != nil && i < firstFailed {
				failed, firstFailed = fmt.Errorf("sample %d: %w", b.Index[i], err), i
			}
			mu.Unlock()
		}
	})
	if failed != nil || !learning {
		return failed
	}
	for k := 0; k < len(l.params); k += 2 {
		for _, w := range p.workers {
			for i, v := range w.sim.dw[l.layers[k]] {
				l.grads[k][i] += tensor.Float(v)
			}
			for i, v := range w.sim.db[l.layers[k]] {
				l.grads[k+1][i] += tensor.Float(v)
			}
		}
	}
	return nil
}

// spikeSample runs one sample of the batch.
func (l *Learner) spikeSample(s *Spiking, b *sample.Batch, i int, learning bool) error {
	p, last := l.p, len(l.p.stages)
	var src *rng.Source
	if l.r.Side == Asynchronous {
		src = l.order(b, i, learning).Source()
	}
	if err := s.run(row(p.n[0], p.samples, i), src); err != nil {
		return err
	}
	scores := p.scores(i)
	for j, v := range s.forward[last].v {
		scores[j] = tensor.Float(float64(v) / p.stages[last-1].scale)
	}
	if l.labels != nil {
		d := row(p.d[last], p.samples, i)
		p.loss[i] = p.inject(d, scores, l.labels[i])
		if learning {
			if err := s.runBack(d, src); err != nil {
				return err
			}
		}
	}
	p.each[i] = copied(s.counted(learning), p.each[i])
	return nil
}

// copied is c in the memory of another.
func copied(c, into counts) counts {
	layers, errors := into.layers, into.layerErrors
	copy(layers, c.layers)
	copy(errors, c.layerErrors)
	c.layers, c.layerErrors = layers, errors
	return c
}
