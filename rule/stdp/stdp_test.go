package stdp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/internal/rng"
	"synfire/snntest"
	"synfire/tensor"
)

// precision is how near figures come to those that were worked out in double precision.
func precision() float64 {
	if snntest.DoublePrecision() {
		return 1e-11
	}
	return 2e-6
}

func near(t *testing.T, what string, got tensor.Float, want float64) {
	t.Helper()
	if math.Abs(float64(got)-want) > precision()*max(1e-3, math.Abs(want)) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// must is for what cannot fail in these tests.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// bench is inputs and neurons that fire when they are told, and a connection between them.
type bench struct {
	*Network
	in, told, out *Population
	c             *Connection
}

func newBench(o Options, inputs, neurons int, s Synapses) *bench {
	n := must(New(o))
	b := &bench{Network: n}
	b.in, b.told = must(n.Add("in", inputs, Trains{})), must(n.Add("told", neurons, Trains{}))
	b.out = must(n.Add("out", neurons, LIF{Tau: 10, Threshold: 1e6}))
	must(n.Connect("tell", b.told, b.out, Synapses{OneToOne: 1e9}))
	b.c = must(n.Connect("plastic", b.in, b.out, s))
	return b
}

func (b *bench) play(in, out [][]float64, ms float64) {
	if err := errors.Join(b.in.Play(in), b.told.Play(out), b.Run(context.Background(), ms)); err != nil {
		panic(err)
	}
}

// changed is the change of the one weight, from w, by spikes at given times.
func changed(r Plasticity, w, high float64, stepwise bool, in, out []float64) float64 {
	b := newBench(Options{Step: 1, Stepwise: stepwise}, 1, 1, Synapses{Weights: []tensor.Float{tensor.Float(w)}, Delay: 1, Rule: r, High: high})
	b.play([][]float64{in}, [][]float64{out}, 200)
	return float64(b.c.Weights()[0]) - w
}

// The windows of pairs are those of the equations, in both forms of the traces.
func TestPairs(t *testing.T) {
	pair := Pair{Plus: 0.01, Minus: 0.012, TauPlus: 20, TauMinus: 20}
	nearest, together, multiplicative := pair, pair, Pair{Plus: 0.1, Minus: 0.1, TauPlus: 20, TauMinus: 20, Mu: 1}
	nearest.Nearest, together.Together = true, true
	between := Pair{Plus: 0.1, Minus: 0.1, TauPlus: 20, TauMinus: 20, Mu: 0.5}
	e := math.Exp
	for _, c := range []struct {
		name    string
		rule    Plasticity
		w, high float64
		in, out []float64
		want    float64
	}{
		{"before", pair, 0, 0, []float64{5}, []float64{15}, 0.0060653066},
		{"after", pair, 0, 0, []float64{15}, []float64{5}, -0.0072783679},
		{"kept above 0", pair, 0, 1, []float64{15}, []float64{5}, 0},
		{"kept below high", pair, 0.999, 1, []float64{5}, []float64{15}, 0.001},
		{"all to all", pair, 0, 0, []float64{0, 10}, []float64{20}, 0.0097441010},
		{"nearest", nearest, 0, 0, []float64{0, 10}, []float64{20}, 0.0060653066},
		{"nearest neuron", nearest, 0, 0, []float64{20}, []float64{0, 10}, -0.0072783679},
		{"one step", pair, 0, 0, []float64{5}, []float64{5}, 0},
		{"one step, together", together, 0, 0, []float64{5}, []float64{5}, 0.01 - 0.012},
		{"multiplicative, up", multiplicative, 0.25, 1, []float64{5}, []float64{15}, 0.075 * e(-0.5)},
		{"multiplicative, down", multiplicative, 0.25, 1, []float64{15}, []float64{5}, -0.025 * e(-0.5)},
		{"between, up", between, 0.25, 1, []float64{5}, []float64{15}, 0.1 * math.Sqrt(0.75) * e(-0.5)},
		{"between, down", between, 0.25, 1, []float64{15}, []float64{5}, -0.1 * 0.5 * e(-0.5)},
	} {
		for _, stepwise := range []bool{false, true} {
			if got := changed(c.rule, c.w, c.high, stepwise, c.in, c.out); math.Abs(got-c.want) > max(0.5*precision(), 1e-10) {
				t.Errorf("%s, stepwise %v: %v, want %v", c.name, stepwise, got, c.want)
			}
		}
	}
	for _, dt := range []float64{-120, -37, -1, 1, 3, 50, 150} { // the curve itself
		want := 0.01 * e(-dt/20)
		in, out := []float64{0}, []float64{dt}
		if dt < 0 {
			want, in, out = -0.012*e(dt/20), []float64{-dt}, []float64{0}
		}
		if got := changed(pair, 0, 0, false, in, out); math.Abs(got-want) > precision()*0.01 {
			t.Errorf("at %v ms: %v, want %v", dt, got, want)
		}
	}
}

// Triplets, worked out from the equations by hand: the slow traces are those before.
func TestTriplets(t *testing.T) {
	rule := VisualCortex()
	e := math.Exp
	pre := -7e-3 * e(-5/33.7)
	post := e(-10/16.8) * (5e-10 + 6.2e-3*e(-15.0/125))
	for _, c := range []struct {
		name    string
		in, out []float64
		want    float64
	}{
		{"pair", []float64{0}, []float64{10}, 5e-10 * e(-10/16.8)},
		{"post, pre, post", []float64{5}, []float64{0, 15}, pre + post},
		{"pre, post, pre", []float64{0, 15}, []float64{10}, 5e-10*e(-10/16.8) - e(-5/33.7)*(7e-3+2.3e-4*e(-15.0/101))},
	} {
		for _, stepwise := range []bool{false, true} {
			if got := changed(rule, 0, 0, stepwise, c.in, c.out); math.Abs(got-c.want) > precision()*0.01 {
				t.Errorf("%s, stepwise %v: %v, want %v", c.name, stepwise, got, c.want)
			}
		}
	}
	// Another unit of time is the same.
	fine := newBench(Options{Step: 0.1}, 1, 1, Synapses{Weights: make([]tensor.Float, 1), Delay: 0.1, Rule: rule})
	fine.play([][]float64{{5}}, [][]float64{{0, 15}}, 20)
	near(t, "steps of 0.1 ms", fine.c.Weights()[0], pre+post)
}

// Independent Poisson trains move a weight as the equation on a grid says, where each τ is
// Δ/(e^(Δ/τ) − 1): 7.51e-5 a ms for the minimal rule of the visual cortex at 20 and 30 Hz.
func TestTripletDrift(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates 40 minutes")
	}
	rule := Triplet{Plus3: 6.5e-3, Minus2: 7.1e-3, TauPlus: 16.8, TauMinus: 33.7, TauX: 1, TauY: 114}
	grid := func(tau float64) float64 { return 1 / (math.Exp(1/tau) - 1) }
	want := 0.02*0.03*-7.1e-3*grid(33.7) + 6.5e-3*grid(16.8)*grid(114)*0.02*0.03*0.03
	if math.Abs(want-7.51e-5) > 1e-7 {
		t.Fatalf("the drift is %v, want 7.51e-5", want)
	}
	// Both sides are Poisson: the neurons are told by a population of rates.
	n := must(New(Options{Step: 1, Seed: 3}))
	const pairs = 60
	in, told := must(n.Add("in", pairs, Poisson{})), must(n.Add("told", 1, Poisson{}))
	out := must(n.Add("out", 1, LIF{Tau: 10, Threshold: 1e6}))
	must(n.Connect("tell", told, out, Synapses{OneToOne: 1e9}))
	c := must(n.Connect("plastic", in, out, Synapses{Weights: make([]tensor.Float, pairs), Delay: 1, Rule: rule}))
	if err := errors.Join(in.Drive(slices.Repeat([]tensor.Float{20}, pairs)), told.Drive([]tensor.Float{30})); err != nil {
		t.Fatal(err)
	}
	const blocks, ms = 20, 120_000.0
	var means []float64
	for range blocks {
		clear(c.Weights())
		if err := n.Run(t.Context(), ms); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, w := range c.Weights() {
			sum += float64(w) / pairs / ms
		}
		means = append(means, sum)
	}
	mean, variance := 0.0, 0.0
	for _, m := range means {
		mean += m / blocks
	}
	for _, m := range means {
		variance += (m - mean) * (m - mean) / (blocks - 1)
	}
	if e := math.Sqrt(variance / blocks); math.Abs(mean-want) > 3*e || e > 0.05*want {
		t.Errorf("a drift of %v ± %v a ms, want %v", mean, e, want)
	}
}

