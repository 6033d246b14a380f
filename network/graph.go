package network

import (
	"maps"
	"slices"

	"synfire/encode"
	"synfire/tensor"
)

// Graph is a network as an editable value: layers with their options, how they
// are connected, their arrays, and what is read off them. It holds no closures
// and no memory of runs. Its arrays may be shared with other graphs: nobody writes
// to them, Build and Network.Graph copy.
type Graph struct {
	Input   tensor.Shape // of one sample
	Nodes   []GraphNode  // each behind those that it takes
	Outputs []Output     // none: the last node, as DefaultOutput
}

// GraphNode is a Node with its arrays, parameters and buffers alike, by the role
// that the layer gives them ("weight"). Those that are missing start as in New.
type GraphNode struct {
	Node
	Arrays map[string]tensor.Tensor
}

// DefaultOutput is the name of a network's output where nobody gave one.
const DefaultOutput = "output"

// Output is a node whose signal leaves the network, under a name. Others nodes
// may take it as well.
type Output struct {
	Name  string
	Node  string
	Read  encode.Decoder // how scores are read off its signal over time; nil: not said
	Scale float64        // factor of the scores; 0: 1
}

func (o Output) scale() float64 {
	if o.Scale == 0 {
		return 1
	}
	return o.Scale
}

// bare are the nodes without arrays.
func bare(nodes []Node) []GraphNode {
	g := make([]GraphNode, len(nodes))
	for i, nd := range nodes {
		g[i].Node = nd
	}
	return g
}

// Build validates the graph and makes the network. Arrays that are given are
// checked for their shape and copied; others get their initial values, weights
// from the seed and their names, as in New. An error names the node or output.
func (g Graph) Build(seed uint64) (*Network, error) {
	return (&Network{input: g.Input}).build("network.Build", seed, g)
}

// Outline validates the graph as Build does, but takes no memory for values, as the
// function Outline.
func (g Graph) Outline() (*Network, error) {
	return (&Network{input: g.Input, outline: true}).build("network.Outline", 0, g)
}

// Graph is the network as it stands, arrays copied; Build gives a network with
// the same bits. The nodes' names and inputs are complete. An Outline's has no
// arrays.
func (n *Network) Graph() Graph {
	g := Graph{Input: slices.Clone(n.input), Outputs: n.Outputs()}
	for i, nd := range n.nodes {
		node := GraphNode{Node: nd.Node}
		node.Inputs = slices.Clone(nd.Inputs)
		roles, values := n.roles(i), append(n.values(i), n.bufferValues(i)...)
		if len(roles) > 0 && !n.outline {
			node.Arrays = map[string]tensor.Tensor{}
			for k, role := range roles {
				node.Arrays[role] = values[k].Clone()
			}
		}
		g.Nodes = append(g.Nodes, node)
	}
	return g
}

// roles are those of the parameters and then the buffers of node i.
func (n *Network) roles(i int) (roles []string) {
	nd := n.nodes[i]
	for _, arrays := range [][]tensor.Param{n.params[nd.param0:nd.param1], n.buffers[nd.buffer0:nd.buffer1]} {
		for _, p := range arrays {
			roles = append(roles, p.Name[len(nd.Name)+1:])
		}
	}
	return roles
}

// clone has lists of its own, and shares the arrays.
func (g Graph) clone() Graph {
	g.Input, g.Nodes, g.Outputs = slices.Clone(g.Input), slices.Clone(g.Nodes), slices.Clone(g.Outputs)
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		nd.Inputs, nd.Arrays = slices.Clone(nd.Inputs), maps.Clone(nd.Arrays)
	}
	return g
}
