package superspike

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/data"
	"synfire/internal/par"
	"synfire/internal/shared"
	"synfire/recipe"
	"synfire/report"
	"synfire/rule/superspike"
	"synfire/spike"
	"synfire/train"
)

// What the study claims first.
func Example() {
	c := Recipe().Claims[0]
	fmt.Println(c.ID, c.Direction, *c.Bounds.At(report.Short), "of", c.Seeds.Short)
	// Output: single-layer at_least 0.9 of 10
}

func outcome(t *testing.T, seed uint64, threads int) *recipe.Outcome {
	t.Helper()
	pool := par.New(threads)
	defer pool.Close()
	o, err := Recipe().Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: seed, Pool: pool, Observer: train.None{}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// What smoke can measure it does, the page can be written, and threads change nothing.
func TestSmoke(t *testing.T) {
	o := outcome(t, 1, 2)
	for _, c := range Recipe().Claims {
		if _, ok := o.Measured[c.ID]; !ok && !strings.HasPrefix(c.ID, "picture") {
			t.Errorf("claim %s is not measured", c.ID)
		}
	}
	if v := o.Measured["loss-zero"].Values; v[0] != 0 {
		t.Errorf("%v of the pairs of trains have a wrong loss", v)
	}
	page := o.Page(report.Run{Recipe: ID})
	if html, err := page.HTML(); err != nil || len(html) > 5<<20 || len(page.Sections) != 8 {
		t.Errorf("page of %d sections, %d bytes: %v", len(page.Sections), len(html), err)
	}
	if one := outcome(t, 1, 1); !reflect.DeepEqual(one.Metrics, o.Metrics) || !reflect.DeepEqual(one.Measured, o.Measured) {
		t.Error("one thread and two give different figures")
	}
}

// A few trials of the picture have all their figures.
func TestPicture(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	s := &study{ctx: t.Context(), env: &recipe.Env{Seed: 1, Data: data.Options{DataDir: shared.File(t, "data")}}, metrics: report.Metrics{}, measured: map[string]report.Measurement{}}
	p, err := picture(t.Context(), s.env)
	if err != nil {
		t.Skip("the pattern is not on this machine")
	}
	r := drawing(superspike.Symmetric)
	r.Hidden = []int{20}
	arms := []string{"symmetric", "random"}
	var jobs []job
	for i := range arms {
		jobs = append(jobs, job{name: arms[i], problem: p, rule: r, trials: 2, seed: 1})
	}
	done, err := s.teach(jobs)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.pictured(arms, done, 1); err != nil {
		t.Fatal(err)
	}
	if v := s.measured["picture"].Values; len(v) != 1 || !(v[0] > 0.1 && v[0] < 3) || len(s.sections[0].Figures) != 3 {
		t.Errorf("%v, %d figures", v, len(s.sections[0].Figures))
	}
	for i, train := range p.targets { // the picture has a pixel for each spike
		if got := image([]spike.Train{train}, 1.89, "").Pixels; len(got) != 189 {
			t.Fatalf("unit %d: %d columns", i, len(got))
		}
	}
}

// Without the pattern the picture is not tested, and says why.
func TestPictureIsMissing(t *testing.T) {
	s := &study{ctx: t.Context(), env: &recipe.Env{Data: data.Options{CacheDir: t.TempDir(), Proxies: "off"}}, size: size{picture: 1}, measured: map[string]report.Measurement{}}
	if err := s.picture(); err != nil || !strings.Contains(s.measured["picture"].Why, "the pattern is not here") {
		t.Errorf("%v, %+v", err, s.measured)
	}
}

// Where there are spikes SpikeProp's gradient is not zero, and it is how the time of the
// first spike changes.
func TestSpikeProp(t *testing.T) {
	r := superspike.NewRule()
	j := job{problem: frozen(100, 1, 10, 3), rule: r, seed: 3}
	l, err := newLesson(j.problem, r, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.teach(t.Context(), 150); err != nil {
		t.Fatal(err)
	}
	j.problem.targets = []spike.Train{{Times: []float64{0.02}, Stop: j.problem.targets[0].Stop}} // one target: of the first spike alone
	g, err := spikeProp(j, l.learner)
	if err != nil {
		t.Fatal(err)
	}
	// the crossing between steps, for weights moved by h
	at := func(i int, h float64) float64 {
		s, err := stream(j, l.learner)
		if err != nil {
			t.Fatal(err)
		}
		w := s.Weights(0).Data
		inputs, _, err := j.problem.bySteps()
		if err != nil {
			t.Fatal(err)
		}
		keep, d := math.Exp(-0.1/r.TauSyn), 0.1/r.TauMem
		current, u, before := 0.0, 0.0, 0.0
		for step := range j.problem.steps {
			u += d * (current - u)
			if u > 10 {
				return 0.1 * (float64(step) - (u-10)/(u-before))
			}
			before = u
			current *= keep
			for _, k := range inputs[step] {
				current += float64(w[k])
				if int(k) == i {
					current += h
				}
			}
		}
		return math.NaN()
	}
	late := math.Ceil(at(0, 0)/0.1)*0.1 - 20
	checked, largest := 0, 0.0
	for _, v := range g {
		largest = max(largest, math.Abs(v))
	}
	for i, v := range g {
		want := late * (at(i, 1e-4) - at(i, -1e-4)) / 2e-4
		if !(math.Abs(v-want) <= 0.05*largest) { // the potential bends within a step
			t.Errorf("input %d: %v, want %v", i, v, want)
		}
		if want != 0 {
			checked++
		}
	}
	if checked < 3 {
		t.Errorf("%d entries are not zero", checked)
	}
}

// The network of several outputs is the one that was chosen, for each kind of feedback.
func TestSettingsOfSeveralArePinned(t *testing.T) {
	for f, c := range map[superspike.Feedback]struct{ rate, rho float64 }{
		superspike.Symmetric: {0.5, superspike.NewRule().Rho}, superspike.Uniform: {0.5, 1e-4}, superspike.Random: {superspike.NewRule().Rate, superspike.NewRule().Rho},
	} {
		r := several(f)
		if !slices.Equal(r.Hidden, []int{32}) || r.Feedback != f || r.DecayEvery != 200 || r.Rate != c.rate || r.Rho != c.rho {
			t.Errorf("%v: %+v", f, r)
		}
	}
}

// Backpropagation's D is the rule's.
func TestVanRossumIsTheRules(t *testing.T) {
	j := job{problem: frozen(50, 1, 20, 2), rule: through(4, superspike.Symmetric), seed: 2}
	j.rule.Init = 120
	l, err := newLesson(j.problem, j.rule, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.learner.Predict(t.Context(), l.batch)
	if err != nil {
		t.Fatal(err)
	}
	_, targets, err := j.problem.bySteps()
	if err != nil {
		t.Fatal(err)
	}
	want, _ := p.Metrics.Mean(train.Loss)
	if got := vanRossum(j.rule, targets, p.Outputs[0].Signal.Data); math.Abs(got-want) > 1e-3*want || want == 5 {
		t.Errorf("D is %v, the rule has %v", got, want)
	}
}

func TestRunErrors(t *testing.T) {
	if _, err := Recipe().Run(t.Context(), &recipe.Env{Scale: "long"}); err == nil || !strings.Contains(err.Error(), "use smoke, short or full") {
		t.Errorf("unknown scale: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Recipe().Run(ctx, &recipe.Env{Scale: report.Smoke}); !errors.Is(err, train.ErrInterrupted) {
		t.Errorf("cancelled: %v", err)
	}
}
