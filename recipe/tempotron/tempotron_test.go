package tempotron

import (
	"context"
	"testing"

	"synfire/internal/par"
	"synfire/recipe"
	"synfire/report"
)

// A small load is learned, and a run ends at its first epoch without an error.
func TestRun(t *testing.T) {
	e := &recipe.Env{Scale: report.Smoke, Seed: 1, Pool: par.New(1)}
	o, err := Recipe().Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if o.Metrics["solved at load 0.5"] != 1 || len(o.Measured) != 0 {
		t.Errorf("metrics %v, measured %v", o.Metrics, o.Measured)
	}
	if page := o.Page(report.Run{}); len(page.Sections) != 1 || len(page.Sections[0].Figures) != 2 {
		t.Errorf("page %+v", page)
	}
	e.Scale = "long"
	if _, err := Recipe().Run(t.Context(), e); err == nil {
		t.Error("a scale that there is not is run")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e.Scale = report.Smoke
	if _, err := Recipe().Run(ctx, e); err == nil {
		t.Error("an interrupted run gives a result")
	}
}

// Each claim has its runs at the scales that test it.
func TestTasks(t *testing.T) {
	for _, scale := range []report.Scale{report.Short, report.Full} {
		count := map[float64]int{}
		for _, k := range tasks(scale, 1) {
			if k.momentum {
				count[k.load]++
			}
		}
		for i, load := range []float64{2, 3} {
			if want := claims()[i].Seeds.At(scale); count[load] != want {
				t.Errorf("%s: %d runs of load %v, the claim wants %d", scale, count[load], load, want)
			}
		}
	}
}
