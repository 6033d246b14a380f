package bptt_test

import (
	"context"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"synfire/encode"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
	"synfire/train"
)

const timeSteps = 12

// timeNet is a small network with state of two kinds behind a constant input.
func timeNet(t *testing.T) *network.Network {
	t.Helper()
	s := surrogate.FastSigmoid{Slope: 2}
	net, err := network.Sequential(tensor.Shape{6}, 1,
		layer.Linear{Out: 20}, layer.Spiking{Neuron: neuron.ALIF{Beta: 0.9, Threshold: 0.2, Adaptation: 0.1, Rho: 0.9}, Surrogate: s},
		layer.Linear{Out: 3}, layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 0.2}, Surrogate: s})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// Losses of classes.
var (
	counts    = []bptt.Term{{Loss: loss.CountCrossEntropy{}}}
	membranes = []bptt.Term{{Loss: loss.MembraneCrossEntropy{}}}
)

// batchOf is samples of classes, whose values are still to come.
func batchOf(shape tensor.Shape, classes int, labels ...int) *sample.Batch {
	names := strings.Split("abcdefghij", "")[:classes]
	b := &sample.Batch{}
	b.Reset(&sample.Spec{Shape: shape, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: names}}}, 0)
	for i, label := range labels {
		b.Index = append(b.Index, i)
		b.Targets[0].Add(sample.Target{Class: label})
	}
	return b
}

func timeBatch() *sample.Batch {
	src := rng.New(1, "test").Source()
	b := batchOf(tensor.Shape{6}, 3, 0, 1, 2, 0)
	for range 4 * 6 {
		b.X = append(b.X, tensor.Float(src.Float64()))
	}
	return b
}

// weights after some steps of plain descent, which shows gradients, and the
// loss of the last one.
func weights(t *testing.T, change func(c *bptt.Options), steps int) (w []tensor.Float, value float64) {
	t.Helper()
	c := bptt.Options{
		Net: timeNet(t), Steps: timeSteps, Encoder: encode.Constant{}, Losses: counts,
		Optimizer: optim.SGD{LR: 0.05}, Seed: 1,
	}
	change(&c)
	l, err := bptt.New(c)
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
		m, err := l.Step(context.Background(), timeBatch())
		if err != nil {
			t.Fatal(err)
		}
		value, _ = m.Mean(train.Loss)
	}
	for _, p := range c.Net.Params() {
		w = append(w, p.Value.Data...)
	}
	return w, value
}

// A bound on memory chooses the window, and changes no bit.
func TestMemoryBudget(t *testing.T) {
	step, state := timeNet(t).Memory()
	want, _ := weights(t, func(*bptt.Options) {}, 3)
	for _, w := range []int64{1, 2, 5, timeSteps} {
		borders := (timeSteps + w - 1) / w
		memory := 4 * (step*w + state*(borders+1))
		got, _ := weights(t, func(c *bptt.Options) { c.Memory, c.Batch = memory, 4 }, 3)
		if !slices.Equal(got, want) {
			t.Errorf("memory for windows of %d: other weights", w)
		}
	}
	c := bptt.Options{
		Net: timeNet(t), Steps: timeSteps, Encoder: encode.Constant{}, Losses: counts, Optimizer: optim.SGD{LR: 1},
		Memory: 4 * step, Batch: 4,
	}
	if _, err := bptt.New(c); err == nil || !strings.Contains(err.Error(), "give more memory or a smaller batch") {
		t.Errorf("memory for less than a step and its states: %v", err)
	}
}

// What is kept grows like the square root of the number of steps, where the
// bound does: states at the borders, signals of one window.
func TestMemoryGrowth(t *testing.T) {
	step, state := timeNet(t).Memory()
	for _, steps := range []int{100, 400, 2500} {
		root := int64(math.Ceil(math.Sqrt(float64(steps))))
		c := bptt.Options{
			Net: timeNet(t), Steps: steps, Encoder: encode.Constant{}, Losses: counts, Optimizer: optim.SGD{LR: 1},
			Memory: step*root + state*(root+1), Batch: 1,
		}
		if _, err := bptt.New(c); err != nil {
			t.Errorf("%d steps: %v", steps, err)
		}
	}
}

