package layer

import (
	"errors"
	"fmt"
	"slices"

	"synfire/internal/kernel"
	"synfire/linmap"
	"synfire/signal"
	"synfire/spike"
	"synfire/tensor"
)

// MaxPool takes the largest element of each window of Size×Size, per channel.
// Stride 0 means Size. Ties, windows of zeros included, go to the first
// element in row-major order, which alone receives the error; padding never wins.
// Spikes stay spikes: a window spikes if any of its elements does.
type MaxPool struct {
	Size    int   `yaml:"size,required"`            // height and width of a window
	Stride  int   `yaml:"stride"`                   // pixels between neighbouring windows; 0: size
	Padding []int `yaml:"padding,single,omitempty"` // around the image, less than size: one number, height and width, or top, bottom, left, right
}

// AvgPool is the mean of each window of Size×Size, per channel: the sum in
// row-major order, times 1/count. Stride 0 means Size. The count is that of the
// window's elements in the image, with CountPadding Size². Spikes are counted.
type AvgPool struct {
	Size         int   `yaml:"size,required"`            // height and width of a window
	Stride       int   `yaml:"stride"`                   // pixels between neighbouring windows; 0: size
	Padding      []int `yaml:"padding,single,omitempty"` // around the image, less than size: one number, height and width, or top, bottom, left, right
	CountPadding bool  `yaml:"count-padding,omitempty"`  // means take padding for zeros
}

// GlobalAvgPool is the mean of each channel over all pixels of an image: [h, w, c]
// becomes a vector [c]. The sum is in row-major order, times 1/(h·w).
//
//	y[ch] = Σ_p x[p, ch]/(h·w),   ∂x[p, ch] = ∂y[ch]/(h·w)
type GlobalAvgPool struct{}

// pooling is the geometry of both.
type pooling struct{ linmap.Pool }

func (l MaxPool) pool(in tensor.Shape) (linmap.Pool, error) {
	return linmap.NewPool(in, l.Size, l.Stride, l.Padding)
}

func (l AvgPool) pool(in tensor.Shape) (linmap.Pool, error) {
	p, err := linmap.NewPool(in, l.Size, l.Stride, l.Padding)
	p.Average, p.CountPadding = true, l.CountPadding
	return p, err
}

// accepted is the pooling of an image that Output accepts.
func accepted(p linmap.Pool, err error) pooling {
	if err != nil {
		panic(fmt.Sprintf("layer: pooling of an image that Output does not accept: %v", err))
	}
	return pooling{p}
}

