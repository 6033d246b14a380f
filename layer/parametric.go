package layer

import (
	"errors"
	"fmt"
	"math"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/neuron"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
)

// ParametricSpiking is a population of leaky integrate-and-fire neurons that
// learn their decay, one for each channel (the last axis), as the PLIF neuron
// of Fang et al., "Incorporating learnable membrane time constant", ICCV 2021:
//
//	β = 1/(1 + exp(−w))
//	u[t] = β·v[t−1] + g·x[t],   g = 1, with DecayInput 1 − β
//	s[t] = 1 if u[t] ≥ Threshold, else 0,   v[t] = u[t] after the Reset
//
// Backwards, with the reset detached and k as for neuron.LIF,
//
//	∂u[t] = ∂s[t]·σ'(u[t] − θ) + ∂v[t]·k,   ∂x[t] = g·∂u[t],   ∂v[t−1] = β·∂u[t]
//	∂w = β·(1 − β)·Σ_t Σ_units ∂u[t]·v[t−1],   with DecayInput v[t−1] − x[t]
//
// from the last step to the first, in float64 within a step. Beta, in (0, 1), is
// the decay before training: PyTorch programs with a time constant τ start at
// 1 − 1/τ.
type ParametricSpiking struct {
	Beta       float64             `yaml:"beta"`        // decay before training, in (0, 1)
	Threshold  float64             `yaml:"threshold"`   // θ, the fire level
	Reset      neuron.Reset        `yaml:"reset"`       // subtract, zero or none
	DecayInput bool                `yaml:"decay-input"` // scale the input by 1 − β
	Surrogate  surrogate.Surrogate `yaml:"surrogate"`   // the derivative that stands in for that of the spike
}

// decays are the factors of each unit.
type decays struct{ beta, gain []tensor.Float }

// Output is the input's shape.
func (l ParametricSpiking) Output(in ...tensor.Shape) (tensor.Shape, error) {
	s, err := one("parametric-spiking", in)
	switch {
	case err != nil:
		return nil, err
	case len(s) == 0:
		return nil, errors.New("parametric-spiking: input is a scalar, want channels in the last axis")
	case !(l.Beta > 0 && l.Beta < 1):
		return nil, fmt.Errorf("parametric-spiking: beta is %v, want the decay before training in (0, 1), such as 0.5", l.Beta)
	case l.Surrogate == nil:
		return nil, errors.New("parametric-spiking: no surrogate is given, for instance arctan")
	}
	if err := l.lif().Validate(); err != nil {
		return nil, fmt.Errorf("parametric-spiking: %w", err)
	}
	return s, errors.Join(l.Surrogate.Validate(), neuron.Fits(l.lif(), l.Surrogate))
}

func (l ParametricSpiking) lif() neuron.LIF {
	return neuron.LIF{Beta: l.Beta, Threshold: l.Threshold, Reset: l.Reset}
}

// Params is the decay w of each channel.
func (l ParametricSpiking) Params(in ...tensor.Shape) []ParamSpec {
	return []ParamSpec{{Role: "decay", Shape: tensor.Shape{channels(in[0])}, Value: math.Log(l.Beta / (1 - l.Beta))}}
}

func sigmoid(w tensor.Float) float64 { return 1 / (1 + math.Exp(-float64(w))) }

// Compile works out the factors of each unit.
func (l ParametricSpiking) Compile(old any, _ *par.Pool, params []tensor.Tensor, _ bool, in ...tensor.Shape) any {
	d, _ := old.(*decays)
	n, w := in[0].Size(), params[0].Data
	if d == nil {
		d = &decays{beta: make([]tensor.Float, n), gain: make([]tensor.Float, n)}
	}
	for j, v := range w {
		beta, gain := sigmoid(v), 1.0
		if l.DecayInput {
			gain = 1 - beta
		}
		for i := j; i < n; i += len(w) {
			d.beta[i], d.gain[i] = tensor.Float(beta), tensor.Float(gain)
		}
	}
	return d
}

// StateSize is one membrane a unit.
func (l ParametricSpiking) StateSize(in ...tensor.Shape) int { return in[0].Size() }

// Accepts is true for all but spikes.
func (l ParametricSpiking) Accepts(k signal.Kind) bool { return k != signal.Spikes }

// kept is what Forward leaves to Backward: the membranes before and after the
// reset, the latter from the step before the window on.
func (l ParametricSpiking) kept(c *Call, steps, stride int) (u, v []tensor.Float) {
	s := c.Scratch
	s.floats = tensor.Resize(s.floats, (2*steps+1)*stride)
	return s.floats[:steps*stride], s.floats[steps*stride:]
}

