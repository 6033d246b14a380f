// Package certify tells what a NIR file means, and whether this project runs it so.
//
// A file holds differential equations. What it leaves open (the kind of reset, the length of a step,
// delays, a least voltage) makes one file many networks. Check runs the file's network for a given
// or generated input by the engine, and compares spikes and voltages of every neuron with
//
//	steps    the same reading by the solutions of the equations, v(t) = v∞ + (v(0) − v∞)·exp(−t/τ)
//	         over a step of constant input, in double precision by plain loops
//	exact    the same equations from spike to spike, at the times at which voltages reach thresholds
//	others   the other readings that the file leaves open
//
// and with traces of other programs, which are explained by the reading that gives them again: its
// delay, the scale of its voltages or inputs, its reset. Nothing of it shares code with the engine.
package certify

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"synfire/exchange/nir"
	"synfire/surrogate"
)

// Certificate is what Check finds; its JSON is that of synfire certify.
type Certificate struct {
	Format  string      `json:"format"`
	Nodes   []Node      `json:"nodes"`
	Steps   int         `json:"steps"`
	DT      float64     `json:"dt"`
	Agrees  bool        `json:"agrees"`           // with the steps, up to rounding, and with the spikes of all traces
	First   *Difference `json:"first_difference"` // from the steps, else from the first trace that differs
	Against []Against   `json:"against"`
}

// Node is a node of the file.
type Node struct {
	Name string   `json:"name"`
	Kind string   `json:"kind"`
	To   string   `json:"lowered_to"`
	Lost []string `json:"lost"`
}

// Difference is the first one: spikes of a neuron in a step, or voltages where the spikes agree.
type Difference struct {
	Node     string  `json:"node"`
	Neuron   int     `json:"neuron"`
	Step     int     `json:"step"`
	Expected float64 `json:"expected"`
	Found    float64 `json:"found"`
	Cause    string  `json:"cause"`
}

// Against is a comparison with one other evaluation or trace. The error is that of the voltages, of
// a trace divided by its scale.
type Against struct {
	Trace       string  `json:"trace"`
	SpikesEqual bool    `json:"spikes_equal"`
	MaxError    float64 `json:"max_error"`

	Scale float64     `json:"-"` // of a given trace's voltages
	Why   string      `json:"-"` // what explains it
	First *Difference `json:"-"`
}

// Trace is what another program gave: a row a step of inputs, then of the neurons before the Output
// their voltages and their spikes.
type Trace struct {
	Name string
	Rows [][]float64
}

// Setting is what a file is checked with.
type Setting struct {
	Options nir.Options // how the file is read
	Input   [][]float64 // a row a step, in the order of the file; none: that of the first trace, or generated
	Steps   int         // that are generated; 0: 100
	Traces  []Trace
}

// Causes of differences.
const (
	Rounding = "rounding" // a voltage within rounding of its threshold
	Delay    = "delay"
	Scale    = "scale"
	Reset    = "reset"
	Method   = "method" // how equations become steps
	Unknown  = "unknown"
)

// tolerance is that of voltages, in thresholds or the largest voltage of their node: rounding in
// single precision, many times over.
const tolerance = 1e-5

// Step is a length of a step for a file: a twenty-fifth of its shortest time constant, as 1, 2 or 5
// times a power of ten; 1 where there is none.
func Step(g *nir.Graph) float64 {
	shortest := math.Inf(1)
	for _, n := range g.Nodes {
		for _, name := range []string{"tau", "tau_mem", "tau_syn"} {
			for _, tau := range n.Params[name].Data {
				shortest = min(shortest, tau)
			}
		}
	}
	if math.IsInf(shortest, 0) || !(shortest > 0) {
		return 1
	}
	most := shortest / 25 * (1 + 1e-6)
	power := math.Floor(math.Log10(most))
	for _, m := range []float64{5, 2} {
		if step := m * math.Pow(10, power); step <= most {
			return step
		}
	}
	return math.Pow(10, power)
}

