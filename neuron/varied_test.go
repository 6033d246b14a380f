package neuron_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"synfire/neuron"
	"synfire/surrogate"
	"synfire/tensor"
)

// The golden trace of a floor, by hand in dyadic numbers: the membrane that is recorded is the one
// before it, and what is carried on is not below it.
func TestFloorByHand(t *testing.T) {
	spikes, u := drive(neuron.LIF{Beta: 0.5, Threshold: 1, Floor: -0.5}, -2, 0.5, -0.75, -1, 1.5, 1.5)
	if !reflect.DeepEqual(spikes, []int{4, 5}) {
		t.Errorf("spikes at %v, want 4 and 5", spikes)
	}
	near(t, "lif", u, []float64{-2, 0.25, -0.625, -1.25, 1.25, 1.625})
	_, u = drive(neuron.IF{Threshold: 1, Floor: -0.25}, -2, -2, 0.5)
	near(t, "if", u, []float64{-2, -2.25, 0.25})
}

// The potentials of rest and reset and the gain, by hand in dyadic numbers.
func TestLeakResetValueAndGain(t *testing.T) {
	// β = 1/2, rest 1, input 1/2, threshold 5/4, reset to 1/4: u = v/2 + 1/2 + x.
	n := neuron.LIF{Beta: 0.5, Threshold: 1.25, Leak: 1, Reset: neuron.Zero, ResetValue: 0.25}
	spikes, u := drive(n, 0.5, 0.5, 0.5, 0, 0)
	if !reflect.DeepEqual(spikes, []int{1}) {
		t.Errorf("lif: spikes at %v, want 1", spikes)
	}
	near(t, "lif", u, []float64{1, 1.5, 1.125, 1.0625, 1.03125})
	// A membrane of rest 1 goes to 1 + Gain·x with decaying input.
	_, u = drive(neuron.LIF{Beta: 0.5, Threshold: 9, Leak: 1, Gain: 4, DecayInput: true}, repeated(30, 0.5)...)
	near(t, "lif at rest", u[29:], []float64{3})
	spikes, u = drive(neuron.IF{Threshold: 1, Reset: neuron.Zero, ResetValue: -1, Gain: 2}, repeated(8, 0.25)...)
	if !reflect.DeepEqual(spikes, []int{1, 5}) {
		t.Errorf("if: spikes at %v, want 1 and 5: %v", spikes, u)
	}
	// I = I/2 + 2x, u = v/2 + 1/2 + I: a pulse of 1 has the currents 2, 1, 1/2.
	_, u = drive(neuron.CuBaLIF{Alpha: 0.5, Beta: 0.5, Threshold: 9, Leak: 1, Gain: 2}, pulse(3)...)
	near(t, "cuba-lif", u, []float64{2.5, 2.75, 2.375})
	// u − κ·a with a = 1 after the spike of step 0, which resets to 1/2.
	_, u = drive(neuron.ALIF{Beta: 0.5, Threshold: 1, Adaptation: 0.5, Rho: 0.5, Leak: 1, Reset: neuron.Zero, ResetValue: 0.5, Gain: 2}, pulse(3)...)
	near(t, "alif", u, []float64{2.5, 0.25, 0.625})
}

func repeated(n int, v tensor.Float) []tensor.Float {
	x := make([]tensor.Float, n)
	for i := range x {
		x[i] = v
	}
	return x
}

// run is a window of random input and errors, forwards, in a replay and back.
func run(n neuron.Neuron, v neuron.Values, x, gs []tensor.Float, units int) (out [][]tensor.Float, bits []uint64) {
	steps := len(x) / units
	f := func(n int) []tensor.Float { return make([]tensor.Float, n) }
	u, again, gx, state, gstate := f(len(x)), f(len(x)), f(len(x)), f(n.States()*units), f(n.States()*units)
	bits = make([]uint64, steps*((units+63)/64))
	w := window(steps, units, x, state, u, bits)
	w.Values = v
	n.Forward(w)
	w.State, w.Membrane.Data = f(n.States()*units), again
	n.Replay(w)
	for _, s := range []surrogate.Surrogate{surrogate.FastSigmoid{Slope: 2}, surrogate.Sigmoid{Slope: 3}} {
		e := errorsOf(steps, units, s, u, gs, gstate, gx)
		e.Values = v
		n.Backward(e)
		out = append(out, append([]tensor.Float(nil), gx...))
	}
	return append(out, u, again, state, gstate), bits
}

