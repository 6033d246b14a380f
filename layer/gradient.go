package layer

import (
	"synfire/internal/kernel"
	"synfire/signal"
	"synfire/tensor"
)

// rowBlock is the most rows (samples, pixels) that one chain of a weight's
// gradient sums: whole images as far as they fit, else whole rows of one image,
// but at least one of these.
const rowBlock = 4096

// block is the rows of one chain: output rows [y0, y1) of samples [b0, b1).
type block struct{ b0, b1, y0, y1 int }

// blocks are the chains of one step of b samples, in the order in which their
// sums are added.
func (a affine) blocks(dst []block, b int) []block {
	dst = dst[:0]
	if images := rowBlock / a.Pixels(); images > 0 {
		for b0 := 0; b0 < b; b0 += images {
			dst = append(dst, block{b0, min(b0+images, b), 0, a.OH})
		}
		return dst
	}
	rows := max(1, rowBlock/a.OW)
	for s := range b {
		for y := 0; y < a.OH; y += rows {
			dst = append(dst, block{s, s + 1, y, min(y+rows, a.OH)})
		}
	}
	return dst
}

// steps is the number of steps that a signal stores: one for Constant.
func steps(s *signal.Signal) int { return s.Rows() / s.B }

func (a affine) gradBias(c *Call) {
	n, t, db := a.N, c.Temp, c.DParams[1]
	t.blocks = a.blocks(t.blocks, c.DOut.B)
	count := steps(c.DOut) * len(t.blocks)
	parts := t.slot(0, count*n)
	c.each(count, 1, job{a: a, blocks: t.blocks, y: parts}, func(j *job, _, i0, i1 int) {
		n := j.a.N
		for i := i0; i < i1; i++ {
			part := j.y[i*n:][:n]
			lo, hi := j.a.rowsOf(j.c.DOut.B, i/len(j.blocks), j.blocks[i%len(j.blocks)])
			clear(part)
			kernel.ColumnSums(part, j.c.DOut.Data[lo*n:hi*n], n, hi-lo)
		}
	})
	for s := steps(c.DOut) - 1; s >= 0; s-- {
		for k := range t.blocks {
			kernel.Add(db, parts[(s*len(t.blocks)+k)*n:][:n])
		}
	}
}

// rowsOf is the rows of outputs of a block of a step.
func (a affine) rowsOf(b, step int, k block) (lo, hi int) {
	return (step*b+k.b0)*a.Pixels() + k.y0*a.OW, (step*b+k.b1-1)*a.Pixels() + k.y1*a.OW
}

// gradWeights chooses the path by the events of the input.
func (a affine) gradWeights(c *Call) Work {
	in, t := c.In[0], c.Temp
	t.blocks = a.blocks(t.blocks, in.B)
	w := Work{Dense: a.macs(c.DOut), Bytes: bytes(in) + bytes(c.DOut) + a.weightBytes()}
	w.MACs = w.Dense
	switch eventful := c.sparse(&t.events, in, gradientDensity); {
	case eventful && a.Linear():
		a.gradLinearEvents(c)
		return a.events(w, &t.events)
	case eventful && !a.Dilated():
		a.gradConvEvents(c)
		return a.events(w, &t.events)
	case a.Identity() && in.Kind != signal.Spikes:
		a.gradLinear(c)
	case a.Linear():
		a.gradExpanded(c)
	default:
		a.gradConv(c)
	}
	return w
}

// gradLinear is the dense product of inputs, as they stand, with errors.
func (a affine) gradLinear(c *Call) {
	part := c.Temp.slot(0, a.C*a.N)
	c.each(a.C, pieces(a.C, c.Pool.Threads()), job{a: a, y: part, blocks: c.Temp.blocks}, func(j *job, _, k0, k1 int) {
		a, in, n, p := j.a, j.c.In[0], j.a.N, j.y[k0*j.a.N:k1*j.a.N]
		for s := steps(in) - 1; s >= 0; s-- {
			for _, k := range j.blocks {
				lo, hi := a.rowsOf(in.B, s, k)
				clear(p)
				kernel.MulOuter(hi-lo, k1-k0, n, in.Data[lo*a.C+k0:], a.C, j.c.DOut.Data[lo*n:], n, p, n)
				kernel.Add(j.c.DParams[0][k0*n:k1*n], p)
			}
		}
	})
}

