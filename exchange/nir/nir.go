// Package nir exchanges networks with other frameworks by files of the Neuromorphic
// Intermediate Representation (Pedersen et al., "Neuromorphic intermediate representation: A
// unified instruction set for interoperable brain-inspired computing", Nature Communications
// 15:8122, 2024).
//
// A NIR graph says what its nodes do in continuous time, by differential equations of a current
// I, a voltage v and parameters of each neuron:
//
//	LIF      τ·dv/dt = (v_leak − v) + r·I,  a spike at v = v_threshold
//	IF       dv/dt = r·I,  a spike at v = v_threshold
//	CubaLIF  τ_syn·di/dt = −i + w_in·I,  τ_mem·dv/dt = (v_leak − v) + r·i,  likewise
//	LI, I, CubaLI  the same without spikes: v leaves them
//	Threshold  1 where I > threshold, else 0
//	Scale    s·I
//	Delay    I(t − delay)
//	Linear, Affine  W·I + b
//	Conv1d, Conv2d, SumPool2d, AvgPool2d, Flatten  as PyTorch's, channels first
//
// Lower makes a network of steps of it. With a step of Δ and an input that is constant over each,
// β = exp(−Δ/τ), or by Euler's method 1 − Δ/τ,
//
//	LIF      u = β·v + (1 − β)·(v_leak + r·I)
//	IF       u = v + Δ·r·I
//	CubaLIF  i = α·i + (1 − α)·w_in·I,  u = β·v + (1 − β)·(v_leak + r·i)
//
// A file says nothing of the length of a step, of what a spike does to the voltage, or of a
// surrogate: Options do, and Lower lists for each node what the file did not say. Membranes start
// from 0.
//
// Networks of steps whose neurons add up events (Sinabs) have the step as their unit of time: Δ = 1.
//
// Images are channels last here. Flatten after an image, and all that follows it up to the next
// Linear or Affine, keep the order of this project: the rows of the weights are exchanged instead.
//
// A cycle through one Linear or Affine and one LIF, IF or CubaLIF becomes a recurrent layer, whose
// spikes act in the step after theirs. Other cycles are refused.
package nir

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/encode"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/surrogate"
	"synfire/tensor"
)

// Method is how equations become steps.
type Method string

// Methods.
const (
	Exact Method = "exact" // of an input that is constant over a step: exp(−Δ/τ)
	Euler Method = "euler" // 1 − Δ/τ
)

// Options say what a file does not. Those that a file's nodes need must be given.
type Options struct {
	DT         float64             // Δ, in the file's unit of time: seconds, or 1 where the unit is the step
	Reset      *neuron.Reset       // what a spike does to the voltage
	Surrogate  surrogate.Surrogate // for training on
	Method     Method              // how equations become steps; none: Exact
	Strict     bool                // fire above the threshold only, not at it
	Refractory int                 // steps of silence after a spike
	Floor      float64             // least voltage, below 0; 0: none
	Coupling   *neuron.Coupling    // how the current of a synapse charges a membrane; nil: euler, it is held over a step
	Read       encode.Decoder      // how scores are read off the outputs; none: not said
}

// Lowered says what became of a node.
type Lowered struct {
	Node string   // its name in the file
	Kind string   // there
	To   string   // the node of the network; empty where it is part of another's
	Lost []string // what the file did not say, as it was read, and what was not taken over

	Order []int // of Lower: of each element there its place in the file, channels first; nil: the same
}

// Lower makes a network of the graph. An error names the node.
func (g *Graph) Lower(o Options) (network.Graph, []Lowered, error) {
	l := &lowering{file: g, o: o, values: map[string]value{}, recurrent: map[string]*Node{}, used: map[string]bool{network.Input: true, network.Previous: true}}
	if l.o.Method == "" {
		l.o.Method = Exact
	}
	err := l.run()
	if err != nil {
		return network.Graph{}, nil, fmt.Errorf("nir: lower: %w", err)
	}
	return l.g, l.report, nil
}

// value is what a node of the file gives: the node of the network whose output it is, its shape
// in the file, and how the elements of both correspond.
type value struct {
	name  string
	shape []int // channels first
	order []int // of each element here its place in the file; nil: the same
}

