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
// replaces the derivative of the spike by the surrogate's. Options of the neuron
// hold for all units, or as Varied says differ within the population.
type Spiking struct {
	Neuron    neuron.Neuron       `yaml:"neuron"`           // how a unit charges, fires and resets
	Surrogate surrogate.Surrogate `yaml:"surrogate"`        // the derivative that stands in for that of the spike
	Varied    Varied              `yaml:"varied,omitempty"` // options of the neuron that differ by channel or unit
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
	return s, errors.Join(l.Neuron.Validate(), l.Surrogate.Validate(), neuron.Fits(l.Neuron, l.Surrogate), l.Varied.check(l.Neuron, s))
}

// Buffers are the options that differ, by the names of the options.
func (l Spiking) Buffers(in ...tensor.Shape) []ParamSpec { return l.Varied.buffers(l.Neuron, in[0]) }

// UpdateBuffers does nothing: no statistics move the options.
func (l Spiking) UpdateBuffers([]tensor.Tensor, [][]tensor.Float) {}

// Values are the options that differ, for inputs of a shape, by the buffers.
func (l Spiking) Values(shape tensor.Shape, buffers []tensor.Tensor) neuron.Values {
	var spread []tensor.Float
	return neuron.Values{Of: l.Varied.values(l.Neuron, shape, buffers, &spread)}
}

// values is Values in the memory of the call.
func (l Spiking) values(c *Call, shape tensor.Shape) neuron.Values {
	return neuron.Values{Of: l.Varied.values(l.Neuron, shape, c.Buffers, &c.Temp.spread)}
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
	kept     []tensor.Float // besides the membranes, [T, B, keeps × units]
	start    []tensor.Float // the state before the chunk
	keeps    int
	values   neuron.Values
	bits     []uint64
	words    int
	again    bool // membranes are not kept
	b, units int
	block    int
}

// scan advances neurons over a window, by hard or soft spikes.
func (l Spiking) scan(w neuron.Window, s Soft) {
	switch n, ok := l.Neuron.(neuron.Softener); {
	case ok && s != Hard:
		n.ForwardSoft(w, l.Surrogate, s == Replay)
	case s == Replay:
		l.Neuron.Replay(w)
	default:
		l.Neuron.Forward(w)
	}
}

// soften is the soft spikes of a step's membranes u, of units from the first on: by the
// surrogate's primitive, or of one of spike times, which are among what is kept, by the
// slope of that time.
func (l Spiking) soften(dst, u, kept []tensor.Float, v neuron.Values) {
	timed, ok := l.Surrogate.(surrogate.Timed)
	for i, m := range u {
		z, _ := v.Unit(l.Neuron, i).Argument(m)
		if ok {
			dst[i] = timed.Slope(kept[i]) * z
		} else {
			dst[i] = l.Surrogate.Primitive(z)
		}
	}
}

