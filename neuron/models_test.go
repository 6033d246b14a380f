package neuron_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"synfire/neuron"
	"synfire/surrogate"
	"synfire/tensor"
)

// drive runs one unit from rest through inputs and returns its spikes and
// membranes.
func drive(n neuron.Neuron, x ...tensor.Float) (spikes []int, u []tensor.Float) {
	u = make([]tensor.Float, len(x))
	bits := make([]uint64, len(x))
	n.Forward(neuron.Window{
		Steps: len(x), Units: 1, Input: neuron.Strided{Data: x, Stride: 1}, State: make([]tensor.Float, n.States()),
		Membrane: neuron.Strided{Data: u, Stride: 1}, Spikes: neuron.Bits{Data: bits, Stride: 1},
	})
	for t, b := range bits {
		if b == 1 {
			spikes = append(spikes, t)
		}
	}
	return spikes, u
}

// window is one of packed rows.
func window(steps, units int, x, state, u []tensor.Float, bits []uint64) neuron.Window {
	return neuron.Window{
		Steps: steps, Units: units, Input: neuron.Strided{Data: x, Stride: units}, State: state,
		Membrane: neuron.Strided{Data: u, Stride: units}, Spikes: neuron.Bits{Data: bits, Stride: (units + 63) / 64},
	}
}

// errorsOf are those of a window of packed rows.
func errorsOf(steps, units int, s surrogate.Surrogate, u, gs, gstate, gx []tensor.Float) neuron.Errors {
	return neuron.Errors{
		Steps: steps, Units: units, Surrogate: s, Membrane: neuron.Strided{Data: u, Stride: units},
		Spikes: neuron.Strided{Data: gs, Stride: units}, State: gstate, Input: neuron.Strided{Data: gx, Stride: units},
	}
}

// pulse is an input of 1 at step 0 and silence after.
func pulse(steps int) []tensor.Float {
	x := make([]tensor.Float, steps)
	x[0] = 1
	return x
}

func near(t *testing.T, what string, got []tensor.Float, want []float64) {
	t.Helper()
	for i, w := range want {
		if math.Abs(float64(got[i])-w) > 2e-6 {
			t.Errorf("%s: membrane %d is %v, want %v", what, i, got[i], w)
		}
	}
}

// Membranes after one input pulse, below threshold, as each library has them.
func TestPulseResponse(t *testing.T) {
	_, u := drive(neuron.Norse(5, 10, 1, 1), pulse(7)...)
	near(t, "norse", u, []float64{0.1, 0.17, 0.217, 0.2465, 0.26281, 0.269297, 0.2685817})
	before := neuron.Norse(5, 10, 1, 1)
	before.Delay = true // until June 2022
	_, u = drive(before, pulse(8)...)
	near(t, "norse of old", u, []float64{0, 0.1, 0.17, 0.217, 0.2465, 0.26281, 0.269297, 0.2685817})
	_, u = drive(neuron.Lava(0.2, 0.1, 3), pulse(7)...)
	near(t, "lava", u, []float64{1, 1.7, 2.17, 2.465, 2.6281, 2.69297, 2.685817})
	// Synaptic of α = 1/2, β = 3/4, by hand.
	_, u = drive(neuron.SnnTorchSynaptic(0.5, 0.75, 9), pulse(4)...)
	near(t, "synaptic", u, []float64{1, 1.25, 1.1875, 1.015625})
}

// Norse's trace for an input of 1 in each step, Δ/τm = 0.1 and Δ/τs = 0.2, by its
// order since June 2022:
//
//	i += 1; v += 0.1·(i − v); i −= 0.2·i; a spike at v > 1 sets v = 0
//
// so i before its decay is 1, 1.8, 2.44, 2.952, 3.3616, 3.68928. Norse reports v
// after the reset, here it is the membrane before.
func TestNorseSinceJune2022(t *testing.T) {
	n := neuron.Norse(5, 10, 1, 1)
	state := make([]tensor.Float, n.States())
	var u, v []tensor.Float
	for range 6 {
		m, bits := []tensor.Float{0}, []uint64{0}
		n.Forward(window(1, 1, []tensor.Float{1}, state, m, bits))
		u, v = append(u, m...), append(v, state[0])
	}
	near(t, "before the reset", u, []float64{0.1, 0.27, 0.487, 0.7335, 0.99631, 1.265607})
	near(t, "after the reset", v, []float64{0.1, 0.27, 0.487, 0.7335, 0.99631, 0})
}

