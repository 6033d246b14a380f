package s4nn

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/data"
	"synfire/recipe"
	"synfire/report"
	rule "synfire/rule/s4nn"
	"synfire/run"
	"synfire/train"
)

// The protocol of each scale: the full one is the published.
func TestConfig(t *testing.T) {
	for scale, epochs := range map[report.Scale]int{report.Smoke: 5, report.Short: 20, report.Full: 100} {
		c, err := Config(scale, 7)
		if err != nil || c.Epochs != epochs || c.Seed != 7 || !c.Data.Ordered || c.Valid != 0 || c.Validate() != nil {
			t.Errorf("%s: %+v, %v", scale, c, err)
		}
		r := c.Rule.(rule.Rule)
		if r.Threshold != 100 || r.LR != 0.2 || r.Decay != 1e-6 || r.Gap != 3 || r.Dead != 0.001 || !r.UpdatedWeights || r.Average {
			t.Errorf("%s: %+v", scale, r)
		}
		if v := variant(c); v.Rule.Validate() != nil || v.Valid == 0 || v.Epochs > c.Epochs {
			t.Errorf("%s, variant: %+v", scale, v)
		}
	}
	if _, err := Config("long", 1); err == nil || err.Error() != `s4nn: no scale "long": use smoke, short or full` {
		t.Errorf("%v", err)
	}
}

// The recipe runs at the smoke scale: it learns, keeps its runs, and describes them.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("trains networks")
	}
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now}
	o, err := Recipe().Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if a := o.Metrics["published_s1_accuracy"]; a < 50 {
		t.Errorf("accuracy %v %%, want 50: %v", a, o.Metrics)
	}
	for _, name := range []string{published + "-s1", ours + "-s1"} {
		if _, err := os.Stat(filepath.Join(e.Out, name, "model.safetensors")); err != nil {
			t.Error(err)
		}
	}
	page := o.Page(report.Run{}).Of(report.Run{Recipe: "s4nn"})
	figures := 0
	for _, s := range page.Sections {
		figures += len(s.Figures)
	}
	if figures != 4 || page.Lead == "" {
		t.Errorf("%d figures, %q", figures, page.Lead)
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
	if _, err := Recipe().Run(t.Context(), &recipe.Env{Scale: "long"}); err == nil || !strings.Contains(err.Error(), "use smoke, short or full") {
		t.Errorf("%v", err)
	}
}

// A seed's figure is the median of its last 21 epochs; the best of all is told apart.
func TestLastEpochs(t *testing.T) {
	j := &recipe.Trained{}
	for i := range 40 {
		v := 90.0
		if i >= 19 {
			v = float64(i % 21)
		}
		j.Epochs = append(j.Epochs, run.Epoch{Test: run.Figures{"accuracy": v}})
	}
	if m, b := medianOf(j, "accuracy"), bestOf(j, "accuracy"); m != 10 || b != 90 {
		t.Errorf("median %v, best %v; want 10 and 90", m, b)
	}
}

// Without the released weights nothing is measured of them, and why is said; what is no
// such file is an error.
func TestWitnessIsMissing(t *testing.T) {
	dir := t.TempDir()
	if at := findWitness(data.Options{DataDir: dir}); at != "" {
		t.Errorf("found %s", at)
	}
	path := filepath.Join(dir, WitnessFile)
	if err := os.WriteFile(path, []byte("no archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	if at := findWitness(data.Options{DataDir: dir}); at != path {
		t.Errorf("found %q, want %s", at, path)
	}
	if _, err := readWitness(path); err == nil {
		t.Error("what is no archive was read")
	}
}
