package eqprop

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/tensor"
)

// times are the steps, from 1, at which a unit at s fires in n of them.
func times(q Quantiser, s tensor.Float, n int) (at []int) {
	m := newSimulation([]int{1, 1})
	m.layers[1].s[0] = s
	for t := range n {
		m.encode(&m.layers[1], 1, 1, q)
		if len(m.next[1]) > 0 {
			at = append(at, t+1)
		}
	}
	return at
}

// The modulator's spikes, in binary fractions: 5/16 fires five times in sixteen
// steps, ½ at each second step, 1 at each, 0 never.
func TestSigmaDelta(t *testing.T) {
	if got := times(SigmaDelta, 5.0/16, 16); !slices.Equal(got, []int{2, 5, 9, 12, 15}) {
		t.Errorf("5/16 fires at %v", got)
	}
	if got := times(SigmaDelta, 0.5, 6); !slices.Equal(got, []int{2, 4, 6}) {
		t.Errorf("1/2 fires at %v", got)
	}
	if a, b := len(times(SigmaDelta, 1, 50)), len(times(SigmaDelta, 0, 50)); a != 50 || b != 0 {
		t.Errorf("1 fires %d times, 0 %d times", a, b)
	}
	for _, p := range []float64{0.1, 0.3, 0.77} {
		for n := 1; n < 200; n += 7 {
			if d := float64(len(times(SigmaDelta, tensor.Float(p), n))) - p*float64(n); math.Abs(d) > 0.501 {
				t.Errorf("p = %v: %v spikes too many after %d steps", p, d, n)
			}
		}
	}
	if a, b := times(Threshold, 0.6, 3), times(Threshold, 0.5, 3); len(a) != 3 || len(b) != 0 {
		t.Errorf("thresholds: %v, %v", a, b)
	}
}

// Encoder and decoder undo each other, for a λ that changes with time.
func TestCodecIsLossless(t *testing.T) {
	m := newSimulation([]int{1, 1})
	x, v := &m.layers[1], []tensor.Float{0}
	for step := range 60 {
		lambda := tensor.Float(0.7 / math.Pow(float64(step+1), 0.3))
		x.s[0] = tensor.Float(0.5 + 0.5*math.Sin(float64(step*step)))
		m.encode(x, 1, lambda, Identity)
		decode(v, m.news[1], lambda)
		near(t, "decoded", float64(v[0]), float64(x.s[0]), 10*tolerance())
	}
}

// Units that send their states relax as the network without spikes does, a step
// later.
func TestIdentity(t *testing.T) {
	c := complete(Config{})
	b := samples(3, 40, 5, 0.5, 3)
	want := slices.Clone(must(learner(t, c).Predict(t.Context(), b)).Scores)
	for _, lambda := range []float64{1, 0.4} {
		c.Spiking = &Spiking{Quantiser: Identity, Epsilon: 0.5, Lambda: lambda}
		c.Free = 13
		got := must(learner(t, c).Predict(t.Context(), b)).Scores
		for i, v := range got {
			near(t, "score", float64(v), float64(want[i]), 10*tolerance())
		}
	}
}

// The adaptation averages a noiseless drive that stands still, and opens again
// where it jumps; it never makes a number that is none.
func TestAdaptation(t *testing.T) {
	c := complete(Config{Spiking: &Spiking{Drift: 0.05}})
	c.Sizes, c.Rates, c.Free = []int{1, 1}, []float64{1}, 400
	l := learner(t, c)
	m := newSimulation(c.Sizes)
	x := &m.layers[1]
	for m.t = 0; m.t < 300; m.t++ {
		l.r.integrate(m, x, []tensor.Float{0.4})
		near(t, "state", float64(x.s[0]), 0.4, tolerance())
	}
	for i := 0; i < 12; i, m.t = i+1, m.t+1 {
		l.r.integrate(m, x, []tensor.Float{0.9})
	}
	near(t, "after a jump", float64(x.s[0]), 0.9, 0.1)
	for _, v := range slices.Concat(x.g, x.h, x.mean, x.spread) {
		if v != v {
			t.Error("not a number")
		}
	}
}

