package dynamics_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"synfire/neuron/dynamics"
)

// pattern is one by the names of its kind and itself.
func pattern(t testing.TB, kind, name string) dynamics.Pattern {
	for _, k := range dynamics.Kinds() {
		for _, p := range k.Patterns {
			if k.Name == kind && p.Name == name {
				return p
			}
		}
	}
	t.Fatalf("no %s of %s", name, kind)
	return dynamics.Pattern{}
}

func run(t testing.TB, m dynamics.Model, s dynamics.Stimulus, duration, step float64) dynamics.Trace {
	t.Helper()
	tr, err := dynamics.Run(context.Background(), m, s, duration, step)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func Example() {
	m := dynamics.LIF{Capacity: 250, Leak: 25, Rest: -70, Threshold: -55, Reset: -70, TauSynapse: 2}
	tr, err := dynamics.Run(context.Background(), m, dynamics.Constant(600), 60, 0.01)
	fmt.Printf("%.2f %v; in theory every %.4f ms\n", tr.Spikes, err, m.Period(600))
	// Output: [9.81 19.62 29.43 39.24 49.05 58.86] <nil>; in theory every 9.8083 ms
}

// Spike counts in 1,000 ms of I = 10 from v = −65, u = bv, by both schemes, and the first spikes
// of RS: numbers of shared card neurons-and-coding, section 7, measured there by another program.
func TestIzhikevichCounts(t *testing.T) {
	for _, c := range []struct {
		name          string
		halves, euler int
	}{{"RS", 20, 23}, {"IB", 27, 34}, {"CH", 43, 87}, {"FS", 63, 131}, {"LTS", 44, 77}, {"TC", 67, 260}, {"RZ", 80, 186}} {
		m := pattern(t, "izhikevich", c.name).Model.(dynamics.Izhikevich)
		halves := run(t, m, dynamics.Constant(10), 999, 1) // the published loop looks before each of 1,000 steps
		m.Scheme = dynamics.Euler
		euler := run(t, m, dynamics.Constant(10), 1000, 0.1)
		if c.name == "RS" && (!slices.Equal(halves.Spikes[:3], []float64{4, 31, 79}) || !near(euler.Spikes[:3], []float64{3.4, 27.1, 72.2}, 1e-9)) {
			t.Errorf("RS: spikes at %v and %v", halves.Spikes[:3], euler.Spikes[:3])
		}
		if len(halves.Spikes) != c.halves || len(euler.Spikes) != c.euler {
			t.Errorf("%s: %d spikes by half-steps, want %d; %d by Euler's method, want %d", c.name, len(halves.Spikes), c.halves, len(euler.Spikes), c.euler)
		}
	}
}

func TestAdExCounts(t *testing.T) {
	for _, c := range []struct {
		name         string
		coarse, fine int
	}{{"tonic", 60, 62}, {"adapting", 12, 12}, {"initial-burst", 12, 12}, {"regular-bursting", 11, 11}, {"accelerating", 45, 46}, {"delayed-bursting", 32, 32}, {"transient", 1, 1}, {"irregular", 33, 32}} {
		p := pattern(t, "adex", c.name)
		coarse := len(run(t, p.Model, p.Current, 600, 0.1).Spikes)
		fine := len(run(t, p.Model, p.Current, 600, 0.01).Spikes)
		if coarse != c.coarse || fine != c.fine {
			t.Errorf("%s: %d and %d spikes, want %d and %d", c.name, coarse, fine, c.coarse, c.fine)
		}
	}
}

// near tells whether values are equal to within a tolerance.
func near(a, b []float64, tolerance float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) <= tolerance })
}

// Points of rest and rheobases: v = −70, u = −14 for b = 0.2, v = −64.4139 and I = 1.015625 for
// b = 0.25; 220.38 pA for AdEx "tonic". A point of rest stays, and is left above the rheobase.
func TestRest(t *testing.T) {
	rs, lts := pattern(t, "izhikevich", "RS").Model.(dynamics.Izhikevich), pattern(t, "izhikevich", "LTS").Model.(dynamics.Izhikevich)
	v, u := rs.Rest(0)
	w, _ := lts.Rest(0)
	tonic := pattern(t, "adex", "tonic").Model.(dynamics.AdEx)
	if got, want := []float64{v, u, w, rs.Rheobase(), lts.Rheobase(), tonic.Rheobase()}, []float64{-70, -14, -64.4139, 4, 1.015625, 220.38}; !near(got, want, 0.005) {
		t.Errorf("%v, want %v", got, want)
	}
	rs.Start, rs.StartU = v, u
	for _, m := range []dynamics.Model{rs, tonic} {
		tr := run(t, m, dynamics.Constant(0), 200, 0.1)
		if d := tr.Membrane[len(tr.Membrane)-1] - tr.Membrane[0]; len(tr.Spikes) > 0 || math.Abs(d) > 0.01 {
			t.Errorf("%T does not rest: %v", m, d)
		}
	}
	if below, above := run(t, tonic, dynamics.Ramp(0, 218, 0, 20000), 25000, 0.1), run(t, tonic, dynamics.Constant(223), 3000, 0.1); len(below.Spikes) > 0 || len(above.Spikes) == 0 {
		t.Errorf("adex: %d spikes below the rheobase, %d above", len(below.Spikes), len(above.Spikes))
	}
}