// Truncation drops errors at the states alone: with a border after each step
// the gradient is the one in which states are given, whatever the window; with
// a border at the end it is the whole one.
func TestTruncate(t *testing.T) {
	whole, _ := weights(t, func(*bptt.Options) {}, 1)
	if got, _ := weights(t, func(c *bptt.Options) { c.Truncate = timeSteps }, 1); !slices.Equal(got, whole) {
		t.Error("truncated after the end: other weights")
	}
	cut, _ := weights(t, func(c *bptt.Options) { c.Truncate = 4 }, 1)
	if slices.Equal(cut, whole) {
		t.Error("truncated after 4 steps: the weights of the whole")
	}
	for _, w := range []int{1, 2, 4} {
		if got, _ := weights(t, func(c *bptt.Options) { c.Truncate, c.Window = 4, w }, 1); !slices.Equal(got, cut) {
			t.Errorf("window %d: other weights", w)
		}
	}
	// By hand: a readout without a layer before it, v[t] = β·v[t−1] + w·x. Cut
	// after each step, its error reaches w by x·Σ_t ∂v[t] alone.
	for _, c := range []struct {
		truncate int
		want     float64
	}{{1, 1}, {0, (1 + 1.5 + 1.75 + 1.875) / 4}} {
		net, err := network.Sequential(tensor.Shape{1}, 1, layer.Linear{Out: 2}, layer.Readout{Beta: 0.5})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range net.Params() {
			clear(p.Value.Data)
		}
		l, err := bptt.New(bptt.Options{
			Net: net, Steps: 4, Truncate: c.truncate, Encoder: encode.Constant{}, Losses: membranes, Optimizer: optim.SGD{LR: 2},
		})
		if err != nil {
			t.Fatal(err)
		}
		one := batchOf(tensor.Shape{1}, 2, 0)
		one.X = []tensor.Float{1}
		if _, err := l.Step(context.Background(), one); err != nil {
			t.Fatal(err)
		}
		// The mean membrane's error is p − y = −1/2, the rate 2.
		if got := float64(net.Params()[0].Value.Data[0]); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("truncate %d: weight %v, want %v", c.truncate, got, c.want)
		}
	}
}

func TestWindowErrors(t *testing.T) {
	for _, c := range []struct {
		change func(c *bptt.Options)
		want   string
	}{
		{func(c *bptt.Options) { c.Window = -1 }, "negative"},
		{func(c *bptt.Options) { c.Truncate = -1 }, "negative"},
		{func(c *bptt.Options) { c.Memory = -1 }, "negative"},
		{func(c *bptt.Options) { c.Truncate, c.Window = 4, 3 }, "divides"},
		{func(c *bptt.Options) { c.Memory, c.Batch, c.Window = 1<<30, 4, 3 }, "give one of them"},
		{func(c *bptt.Options) { c.Memory = 1 << 30 }, "size of a batch"},
		{func(c *bptt.Options) { c.Regularizers = []loss.Regularizer{loss.RateBounds{}} }, "weight"},
		{func(c *bptt.Options) { c.Losses = []bptt.Term{{Loss: loss.RateMSE{}}} }, "rate-mse"},
	} {
		conf := bptt.Options{
			Net: timeNet(t), Steps: timeSteps, Encoder: encode.Constant{}, Losses: counts, Optimizer: optim.SGD{LR: 1},
		}
		c.change(&conf)
		if _, err := bptt.New(conf); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want an error with %q", err, c.want)
		}
	}
}

// nothing is a loss without value and error.
type nothing struct{}

func (nothing) Check(tensor.Shape, int, sample.Field) error { return nil }

func (nothing) Score(c *loss.Call) error {
	clear(c.Scores)
	return nil
}

func (nothing) Eval(c *loss.Call) (float64, error) {
	clear(c.Scores)
	if c.DOut != nil {
		c.DOut.Reset(signal.Dense, c.Out.T, c.Out.B, c.Out.Shape)
		clear(c.DOut.Data)
	}
	return 0, nil
}

// outputOnly restricts a regularizer to the output layer, which has 3 units.
type outputOnly struct{ loss.RateBounds }

func (r outputOnly) Penalty(grad, counts []tensor.Float, b, steps int) float64 {
	if len(counts) != 3*b {
		return 0
	}
	return r.RateBounds.Penalty(grad, counts, b, steps)
}