// The exact solution meets the closed form of the double exponential on every
// step, and has its peak where theory puts it, equal time constants included.
func TestExactIntegration(t *testing.T) {
	for _, c := range []struct{ tauM, tauS, peak, at float64 }{
		{10, 5, 0.25, 6.9315},
		{20, 5, 5 * (math.Exp(-9.2420/20) - math.Exp(-9.2420/5)) / 15, 9.2420},
		{10, 10, 1 / math.E, 10},
		{10, 10 * (1 - 1e-9), 1 / math.E, 10},
	} {
		const dt = 0.1
		_, u := drive(neuron.Exactly(c.tauS, c.tauM, dt, 1, 0), pulse(400)...)
		best := 0
		for i, v := range u {
			s := float64(i) * dt
			want := s / c.tauM * math.Exp(-s/c.tauM)
			if math.Abs(c.tauM-c.tauS) > 1e-6 {
				want = c.tauS / (c.tauM - c.tauS) * (math.Exp(-s/c.tauM) - math.Exp(-s/c.tauS))
			}
			if math.Abs(float64(v)-want) > 3e-6 {
				t.Fatalf("τm %v, τs %v: membrane %v at %v, want %v", c.tauM, c.tauS, v, s, want)
			}
			if v > u[best] {
				best = i
			}
		}
		if at := float64(best) * dt; math.Abs(at-c.at) > dt || math.Abs(float64(u[best])-c.peak) > 1e-4 {
			t.Errorf("τm %v, τs %v: peak %v at %v, want %v at %v", c.tauM, c.tauS, u[best], at, c.peak, c.at)
		}
	}
	// The propagators of τm = 10, τs = 2, Δ = 0.1, with the resistance τm/C of
	// C = 250: P21 after one step, P21·(P11 + P22) after two.
	_, u := drive(neuron.Exactly(2, 10, 0.1, 1, 0), pulse(3)...)
	r := 10. / 250
	for i, want := range []float64{0, 3.88204092e-4, 3.88204092e-4 * (0.951229425 + 0.990049834)} {
		if math.Abs(float64(u[i])*r-want) > 1e-9 {
			t.Errorf("step %d: %v, want %v", i, float64(u[i])*r, want)
		}
	}
}

// snnTorch's default reset is a step late and not decayed.
func TestDelayedReset(t *testing.T) {
	spikes, u := trace(neuron.SnnTorchLeaky(0.9, 1), 0.3, 16)
	if !reflect.DeepEqual(spikes, []int{3, 8, 12}) || math.Abs(float64(u[4])-0.22853) > 1e-6 {
		t.Errorf("spikes at %v, u[4] = %v, want 3, 8, 12 and 0.22853", spikes, u[4])
	}
}

// snnTorch with reset_delay=False takes a membrane that is above the threshold
// after its reset for a spike whose reset is due: it agrees with a reset in the
// step of the spike until u − θ exceeds θ, and then fires less.
func TestSnnTorchResetWithoutDelay(t *testing.T) {
	const beta, theta = 0.9, 1
	peer := func(x []tensor.Float) (spikes []int) {
		mem := 0.0
		for t, in := range x {
			due := mem > theta
			mem = beta*mem + float64(in)
			lowered := mem
			if due {
				lowered -= theta
			}
			if lowered > theta {
				spikes = append(spikes, t)
				mem -= theta
			}
		}
		return spikes
	}
	n := neuron.LIF{Beta: beta, Threshold: theta, Strict: true}
	for _, c := range []struct {
		x          []tensor.Float
		ours, peer []int
	}{
		{[]tensor.Float{0.6, 0.6, 1.5, 0.2, 0.7}, []int{1, 2, 4}, []int{1, 2, 4}},
		{[]tensor.Float{3, 0, 0, 0}, []int{0, 1}, []int{0}},
	} {
		if got, _ := drive(n, c.x...); !reflect.DeepEqual(got, c.ours) || !reflect.DeepEqual(peer(c.x), c.peer) {
			t.Errorf("input %v: spikes at %v and %v, want %v and %v", c.x, got, peer(c.x), c.ours, c.peer)
		}
	}
}

