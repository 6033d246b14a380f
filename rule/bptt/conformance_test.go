package bptt_test

import (
	"testing"

	"synfire/encode"
	"synfire/internal/par"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// rule is a network with all that a state may hold: buffers of a normalisation, masks
// of a dropout, moments of an optimiser, windows of time, two outputs.
func rule() bptt.Rule {
	spiking := layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 0.3}, Surrogate: surrogate.FastSigmoid{Slope: 5}}
	r := bptt.NewRule()
	r.Layers = []network.Node{
		{Name: "in", Layer: layer.Linear{Out: 12}}, {Name: "norm", Layer: layer.BatchNorm{Momentum: 0.1, Epsilon: 1e-5, Scale: 1}},
		{Name: "hidden", Layer: spiking}, {Name: "drop", Layer: layer.Dropout{Rate: 0.2}},
		{Name: "classes", Layer: layer.Linear{Out: 3}}, {Name: "spikes", Layer: spiking},
		{Name: "values", Layer: layer.Linear{Out: 2}, Inputs: []string{"drop"}},
	}
	r.Outputs = []bptt.Output{{Name: "class", Node: "spikes"}, {Name: "value", Node: "values"}}
	r.Loss = []bptt.Term{{Loss: loss.CountCrossEntropy{}}, {Loss: loss.MSE{}, Output: "value", Target: "y", Weight: 0.5}}
	r.Optimizer, r.Schedule, r.Clip = optim.Adam{LR: 1e-2, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, optim.Cosine{Warmup: 2}, 1
	r.Regularizers = []loss.Regularizer{loss.RateBounds{Weight: 0.1, Lower: 0.05, Upper: 0.3}}
	return r
}

// setting is samples of five values, of three classes and two values, and batches.
func setting(t *testing.T, pool *par.Pool) (train.Setting, []*sample.Batch) {
	t.Helper()
	spec := sample.Spec{Shape: tensor.Shape{5}, Targets: []sample.Field{
		{Name: "class", Kind: sample.Class, Classes: []string{"a", "b", "c"}},
		{Name: "y", Kind: sample.Values, Shape: tensor.Shape{2}},
	}}
	var batches []*sample.Batch
	for _, c := range snntest.Cases(t, spec, "", tensor.Shape{3}, 4, 26) { // the last batch is smaller
		batches = append(batches, c.Batch)
	}
	return train.Setting{
		Spec: spec, Samples: 26, Encoder: encode.Poisson{Scale: 1}, Steps: 6, Epochs: 2, Batch: 7, Seed: 3, Pool: pool,
		Tasks: []task.Binding{{Task: task.Classify{}}, {Task: task.Regress{}, Output: "value", Target: "y"}},
	}, batches
}

func TestLearner(t *testing.T) {
	s, batches := setting(t, nil)
	snntest.Learner(t, rule(), s, batches...)
}

// With an average the model is that, and the state has what learns besides.
func TestLearnerWithAverages(t *testing.T) {
	for _, a := range []optim.Average{optim.EMA{Decay: 0.75}, optim.LookAhead{Every: 2, Alpha: 0.5}, optim.LookAhead{Every: 3, Alpha: 0.25, Power: 3}} {
		s, batches := setting(t, nil)
		r := rule()
		r.Average, r.ShiftRate, r.Frozen = a, 8, []string{"classes"}
		r.Optimizer = optim.SGD{LR: 0.05, Momentum: 0.9, Nesterov: true, Decoupled: true, Decay: 1e-3}
		snntest.Learner(t, r, s, batches...)
	}
}

func TestLearnerInWindows(t *testing.T) {
	pool := par.New(3)
	defer pool.Close()
	s, batches := setting(t, pool)
	r := rule()
	r.Layers[1].Layer = layer.ReLU{} // a normalisation wants all steps at once
	r.Window, r.Truncate = 2, 4
	snntest.Learner(t, r, s, batches...)
}
