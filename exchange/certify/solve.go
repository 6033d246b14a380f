package certify

import (
	"fmt"
	"math"
	"slices"

	"synfire/exchange/nir"
)

// Reading is how a file is read where it leaves things open. It has words of its own: what is
// evaluated here shares nothing with the engine.
type Reading struct {
	DT         float64 // length of a step, over which the input is constant
	Reset      string  // subtract, zero or none
	Method     string  // exact; euler; or impulse, where an input adds r·I·Δ/τ at once
	Coupling   string  // of a synapse: unit, euler or exact
	Strict     bool    // fire above the threshold only
	Refractory int     // steps of silence after a spike
	Delay      int     // steps by which each population gets its input later
	Floor      float64 // least voltage, below 0; 0: none
	Parts      int     // of a step, each evaluated for itself; 0: 1
	Within     bool    // thresholds are crossed at any time, not looked at at the ends of steps
	Gain       float64 // factor of the inputs; 0: 1
}

// Course is what populations did: a row a step, in the order of the file.
type Course struct {
	Spikes   map[string][][]float64 // by node; numbers of spikes of each neuron
	Voltages map[string][][]float64 // after the reset, of neurons that do not fire too
}

// Populations are the kinds of nodes that have a voltage.
var Populations = []string{"LIF", "IF", "CubaLIF", "LI", "I", "CubaLI"}

// Solve evaluates a graph in double precision by plain loops: neurons by the solutions of their
// equations for an input that is constant over a step, a row of input a step.
func Solve(g *nir.Graph, r Reading, input [][]float64) (Course, error) {
	s := &solver{r: r, nodes: map[string]*nir.Node{}, from: map[string][]string{}, state: map[string]*state{}, course: Course{map[string][][]float64{}, map[string][][]float64{}}}
	for i := range g.Nodes {
		s.nodes[g.Nodes[i].Name] = &g.Nodes[i]
	}
	for _, e := range g.Edges {
		s.from[e.To] = append(s.from[e.To], e.From)
	}
	if s.r.Parts == 0 {
		s.r.Parts = 1
	}
	s.r.DT /= float64(s.r.Parts)
	for t, row := range input {
		for part := range s.r.Parts {
			if err := s.step(g, row, part == 0); err != nil {
				return Course{}, fmt.Errorf("certify: step %d: %w", t, err)
			}
		}
	}
	return s.course, nil
}

// solver is the state of Solve.
type solver struct {
	r      Reading
	nodes  map[string]*nir.Node
	from   map[string][]string
	state  map[string]*state
	now    map[string]field // values of this step
	last   map[string]field // of the step before
	course Course
	begin  bool // of a whole step
}

// field is what a node gives in a step, channels first; nil: nothing yet, which is zeros.
type field struct {
	shape []int
	v     []float64
}

// state is the memory of a node.
type state struct {
	v, i  []float64
	pause []int
	queue [][]float64
}

