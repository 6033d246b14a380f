package nir_test

import (
	"bytes"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"synfire/exchange/nir"
	"synfire/format/hdf5"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/tensor"
)

// maker makes nodes with random parameters.
type maker struct{ *rand.Rand }

func newMaker(seed uint64) maker { return maker{rand.New(rand.NewPCG(seed, 1))} }

// random is a parameter between lo and hi.
func (m maker) random(lo, hi float64, shape ...int) nir.Param {
	n := 1
	for _, d := range shape {
		n *= d
	}
	p := nir.Param{Shape: shape}
	for range n {
		p.Data = append(p.Data, float64(float32(lo+(hi-lo)*m.Float64())))
	}
	return p
}

func whole(v ...float64) nir.Param {
	if len(v) == 1 {
		return nir.Param{Data: v}
	}
	return nir.Param{Shape: []int{len(v)}, Data: v}
}

// vector is a parameter that is a list, if only of one.
func vector(v ...float64) nir.Param { return nir.Param{Shape: []int{len(v)}, Data: v} }

type params = map[string]nir.Param

func (m maker) affine(name string, out, in int) nir.Node {
	return nir.Node{Name: name, Kind: "Affine", Params: params{"weight": m.random(-1, 1, out, in), "bias": m.random(-0.1, 0.3, out)}}
}

func (m maker) lif(name string, shape ...int) nir.Node {
	return nir.Node{Name: name, Kind: "LIF", Params: params{"tau": m.random(2, 9, shape...), "r": m.random(1, 2, shape...), "v_leak": m.random(-0.1, 0.1, shape...), "v_threshold": m.random(0.2, 0.6, shape...)}}
}

func input(shape ...float64) nir.Node {
	return nir.Node{Name: "input", Kind: "Input", Params: params{"shape": vector(shape...)}}
}

// chain joins an Input, nodes and an Output.
func chain(nodes ...nir.Node) *nir.Graph {
	g := &nir.Graph{Nodes: append(nodes, nir.Node{Name: "output", Kind: "Output"})}
	for i := range g.Nodes[1:] {
		g.Edges = append(g.Edges, nir.Edge{From: g.Nodes[i].Name, To: g.Nodes[i+1].Name})
	}
	return g
}

