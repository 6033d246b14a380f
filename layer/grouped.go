package layer

import (
	"fmt"

	"synfire/internal/kernel"
	"synfire/signal"
	"synfire/spike"
	"synfire/tensor"
)

// The convolutions of Conv2D with Groups > 1. Where a group has one input
// channel the convolution is depthwise: each output is a chain of products of
// vectors of channels. Other groups are convolutions of their own, of copies of
// their channels.
//
// Order of summation: as of affine within a group. In a depthwise convolution a
// chain of a weight's gradient restarts at each step and sample, and where a
// channel has several outputs, its error is the sum of one chain for each of
// them, in ascending order.

// checkGroups returns an error unless the groups divide both channels.
func (l Conv2D) checkGroups(channels int) error {
	if l.Groups >= 0 && (l.Groups <= 1 || channels%l.Groups == 0 && l.Out%l.Groups == 0) {
		return nil
	}
	return fmt.Errorf("conv2d: groups is %d for %d channels in and %d out, want a number that divides both; %d makes it depthwise where out is a multiple of it", l.Groups, channels, l.Out, channels)
}

func (l Conv2D) grouped() bool { return l.Groups > 1 }

// depthwise reports whether a group has one input channel. Dilated ones go the way of
// other groups.
func (l Conv2D) depthwise(in tensor.Shape) bool {
	return l.Groups == in[2] && !l.affine([]tensor.Shape{in}).Dilated()
}

// group is the convolution of one group.
func (l Conv2D) group(in tensor.Shape) affine {
	a := l.affine([]tensor.Shape{in})
	a.C /= l.Groups
	a.N /= l.Groups
	return a
}

// grouped is the compiled form: the weights and bias of each group.
type grouped struct {
	params  [][]tensor.Tensor
	weights []any
}

func (l Conv2D) compileGroups(old any, params []tensor.Tensor, in tensor.Shape) any {
	a := l.group(in)
	gs, _ := old.(*grouped)
	if gs == nil {
		gs = &grouped{params: make([][]tensor.Tensor, l.Groups), weights: make([]any, l.Groups)}
		for g := range gs.params {
			gs.params[g] = []tensor.Tensor{tensor.New(a.KH, a.KW, a.C, a.N), tensor.New(a.N)}[:len(params)]
		}
	}
	for g := range l.Groups {
		for k, p := range params {
			copyColumns(gs.params[g][k].Data, a.N, 0, p.Data, l.Out, g*a.N, a.N)
		}
		gs.weights[g] = compiled(gs.weights[g], gs.params[g])
	}
	return gs
}

// copyColumns copies n columns of src, rows of ls elements, from column j on to
// column i of dst, rows of ld.
func copyColumns(dst []tensor.Float, ld, i int, src []tensor.Float, ls, j, n int) {
	for r := range len(src) / ls {
		copy(dst[r*ld+i:][:n], src[r*ls+j:])
	}
}

// groupSignals are the parts of the signals that belong to one group.
type groupSignals struct {
	in, out, dout, din signal.Signal
	dparams            [2][]tensor.Float
}

// takeGroup writes channels [j, j+n) of each pixel of s to dst.
func takeGroup(c *Call, dst, s *signal.Signal, j, n int) {
	all := channels(s.Shape)
	dst.Reset(s.Kind, s.T, s.B, tensor.Shape{s.Shape[0], s.Shape[1], n})
	units := s.Units()
	c.Pool.For(s.Rows(), max(tileElems/units, 1), func(_, r0, r1 int) {
		if s.Kind != signal.Spikes {
			copyColumns(dst.Data[r0*units/all*n:r1*units/all*n], n, 0, s.Data[r0*units:r1*units], all, j, n)
			return
		}
		for r := r0; r < r1; r++ {
			for p := range units / all {
				spike.Or(dst.Raster.Row(r), p*n, s.Raster.Row(r), p*all+j, n)
			}
		}
	})
}

// giveGroup writes a group's signal back to channels [j, j+n) of dst.
func giveGroup(dst, s *signal.Signal, j int) {
	n := channels(s.Shape)
	copyColumns(dst.Data, channels(dst.Shape), j, s.Data, n, 0, n)
}

