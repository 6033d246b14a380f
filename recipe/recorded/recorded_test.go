package recorded

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/distance"
	"synfire/internal/par"
	"synfire/internal/shared"
	"synfire/recipe"
	"synfire/report"
	"synfire/spike"
	"synfire/train"
)

func env(t *testing.T, scale report.Scale, threads int) *recipe.Env {
	t.Helper()
	pool := par.New(threads)
	t.Cleanup(pool.Close)
	return &recipe.Env{Scale: scale, Seed: 1, Pool: pool, Out: t.TempDir(), Observer: train.None{}}
}

// The smoke scale needs no data, finds what was planted, judges nothing, and does not depend
// on threads.
func TestSmoke(t *testing.T) {
	planted := map[string]struct {
		id       string
		from, to float64
	}{"odours": {"odours", 0.8, 1}, "cultures": {"region", 0.9, 1}, "waves": {"age", -1, -0.7}}
	for _, r := range Recipes() {
		one, err := r.Run(t.Context(), env(t, report.Smoke, 1))
		if err != nil {
			t.Fatal(err)
		}
		two, err := r.Run(t.Context(), env(t, report.Smoke, 2))
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range one.Metrics {
			if two.Metrics[name] != v {
				t.Errorf("%s: %s is %v, and %v by two threads", r.ID, name, v, two.Metrics[name])
			}
		}
		p := planted[r.ID]
		if v := one.Measured[p.id].Values[0]; !(v >= p.from && v <= p.to) {
			t.Errorf("%s: %s is %v, want %v to %v", r.ID, p.id, v, p.from, p.to)
		}
		for _, c := range r.Claims {
			if _, ok := one.Measured[c.ID]; !ok {
				t.Errorf("%s: nothing measured for %s", r.ID, c.ID)
			}
		}
		page := one.Page(report.Run{})
		if !strings.Contains(page.Lead, "Made-up") || len(page.Sections) < 2 {
			t.Errorf("%s: lead %q, %d sections", r.ID, page.Lead, len(page.Sections))
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range Recipes() {
		if _, err := r.Run(ctx, env(t, report.Smoke, 1)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", r.ID, err)
		}
		if _, err := r.Run(t.Context(), env(t, "long", 1)); err == nil || !strings.Contains(err.Error(), "use smoke, short or full") {
			t.Errorf("%s: %v", r.ID, err)
		}
	}
}

// Without the data, an error says where to get them.
func TestNoData(t *testing.T) {
	for _, r := range Recipes() {
		e := env(t, report.Short, 1)
		e.Data = data.Options{CacheDir: t.TempDir(), Proxies: "off"}
		if _, err := r.Run(t.Context(), e); err == nil || !strings.Contains(err.Error(), "import") {
			t.Errorf("%s: %v", r.ID, err)
		}
	}
}

// Without an effect nothing is found: odours whose neurons fire alike.
func TestNothingPlanted(t *testing.T) {
	list := madeOdours(5, 12)
	same := []presentation{{"a", "x", nil}, {"a", "y", nil}, {"a", "z", nil}}
	for i, trial := range list[0].trials {
		same[i%3].trials = append(same[i%3].trials, trial)
	}
	s := &odourStudy{findings: newFindings(), ctx: t.Context(), seed: 1, size: odourSize{permutations: 199, surrogates: 19, intervals: 9}, three: same}
	var err error
	if s.after, err = within(same, afterValve); err != nil {
		t.Fatal(err)
	}
	s.before = s.after
	if err := s.costs(); err != nil {
		t.Fatal(err)
	}
	if p := s.measured["odours-permutation"].Values[0]; p < 0.01 {
		t.Errorf("p of trials of one odour is %v", p)
	}
}

// Surrogates keep each trial's count, take times that occur, and none twice in a trial.
func TestPooled(t *testing.T) {
	var trains []spike.Train
	for i := range uint64(5) {
		tr, err := spike.Poisson{Rate: 20}.Train(spike.Stream(1, i), 0, 2)
		if err != nil {
			t.Fatal(err)
		}
		trains = append(trains, tr)
	}
	trains = append(trains, spike.Train{Stop: 2})
	var all []float64
	for _, tr := range trains {
		all = append(all, tr.Times...)
	}
	got := pooled(trains, 7)
	for i, tr := range got {
		if len(tr.Times) != len(trains[i].Times) || tr.Validate() != nil {
			t.Errorf("train %d: %d spikes, want %d, %v", i, len(tr.Times), len(trains[i].Times), tr.Validate())
		}
		for _, v := range tr.Times {
			if !slices.Contains(all, v) {
				t.Errorf("train %d: the time %v is nobody's", i, v)
			}
		}
	}
	if slices.Equal(got[0].Times, trains[0].Times) {
		t.Error("the times were not exchanged")
	}
}

// The trials of the three odours as the index counts them: spikes over all of each trial.
func TestOdourFiles(t *testing.T) {
	e := env(t, report.Short, 1)
	e.Data = data.Options{DataDir: filepath.Dir(shared.File(t, "data/recordings.zip"))}
	three, one, err := odourData(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{14782, 14364, 13798} {
		n := 0
		for _, trial := range three[i].trials {
			for _, tr := range trial {
				n += len(tr.Times)
			}
		}
		if n != want || len(three[i].trials) != 20 || len(three[i].trials[0]) != 3 {
			t.Errorf("%s: %d spikes in %d trials, want %d", three[i].odour, n, len(three[i].trials), want)
		}
	}
	if len(one) != 5 {
		t.Errorf("%d animals with one odour, want 5", len(one))
	}
	for _, list := range [][]presentation{three, one} {
		for _, w := range [][2]float64{afterValve, beforeValve} {
			if _, err := within(list, w); err != nil {
				t.Error(err)
			}
		}
	}
}

// The claim on retinas, where the data are: its figure is of no random number.
func TestWaves(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	e := env(t, report.Short, 2)
	e.Data = data.Options{DataDir: filepath.Dir(shared.File(t, "data/recordings.zip"))}
	r := waves()
	o, err := r.Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if m := o.Measured["age"]; math.Abs(m.Values[0]+0.8669) > 1e-4 || m.N != demasRetinas {
		t.Errorf("%+v, want -0.8669 of %d retinas", m, demasRetinas)
	}
}

// Shares of right answers as testdata/odours.py has them, another program of the definitions.
func TestOdoursIndependently(t *testing.T) {
	e := env(t, report.Short, 1)
	e.Data = data.Options{DataDir: filepath.Dir(shared.File(t, "data/recordings.zip"))}
	three, _, err := odourData(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		window  [2]float64
		neurons []int
		q, want float64
	}{
		{afterValve, []int{0, 1, 2}, 0, 0.6333333333333333}, {afterValve, []int{0, 1, 2}, 5, 0.7166666666666667}, {afterValve, []int{0, 1, 2}, 100, 0.5166666666666667},
		{afterValve, []int{1}, 5, 0.7166666666666667}, {afterValve, []int{0}, 0, 0.22777777777777777},
		{beforeValve, []int{0, 1, 2}, 20, 0.4166666666666667}, {beforeValve, []int{0, 1, 2}, 0, 0.4},
	} {
		r, err := within(three, c.window)
		if err != nil {
			t.Fatal(err)
		}
		var all [][][][]float64
		for _, k := range c.neurons {
			d, err := distance.Matrix(distance.VictorPurpura{Cost: c.q}, r.neuron(k), distance.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, [][][]float64{d})
		}
		got, err := curve(summed(all), r.labels)
		if err != nil || math.Abs(got[0]-c.want) > 1e-12 {
			t.Errorf("%v, neurons %v, q = %v: %v, want %v, %v", c.window, c.neurons, c.q, got, c.want, err)
		}
	}
}
