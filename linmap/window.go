package linmap

import (
	"errors"
	"fmt"
	"strings"

	"synfire/tensor"
)

// Window is the geometry of a convolution or a pooling: which elements of an image
// [H, W, C], channels last, form the patch of output pixel (y, x). Patch element
// (i, j, ch) is channel ch of the pixel in
//
//	row     y·StrideH + i·DilateH − PadTop
//	column  x·StrideW + j·DilateW − PadLeft
//
// of the image spread out by SpreadH and SpreadW (zeros between its pixels), and zero
// outside it. What padding there is at the bottom and on the right follows from OH and
// OW.
type Window struct {
	H, W, C          int // of the image
	OH, OW           int // pixels of the output
	KH, KW           int // taps of a patch
	StrideH, StrideW int // from patch to patch
	DilateH, DilateW int // from tap to tap
	SpreadH, SpreadW int // from pixel to pixel of the image; 1 but for transposes
	PadTop, PadLeft  int // zeros around the image
}

// Options describe a window as configurations do. Kernel, Stride and Dilation are one
// number, or height and width; Padding is one number, height and width, or top, bottom,
// left and right. None (nil) means 1, and no padding.
type Options struct {
	Kernel, Stride, Dilation, Padding []int
}

// NewWindow is the window of an image [height, width, channels]. It has
//
//	⌊(height + top + bottom − (kernel − 1)·dilation − 1)/stride⌋ + 1
//
// rows, and as many columns likewise. It returns an error unless the kernel fits the
// padded image.
func NewWindow(in tensor.Shape, o Options) (Window, error) {
	if len(in) != 3 {
		return Window{}, fmt.Errorf("image of shape %v, want height×width×channels", in)
	}
	kernel, err := pair("kernel", o.Kernel, 1)
	stride, err1 := pair("stride", o.Stride, 1)
	dilation, err2 := pair("dilation", o.Dilation, 1)
	pad, err3 := sides(o.Padding)
	if err := errors.Join(err, err1, err2, err3); err != nil {
		return Window{}, err
	}
	g, ok := newWindow(in, kernel, stride, dilation, pad)
	if !ok {
		return Window{}, fmt.Errorf("a kernel of %s does not fit an image of %d×%d with padding %s; use a smaller kernel or more padding",
			text(o.Kernel, "1")+dilated(dilation), g.H, g.W, text(o.Padding, "0"))
	}
	return g, nil
}

// newWindow is a window with padding at the top, the bottom, on the left and on the
// right; ok is false where it does not fit.
func newWindow(in tensor.Shape, kernel, stride, dilation [2]int, pad [4]int) (g Window, ok bool) {
	g = Window{
		H: in[0], W: in[1], C: in[2], KH: kernel[0], KW: kernel[1], StrideH: stride[0], StrideW: stride[1],
		DilateH: dilation[0], DilateW: dilation[1], SpreadH: 1, SpreadW: 1, PadTop: pad[0], PadLeft: pad[2],
	}
	down, right := g.H+pad[0]+pad[1]-g.spanH(), g.W+pad[2]+pad[3]-g.spanW()
	g.OH, g.OW = down/g.StrideH+1, right/g.StrideW+1
	return g, down >= 0 && right >= 0
}

// pair is a height and a width.
func pair(name string, v []int, least int) ([2]int, error) {
	p := [2]int{least, least}
	switch len(v) {
	case 0:
	case 1:
		p = [2]int{v[0], v[0]}
	case 2:
		p = [2]int{v[0], v[1]}
	default:
		return p, fmt.Errorf("%s has %d numbers, want one, or height and width", name, len(v))
	}
	if min(p[0], p[1]) < least {
		return p, fmt.Errorf("%s is %s, want at least %d", name, text(v, ""), least)
	}
	return p, nil
}

// sides are the zeros at the top, the bottom, on the left and on the right.
func sides(v []int) (p [4]int, err error) {
	if len(v) == 4 {
		p = [4]int(v)
	} else {
		var both [2]int
		if both, err = pair("padding", v, 0); err != nil && len(v) > 2 {
			return p, fmt.Errorf("padding has %d numbers, want one, height and width, or top, bottom, left and right", len(v))
		}
		p = [4]int{both[0], both[0], both[1], both[1]}
	}
	if min(p[0], p[1], p[2], p[3]) < 0 {
		return p, fmt.Errorf("padding is %s, want no negative number", text(v, ""))
	}
	return p, err
}

// text is 3 or 3×5.
func text(v []int, none string) string {
	if len(v) == 0 {
		return none
	}
	s := make([]string, len(v))
	for i, n := range v {
		s[i] = fmt.Sprint(n)
	}
	return strings.Join(s, "×")
}

func dilated(d [2]int) string {
	if d == [2]int{1, 1} {
		return ""
	}
	return fmt.Sprintf(" (dilated by %s)", text(d[:], ""))
}

// point is the window of one pixel over an image of count pixels with c channels.
func point(count, c int) Window {
	return Window{
		H: 1, W: count, C: c, OH: 1, OW: count, KH: 1, KW: 1,
		StrideH: 1, StrideW: 1, DilateH: 1, DilateW: 1, SpreadH: 1, SpreadW: 1,
	}
}

// back is the window that carries n values of each output pixel back, of a window
// whose image is not spread: what an input pixel gets is the convolution of the outputs
// with the kernel turned by 180°.
func (g Window) back(n int) Window {
	return Window{
		H: g.OH, W: g.OW, C: n, OH: g.H, OW: g.W, KH: g.KH, KW: g.KW, StrideH: 1, StrideW: 1,
		DilateH: g.DilateH, DilateW: g.DilateW, SpreadH: g.StrideH, SpreadW: g.StrideW,
		PadTop: g.spanH() - 1 - g.PadTop, PadLeft: g.spanW() - 1 - g.PadLeft,
	}
}