// fixedPointError is the mean over layers of the mean distance from the real-valued
// fixed point, after the free phase.
func fixedPointError(t *testing.T, s *Spiking, steps int) float64 {
	t.Helper()
	sum := 0.0
	const nets = 5
	for seed := range uint64(nets) {
		c := Config{Sizes: []int{500, 500, 10}, Rates: []float64{1, 1}, Beta: 0.5, Free: 2500, Seed: seed}
		b := samples(1, 500, 10, 1, seed)
		real := learner(t, c)
		must(real.Predict(t.Context(), b))
		c.Free, c.Spiking = steps, s
		spiking := learner(t, c)
		must(spiking.Predict(t.Context(), b))
		for l := 1; l <= 2; l++ {
			for j, v := range real.r.free[l] {
				sum += math.Abs(float64(v-spiking.r.free[l][j])) / float64(2*nets*len(real.r.free[l]))
			}
		}
	}
	return sum
}

// Spiking states approach the real-valued fixed point: in the order of the rules for
// steps, within a factor of two of the figures that a separate program measured.
func TestFixedPoints(t *testing.T) {
	if testing.Short() {
		t.Skip("relaxes 2,500 steps")
	}
	want := []struct {
		name  string
		s     Spiking
		error float64
	}{
		{"predictive coding", Spiking{Epsilon: 0.775, Decay: 0.313, Lambda: 0.67, LambdaDecay: 0.578}, 0.0053},
		{"adapted and coded", Spiking{Drift: 0.0411, Lambda: 0.206}, 0.0093},
		{"adapted", Spiking{Drift: 0.0503}, 0.0141},
		{"1/√t", Spiking{Epsilon: 1, Decay: 0.5}, 0.0156},
		{"stochastic", Spiking{Epsilon: 1, Decay: 0.5, Quantiser: Stochastic}, 0.034},
		{"constant", Spiking{Epsilon: 0.5}, 0.102},
	}
	last := 0.0
	for _, w := range want {
		got := fixedPointError(t, &w.s, 250)
		t.Logf("%s: %.4f", w.name, got)
		if got < w.error/2 || got > 2*w.error {
			t.Errorf("%s: error %.4f, want %.4f within a factor of two", w.name, got, w.error)
		}
		if w.name == "1/√t" || w.name == "stochastic" || w.name == "constant" {
			if got <= last {
				t.Errorf("%s: error %.4f, not above %.4f of the rule before it", w.name, got, last)
			}
		}
		last = got
	}
	if early, late := fixedPointError(t, &Spiking{Epsilon: 1, Decay: 0.5}, 60), fixedPointError(t, &Spiking{Epsilon: 1, Decay: 0.5}, 1000); !(late < early/3) {
		t.Errorf("error %.4f after 60 steps and %.4f after 1,000: no convergence", early, late)
	}
}

// Stochastic spikes are those of the sample, whatever the threads and the batch.
func TestStochastic(t *testing.T) {
	c := complete(Config{Spiking: &Spiking{Quantiser: Stochastic, Epsilon: 1, Decay: 0.5}})
	want := trained(t, c, 1, 0.2)
	for key, bits := range trained(t, c, 3, 0.2) {
		if !slices.Equal(bits, want[key]) {
			t.Errorf("%s differs", key)
		}
	}
	l, b := learner(t, c), samples(9, 40, 5, 0.5, 4)
	all := slices.Clone(must(l.Predict(t.Context(), b)).Scores)
	one := &data.Batch{Index: b.Index[4:5], Labels: b.Labels[4:5], X: b.X[4*40:][:40]}
	if got := must(l.Predict(t.Context(), one)).Scores; !slices.Equal(got, all[4*5:][:5]) {
		t.Errorf("%v alone, %v in a batch", got, all[4*5:][:5])
	}
}

