package spikingyolo_test

import (
	"testing"
	"time"

	"synfire/catalog"
	"synfire/internal/par"
	"synfire/recipe"
	"synfire/recipe/spikingyolo"
	"synfire/report"
	"synfire/snntest"
	"synfire/train"
)

// The recipe runs at the smoke scale: five conversions of one detector, and a page of them.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains a detector")
	}
	r := spikingyolo.Recipe()
	pool := par.New(1)
	defer pool.Close()
	o, err := r.Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Pool: pool, Out: t.TempDir(), Observer: train.None{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	judged := r.Judge(report.Smoke, o)
	for _, c := range judged {
		if c.Verdict != report.NotTested {
			t.Errorf("claim %s is %s at the smoke scale", c.ID, c.Verdict)
		}
	}
	page := o.Page(report.Run{Claims: judged})
	if len(page.Sections) != 4 || len(page.Sections[1].Figures) != 1 || len(page.Sections[1].Figures[0].PNG) == 0 {
		t.Errorf("%d sections", len(page.Sections))
	}
	if _, err := page.HTML(); err != nil {
		t.Error(err)
	}
}

func TestUnknownScale(t *testing.T) {
	if _, err := spikingyolo.Recipe().Run(t.Context(), &recipe.Env{Scale: "tiny"}); err == nil {
		t.Error("an unknown scale is accepted")
	}
}
