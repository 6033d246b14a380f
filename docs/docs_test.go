package docs

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"synfire/recipe/all"
	"synfire/report"
)

// The figures that the documentation quotes are those of the kept results, and
// these still answer the recipes' claims.
func TestPages(t *testing.T) {
	runs, err := Results()
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) == 0 {
		t.Fatal("no results are kept")
	}
	for _, r := range runs {
		if err := Check(r, all.Recipes()); err != nil {
			t.Error(err)
		}
		if r.Dirty || len(r.Commit) != 40 {
			t.Errorf("kept result of %s, scale %s: commit %q, dirty %v; run it from a clean checkout", r.Recipe, r.Scale, r.Commit, r.Dirty)
		}
	}
	rows, err := Benchmarks()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Dirty || len(r.Commit) != 40 || r.CPU == "" {
			t.Errorf("kept measurement of %s, %s: commit %q, dirty %v, on %q; measure with a clean checkout", r.Workload, r.Phase, r.Commit, r.Dirty, r.CPU)
		}
	}
	svg, err := DensityFigure(rows)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := os.ReadFile("density.svg"); svg != nil && (err != nil || !bytes.Equal(kept, svg)) {
		t.Errorf("density.svg is out of date; run: go generate .")
	}
	pages, err := Pages("..", all.Recipes())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		if p.Is != p.Want {
			t.Errorf("%s is out of date; run: go generate .", p.Path)
		}
	}
}

func TestCheckSeesChanges(t *testing.T) {
	recipes := all.Recipes()
	good := func() report.Run {
		claim := recipes[0].Claims[0].Judge(report.Short, report.Measurement{Values: []float64{98}, N: 10000})
		return report.Run{Recipe: recipes[0].ID, Scale: report.Short, Claims: []report.Result{claim}}
	}
	if err := Check(good(), recipes); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(r *report.Run){
		"verdict": func(r *report.Run) { r.Claims[0].Verdict = report.NotMet },
		"value":   func(r *report.Run) { r.Claims[0].Values[0] = 90 },
		"bound":   func(r *report.Run) { *r.Claims[0].Bound -= 1 },
		"claims":  func(r *report.Run) { r.Claims = nil },
		"recipe":  func(r *report.Run) { r.Recipe = "none" },
	} {
		r := good()
		bound := *r.Claims[0].Bound
		r.Claims[0].Bound = &bound
		change(&r)
		if Check(r, recipes) == nil {
			t.Errorf("a changed %s goes unnoticed", what)
		}
	}
}

func TestFill(t *testing.T) {
	runs := []report.Run{{Recipe: "a", Scale: report.Short, Seed: 3, Threads: 2, CPU: "X", Kernel: "go", Commit: "0123456789"}}
	page := "before\n<!-- results: a -->\nold\n<!-- /results -->\nbetween\n<!-- results: b -->\n<!-- /results -->\nafter\n"
	got := Fill(page, runs)
	for _, want := range []string{"before\n<!-- results: a -->\n\nScale short, seed 3", "commit 0123456.", "between\n<!-- results: b -->\n\nNo result is kept yet.", "\nafter\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "old") || Fill(got, runs) != got {
		t.Errorf("filled again:\n%s", Fill(got, runs))
	}
}
