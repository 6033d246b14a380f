package ordinary_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/signal"
	"synfire/tensor"
)

// run is a layer's output and, of errors 1, 2, 4, …, those at its input.
func run(t *testing.T, l layer.Layer, buffers []tensor.Tensor, shape tensor.Shape, x ...tensor.Float) (y, dx []tensor.Float) {
	t.Helper()
	in := &signal.Signal{Kind: signal.Dense, T: 1, B: 1, Shape: shape, Data: x}
	c := &layer.Call{Chunk: layer.Chunk{In: []*signal.Signal{in}, Out: &signal.Signal{}, Chunks: 1}, Memory: layer.NewMemory(nil)}
	c.Buffers = buffers
	var err error
	if c.Shape, err = l.Output(shape); err != nil {
		t.Fatal(err)
	}
	l.Forward(c)
	c.DOut = &signal.Signal{Kind: signal.Dense, T: 1, B: 1, Shape: c.Shape}
	for i := range c.Out.Data {
		c.DOut.Data = append(c.DOut.Data, tensor.Float(int(1)<<i))
	}
	c.DIn = []*signal.Signal{{Kind: signal.Dense, T: 1, B: 1, Shape: shape, Data: make([]tensor.Float, len(x))}}
	l.Backward(c)
	return c.Out.Data, c.DIn[0].Data
}

// A Gather takes elements by their indices, and errors find their way back.
func TestGather(t *testing.T) {
	index := []tensor.Tensor{{Shape: tensor.Shape{2, 3}, Data: []tensor.Float{3, 3, -1, 0, 4, 2}}}
	y, dx := run(t, ordinary.Gather{Shape: []int{2, 3}, Indexed: true}, index, tensor.Shape{4}, 10, 20, 30, 40)
	check(t, "output", y, 40, 40, 0, 10, 0, 30)
	check(t, "errors", dx, 8, 0, 32, 3)
	y, dx = run(t, ordinary.Gather{Shape: []int{2, 2}}, nil, tensor.Shape{4}, 10, 20, 30, 40)
	check(t, "output of a shape", y, 10, 20, 30, 40)
	check(t, "errors of a shape", dx, 1, 2, 4, 8)
}

// No error passes where an input was clipped.
func TestClip(t *testing.T) {
	y, dx := run(t, ordinary.Clip{Min: -2, Max: 6}, nil, tensor.Shape{6}, -1, -2, 6, -4, 8, -9)
	check(t, "output", y, -1, -2, 6, -2, 6, -2)
	check(t, "errors", dx, 1, 0, 0, 0, 0, 0)
}

// Shares sum to one, and large inputs do not overflow.
func TestSoftmax(t *testing.T) {
	y, dx := run(t, ordinary.Softmax{}, nil, tensor.Shape{2, 2}, 1000, 1000, 0, tensor.Float(math.Log(3)))
	for i, want := range []float64{0.5, 0.5, 0.25, 0.75} {
		if got := float64(y[i]); math.Abs(got-want) > 1e-6 {
			t.Errorf("share %d is %v, want %v", i, got, want)
		}
	}
	for i, want := range []float64{-0.25, 0.25, -0.75, 0.75} { // y·(∂y − Σ y·∂y)
		if got := float64(dx[i]); math.Abs(got-want) > 1e-6 {
			t.Errorf("error %d is %v, want %v", i, got, want)
		}
	}
}

// Options and inputs that make no sense are refused.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		l    layer.Layer
		in   tensor.Shape
		want string
	}{
		{ordinary.Gather{Shape: []int{2, -1}}, tensor.Shape{4, 6, 1}, "gather: shape is [2 -1], want positive sizes, 16777216 elements at most"},
		{ordinary.Gather{Shape: []int{1 << 20, 1 << 20}}, tensor.Shape{4, 6, 1}, "gather: shape is [1048576 1048576], want positive sizes, 16777216 elements at most"},
		{ordinary.Gather{Shape: []int{1, 1, 1, 24}}, tensor.Shape{4, 6, 1}, "gather: shape is [1 1 1 24], want one, two or three sizes"},
		{ordinary.Gather{Shape: []int{5, 5}}, tensor.Shape{4, 6, 1}, "gather: shape is [5 5], of 25 elements, want the 24 of the input 4×6×1"},
		{ordinary.Gather{Shape: []int{3}, Indexed: true}, tensor.Shape{1 << 25}, "gather: input of shape 33554432, want 16777216 elements at most; pool it first"},
		{ordinary.Clip{Min: 1, Max: -1}, tensor.Shape{4, 6, 1}, "clip: min is 1 and max -1, want two finite bounds, the smaller first"},
		{ordinary.Clip{Min: -1, Max: math.Inf(1)}, tensor.Shape{4, 6, 1}, "clip: min is -1 and max +Inf, want two finite bounds, the smaller first"},
		{ordinary.Softmax{}, tensor.Shape{}, "softmax: input is a scalar, want channels in the last axis; put it behind a linear or conv2d layer"},
		{ordinary.Clip{Min: math.NaN()}, tensor.Shape{3}, "clip: min is NaN and max 0, want two finite bounds, the smaller first"},
	} {
		if _, err := c.l.Output(c.in); err == nil || err.Error() != c.want {
			t.Errorf("%+v of %v:\n got %v\nwant %s", c.l, c.in, err, c.want)
		}
	}
}