func TestSpikingJelly(t *testing.T) {
	_, u := trace(neuron.SpikingJelly(2, 1), 1.5, 6)
	near(t, "spikingjelly", u, []float64{0.75, 1.125, 0.75, 1.125, 0.75, 1.125})
}

// A refractory time of R steps lengthens the period by R.
func TestRefractory(t *testing.T) {
	pausing := neuron.IF{Threshold: 1, Refractory: 2}
	lif := neuron.LIF{Beta: neuron.Decay(10, 1), Threshold: 1, Reset: neuron.Zero, DecayInput: true, Refractory: 2}
	for _, c := range []struct {
		name  string
		n     neuron.Neuron
		input float64
		steps int
		want  []int
	}{
		{"if 5/4", pausing, 1.25, 9, every(0, 3, 3)},
		{"if 3/8, the rest kept", pausing, 0.375, 20, []int{2, 7, 11, 16}}, // .125 is held, .5 .875 1.25, .25 is held, .625 1
		{"lif, period 11 + 2", lif, 1.5, 100, every(10, 13, 7)},
		{"alif without adaptation", neuron.ALIF{Beta: lif.Beta, Threshold: 1, Reset: neuron.Zero, DecayInput: true, Refractory: 2}, 1.5, 100, every(10, 13, 7)},
		{"no reset", neuron.IF{Threshold: 1, Reset: neuron.None, Refractory: 1}, 0.5, 8, []int{1, 3, 5, 7}},
	} {
		got, u := trace(c.n, c.input, c.steps)
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: spikes at %v, want %v", c.name, got, c.want)
		}
		after := u[got[0]+1]
		if z, slope := c.n.Argument(after); !math.IsInf(float64(after), -1) || slope != 0 || math.IsInf(float64(z), 0) {
			t.Errorf("%s: refractory membrane %v, argument %v with slope %v", c.name, after, z, slope)
		}
	}
	// Currents go on in a refractory unit: a pulse that arrives with the first
	// spike is still felt after it.
	n := neuron.CuBaLIF{Alpha: 0.5, Beta: 0.5, Threshold: 1, Reset: neuron.Zero, Refractory: 1}
	spikes, u := drive(n, 4, 0, 0, 0) // current 4, 2, 1, 1/2
	if !reflect.DeepEqual(spikes, []int{0, 2}) || u[2] != 1 {
		t.Errorf("cuba-lif: spikes at %v, u[2] = %v, want 0, 2 and 1", spikes, u[2])
	}
}

// The adaptation by hand, in dyadic numbers: β = 1, x = 1/2, θ = 1, κ = ρ = 1/2.
func TestAdaptation(t *testing.T) {
	n := neuron.ALIF{Beta: 1, Threshold: 1, Adaptation: 0.5, Rho: 0.5}
	spikes, u := trace(n, 0.5, 7)
	if want := []int{1, 4, 6}; !reflect.DeepEqual(spikes, want) {
		t.Errorf("spikes at %v, want %v", spikes, want)
	}
	near(t, "alif", u, []float64{0.5, 1, 0, 0.75, 1.375, 0.4375, 1.21875})
	// Without adaptation it is the LIF neuron.
	for _, reset := range []neuron.Reset{neuron.Subtract, neuron.Zero, neuron.None} {
		a, _ := trace(neuron.ALIF{Beta: 0.9, Threshold: 1, Rho: 0.9, Reset: reset}, 0.3, 40)
		b, _ := trace(neuron.LIF{Beta: 0.9, Threshold: 1, Reset: reset}, 0.3, 40)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("reset %v: spikes at %v, of lif at %v", reset, a, b)
		}
	}
}

