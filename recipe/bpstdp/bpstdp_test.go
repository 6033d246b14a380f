package bpstdp

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/data"
	"synfire/recipe"
	"synfire/report"
	rule "synfire/rule/bpstdp"
	"synfire/train"
)

// The network of each scale: from short on the published one.
func TestConfig(t *testing.T) {
	for _, scale := range recipe.Scales {
		c, err := Config(scale, 7)
		if err != nil || c.Seed != 7 || c.Valid != 0 || !c.WatchTest || c.Steps != 50 || c.Validate() != nil {
			t.Errorf("%s: %+v, %v", scale, c, err)
		}
		a, b := c.Rule.(rule.Rule), random(c).Rule.(rule.Rule)
		if a.Validate() != nil || a.Poisson || !b.Poisson || a.Rate != 0.25 || a.Window != 4 || a.Period != 4 || a.Threshold != 0.9 || a.OutputThreshold != 0.025 || a.LR != 0.03 {
			t.Errorf("%s: %+v and %+v", scale, a, b)
		}
		if scale != report.Smoke && (a.Hidden[0] != 1000 || c.Data.Name != "mnist") {
			t.Errorf("%s: %+v of %s, want the paper's", scale, a, c.Data.Name)
		}
	}
	if _, err := Config("long", 1); err == nil || err.Error() != `bp-stdp: no scale "long": use smoke, short or full` {
		t.Errorf("%v", err)
	}
}

// Shares and means by hand: three images of two steps, two outputs.
func TestCounts(t *testing.T) {
	c := &counts{labels: []int{1, 0, 0}, spikes: [][]int{{5, 2, 3}, {7, 4, 0}, {6, 3, 2}}, outputs: [][][]int{{{0, 1}, {1, 2}}, {{0, 0}, {0, 0}}, {{1, 0}, {1, 1}}}}
	if c.mean(0) != 6 || c.silent() != 100.0/3 || c.ties() != 200.0/3 {
		t.Errorf("mean %v, silent %v, ties %v", c.mean(0), c.silent(), c.ties())
	}
	if _, y := c.early(); y[0] != 200.0/3 || y[1] != 100.0/3 {
		t.Errorf("right by steps %v", y)
	}
	if b := c.lead([]string{"a", "b"}); b[1].Value != 2 || *b[1].Reference != 1 || b[0].Value != 0.5 || *b[0].Reference != 0.5 {
		t.Errorf("bars %+v", b)
	}
	c = &counts{labels: []int{1}, outputs: [][][]int{{{2, 5, 3}}}} // the best other is the third alone
	if b := c.lead([]string{"a", "b", "c"}); b[1].Value != 5 || *b[1].Reference != 3 {
		t.Errorf("bars of three %+v", b)
	}
}

// The recipe runs at the smoke scale: it learns and shows its spikes.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("trains networks")
	}
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now}
	o, err := Recipe().Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"regular_s1_accuracy", "poisson_s1_accuracy"} {
		if a := o.Metrics[name]; a < 60 {
			t.Errorf("%s is %v %%, want 60: %v", name, a, o.Metrics)
		}
	}
	page := o.Page(report.Run{})
	if len(page.Sections) != 2 || len(page.Sections[0].Figures) != 1 || len(page.Sections[1].Figures) != 2 || page.Lead == "" {
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