// lowering is the state of Lower.
type lowering struct {
	file      *Graph
	o         Options
	g         network.Graph
	values    map[string]value // by the names of the file
	recurrent map[string]*Node // the weights of the neurons that see themselves
	used      map[string]bool  // names of the network
	report    []Lowered
}

func (l *lowering) run() error {
	if err := l.file.check(); err != nil {
		return err
	}
	if err := l.checkOptions(); err != nil {
		return err
	}
	order, err := l.order()
	if err != nil {
		return err
	}
	for _, n := range order {
		if err := l.node(n); err != nil {
			return fmt.Errorf("node %q (%s): %w", n.Name, n.Kind, err)
		}
	}
	switch {
	case l.g.Input == nil:
		return fmt.Errorf("the graph has no Input; add one with the shape of a sample")
	case len(l.g.Outputs) == 0:
		return fmt.Errorf("the graph has no Output; add one")
	}
	l.sortOutputs()
	_, err = l.g.Outline()
	return err
}

// sortOutputs puts the outputs into the order of the edges to them: nodes stand in a file by name.
func (l *lowering) sortOutputs() {
	place := map[string]int{}
	for i, e := range l.file.Edges {
		if _, ok := place[e.To]; !ok {
			place[e.To] = i
		}
	}
	slices.SortStableFunc(l.g.Outputs, func(a, b network.Output) int { return place[a.Name] - place[b.Name] })
}

// Kinds of nodes that need options.
var (
	timed   = []string{"LIF", "IF", "CubaLIF", "LI", "I", "CubaLI", "Delay"}
	spiking = []string{"LIF", "IF", "CubaLIF"}
)

// checkOptions is an error that names all options which the file's nodes need and that are
// missing.
func (l *lowering) checkOptions() error {
	var missing []string
	need := func(kinds []string, given bool, what string) {
		for _, n := range l.file.Nodes {
			if !given && slices.Contains(kinds, n.Kind) {
				missing = append(missing, fmt.Sprintf("%s (for node %q)", what, n.Name))
				return
			}
		}
	}
	need(timed, l.o.DT != 0, "DT, the length of a step, in seconds, or 1 where the file's unit is the step")
	need(spiking, l.o.Reset != nil, "Reset, what a spike does to the voltage: subtract, zero or none")
	need(append([]string{"Threshold"}, spiking...), l.o.Surrogate != nil, "Surrogate, the derivative of a spike for training")
	switch {
	case len(missing) > 0:
		return fmt.Errorf("the file does not say, so give: %s", strings.Join(missing, "; "))
	case l.o.DT < 0 || math.IsNaN(l.o.DT) || math.IsInf(l.o.DT, 0):
		return fmt.Errorf("DT is %v, want a positive length of a step", l.o.DT)
	case l.o.Method != Exact && l.o.Method != Euler:
		return fmt.Errorf("method %q, want exact or euler", l.o.Method)
	case l.o.Refractory < 0 || l.o.Refractory > 1<<20:
		return fmt.Errorf("refractory is %d, want a number of steps from 0 to %d", l.o.Refractory, 1<<20)
	}
	return nil
}

// order lists the nodes so that each stands behind those that it takes, and takes the weights of
// recurrent neurons out.
func (l *lowering) order() ([]*Node, error) {
	nodes := map[string]*Node{}
	for i := range l.file.Nodes {
		nodes[l.file.Nodes[i].Name] = &l.file.Nodes[i]
	}
	if err := l.findRecurrent(nodes); err != nil {
		return nil, err
	}
	var order []*Node
	done := map[string]bool{}
	for len(done)+len(l.recurrent) < len(nodes) {
		before := len(done)
		for i := range l.file.Nodes {
			n := &l.file.Nodes[i]
			if !done[n.Name] && !l.isWeights(n) && !slices.ContainsFunc(l.inputs(n), func(from string) bool { return !done[from] }) {
				done[n.Name] = true
				order = append(order, n)
			}
		}
		if len(done) == before {
			return nil, fmt.Errorf("the nodes %s are on cycles: one through a Linear or Affine and a LIF, IF or CubaLIF is supported, with no other node on it", strings.Join(l.stuck(done), ", "))
		}
	}
	return order, nil
}