// Order asks whether an input has fired, and moves weights by w(1 − w).
func TestOrder(t *testing.T) {
	b := newBench(Options{Step: 1}, 5, 1, Synapses{Weights: []tensor.Float{0.8, 0.8, 0.8, 0, 1}, Delay: 1, Rule: Order{Plus: 0.004, Minus: 0.003}})
	b.play([][]float64{{3}, {7}, {8}, {1}, {}}, [][]float64{{7}}, 10)
	for i, want := range []float64{0.80064, 0.80064, 0.79952, 0, 1} {
		near(t, fmt.Sprintf("weight %d", i), b.c.Weights()[i], want)
	}
}

// Probabilistic comes to rest where its expectation does.
func TestProbabilistic(t *testing.T) {
	src := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		rule Probabilistic
		want float64
	}{
		{Probabilistic{Plus: 0.002, Minus: 0.002, Window: 1}, math.Log(4)},
		{Probabilistic{Plus: 0.004, Minus: 0.002, Window: 1, Everywhere: true}, math.Log(2 * 0.8)},
	} {
		b := newBench(Options{Step: 1}, 1, 1, Synapses{Weights: []tensor.Float{1}, Delay: 1, Rule: c.rule})
		var in, out []float64
		for s := range 20_000 {
			if out = append(out, float64(s)); src.Float64() < 0.8 {
				in = append(in, float64(s))
			}
		}
		b.play([][]float64{in}, [][]float64{out}, 20_000)
		if got := float64(b.c.Weights()[0]); math.Abs(got-c.want) > 0.12 {
			t.Errorf("%+v: weight %v, want %v", c.rule, got, c.want)
		}
	}
	b := newBench(Options{Step: 1}, 2, 1, Synapses{Weights: []tensor.Float{0, 0}, Delay: 1, Rule: Probabilistic{Plus: 0.1, Minus: 0.2, Window: 3}})
	b.play([][]float64{{5}, {4}}, [][]float64{{7}}, 10) // three steps with that of the spike: 5 is within, 4 is not
	near(t, "active", b.c.Weights()[0], 0.1)
	near(t, "silent", b.c.Weights()[1], -0.2)
}

