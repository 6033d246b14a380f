package bptt

import (
	"context"
	"fmt"

	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
	"synfire/sample"
	"synfire/task"
	"synfire/train"
)

// EarlyExit answers as soon as a sample is decided (see network.InferenceOptions). It
// has no loss: that is defined over all steps.
type EarlyExit struct {
	*runner
	inference *network.Inference
	output    string
	nodes     []int // of spiking layers
}

// EarlyExit makes a predictor that stops early. Lead is as in a configuration; window
// is the steps between looks (0: one).
func (p *Predictor) EarlyExit(lead Lead, window int) (*EarlyExit, error) {
	return p.early(lead, window)
}

// EarlyExit makes a predictor of the network as it is being trained.
func (l *Learner) EarlyExit(lead Lead, window int) (*EarlyExit, error) {
	l.show(true)
	return l.early(lead, window)
}

func (r *runner) early(lead Lead, window int) (*EarlyExit, error) {
	if !lead.On() {
		return nil, fmt.Errorf("bptt.EarlyExit: %v: want a positive lead, or certain", lead)
	}
	inference, err := r.packed.NewInference(network.InferenceOptions{
		Options: network.Options{Pool: r.pool}, Steps: r.steps, Encoder: r.encoder,
		Margin: lead.Lead, Certain: lead.Certain, Window: window,
	})
	if err != nil {
		return nil, err
	}
	e := &EarlyExit{runner: r, inference: inference, output: r.net.Outputs()[0].Name}
	for i, nd := range r.net.Nodes() {
		if layer.Fires(nd.Layer) {
			e.nodes = append(e.nodes, i)
		}
	}
	return e, nil
}

// Predict runs a batch until all its samples are decided. In a batch of one, time
// and spikes are those that the sample needs.
func (e *EarlyExit) Predict(_ context.Context, b *sample.Batch) (train.Prediction, error) {
	e.keys = e.sampleKeys(e.keys, b, rng.Eval, 0)
	scores, steps, err := e.inference.Run(b, e.keys)
	if err != nil {
		return train.Prediction{}, err
	}
	m := train.Metrics{N: b.Len()}
	for i, r := range e.rates {
		r.Spikes, r.Slots = e.inference.Spikes(e.nodes[i])
		m.Rates = append(m.Rates, r)
	}
	out := task.Output{Name: e.output, Shape: e.net.OutputShapes()[0], Scores: scores}
	return train.Prediction{Outputs: []task.Output{out}, Metrics: m, Steps: steps}, nil
}
