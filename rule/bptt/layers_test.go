package bptt_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"synfire/encode"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/surrogate"
	"synfire/tensor"
	"synfire/train"
)

// normed is small with normalisation, dropout and learnt decays.
const normed = `
data: {name: mnist-sample, train: 200, test: 100, augment: {kind: shift, pixels: 1}}
steps: 4
batch: 16
epochs: 2
valid: 0
layers:
  - {kind: conv2d, out: 5, kernel: 5, stride: 2, no-bias: true}
  - batch-norm
  - &plif {kind: parametric-spiking, beta: 0.8, threshold: 1, surrogate: {kind: arctan, alpha: 2}}
  - {kind: conv2d, out: 5, kernel: 3, padding: 1, groups: 5, no-bias: true}
  - {kind: batch-norm, scale: 0.5}
  - *plif
  - flatten
  - {kind: dropout, rate: 0.3}
  - {kind: linear, out: 10}
  - *plif
`

// Statistics, masks and decays are the same for any number of threads, and for
// a run that is stopped and goes on from its state.
func TestSameBitsOfNormalisation(t *testing.T) {
	want := end(t, loop(t, config(t, normed), nil))
	pool := par.New(3)
	defer pool.Close()
	if got := end(t, loop(t, config(t, normed), pool)); !reflect.DeepEqual(got, want) {
		t.Error("3 threads: other weights than one thread")
	}
	var moved bool
	for _, v := range unpacked(t, want["buffer.batchnorm1.mean"]) {
		moved = moved || v != 0
	}
	if !moved {
		t.Errorf("the running mean is %v after training", want["buffer.batchnorm1.mean"])
	}

	plain := loop(t, config(t, normed), nil)
	openDir(t, plain, t.TempDir(), false)
	end(t, plain)
	path := t.TempDir()
	first := loop(t, config(t, normed), nil)
	openDir(t, first, path, false)
	ctx, cancel := context.WithCancel(context.Background())
	first.Observer = &stop{after: 9, cancel: cancel}
	if _, err := first.Run(ctx); err == nil {
		t.Fatal("the run was not interrupted")
	}
	first.Dir.Close()
	second := loop(t, config(t, normed), nil)
	openDir(t, second, path, true)
	if got := end(t, second); !reflect.DeepEqual(got, want) {
		t.Error("interrupted after 9 steps: other weights")
	}
	if a, b := metrics(t, plain), metrics(t, second); a != b {
		t.Errorf("interrupted: metrics\n%s\nwant\n%s", b, a)
	}
}

func unpacked(t *testing.T, a train.Array) []float64 {
	t.Helper()
	if v, err := a.F32s(); err == nil {
		out := make([]float64, len(v))
		for i, x := range v {
			out[i] = float64(x)
		}
		return out
	}
	v, err := a.F64s()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Windows would change what normalisation over all steps computes.
func TestWindowOfWholeTime(t *testing.T) {
	window := func(steps int) error {
		c, sets := prepared(t, config(t, normed, func(r *bptt.Rule) { r.Window = steps }))
		_, err := c.Loop(sets, nil)
		return err
	}
	if err := window(2); err == nil || !strings.Contains(err.Error(), `node "batchnorm1" trains on all 4 steps`) {
		t.Errorf("a window of 2 of 4 steps: %v", err)
	}
	if err := window(4); err != nil {
		t.Errorf("a window of all steps: %v", err)
	}
}

// A residual block with normalisation, and a recurrent population, learn a
// batch of random numbers by heart.
func TestLossFalls(t *testing.T) {
	spiking := layer.Spiking{Neuron: neuron.LIF{Beta: 0.8, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}}
	conv := config(t, "data: {name: mnist}\nlayers: [{kind: conv2d, out: 6, kernel: 3, padding: 1, no-bias: true}]\n").Rule.(bptt.Rule).Layers[0].Layer
	node := func(name string, l layer.Layer, in ...string) network.Node {
		return network.Node{Name: name, Layer: l, Inputs: in}
	}
	for name, nodes := range map[string][]network.Node{
		"residual": {
			node("stem", conv), node("n0", layer.BatchNorm{}), node("s0", spiking),
			node("c1", conv), node("n1", layer.BatchNorm{}), node("s1", spiking),
			node("c2", conv), node("n2", layer.BatchNorm{}), node("sum", layer.Add{}, "n2", "s0"), node("s2", spiking),
			node("flat", layer.Flatten{}), node("out", layer.Linear{Out: 3}), node("v", layer.Readout{Beta: 0.9}),
		},
		"recurrent": {
			node("flat", layer.Flatten{}), node("in", layer.Linear{Out: 30}),
			node("r", layer.Recurrent{Neuron: spiking.Neuron, Surrogate: spiking.Surrogate}),
			node("out", layer.Linear{Out: 3}), node("v", layer.Readout{Beta: 0.9}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			net, err := network.New(tensor.Shape{5, 5, 2}, 1, nodes...)
			if err != nil {
				t.Fatal(err)
			}
			l, err := bptt.New(bptt.Options{
				Net: net, Steps: 6, Encoder: encode.Constant{}, Losses: membranes,
				Optimizer: optim.Adam{LR: 0.01, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, Seed: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			b := batchOf(net.InputShape(), 3, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2)
			b.Epoch = 1
			src := rng.New(1, "train test").Source()
			for range 12 * net.InputShape().Size() {
				b.X = append(b.X, tensor.Float(2*src.Float64()))
			}
			var first, last train.Metrics
			for i := range 40 {
				m, err := l.Step(context.Background(), b)
				if err != nil {
					t.Fatal(err)
				}
				if last = m; i == 0 {
					first = m
				}
			}
			before, _ := first.Mean(train.Loss)
			after, _ := last.Mean(train.Loss)
			if !(after < before/2) || last.N != 12 {
				t.Errorf("the loss went from %v to %v, want less than half", before, after)
			}
			for _, r := range last.Rates {
				if r.Slots == 0 {
					t.Errorf("no rate of %s", r.Layer)
				}
			}
			t.Logf("%s: loss from %.3f to %.3f, rates %v", name, before, after, last.Rates)
		})
	}
}
