package eqprop

import (
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/tensor"
)

// One linear unit: s⁻ = (z + λ s^f)/(1 + λ), and where s^f = z it stays there and
// the predictor has nothing to learn.
func TestPredictorOneUnit(t *testing.T) {
	one := &data.Batch{Index: []int{0}, Labels: []int{0}, X: []tensor.Float{1}}
	l := learner(t, Config{Sizes: []int{1, 1}, Free: 100, Nudged: 50, Beta: 0.1, Rates: []float64{1}, Predictor: &Predictor{Lambda: 0.5}})
	set(l, 0.3, 0.1)
	f := l.Predictor()
	f.W[0].Value.Data[0], f.B[0].Value.Data[0] = 0.8/1.01, 0
	l.Refresh()
	_, g, err := l.Gradient(one)
	if err != nil {
		t.Fatal(err)
	}
	free := (0.4 + 0.5*0.8) / 1.5
	near(t, "free state", float64(l.r.free[1][0]), free, tolerance())
	near(t, "predictor's gradient", float64(g.W[0].Value.Data[0]), -(free-0.8)*1.01, 10*tolerance())
	f.W[0].Value.Data[0] = 0.4 / 1.01
	l.Refresh()
	if _, g, err = l.Gradient(one); err != nil {
		t.Fatal(err)
	}
	near(t, "free state at the prediction", float64(l.r.free[1][0]), 0.4, tolerance())
	near(t, "nothing to learn", float64(g.W[0].Value.Data[0]), 0, 10*tolerance())
}

// Losses are local: the last forward layer has no say in what the first one
// learns, and without λ the free states know nothing of either.
func TestPredictorIsLocal(t *testing.T) {
	c := complete(Config{Predictor: &Predictor{}})
	c.Free = 500
	l, b := learner(t, c), samples(5, 40, 5, 0.5, 2)
	_, before, err := l.Gradient(b)
	if err != nil {
		t.Fatal(err)
	}
	fill(l.Predictor().W[2].Value.Data, 0.3)
	l.Refresh()
	_, after, err := l.Gradient(b)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range before.W[0].Value.Data {
		near(t, "first layer", float64(after.W[0].Value.Data[i]), float64(v), 10*tolerance())
	}
	if slices.Equal(before.W[2].Value.Data, after.W[2].Value.Data) {
		t.Error("the last layer's gradient has not changed")
	}
}

// The forward network alone classifies by its prediction, and does not learn.
func TestForward(t *testing.T) {
	l, b := learner(t, complete(Config{Predictor: &Predictor{Lambda: 0.1}})), samples(5, 40, 5, 0.5, 2)
	f, err := l.Forward()
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Predict(t.Context(), b)
	if err != nil || !slices.Equal(p.Scores, l.r.guess[3]) || p.Classes != 5 || p.Metrics.N != 5 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := f.Step(t.Context(), b); err == nil || !strings.Contains(err.Error(), "only predicts") {
		t.Errorf("%v", err)
	}
	if _, err := learner(t, complete(Config{})).Forward(); err == nil {
		t.Error("a learner without a predictor has a forward network")
	}
}