// A target for the rates of the output layer is the squared error of these rates:
// the two ways to ask for it move the weights alike. Windows change no bit.
func TestRegularizers(t *testing.T) {
	want, value := weights(t, func(c *bptt.Options) { c.Losses = []bptt.Term{{Loss: all{0.4}}} }, 3)
	bounds := outputOnly{loss.RateBounds{Weight: 3, Lower: 0.4, Upper: 0.4}}
	regularized := func(c *bptt.Options) {
		c.Losses, c.Regularizers = []bptt.Term{{Loss: nothing{}}}, []loss.Regularizer{bounds}
	}
	got, value2 := weights(t, regularized, 3)
	if math.Abs(value-value2) > 1e-5*value {
		t.Errorf("value %v, of the loss %v", value2, value)
	}
	moved := false
	start, _ := weights(t, regularized, 0)
	for i := range want {
		moved = moved || math.Abs(float64(got[i]-start[i])) > 1e-3
		if math.Abs(float64(got[i]-want[i])) > 1e-5 {
			t.Fatalf("weight %d is %v, of the loss %v", i, got[i], want[i])
		}
	}
	if !moved {
		t.Error("no weight has moved: the test shows nothing")
	}
	every := []loss.Regularizer{loss.RateBounds{Weight: 2, Lower: 0.3, Upper: 0.3}, loss.RateBounds{Weight: 1, Upper: 0.2, PerLayer: true}}
	one, _ := weights(t, func(c *bptt.Options) { c.Regularizers = every }, 2)
	plain, _ := weights(t, func(*bptt.Options) {}, 2)
	if slices.Equal(one, plain) {
		t.Error("regularizers of every layer change nothing")
	}
	for _, w := range []int{1, 5} {
		if got, _ := weights(t, func(c *bptt.Options) { c.Regularizers, c.Window = every, w }, 2); !slices.Equal(got, one) {
			t.Errorf("window %d: other weights", w)
		}
	}
}

// all is the squared error of the rates against one target.
type all struct{ target float64 }

func (all) Check(tensor.Shape, int, sample.Field) error { return nil }

func (all) Score(c *loss.Call) error {
	encode.Membrane{}.Decode(c.Scores, c.Out)
	return nil
}

func (l all) Eval(c *loss.Call) (float64, error) {
	o := c.Out
	encode.Membrane{}.Decode(c.Scores, o)
	var value float64
	grad := make([]tensor.Float, len(c.Scores))
	for i, r := range c.Scores {
		d := float64(r) - l.target
		value += d * d / float64(o.B)
		grad[i] = tensor.Float(2 * d / float64(o.B))
	}
	if c.DOut != nil {
		encode.Membrane{}.Spread(c.DOut, grad, o.T, o.B, o.Shape)
	}
	return value, nil
}

// The heap itself, after a step: with the whole time in memory it grows with
// the number of steps, with a bound that allows their square root far less.
func TestHeapGrowth(t *testing.T) {
	net, err := network.Sequential(tensor.Shape{20}, 1,
		layer.Linear{Out: 600}, layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}}, layer.Linear{Out: 10}, layer.Readout{Beta: 0.9})
	if err != nil {
		t.Fatal(err)
	}
	const batch = 16
	heap := func(steps int, bound bool) float64 {
		c := bptt.Options{Net: net, Steps: steps, Encoder: encode.Poisson{Scale: 0.5}, Losses: membranes, Optimizer: optim.SGD{LR: 0.01}}
		if bound {
			step, state := net.Memory()
			root := int64(math.Ceil(math.Sqrt(float64(steps))))
			c.Batch, c.Memory = batch, batch*(step*root+state*(root+1))
		}
		b := batchOf(tensor.Shape{20}, 10, make([]int, batch)...)
		b.X = make([]tensor.Float, batch*20)
		for i := range b.X {
			b.X[i] = tensor.Float(i%7) / 7
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		l, err := bptt.New(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Step(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(l)
		return float64(after.HeapAlloc) - float64(before.HeapAlloc)
	}
	if growth := heap(1024, false) / heap(64, false); growth < 6 {
		t.Errorf("without a bound, 16 times the steps need %.1f times the memory: the test measures something else", growth)
	}
	if growth := heap(1024, true) / heap(64, true); growth > 6 {
		t.Errorf("with a bound, 16 times the steps need %.1f times the memory, want about 4", growth)
	}
}
