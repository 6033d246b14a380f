package temporal

import (
	"fmt"

	"synfire/layer"
	"synfire/neuron"
	"synfire/signal"
	"synfire/tensor"
)

// Integrator is a population of neurons that never fire and are read by their membranes: the
// output is u[t] of the Neuron, which has no reset. Of neuron lif that is
//
//	y[t] = u[t] = β·u[t−1] + (1 − β)·r + g·x[t],   ∂u[t] = ∂y[t] + β·∂u[t+1],   ∂x[t] = g·∂u[t]
//
// With β = 0 it is a factor of each element. Readout is the same without its options.
type Integrator struct {
	Neuron neuron.Neuron `yaml:"neuron"`           // if, lif or cuba-lif, with reset none
	Varied layer.Varied  `yaml:"varied,omitempty"` // options of the neuron that differ by channel or unit
}

// Output is the input's shape.
func (l Integrator) Output(in ...tensor.Shape) (tensor.Shape, error) {
	if len(in) != 1 {
		return nil, fmt.Errorf("integrator: %d inputs, want 1", len(in))
	}
	reset, pause := neuron.Subtract, 0
	switch n := l.Neuron.(type) {
	case neuron.IF:
		reset, pause = n.Reset, n.Refractory
	case neuron.LIF:
		reset, pause = n.Reset, n.Refractory
	case neuron.CuBaLIF:
		reset, pause = n.Reset, n.Refractory
	default:
		return nil, fmt.Errorf("integrator: neuron %s, want if, lif or cuba-lif", neuron.Kind(l.Neuron))
	}
	if reset != neuron.None || pause != 0 {
		return nil, fmt.Errorf("integrator: neuron with reset %v and refractory %d: an integrator does not fire; give reset none and no refractory steps", reset, pause)
	}
	if _, err := l.spiking().Output(in...); err != nil {
		return nil, fmt.Errorf("integrator: %w", err)
	}
	return in[0], nil
}

// spiking is the same population with spikes.
func (l Integrator) spiking() layer.Spiking {
	return layer.Spiking{Neuron: l.Neuron, Surrogate: through{}, Varied: l.Varied}
}

// Buffers are the options that differ, by the names of the options.
func (l Integrator) Buffers(in ...tensor.Shape) []layer.ParamSpec { return l.spiking().Buffers(in...) }

// UpdateBuffers does nothing: no statistics move the options.
func (l Integrator) UpdateBuffers([]tensor.Tensor, [][]tensor.Float) {}

// StateSize is the number of the neurons' state variables.
func (l Integrator) StateSize(in ...tensor.Shape) int { return l.Neuron.States() * in[0].Size() }

// Accepts is true for all but spikes.
func (l Integrator) Accepts(k signal.Kind) bool { return k != signal.Spikes }

// ForgetsInput is true.
func (l Integrator) ForgetsInput() bool { return true }

// ElementWise is true.
func (l Integrator) ElementWise() bool { return true }

// Forward integrates; threads take samples.
func (l Integrator) Forward(c *layer.Call) {
	in, n, states := c.In[0], c.In[0].Units(), l.Neuron.States()
	c.Out.Reset(signal.Dense, in.T, in.B, in.Shape)
	values := l.spiking().Values(in.Shape, c.Buffers)
	c.Pool.For(in.B, 1, func(id, b0, b1 int) {
		spikes := c.Workers[id].Bits(0, (n+63)/64) // which nobody reads
		for b := b0; b < b1; b++ {
			l.Neuron.Forward(neuron.Window{
				Steps: in.T, Units: n, Values: values,
				Input:    neuron.Strided{Data: in.Data[b*n:], Stride: in.Stride()},
				State:    c.State[b*n*states:][:n*states],
				Membrane: neuron.Strided{Data: c.Out.Data[b*n:], Stride: in.B * n},
				Spikes:   neuron.Bits{Data: spikes},
			})
		}
	})
}

// Backward is the neurons' own, where the error at a membrane takes the place of that at a spike.
func (l Integrator) Backward(c *layer.Call) {
	dout, din := c.DOut, c.DIn[0]
	if din == nil {
		return
	}
	n, states := dout.Units(), l.Neuron.States()
	values := l.spiking().Values(dout.Shape, c.Buffers)
	c.Pool.For(dout.B, 1, func(id, b0, b1 int) {
		membrane := c.Workers[id].Floats(0, n) // which no reset looks at
		clear(membrane)
		for b := b0; b < b1; b++ {
			l.Neuron.Backward(neuron.Errors{
				Steps: dout.T, Units: n, Surrogate: through{}, Values: values,
				Membrane: neuron.Strided{Data: membrane},
				Spikes:   neuron.Strided{Data: dout.Data[b*n:], Stride: dout.B * n},
				State:    c.DState[b*n*states:][:n*states],
				Input:    neuron.Strided{Data: din.Data[b*n:], Stride: din.Stride()},
			})
		}
	})
}

// through passes errors to membranes as they are.
type through struct{}

func (through) Derivative(tensor.Float) tensor.Float  { return 1 }
func (through) Primitive(z tensor.Float) tensor.Float { return z }
func (through) Validate() error                       { return nil }