// models are the models with each of their paths.
var models = []neuron.Neuron{
	neuron.IF{Threshold: 0.7, Refractory: 2},
	neuron.LIF{Beta: 0.8, Threshold: 1, Reset: neuron.Zero, Refractory: 1},
	neuron.LIF{Beta: 0.8, Threshold: 0.6, Delayed: true, Strict: true},
	neuron.CuBaLIF{Alpha: 0.7, Beta: 0.8, Threshold: 1},
	neuron.CuBaLIF{Alpha: 0.7, Beta: 0.8, Threshold: 1, Delay: true, Coupling: neuron.Euler, Reset: neuron.Zero},
	neuron.CuBaLIF{Alpha: 0.7, Beta: 0.7, Threshold: 0.2, Coupling: neuron.Exact, Refractory: 2},
	neuron.ALIF{Beta: 0.8, Threshold: 0.6, Adaptation: 0.3, Rho: 0.9},
	neuron.ALIF{Beta: 0.8, Threshold: 0.6, Adaptation: 0.3, Rho: 0.9, Reset: neuron.Zero, Refractory: 1, DecayInput: true},
}

// Any split of time gives the same bits forwards and backwards, a replay the
// same membranes, and a constant input what its repetition gives.
func TestModelsSplitAndReplay(t *testing.T) {
	const steps, units = 12, 300 // more than one block, and a word that is not full
	const words = (units + 63) / 64
	r := rand.New(rand.NewPCG(1, 2))
	x, gs := make([]tensor.Float, steps*units), make([]tensor.Float, steps*units)
	for i := range x {
		x[i], gs[i] = tensor.Float(r.Float64()), tensor.Float(r.NormFloat64())
	}
	s := surrogate.FastSigmoid{Slope: 2}
	for _, n := range models {
		type result struct {
			u, gx, state, gstate []tensor.Float
			bits                 []uint64
		}
		run := func(cuts ...int) result {
			res := result{
				make([]tensor.Float, steps*units), make([]tensor.Float, steps*units),
				make([]tensor.Float, n.States()*units), make([]tensor.Float, n.States()*units),
				make([]uint64, steps*words),
			}
			for i := range res.bits {
				res.bits[i] = math.MaxUint64 // unused bits must be cleared
			}
			edges := append(append([]int{0}, cuts...), steps)
			for k := 1; k < len(edges); k++ {
				t0, t1 := edges[k-1], edges[k]
				n.Forward(window(t1-t0, units, x[t0*units:], res.state, res.u[t0*units:], res.bits[t0*words:]))
			}
			for k := len(edges) - 1; k > 0; k-- {
				t0, t1 := edges[k-1], edges[k]
				n.Backward(errorsOf(t1-t0, units, s, res.u[t0*units:], gs[t0*units:], res.gstate, res.gx[t0*units:]))
			}
			return res
		}
		want := run()
		fired := 0
		for i, w := range want.bits {
			if i%words == words-1 && w>>(units%64) != 0 {
				t.Errorf("%+v: bits beyond the last unit", n)
			}
			if w != 0 {
				fired++
			}
		}
		if fired == 0 {
			t.Errorf("%+v: nothing fires, the test shows nothing", n)
		}
		for _, cuts := range [][]int{{1}, {5}, {3, 4, 11}} {
			if got := run(cuts...); !reflect.DeepEqual(got, want) {
				t.Errorf("%+v: split at %v differs", n, cuts)
			}
		}
		u := make([]tensor.Float, steps*units)
		n.Replay(window(steps, units, x, make([]tensor.Float, n.States()*units), u, want.bits))
		for i := range u {
			if u[i] != want.u[i] && math.Abs(float64(u[i]-want.u[i])) > 1e-5 {
				t.Fatalf("%+v: replayed membrane %d is %v, not %v", n, i, u[i], want.u[i])
			}
		}
		testConstant(t, n, units)
	}
}

