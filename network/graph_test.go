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
	"synfire/tensor"
)

// A network is built again from its graph, with the same bits; neither shares
// arrays with the other.
func TestGraphRoundTrip(t *testing.T) {
	all := networks(t)
	for name, net := range outputNetworks(t) {
		all[name] = net
	}
	for name, net := range all {
		for i, b := range net.Buffers() { // as training would leave them
			for k := range b.Value.Data {
				b.Value.Data[k] += tensor.Float(i+k+1) / 8
			}
		}
		g := net.Graph()
		again, err := g.Build(99)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(again.Graph(), g) || !reflect.DeepEqual(again.Nodes(), net.Nodes()) {
			t.Errorf("%s: the graph of the network built from a graph is another", name)
		}
		in := snntest.Random(signal.Dense, 4, 2, net.InputShape(), 0, 1)
		want := snntest.Run(t, net, in, network.Options{})
		snntest.Equal(t, name, want, snntest.Run(t, again, in, network.Options{}))
		for _, p := range again.Params() {
			clear(p.Value.Data)
		}
		snntest.Equal(t, name+" beside another that learns", want, snntest.Run(t, net, in, network.Options{}))
		if !reflect.DeepEqual(g, net.Graph()) {
			t.Errorf("%s: a built network shares arrays with its graph", name)
		}
	}
}

