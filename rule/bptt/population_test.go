package bptt_test

import (
	"reflect"
	"strings"
	"testing"

	"synfire/layer"
	"synfire/loss"
	"synfire/model"
	"synfire/rule/bptt"
	"synfire/train"
)

// wrapped is a layer of another module that embeds one of neurons.
type wrapped struct{ layer.Spiking }

// A layer that embeds a population was not known for one: its firing had no
// bounds, and its rates were not reported.
func TestEmbeddedPopulationHasRatesAndBounds(t *testing.T) {
	configure := func(wrap bool, weight float64) model.Config {
		c := config(t, small, func(r *bptt.Rule) {
			r.Regularizers = []loss.Regularizer{loss.RateBounds{Weight: weight, Upper: 0.01}}
			for i, nd := range r.Layers {
				if s, ok := nd.Layer.(layer.Spiking); ok && wrap {
					r.Layers[i].Layer = wrapped{s}
				}
			}
		})
		c.Epochs = 1
		return c
	}
	train1 := func(c model.Config) (map[string]train.Array, train.Metrics) {
		l := loop(t, c, nil)
		res, err := l.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return l.Learner.State(), res.Test.Metrics
	}
	want, wantMetrics := train1(configure(false, 5))
	got, metrics := train1(configure(true, 5))
	if !reflect.DeepEqual(got, want) {
		t.Error("an embedded population learns other weights")
	}
	if free, _ := train1(configure(true, 1e-9)); reflect.DeepEqual(free, want) {
		t.Error("the bounds change nothing: the test shows nothing")
	}
	if len(metrics.Rates) != 3 || len(wantMetrics.Rates) != 3 {
		t.Fatalf("%d rates, want those of 3 layers", len(metrics.Rates))
	}
	for i, r := range metrics.Rates {
		if w := wantMetrics.Rates[i]; !strings.HasPrefix(r.Layer, "wrapped") || r.Spikes != w.Spikes || r.Slots != w.Slots || r.Slots == 0 {
			t.Errorf("rate %+v, of the layer itself %+v", r, w)
		}
	}
}

// The options that differ within a layer belong to the checkpoint, and stay where
// no optimiser moves them.
func TestVariedOptionsAreCheckpointed(t *testing.T) {
	c := config(t, small, func(r *bptt.Rule) {
		s := r.Layers[1].Layer.(layer.Spiking)
		s.Varied = layer.Varied{"threshold": layer.PerChannel}
		r.Layers[1].Layer = s
	})
	c.Epochs = 1
	l := loop(t, c, nil)
	thresholds := networkOf(l).Buffers()[0].Value.Data
	thresholds[2] = 0.5
	state := end(t, l)
	again := loop(t, c, nil)
	if err := again.Learner.SetState(state); err != nil {
		t.Fatal(err)
	}
	got := networkOf(again).Buffers()
	if len(got) != 1 || got[0].Name != "spiking1.threshold" || got[0].Value.Data[2] != 0.5 || got[0].Value.Data[1] != 1 {
		t.Errorf("buffers %+v, want the thresholds 1, 1, 0.5, 1, 1", got)
	}
	if _, ok := state["buffer.spiking1.threshold"]; !ok {
		t.Error("the thresholds are not in the state")
	}
}
