package bptt_test

import (
	"context"
	"slices"
	"testing"

	"synfire/encode"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/surrogate"
	"synfire/tensor"
)

// TestRefreshTakesUpWrittenWeights: kinds that keep what they compute from their
// parameters (decays, packed recurrent weights) answer with the old ones until then.
func TestRefreshTakesUpWrittenWeights(t *testing.T) {
	predict := func(l *bptt.Learner) []tensor.Float {
		p, err := l.Predict(context.Background(), timeBatch())
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(p.Outputs[0].Scores)
	}
	learner := func(write bool) *bptt.Learner {
		s := surrogate.FastSigmoid{Slope: 2}
		net, err := network.Sequential(tensor.Shape{6}, 1,
			layer.Linear{Out: 20}, layer.Recurrent{Neuron: neuron.LIF{Beta: 0.9, Threshold: 0.2}, Surrogate: s},
			layer.Linear{Out: 10}, layer.ParametricSpiking{Beta: 0.9, Threshold: 0.2, Surrogate: s}, layer.Linear{Out: 3})
		if err != nil {
			t.Fatal(err)
		}
		if write {
			rewrite(net)
		}
		l, err := bptt.New(bptt.Options{
			Net: net, Steps: timeSteps, Encoder: encode.Constant{}, Losses: counts, Optimizer: optim.SGD{LR: 0.05}, Seed: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	want := predict(learner(true))
	l := learner(false)
	predict(l)
	rewrite(l.Network())
	if slices.Equal(predict(l), want) {
		t.Fatal("no layer of this network keeps what it computes, so the test shows nothing")
	}
	l.Refresh()
	if got := predict(l); !slices.Equal(got, want) {
		t.Errorf("after Refresh %v, a new learner with these weights %v", got, want)
	}
}

// rewrite writes to all parameters.
func rewrite(net *network.Network) {
	src := rng.New(9, "test").Source()
	for _, p := range net.Params() {
		for i := range p.Value.Data {
			p.Value.Data[i] += tensor.Float(src.Float64() - 0.5)
		}
	}
}
