package superspike

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/sample"
	"synfire/spike"
	"synfire/tensor"
)

// lone is a network of one synapse, or as many with one output, of a given weight.
func lone(r Rule, inputs int, weight float64) *trial {
	t := trialOf(r, inputs, 1, 1)
	for i := range t.net.layers[0].w.Data {
		t.net.layers[0].w.Data[i] = tensor.Float(weight)
	}
	return t
}

// Units that fire without a target, and targets without a spike, in the order of units.
func TestMismatches(t *testing.T) {
	for _, c := range []struct {
		fired, target []int32
		want          []mismatch
	}{
		{nil, nil, nil},
		{[]int32{1, 4}, []int32{1, 4}, nil},
		{[]int32{3}, []int32{2}, []mismatch{{2, 1}, {3, -1}}},
		{[]int32{2}, []int32{3}, []mismatch{{2, -1}, {3, 1}}},
		{[]int32{0, 5, 6}, []int32{1, 5, 9}, []mismatch{{0, -1}, {1, 1}, {6, -1}, {9, 1}}},
		{nil, []int32{7}, []mismatch{{7, 1}}},
		{[]int32{7}, nil, []mismatch{{7, -1}}},
	} {
		if got := mismatches(nil, c.fired, c.target); !slices.Equal(got, c.want) {
			t.Errorf("%v for %v: %v, want %v", c.fired, c.target, got, c.want)
		}
	}
}

// One spike of weight w lifts the membrane by w/4 after 10·ln 2 ms; 41 mV make the neuron
// fire, 39 mV do not.
func TestPSP(t *testing.T) {
	r := NewRule()
	r.Threshold = 1e6 // never
	s := newStream(lone(r, 1, 20).clock, lone(r, 1, 20).net)
	s.every = -1
	peak, at := 0.0, 0
	for i := range 300 {
		var in []int32
		if i == 0 {
			in = []int32{0}
		}
		must(s.Step(in, nil))
		if u := s.Potentials(0)[0] - r.Rest; u > peak {
			peak, at = u, i
		}
	}
	if math.Abs(peak-5) > 0.1 || math.Abs(float64(at)*0.1-10*math.Ln2) > 0.3 {
		t.Errorf("the potential peaks at %v mV after %v ms, want 5 after 6.93", peak, float64(at)*0.1)
	}
	for weight, want := range map[float64]int{39: 0, 41: 1} {
		a := lone(NewRule(), 1, weight)
		a.input = script(500, 3)
		a.run(500, false)
		if got := len(a.fired[0].units); got != want {
			t.Errorf("a spike of %v mV calls forth %d, want %d", weight, got, want)
		}
	}
}

// A constant drive I above threshold fires each τ_ref + τ_mem·ln(I/(I − 10 mV)).
func TestConstantDrive(t *testing.T) {
	for _, drive := range []float64{11, 15, 40} {
		k := must(NewRule().clock(0.1))
		u, current, pause := []tensor.Float{0}, []tensor.Float{0}, []int32{0}
		var when []int
		for i := range 2000 {
			current[0] = tensor.Float(drive)
			if len(k.advance(u, current, pause, nil, nil, 0)) > 0 {
				when = append(when, i)
			}
		}
		want := 5 + 10*math.Log(drive/(drive-10))
		for i := 1; i < len(when); i++ {
			if got := 0.1 * float64(when[i]-when[i-1]); math.Abs(got-want) > 0.31 {
				t.Errorf("drive %v: interval %v ms, want %v", drive, got, want)
			}
		}
		if len(when) < 3 {
			t.Errorf("drive %v: %d spikes", drive, len(when))
		}
	}
}

