package layer

import (
	"synfire/internal/kernel"
	"synfire/signal"
	"synfire/tensor"
)

// window is the geometry of a convolution: which elements of an image [h, w,
// c] form the patch of output pixel (y, x). Patch element (i, j, ch) stands at
// row y·stride − pad + i and column x·stride − pad + j of the image spread out
// by dilate (zeros between its pixels), and is zero outside it. A linear layer
// is the window of one pixel over an image of one pixel.
type window struct {
	h, w, c    int
	oh, ow     int
	kh, kw     int
	stride     int
	padH, padW int
	dilate     int
}

// linearWindow is the window of a linear map from k inputs.
func linearWindow(k int) window {
	return window{h: 1, w: 1, c: k, oh: 1, ow: 1, kh: 1, kw: 1, stride: 1, dilate: 1}
}

// transpose is the window that carries errors of n channels back: the error at
// an input pixel is a convolution of the errors at the outputs with the kernel
// turned by 180°.
func (g window) transpose(n int) window {
	return window{
		h: g.oh, w: g.ow, c: n, oh: g.h, ow: g.w, kh: g.kh, kw: g.kw,
		stride: 1, padH: g.kh - 1 - g.padH, padW: g.kw - 1 - g.padW, dilate: g.stride,
	}
}

func (g window) patch() int  { return g.kh * g.kw * g.c }
func (g window) pixels() int { return g.oh * g.ow }
func (g window) units() int  { return g.h * g.w * g.c }

// identity reports whether patches are the rows of the image as they stand.
func (g window) identity() bool {
	return g.kh == 1 && g.kw == 1 && g.stride == 1 && g.dilate == 1 && g.padH == 0 && g.padW == 0
}

// source is the image's row or column under tap i of output o, if there is one.
func (g window) source(o, pad, i, size int) (int, bool) {
	p := o*g.stride - pad + i
	if g.dilate == 1 {
		return p, uint(p) < uint(size)
	}
	if p < 0 || p%g.dilate != 0 || p/g.dilate >= size {
		return 0, false
	}
	return p / g.dilate, true
}

// gather writes elements [k0, k1) of the patch of output pixel p to dst.
func (g window) gather(dst, img []tensor.Float, p, k0, k1 int) {
	y, x := p/g.ow, p%g.ow
	run := g.kw * g.c
	for i := k0 / run; i*run < k1; i++ {
		lo, hi := max(k0, i*run), min(k1, (i+1)*run)
		out := dst[lo-k0 : hi-k0]
		sy, ok := g.source(y, g.padH, i, g.h)
		if !ok {
			clear(out)
			continue
		}
		g.gatherRow(out, img[sy*g.w*g.c:][:g.w*g.c], x, lo-i*run)
	}
}

// gatherRow writes elements from k on of a patch's row at output column x.
func (g window) gatherRow(dst, row []tensor.Float, x, k int) {
	first := (x*g.stride-g.padW)*g.c + k // where dst begins in the row
	if g.dilate == 1 {
		lo := min(max(-first, 0), len(dst))
		hi := max(min(len(row)-first, len(dst)), lo)
		clear(dst[:lo])
		copy(dst[lo:hi], row[min(max(first, 0), len(row)):])
		clear(dst[hi:])
		return
	}
	for len(dst) > 0 {
		j, ch := k/g.c, k%g.c
		n := min(g.c-ch, len(dst))
		if sx, ok := g.source(x, g.padW, j, g.w); ok {
			copy(dst[:n], row[sx*g.c+ch:])
		} else {
			clear(dst[:n])
		}
		dst, k = dst[n:], k+n
	}
}

// tile writes columns [k0, k1) of the patches of stored rows [r0, r1), where
// row r is output pixel r mod pixels of image r / pixels of in.
func (g window) tile(w *Worker, in *signal.Signal, r0, r1, k0, k1 int) []tensor.Float {
	n := k1 - k0
	dst := w.slot(0, (r1-r0)*n)
	img, at := []tensor.Float(nil), -1
	for r := r0; r < r1; r++ {
		if b := r / g.pixels(); b != at {
			at = b
			if in.Kind == signal.Spikes {
				img = w.slot(1, g.units())
				in.ReadRow(img, b)
			} else {
				img = in.Data[b*g.units():][:g.units()]
			}
		}
		g.gather(dst[(r-r0)*n:][:n], img, r%g.pixels(), k0, k1)
	}
	return dst
}

// events appends the patch indices of the spikes under output pixel p,
// ascending. It needs dilate = 1.
func (g window) events(dst []int32, row []uint64, p int) []int32 {
	y, x := p/g.ow*g.stride-g.padH, p%g.ow*g.stride-g.padW
	j0, j1 := max(0, -x), min(g.kw, g.w-x)
	if j0 >= j1 {
		return dst
	}
	for i := max(0, -y); i < min(g.kh, g.h-y); i++ {
		first := ((y+i)*g.w + x) * g.c
		dst = kernel.Indices(dst, row, first+j0*g.c, first+j1*g.c, int32((i*g.kw+j0)*g.c))
	}
	return dst
}
