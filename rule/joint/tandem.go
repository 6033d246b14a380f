package joint

import (
	"synfire/layer"
	"synfire/tensor"
)

// tandem is a population whose way back is that of a rectified unit at the same inputs. With
// the count c and the input x,
//
//	c ≈ clip(Σ_t x[t]/θ, 0, T),   ∂x[t] = ∂s[t]/θ where 0 < Σ_t x[t] < T·θ, else 0
//
// It has no memory of when spikes came.
type tandem struct {
	layer.Spiking
	Theta float64
}

// NeedsWholeTime is true while training: inputs are summed over all steps.
func (tandem) NeedsWholeTime(train bool) bool { return train }

// Forward runs the neurons, and keeps the sums of their inputs.
func (l tandem) Forward(c *layer.Call) {
	if in := c.In[0]; c.Keep {
		sums := c.Scratch.Floats(0, in.B*in.Units())
		clear(sums)
		for t := range in.T {
			for i, x := range in.Data[t*in.Stride():][:len(sums)] {
				sums[i] += x
			}
		}
	}
	l.Spiking.Forward(c)
}

// Backward passes errors where the sum is within what spikes can tell.
func (l tandem) Backward(c *layer.Call) {
	dout, din := c.DOut, c.DIn[0]
	if din == nil {
		return
	}
	n := dout.B * dout.Units()
	sums := c.Scratch.Floats(0, n)
	most, inverse := tensor.Float(float64(dout.T)*l.Theta), tensor.Float(1/l.Theta)
	for t := dout.T - 1; t >= 0; t-- {
		dx := din.Data[t*din.Stride():][:n]
		for i, g := range dout.Data[t*n:][:n] {
			if !(sums[i] > 0 && sums[i] < most) {
				g = 0
			}
			if din.Stride() == 0 { // the errors at a constant are summed
				dx[i] += g * inverse
			} else {
				dx[i] = g * inverse
			}
		}
	}
}
