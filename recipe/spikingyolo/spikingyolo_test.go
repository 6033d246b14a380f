package spikingyolo_test

import (
	"fmt"
	"reflect"
	"strings"
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

// The recipe runs at the smoke scale: five conversions of one detector, a pooled one, and a page.
// Resumed, it finds the figures that were kept, which are the same.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains a detector")
	}
	r := spikingyolo.Recipe()
	pool := par.New(1)
	defer pool.Close()
	saw := &watched{seen: map[string]bool{}}
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Pool: pool, Out: t.TempDir(), Observer: saw, Now: time.Now}
	o, err := r.Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	// A line for each of six conversions and the long one, and their pictures one batch after another.
	if len(saw.notes) != 7 || !strings.Contains(saw.notes[0], "detector_s1, a scale each channel") || !saw.seen["test 8 of 12"] || !saw.seen["test 12 of 12"] {
		t.Errorf("told of %q and %v", saw.notes, saw.seen)
	}
	judged := r.Judge(report.Smoke, o)
	for _, c := range judged {
		if c.Verdict != report.NotTested {
			t.Errorf("claim %s is %s at the smoke scale", c.ID, c.Verdict)
		}
	}
	page := o.Page(report.Run{Claims: judged})
	if len(page.Sections) != 4 || len(page.Sections[1].Figures) != 1 || len(page.Sections[1].Figures[0].PNG) == 0 || len(page.Sections[2].Figures) != 2 {
		t.Errorf("%d sections", len(page.Sections))
	}
	html, err := page.HTML()
	if err != nil {
		t.Error(err)
	}
	e.Resume = true
	start := time.Now()
	again, err := r.Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("resumed in %v", time.Since(start))
	if !reflect.DeepEqual(again.Measured, o.Measured) || again.WeightsSHA256 != o.WeightsSHA256 {
		t.Errorf("resumed: %v, want %v", again.Measured, o.Measured)
	}
	if other, err := again.Page(report.Run{Claims: judged}).HTML(); err != nil || len(other) != len(html) {
		t.Errorf("a resumed run has another page: %v", err)
	}
}

// watched keeps what a run tells of itself.
type watched struct {
	train.None
	notes []string
	seen  map[string]bool
}

func (w *watched) Note(message string) { w.notes = append(w.notes, message) }

func (w *watched) Evaluating(split string, done, total int) {
	w.seen[fmt.Sprintf("%s %d of %d", split, done, total)] = true
}

func TestUnknownScale(t *testing.T) {
	if _, err := spikingyolo.Recipe().Run(t.Context(), &recipe.Env{Scale: "tiny"}); err == nil {
		t.Error("an unknown scale is accepted")
	}
}
