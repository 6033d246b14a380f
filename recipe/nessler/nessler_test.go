package nessler

import (
	"math"
	"testing"

	"synfire/recipe"
	"synfire/report"
	"synfire/tensor"
)

// Weights that are right in another order are right, and one that is off is what is told.
func TestRead(t *testing.T) {
	l := &learned{}
	w := make([]tensor.Float, inputs*causes)
	order := []int{2, 0, 3, 1}
	for cause := range causes {
		p := make([]float64, inputs)
		for i := range p {
			p[i] = 0.1
			if (i+cause)%4 < 2 {
				p[i] = 0.9
			}
			w[i*causes+order[cause]] = tensor.Float(math.Log(p[i]) + 1)
		}
		l.causes = append(l.causes, p)
	}
	l.read(w)
	if l.furthest > 1e-6 {
		t.Errorf("a difference of %v, matched as %v", l.furthest, l.match)
	}
	l.causes[2][7] -= 0.07
	if l.read(w); math.Abs(l.furthest-0.07) > 1e-6 || l.match[2] != 3 {
		t.Errorf("a difference of %v, matched as %v", l.furthest, l.match)
	}
	if got := permutations(4); len(got) != 24 {
		t.Errorf("%d orders of four", len(got))
	}
}

// The recipe runs at short, and is described.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("five runs of 20,000 steps")
	}
	r := Recipe()
	o, err := r.Run(t.Context(), &recipe.Env{Scale: report.Short, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range r.Judge(report.Short, o) {
		if got.Verdict != report.Met {
			t.Errorf("%s is %s: %v of %v", got.ID, got.Verdict, got.Values, *got.Bound)
		}
	}
	if page := o.Page(report.Run{}); page.Lead == "" || len(page.Sections) != 1 || len(page.Sections[0].Figures) != 2 {
		t.Errorf("page %+v", page)
	}
	if _, err := r.Run(t.Context(), &recipe.Env{Scale: "long"}); err == nil {
		t.Error("a scale that there is not is run")
	}
}
