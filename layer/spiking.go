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
	Neuron    neuron.Neuron       `yaml:"neuron"`
	Surrogate surrogate.Surrogate `yaml:"surrogate"`
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

// eachPopulation splits the work into samples, and large samples of neurons
// with one state variable into blocks of units; f gets a sample and its range.
func (l Spiking) eachPopulation(c *Call, b, units int, f func(b, lo, hi int)) {
	block := units
	if l.Neuron.States() == 1 {
		block = unitBlock
	}
	blocks := (units + block - 1) / block
	c.Pool.For(b*blocks, 1, func(_, i0, i1 int) {
		for i := i0; i < i1; i++ {
			lo := i % blocks * block
			f(i/blocks, lo, min(lo+block, units))
		}
	})
}

// Forward runs the neurons over the window.
func (l Spiking) Forward(c *Call) {
	in := c.In[0]
	n, stride := in.Units(), in.B*in.Units()
	var u []tensor.Float
	if c.Keep || c.Soft != Hard {
		u = l.membranes(c)
	}
	x := in.Data
	if c.TakeIn && u != nil {
		x = u
	}
	bits, words := l.spikeBits(c)
	states := l.Neuron.States()
	l.eachPopulation(c, in.B, n, func(b, lo, hi int) {
		at, w := b*n+lo, b*words+lo/64
		var um []tensor.Float
		if u != nil {
			um = u[at:]
		}
		state := c.State[b*n*states+lo:][:(hi-lo)*states]
		run := l.Neuron.Forward
		if c.Soft == Replay {
			run = l.Neuron.Replay
		}
		if n, ok := l.Neuron.(neuron.Softener); ok && c.Soft != Hard {
			run = n.Soften(l.Surrogate, c.Soft == Replay)
		}
		run(in.T, hi-lo, x[at:], in.Stride(), state, um, stride, bits[w:], in.B*words)
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
	n, stride := dout.Units(), dout.B*dout.Units()
	u := c.Scratch.floats
	states := l.Neuron.States()
	l.eachPopulation(c, dout.B, n, func(b, lo, hi int) {
		at := b*n + lo
		gstate := c.DState[b*n*states+lo:][:(hi-lo)*states]
		l.Neuron.Backward(dout.T, hi-lo, l.Surrogate, u[at:], stride, dout.Data[at:], stride, gstate, din.Data[at:], din.Stride())
	})
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
