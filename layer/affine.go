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
// rows (sample, pixel) of one step that restarts every 4,096 rows, and these
// partial sums are added from the last step to the first. An error at the
// input is one chain over (pixel, channel) of the outputs that see it.
type affine struct {
	window
	n int
}

// EventDensity is the density of spikes below which they are added by event.
const EventDensity = 0.25

const (
	rowBlock  = 4096    // rows of a chain of a weight's gradient
	tileElems = 1 << 15 // elements of a tile of patches: half of a 256 KiB cache
)

// weights is an affine map's compiled form.
type weights struct {
	forward, backward kernel.Packed
	flipped           []tensor.Float
}

func (a affine) compile(old any, pool *par.Pool, w tensor.Tensor, train bool) *weights {
	ws, _ := old.(*weights)
	if ws == nil {
		ws = &weights{}
	}
	ws.forward.Pack(pool, w.Data, a.n, a.patch(), a.n, false)
	if !train {
		return ws
	}
	if a.kh*a.kw == 1 {
		ws.backward.Pack(pool, w.Data, a.n, a.n, a.c, true)
		return ws
	}
	a.flip(ws, w.Data)
	ws.backward.Pack(pool, ws.flipped, a.c, a.kh*a.kw*a.n, a.c, false)
	return ws
}

// flip writes the weights of the transposed window: row (i, j, out), column
// in, of the kernel turned by 180°.
func (a affine) flip(ws *weights, w []tensor.Float) {
	ws.flipped = tensor.Resize(ws.flipped, len(w))
	taps := a.kh * a.kw
	for tap := range taps {
		src, dst := w[tap*a.c*a.n:], ws.flipped[(taps-1-tap)*a.c*a.n:]
		for ci := range a.c {
			for co := range a.n {
				dst[co*a.c+ci] = src[ci*a.n+co]
			}
		}
	}
}

// tileRows is the number of patches of k elements in a tile.
func tileRows(k int) int { return min(max(tileElems/k, 8), 256) }

// byEvent chooses the path for a signal.
func (c *Call) byEvent(in *signal.Signal) bool {
	if in.Kind != signal.Spikes || c.Path == Dense {
		return false
	}
	return c.Path == Events || in.Density() < EventDensity
}

func (a affine) forward(c *Call, shape tensor.Shape, bias []tensor.Float) {
	in, out := c.In[0], c.Out
	out.Reset(rowKind(in), in.T, in.B, shape)
	rows, n := in.Rows()*a.pixels(), a.n
	fwd := &c.Weights.(*weights).forward
	switch {
	case c.byEvent(in):
		w := c.Params[0].Data
		c.Pool.For(rows, 64, func(id, r0, r1 int) {
			fillRows(out.Data[r0*n:r1*n], bias, n)
			wk := &c.Workers[id]
			for r := r0; r < r1; r++ {
				wk.ints = a.events(wk.ints[:0], in.Raster.Row(r/a.pixels()), r%a.pixels())
				kernel.AddRows(out.Data[r*n:][:n], w, n, wk.ints)
			}
		})
	case in.Kind != signal.Spikes && a.identity():
		fillRows(out.Data, bias, n)
		kernel.MatMul(c.Pool, rows, in.Data, a.c, false, fwd, out.Data, n)
	default:
		c.Pool.For(rows, tileRows(a.patch()), func(id, r0, r1 int) {
			fillRows(out.Data[r0*n:r1*n], bias, n)
			t := a.tile(&c.Workers[id], in, r0, r1, 0, a.patch())
			kernel.MatMul(nil, r1-r0, t, a.patch(), false, fwd, out.Data[r0*n:], n)
		})
	}
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
	dout, din := c.DOut, c.DIn[0]
	bwd := &c.Weights.(*weights).backward
	clear(din.Data)
	rows := din.Rows() * a.h * a.w
	if a.identity() {
		kernel.MatMul(c.Pool, rows, dout.Data, a.n, false, bwd, din.Data, a.c)
		return
	}
	back := a.transpose(a.n)
	c.Pool.For(rows, tileRows(back.patch()), func(id, r0, r1 int) {
		t := back.tile(&c.Workers[id], dout, r0, r1, 0, back.patch())
		kernel.MatMul(nil, r1-r0, t, back.patch(), false, bwd, din.Data[r0*a.c:], a.c)
	})
}

// eachBlock calls f for the row ranges of the chains, in the order in which
// their sums are added. stepRows is the number of rows of a step.
func eachBlock(s *signal.Signal, stepRows int, f func(r0, r1 int)) {
	for t := s.Rows()/s.B - 1; t >= 0; t-- {
		for lo := 0; lo < stepRows; lo += rowBlock {
			f(t*stepRows+lo, t*stepRows+min(lo+rowBlock, stepRows))
		}
	}
}

func (a affine) gradBias(c *Call) {
	dy, db, n := c.DOut.Data, c.DParams[1], a.n
	part := c.Scratch.slot(0, n)
	eachBlock(c.DOut, c.DOut.B*a.pixels(), func(r0, r1 int) {
		c.Pool.For(n, 16, func(_, j0, j1 int) {
			p := part[j0:j1]
			clear(p)
			for r := r0; r < r1; r++ {
				for j, g := range dy[r*n+j0 : r*n+j1] {
					p[j] += g
				}
			}
			for j, g := range p {
				db[j0+j] += g
			}
		})
	})
}

