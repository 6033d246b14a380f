package network_test

import (
	"errors"
	"slices"
	"testing"

	"synfire/layer"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// Nodes are visited in order, with the outputs of the inputs that they name.
func TestActivity(t *testing.T) {
	net, err := network.New(tensor.Shape{3}, 1,
		network.Node{Name: "a", Layer: layer.Linear{Out: 4}},
		network.Node{Name: "b", Layer: layer.ReLU{}},
		network.Node{Name: "sum", Layer: layer.Add{}, Inputs: []string{"a", "b"}},
		network.Node{Name: "out", Layer: layer.Readout{Beta: 0.5}},
	)
	if err != nil {
		t.Fatal(err)
	}
	in := &signal.Signal{}
	in.Reset(signal.Dense, 2, 1, tensor.Shape{3})
	copy(in.Data, []tensor.Float{1, 2, 3, -1, 0, 2})
	c := net.Compile(nil, false)
	outs, names := map[string][]tensor.Float{}, []string{}
	err = c.Activity(in, func(nd network.Info, out *signal.Signal) error {
		names, outs[nd.Name] = append(names, nd.Name), slices.Clone(out.Data)
		return nil
	})
	if err != nil || !slices.Equal(names, []string{"a", "b", "sum", "out"}) {
		t.Fatalf("visited %v, %v", names, err)
	}
	for i, a := range outs["a"] {
		if outs["b"][i] != max(a, 0) || outs["sum"][i] != a+max(a, 0) {
			t.Errorf("element %d: a %v, b %v, sum %v", i, a, outs["b"][i], outs["sum"][i])
		}
	}
	want, err := c.NewPass(network.Options{}).Forward(net.NewState(1), in, false)
	if err != nil || !slices.Equal(outs["out"], want[0].Data) {
		t.Errorf("output %v, a pass gives %v, %v", outs["out"], want[0].Data, err)
	}
	stop := errors.New("enough")
	if err := c.Activity(in, func(network.Info, *signal.Signal) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v, want the visitor's error", err)
	}
}
