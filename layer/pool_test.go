package layer_test

import (
	"fmt"
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

// Padding by hand: it never is the largest, not even among negative numbers, and means
// count it only where they are told to.
func TestPoolPadding(t *testing.T) {
	shape, x := tensor.Shape{2, 3, 1}, []tensor.Float{
		-1, -2, 6,
		-4, 8, -9,
	}
	for _, c := range []struct {
		l         layer.Layer
		want, din []tensor.Float // of errors 1, 2, 4, …
	}{
		{layer.MaxPool{Size: 2, Padding: []int{1}}, []tensor.Float{-1, 6, -4, 8}, []tensor.Float{1, 0, 2, 4, 8, 0}},
		{layer.MaxPool{Size: 2, Stride: 1, Padding: []int{0, 0, 1, 0}}, []tensor.Float{-1, 8, 8}, []tensor.Float{1, 0, 0, 0, 6, 0}},
		{layer.AvgPool{Size: 2, Padding: []int{1}}, []tensor.Float{-1, 2, -4, -0.5}, []tensor.Float{1, 1, 1, 4, 4, 4}},
		{layer.AvgPool{Size: 2, Padding: []int{1}, CountPadding: true}, []tensor.Float{-0.25, 1, -1, -0.25}, []tensor.Float{0.25, 0.5, 0.5, 1, 2, 2}},
		{layer.AvgPool{Size: 2, Stride: 1, Padding: []int{0, 1, 0, 0}}, []tensor.Float{0.25, 0.75, 2, -0.5}, []tensor.Float{0.25, 0.75, 0.5, 2.25, 6.75, 4.5}},
		{layer.GlobalAvgPool{}, []tensor.Float{-2.0 / 6}, slices.Repeat([]tensor.Float{1.0 / 6}, 6)},
		{layer.Upsample{Factor: 2}, []tensor.Float{-1, -1, -2, -2, 6, 6, -1, -1, -2, -2, 6, 6, -4, -4, 8, 8, -9, -9, -4, -4, 8, 8, -9, -9},
			[]tensor.Float{1 + 2 + 64 + 128, 4 + 8 + 256 + 512, 16 + 32 + 1024 + 2048, 4096 * (1 + 2 + 64 + 128), 4096 * (4 + 8 + 256 + 512), 4096 * (16 + 32 + 1024 + 2048)}},
		{layer.ReLU{Slope: 0.5}, []tensor.Float{-0.5, -1, 6, -2, 8, -4.5}, []tensor.Float{0.5, 1, 4, 4, 16, 16}},
		{layer.ReLU{Max: 6}, []tensor.Float{0, 0, 6, 0, 6, 0}, make([]tensor.Float, 6)},
		{layer.ReLU{Slope: 0.25, Max: 7}, []tensor.Float{-0.25, -0.5, 6, -1, 7, -2.25}, []tensor.Float{0.25, 0.5, 4, 2, 0, 8}},
	} {
		k := call(t, c.l, sig(signal.Dense, 1, 1, shape, x...), layer.Auto)
		c.l.Forward(k)
		if !slices.Equal(k.Out.Data, c.want) {
			t.Errorf("%T%+v: %v, want %v", c.l, c.l, k.Out.Data, c.want)
		}
		k.DOut = sig(signal.Dense, 1, 1, k.Out.Shape)
		for i := range k.DOut.Data {
			k.DOut.Data[i] = tensor.Float(uint64(1) << i)
		}
		k.DIn[0] = sig(signal.Dense, 1, 1, shape, slices.Repeat([]tensor.Float{5}, 6)...)
		c.l.Backward(k)
		if !slices.Equal(k.DIn[0].Data, c.din) {
			t.Errorf("%T%+v: errors %v, want %v", c.l, c.l, k.DIn[0].Data, c.din)
		}
	}
}

// Spikes through layers that copy or count them are what numbers are.
func TestSpikesAsNumbers(t *testing.T) {
	shape, x := tensor.Shape{3, 4, 70}, make([]tensor.Float, 2*2*3*4*70)
	for i := range x {
		if i*i%11 == 3 || i%64 == 63 {
			x[i] = 1
		}
	}
	for _, l := range []layer.Layer{layer.Upsample{Factor: 3}, layer.GlobalAvgPool{}} {
		bits := forward(t, l, sig(signal.Spikes, 2, 2, shape, x...), layer.Auto)
		dense := forward(t, l, sig(signal.Dense, 2, 2, shape, x...), layer.Auto)
		if !slices.Equal(numbers(bits), dense.Data) {
			t.Errorf("%T%+v: spikes give another result", l, l)
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
		for _, k.Keep = range []bool{true, false} {
			c.l.Forward(k)
			k.DOut = sig(signal.Dense, 1, 1, k.Out.Shape, 1, 2, 4, 8)
			k.DIn[0] = sig(signal.Dense, 1, 1, shape, slices.Repeat([]tensor.Float{5}, 9)...)
			c.l.Backward(k)
			if !slices.Equal(k.DIn[0].Data, c.want) {
				t.Errorf("%s, kept %v: errors %v, want %v", c.name, k.Keep, k.DIn[0].Data, c.want)
			}
		}
	}
}

// Pooling has several ways to the same bits: maxima recorded or found again,
// spikes as words or as numbers. Windows tile the image, overlap, leave gaps,
// or are too large for a record.
func TestPoolPaths(t *testing.T) {
	for _, c := range []struct {
		size, stride int
		padding      []int
	}{
		{size: 2}, {size: 3}, {3, 1, nil}, {3, 2, nil}, {2, 3, nil}, {1, 1, nil}, {17, 1, nil},
		{3, 2, []int{1}}, {2, 2, []int{1, 0, 0, 1}}, {3, 1, []int{2, 1}}, {2, 3, []int{1}}, {17, 2, []int{3}},
	} {
		for _, channels := range []int{1, 12, 64, 70} {
			shape := tensor.Shape{c.size + 6, c.size + 4, channels}
			x := make([]tensor.Float, 2*2*shape.Size())
			bits := make([]tensor.Float, len(x))
			for i := range x {
				x[i] = tensor.Float(i*i*7%11 - 5) // few values: many ties
				if i*i%13 == 1 || i%57 == 0 {
					bits[i] = 1
				}
			}
			mean, most := layer.AvgPool{Size: c.size, Stride: c.stride, Padding: c.padding}, layer.MaxPool{Size: c.size, Stride: c.stride, Padding: c.padding}
			run := func(l layer.Layer, kind signal.Kind, x []tensor.Float, keep bool) (out, din []tensor.Float) {
				k := call(t, l, sig(kind, 2, 2, shape, x...), layer.Auto)
				k.Keep = keep
				l.Forward(k)
				k.DOut = sig(signal.Dense, 2, 2, k.Out.Shape)
				for i := range k.DOut.Data {
					k.DOut.Data[i] = tensor.Float(i%23) - 7
				}
				k.DIn[0] = sig(signal.Dense, 2, 2, shape, slices.Repeat([]tensor.Float{5}, len(x))...)
				l.Backward(k)
				return numbers(k.Out), k.DIn[0].Data
			}
			same := func(what string, l layer.Layer, x []tensor.Float, kind signal.Kind, keep bool) {
				wantOut, wantDin := run(l, signal.Dense, x, false)
				out, din := run(l, kind, x, keep)
				if !slices.Equal(out, wantOut) || !slices.Equal(din, wantDin) {
					t.Errorf("%T%+v of %v: %s gives another result", l, l, shape, what)
				}
			}
			same("a record", most, x, signal.Dense, true)
			same("spikes", most, bits, signal.Spikes, true)
			same("spikes", mean, bits, signal.Spikes, true)
			if mean.CountPadding = len(c.padding) > 0; mean.CountPadding {
				same("spikes", mean, bits, signal.Spikes, true)
			}
		}
	}
}

// The mean's errors by hand: shares of windows that overlap add up.
func TestAvgPoolErrors(t *testing.T) {
	l, shape := layer.AvgPool{Size: 2, Stride: 1}, tensor.Shape{3, 3, 1}
	k := call(t, l, sig(signal.Dense, 1, 1, shape, img[:9]...), layer.Auto)
	l.Forward(k)
	k.DOut = sig(signal.Dense, 1, 1, k.Out.Shape, 4, 8, 16, 32)
	k.DIn[0] = sig(signal.Dense, 1, 1, shape, slices.Repeat([]tensor.Float{5}, 9)...)
	l.Backward(k)
	if want := []tensor.Float{1, 3, 2, 5, 15, 10, 4, 12, 8}; !slices.Equal(k.DIn[0].Data, want) {
		t.Errorf("errors %v, want %v", k.DIn[0].Data, want)
	}
}

func BenchmarkPool(b *testing.B) {
	shape := tensor.Shape{24, 24, 64}
	for _, kind := range []signal.Kind{signal.Dense, signal.Spikes} {
		for _, l := range []layer.Layer{layer.MaxPool{Size: 2}, layer.AvgPool{Size: 2}} {
			in := sig(kind, 4, 8, shape, make([]tensor.Float, 32*shape.Size())...)
			c := &layer.Call{
				Mode:   layer.Mode{Keep: true},
				Chunk:  layer.Chunk{In: []*signal.Signal{in}, Out: &signal.Signal{}, DIn: make([]*signal.Signal, 1), Chunks: 1},
				Memory: layer.NewMemory(nil),
			}
			var err error
			if c.Shape, err = l.Output(shape); err != nil {
				b.Fatal(err)
			}
			l.Forward(c)
			c.DOut, c.DIn[0] = sig(signal.Dense, 4, 8, c.Out.Shape), sig(signal.Dense, 4, 8, shape)
			for name, f := range map[string]func(*layer.Call){"forward": l.Forward, "backward": l.Backward} {
				b.Run(fmt.Sprintf("%T/%v/%s", l, kind, name), func(b *testing.B) {
					for b.Loop() {
						f(c)
					}
					b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*in.Rows()), "µs/image")
				})
			}
		}
	}
}
