package nir

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"synfire/format/hdf5"
)

// Graph is a NIR graph as its file has it: subgraphs are dissolved, the nodes of one called
// sub are named sub/node.
type Graph struct {
	Version string // of the NIR package that wrote the file
	Nodes   []Node // in the order of the file
	Edges   []Edge
}

// Node is a primitive of the graph.
type Node struct {
	Name   string
	Kind   string // LIF, Affine, Conv2d, …
	Params map[string]Param
	Notes  []string // what stands beside the parameters and is not understood
}

// Param is a parameter: numbers, row-major in the order of NIR's axes, or a text.
type Param struct {
	Shape []int // empty: a scalar
	Data  []float64
	Text  string // of a string; Data is nil
}

// Edge goes from one node to another. What arrives at a node is the sum of all edges to it.
type Edge struct{ From, To string }

// maxNodes and maxEdges bound a graph.
const (
	maxNodes = 100_000
	maxEdges = 1_000_000
)

// Read reads a NIR file, as nir.write of the NIR package makes it.
func Read(path string) (*Graph, error) {
	f, err := hdf5.OpenFile(path, hdf5.Limits{})
	if err != nil {
		return nil, fmt.Errorf("nir: %w", err)
	}
	defer f.Close()
	g, err := Decode(f.Root)
	if err != nil {
		return nil, fmt.Errorf("nir: %s: %w", path, err)
	}
	return g, nil
}

// Decode takes the tree of a NIR file apart.
func Decode(root *hdf5.Object) (*Graph, error) {
	top := root.Child("node")
	if top == nil {
		return nil, errors.New("no group \"node\": an HDF5 file, but no NIR graph; write it with nir.write")
	}
	n, sub, err := decodeNode("", top)
	if err != nil {
		return nil, err
	}
	if sub == nil {
		return nil, fmt.Errorf("its node is a single %s, want a NIRGraph; write a graph with an Input and an Output", n.Kind)
	}
	if v := root.Child("version"); v != nil && v.Array != nil {
		if sub.Version, err = v.Array.Text(); err != nil {
			return nil, fmt.Errorf("version: %w", err)
		}
	}
	return sub, sub.check()
}

// check is an error for names that do not fit each other.
func (g *Graph) check() error {
	if len(g.Nodes) > maxNodes || len(g.Edges) > maxEdges {
		return fmt.Errorf("%d nodes and %d edges, at most %d and %d are permitted", len(g.Nodes), len(g.Edges), maxNodes, maxEdges)
	}
	known := map[string]bool{}
	for _, n := range g.Nodes {
		if known[n.Name] {
			return fmt.Errorf("two nodes are named %q; rename one", n.Name)
		}
		known[n.Name] = true
	}
	seen := map[Edge]bool{}
	for _, e := range g.Edges {
		switch {
		case !known[e.From] || !known[e.To]:
			return fmt.Errorf("edge from %q to %q: expected names of nodes, of which there are %d; is a node missing?", e.From, e.To, len(g.Nodes))
		case seen[e]:
			return fmt.Errorf("the edge from %q to %q stands there twice, which could mean one signal or its double; remove one", e.From, e.To)
		}
		seen[e] = true
	}
	return nil
}

// decodeNode reads a node, or the graph that it is.
func decodeNode(name string, o *hdf5.Object) (n Node, sub *Graph, err error) {
	n = Node{Name: name, Params: map[string]Param{}}
	if t := o.Child("type"); t != nil && t.Array != nil {
		n.Kind, err = t.Array.Text()
	} else {
		err = errors.New("it has no type, such as LIF")
	}
	switch {
	case err != nil:
	case n.Kind == "NIRGraph":
		sub, err = decodeGraph(name, o)
	default:
		err = n.decodeParams(o)
	}
	if err != nil && name != "" {
		err = fmt.Errorf("node %q: %w", name, err)
	}
	return n, sub, err
}

func (n *Node) decodeParams(o *hdf5.Object) error {
	for _, c := range o.Children {
		switch a := c.Array; {
		case c.Name == "type":
		case a == nil:
			n.Notes = append(n.Notes, c.Name)
		case a.Type.Class == hdf5.String:
			text, err := a.Text()
			if err != nil {
				return fmt.Errorf("%s: %w", c.Name, err)
			}
			n.Params[c.Name] = Param{Text: text}
		default:
			v, err := a.Float64s()
			if err != nil {
				return fmt.Errorf("%s: %w", c.Name, err)
			}
			n.Params[c.Name] = Param{Shape: a.Shape, Data: v}
		}
	}
	return nil
}

// decodeGraph reads the nodes and edges of a graph, and dissolves those within it.
func decodeGraph(name string, o *hdf5.Object) (*Graph, error) {
	nodes := o.Child("nodes")
	if nodes == nil || !nodes.IsGroup() {
		return nil, errors.New("a NIRGraph without a group \"nodes\"")
	}
	edges, err := decodeEdges(o.Child("edges"))
	if err != nil {
		return nil, fmt.Errorf("edges: %w", err)
	}
	prefix := ""
	if name != "" {
		prefix = name + "/"
	}
	g := &Graph{}
	for _, e := range edges {
		g.Edges = append(g.Edges, Edge{prefix + e.From, prefix + e.To})
	}
	for _, c := range nodes.Children {
		n, sub, err := decodeNode(prefix+c.Name, c)
		if err != nil {
			return nil, err
		}
		if sub == nil {
			g.Nodes = append(g.Nodes, n)
			continue
		}
		if err := g.dissolve(n.Name, sub); err != nil {
			return nil, fmt.Errorf("node %q: %w", n.Name, err)
		}
	}
	return g, nil
}