// Inhibition that learns: by hand for a pair, and without change on average at the target.
func TestInhibitory(t *testing.T) {
	rule := Inhibitory{Rate: 0.1, Tau: 20, Target: 5}
	alpha := 2 * 5 * 20.0 / 1000
	near(t, "before", tensor.Float(changed(rule, 1, 0, false, []float64{5}, []float64{15})), -0.1*alpha+0.1*math.Exp(-0.5))
	near(t, "after", tensor.Float(changed(rule, 1, 0, true, []float64{15}, []float64{5})), 0.1*(math.Exp(-0.5)-alpha))

	// A neuron that fires too much is brought to about its target.
	n := must(New(Options{Step: 1, Seed: 1}))
	e, i := must(n.Add("e", 50, Poisson{})), must(n.Add("i", 50, Poisson{}))
	out := must(n.Add("out", 1, Conductance{Tau: 20, Rest: -60, Reset: -60, Threshold: -50, Refractory: 5, Inhibitory: -80, TauExcitatory: 5, TauInhibitory: 10}))
	must(n.Connect("e", e, out, Synapses{Weights: slices.Repeat([]tensor.Float{0.08}, 50), Delay: 1}))
	c := must(n.Connect("i", i, out, Synapses{Weights: make([]tensor.Float, 50), Delay: 1, Inhibitory: true, High: 10, Rule: Inhibitory{Rate: 0.002, Tau: 20, Target: 5}}))
	rates := slices.Repeat([]tensor.Float{20}, 50)
	m := n.Monitor(out)
	count := func(ms float64) float64 {
		m.Clear()
		if err := n.Run(t.Context(), ms); err != nil {
			t.Fatal(err)
		}
		return float64(m.Count[0]) / ms * 1000
	}
	if err := errors.Join(e.Drive(rates), i.Drive(rates)); err != nil {
		t.Fatal(err)
	}
	n.Freeze(true)
	before := count(5000)
	n.Freeze(false)
	count(200_000)
	if after := count(100_000); before < 15 || after < 3.5 || after > 6.5 {
		t.Errorf("%v Hz without, %v with inhibition that learns to hold 5", before, after)
	}
	if c.Weights()[0] == 0 {
		t.Error("nothing was learned")
	}
}

// Rewards take into the weights what spikes left in the eligibility, as it has decayed.
func TestReward(t *testing.T) {
	for _, stepwise := range []bool{false, true} {
		b := newBench(Options{Step: 1, Stepwise: stepwise}, 1, 1, Synapses{Weights: []tensor.Float{0.5}, Delay: 1, High: 1, Eligibility: 50, Rule: Pair{Plus: 0.1, Minus: 0.1, TauPlus: 20, TauMinus: 20}})
		b.play([][]float64{{0}}, [][]float64{{10}}, 41)
		near(t, "before reward", b.c.Weights()[0], 0.5)
		e := 0.1 * math.Exp(-0.5) * math.Exp(-30.0/50)
		if err := b.c.Reward(2); err != nil {
			t.Fatal(err)
		}
		near(t, "rewarded", b.c.Weights()[0], 0.5+2*e)
		if err := b.c.Reward(-3); err != nil {
			t.Fatal(err)
		}
		near(t, "punished", b.c.Weights()[0], 0.5-e)
		if err := b.c.Reward(math.NaN()); err == nil {
			t.Error("a reward that is no number is taken")
		}
	}
}