// Forward runs the neurons; threads take samples.
func (l ParametricSpiking) Forward(c *Call) {
	in, n := c.In[0], c.In[0].Units()
	stride := in.B * n
	bits, words := Spiking{}.spikeBits(c)
	u, vs := []tensor.Float(nil), []tensor.Float(nil)
	if c.Keep || c.Soft != Hard {
		u, vs = l.kept(c, in.T, stride)
	}
	d := c.Weights.(*decays)
	c.Pool.For(in.B, 1, func(id, b0, b1 int) {
		m := c.Workers[id].slot(0, n)
		for b := b0; b < b1; b++ {
			v := c.State[b*n:][:n]
			if vs != nil {
				copy(vs[b*n:], v)
			}
			for t := range in.T {
				at := t*stride + b*n
				if u != nil {
					m = u[at:][:n]
				}
				charge(m, v, in.Data[t*in.Stride()+b*n:][:n], d)
				l.fire(m, v, bits[(t*in.B+b)*words:][:words], c.Soft == Replay)
				if vs != nil {
					copy(vs[at+stride:], v)
				}
			}
		}
	})
	if c.Soft != Hard {
		c.Out.Reset(signal.Dense, in.T, in.B, in.Shape)
		theta := tensor.Float(l.Threshold)
		for i, m := range u {
			c.Out.Data[i] = l.Surrogate.Primitive(m - theta)
		}
	}
}

// charge is u = β·v + g·x.
func charge(u, v, x []tensor.Float, d *decays) {
	v, x, beta, gain := v[:len(u)], x[:len(u)], d.beta[:len(u)], d.gain[:len(u)]
	for i := range u {
		u[i] = tensor.Float(beta[i]*v[i]) + tensor.Float(gain[i]*x[i])
	}
}

// fire writes the spikes of membranes u, by a kernel's scan of one step without
// decay, or in a replay reads them, and the membranes after the reset to v.
func (l ParametricSpiking) fire(u, v []tensor.Float, spikes []uint64, replay bool) {
	theta := tensor.Float(l.Threshold)
	if !replay {
		k := kernel.LIF{Gain: 1, Fire: theta, Amount: theta, Reset: kernel.Reset(l.Reset)}
		k.Forward(1, u, 0, v, nil, 0, spikes, 0)
		return
	}
	for i, m := range u {
		if spikes[i>>6]>>(i&63)&1 == 1 {
			switch l.Reset {
			case neuron.Subtract:
				m -= theta
			case neuron.Zero:
				m = 0
			}
		}
		v[i] = m
	}
}

// Backward runs from the last step to the first.
func (l ParametricSpiking) Backward(c *Call) {
	dout, din, in := c.DOut, c.DIn[0], c.In[0]
	n, ch := dout.Units(), channels(dout.Shape)
	stride := dout.B * n
	u, vs := l.kept(c, dout.T, stride)
	d := c.Weights.(*decays)
	sums := c.Temp.double(0, dout.T*dout.B*ch)
	clear(sums)
	c.Pool.For(dout.B, 1, func(id, b0, b1 int) {
		gu, dx := c.Workers[id].slot(0, n), c.Workers[id].slot(1, n)
		for b := b0; b < b1; b++ {
			gv := c.DState[b*n:][:n]
			for t := dout.T - 1; t >= 0; t-- {
				at := t*stride + b*n
				l.throughSpikes(gu, dout.Data[at:][:n], u[at:][:n], gv)
				l.addDecays(sums[(t*dout.B+b)*ch:][:ch], gu, vs[at:][:n], in.Data[t*in.Stride()+b*n:][:n])
				for i, g := range gu {
					gv[i] = d.beta[i] * g
					dx[i] = d.gain[i] * g
				}
				put(din, at, b*n, dx)
			}
		}
	})
	for t := dout.T - 1; t >= 0; t-- {
		for j, w := range c.Params[0].Data {
			var sum float64
			for b := range dout.B {
				sum += sums[(t*dout.B+b)*ch+j]
			}
			beta := sigmoid(w)
			c.DParams[0][j] += tensor.Float(sum * beta * (1 - beta))
		}
	}
}

// throughSpikes is gu = gs·σ'(u − θ) + gv·k, by a kernel's scan of one step
// where the surrogate has one.
func (l ParametricSpiking) throughSpikes(gu, gs, u, gv []tensor.Float) {
	theta := tensor.Float(l.Threshold)
	if fast, ok := l.Surrogate.(surrogate.Fast); ok {
		s := fast.Kernel()
		s.Theta = theta
		k := kernel.LIF{Gain: 1, Fire: theta, Reset: kernel.Reset(l.Reset)}
		k.Backward(1, s, u, len(u), gs, len(u), gv, gu, len(u))
		return
	}
	for i, m := range u {
		k := gv[i]
		if l.Reset == neuron.Zero && m >= theta {
			k = 0
		}
		gu[i] = tensor.Float(gs[i]*l.Surrogate.Derivative(m-theta)) + k
	}
}

// addDecays adds ∂u·∂u/∂β of all units to their channels.
func (l ParametricSpiking) addDecays(sum []float64, gu, v, x []tensor.Float) {
	for p := 0; p < len(gu); p += len(sum) {
		v, x := v[p:][:len(sum)], x[p:][:len(sum)]
		for j, g := range gu[p:][:len(sum)] {
			by := v[j]
			if l.DecayInput {
				by -= x[j]
			}
			sum[j] += float64(float64(g) * float64(by))
		}
	}
}
