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

// run is the part of a patch that lies in one row of the image: adjacent
// elements, since channels come last.
func (g window) run() int { return g.kw * g.c }

// identity reports whether patches are the rows of the image as they stand.
func (g window) identity() bool {
	return g.kh == 1 && g.kw == 1 && g.stride == 1 && g.dilate == 1 && g.padH == 0 && g.padW == 0
}

// linear reports whether this is the window of a linear map.
func (g window) linear() bool { return g.identity() && g.h*g.w == 1 }

// canvas is the size of the image as the window sees it, spread out and with
// its border of zeros: on it each run of a patch is adjacent, and the runs of
// neighbouring pixels start stride·c apart.
func (g window) canvas() (h, w int) {
	return (g.oh-1)*g.stride + g.kh, (g.ow-1)*g.stride + g.kw
}

// canvasSize is the number of elements of the canvas.
func (g window) canvasSize() int {
	h, w := g.canvas()
	return h * w * g.c
}

// paint writes rows [q0, q1) of the canvas of img to dst. Rows of img outside
// [lo, hi) count as zeros.
func (g window) paint(dst, img []tensor.Float, q0, q1, lo, hi int) {
	_, w := g.canvas()
	for q := q0; q < q1; q++ {
		row := dst[(q-q0)*w*g.c:][:w*g.c]
		p := q - g.padH
		if y := p / g.dilate; p >= 0 && p%g.dilate == 0 && y >= lo && y < hi {
			g.paintRow(row, img[y*g.w*g.c:][:g.w*g.c])
			continue
		}
		clear(row)
	}
}

func (g window) paintRow(dst, row []tensor.Float) {
	first := g.padW * g.c // where the row begins in dst
	if g.dilate == 1 {
		lo, from := max(first, 0), max(-first, 0)
		clear(dst[:min(lo, len(dst))])
		n := 0
		if lo < len(dst) && from < len(row) {
			n = copy(dst[lo:], row[from:])
		}
		clear(dst[min(lo+n, len(dst)):])
		return
	}
	clear(dst)
	for x := range g.w {
		if at := first + x*g.dilate*g.c; at >= 0 && at+g.c <= len(dst) {
			copy(dst[at:at+g.c], row[x*g.c:])
		}
	}
}

// crop copies the image that lies on a canvas to img, the
// inverse of paint for dilate 1; pixels that no window reaches become zeros.
func (g window) crop(img, canvas []tensor.Float) {
	ch, cw := g.canvas()
	for y := range g.h {
		row, q := img[y*g.w*g.c:][:g.w*g.c], y+g.padH
		n := min(g.w, cw-g.padW) * g.c
		if q >= ch || n <= 0 {
			clear(row)
			continue
		}
		copy(row[:n], canvas[(q*cw+g.padW)*g.c:])
		clear(row[n:])
	}
}

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

// product adds W·patch to output rows [y0, y1) of one image, in dst; canvas
// starts at the first row that y0 needs. W [patch, n] is packed.
func (g window) product(dst []tensor.Float, n int, canvas []tensor.Float, w *kernel.Packed, y0, y1 int) {
	_, cw := g.canvas()
	for y := y0; y < y1; y++ {
		row := dst[(y-y0)*g.ow*n:][:g.ow*n]
		for i := range g.kh {
			from := canvas[((y-y0)*g.stride+i)*cw*g.c:]
			w.MulDirect(g.ow, from, g.stride*g.c, i*g.run(), g.run(), 0, n, row, n)
		}
	}
}

// bands is the number of output rows that one task computes: few enough to
// keep the canvas under them in the cache and all threads busy.
func (g window) bands(images, threads int) int {
	_, cw := g.canvas()
	rows := max(1, canvasElems/(cw*g.c*g.stride))
	if want := (4*threads + images - 1) / images; want > 1 {
		rows = min(rows, (g.oh+want-1)/want)
	}
	return max(1, min(rows, g.oh))
}

// canvasElems is the most elements of a worker's canvas: half of a 1 MiB cache.
const canvasElems = 1 << 17