// spanH is the rows from a patch's first to its last.
func (g Window) spanH() int { return (g.KH-1)*g.DilateH + 1 }
func (g Window) spanW() int { return (g.KW-1)*g.DilateW + 1 }

// Patch is the number of elements of a patch, Pixels that of the output's pixels, and
// Units that of the image's elements.
func (g Window) Patch() int  { return g.KH * g.KW * g.C }
func (g Window) Pixels() int { return g.OH * g.OW }
func (g Window) Units() int  { return g.H * g.W * g.C }

// Run is the number of elements of a patch that are adjacent in a row of the image, as
// channels come last: a row of the kernel, or where it is dilated a tap.
func (g Window) Run() int { return g.KW * g.C / g.runs() }

// runs is the number of runs in a row of the kernel.
func (g Window) runs() int {
	if g.DilateW == 1 {
		return 1
	}
	return g.KW
}

// Dilated reports whether the taps of a patch are apart from each other.
func (g Window) Dilated() bool { return g.DilateH > 1 || g.DilateW > 1 }

// Identity reports whether patches are the pixels of the image as they stand.
func (g Window) Identity() bool {
	return g.KH == 1 && g.KW == 1 && g.StrideH == 1 && g.StrideW == 1 && g.SpreadH == 1 && g.SpreadW == 1 &&
		g.PadTop == 0 && g.PadLeft == 0 && g.OH == g.H && g.OW == g.W
}

// Linear reports whether the output is one pixel whose patch is the whole image of one.
func (g Window) Linear() bool { return g.Identity() && g.H*g.W == 1 }

// Canvas is the size of the image as the window sees it, spread out and with its border
// of zeros: on it each run of a patch is adjacent, and the runs of neighbouring pixels
// start StrideW·C apart.
func (g Window) Canvas() (h, w int) {
	return (g.OH-1)*g.StrideH + g.spanH(), (g.OW-1)*g.StrideW + g.spanW()
}

// CanvasSize is the number of elements of the canvas.
func (g Window) CanvasSize() int {
	h, w := g.Canvas()
	return h * w * g.C
}

// flush reports whether the canvas is the image as it stands.
func (g Window) flush() bool {
	h, w := g.Canvas()
	return h == g.H && w == g.W && g.PadTop == 0 && g.PadLeft == 0 && g.SpreadH == 1 && g.SpreadW == 1
}

// RowsUnder are the rows [q0, q1) of the canvas under output rows [y0, y1).
func (g Window) RowsUnder(y0, y1 int) (q0, q1 int) {
	return y0 * g.StrideH, (y1-1)*g.StrideH + g.spanH()
}

// Paint writes rows [q0, q1) of the canvas of img to dst. Rows of img outside
// [lo, hi) count as zeros.
func (g Window) Paint(dst, img []tensor.Float, q0, q1, lo, hi int) {
	_, w := g.Canvas()
	for q := q0; q < q1; q++ {
		row := dst[(q-q0)*w*g.C:][:w*g.C]
		p := q - g.PadTop
		if y := p / g.SpreadH; p >= 0 && p%g.SpreadH == 0 && y >= lo && y < hi {
			g.paintRow(row, img[y*g.W*g.C:][:g.W*g.C])
			continue
		}
		clear(row)
	}
}

func (g Window) paintRow(dst, row []tensor.Float) {
	first := g.PadLeft * g.C // where the row begins in dst
	if g.SpreadW == 1 {
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
	for x := range g.W {
		if at := first + x*g.SpreadW*g.C; at >= 0 && at+g.C <= len(dst) {
			copy(dst[at:at+g.C], row[x*g.C:])
		}
	}
}

// Crop copies the image that lies on a canvas to img, the inverse of Paint where nothing
// is spread; pixels that no window reaches become zeros.
func (g Window) Crop(img, canvas []tensor.Float) {
	g.eachCropped(img, canvas, func(dst, src []tensor.Float) {
		clear(dst[copy(dst, src):])
	})
}

// eachCropped calls f for each row of the image with what lies of it on the canvas.
func (g Window) eachCropped(img, canvas []tensor.Float, f func(row, seen []tensor.Float)) {
	ch, cw := g.Canvas()
	for y := range g.H {
		row, q := img[y*g.W*g.C:][:g.W*g.C], y+g.PadTop
		n := min(g.W, cw-g.PadLeft) * g.C
		if q >= ch || n <= 0 {
			f(row, nil)
			continue
		}
		f(row, canvas[(q*cw+g.PadLeft)*g.C:][:n])
	}
}

// taps are the taps i of a row or column of n pixels that output o sees, inside the
// image: those from i0 on, count of them, the first at position at.
func taps(o, stride, dilate, pad, size, kernel int) (i0, at, count int) {
	first := o*stride - pad
	i0 = max(0, (dilate-1-first)/dilate) // ⌈−first/dilate⌉
	if first >= 0 {
		i0 = 0
	}
	at = first + i0*dilate
	if at >= size {
		return i0, at, 0
	}
	return i0, at, max(0, min(kernel-i0, (size-1-at)/dilate+1))
}

// TapRows are the rows of the kernel that lie inside the image in output row y: those
// from i0 on, count of them, the first in row at of the image.
func (g Window) TapRows(y int) (i0, at, count int) {
	return taps(y, g.StrideH, g.DilateH, g.PadTop, g.H, g.KH)
}

// TapColumns are the columns of the kernel that lie inside the image in output column x,
// as TapRows.
func (g Window) TapColumns(x int) (j0, at, count int) {
	return taps(x, g.StrideW, g.DilateW, g.PadLeft, g.W, g.KW)
}
