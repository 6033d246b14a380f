package linmap

import (
	"fmt"
	"math"

	"synfire/internal/kernel"
	"synfire/tensor"
)

// Pool takes the largest element of each window, per channel, or with Average its mean.
// Windows are square, and their strides equal. Padding never is the largest; a mean
// counts it with CountPadding, and else is that of the window's elements in the image:
//
//	max      y = max_k x_k,  Aᵀ y puts y where the recorded largest element stands
//	average  y = Σ_k x_k · share,  Aᵀ y adds y · share to each element
//
// Sums ascend in row-major order, times 1/count.
type Pool struct {
	Window
	Average      bool
	CountPadding bool
}

// NewPool is the pooling of an image [height, width, channels] by windows of size×size
// pixels, stride apart (0: size), with padding as Options describe it. It returns an
// error unless windows fit, and each has an element of the image.
func NewPool(in tensor.Shape, size, stride int, padding []int) (Pool, error) {
	if size < 1 || stride < 0 {
		return Pool{}, fmt.Errorf("size is %d and stride %d, want a size of at least 1 and no negative stride", size, stride)
	}
	if stride == 0 {
		stride = size
	}
	pad, err := sides(padding)
	if err != nil {
		return Pool{}, err
	}
	if max(pad[0], pad[1], pad[2], pad[3]) >= size {
		return Pool{}, fmt.Errorf("padding %s with a window of %d: windows may lie outside the image; use less than the size", text(padding, "0"), size)
	}
	g, ok := newWindow(in, [2]int{size, size}, [2]int{stride, stride}, [2]int{1, 1}, pad)
	if !ok {
		return Pool{}, fmt.Errorf("a window of %d does not fit an image of %d×%d; use a smaller size", size, in[0], in[1])
	}
	return Pool{Window: g}, nil
}

// In and Out are the shapes of x and A x.
func (p Pool) In() tensor.Shape  { return tensor.Shape{p.H, p.W, p.C} }
func (p Pool) Out() tensor.Shape { return tensor.Shape{p.OH, p.OW, p.C} }

// Outputs is the number of elements of A x.
func (p Pool) Outputs() int { return p.Pixels() * p.C }

// Places is the number of bytes that record the largest elements of an image.
func (p Pool) Places() int { return p.Pixels() * kernel.ArgPitch(p.C) }

// Recordable reports whether windows are small enough for a record.
func (p Pool) Recordable() bool { return p.KH <= kernel.MaxWindow }

// Padded reports whether windows reach beyond the image.
func (p Pool) Padded() bool {
	h, w := p.Canvas()
	return p.PadTop > 0 || p.PadLeft > 0 || h > p.H || w > p.W
}

// trivial reports whether windows are the pixels themselves.
func (p Pool) trivial() bool { return p.KH == 1 && p.flush() && p.StrideH == 1 }

// windows are count windows of a row over an image of some width.
func (p Pool) windows(count, width int) kernel.Windows {
	return kernel.Windows{Count: count, Size: p.KH, Stride: p.StrideH, Width: width, Channels: p.C}
}

// below is infinite and negative: what padding counts for among maxima.
var below = tensor.Float(math.Inf(-1))

// Forward writes A x to y. With places, of Places bytes, it records for each window and
// channel which tap is the largest, the first of equal ones: (y, x) at ArgPitch bytes
// for each window.
func (p Pool) Forward(s *Scratch, y, x []tensor.Float, places []uint8) {
	if p.trivial() {
		copy(y, x)
		clear(places)
		return
	}
	img, width := x, p.W
	if p.Padded() {
		border := below
		if p.Average {
			border = 0
		}
		img, width = p.bordered(s, x, border)
	}
	for r := range p.OH {
		out, rows := y[r*p.OW*p.C:], img[r*p.StrideH*width*p.C:]
		if !p.Average {
			p.windows(p.OW, width).Max(out, rows, p.placesOf(places, r))
			continue
		}
		p.eachShare(r, func(x0, count int, share tensor.Float) {
			p.windows(count, width).Mean(out[x0*p.C:], rows[x0*p.StrideW*p.C:], share)
		})
	}
}

// placesOf is the record of a row of windows.
func (p Pool) placesOf(places []uint8, r int) []uint8 {
	if places == nil {
		return nil
	}
	return places[r*p.OW*kernel.ArgPitch(p.C):]
}

// bordered is the canvas of x with a border of some value, and its width.
func (p Pool) bordered(s *Scratch, x []tensor.Float, border tensor.Float) ([]tensor.Float, int) {
	h, w := p.Canvas()
	s.canvas = tensor.Resize(s.canvas, h*w*p.C)
	kernel.FillRows(s.canvas, []tensor.Float{border})
	for y := range min(p.H, h-p.PadTop) {
		n := min(p.W, w-p.PadLeft) * p.C
		copy(s.canvas[((y+p.PadTop)*w+p.PadLeft)*p.C:][:n], x[y*p.W*p.C:])
	}
	return s.canvas, w
}

// Share is what a mean takes of each element of the window at (y, x).
func (p Pool) Share(y, x int) tensor.Float {
	count := p.KH * p.KW
	if !p.CountPadding {
		_, _, rows := p.TapRows(y)
		_, _, columns := p.TapColumns(x)
		count = rows * columns
	}
	return 1 / tensor.Float(count)
}

// eachShare calls f for runs of windows of row y with the same share.
func (p Pool) eachShare(y int, f func(x0, count int, share tensor.Float)) {
	if !p.Padded() {
		f(0, p.OW, 1/tensor.Float(p.KH*p.KW))
		return
	}
	for x := 0; x < p.OW; {
		x0, share := x, p.Share(y, x)
		for x < p.OW && p.Share(y, x) == share {
			x++
		}
		f(x0, x-x0, share)
	}
}

// Transpose writes Aᵀ y to x. Where the largest elements stand says places.
func (p Pool) Transpose(s *Scratch, x, y []tensor.Float, places []uint8) {
	if p.trivial() {
		copy(x, y)
		return
	}
	img, width, sum := x, p.W, false
	if p.Padded() {
		s.canvas = tensor.Resize(s.canvas, p.CanvasSize())
		clear(s.canvas)
		img, sum = s.canvas, p.StrideH < p.KH
		_, width = p.Canvas()
	} else {
		sum = p.Prepare(x)
	}
	for r := range p.OH {
		out, rows := y[r*p.OW*p.C:], img[r*p.StrideH*width*p.C:]
		if !p.Average {
			p.windows(p.OW, width).MaxBackward(rows, out, p.placesOf(places, r), sum)
			continue
		}
		p.eachShare(r, func(x0, count int, share tensor.Float) {
			p.windows(count, width).MeanBackward(rows[x0*p.StrideW*p.C:], out[x0*p.C:], share, sum)
		})
	}
	if p.Padded() {
		p.Crop(x, img)
	}
}

// Prepare clears what windows that write do not reach of an image's errors, and reports
// whether they must add instead, as they overlap.
func (p Pool) Prepare(x []tensor.Float) (sum bool) {
	if p.StrideH != p.KH || p.Padded() {
		clear(x)
		return p.StrideH < p.KH
	}
	row, covered := p.W*p.C, p.OW*p.KW*p.C
	for y := range p.OH * p.KH {
		clear(x[y*row+covered : (y+1)*row])
	}
	clear(x[p.OH*p.KH*row:])
	return false
}
