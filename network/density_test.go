package network_test

import (
	"testing"

	"synfire/layer"
	"synfire/network"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

// A compiled network gives the same bits for a batch whatever it was given before: sparse spikes,
// then denser ones, whose lists are added from other slabs of the weights.
func TestDensities(t *testing.T) {
	for name, of := range map[string]struct {
		in     tensor.Shape
		layers []layer.Layer
	}{
		"conv2d": {tensor.Shape{5, 5, 160}, []layer.Layer{layer.Conv2D{Out: 256, Kernel: []int{3}, Padding: []int{1}}}},
		"linear": {tensor.Shape{1500}, []layer.Layer{layer.Linear{Out: 512}}},
		"groups": {tensor.Shape{5, 5, 320}, []layer.Layer{layer.Conv2D{Out: 512, Kernel: []int{3}, Groups: 2}}},
	} {
		net, err := network.Sequential(of.in, 1, of.layers...)
		if err != nil {
			t.Fatal(err)
		}
		once := net.Compile(nil, false)
		for _, density := range []float64{0.3, 0.01, 0.1, 0.003, 0.3} {
			in := snntest.Random(signal.Spikes, 2, 2, of.in, density, 7)
			eval := func(c *network.Compiled, path layer.Path) *signal.Signal {
				st := net.NewState(in.B)
				outs, err := c.NewPass(network.Options{Path: path}).Forward(st, in, false)
				if err != nil {
					t.Fatal(err)
				}
				return outs[0]
			}
			want := eval(net.Compile(nil, false), layer.Dense)
			snntest.Equal(t, name, snntest.Result{Out: want.Data}, snntest.Result{Out: eval(once, layer.Events).Data})
		}
	}
}
