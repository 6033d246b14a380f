package neuron_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"synfire/neuron"
	"synfire/surrogate"
	"synfire/tensor"
)

// stdbRun is one unit from rest: its spikes, membranes, the steps since its last spike,
// and its state at the end.
func stdbRun(n neuron.STDB, x ...tensor.Float) (spikes []int, u, since, state []tensor.Float) {
	u, since, state = make([]tensor.Float, len(x)), make([]tensor.Float, len(x)), make([]tensor.Float, n.States())
	bits := make([]uint64, len(x))
	w := window(len(x), 1, x, state, u, bits)
	w.Kept = neuron.Strided{Data: since, Stride: 1}
	n.Forward(w)
	for t, b := range bits {
		if b == 1 {
			spikes = append(spikes, t)
		}
	}
	return spikes, u, since, state
}

// The golden trace of the authors' order, by hand in dyadic numbers: θ = 1, input 3/4 in
// each step, and of the paper's.
func TestSTDBGoldenTrace(t *testing.T) {
	x := repeated(9, 0.75)
	// m: 0, 3/4, 3/2 fires, 5/4 fires, 1 does not (strictly above), 7/4 fires, 3/2, 5/4, 1.
	spikes, u, since, _ := stdbRun(neuron.STDB{Beta: 1, Threshold: 1, Delay: true}, x...)
	if want := []int{2, 3, 5, 6, 7}; !reflect.DeepEqual(spikes, want) {
		t.Errorf("spikes at %v, want %v", spikes, want)
	}
	near(t, "membrane", u, []float64{0, 0.75, 1.5, 1.25, 1, 1.75, 1.5, 1.25, 1})
	// At a spike the time is that since the one before.
	near(t, "steps since the last spike", since, []float64{1000, 1001, 1002, 1, 1, 2, 1, 1, 1})
	spikes, u, since, _ = stdbRun(neuron.STDB{Beta: 1, Threshold: 1}, x...)
	if want := []int{1, 2, 4, 5, 6, 8}; !reflect.DeepEqual(spikes, want) {
		t.Errorf("without delay: spikes at %v, want %v", spikes, want)
	}
	near(t, "membrane without delay", u, []float64{0.75, 1.5, 1.25, 1, 1.75, 1.5, 1.25, 1, 1.75})
	// At a spike the time is 0.
	near(t, "steps without delay", since, []float64{1000, 0, 0, 1, 0, 0, 0, 1, 0})
	// The reset does not decay: β = 1/2, input 2: 0, 2 fires, 1 − 1 + 2 = 2 fires, ….
	spikes, u, _, _ = stdbRun(neuron.STDB{Beta: 0.5, Threshold: 1, Delay: true}, 2, 2, 0.5, 0)
	if !reflect.DeepEqual(spikes, []int{1, 2}) {
		t.Errorf("with leak: spikes at %v, want 1, 2", spikes)
	}
	near(t, "membrane with leak", u, []float64{0, 2, 2, 0.5})
}

// A constant input 0 < I ≤ θ without leak gives max(0, ⌈(T−1)·I/θ⌉ − 1) spikes in T steps.
func TestSTDBSpikeCountOfConstantInput(t *testing.T) {
	for sixteenths := 1; sixteenths <= 16; sixteenths++ {
		input := float64(sixteenths) / 16
		for steps := 1; steps < 30; steps++ {
			spikes, _, _, _ := stdbRun(neuron.STDB{Beta: 1, Threshold: 1, Delay: true}, repeated(steps, tensor.Float(input))...)
			if want := max(0, int(math.Ceil(float64(steps-1)*input))-1); len(spikes) != want {
				t.Errorf("I/θ = %v, %d steps: %d spikes, want %d", input, steps, len(spikes), want)
			}
		}
	}
	// Above the threshold a unit fires in each step and the membrane grows.
	spikes, u, _, _ := stdbRun(neuron.STDB{Beta: 1, Threshold: 1, Delay: true}, repeated(20, 1.5)...)
	if len(spikes) != 19 || u[19] != 0.5*18+1.5 {
		t.Errorf("I/θ = 1.5: %d spikes and the membrane %v, want 19 and 10.5", len(spikes), u[19])
	}
}