func poolOutput(kind string, in []tensor.Shape, of func(tensor.Shape) (linmap.Pool, error)) (tensor.Shape, error) {
	s, err := image(kind, in)
	if err != nil {
		return nil, err
	}
	p, err := of(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return p.Out(), nil
}

// eachWindow calls f for each window, in row-major order, with where its channels begin
// in the output.
func (g pooling) eachWindow(f func(out, y, x int)) {
	out := 0
	for y := range g.OH {
		for x := range g.OW {
			f(out, y, x)
			out += g.C
		}
	}
}

// eachTap calls f for each tap k of window (y, x) that lies in the image, with where its
// channels begin there.
func (g pooling) eachTap(y, x int, f func(k, at int)) {
	left := x*g.StrideW - g.PadLeft
	for i := range g.KH {
		row := y*g.StrideH - g.PadTop + i
		if row < 0 || row >= g.H {
			continue
		}
		for j := max(0, -left); j < min(g.KW, g.W-left); j++ {
			f(i*g.KW+j, (row*g.W+left+j)*g.C)
		}
	}
}

// first is the first tap of window (y, x) that lies in the image.
func (g pooling) first(y, x int) int {
	if !g.Padded() {
		return 0
	}
	i, _, _ := g.TapRows(y)
	j, _, _ := g.TapColumns(x)
	return i*g.KW + j
}

// eachWord calls f for each window and up to 64 of its channels at a time,
// with their bits in each pixel of the window, the first n of each word, zeros for
// padding. f may change taps.
func (g pooling) eachWord(w *Worker, row []uint64, f func(out, y, x, ch, n int, taps []uint64)) {
	w.words = slices.Grow(w.words[:0], g.KH*g.KW)[:g.KH*g.KW]
	taps := w.words
	padded := g.Padded()
	g.eachWindow(func(out, y, x int) {
		left := x*g.StrideW - g.PadLeft
		for ch := 0; ch < g.C; ch += 64 {
			n := min(64, g.C-ch)
			for k, i := 0, 0; i < g.KH; i++ {
				q := y*g.StrideH - g.PadTop + i
				at := (q*g.W+left)*g.C + ch
				for j := range g.KW {
					taps[k] = 0
					if !padded || q >= 0 && q < g.H && left+j >= 0 && left+j < g.W {
						taps[k] = spike.Bits(row, at, n)
					}
					at += g.C
					k++
				}
			}
			f(out+ch, y, x, ch, n, taps)
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
	return poolOutput("max-pool", in, l.pool)
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
	g := accepted(l.pool(in.Shape))
	if in.Kind == signal.Spikes {
		out.Reset(signal.Spikes, in.T, in.B, c.Shape)
		g.eachImage(c, in.Rows(), nil, func(j *job, w *Worker, r int) {
			j.pool.orSpikes(w, j.c.Out.Raster.Row(r), j.c.In[0].Raster.Row(r))
		})
		return
	}
	out.Reset(rowKind(in), in.T, in.B, c.Shape)
	record := c.Scratch.record(0)
	if c.Keep && g.Recordable() {
		record = c.Scratch.record(in.Rows() * g.Places())
	}
	g.eachImage(c, in.Rows(), record, func(j *job, w *Worker, r int) {
		g := j.pool
		var places []uint8
		if len(j.record) > 0 {
			places = j.record[r*g.Places():][:g.Places()]
		}
		g.Forward(&w.maps, part(j.c.Out.Data, r, g.Outputs()), part(j.c.In[0].Data, r, g.Units()), places)
	})
}

func (g pooling) orSpikes(w *Worker, out, row []uint64) {
	g.eachWord(w, row, func(at, _, _, _, n int, taps []uint64) {
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
	g := accepted(l.pool(din.Shape))
	g.eachImage(c, dout.Rows(), c.Scratch.bytes, func(j *job, w *Worker, r int) {
		in, dout, din, g, record := j.c.In[0], j.c.DOut, j.c.DIn[0], j.pool, j.record
		dx, dy := part(din.Data, r, g.Units()), part(dout.Data, r, g.Outputs())
		switch {
		case in.Kind == signal.Spikes:
			g.routeSpikes(w, dx, dy, in.Raster.Row(r))
		case len(record) > 0:
			g.Transpose(&w.maps, dx, dy, record[r*g.Places():][:g.Places()])
		default:
			clear(dx)
			g.route(w, dx, dy, part(in.Data, r, g.Units()))
		}
	})
}

// routeSpikes sends the errors of an image to the first spike of each window,
// or to its first pixel.
func (g pooling) routeSpikes(w *Worker, din, dout []tensor.Float, row []uint64) {
	put := kernel.SelectBits
	if g.Prepare(din) || g.Padded() {
		put = kernel.AddSelected
	}
	g.eachWord(w, row, func(out, y, x, ch, n int, taps []uint64) {
		left := ^uint64(0)
		for k, t := range taps {
			taps[k] = t & left
			left &^= t
		}
		taps[g.first(y, x)] |= left
		g.eachTap(y, x, func(k, at int) { put(din[at+ch:][:n], dout[out:][:n], taps[k]) })
	})
}

// route adds the errors of an image that has no record.
func (g pooling) route(w *Worker, din, dout, img []tensor.Float) {
	best := w.slot(0, g.C)
	if cap(w.ints) < g.C {
		w.ints = make([]int32, g.C)
	}
	places := w.ints[:g.C]
	g.eachWindow(func(out, y, x int) {
		first := g.first(y, x)
		g.eachTap(y, x, func(k, at int) {
			for ch, v := range img[at:][:g.C] {
				if k == first || v > best[ch] {
					best[ch], places[ch] = v, int32(at+ch)
				}
			}
		})
		for ch, i := range places {
			din[i] += dout[out+ch]
		}
	})
}

// Output is the pooled image.
func (l AvgPool) Output(in ...tensor.Shape) (tensor.Shape, error) {
	if none := len(l.Padding) == 0 || slices.Max(l.Padding) == 0; none && l.CountPadding {
		return nil, errors.New("avg-pool: count-padding without padding changes nothing; leave it out, or set padding")
	}
	return poolOutput("avg-pool", in, l.pool)
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
	g := accepted(l.pool(in.Shape))
	out.Reset(rowKind(in), in.T, in.B, c.Shape)
	g.eachImage(c, in.Rows(), nil, func(j *job, w *Worker, r int) {
		in, g := j.c.In[0], j.pool
		y := part(j.c.Out.Data, r, g.Outputs())
		if in.Kind == signal.Spikes {
			g.meanSpikes(w, y, in.Raster.Row(r))
		} else {
			g.Forward(&w.maps, y, part(in.Data, r, g.Units()), nil)
		}
	})
}

func (g pooling) meanSpikes(w *Worker, out []tensor.Float, row []uint64) {
	share, padded := 1/tensor.Float(g.KH*g.KW), g.Padded()
	g.eachWord(w, row, func(at, y, x, _, n int, taps []uint64) {
		if padded {
			share = g.Share(y, x)
		}
		kernel.CountBits(out[at:][:n], taps, share)
	})
}

// Backward spreads each error evenly.
func (l AvgPool) Backward(c *Call) {
	din := c.DIn[0]
	if din == nil {
		return
	}
	accepted(l.pool(din.Shape)).eachImage(c, din.Rows(), nil, func(j *job, w *Worker, r int) {
		g := j.pool
		g.Transpose(&w.maps, part(j.c.DIn[0].Data, r, g.Units()), part(j.c.DOut.Data, r, g.Outputs()), nil)
	})
}

// Output is a vector of the channels.
func (l GlobalAvgPool) Output(in ...tensor.Shape) (tensor.Shape, error) {
	s, err := image("global-avg-pool", in)
	if err != nil {
		return nil, err
	}
	return tensor.Shape{s[2]}, nil
}

// Accepts is true for each kind of signal.
func (l GlobalAvgPool) Accepts(signal.Kind) bool { return true }

// ForgetsInput is true.
func (l GlobalAvgPool) ForgetsInput() bool { return true }

// Forward takes the means. Of spikes it counts those of each channel.
func (l GlobalAvgPool) Forward(c *Call) {
	in, out := c.In[0], c.Out
	out.Reset(rowKind(in), in.T, in.B, c.Shape)
	c.each(in.Rows(), 1, job{}, func(j *job, id, r0, r1 int) {
		in, out := j.c.In[0], j.c.Out
		n := out.Units()
		for r := r0; r < r1; r++ {
			img, y := imageOf(&j.c.Workers[id], in, r), part(out.Data, r, n)
			clear(y)
			kernel.ColumnSums(y, img, n, len(img)/n)
			kernel.Scale(y, tensor.Float(n)/tensor.Float(len(img)))
		}
	})
}

// Backward spreads each error evenly.
func (l GlobalAvgPool) Backward(c *Call) {
	din := c.DIn[0]
	if din == nil {
		return
	}
	c.each(din.Rows(), 1, job{}, func(j *job, _, r0, r1 int) {
		n := j.c.DOut.Units()
		for r := r0; r < r1; r++ {
			dx := part(j.c.DIn[0].Data, r, j.c.DIn[0].Units())
			kernel.FillRows(dx, part(j.c.DOut.Data, r, n))
			kernel.Scale(dx, tensor.Float(n)/tensor.Float(len(dx)))
		}
	})
}
