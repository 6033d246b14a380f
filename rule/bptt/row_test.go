package bptt

import (
	"slices"
	"strings"
	"testing"

	"synfire/encode"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/optim"
	"synfire/signal"
	"synfire/tensor"
)

// The output of a network without time is the same at every step.
func TestRowsOfAConstantOutput(t *testing.T) {
	var out, dst signal.Signal
	out.Reset(signal.Constant, 3, 2, tensor.Shape{1})
	copy(out.Data, []tensor.Float{5, 7})
	dst.Reset(signal.Dense, 3, 2, tensor.Shape{1})
	for row := range 6 {
		readRow(&dst, row, &out, row)
	}
	if want := []tensor.Float{5, 7, 5, 7, 5, 7}; !slices.Equal(dst.Data, want) {
		t.Errorf("rows %v, want %v", dst.Data, want)
	}
}

// A learner without one of its parts is an error, whichever is missing.
func TestPartsOfALearner(t *testing.T) {
	net, err := network.New(tensor.Shape{3}, 1, network.Node{Name: "a", Layer: layer.Linear{Out: 2}}, network.Node{Name: "out", Layer: layer.Readout{Beta: 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	for name, remove := range map[string]func(o *Options){
		"": func(*Options) {}, "network": func(o *Options) { o.Net = nil }, "encoder": func(o *Options) { o.Encoder = nil },
		"losses": func(o *Options) { o.Losses = nil }, "optimizer": func(o *Options) { o.Optimizer = nil },
	} {
		o := Options{Net: net, Steps: 2, Encoder: encode.Constant{}, Losses: []Term{{Loss: loss.MembraneCrossEntropy{}}}, Optimizer: optim.SGD{LR: 0.1}}
		remove(&o)
		if _, err := New(o); (err == nil) != (name == "") || err != nil && !strings.Contains(err.Error(), "must be given") {
			t.Errorf("without %s: %v", name, err)
		}
	}
}
