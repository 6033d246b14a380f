package onnx

import (
	"fmt"
	"math"
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

// counts are the sums over the steps of what a graph gives of random samples.
func counts(t *testing.T, g network.Graph, steps int) []tensor.Float {
	t.Helper()
	net, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	in := snntest.Random(signal.Constant, steps, 3, net.InputShape(), 0, 1)
	outs, err := net.Compile(nil, false).NewPass(network.Options{}).Forward(net.NewState(in.B), in, false)
	if err != nil {
		t.Fatal(err)
	}
	var d signal.Signal
	outs[0].Densify(&d)
	n := len(d.Data) / d.T
	sum := d.Data[:n]
	for i, v := range d.Data[n:] {
		sum[i%n] += v
	}
	return sum
}

// Spiking networks that are unrolled, written and read count the same spikes: of IF, and of LIF whose
// decay is a power of two, with the same bits; membranes of a readout to 1e-6.
func TestUnroll(t *testing.T) {
	single(t)
	const steps = 8
	for name, n := range map[string]neuron.Neuron{
		"if":        neuron.IF{Threshold: 0.7},
		"if-strict": neuron.IF{Threshold: 0.5, Strict: true, Reset: neuron.Zero},
		"if-none":   neuron.IF{Threshold: 0.9, Reset: neuron.None},
		"lif":       neuron.LIF{Beta: 0.5, Threshold: 0.3},
		"lif-zero":  neuron.LIF{Beta: 0.5, Threshold: 0.3, Reset: neuron.Zero, DecayInput: true},
	} {
		for _, readout := range []bool{false, true} {
			spiking := layer.Spiking{Neuron: n, Surrogate: surrogate.ArcTan{Alpha: 2}}
			layers := []layer.Layer{layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}}, spiking, layer.AvgPool{Size: 2}, layer.Conv2D{Out: 5, Kernel: []int{2}}, spiking, layer.Flatten{}, layer.Linear{Out: 6}}
			if tail := layer.Layer(spiking); readout {
				layers = append(layers, layer.Readout{Beta: 0.9})
			} else {
				layers = append(layers, tail)
			}
			net, err := network.New(tensor.Shape{6, 6, 2}, 3, network.Chain(layers...)...)
			if err != nil {
				t.Fatal(err)
			}
			g := net.Graph()
			for _, p := range g.Nodes {
				for i := range p.Arrays["weight"].Data {
					p.Arrays["weight"].Data[i] *= 3
				}
			}
			flat, err := Unroll(g, steps)
			if err != nil {
				t.Fatal(err)
			}
			want, got := counts(t, g, steps), counts(t, back(t, flat), 1)
			some := tensor.Float(0)
			for i, w := range want {
				some = max(some, w)
				if d := math.Abs(float64(got[i] - w)); d > 1e-6*(1+math.Abs(float64(w))) || !readout && d > 0 {
					t.Fatalf("%s, readout %v: output %d is %v, want %v", name, readout, i, got[i], w)
				}
			}
			if some == 0 {
				t.Errorf("%s: no neuron fires", name)
			}
		}
	}
}

