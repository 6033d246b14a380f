// Package ordinary holds layers of ordinary networks that spiking ones have little use for: Gather,
// which moves elements,
//
//	y[i] = x[index[i]]
//
// Clip, y = min(max(x, Min), Max), and Softmax, y_i = exp(x_i)/Σ_j exp(x_j), which networks that come
// from elsewhere are made with; and QCFS, the staircase that is trained before a conversion.
package ordinary

import (
	"fmt"

	"synfire/layer"
	"synfire/signal"
	"synfire/tensor"
)

// Gather gives the elements of its input in another shape, which must have as many of them:
// row-major, a vector as an image. With Indexed each element of the output names the one of the
// input that it is, in the buffer index of the output's shape: elements change places, are left
// out or repeated. An index that is no element of the input, such as −1, gives 0.
//
//	y[i] = x[index[i]],   ∂x[j] = Σ_{i: index[i] = j} ∂y[i], i ascending
type Gather struct {
	Shape   []int `yaml:"shape,required"`    // of the output: one, two or three sizes
	Indexed bool  `yaml:"indexed,omitempty"` // which elements they are stands in the buffer index, all 0 at the start
}

// maxIndex bounds the inputs of a Gather: indices up to it are exact as tensor.Float.
const maxIndex = 1 << 24

// Output is Shape.
func (l Gather) Output(in ...tensor.Shape) (tensor.Shape, error) {
	s, err := one("gather", in)
	if err != nil {
		return nil, err
	}
	size := 1
	for _, d := range l.Shape {
		if d < 1 || d > maxIndex || size > maxIndex/d {
			return nil, fmt.Errorf("gather: shape is %v, want positive sizes, %d elements at most", l.Shape, maxIndex)
		}
		size *= d
	}
	switch {
	case len(l.Shape) < 1 || len(l.Shape) > 3:
		return nil, fmt.Errorf("gather: shape is %v, want one, two or three sizes", l.Shape)
	case l.Indexed && s.Size() > maxIndex:
		return nil, fmt.Errorf("gather: input of shape %v, want %d elements at most; pool it first", s, maxIndex)
	case !l.Indexed && s.Size() != size:
		return nil, fmt.Errorf("gather: shape is %v, of %d elements, want the %d of the input %v", l.Shape, size, s.Size(), s)
	}
	return tensor.Shape(l.Shape), nil
}

// Buffers are the indices, where they are given.
func (l Gather) Buffers(...tensor.Shape) []layer.ParamSpec {
	if !l.Indexed {
		return nil
	}
	return []layer.ParamSpec{{Role: "index", Shape: tensor.Shape(l.Shape)}}
}

// UpdateBuffers does nothing: no statistics move the indices.
func (l Gather) UpdateBuffers([]tensor.Tensor, [][]tensor.Float) {}

// ForgetsInput is true.
func (l Gather) ForgetsInput() bool { return true }

// Accepts is true for dense signals, and without Indexed for all.
func (l Gather) Accepts(k signal.Kind) bool { return !l.Indexed || k != signal.Spikes }

// IsView is true where only the shape is another.
func (l Gather) IsView() bool { return !l.Indexed }

// Forward renames the shape, or copies elements.
func (l Gather) Forward(c *layer.Call) {
	in, out := c.In[0], c.Out
	if !l.Indexed {
		view(out, in, c.Shape)
		return
	}
	out.Reset(rowKind(in), in.T, in.B, c.Shape)
	from, to := in.Units(), out.Units()
	c.Pool.For(in.Rows(), max(tileElems/to, 1), func(_, r0, r1 int) {
		for r := r0; r < r1; r++ {
			x, y := part(in.Data, r, from), part(out.Data, r, to)
			for i, v := range c.Buffers[0].Data {
				y[i] = 0
				if v >= 0 && int(v) < from {
					y[i] = x[int(v)]
				}
			}
		}
	})
}

// Backward hands each error to where its element came from.
func (l Gather) Backward(c *layer.Call) {
	din := c.DIn[0]
	if din == nil {
		return
	}
	if !l.Indexed {
		view(din, c.DOut, c.In[0].Shape)
		return
	}
	from, to := din.Units(), c.DOut.Units()
	c.Pool.For(din.Rows(), max(tileElems/to, 1), func(_, r0, r1 int) {
		for r := r0; r < r1; r++ {
			dx, dy := part(din.Data, r, from), part(c.DOut.Data, r, to)
			clear(dx)
			for i, v := range c.Buffers[0].Data {
				if v >= 0 && int(v) < from {
					dx[int(v)] += dy[i]
				}
			}
		}
	})
}

// tileElems is how many elements a thread takes at once.
const tileElems = 1 << 14

// one is the only input's shape.
func one(kind string, in []tensor.Shape) (tensor.Shape, error) {
	if len(in) != 1 {
		return nil, fmt.Errorf("%s: %d inputs, want 1", kind, len(in))
	}
	return in[0], nil
}

// rowKind is the kind of a dense result with one row for each of the input's.
func rowKind(in *signal.Signal) signal.Kind {
	if in.Kind == signal.Constant {
		return signal.Constant
	}
	return signal.Dense
}

// part is row r of rows of n elements.
func part(data []tensor.Float, r, n int) []tensor.Float { return data[r*n:][:n] }

// view is a signal in the same memory under another shape.
func view(dst, src *signal.Signal, shape tensor.Shape) {
	*dst = *src
	dst.Shape = shape
}
