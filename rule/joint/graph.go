package joint

import (
	"errors"
	"fmt"

	"synfire/encode"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// graph is the spiking branch for samples of a setting, without its weights. Its outputs are
// the populations and then the scores.
func (r Rule) graph(s train.Setting) (network.Graph, error) {
	in, _, err := s.Encoder.Plan(s.Spec)
	if err != nil {
		return network.Graph{}, fmt.Errorf("joint: the data: %w", err)
	}
	switch s.Encoder.(type) {
	case encode.Constant, encode.Poisson:
	default:
		return network.Graph{}, fmt.Errorf("joint: encoder %T: the ordinary branch sees the mean of what the spiking one sees, which is known of constant and poisson; give one of them", s.Encoder)
	}
	g := network.Graph{Input: in}
	for _, n := range r.Layers {
		g.Nodes = append(g.Nodes, network.GraphNode{Node: n})
	}
	g = network.Edit(g).Graph() // with all names
	if len(populations(g)) == 0 {
		return g, errors.New("joint: no layer spikes: give a spiking layer, or train with rule bptt")
	}
	before, last := network.Input, len(g.Nodes)-1
	for i, nd := range g.Nodes {
		if err := fits(nd, before, i == last); err != nil {
			return g, fmt.Errorf("joint: %w", &network.NodeError{Index: i, Name: nd.Name, Err: err})
		}
		before = nd.Name
	}
	g.Outputs = nil
	for _, nd := range append(populations(g), g.Nodes[last].Name) {
		g.Outputs = append(g.Outputs, network.Output{Name: nd, Node: nd})
	}
	net, err := g.Outline()
	if err != nil {
		return g, fmt.Errorf("joint: %w", err)
	}
	if err := net.CheckSteps(s.Steps); err != nil {
		return g, fmt.Errorf("joint: %w", err)
	}
	return g, checkTargets(net.OutputShapes()[len(g.Outputs)-1], s)
}

// fits returns an error for a node that does not mean the same in both branches.
func fits(nd network.GraphNode, before string, last bool) error {
	if len(nd.Inputs) != 1 || nd.Inputs[0] != before {
		return fmt.Errorf("it takes %v: want a chain, in which each layer takes the one before; where branches join, the scales of their rates would differ", nd.Inputs)
	}
	bias := errors.New("it has a bias, which would count anew at each spike's scale; set no-bias: true")
	switch l := nd.Layer.(type) {
	case layer.Linear:
		if !l.NoBias {
			return bias
		}
		return nil
	case layer.Conv2D:
		if !l.NoBias {
			return bias
		}
	case layer.Spiking:
		if _, ok := l.Neuron.(neuron.STDB); !ok {
			return fmt.Errorf("its neuron is a %T; use stdb, whose spike takes away the threshold that rates are scaled by", l.Neuron)
		}
		if len(l.Varied) > 0 {
			return errors.New("its options differ from unit to unit, and the scale of a layer's rates is one number; leave varied out")
		}
	case layer.AvgPool, layer.Flatten, layer.Dropout:
	default:
		return fmt.Errorf("a layer %T does not do the same to rates as to activations; use linear, conv2d, avg-pool, flatten, dropout and spiking (a batch-norm would mix the statistics of the branches)", l)
	}
	if last {
		return errors.New("it is the last; want a linear layer there, whose sum over time are the scores")
	}
	return nil
}

// populations are the names of the layers of spiking neurons.
func populations(g network.Graph) (names []string) {
	for _, nd := range g.Nodes {
		if _, ok := nd.Layer.(layer.Spiking); ok {
			names = append(names, nd.Name)
		}
	}
	return names
}

// checkTargets returns an error unless the output has a unit for each class.
func checkTargets(out tensor.Shape, s train.Setting) error {
	f, err := s.Spec.Target("")
	switch {
	case err != nil:
		return fmt.Errorf("joint: %w", err)
	case f.Kind != sample.Class:
		return fmt.Errorf("joint: target %q is %v; both branches learn classes: choose data with classes, or rule bptt", f.Name, f.Kind)
	case out.Size() != len(f.Classes):
		return fmt.Errorf("joint: the last layer has %d units, and the data have %d classes; give it out: %d", out.Size(), len(f.Classes), len(f.Classes))
	}
	for i, t := range s.Tasks {
		target, err := s.Spec.Target(t.Target)
		if err == nil {
			err = t.Task.Check(out, s.Steps, target)
		}
		if err != nil {
			return fmt.Errorf("joint: task %d: %w", i+1, err)
		}
	}
	return nil
}

// setThresholds is the spiking branch at thresholds of its populations, in their order, with
// a tandem in place of each where learn asks for that.
func setThresholds(g network.Graph, theta []float64, back Backward) network.Graph {
	return replaced(g, func(i int, l layer.Spiking) layer.Layer {
		n := l.Neuron.(neuron.STDB)
		n.Threshold = theta[i]
		l.Neuron = n
		if back == Tandem {
			return tandem{Spiking: l, Theta: theta[i]}
		}
		return l
	})
}

// rectified is the ordinary branch of a spiking one: rectified units of the same names, that
// end at limits in the order of the populations, where these are not 0.
func rectified(g network.Graph, limits []float64) network.Graph {
	return replaced(g, func(i int, _ layer.Spiking) layer.Layer { return layer.ReLU{Max: limits[i]} })
}

// replaced has other layers in place of the populations.
func replaced(g network.Graph, by func(i int, l layer.Spiking) layer.Layer) network.Graph {
	e := network.Edit(g)
	for i, name := range populations(g) {
		nd, err := e.Node(name)
		if err == nil {
			nd.Layer = by(i, nd.Layer.(layer.Spiking))
			err = e.Replace(name, nd)
		}
		if err != nil {
			panic(err) // the node is there
		}
	}
	return e.Graph()
}