// Nothing is lost without leak: Σ x = θ·spikes + what the membrane holds at the end.
func TestSTDBConservation(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, delay := range []bool{true, false} {
		for range 50 {
			x, sum := make([]tensor.Float, 40), 0.0
			for i := range x {
				x[i] = tensor.Float(r.IntN(33)-10) / 16
				sum += float64(x[i])
			}
			spikes, _, _, state := stdbRun(neuron.STDB{Beta: 1, Threshold: 0.75, Delay: delay}, x...)
			if got := 0.75*float64(len(spikes)) + float64(state[0]); got != sum {
				t.Fatalf("delay %v: θ·%d spikes and the membrane %v are %v, the input was %v", delay, len(spikes), state[0], got, sum)
			}
		}
	}
}

// The authors' order is the paper's one step later, and scaling input and threshold
// alike changes no spike.
func TestSTDBOrdersAndScale(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		x, scaled := make([]tensor.Float, 30), make([]tensor.Float, 30)
		for i := range x {
			x[i] = tensor.Float(2*r.Float64() - 0.5)
			scaled[i] = 4 * x[i]
		}
		late, _, _, _ := stdbRun(neuron.STDB{Beta: 0.9, Threshold: 0.7, Delay: true}, x...)
		paper, _, _, _ := stdbRun(neuron.STDB{Beta: 0.9, Threshold: 0.7}, x...)
		for i, s := range late {
			if s != paper[i]+1 {
				t.Fatalf("spikes at %v with delay, %v without", late, paper)
			}
		}
		if again, _, _, _ := stdbRun(neuron.STDB{Beta: 0.9, Threshold: 4 * 0.7, Delay: true}, scaled...); !reflect.DeepEqual(again, late) {
			t.Fatalf("spikes at %v, scaled by 4 at %v", late, again)
		}
	}
}

// stdbBack is the errors at the inputs for errors at the spikes.
func stdbBack(n neuron.STDB, s surrogate.Surrogate, x, gs []tensor.Float) []tensor.Float {
	_, u, since, _ := stdbRun(n, x...)
	gx := make([]tensor.Float, len(x))
	e := errorsOf(len(x), 1, s, u, gs, make([]tensor.Float, n.States()), gx)
	e.Kept = neuron.Strided{Data: since, Stride: 1}
	n.Backward(e)
	return gx
}

// A unit that never fired: the linear surrogate teaches it, that of spike times hardly,
// with α·exp(−β·(1000 + t)).
func TestSTDBOfASilentUnit(t *testing.T) {
	n := neuron.STDB{Beta: 1, Threshold: 2, Delay: true}
	x, gs := []tensor.Float{1, 0, 0}, []tensor.Float{0, 0, 1}
	// h = γ·(1 − |1/2 − 1|) = 0.15, over θ = 2.
	near(t, "linear", stdbBack(n, surrogate.Triangle{Height: 0.3, Width: 1}, x, gs), []float64{0.075, 0.075, 0})
	want := 0.3 * math.Exp(-0.01*1002) / 2
	got := stdbBack(n, surrogate.SpikeTime{Alpha: 0.3, Beta: 0.01}, x, gs)
	if math.Abs(float64(got[0])-want) > 1e-9 || got[1] != got[0] || got[2] != 0 || want > 1e-5 {
		t.Errorf("of spike times: errors %v at the inputs, want %v twice and 0", got, want)
	}
}

// The slope is divided by θ, decays with the time since the last spike, and errors decay
// with β on their way back; the reset passes none.
func TestSTDBErrorsByHand(t *testing.T) {
	s := surrogate.SpikeTime{Alpha: 1, Beta: math.Ln2}
	// Fires at 1; at 3 its last spike is 2 steps ago: slope 1/4, over θ = 2.
	near(t, "with delay", stdbBack(neuron.STDB{Beta: 0.5, Threshold: 2, Delay: true}, s, []tensor.Float{3, 0, 0, 0}, []tensor.Float{0, 0, 0, 1}),
		[]float64{0.125 / 4, 0.125 / 2, 0.125, 0})
	// Fires at 0, where its slope is 1; at 2 it is 1/4.
	near(t, "without", stdbBack(neuron.STDB{Beta: 0.5, Threshold: 2}, s, []tensor.Float{3, 0, 0}, []tensor.Float{1, 0, 1}),
		[]float64{0.125/4 + 0.5, 0.125 / 2, 0.125})
	// Without memory only the input of the step before acts.
	near(t, "β = 0", stdbBack(neuron.STDB{Threshold: 2, Delay: true}, surrogate.Triangle{Height: 1, Width: 1}, []tensor.Float{1, 1, 1}, []tensor.Float{0, 0, 1}),
		[]float64{0, 0.25, 0})
}

