package layer_test

import (
	"math"
	"slices"
	"testing"

	"synfire/internal/rng"
	"synfire/layer"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

// joinCall is all that a layer of several inputs needs to run forwards.
func joinCall(t *testing.T, l layer.Layer, in ...*signal.Signal) *layer.Call {
	t.Helper()
	c := &layer.Call{
		Chunk:  layer.Chunk{In: in, Out: &signal.Signal{}, DIn: make([]*signal.Signal, len(in)), Chunks: 1},
		Memory: layer.NewMemory(nil),
	}
	var shapes []tensor.Shape
	for _, s := range in {
		shapes = append(shapes, s.Shape)
	}
	var err error
	if c.Shape, err = l.Output(shapes...); err != nil {
		t.Fatal(err)
	}
	return c
}

// Two channels over two steps by hand. Channel 0 is 1, 3, 5, 7: mean 4, biased
// variance 5, unbiased 20/3. Channel 1 is constant: it becomes beta.
func TestBatchNorm(t *testing.T) {
	l := layer.BatchNorm{Epsilon: 4, Scale: 2, Momentum: 0.25} // √(5 + 4) = 3, √4 = 2
	in := sig(signal.Dense, 2, 2, tensor.Shape{2}, 1, 8, 3, 8, 5, 8, 7, 8)
	buffers := []tensor.Tensor{{Data: []tensor.Float{0, 8}}, {Data: []tensor.Float{1, 1}}}
	c := call(t, l, in, layer.Auto, []tensor.Float{1.5, 3}, []tensor.Float{10, 20})
	c.Buffers, c.Stats = buffers, [][]tensor.Float{make([]tensor.Float, 2), make([]tensor.Float, 2)}

	c.Train = true
	l.Forward(c)
	compare(t, c.Out.Data, []float64{7, 20, 9, 20, 11, 20, 13, 20}) // 10 + 2·1.5·(x − 4)/3
	l.UpdateBuffers(buffers, c.Stats)
	compare(t, buffers[0].Data, []float64{1, 8})
	compare(t, buffers[1].Data, []float64{0.75 + 0.25*20/3, 0.75})

	c.DOut = sig(signal.Dense, 2, 2, tensor.Shape{2}, 1, 1, 0, 0, 0, 0, 0, 0)
	c.DIn[0] = &signal.Signal{Kind: signal.Dense, T: 2, B: 2, Shape: in.Shape, Data: make([]tensor.Float, 8)}
	c.DParams = [][]tensor.Float{make([]tensor.Float, 2), make([]tensor.Float, 2)}
	l.Backward(c)
	compare(t, c.DParams[0], []float64{2 * -1, 0}) // Scale·∂y·x̂ with x̂ = (1 − 4)/3
	compare(t, c.DParams[1], []float64{1, 1})
	// slope 1: ∂y − 1/4 − x̂·(−1)/4, with x̂ = −1, −1/3, 1/3, 1; slope 3 for channel 1: ∂y − 1/4
	compare(t, c.DIn[0].Data, []float64{0.5, 2.25, -1.0 / 3, -0.75, -1.0 / 6, -0.75, 0, -0.75})

	c.Train = false
	buffers[0].Data[0], buffers[1].Data[0], buffers[1].Data[1] = 2, 12, 5 // √16, √9
	l.Forward(c)
	compare(t, c.Out.Data, []float64{9.25, 20, 10.75, 20, 12.25, 20, 13.75, 20}) // 10 + 3·(x − 2)/4
}

// The masks: the same at all steps, another for each sample and node, of the
// rate asked for and with the scale that keeps the expectation; nothing is done
// at inference.
func TestDropout(t *testing.T) {
	const n = 10000
	l := layer.Dropout{Rate: 0.2}
	in := &signal.Signal{}
	in.Reset(signal.Dense, 2, 2, tensor.Shape{n})
	for i := range in.Data {
		in.Data[i] = 1
	}
	masks := func(node string, kind signal.Kind) []tensor.Float {
		x := in
		if kind == signal.Spikes {
			x = sig(signal.Spikes, 2, 2, tensor.Shape{n}, in.Data...)
		}
		c := call(t, l, x, layer.Auto)
		c.Train, c.Node, c.Keys = true, node, []rng.Key{rng.New(1, rng.Dropout), rng.New(2, rng.Dropout)}
		l.Forward(c)
		if c.Out.Kind != signal.Dense {
			t.Fatalf("%v output of %v", c.Out.Kind, kind)
		}
		return c.Out.Data
	}
	y := masks("a", signal.Dense)
	dropped := 0
	for _, v := range y[:n] {
		switch {
		case v == 0:
			dropped++
		case v != 1.25:
			t.Fatalf("a unit kept is multiplied by %v, want 1.25", v)
		}
	}
	if dropped < 1850 || dropped > 2150 {
		t.Errorf("%d of %d units dropped, want about 2000", dropped, n)
	}
	if !slices.Equal(y[:2*n], y[2*n:]) || slices.Equal(y[:n], y[n:2*n]) || slices.Equal(y, masks("b", signal.Dense)) {
		t.Error("masks must be the same at all steps, and differ between samples and nodes")
	}
	if !slices.Equal(y, masks("a", signal.Spikes)) {
		t.Error("spikes have other masks")
	}
	spikes := sig(signal.Spikes, 1, 1, tensor.Shape{3}, 1, 0, 1)
	if out := forward(t, l, spikes, layer.Auto); out.Kind != signal.Spikes || &out.Raster.Bits[0] != &spikes.Raster.Bits[0] {
		t.Errorf("inference: %v, or a copy", out.Kind)
	}
}

// Sums and joins of each mixture of kinds by hand, and the errors that go back:
// to a constant input their sum over time.
func TestAddAndConcat(t *testing.T) {
	shape := tensor.Shape{1, 2, 1}
	constant := func() *signal.Signal { return sig(signal.Constant, 2, 1, shape, 10, 20) }
	spikes := func() *signal.Signal { return sig(signal.Spikes, 2, 1, shape, 1, 0, 1, 1) }
	dense := func() *signal.Signal { return sig(signal.Dense, 2, 1, shape, 1, 2, 3, 4) }
	for _, c := range []struct {
		l    layer.Layer
		in   []*signal.Signal
		kind signal.Kind
		want []tensor.Float
	}{
		{layer.Add{}, []*signal.Signal{spikes(), spikes(), spikes()}, signal.Dense, []tensor.Float{3, 0, 3, 3}},
		{layer.Add{}, []*signal.Signal{constant(), constant()}, signal.Constant, []tensor.Float{20, 40}},
		{layer.Add{}, []*signal.Signal{spikes(), constant(), dense()}, signal.Dense, []tensor.Float{12, 22, 14, 25}},
		{layer.Concat{}, []*signal.Signal{spikes(), spikes()}, signal.Spikes, []tensor.Float{1, 1, 0, 0, 1, 1, 1, 1}},
		{layer.Concat{}, []*signal.Signal{constant(), constant()}, signal.Constant, []tensor.Float{10, 10, 20, 20}},
		{layer.Concat{}, []*signal.Signal{spikes(), constant()}, signal.Dense, []tensor.Float{1, 10, 0, 20, 1, 10, 1, 20}},
	} {
		k := joinCall(t, c.l, c.in...)
		c.l.Forward(k)
		if err := k.Out.Check(k.Shape); err != nil || k.Out.Kind != c.kind || !slices.Equal(numbers(k.Out), c.want) {
			t.Errorf("%T: %v %v (%v), want %v %v", c.l, k.Out.Kind, numbers(k.Out), err, c.kind, c.want)
		}
	}
	k := joinCall(t, layer.Concat{}, constant(), dense())
	layer.Concat{}.Forward(k)
	k.DOut = sig(signal.Dense, 2, 1, tensor.Shape{1, 2, 2}, 1, 2, 3, 4, 5, 6, 7, 8)
	k.DIn = []*signal.Signal{sig(signal.Constant, 2, 1, shape, 100, 200), dense()} // from the window after
	layer.Concat{}.Backward(k)
	if !slices.Equal(k.DIn[0].Data, []tensor.Float{106, 210}) || !slices.Equal(k.DIn[1].Data, []tensor.Float{2, 4, 6, 8}) {
		t.Errorf("errors %v and %v", k.DIn[0].Data, k.DIn[1].Data)
	}
}

// Two neurons by hand, unit 0 exciting unit 1 and inhibiting itself: spikes act
// one step later, also across windows.
func TestRecurrent(t *testing.T) {
	l := layer.Recurrent{Neuron: neuron.LIF{Beta: 0.5, Threshold: 1}, Surrogate: fast}
	w := []tensor.Float{-0.5, 0.75, 0, 0}
	for _, path := range []layer.Path{layer.Auto, layer.Dense, layer.Events} {
		c := call(t, l, sig(signal.Constant, 2, 1, tensor.Shape{2}, 1, 0.25), path, w)
		// unit 0: I = 1 (fires, v 0), 0.5, 1 (u 1.25 fires, 0.25), 0.5 (u 0.625)
		// unit 1: I = 0.25, 1 (u 1.125 fires, 0.125), 0.25 (u 0.3125), 1 (u 1.15625 fires)
		var got []tensor.Float
		for range 2 {
			l.Forward(c)
			got = append(got, numbers(c.Out)...)
		}
		if want := []tensor.Float{1, 0, 0, 1, 1, 0, 0, 1}; !slices.Equal(got, want) {
			t.Errorf("path %d: spikes %v, want %v", path, got, want)
		}
		if want := []tensor.Float{0.625, 0.15625, 0, 1}; !slices.Equal(c.State, want) {
			t.Errorf("path %d: state %v, want membranes and spikes %v", path, c.State, want)
		}
	}
}

// Spikes that are told reset the membranes, whatever these are: those of a population of more
// than a word of bits, of which every third fires.
func TestParametricSpikingReplays(t *testing.T) {
	shape := tensor.Shape{150}
	l := layer.ParametricSpiking{Beta: 0.5, Threshold: 1, Surrogate: surrogate.ArcTan{Alpha: 2}}
	in := sig(signal.Dense, 1, 1, shape, make([]tensor.Float, 150)...)
	for i := range in.Data {
		if i%3 == 0 {
			in.Data[i] = 1.5
		}
	}
	c := call(t, l, in, layer.Auto, make([]tensor.Float, 150))
	c.Soft = layer.Record
	l.Forward(c)
	clear(c.State)
	clear(in.Data) // now none would fire by itself
	c.Soft = layer.Replay
	l.Forward(c)
	for i, v := range c.State {
		if told := i%3 == 0; told && v != -1 || !told && v != 0 {
			t.Fatalf("unit %d is at %v, told to fire: %v", i, v, told)
		}
	}
}

// With each channel's decay at the same value the population is one of ordinary
// neurons; it starts at Beta.
func TestParametricSpiking(t *testing.T) {
	shape := tensor.Shape{5, 13, 3}
	for _, reset := range []neuron.Reset{neuron.Subtract, neuron.Zero, neuron.None} {
		for _, decayInput := range []bool{false, true} {
			l := layer.ParametricSpiking{Beta: 0.75, Threshold: 0.5, Reset: reset, DecayInput: decayInput, Surrogate: surrogate.ArcTan{Alpha: 2}}
			p := l.Params(shape)
			if !p[0].Shape.Equal(tensor.Shape{3}) || math.Abs(p[0].Value-math.Log(3)) > 1e-12 {
				t.Fatalf("parameters %+v", p)
			}
			decay := make([]tensor.Float, 3)
			p[0].Init(decay, nil)
			in := snntest.Random(signal.Dense, 6, 2, shape, 0, 1)
			got := call(t, l, in, layer.Auto, decay)
			l.Forward(got)
			plain := layer.Spiking{Neuron: neuron.LIF{Beta: 0.75, Threshold: 0.5, Reset: reset, DecayInput: decayInput}, Surrogate: fast}
			want := call(t, plain, in, layer.Auto)
			plain.Forward(want)
			if !slices.Equal(numbers(got.Out), numbers(want.Out)) {
				t.Errorf("reset %v, decay of input %v: other spikes than LIF", reset, decayInput)
			}
		}
	}
}
