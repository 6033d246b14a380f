package bptt_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/encode"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// A weight scales the value and the error of a loss: twice the loss is twice the rate,
// and two halves are a whole.
func TestWeightsOfLosses(t *testing.T) {
	count := loss.CountCrossEntropy{}
	want, value := weights(t, func(c *bptt.Options) { c.Optimizer = optim.SGD{LR: 0.1} }, 3)
	for name, terms := range map[string][]bptt.Term{
		"twice": {{Loss: count, Weight: 2}},
		"two":   {{Loss: count, Weight: 1.5}, {Loss: count, Weight: 0.5}},
	} {
		got, twice := weights(t, func(c *bptt.Options) { c.Losses = terms }, 3) // at half the rate
		if !slices.Equal(got, want) || twice != 2*value {
			t.Errorf("%s: other weights, or the value %v, want %v", name, twice, 2*value)
		}
	}
	if got, half := weights(t, func(c *bptt.Options) { c.Losses = []bptt.Term{{Loss: count, Weight: 0.5}} }, 3); slices.Equal(got, want) || half >= value {
		t.Errorf("half a loss is a whole one: value %v", half)
	}
}

var largestDouble = math.MaxFloat64

// largest is a value that a product with 1000 takes beyond all numbers.
func largest() tensor.Float {
	if snntest.DoublePrecision() {
		return tensor.Float(largestDouble)
	}
	return math.MaxFloat32
}

// A gradient that overflows stops before it reaches the weights.
func TestInfiniteGradient(t *testing.T) {
	net, err := network.Sequential(tensor.Shape{1}, 1, layer.Linear{Out: 2}, layer.Readout{Beta: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range net.Params() {
		clear(p.Value.Data)
	}
	l, err := bptt.New(bptt.Options{
		Net: net, Steps: 2, Encoder: encode.Constant{}, Optimizer: optim.SGD{LR: 1},
		Losses: []bptt.Term{{Loss: loss.MembraneCrossEntropy{}, Weight: 1e3}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := batchOf(tensor.Shape{1}, 2, 0)
	b.X = []tensor.Float{largest()}
	if _, err := l.Step(t.Context(), b); err == nil || !strings.Contains(err.Error(), "a gradient is not finite, in the gradient of linear1.weight") {
		t.Errorf("%v", err)
	}
	if w := net.Params()[0].Value.Data; w[0] != 0 || w[1] != 0 {
		t.Errorf("weights %v", w)
	}
}

// Encodings are drawn anew in each epoch of training, and once for all in tests, where
// answering early draws what answering late does.
func TestStreamsOfEncodings(t *testing.T) {
	step := func(epoch int) (value float64, scores []tensor.Float) {
		l, err := bptt.New(bptt.Options{
			Net: timeNet(t), Steps: timeSteps, Encoder: encode.Poisson{Scale: 0.5}, Losses: counts, Optimizer: optim.SGD{LR: 0.05}, Seed: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		b := timeBatch()
		b.Epoch = epoch
		p, err := l.Predict(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		scores = slices.Clone(p.Outputs[0].Scores)
		early, err := l.EarlyExit(bptt.Lead{Lead: 1e6}, 3)
		if err != nil {
			t.Fatal(err)
		}
		if p, err = early.Predict(t.Context(), b); err != nil || !slices.Equal(p.Outputs[0].Scores, scores) || p.Steps[0] != timeSteps {
			t.Errorf("answers after all steps %v in %v, want %v; %v", p.Outputs[0].Scores, p.Steps, scores, err)
		}
		m, err := l.Step(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		value, _ = m.Mean(train.Loss)
		return value, scores
	}
	first, scores := step(0)
	again, _ := step(0)
	second, other := step(1)
	if first != again || first == second {
		t.Errorf("losses %v and %v in one epoch, %v in the next", first, again, second)
	}
	if !slices.Equal(scores, other) || !slices.ContainsFunc(scores, func(s tensor.Float) bool { return s != 0 }) {
		t.Errorf("a test gives %v, and after an epoch %v", scores, other)
	}
}

// A test draws other spikes than training does.
func TestTestsDrawTheirOwnEncodings(t *testing.T) {
	l, err := bptt.New(bptt.Options{
		Net: timeNet(t), Steps: timeSteps, Encoder: encode.Poisson{Scale: 0.5}, Losses: counts, Optimizer: optim.SGD{LR: 0.05}, Seed: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Predict(t.Context(), timeBatch())
	if err != nil {
		t.Fatal(err)
	}
	tested, _ := p.Metrics.Mean(train.Loss)
	m, err := l.Step(t.Context(), timeBatch())
	if err != nil {
		t.Fatal(err)
	}
	if trained, _ := m.Mean(train.Loss); trained == tested {
		t.Errorf("a loss of %v in both", tested)
	}
}