// A neuron fires above its threshold, not at it, and is held at rest for the refractory time to
// the step.
func TestThresholdAndRefractory(t *testing.T) {
	k := must(NewRule().clock(0.1))
	step := func(u, current tensor.Float) int {
		return len(k.advance([]tensor.Float{u}, []tensor.Float{current}, []int32{0}, nil, nil, 0))
	}
	if step(10, 10) != 0 || step(10, 11) != 1 {
		t.Errorf("%d spikes at the threshold and %d above it, want 0 and 1", step(10, 10), step(10, 11))
	}
	u, pause := []tensor.Float{0}, []int32{0}
	var when []int
	for i := range 200 {
		if len(k.advance(u, []tensor.Float{1e6}, pause, nil, nil, 0)) > 0 {
			when = append(when, i)
		}
	}
	if want := []int{0, 51, 102, 153}; !slices.Equal(when, want) { // 5 ms are 50 steps
		t.Errorf("strongly driven, a neuron fires in steps %v, want %v", when, want)
	}
}

// Where a neuron is too deep to learn, −80 mV.
func TestLowestPotential(t *testing.T) {
	k := must(NewRule().clock(0.1))
	for u, learns := range map[tensor.Float]bool{-19.9: true, -20.1: false} { // of a rest of −60 mV
		slope := []tensor.Float{0}
		k.advance([]tensor.Float{u}, []tensor.Float{u}, []int32{0}, slope, nil, 0)
		if slope[0] > 0 != learns {
			t.Errorf("%v mV from rest σ' is %v; learns: want %v", u, slope[0], learns)
		}
	}
}

// Numbers beyond a Float, and weights that become none, are errors.
func TestNoSilentInfinities(t *testing.T) {
	r := NewRule()
	if r.Beta = math.MaxFloat64; !double && r.Validate() == nil {
		t.Error("a beta that a Float does not hold is taken")
	}
	s, batches := setting(nil, 10, 3)
	l := must(New(NewRule(), s))
	l.net.layers[0].w.Data[3] = tensor.Float(math.NaN())
	if _, err := l.Step(t.Context(), batches[0]); err == nil || !strings.Contains(err.Error(), "of layer1.weight is NaN") {
		t.Errorf("a weight is NaN: %v", err)
	}
	stream := must(NewStream(NewRule(), 2, 1, 0.1, 0.1, 1))
	stream.net.layers[0].w.Data[1] = tensor.Float(math.NaN())
	if _, err := stream.Step(nil, nil); err == nil || !strings.Contains(err.Error(), "element 1") {
		t.Errorf("a weight of a stream is NaN: %v", err)
	}
}

// The regulariser by hand: ρ·z⁴·e², and ungated ρ·z⁴.
func TestPenalty(t *testing.T) {
	k := clock{rho: 2}
	if got := k.penalty(0.5, 3); got != 2*81*0.25 {
		t.Errorf("penalty %v, want 40.5", got)
	}
	k.ungated = true
	if got := k.penalty(0.5, 3); got != 162 {
		t.Errorf("ungated %v, want 162", got)
	}
}

// An update forgets by the time that all samples of its batch last.
func TestBatchLasts(t *testing.T) {
	r := NewRule()
	r.TauRMS = 1000
	s, batches := setting(nil, 10, 3)
	l := must(New(r, s))
	for i := range l.net.layers[0].scale.Data {
		l.net.layers[0].scale.Data[i] = 1e6 // above all gradients
	}
	b := batches[0]
	must(l.Step(t.Context(), b))
	ms := 1000 * s.Spec.Duration * float64(b.Len())
	want := 1e6 * math.Exp(-ms/r.TauRMS/2)
	if got := float64(l.net.layers[0].scale.Data[0]); math.Abs(got-want) > 1e-4*want {
		t.Errorf("after %d samples of %v s √v is %v, want %v", b.Len(), s.Spec.Duration, got, want)
	}
}

// A stream goes on at the rate to which a learner's has fallen.
func TestStreamGoesOnAtTheRate(t *testing.T) {
	r := NewRule()
	r.DecayEvery = 2
	s, batches := setting(nil, 10, 3)
	l := must(New(r, s))
	for range 2 {
		must(l.Step(t.Context(), batches[0]))
	}
	stream := must(l.Stream(0))
	if stream.Updates() != 2 || stream.net.rate() != l.net.rate() || !(l.net.rate() < r.Rate) {
		t.Errorf("%d updates, rate %v, the learner's is %v of %v", stream.Updates(), stream.net.rate(), l.net.rate(), r.Rate)
	}
}

