package certify

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/exchange/nir"
)

// comparison is what the engine gave, against which others are held.
type comparison struct {
	file   *nir.Graph
	report []nir.Lowered // in the order in which nodes are computed
	own    Course
}

// with compares with an evaluation. What is expected is its value, what is found the engine's.
func (k comparison) with(name string, other Course) Against {
	a := Against{Trace: name, SpikesEqual: true}
	var voltage *Difference
	for _, l := range k.report {
		spikes := differs(l.Node, other.Spikes[l.Node], k.own.Spikes[l.Node], 0)
		a.SpikesEqual = a.SpikesEqual && spikes == nil
		a.First = earlier(a.First, spikes)
		v, u := other.Voltages[l.Node], k.own.Voltages[l.Node]
		a.MaxError = max(a.MaxError, largest(v, u, 1))
		voltage = earlier(voltage, differs(l.Node, v, u, tolerance*k.level(l.Node)))
	}
	if a.First == nil {
		a.First = voltage
	}
	if a.First != nil {
		a.First.Cause = k.cause(a.First, other)
	}
	return a
}

// level is the largest voltage or threshold of a node, by which errors are measured.
func (k comparison) level(node string) (most float64) {
	for _, row := range k.own.Voltages[node] {
		for _, v := range row {
			most = max(most, math.Abs(v))
		}
	}
	for _, n := range k.file.Nodes {
		for _, theta := range n.Params["v_threshold"].Data {
			if n.Name == node {
				most = max(most, math.Abs(theta))
			}
		}
	}
	return most
}

// cause is rounding where the voltage with or without the spike is within it of the threshold.
func (k comparison) cause(d *Difference, other Course) string {
	v, u := other.Voltages[d.Node], k.own.Voltages[d.Node]
	if v == nil || u == nil || d.Expected == d.Found {
		return Unknown
	}
	before := math.Inf(1) // the distance of voltages in the step before
	if d.Step == 0 {
		before = 0
	} else {
		before = math.Abs(v[d.Step-1][d.Neuron] - u[d.Step-1][d.Neuron])
	}
	if math.Abs(d.Expected-d.Found) == 1 && before <= tolerance*k.level(d.Node) && k.near(d, v, u) {
		return Rounding
	}
	return Unknown
}

// near reports whether the voltage of the one that did not fire is just below its threshold.
func (k comparison) near(d *Difference, v, u [][]float64) bool {
	below := u[d.Step][d.Neuron]
	if d.Found > d.Expected {
		below = v[d.Step][d.Neuron]
	}
	for _, n := range k.file.Nodes {
		if theta := n.Params["v_threshold"].Data; n.Name == d.Node && len(theta) > 0 {
			at := d.Neuron / max(1, len(v[d.Step])/len(theta))
			return math.Abs(below-theta[min(at, len(theta)-1)]) <= tolerance*k.level(d.Node)
		}
	}
	return false
}

// differs is where two courses of a node first differ by more than a tolerance.
func differs(node string, expected, found [][]float64, tolerance float64) *Difference {
	for t := range min(len(expected), len(found)) {
		for i, v := range expected[t] {
			if d := math.Abs(v - found[t][i]); !(d <= tolerance) {
				return &Difference{Node: node, Neuron: i, Step: t, Expected: v, Found: found[t][i]}
			}
		}
	}
	return nil
}

// earlier is the difference of the earlier step, of equal ones the first.
func earlier(a, b *Difference) *Difference {
	if a == nil || b != nil && b.Step < a.Step {
		return b
	}
	return a
}

// largest is the largest difference of one course and another that is divided by a scale.
func largest(a, b [][]float64, scale float64) (most float64) {
	for t := range min(len(a), len(b)) {
		for i, v := range a[t] {
			if most = max(most, math.Abs(v-b[t][i]/scale)); !(most <= math.MaxFloat64) {
				return math.MaxFloat64
			}
		}
	}
	return most
}