// Arrays that are not given start as in New: from the seed and their names.
func TestGraphDrawsMissingArrays(t *testing.T) {
	nodes := []network.Node{node("a", layer.Linear{Out: 4}), node("n", layer.BatchNorm{}), node("b", layer.Linear{Out: 2})}
	net, err := network.New(tensor.Shape{3}, 5, nodes...)
	if err != nil {
		t.Fatal(err)
	}
	bias := tensor.Tensor{Shape: tensor.Shape{4}, Data: []tensor.Float{1, 2, 3, 4}}
	g := network.Graph{Input: tensor.Shape{3}, Nodes: graphNodes(nodes...)}
	g.Nodes[0].Arrays = map[string]tensor.Tensor{"bias": bias}
	got, err := g.Build(5)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range net.Params() {
		want := p.Value.Data
		if p.Name == "a.bias" {
			want = bias.Data
		}
		if !slices.Equal(got.Params()[i].Value.Data, want) {
			t.Errorf("%s is %v, want %v", p.Name, got.Params()[i].Value.Data, want)
		}
	}
	if !reflect.DeepEqual(got.Buffers(), net.Buffers()) {
		t.Errorf("buffers %v", got.Buffers())
	}
	if got, want := got.Outputs(), []network.Output{{Name: "output", Node: "b"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("outputs %v, want %v", got, want)
	}
}

func TestGraphErrors(t *testing.T) {
	for _, c := range []struct {
		want string
		edit func(g *network.Graph)
	}{
		{`node "b": input "c" is no node before it: a graph has no cycles`, func(g *network.Graph) { g.Nodes[1].Inputs = []string{"c"} }},
		{`node "b": input "b" is no node before it: a graph has no cycles`, func(g *network.Graph) { g.Nodes[1].Inputs = []string{"b"} }},
		{`node "c": input "d" is no node before it; did you mean "a"? known nodes: a, b, input, previous`, func(g *network.Graph) { g.Nodes[2].Inputs = []string{"d"} }},
		{`node "a": the name is taken`, func(g *network.Graph) { g.Nodes[1].Name = "a" }},
		{`node "input": the name is taken`, func(g *network.Graph) { g.Nodes[1].Name = "input" }},
		{"no dots and spaces", func(g *network.Graph) { g.Nodes[1].Name = "a.b" }},
		{`node "a": array "weight" has shape 4×3 and 12 elements, the layer's is 3×4`, func(g *network.Graph) {
			g.Nodes[0].Arrays["weight"] = tensor.New(4, 3)
		}},
		{`array "weight" has shape 3×4 and 5 elements`, func(g *network.Graph) {
			g.Nodes[0].Arrays["weight"] = tensor.Tensor{Shape: tensor.Shape{3, 4}, Data: make([]tensor.Float, 5)}
		}},
		{`node "a": its layer has no array "weights"; did you mean "weight"?`, func(g *network.Graph) { g.Nodes[0].Arrays["weights"] = tensor.New(3, 4) }},
		{`node "b": its layer has no array "gain"; there are no known arrays`, func(g *network.Graph) {
			g.Nodes[1].Arrays = map[string]tensor.Tensor{"gain": tensor.New(1)}
		}},
		{`output "output": the network has no node "d"`, func(g *network.Graph) { g.Outputs[0].Node = "d" }},
		{`node "c": nothing uses its output; connect it or remove it, or make it an output`, func(g *network.Graph) { g.Outputs[0].Node = "b" }},
		{"input: shape 0", func(g *network.Graph) { g.Input = tensor.Shape{0} }},
		{"no nodes", func(g *network.Graph) { g.Nodes = nil }},
		{`node "b": no layer is given`, func(g *network.Graph) { g.Nodes[1].Layer = nil }},
		{`two of its arrays are called "weight"`, func(g *network.Graph) { g.Nodes[0].Layer = twin{layer.Linear{Out: 4}} }},
	} {
		net, err := network.New(tensor.Shape{3}, 1, node("a", layer.Linear{Out: 4}), node("b", layer.ReLU{}), node("c", layer.Linear{Out: 2}))
		if err != nil {
			t.Fatal(err)
		}
		g := net.Graph()
		c.edit(&g)
		if _, err = g.Build(1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", err, c.want)
		}
		if _, err = g.Outline(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("outline: got %v, want an error with %q", err, c.want)
		}
	}
}

// twin calls two arrays by one name.
type twin struct{ layer.Linear }

func (twin) Params(in ...tensor.Shape) []layer.ParamSpec {
	return []layer.ParamSpec{{Role: "weight", Shape: tensor.Shape{3, 4}}, {Role: "weight", Shape: tensor.Shape{3, 4}}}
}

// shape writes a graph as text: each node with what it takes, and the outputs.
func shape(g network.Graph) string {
	var parts []string
	for _, nd := range g.Nodes {
		parts = append(parts, nd.Name+"("+strings.Join(nd.Inputs, ",")+")")
	}
	for _, o := range g.Outputs {
		parts = append(parts, o.Name+"="+o.Node)
	}
	return strings.Join(parts, " ")
}

func TestEditor(t *testing.T) {
	nodes := graphNodes(
		network.Node{Layer: layer.Linear{Out: 4}}, node("relu", layer.ReLU{}),
		node("b", layer.Linear{Out: 4}, network.Previous), node("sum", layer.Add{}, "relu", "previous"))
	start := network.Graph{Input: tensor.Shape{3}, Nodes: nodes}
	at := func(name string, l layer.Layer) network.GraphNode { return network.GraphNode{Node: node(name, l)} }
	for _, c := range []struct {
		what, want string // the graph, or of the error
		edit       func(e *network.Editor) error
	}{
		{"nothing", "linear1(input) relu(linear1) b(relu) sum(relu,b) output=sum", func(e *network.Editor) error { return nil }},
		{"replace", "linear1(input) relu(linear1) b(relu) sum(relu,b) output=sum",
			func(e *network.Editor) error { return e.Replace("relu", at("", lif(0.9, neuron.Zero, fast))) }},
		{"replace by name", "linear1(input) s(linear1) b(s) sum(s,b) output=sum",
			func(e *network.Editor) error { return e.Replace("relu", at("s", layer.ReLU{})) }},
		{"replace output", "linear1(input) relu(linear1) b(relu) x(relu,b) output=x",
			func(e *network.Editor) error { return e.Replace("sum", at("x", layer.Concat{})) }},
		{"remove", "linear1(input) b(linear1) sum(linear1,b) output=sum", func(e *network.Editor) error { return e.Remove("relu") }},
		{"remove the first", "relu(input) b(relu) sum(relu,b) output=sum", func(e *network.Editor) error { return e.Remove("linear1") }},
		{"after", "linear1(input) relu(linear1) x(relu) b(x) sum(x,b) output=sum",
			func(e *network.Editor) error { return e.InsertAfter("relu", at("x", layer.ReLU{})) }},
		{"after the input", "x(input) linear1(x) relu(linear1) b(relu) sum(relu,b) output=sum",
			func(e *network.Editor) error { return e.InsertAfter(network.Input, at("x", layer.ReLU{})) }},
		{"after the output", "linear1(input) relu(linear1) b(relu) sum(relu,b) x(sum) output=x",
			func(e *network.Editor) error { return e.InsertAfter("sum", at("x", layer.ReLU{})) }},
		{"before", "linear1(input) relu(linear1) x(relu) b(x) sum(relu,b) output=sum",
			func(e *network.Editor) error { return e.InsertBefore("b", at("x", layer.ReLU{})) }},
		{"rename", "linear1(input) r(linear1) b(r) sum(r,b) output=sum", func(e *network.Editor) error { return e.Rename("relu", "r") }},
		{"rename to the same", "linear1(input) relu(linear1) b(relu) sum(relu,b) output=sum", func(e *network.Editor) error { return e.Rename("relu", "relu") }},

		{"unknown", `network.Replace: the graph has no node "rel"; did you mean "relu"?`, func(e *network.Editor) error { return e.Replace("rel", at("x", layer.ReLU{})) }},
		{"taken", `network.InsertAfter: the name "b" is taken`, func(e *network.Editor) error { return e.InsertAfter("relu", at("b", layer.ReLU{})) }},
		{"taken by replacing", `network.Replace: the name "b" is taken`, func(e *network.Editor) error { return e.Replace("relu", at("b", layer.ReLU{})) }},
		{"taken by renaming", `network.Rename: the name "b" is taken`, func(e *network.Editor) error { return e.Rename("relu", "b") }},
		{"the input's name", `network.Rename: the name "input" is taken`, func(e *network.Editor) error { return e.Rename("relu", "input") }},
		{"no name", "network.InsertBefore: a node needs a name", func(e *network.Editor) error { return e.InsertBefore("b", at("", layer.ReLU{})) }},
		{"remove a sum", `network.Remove: node "sum" has 2 inputs`, func(e *network.Editor) error { return e.Remove("sum") }},
		{"before a sum", `network.InsertBefore: node "sum" has 2 inputs`, func(e *network.Editor) error { return e.InsertBefore("sum", at("x", layer.ReLU{})) }},
	} {
		e := network.Edit(start)
		got := ""
		if err := c.edit(e); err != nil {
			got = err.Error()
		} else {
			got = shape(e.Graph())
			if _, err := e.Graph().Build(1); err != nil && c.what != "remove the first" {
				t.Errorf("%s: %v", c.what, err)
			}
		}
		if got != c.want && !(strings.HasPrefix(c.want, "network.") && strings.HasPrefix(got, c.want)) {
			t.Errorf("%s: %s\nwant %s", c.what, got, c.want)
		}
	}
	if !reflect.DeepEqual(start.Nodes, nodes) || nodes[0].Name != "" || start.Outputs != nil {
		t.Error("editing changed the graph that it started from")
	}
	e := network.Edit(start)
	if nodes, outputs := e.Consumers("relu"); !slices.Equal(nodes, []string{"b", "sum"}) || outputs != nil {
		t.Errorf("relu is consumed by %v and %v", nodes, outputs)
	}
	if nodes, outputs := e.Consumers("sum"); nodes != nil || !slices.Equal(outputs, []string{"output"}) {
		t.Errorf("sum is consumed by %v and %v", nodes, outputs)
	}
}

// A graph that lacks what is to be folded is refused, and not folded with zeros.
func TestFoldBatchNormNeedsArrays(t *testing.T) {
	net, err := network.New(tensor.Shape{3}, 1, node("a", layer.Linear{Out: 4}), node("n", layer.BatchNorm{}))
	if err != nil {
		t.Fatal(err)
	}
	for node, role := range map[int]string{0: "bias", 1: "variance"} {
		g := net.Graph()
		delete(g.Nodes[node].Arrays, role)
		if _, _, err := (network.FoldBatchNorm{}).Apply(t.Context(), g, nil); err == nil || !strings.Contains(err.Error(), "has no array \""+role) {
			t.Errorf("without %s: %v", role, err)
		}
	}
}

// An output that reads the folded layer keeps it from being folded; one that reads
// the normalisation reads the layer afterwards.
func TestFoldBatchNormKeepsOutputs(t *testing.T) {
	g := network.Graph{Input: tensor.Shape{3}, Nodes: graphNodes(node("a", layer.Linear{Out: 4}), node("n", layer.BatchNorm{}),
		node("b", layer.Linear{Out: 2}), node("m", layer.BatchNorm{})), Outputs: []network.Output{output("before", "a"), output("out", "m")}}
	net, err := g.Build(1)
	if err != nil {
		t.Fatal(err)
	}
	folded, _, err := network.FoldBatchNorm{}.Apply(t.Context(), net.Graph(), nil)
	if want := "a(input) n(a) b(n) before=a out=b"; err != nil || shape(folded) != want {
		t.Errorf("%s, %v, want %s", shape(folded), err, want)
	}
}
