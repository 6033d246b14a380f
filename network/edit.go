package network

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"synfire/internal/suggest"
	"synfire/tensor"
)

// Editor changes a copy of a graph, whose arrays it shares. What is connected
// stays connected: names that change are changed where they are used, by nodes and
// outputs alike. Whether the layers fit each other Build says.
type Editor struct{ g Graph }

// Edit starts from a graph. Names, inputs and outputs that were left out are
// filled in.
func Edit(g Graph) *Editor {
	g = g.clone()
	g.Nodes = named(g.Nodes)
	before := Input
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		if len(nd.Inputs) == 0 {
			nd.Inputs = []string{Previous}
		}
		for k, in := range nd.Inputs {
			if in == Previous {
				nd.Inputs[k] = before
			}
		}
		before = nd.Name
	}
	if len(g.Outputs) == 0 && len(g.Nodes) > 0 {
		g.Outputs = []Output{{Name: DefaultOutput, Node: before}}
	}
	return &Editor{g}
}

// Graph is the graph as it stands.
func (e *Editor) Graph() Graph { return e.g.clone() }

// Node is the node of a name.
func (e *Editor) Node(name string) (GraphNode, error) {
	i, err := e.index(name)
	if err != nil {
		return GraphNode{}, err
	}
	return e.g.clone().Nodes[i], nil
}

func (e *Editor) index(name string) (int, error) {
	var names []string
	for i, nd := range e.g.Nodes {
		if nd.Name == name {
			return i, nil
		}
		names = append(names, nd.Name)
	}
	return 0, fmt.Errorf("the graph has no node %q; %s", name, suggest.Names("nodes", name, names))
}

// Consumers are the nodes that take a node's output, or the network's Input, and
// the outputs that read it, by name and in their order.
func (e *Editor) Consumers(name string) (nodes, outputs []string) {
	for _, nd := range e.g.Nodes {
		if slices.Contains(nd.Inputs, name) {
			nodes = append(nodes, nd.Name)
		}
	}
	for _, o := range e.g.Outputs {
		if o.Node == name {
			outputs = append(outputs, o.Name)
		}
	}
	return nodes, outputs
}

// Replace puts a node in the place of another. Without a name it takes the other's,
// without inputs the other's inputs.
func (e *Editor) Replace(name string, nd GraphNode) error {
	i, err := e.index(name)
	if err != nil {
		return fmt.Errorf("network.Replace: %w", err)
	}
	if nd.Name == "" {
		nd.Name = name
	}
	if err := e.free(nd.Name); err != nil && nd.Name != name {
		return fmt.Errorf("network.Replace: %w", err)
	}
	if len(nd.Inputs) == 0 {
		nd.Inputs = e.g.Nodes[i].Inputs
	}
	e.g.Nodes[i] = nd
	e.redirect(name, nd.Name)
	return nil
}

// Remove takes out a node of one input: those that took its output take that.
func (e *Editor) Remove(name string) error {
	i, err := e.index(name)
	if err != nil {
		return fmt.Errorf("network.Remove: %w", err)
	}
	in := e.g.Nodes[i].Inputs
	if len(in) != 1 {
		return fmt.Errorf("network.Remove: node %q has %d inputs; replace it by a node of one", name, len(in))
	}
	if _, outputs := e.Consumers(name); in[0] == Input && len(outputs) > 0 {
		return fmt.Errorf("network.Remove: node %q is output %q, and its input the network's; give the output another node first", name, outputs[0])
	}
	from := in[0]
	e.g.Nodes = slices.Delete(e.g.Nodes, i, i+1)
	e.redirect(name, from)
	return nil
}

// InsertAfter puts a node behind another, or behind the network's Input: it takes
// that one's output, and what took it before takes the new node's.
func (e *Editor) InsertAfter(name string, nd GraphNode) error {
	i := -1
	if name != Input {
		var err error
		if i, err = e.index(name); err != nil {
			return fmt.Errorf("network.InsertAfter: %w", err)
		}
	}
	if err := e.free(nd.Name); err != nil {
		return fmt.Errorf("network.InsertAfter: %w", err)
	}
	e.redirect(name, nd.Name)
	nd.Inputs = []string{name}
	e.g.Nodes = slices.Insert(e.g.Nodes, i+1, nd)
	return nil
}

// InsertBefore puts a node between another, of one input, and that input. What
// else takes the input goes on to.
func (e *Editor) InsertBefore(name string, nd GraphNode) error {
	i, err := e.index(name)
	if err == nil {
		err = e.free(nd.Name)
	}
	if err != nil {
		return fmt.Errorf("network.InsertBefore: %w", err)
	}
	if n := len(e.g.Nodes[i].Inputs); n != 1 {
		return fmt.Errorf("network.InsertBefore: node %q has %d inputs; insert behind the one that is meant", name, n)
	}
	nd.Inputs = e.g.Nodes[i].Inputs
	e.g.Nodes[i].Inputs = []string{nd.Name}
	e.g.Nodes = slices.Insert(e.g.Nodes, i, nd)
	return nil
}

// Rename gives a node another name.
func (e *Editor) Rename(name, to string) error {
	i, err := e.index(name)
	if err == nil && to != name {
		err = e.free(to)
	}
	if err != nil {
		return fmt.Errorf("network.Rename: %w", err)
	}
	e.g.Nodes[i].Name = to
	e.redirect(name, to)
	return nil
}

// free returns an error unless a new node can have the name.
func (e *Editor) free(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if _, err := e.index(name); err == nil || name == Input || name == Previous {
		return fmt.Errorf("the name %q is taken; names must differ", name)
	}
	return nil
}

func checkName(name string) error {
	if name == "" {
		return errors.New("a node needs a name")
	}
	if strings.ContainsAny(name, ". ") {
		return errors.New("a name must have no dots and spaces")
	}
	return nil
}

// redirect lets all that takes a node's output take another's.
func (e *Editor) redirect(from, to string) {
	for i := range e.g.Nodes {
		for k, in := range e.g.Nodes[i].Inputs {
			if in == from {
				e.g.Nodes[i].Inputs[k] = to
			}
		}
	}
	for i, o := range e.g.Outputs {
		if o.Node == from {
			e.g.Outputs[i].Node = to
		}
	}
}

// Array is one of a node's arrays; without it there is an error.
func (nd GraphNode) Array(role string) (tensor.Tensor, error) {
	if t, ok := nd.Arrays[role]; ok {
		return t, nil
	}
	return tensor.Tensor{}, fmt.Errorf("node %q has no array %q; the graph of a built network (Network.Graph) has all", nd.Name, role)
}
