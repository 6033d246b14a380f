package layer

import (
	"fmt"
	"slices"

	"synfire/internal/kernel"
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
// row-major order, times 1/Size². Stride 0 means Size. Spikes are counted.
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

// argBytes is the size of an image's record of largest elements.
func (g pooling) argBytes() int { return g.oh * g.ow * kernel.ArgPitch(g.c) }

// windows is a row of windows, and outRow, imgRow and argRow are what belongs
// to row y of them.
func (g pooling) windows() kernel.Windows {
	return kernel.Windows{Count: g.ow, Size: g.size, Stride: g.stride, Width: g.w, Channels: g.c}
}

func (g pooling) outRow(out []tensor.Float, y int) []tensor.Float { return out[y*g.ow*g.c:] }
func (g pooling) imgRow(img []tensor.Float, y int) []tensor.Float { return img[y*g.stride*g.w*g.c:] }

func (g pooling) argRow(arg []uint8, y int) []uint8 {
	if arg == nil {
		return nil
	}
	return arg[y*g.ow*kernel.ArgPitch(g.c):]
}

// eachWindow calls f for each window, in row-major order, with where its
// channels begin in the output and in the image.
func (g pooling) eachWindow(f func(out, img int)) {
	out := 0
	for y := range g.oh {
		for x := range g.ow {
			f(out, (y*g.stride*g.w+x*g.stride)*g.c)
			out += g.c
		}
	}
}

// eachWord calls f for each window and up to 64 of its channels at a time,
// with their bits in each pixel of the window, the first n of each word, and
// where these channels begin in the output and in the image. f may change taps.
func (g pooling) eachWord(w *Worker, row []uint64, f func(out, img, n int, taps []uint64)) {
	w.words = slices.Grow(w.words[:0], g.size*g.size)[:g.size*g.size]
	taps := w.words
	g.eachWindow(func(out, img int) {
		for ch := 0; ch < g.c; ch += 64 {
			n := min(64, g.c-ch)
			for k, i := 0, 0; i < g.size; i++ {
				at := img + ch + i*g.w*g.c
				for range g.size {
					taps[k] = spike.Bits(row, at, n)
					at += g.c
					k++
				}
			}
			f(out+ch, img+ch, n, taps)
		}
	})
}

// eachImage calls f for each row of a signal, with the worker that serves it. f
// captures nothing.
func (g pooling) eachImage(c *Call, rows int, record []uint8, f func(j *job, w *Worker, r int)) {
	c.each(rows, 1, job{pool: g, record: record, image: f}, func(j *job, id, r0, r1 int) {
		for r := r0; r < r1; r++ {
			j.image(j, &j.c.Workers[id], r)
		}
	})
}

func part(data []tensor.Float, r, n int) []tensor.Float { return data[r*n:][:n] }

// Output is the pooled image.
func (l MaxPool) Output(in ...tensor.Shape) (tensor.Shape, error) {
	return poolOutput("max-pool", l.Size, l.Stride, in)
}

// Accepts is true for each kind of signal.
func (l MaxPool) Accepts(signal.Kind) bool { return true }

// ForgetsInput is true where the largest elements are recorded. Spikes are kept
// in any case.
func (l MaxPool) ForgetsInput() bool { return l.Size <= kernel.MaxWindow }

// Forward takes the maxima. Where Backward follows, it records which elements
// they are; those of spikes can be seen from the spikes.
func (l MaxPool) Forward(c *Call) {
	in, out := c.In[0], c.Out
	g := poolOf(l.Size, l.Stride, in.Shape)
	if in.Kind == signal.Spikes {
		out.Reset(signal.Spikes, in.T, in.B, c.Shape)
		g.eachImage(c, in.Rows(), nil, func(j *job, w *Worker, r int) {
			j.pool.orSpikes(w, j.c.Out.Raster.Row(r), j.c.In[0].Raster.Row(r))
		})
		return
	}
	out.Reset(rowKind(in), in.T, in.B, c.Shape)
	record := c.Scratch.record(0)
	if c.Keep && g.size <= kernel.MaxWindow {
		record = c.Scratch.record(in.Rows() * g.argBytes())
	}
	g.eachImage(c, in.Rows(), record, func(j *job, _ *Worker, r int) {
		g := j.pool
		var arg []uint8
		if len(j.record) > 0 {
			arg = j.record[r*g.argBytes():][:g.argBytes()]
		}
		g.maxRows(part(j.c.Out.Data, r, g.outUnits()), part(j.c.In[0].Data, r, g.inUnits()), arg, 0, g.oh)
	})
}

// maxRows writes rows [y0, y1) of the maxima of an image to its output, and
// which elements they are to its record (nil: none).
func (g pooling) maxRows(out, img []tensor.Float, arg []uint8, y0, y1 int) {
	w := g.windows()
	for y := y0; y < y1; y++ {
		w.Max(g.outRow(out, y), g.imgRow(img, y), g.argRow(arg, y))
	}
}

func (g pooling) orSpikes(w *Worker, out, row []uint64) {
	g.eachWord(w, row, func(at, _, n int, taps []uint64) {
		found := taps[:1]
		for _, x := range taps[1:] {
			found[0] |= x
		}
		spike.Or(out, at, found, 0, n)
	})
}

// Backward sends each error to the first of the largest elements.
func (l MaxPool) Backward(c *Call) {
	dout, din := c.DOut, c.DIn[0]
	if din == nil {
		return
	}
	g := poolOf(l.Size, l.Stride, din.Shape)
	g.eachImage(c, dout.Rows(), c.Scratch.bytes, func(j *job, w *Worker, r int) {
		in, dout, din, g, record := j.c.In[0], j.c.DOut, j.c.DIn[0], j.pool, j.record
		dx, dy := part(din.Data, r, g.inUnits()), part(dout.Data, r, g.outUnits())
		switch {
		case in.Kind == signal.Spikes:
			g.routeSpikes(w, dx, dy, in.Raster.Row(r))
		case len(record) > 0:
			g.routeRecorded(dx, dy, record[r*g.argBytes():][:g.argBytes()])
		default:
			clear(dx)
			g.route(w, dx, dy, part(in.Data, r, g.inUnits()))
		}
	})
}

// prepare clears what the windows do not write of an image's errors, and
// reports whether they must add, as they overlap.
func (g pooling) prepare(din []tensor.Float) (sum bool) {
	if g.stride != g.size {
		clear(din)
		return g.stride < g.size
	}
	row, covered := g.w*g.c, g.ow*g.size*g.c
	for y := range g.oh * g.size {
		clear(din[y*row+covered : (y+1)*row])
	}
	clear(din[g.oh*g.size*row:])
	return false
}

// routeRecorded sends the errors of an image where the record says.
func (g pooling) routeRecorded(din, dout []tensor.Float, arg []uint8) {
	w, sum := g.windows(), g.prepare(din)
	for y := range g.oh {
		w.MaxBackward(g.imgRow(din, y), g.outRow(dout, y), g.argRow(arg, y), sum)
	}
}

// routeSpikes sends the errors of an image to the first spike of each window,
// or to its first pixel.
func (g pooling) routeSpikes(w *Worker, din, dout []tensor.Float, row []uint64) {
	put := kernel.SelectBits
	if g.prepare(din) {
		put = kernel.AddSelected
	}
	g.eachWord(w, row, func(out, img, n int, taps []uint64) {
		left := ^uint64(0)
		for k, x := range taps {
			taps[k] = x & left
			left &^= x
		}
		taps[0] |= left
		for i := 0; len(taps) > 0; i++ {
			for j, x := range taps[:g.size] {
				put(din[img+(i*g.w+j)*g.c:][:n], dout[out:][:n], x)
			}
			taps = taps[g.size:]
		}
	})
}

// route adds the errors of an image that has no record.
func (g pooling) route(w *Worker, din, dout, img []tensor.Float) {
	best := w.slot(0, g.c)
	if cap(w.ints) < g.c {
		w.ints = make([]int32, g.c)
	}
	at := w.ints[:g.c]
	g.eachWindow(func(out, first int) {
		copy(best, img[first:])
		for ch := range at {
			at[ch] = int32(first + ch)
		}
		for k := range g.size * g.size {
			off := first + (k/g.size*g.w+k%g.size)*g.c
			for ch, v := range img[off:][:g.c] {
				if v > best[ch] {
					best[ch], at[ch] = v, int32(off+ch)
				}
			}
		}
		for ch, i := range at {
			din[i] += dout[out+ch]
		}
	})
}

// Output is the pooled image.
func (l AvgPool) Output(in ...tensor.Shape) (tensor.Shape, error) {
	return poolOutput("avg-pool", l.Size, l.Stride, in)
}

// Accepts is true for each kind of signal.
func (l AvgPool) Accepts(signal.Kind) bool { return true }

// ForgetsInput is true.
func (l AvgPool) ForgetsInput() bool { return true }

// IsCheap is true: means of spikes are counts.
func (l AvgPool) IsCheap() bool { return true }

// Forward takes the means. Of spikes it counts those in each window.
func (l AvgPool) Forward(c *Call) {
	in, out := c.In[0], c.Out
	g := poolOf(l.Size, l.Stride, in.Shape)
	out.Reset(rowKind(in), in.T, in.B, c.Shape)
	g.eachImage(c, in.Rows(), nil, func(j *job, w *Worker, r int) {
		in, g := j.c.In[0], j.pool
		y := part(j.c.Out.Data, r, g.outUnits())
		if in.Kind == signal.Spikes {
			g.meanSpikes(w, y, in.Raster.Row(r))
		} else {
			g.meanRows(y, part(in.Data, r, g.inUnits()), 0, g.oh)
		}
	})
}

// share is the part of a window that one of its pixels is.
func (g pooling) share() tensor.Float { return 1 / tensor.Float(g.size*g.size) }

// meanRows writes rows [y0, y1) of the means of an image to its output.
func (g pooling) meanRows(out, img []tensor.Float, y0, y1 int) {
	w := g.windows()
	for y := y0; y < y1; y++ {
		w.Mean(g.outRow(out, y), g.imgRow(img, y), g.share())
	}
}

func (g pooling) meanSpikes(w *Worker, out []tensor.Float, row []uint64) {
	share := g.share()
	g.eachWord(w, row, func(at, _, n int, taps []uint64) {
		kernel.CountBits(out[at:][:n], taps, share)
	})
}

// Backward spreads each error evenly.
func (l AvgPool) Backward(c *Call) {
	din := c.DIn[0]
	if din == nil {
		return
	}
	poolOf(l.Size, l.Stride, din.Shape).eachImage(c, din.Rows(), nil, func(j *job, _ *Worker, r int) {
		g := j.pool
		g.spread(part(j.c.DIn[0].Data, r, g.inUnits()), part(j.c.DOut.Data, r, g.outUnits()))
	})
}

// spread sends the errors of an image to all pixels of each window.
func (g pooling) spread(din, dout []tensor.Float) {
	w, sum := g.windows(), g.prepare(din)
	for y := range g.oh {
		w.MeanBackward(g.imgRow(din, y), g.outRow(dout, y), g.share(), sum)
	}
}
