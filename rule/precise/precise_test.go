package precise

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/snntest"
	"synfire/spike"
	"synfire/tensor"
	"synfire/train"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.9g, want %.9g", what, got, want)
	}
}

// random is a trial of n inputs that fire twice each in 100 ms.
func random(n int, seed uint64) *Trial {
	t, src := &Trial{Duration: 100}, rng.New(seed, "trial").Source()
	for i := range n {
		t.Spikes = append(t.Spikes, Spike{100 * src.Float64(), i}, Spike{100 * src.Float64(), i})
	}
	t.Sort()
	return t
}

// potential is u at a time, by its definition.
func potential(c Cell, t *Trial, w, own []float64, at float64) (u float64) {
	for _, s := range t.Spikes {
		u += w[s.Unit] * c.kernel(at-s.At)
	}
	for _, o := range own {
		if o < at {
			u -= c.Threshold * math.Exp((o-at)/c.Tau)
		}
	}
	return u
}

// At each spike the potential is θ, and between spikes it is below, by its definition.
func TestRun(t *testing.T) {
	c := NewCell(10, 2.5, 1)
	spikes := 0
	for seed := range uint64(5) {
		trial, w := random(40, seed), make([]float64, 40)
		src := rng.New(seed, "weights").Source()
		for i := range w {
			w[i] = 1.2 * (src.Float64() - 0.2)
		}
		own, err := c.Run(trial, w)
		if err != nil {
			t.Fatal(err)
		}
		spikes += len(own)
		for k, o := range own {
			near(t, "the potential at a spike", potential(c, trial, w, own[:k], o), 1, 1e-9)
		}
		for at := 0.0; at < 100; at += 0.1 {
			if u := potential(c, trial, w, own, at); u > 1+1e-9 {
				t.Fatalf("at %v the potential is %v, and no spike there: %v", at, u, own)
			}
		}
	}
	if spikes < 20 {
		t.Errorf("%d spikes: the check shows little", spikes)
	}
	if own, err := c.Run(&Trial{Duration: 50}, nil); err != nil || own != nil {
		t.Error("a neuron without inputs fires")
	}
	if _, err := c.Run(&Trial{Spikes: []Spike{{1, 0}}, Duration: 1e3}, []float64{1e9}); err == nil {
		t.Error("a neuron fires without end")
	}
}

// Where the trains are equal no weight moves, by the three rules that compare them.
func TestFixedPoint(t *testing.T) {
	trial, times := random(9, 1), []float64{20, 55.5, 80}
	for _, m := range []Method{Resume, Span, ChronotronE} {
		r := NewRule()
		r.Method = m
		dw := make([]float64, 9)
		r.Change(dw, trial, nil, times, times, 1)
		for _, v := range dw {
			if math.Abs(v) > 1e-15 {
				t.Errorf("%v moves weights by %v", m, dw)
				break
			}
		}
		r.Change(dw, trial, nil, nil, times, 1)
		if slices.Max(dw) <= 0 || slices.Min(dw) < 0 {
			t.Errorf("%v lowers weights for spikes that are missing: %v", m, dw)
		}
	}
}

// By hand: an input at 0 and spikes at 3 (own) and 5 (wanted).
func TestHandValues(t *testing.T) {
	trial := &Trial{Spikes: []Spike{{0, 0}}, Duration: 10}
	dw := make([]float64, 1)
	ReSuMe(dw, trial, []float64{3}, []float64{5}, 1, 0.5, 5)
	near(t, "resume", dw[0], math.Exp(-1)-math.Exp(-0.6), 1e-12)
	dw[0] = 0
	SPAN(dw, trial, nil, []float64{3}, 1, 5) // (e/2)²·(3 + 5)·e^(−3/5)/5
	near(t, "span", dw[0], 8.1103999/5, 1e-7)
	dw[0] = 0
	c := NewCell(10, 2.5, 1)
	c.Chronotron(dw, trial, []float64{3}, []float64{5}, 1, 10, 10) // early by 2: weaker
	near(t, "chronotron", dw[0], -0.1*2*c.kernel(3), 1e-12)
	dw[0] = 0
	c.Chronotron(dw, trial, []float64{3}, []float64{50}, 1, 10, 10) // too far: one goes, one comes
	near(t, "chronotron", dw[0], c.kernel(50)-c.kernel(3), 1e-12)
}

// The match is the cheapest of all, against a search of all.
func TestMatch(t *testing.T) {
	var cheapest func(a, b []float64) float64
	cheapest = func(a, b []float64) float64 {
		if len(a) == 0 || len(b) == 0 {
			return float64(len(a) + len(b))
		}
		d := (a[0] - b[0]) / 10
		return min(cheapest(a[1:], b[1:])+d*d/2, cheapest(a[1:], b)+1, cheapest(a, b[1:])+1)
	}
	src := rng.New(1, "match").Source()
	for range 100 {
		train := func() (x []float64) {
			for range src.IntN(6) {
				x = append(x, 60*src.Float64())
			}
			slices.Sort(x)
			return x
		}
		a, b := train(), train()
		pairs, remove, insert := Match(a, b, 10)
		cost := float64(len(remove) + len(insert))
		for _, p := range pairs {
			d := (a[p[0]] - b[p[1]]) / 10
			cost += d * d / 2
		}
		near(t, "the cost", cost, cheapest(a, b), 1e-9)
		if len(pairs)+len(remove) != len(a) || len(pairs)+len(insert) != len(b) {
			t.Errorf("%v %v %v of %v and %v", pairs, remove, insert, a, b)
		}
	}
}