// trace compares the exact solution with a trace of another program, and explains the trace by the
// reading that gives it again.
func (k comparison) trace(t Trace, base Reading, input [][]float64) (Against, error) {
	node, err := k.observed()
	if err != nil {
		return Against{}, err
	}
	voltages, spikes, err := t.split(k.file, node, len(k.own.Spikes[node][0]))
	if err != nil {
		return Against{}, err
	}
	exact := base
	exact.Within, exact.Method = true, "exact"
	want, err := Solve(k.file, exact, input)
	if err != nil {
		return Against{}, err
	}
	found, err := explain(k.file, node, base, input, voltages, spikes)
	if err != nil {
		return Against{}, err
	}
	v := want.Voltages[node]
	a := Against{Trace: t.Name, Scale: fitted(v, voltages), Why: found.String()}
	a.First = differs(node, want.Spikes[node], spikes, 0)
	a.SpikesEqual, a.MaxError = a.First == nil, largest(v, voltages, a.Scale)
	cause := found.cause(base)
	switch {
	case cause == Scale:
		a.First = differs(node, v, voltages, tolerance*k.level(node))
	case a.First == nil && cause != "": // where the largest error is half reached
		a.First = differs(node, v, scaled(voltages, 1/a.Scale), a.MaxError/2)
	}
	if a.First != nil {
		a.First.Cause = cause
	}
	return a, nil
}

// observed is the population before the Output.
func (k comparison) observed() (string, error) {
	var before []string
	for _, e := range k.file.Edges {
		for _, n := range k.file.Nodes {
			if n.Name == e.To && n.Kind == "Output" {
				before = append(before, e.From)
			}
		}
	}
	if len(before) != 1 || k.own.Spikes[before[0]] == nil || k.own.Voltages[before[0]] == nil {
		return "", fmt.Errorf("the network's outputs are those of [%s]: want one Output, of one LIF, IF or CubaLIF", strings.Join(before, " "))
	}
	return before[0], nil
}

// split parts the columns of a trace into those of its neurons.
func (t Trace) split(g *nir.Graph, node string, units int) (voltages, spikes [][]float64, err error) {
	i := slices.IndexFunc(g.Nodes, func(n nir.Node) bool { return n.Kind == "Input" })
	width := size(whole(g.Nodes[i].Params["shape"]))
	for row, v := range t.Rows {
		if len(v) != width+2*units {
			return nil, nil, fmt.Errorf("row %d has %d columns, want %d: %d of input, and a voltage and a spike of each neuron of %q", row+1, len(v), width+2*units, width, node)
		}
		voltages, spikes = append(voltages, v[width:width+units]), append(spikes, v[width+units:])
	}
	return voltages, spikes, nil
}

// explanation is a reading and the scale of the voltages with which it gives a trace again.
type explanation struct {
	Reading
	scale float64
	error float64 // what is left, in thresholds
}

// explain tries the readings that programs have, from the plainest: delays, resets, methods, and a
// factor of the voltages or of the inputs.
func explain(g *nir.Graph, node string, base Reading, input, voltages, spikes [][]float64) (explanation, error) {
	best := explanation{error: math.Inf(1)}
	theta := 0.0
	for _, n := range g.Nodes {
		if n.Name == node {
			theta = slices.Max(n.Params["v_threshold"].Data)
		}
	}
	for _, r := range candidates(base) {
		c, err := Solve(g, r, input)
		if err != nil {
			return best, err
		}
		e := explanation{r, fitted(c.Voltages[node], voltages), 0}
		e.judge(c.Voltages[node], voltages, c.Spikes[node], spikes)
		if e.error /= theta; e.error < best.error*0.8-1e-9 {
			best = e
		}
		quiet := min(firstSpike(spikes), firstSpike(c.Spikes[node])) // up to there the factor of an input is one of voltages
		r.Gain = fitted(c.Voltages[node][:quiet], voltages)
		if c, err = Solve(g, r, input); err != nil {
			return best, err
		}
		e = explanation{r, 1, 0}
		e.judge(c.Voltages[node], voltages, c.Spikes[node], spikes)
		if e.error /= theta; e.error < best.error*0.8-1e-9 {
			best = e
		}
	}
	return best, nil
}

