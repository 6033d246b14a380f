package network_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/encode"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

func graphNodes(nodes ...network.Node) (g []network.GraphNode) {
	for _, nd := range nodes {
		g = append(g, network.GraphNode{Node: nd})
	}
	return g
}

func output(name, node string) network.Output { return network.Output{Name: name, Node: node} }

// outputNetworks have several outputs: spikes, membranes and, of a constant
// input, what is constant; views; outputs that other nodes take, and one that is
// read twice.
func outputNetworks(t testing.TB) map[string]*network.Network {
	t.Helper()
	nets := map[string]*network.Network{}
	add := func(name string, g network.Graph) {
		n, err := g.Build(9)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		nets[name] = n
	}
	heads := graphNodes(
		node("stem", layer.Linear{Out: 8}), node("s", lif(0.9, neuron.Subtract, fast)),
		node("deep", layer.Linear{Out: 6}), node("spikes", lif(0.8, neuron.Zero, arctan)),
		node("currents", layer.Linear{Out: 4}, "s"), node("membranes", layer.Readout{Beta: 0.9}))
	add("two heads", network.Graph{Input: tensor.Shape{7}, Nodes: heads, Outputs: []network.Output{
		output("class", "spikes"), output("value", "membranes")}})
	add("inner", network.Graph{Input: tensor.Shape{7}, Nodes: heads, Outputs: []network.Output{
		output("value", "membranes"), output("early", "s"), output("raw", "stem"), output("class", "spikes"), output("again", "s"), output("deep", "deep")}})
	add("last not out", network.Graph{Input: tensor.Shape{7}, Nodes: append(slices.Clone(heads), graphNodes(
		node("sum", layer.Concat{}, "membranes", "spikes"))...), Outputs: []network.Output{output("sum", "sum"), output("class", "spikes")}})
	add("views", network.Graph{Input: tensor.Shape{6, 5, 2}, Nodes: graphNodes(
		node("conv", layer.Conv2D{Out: 3, Kernel: []int{3}}), node("relu", layer.ReLU{}), node("flat", layer.Flatten{}),
		node("s", lif(0.9, neuron.Subtract, fast), "conv"), node("pool", layer.AvgPool{Size: 2}),
		node("next", layer.Conv2D{Out: 2, Kernel: []int{1}}), node("r", layer.ReLU{}), node("drop", layer.Dropout{Rate: 0.3}), node("last", layer.Flatten{})),
		Outputs: []network.Output{output("flat", "flat"), output("pool", "pool"), output("drop", "drop"), output("last", "last"), output("twice", "last")}})
	return nets
}

func eachOutputs(t *testing.T, f func(t *testing.T, net *network.Network, in *signal.Signal)) {
	for name, net := range outputNetworks(t) {
		for _, kind := range kinds {
			t.Run(name+"/"+kind.String(), func(t *testing.T) {
				f(t, net, snntest.Random(kind, 5, 3, net.InputShape(), 0.3, 11))
			})
		}
	}
}

func TestOutputGradients(t *testing.T) {
	eachOutputs(t, func(t *testing.T, n *network.Network, in *signal.Signal) { snntest.Gradient(t, n, in, 12) })
}
func TestOutputPaths(t *testing.T) {
	eachOutputs(t, func(t *testing.T, n *network.Network, in *signal.Signal) { snntest.Paths(t, n, in) })
}
func TestOutputSplits(t *testing.T) {
	eachOutputs(t, func(t *testing.T, n *network.Network, in *signal.Signal) { snntest.Splits(t, n, in) })
}
func TestOutputThreads(t *testing.T) {
	eachOutputs(t, func(t *testing.T, n *network.Network, in *signal.Signal) { snntest.Threads(t, n, in) })
}

