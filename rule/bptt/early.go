package train

import (
	"context"
	"fmt"

	"synfire/data"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
)

// EarlyExit is a trained network that answers as soon as a sample is decided
// (see network.InferenceOptions). It only predicts, and has no loss: that is
// defined over all steps.
type EarlyExit struct {
	*BPTT
	inference *network.Inference
	nodes     []int // of spiking layers
	Steps     int   // run so far, over all samples
	Samples   int
}

// EarlyExit makes the predictor. Margin is the lead at which a sample is
// decided; certain decides only where no later spike can change the answer;
// window is the steps between looks (0: one).
func (l *BPTT) EarlyExit(margin float64, certain bool, window int) (*EarlyExit, error) {
	if margin <= 0 && !certain {
		return nil, fmt.Errorf("train.EarlyExit: margin %v: want a positive lead, or certain", margin)
	}
	inference, err := l.packed.NewInference(network.InferenceOptions{
		Options: network.Options{Pool: l.c.Pool}, Steps: l.c.Steps, Encoder: l.c.Encoder,
		Margin: margin, Certain: certain, Window: window,
	})
	if err != nil {
		return nil, err
	}
	e := &EarlyExit{BPTT: l, inference: inference}
	for i, nd := range l.c.Net.Nodes() {
		if layer.Fires(nd.Layer) {
			e.nodes = append(e.nodes, i)
		}
	}
	return e, nil
}

// Step always fails: nothing is learned from part of the time.
func (e *EarlyExit) Step(context.Context, *data.Batch) (Metrics, error) {
	return Metrics{}, fmt.Errorf("train.EarlyExit: it predicts only; train the network it was made of")
}

// Predict runs a batch until all its samples are decided. In a batch of one,
// time and spikes are those that the sample needs.
func (e *EarlyExit) Predict(_ context.Context, b *data.Batch) (Prediction, error) {
	e.keys = e.sampleKeys(e.keys, b, rng.Eval, 0)
	scores, steps, err := e.inference.Run(b.X, e.keys)
	if err != nil {
		return Prediction{}, err
	}
	m := Metrics{N: b.Len()}
	k := len(scores) / b.Len()
	for i, label := range b.Labels {
		if loss.Best(scores[i*k:][:k]) == label {
			m.Correct++
		}
		e.Steps += steps[i]
		e.Samples++
	}
	for i, r := range e.rates {
		r.Spikes, r.Slots = e.inference.Spikes(e.nodes[i])
		m.Rates = append(m.Rates, r)
	}
	return Prediction{Scores: scores, Classes: k, Metrics: m}, nil
}
