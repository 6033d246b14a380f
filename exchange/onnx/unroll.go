package onnx

import (
	"fmt"
	"math"

	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/neuron"
	"synfire/tensor"
)

// Unroll makes an ordinary network of a spiking one that sees the same sample at each of so many
// steps: its nodes once for each step, but for those before the first neurons, with the same weights.
// Outputs are sums over the steps: counts of spikes. Raise takes what it makes.
//
// A neuron of each step is, with what BatchNorm, Add and ReLU compute,
//
//	u = β·v + x,   s = min(max((u − θ)·2^k + 1, 0), 1)
//	v = u − θ·s,   with reset zero v = min(u, θ⁻) − θ⁻·s,   without reset v = u
//
// θ⁻ is the next number below the threshold, and 2^k so large that s is 0 for it: s is exactly 0 or
// 1. Networks of IF neurons give the same bits. The membranes of LIF are rounded once more, to within
// 1e-6, which moves a spike only where a membrane comes as close to its threshold.
//
// Layers with other state, neurons with refractory times, varied options, delayed resets, reset values
// or resting potentials are refused by the name of the node.
func Unroll(g network.Graph, steps int) (network.Graph, error) {
	u := &unrolling{steps: steps, names: map[string][]string{network.Input: {network.Input}}, shapes: map[string]tensor.Shape{network.Input: g.Input}}
	if err := u.run(g); err != nil {
		return network.Graph{}, fmt.Errorf("onnx: unroll: %w", err)
	}
	return u.out, nil
}

// maxSteps bounds the steps that are unrolled.
const maxSteps = 1000

// unrolling is the state of Unroll.
type unrolling struct {
	steps  int
	out    network.Graph
	names  map[string][]string // of a node at each step, or of one that is the same at all
	shapes map[string]tensor.Shape
}

func (u *unrolling) run(g network.Graph) error {
	if u.steps < 1 || u.steps > maxSteps {
		return fmt.Errorf("%d steps, want 1 to %d", u.steps, maxSteps)
	}
	outline, err := g.Outline()
	if err != nil {
		return err
	}
	u.out.Input = g.Input
	complete := outline.Graph()
	for i, n := range complete.Nodes {
		n.Arrays = g.Nodes[i].Arrays
		if err := u.node(n); err != nil {
			return fmt.Errorf("node %q: %w", n.Name, err)
		}
	}
	for _, o := range complete.Outputs {
		names := u.names[o.Node]
		if len(names) == 1 && u.steps > 1 {
			return fmt.Errorf("output %q is the same at each step; Raise takes the network as it is", o.Name)
		}
		node := names[0]
		if len(names) > 1 {
			node = u.put(o.Name+"_sum", layer.Add{}, nil, names...)
		}
		u.out.Outputs = append(u.out.Outputs, network.Output{Name: o.Name, Node: node, Read: o.Read, Scale: o.Scale})
	}
	return nil
}

// put adds a node.
func (u *unrolling) put(name string, l layer.Layer, arrays map[string]tensor.Tensor, in ...string) string {
	u.out.Nodes = append(u.out.Nodes, network.GraphNode{Node: network.Node{Name: name, Layer: l, Inputs: in}, Arrays: arrays})
	return name
}

// at is a node at a step.
func (u *unrolling) at(name string, t int) string {
	names := u.names[name]
	return names[min(t, len(names)-1)]
}

// node adds a node once, or once for each step.
func (u *unrolling) node(n network.GraphNode) error {
	steady := true
	var shapes []tensor.Shape
	for _, name := range n.Inputs {
		steady = steady && len(u.names[name]) == 1
		shapes = append(shapes, u.shapes[name])
	}
	out, err := n.Layer.Output(shapes...)
	if err != nil {
		return err
	}
	u.shapes[n.Name] = out
	step := func(t int, name string) string {
		var in []string
		for _, from := range n.Inputs {
			in = append(in, u.at(from, t))
		}
		return u.put(name, n.Layer, n.Arrays, in...)
	}
	if _, stateful := n.Layer.(layer.Stateful); stateful {
		c, err := cellOf(n.Layer, out[len(out)-1])
		if err != nil {
			return err
		}
		v := ""
		for t := range u.steps {
			var s string
			s, v = c.step(u, fmt.Sprintf("%s_%d", n.Name, t), v, u.at(n.Inputs[0], t), t == u.steps-1)
			u.names[n.Name] = append(u.names[n.Name], s)
		}
		return nil
	}
	if steady {
		u.names[n.Name] = []string{step(0, n.Name)}
		return nil
	}
	for t := range u.steps {
		u.names[n.Name] = append(u.names[n.Name], step(t, fmt.Sprintf("%s_%d", n.Name, t)))
	}
	return nil
}