// The error of one target spike is α, whose area does not depend on the step, and its
// distance is 1.
func TestErrorKernel(t *testing.T) {
	var areas []float64
	for _, dt := range []float64{0.05, 0.1, 0.2} {
		k := must(NewRule().clock(dt))
		q, e, area, energy := []tensor.Float{0}, []tensor.Float{0}, 0.0, 0.0
		for i := range int(200 / dt) {
			var err []tensor.Float
			if i == 0 {
				err = []tensor.Float{1}
			}
			k.filter(q, e, err)
			at := float64(i+1) * dt
			if want := math.Exp(-at/10) - math.Exp(-at/5); math.Abs(float64(e[0])-want) > 0.02 {
				t.Fatalf("dt %v: e is %v after %v ms, want %v", dt, e[0], at, want)
			}
			area += float64(e[0]) * dt
			energy += float64(e[0]) * float64(e[0])
		}
		areas = append(areas, area)
		if math.Abs(energy/k.spike-1) > 1e-3 {
			t.Errorf("dt %v: a spike without a match has distance %v, want 1", dt, energy/k.spike)
		}
	}
	for _, a := range areas {
		if math.Abs(a-5) > 0.11 {
			t.Errorf("areas %v, want 5 ms at each step", areas)
		}
	}
}

// The loss is zero if and only if all trains are equal: any single change shows.
func TestLossIsZeroOnlyForEqualTrains(t *testing.T) {
	const steps, outputs = 300, 4
	a := trialOf(NewRule(), 2, outputs, 1)
	a.steps, a.fired[0] = steps, poisson(outputs, steps, 0.02, 3)
	distance := func(target spikes) float64 {
		a.target = target
		a.compare()
		return a.loss()
	}
	if d := distance(a.fired[0]); d != 0 {
		t.Errorf("equal trains have distance %v", d)
	}
	for s := range steps {
		for u := range int32(outputs) {
			var other spikes
			other.reset()
			for i := range steps {
				now := slices.Clone(a.fired[0].step(i))
				if at, ok := slices.BinarySearch(now, u); i == s && ok {
					now = slices.Delete(now, at, at+1)
				} else if i == s {
					now = slices.Insert(now, at, u)
				}
				other.units = append(other.units, now...)
				other.end()
			}
			if d := distance(other); math.Abs(d-1) > 1e-6 {
				t.Fatalf("output %d, step %d changed: distance %v, want 1", u, s, d)
			}
		}
	}
	if d := distance(script(steps)); !(d > 0) {
		t.Error("no targets and spikes have no distance")
	}
}

// With outputs as they should be nothing is learned: sums are zero, weights keep their bits.
func TestFixedPoint(t *testing.T) {
	for name, r := range variants() {
		if r.Ungated { // which forgets without errors too
			continue
		}
		a := trialOf(r, 30, 3, 2)
		a.input = poisson(30, 1500, 0.004, 9)
		a.run(1500, true)
		a.target = a.fired[len(a.fired)-1]
		if len(a.target.units) == 0 {
			t.Fatalf("%s: nothing fires", name)
		}
		if d := a.learn(); d != 0 {
			t.Errorf("%s: loss %v", name, d)
		}
		before := slices.Clone(a.net.layers[0].w.Data)
		a.net.update(a.m, 1500, 150)
		if !slices.Equal(before, a.net.layers[0].w.Data) {
			t.Errorf("%s: weights moved", name)
		}
	}
}

// The first update moves each weight whose sum is not zero by r₀, and those of inputs without
// spikes not at all, whatever ε.
func TestFirstUpdate(t *testing.T) {
	r := NewRule()
	r.Epsilon = 1e-30
	a := trialOf(r, 20, 2, 1)
	a.input, a.target = poisson(19, 1500, 0.004, 1), poisson(2, 1500, 0.002, 2) // input 19 is silent
	a.run(1500, true)
	a.learn()
	before := slices.Clone(a.net.layers[0].w.Data)
	a.net.update(a.m, 1500, 150)
	for i, w := range a.net.layers[0].w.Data {
		moved := math.Abs(float64(w - before[i]))
		switch silent := i/2 == 19; {
		case silent && (moved != 0 || a.net.layers[0].scale.Data[i] != 0):
			t.Errorf("weight %d of a silent input moved by %v", i, moved)
		case !silent && math.Abs(moved-1) > 1e-5:
			t.Errorf("weight %d moved by %v mV, want r₀ = 1", i, moved)
		}
	}
}

