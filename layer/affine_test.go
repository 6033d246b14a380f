package layer_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

// The convolution against the definition, written as plain loops: gathering,
// packing and adding by event must all find the same pixels.
func TestConv2D(t *testing.T) {
	for _, c := range []struct {
		l  layer.Conv2D
		in tensor.Shape
	}{
		{layer.Conv2D{Out: 1, Kernel: []int{1}}, tensor.Shape{1, 1, 1}},
		{layer.Conv2D{Out: 5, Kernel: []int{3}}, tensor.Shape{6, 7, 1}},
		{layer.Conv2D{Out: 5, Kernel: []int{3}}, tensor.Shape{6, 7, 3}},
		{layer.Conv2D{Out: 33, Kernel: []int{3}, Padding: []int{1}}, tensor.Shape{5, 4, 2}},
		{layer.Conv2D{Out: 1, Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}}, tensor.Shape{8, 9, 2}},
		{layer.Conv2D{Out: 4, Kernel: []int{2}, Stride: []int{2}}, tensor.Shape{7, 5, 1}},
		{layer.Conv2D{Out: 4, Kernel: []int{2}, Stride: []int{3}, Padding: []int{2}}, tensor.Shape{6, 4, 2}},
		{layer.Conv2D{Out: 17, Kernel: []int{1}}, tensor.Shape{4, 3, 5}},
		{layer.Conv2D{Out: 3, Kernel: []int{1}, Stride: []int{2}}, tensor.Shape{5, 4, 3}},
		{layer.Conv2D{Out: 3, Kernel: []int{1}, Padding: []int{1}}, tensor.Shape{3, 2, 2}},
		{layer.Conv2D{Out: 6, Kernel: []int{4}}, tensor.Shape{4, 4, 2}},
		{layer.Conv2D{Out: 2, Kernel: []int{3}, Padding: []int{3}}, tensor.Shape{1, 2, 1}},
		{layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}, NoBias: true}, tensor.Shape{5, 6, 70}},
		{layer.Conv2D{Out: 4, Kernel: []int{3, 5}}, tensor.Shape{5, 8, 2}},
		{layer.Conv2D{Out: 4, Kernel: []int{5, 2}, Stride: []int{1, 2}, Padding: []int{2, 0}}, tensor.Shape{6, 5, 3}},
		{layer.Conv2D{Out: 4, Kernel: []int{2, 3}, Stride: []int{3, 1}, Padding: []int{2, 0, 1, 3}}, tensor.Shape{6, 5, 3}},
		{layer.Conv2D{Out: 4, Kernel: []int{3}, Dilation: []int{2}, Padding: []int{2}}, tensor.Shape{6, 5, 3}},
		{layer.Conv2D{Out: 4, Kernel: []int{2, 3}, Dilation: []int{3, 1}, Stride: []int{2, 1}}, tensor.Shape{8, 5, 3}},
		{layer.Conv2D{Out: 4, Kernel: []int{3, 2}, Dilation: []int{1, 3}, Padding: []int{0, 1, 4, 2}, Stride: []int{1, 2}}, tensor.Shape{6, 5, 3}},
	} {
		for _, kind := range []signal.Kind{signal.Dense, signal.Constant, signal.Spikes} {
			t.Run(fmt.Sprintf("%+v of %v %v", c.l, kind, c.in), func(t *testing.T) {
				in := snntest.Random(kind, 3, 2, c.in, 0.3, 5)
				var params [][]tensor.Float
				for i, p := range c.l.Params(c.in) {
					params = append(params, snntest.Random(signal.Dense, 1, 1, p.Shape, 0, uint64(i)).Data)
				}
				want := convolve(c.l, in, params)
				for _, path := range []layer.Path{layer.Auto, layer.Dense, layer.Events} {
					compare(t, forward(t, c.l, in, path, params...).Data, want)
				}
			})
		}
	}
}

// By hand: two taps that are two pixels apart, with a column of zeros on the left, on an
// image of two rows; and their errors carried back.
func TestConv2DByHand(t *testing.T) {
	l := layer.Conv2D{Out: 1, Kernel: []int{1, 2}, Dilation: []int{1, 2}, Padding: []int{0, 0, 1, 0}}
	for _, path := range []layer.Path{layer.Auto, layer.Dense, layer.Events} {
		c := call(t, l, sig(signal.Dense, 1, 1, tensor.Shape{2, 4, 1}, 1, 2, 3, 4, 5, 6, 7, 8), path, []tensor.Float{1, 10}, []tensor.Float{0})
		l.Forward(c)
		if want := []tensor.Float{20, 31, 42, 60, 75, 86}; !slices.Equal(c.Out.Data, want) {
			t.Errorf("path %d: %v, want %v", path, c.Out.Data, want)
		}
		c.DOut = sig(signal.Dense, 1, 1, c.Out.Shape, 1, 0, 2, 0, 4, 0)
		c.DIn[0] = sig(signal.Dense, 1, 1, tensor.Shape{2, 4, 1}, 9, 9, 9, 9, 9, 9, 9, 9)
		c.DParams = [][]tensor.Float{{0, 0}, {0}}
		l.Backward(c)
		if want := []tensor.Float{0, 10 + 2, 0, 20, 4, 0, 40, 0}; !slices.Equal(c.DIn[0].Data, want) {
			t.Errorf("path %d: errors %v, want %v", path, c.DIn[0].Data, want)
		}
		if w, b := []tensor.Float{2*2 + 4*5, 2 + 2*4 + 4*7}, []tensor.Float{7}; !slices.Equal(c.DParams[0], w) || !slices.Equal(c.DParams[1], b) {
			t.Errorf("path %d: gradients %v, want %v and %v", path, c.DParams, w, b)
		}
	}
}

