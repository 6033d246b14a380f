package eqprop

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// Predictions go on from kept states: with weights that stand still, the third is the
// first after three times as many steps. Others begin anew, and a model has no states.
func TestKeptPredictions(t *testing.T) {
	b := samples(6, 40, 5, 0.2, 1)
	scores := func(l *Learner, times int) (s []float64) {
		for range times {
			p, err := l.Predict(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			s = s[:0]
			for _, v := range p.Outputs[0].Scores {
				s = append(s, float64(v))
			}
		}
		return s
	}
	c := complete(Config{})
	c.Free = 3
	long, kept := c, c
	long.Free, kept.TestParticles = 9, 50
	first, want := scores(learner(t, c), 3), scores(learner(t, long), 1)
	if slices.Equal(first, want) {
		t.Fatal("three steps settle: the test tells nothing")
	}
	l := learner(t, kept)
	if got := scores(l, 1); !slices.Equal(got, first) {
		t.Errorf("the first prediction is %v, from zeros %v", got, first)
	}
	if _, _, err := l.Gradient(b); err != nil {
		t.Fatal(err)
	}
	if got := scores(l, 2); !slices.Equal(got, want) {
		t.Errorf("the third prediction is %v, after three times as many steps %v", got, want)
	}

	other := learner(t, kept)
	if err := other.SetState(maps.Clone(l.State())); err != nil {
		t.Fatal(err)
	}
	if got := scores(other, 1); !slices.Equal(got, scores(l, 1)) {
		t.Error("a restored learner predicts otherwise")
	}
	for name := range l.Model() {
		if strings.HasPrefix(name, particles) {
			t.Errorf("the model has %s", name)
		}
	}
	b.Index[0] = 50
	if _, err := l.Predict(t.Context(), b); err == nil || !strings.Contains(err.Error(), "set test-particles to the size of the set") {
		t.Errorf("sample 50 of 50: %v", err)
	}
}