// A silent neuron learns: from no weights at all, those of inputs before a target grow.
func TestSilentNeuronLearns(t *testing.T) {
	a := lone(NewRule(), 1, 0)
	a.input, a.target = script(600, 100), script(600, 200)
	a.run(600, true)
	a.learn()
	if !(a.m[0][0] > 0) {
		t.Errorf("the sum is %v, want it above 0", a.m[0][0])
	}
	if s := a.layers[0][0].slope[0]; math.Abs(float64(s)-1./121) > 1e-6 {
		t.Errorf("σ' at rest is %v, want 1/121", s)
	}
	a.net.update(a.m, 600, 60)
	if w := float64(a.net.layers[0].w.Data[0]); math.Abs(w-1) > 1e-5 {
		t.Errorf("the weight is %v mV, want 1", w)
	}
}

// Below −80 mV a neuron does not learn.
func TestDeepNeuronDoesNotLearn(t *testing.T) {
	a := lone(NewRule(), 1, -100)
	a.input, a.target = script(600, 10, 12, 14, 16, 18), script(600, 100)
	a.run(600, true)
	if s := a.layers[0][0].slope; s[90] != 0 || s[5] == 0 {
		t.Errorf("σ' is %v at rest and %v far below it", s[5], s[90])
	}
}

// Without targets an output learns to be silent.
func TestNoTargets(t *testing.T) {
	a := lone(NewRule(), 5, 30)
	a.input, a.target = poisson(5, 1000, 0.01, 1), script(1000)
	for i := range 60 {
		a.run(1000, true)
		if d := a.learn(); i == 0 && d == 0 {
			t.Fatal("the output is silent before it learns")
		}
		a.net.update(a.m, 1000, 100)
	}
	a.run(1000, true)
	if n := len(a.fired[0].units); n != 0 {
		t.Errorf("%d spikes are left", n)
	}
}

// Nothing at the input: nothing fires and nothing is learned.
func TestSilentInput(t *testing.T) {
	a := trialOf(variants()["symmetric"], 5, 2, 1)
	a.input, a.target = script(400), poisson(2, 400, 0.01, 1)
	a.run(400, true)
	if d := a.learn(); !(d > 0) || len(a.fired[1].units) > 0 {
		t.Errorf("loss %v, %d spikes", d, len(a.fired[1].units))
	}
	for l := range a.m {
		if slices.ContainsFunc(a.m[l], func(v tensor.Float) bool { return v != 0 }) {
			t.Errorf("layer %d learns of no spikes", l+1)
		}
	}
}

// Raw mismatches that hidden neurons filter are the filtered errors of the outputs, fed back.
func TestFeedbackIsLinear(t *testing.T) {
	for _, f := range []Feedback{Symmetric, Random} {
		r := variants()["symmetric"]
		r.Feedback = f
		a := trialOf(r, 30, 3, 2)
		a.input, a.target = poisson(30, 1000, 0.004, 3), poisson(3, 1000, 0.004, 4)
		a.run(1000, true)
		a.learn()
		p := a.net.layers[0]
		for s := range 1000 {
			out, hidden := a.layers[1][0].e[s*3:][:3], a.layers[0][0].e[s*7:][:7]
			for i, v := range hidden {
				want := 0.0
				for k, e := range out {
					want += float64(p.feedback[k*p.out+i]) * float64(e)
				}
				if math.Abs(float64(v)-want) > 1e-3 {
					t.Fatalf("%v, step %d: hidden unit %d has error %v, want %v", f, s, i, v, want)
				}
			}
		}
	}
}

