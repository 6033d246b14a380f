package layer

import (
	"errors"
	"fmt"

	"synfire/neuron"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
)

// Spiking is a population of neurons, one for each element of its input, which
// is their current. Its output is their spikes, its state theirs. Backward
// replaces the derivative of the spike by the surrogate's.
type Spiking struct {
	Neuron    neuron.Neuron       `yaml:"neuron"`    // how a unit charges, fires and resets
	Surrogate surrogate.Surrogate `yaml:"surrogate"` // the derivative that stands in for that of the spike
}

// Readout is a leaky integrator that never fires, for reading a network out by
// its membranes: v[t] = Beta·v[t−1] + x[t], with Beta in [0, 1]. Its output is
// v[t]; its error runs backwards as ∂x[t] = ∂v[t] + Beta·∂x[t+1].
type Readout struct {
	Beta float64 `yaml:"beta"`
}

// Output is the input's shape.
func (l Spiking) Output(in ...tensor.Shape) (tensor.Shape, error) {
	s, err := one("spiking", in)
	if err != nil {
		return nil, err
	}
	if l.Neuron == nil || l.Surrogate == nil {
		return nil, errors.New("spiking: neuron and surrogate must both be given, for instance neuron lif with surrogate fast-sigmoid")
	}
	return s, errors.Join(l.Neuron.Validate(), l.Surrogate.Validate())
}

// StateSize is the number of the neurons' state variables.
func (l Spiking) StateSize(in ...tensor.Shape) int { return l.Neuron.States() * in[0].Size() }

// Accepts is true for all but spikes.
func (l Spiking) Accepts(k signal.Kind) bool { return k != signal.Spikes }

// ForgetsInput is true: the membranes are kept instead.
func (l Spiking) ForgetsInput() bool { return true }

// ElementWise is true where a unit's error passes through that unit alone.
func (l Spiking) ElementWise() bool { return true }

// unitBlock is a multiple of 64, so that blocks own whole words of spikes.
const unitBlock = 2048

// population is the work of Spiking's loops: one sample's units, or a block of
// them.
type population struct {
	l        Spiking
	c        *Call
	x, u     []tensor.Float
	bits     []uint64
	words    int
	soft     neuron.Scan // nil for real spikes
	again    bool        // membranes are not kept
	b, units int
	block    int
}

// softScan is the scan of soft spikes, nil for real ones.
func (l Spiking) softScan(s Soft) neuron.Scan {
	n, ok := l.Neuron.(neuron.Softener)
	switch {
	case s == Hard:
		return nil
	case ok:
		return n.Soften(l.Surrogate, s == Replay)
	case s == Replay:
		return l.Neuron.Replay
	}
	return l.Neuron.Forward
}

// eachPopulation splits the work into samples, and large samples of neurons
// with one state variable into blocks of units; f gets a sample and its range.
func (l Spiking) eachPopulation(p population, f func(p *population, id, b, lo, hi int)) {
	p.l, p.block = l, p.units
	if l.Neuron.States() == 1 {
		p.block = unitBlock
	}
	blocks := (p.units + p.block - 1) / p.block
	t := p.c.Temp
	t.eachUnits = f
	t.population.For(p.c.Pool, p.b*blocks, 1, p, func(p *population, id, i0, i1 int) {
		blocks := (p.units + p.block - 1) / p.block
		for i := i0; i < i1; i++ {
			lo := i % blocks * p.block
			p.c.Temp.eachUnits(p, id, i/blocks, lo, min(lo+p.block, p.units))
		}
	})
}

// mostChunks is the most chunks of a window for which membranes are computed
// again from its start.
const mostChunks = 16

// recomputes reports whether Backward computes the membranes again rather than
// reads them: of a constant input that is all arithmetic, in registers, where
// keeping them would write and read memory for each step.
func (l Spiking) recomputes(c *Call) bool {
	return c.In[0].Kind == signal.Constant && c.Soft == Hard && c.Chunks <= mostChunks && l.Neuron.States() == 1
}

// Forward runs the neurons over the window.
func (l Spiking) Forward(c *Call) {
	in := c.In[0]
	var u []tensor.Float
	switch again := l.recomputes(c); {
	case again && c.Keep && c.Before == 0:
		c.First.floats = tensor.Resize(c.First.floats, len(c.State))
		copy(c.First.floats, c.State)
	case !again && (c.Keep || c.Soft != Hard):
		u = l.membranes(c)
	}
	p := population{c: c, x: in.Data, u: u, soft: l.softScan(c.Soft), b: in.B, units: in.Units()}
	if c.TakeIn && u != nil {
		p.x = u
	}
	p.bits, p.words = l.spikeBits(c)
	l.eachPopulation(p, func(p *population, _, b, lo, hi int) {
		in, states := p.c.In[0], p.l.Neuron.States()
		at, w, stride := b*p.units+lo, b*p.words+lo/64, p.b*p.units
		var u []tensor.Float
		if p.u != nil {
			u = p.u[at:]
		}
		state := p.c.State[b*p.units*states+lo:][:(hi-lo)*states]
		if p.soft != nil {
			p.soft(in.T, hi-lo, p.x[at:], in.Stride(), state, u, stride, p.bits[w:], in.B*p.words)
			return
		}
		p.l.Neuron.Forward(in.T, hi-lo, p.x[at:], in.Stride(), state, u, stride, p.bits[w:], in.B*p.words)
	})
	if c.Soft != Hard {
		c.Out.Reset(signal.Dense, in.T, in.B, in.Shape)
		for i, m := range u {
			z, _ := l.Neuron.Argument(m)
			c.Out.Data[i] = l.Surrogate.Primitive(z)
		}
	}
}

