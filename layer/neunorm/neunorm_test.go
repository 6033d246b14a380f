package neunorm_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"synfire/layer"
	"synfire/layer/neunorm"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

// Two steps of two maps at one position by hand, forwards and back: k = 1/2, so one
// spike of two maps adds (1/2)/4 to x, and where x is a running mean (1/2)/2.
func TestNeuNorm(t *testing.T) {
	in := sig(signal.Dense, 2, 1, tensor.Shape{1, 1, 2}, 1, 1, 1, 0)
	for _, c := range []struct {
		l              neunorm.NeuNorm
		u              []tensor.Float
		y, dx, weights []float64
	}{
		// x = 1/4, 1/4; ∂x = −6, −4, of which an eighth is added
		{neunorm.NeuNorm{Decay: 0.5}, []tensor.Float{2, 4}, []float64{0.5, 0, 0.5, -1}, []float64{-0.75, 0.25, 0.5, 0}, []float64{-0.25, -0.375}},
		// x = 1/2, 1/2; a quarter is added
		{neunorm.NeuNorm{Decay: 0.5, RunningMean: true}, []tensor.Float{2, 4}, []float64{0, -1, 0, -2}, []float64{-1.5, -0.5, 0, -0.5}, []float64{-0.5, -0.75}},
		// ∂x = −3.5, −3
		{neunorm.NeuNorm{Decay: 0.5, RunningMean: true, Shared: true}, []tensor.Float{2}, []float64{0, 0, 0, -1}, []float64{-0.875, 0.125, 0.25, -0.25}, []float64{-1.25}},
	} {
		call := call(t, c.l, in, c.u)
		c.l.Forward(call)
		compare(t, call.Out.Data, c.y)
		call.DOut = sig(signal.Dense, 2, 1, in.Shape, 0, 1, 1, 0.5)
		call.DIn[0] = &signal.Signal{Kind: signal.Dense, T: 2, B: 1, Shape: in.Shape, Data: make([]tensor.Float, 4)}
		call.DParams, call.DState = [][]tensor.Float{make([]tensor.Float, len(c.u))}, make([]tensor.Float, 1)
		c.l.Backward(call)
		compare(t, call.DParams[0], c.weights)
		compare(t, call.DIn[0].Data, c.dx)
	}
}

// Weights of zero leave the spikes as they are, bit for bit.
func TestNeuNormWithoutWeights(t *testing.T) {
	shape := tensor.Shape{3, 4, 5}
	in := snntest.Random(signal.Spikes, 6, 2, shape, 0.3, 1)
	got := forward(t, neunorm.NeuNorm{Decay: 0.9}, in, make([]tensor.Float, 60))
	if !slices.Equal(numbers(in), numbers(got)) {
		t.Error("the output is not the input")
	}
}

// Where all maps fire in all steps, x approaches 1/F under the published constraint, and
// 1 as a running mean; of one map it is a leaky average of that map.
func TestNeuNormAtRest(t *testing.T) {
	const steps, decay = 5, 0.75
	for maps, l := range map[int]neunorm.NeuNorm{4: {Decay: decay}, 3: {Decay: decay, RunningMean: true}, 1: {Decay: decay}} {
		in := &signal.Signal{}
		in.Reset(signal.Spikes, steps, 1, tensor.Shape{1, 1, maps})
		for step := range steps {
			for f := range maps {
				in.Raster.Set(step, f)
			}
		}
		u := make([]tensor.Float, maps)
		for f := range u {
			u[f] = 1
		}
		y, rest := numbers(forward(t, l, in, u)), 1.0
		if !l.RunningMean {
			rest = 1 / float64(maps)
		}
		for step := range steps {
			want := 1 - rest*(1-math.Pow(decay, float64(step+1)))
			if got := float64(y[step*maps]); math.Abs(got-want) > 1e-6 {
				t.Errorf("%d maps, step %d: 1 − x is %v, want %v", maps, step, got, want)
			}
		}
	}
}

// Samples of a batch have auxiliary neurons of their own, forwards and back: a batch is what
// its samples are alone. And the errors at a constant input are those of its steps, summed.
func TestSamplesApart(t *testing.T) {
	const steps, b, n = 4, 3, 12
	shape, l := tensor.Shape{2, 2, 3}, neunorm.NeuNorm{Decay: 0.5, RunningMean: true}
	u, in := snntest.Random(signal.Dense, 1, 1, shape, 0, 1).Data, snntest.Random(signal.Dense, steps, b, shape, 0, 2)
	dout := snntest.Random(signal.Dense, steps, b, shape, 0, 3)
	run := func(in, dout *signal.Signal) (y, dx []tensor.Float) {
		c := call(t, l, in, u)
		l.Forward(c)
		din := &signal.Signal{}
		din.Reset(in.Kind, in.T, in.B, shape)
		clear(din.Data)
		c.DOut, c.DIn[0] = dout, din
		c.DParams, c.DState = [][]tensor.Float{make([]tensor.Float, n)}, make([]tensor.Float, len(c.State))
		l.Backward(c)
		return c.Out.Data, din.Data
	}
	one := func(s *signal.Signal, i int) *signal.Signal {
		var x []tensor.Float
		for step := range steps {
			x = append(x, s.Data[(step*b+i)*n:][:n]...)
		}
		return sig(signal.Dense, steps, 1, shape, x...)
	}
	y, dx := run(in, dout)
	for i := range b {
		ownY, ownDX := run(one(in, i), one(dout, i))
		for k, v := range ownY {
			if at := (k/n*b+i)*n + k%n; y[at] != v || dx[at] != ownDX[k] {
				t.Fatalf("sample %d, element %d: %v and error %v, alone %v and %v", i, k, y[at], dx[at], v, ownDX[k])
			}
		}
	}
	still, each := sig(signal.Constant, steps, 1, shape, in.Data[:n]...), sig(signal.Dense, steps, 1, shape)
	for step := range steps {
		copy(each.Data[step*n:], in.Data[:n])
	}
	y, dx = run(still, one(dout, 0))
	wantY, wantDX := run(each, one(dout, 0))
	if !slices.Equal(y, wantY) {
		t.Errorf("of a constant input: %v, want %v", y, wantY)
	}
	for k, v := range dx {
		want := 0.0
		for step := range steps {
			want += float64(wantDX[step*n+k])
		}
		if math.Abs(float64(v)-want) > 1e-5 {
			t.Errorf("error %d at a constant input is %v, want the sum %v", k, v, want)
		}
	}
}