// testConstant compares strides of 0 with repetition, and without membranes.
func testConstant(t *testing.T, n neuron.Neuron, units int) {
	t.Helper()
	const steps = 6
	words := (units + 63) / 64
	x := make([]tensor.Float, steps*units)
	for i := range x {
		x[i] = tensor.Float(i%units) / tensor.Float(units)
	}
	u, bits := make([]tensor.Float, steps*units), make([]uint64, steps*words)
	n.Forward(window(steps, units, x, make([]tensor.Float, n.States()*units), u, bits))
	again := make([]uint64, steps*words)
	constant := window(steps, units, x[:units], make([]tensor.Float, n.States()*units), nil, again)
	constant.Input.Stride = 0
	n.Forward(constant)
	if !reflect.DeepEqual(bits, again) {
		t.Errorf("%+v: a constant input gives other spikes", n)
	}
	gs := make([]tensor.Float, steps*units)
	for i := range gs {
		gs[i] = tensor.Float(i%7) - 3
	}
	s := surrogate.ArcTan{Alpha: 2}
	gx, sum := make([]tensor.Float, steps*units), make([]tensor.Float, units)
	n.Backward(errorsOf(steps, units, s, u, gs, make([]tensor.Float, n.States()*units), gx))
	summed := errorsOf(steps, units, s, u, gs, make([]tensor.Float, n.States()*units), sum)
	summed.Input.Stride = 0
	n.Backward(summed)
	for i := range sum {
		var want tensor.Float
		for step := steps - 1; step >= 0; step-- {
			want += gx[step*units+i]
		}
		if math.Abs(float64(sum[i]-want)) > 1e-5*(1+math.Abs(float64(want))) {
			t.Fatalf("%+v: error %d summed over time is %v, want %v", n, i, sum[i], want)
		}
	}
}

// A surrogate that the kernels do not know takes the plain path to the same
// errors.
func TestSlowSurrogate(t *testing.T) {
	const steps, units = 8, 70
	r := rand.New(rand.NewPCG(3, 4))
	x, gs := make([]tensor.Float, steps*units), make([]tensor.Float, steps*units)
	for i := range x {
		x[i], gs[i] = tensor.Float(r.Float64()), tensor.Float(r.NormFloat64())
	}
	fast := surrogate.FastSigmoid{Slope: 3}
	slow := struct{ surrogate.Surrogate }{fast} // without the method Kernel
	for _, n := range append([]neuron.Neuron{neuron.LIF{Beta: 0.9, Threshold: 1, Reset: neuron.Zero}}, models...) {
		u := make([]tensor.Float, steps*units)
		n.Forward(window(steps, units, x, make([]tensor.Float, n.States()*units), u, make([]uint64, steps*2)))
		a, b := make([]tensor.Float, steps*units), make([]tensor.Float, steps*units)
		n.Backward(errorsOf(steps, units, fast, u, gs, make([]tensor.Float, n.States()*units), a))
		n.Backward(errorsOf(steps, units, slow, u, gs, make([]tensor.Float, n.States()*units), b))
		for i := range a {
			if math.Abs(float64(a[i]-b[i])) > 1e-5*(1+math.Abs(float64(a[i]))) {
				t.Fatalf("%+v: error %d is %v, by the plain path %v", n, i, a[i], b[i])
			}
		}
	}
}