// stuck are the nodes that are not done.
func (l *lowering) stuck(done map[string]bool) (names []string) {
	for _, n := range l.file.Nodes {
		if !done[n.Name] && !l.isWeights(&n) {
			names = append(names, n.Name)
		}
	}
	return names
}

// isWeights reports whether a node is the weights of a recurrent layer.
func (l *lowering) isWeights(n *Node) bool {
	for _, w := range l.recurrent {
		if w.Name == n.Name {
			return true
		}
	}
	return false
}

// findRecurrent finds linear maps that take a neuron's spikes alone and give to it alone.
func (l *lowering) findRecurrent(nodes map[string]*Node) error {
	for i := range l.file.Nodes {
		w := &l.file.Nodes[i]
		if w.Kind != "Linear" && w.Kind != "Affine" {
			continue
		}
		var from, to []string
		for _, e := range l.file.Edges {
			if e.To == w.Name {
				from = append(from, e.From)
			}
			if e.From == w.Name {
				to = append(to, e.To)
			}
		}
		if len(from) != 1 || len(to) != 1 || from[0] != to[0] || !slices.Contains(spiking, nodes[from[0]].Kind) {
			continue
		}
		if other := l.recurrent[from[0]]; other != nil {
			return fmt.Errorf("node %q sees itself through %q and %q: one recurrent map is supported; add their weights", from[0], other.Name, w.Name)
		}
		l.recurrent[from[0]] = w
	}
	return nil
}

// inputs are the nodes that a node takes, but for the weights of a recurrent one.
func (l *lowering) inputs(n *Node) (from []string) {
	for _, e := range l.file.Edges {
		if w := l.recurrent[n.Name]; e.To == n.Name && (w == nil || w.Name != e.From) {
			from = append(from, e.From)
		}
	}
	return from
}

// node lowers one node, whose inputs are lowered.
func (l *lowering) node(n *Node) error {
	if n.Kind == "Input" {
		return l.input(n)
	}
	in, err := l.sum(n)
	if err != nil {
		return err
	}
	if n.Kind == "Output" {
		return l.output(n, in)
	}
	lower, ok := lowerings[n.Kind]
	if !ok {
		return fmt.Errorf("the kind is not known; known are %s", strings.Join(Kinds(), ", "))
	}
	return lower(l, n, in)
}