// gradExpanded is gradLinear for the spikes of a linear map, turned into numbers
// block by block.
func (a affine) gradExpanded(c *Call) {
	in, t := c.In[0], c.Temp
	j := job{a: a, y: t.slot(0, a.C*a.N)}
	for j.step = steps(in) - 1; j.step >= 0; j.step-- {
		for _, j.block = range t.blocks {
			j.x = t.slot(1, (j.block.b1-j.block.b0)*a.C)
			c.each(j.block.b1-j.block.b0, expandRows, j, func(j *job, _, i0, i1 int) {
				for i := i0; i < i1; i++ {
					j.c.In[0].ReadRow(j.x[i*j.a.C:][:j.a.C], j.step*j.c.In[0].B+j.block.b0+i)
				}
			})
			c.each(a.C, pieces(a.C, c.Pool.Threads()), j, func(j *job, _, k0, k1 int) {
				a, n, p := j.a, j.a.N, j.y[k0*j.a.N:k1*j.a.N]
				lo, hi := a.rowsOf(j.c.In[0].B, j.step, j.block)
				clear(p)
				kernel.MulOuter(hi-lo, k1-k0, n, j.x[k0:], a.C, j.c.DOut.Data[lo*n:], n, p, n)
				kernel.Add(j.c.DParams[0][k0*n:k1*n], p)
			})
		}
	}
}

// pieces is the size of the ranges of n that keep threads busy.
func pieces(n, threads int) int {
	if threads == 1 {
		return n
	}
	return max(14, (n/(4*threads)+13)/14*14)
}

// gradConv is the dense product of patches with errors. The canvases of a
// block's images are painted first; then threads split the patch.
func (a affine) gradConv(c *Call) {
	in, t := c.In[0], c.Temp
	size, piece := a.CanvasSize(), min(pieces(a.Patch(), c.Pool.Threads()), a.Run())
	j := job{a: a, size: size, part: piece, parts: (a.Run() + piece - 1) / piece, y: t.slot(0, a.Patch()*a.N)}
	for j.step = steps(in) - 1; j.step >= 0; j.step-- {
		for _, j.block = range t.blocks {
			j.x = t.slot(1, (j.block.b1-j.block.b0)*size)
			c.each(j.block.b1-j.block.b0, 1, j, func(j *job, id, i0, i1 int) {
				a, in := j.a, j.c.In[0]
				ch, _ := a.Canvas()
				for i := i0; i < i1; i++ {
					img := imageOf(&j.c.Workers[id], in, j.step*in.B+j.block.b0+i)
					a.Paint(j.x[i*j.size:][:j.size], img, 0, ch, 0, a.H)
				}
			})
			c.each(a.Patch()/a.Run()*j.parts, 1, j, func(j *job, _, i0, i1 int) {
				for i := i0; i < i1; i++ {
					run := i / j.parts * j.a.Run()
					q := i % j.parts * j.part
					j.a.outer(j, run+q, run+min(q+j.part, j.a.Run()))
				}
			})
		}
	}
}

// outer sums one block for elements [lo, hi) of the patch.
func (a affine) outer(j *job, lo, hi int) {
	n, k, size := a.N, j.block, a.Pixels()*a.N
	p := j.y[lo*n : hi*n]
	clear(p)
	errors := j.c.DOut.Data[(j.step*j.c.DOut.B+k.b0)*size:][:(k.b1-k.b0)*size]
	a.OuterOn(p, j.x, errors, k.b1-k.b0, lo, hi, k.y0, k.y1)
	kernel.Add(j.c.DParams[0][lo*n:hi*n], p)
}

