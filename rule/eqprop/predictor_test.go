package eqprop

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/rule/eqprop/limit"
	"synfire/rule/eqprop/unit"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
)

// One linear unit: s⁻ = (z + λ s^f)/(1 + λ), and where s^f = z it stays there and
// the predictor has nothing to learn.
func TestPredictorOneUnit(t *testing.T) {
	one := sample.Labelled([]int{0}, []tensor.Float{1}, []int{0}, 9)
	l := learner(t, Config{Sizes: []int{1, 1}, Free: 100, Nudged: 50, Beta: 0.1, LearningRates: []float64{1}, Predictor: &Predictor{Lambda: 0.5}})
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

// The forward network is an output of its own.
func TestForward(t *testing.T) {
	l, b := learner(t, complete(Config{Predictor: &Predictor{Lambda: 0.1}})), samples(5, 40, 5, 0.5, 2)
	p, err := l.Predict(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if f, ok := p.Output(ForwardName); !ok || !slices.Equal(f.Scores, l.r.guess[3]) || f.Shape[0] != 5 || p.Metrics.N != 5 {
		t.Errorf("%+v", p)
	}
	if p, err = learner(t, complete(Config{})).Predict(t.Context(), b); err != nil || len(p.Outputs) != 1 {
		t.Errorf("a learner without a predictor has the outputs %+v, %v", p.Outputs, err)
	}
}

// The local losses of a limited predictor have the gradients that its rule says, for
// free states that are held.
func TestLimitedPredictor(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("differences need double precision; run with -tags float64")
	}
	for name, k := range map[string]limit.TopK{
		"budget":       {K: 4},
		"loose budget": {K: 16},
		"soft":         {K: 4, Variant: limit.Soft, Temperature: 0.2},
		"hard":         {K: 4, Variant: limit.Hard},
	} {
		for _, spiking := range []*unit.Spiking{nil, {Drift: 0.05, Lambda: 0.3}} {
			l, b := learner(t, complete(Config{TopK: &k, Spiking: spiking, Predictor: &Predictor{Lambda: 0.1, TopK: true}})), samples(3, 40, 5, 0.5, 2)
			for _, bias := range l.Predictor().B {
				fill(bias.Value.Data, 0.2)
			}
			l.Refresh()
			_, g, err := l.Gradient(b)
			if err != nil {
				t.Fatal(err)
			}
			for m := range 3 {
				free := slices.Clone(l.r.free[m+1])
				local := func() (sum float64) {
					l.Refresh()
					must(l.Predict(t.Context(), b))
					for i, v := range l.r.guess[m+1] {
						sum += 0.5 * math.Pow(float64(v-free[i]), 2) / 3
					}
					return sum
				}
				moved := 0
				for j := 0; j < len(g.W[m].Value.Data); j += 7 {
					const h = 1e-6
					w := &l.Predictor().W[m].Value.Data[j]
					old := *w
					*w = old + h
					up := local()
					*w = old - h
					down := local()
					*w = old
					want := (up - down) / (2 * h)
					near(t, name, float64(g.W[m].Value.Data[j]), want, 1e-6*math.Abs(want)+1e-8)
					if want != 0 {
						moved++
					}
				}
				if moved == 0 {
					t.Errorf("%s: the loss of layer %d does not depend on its weights", name, m+1)
				}
				l.Refresh()
				if _, _, err := l.Gradient(b); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// Limited predictions are within their limit, with the same bits alone and in a batch.
func TestLimitedPredictionIsOfTheSample(t *testing.T) {
	for name, k := range map[string]limit.TopK{
		"budget": {K: 4}, "soft": {K: 4, Variant: limit.Soft, Temperature: 0.1}, "hard": {K: 4, Variant: limit.Hard},
	} {
		l, b := learner(t, complete(Config{TopK: &k, Tolerance: 1e-3, Predictor: &Predictor{Lambda: 0.1, TopK: true}})), samples(30, 40, 5, 0.5, 2)
		step(t, l, b)
		must(l.Predict(t.Context(), b))
		all := slices.Clone(l.r.guess[1])
		for i := range 30 {
			sum := 0.0
			for _, v := range all[i*33:][:33] {
				sum += max(0, float64(v))
			}
			if sum > 4.001 && k.Variant != limit.Hard || sum == 0 {
				t.Errorf("%s: activity %v", name, sum)
			}
		}
		one := b.Slice(9, 10)
		must(l.Predict(t.Context(), one))
		if !slices.Equal(l.r.guess[1], all[9*33:][:33]) {
			t.Errorf("%s: another prediction alone", name)
		}
	}
	if _, err := New(complete(Config{Predictor: &Predictor{TopK: true}})); err == nil || !strings.Contains(err.Error(), "predictor's top-k") {
		t.Errorf("%v", err)
	}
}
