package linmap

import (
	"fmt"
	"sync"

	"synfire/internal/kernel"
	"synfire/tensor"
)

// Map is a linear map with weights: a convolution, or a dense matrix, which is that of
// one pixel. Of an image x [H, W, C] and weights W [KH, KW, C, N],
//
//	(A x)[y, x, o] = Σ_{i, j, ch} W[i, j, ch, o] · patch(y, x)[i, j, ch]
//
// The methods that take a Scratch work on one sample and one thread.
type Map struct {
	Window
	N int // channels of the output
}

// Dense is the map of vectors x [in] to xᵀW [out].
func Dense(in, out int) Map { return Map{Window: point(1, in), N: out} }

// Rows is a dense map of count vectors at once, one after the other.
func (m Map) Rows(count int) Map {
	m.W, m.OW = count, count
	return m
}

// Conv is the cross-correlation of images with out kernels.
func Conv(in tensor.Shape, out int, o Options) (Map, error) {
	if out < 1 {
		return Map{}, fmt.Errorf("out is %d, want the number of channels, at least 1", out)
	}
	g, err := NewWindow(in, o)
	return Map{Window: g, N: out}, err
}

// In, Out and Kernel are the shapes of x, A x and W.
func (m Map) In() tensor.Shape     { return tensor.Shape{m.H, m.W, m.C} }
func (m Map) Out() tensor.Shape    { return tensor.Shape{m.OH, m.OW, m.N} }
func (m Map) Kernel() tensor.Shape { return tensor.Shape{m.KH, m.KW, m.C, m.N} }

// EventDensity is the share of elements that are not zero below which their rows of W
// are added one by one instead of multiplied. Both ways give the same bits.
const EventDensity = 0.3

// Scratch is the working memory of a thread. The zero value is ready.
type Scratch struct {
	canvas, mapped []tensor.Float
	events         Events
	taps           [][]int32 // of a pooled pixel, by place in the window: channels
	values         [][]tensor.Float
}

// Events lists the elements of an image that are not zero.
type Events struct {
	At    []int32        // where in the image, ascending
	Val   []tensor.Float // nil for all ones
	First []int32        // of each pixel: how many stand before it; one entry more
}

// list lists x, an image of pixels with c channels.
func (e *Events) list(x []tensor.Float, c int) {
	e.At, e.Val = kernel.Nonzeros(e.At[:0], e.Val[:0], x, 0)
	if pixels := len(x) / c; cap(e.First) < pixels+1 {
		e.First = make([]int32, pixels+1)
	} else {
		e.First = e.First[:pixels+1]
	}
	kernel.Starts(e.First, e.At, c)
}

// Forward adds A x to y. An element is one chain from what y holds, over the patch in
// ascending order.
func (m Map) Forward(s *Scratch, ws *Weights, y, x []tensor.Float) {
	if float64(kernel.CountNonzero(x)) < EventDensity*float64(len(x)) {
		m.AddEvents(s, ws, y, x)
		return
	}
	m.Multiply(s, ws, y, x)
}

// Multiply is Forward by the product of all patches.
func (m Map) Multiply(s *Scratch, ws *Weights, y, x []tensor.Float) {
	m.Product(y, m.paint(s, x), m.Packed(nil, ws), 0, m.OH)
}

// AddEvents is Forward by the rows of W of the elements that are not zero.
func (m Map) AddEvents(s *Scratch, ws *Weights, y, x []tensor.Float) {
	s.events.list(x, m.C)
	for r := range m.OH {
		m.AddRow(y[r*m.OW*m.N:][:m.OW*m.N], m.N, ws.Data, m.N, m.N, r, s.events)
	}
}

// paint is the canvas of x.
func (m Map) paint(s *Scratch, x []tensor.Float) []tensor.Float {
	if m.flush() {
		return x
	}
	s.canvas = tensor.Resize(s.canvas, m.CanvasSize())
	h, _ := m.Canvas()
	m.Paint(s.canvas, x, 0, h, 0, m.H)
	return s.canvas
}

