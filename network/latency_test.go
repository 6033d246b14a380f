package network_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

// In as many steps as layers that act late nothing reaches the output: exactly zero, and
// an error instead of an answer. With one step more there is something.
func TestStepsWithinTheLatency(t *testing.T) {
	late := layer.Spiking{Neuron: neuron.STDB{Beta: 1, Threshold: 0.01, Delay: true}, Surrogate: surrogate.Triangle{Height: 0.3, Width: 1}}
	at := late
	at.Neuron = neuron.STDB{Beta: 1, Threshold: 0.01}
	net, err := network.New(tensor.Shape{8}, 1,
		network.Node{Layer: layer.Linear{Out: 9, NoBias: true}}, network.Node{Layer: late}, network.Node{Layer: layer.Linear{Out: 9, NoBias: true}},
		network.Node{Name: "a", Layer: late}, network.Node{Name: "b", Layer: at, Inputs: []string{"linear2"}},
		network.Node{Name: "join", Layer: layer.Add{}, Inputs: []string{"a", "b"}}, network.Node{Name: "c", Layer: late, Inputs: []string{"join"}},
		network.Node{Name: "out", Layer: layer.Linear{Out: 3, NoBias: true}})
	if err != nil {
		t.Fatal(err)
	}
	if got := net.Latencies(); !reflect.DeepEqual(got, []int{2}) { // by way of b
		t.Fatalf("latencies %v, want 2", got)
	}
	for steps, silent := range map[int]bool{1: true, 2: true, 3: false} {
		out := snntest.Run(t, net, snntest.Random(signal.Constant, steps, 4, net.InputShape(), 0, 1), network.Options{}).Out
		if zero := !slices.ContainsFunc(out, func(v tensor.Float) bool { return v != 0 }); zero != silent {
			t.Errorf("%d steps: output %v", steps, out)
		}
		if err := net.CheckSteps(steps); (err != nil) != silent || silent && !strings.Contains(err.Error(), "give steps 3 or more") {
			t.Errorf("%d steps: %v", steps, err)
		}
	}
}
