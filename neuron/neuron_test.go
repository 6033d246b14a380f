package neuron_test

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"synfire/neuron"
	"synfire/tensor"
)

// trace drives one unit with a constant input from rest.
func trace(n neuron.Neuron, input float64, steps int) (spikes []int, u []tensor.Float) {
	u = make([]tensor.Float, steps)
	bits := make([]uint64, steps)
	n.Forward(neuron.Window{
		Steps: steps, Units: 1, Input: neuron.Strided{Data: []tensor.Float{tensor.Float(input)}}, State: make([]tensor.Float, n.States()),
		Membrane: neuron.Strided{Data: u, Stride: 1}, Spikes: neuron.Bits{Data: bits, Stride: 1},
	})
	for t, b := range bits {
		if b == 1 {
			spikes = append(spikes, t)
		}
	}
	return spikes, u
}

func Example() {
	spikes, u := trace(neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.Zero, DecayInput: true}, 1.5, 4)
	fmt.Println(u, spikes)
	// Output: [0.75 1.125 0.75 1.125] [1 3]
}

func every(first, period, n int) (s []int) {
	for i := range n {
		s = append(s, first+i*period)
	}
	return s
}

// The golden traces. Dyadic drives are exact in binary, so the steps of the
// spikes are too.
func TestGoldenTraces(t *testing.T) {
	hard := neuron.IF{Threshold: 1, Reset: neuron.Zero}
	for _, c := range []struct {
		name  string
		n     neuron.Neuron
		input float64
		steps int
		want  []int
	}{
		{"if 1/4", neuron.IF{Threshold: 1}, 0.25, 20, every(3, 4, 5)},
		{"if 3/8", neuron.IF{Threshold: 1}, 0.375, 20, []int{2, 5, 7, 10, 13, 15, 18}},
		{"if 3/8 to zero", hard, 0.375, 20, every(2, 3, 6)},
		{"if 5/4", neuron.IF{Threshold: 1}, 1.25, 20, every(0, 1, 20)},
		{"if 1/4 strictly above", neuron.IF{Threshold: 1, Strict: true}, 0.25, 20, every(4, 4, 4)},
		{"if without reset", neuron.IF{Threshold: 1, Reset: neuron.None}, 0.25, 6, []int{3, 4, 5}},
		{"lif subtract", neuron.LIF{Beta: 0.9, Threshold: 1}, 0.3, 16, every(3, 4, 4)},
		{"lif to zero", neuron.LIF{Beta: 0.9, Threshold: 1, Reset: neuron.Zero}, 0.3, 16, every(3, 4, 4)},
		{"lif decaying input", neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.Zero, DecayInput: true}, 1.5, 8, every(1, 2, 4)},
		{"lif exact, RI 3/2", neuron.LIF{Beta: neuron.Decay(10, 1), Threshold: 1, Reset: neuron.Zero, DecayInput: true}, 1.5, 1000, every(10, 11, 90)},
		{"lif Euler, RI 3/2", neuron.LIF{Beta: 0.9, Threshold: 1, Reset: neuron.Zero, DecayInput: true}, 1.5, 1000, every(10, 11, 90)},
	} {
		if got, _ := trace(c.n, c.input, c.steps); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: spikes at %v, want %v", c.name, got, c.want)
		}
	}
}

// Membranes of β = 0.9, x = 0.3: reset timing shows in step 4, after the first
// spike.
func TestGoldenMembranes(t *testing.T) {
	for _, c := range []struct {
		reset neuron.Reset
		want  []float64
	}{
		{neuron.Subtract, []float64{0.3, 0.57, 0.813, 1.0317, 0.32853}},
		{neuron.Zero, []float64{0.3, 0.57, 0.813, 1.0317, 0.3}},
		{neuron.None, []float64{0.3, 0.57, 0.813, 1.0317, 1.22853}},
	} {
		_, u := trace(neuron.LIF{Beta: 0.9, Threshold: 1, Reset: c.reset}, 0.3, 5)
		for i, want := range c.want {
			if math.Abs(float64(u[i])-want) > 1e-6 {
				t.Errorf("reset %v: u[%d] = %v, want %v", c.reset, i, u[i], want)
			}
		}
	}
}

// The period of a LIF neuron is τ·ln(RI/(RI − θ)), rounded up to the grid.
func TestPeriod(t *testing.T) {
	for _, ri := range []float64{1.05, 1.5, 2, 3} {
		const tau, dt = 10, 0.001
		n := neuron.LIF{Beta: neuron.Decay(tau, dt), Threshold: 1, Reset: neuron.Zero, DecayInput: true}
		spikes, _ := trace(n, ri, 40000)
		want := tau * math.Log(ri/(ri-1))
		if got := float64(spikes[0]+1) * dt; math.Abs(got-want) > want*0.01 {
			t.Errorf("RI %v: period %v, want %v", ri, got, want)
		}
	}
}

// Any split of the window gives the same bits, and replaying the spikes gives
// the same membranes.
func TestSplitAndReplay(t *testing.T) {
	const steps, units = 12, 70
	for _, n := range []neuron.Neuron{
		neuron.IF{Threshold: 0.7}, neuron.LIF{Beta: 0.8, Threshold: 1, Reset: neuron.Zero},
	} {
		x := make([]tensor.Float, steps*units)
		for i := range x {
			x[i] = tensor.Float(i*7919%101) / 100
		}
		run := func(cuts ...int) ([]tensor.Float, []uint64) {
			u, state, bits := make([]tensor.Float, steps*units), make([]tensor.Float, units), make([]uint64, steps*2)
			t0 := 0
			for _, t1 := range append(cuts, steps) {
				n.Forward(window(t1-t0, units, x[t0*units:], state, u[t0*units:], bits[t0*2:]))
				t0 = t1
			}
			return u, bits
		}
		u, bits := run()
		for _, cuts := range [][]int{{1}, {5}, {3, 4, 11}} {
			if u2, bits2 := run(cuts...); !reflect.DeepEqual(u, u2) || !reflect.DeepEqual(bits, bits2) {
				t.Errorf("%+v: split at %v differs", n, cuts)
			}
		}
		u3 := make([]tensor.Float, steps*units)
		n.Replay(window(steps, units, x, make([]tensor.Float, units), u3, bits))
		for i := range u3 {
			if d := math.Abs(float64(u3[i] - u[i])); d > 1e-5 {
				t.Fatalf("%+v: replayed membrane %d is off by %v", n, i, d)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	for _, n := range []neuron.Neuron{
		neuron.IF{}, neuron.IF{Threshold: -1}, neuron.LIF{Beta: 1.1, Threshold: 1},
		neuron.LIF{Beta: math.NaN(), Threshold: 1}, neuron.LIF{Beta: 0.9}, neuron.IF{Threshold: 1, Reset: 9},
	} {
		if n.Validate() == nil {
			t.Errorf("%+v: accepted", n)
		}
	}
	var r neuron.Reset
	if err := r.UnmarshalText([]byte("soft")); err == nil {
		t.Error("reset soft: accepted")
	}
}
