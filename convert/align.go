package convert

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/tensor"
)

// Scales are what a spike in each step stands for, λ: by the node of the rectified units,
// for each of its channels (the last axis).
type Scales map[string][]float64

// Align is the Transform that divides what rectified units give by their scales and lets
// the network's outputs be: of what is multiplied, an affine layer between scales λ and λ'
// becomes
//
//	W'[i, o] = W[i, o]·λ_i/λ'_o,   b'[o] = b[o]/λ'_o
//
// where λ' is what its output goes to: that of the units, through sums, poolings and
// joins, and 1 for outputs of the network. Where a branch comes at another scale than it is
// wanted at, as the shortcut of a residual block does, a layer that multiplies each
// channel by λ_in/λ_out is put between. Scales that are powers of two change no bit of the
// outputs.
type Align struct {
	Scales Scales // of all rectified units
}

// Apply aligns; it needs no inputs.
func (a Align) Apply(_ context.Context, g network.Graph, _ network.Calibration) (network.Graph, network.Report, error) {
	f, err := newFlow(g, a.Scales)
	if err != nil {
		return network.Graph{}, nil, fmt.Errorf("convert.Align: %w", err)
	}
	f.demands()
	for i := range f.old {
		if err := f.align(f.old[i]); err != nil {
			return network.Graph{}, nil, fmt.Errorf("convert.Align: %w", &network.NodeError{Index: i, Name: f.old[i].Name, Err: err})
		}
	}
	for k := range f.g.Outputs {
		o := &f.g.Outputs[k]
		shape := f.shape(o.Node)
		if o.Node, err = f.adapted(o.Node, shape, ones(shape), "output "+o.Name); err != nil {
			return network.Graph{}, nil, fmt.Errorf("convert.Align: %w", err)
		}
	}
	f.g.Nodes = f.nodes
	return f.g, f.report, nil
}

// flow is a graph on its way to another, with the scales of the signals in it.
type flow struct {
	old    []network.GraphNode
	info   map[string]network.Info
	units  Scales
	wanted map[string][]float64 // of a node's output, where all agree; nil: any will do
	scale  map[string][]float64 // of a node's output as it is, by channel
	g      network.Graph
	nodes  []network.GraphNode // of the new graph
	report network.Report
}

func newFlow(g network.Graph, units Scales) (*flow, error) {
	net, err := g.Outline()
	if err != nil {
		return nil, err
	}
	f := &flow{g: network.Edit(g).Graph(), units: Scales{}, info: map[string]network.Info{}, wanted: map[string][]float64{}, scale: map[string][]float64{}}
	f.old = f.g.Nodes
	for i, nd := range net.Nodes() {
		if f.info[nd.Name] = nd; len(nd.Out) == 0 {
			return nil, &network.NodeError{Index: i, Name: nd.Name, Err: errors.New("gives a scalar, which has no channels; put a flatten layer before")}
		}
		if !ordinary.Rectified(nd.Layer) {
			continue
		}
		n := width(nd.Out)
		v := units[nd.Name]
		if len(v) == 1 {
			v = slices.Repeat(v, n)
		}
		if len(v) != n || slices.ContainsFunc(v, func(v float64) bool { return !usable(v) }) {
			return nil, &network.NodeError{Index: i, Name: nd.Name, Err: fmt.Errorf("has the scales %s (%d of them), want 1 or %d positive numbers", span(v), len(v), n)}
		}
		f.units[nd.Name] = v
	}
	f.scale[network.Input] = ones(f.g.Input)
	return f, nil
}

// width is the number of a shape's channels.
func width(s tensor.Shape) int { return s[len(s)-1] }

func ones(s tensor.Shape) []float64 { return slices.Repeat([]float64{1}, width(s)) }

// shape is that of a node's output, or of the network's input.
func (f *flow) shape(name string) tensor.Shape {
	if name == network.Input {
		return f.g.Input
	}
	return f.info[name].Out
}

// demands finds the scales at which outputs of nodes are wanted, from the last to the
// first. Where those who take one differ, it is the unit 1, and each gets its own.
func (f *flow) demands() {
	joined := map[string][]float64{}
	join := func(name string, want []float64) {
		if want == nil {
			return
		}
		if before := joined[name]; before != nil && !slices.Equal(before, want) {
			want = ones(f.shape(name))
		}
		joined[name] = want
	}
	for _, o := range f.g.Outputs {
		join(o.Node, ones(f.shape(o.Node)))
	}
	for _, nd := range slices.Backward(f.old) {
		f.wanted[nd.Name] = joined[nd.Name]
		at := 0
		for _, in := range nd.Inputs {
			n := width(f.shape(in))
			join(in, f.wants(nd, in, at))
			at += n
		}
	}
}

// wants is the scale at which a node takes an input, whose channels begin at one of a
// join's; nil where it takes any.
func (f *flow) wants(nd network.GraphNode, in string, at int) []float64 {
	want := f.wanted[nd.Name]
	switch nd.Layer.(type) {
	case layer.ReLU, ordinary.QCFS:
		return f.units[nd.Name]
	case layer.Linear, layer.Conv2D:
		return nil
	case layer.Add:
		if want == nil {
			return ones(f.shape(in))
		}
	case layer.Concat:
		if want != nil {
			return want[at:][:width(f.shape(in))]
		}
	case layer.Flatten:
		if n := width(f.shape(in)); want != nil {
			for i, v := range want {
				if v != want[i%n] {
					return ones(f.shape(in))
				}
			}
			return want[:n]
		}
	}
	return want
}

