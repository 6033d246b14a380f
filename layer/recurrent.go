package layer

import (
	"fmt"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/neuron"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
)

// Recurrent is a population of n neurons that are all connected to each other.
// Its input is the feed-forward current x, a vector; spikes act in the step
// after theirs, by W [n, n]:
//
//	I[t] = x[t] + s[t−1]·W
//	s[t] = the spikes of the neurons under the current I[t]
//
// Backwards, with ∂I[t] what the neurons make of ∂s[t] + ∂I[t+1]·Wᵀ,
//
//	∂x[t] = ∂I[t],   ∂W = Σ_t s[t−1]ᵀ·∂I[t], from the last step to the first.
//
// A current is one chain that starts from x and ascends in the spikes, added by
// event where they are sparse. The state of a sample is that of its neurons and
// their last spikes.
type Recurrent struct {
	Neuron    neuron.Neuron       `yaml:"neuron"`           // how a unit charges, fires and resets
	Surrogate surrogate.Surrogate `yaml:"surrogate"`        // the derivative that stands in for that of the spike
	Varied    Varied              `yaml:"varied,omitempty"` // options of the neuron that differ by channel or unit
}

// recurrentWeights is W packed for both directions.
type recurrentWeights struct{ forward, backward kernel.Packed }

func (l Recurrent) spiking() Spiking {
	return Spiking{Neuron: l.Neuron, Surrogate: l.Surrogate, Varied: l.Varied}
}

// Buffers are the options that differ, by the names of the options.
func (l Recurrent) Buffers(in ...tensor.Shape) []ParamSpec { return l.spiking().Buffers(in...) }

// UpdateBuffers does nothing: no statistics move the options.
func (l Recurrent) UpdateBuffers([]tensor.Tensor, [][]tensor.Float) {}

// Values are the options that differ, by the buffers.
func (l Recurrent) Values(shape tensor.Shape, buffers []tensor.Tensor) neuron.Values {
	return l.spiking().Values(shape, buffers)
}

// Output is the input's shape.
func (l Recurrent) Output(in ...tensor.Shape) (tensor.Shape, error) {
	s, err := one("recurrent", in)
	if err != nil {
		return nil, err
	}
	if len(s) != 1 {
		return nil, fmt.Errorf("recurrent: input of shape %v, want a vector of currents; put a linear layer before it", s)
	}
	if _, err := l.spiking().Output(s); err != nil {
		return nil, fmt.Errorf("recurrent: %w", err)
	}
	return s, nil
}

// Params is the weight [n, n].
func (l Recurrent) Params(in ...tensor.Shape) []ParamSpec {
	n := in[0][0]
	return []ParamSpec{{Role: "weight", Shape: tensor.Shape{n, n}, FanIn: n}}
}

// Compile packs the weights for products.
func (l Recurrent) Compile(old any, pool *par.Pool, params []tensor.Tensor, train bool, in ...tensor.Shape) any {
	w, _ := old.(*recurrentWeights)
	if w == nil {
		w = &recurrentWeights{}
	}
	n := in[0][0]
	w.forward.Pack(pool, params[0].Data, n, n, n, false)
	if train {
		w.backward.Pack(pool, params[0].Data, n, n, n, true)
	}
	return w
}

// StateSize is the neurons' state variables and their last spikes.
func (l Recurrent) StateSize(in ...tensor.Shape) int { return (l.Neuron.States() + 1) * in[0][0] }

// Accepts is true for all but spikes.
func (l Recurrent) Accepts(k signal.Kind) bool { return k != signal.Spikes }

// ForgetsInput is true: the membranes are kept instead.
func (l Recurrent) ForgetsInput() bool { return true }

// recurrentKept is what Forward leaves to Backward: the membranes of all steps,
// the spikes that went into each step, step 0's from the window before, and what
// the neuron asks for besides: values of its own, the state before each step.
type recurrentKept struct {
	n, b      int
	u, before []tensor.Float // [T, B, n]
	own       []tensor.Float // [T, B, keeps × n]
	start     []tensor.Float // [T, B, states × n]
}

func (l Recurrent) kept(c *Call, steps, b, n int) recurrentKept {
	s, rows := c.Scratch, steps*b
	s.floats = tensor.Resize(s.floats, 2*rows*n)
	k := recurrentKept{n: n, b: b, u: s.floats[:rows*n], before: s.floats[rows*n:]}
	keeps, start := neuron.Keeps(l.Neuron)
	if keeps > 0 {
		s.kept = tensor.Resize(s.kept, rows*n*keeps)
		k.own = s.kept
	}
	if start {
		s.start = tensor.Resize(s.start, rows*n*l.Neuron.States())
		k.start = s.start
	}
	return k
}

// row is the part of step t of sample b in one of the arrays.
func (k recurrentKept) row(x []tensor.Float, t, b int) []tensor.Float {
	size := len(x) / (len(k.u) / k.n)
	return x[(t*k.b+b)*size:][:size]
}