// forwardGroups computes one group after the other.
func (l Conv2D) forwardGroups(c *Call) {
	in, out := c.In[0], c.Out
	if l.depthwise(in.Shape) {
		l.forwardDepthwise(c)
		return
	}
	a, gs, s := l.group(in.Shape), c.Weights.(*grouped), &c.Temp.group
	out.Reset(rowKind(in), in.T, in.B, c.Shape)
	for g := range l.Groups {
		takeGroup(c, &s.in, in, g*a.C, a.C)
		sub := *c
		sub.In, sub.Out, sub.Shape = []*signal.Signal{&s.in}, &s.out, tensor.Shape{a.OH, a.OW, a.N}
		sub.Params, sub.Weights, sub.TakeIn = gs.params[g], gs.weights[g], false
		a.forward(&sub, sub.bias())
		giveGroup(out, &s.out, g*a.N)
	}
}

// backwardGroups goes back through one group after the other.
func (l Conv2D) backwardGroups(c *Call) {
	in := c.In[0]
	if l.depthwise(in.Shape) {
		l.backwardDepthwise(c)
		return
	}
	a, gs, s := l.group(in.Shape), c.Weights.(*grouped), &c.Temp.group
	for g := range l.Groups {
		takeGroup(c, &s.in, in, g*a.C, a.C)
		takeGroup(c, &s.dout, c.DOut, g*a.N, a.N)
		sub := *c
		sub.In, sub.DOut, sub.DIn = []*signal.Signal{&s.in}, &s.dout, []*signal.Signal{nil}
		sub.Params, sub.Weights, sub.DParams = gs.params[g], gs.weights[g], nil
		for k, d := range c.DParams {
			s.dparams[k] = tensor.Resize(s.dparams[k], len(gs.params[g][k].Data))
			copyColumns(s.dparams[k], a.N, 0, d, l.Out, g*a.N, a.N)
			sub.DParams = append(sub.DParams, s.dparams[k])
		}
		if din := c.DIn[0]; din != nil {
			s.din.Reset(din.Kind, din.T, din.B, s.in.Shape)
			sub.DIn[0] = &s.din
		}
		a.backward(&sub)
		for k, d := range sub.DParams {
			copyColumns(c.DParams[k], l.Out, g*a.N, d, a.N, 0, a.N)
		}
		if c.DIn[0] != nil {
			giveGroup(c.DIn[0], &s.din, g*a.C)
		}
	}
}

// spread is image r of s as numbers, each channel repeated for its outputs.
func (l Conv2D) spread(wk *Worker, s *signal.Signal, r int) []tensor.Float {
	img, m := imageOf(wk, s, r), l.Out/l.Groups
	if m == 1 {
		return img
	}
	wide := wk.slot(2, len(img)*m)
	for i, x := range img {
		for k := range m {
			wide[i*m+k] = x
		}
	}
	return wide
}

// seers are the outputs that see position p, count of them from o0 on, and the
// tap of the first; the taps of the others follow in steps of −stride.
func seers(p, stride, pad, outs, kernel int) (o0, tap, count int) {
	o0 = max(0, (p+pad-kernel+stride)/stride) // ⌈(p + pad − kernel + 1)/stride⌉
	last := min(outs-1, (p+pad)/stride)
	return o0, p + pad - o0*stride, last - o0 + 1
}

// forwardDepthwise is, for each output pixel, a walk over the pixels of its
// patch and the weights of its taps. Of a single tap, a scale of each channel, a row of
// pixels is one pixel of all their channels.
func (l Conv2D) forwardDepthwise(c *Call) {
	in, out, n := c.In[0], c.Out, l.Out
	a, w, bias := l.affine([]tensor.Shape{in.Shape}), c.Params[0].Data, c.bias()
	out.Reset(rowKind(in), in.T, in.B, c.Shape)
	size := a.Pixels() * n
	if a.Identity() {
		wide := c.Temp.slot(0, a.OW*n)
		fillRows(wide, w)
		w, n, a.W, a.OW = wide, a.OW*n, 1, 1
	}
	c.Pool.For(in.Rows(), 1, func(id, r0, r1 int) {
		for r := r0; r < r1; r++ {
			img, dst := l.spread(&c.Workers[id], in, r), out.Data[r*size:][:size]
			fillRows(dst, bias)
			for y := range a.OH {
				i0, sy, rows := a.TapRows(y)
				for x := range a.OW {
					j0, sx, cols := a.TapColumns(x)
					kernel.MulWalks(dst[(y*a.OW+x)*n:][:n],
						img, kernel.Walk{At: (sy*a.W + sx) * n, Row: a.W * n, Step: n},
						w, kernel.Walk{At: (i0*a.KW + j0) * n, Row: a.KW * n, Step: n}, rows, cols)
				}
			}
		}
	})
}

