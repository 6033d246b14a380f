// Package temporal holds layers that only time tells from none: Delay, which gives what its input
// was before,
//
//	y[t] = x[t − d]
//
// After, which leaves the first steps out, MaxCount, pooling by the largest sum over time, Counting,
// neurons that take spikes back, and Integrator, neurons that never fire and are read by their
// membranes, such as
//
//	y[t] = β·y[t−1] + (1 − β)·r + g·x[t]
package temporal

import (
	"fmt"

	"synfire/layer"
	"synfire/signal"
	"synfire/tensor"
)

// Delay gives what its input was Steps before, and zeros until then:
//
//	y[t] = x[t − d],   ∂x[t] = ∂y[t + d]
//
// With PerUnit each unit has a delay d of its own, from 0 to Steps: the buffer steps, which starts
// at Steps for all. What is on its way is the state.
type Delay struct {
	Steps   int  `yaml:"steps"`              // d, of PerUnit the longest
	PerUnit bool `yaml:"per-unit,omitempty"` // each unit has its own, in the buffer steps
}

// maxDelay bounds the memory of a delay.
const maxDelay = 1 << 16

// Output is the input's shape.
func (l Delay) Output(in ...tensor.Shape) (tensor.Shape, error) {
	switch {
	case len(in) != 1:
		return nil, fmt.Errorf("delay: %d inputs, want 1", len(in))
	case l.Steps < 1 || l.Steps > maxDelay:
		return nil, fmt.Errorf("delay: steps is %d, want 1 to %d; leave the layer out for none", l.Steps, maxDelay)
	}
	return in[0], nil
}

// Buffers are the delays of the units, where they have their own.
func (l Delay) Buffers(in ...tensor.Shape) []layer.ParamSpec {
	if !l.PerUnit {
		return nil
	}
	return []layer.ParamSpec{{Role: "steps", Shape: in[0], Value: float64(l.Steps)}}
}

// UpdateBuffers does nothing: no statistics move the delays.
func (l Delay) UpdateBuffers([]tensor.Tensor, [][]tensor.Float) {}

// StateSize is the last Steps inputs, the oldest first.
func (l Delay) StateSize(in ...tensor.Shape) int { return l.Steps * in[0].Size() }

// ForgetsInput is true.
func (l Delay) ForgetsInput() bool { return true }

// of is the delay of unit i.
func (l Delay) of(c *layer.Call, i int) int {
	if !l.PerUnit {
		return l.Steps
	}
	return max(0, min(l.Steps, int(c.Buffers[0].Data[i])))
}

// Forward reads what came before from the state and the input together; threads take samples.
func (l Delay) Forward(c *layer.Call) {
	in, n := c.In[0], c.In[0].Units()
	c.Out.Reset(signal.Dense, in.T, in.B, in.Shape)
	c.Pool.For(in.B, 1, func(id, b0, b1 int) {
		all := c.Workers[id].Floats(0, (l.Steps+in.T)*n) // Steps before the window, and its own
		for b := b0; b < b1; b++ {
			state := c.State[b*l.Steps*n:][:l.Steps*n]
			copy(all, state)
			for t := range in.T {
				copy(all[(l.Steps+t)*n:][:n], in.Data[(t*in.B+b)*n:])
			}
			for i := range n {
				from := l.Steps - l.of(c, i)
				for t := range in.T {
					c.Out.Data[(t*in.B+b)*n+i] = all[(from+t)*n+i]
				}
			}
			copy(state, all[in.T*n:])
		}
	})
}

// Backward carries the errors back to where the elements came from.
func (l Delay) Backward(c *layer.Call) {
	dout, din, n := c.DOut, c.DIn[0], c.DOut.Units()
	if din == nil {
		return
	}
	c.Pool.For(dout.B, 1, func(id, b0, b1 int) {
		all := c.Workers[id].Floats(0, (l.Steps+dout.T)*n)
		for b := b0; b < b1; b++ {
			carried := c.DState[b*l.Steps*n:][:l.Steps*n]
			clear(all)
			copy(all[dout.T*n:], carried)
			for i := range n {
				from := l.Steps - l.of(c, i)
				for t := range dout.T {
					all[(from+t)*n+i] += dout.Data[(t*dout.B+b)*n+i]
				}
			}
			copy(carried, all)
			for t := range dout.T {
				copy(din.Data[(t*dout.B+b)*n:][:n], all[(l.Steps+t)*n:])
			}
		}
	})
}
