// Package neunorm holds the layers that Wu et al. ("Direct training for spiking neural
// networks: faster, larger, better", AAAI 2019) add to convolutions and neurons: NeuNorm,
// which subtracts the activity of all maps from each of them,
//
//	x[t] = k·x[t−1] + (v/F)·Σ_f o_f[t],   y_f[t] = o_f[t] − U_f·x[t]
//
// and Vote, the mean of the neurons that stand for a class.
package neunorm

import (
	"fmt"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/layer"
	"synfire/signal"
	"synfire/tensor"
)

// NeuNorm subtracts from each map of an image [h, w, F] of spikes o what an auxiliary
// neuron at each position has seen of all F maps (Wu et al., "Direct training for
// spiking neural networks: faster, larger, better", AAAI 2019):
//
//	x[t] = k·x[t−1] + (v/F)·Σ_f o_f[t],   y_f[t] = o_f[t] − U_f·x[t]
//
// with k = Decay and a weight U for each map and position, or where Shared for each
// position alone. The published constraint k + v·F = 1 makes v = (1 − k)/F, so x comes
// to rest at the mean activity over F, which is small for wide layers. RunningMean is a
// deviation from it, v = 1 − k, with which x is a running mean of the activity in
// [0, 1]. U starts uniform in ±1/√(h·w). Backwards, from the last step to the first,
//
//	∂x[t] = k·∂x[t+1] − Σ_f U_f·∂y_f[t]
//	∂o_f[t] = ∂y_f[t] + (v/F)·∂x[t],   ∂U_f = −Σ_t ∂y_f[t]·x[t]
//
// Its output is no longer of spikes: in hardware the subtraction is one more input
// current of the layer above.
type NeuNorm struct {
	Decay       float64 `yaml:"decay"`                  // k, what remains of the auxiliary neuron after a step
	RunningMean bool    `yaml:"running-mean,omitempty"` // v = 1 − k in place of the published (1 − k)/F
	Shared      bool    `yaml:"shared,omitempty"`       // one weight for all maps of a position
}

// Output is the input's shape.
func (l NeuNorm) Output(in ...tensor.Shape) (tensor.Shape, error) {
	switch {
	case len(in) != 1:
		return nil, fmt.Errorf("neu-norm: %d inputs, want 1", len(in))
	case len(in[0]) != 3:
		return nil, fmt.Errorf("neu-norm: input of shape %v, want an image height×width×channels; put it before any flatten", in[0])
	case !(l.Decay >= 0 && l.Decay < 1):
		return nil, fmt.Errorf("neu-norm: decay is %v, want what remains of the auxiliary neuron after a step, in [0, 1) (0.9 is usual)", l.Decay)
	}
	return in[0], nil
}

// Params are the weights U, [h, w, F] or where Shared [h, w].
func (l NeuNorm) Params(in ...tensor.Shape) []layer.ParamSpec {
	s := in[0]
	if l.Shared {
		s = tensor.Shape{s[0], s[1]}
	}
	return []layer.ParamSpec{{Role: "weight", Shape: s, FanIn: in[0][0] * in[0][1]}}
}

// Compile prepares nothing.
func (NeuNorm) Compile(any, *par.Pool, []tensor.Tensor, bool, ...tensor.Shape) any { return nil }

// StateSize is an auxiliary neuron for each position.
func (NeuNorm) StateSize(in ...tensor.Shape) int { return in[0][0] * in[0][1] }

// Accepts is true for each kind of signal.
func (NeuNorm) Accepts(signal.Kind) bool { return true }

// ForgetsInput is true: the auxiliary neurons are kept.
func (NeuNorm) ForgetsInput() bool { return true }

// share is v/F, what one spike of F maps adds to the auxiliary neuron.
func (l NeuNorm) share(maps int) tensor.Float {
	f := float64(maps)
	if l.RunningMean {
		return tensor.Float((1 - l.Decay) / f)
	}
	return tensor.Float((1 - l.Decay) / (f * f))
}

// weights are U of position p: one for each map, or one for all.
func (l NeuNorm) weights(u []tensor.Float, p, maps int) []tensor.Float {
	if l.Shared {
		return u[p : p+1]
	}
	return u[p*maps:][:maps]
}

// subtract is y = o − U·x of a position.
func subtract(y, o, u []tensor.Float, x tensor.Float) {
	if len(u) == 1 {
		by := tensor.Float(u[0] * x)
		for f, v := range o {
			y[f] = v - by
		}
		return
	}
	kernel.SubScaled(y, o, u, x)
}

