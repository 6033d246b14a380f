// Package ttfs maps ordinary networks of rectified units exactly onto neurons that fire once,
// whose activation is the time of the spike before the end of the layer's window (time to first
// spike): a = t_max − t. The form is the B1 model's of Stanojevic et al., "An exact mapping from
// ReLU networks to spiking neural networks", Neural Networks 168, 2023, with the slope 1:
//
//	t_min = t_max of the layer before, t_max = t_min + X; input x in [0, 1] spikes at 1 − x
//	before t_min  each spike at t_j adds a current w_ij, which ends at t_min:
//	              V_i(t_min) = Σ_j w_ij·(t_min − t_j) = Σ_j w_ij·a_j
//	from t_min    dV_i/dt = 1, threshold ϑ_i = X − b_i: a spike at t_i = t_min + ϑ_i − V_i(t_min)
//	              where that is before t_max, else none
//
// so that a_i = max(0, Σ w·a + b). The last layer's membranes at its t_min are the scores. A
// window X must hold the largest activation: it is Margin times that of training samples, or
// the units' own maximum. What comes before t_min overflows: it is clipped to t_min, counted and
// told. On a grid of steps dt spikes are late by up to dt, and windows whole numbers of steps; units
// with a maximum do not use what a window has over it.
//
// A layer's currents are added from the spikes alone: neurons without one cost nothing.
package ttfs