// two is a height and a width, of one number or two.
func two(v []int, none int) (int, int) {
	switch len(v) {
	case 0:
		return none, none
	case 1:
		return v[0], v[0]
	}
	return v[0], v[1]
}

// convolve is y[r, y, x, o] = b[o] + Σ w[i, j, ch, o] · in[r, y·s + i·d − p, x·s + j·d − p, ch].
func convolve(l layer.Conv2D, in *signal.Signal, params [][]tensor.Float) (out []float64) {
	x, h, w, c := numbers(in), in.Shape[0], in.Shape[1], in.Shape[2]
	kh, kw := two(l.Kernel, 1)
	sh, sw := two(l.Stride, 1)
	dh, dw := two(l.Dilation, 1)
	above, left := two(l.Padding, 0)
	below, right := above, left
	if len(l.Padding) == 4 {
		above, below, left, right = l.Padding[0], l.Padding[1], l.Padding[2], l.Padding[3]
	}
	for r := range in.Rows() {
		for top := -above; top+(kh-1)*dh < h+below; top += sh {
			for first := -left; first+(kw-1)*dw < w+right; first += sw {
				for o := range l.Out {
					sum := 0.0
					if len(params) > 1 {
						sum = float64(params[1][o])
					}
					for i := range kh {
						for j := range kw {
							py, px := top+i*dh, first+j*dw
							if py < 0 || py >= h || px < 0 || px >= w {
								continue
							}
							for ch := range c {
								weight := params[0][((i*kw+j)*c+ch)*l.Out+o]
								sum += float64(weight) * float64(x[((r*h+py)*w+px)*c+ch])
							}
						}
					}
					out = append(out, sum)
				}
			}
		}
	}
	return out
}

// compare allows what rounding does to sums of hundreds of terms below one.
func compare(t *testing.T, got []tensor.Float, want []float64) {
	t.Helper()
	limit := 2e-5
	if snntest.DoublePrecision() {
		limit = 1e-13
	}
	if len(got) != len(want) {
		t.Fatalf("%d elements, want %d", len(got), len(want))
	}
	for i, w := range want {
		if math.Abs(float64(got[i])-w) > limit {
			t.Fatalf("element %d is %v, want %v", i, got[i], w)
		}
	}
}

// The linear map by hand, for each kind of signal: a constant input is
// multiplied once, and spikes give the same by event and by product.
func TestLinear(t *testing.T) {
	w := []tensor.Float{ // [3 inputs, 2 outputs]
		1, -2,
		4, 8,
		0.5, 16,
	}
	bias := []tensor.Float{0.25, -1}
	for _, c := range []struct {
		in     *signal.Signal
		noBias bool
		kind   signal.Kind
		want   []tensor.Float
	}{
		{sig(signal.Dense, 2, 1, tensor.Shape{3}, 1, 2, -2, 0, 0, 0), false, signal.Dense, []tensor.Float{8.25, -19, 0.25, -1}},
		{sig(signal.Constant, 2, 2, tensor.Shape{3}, 1, 2, -2, 0.5, 0, 1), false, signal.Constant, []tensor.Float{8.25, -19, 1.25, 14}},
		{sig(signal.Spikes, 2, 2, tensor.Shape{3}, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1), false, signal.Dense, []tensor.Float{1.75, 13, 0.25, -1, 4.25, 7, 5.75, 21}},
		{sig(signal.Spikes, 2, 1, tensor.Shape{3}, 0, 1, 1, 0, 0, 0), true, signal.Dense, []tensor.Float{4.5, 24, 0, 0}},
	} {
		for _, path := range []layer.Path{layer.Auto, layer.Dense, layer.Events} {
			out := forward(t, layer.Linear{Out: 2, NoBias: c.noBias}, c.in, path, w, bias)
			if out.Kind != c.kind || !slices.Equal(out.Data, c.want) {
				t.Errorf("%v input, path %d: %v output %v, want %v %v", c.in.Kind, path, out.Kind, out.Data, c.kind, c.want)
			}
		}
	}
}

// Weights that changed take effect when they are compiled again, into the same
// memory.
func TestCompileAgain(t *testing.T) {
	l, in := layer.Linear{Out: 1, NoBias: true}, sig(signal.Dense, 1, 1, tensor.Shape{2}, 1, 1)
	w := []tensor.Float{1, 2}
	c := call(t, l, in, layer.Auto, w)
	w[1] = 10
	c.Weights = l.Compile(c.Weights, nil, c.Params, true, in.Shape)
	l.Forward(c)
	if c.Out.Data[0] != 11 {
		t.Errorf("after the change: %v, want 11", c.Out.Data)
	}
}

// More rows in a step than one chain of a gradient takes (4,096), and more
// units than one block of neurons (2,048): the borders must not show, whatever
// the path and the number of threads.
func TestBlockBorders(t *testing.T) {
	net, err := network.Sequential(tensor.Shape{68, 67, 1}, 1,
		layer.Conv2D{Out: 2, Kernel: []int{3}},
		layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 0.2, Reset: neuron.Zero}, Surrogate: fast},
		layer.Conv2D{Out: 3, Kernel: []int{2}, Stride: []int{1}},
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []signal.Kind{signal.Spikes, signal.Constant} {
		in := snntest.Random(kind, 2, 2, net.InputShape(), 0.1, 3)
		snntest.Paths(t, net, in)
		snntest.Threads(t, net, in)
	}
}
