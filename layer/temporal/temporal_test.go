package temporal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/tensor"
)

// seriesOf runs a layer on a series of one element, in windows of two steps.
func seriesOf(t *testing.T, l layer.Layer, x ...tensor.Float) (y []tensor.Float) {
	t.Helper()
	n, err := network.Sequential(tensor.Shape{1}, 1, l)
	if err != nil {
		t.Fatal(err)
	}
	pass, state := n.Compile(nil, false).NewPass(network.Options{}), n.NewState(1)
	for part := range slices.Chunk(x, 2) {
		outs, err := pass.Forward(state, &signal.Signal{Kind: signal.Dense, T: len(part), B: 1, Shape: tensor.Shape{1}, Data: part}, false)
		if err != nil {
			t.Fatal(err)
		}
		y = append(y, outs[0].Data...)
	}
	return y
}

func TestDelay(t *testing.T) {
	for steps, want := range map[int][]tensor.Float{1: {0, 1, 2, 3, 4}, 3: {0, 0, 0, 1, 2}, 9: {0, 0, 0, 0, 0}} {
		if got := seriesOf(t, temporal.Delay{Steps: steps}, 1, 2, 3, 4, 5); !slices.Equal(got, want) {
			t.Errorf("%d steps: %v, want %v", steps, got, want)
		}
	}
	if _, err := (temporal.Delay{}).Output(tensor.Shape{1}); err == nil || !strings.Contains(err.Error(), "steps is 0") {
		t.Error(err)
	}
}

func TestIntegrator(t *testing.T) {
	got := seriesOf(t, temporal.Integrator{Neuron: neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.None, Leak: 2}}, 4, 0, 8)
	if want := []tensor.Float{5, 3.5, 10.75}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for want, n := range map[string]neuron.Neuron{
		"reset subtract": neuron.LIF{Beta: 0.5, Threshold: 1}, "refractory 2": neuron.IF{Threshold: 1, Reset: neuron.None, Refractory: 2},
		"want if, lif or cuba-lif": neuron.ALIF{Beta: 0.5, Threshold: 1, Reset: neuron.None}, "want a decay": neuron.LIF{Beta: 2, Threshold: 1, Reset: neuron.None},
	} {
		if _, err := (temporal.Integrator{Neuron: n}).Output(tensor.Shape{1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func Example() {
	net, err := network.Sequential(tensor.Shape{1}, 1, temporal.Delay{Steps: 1}, temporal.Integrator{Neuron: neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.None}})
	if err != nil {
		fmt.Println(err)
	}
	in := &signal.Signal{Kind: signal.Dense, T: 4, B: 1, Shape: tensor.Shape{1}, Data: []tensor.Float{8, 0, 0, 0}}
	out, err := net.Compile(nil, false).NewPass(network.Options{}).Forward(net.NewState(1), in, false)
	fmt.Println(out[0].Data, err)
	// Output: [0 8 4 2] <nil>
}