func TestModelsValidate(t *testing.T) {
	for _, n := range models {
		if err := n.Validate(); err != nil {
			t.Errorf("%+v: %v", n, err)
		}
	}
	for _, n := range []neuron.Neuron{
		neuron.IF{Threshold: 1, Refractory: -1},
		neuron.LIF{Beta: 0.9, Threshold: 1, Delayed: true, Reset: neuron.Zero},
		neuron.LIF{Threshold: 1, Delayed: true},
		neuron.CuBaLIF{Alpha: 1.5, Beta: 0.9, Threshold: 1},
		neuron.CuBaLIF{Alpha: 0.5, Beta: math.NaN(), Threshold: 1},
		neuron.CuBaLIF{Alpha: 0.5, Beta: 1, Threshold: 1, Coupling: neuron.Euler},
		neuron.CuBaLIF{Alpha: 0, Beta: 0.5, Threshold: 1, Coupling: neuron.Exact},
		neuron.CuBaLIF{Alpha: 0.5, Beta: 1, Threshold: 1, Coupling: neuron.Exact},
		neuron.CuBaLIF{Alpha: 0.5, Beta: 0.5, Threshold: 1, Coupling: 7},
		neuron.CuBaLIF{Alpha: 0.5, Beta: 0.5},
		neuron.ALIF{Beta: 0.9, Threshold: 1, Adaptation: -1},
		neuron.ALIF{Beta: 0.9, Threshold: 1, Rho: 2},
		neuron.ALIF{Beta: 0.9, Threshold: 1, Refractory: -3},
	} {
		if n.Validate() == nil {
			t.Errorf("%+v: accepted", n)
		}
	}
	var c neuron.Coupling
	for _, want := range []neuron.Coupling{neuron.Unit, neuron.Euler, neuron.Exact} {
		text, _ := want.MarshalText()
		if err := c.UnmarshalText(text); err != nil || c != want {
			t.Errorf("%s: read as %v, %v", text, c, err)
		}
	}
	if c.UnmarshalText([]byte("soft")) == nil {
		t.Error("coupling soft: accepted")
	}
}

func TestModelsDoNotAllocate(t *testing.T) {
	const steps, units = 4, 300
	x, u, bits := make([]tensor.Float, steps*units), make([]tensor.Float, steps*units), make([]uint64, steps*5)
	var s surrogate.Surrogate = surrogate.FastSigmoid{Slope: 2}
	for _, n := range models {
		state := make([]tensor.Float, n.States()*units)
		if got := testing.AllocsPerRun(10, func() {
			n.Forward(window(steps, units, x, state, u, bits))
			n.Backward(errorsOf(steps, units, s, u, x, state, u))
		}); got != 0 {
			t.Errorf("%+v: %v allocations", n, got)
		}
	}
}

func BenchmarkModels(b *testing.B) {
	const steps, units = 16, 2048
	x, gs := make([]tensor.Float, steps*units), make([]tensor.Float, steps*units)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range x {
		x[i], gs[i] = tensor.Float(r.Float64()), tensor.Float(r.NormFloat64())
	}
	u, bits := make([]tensor.Float, steps*units), make([]uint64, steps*units/64)
	gx := make([]tensor.Float, steps*units)
	var s surrogate.Surrogate = surrogate.FastSigmoid{Slope: 2}
	for _, n := range append([]neuron.Neuron{neuron.LIF{Beta: 0.8, Threshold: 1}}, models...) {
		state := make([]tensor.Float, n.States()*units)
		per := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(steps*units), "ns/update")
		}
		b.Run(fmt.Sprintf("forward/%T-%d", n, n.States()), func(b *testing.B) {
			for b.Loop() {
				n.Forward(window(steps, units, x, state, u, bits))
			}
			per(b)
		})
		b.Run(fmt.Sprintf("backward/%T-%d", n, n.States()), func(b *testing.B) {
			clear(state)
			for b.Loop() {
				n.Backward(errorsOf(steps, units, s, u, gs, state, gx))
			}
			per(b)
		})
	}
}

// hinge is a surrogate without a kernel, so that the plain loops run.
var hinge = surrogate.Sigmoid{Slope: 1}

// back is the errors at the inputs and at the state of one unit whose spike of the last
// step has an error of 1.
func back(n neuron.Neuron, u []tensor.Float, state tensor.Float) (gx []tensor.Float, gstate tensor.Float) {
	gx, gs, g := make([]tensor.Float, len(u)), make([]tensor.Float, len(u)), make([]tensor.Float, n.States())
	g[0] = state
	n.Backward(errorsOf(len(u), 1, hinge, u, gs, g, gx))
	return gx, g[0]
}

