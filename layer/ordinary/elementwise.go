package ordinary

import (
	"fmt"
	"math"

	"synfire/layer"
	"synfire/tensor"
)

// Clip keeps its input between two bounds, as the hard tanh does with −1 and 1:
//
//	y = min(max(x, Min), Max),   ∂x = ∂y where Min < x < Max, else 0
type Clip struct {
	Min float64 `yaml:"min,required"` // smallest output
	Max float64 `yaml:"max,required"` // largest output
}

// Softmax turns the channels (the last axis) of each pixel, or the elements of a vector, into
// shares of one:
//
//	y_i = exp(x_i − max x)/Σ_j exp(x_j − max x),   ∂x_i = y_i·(∂y_i − Σ_j y_j·∂y_j)
//
// Sums are float64, ascending. Losses of classes have a softmax of their own: it is for weights of
// attention, and for networks from elsewhere.
type Softmax struct{}

// Output is the input's shape.
func (l Clip) Output(in ...tensor.Shape) (tensor.Shape, error) {
	if !(l.Min <= l.Max) || math.IsInf(l.Min, 0) || math.IsInf(l.Max, 0) {
		return nil, fmt.Errorf("clip: min is %v and max %v, want two finite bounds, the smaller first", l.Min, l.Max)
	}
	return one("clip", in)
}

// ElementWise is true.
func (Clip) ElementWise() bool { return true }

// Forward clips.
func (l Clip) Forward(c *layer.Call) {
	in, out := c.In[0], c.Out
	out.Reset(rowKind(in), in.T, in.B, in.Shape)
	least, most := tensor.Float(l.Min), tensor.Float(l.Max)
	c.Pool.For(len(out.Data), tileElems, func(_, lo, hi int) {
		y := out.Data[lo:hi]
		for i, x := range in.Data[lo:hi] {
			y[i] = min(max(x, least), most)
		}
	})
}

// Backward passes the error where nothing was clipped.
func (l Clip) Backward(c *layer.Call) {
	in, din := c.In[0], c.DIn[0]
	if din == nil {
		return
	}
	least, most := tensor.Float(l.Min), tensor.Float(l.Max)
	c.Pool.For(len(din.Data), tileElems, func(_, lo, hi int) {
		dx, dy := din.Data[lo:hi], c.DOut.Data[lo:hi]
		for i, x := range in.Data[lo:hi] {
			if x > least && x < most {
				dx[i] = dy[i]
			} else {
				dx[i] = 0
			}
		}
	})
}

// Output is the input's shape.
func (Softmax) Output(in ...tensor.Shape) (tensor.Shape, error) {
	s, err := one("softmax", in)
	if err == nil && len(s) == 0 {
		err = fmt.Errorf("softmax: input is a scalar, want channels in the last axis; put it behind a linear or conv2d layer")
	}
	return s, err
}

// Forward takes the shares.
func (Softmax) Forward(c *layer.Call) {
	in, out := c.In[0], c.Out
	out.Reset(rowKind(in), in.T, in.B, in.Shape)
	n := in.Shape[len(in.Shape)-1]
	c.Pool.For(len(out.Data)/n, max(tileElems/n, 1), func(_, r0, r1 int) {
		for r := r0; r < r1; r++ {
			softmax(part(out.Data, r, n), part(in.Data, r, n))
		}
	})
}

func softmax(y, x []tensor.Float) {
	most := x[0]
	for _, v := range x {
		most = max(most, v)
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v) - float64(most))
	}
	for i, v := range x {
		y[i] = tensor.Float(math.Exp(float64(v)-float64(most)) / sum)
	}
}

// Backward computes the shares again.
func (Softmax) Backward(c *layer.Call) {
	in, din := c.In[0], c.DIn[0]
	if din == nil {
		return
	}
	n := in.Shape[len(in.Shape)-1]
	c.Pool.For(len(din.Data)/n, max(tileElems/n, 1), func(id, r0, r1 int) {
		y := c.Workers[id].Floats(0, n)
		for r := r0; r < r1; r++ {
			dx, dy := part(din.Data, r, n), part(c.DOut.Data, r, n)
			softmax(y, part(in.Data, r, n))
			sum := 0.0
			for i, g := range dy {
				sum += float64(y[i]) * float64(g)
			}
			for i, g := range dy {
				dx[i] = tensor.Float(float64(y[i]) * (float64(g) - sum))
			}
		}
	})
}
