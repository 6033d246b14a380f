package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"synfire/exchange/onnx/pb"
	"synfire/layer/ordinary"
	"synfire/network"
)

// lowering is the state of Lower.
type lowering struct {
	model  *Model
	o      Options
	lead   int // axes before those of a sample: that of the batch, or none
	g      network.Graph
	values map[string]value   // by the names of the file
	padded map[string]padding // by the nodes of the network that pad
	takers map[string]int     // how many nodes and outputs take a value
	used   map[string]bool    // names of the network
	listed int                // elements whose places are listed
	report []Lowered
}

// maxMoved bounds the lists of elements that Transpose, Pad and the like make.
const maxMoved = 1 << 25

// Lower makes a network of the model's graph. An error names the node, its operator and the opset.
func (m *Model) Lower(o Options) (network.Graph, []Lowered, error) {
	l := &lowering{model: m, o: o, lead: 1, values: map[string]value{}, padded: map[string]padding{}, takers: map[string]int{}, used: map[string]bool{network.Input: true, network.Previous: true}}
	if o.Unbatched {
		l.lead = 0
	}
	if err := l.run(); err != nil {
		return network.Graph{}, nil, fmt.Errorf("onnx: lower: %w", err)
	}
	return l.g, l.report, nil
}

func (l *lowering) run() error {
	g := l.model.proto.Graph
	for _, p := range g.Initializer {
		a, err := l.model.array(p)
		if err != nil {
			return fmt.Errorf("initialiser %q: %w", p.GetName(), err)
		}
		l.values[p.GetName()] = value{constant: a}
	}
	if err := l.inputs(g); err != nil {
		return err
	}
	for _, n := range g.Node {
		for _, name := range n.Input {
			l.takers[name]++
		}
	}
	for _, o := range g.Output {
		l.takers[o.GetName()]++
	}
	for _, n := range g.Node {
		if err := l.node(n); err != nil {
			return fmt.Errorf("node %q (%s, opset %d): %w", title(n), n.GetOpType(), l.model.Opset, err)
		}
	}
	for _, o := range g.Output {
		if err := l.output(o.GetName()); err != nil {
			return fmt.Errorf("output %q: %w", o.GetName(), err)
		}
	}
	if len(l.g.Outputs) == 0 {
		return errors.New("the graph has no output; add one")
	}
	_, err := l.g.Outline()
	return err
}

// title is a node's name, or that of what it gives.
func title(n *pb.NodeProto) string {
	if n.GetName() == "" && len(n.Output) > 0 {
		return n.Output[0]
	}
	return n.GetName()
}

// inputs takes what is no initialiser: one input is the network's, several are parts of it.
func (l *lowering) inputs(g *pb.GraphProto) error {
	var all []value
	var names []string
	size := 0
	for _, p := range g.Input {
		if _, constant := l.values[p.GetName()]; constant {
			continue
		}
		v, err := l.input(p)
		if err != nil {
			return fmt.Errorf("input %q: %w", p.GetName(), err)
		}
		if size += v.here.Size(); size > maxSample {
			return fmt.Errorf("inputs of more than %d elements a sample", maxSample)
		}
		all, names = append(all, v), append(names, p.GetName())
	}
	for name := range l.o.Shapes {
		if !slices.Contains(names, name) {
			return fmt.Errorf("a shape is given for %q, which is no input; there are %s", name, strings.Join(names, ", "))
		}
	}
	switch len(all) {
	case 0:
		return errors.New("the graph has no input; want one for a sample")
	case 1:
		l.g.Input = all[0].here
		l.values[names[0]] = all[0]
		l.report = append(l.report, Lowered{Node: names[0], Kind: "input", To: network.Input})
		return nil
	}
	l.g.Input = []int{size}
	at := 0
	for i, v := range all {
		lost := fmt.Sprintf("elements %d to %d of a sample, in the order of the file", at, at+v.here.Size()-1)
		v.name = l.gather(value{name: network.Input}, v.here, names[i], func(i int) int { return at + v.order.at(i) })
		at += v.here.Size()
		l.values[names[i]] = v
		l.report = append(l.report, Lowered{names[i], "input", v.name, []string{lost}})
	}
	return nil
}

