package layer

import (
	"sync"
	"sync/atomic"

	"synfire/internal/kernel"
	"synfire/signal"
	"synfire/tensor"
)

// affine is what Linear and Conv2D share: y = b + W·patch for each output
// pixel, with W [patch, n].
//
// Order of summation: an output is one chain over the patch in ascending
// order that starts from the bias. A weight's gradient is a chain over the
// rows (sample, pixel) of a block, and the blocks are added from the last step
// to the first, ascending within a step. An error at the input is one chain
// over (pixel, channel) of the outputs that see it.
//
// Elements of the input that are zero are left out where enough of them are
// (events), which changes no bit; otherwise the product is dense.
type affine struct {
	window
	n int
}

// EventDensity is the density of events below which they are added one by one
// instead of multiplied, and gradientDensity that below which the gradient of
// the weights is summed from them.
const (
	EventDensity    = 0.3
	gradientDensity = 0.42
)

// slabBytes is how much of W the events of many images are added from before
// the next columns are taken: what stays in a second-level cache. Where lists
// are short, a slab is wider than that: a call adds listElems elements at
// least, or calls would take more time than what they wait for.
const (
	slabBytes = 640 << 10
	listElems = 24000
)

// weights is an affine map's compiled form. Each part is made when a path
// first needs it: with sparse input the packed matrix is often never used.
type weights struct {
	mu                sync.Mutex // of making, for passes on several goroutines
	forward, backward form[kernel.Packed]
	turned            form[[]tensor.Float] // rows (i, out), columns (j, in)
	slabs             form[[]tensor.Float] // one slab of columns after the other
	flipped           []tensor.Float       // rows (i, j, out) of the kernel turned by 180°, columns in
}

// form is the weights in one arrangement.
type form[T any] struct {
	made  atomic.Bool // since the weights changed
	value T
}

// get is the form, made by f where it is not yet.
func (m *form[T]) get(ws *weights, f func(*T)) *T {
	if !m.made.Load() {
		ws.mu.Lock()
		defer ws.mu.Unlock()
		if !m.made.Load() {
			f(&m.value)
			m.made.Store(true)
		}
	}
	return &m.value
}

// compiled forgets the forms of the weights before, but for their memory.
func compiled(old any) *weights {
	ws, _ := old.(*weights)
	if ws == nil {
		return &weights{}
	}
	ws.forward.made.Store(false)
	ws.backward.made.Store(false)
	ws.turned.made.Store(false)
	ws.slabs.made.Store(false)
	return ws
}

// packed is W for the product of patches.
func (a affine) packed(c *Call) *kernel.Packed {
	ws := c.Weights.(*weights)
	return ws.forward.get(ws, func(p *kernel.Packed) {
		p.Pack(c.Pool, c.Params[0].Data, a.n, a.patch(), a.n, false)
	})
}

// packedBack is W for the product of the errors that the transposed window
// sees.
func (a affine) packedBack(c *Call) *kernel.Packed {
	ws, w := c.Weights.(*weights), c.Params[0].Data
	return ws.backward.get(ws, func(p *kernel.Packed) {
		taps := a.kh * a.kw
		if taps == 1 {
			p.Pack(c.Pool, w, a.n, a.n, a.c, true)
			return
		}
		ws.flipped = tensor.Resize(ws.flipped, len(w))
		c.Pool.For(taps, 1, func(_, t0, t1 int) {
			for tap := t0; tap < t1; tap++ {
				transpose(ws.flipped[(taps-1-tap)*a.c*a.n:], a.c, w[tap*a.c*a.n:], a.c, a.n)
			}
		})
		p.Pack(c.Pool, ws.flipped, a.c, taps*a.n, a.c, false)
	})
}

// pitch is the elements from one turned row to the next: each starts at a line
// of the cache.
func (a affine) pitch() int { return (a.run() + 15) / 16 * 16 }

// turnedRows is the rows of W that an error at one output adds.
func (a affine) turnedRows(c *Call) []tensor.Float {
	ws, w := c.Weights.(*weights), c.Params[0].Data
	return *ws.turned.get(ws, func(t *[]tensor.Float) {
		*t = tensor.Resize(*t, a.kh*a.n*a.pitch())
		for i := range a.kh {
			for j := range a.kw {
				transpose((*t)[i*a.n*a.pitch()+j*a.c:], a.pitch(), w[(i*a.kw+j)*a.c*a.n:], a.c, a.n)
			}
		}
	})
}

