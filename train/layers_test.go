package train_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/encode"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/loss"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/surrogate"
	"synfire/tensor"
	"synfire/train"
)

// normed is small with normalisation, dropout and learnt decays.
func normed() model.Config {
	c := small()
	plif := layer.ParametricSpiking{Beta: 0.8, Threshold: 1, Surrogate: surrogate.ArcTan{Alpha: 2}}
	c.Layers = network.Chain(
		layer.Conv2D{Out: 5, Kernel: []int{5}, Stride: []int{2}, NoBias: true}, layer.BatchNorm{}, plif,
		layer.Conv2D{Out: 5, Kernel: []int{3}, Padding: []int{1}, Groups: 5, NoBias: true}, layer.BatchNorm{Scale: 0.5}, plif,
		layer.Flatten{}, layer.Dropout{Rate: 0.3}, layer.Linear{Out: 10}, plif,
	)
	return c
}

// Statistics, masks and decays are the same for any number of threads, and for
// a run that is stopped and goes on from its state.
func TestSameBitsOfNormalisation(t *testing.T) {
	want := run(t, loop(t, normed(), nil))
	pool := par.New(3)
	defer pool.Close()
	if got := run(t, loop(t, normed(), pool)); !reflect.DeepEqual(got, want) {
		t.Error("3 threads: other weights than one thread")
	}
	var moved bool
	for _, v := range unpacked(t, want["buffer.batchnorm1.mean"]) {
		moved = moved || v != 0
	}
	if !moved {
		t.Errorf("the running mean is %v after training", want["buffer.batchnorm1.mean"])
	}

	plain := loop(t, normed(), nil)
	plain.Dir = openDir(t, t.TempDir(), false)
	run(t, plain)
	path := t.TempDir()
	first := loop(t, normed(), nil)
	first.Dir = openDir(t, path, false)
	ctx, cancel := context.WithCancel(context.Background())
	first.Observer = &stop{after: 9, cancel: cancel}
	if _, err := first.Run(ctx); err == nil {
		t.Fatal("the run was not interrupted")
	}
	first.Dir.Close()
	second := loop(t, normed(), nil)
	second.Dir = openDir(t, path, true)
	if got := run(t, second); !reflect.DeepEqual(got, want) {
		t.Error("interrupted after 9 steps: other weights")
	}
	if a, b := metrics(t, plain.Dir), metrics(t, second.Dir); a != b {
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
	c := normed()
	c.Window = 2
	tr, _ := mnist.Sample()
	if _, err := train.FromConfig(c, tr, nil); err == nil || !strings.Contains(err.Error(), `node "batchnorm1" trains on all 4 steps`) {
		t.Errorf("a window of 2 of 4 steps: %v", err)
	}
	c.Window = 4
	if _, err := train.FromConfig(c, tr, nil); err != nil {
		t.Errorf("a window of all steps: %v", err)
	}
}

// A residual block with normalisation, and a recurrent population, learn a
// batch of random numbers by heart.
func TestLossFalls(t *testing.T) {
	spiking := layer.Spiking{Neuron: neuron.LIF{Beta: 0.8, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}}
	conv := layer.Conv2D{Out: 6, Kernel: []int{3}, Padding: []int{1}, NoBias: true}
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
			l, err := train.NewBPTT(train.BPTTConfig{
				Net: net, Steps: 6, Encoder: encode.Constant{}, Loss: loss.MembraneCrossEntropy{},
				Optimizer: optim.Adam{LR: 0.01, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, Seed: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			b := &data.Batch{Epoch: 1, Shape: net.InputShape()}
			src := rng.New(1, "train test").Source()
			for i := range 12 {
				b.Index, b.Labels = append(b.Index, i), append(b.Labels, i%3)
				for range net.InputShape().Size() {
					b.X = append(b.X, tensor.Float(2*src.Float64()))
				}
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
			if !(last.LossSum < first.LossSum/2) {
				t.Errorf("the loss went from %v to %v, want less than half", first.LossSum/12, last.LossSum/12)
			}
			for _, r := range last.Rates {
				if r.Slots == 0 {
					t.Errorf("no rate of %s", r.Layer)
				}
			}
			t.Logf("%s: loss from %.3f to %.3f, rates %v", name, first.LossSum/12, last.LossSum/12, last.Rates)
		})
	}
}