// cell is a population of neurons of one step.
type cell struct {
	channels  int
	beta      float64
	gain      float64
	threshold float64 // 0: none, v leaves it
	reset     neuron.Reset
	amount    float64      // what reset subtract takes
	floor     float64      // the least membrane that is carried on; 0: none
	fire      tensor.Float // the least u that fires
}

// cellOf is the cell of a layer.
func cellOf(l layer.Layer, channels int) (cell, error) {
	c := cell{channels: channels, beta: 1, gain: 1}
	switch l := l.(type) {
	case layer.Readout:
		c.beta = l.Beta
		return c, nil
	case layer.Spiking:
		if len(l.Varied) > 0 {
			return c, fmt.Errorf("options that differ from unit to unit (varied): not supported")
		}
		n, amount := neuron.LIF{}, 0.0
		switch given := l.Neuron.(type) {
		case neuron.IF:
			n = neuron.LIF{Beta: 1, Threshold: given.Threshold, Strict: given.Strict, Reset: given.Reset, ResetValue: given.ResetValue, Gain: given.Gain, Floor: given.Floor, Refractory: given.Refractory}
			amount = given.Amount
		case neuron.LIF:
			n = given
		default:
			return c, fmt.Errorf("neurons %s: if and lif are supported", neuron.Kind(l.Neuron))
		}
		if n.Leak != 0 || n.ResetValue != 0 || n.Delayed || n.Refractory != 0 {
			return c, fmt.Errorf("a resting potential, reset value, delayed reset or refractory time: not supported")
		}
		c.beta, c.threshold, c.reset, c.floor = n.Beta, n.Threshold, n.Reset, n.Floor
		if c.amount = amount; amount == 0 {
			c.amount = n.Threshold
		}
		if n.Gain != 0 {
			c.gain = n.Gain
		}
		if n.DecayInput {
			c.gain *= 1 - n.Beta
		}
		if c.fire = tensor.Float(n.Threshold); n.Strict {
			c.fire = next(c.fire, math.Inf(1))
		}
		return c, nil
	}
	return c, fmt.Errorf("a layer of kind %s has state: spiking and readout are supported", network.Kind(l))
}

// next is the next float32 towards another number: what files have.
func next(v tensor.Float, to float64) tensor.Float {
	return tensor.Float(math.Nextafter32(float32(v), float32(to)))
}

// line adds y = slope·(x − mean) + shift.
func (c cell) line(u *unrolling, name, in string, slope, mean, shift float64) string {
	all := func(v float64) tensor.Tensor {
		t := tensor.New(c.channels)
		for i := range t.Data {
			t.Data[i] = tensor.Float(v)
		}
		return t
	}
	// beside 1, an epsilon of 1e-30 is nothing
	return u.put(name, layer.BatchNorm{Epsilon: 1e-30}, map[string]tensor.Tensor{"gamma": all(slope), "beta": all(shift), "mean": all(mean), "variance": all(1)}, in)
}

// step adds the nodes of a step, from the membrane before (none at first): what leaves the neurons,
// and the membrane behind it, which nobody wants at the last step.
func (c cell) step(u *unrolling, name, v, x string, last bool) (s, after string) {
	if c.gain != 1 {
		x = c.line(u, name+"_in", x, c.gain, 0, 0)
	}
	m := x
	if v != "" {
		if c.beta != 1 {
			v = c.line(u, name+"_decay", v, c.beta, 0, 0)
		}
		m = u.put(name+"_u", layer.Add{}, nil, v, x)
	}
	if c.threshold == 0 {
		return m, m
	}
	_, e := math.Frexp(float64(c.fire))
	above := c.line(u, name+"_above", m, 1, float64(c.fire), 0)
	steep := c.line(u, name+"_steep", above, math.Ldexp(1, 25-e), 0, 1)
	s = u.put(name, layer.ReLU{Max: 1}, nil, steep)
	if !last && c.floor < 0 {
		m = u.put(name+"_floor", ordinary.Clip{Min: c.floor, Max: math.MaxFloat32}, nil, m)
	}
	switch {
	case last:
	case c.reset == neuron.Subtract:
		return s, u.put(name+"_v", layer.Add{}, nil, m, c.line(u, name+"_back", s, -c.amount, 0, 0))
	case c.reset == neuron.Zero:
		below := float64(next(c.fire, math.Inf(-1)))
		kept := u.put(name+"_below", ordinary.Clip{Min: -math.MaxFloat32, Max: below}, nil, m)
		return s, u.put(name+"_v", layer.Add{}, nil, kept, c.line(u, name+"_back", s, -below, 0, 0))
	}
	return s, m
}
