package snntest

import (
	"math"
	"slices"
	"testing"

	"synfire/internal/rng"
	"synfire/neuron"
	"synfire/surrogate"
	"synfire/tensor"
)

// neuronRun is a population driven through time and back.
type neuronRun struct {
	n            neuron.Neuron
	steps, units int
	gap          int // elements between the rows of all views, which must stay untouched
	x, gs        []tensor.Float
	values       neuron.Values
	constant     bool // input of step 0 at each step, and its errors summed
	blind        bool // nobody asks for membranes

	u, state, gx, gstate []tensor.Float
	kept                 []tensor.Float // [T, keeps, units]
	spikes               []uint64
}

const guard = tensor.Float(-12345) // what stands in gaps

// Neuron checks what a neuron promises to its callers, forwards and back: rows
// of any stride, with nothing written between them; any blocks of whole words of
// units and any cut of time with the same bits; the same spikes where nobody asks
// for membranes; a constant input like its repetition; and a replay of its own
// spikes with the same membranes, but for rounding. Unused bits of spikes are
// cleared. Gradients are checked in a network, by Gradient.
func Neuron(t testing.TB, n neuron.Neuron) {
	t.Helper()
	if err := n.Validate(); err != nil {
		t.Errorf("snntest.Neuron: %v", err)
		return
	}
	const steps, units = 11, 150
	want := newNeuronRun(n, steps, units, 0)
	want.forward(0, units)
	want.backward(0, units)
	for _, c := range []struct {
		what  string
		gap   int
		cuts  []int
		edges []int // of blocks of units
	}{
		{what: "again", edges: []int{0, units}},
		{what: "strides with gaps", gap: 70, edges: []int{0, units}},
		{what: "cut of time", cuts: []int{1}, edges: []int{0, units}},
		{what: "cuts of time", cuts: []int{3, 4, 10}, edges: []int{0, units}},
		{what: "blocks of units", edges: []int{0, 64, 128, units}},
		{what: "blocks of units and cuts of time", gap: 5, cuts: []int{6}, edges: []int{0, 128, units}},
	} {
		got := newNeuronRun(n, steps, units, c.gap)
		for i := 1; i < len(c.edges); i++ {
			lo, hi := c.edges[i-1], c.edges[i]
			got.forward(lo, hi, c.cuts...)
			got.backward(lo, hi, c.cuts...)
		}
		got.compare(t, c.what, want)
	}
	neuronFires(t, want)
	neuronReplays(t, want)
	neuronConstant(t, want)
}

func newNeuronRun(n neuron.Neuron, steps, units, gap int) *neuronRun {
	r := &neuronRun{n: n, steps: steps, units: units, gap: gap}
	src := rng.New(1, "snntest.Neuron").Source()
	draw := func() tensor.Float { return tensor.Float(2*src.Float64() - 0.5) }
	r.x, r.gs = r.rows(steps, units), r.rows(steps, units)
	for t := range steps {
		for i := range units {
			r.x[t*r.stride()+i], r.gs[t*r.stride()+i] = draw(), draw()-0.5
		}
	}
	keeps, _ := neuron.Keeps(n)
	r.u, r.gx, r.kept = r.rows(steps, units), r.rows(steps, units), make([]tensor.Float, steps*keeps*units)
	r.state, r.gstate = make([]tensor.Float, units*n.States()), make([]tensor.Float, units*n.States())
	r.spikes = make([]uint64, steps*r.words())
	for i := range r.spikes {
		r.spikes[i] = math.MaxUint64 // unused bits must be cleared
	}
	return r
}

func (r *neuronRun) stride() int { return r.units + r.gap }
func (r *neuronRun) words() int  { return (r.units+63)/64 + r.gap }

// rows are n rows of guards.
func (r *neuronRun) rows(n, units int) []tensor.Float {
	return slices.Repeat([]tensor.Float{guard}, n*(units+r.gap))
}