// The gradient of the likelihood is its difference.
func TestLikelihood(t *testing.T) {
	c, trial, want := NewCell(10, 2.5, 1), random(8, 4), []float64{22, 61}
	w := []float64{0.1, 0.3, 0.2, -0.1, 0.25, 0.1, 0.3, 0.2}
	e := Escape{0.5, 0.2, 0.25}
	dw := make([]float64, 8)
	c.Likelihood(dw, trial, w, want, e, 1)
	for i := range w {
		const h = 1e-6
		w[i] += h
		up := c.Likelihood(nil, trial, w, want, e, 0)
		w[i] -= 2 * h
		down := c.Likelihood(nil, trial, w, want, e, 0)
		w[i] += h
		near(t, "∂ln p/∂w", dw[i], (up-down)/(2*h), 1e-6*max(1, math.Abs(dw[i])))
	}
}

// Each rule brings one neuron to its wanted spikes.
func TestLearns(t *testing.T) {
	rates := map[Method]float64{Resume: 0.02, Span: 0.01, ChronotronE: 0.02, Pfister: 0.0005}
	for _, m := range Methods() {
		r := NewRule()
		r.Method, r.LR, r.Initial = m, rates[m], 0.1
		trial, w, want := random(60, 7), r.Draw(60, 1, 0), []float64{40, 80}
		distance := func() float64 {
			own, err := r.Cell().Run(trial, w)
			if err != nil {
				t.Fatal(err)
			}
			d, _ := van(own, want, 100)
			return d
		}
		first := distance()
		for range 400 {
			own, err := r.Cell().Run(trial, w)
			if err != nil {
				t.Fatal(err)
			}
			r.Change(w, trial, w, own, want, 1)
		}
		if last := distance(); last > first/2 {
			t.Errorf("%v: the distance is %v at first and %v at last", m, first, last)
		}
	}
}

func TestLearner(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{6}, Events: true, Duration: 0.1, Targets: []sample.Field{{Name: "trains", Kind: sample.Trains, Shape: tensor.Shape{2}}}}
	s := train.Setting{Spec: spec, Samples: 6, Steps: 100, Epochs: 2, Batch: 2, Seed: 3, Pool: par.New(1)}
	var batches []*sample.Batch
	for k := range 3 {
		b := &sample.Batch{}
		b.Reset(&spec, 0)
		for i := range 2 {
			var x sample.Sample
			for _, at := range random(6, uint64(2*k+i)).Spikes {
				x.Events = append(x.Events, sample.Event{Time: at.At / 1000, Unit: int32(at.Unit)})
			}
			x.Targets = []sample.Target{{Trains: []spike.Train{{Times: []float64{0.04}, Stop: 0.1}, {Times: []float64{0.03, 0.08}, Stop: 0.1}}}}
			if err := b.Append(2*k+i, &x); err != nil {
				t.Fatal(err)
			}
		}
		batches = append(batches, b)
	}
	for _, m := range Methods() {
		r := NewRule()
		r.Method, r.Initial = m, 0.8
		snntest.Learner(t, r, s, batches...)
	}
}

func TestValidate(t *testing.T) {
	for i, change := range []func(*Rule){
		func(r *Rule) { r.Method = 9 }, func(r *Rule) { r.LR = math.NaN() }, func(r *Rule) { r.Tau = 0 }, func(r *Rule) { r.TauS = 10 },
		func(r *Rule) { r.Add = -1 }, func(r *Rule) { r.Schedule = nil }, func(r *Rule) { r.Width = 0 }, func(r *Rule) { r.Initial = math.Inf(1) },
	} {
		r := NewRule()
		change(&r)
		if r.Validate() == nil {
			t.Errorf("change %d is accepted", i)
		}
	}
	if _, err := NewRule().Learner(train.Setting{Spec: sample.Spec{Shape: tensor.Shape{2}}, Steps: 1}); err == nil {
		t.Error("samples without events are learned")
	}
	large := NewRule()
	large.LR = 1e300
	if err := large.Validate(); err == nil || !strings.Contains(err.Error(), "want a positive number up to 1e+09") {
		t.Errorf("a rate of 1e300: %v, want an error that says the bound", err)
	}
}

// One neuron, an input spike each 5 ms, and one wanted spike.
func Example() {
	rule := NewRule()
	rule.Method, rule.LR = ChronotronE, 0.05
	trial, w, want := &Trial{Duration: 100}, make([]float64, 20), []float64{62}
	for i := range w {
		trial.Spikes = append(trial.Spikes, Spike{5 * float64(i), i})
	}
	for range 300 {
		own, err := rule.Cell().Run(trial, w)
		if err != nil {
			fmt.Println(err)
			return
		}
		rule.Change(w, trial, w, own, want, 1)
	}
	own, _ := rule.Cell().Run(trial, w)
	fmt.Printf("%.1f\n", own)
	// Output: [62.0]
}
