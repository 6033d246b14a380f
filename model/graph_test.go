package model_test

import (
	"reflect"
	"testing"

	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/rule/bptt"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

// nodesOfKinds are small networks around the example of each kind of layer, neuron
// and surrogate.
func nodesOfKinds(t testing.TB, table model.Table) map[string][]network.Node {
	nodes := map[string][]network.Node{}
	spiking := table.Layers["spiking"].Example.(layer.Spiking)
	conv := layerOf(t, "{kind: conv2d, out: 3, kernel: 3, padding: 1}")
	for name, k := range table.Layers {
		l := k.Example.(layer.Layer)
		switch name {
		case "linear", "recurrent", "vote":
			nodes[name] = network.Chain(layer.Flatten{}, l, spiking)
		case "add", "concat":
			nodes[name] = []network.Node{{Name: "a", Layer: conv}, {Name: "b", Layer: spiking}, {Name: "join", Layer: l, Inputs: []string{"a", "b"}}}
		default:
			nodes[name] = network.Chain(conv, l, conv2(name))
		}
	}
	for name, k := range table.Neurons {
		nodes[name] = network.Chain(conv, layer.Spiking{Neuron: k.Example.(neuron.Neuron), Surrogate: spiking.Surrogate})
	}
	for name, k := range table.Surrogates {
		nodes[name] = network.Chain(conv, spikingWith(k.Example.(surrogate.Surrogate)))
	}
	return nodes
}

// A network of each kind is built again from its graph with the same bits, and from
// a graph whose layers went through YAML: it holds kinds and arrays, nothing else.
func TestGraphOfAllKinds(t *testing.T) {
	table := model.Default()
	for name, nodes := range nodesOfKinds(t, table) {
		t.Run(name, func(t *testing.T) {
			net, err := network.New(tensor.Shape{6, 6, 2}, 1, nodes...)
			if err != nil {
				t.Fatal(err)
			}
			for _, arrays := range [][]tensor.Param{net.Params(), net.Buffers()} {
				for _, p := range arrays {
					for k := range p.Value.Data {
						p.Value.Data[k] += tensor.Float(k%7) / 16 // no initial values
					}
				}
			}
			in := snntest.Random(signal.Constant, 4, 2, net.InputShape(), 0, 1)
			want, g := snntest.Run(t, net, in, network.Options{}), net.Graph()
			for _, written := range []bool{false, true} {
				if written {
					g.Nodes = throughYAML(t, g.Nodes)
				}
				again, err := g.Build(2)
				if err != nil {
					t.Fatal(err)
				}
				snntest.Equal(t, "built again", want, snntest.Run(t, again, in, network.Options{}))
				if !reflect.DeepEqual(again.Graph(), net.Graph()) {
					t.Error("the graph of the network built again is another")
				}
			}
		})
	}
}

// throughYAML writes the layers and reads them again; arrays stay.
func throughYAML(t *testing.T, nodes []network.GraphNode) []network.GraphNode {
	t.Helper()
	table, c, r := kinds(), model.NewConfig(), bptt.NewRule()
	c.Data, c.Steps = model.Data{Name: "mnist"}, 4
	for _, nd := range nodes {
		r.Layers = append(r.Layers, nd.Node)
	}
	c.Rule = r
	src, err := table.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = table.Decode("graph.yaml", src); err != nil {
		t.Fatalf("%v in\n%s", err, src)
	}
	var again []network.GraphNode
	for i, nd := range rule(t, c).Layers {
		again = append(again, network.GraphNode{Node: nd, Arrays: nodes[i].Arrays})
	}
	return again
}
