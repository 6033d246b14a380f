package eqprop

import (
	"fmt"
	"slices"
	"testing"

	"synfire/sample"
	"synfire/snntest"
)

// The rule passes the checks of learning rules, in each of its forms.
func TestLearnerConformance(t *testing.T) {
	for name, change := range map[string]func(r *Rule){
		"plain":     func(*Rule) {},
		"kept":      func(r *Rule) { r.Particles = 50 },
		"predictor": func(r *Rule) { r.Config.Predictor = &Predictor{Lambda: 0.1} },
	} {
		t.Run(name, func(t *testing.T) {
			r := NewRule()
			r.Hidden, r.LearningRates = []int{12}, []float64{0.2, 0.1}
			change(&r)
			var batches []*sample.Batch
			for i := range 3 {
				b := samples(10, 40, 5, 0.5, uint64(i+1))
				for k := range b.Index {
					b.Index[k] = 10*i + k
				}
				batches = append(batches, b)
			}
			snntest.Learner(t, r, setting(40, 5), batches...)
		})
	}
}

// What a layer settles in is its free state, and the last layer's is the answer.
func TestSettled(t *testing.T) {
	l, b := learner(t, complete(Config{})), samples(7, 40, 5, 0.5, 1)
	p, err := l.Predict(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	answer := slices.Clone(p.Outputs[0].Scores)
	states, err := l.Settled(t.Context(), b)
	if err != nil || len(states) != l.r.top {
		t.Fatalf("%d layers: %v", len(states), err)
	}
	for k, s := range states {
		if s.Name != fmt.Sprintf("layer%d", k+1) || len(s.Scores) != 7*l.c.Sizes[k+1] || !slices.Equal(s.Scores, l.Free()[k][:len(s.Scores)]) {
			t.Errorf("layer %d: %+v", k+1, s)
		}
	}
	if last := states[len(states)-1]; !slices.Equal(last.Scores, answer) {
		t.Errorf("the last layer settles in %v, the answer is %v", last.Scores, answer)
	}
}