// Forward runs the population step by step; threads take samples.
func (l Recurrent) Forward(c *Call) {
	in, n := c.In[0], c.In[0].Units()
	spiking := l.spiking()
	bits, words := spiking.spikeBits(c)
	if c.Soft != Hard {
		c.Out.Reset(signal.Dense, in.T, in.B, in.Shape)
	}
	var k recurrentKept
	keep := c.Keep || c.Soft != Hard
	if keep {
		k = l.kept(c, in.T, in.B, n)
	}
	values := spiking.values(c, in.Shape)
	w, size := c.Weights.(*recurrentWeights), (l.Neuron.States()+1)*n
	c.Pool.For(in.B, 1, func(id, b0, b1 int) {
		wk := &c.Workers[id]
		current := wk.slot(0, n)
		for b := b0; b < b1; b++ {
			state := c.State[b*size:][:size-n]
			last := c.State[b*size+size-n:][:n]
			for t := range in.T {
				copy(current, in.Data[t*in.Stride()+b*n:])
				l.addSpikes(c, wk, current, last, w)
				row := bits[(t*in.B+b)*words:][:words]
				step := neuron.Window{Steps: 1, Units: n, Input: neuron.Strided{Data: current}, State: state, Spikes: neuron.Bits{Data: row}, Values: values}
				if keep {
					step.Membrane.Data, step.Kept.Data = k.row(k.u, t, b), k.row(k.own, t, b)
					copy(k.row(k.before, t, b), last)
					copy(k.row(k.start, t, b), state)
				}
				spiking.scan(step, c.Soft)
				if c.Soft == Hard {
					kernel.Expand(last, row, 0)
					continue
				}
				spiking.soften(last, step.Membrane.Data, step.Kept.Data, values)
				copy(c.Out.Data[(t*in.B+b)*n:], last)
			}
		}
	})
}

// addSpikes adds the recurrent current of the last spikes.
func (l Recurrent) addSpikes(c *Call, wk *Worker, current, last []tensor.Float, w *recurrentWeights) {
	n := len(current)
	wk.ints, wk.values = kernel.Nonzeros(wk.ints[:0], wk.values[:0], last, 0)
	if c.Soft == Hard && c.eventful(float64(len(wk.ints))/float64(n), EventDensity) {
		kernel.AddRows(current, c.Params[0].Data, n, wk.ints)
		return
	}
	kernel.MatMul(nil, 1, last, n, false, &w.forward, current, n)
}

// Backward runs from the last step to the first.
func (l Recurrent) Backward(c *Call) {
	dout, din, n := c.DOut, c.DIn[0], c.DOut.Units()
	stride := dout.B * n
	k := l.kept(c, dout.T, dout.B, n)
	errors := c.Temp.slot(0, dout.T*stride) // at the currents
	values := l.spiking().values(c, dout.Shape)
	w, size := c.Weights.(*recurrentWeights), (l.Neuron.States()+1)*n
	c.Pool.For(dout.B, 1, func(id, b0, b1 int) {
		ds := c.Workers[id].slot(0, n)
		for b := b0; b < b1; b++ {
			gstate := c.DState[b*size:][:size-n]
			carry := c.DState[b*size+size-n:][:n] // error at the spikes by way of the next step
			for t := dout.T - 1; t >= 0; t-- {
				at := t*stride + b*n
				for i, g := range dout.Data[at:][:n] {
					ds[i] = g + carry[i]
				}
				e := errors[at:][:n]
				l.Neuron.Backward(neuron.Errors{
					Steps: 1, Units: n, Surrogate: l.Surrogate,
					Membrane: neuron.Strided{Data: k.row(k.u, t, b)},
					Kept:     neuron.Strided{Data: k.row(k.own, t, b)},
					Start:    k.row(k.start, t, b),
					Spikes:   neuron.Strided{Data: ds},
					State:    gstate,
					Input:    neuron.Strided{Data: e, Stride: n}, // written, not added to
					Values:   values,
					Soft:     c.Soft != Hard,
				})
				clear(carry)
				kernel.MatMul(nil, 1, e, n, false, &w.backward, carry, n)
				put(din, at, b*n, e)
			}
		}
	})
	l.gradWeights(c, k.before, errors)
}

// put writes the error e of a step to din, or adds it to a Constant's.
func put(din *signal.Signal, at, constantAt int, e []tensor.Float) {
	switch {
	case din == nil:
	case din.Kind == signal.Constant:
		for i, g := range e {
			din.Data[constantAt+i] += g
		}
	default:
		copy(din.Data[at:], e)
	}
}

// gradWeights adds the outer products of each step's incoming spikes and errors:
// a chain over the samples, steps from the last to the first. Threads take rows.
func (l Recurrent) gradWeights(c *Call, before, errors []tensor.Float) {
	b, n := c.DOut.B, c.DOut.Units()
	c.Pool.For(n, 8, func(id, i0, i1 int) {
		wk := &c.Workers[id]
		sum := wk.slot(1, n)
		for t := c.DOut.T - 1; t >= 0; t-- {
			step := t * b * n
			for i := i0; i < i1; i++ {
				wk.ints, wk.values = wk.ints[:0], wk.values[:0]
				for r := range b {
					if s := before[step+r*n+i]; s != 0 {
						wk.ints, wk.values = append(wk.ints, int32(r)), append(wk.values, s)
					}
				}
				if len(wk.ints) == 0 {
					continue
				}
				clear(sum)
				kernel.AddRowsMulti(1, sum, n, errors[step:][:b*n], n, n, n, wk.ints, wk.values)
				kernel.Add(c.DParams[0][i*n:][:n], sum)
			}
		}
	})
}