// row is a row of a signal as numbers.
func row(w *layer.Worker, s *signal.Signal, r int) []tensor.Float {
	if s.Kind != signal.Spikes {
		return s.Data[r*s.Units():][:s.Units()]
	}
	x := w.Floats(1, s.Units())
	kernel.Expand(x, s.Raster.Row(r), 0)
	return x
}

// put writes the errors of a step of a sample to din, or adds them to a Constant's.
func put(din *signal.Signal, at, constantAt int, e []tensor.Float) {
	if din.Kind != signal.Constant {
		copy(din.Data[at:], e)
		return
	}
	for i, g := range e {
		din.Data[constantAt+i] += g
	}
}

// Forward runs the auxiliary neurons; threads take samples.
func (l NeuNorm) Forward(c *layer.Call) {
	in, out := c.In[0], c.Out
	out.Reset(signal.Dense, in.T, in.B, in.Shape)
	n, maps := in.Units(), in.Shape[2]
	places := n / maps
	kept := c.Scratch.Floats(0, in.T*in.B*places) // x at each step
	u, decay, share := c.Params[0].Data, tensor.Float(l.Decay), l.share(maps)
	c.Pool.For(in.B, 1, func(id, b0, b1 int) {
		for b := b0; b < b1; b++ {
			state := c.State[b*places:][:places]
			for t := range in.T {
				at := t*in.B + b
				from := at
				if in.Kind == signal.Constant {
					from = b
				}
				o, y := row(&c.Workers[id], in, from), out.Data[at*n:][:n]
				for p, x := range state {
					var sum tensor.Float
					for _, v := range o[p*maps:][:maps] {
						sum += v
					}
					x = tensor.Float(decay*x) + tensor.Float(share*sum)
					state[p] = x
					subtract(y[p*maps:][:maps], o[p*maps:][:maps], l.weights(u, p, maps), x)
				}
				copy(kept[at*places:], state)
			}
		}
	})
}

// Backward runs from the last step to the first.
func (l NeuNorm) Backward(c *layer.Call) {
	dout := c.DOut
	n, maps := dout.Units(), dout.Shape[2]
	places := n / maps
	kept := c.Scratch.Floats(0, dout.T*dout.B*places)
	c.Pool.For(places, 8, func(id, p0, p1 int) {
		l.gradWeights(c, &c.Workers[id], kept, maps, p0, p1)
	})
	if c.DIn[0] == nil {
		return
	}
	u, decay, share := c.Params[0].Data, tensor.Float(l.Decay), l.share(maps)
	c.Pool.For(dout.B, 1, func(id, b0, b1 int) {
		dx := c.Workers[id].Floats(0, n)
		for b := b0; b < b1; b++ {
			carry := c.DState[b*places:][:places]
			for t := dout.T - 1; t >= 0; t-- {
				at := (t*dout.B + b) * n
				for p, g := range carry {
					dy := dout.Data[at+p*maps:][:maps]
					w := l.weights(u, p, maps)
					var sum tensor.Float
					for f, e := range dy {
						sum += tensor.Float(w[min(f, len(w)-1)] * e)
					}
					g -= sum
					carry[p] = decay * g
					for f, e := range dy {
						dx[p*maps+f] = e + tensor.Float(share*g)
					}
				}
				put(c.DIn[0], at, b*n, dx)
			}
		}
	})
}

// gradWeights adds the gradients of the positions [p0, p1): of each step the sum over
// the samples, steps from the last to the first.
func (l NeuNorm) gradWeights(c *layer.Call, w *layer.Worker, kept []tensor.Float, maps, p0, p1 int) {
	steps, b, places := c.DOut.T, c.DOut.B, c.DOut.Units()/maps
	for t := steps - 1; t >= 0; t-- {
		for p := p0; p < p1; p++ {
			dw := l.weights(c.DParams[0], p, maps)
			sum := w.Floats(0, len(dw))
			clear(sum)
			for r := t * b; r < (t+1)*b; r++ {
				e, x := c.DOut.Data[r*places*maps+p*maps:][:maps], kept[r*places+p]
				if !l.Shared {
					kernel.AddScaled(sum, e, x)
					continue
				}
				for _, v := range e {
					sum[0] += tensor.Float(v * x)
				}
			}
			kernel.SubScaled(dw, dw, sum, 1)
		}
	}
}