func TestSTDBFits(t *testing.T) {
	s := surrogate.SpikeTime{Alpha: 0.3, Beta: 0.01}
	if err := neuron.Fits(neuron.STDB{Beta: 1, Threshold: 1}, s); err != nil {
		t.Error(err)
	}
	if err := neuron.Fits(neuron.IF{Threshold: 1}, s); err == nil || !strings.Contains(err.Error(), "give neuron stdb") {
		t.Errorf("an IF neuron with a surrogate of spike times: %v", err)
	}
	if err := neuron.Fits(neuron.IF{Threshold: 1}, surrogate.Triangle{Height: 0.3, Width: 1}); err != nil {
		t.Error(err)
	}
	for _, n := range []neuron.STDB{{Beta: 1}, {Beta: 1, Threshold: -1}, {Beta: 1.1, Threshold: 1}, {Beta: 1, Threshold: math.NaN()}, {Beta: math.NaN(), Threshold: 1}} {
		if n.Validate() == nil {
			t.Errorf("%+v: accepted", n)
		}
	}
}

// Units that differ are like single ones with their options.
func TestSTDBVaried(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const steps, units = 9, 300
	theta, beta := make([]tensor.Float, units), make([]tensor.Float, units)
	x := make([]tensor.Float, steps*units)
	for i := range units {
		theta[i], beta[i] = tensor.Float(0.2+r.Float64()), tensor.Float(r.Float64())
	}
	for i := range x {
		x[i] = tensor.Float(r.Float64())
	}
	n := neuron.STDB{Beta: 1, Threshold: 1, Delay: true}
	u := make([]tensor.Float, len(x))
	w := window(steps, units, x, make([]tensor.Float, 2*units), u, make([]uint64, steps*5))
	w.Values = neuron.Values{Of: [][]tensor.Float{theta, beta}}
	if err := w.Values.Check(n, units); err != nil {
		t.Fatal(err)
	}
	n.Forward(w)
	for i := range units {
		var own []tensor.Float
		for t := range steps {
			own = append(own, x[t*units+i])
		}
		_, want, _, _ := stdbRun(w.Values.Unit(n, i).(neuron.STDB), own...)
		for s, m := range want {
			if u[s*units+i] != m {
				t.Fatalf("unit %d, step %d: membrane %v, alone %v", i, s, u[s*units+i], m)
			}
		}
	}
}

// Units that differ leak each by its own factor and fire above their thresholds, not at them,
// also where the neuron that they differ from has no leak. Inputs and thresholds are quarters,
// so that membranes often are at a threshold exactly.
func TestSTDBVariedAtTheThreshold(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	const steps, units = 12, 300
	for _, delay := range []bool{true, false} {
		theta, beta, x := make([]tensor.Float, units), make([]tensor.Float, units), make([]tensor.Float, steps*units)
		for i := range units {
			theta[i], beta[i] = tensor.Float(1+r.IntN(4))/4, tensor.Float(1+r.IntN(2))/2
		}
		for i := range x {
			x[i] = tensor.Float(r.IntN(4)) / 4
		}
		n := neuron.STDB{Beta: 1, Threshold: 1, Delay: delay}
		u, exact := make([]tensor.Float, len(x)), 0
		w := window(steps, units, x, make([]tensor.Float, 2*units), u, make([]uint64, steps*5))
		w.Values = neuron.Values{Of: [][]tensor.Float{theta, beta}}
		n.Forward(w)
		for i := range units {
			var m, s tensor.Float // by the equations of STDB
			for step := range steps {
				in := x[step*units+i]
				if !delay {
					m = beta[i]*m - theta[i]*s + in
				}
				if u[step*units+i] != m {
					t.Fatalf("delay %v, unit %d, step %d: membrane %v, want %v", delay, i, step, u[step*units+i], m)
				}
				if s = 0; m > theta[i] {
					s = 1
				} else if m == theta[i] {
					exact++
				}
				if delay {
					m = beta[i]*m - theta[i]*s + in
				}
			}
		}
		if exact == 0 {
			t.Errorf("delay %v: no membrane is at its threshold: the test shows nothing", delay)
		}
	}
}