// graphs have each kind of node, with options of every sort.
func graphs(m maker) map[string]*nir.Graph {
	conv := func(name string, out, in, groups int, k ...int) nir.Node {
		return nir.Node{Name: name, Kind: "Conv2d", Params: params{"weight": m.random(-0.5, 0.5, out, in/groups, k[0], k[1]), "bias": m.random(-0.1, 0.2, out), "groups": whole(float64(groups))}}
	}
	with := func(n nir.Node, name string, p nir.Param) nir.Node {
		n.Params[name] = p
		return n
	}
	pool := func(kind string, k, stride, pad nir.Param) nir.Node {
		return nir.Node{Name: "pool", Kind: kind, Params: params{"kernel_size": k, "stride": stride, "padding": pad}}
	}
	line := nir.Node{Name: "c", Kind: "Conv1d", Params: params{"weight": m.random(-0.5, 0.5, 4, 2, 3), "bias": m.random(0, 0.1, 4), "stride": vector(2), "padding": vector(1), "dilation": whole(2), "groups": whole(1)}}
	flat := nir.Node{Name: "f", Kind: "Flatten", Params: params{"start_dim": whole(0), "end_dim": whole(-1)}}
	recurrent := chain(input(5), m.affine("in", 6, 5), m.lif("n", 6), m.affine("out", 3, 6))
	recurrent.Nodes = append(recurrent.Nodes, m.affine("w", 6, 6))
	recurrent.Edges = append(recurrent.Edges, nir.Edge{From: "n", To: "w"}, nir.Edge{From: "w", To: "n"})
	branch := chain(input(4), m.affine("a", 3, 4), m.lif("s", 3), m.affine("b", 2, 3))
	branch.Nodes = append(branch.Nodes, m.affine("side", 2, 4))
	branch.Edges = append(branch.Edges, nir.Edge{From: "input", To: "side"}, nir.Edge{From: "side", To: "output"})
	cuba := nir.Node{Name: "n", Kind: "CubaLIF", Params: params{
		"tau_syn": m.random(2, 4, 6), "tau_mem": m.random(3, 9, 6), "r": m.random(1, 2, 6), "w_in": m.random(1, 3, 6), "v_leak": vector(0), "v_threshold": m.random(0.2, 0.4, 6)}}
	cubaLI := nir.Node{Name: "n", Kind: "CubaLI", Params: maps.Clone(cuba.Params)}
	delete(cubaLI.Params, "v_threshold")
	li := m.lif("n", 4, 1, 1)
	li.Kind = "LI"
	delete(li.Params, "v_threshold")
	delays := nir.Node{Name: "d", Kind: "Delay", Params: params{"delay": vector(0, 0.5, 1.5, 3, 0.5, 1)}}
	return map[string]*nir.Graph{
		"leaky":    chain(input(4, 3, 2), li, flat, m.affine("a", 3, 24)),
		"synapses": chain(input(5), m.affine("in", 6, 5), cubaLI, m.affine("out", 3, 6)),
		"sum":      chain(input(3), m.affine("in", 3, 3), nir.Node{Name: "n", Kind: "I", Params: params{"r": m.random(1, 2, 3)}}),
		"scaled": chain(input(2, 3, 3), nir.Node{Name: "s", Kind: "Scale", Params: params{"scale": m.random(-1, 1, 2, 3, 3)}}, flat,
			nir.Node{Name: "z", Kind: "Scale", Params: params{"scale": m.random(-1, 1, 18)}}, m.affine("out", 3, 18)),
		"delayed": chain(input(5), m.affine("in", 6, 5), m.lif("s", 6), delays, m.affine("out", 3, 6), nir.Node{Name: "e", Kind: "Delay", Params: params{"delay": whole(1)}}),
		"strided": chain(input(2, 9, 8), with(with(conv("c", 4, 2, 1, 3, 2), "stride", whole(2, 1)), "padding", whole(1, 0)), m.lif("s", 4, 5, 7), flat, m.affine("a", 3, 140)),
		"grouped": chain(input(4, 6, 7), with(conv("c", 8, 4, 2, 2, 2), "dilation", whole(2, 1)), m.lif("s", 8, 1, 1), flat, m.affine("a", 3, 8*4*6)),
		"pooled": chain(input(3, 8, 8), pool("SumPool2d", whole(2, 2), whole(2, 2), whole(0)), m.lif("s", 1), flat, m.lif("t", 48),
			nir.Node{Name: "l", Kind: "Linear", Params: params{"weight": m.random(-1, 1, 3, 48)}}),
		"oblong mean": chain(input(3, 8, 6), pool("AvgPool2d", whole(2, 3), whole(2, 1), whole(0, 1)), flat, m.affine("a", 3, 3*4*6)),
		"square mean": chain(input(2, 5, 5), pool("AvgPool2d", whole(3), whole(2), whole(1)), flat, m.affine("a", 3, 18)),
		"line":        chain(input(2, 11), line, m.lif("s", 4, 5), flat, m.affine("a", 3, 20)),
		"recurrent":   recurrent, "branch": branch,
		"synaptic":  chain(input(5), m.affine("in", 6, 5), cuba, m.affine("out", 3, 6)),
		"threshold": chain(input(5), m.affine("in", 6, 5), nir.Node{Name: "t", Kind: "Threshold", Params: params{"threshold": m.random(0.1, 0.5, 6)}}, m.affine("out", 3, 6)),
		"if":        chain(input(5), m.affine("in", 6, 5), nir.Node{Name: "t", Kind: "IF", Params: params{"r": m.random(0.5, 1, 6), "v_threshold": m.random(0.4, 1, 6)}}, m.affine("out", 3, 6)),
	}
}

// randomInput is a signal for a graph's network and the same channels first.
func randomInput(m maker, n *network.Network, steps int) (*signal.Signal, [][]float64) {
	var in signal.Signal
	in.Reset(signal.Dense, steps, 1, n.InputShape())
	for i := range in.Data {
		if m.Float64() < 0.6 {
			in.Data[i] = tensor.Float(m.Float64())
		}
	}
	return &in, channelsFirst(&in)
}

// Each kind of node, with all its options, gives what plain loops in the file's own order give.
func TestLowerGivesWhatTheGraphSays(t *testing.T) {
	for _, r := range []neuron.Reset{neuron.Subtract, neuron.Zero} {
		m := newMaker(7)
		o := nir.Options{DT: 0.5, Reset: reset(r), Surrogate: fast}
		for name, g := range graphs(m) {
			net, report, err := g.Lower(o)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			n, err := net.Build(1)
			if err != nil {
				t.Fatal(err)
			}
			in, rows := randomInput(m, n, 20)
			out, want := run(t, n, in), reference(t, g, o, rows)
			spread := 0.0
			for i, v := range slices.Concat(want...) {
				if d := math.Abs(v - float64(out.Data[i])); d > 1e-4 {
					t.Errorf("%s, reset %v: element %d is %v, want %v", name, r, i, out.Data[i], v)
					break
				}
				spread = max(spread, math.Abs(v-want[0][i%len(want[0])]))
			}
			if spread < 0.05 || len(report) != len(g.Nodes) {
				t.Errorf("%s: outputs that differ by %v, %d nodes told of %d", name, spread, len(report), len(g.Nodes))
			}
		}
	}
}