func check(t *testing.T, what string, got []tensor.Float, want ...tensor.Float) {
	t.Helper()
	for i, w := range want {
		if len(got) != len(want) || got[i] != w {
			t.Fatalf("%s %v, want %v", what, got, want)
		}
	}
}

func ExampleGather() {
	shape, err := ordinary.Gather{Shape: []int{8, 8, 1}}.Output(tensor.Shape{64})
	fmt.Println(shape, err)
	// Output: 8×8×1 <nil>
}

// The staircase, and errors straight through its floor: to the scale 1 above, nothing below,
// and between what rounding adds.
func TestQCFS(t *testing.T) {
	x := []tensor.Float{0.1, 0.375, 0.6, 0.625, 0.9, 1.5, -1}
	l := ordinary.QCFS{Levels: 4, Init: 1}
	in := &signal.Signal{Kind: signal.Dense, T: 1, B: 1, Shape: tensor.Shape{7}, Data: x}
	c := &layer.Call{Chunk: layer.Chunk{In: []*signal.Signal{in}, Out: &signal.Signal{}, Chunks: 1}, Memory: layer.NewMemory(nil)}
	for _, scale := range []tensor.Float{1, 2} {
		for i := range x {
			in.Data[i] = scale * []tensor.Float{0.1, 0.375, 0.6, 0.625, 0.9, 1.5, -1}[i]
		}
		c.Params = []tensor.Tensor{{Shape: tensor.Shape{1}, Data: []tensor.Float{scale}}}
		l.Forward(c)
		check(t, "staircase", c.Out.Data, 0, scale/2, scale/2, 3*scale/4, scale, scale, 0)
		for i, want := range []float64{-0.1, 0.125, -0.1, 0.125, 0.1, 1, 0} {
			c.DOut = &signal.Signal{Kind: signal.Dense, T: 1, B: 1, Shape: in.Shape, Data: make([]tensor.Float, 7)}
			c.DOut.Data[i] = 3
			c.DIn, c.DParams = []*signal.Signal{{Kind: signal.Dense, T: 1, B: 1, Shape: in.Shape, Data: make([]tensor.Float, 7)}}, [][]tensor.Float{{0}}
			l.Backward(c)
			passed := tensor.Float(3)
			if i >= 5 {
				passed = 0
			}
			if got := float64(c.DParams[0][0]); math.Abs(got-3*want) > 1e-6 || c.DIn[0].Data[i] != passed {
				t.Errorf("scale %v, input %v: the scale's error is %v, want %v; the input's %v, want %v", scale, in.Data[i], got, 3*want, c.DIn[0].Data[i], passed)
			}
		}
	}
	nan := tensor.Float(math.NaN())
	in.Data[0] = nan
	if l.Forward(c); c.Out.Data[0] == c.Out.Data[0] {
		t.Error("what is no number became one")
	}
}

// Options and scales that no staircase could have are refused.
func TestQCFSRefuses(t *testing.T) {
	for want, l := range map[string]ordinary.QCFS{"levels is 0": {Init: 1}, "init is 0": {Levels: 4}, "init is -1": {Levels: 4, Init: -1}, "init is NaN": {Levels: 4, Init: math.NaN()}, "levels is 1048577": {Levels: 1<<20 + 1, Init: 1}} {
		if _, err := l.Output(tensor.Shape{1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for _, v := range []tensor.Float{0, -2, 5e-4, tensor.Float(math.Inf(1)), tensor.Float(math.NaN())} {
		if err := (ordinary.QCFS{}).CheckParams([]tensor.Tensor{{Shape: tensor.Shape{1}, Data: []tensor.Float{v}}}); err == nil || !strings.Contains(err.Error(), "scale has become") {
			t.Errorf("scale %v: %v", v, err)
		}
	}
}
