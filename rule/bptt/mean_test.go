package bptt_test

import (
	"slices"
	"testing"

	"synfire/encode"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/surrogate"
	"synfire/tensor"
	"synfire/train"
)

// meanOnly is Membrane for which no step is kept.
type meanOnly struct{ encode.Membrane }

func (meanOnly) ReadsMean() {}

// Where the mean of an output alone is read, the steps of it are not kept, and the scores and spikes are
// those of all steps, bit for bit, over more steps than are there at once; with two outputs of which one
// is read otherwise all are kept.
func TestMeansKeepNoSteps(t *testing.T) {
	lif := layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 0.3}, Surrogate: surrogate.FastSigmoid{Slope: 5}}
	net, err := network.Sequential(tensor.Shape{6}, 3, layer.Linear{Out: 9}, lif, layer.Linear{Out: 4})
	if err != nil {
		t.Fatal(err)
	}
	whole := net.Graph()
	spec := sample.Spec{Shape: tensor.Shape{6}}
	var b sample.Batch
	b.Reset(&spec, 0)
	for i := range 3 {
		x := &sample.Sample{X: make([]tensor.Float, 6)}
		for k := range x.X {
			x.X[k] = tensor.Float((i*5+k*3)%7) / 7
		}
		if err := b.Append(i, x); err != nil {
			t.Fatal(err)
		}
	}
	run := func(steps int, encoder encode.Encoder, read ...encode.Decoder) train.Prediction {
		g := whole
		g.Outputs = nil
		for i, d := range read {
			g.Outputs = append(g.Outputs, network.Output{Name: string(rune('a' + i)), Node: g.Nodes[len(g.Nodes)-1-i].Name, Read: d})
		}
		net, err := g.Build(1)
		if err != nil {
			t.Fatal(err)
		}
		p, err := bptt.NewPredictor(net, train.Setting{Spec: spec, Encoder: encoder, Steps: steps, Seed: 5}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // nothing is left of the first
			if _, err = p.Predict(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
		}
		out, err := p.Predict(t.Context(), &b)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, encoder := range []encode.Encoder{encode.Constant{}, encode.Poisson{Scale: 1}} {
		for _, steps := range []int{1, 7, 16, 40} {
			all, mean := run(steps, encoder, encode.Membrane{}), run(steps, encoder, meanOnly{})
			if !slices.Equal(mean.Outputs[0].Scores, all.Outputs[0].Scores) || !slices.Equal(mean.Metrics.Rates, all.Metrics.Rates) {
				t.Errorf("%T, %d steps: %v, want %v", encoder, steps, mean.Outputs[0].Scores, all.Outputs[0].Scores)
			}
			if all.Outputs[0].Signal == nil || steps > 1 && mean.Outputs[0].Signal != nil {
				t.Errorf("%T, %d steps: the course is kept of the mean, or not of all", encoder, steps)
			}
		}
	}
	if both := run(40, encode.Constant{}, meanOnly{}, encode.Count{}); both.Outputs[0].Signal == nil {
		t.Error("an output that is read otherwise has lost its course")
	}
}
