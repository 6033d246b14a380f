package diehlcook

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/recipe"
	"synfire/report"
	"synfire/rule/stdp"
	"synfire/train"
)

// The jobs of the full scale are the networks of the claims.
func TestJobs(t *testing.T) {
	c, err := Config(report.Full, 7)
	if err != nil || c.Validate() != nil || c.Seed != 7 || c.Steps != 250 || c.Epochs != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	neurons := map[string]int{n100: 100, weak: 100, n400: 400, n1600: 1600, n6400: 6400, published: 400}
	epochs := map[string]int{n1600: 4, n6400: 16, published: 3}
	for _, row := range rows(report.Full) {
		j := job(row.name, c)
		if err := j.Config.Validate(); err != nil || j.Config.Epochs != max(1, epochs[row.name]) {
			t.Errorf("%s: %d epochs, %v", row.name, j.Config.Epochs, err)
		}
		n := 0
		switch r := j.Config.Rule.(type) {
		case stdp.Rule:
			if n = r.Neurons; (r.Inhibition == 120) == (row.name == weak) || (r.Labels == 0) != (n >= 1600) {
				t.Errorf("%s: %+v", row.name, r)
			}
		case stdp.Published:
			if n = r.Neurons; j.Config.Steps != 700 || r.Pause != 150 {
				t.Errorf("%s: %d steps, %+v", row.name, j.Config.Steps, r)
			}
		}
		if n != neurons[row.name] {
			t.Errorf("%s has %d neurons", row.name, n)
		}
	}
	if _, err := Config("long", 1); err == nil || err.Error() != `diehl-cook: no scale "long": use smoke, short or full` {
		t.Errorf("%v", err)
	}
}

// Each part has networks at full, and each network a part.
func TestParts(t *testing.T) {
	var of, parts []string
	for _, r := range rows(report.Full) {
		of = append(of, r.part)
	}
	for _, p := range Recipe().Parts {
		parts = append(parts, p.Name)
	}
	slices.Sort(of)
	slices.Sort(parts)
	if of = slices.Compact(of); !slices.Equal(of, parts) {
		t.Errorf("networks of parts %q, and the recipe's are %q", of, parts)
	}
}

// The recipe runs at the smoke scale: it learns, keeps its runs, and shows the neurons.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a network")
	}
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now}
	o, err := Recipe().Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if a := o.Metrics["n100_s1_accuracy"]; a < 55 {
		t.Errorf("accuracy %v %%, want 55: %v", a, o.Metrics)
	}
	for _, name := range []string{"n100-s1/model.safetensors", "weights-n100.png"} {
		if _, err := os.Stat(filepath.Join(e.Out, name)); err != nil {
			t.Error(err)
		}
	}
	page := o.Page(report.Run{}).Of(report.Run{Recipe: "diehl-cook"})
	figures := 0
	for _, s := range page.Sections {
		figures += len(s.Figures)
	}
	if figures != 4 || !strings.Contains(page.Lead, "100 neurons") {
		t.Errorf("%d figures, %q", figures, page.Lead)
	}
}

// The network with simplified plasticity has its claim and its jobs, and learns at smoke.
func TestQuerlioz(t *testing.T) {
	c, err := querliozConfig(report.Full, 7)
	if r := c.Rule.(stdp.Querlioz); err != nil || c.Validate() != nil || r.Neurons != 300 || c.Epochs != 4 || c.Seed != 7 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := querliozConfig("long", 1); err == nil || err.Error() != `querlioz: no scale "long": use smoke, short or full` {
		t.Errorf("%v", err)
	}
	if testing.Short() {
		return
	}
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now}
	o, err := Querlioz().Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if m := o.Measured[querlioz]; len(m.Values) != 1 || m.Values[0] < 30 {
		t.Errorf("%+v", m)
	}
	if _, err := os.Stat(filepath.Join(e.Out, "weights-querlioz.png")); err != nil {
		t.Error(err)
	}
}
