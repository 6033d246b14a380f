package layer

import (
	"math/bits"

	"synfire/internal/kernel"
	"synfire/linmap"
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
type affine struct{ linmap.Map }

// EventDensity is the density of events below which they are added one by one
// instead of multiplied, and gradientDensity that below which the gradient of
// the weights is summed from them.
const (
	EventDensity    = linmap.EventDensity
	gradientDensity = 0.42
)

// eventDensity is EventDensity but for images of so few channels that a row of W is one vector: its
// sums are one chain, each waiting for the one before, where those of the product stand side by
// side. There an event takes as long as the product of five elements, and to find those of a
// pixel as long as that of a hundred.
func (a affine) eventDensity() float64 {
	if a.N > kernel.Panel()/2 || a.Linear() || kernel.Current() == kernel.Go {
		return EventDensity
	}
	return max(0, (1-100/float64(a.Patch()))/5)
}

// slabBytes is how much of W the events of many images are added from before
// the next columns are taken: what stays in a second-level cache. Where lists
// are short, a slab is wider than that: a call adds listElems elements at
// least, or calls would take more time than what they wait for.
const (
	slabBytes = 640 << 10
	listElems = 24000
)

// compiled takes up weights that have changed, in the memory of the compiled form before.
func compiled(old any, params []tensor.Tensor) *linmap.Weights {
	ws, _ := old.(*linmap.Weights)
	if ws == nil {
		ws = &linmap.Weights{}
	}
	ws.Renew(params[0].Data)
	return ws
}

func (c *Call) matrix() *linmap.Weights { return c.Weights.(*linmap.Weights) }

// eventful decides by the density of events and the one at which they stop to
// pay.
func (c *Call) eventful(density, most float64) bool {
	return c.Path == Events || c.Path == Auto && density < most
}

// sparse decides the same by counting the events of s, and leaves the counts in e. Of many
// images a sample tells at once where they are far from few.
func (c *Call) sparse(e *events, s *signal.Signal, most float64) bool {
	const many, far = 64, 0.1
	if c.Path == Dense || c.Path == Auto && s.Kind != signal.Spikes && s.Rows() >= many && sampledDensity(s) > most+far {
		return false
	}
	return c.eventful(e.count(c, s), most)
}

func (a affine) forward(c *Call, bias []tensor.Float) {
	in, out, e := c.In[0], c.Out, &c.Temp.events
	out.Reset(rowKind(in), in.T, in.B, c.Shape)
	c.start("product")
	work := Work{Dense: a.macs(out), Bytes: bytes(in) + bytes(out) + a.weightBytes()}
	if c.sparse(e, in, a.eventDensity()) {
		e.list(c, in, a.Window)
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
	return int64(out.Rows()) * int64(a.Pixels()) * int64(a.Patch()) * int64(a.N)
}

func (a affine) weightBytes() int64 { return floatBytes * int64(a.Patch()) * int64(a.N) }

// events completes the record of work that the events of e were enough for.
func (a affine) events(w Work, e *events) Work {
	w.Events, w.MACs = true, int64(float64(w.Dense)*float64(e.total)/float64(len(e.size)*a.Units()))
	return w
}

// forwardDense is the product of all patches.
func (a affine) forwardDense(c *Call, bias []tensor.Float) {
	in, out := c.In[0], c.Out
	fwd := a.Packed(c.Pool, c.matrix())
	if a.Identity() {
		fillRows(out.Data, bias)
		if in.Kind == signal.Spikes {
			a.forwardExpanded(c, fwd)
			return
		}
		kernel.MatMul(c.Pool, in.Rows()*a.Pixels(), in.Data, a.C, false, fwd, out.Data, a.N)
		return
	}
	eachBand(c, a.Window, in, job{a: a, x: bias, packed: fwd}, func(j *job, r, y0, y1 int, canvas []tensor.Float) {
		a, size := j.a, j.a.Pixels()*j.a.N
		rows := j.c.Out.Data[r*size+y0*a.OW*a.N : r*size+y1*a.OW*a.N]
		fillRows(rows, j.x)
		a.Product(rows, canvas, j.packed, y0, y1)
	})
}

// forwardEvents adds the rows of W that the events of a patch reach. Threads
// take images and bands of their rows; where W is large, one slab of columns
// after the other.
func (a affine) forwardEvents(c *Call, e *events, bias []tensor.Float) {
	images, slab, band := c.In[0].Rows(), a.slab(a.Patch(), e.total*a.Patch()/(len(e.size)*a.Units())), a.OH
	w, ld := a.Slab(c.matrix(), slab)
	slabs := (a.N + slab - 1) / slab
	if want := (4*c.Pool.Threads() + images*slabs - 1) / (images * slabs); want > 1 && c.Pool.Threads() > 1 {
		band = max(1, a.OH/want)
	}
	tasks := slabs * images * ((a.OH + band - 1) / band)
	c.each(tasks, grain(tasks, 16), job{a: a, e: e, x: bias, y: w, size: slab, part: ld, band: band}, func(j *job, _, i0, i1 int) {
		for i := i0; i < i1; i++ {
			j.a.forwardPiece(j, i)
		}
	})
}

// forwardPiece computes one band of one image for one slab.
func (a affine) forwardPiece(j *job, i int) {
	out := j.c.Out
	bands := (a.OH + j.band - 1) / j.band
	each := out.Rows() * bands
	j0, r, y0 := i/each*j.size, i%each/bands, i%bands*j.band
	n := min(j0+j.size, a.N) - j0
	w, ld := j.y[j0:], a.N
	if j.part != a.N {
		w, ld = j.y[j0*a.Patch():], n
	}
	e := j.e.of(r, a.H*a.W)
	image := out.Data[r*a.Pixels()*a.N:][:a.Pixels()*a.N]
	for y := y0; y < min(y0+j.band, a.OH); y++ {
		row := image[y*a.OW*a.N+j0 : (y+1)*a.OW*a.N]
		biasRow(row, a.N, n, a.OW, j.x, j0)
		a.AddRow(row, a.N, w, ld, n, y, e)
	}
}

// slab is the number of columns, of a matrix of rows, that lists of so many of
// them are added from at once.
func (a affine) slab(rows, list int) int {
	n := max(slabBytes/4/rows, listElems/max(1, list), 64) / 64 * 64
	if 2*n > a.N && a.N*rows*4 <= 2*slabBytes {
		return a.N
	}
	if a.N%256 == 0 { // linmap.Map.Slab keeps a copy of W for each size: few sizes
		n = 64 << (bits.Len(uint(n/64)) - 1)
	}
	return min(n, a.N)
}

// biasRow starts the chains of n columns, from j0 on, of count pixels.
func biasRow(dst []tensor.Float, ld, n, count int, bias []tensor.Float, j0 int) {
	if bias != nil {
		bias = bias[j0:][:n]
	}
	if n == ld {
		n, count = n*count, 1
	}
	for p := range count {
		fillRows(dst[p*ld:][:n], bias)
	}
}

// expandRows is the rows of spikes that one task turns into numbers at once.
const expandRows = 128

// forwardExpanded multiplies spikes as numbers.
func (a affine) forwardExpanded(c *Call, fwd *kernel.Packed) {
	c.each(c.In[0].Rows(), expandRows, job{a: a, packed: fwd}, func(j *job, id, r0, r1 int) {
		a, units, size := j.a, j.a.Units(), j.a.Pixels()*j.a.N
		x := j.c.Workers[id].slot(0, (r1-r0)*units)
		for r := r0; r < r1; r++ {
			j.c.In[0].ReadRow(x[(r-r0)*units:][:units], r)
		}
		kernel.MatMul(nil, (r1-r0)*a.Pixels(), x, a.C, false, j.packed, j.c.Out.Data[r0*size:], a.N)
	})
}

// eachBand calls f for bands of output rows of each image of s, with the
// canvas under them.
func eachBand(c *Call, g linmap.Window, s *signal.Signal, j job, f func(j *job, r, y0, y1 int, canvas []tensor.Float)) {
	images := s.Rows()
	j.g, j.s, j.f, j.band = g, s, f, bands(g, images, c.Pool.Threads())
	c.each(images*((g.OH+j.band-1)/j.band), 1, j, func(j *job, id, i0, i1 int) {
		g, wk, bands := j.g, &j.c.Workers[id], (j.g.OH+j.band-1)/j.band
		_, cw := g.Canvas()
		for i := i0; i < i1; i++ {
			r, y0 := i/bands, i%bands*j.band
			y1 := min(y0+j.band, g.OH)
			q0, q1 := g.RowsUnder(y0, y1)
			canvas := wk.slot(0, (q1-q0)*cw*g.C)
			g.Paint(canvas, imageOf(wk, j.s, r), q0, q1, 0, g.H)
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
	if a.Identity() {
		a.gradInputLinear(c)
		return w
	}
	if density := sampledDensity(dout); c.eventful(density, EventDensity) {
		a.gradInputEvents(c)
		w.Events, w.MACs = true, int64(density*float64(w.Dense))
		return w
	}
	back := a.Back()
	eachBand(c, back.Window, dout, job{a: affine{back}, packed: a.PackedBack(c.Pool, c.matrix())}, func(j *job, r, y0, y1 int, canvas []tensor.Float) {
		a, size := j.a, j.a.Pixels()*j.a.N
		out := j.c.DIn[0].Data[r*size+y0*a.OW*a.N : r*size+y1*a.OW*a.N]
		clear(out)
		a.Product(out, canvas, j.packed, y0, y1)
	})
	return w
}

// gradInputLinear is the product with W transposed. Where that is thin, it is
// memory that counts, and rows are cleared and summed while a cache holds them.
func (a affine) gradInputLinear(c *Call) {
	rows, packed := c.DOut.Rows()*a.Pixels(), a.PackedBack(c.Pool, c.matrix())
	if a.N > 64 {
		clear(c.DIn[0].Data)
		kernel.MatMul(c.Pool, rows, c.DOut.Data, a.N, false, packed, c.DIn[0].Data, a.C)
		return
	}
	c.each(rows, max(14, tileElems/a.C), job{a: a, packed: packed}, func(j *job, _, r0, r1 int) {
		out := j.c.DIn[0].Data[r0*j.a.C : r1*j.a.C]
		clear(out)
		kernel.MatMul(nil, r1-r0, j.c.DOut.Data[r0*j.a.N:], j.a.N, false, j.packed, out, j.a.C)
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
	c.each(c.DOut.Rows(), 1, job{a: a, x: a.Turned(c.matrix())}, func(j *job, id, r0, r1 int) {
		for r := r0; r < r1; r++ {
			j.a.scatter(j, &j.c.Workers[id], r)
		}
	})
}

// scatter spreads the errors of image r.
func (a affine) scatter(j *job, wk *Worker, r int) {
	canvas := wk.slot(0, a.CanvasSize())
	clear(canvas)
	for p := range a.Pixels() {
		g := j.c.DOut.Data[(r*a.Pixels()+p)*a.N:][:a.N]
		wk.ints, wk.values = kernel.Nonzeros(wk.ints[:0], wk.values[:0], g, 0)
		a.Scatter(canvas, j.x, p/a.OW, p%a.OW, wk.ints, wk.values)
	}
	a.Crop(j.c.DIn[0].Data[r*a.Units():][:a.Units()], canvas)
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

// imageOf is stored row r of s as numbers, in place or, for spikes, in the
// worker's slot 1.
func imageOf(w *Worker, s *signal.Signal, r int) []tensor.Float {
	if s.Kind != signal.Spikes {
		return s.Data[r*s.Units():][:s.Units()]
	}
	img := w.slot(1, s.Units())
	kernel.Expand(img, s.Raster.Row(r), 0)
	return img
}

// bands is the number of output rows that one task computes: few enough to
// keep the canvas under them in the cache and all threads busy.
func bands(g linmap.Window, images, threads int) int {
	_, cw := g.Canvas()
	rows := max(1, canvasElems/(cw*g.C*g.StrideH))
	if want := (4*threads + images - 1) / images; want > 1 {
		rows = min(rows, (g.OH+want-1)/want)
	}
	return max(1, min(rows, g.OH))
}

// canvasElems is the most elements of a worker's canvas: half of a 1 MiB cache.
const canvasElems = 1 << 17
