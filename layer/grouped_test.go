package layer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"synfire/layer"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

// A convolution with groups is one convolution for each group, of its channels
// alone: against the plain definition, with strides, padding and multipliers.
func TestConv2DGroups(t *testing.T) {
	for _, c := range []struct {
		l  layer.Conv2D
		in tensor.Shape
	}{
		{layer.Conv2D{Out: 4, Kernel: []int{3}, Groups: 4}, tensor.Shape{5, 6, 4}},
		{layer.Conv2D{Out: 12, Kernel: []int{3}, Padding: []int{1}, Groups: 4}, tensor.Shape{5, 6, 4}},
		{layer.Conv2D{Out: 70, Kernel: []int{2}, Stride: []int{2}, Groups: 70, NoBias: true}, tensor.Shape{5, 4, 70}},
		{layer.Conv2D{Out: 3, Kernel: []int{3}, Stride: []int{3}, Padding: []int{2}, Groups: 3}, tensor.Shape{4, 7, 3}},
		{layer.Conv2D{Out: 2, Kernel: []int{3}, Padding: []int{3}, Groups: 2}, tensor.Shape{1, 2, 2}},
		{layer.Conv2D{Out: 5, Kernel: []int{1}, Groups: 5}, tensor.Shape{3, 7, 5}},
		{layer.Conv2D{Out: 12, Kernel: []int{1}, Groups: 4, NoBias: true}, tensor.Shape{3, 7, 4}},
		{layer.Conv2D{Out: 5, Kernel: []int{1}, Stride: []int{2}, Groups: 5}, tensor.Shape{3, 7, 5}},
		{layer.Conv2D{Out: 6, Kernel: []int{3}, Padding: []int{1}, Groups: 2}, tensor.Shape{5, 6, 4}},
		{layer.Conv2D{Out: 9, Kernel: []int{1}, Stride: []int{2}, Groups: 3, NoBias: true}, tensor.Shape{5, 4, 6}},
		{layer.Conv2D{Out: 8, Kernel: []int{2, 3}, Stride: []int{1, 2}, Padding: []int{1, 0, 2, 1}, Groups: 4}, tensor.Shape{5, 4, 4}},
		{layer.Conv2D{Out: 8, Kernel: []int{2, 3}, Dilation: []int{2, 1}, Groups: 4}, tensor.Shape{5, 4, 4}},
		{layer.Conv2D{Out: 6, Kernel: []int{3, 2}, Dilation: []int{2}, Padding: []int{1}, Groups: 2}, tensor.Shape{5, 4, 4}},
	} {
		for _, kind := range []signal.Kind{signal.Dense, signal.Constant, signal.Spikes} {
			t.Run(fmt.Sprintf("%+v of %v %v", c.l, kind, c.in), func(t *testing.T) {
				in := snntest.Random(kind, 3, 2, c.in, 0.3, 5)
				var params [][]tensor.Float
				for i, p := range c.l.Params(c.in) {
					params = append(params, snntest.Random(signal.Dense, 1, 1, p.Shape, 0, uint64(i)).Data)
				}
				want := convolveGroups(c.l, in, params)
				for _, path := range []layer.Path{layer.Auto, layer.Dense, layer.Events} {
					compare(t, forward(t, c.l, in, path, params...).Data, want)
				}
			})
		}
	}
}

// convolveGroups runs the plain definition with weights of all channels, zero
// between the groups.
func convolveGroups(l layer.Conv2D, in *signal.Signal, params [][]tensor.Float) []float64 {
	c := in.Shape[2]
	cg, m := c/l.Groups, l.Out/l.Groups
	kh, kw := two(l.Kernel, 1)
	w := make([]tensor.Float, kh*kw*c*l.Out)
	for tap := range kh * kw {
		for ch := range cg {
			for o := range l.Out {
				w[(tap*c+o/m*cg+ch)*l.Out+o] = params[0][(tap*cg+ch)*l.Out+o]
			}
		}
	}
	whole := l
	whole.Groups = 0
	return convolve(whole, in, append([][]tensor.Float{w}, params[1:]...))
}

// Shapes, fan-in and errors of groups.
func TestGroupOptions(t *testing.T) {
	l := layer.Conv2D{Out: 6, Kernel: []int{3}, Groups: 2}
	p := l.Params(tensor.Shape{5, 5, 4})
	if !p[0].Shape.Equal(tensor.Shape{3, 3, 2, 6}) || !p[1].Shape.Equal(tensor.Shape{6}) || p[0].FanIn != 18 || p[1].FanIn != 18 {
		t.Errorf("parameters %+v", p)
	}
	for _, bad := range []layer.Conv2D{{Out: 6, Kernel: []int{3}, Groups: 3}, {Out: 5, Kernel: []int{3}, Groups: 2}, {Out: 4, Kernel: []int{3}, Groups: -1}} {
		if _, err := bad.Output(tensor.Shape{5, 5, 4}); err == nil || !strings.Contains(err.Error(), "divides both") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// By hand: two channels of a 1×2 image, a kernel of one tap that is 2 and 3.
func TestDepthwiseByHand(t *testing.T) {
	in := sig(signal.Constant, 2, 1, tensor.Shape{1, 2, 2}, 1, 10, 2, 20)
	out := forward(t, layer.Conv2D{Out: 2, Kernel: []int{1}, Groups: 2}, in, layer.Auto, []tensor.Float{2, 3}, []tensor.Float{0.5, 0})
	if want := []tensor.Float{2.5, 30, 4.5, 60}; out.Kind != signal.Constant || !slices.Equal(out.Data, want) {
		t.Errorf("%v %v, want %v", out.Kind, out.Data, want)
	}
}