// Uniform feedback of one output gives all hidden units one error, bit by bit; symmetric
// feedback is the transpose of the weights as they are now.
func TestFeedback(t *testing.T) {
	a := trialOf(variants()["uniform"], 30, 1, 2)
	a.input, a.target = poisson(30, 1000, 0.004, 3), poisson(1, 1000, 0.004, 4)
	a.run(1000, true)
	a.learn()
	for s := range 1000 {
		e := a.layers[0][0].e[s*7:][:7]
		if slices.Min(e) != slices.Max(e) {
			t.Fatalf("step %d: errors %v", s, e)
		}
	}
	b := trialOf(variants()["two hidden"], 30, 3, 2)
	for range 2 {
		for l := range 2 {
			p, next := b.net.layers[l], b.net.layers[l+1]
			for j := range next.in {
				for k := range next.out {
					if p.feedback[k*next.in+j] != next.w.Data[j*next.out+k] {
						t.Fatalf("layer %d: feedback of %d→%d is not the weight", l+1, k, j)
					}
				}
			}
		}
		b.input, b.target = poisson(30, 500, 0.01, 3), poisson(3, 500, 0.01, 4)
		b.run(500, true)
		b.learn()
		b.net.update(b.m, 500, 50) // and again, of the new weights
	}
}

// With one output and no regulariser the update takes the size of feedback away: only its
// sign matters.
func TestOneOutputNeedsTheSignAlone(t *testing.T) {
	r := variants()["random"]
	r.Epsilon = 1e-30
	a, b := trialOf(r, 30, 1, 2), trialOf(r, 30, 1, 2)
	for i, v := range b.net.layers[0].feedback {
		b.net.layers[0].feedback[i] = tensor.Float(math.Copysign(1, float64(v)))
	}
	for range 3 {
		for _, t := range []*trial{a, b} {
			t.input, t.target = poisson(30, 1000, 0.004, 3), poisson(1, 1000, 0.004, 4)
			t.run(1000, true)
			t.learn()
			t.net.update(t.m, 1000, 100)
		}
	}
	tolerance := 0.05 // where a sum all but cancels, its sign is rounding
	if double {
		tolerance = 1e-6
	}
	for i, v := range a.net.layers[0].w.Data {
		if w := b.net.layers[0].w.Data[i]; math.Abs(float64(v-w)) > tolerance {
			t.Fatalf("weight %d: %v and %v", i, v, w)
		}
	}
}

// σ' is of the potential after its reset, 1/121 while a neuron is held at rest.
func TestSlopeAfterReset(t *testing.T) {
	a := lone(NewRule(), 1, 60)
	a.input = script(400, 10)
	a.run(400, true)
	at := slices.IndexFunc(a.fired[0].at[1:], func(n int32) bool { return n == 1 })
	if at < 0 {
		t.Fatal("no spike")
	}
	for s := at; s < at+50; s++ {
		if v := a.layers[0][0].slope[s]; math.Abs(float64(v)-1./121) > 1e-6 {
			t.Fatalf("step %d after the spike: σ' is %v, want 1/121", s-at, v)
		}
	}
}

// A trial begins at rest: what was before leaves no trace, as Reset of a stream.
func TestTrialsBeginAtRest(t *testing.T) {
	a := trialOf(variants()["delay"], 20, 2, 2)
	s := newStream(a.clock, a.net)
	s.every = -1
	var losses, streamed []float64
	var first []tensor.Float
	for i := range 2 {
		a.input, a.target = poisson(20, 700, 0.01, 3), poisson(2, 700, 0.01, 4)
		a.run(700, true)
		losses = append(losses, a.learn())
		s.Reset()
		clear(s.m[0])
		for t := range 700 {
			must(s.Step(a.input.step(t), a.target.step(t)))
		}
		streamed = append(streamed, s.Loss())
		if i == 0 {
			first = slices.Clone(s.m[0])
		}
	}
	if losses[0] != losses[1] || streamed[0] != streamed[1] || !slices.Equal(first, s.m[0]) {
		t.Errorf("losses %v, %v: the second trial knows of the first", losses, streamed)
	}
}