// A class is the mean of its voters; what one vote counts is what its error is, the same
// for all voters of a class.
func TestVote(t *testing.T) {
	l := neunorm.Vote{Voters: 2}
	in := sig(signal.Dense, 1, 2, tensor.Shape{6}, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 1)
	c := call(t, l, in)
	l.Forward(c)
	compare(t, c.Out.Data, []float64{0.5, 1, 0, 0.5, 0, 1})
	c.DOut = sig(signal.Dense, 1, 2, tensor.Shape{3}, 2, 4, 6, 1, 3, 5)
	c.DIn[0] = &signal.Signal{Kind: signal.Dense, T: 1, B: 2, Shape: in.Shape, Data: make([]tensor.Float, 12)}
	l.Backward(c)
	compare(t, c.DIn[0].Data, []float64{1, 1, 2, 2, 3, 3, 0.5, 0.5, 1.5, 1.5, 2.5, 2.5})
}

// Mistakes get a message with what was found, what is wanted, and what to try.
func TestOutputErrors(t *testing.T) {
	vector, image := tensor.Shape{24}, tensor.Shape{4, 6, 1}
	for _, c := range []struct {
		l    layer.Layer
		in   tensor.Shape
		want string
	}{
		{neunorm.NeuNorm{Decay: 1}, image, "neu-norm: decay is 1, want what remains of the auxiliary neuron after a step, in [0, 1) (0.9 is usual)"},
		{neunorm.NeuNorm{}, vector, "neu-norm: input of shape 24, want an image height×width×channels; put it before any flatten"},
		{neunorm.Vote{Voters: 5}, vector, "vote: 5 voters of a class do not divide 24 units; give the layer before it classes × voters outputs"},
		{neunorm.Vote{Voters: 2}, image, "vote: input of shape 4×6×1, want a vector; put a flatten layer before it"},
	} {
		if _, err := c.l.Output(c.in); err == nil || err.Error() != c.want {
			t.Errorf("%+v of %v: %v, want %q", c.l, c.in, err, c.want)
		}
	}
}

// Example has five neurons vote for each of two classes.
func Example() {
	shape, err := neunorm.Vote{Voters: 5}.Output(tensor.Shape{10})
	fmt.Println(shape, err)
	// Output: 2 <nil>
}

// call is all that a layer needs to run forwards over one window.
func call(t *testing.T, l layer.Layer, in *signal.Signal, params ...[]tensor.Float) *layer.Call {
	t.Helper()
	c := &layer.Call{
		Chunk:  layer.Chunk{In: []*signal.Signal{in}, Out: &signal.Signal{}, DIn: make([]*signal.Signal, 1), Chunks: 1},
		Memory: layer.NewMemory(nil),
	}
	var err error
	if c.Shape, err = l.Output(in.Shape); err != nil {
		t.Fatal(err)
	}
	for _, p := range params {
		c.Params = append(c.Params, tensor.Tensor{Data: p})
	}
	if s, ok := l.(layer.Stateful); ok {
		c.State = make([]tensor.Float, in.B*s.StateSize(in.Shape))
	}
	return c
}

func forward(t *testing.T, l layer.Layer, in *signal.Signal, params ...[]tensor.Float) *signal.Signal {
	t.Helper()
	c := call(t, l, in, params...)
	l.Forward(c)
	return c.Out
}

// sig is a Dense signal of given elements.
func sig(kind signal.Kind, steps, b int, shape tensor.Shape, x ...tensor.Float) *signal.Signal {
	s := &signal.Signal{}
	s.Reset(kind, steps, b, shape)
	copy(s.Data, x)
	return s
}

// numbers are the elements of a signal.
func numbers(s *signal.Signal) []tensor.Float {
	var d signal.Signal
	s.Densify(&d)
	return d.Data
}

func compare(t *testing.T, got []tensor.Float, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d elements, want %d", len(got), len(want))
	}
	for i, w := range want {
		if math.Abs(float64(got[i])-w) > 1e-6 {
			t.Fatalf("element %d is %v, want %v", i, got[i], w)
		}
	}
}
