package layer_test

import (
	"slices"
	"testing"

	"synfire/layer"
	"synfire/signal"
	"synfire/tensor"
)

// img is one 3×5 image of two channels; the second is minus ten times the
// first. Row and column beyond the last whole window hold the extremes.
var img = func() (x []tensor.Float) {
	for _, v := range []tensor.Float{
		1, 2, 3, -4, 99,
		5, 0, -1, -6, 99,
		-99, 99, -99, 99, 99,
	} {
		x = append(x, v, -10*v)
	}
	return x
}()

// Pooling by hand: channels apart, windows of negative numbers, overlap, and
// leftover rows and columns that no window covers.
func TestPool(t *testing.T) {
	shape := tensor.Shape{3, 5, 2}
	for _, c := range []struct {
		l    layer.Layer
		want []tensor.Float
	}{
		{layer.MaxPool{Size: 2}, []tensor.Float{5, 0, 3, 60}},
		{layer.AvgPool{Size: 2}, []tensor.Float{2, -20, -2, 20}},
		{layer.MaxPool{Size: 1, Stride: 4}, []tensor.Float{1, -10, 99, -990}},
		{layer.MaxPool{Size: 2, Stride: 1}, []tensor.Float{
			5, 0, 3, 10, 3, 60, 99, 60,
			99, 990, 99, 990, 99, 990, 99, 60}},
		{layer.AvgPool{Size: 2, Stride: 3}, []tensor.Float{2, -20, 47, -470}},
	} {
		for _, kind := range []signal.Kind{signal.Dense, signal.Constant} {
			out := forward(t, c.l, sig(kind, 1, 1, shape, img...), layer.Auto)
			if out.Kind != kind || !slices.Equal(out.Data, c.want) {
				t.Errorf("%+v of %v: %v %v, want %v", c.l, kind, out.Kind, out.Data, c.want)
			}
		}
	}
}

// Spikes stay bits, and a window spikes where any of its elements does: the
// same as the largest of zeros and ones. 70 channels cross a word's border.
func TestMaxPoolOfSpikes(t *testing.T) {
	shape, x := tensor.Shape{5, 4, 70}, make([]tensor.Float, 2*2*5*4*70)
	for i := range x {
		if i*i%11 == 3 || i%64 == 63 {
			x[i] = 1
		}
	}
	for _, l := range []layer.MaxPool{{Size: 2}, {Size: 3, Stride: 1}, {Size: 1, Stride: 3}} {
		bits := forward(t, l, sig(signal.Spikes, 2, 2, shape, x...), layer.Auto)
		dense := forward(t, l, sig(signal.Dense, 2, 2, shape, x...), layer.Auto)
		if bits.Kind != signal.Spikes || !slices.Equal(numbers(bits), dense.Data) {
			t.Errorf("%+v: %v output with %d spikes differs from the dense one", l, bits.Kind, bits.Raster.Count(0, 4))
		}
	}
}

// Of equal elements the first in row-major order receives the error, also in a
// window of zeros; shared elements add up; what no window covers gets nothing.
func TestMaxPoolTies(t *testing.T) {
	for _, c := range []struct {
		name    string
		l       layer.MaxPool
		kind    signal.Kind
		x, want []tensor.Float // 3×3
	}{
		{"zeros", layer.MaxPool{Size: 2}, signal.Dense, make([]tensor.Float, 9), []tensor.Float{1, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"silence", layer.MaxPool{Size: 2}, signal.Spikes, make([]tensor.Float, 9), []tensor.Float{1, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"equal spikes", layer.MaxPool{Size: 2}, signal.Spikes, []tensor.Float{0, 1, 1, 1, 1, 1, 1, 1, 1}, []tensor.Float{0, 1, 0, 0, 0, 0, 0, 0, 0}},
		{"a diagonal", layer.MaxPool{Size: 2}, signal.Dense, []tensor.Float{-3, -2, 9, -2, -3, 9, 9, 9, 9}, []tensor.Float{0, 1, 0, 0, 0, 0, 0, 0, 0}},
		{"overlap", layer.MaxPool{Size: 2, Stride: 1}, signal.Dense, []tensor.Float{0, 0, 0, 0, 7, 0, 0, 0, 7}, []tensor.Float{0, 0, 0, 0, 1 + 2 + 4 + 8, 0, 0, 0, 0}},
	} {
		shape := tensor.Shape{3, 3, 1}
		k := call(t, c.l, sig(c.kind, 1, 1, shape, c.x...), layer.Auto)
		c.l.Forward(k)
		k.DOut = sig(signal.Dense, 1, 1, k.Out.Shape, 1, 2, 4, 8)
		k.DIn[0] = sig(signal.Dense, 1, 1, shape, slices.Repeat([]tensor.Float{5}, 9)...)
		c.l.Backward(k)
		if !slices.Equal(k.DIn[0].Data, c.want) {
			t.Errorf("%s: errors %v, want %v", c.name, k.DIn[0].Data, c.want)
		}
	}
}