// Short-term plasticity at a constant rate comes to its fixed point in closed form, and the
// first spikes are those of the recursion.
func TestShortTerm(t *testing.T) {
	for _, st := range []ShortTerm{{Use: 0.5, Recovery: 800}, {Use: 0.1, Recovery: 100, Facilitates: 1000}} {
		n := must(New(Options{Step: 1}))
		in, out := must(n.Add("in", 1, Trains{})), must(n.Add("out", 1, LIF{Tau: 0.01, Threshold: 1e6}))
		c := must(n.Connect("c", in, out, Synapses{Weights: []tensor.Float{10}, ShortTerm: st}))
		var train []float64
		for k := range 300 {
			train = append(train, float64(50*k))
		}
		if err := in.Play([][]float64{train}); err != nil {
			t.Fatal(err)
		}
		var passed []tensor.Float
		for range 300 {
			if err := n.Run(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			passed = append(passed, out.cells.(*lifCells).u[0])
			if err := n.Run(t.Context(), 49); err != nil {
				t.Fatal(err)
			}
		}
		d, u := math.Exp(-50/st.Recovery), st.Use
		if st.Facilitates > 0 { // u = U + u'(1 − U), u' = U + (u − U)·e^(−T/τ_f)
			f := math.Exp(-50 / st.Facilitates)
			u = (st.Use + st.Use*(1-f)*(1-st.Use)) / (1 - f*(1-st.Use))
		}
		near(t, "first", passed[0], 10*st.Use)
		near(t, "last", passed[299], 10*u*(1-d)/(1-d*(1-u)))
		_ = c
	}
}

// What lies between spikes: leak, threshold, refractory time and the rise of thresholds.
func TestLIF(t *testing.T) {
	fires := func(w float64, times ...float64) []float64 {
		n := must(New(Options{Step: 1}))
		in := must(n.Add("in", 1, Trains{}))
		out := must(n.Add("out", 1, LIF{Tau: 100, Threshold: 13, Reset: 5, Refractory: 5, Rise: 0.05}))
		must(n.Connect("c", in, out, Synapses{Weights: []tensor.Float{tensor.Float(w)}, Delay: 1}))
		m := n.Monitor(out)
		if err := errors.Join(in.Play([][]float64{times}), n.Run(t.Context(), 2000)); err != nil {
			t.Fatal(err)
		}
		return m.Times
	}
	for _, c := range []struct {
		w     float64
		times []float64
		want  []float64
	}{
		{13.2, []float64{3}, []float64{4}},
		{12.9, []float64{3}, nil},
		{13.04, []float64{3, 1500}, []float64{4}}, // from rest again the threshold is 13.05
		{1000, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, []float64{1, 7, 13}}, // six steps apart
	} {
		if got := fires(c.w, c.times...); !slices.Equal(got, c.want) {
			t.Errorf("weight %v: spikes at %v, want %v", c.w, got, c.want)
		}
	}
}

// Of neurons above their thresholds those win that are farthest above, or that are drawn; each
// as often as others.
func TestWinners(t *testing.T) {
	made := func(l LIF, steps int) (*Monitor, *lifCells) {
		l.Tau, l.Threshold = 10, 1
		n := must(New(Options{Step: 1, Seed: 2}))
		in, out := must(n.Add("in", 4, Poisson{})), must(n.Add("out", 4, l))
		must(n.Connect("c", in, out, Synapses{Weights: []tensor.Float{0, 2, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 2}}))
		if err := in.Drive([]tensor.Float{1000, 0, 1000, 1000}); err != nil {
			t.Fatal(err)
		}
		m := n.Monitor(out)
		if err := n.Run(t.Context(), float64(steps)); err != nil {
			t.Fatal(err)
		}
		return m, out.cells.(*lifCells)
	}
	if m, _ := made(LIF{}, 1); !slices.Equal(m.Units, []int32{0, 1, 3}) {
		t.Errorf("without competition %v fire", m.Units)
	}
	m, c := made(LIF{Winners: 2}, 1)
	if !slices.Equal(m.Units, []int32{0, 1}) || c.u[3] != 2 || c.u[0] != 0 {
		t.Errorf("two winners: %v fire, potentials %v; want the first of equals, and the loser let be", m.Units, c.u)
	}
	m, c = made(LIF{Winners: 1, Drawn: true, Rise: 1e-9}, 3000)
	if len(m.Units) != 3000 || c.u[0] != 0 || c.u[1] != 0 || c.u[3] != 0 {
		t.Errorf("%d spikes of drawn winners in 3,000 steps, potentials %v", len(m.Units), c.u)
	}
	for _, j := range []int{0, 1, 3} {
		if n := m.Count[j]; n < 1000-4*26 || n > 1000+4*26 { // four deviations
			t.Errorf("neuron %d is drawn %d times of 3,000 among three", j, n)
		}
	}
}

// The conductance neuron comes to its fixed point, decays as the equation says, and is stable
// for conductances at which Euler's method is not.
func TestConductance(t *testing.T) {
	n := must(New(Options{Step: 0.5}))
	in := must(n.Add("in", 1, Trains{}))
	out := must(n.Add("out", 1, Conductance{Tau: 100, Rest: -65, Reset: -65, Threshold: 1, Excitatory: 0, Inhibitory: -100, TauExcitatory: 1, TauInhibitory: 2}))
	must(n.Connect("i", in, out, Synapses{Weights: []tensor.Float{5000}, Inhibitory: true}))
	c := out.cells.(*conductanceCells)
	c.v[0] = -55
	if err := n.Run(t.Context(), 50); err != nil {
		t.Fatal(err)
	}
	if want := -65 + 10*math.Exp(-0.5); math.Abs(float64(c.v[0])-want) > 1e-4 {
		t.Errorf("after 50 ms at %v, want %v", c.v[0], want)
	}
	if err := errors.Join(in.Play([][]float64{{0}}), n.Run(t.Context(), 1)); err != nil {
		t.Fatal(err)
	}
	if v := c.v[0]; !(v > -100.01 && v < -99) {
		t.Errorf("strong inhibition brings it to %v, want near −100", v)
	}
	for _, x := range []float64{0, 1e-3, 0.05, 0.0999, 0.1, 3, 200} {
		if got := float64(left(tensor.Float(x))); math.Abs(got-math.Exp(-x)) > 2e-7 {
			t.Errorf("e^−%v is %v", x, got)
		}
	}
}

// random is a network of each kind of neurons and of rules, in one form of traces.
func random(stepwise bool) *Network {
	n := must(New(Options{Step: 1, Seed: 5, Stepwise: stepwise}))
	src := rand.New(rand.NewPCG(3, 4))
	drawn := func(k int, most float64) []tensor.Float {
		w := make([]tensor.Float, k)
		for i := range w {
			w[i] = tensor.Float(most * src.Float64())
		}
		return w
	}
	in, told := must(n.Add("in", 30, Poisson{})), must(n.Add("told", 3, Trains{}))
	a := must(n.Add("a", 8, LIF{Tau: 50, Threshold: 13, Reset: 5, Refractory: 3, Rise: 0.5, TauTheta: 1000, Winners: 1, Drawn: true}))
	b := must(n.Add("b", 8, Conductance{Tau: 20, Rest: -60, Reset: -60, Threshold: -50, Refractory: 2, Inhibitory: -85, TauExcitatory: 3, TauInhibitory: 5, Rise: 0.1, TauTheta: 500}))
	s := must(n.Add("s", 4, Softmax{Rate: 200, BiasRate: 0.01}))
	pair := Pair{Plus: 0.02, Minus: 0.01, TauPlus: 20, TauMinus: 15, Mu: 0.4}
	connect := func(name string, from, to *Population, s Synapses) { must(n.Connect(name, from, to, s)) }
	connect("in-a", in, a, Synapses{Weights: drawn(240, 6), Delay: 1, Rule: pair, High: 8})
	connect("a-a", a, a, Synapses{AllButOwn: -20, Delay: 1})
	connect("a-b", a, b, Synapses{Weights: drawn(64, 2), Delay: 3, Rule: VisualCortex(), ShortTerm: ShortTerm{Use: 0.4, Recovery: 100, Facilitates: 50}})
	connect("in-b", in, b, Synapses{Weights: drawn(240, 0.3), Rule: Pair{Plus: 0.01, Minus: 0.01, TauPlus: 20, TauMinus: 20, Together: true, Nearest: true}, High: 1, Eligibility: 100})
	connect("b-b", b, b, Synapses{AllButOwn: 1, Inhibitory: true, Delay: 2})
	connect("a-s", a, s, Synapses{Weights: drawn(32, 1), Rule: Probabilistic{Plus: 0.02, Minus: 0.02, Window: 5}})
	connect("b-a", b, a, Synapses{Weights: drawn(64, 1), Delay: 1, Rule: Order{Plus: 0.04, Minus: 0.03}})
	connect("i-b", told, b, Synapses{Weights: drawn(24, 0.2), Inhibitory: true, Rule: Inhibitory{Rate: 0.01, Tau: 20, Target: 5}, High: 2})
	rates := slices.Repeat([]tensor.Float{60}, 30)
	rates[3] = 0
	if err := errors.Join(in.Drive(rates), told.Play([][]float64{{3, 10, 140, 260}, {50}, {}})); err != nil {
		panic(err)
	}
	return n
}

// Lazy traces and those of each step give the same, but for rounding.
func TestLazyIsStepwise(t *testing.T) {
	lazy, dense := random(false), random(true)
	m, d := lazy.Monitor(lazy.populations[2]), dense.Monitor(dense.populations[2])
	ms := 60.0 // rounding does not decide a spike in this time, nor in ten times it in double precision
	if snntest.DoublePrecision() {
		ms = 600
	}
	if err := errors.Join(lazy.Run(t.Context(), ms), dense.Run(t.Context(), ms)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Units, d.Units) || len(m.Units) < 5 {
		t.Fatalf("spikes %v, stepwise %v", m.Units, d.Units)
	}
	for i, c := range lazy.connections {
		first := random(false).connections[i].weights
		moved := false
		for k, w := range c.weights {
			near(t, fmt.Sprintf("%s, weight %d", c.name, k), w, float64(dense.connections[i].weights[k]))
			moved = moved || w != first[k]
		}
		if !moved && c.learner != nil && c.pending == nil {
			t.Errorf("%s: nothing was learned", c.name)
		}
	}
}

// A state goes on to the same bits in another network, from any step.
func TestStateResumes(t *testing.T) {
	for _, stepwise := range []bool{false, true} {
		whole := random(stepwise)
		for _, cut := range []float64{0, 1, 37, 250} {
			if err := whole.Run(t.Context(), cut); err != nil {
				t.Fatal(err)
			}
			state := whole.State()
			other := random(stepwise)
			if err := other.Run(t.Context(), 11); err != nil {
				t.Fatal(err)
			}
			if err := other.SetState(state); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(other.State(), state) {
				t.Fatal("the state is another after SetState")
			}
			for _, n := range []*Network{whole, other} {
				if err := n.Run(t.Context(), 90); err != nil {
					t.Fatal(err)
				}
				if err := n.connections[3].Reward(0.5); err != nil {
					t.Fatal(err)
				}
			}
			got, want := other.State(), whole.State()
			for name := range want {
				if !reflect.DeepEqual(got[name], want[name]) {
					t.Errorf("stepwise %v, continued at %v ms, %s is another", stepwise, whole.Now()-90, name)
				}
			}
		}
	}
	n := random(false)
	before := n.State()
	for name := range before {
		short := n.State()
		a := short[name]
		a.Shape, a.Data = []int{len(a.Data)/8 + 1}, append(slices.Clone(a.Data), make([]byte, 8)...)
		short[name] = a
		missing := n.State()
		delete(missing, name)
		if n.SetState(short) == nil && !strings.HasSuffix(name, ".coming") || n.SetState(missing) == nil {
			t.Errorf("a state with %s of another length, or without it, is taken", name)
		}
	}
	extra := n.State()
	extra["more"] = extra["now"]
	if n.SetState(extra) == nil {
		t.Error("a state of an array too many is taken")
	}
}

// Frozen, nothing is learned; at rest, a network without memory of learning is as new.
func TestFreezeAndRest(t *testing.T) {
	n := random(false)
	n.Freeze(true)
	if err := n.Run(t.Context(), 300); err != nil {
		t.Fatal(err)
	}
	for i, c := range n.connections {
		if !slices.Equal(c.weights, random(false).connections[i].weights) {
			t.Errorf("%s learns while frozen", c.name)
		}
	}
	for _, p := range n.populations {
		for _, v := range p.Thresholds() {
			if v != 0 {
				t.Fatalf("thresholds of %s rise while frozen", p.name)
			}
		}
	}
	n.Rest()
	got, want := n.State(), random(false).State()
	for name := range want {
		if name != "now" && !strings.Contains(name, ".draws") && !strings.Contains(name, ".coming") && !reflect.DeepEqual(got[name], want[name]) {
			t.Errorf("%s is not what it was", name)
		}
	}
}

// Sums of weights are what they are scaled to; columns of zeros stay.
func TestNormalize(t *testing.T) {
	b := newBench(Options{Step: 1}, 3, 2, Synapses{Weights: []tensor.Float{1, 0, 2, 0, 5, 0}, Delay: 1})
	if err := b.c.Normalize(4); err != nil {
		t.Fatal(err)
	}
	for k, want := range []float64{0.5, 0, 1, 0, 2.5, 0} {
		near(t, "weight", b.c.Weights()[k], want)
	}
	if b.c.Normalize(0) == nil || b.c.Normalize(math.NaN()) == nil {
		t.Error("a sum that is not positive is taken")
	}
}

// Poisson trains have their rates, and intervals with a CV of √(1 − p).
func TestPoisson(t *testing.T) {
	n := must(New(Options{Step: 1, Seed: 1}))
	in := must(n.Add("in", 3, Poisson{}))
	if err := in.Drive([]tensor.Float{100, 0, 1000}); err != nil {
		t.Fatal(err)
	}
	m := n.Monitor(in)
	const ms = 50_000
	if err := n.Run(t.Context(), ms); err != nil {
		t.Fatal(err)
	}
	if c := m.Count; math.Abs(float64(c[0])-ms*0.1) > 4*math.Sqrt(ms*0.09) || c[1] != 0 || c[2] != ms {
		t.Errorf("counts %v in %v ms", c, ms)
	}
	last, sum, squares, k := -1.0, 0.0, 0.0, 0.0
	for i, j := range m.Units {
		if j != 0 {
			continue
		}
		if last >= 0 {
			d := m.Times[i] - last
			sum, squares, k = sum+d, squares+d*d, k+1
		}
		last = m.Times[i]
	}
	if cv := math.Sqrt(squares/k-sum/k*sum/k) / (sum / k); math.Abs(cv-math.Sqrt(0.9)) > 0.04 {
		t.Errorf("CV %v, want %v", cv, math.Sqrt(0.9))
	}
}

// A sparse connection gives each neuron its number of inputs, each once, by the seed and the
// name; all inputs are drawn as often but for chance.
func TestSparse(t *testing.T) {
	connect := func(seed uint64, name string) sparse {
		n := must(New(Options{Step: 1, Seed: seed}))
		in, out := must(n.Add("in", 50, Trains{})), must(n.Add("out", 200, LIF{Tau: 10, Threshold: 1}))
		return must(n.Connect(name, in, out, Synapses{Each: 1, Indegree: 10})).sparse
	}
	s := connect(1, "c")
	count := [200]int{}
	for i := range int32(50) {
		row := s.of(i)
		if !slices.IsSorted(row) || len(slices.Compact(slices.Clone(row))) != len(row) {
			t.Fatalf("input %d reaches %v", i, row)
		}
		if len(row) < 18 || len(row) > 62 { // 40 ± 22, four standard deviations of √(200·0.2·0.8)
			t.Errorf("input %d reaches %d neurons, want about 40", i, len(row))
		}
		for _, j := range row {
			count[j]++
		}
	}
	for j, c := range count {
		if c != 10 {
			t.Errorf("neuron %d has %d inputs", j, c)
		}
	}
	if !slices.Equal(s.to, connect(1, "c").to) || slices.Equal(s.to, connect(2, "c").to) || slices.Equal(s.to, connect(1, "d").to) {
		t.Error("synapses are not those of the seed and the name alone")
	}
	for _, row := range [][]int32{drawn(rng.New(1, "x"), 3, 2, 3).of(0), drawn(rng.New(1, "x"), 3, 2, 3).of(2)} {
		if !slices.Equal(row, []int32{0, 1}) {
			t.Errorf("all to all: %v", row)
		}
	}
}

// A spike over a sparse connection does what one over all to all does whose other weights are 0.
func TestSparseDelivers(t *testing.T) {
	var fired [2]*Monitor
	for k := range fired {
		n := must(New(Options{Step: 1, Seed: 3}))
		in, out := must(n.Add("in", 6, Trains{})), must(n.Add("out", 9, LIF{Tau: 10, Threshold: 1.5}))
		s := Synapses{Each: 1, Indegree: 2, Delay: 2}
		if k == 1 {
			w := make([]tensor.Float, 6*9)
			for i, other := range n.sparseOf(t, in, out) {
				for _, j := range other {
					w[i*9+int(j)] = 1
				}
			}
			s = Synapses{Weights: w, Delay: 2}
		}
		must(n.Connect("c", in, out, s))
		fired[k] = n.Monitor(out)
		if err := in.Play([][]float64{{1, 5}, {1}, {2, 3}, {3}, {1, 2}, {9}}); err != nil {
			t.Fatal(err)
		}
		if err := n.Run(t.Context(), 20); err != nil {
			t.Fatal(err)
		}
	}
	if len(fired[0].Units) == 0 || !slices.Equal(fired[0].Units, fired[1].Units) || !slices.Equal(fired[0].Times, fired[1].Times) {
		t.Errorf("%v at %v, want %v at %v", fired[0].Units, fired[0].Times, fired[1].Units, fired[1].Times)
	}
}

// sparseOf are the synapses that connection c would have.
func (n *Network) sparseOf(t *testing.T, in, out *Population) (rows [][]int32) {
	t.Helper()
	s := drawn(rng.New(n.options.Seed, "stdp").Str("synapses").Str("c"), in.size, out.size, 2)
	for i := range in.size {
		rows = append(rows, s.of(int32(i)))
	}
	return rows
}

// The spikes from elsewhere are Poisson: mean and variance λ = 2 a step, P(0) = e^−2.
func TestBackground(t *testing.T) {
	n := must(New(Options{Step: 0.1, Seed: 2}))
	p := must(n.Add("out", 1001, LIF{Tau: 20, Threshold: 20, Background: 20_000, BackgroundWeight: 0.5}))
	b := p.cells.(*lifCells).noise
	for i := range uint32(1 << 16) {
		for _, u := range []uint32{i << 16, i<<16 | 0xffff} {
			if fast, want := b.spikes(b.guide[u>>24], u), b.spikes(0, u); fast != want {
				t.Fatalf("number %#x means %d spikes by the guide, else %d", u, fast, want)
			}
		}
	}
	var sum, squares, none, count float64
	for range 200 {
		in := make([]tensor.Float, 1001)
		b.add(in)
		for _, v := range in {
			k := float64(v) / 0.5
			sum, squares, count = sum+k, squares+k*k, count+1
			if k == 0 {
				none++
			}
		}
	}
	mean := sum / count
	if variance := squares/count - mean*mean; math.Abs(mean-2) > 0.016 || math.Abs(variance-2) > 0.04 || math.Abs(none/count-math.Exp(-2)) > 0.004 {
		t.Errorf("mean %v, variance %v, none %v", mean, variance, none/count)
	}
}

// Where it holds, a neuron stays at its reset for the refractory time and leaks in its last step;
// else it leaks all along.
func TestHolds(t *testing.T) {
	for _, holds := range []bool{true, false} {
		n := must(New(Options{Step: 1}))
		in := must(n.Add("in", 1, Trains{}))
		out := must(n.Add("out", 1, LIF{Tau: 10, Threshold: 20, Reset: 10, Refractory: 3, Holds: holds}))
		must(n.Connect("c", in, out, Synapses{Weights: []tensor.Float{25}}))
		if err := in.Play([][]float64{{0, 2}}); err != nil {
			t.Fatal(err)
		}
		if err := n.Run(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		want := 10 * math.Exp(-0.1)
		if !holds {
			want = 10 * math.Exp(-0.3)
		}
		if u := float64(out.cells.(*lifCells).u[0]); math.Abs(u-want) > 1e-5 {
			t.Errorf("holds %v: u = %v, want %v", holds, u, want)
		}
	}
}

// What makes no sense is an error that says what was found.
func TestSimulatorRefusals(t *testing.T) {
	n := must(New(Options{Step: 1}))
	in, out := must(n.Add("in", 2, Trains{})), must(n.Add("out", 2, LIF{Tau: 10, Threshold: 1}))
	w := func() []tensor.Float { return make([]tensor.Float, 4) }
	lif := LIF{Tau: 10, Threshold: 1}
	bad := func(err error) error { return err }
	second := func(_ any, err error) error { return err }
	for what, err := range map[string]error{
		"0 ms":            second(New(Options{})),
		"no neurons":      second(n.Add("x", 0, lif)),
		"two populations": second(n.Add("in", 1, lif)),
		"tau is 0":        second(n.Add("x", 1, LIF{Threshold: 1})),
		"winners":         second(n.Add("x", 1, LIF{Tau: 1, Threshold: 1, Drawn: true})),
		"rate 0":          second(n.Add("x", 1, Softmax{})),
		"given":           second(n.Connect("c", in, out, Synapses{Delay: 1})),
		"3 weights":       second(n.Connect("c", in, out, Synapses{Weights: w()[:3]})),
		"indegree is 3":   second(n.Connect("c", in, out, Synapses{Each: 1, Indegree: 3})),
		"with each":       second(n.Connect("c", in, out, Synapses{Weights: w(), Indegree: 1})),
		"background of":   second(n.Add("x", 1, LIF{Tau: 1, Threshold: 1, Background: 1e9, BackgroundWeight: 1})),
		"not finite":      second(n.Connect("c", in, out, Synapses{Weights: []tensor.Float{0, 0, 0, tensor.Float(math.NaN())}})),
		"told":            second(n.Connect("c", out, in, Synapses{Weights: w(), Delay: 1})),
		"at least a":      second(n.Connect("c", out, out, Synapses{Weights: w()})),
		"conductances":    second(n.Connect("c", in, out, Synapses{Weights: w(), Inhibitory: true})),
		"without a rule":  second(n.Connect("c", in, out, Synapses{Weights: w(), Eligibility: 1})),
		"give high":       second(n.Connect("c", in, out, Synapses{Weights: w(), Rule: Pair{TauPlus: 1, TauMinus: 1, Mu: 1}})),
		"use 2":           second(n.Connect("c", in, out, Synapses{Weights: w(), ShortTerm: ShortTerm{Use: 2, Recovery: 1}})),
		"add them first":  second(n.Connect("c", nil, out, Synapses{Weights: w()})),
		"not of kind":     bad(out.Drive(w()[:2])),
		"twice":           bad(in.Play([][]float64{{1, 1.5}, {}})),
		"1 trains":        bad(in.Play([][]float64{{1}})),
		"-1 ms":           bad(in.Play([][]float64{{-1}, {}})),
		"run of":          bad(n.Run(t.Context(), -1)),
	} {
		key := strings.ReplaceAll(what, "no neurons", "0 neurons")
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Run(ctx, 5); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
