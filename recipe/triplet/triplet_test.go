package triplet

import (
	"math"
	"testing"

	"synfire/recipe"
	"synfire/report"
	"synfire/rule/stdp"
)

// The changes are those of sums of exponentials, worked out pair by pair.
func TestChange(t *testing.T) {
	r := stdp.VisualCortex()
	for _, f := range []float64{0.1, 10, 40, 50} {
		period := 1000 / f
		want := 0.0
		for k := range pairings {
			r1, o1, r2, o2 := 0.0, 0.0, 0.0, 0.0 // as k's spikes find them
			for m := range k + 1 {
				age := float64(k-m) * period
				r1 += math.Exp(-(age + lead) / r.TauPlus)
				if m < k {
					o2 += math.Exp(-age / r.TauY)
					r2 += math.Exp(-age / r.TauX)
					o1 += math.Exp(-(age - lead) / r.TauMinus)
				}
			}
			want += r1*(r.Plus2+r.Plus3*o2) - o1*(r.Minus2+r.Minus3*r2)
		}
		for _, dt := range []float64{1, 0.5} {
			if dt < 1 && f < 1 {
				continue // ten minutes, which take a while
			}
			got, err := Change(t.Context(), r, lead, f, dt)
			if err != nil || math.Abs(got-want) > 1e-5*max(1e-3, math.Abs(want)) {
				t.Errorf("at %v Hz on steps of %v ms: %v (%v), want %v", f, dt, got, err, want)
			}
		}
	}
}

// The recipe runs at short, and its claims are met: nothing in it is by chance.
func TestRun(t *testing.T) {
	r := Recipe()
	o, err := r.Run(t.Context(), &recipe.Env{Scale: report.Short, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range r.Judge(report.Short, o) {
		if got.Verdict != report.Met {
			t.Errorf("%s is %s: %v, bound %v", got.ID, got.Verdict, *got.Measured, *got.Bound)
		}
	}
	if page := o.Page(report.Run{}); page.Lead == "" || len(page.Sections) != 1 {
		t.Errorf("page %+v", page)
	}
	if _, err := r.Run(t.Context(), &recipe.Env{Scale: "long"}); err == nil {
		t.Error("a scale that there is not is run")
	}
}