// block is the part of [k × all] that belongs to units [lo, hi), and gives it back.
func block(x []tensor.Float, all, lo, hi int) (part []tensor.Float, back func()) {
	for k := 0; k < len(x); k += all {
		part = append(part, x[k+lo:k+hi]...)
	}
	return part, func() {
		for k := 0; k < len(x)/all; k++ {
			copy(x[k*all+lo:k*all+hi], part[k*(hi-lo):])
		}
	}
}

// edges are the borders of windows.
func (r *neuronRun) edges(cuts []int) []int { return append(append([]int{0}, cuts...), r.steps) }

// window is steps [t0, t1) of units [lo, hi), with state of their own.
func (r *neuronRun) window(t0, t1, lo, hi int, state, kept []tensor.Float) neuron.Window {
	w := neuron.Window{
		Steps: t1 - t0, Units: hi - lo, State: state,
		Input:    neuron.Strided{Data: r.x[t0*r.stride()+lo:], Stride: r.stride()},
		Membrane: neuron.Strided{Data: r.u[t0*r.stride()+lo:], Stride: r.stride()},
		Spikes:   neuron.Bits{Data: r.spikes[t0*r.words()+lo/64:], Stride: r.words()},
		Values:   neuron.Values{Of: r.values.Of, First: lo},
	}
	if r.constant {
		w.Input = neuron.Strided{Data: r.x[lo:]}
	}
	if r.blind {
		w.Membrane = neuron.Strided{}
	} else if keeps, _ := neuron.Keeps(r.n); keeps > 0 {
		w.Kept = neuron.Strided{Data: kept[t0*keeps*(hi-lo):], Stride: keeps * (hi - lo)}
	}
	return w
}

// forward runs units [lo, hi) from rest.
func (r *neuronRun) forward(lo, hi int, cuts ...int) {
	state, back := block(r.state, r.units, lo, hi)
	kept, keep := block(r.kept, r.units, lo, hi)
	edges := r.edges(cuts)
	for i := 1; i < len(edges); i++ {
		r.n.Forward(r.window(edges[i-1], edges[i], lo, hi, state, kept))
	}
	back()
	keep()
}

// backward runs them back; the states at the borders are those of a run again.
func (r *neuronRun) backward(lo, hi int, cuts ...int) {
	gstate, back := block(r.gstate, r.units, lo, hi)
	kept, _ := block(r.kept, r.units, lo, hi)
	edges := r.edges(cuts)
	s := surrogate.FastSigmoid{Slope: 3}
	keeps, asks := neuron.Keeps(r.n)
	for i := len(edges) - 1; i > 0; i-- {
		t0, t1 := edges[i-1], edges[i]
		e := neuron.Errors{
			Steps: t1 - t0, Units: hi - lo, Surrogate: s, State: gstate,
			Membrane: neuron.Strided{Data: r.u[t0*r.stride()+lo:], Stride: r.stride()},
			Spikes:   neuron.Strided{Data: r.gs[t0*r.stride()+lo:], Stride: r.stride()},
			Input:    neuron.Strided{Data: r.gx[t0*r.stride()+lo:], Stride: r.stride()},
			Values:   neuron.Values{Of: r.values.Of, First: lo},
		}
		if r.constant {
			e.Input = neuron.Strided{Data: r.gx[lo:]}
		}
		if keeps > 0 {
			e.Kept = neuron.Strided{Data: kept[t0*keeps*(hi-lo):], Stride: keeps * (hi - lo)}
		}
		if asks {
			e.Start = make([]tensor.Float, len(gstate))
			again := newNeuronRun(r.n, r.steps, r.units, r.gap)
			again.constant, again.values, again.blind = r.constant, r.values, true
			if t0 > 0 {
				r.n.Forward(again.window(0, t0, lo, hi, e.Start, nil))
			}
		}
		r.n.Backward(e)
	}
	back()
}