func (l Conv2D) backwardDepthwise(c *Call) {
	a := l.affine([]tensor.Shape{c.In[0].Shape})
	l.gradDepthwise(c, a)
	if len(c.DParams) > 1 {
		a.gradBias(c)
	}
	if c.DIn[0] != nil {
		l.gradDepthwiseInput(c, a)
	}
}

// gradDepthwise adds, for each tap, the products of each output row's errors
// with the pixels under it. Threads take samples; their sums are added in order.
func (l Conv2D) gradDepthwise(c *Call, a affine) {
	in, dy, n := c.In[0], c.DOut, l.Out
	size, count := a.KH*a.KW*n, a.Pixels()*n
	parts := c.Temp.slot(0, in.B*size)
	for t := steps(in) - 1; t >= 0; t-- {
		c.Pool.For(in.B, 1, func(id, b0, b1 int) {
			for b := b0; b < b1; b++ {
				r := t*in.B + b
				sums := parts[b*size:][:size]
				clear(sums)
				l.gradTaps(sums, l.spread(&c.Workers[id], in, r), dy.Data[r*count:][:count], a)
			}
		})
		for b := range in.B {
			kernel.Add(c.DParams[0], parts[b*size:][:size])
		}
	}
}

// gradTaps adds the gradient of one image's errors dy to sums.
func (l Conv2D) gradTaps(sums, img, dy []tensor.Float, a affine) {
	n := l.Out
	for y := range a.OH {
		for i := range a.KH {
			sy := y*a.StrideH - a.PadTop + i
			if sy < 0 || sy >= a.H {
				continue
			}
			for j := range a.KW {
				x0 := max(0, (a.PadLeft-j+a.StrideW-1)/a.StrideW)
				x1 := min(a.OW, (a.W-1+a.PadLeft-j)/a.StrideW+1)
				if a.W-1+a.PadLeft < j {
					continue
				}
				kernel.MulWalks(sums[(i*a.KW+j)*n:][:n],
					img, kernel.Walk{At: (sy*a.W + x0*a.StrideW - a.PadLeft + j) * n, Step: a.StrideW * n},
					dy, kernel.Walk{At: (y*a.OW + x0) * n, Step: n}, 1, x1-x0)
			}
		}
	}
}

// gradDepthwiseInput is, for each input pixel, a walk over the errors of the
// outputs that see it and back over the weights of their taps.
func (l Conv2D) gradDepthwiseInput(c *Call, a affine) {
	dy, din, w, n := c.DOut, c.DIn[0], c.Params[0].Data, l.Out
	m, size := n/l.Groups, a.Pixels()*n
	c.Pool.For(din.Rows(), 1, func(id, r0, r1 int) {
		for r := r0; r < r1; r++ {
			errors, dx := dy.Data[r*size:][:size], din.Data[r*a.Units():][:a.Units()]
			wide := dx
			if m > 1 {
				wide = c.Workers[id].slot(0, len(dx)*m)
			}
			clear(wide)
			for y := range a.H {
				oy, i, rows := seers(y, a.StrideH, a.PadTop, a.OH, a.KH)
				for x := range a.W {
					ox, j, cols := seers(x, a.StrideW, a.PadLeft, a.OW, a.KW)
					kernel.MulWalks(wide[(y*a.W+x)*n:][:n],
						errors, kernel.Walk{At: (oy*a.OW + ox) * n, Row: a.OW * n, Step: n},
						w, kernel.Walk{At: (i*a.KW + j) * n, Row: -a.StrideH * a.KW * n, Step: -a.StrideW * n}, rows, cols)
				}
			}
			if m > 1 {
				sumRuns(dx, wide, m)
			}
		}
	})
}

// sumRuns writes the sum of each m consecutive elements of x to dst.
func sumRuns(dst, x []tensor.Float, m int) {
	for i := range dst {
		var sum tensor.Float
		for _, v := range x[i*m:][:m] {
			sum += v
		}
		dst[i] = sum
	}
}

// groupParams are the parameters where each output sees its group alone.
func (l Conv2D) groupParams(in tensor.Shape) []ParamSpec {
	a := l.group(in)
	specs := a.params(tensor.Shape{a.KH, a.KW, a.C, l.Out}, l.Gain, l.NoBias)
	if !l.NoBias {
		specs[1].Shape = tensor.Shape{l.Out}
	}
	return specs
}