// Product adds W·patch to output rows [y0, y1) of one image, in dst; canvas starts at
// the first row that y0 needs. W [patch, N] is packed. Rows share a block of W while the
// cache holds it: each sum takes its patch in the same order whatever the block.
func (m Map) Product(dst, canvas []tensor.Float, w *kernel.Packed, y0, y1 int) {
	_, cw := m.Canvas()
	run, runs := m.Run(), m.runs()
	block := max(1, productBlock/(run*kernel.Panel())) * kernel.Panel()
	group := m.group(run)
	var patches *[gathered]tensor.Float
	if group > 1 {
		patches = gathers.Get().(*[gathered]tensor.Float)
		defer gathers.Put(patches)
	}
	for j0 := 0; j0 < m.N; j0 += block {
		j1 := min(j0+block, m.N)
		for i := range m.KH * runs {
			for y := y0; y < y1; y += group {
				from := canvas[((y-y0)*m.StrideH+i/runs*m.DilateH)*cw*m.C+i%runs*m.DilateW*m.C:]
				rows, lda := min(group, y1-y), m.StrideW*m.C
				if rows > 1 {
					for k := range rows {
						m.gather(patches[k*m.OW*run:], from[k*m.StrideH*cw*m.C:], run)
					}
					from, lda = patches[:], run
				}
				w.MulDirect(rows*m.OW, from, lda, i*run, run, j0, j1, dst[(y-y0)*m.OW*m.N+j0:][:(rows*m.OW-1)*m.N+j1-j0], m.N)
			}
		}
	}
}

// productBlock is the weights that rows of an image share: a quarter of a MiB, which
// stays in the cache of a core beside the rows.
const productBlock = 1 << 16

// AddRow adds what the events of an image make of output row y to its pixels, of n
// channels ldc apart, by rows of n weights, ldw apart.
func (m Map) AddRow(dst []tensor.Float, ldc int, w []tensor.Float, ldw, n, y int, e Events) {
	// A row of the output starts where the vertical stride says: the kernel, which knows
	// one stride, is told of another border.
	p := kernel.Patches{H: m.H, W: m.W, C: m.C, KH: m.KH, KW: m.KW, Stride: m.StrideW, PadH: m.PadTop + y*(m.StrideW-m.StrideH), PadW: m.PadLeft}
	if !m.Dilated() {
		p.AddRow(dst, ldc, w, ldw, n, y, 0, m.OW, e.At, e.Val, e.First)
		return
	}
	top, runs := p.PadH, m.runs()
	p.KH, p.KW = 1, m.KW/runs
	for i := range m.KH * runs {
		p.PadH, p.PadW = top-i/runs*m.DilateH, m.PadLeft-i%runs*m.DilateW
		p.AddRow(dst, ldc, w[i*m.Run()*ldw:], ldw, n, y, 0, m.OW, e.At, e.Val, e.First)
	}
}

// Transpose adds Aᵀ y to x, value by value of y that is not zero: ascending in pixel and
// channel. Where the window has no border the chains start from what x holds; else from
// zero, and sums are added.
func (m Map) Transpose(s *Scratch, ws *Weights, x, y []tensor.Float) {
	turned := m.Turned(ws)
	m.onCanvas(s, x, func(canvas []tensor.Float) {
		for p := range m.Pixels() {
			s.events.At, s.events.Val = kernel.Nonzeros(s.events.At[:0], s.events.Val[:0], y[p*m.N:][:m.N], 0)
			m.Scatter(canvas, turned, p/m.OW, p%m.OW, s.events.At, s.events.Val)
		}
	})
}

// onCanvas calls f with the canvas of x to add to.
func (m Map) onCanvas(s *Scratch, x []tensor.Float, f func(canvas []tensor.Float)) {
	if m.flush() {
		f(x)
		return
	}
	s.canvas = tensor.Resize(s.canvas, m.CanvasSize())
	clear(s.canvas)
	f(s.canvas)
	m.eachCropped(x, s.canvas, func(row, seen []tensor.Float) { kernel.Add(row[:len(seen)], seen) })
}

// MultiplyBack is Transpose by the product of all values that a pixel of x gets, from
// what x holds.
func (m Map) MultiplyBack(s *Scratch, ws *Weights, x, y []tensor.Float) {
	back := m.Back()
	back.Product(x, back.paint(s, y), m.PackedBack(nil, ws), 0, back.OH)
}

// Back is the map from outputs to the image, of the weights that PackedBack makes.
func (m Map) Back() Map { return Map{Window: m.back(m.N), N: m.C} }

