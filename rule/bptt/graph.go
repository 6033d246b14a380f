package bptt

import (
	"errors"
	"fmt"

	"synfire/encode"
	"synfire/network"
	"synfire/train"
)

// GraphKind names Graph in configurations and model files.
const GraphKind = "graph"

// Graph is a network as it stands, as a conversion or an exchange leaves it: it is
// used, and not learnt from here. What is read off its outputs it says itself.
type Graph struct {
	Layers    []network.Node `yaml:"layers,required"`      // the network, from its input to its output
	Outputs   []Read         `yaml:"outputs,omitempty"`    // nodes that leave the network; empty: the last, as output
	EarlyExit Lead           `yaml:"early-exit,omitempty"` // of eval: off, certain or a lead
}

// Read names a node that leaves a network, and says how its scores are read.
type Read struct {
	Name  string         `yaml:"name,required"`   // as tasks name it
	Node  string         `yaml:"node,required"`   // of the network
	Read  encode.Decoder `yaml:"read,omitempty"`  // scores of the course over time; empty: the mean
	Scale float64        `yaml:"scale,omitempty"` // of the scores; 0: 1
}

// NewGraph is the rule of a graph, and the arrays of its model.
func NewGraph(g network.Graph) (Graph, map[string]train.Array, error) {
	net, err := g.Build(0)
	if err != nil {
		return Graph{}, nil, err
	}
	var r Graph
	for _, n := range net.Graph().Nodes {
		r.Layers = append(r.Layers, n.Node)
	}
	for _, o := range net.Outputs() {
		r.Outputs = append(r.Outputs, Read{o.Name, o.Node, o.Read, o.Scale})
	}
	return r, modelOf(net), nil
}

// Validate returns an error for a graph without layers.
func (r Graph) Validate() error {
	if len(r.Layers) == 0 {
		return errors.New("layers is 0, want at least 1")
	}
	return nil
}

// Learner always fails.
func (r Graph) Learner(train.Setting) (train.Learner, error) {
	return nil, fmt.Errorf("rule graph: a network that stands does not learn; name a rule, such as bptt with the same layers, and start it from this model with init")
}

// Predictor makes the network of a model's arrays. It is a *Predictor.
func (r Graph) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	g, err := graphOf(r.Layers, s)
	if err != nil {
		return nil, err
	}
	for _, o := range r.Outputs {
		g.Outputs = append(g.Outputs, network.Output{Name: o.Name, Node: o.Node, Read: o.Read, Scale: o.Scale})
	}
	return predictorOf(g, s, model, nil)
}
