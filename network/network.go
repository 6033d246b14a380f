// Package network joins layers into one validated, immutable graph and runs it
// over time, forwards and backwards.
//
// A Network holds nodes and parameters. Everything else is a value that the
// caller holds: a Compiled snapshot of packed weights, a State that goes into
// a window of time and comes out advanced, an Adjoint that goes back through
// it, Grads that Backward fills. A Pass owns the working memory of one
// goroutine. Any split of a run into windows gives the same bits.
package network

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"synfire/internal/rng"
	"synfire/internal/suggest"
	"synfire/layer"
	"synfire/tensor"
)

// Names under which nodes refer to others that they need not name.
const (
	Input    = "input"    // the network's input
	Previous = "previous" // the node just before; before the first the input
)

// Node is one layer in the graph. Inputs names the nodes whose outputs it
// takes, all of which stand before it; none means Previous. Without a name it
// is called after the type of its layer and the count of such layers: conv2d1,
// spiking1, conv2d2, ….
type Node struct {
	Name   string      `yaml:"name,omitempty"` // by which others refer to it
	Layer  layer.Layer `yaml:",inline"`
	Inputs []string    `yaml:"from,omitempty,single"` // nodes before it, input or previous
}

// NodeError says which node of a graph is wrong.
type NodeError struct {
	Index int // in the order in which the nodes were given
	Name  string
	Err   error
}

// Error names the node.
func (e *NodeError) Error() string { return fmt.Sprintf("node %q: %v", e.Name, e.Err) }

// Unwrap is the cause.
func (e *NodeError) Unwrap() error { return e.Err }

// Network is a directed acyclic graph of layers. Its last node is its output.
// Structure never changes; the values of its parameters do, by the learner
// that owns them.
type Network struct {
	input  tensor.Shape
	nodes  []node
	params []tensor.Param

	buffers []tensor.Param
}

// node is a Node with all that is known once the graph is valid.
type node struct {
	Node
	in        []int // indices of the inputs; inputNode is the network's
	inShapes  []tensor.Shape
	out       tensor.Shape
	param0    int // its parameters are params[param0:param1]
	param1    int
	buffer0   int // its buffers are buffers[buffer0:buffer1]
	buffer1   int
	state     int // state variables of a sample
	stateful  bool
	learns    bool // it or a node before it has parameters
	consumers []edge
}

// edge is input k of a node.
type edge struct{ node, k int }

const inputNode = -1

// New validates the graph for samples of the given shape and draws the initial
// weights from the seed and the parameters' names. An error names the node.
func New(input tensor.Shape, seed uint64, nodes ...Node) (*Network, error) {
	n := &Network{input: input}
	if err := input.Validate(); err != nil {
		return nil, fmt.Errorf("network.New: input: %w", err)
	}
	if len(nodes) == 0 {
		return nil, fmt.Errorf("network.New: no nodes; give at least one layer")
	}
	index := map[string]int{Input: inputNode}
	for i, spec := range named(nodes) {
		index[Previous] = i - 1
		nd, err := n.resolve(i, spec, index)
		if err != nil {
			return nil, fmt.Errorf("network.New: %w", &NodeError{i, spec.Name, err})
		}
		index[spec.Name] = i
		n.nodes = append(n.nodes, nd)
		n.addParams(i, seed)
		n.addBuffers(i)
	}
	for i, nd := range n.nodes[:len(n.nodes)-1] {
		if len(nd.consumers) == 0 {
			return nil, fmt.Errorf("network.New: %w", &NodeError{i, nd.Name, errors.New("nothing uses its output; connect it or remove it")})
		}
	}
	return n, nil
}

// Chain is a node for each layer, which takes the output of the one before.
func Chain(layers ...layer.Layer) []Node {
	nodes := make([]Node, len(layers))
	for i, l := range layers {
		nodes[i].Layer = l
	}
	return nodes
}

// Sequential is the network of a Chain.
func Sequential(input tensor.Shape, seed uint64, layers ...layer.Layer) (*Network, error) {
	return New(input, seed, Chain(layers...)...)
}

// named gives names to the nodes that have none.
func named(nodes []Node) []Node {
	nodes = slices.Clone(nodes)
	count := map[string]int{}
	for i := range nodes {
		kind := typeName(nodes[i].Layer)
		count[kind]++
		if nodes[i].Name == "" {
			nodes[i].Name = fmt.Sprintf("%s%d", kind, count[kind])
		}
	}
	return nodes
}

func typeName(l layer.Layer) string {
	if l == nil {
		return "nil"
	}
	t := reflect.TypeOf(l)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return strings.ToLower(t.Name())
}