// lif is a neuron of τ = 10 ms whose threshold is 15 mV above rest, reset to rest.
func lif(refractory float64) dynamics.LIF {
	return dynamics.LIF{Capacity: 250, Leak: 25, Threshold: 15, Refractory: refractory, TauSynapse: 2}
}

// The periods τ·ln(RI/(RI − ϑ)) and rates of the card, and the slow grazing of 376 pA.
func TestLIFClosedForms(t *testing.T) {
	for _, c := range []struct{ over, period, rate float64 }{{1.05, 30.4452, 30.82}, {1.5, 10.9861, 77.01}, {2, 6.9315, 111.96}, {3, 4.0547, 165.16}} {
		current := 375 * c.over
		if got := []float64{lif(0).Period(current), 1000 / lif(2).Period(current)}; !near(got, []float64{c.period, c.rate}, 0.005) {
			t.Errorf("RI = %vϑ: %v, want %v ms, %v Hz", c.over, got, c.period, c.rate)
		}
		tr := run(t, lif(2), dynamics.Constant(current), 400, 0.1)
		if got, want := tr.Spikes[1]-tr.Spikes[0], math.Ceil(c.period/0.1)*0.1+2; math.Abs(got-want) > 1e-6 {
			t.Errorf("RI = %vϑ: interval %v on the grid, want %v", c.over, got, want)
		}
	}
	if tr := run(t, lif(0), dynamics.Constant(376), 60, 0.001); math.Abs(tr.Spikes[0]-59.2959) > 0.001 {
		t.Errorf("376 pA: first spike at %v, want 59.2959", tr.Spikes[0])
	}
	if math.IsInf(lif(0).Period(375), 1) != true || lif(0).Rheobase() != 375 {
		t.Error("a neuron at its rheobase fires")
	}
}