// dyadic are the models with options that float32 holds, so that arrays hold
// what the options do.
var dyadic = []neuron.Variable{
	neuron.IF{Threshold: 0.75},
	neuron.IF{Threshold: 0.75, Refractory: 2, Gain: 1.5},
	neuron.IF{Threshold: 0.25, Amount: 0.75},
	neuron.LIF{Beta: 0.875, Threshold: 0.75},
	neuron.LIF{Beta: 0.875, Threshold: 0.75, Reset: neuron.Zero, DecayInput: true, Strict: true},
	neuron.LIF{Beta: 0.875, Threshold: 0.75, Reset: neuron.None, Gain: 0.625},
	neuron.LIF{Beta: 0.75, Threshold: 0.75, Delayed: true},
	neuron.LIF{Beta: 0.875, Threshold: 0.75, Floor: -0.25},
	neuron.IF{Threshold: 0.75, Reset: neuron.Zero, Floor: -0.125, Refractory: 1},
	neuron.LIF{Beta: 0.75, Threshold: 0.75, Leak: 0.25, Reset: neuron.Zero, ResetValue: -0.5, Refractory: 1},
	neuron.CuBaLIF{Alpha: 0.625, Beta: 0.75, Threshold: 0.75},
	neuron.CuBaLIF{Alpha: 0.625, Beta: 0.75, Threshold: 0.25, Coupling: neuron.Exact, Delay: true, Reset: neuron.Zero, Refractory: 1},
	neuron.CuBaLIF{Alpha: 0.625, Beta: 0.75, Threshold: 0.5, Coupling: neuron.Euler, Leak: 0.25, Gain: 1.25},
	neuron.ALIF{Beta: 0.75, Threshold: 0.75, Adaptation: 0.375, Rho: 0.875},
	neuron.ALIF{Beta: 0.75, Threshold: 0.5, Adaptation: 0.375, Rho: 0.875, Reset: neuron.Zero, ResetValue: 0.25, Leak: 0.125, Refractory: 1, DecayInput: true},
}

// Arrays that hold one value give the bits of the option; so does each subset of
// them.
func TestVariedAlike(t *testing.T) {
	const steps, units = 9, 300
	x, gs := random(steps * units)
	for _, n := range dyadic {
		want, wantBits := run(n, neuron.Values{}, x, gs, units)
		options := n.Options()
		for skip := -1; skip < len(options); skip++ {
			var v neuron.Values
			for k, o := range options {
				v.Of = append(v.Of, repeated(units, tensor.Float(o.Value)))
				if k == skip {
					v.Of[k] = nil
				}
			}
			if err := v.Check(n, units); err != nil {
				t.Fatal(err)
			}
			got, bits := run(n, v, x, gs, units)
			if !reflect.DeepEqual(bits, wantBits) {
				t.Errorf("%+v, without array %d: other spikes", n, skip)
			}
			for i := range want {
				for j := range want[i] {
					if got[i][j] != want[i][j] {
						t.Fatalf("%+v, without array %d: element %d of result %d is %v, of the options %v", n, skip, j, i, got[i][j], want[i][j])
					}
				}
			}
		}
	}
}

// A unit with options of its own does what a neuron with these options does alone.
func TestVariedUnits(t *testing.T) {
	const steps, units = 9, 270
	x, gs := random(steps * units)
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range dyadic {
		v := neuron.Values{}
		for _, o := range n.Options() {
			of := repeated(units, tensor.Float(o.Value))
			for i := range of {
				of[i] *= tensor.Float(0.75 + 0.25*r.Float64()) // decays stay decays
			}
			v.Of = append(v.Of, of)
		}
		if err := v.Check(n, units); err != nil {
			t.Fatal(err)
		}
		got, bits := run(n, v, x, gs, units)
		fired := 0
		for i := range units {
			one, oneErrors := make([]tensor.Float, steps), make([]tensor.Float, steps)
			for step := range steps {
				one[step], oneErrors[step] = x[step*units+i], gs[step*units+i]
			}
			want, wantBits := run(v.Unit(n, i), neuron.Values{}, one, oneErrors, 1)
			for step := range steps {
				spike := bits[step*((units+63)/64)+i/64] >> (i % 64) & 1
				if spike != wantBits[step] {
					t.Fatalf("%+v: unit %d, step %d: spike %v, alone %v", n, i, step, spike, wantBits[step])
				}
				fired += int(spike)
			}
			for k := range want {
				for j := range want[k] {
					// A kernel and plain Go may differ by a rounding where there is one unit.
					if g, w := float64(got[k][j*units+i]), float64(want[k][j]); g != w && math.Abs(g-w) > 1e-5*(1+math.Abs(w)) {
						t.Fatalf("%+v: unit %d: result %d is %v, alone %v", n, i, k, g, w)
					}
				}
			}
		}
		if fired == 0 {
			t.Errorf("%+v: nothing fires", n)
		}
	}
}

// A neuron that starts from half of its threshold is one that fires at half of it and loses
// all of it: it rounds the sum of its inputs where one that starts from 0 cuts it off.
func TestAmountIsAStart(t *testing.T) {
	for _, c := range []struct {
		x           tensor.Float
		start, zero int
	}{{0.3125, 3, 3}, {0.375, 4, 3}, {0.625, 6, 6}, {1, 10, 10}, {-0.5, 0, 0}} {
		half, _ := drive(neuron.IF{Threshold: 0.5, Amount: 1}, repeated(10, c.x)...)
		whole, _ := drive(neuron.IF{Threshold: 1}, repeated(10, c.x)...)
		if len(half) != c.start || len(whole) != c.zero {
			t.Errorf("%v in ten steps: %d spikes from 1/2, %d from 0, want %d and %d", c.x, len(half), len(whole), c.start, c.zero)
		}
	}
	for _, n := range []neuron.IF{{Threshold: 1, Amount: -1}, {Threshold: 1, Amount: math.Inf(1)}, {Threshold: 1, Amount: math.NaN()}, {Threshold: 1, Amount: 1, Reset: neuron.Zero}} {
		if err := n.Validate(); err == nil || !strings.Contains(err.Error(), "amount") {
			t.Errorf("%+v: %v", n, err)
		}
	}
}

