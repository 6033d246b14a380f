package layer

import (
	"fmt"

	"synfire/signal"
	"synfire/spike"
	"synfire/tensor"
)

// MaxPool takes the largest element of each window of Size×Size, per channel.
// Stride 0 means Size. Ties, windows of zeros included, go to the first
// element in row-major order, which alone receives the error. Spikes stay
// spikes: a window spikes if any of its elements does.
type MaxPool struct {
	Size   int `yaml:"size,required"`
	Stride int `yaml:"stride"`
}

// AvgPool is the mean of each window of Size×Size, per channel: the sum in
// row-major order, times 1/Size². Stride 0 means Size.
type AvgPool struct {
	Size   int `yaml:"size,required"`
	Stride int `yaml:"stride"`
}

// pooling is the geometry of both.
type pooling struct {
	h, w, c, oh, ow int
	size, stride    int
}

func poolOutput(kind string, size, stride int, in []tensor.Shape) (tensor.Shape, error) {
	s, err := image(kind, in)
	switch {
	case err != nil:
		return nil, err
	case size < 1 || stride < 0:
		return nil, fmt.Errorf("%s: size is %d and stride %d, want a size of at least 1 and no negative stride", kind, size, stride)
	case min(s[0], s[1]) < size:
		return nil, fmt.Errorf("%s: a window of %d does not fit an image of %d×%d; use a smaller size", kind, size, s[0], s[1])
	}
	g := poolOf(size, stride, s)
	return tensor.Shape{g.oh, g.ow, g.c}, nil
}

func poolOf(size, stride int, in tensor.Shape) pooling {
	if stride == 0 {
		stride = size
	}
	return pooling{
		h: in[0], w: in[1], c: in[2], size: size, stride: stride,
		oh: (in[0]-size)/stride + 1, ow: (in[1]-size)/stride + 1,
	}
}

func (g pooling) shape() tensor.Shape { return tensor.Shape{g.oh, g.ow, g.c} }
func (g pooling) inUnits() int        { return g.h * g.w * g.c }
func (g pooling) outUnits() int       { return g.oh * g.ow * g.c }

// eachTap calls f with the offset in the image of each pixel of the window of
// output pixel p, in row-major order.
func (g pooling) eachTap(p int, f func(offset int)) {
	y, x := p/g.ow*g.stride, p%g.ow*g.stride
	for i := range g.size {
		for j := range g.size {
			f(((y+i)*g.w + x + j) * g.c)
		}
	}
}

// Output is the pooled image.
func (l MaxPool) Output(in ...tensor.Shape) (tensor.Shape, error) {
	return poolOutput("max-pool", l.Size, l.Stride, in)
}

// Accepts is true for each kind of signal.
func (l MaxPool) Accepts(signal.Kind) bool { return true }

// Forward takes the maxima.
func (l MaxPool) Forward(c *Call) {
	in, out := c.In[0], c.Out
	g := poolOf(l.Size, l.Stride, in.Shape)
	if in.Kind == signal.Spikes {
		out.Reset(signal.Spikes, in.T, in.B, g.shape())
		c.Pool.For(in.Rows(), 1, func(_, r0, r1 int) {
			for r := r0; r < r1; r++ {
				g.orSpikes(out.Raster.Row(r), in.Raster.Row(r))
			}
		})
		return
	}
	out.Reset(rowKind(in), in.T, in.B, g.shape())
	c.Pool.For(in.Rows(), 1, func(_, r0, r1 int) {
		for r := r0; r < r1; r++ {
			g.maxima(out.Data[r*g.outUnits():][:g.outUnits()], in.Data[r*g.inUnits():][:g.inUnits()])
		}
	})
}

func (g pooling) maxima(out, img []tensor.Float) {
	for p := range g.oh * g.ow {
		dst, first := out[p*g.c:][:g.c], true
		g.eachTap(p, func(off int) {
			src := img[off:][:len(dst)]
			if first {
				copy(dst, src)
				first = false
				return
			}
			for ch, v := range src {
				if v > dst[ch] {
					dst[ch] = v
				}
			}
		})
	}
}

func (g pooling) orSpikes(out, row []uint64) {
	for p := range g.oh * g.ow {
		g.eachTap(p, func(off int) { spike.Or(out, p*g.c, row, off, g.c) })
	}
}

// Backward sends each error to the first of the largest elements.
func (l MaxPool) Backward(c *Call) {
	in, dout, din := c.In[0], c.DOut, c.DIn[0]
	if din == nil {
		return
	}
	g := poolOf(l.Size, l.Stride, in.Shape)
	clear(din.Data)
	c.Pool.For(in.Rows(), 1, func(id, r0, r1 int) {
		wk := &c.Workers[id]
		img := wk.slot(1, g.inUnits())
		for r := r0; r < r1; r++ {
			in.ReadRow(img, r)
			g.route(din.Data[r*g.inUnits():][:g.inUnits()], dout.Data[r*g.outUnits():][:g.outUnits()], img, wk)
		}
	})
}

func (g pooling) route(din, dout, img []tensor.Float, wk *Worker) {
	best := wk.slot(0, g.c)
	if cap(wk.ints) < g.c {
		wk.ints = make([]int32, g.c)
	}
	at := wk.ints[:g.c]
	for p := range g.oh * g.ow {
		first := true
		g.eachTap(p, func(off int) {
			for ch, v := range img[off:][:g.c] {
				if first || v > best[ch] {
					best[ch], at[ch] = v, int32(off+ch)
				}
			}
			first = false
		})
		for ch, i := range at {
			din[i] += dout[p*g.c+ch]
		}
	}
}

// Output is the pooled image.
func (l AvgPool) Output(in ...tensor.Shape) (tensor.Shape, error) {
	return poolOutput("avg-pool", l.Size, l.Stride, in)
}

// Forward takes the means.
func (l AvgPool) Forward(c *Call) {
	in, out := c.In[0], c.Out
	g := poolOf(l.Size, l.Stride, in.Shape)
	out.Reset(rowKind(in), in.T, in.B, g.shape())
	inv := 1 / tensor.Float(l.Size*l.Size)
	c.Pool.For(in.Rows(), 1, func(_, r0, r1 int) {
		for r := r0; r < r1; r++ {
			img := in.Data[r*g.inUnits():][:g.inUnits()]
			for p := range g.oh * g.ow {
				dst := out.Data[r*g.outUnits()+p*g.c:][:g.c]
				clear(dst)
				g.eachTap(p, func(off int) {
					for ch, v := range img[off:][:g.c] {
						dst[ch] += v
					}
				})
				for ch := range dst {
					dst[ch] *= inv
				}
			}
		}
	})
}

// Backward spreads each error evenly.
func (l AvgPool) Backward(c *Call) {
	in, dout, din := c.In[0], c.DOut, c.DIn[0]
	if din == nil {
		return
	}
	g := poolOf(l.Size, l.Stride, in.Shape)
	inv := 1 / tensor.Float(l.Size*l.Size)
	clear(din.Data)
	c.Pool.For(din.Rows(), 1, func(_, r0, r1 int) {
		for r := r0; r < r1; r++ {
			dst := din.Data[r*g.inUnits():][:g.inUnits()]
			for p := range g.oh * g.ow {
				src := dout.Data[r*g.outUnits()+p*g.c:][:g.c]
				g.eachTap(p, func(off int) {
					for ch, e := range src {
						dst[off+ch] += tensor.Float(e * inv)
					}
				})
			}
		}
	})
}