// f–I: 40 currents against the closed form.
func TestCurve(t *testing.T) {
	var currents []float64
	for k := range 40 {
		currents = append(currents, 380+25*float64(k))
	}
	rates, err := dynamics.Curve(context.Background(), lif(2), currents, 1500, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rates {
		want := 1000 / (math.Ceil((lif(2).Period(r.Current)-2)/0.1)*0.1 + 2)
		if math.Abs(r.Steady-want) > 0.01*want || math.Abs(r.First-want) > 0.01*want {
			t.Errorf("%v pA: %v and %v Hz, want %v", r.Current, r.First, r.Steady, want)
		}
	}
	if r := dynamics.RateOf(1, []float64{3}); r.Steady != 0 || r.Spikes != 1 {
		t.Errorf("one spike: %+v", r)
	}
	if r := dynamics.RateOf(1, []float64{0, 10, 30, 60, 100}); r.First != 100 || math.Abs(r.Steady-2000.0/70) > 1e-9 {
		t.Errorf("adapting: %+v", r)
	}
}

// A spike's membrane has its peak where theory puts it, the time constants equal or not, and is
// exact on a coarse grid; one of SRM0 is the same.
func TestPotentialOfASpike(t *testing.T) {
	for _, c := range []struct{ synapse, at, share float64 }{{5, 6.9315, 0.25}, {10, 10, 1 / math.E}, {20.0 / 4, 6.9315, 0.25}} {
		n := dynamics.LIF{Capacity: 250, Leak: 25, Threshold: 1e6, TauSynapse: c.synapse}
		s := dynamics.SRM0{Capacity: 250, Leak: 25, Threshold: 1e6, TauDrop: 1, TauSynapse: c.synapse}
		for _, m := range []dynamics.Model{n, s} {
			cell, err := m.Cell(0.001)
			if err != nil {
				t.Fatal(err)
			}
			cell.(dynamics.Receiver).Receive(250)
			high, at := 0.0, 0.0
			for k := range 30000 {
				if v, _ := cell.Step(0); v > high {
					high, at = v, float64(k+1)*0.001
				}
			}
			// Amplitude·(R/τ)·t·… : a charge 250·τ_s over C = 250 spread by both filters.
			if want := c.share * 250 / 25; math.Abs(high-want) > 1e-3 || math.Abs(at-c.at) > 2e-3 {
				t.Errorf("%T, τ_s = %v: peak %v at %v, want %v at %v", m, c.synapse, high, at, want, c.at)
			}
			coarse, _ := m.Cell(2)
			coarse.(dynamics.Receiver).Receive(250)
			fine, _ := m.Cell(0.5)
			fine.(dynamics.Receiver).Receive(250)
			for range 10 {
				a, _ := coarse.Step(40)
				var b float64
				for range 4 {
					b, _ = fine.Step(40)
				}
				if math.Abs(a-b) > 1e-9 {
					t.Fatalf("%T: %v on steps of 2 ms, %v on steps of 0.5", m, a, b)
				}
			}
		}
	}
}

// The propagators of the card: τ_m = 10, τ_s = 2, C = 250, Δ = 0.1.
func TestPropagators(t *testing.T) {
	cell, _ := lif(0).Cell(0.1)
	cell.(dynamics.Receiver).Receive(1)
	first, _ := cell.Step(0)
	second, _ := cell.Step(0)
	driven, _ := lif(0).Cell(0.1)
	third, _ := driven.Step(1)
	if got := []float64{first, second, third}; !near(got, []float64{3.88204092e-4, 3.88204092e-4 * (0.951229425 + 0.990049834), 3.98006650e-4}, 1e-11) {
		t.Errorf("%v", got)
	}
}

// SRM0 fires every −τ·ln((RI − ϑ)/ϑ) ms once h has settled, and forgets all spikes but the last;
// with a drop that is forgotten at once it is a LIF that nothing resets.
func TestSRM0(t *testing.T) {
	m := dynamics.SRM0{Capacity: 250, Leak: 25, Threshold: 15, Drop: 15, TauDrop: 10, TauSynapse: 2}
	for _, over := range []float64{1.2, 1.5, 1.8} {
		tr := run(t, m, dynamics.Constant(375*over), 400, 0.001)
		n := len(tr.Spikes)
		want := -10 * math.Log(over-1)
		if got := tr.Spikes[n-1] - tr.Spikes[n-2]; math.Abs(got-want) > 0.002 {
			t.Errorf("RI = %vϑ: period %v, want %v", over, got, want)
		}
	}
}

// The conductance neuron goes to the mean of its reversal potentials by its conductances, is
// stable for any, and has no shorter way to its threshold than theory.
func TestConductance(t *testing.T) {
	m := dynamics.Conductance{Capacity: 200, Leak: 10, Rest: -70, Threshold: -50, Reset: -60, Refractory: 5, Excitatory: 0, Inhibitory: -80, TauExcitatory: 5, TauInhibitory: 10, OpenE: 2, OpenI: 6}
	tr := run(t, m, dynamics.Constant(90), 500, 0.1)
	if got, want := tr.Membrane[len(tr.Membrane)-1], (10*-70.0+6*-80+90)/18; math.Abs(got-want) > 1e-6 || len(tr.Spikes) > 0 {
		t.Errorf("settles at %v, want %v", got, want)
	}
	// τ = C/G = 200/12, from −60 towards −70·10/12 + 500/12.
	m.OpenI = 0
	tr = run(t, m, dynamics.Constant(500), 500, 0.01)
	end := (10*-70.0 + 500) / 12
	want := 5 + 200.0/12*math.Log((end+60)/(end+50))
	if got := tr.Spikes[3] - tr.Spikes[2]; math.Abs(got-want) > 0.02 {
		t.Errorf("period %v, want %v", got, want)
	}
	cell, _ := m.Cell(0.5)
	cell.(dynamics.Receiver).Receive(-1e5)
	for range 100 {
		if v, _ := cell.Step(0); v < -80-1e-9 || v > -10 {
			t.Fatalf("membrane %v under strong inhibition", v)
		}
	}
}

// Of the figure of 2004, what each name says.
func TestPatterns2004(t *testing.T) {
	// Spikes within [from, to) ms: at least, at most. The resonator rings with 2π/√(ab − a²/4) =
	// 41 ms, so pulses 40 ms apart call forth its spike.
	for _, c := range []struct {
		name        string
		from, to    float64
		least, most int
	}{
		{"tonic-spiking", 10, 100, 3, 20}, {"tonic-spiking", 0, 10, 0, 0}, {"phasic-spiking", 20, 200, 1, 1}, {"tonic-bursting", 22, 220, 10, 100},
		{"phasic-bursting", 20, 120, 2, 20}, {"phasic-bursting", 120, 200, 0, 0}, {"mixed-mode", 16, 160, 4, 30}, {"adaptation", 8, 85, 3, 30},
		{"class-1", 30, 300, 5, 60}, {"class-2", 30, 300, 5, 60}, {"latency", 13, 100, 1, 1}, {"latency", 0, 14, 0, 0}, {"subthreshold-oscillation", 20, 200, 1, 1},
		{"resonator", 0, 275, 0, 0}, {"resonator", 320, 400, 1, 1}, {"integrator", 0, 60, 1, 1}, {"integrator", 60, 100, 0, 0},
		{"rebound-spike", 25, 200, 1, 1}, {"rebound-burst", 25, 200, 3, 20}, {"threshold-variability", 0, 70, 0, 0}, {"threshold-variability", 80, 100, 1, 1},
		{"bistability", 38, 216, 5, 100}, {"bistability", 230, 300, 0, 0}, {"after-potential", 8, 50, 1, 1}, {"accommodation", 0, 300, 0, 0}, {"accommodation", 300, 400, 1, 2},
		{"inhibition-spiking", 0, 50, 0, 0}, {"inhibition-spiking", 60, 250, 3, 100}, {"inhibition-bursting", 0, 50, 0, 0}, {"inhibition-bursting", 60, 250, 3, 100},
	} {
		p := pattern(t, "izhikevich", c.name)
		n := 0
		spikes := run(t, p.Model, p.Current, p.Duration, p.Step).Spikes
		for _, s := range spikes {
			if s >= c.from && s < c.to {
				n++
			}
		}
		if n < c.least || n > c.most {
			t.Errorf("%s: %d spikes from %v to %v ms, want %d to %d; the first: %.1f", c.name, n, c.from, c.to, c.least, c.most, spikes[:min(8, len(spikes))])
		}
	}
}

func TestStimuli(t *testing.T) {
	recorded, err := dynamics.Recorded([]float64{1, 2, 4}, []float64{10, 20, 40})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		s    dynamics.Stimulus
		at   []float64
		want []float64
	}{
		{dynamics.Step(1, 5, 10, 20), []float64{9.9, 10, 19.9, 20}, []float64{1, 5, 5, 1}},
		{dynamics.Ramp(0, 10, 10, 20), []float64{0, 10, 15, 20, 99}, []float64{0, 0, 5, 10, 10}},
		{recorded, []float64{0, 1, 1.9, 2, 3.9, 4, 100}, []float64{10, 10, 10, 20, 20, 40, 40}},
	} {
		for i, at := range c.at {
			if got := c.s(at); math.Abs(got-c.want[i]) > 1e-12 {
				t.Errorf("at %v: %v, want %v", at, got, c.want[i])
			}
		}
	}
	for _, c := range [][2][]float64{{{}, {}}, {{1, 1}, {2, 3}}, {{1}, {math.NaN()}}, {{1, 2}, {1}}} {
		if _, err := dynamics.Recorded(c[0], c[1]); err == nil {
			t.Errorf("%v: accepted", c)
		}
	}
}