// columns lists, for each of a range of inputs, the rows of errors that its
// events reach, step after step from the last; chains end where ends says.
type columns struct {
	rows  []int32
	val   []tensor.Float
	ends  []int32
	first []span // of each input
}

// span is where an input's rows and ends begin.
type span struct{ row, end int }

// columnBlock is the inputs whose lists one task makes.
const columnBlock = 32

// gradLinearEvents adds, for each input, the errors of the steps and samples
// in which it is not zero. Lists are made first; then threads take ranges of
// inputs, one slab of columns of the errors after the other.
func (a affine) gradLinearEvents(c *Call) {
	in, t, n := c.In[0], c.Temp, a.N
	t.transposeSteps(c, in, steps(in), a.C)
	lists := (a.C + columnBlock - 1) / columnBlock
	t.columns = resize(t.columns, max(lists, len(t.columns)))
	c.each(lists, 1, job{a: a}, func(j *job, _, i0, i1 int) {
		for i := i0; i < i1; i++ {
			j.a.listColumns(j.c, &j.c.Temp.columns[i], i*columnBlock, min((i+1)*columnBlock, j.a.C))
		}
	})
	slab := a.slab(c.DOut.Rows(), t.events.total/a.C)
	c.each((n+slab-1)/slab*lists, 1, job{a: a, size: slab, parts: lists}, func(j *job, _, i0, i1 int) {
		for i := i0; i < i1; i++ {
			at := i % j.parts
			j.a.sumColumns(j, &j.c.Temp.columns[at], at*columnBlock, i/j.parts*j.size)
		}
	})
}

// sumColumns adds the listed errors of one slab of columns to the gradients of
// the inputs from k0 on.
func (a affine) sumColumns(j *job, l *columns, k0, j0 int) {
	n, width := a.N, min(j.size, a.N-j0)
	for k := range len(l.first) - 1 {
		f, g := l.first[k], l.first[k+1]
		if f.row == g.row {
			continue
		}
		var val []tensor.Float
		if len(l.val) > 0 {
			val = l.val[f.row:g.row]
		}
		at := (k0+k)*n + j0
		kernel.SumRows(1, j.c.DParams[0][at:at+width], 0, j.c.DOut.Data[j0:], 0, n, width, l.rows[f.row:g.row], val, l.ends[f.end:g.end])
	}
}

// transposeSteps turns the bits (of non-zero elements) of each step, a row for
// each sample, into a row for each unit.
func (t *Temp) transposeSteps(c *Call, in *signal.Signal, count, units int) {
	t.transpose(c, in, 0, count, in.B, in.B, units, 64*((units+63)/64))
}

// transposeImages turns the bits of count images from row r0 of in's into a
// row of pixels for each channel.
func (t *Temp) transposeImages(c *Call, in *signal.Signal, r0, count, channels int) {
	t.transpose(c, in, r0, count, 1, in.Units()/channels, channels, channels)
}

// transpose turns tables of bits, each in per stored rows of in from row r0 on:
// their element (row, col) is bit row·ld + col.
func (t *Temp) transpose(c *Call, in *signal.Signal, r0, count, per, rows, cols, ld int) {
	words := (in.Units() + 63) / 64
	t.words = (rows + 63) / 64
	t.turned = resize(t.turned, count*cols*t.words)
	if in.Kind != signal.Spikes {
		t.bits = resize(t.bits, count*per*words)
	}
	c.each(count, 1, job{s: in, step: r0, size: per, part: ld, parts: cols, band: rows}, func(j *job, _, i0, i1 int) {
		t := j.c.Temp
		for i := i0; i < i1; i++ {
			bits := t.bitsOf(j.s, i*j.size, j.step+i*j.size, j.size)
			kernel.TransposeBits(t.turned[i*j.parts*t.words:], t.words, bits, j.part, j.band, j.parts)
		}
	})
}