// What is the same for all units, or for those of a channel, is an option or a channel's array.
func TestParametersPerNeuronAndChannel(t *testing.T) {
	m := newMaker(3)
	n := m.lif("s", 4, 1, 1)
	n.Params["tau"], n.Params["v_leak"] = vector(5), nir.Param{Shape: []int{4, 3, 3}, Data: make([]float64, 36)}
	n.Params["v_threshold"] = m.random(0.3, 0.9, 4, 3, 3)
	net, _, err := chain(input(4, 3, 3), n).Lower(nir.Options{DT: 1, Reset: reset(neuron.Subtract), Surrogate: fast})
	if err != nil {
		t.Fatal(err)
	}
	got := net.Nodes[0].Layer.(layer.Spiking).Varied
	if len(got) != 2 || got["gain"] != layer.PerChannel || got["threshold"] != layer.PerUnit {
		t.Errorf("varied %v, want gain by channel and threshold by unit", got)
	}
	if b := net.Nodes[0].Layer.(layer.Spiking).Neuron.(neuron.LIF).Beta; math.Abs(b-math.Exp(-0.2)) > 1e-12 {
		t.Errorf("beta %v", b)
	}
}

// Options that the nodes need are asked for, all at once; nodes that need none get by without.
func TestLowerAsksForWhatTheFileDoesNotSay(t *testing.T) {
	m := newMaker(1)
	_, _, err := chain(input(3), m.lif("s", 3)).Lower(nir.Options{})
	for _, want := range []string{"DT", "Reset", "Surrogate", `node "s"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, _, err := chain(input(3), m.affine("a", 2, 3)).Lower(nir.Options{}); err != nil {
		t.Error(err)
	}
}

// What a file leaves open is listed for each node.
func TestLowerListsWhatWasLost(t *testing.T) {
	g := graphs(newMaker(2))["recurrent"]
	g.Nodes[2].Notes = []string{"metadata"}
	_, report, err := g.Lower(nir.Options{DT: 0.5, Reset: reset(neuron.Zero), Surrogate: fast})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(report, func(l nir.Lowered) bool { return l.Node == "n" })
	for _, want := range []string{"dt: 0.5", "reset: zero", "surrogate", "the voltage starts from 0, not from v_leak", "delay: its spikes act on itself in the step after theirs", "metadata: not taken over"} {
		if !slices.Contains(report[i].Lost, want) {
			t.Errorf("%v, want %q", report[i].Lost, want)
		}
	}
}

// What cannot be lowered is an error that names the node.
func TestLowerRefuses(t *testing.T) {
	m := newMaker(4)
	cycle := chain(input(3), m.affine("a", 3, 3), m.lif("s", 3), m.affine("b", 3, 3), m.lif("u", 3))
	cycle.Edges = append(cycle.Edges, nir.Edge{From: "u", To: "a"})
	self := chain(input(3), m.lif("s", 3))
	self.Edges = append(self.Edges, nir.Edge{From: "s", To: "s"})
	flat := nir.Node{Name: "f", Kind: "Flatten"}
	deaf := graphs(m)["recurrent"]
	deaf.Edges = append(deaf.Edges, nir.Edge{From: "in", To: "out2"})
	deaf.Nodes = append(deaf.Nodes, m.affine("out2", 3, 6))
	deaf.Edges = append(deaf.Edges, nir.Edge{From: "out2", To: "output"})
	twice := chain(input(3), m.lif("s", 3))
	twice.Edges = append(twice.Edges, twice.Edges[0])
	for want, g := range map[string]*nir.Graph{
		"a, s, b, u, output are on cycles":    cycle,
		"s, output are on cycles":             self,
		`node "x" (Mystery): the kind is not`: chain(input(3), nir.Node{Name: "x", Kind: "Mystery"}),
		`weight of shape [2 4]`:               chain(input(3), m.affine("a", 2, 4)),
		"order is another here":               chain(input(2, 3, 3), flat),
		`node "s" (LIF): r of shape [2]`:      chain(input(3), m.lif("s", 2)),
		"v_threshold of shape [3 2], want":    chain(input(2, 3), nir.Node{Name: "s", Kind: "IF", Params: params{"r": whole(1), "v_threshold": m.random(0.2, 0.6, 3, 2)}}),
		"its bias has no place":               deaf,
		"stands there twice":                  twice,
		"nothing goes to it":                  {Nodes: []nir.Node{{Name: "output", Kind: "Output"}}},
		"threshold is -1":                     chain(input(1), nir.Node{Name: "s", Kind: "IF", Params: params{"r": vector(1), "v_threshold": vector(-1)}}),
		"a whole number of steps":             chain(input(1), nir.Node{Name: "d", Kind: "Delay", Params: params{"delay": vector(0.7)}}),
		"longer than the time constant":       chain(input(1), nir.Node{Name: "s", Kind: "LIF", Params: params{"tau": vector(0.4), "v_threshold": vector(1)}}),
	} {
		o := nir.Options{DT: 0.5, Reset: reset(neuron.Subtract), Surrogate: fast, Method: nir.Euler}
		if _, _, err := g.Lower(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// object is a graph as the tree of a file; nodes with a slash in their names stand in subgraphs.
func object(g *nir.Graph) *hdf5.Object {
	nodes := &hdf5.Object{Name: "nodes"}
	for _, n := range g.Nodes {
		o := &hdf5.Object{Name: n.Name, Children: []*hdf5.Object{{Name: "type", Array: hdf5.Text(n.Kind)}}}
		for name, p := range n.Params {
			a := hdf5.F64(p.Data, p.Shape...)
			if p.Data == nil {
				a = hdf5.Text(p.Text)
			}
			o.Children = append(o.Children, &hdf5.Object{Name: name, Array: a})
		}
		nodes.Children = append(nodes.Children, o)
	}
	var edges []string
	for _, e := range g.Edges {
		edges = append(edges, e.From, e.To)
	}
	return &hdf5.Object{Name: "node", Children: []*hdf5.Object{
		{Name: "type", Array: hdf5.Text("NIRGraph")}, {Name: "edges", Array: hdf5.Strings(edges, len(g.Edges), 2)}, nodes,
	}}
}

// A subgraph is its nodes: what goes to it goes to what its Input goes to.
func TestSubgraphsAreDissolved(t *testing.T) {
	m := newMaker(5)
	inner, outer := chain(input(3), m.affine("a", 4, 3), m.lif("s", 4)), chain(input(3), nir.Node{Name: "sub"}, m.affine("b", 2, 4))
	inner.Nodes = append(inner.Nodes, m.affine("w", 4, 4)) // as snnTorch writes a recurrent neuron
	inner.Edges = append(inner.Edges, nir.Edge{From: "s", To: "w"}, nir.Edge{From: "w", To: "s"})
	top := object(outer)
	sub := object(inner)
	sub.Name = "sub"
	for i, c := range top.Child("nodes").Children {
		if c.Name == "sub" {
			top.Child("nodes").Children[i] = sub
		}
	}
	var b bytes.Buffer
	if err := hdf5.Write(&b, &hdf5.Object{Children: []*hdf5.Object{top, {Name: "version", Array: hdf5.Text("0.2.0")}}}); err != nil {
		t.Fatal(err)
	}
	f, err := hdf5.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), hdf5.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := nir.Decode(f.Root)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Nodes) != 6 || len(g.Edges) != 6 || g.Version != "0.2.0" {
		t.Errorf("%d nodes, %v", len(g.Nodes), g.Edges)
	}
	net, report, err := g.Lower(nir.Options{DT: 1, Reset: reset(neuron.Subtract), Surrogate: fast})
	if err != nil {
		t.Fatal(err)
	}
	if len(net.Nodes) != 3 || net.Nodes[1].Name != "sub_s" || report[0].Node != "input" {
		t.Errorf("%v, %v", net.Nodes, report)
	}
	if _, ok := net.Nodes[1].Layer.(layer.Recurrent); !ok {
		t.Errorf("%T, want a recurrent layer", net.Nodes[1].Layer)
	}
}

func TestDecodeRefuses(t *testing.T) {
	m := newMaker(6)
	two := chain(input(3), m.lif("s", 3))
	two.Edges = append(two.Edges, nir.Edge{From: "s", To: "nobody"})
	single := &hdf5.Object{Name: "node", Children: []*hdf5.Object{{Name: "type", Array: hdf5.Text("LIF")}}}
	for want, root := range map[string]*hdf5.Object{
		"no NIR graph":         {},
		"single LIF":           {Children: []*hdf5.Object{single}},
		`edge from "s" to "no`: {Children: []*hdf5.Object{object(two)}},
		"without a group":      {Children: []*hdf5.Object{{Name: "node", Children: []*hdf5.Object{{Name: "type", Array: hdf5.Text("NIRGraph")}, {Name: "edges", Array: hdf5.Strings(nil, 0, 2)}}}}},
	} {
		if _, err := nir.Decode(root); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
