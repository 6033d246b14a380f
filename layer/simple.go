package layer

import (
	"fmt"
	"math"

	"synfire/internal/kernel"
	"synfire/signal"
	"synfire/spike"
	"synfire/tensor"
)

// Flatten makes a vector of an image; element (y, x, ch) becomes
// (y·w + x)·c + ch. It copies nothing: its output shares its input's memory.
type Flatten struct{}

// ReLU is y = max(0, x); the error passes where x > 0. With Slope it leaks, y = Slope·x
// for x ≤ 0, where the error is multiplied by Slope; with Max it is clipped, y = Max for
// x ≥ Max, where no error passes.
type ReLU struct {
	Slope float64 `yaml:"slope,omitempty"` // of the part below zero, in [0, 1)
	Max   float64 `yaml:"max,omitempty"`   // largest output, such as 6; 0: no limit
}

// Upsample repeats each pixel of an image Factor times in both directions, the nearest
// neighbour: [h, w, c] becomes [Factor·h, Factor·w, c]. The error of a pixel is the sum
// of those of its copies, in row-major order. Spikes stay spikes.
//
//	y[r, q, ch] = x[⌊r/Factor⌋, ⌊q/Factor⌋, ch]
type Upsample struct {
	Factor int `yaml:"factor"` // copies of a pixel in each direction
}

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
func (l ReLU) Output(in ...tensor.Shape) (tensor.Shape, error) {
	if !(l.Slope >= 0 && l.Slope < 1) || !(l.Max >= 0) || math.IsInf(l.Max, 0) {
		return nil, fmt.Errorf("relu: slope is %v and max %v, want a slope in [0, 1) and a positive max, or none", l.Slope, l.Max)
	}
	return one("relu", in)
}

// ElementWise is true.
func (ReLU) ElementWise() bool { return true }

// Forward clips at zero, or leaks, and clips at the largest output.
func (l ReLU) Forward(c *Call) {
	in, out := c.In[0], c.Out
	out.Reset(rowKind(in), in.T, in.B, in.Shape)
	c.Pool.For(len(out.Data), tileElems, func(_, lo, hi int) {
		y, x := out.Data[lo:hi], in.Data[lo:hi]
		if l.Slope == 0 {
			kernel.Rectify(y, x)
		} else {
			leak(y, x, tensor.Float(l.Slope))
		}
		if most := tensor.Float(l.Max); most > 0 {
			for i, v := range y {
				y[i] = min(v, most)
			}
		}
	})
}

// leak is y = slope·x where x is not positive, else x.
func leak(y, x []tensor.Float, slope tensor.Float) {
	for i, v := range x {
		if !(v > 0) {
			v *= slope
		}
		y[i] = v
	}
}

// Backward passes the error where the input is positive and not clipped, and what leaks.
func (l ReLU) Backward(c *Call) {
	in, din := c.In[0], c.DIn[0]
	if din == nil {
		return
	}
	c.Pool.For(len(din.Data), tileElems, func(_, lo, hi int) {
		dx, dy, x := din.Data[lo:hi], c.DOut.Data[lo:hi], in.Data[lo:hi]
		if l == (ReLU{}) {
			kernel.RectifyBackward(dx, dy, x)
			return
		}
		slope, most := tensor.Float(l.Slope), tensor.Float(l.Max)
		for i, g := range dy {
			switch v := x[i]; {
			case !(v > 0):
				g *= slope
			case most > 0 && v >= most:
				g = 0
			}
			dx[i] = g
		}
	})
}

// Output is the larger image.
func (l Upsample) Output(in ...tensor.Shape) (tensor.Shape, error) {
	s, err := image("upsample", in)
	switch {
	case err != nil:
		return nil, err
	case l.Factor < 1:
		return nil, fmt.Errorf("upsample: factor is %d, want at least 1 (2 is usual)", l.Factor)
	}
	return tensor.Shape{l.Factor * s[0], l.Factor * s[1], s[2]}, nil
}

// Accepts is true for each kind of signal.
func (Upsample) Accepts(signal.Kind) bool { return true }

// ForgetsInput is true.
func (Upsample) ForgetsInput() bool { return true }

// windows are a row of pixels as windows of the larger image.
func (l Upsample) windows(in tensor.Shape) kernel.Windows {
	return kernel.Windows{Count: in[1], Size: l.Factor, Stride: l.Factor, Width: l.Factor * in[1], Channels: in[2]}
}

// Forward copies pixels: what the mean over windows, but for its share, carries back.
func (l Upsample) Forward(c *Call) {
	in, out := c.In[0], c.Out
	if in.Kind == signal.Spikes {
		l.copySpikes(c)
		return
	}
	out.Reset(rowKind(in), in.T, in.B, c.Shape)
	w, row := l.windows(in.Shape), in.Shape[1]*in.Shape[2]
	large := row * l.Factor * l.Factor
	c.Pool.For(len(in.Data)/row, max(tileElems/large, 1), func(_, r0, r1 int) {
		for r := r0; r < r1; r++ {
			w.MeanBackward(out.Data[r*large:][:large], in.Data[r*row:][:row], 1, false)
		}
	})
}

// copySpikes is Forward of bits.
func (l Upsample) copySpikes(c *Call) {
	in, out, f := c.In[0], c.Out, l.Factor
	out.Reset(signal.Spikes, in.T, in.B, c.Shape)
	h, w, n := in.Shape[0], in.Shape[1], in.Shape[2]
	c.Pool.For(in.Rows(), 1, func(_, r0, r1 int) {
		for r := r0; r < r1; r++ {
			src, dst := in.Raster.Row(r), out.Raster.Row(r)
			for p := range f * h * f * w {
				spike.Or(dst, p*n, src, (p/(f*w)/f*w+p%(f*w)/f)*n, n)
			}
		}
	})
}

// Backward sums the errors of the copies.
func (l Upsample) Backward(c *Call) {
	din := c.DIn[0]
	if din == nil {
		return
	}
	w, row := l.windows(din.Shape), din.Shape[1]*din.Shape[2]
	large := row * l.Factor * l.Factor
	c.Pool.For(len(din.Data)/row, max(tileElems/large, 1), func(_, r0, r1 int) {
		for r := r0; r < r1; r++ {
			w.Mean(din.Data[r*row:][:row], c.DOut.Data[r*large:][:large], 1)
		}
	})
}