// A gain of 0 in an array is no input, although the option's 0 means 1.
func TestVariedGainZero(t *testing.T) {
	n := neuron.LIF{Beta: 0.5, Threshold: 1}
	v := neuron.Values{Of: [][]tensor.Float{nil, nil, nil, nil, {0, 1}}}
	u := make([]tensor.Float, 2)
	w := window(1, 2, []tensor.Float{0.5, 0.5}, make([]tensor.Float, 2), u, make([]uint64, 1))
	w.Values = v
	n.Forward(w)
	if u[0] != 0 || u[1] != 0.5 {
		t.Errorf("membranes %v, want 0 and 0.5", u)
	}
	if u, _ := v.Unit(n, 0).(neuron.LIF); u.Validate() != nil || u.Gain > 1e-30 {
		t.Errorf("the unit is %+v, want a gain of nearly 0", u)
	}
}

func random(n int) (x, gs []tensor.Float) {
	r := rand.New(rand.NewPCG(7, 8))
	for range n {
		x, gs = append(x, tensor.Float(r.Float64())), append(gs, tensor.Float(r.NormFloat64()))
	}
	return x, gs
}

// Values that do not fit, or make no neuron, are errors that say which.
func TestValuesCheck(t *testing.T) {
	lif := neuron.LIF{Beta: 0.9, Threshold: 1}
	none := make([][]tensor.Float, 5)
	of := func(k int, values ...tensor.Float) neuron.Values {
		v := append([][]tensor.Float(nil), none...)
		v[k] = values
		return neuron.Values{Of: v}
	}
	for _, c := range []struct {
		v    neuron.Values
		n    neuron.Neuron
		want string
	}{
		{neuron.Values{Of: none[:3]}, lif, "want 5"},
		{of(0, 1, 1), lif, "2 values of threshold, want one for each of 3 units"},
		{of(0, 1, 0, 1), lif, "unit 1: neuron lif: threshold is 0"},
		{of(1, 1, 0.5, 1.5), lif, "unit 2: neuron lif: beta is 1.5"},
		{of(0, 1, 1, 1), struct{ neuron.Neuron }{lif}, "no options that may differ"},
	} {
		if err := c.v.Check(c.n, 3); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	for _, n := range []neuron.Neuron{
		neuron.LIF{Beta: 0.9, Threshold: 1, ResetValue: 0.5}, // subtracts
		neuron.LIF{Beta: 0.9, Threshold: 1, Reset: neuron.Zero, ResetValue: 1},
		neuron.LIF{Beta: 0.9, Threshold: 1, Leak: math.NaN()},
		neuron.IF{Threshold: 1, Gain: math.Inf(1)},
		neuron.IF{Threshold: 1, Floor: 0.5},
		neuron.IF{Threshold: 1, Floor: math.NaN()},
		neuron.LIF{Beta: 0.9, Threshold: 1, Floor: math.Inf(-1)},
		neuron.LIF{Beta: 0.9, Threshold: 1, Floor: -0.5, Reset: neuron.Zero, ResetValue: -1},
		neuron.LIF{Beta: 0.9, Threshold: 1, Floor: -0.5, Delayed: true},
		neuron.LIF{Beta: 0.9, Threshold: 1, Floor: -0.5, ResetGradient: true},
		neuron.CuBaLIF{Alpha: 0.5, Beta: 0.5, Threshold: 1, ResetValue: 0.5},
		neuron.ALIF{Beta: 0.9, Threshold: 1, ResetValue: 0.5},
	} {
		if n.Validate() == nil {
			t.Errorf("%+v: accepted", n)
		}
	}
}

func TestVariedDoesNotAllocate(t *testing.T) {
	const steps, units = 4, 300
	x, u, bits := make([]tensor.Float, steps*units), make([]tensor.Float, steps*units), make([]uint64, steps*5)
	for _, n := range dyadic {
		state := make([]tensor.Float, n.States()*units)
		w, e := window(steps, units, x, state, u, bits), errorsOf(steps, units, surrogate.FastSigmoid{Slope: 2}, u, x, state, u)
		for _, o := range n.Options() {
			w.Values.Of = append(w.Values.Of, repeated(units, tensor.Float(o.Value)))
		}
		e.Values = w.Values
		var m neuron.Neuron = n
		if got := testing.AllocsPerRun(10, func() {
			m.Forward(w)
			m.Backward(e)
		}); got != 0 {
			t.Errorf("%+v: %v allocations", n, got)
		}
	}
}
