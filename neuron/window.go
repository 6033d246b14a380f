package neuron

import (
	"fmt"

	"synfire/surrogate"
	"synfire/tensor"
)

// Strided is a view of numbers over time: those of step t begin at Data[t·Stride].
// With Stride 0 they are the same at each step.
type Strided struct {
	Data   []tensor.Float
	Stride int
}

// Row is elements lo to hi of step t.
func (s Strided) Row(t, lo, hi int) []tensor.Float {
	return s.Data[t*s.Stride+lo : t*s.Stride+hi]
}

// Bits is a view of spikes over time: bit i%64 of Data[t·Stride+i/64] is unit i
// in step t.
type Bits struct {
	Data   []uint64
	Stride int // words a step
}

// Row is the words of n units in step t, from unit lo on, a multiple of 64.
func (s Bits) Row(t, lo, n int) []uint64 {
	return s.Data[t*s.Stride+lo/64:][:(n+63)/64]
}

// Window is a span of time of a number of units: what Forward and Replay work on.
type Window struct {
	Steps, Units int
	Input        Strided        // x; may be constant
	State        []tensor.Float // [States × Units], advanced
	// Membrane receives the membranes before the reset, which Backward reads.
	// Without Data nobody asks, and nothing of Kept either. It may be Input.
	Membrane Strided
	Kept     Strided // receives what a Keeper keeps besides, [Keeps × Units] a step
	Spikes   Bits    // written, unused bits cleared; in a replay read
	Values   Values  // options that differ from unit to unit
}

// Errors is a Window on the way back. Surrogate, Membrane, Kept, Start, Values
// and the errors at the spikes are read.
type Errors struct {
	Steps, Units int
	Surrogate    surrogate.Surrogate
	Membrane     Strided        // as Forward left them
	Kept         Strided        // likewise
	Start        []tensor.Float // the state at the window's start, where a Keeper asks for it
	Spikes       Strided        // ∂L/∂s
	State        []tensor.Float // error at the state, carried from the window's end to its start
	Input        Strided        // receives ∂L/∂x, or with Stride 0 its sum over time is added, last step first
	Values       Values
	Soft         bool // spikes were soft, and so were resets that errors pass through
}

// Keeper is a Neuron whose Backward needs more of Forward than its membranes.
type Keeper interface {
	Neuron
	// Keeps is the number of values of a unit and step that Forward leaves in
	// Window.Kept, besides the membrane.
	Keeps() int
	// KeepsStart reports whether Backward reads the state at the window's start.
	KeepsStart() bool
}

// Keeps is what n keeps beyond its membranes, nothing unless it is a Keeper.
func Keeps(n Neuron) (values int, start bool) {
	if k, ok := n.(Keeper); ok {
		return k.Keeps(), k.KeepsStart()
	}
	return 0, false
}

// Option is an option of a Neuron that may differ from unit to unit.
type Option struct {
	Name  string  // as in files
	Value float64 // that of all units where nothing else is given
}

// Variable is a Neuron with options that may differ from unit to unit.
type Variable interface {
	Neuron
	// Options lists them, always in the same order.
	Options() []Option
	// With is the neuron of a unit with these values of the options.
	With(values []float64) Neuron
}

// Values are options that differ from unit to unit. The zero value is none.
type Values struct {
	// Of holds, in the order of the neuron's Options, a value for each unit of the
	// whole population; nil where the option itself holds for all.
	Of    [][]tensor.Float
	First int // the window's first unit
}

// At gives option k of the window's unit i, which is value where it does not
// differ.
func (v Values) At(k, i int, value float64) float64 {
	if k >= 0 && k < len(v.Of) && v.Of[k] != nil {
		return float64(v.Of[k][v.First+i])
	}
	return value
}

// Unit is the neuron of the window's unit i.
func (v Values) Unit(n Neuron, i int) Neuron {
	if len(v.Of) == 0 {
		return n
	}
	of := n.(Variable)
	var values []float64
	for k, o := range of.Options() {
		values = append(values, v.At(k, i, o.Value))
	}
	return of.With(values)
}

// Check returns an error for a unit whose options are not valid for n, or for
// values of another number of options or units.
func (v Values) Check(n Neuron, units int) error {
	if len(v.Of) == 0 {
		return nil
	}
	of, ok := n.(Variable)
	if !ok {
		return fmt.Errorf("neuron %T has no options that may differ from unit to unit", n)
	}
	options := of.Options()
	if len(v.Of) != len(options) {
		return fmt.Errorf("neuron %T: values of %d options, want %d, nil for those that do not differ", n, len(v.Of), len(options))
	}
	for k, values := range v.Of {
		if values != nil && len(values) != v.First+units {
			return fmt.Errorf("neuron %T: %d values of %s, want one for each of %d units", n, len(values), options[k].Name, v.First+units)
		}
	}
	for i := range units {
		if err := v.Unit(n, i).Validate(); err != nil {
			return fmt.Errorf("unit %d: %w", v.First+i, err)
		}
	}
	return nil
}
