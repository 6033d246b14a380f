package eqprop

import (
	"math"
	"slices"
	"testing"

	"synfire/internal/par"
	"synfire/rule/eqprop/limit"
	"synfire/rule/eqprop/unit"
	"synfire/snntest"
	"synfire/tensor"
)

// States under a soft limit have the same bits for any number of threads, and whatever
// samples are in the batch.
func TestSoftIsOfTheSample(t *testing.T) {
	for name, c := range map[string]Config{
		"plain":     {},
		"tolerance": {Tolerance: 1e-3},
		"predictor": {Predictor: &Predictor{Lambda: 0.1}},
		"spiking":   {Spiking: &unit.Spiking{Drift: 0.05, Lambda: 0.3}},
	} {
		c = complete(c)
		c.TopK = &limit.TopK{K: 4, Variant: limit.Soft, Temperature: 0.05}
		b := samples(30, 40, 5, 0.3, 3)
		run := func(threads int) ([]tensor.Float, []tensor.Float) {
			c := c
			c.Pool = par.New(threads)
			defer c.Pool.Close()
			l := learner(t, c)
			step(t, l, b)
			weights := slices.Clone(l.Net().W[1].Value.Data)
			must(l.Predict(t.Context(), b))
			return weights, slices.Clone(l.r.free[2])
		}
		weights, states := run(1)
		for _, threads := range []int{2, 3} {
			w, s := run(threads)
			if !slices.Equal(w, weights) || !slices.Equal(s, states) {
				t.Errorf("%s: %d threads change weights or states", name, threads)
			}
		}
		l := learner(t, c)
		step(t, l, b)
		n := c.Sizes[2]
		for _, i := range []int{0, 17} {
			alone := b.Slice(i, i+1)
			must(l.Predict(t.Context(), alone))
			if !slices.Equal(l.r.free[2][:n], states[i*n:][:n]) {
				t.Errorf("%s: sample %d has other states alone", name, i)
			}
		}
	}
}

// With a predictor's λ the update still is the gradient of the cost at the fixed point,
// with s^f held.
func TestSoftLambdaGradient(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("small β needs double precision; run with -tags float64")
	}
	for name, k := range map[string]limit.TopK{
		"soft":   {K: 2, Variant: limit.Soft, Temperature: 0.3},
		"budget": {K: 1.5},
	} {
		l, b := linear(t, Config{Beta: 1e-3, TopK: &k, Predictor: &Predictor{Lambda: 0.4}}), samples(3, 6, 3, 1, 2)
		g := gradient(t, l, b)
		for _, m := range []int{0, 1, 2} {
			w := l.Net().W[m].Value.Data
			for _, j := range []int{0, len(w) / 2, len(w) - 1} {
				const h = 1e-5
				old := w[j]
				w[j] = old + h
				l.Refresh()
				up := cost(t, l, b)
				w[j] = old - h
				l.Refresh()
				down := cost(t, l, b)
				w[j] = old
				l.Refresh()
				want := (up - down) / (2 * h)
				near(t, name, float64(g.W[m].Value.Data[j]), want, 1e-5*math.Abs(want)+1e-8)
			}
		}
		if name == "soft" {
			// Least energy: the derivative in each direction that keeps the sum is 0.
			s, f := l.r.free[1][:7], l.r.guess[1][:7]
			first := 0.0
			z := make([]float64, 7)
			for j := range z {
				z[j] = float64(l.Net().B[0].Value.Data[j])
				for i := range 6 {
					z[j] += float64(b.X[i] * l.Net().W[0].Value.Data[i*7+j])
				}
				for i := range 5 {
					z[j] += float64(l.Net().W[1].Value.Data[j*5+i] * l.r.free[2][i])
				}
				slope := 0.3*math.Log(float64(s[j]/(1-s[j]))) + 0.4*float64(s[j]-f[j]) - z[j]
				if j == 0 {
					first = slope
				}
				near(t, "derivative", slope, first, 1e-9)
			}
		}
	}
}

// τ falls by the same factor in each step, and a checkpoint takes it up where it was.
func TestCooling(t *testing.T) {
	c := complete(Config{TopK: &limit.TopK{K: 3, Variant: limit.Soft, Temperature: 0.05, Hot: 0.5, Cooling: 4}})
	l := learner(t, c)
	for i := range 6 {
		want := 0.5 * math.Pow(0.1, math.Min(float64(i), 4)/4)
		near(t, "temperature", float64(l.r.limit[1].Temperature), want, 1e-7)
		other := learner(t, c)
		if err := other.SetState(l.State()); err != nil || other.r.limit[1].Temperature != l.r.limit[1].Temperature {
			t.Fatalf("step %d: %v, want %v; %v", i, other.r.limit[1].Temperature, l.r.limit[1].Temperature, err)
		}
		step(t, l, samples(3, 40, 5, 0.5, 1))
	}
}