// Scatter adds the listed values of output pixel (y, x), channel by channel, times their
// weights to the canvas of the image, which starts with row 0. Turned is Map.Turned.
func (m Map) Scatter(canvas, turned []tensor.Float, y, x int, channels []int32, values []tensor.Float) {
	_, cw := m.Canvas()
	to := canvas[(y*m.StrideH*cw+x*m.StrideW)*m.C:]
	pitch, run := m.Pitch(), m.Run()
	for r := range m.runs() {
		kernel.AddRowsMulti(m.KH, to[r*m.DilateW*m.C:], m.DilateH*cw*m.C, turned[r*run:], m.N*pitch, pitch, run, channels, values)
	}
}

// Outer adds to dw the gradient of ⟨y, A x⟩ with the weights: the sum over pixels of
// patch(p)·y(p)ᵀ, one chain in ascending pixels from what dw holds.
func (m Map) Outer(s *Scratch, dw, x, y []tensor.Float) { m.OuterRows(s, dw, x, y, 0, m.Patch()) }

// OuterRows is Outer for rows [lo, hi) of W, which dw holds.
func (m Map) OuterRows(s *Scratch, dw, x, y []tensor.Float, lo, hi int) {
	m.OuterOn(dw, m.paint(s, x), y, 1, lo, hi, 0, m.OH)
}

// OuterOn is OuterRows of images one after another, of which canvases are the canvases and y the
// outputs, for output rows [y0, y1) of each.
func (m Map) OuterOn(dw, canvases, y []tensor.Float, images, lo, hi, y0, y1 int) {
	_, cw := m.Canvas()
	run, runs := m.Run(), m.runs()
	for row := lo; row < hi; {
		i, q := row/run, row%run
		end := min(hi, (i+1)*run)
		o := outer{m: m, canvases: canvases, y: y, images: images, y0: y0, y1: y1, from: (i/runs*m.DilateH*cw+i%runs*m.DilateW)*m.C + q, width: end - row}
		o.sum(dw[(row-lo)*m.N:])
		row = end
	}
}

// outer is a part of a row of the kernel, whose gradient is summed: width elements of the patch
// from one on.
type outer struct {
	m           Map
	canvases, y []tensor.Float
	images      int
	y0, y1      int // output rows of each image
	from, width int
}

// Patches of output rows are gathered and multiplied together where rows are so short that products
// of one would fill few registers, or spend their time in memory: rows of up to shortRow pixels, of
// patches and outputs for whose products copies are cheap.
const (
	shortRow   = 32
	widePatch  = 48
	wideOutput = 32
	gathered   = 1 << 15 // elements: a quarter of a core's second-level cache
)

// gathers are patches of some output rows, one for each goroutine that needs one.
var gathers = sync.Pool{New: func() any { return new([gathered]tensor.Float) }}

// group is how many output rows are gathered at once, of patches of some width.
func (m Map) group(width int) int {
	if m.OW > shortRow || width < widePatch || m.N < wideOutput {
		return 1
	}
	return max(1, gathered/(m.OW*width))
}

// gather copies the first width elements of the patches of an output row.
func (m Map) gather(dst, from []tensor.Float, width int) {
	for x := range m.OW {
		copy(dst[x*width:][:width], from[x*m.StrideW*m.C:])
	}
}

// sum adds the gradient to dw, in ascending images and pixels.
func (o outer) sum(dw []tensor.Float) {
	m, per := o.m, o.y1-o.y0
	group := m.group(o.width)
	var patches *[gathered]tensor.Float
	if group > 1 {
		patches = gathers.Get().(*[gathered]tensor.Float)
		defer gathers.Put(patches)
	}
	for at := 0; at < o.images*per; {
		rows := min(group, o.images*per-at)
		if per < m.OH { // errors of the next image do not follow
			rows = min(rows, per-at%per)
		}
		a, lda := o.row(at), m.StrideW*m.C
		if rows > 1 {
			a, lda = patches[:], o.width
			for k := range rows {
				m.gather(a[k*m.OW*o.width:], o.row(at+k), o.width)
			}
		}
		errors := o.y[(at/per*m.OH+o.y0+at%per)*m.OW*m.N:]
		kernel.MulOuter(rows*m.OW, o.width, m.N, a, lda, errors, m.N, dw, m.N)
		at += rows
	}
}

// row is where the patches of a row begin; rows of an image are followed by those of the next.
func (o outer) row(at int) []tensor.Float {
	_, cw := o.m.Canvas()
	per := o.y1 - o.y0
	return o.canvases[at/per*o.m.CanvasSize()+(o.y0+at%per)*o.m.StrideH*cw*o.m.C+o.from:]
}