// transpose sets dst[j·ld+i] = src[i·n+j] for m rows of n.
func transpose(dst []tensor.Float, ld int, src []tensor.Float, m, n int) {
	const tile = 16
	for i0 := 0; i0 < m; i0 += tile {
		for j := range n {
			for i := i0; i < min(i0+tile, m); i++ {
				dst[j*ld+i] = src[i*n+j]
			}
		}
	}
}

// eventful decides by the density of events and the one at which they stop to
// pay.
func (c *Call) eventful(density, most float64) bool {
	return c.Path == Events || c.Path == Auto && density < most
}

func (a affine) forward(c *Call, bias []tensor.Float) {
	in, out, e := c.In[0], c.Out, &c.Temp.events
	out.Reset(rowKind(in), in.T, in.B, c.Shape)
	c.start("product")
	work := Work{Dense: a.macs(out), Bytes: bytes(in) + bytes(out) + a.weightBytes()}
	if c.Path != Dense && c.eventful(e.count(c, in), EventDensity) {
		e.list(c, in, a.window)
		a.forwardEvents(c, e, bias)
		c.stop(a.events(work, e))
		return
	}
	a.forwardDense(c, bias)
	work.MACs = work.Dense
	c.stop(work)
}

// macs is the multiply-adds of the dense product of a signal of outputs, or of
// errors at outputs.
func (a affine) macs(out *signal.Signal) int64 {
	return int64(out.Rows()) * int64(a.pixels()) * int64(a.patch()) * int64(a.n)
}

func (a affine) weightBytes() int64 { return floatBytes * int64(a.patch()) * int64(a.n) }

// events completes the record of work that the events of e were enough for.
func (a affine) events(w Work, e *events) Work {
	w.Events, w.MACs = true, int64(float64(w.Dense)*float64(e.total)/float64(len(e.size)*a.units()))
	return w
}

// forwardDense is the product of all patches.
func (a affine) forwardDense(c *Call, bias []tensor.Float) {
	in, out := c.In[0], c.Out
	fwd := a.packed(c)
	if a.identity() {
		fillRows(out.Data, bias)
		if in.Kind == signal.Spikes {
			a.forwardExpanded(c, fwd)
			return
		}
		kernel.MatMul(c.Pool, in.Rows()*a.pixels(), in.Data, a.c, false, fwd, out.Data, a.n)
		return
	}
	a.eachBand(c, in, job{a: a, x: bias, packed: fwd}, func(j *job, r, y0, y1 int, canvas []tensor.Float) {
		a, size := j.a, j.a.pixels()*j.a.n
		rows := j.c.Out.Data[r*size+y0*a.ow*a.n : r*size+y1*a.ow*a.n]
		fillRows(rows, j.x)
		a.product(rows, a.n, canvas, j.packed, y0, y1)
	})
}

// forwardEvents adds the rows of W that the events of a patch reach. Threads
// take images and bands of their rows; where W is large, one slab of columns
// after the other.
func (a affine) forwardEvents(c *Call, e *events, bias []tensor.Float) {
	images, slab, band := c.In[0].Rows(), a.slab(a.patch(), e.total*a.patch()/(len(e.size)*a.units())), a.oh
	w, ld := a.eventRows(c, slab)
	slabs := (a.n + slab - 1) / slab
	if want := (4*c.Pool.Threads() + images*slabs - 1) / (images * slabs); want > 1 && c.Pool.Threads() > 1 {
		band = max(1, a.oh/want)
	}
	tasks := slabs * images * ((a.oh + band - 1) / band)
	c.each(tasks, grain(tasks, 16), job{a: a, e: e, x: bias, y: w, size: slab, part: ld, band: band}, func(j *job, _, i0, i1 int) {
		for i := i0; i < i1; i++ {
			j.a.forwardPiece(j, i)
		}
	})
}