import (
	"context"
	"errors"
	"fmt"
	"math"

	"synfire/convert"
	"synfire/layer"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// Options of a mapping.
type Options struct {
	Margin float64 // windows over the largest activations; 0: 1.5
}

// Network is an ordinary network as neurons that fire once.
type Network struct {
	Report network.Report
	Layers []Layer // those that fire
	input  tensor.Shape
	stages []*stage // each gives the input of a layer, the last one the scores
}

// Layer is neurons that fire once.
type Layer struct {
	Name    string
	Window  float64 // X
	Largest float64 // activation on the samples of the calibration
	Units   int
	bounded bool // the units have a maximum, which the window is: nothing overflows
}

// stage is what a layer's neurons receive of the spikes before.
type stage struct {
	compiled *network.Compiled
	pass     *network.Pass
}

// New maps a network, whose windows are set by the activations over the inputs of c, training
// samples. It refuses by name what has no exact counterpart.
func New(ctx context.Context, g network.Graph, c network.Calibration, o Options) (*Network, error) {
	n, err := newNetwork(ctx, g, c, o)
	if err != nil {
		return nil, fmt.Errorf("convert to ttfs: %w", err)
	}
	return n, nil
}

func newNetwork(ctx context.Context, g network.Graph, c network.Calibration, o Options) (*Network, error) {
	if o.Margin == 0 {
		o.Margin = 1.5
	}
	switch {
	case !(o.Margin >= 1) || math.IsInf(o.Margin, 0):
		return nil, fmt.Errorf("margin is %v, want 1 or more, such as 1.5", o.Margin)
	case c == nil:
		return nil, errors.New("no samples to set windows by; give some of the training samples")
	case len(g.Outputs) > 1:
		return nil, fmt.Errorf("the network has %d outputs, want one; leave the others out", len(g.Outputs))
	}
	g, r, err := convert.Apply(ctx, g, c, convert.Check{Aligned: true, Pooled: true}, convert.Fold{})
	if err != nil {
		return nil, err
	}
	n := &Network{Report: r, input: g.Input}
	var nodes []network.GraphNode
	for i, nd := range g.Nodes {
		if err := chained(g, i); err != nil {
			return nil, &network.NodeError{Index: i, Name: nd.Name, Err: err}
		}
		unit, ok := nd.Layer.(layer.ReLU)
		if !ok {
			nodes = append(nodes, nd)
			continue
		}
		if len(nodes) == 0 {
			return nil, &network.NodeError{Index: i, Name: nd.Name, Err: errors.New("has no weights between it and the units or the input before; leave it out")}
		}
		if err := n.stage(nodes); err != nil {
			return nil, err
		}
		n.Layers = append(n.Layers, Layer{Name: nd.Name, Window: unit.Max, bounded: unit.Max > 0})
		nodes = nil
	}
	if err := n.stage(nodes); err != nil {
		return nil, err
	}
	return n, n.windows(c, o.Margin)
}

// chained is why a node does not stand in a chain of what can be mapped.
func chained(g network.Graph, i int) error {
	before := network.Input
	if i > 0 {
		before = g.Nodes[i-1].Name
	}
	nd := g.Nodes[i]
	if len(nd.Inputs) > 0 && (len(nd.Inputs) != 1 || nd.Inputs[0] != before && nd.Inputs[0] != network.Previous) {
		return fmt.Errorf("takes %v, and windows of time follow one another: branches are not mapped; use a method of rates, such as percentile", nd.Inputs)
	}
	switch nd.Layer.(type) {
	case layer.ReLU, layer.Linear, layer.Conv2D, layer.AvgPool, layer.GlobalAvgPool, layer.Flatten:
	case layer.MaxPool:
		sums := false // of spikes, since a layer has fired
		for _, nd := range g.Nodes[:i] {
			switch nd.Layer.(type) {
			case layer.ReLU:
				sums = false
			case layer.Flatten, layer.MaxPool:
			default:
				sums = true
			}
		}
		if sums {
			return errors.New("is max pooling of what has not fired yet; put it right behind a relu, where the first spike of a window passes")
		}
	default:
		return fmt.Errorf("is a %T, which has no counterpart in single spikes; use linear, conv2d, relu, avg-pool, and max-pool behind relu", nd.Layer)
	}
	return nil
}

// stage adds the nodes between two layers of units.
func (n *Network) stage(nodes []network.GraphNode) error {
	shape := n.input
	if k := len(n.stages); k > 0 {
		shape = n.stages[k-1].compiled.Network().OutputShapes()[0]
	}
	if len(nodes) == 0 {
		return errors.New("the network ends in units; end it in a linear layer")
	}
	g := network.Graph{Input: shape}
	for _, nd := range nodes {
		nd.Inputs = nil
		g.Nodes = append(g.Nodes, nd)
	}
	net, err := g.Build(0)
	if err != nil {
		return err
	}
	packed := net.Compile(nil, false)
	n.stages = append(n.stages, &stage{packed, packed.NewPass(network.Options{})})
	return nil
}

// receive is V + b at t_min, for the activations before.
func (s *stage) receive(a *signal.Signal) (*signal.Signal, error) {
	net := s.compiled.Network()
	outs, err := s.pass.Forward(net.NewState(a.B), a, false)
	if err != nil {
		return nil, err
	}
	return outs[0], nil
}

// windows sets those of layers whose units have no maximum.
func (n *Network) windows(c network.Calibration, margin float64) error {
	seen := false
	for in, err := range c {
		if err != nil {
			return err
		}
		seen = true
		a := in
		for k := range n.Layers {
			u, err := n.stages[k].receive(a)
			if err != nil {
				return err
			}
			l := &n.Layers[k]
			l.Units = u.Units()
			a = &signal.Signal{Kind: signal.Constant, T: 1, B: u.B, Shape: u.Shape, Data: make([]tensor.Float, len(u.Data))}
			for i, v := range u.Data {
				if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("node %q: an activation is %v; are the weights and the samples finite?", l.Name, v)
				}
				if a.Data[i] = max(0, v); l.bounded {
					a.Data[i] = min(a.Data[i], tensor.Float(l.Window))
				}
				l.Largest = max(l.Largest, float64(a.Data[i]))
			}
		}
	}
	if !seen {
		return errors.New("there are no samples to set windows by")
	}
	for k := range n.Layers {
		l := &n.Layers[k]
		if !l.bounded {
			l.Window = margin * l.Largest
		}
		if l.Largest == 0 {
			return fmt.Errorf("node %q: none of its units is ever active, and no window can be set; is the network trained, and are the samples those of training?", l.Name)
		}
		n.Report.Add(l.Name, network.Changed, "became neurons that fire once, in a window of %.4g for activations up to %.4g", l.Window, l.Largest)
	}
	return nil
}