func TestSTDBDoesNotAllocate(t *testing.T) {
	const steps, units = 4, 300
	x, u, bits := make([]tensor.Float, steps*units), make([]tensor.Float, steps*units), make([]uint64, steps*5)
	kept, state := neuron.Strided{Data: make([]tensor.Float, steps*units), Stride: units}, make([]tensor.Float, 2*units)
	var n neuron.Neuron = neuron.STDB{Beta: 1, Threshold: 1, Delay: true}
	for _, s := range []surrogate.Surrogate{surrogate.SpikeTime{Alpha: 0.3, Beta: 0.01}, surrogate.Triangle{Height: 0.3, Width: 1}} {
		w, e := window(steps, units, x, state, u, bits), errorsOf(steps, units, s, u, x, state, u)
		w.Kept, e.Kept = kept, kept
		if got := testing.AllocsPerRun(10, func() {
			n.Forward(w)
			n.Backward(e)
		}); got != 0 {
			t.Errorf("%+v: %v allocations", s, got)
		}
	}
}

// The equations unit by unit and step by step, against Forward and Replay over two windows:
// with and without a leak, the delay and units that differ, and where nobody asks for times.
func TestSTDBAsWritten(t *testing.T) {
	const steps, units = 11, 300
	r := rand.New(rand.NewPCG(7, 8))
	theta := make([]tensor.Float, units)
	for i := range theta {
		theta[i] = tensor.Float(0.2 + r.Float64())
	}
	for k := range 16 {
		n := neuron.STDB{Beta: 1 - 0.1*float64(k&1), Threshold: 0.7, Delay: k&2 > 0}
		varied, keeps := k&4 > 0, k&8 > 0
		given, replayed := make([]tensor.Float, 2*units), make([]tensor.Float, 2*units)
		state, age := make([]tensor.Float, units), repeated(units, -neuron.Never)
		for range 2 {
			x := make([]tensor.Float, steps*units)
			for i := range x {
				x[i] = tensor.Float(0.3 + 0.6*r.NormFloat64())
			}
			inPlace, again := append([]tensor.Float(nil), x...), append([]tensor.Float(nil), x...)
			spikes, kept := make([]uint64, steps*5), make([]tensor.Float, steps*units)
			w := window(steps, units, inPlace, given, inPlace, spikes)
			if varied {
				w.Values = neuron.Values{Of: [][]tensor.Float{theta, nil}}
			}
			if keeps {
				w.Kept = neuron.Strided{Data: kept, Stride: units}
			}
			n.Forward(w)
			w.State, w.Input.Data, w.Membrane.Data = replayed, again, again
			n.Replay(w)
			for i := range units {
				level := tensor.Float(n.Threshold)
				if varied {
					level = theta[i]
				}
				for s := range steps {
					in, m := x[s*units+i], state[i]
					if !n.Delay {
						m += in
					}
					fired, since := m > level, tensor.Float(s)-age[i]
					if state[i] = tensor.Float(tensor.Float(n.Beta) * m); fired {
						state[i] -= level
						age[i] = tensor.Float(s)
						if !n.Delay {
							since = 0
						}
					}
					if n.Delay {
						state[i] += in
					}
					at := s*units + i
					if got := spikes[s*5+i/64]>>(i%64)&1 == 1; got != fired || inPlace[at] != m || again[at] != m || keeps && kept[at] != since {
						t.Fatalf("%+v, unit %d, step %d: spike %v, membranes %v, %v, since %v; want %v, %v, %v", n, i, s, got, inPlace[at], again[at], kept[at], fired, m, since)
					}
				}
				age[i] -= steps // counted from the next window's start
				if want := -age[i] - neuron.Never; given[i] != state[i] || given[units+i] != want || !reflect.DeepEqual(replayed, given) {
					t.Fatalf("%+v, unit %d: state %v and %v, want %v and %v", n, i, given[i], given[units+i], state[i], want)
				}
			}
		}
	}
}

func BenchmarkSTDB(b *testing.B) {
	const steps, units = 16, 2048
	r := rand.New(rand.NewPCG(1, 2))
	x, u := make([]tensor.Float, steps*units), make([]tensor.Float, steps*units)
	for i := range x {
		x[i] = tensor.Float(0.3 + 0.5*r.NormFloat64())
	}
	kept, spikes, state := make([]tensor.Float, steps*units), make([]uint64, steps*units/64), make([]tensor.Float, 2*units)
	for _, n := range []neuron.STDB{{Beta: 1, Threshold: 1}, {Beta: 1, Threshold: 1, Delay: true}} {
		for name, times := range map[string][]tensor.Float{"": nil, ", keeping times": kept} {
			b.Run(fmt.Sprintf("%+v%s", n, name), func(b *testing.B) {
				w := window(steps, units, x, state, u, spikes)
				w.Kept = neuron.Strided{Data: times, Stride: units}
				for b.Loop() {
					n.Forward(w)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(steps*units), "ns/update")
			})
		}
	}
}