// align adds a node of the old graph to the new one.
func (f *flow) align(nd network.GraphNode) error {
	nd.Inputs = slices.Clone(nd.Inputs)
	want, shape := f.wanted[nd.Name], f.shape(nd.Name)
	if want == nil {
		want = ones(shape)
	}
	switch nd.Layer.(type) {
	case layer.ReLU, ordinary.QCFS:
		want = f.units[nd.Name]
		if u, _ := unitOf(nd); u.limit > 0 {
			if slices.Min(want) != slices.Max(want) {
				return fmt.Errorf("has a limit of %v and scales that differ by channel; give all channels one", u.limit)
			}
			nd = limited(nd, u.limit/want[0])
		}
	case layer.Linear, layer.Conv2D:
		if err := affine(&nd, f.scale[nd.Inputs[0]], want); err != nil {
			return err
		}
		f.nodes, f.scale[nd.Name] = append(f.nodes, nd), want
		return nil
	case layer.Add:
	case layer.Concat:
		want = nil
		for _, in := range nd.Inputs {
			want = append(want, f.scale[in]...)
		}
	case layer.Flatten:
		of := f.scale[nd.Inputs[0]]
		want = make([]float64, width(shape))
		for i := range want {
			want[i] = of[i%len(of)]
		}
	default:
		want = f.scale[nd.Inputs[0]]
	}
	switch nd.Layer.(type) {
	case layer.ReLU, ordinary.QCFS, layer.Add:
		for k, in := range nd.Inputs {
			var err error
			if nd.Inputs[k], err = f.adapted(in, f.shape(in), want, nd.Name); err != nil {
				return err
			}
		}
	}
	f.nodes, f.scale[nd.Name] = append(f.nodes, nd), want
	return nil
}

// affine scales a node's weights and bias.
func affine(nd *network.GraphNode, in, out []float64) error {
	w, err := nd.Array("weight")
	if err != nil {
		return err
	}
	groups, n := 1, len(out)
	if l, ok := nd.Layer.(layer.Conv2D); ok {
		groups = max(1, l.Groups)
	}
	w, deep := w.Clone(), len(in)/groups
	for i, v := range w.Data {
		o := i % n
		from := o/(n/groups)*deep + i/n%deep
		w.Data[i] = tensor.Float(float64(v) * (in[from] / out[o]))
	}
	arrays := map[string]tensor.Tensor{"weight": w}
	if b, ok := nd.Arrays["bias"]; ok {
		b = b.Clone()
		for o, v := range b.Data {
			b.Data[o] = tensor.Float(float64(v) / out[o])
		}
		arrays["bias"] = b
	}
	nd.Arrays = arrays
	return nil
}

// addBias adds to a node's bias, which it need not have.
func addBias(nd *network.GraphNode, shift []float64) error {
	w, err := nd.Array("weight")
	if err != nil {
		return err
	}
	b := tensor.New(len(shift))
	if had, ok := nd.Arrays["bias"]; ok {
		b = had.Clone()
	}
	if len(b.Data) != len(shift) {
		return fmt.Errorf("node %q has %d channels, and what it feeds %d", nd.Name, len(b.Data), len(shift))
	}
	for i, v := range shift {
		b.Data[i] = tensor.Float(float64(b.Data[i]) + v)
	}
	nd.Arrays = map[string]tensor.Tensor{"weight": w, "bias": b}
	switch l := nd.Layer.(type) {
	case layer.Linear:
		l.NoBias = false
		nd.Layer = l
	case layer.Conv2D:
		l.NoBias = false
		nd.Layer = l
	}
	return nil
}

// adapted is the node that gives what another does at a scale: it, or a new one behind it.
func (f *flow) adapted(name string, shape tensor.Shape, want []float64, whose string) (string, error) {
	of := f.scale[name]
	if slices.Equal(of, want) {
		return name, nil
	}
	factor := make([]float64, len(of))
	for i := range factor {
		factor[i] = of[i] / want[i]
	}
	nd, err := multiplier(shape, factor)
	if err != nil {
		return "", fmt.Errorf("%s for %s: %w", name, whose, err)
	}
	nd.Inputs = []string{name}
	for k := 1; nd.Name == "" || f.shape(nd.Name) != nil; k++ {
		nd.Name = fmt.Sprintf("%s_scale%d", name, k)
	}
	f.info[nd.Name] = network.Info{Node: nd.Node, Out: shape}
	f.nodes, f.scale[nd.Name] = append(f.nodes, nd), want
	f.report.Add(name, network.Changed, "reaches %s multiplied by %s, as its scale differs", whose, span(factor))
	return nd.Name, nil
}

// multiplier is a node that multiplies each channel by a factor.
func multiplier(shape tensor.Shape, factor []float64) (nd network.GraphNode, err error) {
	n := len(factor)
	switch len(shape) {
	case 1:
		w := tensor.New(n, n)
		for i, v := range factor {
			w.Data[i*n+i] = tensor.Float(v)
		}
		nd.Layer, nd.Arrays = layer.Linear{Out: n, NoBias: true}, map[string]tensor.Tensor{"weight": w}
	case 3:
		w := tensor.New(1, 1, 1, n)
		for i, v := range factor {
			w.Data[i] = tensor.Float(v)
		}
		nd.Layer, nd.Arrays = layer.Conv2D{Out: n, Kernel: []int{1}, Groups: n, NoBias: true}, map[string]tensor.Tensor{"weight": w}
	default:
		return nd, fmt.Errorf("a signal of shape %v comes at another scale than it is wanted at, and only vectors and images [h, w, channels] are rescaled; put a flatten layer before", shape)
	}
	return nd, nil
}

// span is one number of several alike, or the least and the largest.
func span(v []float64) string {
	if len(v) == 0 {
		return "none"
	}
	lo, hi := slices.Min(v), slices.Max(v)
	if lo == hi {
		return fmt.Sprintf("%.4g", lo)
	}
	return fmt.Sprintf("%.4g to %.4g", lo, hi)
}