// Time constants that are equal, and steps longer than the synapse's, have no singularity.
func TestOddTimeConstants(t *testing.T) {
	for _, tau := range []float64{10, 0.04} {
		r := NewRule()
		r.TauSyn, r.TauRise = tau, tau
		a := trialOf(r, 10, 2, 1)
		a.input, a.target = poisson(10, 600, 0.02, 3), poisson(2, 600, 0.01, 4)
		a.run(600, true)
		if d := a.learn(); math.IsNaN(d) || !(d > 0) {
			t.Errorf("τ %v: loss %v", tau, d)
		}
		if i, ok := tensor.Finite(a.m[0]); !ok {
			t.Errorf("τ %v: sum %d is %v", tau, i, a.m[0][i])
		}
	}
}

// The form that can be differentiated: spikes and errors fixed, potentials linear in the
// weights, y = x/(1 + |βx|) in place of spikes. The sums are the slope of Σ e·(α∗y).
func TestGradientOfTheSoftObjective(t *testing.T) {
	if !double {
		t.Skip("needs double precision: go test -tags float64")
	}
	const inputs, outputs, steps = 6, 2, 1200
	a := trialOf(NewRule(), inputs, outputs, 1)
	for i := range a.net.layers[0].w.Data {
		a.net.layers[0].w.Data[i] += 20
	}
	a.input, a.target = poisson(inputs, steps, 0.005, 3), poisson(outputs, steps, 0.004, 4)
	u := make([]float64, steps*outputs)
	s := newStream(a.clock, a.net)
	s.every = -1
	for t := range steps {
		must(s.Step(a.input.step(t), a.target.step(t)))
		for i, v := range s.layers[0].u {
			u[t*outputs+i] = float64(v)
		}
	}
	a.run(steps, true)
	a.learn()
	if len(a.fired[0].units) == 0 {
		t.Fatal("nothing fires")
	}
	k := a.clock
	objective := func(j, i int, h float64) (sum float64) {
		var z, zt, q, out float64
		for t := range steps {
			x := u[t*outputs+i] + h*zt - float64(k.threshold)
			y := x / (1 + math.Abs(float64(k.beta)*x))
			q += y * k.dt
			out += float64(k.decay) * (q - out)
			q *= float64(k.rise)
			sum += float64(a.layers[0][0].e[t*outputs+i]) * out
			z *= float64(k.syn)
			if slices.Contains(a.input.step(t), int32(j)) {
				z++
			}
			zt += float64(k.mem) * (z - zt)
		}
		return sum
	}
	for j := range inputs {
		for i := range outputs {
			const h = 1e-5
			want := (objective(j, i, h) - objective(j, i, -h)) / (2 * h)
			if got := float64(a.m[0][j*outputs+i]); math.Abs(got-want) > 1e-6*math.Abs(want)+1e-9 {
				t.Errorf("synapse %d→%d: %v, want %v", j, i, got, want)
			}
		}
	}
}

// The rate falls by decay after each so many updates, and weights stay within the bound.
func TestRateAndBound(t *testing.T) {
	r := NewRule()
	r.DecayEvery, r.Bound, r.Init = 2, 1.5, 0
	n := newNet(r, 1, 1, 1)
	var w []float64
	for range 5 {
		n.update([][]tensor.Float{{3}}, 1, 0.1)
		w = append(w, float64(n.layers[0].w.Data[0]))
	}
	for i, want := range []float64{1, 1.5, 1.5, 1.5, 1.5} {
		if math.Abs(w[i]-want) > 1e-6 {
			t.Errorf("weights %v", w)
			break
		}
	}
	down := newNet(r, 1, 1, 1)
	for range 3 {
		down.update([][]tensor.Float{{-3}}, 1, 0.1)
	}
	if w := float64(down.layers[0].w.Data[0]); w != -1.5 {
		t.Errorf("a weight falls to %v, want -1.5", w)
	}
	if math.Abs(n.rate()-0.01) > 1e-12 {
		t.Errorf("the rate is %v after 5 updates, want 0.01", n.rate())
	}
}

