package main

import (
	"fmt"

	"synfire/layer"
	"synfire/signal"
	"synfire/tensor"
)

// Smooth is a layer with state that squares a smoothed input:
//
//	a[t] = k·a[t−1] + (1 − k)·x[t],   y[t] = a[t]²
//	∂a[t] = 2·a[t]·∂y[t] + k·∂a[t+1],   ∂x[t] = (1 − k)·∂a[t]
//
// Backward needs a, which Forward keeps in scratch.
type Smooth struct {
	Keep float64 `yaml:"keep"` // k in [0, 1)
}

// Output is the input's shape.
func (l Smooth) Output(in ...tensor.Shape) (tensor.Shape, error) {
	if len(in) != 1 || !(l.Keep >= 0 && l.Keep < 1) {
		return nil, fmt.Errorf("smooth: %d inputs and keep %v, want one input and keep in [0, 1)", len(in), l.Keep)
	}
	return in[0], nil
}

// StateSize is one value a unit.
func (Smooth) StateSize(in ...tensor.Shape) int { return in[0].Size() }

// ForgetsInput is true: Backward reads the scratch alone.
func (Smooth) ForgetsInput() bool { return true }

// Forward runs the equations.
func (l Smooth) Forward(c *layer.Call) {
	in, k := c.In[0], tensor.Float(l.Keep)
	c.Out.Reset(signal.Dense, in.T, in.B, in.Shape)
	n := in.B * in.Units()
	var kept []tensor.Float
	if c.Keep {
		kept = c.Scratch.Floats(0, in.T*n)
	}
	for t := range in.T {
		for i, x := range in.Data[t*n:][:n] {
			a := tensor.Float(k*c.State[i]) + tensor.Float((1-k)*x)
			c.State[i], c.Out.Data[t*n+i] = a, a*a
			if kept != nil {
				kept[t*n+i] = a
			}
		}
	}
}

// Backward runs the equations from the last step to the first.
func (l Smooth) Backward(c *layer.Call) {
	if c.DIn[0] == nil {
		return
	}
	dout, din, k := c.DOut, c.DIn[0], tensor.Float(l.Keep)
	n := dout.B * dout.Units()
	kept := c.Scratch.Floats(0, dout.T*n)
	for t := dout.T - 1; t >= 0; t-- {
		for i, dy := range dout.Data[t*n:][:n] {
			da := 2*kept[t*n+i]*dy + c.DState[i]
			c.DState[i], din.Data[t*n+i] = k*da, (1-k)*da
		}
	}
}
