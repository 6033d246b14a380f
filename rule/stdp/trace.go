package stdp

import (
	"math"

	"synfire/tensor"
)

// trace is a variable of each unit that decays with τ. Kept lazily it is a value and the
// step that it belongs to; stepwise, all values are multiplied in each step.
type trace struct {
	tau      float64 // in steps
	nearest  bool    // a spike sets it to 1; else it rises by 1
	stepwise bool
	value    []tensor.Float
	last     []int64        // −1: never touched
	touched  []int32        // units that may not be 0; all where stepwise
	factors  []tensor.Float // e^(−d/τ) for d = 0, 1, …
}

func newTrace(n *Network, units int, tau float64, nearest bool) *trace {
	tr := &trace{tau: tau / n.options.Step, nearest: nearest, stepwise: n.options.Stepwise, value: make([]tensor.Float, units), last: make([]int64, units)}
	for d := range 256 {
		tr.factors = append(tr.factors, tensor.Float(math.Exp(-float64(d)/tr.tau)))
	}
	tr.rest()
	return tr
}

// begin takes the trace to the next step.
func (tr *trace) begin() {
	if tr.stepwise {
		for i := range tr.value {
			tr.value[i] *= tr.factors[1]
		}
	}
}

// at is the trace of a unit in step t.
func (tr *trace) at(i int32, t int64) tensor.Float {
	v := tr.value[i]
	if tr.stepwise || v == 0 {
		return v
	}
	d := t - tr.last[i]
	if d < int64(len(tr.factors)) {
		return v * tr.factors[d]
	}
	return v * tensor.Float(math.Exp(-float64(d)/tr.tau))
}

// fire lets a unit's trace rise in step t.
func (tr *trace) fire(i int32, t int64) { tr.add(i, t, 1) }

// add raises a unit's trace in step t.
func (tr *trace) add(i int32, t int64, by tensor.Float) {
	if tr.last[i] < 0 && !tr.stepwise {
		tr.touched = append(tr.touched, i)
	}
	v := tr.at(i, t) + by
	if tr.nearest {
		v = by
	}
	tr.value[i], tr.last[i] = v, t
}

// units are those whose trace may not be 0.
func (tr *trace) units() []int32 { return tr.touched }

func (tr *trace) rest() {
	clear(tr.value)
	copy(tr.last, never(len(tr.last)))
	tr.touched = tr.touched[:0]
	if tr.stepwise {
		for i := range tr.value {
			tr.touched = append(tr.touched, int32(i))
		}
	}
}

// restored lists the units that were touched.
func (tr *trace) restored() {
	if tr.stepwise {
		return
	}
	tr.touched = tr.touched[:0]
	for i, t := range tr.last {
		if t >= 0 {
			tr.touched = append(tr.touched, int32(i))
		}
	}
}
