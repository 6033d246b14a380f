package eqprop

import (
	"reflect"
	"strings"
	"testing"

	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// setting is that of samples of n values and k classes.
func setting(n, k int) train.Setting {
	b := samples(1, n, k, 0.5, 1)
	return train.Setting{Spec: *b.Spec, Samples: 100, Epochs: 1, Batch: 10, Seed: 7}
}

// A rule's sizes follow from the data, and its model predicts as its learner does.
func TestRule(t *testing.T) {
	for name, change := range map[string]func(r *Rule){
		"plain":     func(*Rule) {},
		"kept":      func(r *Rule) { r.Particles = 50 },
		"predictor": func(r *Rule) { r.Config.Predictor = &Predictor{Lambda: 0.1} },
		"all sizes": func(r *Rule) { r.Hidden, r.Sizes = nil, []int{40, 12, 5} },
	} {
		r := NewRule()
		r.Hidden, r.LearningRates = []int{12}, []float64{0.2, 0.1}
		change(&r)
		if err := r.Validate(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		learner, err := r.Learner(setting(40, 5))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b := samples(10, 40, 5, 0.5, 3)
		for range 3 {
			step(t, learner.(*Learner), b)
		}
		want := append([]tensor.Float(nil), must(learner.Predict(t.Context(), b)).Outputs[0].Scores...)
		p, err := r.Predictor(setting(40, 5), learner.Model())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		bare := *b
		bare.Targets = nil
		got := must(p.Predict(t.Context(), &bare))
		if !reflect.DeepEqual(got.Outputs[0].Scores, want) || len(got.Metrics.Sums) != 0 {
			t.Errorf("%s: the model says %v, the learner %v; sums %v", name, got.Outputs[0].Scores[:5], want[:5], got.Metrics.Sums)
		}
		fork := must(p.(train.Forker).Fork().Predict(t.Context(), &bare))
		if !reflect.DeepEqual(fork.Outputs[0].Scores, want) {
			t.Errorf("%s: a fork says something else", name)
		}
	}
}

func TestRuleErrors(t *testing.T) {
	values := setting(40, 5)
	values.Spec.Targets = []sample.Field{{Name: "y", Kind: sample.Values, Shape: tensor.Shape{1}}}
	for want, c := range map[string]struct {
		change func(r *Rule)
		s      train.Setting
	}{
		"is values":         {func(*Rule) {}, values},
		"for samples of 40": {func(r *Rule) { r.Hidden, r.Sizes = nil, []int{30, 12, 5} }, setting(40, 5)},
		"5 classes":         {func(r *Rule) { r.Hidden, r.Sizes = nil, []int{40, 12, 6} }, setting(40, 5)},
	} {
		r := NewRule()
		r.Hidden, r.LearningRates = []int{12}, []float64{0.2, 0.1}
		c.change(&r)
		_, err := r.Learner(c.s)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for want, r := range map[string]Rule{"no layers": {}, "both given": {Config: Config{Sizes: []int{1, 2}}, Hidden: []int{3}}} {
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Series were flattened, their padding with them, and values outside [0, 1] were taken.
func TestSeriesAndValuesOutsideAreRefused(t *testing.T) {
	r := NewRule()
	r.Hidden, r.LearningRates = []int{12}, []float64{0.2, 0.1}
	series := setting(40, 5)
	series.Spec.Shape, series.Spec.Steps = tensor.Shape{8}, 5
	if _, err := r.Learner(series); err == nil || !strings.Contains(err.Error(), "want values without time") {
		t.Errorf("series: %v", err)
	}
	l, err := r.Learner(setting(40, 5))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []tensor.Float{-0.25, 1.5} {
		b := samples(3, 40, 5, 0.5, 1)
		b.X[41] = v
		if _, err := l.Step(t.Context(), b); err == nil || !strings.Contains(err.Error(), "input 1 of sample 1") {
			t.Errorf("%v: %v", v, err)
		}
		if _, err := l.Predict(t.Context(), b); err != nil {
			t.Errorf("a model of before cannot be asked: %v", err)
		}
	}
}