// forwardPiece computes one band of one image for one slab.
func (a affine) forwardPiece(j *job, i int) {
	out := j.c.Out
	bands := (a.oh + j.band - 1) / j.band
	each := out.Rows() * bands
	j0, r, y0 := i/each*j.size, i%each/bands, i%bands*j.band
	n := min(j0+j.size, a.n) - j0
	w, ld := j.y[j0:], a.n
	if j.part != a.n {
		w, ld = j.y[j0*a.patch():], n
	}
	at, val, first := j.e.of(r, a.h*a.w)
	p := kernel.Patches{H: a.h, W: a.w, C: a.c, KH: a.kh, KW: a.kw, Stride: a.stride, PadH: a.padH, PadW: a.padW}
	image := out.Data[r*a.pixels()*a.n:][:a.pixels()*a.n]
	for y := y0; y < min(y0+j.band, a.oh); y++ {
		row := image[y*a.ow*a.n+j0 : (y+1)*a.ow*a.n]
		biasRow(row, a.n, n, a.ow, j.x, j0)
		p.AddRow(row, a.n, w, ld, n, y, 0, a.ow, at, val, first)
	}
}

// eventRows is W as events add it, and the elements from row to row: as it
// stands, or where slabs of its rows would fall into few sets of a cache, their
// rows being a large power of two apart, one slab after the other.
func (a affine) eventRows(c *Call, slab int) (w []tensor.Float, ld int) {
	w = c.Params[0].Data
	if slab == a.n || a.n%256 != 0 {
		return w, a.n
	}
	ws := c.Weights.(*weights)
	return *ws.slabs.get(ws, func(t *[]tensor.Float) {
		*t = tensor.Resize(*t, len(w))
		dst := *t
		for j0 := 0; j0 < a.n; j0 += slab {
			n := min(slab, a.n-j0)
			for k := range a.patch() {
				copy(dst[:n], w[k*a.n+j0:])
				dst = dst[n:]
			}
		}
	}), slab
}

// slab is the number of columns, of a matrix of rows, that lists of so many of
// them are added from at once.
func (a affine) slab(rows, list int) int {
	n := max(slabBytes/4/rows, listElems/max(1, list), 64) / 64 * 64
	if 2*n > a.n && a.n*rows*4 <= 2*slabBytes {
		return a.n
	}
	return min(n, a.n)
}

// biasRow starts the chains of n columns, from j0 on, of count pixels.
func biasRow(dst []tensor.Float, ld, n, count int, bias []tensor.Float, j0 int) {
	for p := range count {
		if bias == nil {
			clear(dst[p*ld:][:n])
		} else {
			copy(dst[p*ld:][:n], bias[j0:])
		}
	}
}

// expandRows is the rows of spikes that one task turns into numbers at once.
const expandRows = 128

// forwardExpanded multiplies spikes as numbers.
func (a affine) forwardExpanded(c *Call, fwd *kernel.Packed) {
	c.each(c.In[0].Rows(), expandRows, job{a: a, packed: fwd}, func(j *job, id, r0, r1 int) {
		a, units, size := j.a, j.a.units(), j.a.pixels()*j.a.n
		x := j.c.Workers[id].slot(0, (r1-r0)*units)
		for r := r0; r < r1; r++ {
			j.c.In[0].ReadRow(x[(r-r0)*units:][:units], r)
		}
		kernel.MatMul(nil, (r1-r0)*a.pixels(), x, a.c, false, j.packed, j.c.Out.Data[r0*size:], a.n)
	})
}

// eachBand calls f for bands of output rows of each image of s, with the
// canvas under them.
func (g window) eachBand(c *Call, s *signal.Signal, j job, f func(j *job, r, y0, y1 int, canvas []tensor.Float)) {
	images := s.Rows()
	j.g, j.s, j.f, j.band = g, s, f, g.bands(images, c.Pool.Threads())
	c.each(images*((g.oh+j.band-1)/j.band), 1, j, func(j *job, id, i0, i1 int) {
		g, wk, bands := j.g, &j.c.Workers[id], (j.g.oh+j.band-1)/j.band
		_, cw := g.canvas()
		for i := i0; i < i1; i++ {
			r, y0 := i/bands, i%bands*j.band
			y1 := min(y0+j.band, g.oh)
			q0, q1 := y0*g.stride, (y1-1)*g.stride+g.kh
			canvas := wk.slot(0, (q1-q0)*cw*g.c)
			g.paint(canvas, imageOf(wk, j.s, r), q0, q1, 0, g.h)
			j.f(j, r, y0, y1, canvas)
		}
	})
}

