package eqprop

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/rule/eqprop/unit"
	"synfire/sample"
	"synfire/tensor"
)

// Units that send their states relax as the network without spikes does, a step
// later.
func TestIdentity(t *testing.T) {
	c := complete(Config{})
	b := samples(3, 40, 5, 0.5, 3)
	want := slices.Clone(must(learner(t, c).Predict(t.Context(), b)).Outputs[0].Scores)
	for _, lambda := range []float64{1, 0.4} {
		c.Spiking = &unit.Spiking{Quantiser: unit.Identity, Epsilon: 0.5, Lambda: lambda}
		c.Free = 13
		got := must(learner(t, c).Predict(t.Context(), b)).Outputs[0].Scores
		for i, v := range got {
			near(t, "score", float64(v), float64(want[i]), 10*tolerance())
		}
	}
}

// fixedPointError is the mean over layers of the mean distance from the real-valued
// fixed point, after the free phase.
func fixedPointError(t *testing.T, s *unit.Spiking, steps int) float64 {
	t.Helper()
	sum := 0.0
	const nets = 5
	for seed := range uint64(nets) {
		c := Config{Sizes: []int{500, 500, 10}, LearningRates: []float64{1, 1}, Beta: 0.5, Free: 2500, Seed: seed}
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
		s     unit.Spiking
		error float64
	}{
		{"predictive coding", unit.Spiking{Epsilon: 0.775, Decay: 0.313, Lambda: 0.67, LambdaDecay: 0.578}, 0.0053},
		{"adapted and coded", unit.Spiking{Drift: 0.0411, Lambda: 0.206}, 0.0093},
		{"adapted", unit.Spiking{Drift: 0.0503}, 0.0141},
		{"1/√t", unit.Spiking{Epsilon: 1, Decay: 0.5}, 0.0156},
		{"stochastic", unit.Spiking{Epsilon: 1, Decay: 0.5, Quantiser: unit.Stochastic}, 0.034},
		{"constant", unit.Spiking{Epsilon: 0.5}, 0.102},
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
	if early, late := fixedPointError(t, &unit.Spiking{Epsilon: 1, Decay: 0.5}, 60), fixedPointError(t, &unit.Spiking{Epsilon: 1, Decay: 0.5}, 1000); !(late < early/3) {
		t.Errorf("error %.4f after 60 steps and %.4f after 1,000: no convergence", early, late)
	}
}

// Stochastic spikes are those of the sample, whatever the threads and the batch.
func TestStochastic(t *testing.T) {
	c := complete(Config{Spiking: &unit.Spiking{Quantiser: unit.Stochastic, Epsilon: 1, Decay: 0.5}})
	want := trained(t, c, 1, 0.2)
	for key, bits := range trained(t, c, 3, 0.2) {
		if !slices.Equal(bits, want[key]) {
			t.Errorf("%s differs", key)
		}
	}
	l, b := learner(t, c), samples(9, 40, 5, 0.5, 4)
	all := slices.Clone(must(l.Predict(t.Context(), b)).Outputs[0].Scores)
	one := b.Slice(4, 5)
	if got := must(l.Predict(t.Context(), one)).Outputs[0].Scores; !slices.Equal(got, all[4*5:][:5]) {
		t.Errorf("%v alone, %v in a batch", got, all[4*5:][:5])
	}
}

// Spikes and additions are counted: each input of 1 fires at each step, and reaches
// all units.
func TestCounts(t *testing.T) {
	c := Config{Sizes: []int{4, 3, 2}, LearningRates: []float64{1, 1}, Beta: 0.5, Free: 10, Spiking: &unit.Spiking{Epsilon: 0.5}}
	l := learner(t, c)
	for _, p := range l.Net().Params() {
		fill(p.Value.Data, 0)
	}
	l.Refresh()
	m := must(l.Predict(t.Context(), sample.Labelled([]int{0, 1}, []tensor.Float{1, 1, 0, 0, 1, 0, 0, 0}, []int{0, 1}, 9))).Metrics
	if got := m.Rates; len(got) != 3 || got[0].Layer != "input" || got[0].Spikes != 30 || got[0].Slots != 80 || got[1].Spikes != 0 {
		t.Errorf("rates %+v", got)
	}
	if got := l.SynapticOperations(); got != 9*3*3 { // the spikes of the last step reach nobody
		t.Errorf("%d additions, want 81", got)
	}
}

func TestSpikingValidate(t *testing.T) {
	for want, c := range map[string]Config{
		"leave these out":  {Spiking: &unit.Spiking{Drift: 0.1}, Tolerance: 1},
		"lambda 1.5":       {Spiking: &unit.Spiking{Drift: 0.1, Lambda: 1.5}},
		"epsilon 0, decay": {Spiking: &unit.Spiking{}},
		"epsilon 2":        {Spiking: &unit.Spiking{Epsilon: 2}},
		"drift 1,":         {Spiking: &unit.Spiking{Drift: 1}},
		"drift -0.1,":      {Spiking: &unit.Spiking{Drift: -0.1}},
		"no epsilon":       {Spiking: &unit.Spiking{Drift: 0.1, Epsilon: 0.1}},
		"with a predictor": {Spiking: &unit.Spiking{Drift: 0.1, Warm: 3}},
		"no quantiser 9":   {Spiking: &unit.Spiking{Drift: 0.1, Quantiser: 9}},
	} {
		if _, err := New(complete(c)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	l, b := learner(t, complete(Config{Spiking: &unit.Spiking{Drift: 0.1}})), samples(3, 40, 5, 0.5, 1)
	b.X[41] = 1.5
	if _, err := l.Step(t.Context(), b); err == nil || !strings.Contains(err.Error(), "no rate of spikes") {
		t.Errorf("%v", err)
	}
}