// resolve checks a node against those before it and works out its shapes.
func (n *Network) resolve(i int, spec Node, index map[string]int) (node, error) {
	nd := node{Node: spec}
	switch _, taken := index[spec.Name]; {
	case spec.Layer == nil:
		return nd, fmt.Errorf("no layer is given")
	case strings.ContainsAny(spec.Name, ". "):
		return nd, fmt.Errorf("a name must have no dots and spaces")
	case taken:
		return nd, fmt.Errorf("the name is taken; names must differ, %q is the network's input and %q the node before", Input, Previous)
	}
	inputs := spec.Inputs
	if len(inputs) == 0 {
		inputs = []string{Previous}
	}
	nd.Inputs = nil
	for _, name := range inputs {
		j, ok := index[name]
		if !ok {
			return nd, fmt.Errorf("input %q is no node before it; %s", name, suggest.Names("nodes", name, slices.Sorted(maps.Keys(index))))
		}
		nd.in, name = append(nd.in, j), Input
		if j != inputNode {
			name = n.nodes[j].Name
		}
		nd.Inputs = append(nd.Inputs, name)
	}
	for k, j := range nd.in {
		if j == inputNode {
			nd.inShapes = append(nd.inShapes, n.input)
			continue
		}
		nd.inShapes = append(nd.inShapes, n.nodes[j].out)
		nd.learns = nd.learns || n.nodes[j].learns
		n.nodes[j].consumers = append(n.nodes[j].consumers, edge{i, k})
	}
	var err error
	if nd.out, err = spec.Layer.Output(nd.inShapes...); err != nil {
		return nd, err
	}
	if s, ok := spec.Layer.(layer.Stateful); ok {
		nd.state, nd.stateful = s.StateSize(nd.inShapes...), true
	}
	return nd, nd.out.Validate()
}

// addParams draws the initial weights of node i.
func (n *Network) addParams(i int, seed uint64) {
	nd := &n.nodes[i]
	nd.param0, nd.param1 = len(n.params), len(n.params)
	w, ok := nd.Layer.(layer.Weighted)
	if !ok {
		return
	}
	for _, spec := range w.Params(nd.inShapes...) {
		p := tensor.Param{Name: nd.Name + "." + spec.Role, Value: tensor.New(spec.Shape...)}
		spec.Init(p.Value.Data, rng.New(seed, rng.Init).Str(p.Name).Source())
		n.params = append(n.params, p)
	}
	nd.param1 = len(n.params)
	nd.learns = nd.learns || nd.param1 > nd.param0
}

// InputShape is the shape of one sample.
func (n *Network) InputShape() tensor.Shape { return n.input }

// OutputShape is the shape of the last node's output for one sample.
func (n *Network) OutputShape() tensor.Shape { return n.nodes[len(n.nodes)-1].out }

// Params are the parameters in the order of the nodes. Their values are the
// network's own: an optimiser writes to them, then refreshes what it Compiled.
func (n *Network) Params() []tensor.Param { return n.params }

// Info describes a node of a valid network. Its Inputs are complete: those that
// were left out or Previous have their names.
type Info struct {
	Node
	In     []tensor.Shape
	Out    tensor.Shape
	Params []tensor.Param

	Buffers []tensor.Param
}

// Nodes describes the nodes in order.
func (n *Network) Nodes() []Info {
	infos := make([]Info, len(n.nodes))
	for i, nd := range n.nodes {
		infos[i] = Info{Node: nd.Node, In: nd.inShapes, Out: nd.out, Params: n.params[nd.param0:nd.param1], Buffers: n.buffers[nd.buffer0:nd.buffer1]}
	}
	return infos
}

// index of the node of a name.
func (n *Network) index(name string) (int, error) {
	for i, nd := range n.nodes {
		if nd.Name == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("the network has no node %q", name)
}

// Clone has the same structure, and parameters and buffers of its own: to serve
// a network while the original trains.
func (n *Network) Clone() *Network {
	c := *n
	c.params, c.buffers = cloneParams(n.params), cloneParams(n.buffers)
	return &c
}

func cloneParams(params []tensor.Param) (c []tensor.Param) {
	for _, p := range params {
		c = append(c, tensor.Param{Name: p.Name, Value: p.Value.Clone()})
	}
	return c
}

// Grads holds a gradient for each parameter, in the order of Params.
type Grads [][]tensor.Float

// NewGrads are zero gradients.
func (n *Network) NewGrads() Grads {
	g := make(Grads, len(n.params))
	for i, p := range n.params {
		g[i] = tensor.Resize(nil, len(p.Value.Data))
	}
	return g
}

// Zero clears the gradients.
func (g Grads) Zero() {
	for _, x := range g {
		clear(x)
	}
}
