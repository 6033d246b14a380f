package layer

import (
	"synfire/internal/kernel"
	"synfire/internal/par"
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

// EventDensity is the density of events below which they are added one by one.
const EventDensity = 0.35

// slabBytes is how much of W the events of many images are added from before
// the next columns are taken: what stays in a second-level cache.
const slabBytes = 640 << 10

// weights is an affine map's compiled form.
type weights struct {
	forward, backward kernel.Packed
	flipped           []tensor.Float // rows (i, j, out) of the kernel turned by 180°, columns in
	turned            []tensor.Float // rows (i, out), columns (j, in)
	isTurned          bool           // since the weights changed
}

func (a affine) compile(old any, pool *par.Pool, w tensor.Tensor, train bool) *weights {
	ws, _ := old.(*weights)
	if ws == nil {
		ws = &weights{}
	}
	ws.isTurned = false
	ws.forward.Pack(pool, w.Data, a.n, a.patch(), a.n, false)
	if !train {
		return ws
	}
	if a.kh*a.kw == 1 {
		ws.backward.Pack(pool, w.Data, a.n, a.n, a.c, true)
		return ws
	}
	a.flip(ws, pool, w.Data)
	ws.backward.Pack(pool, ws.flipped, a.c, a.kh*a.kw*a.n, a.c, false)
	return ws
}

func (a affine) flip(ws *weights, pool *par.Pool, w []tensor.Float) {
	ws.flipped = tensor.Resize(ws.flipped, len(w))
	taps := a.kh * a.kw
	pool.For(taps, 1, func(_, t0, t1 int) {
		for tap := t0; tap < t1; tap++ {
			transpose(ws.flipped[(taps-1-tap)*a.c*a.n:], a.c, w[tap*a.c*a.n:], a.c, a.n)
		}
	})
}

// turn prepares the rows that an error at one output adds.
func (a affine) turn(ws *weights, w []tensor.Float) {
	if ws.isTurned {
		return
	}
	ws.turned, ws.isTurned = tensor.Resize(ws.turned, len(w)), true
	for i := range a.kh {
		for j := range a.kw {
			transpose(ws.turned[i*a.n*a.run()+j*a.c:], a.run(), w[(i*a.kw+j)*a.c*a.n:], a.c, a.n)
		}
	}
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

// eventful decides whether to list the events that e has counted.
func (c *Call) eventful(density float64) bool {
	return c.Path == Events || c.Path == Auto && density < EventDensity
}

func (a affine) forward(c *Call, shape tensor.Shape, bias []tensor.Float) {
	in, out, e := c.In[0], c.Out, &c.Temp.events
	out.Reset(rowKind(in), in.T, in.B, shape)
	if c.Path != Dense && c.eventful(e.count(c, in)) {
		e.list(c, in, a.h*a.w, a.c)
		a.forwardEvents(c, e, bias)
		return
	}
	fwd := &c.Weights.(*weights).forward
	if a.identity() && in.Kind != signal.Spikes {
		fillRows(c.Pool, out.Data, bias)
		kernel.MatMul(c.Pool, in.Rows()*a.pixels(), in.Data, a.c, false, fwd, out.Data, a.n)
		return
	}
	a.forwardDense(c, fwd, bias)
}

// forwardEvents adds the rows of W that the events of a patch reach. Threads
// take images and bands of their rows; where W is large, one slab of columns
// after the other.
func (a affine) forwardEvents(c *Call, e *events, bias []tensor.Float) {
	images, w := c.In[0].Rows(), c.Params[0].Data
	p := kernel.Patches{H: a.h, W: a.w, C: a.c, KH: a.kh, KW: a.kw, Stride: a.stride, PadH: a.padH, PadW: a.padW}
	slab := a.slab()
	slabs := (a.n + slab - 1) / slab
	band := a.oh
	if want := (4*c.Pool.Threads() + images*slabs - 1) / (images * slabs); want > 1 && c.Pool.Threads() > 1 {
		band = max(1, a.oh/want)
	}
	bands := (a.oh + band - 1) / band
	each := images * bands
	c.Pool.For(slabs*each, grain(slabs*each, 16), func(_, i0, i1 int) {
		for i := i0; i < i1; i++ {
			j0, r, y0 := i/each*slab, i%each/bands, i%bands*band
			j1, y1 := min(j0+slab, a.n), min(y0+band, a.oh)
			at, val, first := e.of(r, a.h*a.w)
			out := c.Out.Data[r*a.pixels()*a.n:][:a.pixels()*a.n]
			for y := y0; y < y1; y++ {
				row := out[y*a.ow*a.n+j0 : (y+1)*a.ow*a.n]
				biasRow(row, a.n, j1-j0, a.ow, bias, j0)
				p.AddRow(row, a.n, w[j0:], a.n, j1-j0, y, 0, a.ow, at, val, first)
			}
		}
	})
}

// slab is the number of columns of W that the events are added from at once.
func (a affine) slab() int {
	n := slabBytes / 4 / a.patch() / 64 * 64
	if n = max(n, 64); 2*n > a.n && a.n*a.patch()*4 <= 2*slabBytes {
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

func (a affine) forwardDense(c *Call, fwd *kernel.Packed, bias []tensor.Float) {
	in, size := c.In[0], a.pixels()*a.n
	a.eachBand(c, in, func(r, y0, y1 int, canvas []tensor.Float) {
		out := c.Out.Data[r*size+y0*a.ow*a.n : r*size+y1*a.ow*a.n]
		fillRows(nil, out, bias)
		a.product(out, a.n, canvas, fwd, y0, y1)
	})
}

// eachBand calls f for bands of output rows of each image of s, with the
// canvas under them.
func (g window) eachBand(c *Call, s *signal.Signal, f func(r, y0, y1 int, canvas []tensor.Float)) {
	images := s.Rows()
	band := g.bands(images, c.Pool.Threads())
	bands := (g.oh + band - 1) / band
	_, cw := g.canvas()
	c.Pool.For(images*bands, 1, func(id, i0, i1 int) {
		wk := &c.Workers[id]
		for i := i0; i < i1; i++ {
			r, y0 := i/bands, i%bands*band
			y1 := min(y0+band, g.oh)
			q0, q1 := y0*g.stride, (y1-1)*g.stride+g.kh
			canvas := wk.slot(0, (q1-q0)*cw*g.c)
			g.paint(canvas, imageOf(wk, s, r), q0, q1, 0, g.h)
			f(r, y0, y1, canvas)
		}
	})
}

func (a affine) backward(c *Call) {
	if len(c.DParams) > 0 {
		a.gradWeights(c)
	}
	if len(c.DParams) > 1 {
		a.gradBias(c)
	}
	if c.DIn[0] != nil {
		a.gradInput(c)
	}
}

// gradInput is the transposed window over the errors.
func (a affine) gradInput(c *Call) {
	dout, din, ws := c.DOut, c.DIn[0], c.Weights.(*weights)
	if a.identity() {
		clear(din.Data)
		kernel.MatMul(c.Pool, din.Rows()*a.pixels(), dout.Data, a.n, false, &ws.backward, din.Data, a.c)
		return
	}
	if c.Path == Events || c.Path == Auto && sampledDensity(dout) < EventDensity {
		a.gradInputEvents(c, ws)
		return
	}
	back, size := a.transpose(a.n), a.units()
	back.eachBand(c, dout, func(r, y0, y1 int, canvas []tensor.Float) {
		out := din.Data[r*size+y0*a.w*a.c : r*size+y1*a.w*a.c]
		clear(out)
		back.product(out, a.c, canvas, &ws.backward, y0, y1)
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
func (a affine) gradInputEvents(c *Call, ws *weights) {
	dout, din := c.DOut, c.DIn[0]
	a.turn(ws, c.Params[0].Data)
	_, cw := a.canvas()
	size, run := a.pixels()*a.n, a.run()
	c.Pool.For(dout.Rows(), 1, func(id, r0, r1 int) {
		wk := &c.Workers[id]
		canvas := wk.slot(0, a.canvasSize())
		for r := r0; r < r1; r++ {
			clear(canvas)
			for p := range a.pixels() {
				g := dout.Data[r*size+p*a.n:][:a.n]
				wk.ints, wk.values = kernel.Nonzeros(wk.ints[:0], wk.values[:0], g, 0)
				to := canvas[(p/a.ow*cw+p%a.ow)*a.stride*a.c:]
				kernel.AddRowsMulti(a.kh, to, cw*a.c, ws.turned, a.n*run, run, run, wk.ints, wk.values)
			}
			a.crop(din.Data[r*a.units():][:a.units()], canvas)
		}
	})
}

// fillRows writes the bias (zeros for none) to each row.
func fillRows(pool *par.Pool, dst, bias []tensor.Float) {
	if bias == nil {
		clear(dst)
		return
	}
	n := len(bias)
	fill := func(dst []tensor.Float) {
		for i := 0; i < len(dst); i += n {
			copy(dst[i:], bias)
		}
	}
	rows := len(dst) / n
	pool.For(rows, max(1, tileElems/n), func(_, r0, r1 int) { fill(dst[r0*n : r1*n]) })
}

// tileElems is the elements of a piece of element-wise work.
const tileElems = 1 << 15