// candidates are the readings that programs have, the given one and the plainest first.
func candidates(base Reading) (all []Reading) {
	resets := []string{base.Reset}
	for _, reset := range []string{"subtract", "zero"} {
		if reset != base.Reset {
			resets = append(resets, reset)
		}
	}
	for _, method := range []string{"within", "exact", "euler", "impulse"} {
		for delay := range 3 {
			for _, reset := range resets {
				r := base
				r.Method, r.Delay, r.Reset = method, delay, reset
				if r.Within = method == "within"; r.Within {
					r.Method = "exact"
				}
				all = append(all, r)
			}
		}
	}
	return all
}

// judge sets the error, the root of the mean square of the voltages'; spikes count first.
func (e *explanation) judge(own, voltages, fired, spikes [][]float64) {
	n := 0
	for t := range min(len(voltages), len(own)) {
		for i, v := range voltages[t] {
			d := v/e.scale - own[t][i]
			e.error += d * d
			n++
		}
	}
	e.error = math.Sqrt(e.error / float64(max(1, n)))
	if differs("", fired, spikes, 0) != nil {
		e.error = 1e3 * max(e.error, 1)
	}
}

func firstSpike(spikes [][]float64) int {
	for t, row := range spikes {
		if slices.Max(row) > 0 {
			return t
		}
	}
	return len(spikes)
}

// fitted is the factor of one course by which it is closest to another; 1 where there is none.
func fitted(of, to [][]float64) float64 {
	xx, xy := 0.0, 0.0
	for t := range min(len(of), len(to)) {
		for i, x := range of[t] {
			xx += x * x
			xy += x * to[t][i]
		}
	}
	if s := xy / xx; xx > 0 && s > 0 {
		return s
	}
	return 1
}

func scaled(rows [][]float64, f float64) (all [][]float64) {
	for _, row := range rows {
		r := slices.Clone(row)
		for i := range r {
			r[i] *= f
		}
		all = append(all, r)
	}
	return all
}

// odd is how far a factor may be from 1 for that of an equal scale.
const odd = 0.005

// explained is the error, in thresholds, up to which a reading gives a trace again.
const explained = 0.02

// cause is the first of what differs from the reading: a delay, a scale, the reset, the method.
func (e explanation) cause(base Reading) string {
	gain := e.Gain
	if gain == 0 {
		gain = 1
	}
	switch {
	case !(e.error <= explained):
		return Unknown
	case e.Delay != base.Delay:
		return Delay
	case math.Abs(e.scale-1) > odd || math.Abs(gain-1) > odd || e.Method == "impulse":
		return Scale
	case e.Reset != base.Reset:
		return Reset
	case !e.Within && e.Method != "exact":
		return Method
	}
	return ""
}

// String says the reading.
func (e explanation) String() string {
	if !(e.error <= explained) {
		return "no reading gives it again"
	}
	parts := []string{"reset " + e.Reset}
	if e.Within {
		parts = append(parts, "thresholds crossed within steps")
	} else {
		parts = append(parts, map[string]string{"exact": "exact steps", "euler": "Euler's method", "impulse": "inputs added at once, Δ/τ"}[e.Method])
	}
	if e.Delay > 0 {
		parts = append(parts, fmt.Sprintf("late by %d", e.Delay))
	}
	if math.Abs(e.scale-1) > odd {
		parts = append(parts, fmt.Sprintf("voltages × %.4g", e.scale))
	}
	if e.Gain != 0 && math.Abs(e.Gain-1) > odd {
		parts = append(parts, fmt.Sprintf("inputs × %.4g", e.Gain))
	}
	return strings.Join(parts, ", ")
}