// bitsOf is the bits of n stored rows from lo on: of spikes in place, of other
// kinds where they are not zero, in t.bits from row at.
func (t *Temp) bitsOf(in *signal.Signal, at, lo, n int) []uint64 {
	words := (in.Units() + 63) / 64
	if in.Kind == signal.Spikes {
		return in.Raster.Bits[lo*words : (lo+n)*words]
	}
	bits := t.bits[at*words:][:n*words]
	for i := range n {
		kernel.NonzeroBits(bits[i*words:][:words], in.Data[(lo+i)*in.Units():][:in.Units()])
	}
	return bits
}

// listColumns lists inputs [k0, k1).
func (a affine) listColumns(c *Call, l *columns, k0, k1 int) {
	in, t := c.In[0], c.Temp
	l.rows, l.val, l.ends, l.first = l.rows[:0], l.val[:0], l.ends[:0], l.first[:0]
	for k := k0; k < k1; k++ {
		l.first = append(l.first, span{len(l.rows), len(l.ends)})
		from := len(l.rows)
		for s := steps(in) - 1; s >= 0; s-- {
			bits := t.turned[(s*a.C+k)*t.words:][:t.words]
			if len(bits) == 1 && bits[0] == 0 {
				continue
			}
			for _, b := range t.blocks {
				before := len(l.rows)
				l.rows = kernel.Indices(l.rows, bits, b.b0, b.b1, int32(s*in.B+b.b0))
				if len(l.rows) > before {
					l.ends = append(l.ends, int32(len(l.rows)-from))
				}
			}
		}
		if in.Kind != signal.Spikes {
			for _, r := range l.rows[from:] {
				l.val = append(l.val, in.Data[int(r)*a.C+k])
			}
		}
	}
	l.first = append(l.first, span{len(l.rows), len(l.ends)})
}

// groupElems is the most elements of the canvases that are painted at once.
const groupElems = 1 << 20

// gradConvEvents adds, for each channel and row of the kernel, the errors that
// its events reach: on the canvas of the errors, those of all taps of a row
// are adjacent, and one list of events serves all taps. Sums are kept as
// [kh, c, kw, n] with the taps from the last to the first, the order on the
// canvas, and brought back at the end.
func (a affine) gradConvEvents(c *Call) {
	in, t := c.In[0], c.Temp
	a.place(t)
	wide := t.slot(0, a.Patch()*a.N)
	a.widen(wide, c.DParams[0])
	size, whole := a.Back().CanvasSize(), a.Pixels() <= rowBlock
	for s := steps(in) - 1; s >= 0; s-- {
		for i := 0; i < len(t.blocks); {
			j, first := i+1, t.blocks[i].b0
			for whole && j < len(t.blocks) && (t.blocks[j].b1-first)*size <= groupElems {
				j++
			}
			a.gradConvGroup(c, wide, s, t.blocks[i:j])
			i = j
		}
	}
	a.narrow(c.DParams[0], wide)
}

// gradConvGroup adds the sums of blocks of one step. Threads take ranges of
// channels, and these one image after the other: its canvas stays in the cache
// while their lists pass.
func (a affine) gradConvGroup(c *Call, wide []tensor.Float, step int, blocks []block) {
	t, back := c.Temp, a.Back()
	b0, b1, size := blocks[0].b0, blocks[len(blocks)-1].b1, back.CanvasSize()
	j := job{a: a, g: back.Window, step: step, blocks: blocks, size: size, x: t.slot(1, (b1-b0)*size), y: wide}
	c.each(b1-b0, 1, j, func(j *job, _, i0, i1 int) {
		ch, _ := j.g.Canvas()
		first, out := j.blocks[0], j.a.Pixels()*j.a.N
		for i := i0; i < i1; i++ {
			errors := j.c.DOut.Data[(j.step*j.c.DOut.B+first.b0+i)*out:][:out]
			j.g.Paint(j.x[i*j.size:][:j.size], errors, 0, ch, first.y0, first.y1)
		}
	})
	t.transposeImages(c, c.In[0], step*c.In[0].B+b0, b1-b0, a.C)
	channels := a.C
	if threads := c.Pool.Threads(); threads > 1 {
		channels = (a.C + 4*threads - 1) / (4 * threads)
	}
	c.each(a.C, channels, j, func(j *job, id, k0, k1 int) {
		for _, bl := range j.blocks {
			j.a.sumChannels(j, &j.c.Workers[id], bl, k0, k1)
		}
	})
}

