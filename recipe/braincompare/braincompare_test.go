package braincompare_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/data"
	"synfire/data/mnist"
	"synfire/model"
	"synfire/recipe"
	"synfire/recipe/braincompare"
	"synfire/report"
	"synfire/rule/bptt"
	"synfire/tensor"
	"synfire/train"
)

// Each scale is networks of both kinds that differ in their units and steps alone.
func TestConfig(t *testing.T) {
	digits, _ := mnist.Sample()
	for _, scale := range recipe.Scales {
		params := map[int]bool{}
		for _, kind := range []braincompare.Kind{braincompare.RealValued, braincompare.Spiking} {
			c, err := braincompare.Config(scale, kind, 7)
			if err != nil {
				t.Fatal(err)
			}
			net, err := c.Rule.(bptt.Rule).Network(c.Setting(model.Sets{Spec: digits.Spec()}, nil))
			if err != nil {
				t.Fatalf("%s, %s: %v", scale, kind, err)
			}
			if !net.OutputShape().Equal(tensor.Shape{10}) || c.Seed != 7 || c.Validate() != nil || (kind == braincompare.RealValued) != (c.Steps == 1) {
				t.Errorf("%s, %s: %+v", scale, kind, c)
			}
			n := 0
			for _, p := range net.Params() {
				n += len(p.Value.Data)
			}
			params[n] = true
		}
		if len(params) != 1 {
			t.Errorf("%s: the kinds have other numbers of parameters: %v", scale, params)
		}
	}
	if _, err := braincompare.Config("long", braincompare.Spiking, 1); err == nil || !strings.Contains(err.Error(), "use smoke, short or full") {
		t.Errorf("%v", err)
	}
}

// The smoke scale from end to end: all figures, every claim measured, values that
// can be correlations.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("trains ten networks")
	}
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir()}
	o, err := braincompare.Recipe().Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range braincompare.Recipe().Claims {
		if m := o.Measured[c.ID]; (len(m.Values) == 0 || m.N == 0) && m.Why == "" {
			t.Errorf("claim %s: %+v", c.ID, m)
		}
	}
	for name, v := range o.Metrics {
		if strings.HasPrefix(name, "cka_") && !(v > 0 && v <= 1) || strings.HasPrefix(name, "rate_rsa") && !(math.Abs(v) <= 1) {
			t.Errorf("%s = %v", name, v)
		}
	}
	page := o.Page(report.Run{})
	figures := 0
	for _, s := range page.Sections {
		figures += len(s.Figures)
	}
	if html, err := page.HTML(); err != nil || figures != 15 || len(html) > 2<<20 {
		t.Errorf("%d figures in a page of %d bytes, %v", figures, len(html), err)
	}
}

func TestRunBegins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := braincompare.Recipe().Run(ctx, &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir()}); !errors.Is(err, train.ErrInterrupted) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := braincompare.Recipe().Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: "long", Out: t.TempDir()}); err == nil {
		t.Error("scale long: no error")
	}
	_, err := braincompare.Recipe().Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: report.Short, Seed: 1, Out: t.TempDir(), Data: data.Options{DataDir: t.TempDir()}})
	if err == nil || !strings.Contains(err.Error(), "--data-dir") {
		t.Errorf("short without data: %v", err)
	}
}
