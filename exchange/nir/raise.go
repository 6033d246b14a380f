package nir

import (
	"fmt"
	"slices"

	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
	"synfire/surrogate"
	"synfire/tensor"
)

// Raise is the inverse of Lower: it makes a NIR graph of a network. Of the options DT and Method
// say how steps become equations; what else a file does not say is found in the network, and stands
// in the Options that are returned, with which Lower gives a network of the same spikes, bit for
// bit. What they do not hold either is an error that names the node, or where it changes no spike
// is listed as lost.
func Raise(g network.Graph, o Options) (*Graph, Options, []Lowered, error) {
	r := &raising{o: Options{DT: o.DT, Method: o.Method}, values: map[string]raised{}, used: map[string]bool{}, names: map[string]string{}}
	if r.o.Method == "" {
		r.o.Method = Exact
	}
	if err := r.run(g); err != nil {
		return nil, Options{}, nil, fmt.Errorf("nir: raise: %w", err)
	}
	return &r.g, r.o, r.report, nil
}

// raised is what a node of the network gives: the nodes of the file whose sum it is, its shape there,
// and how the elements of both correspond.
type raised struct {
	from  []string
	shape []int
	order []int // of each element of the network its place in the file; nil: the same
}

// raising is the state of Raise.
type raising struct {
	o       Options // found so far
	set     string  // the node that Reset, Strict and Refractory are from
	coupled string  // the node that Coupling is from
	g       Graph
	values  map[string]raised // by the names of the network
	used    map[string]bool   // names of the file
	names   map[string]string // of the network's nodes in the file
	report  []Lowered
}

func (r *raising) run(g network.Graph) error {
	l := lowering{o: r.o, file: &Graph{}}
	if err := l.checkOptions(); err != nil {
		return err
	}
	if r.o.DT == 0 {
		return fmt.Errorf("DT is 0, want the length of a step in the file's unit of time, such as 0.001 for a millisecond")
	}
	net, err := g.Build(0)
	if err != nil {
		return err
	}
	g = net.Graph()
	for _, out := range g.Outputs {
		r.used[out.Name] = true
	}
	if err := r.input(g.Input); err != nil {
		return err
	}
	infos := net.Nodes()
	for i, nd := range g.Nodes {
		if err := r.node(nd, infos[i]); err != nil {
			return fmt.Errorf("node %q: %w", nd.Name, err)
		}
	}
	for _, out := range g.Outputs {
		if err := r.output(out); err != nil {
			return fmt.Errorf("output %q: %w", out.Name, err)
		}
	}
	if err := r.g.check(); err != nil {
		return err
	}
	back := r.o
	back.Surrogate = surrogate.FastSigmoid{Slope: 1}
	_, _, err = r.g.Lower(back)
	return err
}

// free is a name of the file that is not taken.
func (r *raising) free(name string) string {
	for r.used[name] {
		name += "_"
	}
	r.used[name] = true
	return name
}

// input adds the Input.
func (r *raising) input(shape tensor.Shape) error {
	file, order, err := channelsFirst(shape)
	if err != nil {
		return fmt.Errorf("the network's input: %w", err)
	}
	name := r.free("input")
	r.g.Nodes = append(r.g.Nodes, Node{Name: name, Kind: "Input", Params: map[string]Param{"shape": whole(file...)}})
	r.values[network.Input] = raised{[]string{name}, file, order}
	r.report = append(r.report, Lowered{Node: name, Kind: "input", To: name})
	return nil
}

// channelsFirst is the shape in a file of one here, and how elements correspond.
func channelsFirst(shape tensor.Shape) (file, order []int, err error) {
	switch {
	case len(shape) == 1, len(shape) == 2 && shape[1] == 1:
		file = []int{shape[0]}
	case len(shape) == 3:
		file = []int{shape[2], shape[0], shape[1]}
	default:
		return nil, nil, fmt.Errorf("shape %v, want a vector or an image height×width×channels", shape)
	}
	_, order, err = channelsLast(file)
	return file, order, err
}

// whole is a list of whole numbers.
func whole(v ...int) Param {
	p := Param{Shape: []int{len(v)}, Data: []float64{}}
	for _, x := range v {
		p.Data = append(p.Data, float64(x))
	}
	return p
}

// number is a scalar.
func number(v float64) Param { return Param{Data: []float64{v}} }

// raiseNode is what the raising of a node works with.
type raiseNode struct {
	network.GraphNode
	in  raised
	out tensor.Shape
}

