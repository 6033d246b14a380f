package layer

import (
	"synfire/internal/kernel"
	"synfire/signal"
	"synfire/tensor"
)

// Flatten makes a vector of an image; element (y, x, ch) becomes
// (y·w + x)·c + ch. It copies nothing: its output shares its input's memory.
type Flatten struct{}

// ReLU is y = max(0, x); the error passes where x > 0.
type ReLU struct{}

// Output is a vector of the input's size.
func (Flatten) Output(in ...tensor.Shape) (tensor.Shape, error) {
	s, err := one("flatten", in)
	return tensor.Shape{s.Size()}, err
}

// Accepts is true for each kind of signal.
func (Flatten) Accepts(signal.Kind) bool { return true }

// IsView is true.
func (Flatten) IsView() bool { return true }

// ForgetsInput is true.
func (Flatten) ForgetsInput() bool { return true }

// Forward renames the shape.
func (Flatten) Forward(c *Call) { view(c.Out, c.In[0], c.Shape) }

// Backward renames it back.
func (Flatten) Backward(c *Call) {
	if c.DIn[0] != nil {
		view(c.DIn[0], c.DOut, c.In[0].Shape)
	}
}

func view(dst, src *signal.Signal, shape tensor.Shape) {
	*dst = *src
	dst.Shape = shape
}

// Output is the input's shape.
func (ReLU) Output(in ...tensor.Shape) (tensor.Shape, error) { return one("relu", in) }

// ElementWise is true.
func (ReLU) ElementWise() bool { return true }

// Forward clips at zero.
func (ReLU) Forward(c *Call) {
	in, out := c.In[0], c.Out
	out.Reset(rowKind(in), in.T, in.B, in.Shape)
	c.Pool.For(len(out.Data), tileElems, func(_, lo, hi int) {
		kernel.Rectify(out.Data[lo:hi], in.Data[lo:hi])
	})
}

// Backward passes the error where the input is positive.
func (ReLU) Backward(c *Call) {
	in, din := c.In[0], c.DIn[0]
	if din == nil {
		return
	}
	c.Pool.For(len(din.Data), tileElems, func(_, lo, hi int) {
		kernel.RectifyBackward(din.Data[lo:hi], c.DOut.Data[lo:hi], in.Data[lo:hi])
	})
}