func (a affine) backward(c *Call) {
	if len(c.DParams) > 0 {
		c.start("weight gradient")
		c.stop(a.gradWeights(c))
	}
	if len(c.DParams) > 1 {
		c.start("bias gradient")
		a.gradBias(c)
		c.stop(Work{Bytes: bytes(c.DOut)})
	}
	if c.DIn[0] != nil {
		c.start("input gradient")
		c.stop(a.gradInput(c))
	}
}

// gradInput is the transposed window over the errors.
func (a affine) gradInput(c *Call) Work {
	dout, din := c.DOut, c.DIn[0]
	w := Work{Dense: a.macs(dout), Bytes: bytes(dout) + bytes(din) + a.weightBytes()}
	w.MACs = w.Dense
	if a.identity() {
		a.gradInputLinear(c)
		return w
	}
	if density := sampledDensity(dout); c.eventful(density, EventDensity) {
		a.gradInputEvents(c)
		w.Events, w.MACs = true, int64(density*float64(w.Dense))
		return w
	}
	a.transpose(a.n).eachBand(c, dout, job{a: a, packed: a.packedBack(c)}, func(j *job, r, y0, y1 int, canvas []tensor.Float) {
		a, size := j.a, j.a.units()
		out := j.c.DIn[0].Data[r*size+y0*a.w*a.c : r*size+y1*a.w*a.c]
		clear(out)
		j.g.product(out, a.c, canvas, j.packed, y0, y1)
	})
	return w
}

// gradInputLinear is the product with W transposed. Where that is thin, it is
// memory that counts, and rows are cleared and summed while a cache holds them.
func (a affine) gradInputLinear(c *Call) {
	rows, packed := c.DOut.Rows()*a.pixels(), a.packedBack(c)
	if a.n > 64 {
		clear(c.DIn[0].Data)
		kernel.MatMul(c.Pool, rows, c.DOut.Data, a.n, false, packed, c.DIn[0].Data, a.c)
		return
	}
	c.each(rows, max(14, tileElems/a.c), job{a: a, packed: packed}, func(j *job, _, r0, r1 int) {
		out := j.c.DIn[0].Data[r0*j.a.c : r1*j.a.c]
		clear(out)
		kernel.MatMul(nil, r1-r0, j.c.DOut.Data[r0*j.a.n:], j.a.n, false, j.packed, out, j.a.c)
	})
}

// sampledDensity is the share of errors that are not exactly zero (as where
// max pooling left them out), counted in one image of sixteen.
func sampledDensity(s *signal.Signal) float64 {
	n, units, images := 0, s.Units(), 0
	for r := 0; r < s.Rows(); r += 16 {
		n += kernel.CountNonzero(s.Data[r*units:][:units])
		images++
	}
	return float64(n) / float64(max(1, images*units))
}

// gradInputEvents adds, for each error that is not zero, its rows of W to the
// canvas of the image's errors: ascending in pixel and channel, as the
// product's chains.
func (a affine) gradInputEvents(c *Call) {
	c.each(c.DOut.Rows(), 1, job{a: a, x: a.turnedRows(c)}, func(j *job, id, r0, r1 int) {
		for r := r0; r < r1; r++ {
			j.a.scatter(j, &j.c.Workers[id], r)
		}
	})
}

// scatter spreads the errors of image r.
func (a affine) scatter(j *job, wk *Worker, r int) {
	canvas, run := wk.slot(0, a.canvasSize()), a.run()
	_, cw := a.canvas()
	clear(canvas)
	for p := range a.pixels() {
		g := j.c.DOut.Data[(r*a.pixels()+p)*a.n:][:a.n]
		wk.ints, wk.values = kernel.Nonzeros(wk.ints[:0], wk.values[:0], g, 0)
		to := canvas[(p/a.ow*cw+p%a.ow)*a.stride*a.c:]
		kernel.AddRowsMulti(a.kh, to, cw*a.c, j.x, a.n*a.pitch(), a.pitch(), run, wk.ints, wk.values)
	}
	a.crop(j.c.DIn[0].Data[r*a.units():][:a.units()], canvas)
}

// fillRows writes the bias (zeros for none) to each row.
func fillRows(dst, bias []tensor.Float) {
	if bias == nil {
		clear(dst)
		return
	}
	kernel.FillRows(dst, bias)
}

// tileElems is the elements of a piece of element-wise work.
const tileElems = 1 << 15
