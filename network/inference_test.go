package network_test

import (
	"slices"
	"strings"
	"testing"

	"synfire/encode"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/sample"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

func inference(t testing.TB, net *network.Network, o network.InferenceOptions) *network.Inference {
	t.Helper()
	r, err := net.Compile(o.Pool, false).NewInference(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// batchOf is samples of the network's input.
func batchOf(net *network.Network, x []tensor.Float) *sample.Batch {
	return &sample.Batch{Spec: &sample.Spec{Shape: net.InputShape()}, Index: make([]int, len(x)/net.InputShape().Size()), X: x}
}

func keysOf(n int) []rng.Key {
	keys := make([]rng.Key, n)
	for i := range keys {
		keys[i] = rng.New(1, rng.Eval).Int(uint64(i))
	}
	return keys
}

func best(scores []tensor.Float) int {
	b := 0
	for i, s := range scores {
		if s > scores[b] {
			b = i
		}
	}
	return b
}

// Without a rule all steps are run. A certain decision never differs from the
// one after all steps, and is reached before them.
func TestEarlyExit(t *testing.T) {
	const b, T = 40, 30
	net := networks(t)["mlp"]
	x := snntest.Random(signal.Dense, 1, b, net.InputShape(), 0, 4).Data
	for i := range x {
		x[i] *= 3
	}
	k := net.OutputShape()[0]
	full, steps, err := inference(t, net, network.InferenceOptions{Steps: T, Encoder: encode.Constant{}}).Run(batchOf(net, x), keysOf(b))
	if err != nil || slices.Min(steps) != T {
		t.Fatalf("no rule: steps %v, error %v", steps, err)
	}
	for _, o := range []network.InferenceOptions{{Certain: true}, {Certain: true, Window: 4}, {Margin: 100}} {
		o.Steps, o.Encoder = T, encode.Constant{}
		scores, steps, err := inference(t, net, o).Run(batchOf(net, x), keysOf(b))
		if err != nil {
			t.Fatal(err)
		}
		early := 0
		for i, s := range steps {
			if s < T {
				early++
			}
			if got, want := best(scores[i*k:][:k]), best(full[i*k:][:k]); got != want {
				t.Errorf("%+v, sample %d: class %d after %d steps, %d after all", o, i, got, s, want)
			}
		}
		if (early > 0) != o.Certain {
			t.Errorf("%+v: %d of %d samples are decided early", o, early, b)
		}
	}
	_, steps, err = inference(t, net, network.InferenceOptions{Steps: T, Encoder: encode.Constant{}, Margin: 2}).Run(batchOf(net, x), keysOf(b))
	if err != nil || slices.Min(steps) >= T/2 {
		t.Errorf("margin 2: steps %v, error %v", steps, err)
	}
}

func TestInferenceErrors(t *testing.T) {
	c := networks(t)["conv"].Compile(nil, false)
	for _, e := range []struct {
		o    network.InferenceOptions
		want string
	}{
		{network.InferenceOptions{Encoder: encode.Constant{}}, "0 steps"},
		{network.InferenceOptions{Steps: 2}, "no encoder"},
		{network.InferenceOptions{Steps: 2, Encoder: encode.Constant{}, Margin: 1, Certain: true}, "give one of them"},
		{network.InferenceOptions{Steps: 2, Encoder: encode.Constant{}, Margin: -1}, "margin -1"},
	} {
		if _, err := c.NewInference(e.o); err == nil || !strings.Contains(err.Error(), e.want) {
			t.Errorf("%+v: %v, want an error with %q", e.o, err, e.want)
		}
	}
	r, err := c.NewInference(network.InferenceOptions{Steps: 2, Encoder: encode.Constant{}, Certain: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Run(&sample.Batch{Spec: &sample.Spec{Shape: c.Network().InputShape()}, Index: []int{0}, X: make([]tensor.Float, 3)}, keysOf(1)); err == nil || !strings.Contains(err.Error(), "with 3 values") {
		t.Errorf("a short batch: %v", err)
	}
	if _, _, err := r.Run(batchOf(c.Network(), make([]tensor.Float, 144)), keysOf(1)); err == nil || !strings.Contains(err.Error(), "give a margin") {
		t.Errorf("certain with membranes: %v", err)
	}
}

// The steady state allocates nothing, on one thread and on several.
func TestInferenceAllocatesNothing(t *testing.T) {
	net, err := network.Sequential(tensor.Shape{8, 8, 1}, 1,
		layer.Conv2D{Out: 4, Kernel: []int{3}}, layer.MaxPool{Size: 2}, lif(0.9, neuron.Subtract, fast),
		layer.Conv2D{Out: 5, Kernel: []int{2}}, lif(0.9, neuron.Subtract, fast), layer.Flatten{}, layer.Linear{Out: 3}, lif(0.9, neuron.Subtract, fast))
	if err != nil {
		t.Fatal(err)
	}
	x, keys := snntest.Random(signal.Dense, 1, 2, net.InputShape(), 0, 4).Data, keysOf(2)
	for _, path := range []layer.Path{layer.Dense, layer.Events} {
		r := inference(t, net, network.InferenceOptions{Options: network.Options{Path: path}, Steps: 6, Encoder: encode.Constant{}, Margin: 50})
		in := batchOf(net, x)
		n := testing.AllocsPerRun(20, func() {
			if _, _, err := r.Run(in, keys); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("path %v: %v allocations a batch", path, n)
		}
	}
}

// counters is units whose spikes in four steps are as often as their inputs say: each
// adds its input to a membrane with threshold 1.
func counters(t *testing.T, units int) *network.Network {
	t.Helper()
	net, err := network.Sequential(tensor.Shape{units}, 1, layer.Spiking{Neuron: neuron.IF{Threshold: 1}, Surrogate: fast})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// The step of a decision, by hand: a lead of the margin decides, and one that the steps
// to come can make up does not.
func TestDecisionsByHand(t *testing.T) {
	for _, c := range []struct {
		x      []tensor.Float
		o      network.InferenceOptions
		steps  int
		scores []tensor.Float
	}{
		// sums 1, 2, 3, 4 and 0; of 4 steps 3, 2, 1, 0 are left
		{[]tensor.Float{1, 0}, network.InferenceOptions{Certain: true}, 3, []tensor.Float{3, 0}},
		{[]tensor.Float{0, 1}, network.InferenceOptions{Certain: true}, 3, []tensor.Float{0, 3}},
		{[]tensor.Float{1, 0}, network.InferenceOptions{Margin: 2}, 2, []tensor.Float{2, 0}},
		{[]tensor.Float{1, 0}, network.InferenceOptions{Margin: 1.5}, 2, []tensor.Float{2, 0}},
		{[]tensor.Float{1, 0}, network.InferenceOptions{Margin: 2, Window: 3}, 3, []tensor.Float{3, 0}},
		// sums 0, 1, 1, 2, none and 1, 2, 3, 4: the second largest is that of another unit than the first two
		{[]tensor.Float{0.5, 0, 1}, network.InferenceOptions{Margin: 2}, 3, []tensor.Float{1, 0, 3}},
		{[]tensor.Float{0, 1, 0.5}, network.InferenceOptions{Margin: 2}, 3, []tensor.Float{0, 3, 1}},
		{[]tensor.Float{0.5, 0, 1}, network.InferenceOptions{Certain: true}, 3, []tensor.Float{1, 0, 3}},
		{[]tensor.Float{1, 1}, network.InferenceOptions{Margin: 0.5}, 4, []tensor.Float{4, 4}},
	} {
		c.o.Steps, c.o.Encoder = 4, encode.Constant{}
		net := counters(t, len(c.x))
		scores, steps, err := inference(t, net, c.o).Run(batchOf(net, c.x), keysOf(1))
		if err != nil || steps[0] != c.steps || !slices.Equal(scores, c.scores) {
			t.Errorf("%v, margin %v, certain %v, window %d: scores %v after %v, %v; want %v after %d", c.x, c.o.Margin, c.o.Certain, c.o.Window, scores, steps, err, c.scores, c.steps)
		}
	}
}