// Check compares. The options' Reset must be given where neurons fire; its Surrogate need not be.
func Check(g *nir.Graph, s Setting) (Certificate, error) {
	if s.Options.Surrogate == nil {
		s.Options.Surrogate = surrogate.FastSigmoid{Slope: 25}
	}
	net, report, err := g.Lower(s.Options)
	if err != nil {
		return Certificate{}, fmt.Errorf("certify: %w", err)
	}
	input, err := s.input(g)
	if err != nil {
		return Certificate{}, fmt.Errorf("certify: %w", err)
	}
	c := Certificate{Format: "nir", Nodes: []Node{}, Steps: len(input), DT: s.Options.DT, Against: []Against{}}
	for _, l := range report {
		c.Nodes = append(c.Nodes, Node{l.Node, l.Kind, l.To, append([]string{}, l.Lost...)})
	}
	own, err := run(net, report, input)
	if err != nil {
		return Certificate{}, fmt.Errorf("certify: %w", err)
	}
	base := readingOf(s.Options)
	k := comparison{g, report, own}
	for _, r := range readings(base, threshold(g)) {
		course, err := Solve(g, r.Reading, input)
		if err != nil {
			return Certificate{}, err
		}
		a := k.with(r.name, course)
		if r.name == "steps" {
			c.First = a.First
		}
		c.Against = append(c.Against, a)
	}
	c.Against = append(c.Against, Against{Trace: sumPrefix + own.sum(), SpikesEqual: true})
	c.Agrees = c.First == nil || c.First.Cause == Rounding
	for _, t := range s.Traces {
		a, err := k.trace(t, base, input)
		if err != nil {
			return Certificate{}, fmt.Errorf("certify: trace %s: %w", t.Name, err)
		}
		c.Agrees = c.Agrees && a.SpikesEqual
		if c.First == nil {
			c.First = a.First
		}
		c.Against = append(c.Against, a)
	}
	return c, nil
}

// threshold is the first of a graph; 0 where nothing fires.
func threshold(g *nir.Graph) float64 {
	for _, n := range g.Nodes {
		if v := n.Params["v_threshold"].Data; len(v) > 0 {
			return v[0]
		}
	}
	return 0
}

// readingOf is the reading that options say.
func readingOf(o nir.Options) Reading {
	r := Reading{DT: o.DT, Reset: "none", Method: string(o.Method), Coupling: "euler", Strict: o.Strict, Refractory: o.Refractory, Floor: o.Floor}
	if o.Reset != nil {
		r.Reset = o.Reset.String()
	}
	if o.Coupling != nil {
		r.Coupling = o.Coupling.String()
	}
	return r
}

// named is a reading under the name that it is listed by.
type named struct {
	name string
	Reading
}

// readings are the given one, and those that the file leaves open beside it.
func readings(base Reading, threshold float64) []named {
	all := []named{{"steps", base}}
	if threshold == 0 {
		return all
	}
	other := func(name string, change func(r *Reading)) {
		r := base
		change(&r)
		all = append(all, named{name, r})
	}
	other("exact", func(r *Reading) { r.Within, r.Method = true, "exact" })
	for _, reset := range []string{"subtract", "zero"} {
		if reset != base.Reset {
			other("reset: "+reset, func(r *Reading) { r.Reset = reset })
		}
	}
	other(fmt.Sprintf("dt: %v", base.DT/2), func(r *Reading) { r.Parts = 2 })
	other("delay: 1 step", func(r *Reading) { r.Delay = 1 })
	if base.Floor == 0 {
		other(fmt.Sprintf("floor: %v", -threshold), func(r *Reading) { r.Floor = -threshold })
	} else {
		other("floor: none", func(r *Reading) { r.Floor = 0 })
	}
	return all
}

// input is the given input, that of the first trace, or a generated one.
func (s Setting) input(g *nir.Graph) ([][]float64, error) {
	i := slices.IndexFunc(g.Nodes, func(n nir.Node) bool { return n.Kind == "Input" })
	width := size(whole(g.Nodes[i].Params["shape"]))
	rows := s.Input
	switch {
	case rows != nil:
	case len(s.Traces) > 0:
		for t, row := range s.Traces[0].Rows {
			if len(row) < width {
				return nil, fmt.Errorf("trace %s: row %d has %d columns, want %d of input, and then voltages and spikes", s.Traces[0].Name, t+1, len(row), width)
			}
			rows = append(rows, row[:width])
		}
	default:
		return Generated(width, s.Steps), nil
	}
	for t, row := range rows {
		if len(row) != width {
			return nil, fmt.Errorf("row %d of the input has %d columns, the network takes %d", t+1, len(row), width)
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("an input of no steps; give a row a step")
	}
	return rows, nil
}

// Generated is an input of so many steps (0: 100): a third of its elements is not zero, and those
// grow from 0 to 4 in the course of it. It is always the same.
func Generated(width, steps int) [][]float64 {
	if steps == 0 {
		steps = 100
	}
	random := rand.New(rand.NewPCG(1, 17))
	rows := make([][]float64, steps)
	for t := range rows {
		rows[t] = make([]float64, width)
		for i := range rows[t] {
			if random.IntN(3) == 0 {
				rows[t][i] = float64(random.IntN(64)+1) / 16 * float64(t+1) / float64(steps)
				rows[t][i] = float64(float32(rows[t][i]))
			}
		}
	}
	return rows
}