func (s *solver) step(g *nir.Graph, row []float64, begin bool) error {
	s.last, s.now, s.begin = s.now, map[string]field{}, begin
	for _, n := range g.Nodes {
		if n.Kind != "Input" {
			continue
		}
		f := field{shape: whole(n.Params["shape"]), v: slices.Clone(row)}
		if size(f.shape) != len(row) {
			return fmt.Errorf("an input of %d values, where %q has the shape %v", len(row), n.Name, f.shape)
		}
		for i := range f.v {
			if s.r.Gain != 0 {
				f.v[i] *= s.r.Gain
			}
		}
		s.now[n.Name] = f
	}
	for _, n := range g.Nodes {
		if n.Kind == "Output" {
			if _, err := s.value(n.Name, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// value is what a node gives in this step. On a cycle it is what it gave in the step before.
func (s *solver) value(name string, path []string) (field, error) {
	if f, ok := s.now[name]; ok {
		return f, nil
	}
	if slices.Contains(path, name) {
		return s.last[name], nil
	}
	n, path := s.nodes[name], append(path, name)
	var in field
	for _, from := range s.from[name] {
		f, err := s.value(from, path)
		if err != nil {
			return in, err
		}
		if in.v == nil {
			in = field{f.shape, slices.Clone(f.v)}
			continue
		}
		for i, x := range f.v {
			in.v[i] += x
		}
	}
	f, err := s.node(n, in)
	if err != nil {
		return f, fmt.Errorf("node %q (%s): %w", name, n.Kind, err)
	}
	s.now[name] = f
	return f, nil
}

func whole(p nir.Param) (v []int) {
	for _, x := range p.Data {
		v = append(v, int(x))
	}
	return v
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// node is what a node makes of its input.
func (s *solver) node(n *nir.Node, in field) (field, error) {
	switch n.Kind {
	case "Output":
		return in, nil
	case "Linear", "Affine":
		return linear(n, in), nil
	case "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d":
		return window(n, in)
	case "Flatten":
		return field{[]int{len(in.v)}, in.v}, nil
	case "Scale":
		return s.each(n, in, "scale", func(x, p float64) float64 { return x * p })
	case "Threshold":
		f, err := s.each(n, in, "threshold", func(x, p float64) float64 { return spike(x > p) })
		s.record(n.Name, f.v, nil)
		return f, err
	case "Delay":
		return s.delay(n, in)
	}
	if !slices.Contains(Populations, n.Kind) {
		return in, fmt.Errorf("the kind is not evaluated here")
	}
	return s.population(n, in)
}

func spike(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// each applies a function of a parameter to each element.
func (s *solver) each(n *nir.Node, in field, name string, f func(x, p float64) float64) (field, error) {
	at, err := parameter(n, name, 1, in)
	for i := range in.v {
		if err == nil {
			in.v[i] = f(in.v[i], at(i))
		}
	}
	return in, err
}

// parameter is a parameter of each neuron: one number, one a channel or one a neuron.
func parameter(n *nir.Node, name string, fallback float64, in field) (func(i int) float64, error) {
	p := n.Params[name].Data
	switch {
	case len(p) == 0:
		return func(int) float64 { return fallback }, nil
	case len(p) == 1:
		return func(int) float64 { return p[0] }, nil
	case len(in.v)%len(p) != 0:
		return nil, fmt.Errorf("%d values of %s for %d neurons", len(p), name, len(in.v))
	}
	each := len(in.v) / len(p)
	return func(i int) float64 { return p[i/each] }, nil
}

func linear(n *nir.Node, in field) field {
	w := n.Params["weight"]
	outs, ins := w.Shape[0], w.Shape[1]
	y := make([]float64, outs)
	copy(y, n.Params["bias"].Data)
	for k, x := range in.v {
		if x != 0 {
			for o := range y {
				y[o] += w.Data[o*ins+k] * x
			}
		}
	}
	return field{[]int{outs}, y}
}

// spatial is the geometry of windows; a line has one row.
type spatial struct {
	kernel, stride, pad, dilation [2]int
	outs, groups                  int
}

// geometry reads that of a node.
func geometry(n *nir.Node, channels int) (g spatial, err error) {
	line := n.Kind == "Conv1d"
	pair := func(name string, fallback int) [2]int {
		v := whole(n.Params[name])
		switch {
		case len(v) == 0:
			return [2]int{fallback, fallback}
		case line && name == "padding":
			return [2]int{0, v[0]}
		case line:
			return [2]int{1, v[0]}
		case len(v) == 1:
			return [2]int{v[0], v[0]}
		}
		return [2]int{v[0], v[1]}
	}
	g = spatial{stride: pair("stride", 1), pad: pair("padding", 0), dilation: pair("dilation", 1), outs: channels, groups: channels}
	if w := n.Params["weight"]; w.Data != nil {
		g.outs, g.kernel = w.Shape[0], [2]int{1, w.Shape[len(w.Shape)-1]}
		if g.groups = 1; n.Params["groups"].Data != nil {
			g.groups = int(n.Params["groups"].Data[0])
		}
		if !line {
			g.kernel[0] = w.Shape[2]
		}
	} else {
		g.kernel = pair("kernel_size", 0)
		if n.Params["stride"].Data == nil {
			g.stride = g.kernel
		}
	}
	switch n.Params["padding"].Text {
	case "", "valid":
	default: // same: what is odd goes to the end, where the size of the output takes it in
		for k := range 2 {
			g.pad[k] = g.dilation[k] * (g.kernel[k] - 1) / 2
			if g.dilation[k]*(g.kernel[k]-1)%2 != 0 {
				return g, fmt.Errorf("padding same of an even kernel is not evaluated here")
			}
		}
	}
	return g, nil
}

// window is a convolution or pooling, by the inputs that are not zero.
func window(n *nir.Node, in field) (field, error) {
	c, h, w := in.shape[0], 1, in.shape[len(in.shape)-1]
	if len(in.shape) == 3 {
		h = in.shape[1]
	}
	g, err := geometry(n, c)
	if err != nil {
		return in, err
	}
	var side [2]int
	for k, d := range [2]int{h, w} {
		side[k] = (d+2*g.pad[k]-g.dilation[k]*(g.kernel[k]-1)-1)/g.stride[k] + 1
	}
	area, ins, per, taps := side[0]*side[1], c/g.groups, g.outs/g.groups, g.kernel[0]*g.kernel[1]
	y := make([]float64, g.outs*area)
	for i, b := range n.Params["bias"].Data {
		for k := range area {
			y[i*area+k] = b
		}
	}
	weights, share := n.Params["weight"].Data, 1.0
	if n.Kind == "AvgPool2d" {
		share = 1 / float64(taps)
	}
	for i, x := range in.v {
		if x == 0 {
			continue
		}
		ch, row, col := i/(h*w), i/w%h, i%w
		for tap := range taps {
			r, q := row+g.pad[0]-tap/g.kernel[1]*g.dilation[0], col+g.pad[1]-tap%g.kernel[1]*g.dilation[1]
			if r < 0 || q < 0 || r%g.stride[0] != 0 || q%g.stride[1] != 0 || r/g.stride[0] >= side[0] || q/g.stride[1] >= side[1] {
				continue
			}
			at := r/g.stride[0]*side[1] + q/g.stride[1]
			for o := ch / ins * per; o < (ch/ins+1)*per; o++ {
				f := share
				if weights != nil {
					f = weights[(o*ins+ch%ins)*taps+tap]
				}
				y[o*area+at] += f * x
			}
		}
	}
	if len(in.shape) == 2 {
		return field{[]int{g.outs, side[1]}, y}, nil
	}
	return field{[]int{g.outs, side[0], side[1]}, y}, nil
}

// memory is the state of a node of so many neurons.
func (s *solver) memory(name string, n int) *state {
	st := s.state[name]
	if st == nil {
		st = &state{v: make([]float64, n), i: make([]float64, n), pause: make([]int, n)}
		s.state[name] = st
	}
	return st
}

// delay gives each element what it was so long before.
func (s *solver) delay(n *nir.Node, in field) (field, error) {
	d, err := parameter(n, "delay", 0, in)
	if err != nil {
		return in, err
	}
	st := s.memory(n.Name, 0)
	st.queue = append(st.queue, slices.Clone(in.v))
	for i := range in.v {
		in.v[i] = 0
		if at := len(st.queue) - 1 - int(math.Round(d(i)/s.r.DT)); at >= 0 {
			in.v[i] = st.queue[at][i]
		}
	}
	return in, nil
}

// record notes what a population did; of parts of a step the sum of spikes and the last voltage.
func (s *solver) record(name string, spikes, voltages []float64) {
	if spikes != nil {
		rows := s.course.Spikes[name]
		if s.begin {
			s.course.Spikes[name] = append(rows, slices.Clone(spikes))
		} else {
			for i, x := range spikes {
				rows[len(rows)-1][i] += x
			}
		}
	}
	if voltages != nil {
		if rows := s.course.Voltages[name]; !s.begin {
			s.course.Voltages[name] = rows[:len(rows)-1]
		}
		s.course.Voltages[name] = append(s.course.Voltages[name], slices.Clone(voltages))
	}
}
