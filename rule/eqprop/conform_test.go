package eqprop

import (
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