// Each output is the signal of its node, of its kind, whatever the chunks.
func TestOutputsAreTheirNodes(t *testing.T) {
	net := outputNetworks(t)["inner"]
	in := snntest.Random(signal.Constant, 5, 2, net.InputShape(), 0, 3)
	want := map[string][]tensor.Float{}
	err := net.Compile(nil, false).Activity(in, func(nd network.Info, out *signal.Signal) error {
		var d signal.Signal
		out.Densify(&d)
		want[nd.Name] = d.Data
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, chunk := range []int{1, 2, 5} {
		outs, err := net.Compile(nil, false).NewPass(network.Options{Chunk: chunk}).Forward(net.NewState(2), in, false)
		if err != nil {
			t.Fatal(err)
		}
		for k, o := range net.Outputs() {
			kind := map[string]signal.Kind{"stem": signal.Constant, "s": signal.Spikes, "spikes": signal.Spikes}[o.Node]
			var d signal.Signal
			outs[k].Densify(&d)
			if err := outs[k].Check(net.OutputShapes()[k]); err != nil || outs[k].Kind != kind || outs[k].T != in.T || !slices.Equal(d.Data, want[o.Node]) {
				t.Errorf("chunk %d, output %s: %v of %d steps, %v; want %v, the signal of node %s", chunk, o.Name, outs[k].Kind, outs[k].T, err, kind, o.Node)
			}
		}
	}
}

// No error is an error of zeros, and none of what Backward is given changes.
func TestOutputWithoutError(t *testing.T) {
	eachOutputs(t, func(t *testing.T, net *network.Network, in *signal.Signal) {
		grads := func(douts func(outs []*signal.Signal) []*signal.Signal) network.Grads {
			pass, g := net.Compile(nil, true).NewPass(network.Options{Chunk: 3}), net.NewGrads()
			outs, err := pass.Forward(net.NewState(in.B), in, true)
			if err != nil {
				t.Fatal(err)
			}
			given, before := douts(outs), douts(outs)
			if err := pass.Backward(net.NewAdjoint(in.B), given, g); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(given, before) {
				t.Error("Backward changed the errors it was given")
			}
			return g
		}
		for left := range net.Outputs() {
			zeros := grads(func(outs []*signal.Signal) []*signal.Signal {
				douts := snntest.Projections(outs, 0)
				clear(douts[left].Data)
				return douts
			})
			none := grads(func(outs []*signal.Signal) []*signal.Signal {
				douts := snntest.Projections(outs, 0)
				douts[left] = nil
				return douts
			})
			snntest.Equal(t, "without an error at "+net.Outputs()[left].Name, snntest.Result{Grads: zeros}, snntest.Result{Grads: none})
		}
	})
}

func TestOutputErrors(t *testing.T) {
	nodes := graphNodes(node("a", layer.Linear{Out: 2}), node("b", layer.ReLU{}))
	for _, c := range []struct {
		want    string
		outputs []network.Output
	}{
		{`output "x": the network has no node "c"; did you mean "a"? known nodes: a, b`, []network.Output{output("x", "c")}},
		{`output "x": the network has no node "input"`, []network.Output{output("x", "input")}},
		{`two outputs are called "x"`, []network.Output{output("x", "a"), output("x", "b")}},
		{"output 0 has no name", []network.Output{output("", "b")}},
		{`node "b": nothing uses its output`, []network.Output{output("x", "a")}},
		{"scale is -1", []network.Output{{Name: "x", Node: "b", Scale: -1}}},
	} {
		_, err := network.Graph{Input: tensor.Shape{3}, Nodes: nodes, Outputs: c.outputs}.Build(1)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", err, c.want)
		}
	}
	net := outputNetworks(t)["two heads"]
	pass := net.Compile(nil, true).NewPass(network.Options{})
	outs, err := pass.Forward(net.NewState(1), snntest.Random(signal.Constant, 2, 1, net.InputShape(), 0, 1), true)
	if err != nil {
		t.Fatal(err)
	}
	douts := snntest.Projections(outs, 0)
	if err := pass.Backward(net.NewAdjoint(1), douts[:1], net.NewGrads()); err == nil || !strings.Contains(err.Error(), "1 errors for 2 outputs") {
		t.Errorf("one error of two: %v", err)
	}
	slices.Reverse(douts)
	if err := pass.Backward(net.NewAdjoint(1), douts, net.NewGrads()); err == nil || !strings.Contains(err.Error(), `output "class": error of 2 rows for an output of 2 rows of 6`) {
		t.Errorf("errors exchanged: %v", err)
	}
}

// Inference reads the output of the name, times its scale.
func TestInferenceChoosesOutput(t *testing.T) {
	net := outputNetworks(t)["two heads"]
	g := net.Graph()
	g.Outputs[1].Scale, g.Outputs[1].Read = 3, encode.Count{}
	scaled, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	x := snntest.Random(signal.Dense, 1, 2, net.InputShape(), 0, 4).Data
	run := func(net *network.Network, name string) []tensor.Float {
		o := network.InferenceOptions{Steps: 4, Encoder: encode.Constant{}, Output: name}
		scores, _, err := inference(t, net, o).Run(batchOf(net, x), keysOf(2))
		if err != nil {
			t.Fatal(err)
		}
		return scores
	}
	class, value, thrice := run(net, ""), run(net, "value"), run(scaled, "value")
	if !slices.Equal(class, run(net, "class")) || len(class) != 12 || len(value) != 8 {
		t.Errorf("scores %v of the first output, %v of value", class, value)
	}
	for i, v := range value {
		if thrice[i] != 3*v {
			t.Errorf("score %d is %v at scale 3, %v at 1", i, thrice[i], v)
		}
	}
	c := net.Compile(nil, false)
	if _, err := c.NewInference(network.InferenceOptions{Steps: 4, Encoder: encode.Constant{}, Output: "valu"}); err == nil || !strings.Contains(err.Error(), `did you mean "value"?`) {
		t.Errorf("unknown output: %v", err)
	}
	g.Outputs[1].Read = encode.Membrane{}
	if scaled, err = g.Build(0); err != nil {
		t.Fatal(err)
	}
	if _, err := scaled.Compile(nil, false).NewInference(network.InferenceOptions{Steps: 4, Encoder: encode.Constant{}, Output: "value"}); err == nil || !strings.Contains(err.Error(), "is read by encode.Membrane") {
		t.Errorf("read by its mean: %v", err)
	}
}

// A warm inference of several outputs allocates nothing.
func TestOutputsAllocateNothing(t *testing.T) {
	net := outputNetworks(t)["two heads"]
	x, keys := snntest.Random(signal.Dense, 1, 2, net.InputShape(), 0, 4).Data, keysOf(2)
	r := inference(t, net, network.InferenceOptions{Options: network.Options{Chunk: 2}, Steps: 6, Encoder: encode.Constant{}, Output: "value"})
	in := batchOf(net, x)
	if n := testing.AllocsPerRun(20, func() {
		if _, _, err := r.Run(in, keys); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}