// membranes is where the membranes are kept. Where nobody else needs the input,
// they take its memory, and it gets the memory of the ones before.
func (l Spiking) membranes(c *Call) []tensor.Float {
	in, s := c.In[0], c.Scratch
	s.floats = tensor.Resize(s.floats, in.T*in.B*in.Units())
	if !c.TakeIn {
		return s.floats
	}
	s.floats, in.Data = in.Data, s.floats
	return s.floats
}

// spikeBits is where the spikes go: the output, or for soft spikes the
// scratch, which keeps them for Replay.
func (l Spiking) spikeBits(c *Call) (bits []uint64, words int) {
	in := c.In[0]
	if c.Soft == Hard {
		c.Out.Reset(signal.Spikes, in.T, in.B, in.Shape)
		return c.Out.Raster.Bits, c.Out.Raster.Words
	}
	words = (in.Units() + 63) / 64
	if c.Soft == Record {
		c.Scratch.bits = make([]uint64, in.T*in.B*words)
	}
	return c.Scratch.bits, words
}

// Backward runs the neurons' backward scan.
func (l Spiking) Backward(c *Call) {
	dout, din := c.DOut, c.DIn[0]
	if din == nil {
		return
	}
	p := population{c: c, x: c.In[0].Data, u: c.Scratch.floats, again: l.recomputes(c), b: dout.B, units: dout.Units()}
	l.eachPopulation(p, func(p *population, id, b, lo, hi int) {
		dout, din, states := p.c.DOut, p.c.DIn[0], p.l.Neuron.States()
		at, stride := b*p.units+lo, p.b*p.units
		u, us := p.u, stride
		if p.again {
			u, us = p.membranes(&p.c.Workers[id], at, hi-lo), hi-lo
		} else {
			u = u[at:]
		}
		gstate := p.c.DState[b*p.units*states+lo:][:(hi-lo)*states]
		p.l.Neuron.Backward(dout.T, hi-lo, p.l.Surrogate, u, us, dout.Data[at:], stride, gstate, din.Data[at:], din.Stride())
	})
}

// membranes computes those of n units from at on in this chunk again, from the
// window's start.
func (p *population) membranes(w *Worker, at, n int) []tensor.Float {
	steps, words := p.c.DOut.T, (n+63)/64
	u, state := w.slot(0, steps*n), w.slot(1, n)
	w.words = resize(w.words, max(steps, p.c.Before)*words)
	copy(state, p.c.First.floats[at:])
	p.l.Neuron.Forward(p.c.Before, n, p.x[at:], 0, state, nil, 0, w.words, words)
	p.l.Neuron.Forward(steps, n, p.x[at:], 0, state, u, n, w.words, words)
	return u
}

// Output is the input's shape.
func (l Readout) Output(in ...tensor.Shape) (tensor.Shape, error) {
	if !(l.Beta >= 0 && l.Beta <= 1) {
		return nil, fmt.Errorf("readout: beta is %v, want a decay per step in [0, 1]", l.Beta)
	}
	return one("readout", in)
}

// StateSize is one membrane a unit.
func (l Readout) StateSize(in ...tensor.Shape) int { return in[0].Size() }

// Accepts is true for all but spikes.
func (l Readout) Accepts(k signal.Kind) bool { return k != signal.Spikes }

// ForgetsInput is true.
func (l Readout) ForgetsInput() bool { return true }

// ElementWise is true.
func (l Readout) ElementWise() bool { return true }

// Forward integrates.
func (l Readout) Forward(c *Call) {
	in := c.In[0]
	c.Out.Reset(signal.Dense, in.T, in.B, in.Shape)
	stride, beta := in.B*in.Units(), tensor.Float(l.Beta)
	for t := range in.T {
		x, out := in.Data[t*in.Stride():][:stride], c.Out.Data[t*stride:][:stride]
		for i, v := range c.State[:stride] {
			v = tensor.Float(beta*v) + x[i]
			c.State[i], out[i] = v, v
		}
	}
}

// Backward integrates the errors backwards.
func (l Readout) Backward(c *Call) {
	dout, din := c.DOut, c.DIn[0]
	if din == nil {
		return
	}
	stride, beta := dout.B*dout.Units(), tensor.Float(l.Beta)
	for t := dout.T - 1; t >= 0; t-- {
		dy, dx := dout.Data[t*stride:][:stride], din.Data[t*din.Stride():][:stride]
		for i, g := range c.DState[:stride] {
			g += dy[i]
			c.DState[i] = beta * g
			if din.Kind == signal.Constant {
				dx[i] += g
			} else {
				dx[i] = g
			}
		}
	}
}
