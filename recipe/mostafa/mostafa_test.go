package mostafa

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/data"
	"synfire/recipe"
	"synfire/report"
	rule "synfire/rule/mostafa"
	"synfire/train"
)

// The networks of each scale: from short on those of the paper.
func TestConfig(t *testing.T) {
	for _, scale := range recipe.Scales {
		c, err := Config(scale, 7)
		if err != nil || c.Seed != 7 || c.Valid != 0 || !c.WatchTest || c.Validate() != nil {
			t.Errorf("%s: %+v, %v", scale, c, err)
		}
		a, b := c.Rule.(rule.Rule), deeper(c).Rule.(rule.Rule)
		if a.Validate() != nil || b.Validate() != nil || len(b.Hidden) != 2 || b.Hidden[0] != a.Hidden[0]/2 || b.Hidden[1] != b.Hidden[0] || a.LR != 0.3 || a.Clip != 10 {
			t.Errorf("%s: %+v and %+v", scale, a, b)
		}
		if scale != report.Smoke && (a.Hidden[0] != 800 || !a.Binary || c.Data.Name != "mnist") {
			t.Errorf("%s: %+v of %s, want the paper's", scale, a, c.Data.Name)
		}
	}
	if _, err := Config("long", 1); err == nil || err.Error() != `mostafa: no scale "long": use smoke, short or full` {
		t.Errorf("%v", err)
	}
}

// Shares and means of times, by hand: two images, two outputs, two hidden neurons.
func TestSpikes(t *testing.T) {
	never := math.Inf(1)
	s := &spikes{classes: []string{"a", "b"}, labels: []int{1, 0}, hidden: [][]float64{{0.5, 3}, {never, 2}}, output: [][]float64{{2, 1}, {never, never}}}
	for name, v := range map[string][2]float64{
		"silent outputs": {s.silentOutputs(), 50}, "silent hidden": {s.silentHidden(), 25}, "undecided": {s.undecided(), 50},
		"decision": {s.decision(), 1}, "before": {s.before(), 50},
	} {
		if v[0] != v[1] {
			t.Errorf("%s: %v, want %v", name, v[0], v[1])
		}
	}
	a := s.answers()
	if k := int(1/bar) + 1; a[0].Y[k] != 50 || a[1].Y[k] != 50 || a[1].Y[k-3] != 0 {
		t.Errorf("answers %v", a)
	}
	if h := histogram("h", s.output); h.Y[int(1/bar)] != 25 {
		t.Errorf("histogram %v", h.Y)
	}
	if w := waiting("w", s.output); w.Y[0] != 100 || w.Y[int(1.5/bar)] != 75 || w.Y[len(w.Y)-1] != 50 {
		t.Errorf("not fired %v", w.Y)
	}
}

// The recipe runs at the smoke scale: it learns and shows when neurons fire.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("trains networks")
	}
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now}
	o, err := Recipe().Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"wide_s1_accuracy", "deep_s1_accuracy"} {
		if a := o.Metrics[name]; a < 60 {
			t.Errorf("%s is %v %%, want 60: %v", name, a, o.Metrics)
		}
	}
	page := o.Page(report.Run{})
	if len(page.Sections) != 2 || len(page.Sections[0].Figures) != 1 || len(page.Sections[1].Figures) != 3 || page.Lead == "" {
		t.Errorf("page %+v", page)
	}
	for _, r := range Recipe().Judge(report.Smoke, o) {
		if r.Verdict != report.NotTested {
			t.Errorf("%s: %s at the smoke scale", r.ID, r.Verdict)
		}
	}
}

// A run that is stopped says so, and the short scale says how to get what it wants.
func TestRunBegins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Recipe().Run(ctx, &recipe.Env{Catalog: catalog.Default(), Observer: train.None{}, Scale: report.Smoke, Seed: 1, Out: t.TempDir()})
	if !errors.Is(err, train.ErrInterrupted) {
		t.Errorf("smoke: %v, want an interruption", err)
	}
	_, err = Recipe().Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Observer: train.None{}, Scale: report.Short, Seed: 1, Out: t.TempDir(), Data: data.Options{DataDir: t.TempDir()}})
	if err == nil || !strings.Contains(err.Error(), "--data-dir") {
		t.Errorf("short without data: %v", err)
	}
}