// Write writes a NIR file, which nir.read of the NIR package takes. A reader of path sees the old
// file or the new one.
func Write(path string, g *Graph) error {
	err := g.check()
	if err == nil {
		err = hdf5.WriteFile(path, g.Encode())
	}
	if err != nil {
		return fmt.Errorf("nir: write %s: %w", path, err)
	}
	return nil
}

// layout is the version of the NIR package whose layout of files is written.
const layout = "0.2.0"

// Encode is the inverse of Decode.
func (g *Graph) Encode() *hdf5.Object {
	nodes := &hdf5.Object{Name: "nodes"}
	for _, n := range g.Nodes {
		o := &hdf5.Object{Name: n.Name, Children: []*hdf5.Object{{Name: "type", Array: hdf5.Text(n.Kind)}}}
		for name, p := range n.Params {
			o.Children = append(o.Children, &hdf5.Object{Name: name, Array: p.encode(name)})
		}
		nodes.Children = append(nodes.Children, o)
	}
	var edges []string
	for _, e := range g.Edges {
		edges = append(edges, e.From, e.To)
	}
	version := g.Version
	if version == "" {
		version = layout
	}
	return &hdf5.Object{Children: []*hdf5.Object{
		{Name: "node", Children: []*hdf5.Object{
			{Name: "type", Array: hdf5.Text("NIRGraph")}, {Name: "edges", Array: hdf5.Strings(edges, len(g.Edges), 2)}, nodes,
		}},
		{Name: "version", Array: hdf5.Text(version)},
	}}
}

// counts are the parameters that are whole numbers.
var counts = []string{"shape", "input_shape", "input_type", "kernel_size", "stride", "padding", "dilation", "groups", "start_dim", "end_dim"}

// encode is a parameter as an array: whole numbers, or single precision where that keeps them.
func (p Param) encode(name string) *hdf5.Array {
	switch {
	case p.Data == nil:
		return hdf5.Text(p.Text)
	case slices.Contains(counts, name):
		v := make([]int64, len(p.Data))
		for i, x := range p.Data {
			v[i] = int64(x)
		}
		return hdf5.I64(v, p.Shape...)
	case slices.ContainsFunc(p.Data, func(x float64) bool { return float64(float32(x)) != x }):
		return hdf5.F64(p.Data, p.Shape...)
	}
	v := make([]float32, len(p.Data))
	for i, x := range p.Data {
		v[i] = float32(x)
	}
	return hdf5.F32(v, p.Shape...)
}

func decodeEdges(o *hdf5.Object) ([]Edge, error) {
	if o == nil || o.Array == nil {
		return nil, errors.New("expected a data set of pairs of names, found none")
	}
	a := o.Array
	if a.Len() == 0 {
		return nil, nil
	}
	if len(a.Shape) != 2 || a.Shape[1] != 2 {
		return nil, fmt.Errorf("expected pairs of names, found shape %v", a.Shape)
	}
	names, err := a.Strings()
	if err != nil {
		return nil, err
	}
	edges := make([]Edge, len(names)/2)
	for i := range edges {
		edges[i] = Edge{names[2*i], names[2*i+1]}
	}
	return edges, nil
}

// dissolve puts the nodes of a subgraph in its place. What went to it goes to what its Input
// went to, and what its Output got goes to what it went to.
func (g *Graph) dissolve(name string, sub *Graph) error {
	in, out, err := sub.ends()
	if err != nil {
		return err
	}
	for i, e := range g.Edges {
		if e.From == name {
			g.Edges[i].From = out
		}
		if e.To == name {
			g.Edges[i].To = in
		}
	}
	g.Edges = append(g.Edges, sub.Edges...)
	for _, n := range sub.Nodes {
		if n.Name != in && n.Name != out {
			g.Nodes = append(g.Nodes, n)
		}
	}
	g.splice(in)
	g.splice(out)
	return nil
}

// ends are the one Input and the one Output of a subgraph.
func (g *Graph) ends() (in, out string, err error) {
	var ins, outs []string
	for _, n := range g.Nodes {
		switch n.Kind {
		case "Input":
			ins = append(ins, n.Name)
		case "Output":
			outs = append(outs, n.Name)
		}
	}
	if len(ins) != 1 || len(outs) != 1 {
		return "", "", fmt.Errorf("a subgraph with the inputs [%s] and the outputs [%s]: one of each is supported; split it", strings.Join(ins, " "), strings.Join(outs, " "))
	}
	return ins[0], outs[0], nil
}

// splice joins each edge to a node with each from it, in the place of the former.
func (g *Graph) splice(name string) {
	var edges []Edge
	for _, e := range g.Edges {
		switch {
		case e.From == name:
		case e.To == name:
			for _, next := range g.Edges {
				if next.From == name {
					edges = append(edges, Edge{e.From, next.To})
				}
			}
		default:
			edges = append(edges, e)
		}
	}
	g.Edges = edges
}