// The error at a membrane that fired does not pass a reset to zero, at the threshold
// itself neither; that of a unit at rest after its spike passes as it is.
func TestErrorsThroughResetAndRest(t *testing.T) {
	n := neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.Zero, Refractory: 2}
	inf := tensor.Float(math.Inf(-1))
	for _, c := range []struct {
		name string
		n    neuron.LIF
		u    []tensor.Float
		gx   []tensor.Float
		g    tensor.Float
	}{
		{"below the threshold", n, []tensor.Float{0.75}, []tensor.Float{1}, 0.5},
		{"at the threshold", n, []tensor.Float{1}, []tensor.Float{0}, 0},
		{"above it", n, []tensor.Float{1.25}, []tensor.Float{0}, 0},
		{"at the threshold, strictly", neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.Zero, Refractory: 2, Strict: true}, []tensor.Float{1}, []tensor.Float{1}, 0.5},
		{"at the threshold, by subtraction", neuron.LIF{Beta: 0.5, Threshold: 1, Refractory: 2}, []tensor.Float{1}, []tensor.Float{1}, 0.5},
		{"at rest", n, []tensor.Float{inf, inf}, []tensor.Float{0, 0}, 1},
		{"at rest, after charge", n, []tensor.Float{0.5, inf, inf, 0.5}, []tensor.Float{0.5, 0, 0, 1}, 0.25},
	} {
		gx, g := back(c.n, c.u, 1)
		if !reflect.DeepEqual(gx, c.gx) || g != c.g {
			t.Errorf("%s: errors %v at the inputs and %v at the state, want %v and %v", c.name, gx, g, c.gx, c.g)
		}
	}
}

// A replay takes spikes as they are given, whatever the membrane.
func TestReplayTakesSpikesAsGiven(t *testing.T) {
	for _, n := range []neuron.Neuron{
		neuron.IF{Threshold: 1}, neuron.LIF{Beta: 1, Threshold: 1}, neuron.LIF{Beta: 1, Threshold: 1, Refractory: 1},
		neuron.ALIF{Beta: 1, Threshold: 1}, neuron.CuBaLIF{Beta: 1, Threshold: 1},
	} {
		u, bits := make([]tensor.Float, 3), []uint64{0, 1, 0}
		n.Replay(window(3, 1, []tensor.Float{2, -1, 0}, make([]tensor.Float, n.States()), u, bits))
		if !reflect.DeepEqual(bits, []uint64{0, 1, 0}) || u[0] != 2 || u[1] != 1 {
			t.Errorf("%T: membranes %v, spikes %v; given 0, 1, 0", n, u, bits)
		}
	}
}

// Towards a potential of rest go 1 − β of the way in a step.
func TestLeakByHand(t *testing.T) {
	_, u := drive(neuron.LIF{Beta: 0.75, Threshold: 9, Leak: 4}, 0, 0, 0)
	near(t, "lif", u, []float64{1, 1.75, 2.3125})
	_, u = drive(neuron.ALIF{Beta: 0.75, Threshold: 9, Leak: 4}, 0, 0, 0)
	near(t, "alif", u, []float64{1, 1.75, 2.3125})
	_, u = drive(neuron.CuBaLIF{Beta: 0.75, Threshold: 9, Leak: 4}, 0, 0, 0)
	near(t, "cuba-lif", u, []float64{1, 1.75, 2.3125})
}

// A gain of 0 that a unit is given is none, not the default.
func TestGainOfNothing(t *testing.T) {
	for _, n := range []neuron.Variable{neuron.IF{Threshold: 1}, neuron.LIF{Beta: 0.5, Threshold: 1}, neuron.ALIF{Beta: 0.5, Threshold: 1}, neuron.CuBaLIF{Beta: 0.5, Threshold: 1}} {
		var values []float64
		for _, o := range n.Options() {
			if o.Name == "gain" {
				o.Value = 0
			}
			values = append(values, o.Value)
		}
		if _, u := drive(n.With(values), 1, 1); u[0] > 1e-300 || u[1] > 1e-300 { // in double precision not quite none
			t.Errorf("%T with a gain of 0: membranes %v", n, u)
		}
	}
}

