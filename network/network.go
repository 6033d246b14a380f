// Package network joins layers into one validated, immutable graph and runs it
// over time, forwards and backwards.
//
// A Network holds nodes and parameters. Everything else is a value that the
// caller holds: a Compiled snapshot of packed weights, a State that goes into
// a window of time and comes out advanced, an Adjoint that goes back through
// it, Grads that Backward fills. A Pass owns the working memory of one
// goroutine. Any split of a run into windows gives the same bits.
//
// A Graph is a network as an editable value, arrays included: an Editor or a
// Transform makes another one of it, and Build a network. Nodes that leave the
// network are its named Outputs; Forward returns a signal for each, y_k[t], and
// Backward takes an error for each. Of a node with the outputs k and the consumers c,
//
//	∂y = Σ_c ∂x_c + Σ_k ∂y_k, in their orders
package network

import (
	"errors"
	"fmt"
	"maps"
	"math"
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

// Architecture is a network by its name and options.
type Architecture interface {
	Validate() error
	// Nodes are the nodes that valid options stand for, from the input to the output.
	Nodes() []Node
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

// Network is a directed acyclic graph of layers with named outputs. Structure
// never changes; the values of its parameters do, by the learner that owns them.
type Network struct {
	outline  bool // it has no values
	input    tensor.Shape
	nodes    []node
	params   []tensor.Param
	buffers  []tensor.Param
	outputs  []Output
	outNodes []int // of the outputs
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
	outputs   []int // that it is read by
}

// terminal reports whether no other node takes its output.
func (nd *node) terminal() bool { return len(nd.consumers) == 0 }

// Constrained is a layer.Layer whose parameters cannot have all values.
type Constrained interface {
	layer.Weighted
	// CheckParams returns an error for values that it cannot compute with, and one thing to try.
	CheckParams(params []tensor.Tensor) error
}

// CheckParams returns an error for a node with parameters that it cannot compute with: a learner
// asks after an update, Build of those that it is given.
func (n *Network) CheckParams() error {
	for i, nd := range n.nodes {
		if l, ok := nd.Layer.(Constrained); ok && !n.outline {
			if err := l.CheckParams(n.values(i)); err != nil {
				return &NodeError{i, nd.Name, err}
			}
		}
	}
	return nil
}

// edge is input k of a node.
type edge struct{ node, k int }

const inputNode = -1

// New validates the graph for samples of the given shape and draws the initial
// weights from the seed and the parameters' names. The last node is the one
// output, named DefaultOutput; a Graph can have others. An error names the node.
func New(input tensor.Shape, seed uint64, nodes ...Node) (*Network, error) {
	return (&Network{input: input}).build("network.New", seed, Graph{Nodes: bare(nodes)})
}

// Outline validates the graph as New does, but takes no memory for values: its
// parameters have shapes and no data. It serves to tell sizes beforehand (Nodes,
// ParamCount, Memory) and cannot run.
func Outline(input tensor.Shape, nodes ...Node) (*Network, error) {
	return (&Network{input: input, outline: true}).build("network.New", 0, Graph{Nodes: bare(nodes)})
}

func (n *Network) build(op string, seed uint64, g Graph) (*Network, error) {
	if err := n.input.Validate(); err != nil {
		return nil, fmt.Errorf("%s: input: %w", op, err)
	}
	if len(g.Nodes) == 0 {
		return nil, fmt.Errorf("%s: no nodes; give at least one layer", op)
	}
	nodes, index := named(g.Nodes), map[string]int{Input: inputNode}
	for i, spec := range nodes {
		index[Previous] = i - 1
		nd, err := n.resolve(i, nodes, index)
		if err == nil {
			index[spec.Name] = i
			n.nodes = append(n.nodes, nd)
			err = n.addArrays(i, seed, spec.Arrays)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op, &NodeError{i, spec.Name, err})
		}
	}
	if err := errors.Join(n.addOutputs(g.Outputs), n.CheckParams()); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	for i, nd := range n.nodes {
		if nd.terminal() && len(nd.outputs) == 0 {
			return nil, fmt.Errorf("%s: %w", op, &NodeError{i, nd.Name, errors.New("nothing uses its output; connect it or remove it, or make it an output")})
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
func named(nodes []GraphNode) []GraphNode {
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
func (n *Network) resolve(i int, nodes []GraphNode, index map[string]int) (node, error) {
	spec := nodes[i].Node
	nd := node{Node: spec}
	switch _, taken := index[spec.Name]; {
	case spec.Layer == nil:
		return nd, fmt.Errorf("no layer is given")
	case checkName(spec.Name) != nil:
		return nd, checkName(spec.Name)
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
		if !ok && slices.ContainsFunc(nodes[i:], func(o GraphNode) bool { return o.Name == name }) {
			return nd, fmt.Errorf("input %q is no node before it: a graph has no cycles, and each node stands behind those that it takes; move %q forward, or put the loop into one layer such as recurrent", name, name)
		}
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
	if err := nd.out.Validate(); err != nil {
		return nd, err
	}
	if nd.out.Size() > maxUnits {
		return nd, fmt.Errorf("its output has %d elements a sample, more than a machine holds; make the layer smaller", nd.out.Size())
	}
	return nd, nil
}

// maxUnits bounds the output of a node, so that sizes of memory do not overflow.
const maxUnits = 1 << 40

// addArrays gives node i its parameters and buffers: copies of those given by
// role, initial values (of parameters from the seed and their names) for others.
func (n *Network) addArrays(i int, seed uint64, given map[string]tensor.Tensor) error {
	nd := &n.nodes[i]
	var roles []string
	add := func(specs []layer.ParamSpec, to []tensor.Param, src func(name string) *rng.Source) ([]tensor.Param, error) {
		for _, spec := range specs {
			if slices.Contains(roles, spec.Role) {
				return to, fmt.Errorf("two of its arrays are called %q", spec.Role)
			}
			roles = append(roles, spec.Role)
			p := tensor.Param{Name: nd.Name + "." + spec.Role, Value: tensor.Tensor{Shape: spec.Shape}}
			v, ok := given[spec.Role]
			if ok && (!v.Shape.Equal(spec.Shape) || len(v.Data) != spec.Shape.Size()) {
				return to, fmt.Errorf("array %q has shape %v and %d elements, the layer's is %v; give one of that shape, or none for initial values", spec.Role, v.Shape, len(v.Data), spec.Shape)
			}
			switch {
			case n.outline:
			case ok:
				p.Value = tensor.New(spec.Shape...)
				copy(p.Value.Data, v.Data)
			default:
				p.Value = tensor.New(spec.Shape...)
				spec.Init(p.Value.Data, src(p.Name))
			}
			to = append(to, p)
		}
		return to, nil
	}
	nd.param0, nd.buffer0 = len(n.params), len(n.buffers)
	var err error
	if w, ok := nd.Layer.(layer.Weighted); ok {
		n.params, err = add(w.Params(nd.inShapes...), n.params, func(name string) *rng.Source {
			return rng.New(seed, rng.Init).Str(name).Source()
		})
	}
	if b, ok := nd.Layer.(layer.Buffered); ok && err == nil {
		n.buffers, err = add(b.Buffers(nd.inShapes...), n.buffers, func(string) *rng.Source { return nil })
	}
	nd.param1, nd.buffer1 = len(n.params), len(n.buffers)
	nd.learns = nd.learns || nd.param1 > nd.param0
	for _, role := range slices.Sorted(maps.Keys(given)) {
		if err == nil && !slices.Contains(roles, role) {
			err = fmt.Errorf("its layer has no array %q; %s", role, suggest.Names("arrays", role, roles))
		}
	}
	return err
}

// addOutputs resolves the outputs, by default the last node.
func (n *Network) addOutputs(outputs []Output) error {
	if len(outputs) == 0 {
		outputs = []Output{{Name: DefaultOutput, Node: n.nodes[len(n.nodes)-1].Name}}
	}
	for k, o := range outputs {
		i, err := n.index(o.Node)
		switch {
		case o.Name == "":
			return fmt.Errorf("output %d has no name; call it %q, or after what it tells", k, DefaultOutput)
		case slices.ContainsFunc(n.outputs, func(other Output) bool { return other.Name == o.Name }):
			return fmt.Errorf("two outputs are called %q; names must differ", o.Name)
		case err != nil:
			return fmt.Errorf("output %q: %w", o.Name, err)
		case !(o.Scale >= 0) || math.IsInf(o.Scale, 0):
			return fmt.Errorf("output %q: scale is %v, want a positive factor of its scores, or 0 for 1", o.Name, o.Scale)
		}
		if particular, ok := o.Read.(interface{ Fits(tensor.Shape) error }); ok {
			if err := particular.Fits(n.nodes[i].out); err != nil {
				return fmt.Errorf("output %q: %w", o.Name, err)
			}
		}
		n.outputs, n.outNodes = append(n.outputs, o), append(n.outNodes, i)
		n.nodes[i].outputs = append(n.nodes[i].outputs, k)
	}
	return nil
}

// InputShape is the shape of one sample.
func (n *Network) InputShape() tensor.Shape { return n.input }

// Outputs are the network's outputs, in the order in which Forward returns them.
func (n *Network) Outputs() []Output { return slices.Clone(n.outputs) }

// OutputShapes are the shapes of the outputs for one sample, in their order.
func (n *Network) OutputShapes() (shapes []tensor.Shape) {
	for _, i := range n.outNodes {
		shapes = append(shapes, n.nodes[i].out)
	}
	return shapes
}

// OutputShape is the shape of the first output for one sample.
func (n *Network) OutputShape() tensor.Shape { return n.nodes[n.outNodes[0]].out }

// output is the index of the output of a name, the first for none.
func (n *Network) output(name string) (int, error) {
	if name == "" {
		return 0, nil
	}
	var names []string
	for k, o := range n.outputs {
		if o.Name == name {
			return k, nil
		}
		names = append(names, o.Name)
	}
	return 0, fmt.Errorf("the network has no output %q; %s", name, suggest.Names("outputs", name, names))
}

// Params are the parameters in the order of the nodes. Their values are the
// network's own: an optimiser writes to them, then refreshes what it Compiled.
func (n *Network) Params() []tensor.Param { return n.params }

// ParamCount is the number of parameters; math.MaxInt64 where it overflows.
func (n *Network) ParamCount() int64 {
	total := int64(0)
	for _, p := range n.params {
		size := int64(1)
		for _, d := range p.Value.Shape {
			if size > math.MaxInt64/int64(d) {
				return math.MaxInt64
			}
			size *= int64(d)
		}
		if total > math.MaxInt64-size {
			return math.MaxInt64
		}
		total += size
	}
	return total
}

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
	var names []string
	for _, nd := range n.nodes {
		names = append(names, nd.Name)
	}
	return 0, fmt.Errorf("the network has no node %q; %s", name, suggest.Names("nodes", name, names))
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