// Kinds are those of the nodes that Lower knows.
func Kinds() []string {
	kinds := []string{"Input", "NIRGraph", "Output"}
	for kind := range lowerings {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// lowerings are by kind.
var lowerings map[string]func(*lowering, *Node, value) error

func init() {
	lowerings = map[string]func(*lowering, *Node, value) error{
		"Linear": (*lowering).linear, "Affine": (*lowering).linear,
		"Conv1d": (*lowering).conv, "Conv2d": (*lowering).conv,
		"SumPool2d": (*lowering).pool, "AvgPool2d": (*lowering).pool,
		"Flatten": (*lowering).flatten,
		"LIF":     (*lowering).neuron, "IF": (*lowering).neuron, "CubaLIF": (*lowering).neuron,
		"LI": (*lowering).integrator, "I": (*lowering).integrator, "CubaLI": (*lowering).integrator,
		"Threshold": (*lowering).threshold, "Scale": (*lowering).scale, "Delay": (*lowering).delay,
	}
}

// input takes the shape of a sample.
func (l *lowering) input(n *Node) error {
	if l.g.Input != nil {
		return fmt.Errorf("a second Input: one is supported; join them")
	}
	if from := l.inputs(n); len(from) > 0 {
		return fmt.Errorf("%q goes to it: nothing goes to an Input; remove the edge", from[0])
	}
	shape, err := n.ints("shape")
	if err != nil {
		return err
	}
	here, order, err := channelsLast(shape)
	if err != nil {
		return err
	}
	l.g.Input = here
	l.values[n.Name] = value{network.Input, shape, order}
	l.say(n, network.Input)
	return nil
}

// output names what leaves the network.
func (l *lowering) output(n *Node, in value) error {
	switch {
	case in.name == network.Input:
		return fmt.Errorf("it takes the Input itself; put a node between")
	case len(in.shape) == 1 && in.order != nil:
		return fmt.Errorf("it takes a flattened image, whose order is another here; put a Linear behind the Flatten, or leave the Flatten out")
	case l.consumed(n.Name):
		return fmt.Errorf("other nodes take it: an Output is an end; let them take what it takes")
	}
	l.g.Outputs = append(l.g.Outputs, network.Output{Name: n.Name, Node: in.name, Read: l.o.Read})
	var lost []string
	if len(in.shape) > 1 {
		lost = append(lost, "axes: channels are last here")
	}
	l.say(n, in.name, lost...)
	return nil
}

func (l *lowering) consumed(name string) bool {
	return slices.ContainsFunc(l.file.Edges, func(e Edge) bool { return e.From == name })
}

// sum is what arrives at a node: of several inputs a node that adds them.
func (l *lowering) sum(n *Node) (value, error) {
	from := l.inputs(n)
	if len(from) == 0 {
		return value{}, fmt.Errorf("nothing goes to it; connect it or remove it")
	}
	in := l.values[from[0]]
	if len(from) == 1 {
		return in, nil
	}
	add := network.Node{Name: l.free(n.Name + "_sum"), Layer: layer.Add{}}
	for _, name := range from {
		v := l.values[name]
		if !slices.Equal(v.shape, in.shape) || !slices.Equal(v.order, in.order) {
			return value{}, fmt.Errorf("it takes the sum of %q %v and %q %v, which differ in shape, or in the order of a Flatten", from[0], in.shape, name, v.shape)
		}
		add.Inputs = append(add.Inputs, v.name)
	}
	l.g.Nodes = append(l.g.Nodes, network.GraphNode{Node: add})
	in.name = add.Name
	return in, nil
}

// add puts a node of one input into the network, and says so.
func (l *lowering) add(n *Node, in value, out value, ly layer.Layer, arrays map[string]tensor.Tensor, lost ...string) {
	out.name = l.free(n.Name)
	l.g.Nodes = append(l.g.Nodes, network.GraphNode{Node: network.Node{Name: out.name, Layer: ly, Inputs: []string{in.name}}, Arrays: arrays})
	l.values[n.Name] = out
	l.say(n, out.name, lost...)
}

func (l *lowering) say(n *Node, to string, lost ...string) {
	for _, note := range n.Notes {
		lost = append(lost, note+": not taken over")
	}
	l.report = append(l.report, Lowered{n.Name, n.Kind, to, lost, l.values[n.Name].order})
}

// free is a name of the network that is not taken: dots, spaces and slashes become underscores.
func (l *lowering) free(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(". /", r) {
			return '_'
		}
		return r
	}, name)
	if name == "" {
		name = "node"
	}
	for l.used[name] {
		name += "_"
	}
	l.used[name] = true
	return name
}

// channelsLast is the shape here of one of the file, channels first, and how elements correspond.
// A line of channels and places is an image of one row.
func channelsLast(shape []int) (here tensor.Shape, order []int, err error) {
	for _, d := range shape {
		if d < 1 || d > 1<<24 {
			return nil, nil, fmt.Errorf("shape %v: want positive sizes", shape)
		}
	}
	switch len(shape) {
	case 1:
		return tensor.Shape{shape[0]}, nil, nil
	case 2:
		shape = []int{shape[0], 1, shape[1]}
	case 3:
	default:
		return nil, nil, fmt.Errorf("shape %v: want a vector, channels×places or channels×height×width", shape)
	}
	c, h, w := shape[0], shape[1], shape[2]
	if c == 1 || h*w == 1 { // one order alone
		return tensor.Shape{h, w, c}, nil, nil
	}
	if size := float64(c) * float64(h) * float64(w); size > 1<<30 {
		return nil, nil, fmt.Errorf("shape %v is too large", shape)
	}
	for p := range h * w {
		for ch := range c {
			order = append(order, ch*h*w+p)
		}
	}
	return tensor.Shape{h, w, c}, order, nil
}