// The iterative LIF neuron of spatio-temporal backpropagation, u[t] = k·u[t−1]·(1 − o[t−1]) + I[t],
// o[t] = [u[t] > θ]: the reset acts before the next input. Its trace by hand.
func TestIterativeLIF(t *testing.T) {
	spikes, u := drive(neuron.LIF{Beta: 0.5, Threshold: 1, Strict: true, Reset: neuron.Zero}, 0.6, 0.8, 0.3, 0.9)
	near(t, "iterative LIF", u, []float64{0.6, 1.1, 0.3, 1.05})
	if !reflect.DeepEqual(spikes, []int{1, 3}) {
		t.Errorf("spikes at %v, want 1 and 3", spikes)
	}
	// A constant current drives it to I/(1 − k), and it fires only where that is above θ.
	constant := func(i tensor.Float) (x []tensor.Float) {
		for range 40 {
			x = append(x, i)
		}
		return x
	}
	spikes, u = drive(neuron.LIF{Beta: 0.5, Threshold: 1, Strict: true, Reset: neuron.Zero}, constant(0.4)...)
	for i := range u {
		if want := 0.8 * (1 - math.Pow(0.5, float64(i+1))); math.Abs(float64(u[i])-want) > 1e-6 {
			t.Errorf("membrane %d is %v, want %v", i, u[i], want)
		}
	}
	if len(spikes) > 0 {
		t.Errorf("it fires at %v, though I/(1 − k) is below the threshold", spikes)
	}
	if spikes, _ = drive(neuron.LIF{Beta: 0.5, Threshold: 1, Strict: true, Reset: neuron.Zero}, constant(0.51)...); len(spikes) == 0 {
		t.Error("it does not fire, though I/(1 − k) is above the threshold")
	}
	// Without memory each step is a perceptron; at the threshold itself it does not fire.
	if spikes, _ = drive(neuron.LIF{Threshold: 1, Strict: true, Reset: neuron.Zero}, 1.5, 1, 0.5, 1.25); !reflect.DeepEqual(spikes, []int{0, 3}) {
		t.Errorf("spikes at %v, want 0 and 3", spikes)
	}
}

// Errors through the reset by hand: k = 1/2, two steps, the first fires. With the
// rectangle of height 1 around θ = 1, u = 1.25 and 0.75: ∂v[0] = 0.5·∂u[1], and the
// reset took 1.25 away.
func TestResetGradient(t *testing.T) {
	u, gs := []tensor.Float{1.25, 0.75}, []tensor.Float{0.5, 2}
	for _, c := range []struct {
		n    neuron.LIF
		want float64 // ∂x[0]
	}{
		{neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.Zero}, 0.5},
		{neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.Zero, ResetGradient: true}, 0.5 - 1.25},
		{neuron.LIF{Beta: 0.5, Threshold: 1, ResetGradient: true}, 0.5 - 1 + 1},
	} {
		gx := make([]tensor.Float, 2)
		c.n.Backward(errorsOf(2, 1, surrogate.Rectangle{Height: 1, Width: 0.5}, u, gs, make([]tensor.Float, 1), gx))
		near(t, fmt.Sprintf("%+v", c.n), gx, []float64{c.want, 2})
	}
	if err := (neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.None, ResetGradient: true}).Validate(); err == nil {
		t.Error("reset-gradient without a reset is no error")
	}
}

// Where spikes are soft, so is the reset to zero that errors pass through: two steps by hand,
// with σ(z) = 1/2 + z within ±1/2.
func TestSoftResetByHand(t *testing.T) {
	n := neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.Zero, ResetGradient: true}
	u, gx := []tensor.Float{1.2, 0.98}, make([]tensor.Float, 2) // v[0] = 1.2·(1 − 0.7)
	e := errorsOf(2, 1, surrogate.Rectangle{Height: 1, Width: 0.5}, u, []tensor.Float{0, 1}, make([]tensor.Float, 1), gx)
	e.Soft = true
	n.Backward(e)
	near(t, "errors at the input", gx, []float64{0.5*0.3 - 0.5*1.2, 1})
}