// eachPopulation splits the work into samples, and large samples of neurons
// that hold and keep no more than a membrane into blocks of units; f gets a sample
// and its range.
func (l Spiking) eachPopulation(p population, f func(p *population, id, b, lo, hi int)) {
	p.l, p.block = l, p.units
	if l.Neuron.States() == 1 && p.keeps == 0 && p.start == nil {
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
	keeps, start := neuron.Keeps(l.Neuron)
	return c.In[0].Kind == signal.Constant && c.Soft == Hard && c.Chunks <= mostChunks && l.Neuron.States() == 1 && keeps == 0 && !start
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
	p := population{c: c, x: in.Data, u: u, b: in.B, units: in.Units(), values: l.values(c, in.Shape)}
	if u != nil {
		p.keep(l.Neuron, in.T)
		copy(p.start, c.State)
	}
	if c.TakeIn && u != nil {
		p.x = u
	}
	p.bits, p.words = l.spikeBits(c)
	l.eachPopulation(p, func(p *population, _, b, lo, hi int) {
		p.l.scan(p.window(b, lo, hi), p.c.Soft)
	})
	if c.Soft != Hard {
		c.Out.Reset(signal.Dense, in.T, in.B, in.Shape)
		for i := 0; i < len(u); i += p.units {
			l.soften(c.Out.Data[i:], u[i:i+p.units], p.kept[min(i*p.keeps, len(p.kept)):], p.values)
		}
	}
}

// keep is where a chunk of steps keeps what the neuron asks for besides the
// membranes.
func (p *population) keep(n neuron.Neuron, steps int) {
	keeps, start := neuron.Keeps(n)
	s := p.c.Scratch
	if keeps > 0 {
		s.kept = tensor.Resize(s.kept, steps*p.b*p.units*keeps)
		p.kept, p.keeps = s.kept, keeps
	}
	if start {
		s.start = tensor.Resize(s.start, p.b*p.units*n.States())
		p.start = s.start
	}
}

// window is units [lo, hi) of sample b on the way forward.
func (p *population) window(b, lo, hi int) neuron.Window {
	in, states, at := p.c.In[0], p.l.Neuron.States(), b*p.units+lo
	w := neuron.Window{
		Steps: in.T, Units: hi - lo,
		Input:  neuron.Strided{Data: p.x[at:], Stride: in.Stride()},
		State:  p.c.State[b*p.units*states+lo:][:(hi-lo)*states],
		Kept:   p.keptOf(b),
		Spikes: neuron.Bits{Data: p.bits[b*p.words+lo/64:], Stride: in.B * p.words},
		Values: neuron.Values{Of: p.values.Of, First: lo},
	}
	if p.u != nil {
		w.Membrane = neuron.Strided{Data: p.u[at:], Stride: p.b * p.units}
	}
	return w
}

// keptOf is what sample b keeps besides membranes.
func (p *population) keptOf(b int) neuron.Strided {
	if p.kept == nil {
		return neuron.Strided{}
	}
	return neuron.Strided{Data: p.kept[b*p.keeps*p.units:], Stride: p.b * p.keeps * p.units}
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
	p := population{c: c, x: c.In[0].Data, u: c.Scratch.floats, again: l.recomputes(c), b: dout.B, units: dout.Units(), values: l.values(c, dout.Shape)}
	if !p.again {
		p.keep(l.Neuron, dout.T)
	}
	l.eachPopulation(p, func(p *population, id, b, lo, hi int) {
		dout, din, states := p.c.DOut, p.c.DIn[0], p.l.Neuron.States()
		at, stride := b*p.units+lo, p.b*p.units
		e := neuron.Errors{
			Steps: dout.T, Units: hi - lo, Surrogate: p.l.Surrogate,
			Kept:   p.keptOf(b),
			Spikes: neuron.Strided{Data: dout.Data[at:], Stride: stride},
			State:  p.c.DState[b*p.units*states+lo:][:(hi-lo)*states],
			Input:  neuron.Strided{Data: din.Data[at:], Stride: din.Stride()},
			Values: neuron.Values{Of: p.values.Of, First: lo}, Soft: p.c.Soft != Hard,
		}
		if p.again {
			e.Membrane = p.membranes(&p.c.Workers[id], at, e.Values, hi-lo)
		} else {
			e.Membrane = neuron.Strided{Data: p.u[at:], Stride: stride}
		}
		if p.start != nil {
			e.Start = p.start[b*p.units*states:][:p.units*states]
		}
		p.l.Neuron.Backward(e)
	})
}

// membranes computes those of n units from at on in this chunk again, from the
// window's start.
func (p *population) membranes(w *Worker, at int, v neuron.Values, n int) neuron.Strided {
	steps, words := p.c.DOut.T, (n+63)/64
	u, state := w.slot(0, steps*n), w.slot(1, n)
	w.words = resize(w.words, max(steps, p.c.Before)*words)
	copy(state, p.c.First.floats[at:])
	win := neuron.Window{
		Steps: p.c.Before, Units: n, Input: neuron.Strided{Data: p.x[at:]}, State: state,
		Spikes: neuron.Bits{Data: w.words, Stride: words}, Values: v,
	}
	p.l.Neuron.Forward(win)
	win.Steps, win.Membrane = steps, neuron.Strided{Data: u, Stride: n}
	p.l.Neuron.Forward(win)
	return win.Membrane
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