// An amount of the reset and a floor were dropped in silence: a network that was converted from half
// the threshold (threshold 1/2, amount 1) answered otherwise from its file. The weights are such that
// each changes the counts.
func TestUnrolledAmountAndFloor(t *testing.T) {
	single(t)
	const steps = 12
	given := map[string]neuron.Neuron{
		"plain":      neuron.IF{Threshold: 0.5},
		"amount":     neuron.IF{Threshold: 0.5, Amount: 1},
		"floor":      neuron.IF{Threshold: 0.5, Floor: -0.125},
		"both":       neuron.IF{Threshold: 0.5, Amount: 1, Floor: -0.125},
		"zero":       neuron.IF{Threshold: 0.5, Reset: neuron.Zero, Floor: -0.125},
		"none":       neuron.IF{Threshold: 0.5, Reset: neuron.None, Floor: -0.125},
		"lif":        neuron.LIF{Beta: 0.5, Threshold: 0.5},
		"lif, floor": neuron.LIF{Beta: 0.5, Threshold: 0.5, Floor: -0.015625},
	}
	all := map[string]string{}
	for name, n := range given {
		spiking := layer.Spiking{Neuron: n, Surrogate: surrogate.ArcTan{Alpha: 2}}
		net, err := network.New(tensor.Shape{20}, 3, network.Chain(layer.Linear{Out: 40}, spiking, layer.Linear{Out: 40}, spiking)...)
		if err != nil {
			t.Fatal(err)
		}
		g := net.Graph()
		for _, p := range g.Nodes {
			for i := range p.Arrays["weight"].Data {
				p.Arrays["weight"].Data[i] *= 4
			}
		}
		flat, err := Unroll(g, steps)
		if err != nil {
			t.Fatal(err)
		}
		want, got := fmt.Sprint(counts(t, g, steps)), fmt.Sprint(counts(t, back(t, flat), 1))
		if got != want {
			t.Errorf("%s: counts %s, want %s", name, got, want)
		}
		for other, c := range all {
			if c == want {
				t.Errorf("%s counts as %s does: it tells nothing", name, other)
			}
		}
		all[name] = want
	}
}

// A neuron fires at its threshold and not below it, to the last bit, however large it is.
func TestUnrolledThreshold(t *testing.T) {
	single(t)
	for _, threshold := range []float32{1, 0.7, 3, 1e-3, 12345.678} {
		for _, strict := range []bool{false, true} {
			g := network.Graph{Input: tensor.Shape{3}, Nodes: []network.GraphNode{{Node: network.Node{Name: "n", Layer: layer.Spiking{Neuron: neuron.IF{Threshold: float64(threshold), Strict: strict}, Surrogate: surrogate.ArcTan{Alpha: 2}}}}}}
			flat, err := Unroll(g, 1)
			if err != nil {
				t.Fatal(err)
			}
			net, err := flat.Build(0)
			if err != nil {
				t.Fatal(err)
			}
			below, above := math.Nextafter32(threshold, 0), math.Nextafter32(threshold, math.MaxFloat32)
			in := &signal.Signal{Kind: signal.Constant, T: 1, B: 1, Shape: tensor.Shape{3}, Data: []tensor.Float{tensor.Float(below), tensor.Float(threshold), tensor.Float(above)}}
			outs, err := net.Compile(nil, false).NewPass(network.Options{}).Forward(net.NewState(1), in, false)
			if err != nil {
				t.Fatal(err)
			}
			want := "[0 1 1]"
			if strict {
				want = "[0 0 1]"
			}
			if got := fmt.Sprint(outs[0].Data); got != want {
				t.Errorf("threshold %v, strict %v: %s, want %s", threshold, strict, got, want)
			}
		}
	}
}

// What cannot be unrolled is refused by the name of the node.
func TestUnrollRefuses(t *testing.T) {
	chain := func(l layer.Layer) network.Graph {
		return network.Graph{Input: tensor.Shape{3}, Nodes: []network.GraphNode{{Node: network.Node{Name: "node", Layer: l}}}}
	}
	fast := surrogate.FastSigmoid{Slope: 25}
	for want, l := range map[string]layer.Layer{
		`node "node": neurons alif`:                layer.Spiking{Neuron: neuron.ALIF{Beta: 0.9, Threshold: 1, Rho: 0.9}, Surrogate: fast},
		`node "node": a resting potential`:         layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1, Refractory: 2}, Surrogate: fast},
		`node "node": a layer of kind recurrent`:   layer.Recurrent{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: fast},
		`output "output" is the same at each step`: layer.ReLU{},
	} {
		if _, err := Unroll(chain(l), 4); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Unroll(chain(layer.ReLU{}), 0); err == nil {
		t.Error("no steps are unrolled")
	}
}