// compare reports where two runs differ, and what was written between rows.
func (r *neuronRun) compare(t testing.TB, what string, want *neuronRun) {
	t.Helper()
	for _, c := range []struct {
		name      string
		got, want []tensor.Float
	}{{"membrane", r.u, want.u}, {"error at the input", r.gx, want.gx}} {
		for step := range r.steps {
			row := c.got[step*r.stride():][:r.stride()]
			equal(t, what+": "+c.name, row[:r.units], c.want[step*want.stride():][:want.units])
			if i := slices.IndexFunc(row[r.units:], func(v tensor.Float) bool { return v != guard }); i >= 0 {
				t.Errorf("%s: %s of step %d: written between the rows", what, c.name, step)
			}
		}
	}
	equal(t, what+": state", r.state, want.state)
	equal(t, what+": error at the state", r.gstate, want.gstate)
	r.compareSpikes(t, what, want)
}

func (r *neuronRun) compareSpikes(t testing.TB, what string, want *neuronRun) {
	t.Helper()
	full := (r.units + 63) / 64
	for step := range r.steps {
		row := r.spikes[step*r.words():][:r.words()]
		if !slices.Equal(row[:full], want.spikes[step*want.words():][:full]) {
			t.Errorf("%s: other spikes in step %d", what, step)
			return
		}
		if slices.ContainsFunc(row[full:], func(w uint64) bool { return w != math.MaxUint64 }) {
			t.Errorf("%s: spikes of step %d: written between the rows", what, step)
		}
	}
}

// neuronFires checks that the run shows something, and no more units than there are.
func neuronFires(t testing.TB, r *neuronRun) {
	t.Helper()
	fired := false
	for step := range r.steps {
		row := r.spikes[step*r.words():][:r.words()]
		fired = fired || slices.ContainsFunc(row, func(w uint64) bool { return w != 0 })
		if row[r.units/64]>>(r.units%64) != 0 {
			t.Errorf("spikes of step %d: bits beyond the last unit", step)
		}
	}
	if !fired {
		t.Error("no unit fires under inputs up to 1.5: the check shows nothing; lower the threshold")
	}
}

// neuronReplays gives the neuron its own spikes.
func neuronReplays(t testing.TB, want *neuronRun) {
	t.Helper()
	r := newNeuronRun(want.n, want.steps, want.units, 0)
	copy(r.spikes, want.spikes)
	r.n.Replay(r.window(0, r.steps, 0, r.units, r.state, r.kept))
	r.compareSpikes(t, "replay", want)
	for i, u := range r.u {
		if v := want.u[i]; u != v && !(math.Abs(float64(u-v)) <= 1e-5*(1+math.Abs(float64(v)))) {
			t.Errorf("replay: membrane %d is %v, want %v", i, u, v)
			return
		}
	}
}

// neuronConstant compares a constant input with its repetition, and a run whose
// membranes nobody asks for with one where somebody does.
func neuronConstant(t testing.TB, of *neuronRun) {
	t.Helper()
	want, got := newNeuronRun(of.n, of.steps, of.units, 0), newNeuronRun(of.n, of.steps, of.units, 0)
	for step := range want.steps {
		copy(want.x[step*want.units:], want.x[:want.units])
	}
	want.forward(0, want.units)
	want.backward(0, want.units)
	got.constant = true
	got.forward(0, got.units)
	equal(t, "constant input: membrane", got.u, want.u)
	got.compareSpikes(t, "constant input", want)
	clear(got.gx[:got.units])
	got.backward(0, got.units)
	for i := range got.units {
		var sum, scale float64
		for step := want.steps - 1; step >= 0; step-- {
			g := float64(want.gx[step*want.units+i])
			sum, scale = sum+g, scale+math.Abs(g)
		}
		if math.Abs(float64(got.gx[i])-sum) > 1e-5*(1+scale) {
			t.Errorf("constant input: error %d summed over time is %v, want %v", i, got.gx[i], sum)
			return
		}
	}
	blind := newNeuronRun(of.n, of.steps, of.units, 0)
	blind.constant, blind.blind = true, true
	blind.forward(0, blind.units)
	blind.compareSpikes(t, "without membranes", want)
	equal(t, "without membranes: state", blind.state, want.state)
}