// node raises one node, whose inputs are raised.
func (r *raising) node(nd network.GraphNode, info network.Info) error {
	if _, ok := nd.Layer.(layer.Concat); ok {
		return r.concat(raiseNode{nd, raised{}, info.Out})
	}
	in, err := r.sum(nd)
	if err != nil {
		return err
	}
	n := raiseNode{nd, in, info.Out}
	switch l := nd.Layer.(type) {
	case layer.Linear:
		return r.linear(n, l)
	case layer.Conv2D:
		return r.conv(n, l)
	case layer.AvgPool:
		return r.average(n, l)
	case layer.GlobalAvgPool:
		return r.global(n)
	case layer.Flatten:
		return r.flatten(n)
	case layer.Spiking:
		return r.spikes(n, "spiking", l.Neuron, l.Varied)
	case layer.Recurrent:
		return r.recurrent(n, l)
	case layer.Readout:
		of := neuron.LIF{Beta: l.Beta, Threshold: 1, Reset: neuron.None}
		return r.population(n, "readout", of, nil, r.integrator)
	case temporal.Integrator:
		if lif, ok := l.Neuron.(neuron.LIF); ok && len(l.Varied) == 0 && lif.Beta > 0 && lif.Beta < 1 && lif.Leak == 0 && inputGain(lif, lif.Gain, lif.Beta) == 1 {
			return fmt.Errorf("an integrator of neuron lif with gain 1 comes back as a readout, which rounds otherwise; make it a readout with beta %v", lif.Beta)
		}
		return r.population(n, "integrator", l.Neuron, l.Varied, r.integrator)
	case temporal.Delay:
		return r.delay(n, l)
	case layer.Add:
		r.values[n.Name] = in
		r.say(n, "add", "")
		return nil
	case layer.Dropout:
		r.values[n.Name] = in
		r.say(n, "dropout", "", "dropout: it plays no part in running")
		return nil
	case layer.BatchNorm:
		return fmt.Errorf("a batch-norm has no counterpart in NIR; fold it into the map before it (--fold, network.FoldBatchNorm), which moves the last bits of what that map gives")
	case layer.ParametricSpiking:
		return fmt.Errorf("a parametric-spiking rounds its steps otherwise than what it would come back as; make it a spiking with neuron lif, varied {beta: channel} and the decays that it learnt")
	}
	return fmt.Errorf("layer %s has no counterpart in NIR; build the network of linear, conv2d, avg-pool, flatten, add, concat, delay, spiking, recurrent, integrator and readout layers", network.Kind(nd.Layer))
}

// sum is what arrives at a node, which is the sum of all edges to it: that of an add too, whose first
// input may be such a sum itself. Other sums, and what is added twice, pass a Scale of 1.
func (r *raising) sum(nd network.GraphNode) (in raised, err error) {
	for i, name := range nd.Inputs {
		v := r.values[name]
		if i == 0 {
			in = raised{slices.Clone(v.from), v.shape, v.order}
			continue
		}
		if !slices.Equal(v.order, in.order) {
			return in, fmt.Errorf("%q and %q differ in the order of their elements, of which one is a flattened image; put a linear behind the flatten", nd.Inputs[0], name)
		}
		if len(v.from) > 1 || slices.Contains(in.from, v.from[0]) {
			v = r.identity(name+"_same", v)
		}
		in.from = append(in.from, v.from...)
	}
	return in, nil
}

// identity adds a Scale of 1.
func (r *raising) identity(name string, v raised) raised {
	one := make([]float64, sizeOf(v.shape))
	for i := range one {
		one[i] = 1
	}
	name = r.free(name)
	r.put(name, "Scale", v, map[string]Param{"scale": {Shape: v.shape, Data: one}})
	return raised{[]string{name}, v.shape, v.order}
}

// put adds a node and the edges to it.
func (r *raising) put(name, kind string, in raised, params map[string]Param) {
	r.g.Nodes = append(r.g.Nodes, Node{Name: name, Kind: kind, Params: params})
	for _, from := range in.from {
		r.g.Edges = append(r.g.Edges, Edge{from, name})
	}
}

// add adds the node of the file that a node of the network becomes.
func (r *raising) add(n raiseNode, of, kind string, params map[string]Param, shape, order []int, lost ...string) {
	name := r.free(n.Name)
	r.put(name, kind, n.in, params)
	r.values[n.Name] = raised{[]string{name}, shape, order}
	r.say(n, of, name+" ("+kind+")", lost...)
}

func (r *raising) say(n raiseNode, kind, to string, lost ...string) {
	r.report = append(r.report, Lowered{Node: n.Name, Kind: kind, To: to, Lost: lost})
}

// output adds an Output.
func (r *raising) output(out network.Output) error {
	v := r.values[out.Node]
	if len(v.shape) == 1 && v.order != nil {
		return fmt.Errorf("it is a flattened image, whose order is another in NIR; let it be the node before the flatten, or put a linear behind")
	}
	if out.Node == network.Input {
		v = r.identity(out.Name+"_same", v)
	}
	r.put(out.Name, "Output", v, map[string]Param{"shape": whole(v.shape...)})
	var lost []string
	if out.Read != nil {
		lost = append(lost, "how scores are read off it over time")
	}
	if out.Scale != 0 && out.Scale != 1 {
		lost = append(lost, fmt.Sprintf("scale: %v, of its scores", out.Scale))
	}
	r.report = append(r.report, Lowered{Node: out.Name, Kind: "output", To: out.Name, Lost: lost})
	return nil
}

func sizeOf(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// place is where element i of the network stands in the file.
func (v raised) place(i int) int {
	if v.order == nil {
		return i
	}
	return v.order[i]
}