// sumChannels adds the sums of one block for channels [k0, k1).
func (a affine) sumChannels(j *job, wk *Worker, bl block, k0, k1 int) {
	run, channels := a.KW*a.N, k1-k0
	_, cw := j.g.Canvas()
	part := wk.slot(2, a.KH*channels*run)
	clear(part)
	for b := bl.b0; b < bl.b1; b++ {
		canvas := j.x[(b-j.blocks[0].b0)*j.size:][:j.size]
		for k := k0; k < k1; k++ {
			a.listChannel(wk, j, bl, b, k)
			values := wk.values
			if j.c.In[0].Kind == signal.Spikes {
				values = nil
			}
			kernel.AddRowsMulti(a.KH, part[(k-k0)*run:], channels*run, canvas, cw*a.N, a.N, run, wk.ints, values)
		}
	}
	for i := range a.KH {
		kernel.Add(j.y[(i*a.C+k0)*run:(i*a.C+k1)*run], part[i*channels*run:][:channels*run])
	}
}

// listChannel lists the canvas pixels under the events of channel k of image b
// that the block's rows see, and the events' values where they are not spikes.
func (a affine) listChannel(wk *Worker, j *job, bl block, b, k int) {
	in, t := j.c.In[0], j.c.Temp
	bits := t.turned[((b-j.blocks[0].b0)*a.C+k)*t.words:][:t.words]
	y0, y1 := max(0, bl.y0*a.StrideH-a.PadTop), min(a.H, (bl.y1-1)*a.StrideH-a.PadTop+a.KH)
	wk.ints, wk.values = kernel.Indices(wk.ints[:0], bits, y0*a.W, y1*a.W, int32(y0*a.W)), wk.values[:0]
	if in.Kind != signal.Spikes {
		img := in.Data[(j.step*in.B+b)*a.Units()+k:]
		for _, p := range wk.ints {
			wk.values = append(wk.values, img[int(p)*a.C])
		}
	}
	for i, p := range wk.ints {
		wk.ints[i] = t.places[p]
	}
}

// place maps the pixels of an image to those of the canvas of errors.
func (a affine) place(t *Temp) {
	_, cw := a.Back().Canvas()
	t.places = resize(t.places, a.H*a.W)
	for y := range a.H {
		for x := range a.W {
			t.places[y*a.W+x] = int32(y*cw + x)
		}
	}
}

// widen brings a gradient [kh, kw, c, n] into the order of gradConvEvents.
func (a affine) widen(wide, dw []tensor.Float) {
	a.eachTap(func(w, d int) { copy(wide[w:w+a.N], dw[d:d+a.N]) })
}

// narrow is the inverse of widen.
func (a affine) narrow(dw, wide []tensor.Float) {
	a.eachTap(func(w, d int) { copy(dw[d:d+a.N], wide[w:w+a.N]) })
}

func (a affine) eachTap(f func(wide, w int)) {
	for i := range a.KH {
		for j := range a.KW {
			for k := range a.C {
				f((((a.KH-1-i)*a.C+k)*a.KW+a.KW-1-j)*a.N, ((i*a.KW+j)*a.C+k)*a.N)
			}
		}
	}
}
