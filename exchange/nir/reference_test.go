package nir_test

import (
	"math"
	"slices"
	"testing"

	"synfire/exchange/nir"
	"synfire/neuron"
	"synfire/signal"
)

// machine runs a graph of a file in double precision, channels first, by plain loops: what
// Lower is compared with.
type machine struct {
	g     *nir.Graph
	o     nir.Options
	nodes map[string]nir.Node
	state map[string][]float64
	now   map[string][]float64 // values of this step
	last  map[string][]float64 // of the step before
	shape map[string][]int
}

// reference gives the Output for an input, a row a step.
func reference(t *testing.T, g *nir.Graph, o nir.Options, in [][]float64) (out [][]float64) {
	t.Helper()
	m := &machine{g: g, o: o, nodes: map[string]nir.Node{}, state: map[string][]float64{}, shape: map[string][]int{}}
	for _, n := range g.Nodes {
		m.nodes[n.Name] = n
	}
	for _, x := range in {
		m.last, m.now = m.now, map[string][]float64{}
		for _, n := range g.Nodes {
			if n.Kind == "Input" {
				m.now[n.Name], m.shape[n.Name] = x, ints(n.Params["shape"])
			}
		}
		for _, n := range g.Nodes {
			if n.Kind == "Output" {
				out = append(out, m.value(n.Name))
			}
		}
	}
	return out
}

func ints(p nir.Param) (v []int) {
	for _, x := range p.Data {
		v = append(v, int(x))
	}
	return v
}

// value is what a node gives in this step. Weights of a recurrent neuron take its last spikes.
func (m *machine) value(name string) []float64 {
	if v, ok := m.now[name]; ok {
		return v
	}
	var x []float64
	var shape []int
	for _, e := range m.g.Edges {
		if e.To != name {
			continue
		}
		v := m.last[e.From]
		if !slices.Contains(m.g.Edges, nir.Edge{From: name, To: e.From}) || m.nodes[name].Kind == "LIF" || m.nodes[name].Kind == "IF" || m.nodes[name].Kind == "CubaLIF" {
			v = m.value(e.From)
		}
		if shape == nil {
			shape = m.shape[e.From]
		}
		if x == nil {
			x = slices.Clone(v)
			continue
		}
		for i := range v {
			x[i] += v[i]
		}
	}
	m.now[name] = m.compute(m.nodes[name], x, shape)
	return m.now[name]
}

func (m *machine) compute(n nir.Node, x []float64, shape []int) []float64 {
	p := func(name string, i int) float64 {
		v := n.Params[name]
		switch len(v.Data) {
		case 0:
			return map[string]float64{"r": 1, "w_in": 1}[name]
		case 1:
			return v.Data[0]
		case len(x):
			return v.Data[i]
		}
		return v.Data[i/(len(x)/len(v.Data))]
	}
	switch n.Kind {
	case "Linear", "Affine":
		w := n.Params["weight"]
		y := make([]float64, w.Shape[0])
		copy(y, n.Params["bias"].Data)
		for i := range w.Data {
			if x != nil {
				y[i/w.Shape[1]] += w.Data[i] * x[i%w.Shape[1]]
			}
		}
		m.shape[n.Name] = []int{len(y)}
		return y
	case "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d":
		y, s := convolved(n, x, shape)
		m.shape[n.Name] = s
		return y
	case "Flatten":
		m.shape[n.Name] = []int{len(x)}
		return x
	case "Scale":
		for i := range x {
			x[i] *= p("scale", i)
		}
	case "Threshold":
		for i := range x {
			x[i] = spikeIf(x[i] > p("threshold", i))
		}
	case "Delay":
		key := n.Name
		queue := append(m.state[key], x...)
		m.state[key] = queue
		for i := range x {
			back := int(math.Round(p("delay", i) / m.o.DT))
			if at := len(queue) - (back+1)*len(x) + i; at >= 0 {
				x[i] = queue[at]
			} else {
				x[i] = 0
			}
		}
	case "Output":
		return x
	default:
		m.neurons(n, x, p)
	}
	m.shape[n.Name] = shape
	return x
}

func spikeIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// neurons turns currents into spikes or voltages, in place.
func (m *machine) neurons(n nir.Node, x []float64, p func(string, int) float64) {
	s := m.state[n.Name]
	if s == nil {
		s = make([]float64, 2*len(x))
		m.state[n.Name] = s
	}
	for i := range x {
		v, c := &s[i], &s[len(x)+i]
		switch n.Kind {
		case "IF", "I":
			*v += p("r", i) * x[i] * m.o.DT
		case "LIF", "LI":
			b := math.Exp(-m.o.DT / p("tau", i))
			*v = b**v + (1-b)*(p("v_leak", i)+p("r", i)*x[i])
		default:
			a, b := math.Exp(-m.o.DT/p("tau_syn", i)), math.Exp(-m.o.DT/p("tau_mem", i))
			*c = a**c + (1-a)*p("w_in", i)*x[i]
			*v = b**v + (1-b)*(p("v_leak", i)+p("r", i)**c)
		}
		x[i] = *v
		if len(n.Params["v_threshold"].Data) == 0 {
			continue
		}
		theta := p("v_threshold", i)
		x[i] = spikeIf(*v >= theta)
		if x[i] == 1 {
			switch *m.o.Reset {
			case neuron.Subtract:
				*v -= theta
			case neuron.Zero:
				*v = p("v_reset", i)
			}
		}
	}
}

// convolved is a convolution or a pooling, by the events of its input.
func convolved(n nir.Node, x []float64, shape []int) ([]float64, []int) {
	line := len(shape) == 2
	if line {
		shape = []int{shape[0], 1, shape[1]}
	}
	pair := func(name string, fallback int) [2]int {
		v := ints(n.Params[name])
		switch {
		case len(v) == 0:
			return [2]int{fallback, fallback}
		case line:
			return [2]int{fallback, v[0]}
		case len(v) == 1:
			return [2]int{v[0], v[0]}
		}
		return [2]int{v[0], v[1]}
	}
	stride, pad, dil := pair("stride", 1), pair("padding", 0), pair("dilation", 1)
	w, groups := n.Params["weight"], 1
	kernel := pair("kernel_size", 1)
	outs := shape[0]
	if g := n.Params["groups"].Data; len(g) > 0 {
		groups = int(g[0])
	}
	if w.Data != nil {
		outs = w.Shape[0]
		kernel = [2]int{w.Shape[len(w.Shape)-2], w.Shape[len(w.Shape)-1]}
		if line {
			kernel[0] = 1
		}
	} else {
		groups = shape[0]
	}
	var side [2]int
	for k := range 2 {
		side[k] = (shape[1+k]+2*pad[k]-dil[k]*(kernel[k]-1)-1)/stride[k] + 1
	}
	area, ins, per := side[0]*side[1], shape[0]/groups, outs/groups
	y := make([]float64, outs*area)
	for i := range y {
		if b := n.Params["bias"].Data; b != nil {
			y[i] = b[i/area]
		}
	}
	for i, v := range x {
		if v == 0 {
			continue
		}
		ch, row, col := i/(shape[1]*shape[2]), i/shape[2]%shape[1], i%shape[2]
		for tap := range kernel[0] * kernel[1] {
			r, c := row+pad[0]-tap/kernel[1]*dil[0], col+pad[1]-tap%kernel[1]*dil[1]
			if r < 0 || c < 0 || r%stride[0] != 0 || c%stride[1] != 0 || r/stride[0] >= side[0] || c/stride[1] >= side[1] {
				continue
			}
			for k := range per {
				o := ch/ins*per + k
				f := 1.0
				switch {
				case w.Data != nil:
					f = w.Data[(o*ins+ch%ins)*kernel[0]*kernel[1]+tap]
				case n.Kind == "AvgPool2d":
					f = 1 / float64(kernel[0]*kernel[1])
				}
				y[o*area+r/stride[0]*side[1]+c/stride[1]] += f * v
			}
		}
	}
	if line {
		return y, []int{outs, side[1]}
	}
	return y, []int{outs, side[0], side[1]}
}

// channelsFirst is a signal of one sample, a row a step.
func channelsFirst(x *signal.Signal) (rows [][]float64) {
	units, channels := x.Units(), x.Shape[len(x.Shape)-1]
	for t := range x.T {
		row := make([]float64, units)
		for i, v := range x.Data[t*units:][:units] {
			if len(x.Shape) == 1 {
				row[i] = float64(v)
			} else {
				row[i%channels*(units/channels)+i/channels] = float64(v)
			}
		}
		rows = append(rows, row)
	}
	return rows
}