func (l *lowering) input(p *pb.ValueInfoProto) (value, error) {
	t := p.GetType().GetTensorType()
	if t == nil {
		return value{}, errors.New("it is no tensor; sequences and maps are not supported")
	}
	if kind := pb.TensorProto_DataType(t.GetElemType()); !isFloat(kind) {
		return value{}, fmt.Errorf("elements of type %s, want FLOAT", kind)
	}
	var shape []int
	open := t.Shape == nil
	for _, d := range t.GetShape().GetDim() {
		shape = append(shape, int(d.GetDimValue()))
	}
	batch := 0
	if !open && l.lead > 0 {
		if len(shape) == 0 {
			return value{}, errors.New("a number without axes, want the batch first")
		}
		batch, shape = shape[0], shape[1:]
	}
	for _, d := range shape {
		open = open || d == 0
	}
	given, ok := l.o.Shapes[p.GetName()]
	switch {
	case !ok && open:
		return value{}, fmt.Errorf("the file leaves its sizes open (%v without the batch, 0 is open); give them by Options.Shapes, or --shape, channels first: %s=3,32,32", shape, p.GetName())
	case ok && t.Shape != nil && !agree(shape, given):
		return value{}, fmt.Errorf("the shape %v is given for it, and the file says %v (0 is open); give what is open alone", given, shape)
	case ok:
		shape = given
	}
	return signalOf(network.Input, shape, max(batch, 0))
}

// agree reports whether a shape is one that the file permits, where 0 is open.
func agree(file, given []int) bool {
	return slices.EqualFunc(file, given, func(a, b int) bool { return a == 0 || a == b })
}

// output names what leaves the network.
func (l *lowering) output(name string) error {
	v, ok := l.values[name]
	switch {
	case !ok:
		return errors.New("no node gives it")
	case v.constant != nil:
		return errors.New("it is a constant, want what depends on the input")
	}
	v, err := l.standard(v)
	if err != nil {
		return err
	}
	if v.name == network.Input {
		v.name = l.put(name+"_copy", ordinary.Gather{Shape: v.here}, nil, v.name)
	}
	l.g.Outputs = append(l.g.Outputs, network.Output{Name: plain(name), Node: v.name, Read: l.o.Read})
	var lost []string
	if len(v.shape) > 1 {
		lost = []string{"axes: channels are last here"}
	}
	l.report = append(l.report, Lowered{name, "output", v.name, lost})
	return nil
}

// node lowers a node, whose inputs are lowered.
func (l *lowering) node(p *pb.NodeProto) error {
	if !ours(p.GetDomain()) {
		return fmt.Errorf("an operator of the domain %q: known are those of ai.onnx", p.GetDomain())
	}
	lower, ok := operators[p.GetOpType()]
	if !ok {
		lower, ok = foldings[p.GetOpType()]
	}
	if !ok {
		return fmt.Errorf("the operator is not known; known are %s", strings.Join(Kinds(), ", "))
	}
	n, err := l.open(p)
	if err != nil {
		return err
	}
	out, err := lower(l, n)
	if err == nil {
		err = n.finish()
	}
	if err != nil {
		return err
	}
	for _, name := range p.Output[1:] {
		if name != "" && l.takers[name] > 0 {
			return fmt.Errorf("its output %q: only the first is supported", name)
		}
	}
	if _, ok := l.values[p.Output[0]]; ok {
		return fmt.Errorf("its output %q has the name of another value", p.Output[0])
	}
	if l.listed += len(out.order.list); l.listed > maxMoved {
		return fmt.Errorf("more than %d elements that change places up to here; want fewer Transposes of large images", maxMoved)
	}
	l.values[p.Output[0]] = out
	to := ""
	if len(l.g.Nodes) > n.before {
		to = out.name
	}
	l.report = append(l.report, Lowered{title(p), p.GetOpType(), to, n.lost})
	return nil
}

// plain is a name with underscores for what names of nodes may not have.
func plain(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(". /:", r) {
			return '_'
		}
		return r
	}, name)
	return strings.TrimLeft(name, "_")
}

// free is a name of the network that is not taken.
func (l *lowering) free(name string) string {
	if name = plain(name); name == "" {
		name = "node"
	}
	for l.used[name] {
		name += "_"
	}
	l.used[name] = true
	return name
}