// A largest gradient is forgotten with τ_rms; layer-max shares it.
func TestRMaxProp(t *testing.T) {
	r := NewRule()
	r.Init, r.LayerMax = 0, true
	n := newNet(r, 2, 1, 1)
	n.update([][]tensor.Float{{2, 1}}, 1, 0.1)
	if w := n.layers[0].w.Data; math.Abs(float64(w[0])-1) > 1e-6 || math.Abs(float64(w[1])-0.5) > 1e-6 {
		t.Errorf("weights %v, want 1 and 0.5 with one scale for both", w)
	}
	n.update([][]tensor.Float{{0, 0}}, 1, 30_000)
	if s := float64(n.layers[0].scale.Data[0]); math.Abs(s-2*math.Exp(-0.5)) > 1e-6 {
		t.Errorf("√v is %v after τ_rms, want %v", s, 2*math.Exp(-0.5))
	}
}

func TestBadOptions(t *testing.T) {
	for want, change := range map[string]func(r *Rule){
		"rate is 0":               func(r *Rule) { r.Rate = 0 },
		"tau-mem is NaN":          func(r *Rule) { r.TauMem = math.NaN() },
		"epsilon is 0":            func(r *Rule) { r.Epsilon = 0 },
		"rho is -1":               func(r *Rule) { r.Rho = -1 },
		"refractory is +Inf":      func(r *Rule) { r.Refractory = math.Inf(1) },
		"hidden layer 2 has 0":    func(r *Rule) { r.Hidden = []int{3, 0} },
		"want it above rest":      func(r *Rule) { r.Threshold = -60 },
		"the rate would grow":     func(r *Rule) { r.Decay = 2 },
		"decay-every is -1":       func(r *Rule) { r.DecayEvery = -1 },
		"there is no regulariser": func(r *Rule) { r.Ungated = true },
		"are of hidden layers":    func(r *Rule) { r.Frozen = true },
		"want symmetric":          func(r *Rule) { r.Hidden, r.Feedback = []int{2}, 9 },
	} {
		r := NewRule()
		change(&r)
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	var f Feedback
	if err := f.UnmarshalText([]byte("symetric")); err == nil || !strings.Contains(err.Error(), `did you mean "symmetric"?`) {
		t.Error(err)
	}
	if _, err := NewRule().clock(11); err == nil || !strings.Contains(err.Error(), "set steps to more") {
		t.Error(err)
	}
	for want, s := range map[string]func() (*Stream, error){
		"0 inputs":        func() (*Stream, error) { return NewStream(NewRule(), 0, 1, 0.1, 0, 1) },
		"at least a step": func() (*Stream, error) { return NewStream(NewRule(), 1, 1, 0.1, 0.001, 1) },
	} {
		if _, err := s(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Targets that steps cannot tell apart, or that lie outside, are errors that name the
// sample, the unit and the time; so are data without trains.
func TestBadTargets(t *testing.T) {
	s, batches := setting(nil, 10, 3)
	l := must(New(NewRule(), s))
	b := batches[0].Slice(0, 1)
	for want, times := range map[string][]float64{
		"unit 1: the spike at 0.01002 s is in the same step": {0.01001, 0.01002},
		"unit 1: the spike at 0.04 s is outside":             {0.01, 0.04},
	} {
		b.Targets[1].Trains[0] = []spike.Train{{Stop: 0.04}, {Times: times, Stop: 0.04}, {Stop: 0.04}}
		if _, err := l.Step(t.Context(), b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	s.Spec.Targets = s.Spec.Targets[:1]
	s.Tasks = nil
	if _, err := New(NewRule(), s); err == nil || !strings.Contains(err.Error(), "[class (class)]") {
		t.Error(err)
	}
	s.Spec = sample.Spec{Shape: tensor.Shape{3}, Events: true}
	if _, err := New(NewRule(), s); err == nil || !strings.Contains(err.Error(), "without a duration") {
		t.Error(err)
	}
}

// Spikes of a step must be units, ascending.
func TestBadSteps(t *testing.T) {
	s := must(NewStream(NewRule(), 3, 2, 0.1, 0, 1))
	for want, step := range map[string][2][]int32{
		"input unit 3, want one from 0 to 2": {{3}, nil},
		"target unit 1 fires twice":          {nil, {1, 1}},
		"input unit 0 comes after unit 2":    {{2, 0}, nil},
	} {
		if _, err := s.Step(step[0], step[1]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
