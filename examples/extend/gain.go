package main

import (
	"fmt"

	"synfire/layer"
	"synfire/tensor"
)

// Gain multiplies each channel c, the last axis, by a factor that is learnt:
//
//	y[…, c] = g[c]·x[…, c],   ∂x = g·∂y,   ∂g[c] = Σ x[…, c]·∂y[…, c]
//
// from the last row to the first. It starts at Start.
type Gain struct {
	Start float64 `yaml:"start"`
}

// Output is the input's shape.
func (l Gain) Output(in ...tensor.Shape) (tensor.Shape, error) {
	if len(in) != 1 {
		return nil, fmt.Errorf("gain: %d inputs, want 1", len(in))
	}
	return in[0], nil
}

// Params is g [channels].
func (l Gain) Params(in ...tensor.Shape) []layer.ParamSpec {
	return []layer.ParamSpec{{Role: "gain", Shape: tensor.Shape{in[0][len(in[0])-1]}, Value: l.Start}}
}

// Compile has nothing to prepare.
func (Gain) Compile(any, *layer.Pool, []tensor.Tensor, bool, ...tensor.Shape) any { return nil }

// Forward multiplies. Rows are alike, so a constant input has a constant output.
func (Gain) Forward(c *layer.Call) {
	x, y, g := c.In[0], c.Out, c.Params[0].Data
	y.Reset(x.Kind, x.T, x.B, x.Shape)
	c.Pool.For(len(y.Data)/len(g), 1024, func(_, lo, hi int) {
		for i := lo * len(g); i < hi*len(g); i++ {
			y.Data[i] = g[i%len(g)] * x.Data[i]
		}
	})
}

// Backward runs the equations.
func (Gain) Backward(c *layer.Call) {
	x, dy, g, dg := c.In[0].Data, c.DOut.Data, c.Params[0].Data, c.DParams[0]
	for i := len(dy) - 1; i >= 0; i-- {
		dg[i%len(g)] += x[i] * dy[i]
	}
	if c.DIn[0] == nil {
		return
	}
	for i, d := range dy {
		c.DIn[0].Data[i] = g[i%len(g)] * d
	}
}