// Spikes and additions are counted: each input of 1 fires at each step, and reaches
// all units.
func TestCounts(t *testing.T) {
	c := Config{Sizes: []int{4, 3, 2}, Rates: []float64{1, 1}, Beta: 0.5, Free: 10, Spiking: &Spiking{Epsilon: 0.5}}
	l := learner(t, c)
	for _, p := range l.Net().Params() {
		fill(p.Value.Data, 0)
	}
	l.Refresh()
	m := must(l.Predict(t.Context(), &data.Batch{Index: []int{0, 1}, Labels: []int{0, 1}, X: []tensor.Float{1, 1, 0, 0, 1, 0, 0, 0}})).Metrics
	if got := m.Rates; len(got) != 3 || got[0].Layer != "input" || got[0].Spikes != 30 || got[0].Slots != 80 || got[1].Spikes != 0 {
		t.Errorf("rates %+v", got)
	}
	if got := l.SynapticOperations(); got != 9*3*3 { // the spikes of the last step reach nobody
		t.Errorf("%d additions, want 81", got)
	}
}

func TestSpikingValidate(t *testing.T) {
	for want, c := range map[string]Config{
		"leave these out":  {Spiking: &Spiking{Drift: 0.1}, Tolerance: 1},
		"lambda 1.5":       {Spiking: &Spiking{Drift: 0.1, Lambda: 1.5}},
		"epsilon 0, decay": {Spiking: &Spiking{}},
		"epsilon 2":        {Spiking: &Spiking{Epsilon: 2}},
		"drift 1,":         {Spiking: &Spiking{Drift: 1}},
		"no epsilon":       {Spiking: &Spiking{Drift: 0.1, Epsilon: 0.1}},
		"with a predictor": {Spiking: &Spiking{Drift: 0.1, Warm: 3}},
		"no quantiser 9":   {Spiking: &Spiking{Drift: 0.1, Quantiser: 9}},
	} {
		if _, err := New(complete(c)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	l, b := learner(t, complete(Config{Spiking: &Spiking{Drift: 0.1}})), samples(3, 40, 5, 0.5, 1)
	b.X[41] = 1.5
	if _, err := l.Step(t.Context(), b); err == nil || !strings.Contains(err.Error(), "no rate of spikes") {
		t.Errorf("%v", err)
	}
}

// The trace of a spiking network ends near the least energy.
func TestSpikingTrace(t *testing.T) {
	c := complete(Config{})
	c.Free = 200
	b := samples(1, 40, 5, 0.5, 1)
	want := must(learner(t, c).Trace(b))
	c.Spiking = &Spiking{Epsilon: 1, Decay: 0.5}
	got := must(learner(t, c).Trace(b))
	near(t, "energy", got.Energy[200], want.Energy[200], 0.1*math.Abs(want.Energy[200]))
}

// States of a spiking network and how a nudge moves them are near the real-valued
// ones, and nearer with more steps.
func TestStates(t *testing.T) {
	c := complete(Config{})
	c.Free, c.Nudged = 500, 500
	b := samples(4, 40, 5, 0.5, 1)
	free, changes, err := learner(t, c).States(b)
	if err != nil {
		t.Fatal(err)
	}
	last := []float64{1, -1}
	for _, steps := range []int{20, 400, 4000} {
		c.Free, c.Nudged, c.Spiking = steps, steps, &Spiking{Drift: 0.0346, Lambda: 0.275}
		f, d, err := learner(t, c).States(b)
		if err != nil {
			t.Fatal(err)
		}
		if far, cos := meanDistance(f, free), Cosine(d[0], changes[0]); far >= last[0] || cos <= last[1] {
			t.Errorf("%d steps: distance %v, cosine %v, before %v", steps, far, cos, last)
		} else {
			last[0], last[1] = far, cos
		}
	}
	if last[0] > 0.002 || last[1] < 0.95 {
		t.Errorf("after 4000 steps: distance and cosine %v", last)
	}
}

func meanDistance(a, b [][]tensor.Float) (mean float64) {
	for l := range a {
		for i, v := range a[l] {
			mean += math.Abs(float64(v-b[l][i])) / float64(len(a)*len(a[l]))
		}
	}
	return mean
}