// Constants that make no sense are errors, and so are steps that a scheme cannot take; an exact
// solution takes any.
func TestRefused(t *testing.T) {
	good := lif(0)
	for _, m := range []dynamics.Model{
		dynamics.Izhikevich{C: 40, Slope: 5, Offset: 140}, dynamics.Izhikevich{A: math.NaN()}, dynamics.AdEx{}, dynamics.LIF{}, dynamics.LIF{Capacity: 1, Leak: 1, TauSynapse: 1},
		dynamics.Conductance{}, dynamics.SRM0{}, dynamics.LIF{Capacity: 250, Leak: 25, Threshold: 15, TauSynapse: 2, Refractory: -1},
	} {
		if _, err := m.Cell(0.1); err == nil {
			t.Errorf("%+v: accepted", m)
		}
	}
	ctx := context.Background()
	if _, err := good.Cell(1000); err != nil {
		t.Errorf("a long step of an exact solution: %v", err)
	}
	for _, c := range []struct {
		m              dynamics.Model
		duration, step float64
	}{{pattern(t, "adex", "tonic").Model, 600, 25}, {good, 0, 1}, {good, 1e9, 1e-3}, {good, 10, 0}, {good, 10, math.NaN()}, {good, math.Inf(1), 1}} {
		if _, err := dynamics.Run(ctx, c.m, dynamics.Constant(1), c.duration, c.step); err == nil {
			t.Errorf("%v ms in steps of %v: accepted", c.duration, c.step)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := dynamics.Run(ctx, good, dynamics.Constant(1), 100, 0.1); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := dynamics.Run(context.Background(), pattern(t, "izhikevich", "RS").Model, dynamics.Constant(-1e300), 100, 1); err == nil {
		t.Error("a membrane that is not finite: accepted")
	}
	for s, want := range map[dynamics.Scheme]string{dynamics.Halves: "halves", dynamics.Staggered: "staggered", dynamics.Euler: "euler"} {
		var got dynamics.Scheme
		if err := got.UnmarshalText([]byte(want)); err != nil || got != s || s.String() != want {
			t.Errorf("scheme %q: %v, %v", want, got, err)
		}
	}
}