func (a affine) gradWeights(c *Call) {
	if c.byEvent(c.In[0]) {
		a.gradWeightsEvents(c)
		return
	}
	in, dy, dw := c.In[0], c.DOut.Data, c.DParams[0]
	k, n := a.patch(), a.n
	part := c.Scratch.slot(1, k*n)
	packed := &c.Scratch.packed
	direct := in.Kind != signal.Spikes && a.identity()
	step := tileRows(k)
	if direct {
		step = rowBlock
	}
	grain := max(16, (k/c.Pool.Threads()+15)/16*16)
	eachBlock(c.DOut, c.DOut.B*a.pixels(), func(r0, r1 int) {
		clear(part)
		for lo := r0; lo < r1; lo += step {
			hi := min(lo+step, r1)
			packed.Pack(c.Pool, dy[lo*n:hi*n], n, hi-lo, n, false)
			c.Pool.For(k, grain, func(id, k0, k1 int) {
				if direct {
					kernel.MatMul(nil, k1-k0, in.Data[lo*k+k0:], k, true, packed, part[k0*n:], n)
					return
				}
				t := a.tile(&c.Workers[id], in, lo, hi, k0, k1)
				kernel.MatMul(nil, k1-k0, t, k1-k0, true, packed, part[k0*n:], n)
			})
		}
		c.Pool.For(k*n, tileElems, func(_, lo, hi int) {
			for i, g := range part[lo:hi] {
				dw[lo+i] += g
			}
		})
	})
}

// gradWeightsEvents adds, for each weight row, the errors of the rows that a
// spike reached through it: a chain of the same terms as the product's, less
// those that are zero.
func (a affine) gradWeightsEvents(c *Call) {
	in, dw, n := c.In[0], c.DParams[0], a.n
	stepRows := in.B * a.pixels()
	for t := in.T - 1; t >= 0; t-- {
		first, spikes := a.channelLists(c, t)
		dy := c.DOut.Data[t*stepRows*n:][:stepRows*n]
		c.Pool.For(a.patch(), 16, func(id, k0, k1 int) {
			wk := &c.Workers[id]
			sum := wk.slot(0, n)
			for k := k0; k < k1; k++ {
				ch := k % a.c
				tap := k / a.c
				wk.ints = a.rowsOf(wk.ints[:0], spikes[first[ch]:first[ch+1]], tap/a.kw, tap%a.kw)
				addBlocks(dw[k*n:][:n], sum, dy, wk.ints)
			}
		})
	}
}

// addBlocks adds the listed rows of dy to dw, in chains of rowBlock rows.
func addBlocks(dw, sum, dy []tensor.Float, rows []int32) {
	for len(rows) > 0 {
		end := (rows[0]/rowBlock + 1) * rowBlock
		i := len(rows)
		if rows[i-1] >= end {
			for i = 0; rows[i] < end; i++ {
			}
		}
		clear(sum)
		kernel.AddRows(sum, dy, len(sum), rows[:i])
		for j, g := range sum {
			dw[j] += g
		}
		rows = rows[i:]
	}
}

// place is where a spike stands: its sample and its pixel.
type place struct{ b, y, x int32 }

// channelLists sorts the spikes of step t by channel: those of channel ch are
// places[first[ch]:first[ch+1]], ascending.
func (a affine) channelLists(c *Call, t int) (first []int32, places []place) {
	in, wk, s := c.In[0], &c.Workers[0], c.Scratch
	s.first = append(s.first[:0], make([]int32, a.c+2)...)
	first = s.first
	for b := range in.B {
		wk.ints = kernel.Indices(wk.ints[:0], in.Raster.Row(t*in.B+b), 0, a.units(), 0)
		for _, u := range wk.ints {
			first[int(u)%a.c+2]++
		}
	}
	for i := 2; i < len(first); i++ {
		first[i] += first[i-1]
	}
	s.places = append(s.places[:0], make([]place, first[a.c+1])...)
	places = s.places
	for b := range in.B {
		wk.ints = kernel.Indices(wk.ints[:0], in.Raster.Row(t*in.B+b), 0, a.units(), 0)
		for _, u := range wk.ints {
			pixel, ch := int(u)/a.c, int(u)%a.c
			places[first[ch+1]] = place{int32(b), int32(pixel / a.w), int32(pixel % a.w)}
			first[ch+1]++
		}
	}
	return first, places
}

// rowsOf appends the output rows (sample, y, x) that see the given spikes
// through tap (i, j).
func (a affine) rowsOf(dst []int32, spikes []place, i, j int) []int32 {
	oh, ow, stride := int32(a.oh), int32(a.ow), int32(a.stride)
	dy, dx := int32(a.padH-i), int32(a.padW-j)
	for _, p := range spikes {
		y, x := p.y+dy, p.x+dx
		if stride != 1 {
			if y < 0 || x < 0 || y%stride != 0 || x%stride != 0 {
				continue
			}
			y, x = y/stride, x/stride
		}
		if uint32(y) < uint32(oh) && uint32(x) < uint32(ow) {
			dst = append(dst, (p.b*oh+y)*ow+x)
		}
	}
	return dst
}

// fillRows writes the bias (zeros for none) to each row of n.
func fillRows(dst, bias []tensor.Float, n int) {
	if bias == nil {
		clear(dst)
		return
	}
	for i := 0; i < len(dst); i += n {
		copy(dst[i:], bias)
	}
}
