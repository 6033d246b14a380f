package docs

import (
	"strings"
	"testing"

	"synfire/recipe"
	"synfire/recipe/all"
	"synfire/report"
)

// Every entry of the reading list is whole, and each is named once.
func TestPapers(t *testing.T) {
	papers, err := Papers()
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for _, p := range papers {
		if keys[p.Key] {
			t.Errorf("%s stands twice", p.Key)
		}
		keys[p.Key] = true
		if idea := strings.HasPrefix(p.Key, "idea-"); !idea && !strings.HasPrefix(p.Link, "https://") || idea != (p.Link == "") {
			t.Errorf("%s: link %q", p.Key, p.Link)
		}
		if (len(p.Recipes) == 0) != (p.Needs != "") {
			t.Errorf("%s: recipes %v and needs %q, want one of them", p.Key, p.Recipes, p.Needs)
		}
	}
	if len(papers) != 17 || !keys["survey-2018"] || !keys["idea-joint-ann-snn"] {
		t.Errorf("%d entries: %v", len(papers), keys)
	}
	for _, r := range all.Recipes() {
		if r.Paper != "" && !keys[r.Paper] {
			t.Errorf("recipe %s reproduces %s, which is not on the list", r.ID, r.Paper)
		}
	}
}

// A paper works only when every recipe has a kept result and no tested claim
// falls short.
func TestStatus(t *testing.T) {
	p := Paper{Key: "p", Title: "T", Recipes: []string{"a", "b"}}
	one := []recipe.Recipe{{ID: "a", Paper: "p"}}
	both := append(one, recipe.Recipe{ID: "b", Paper: "p"})
	run := func(id string, scale report.Scale, v ...report.Verdict) report.Run {
		r := report.Run{Recipe: id, Scale: scale}
		for _, v := range v {
			r.Claims = append(r.Claims, report.Result{Name: "accuracy", Verdict: v, Why: "1 is below 2"})
		}
		return r
	}
	good := run("a", report.Short, report.Met, report.NotTested)
	for _, c := range []struct {
		what    string
		recipes []recipe.Recipe
		runs    []report.Run
		status  Status
		missing string
	}{
		{"no recipe", nil, nil, Planned, "recipe a; recipe b"},
		{"one of two", one, []report.Run{good}, Partial, "recipe b"},
		{"nothing kept", both, []report.Run{good}, Partial, "a kept result of b"},
		{"smoke does not count", both, []report.Run{good, run("b", report.Smoke, report.Met)}, Partial, "a kept result of b"},
		{"nothing tested", both, []report.Run{good, run("b", report.Full, report.NotTested)}, Partial, "a tested claim of b"},
		{"falls short", both, []report.Run{good, run("b", report.Short, report.Met), run("b", report.Full, report.NotMet)}, Partial, "b at scale full: accuracy (1 is below 2)"},
		{"works", both, []report.Run{good, run("b", report.Full, report.Met)}, Works, ""},
	} {
		if l := p.Listing(c.recipes, c.runs); l.Status != c.status || l.Missing != c.missing {
			t.Errorf("%s: %s, missing %q", c.what, l.Status, l.Missing)
		}
	}
	p.Recipes, p.Needs = nil, "a rule"
	if l := p.Listing(nil, nil); l.Status != Planned || l.Missing != "a rule" || l.Recipes == nil {
		t.Errorf("%+v", l)
	}
}

// The head is put behind the heading once, and replaced from then on.
func TestFillPaper(t *testing.T) {
	p := Paper{Key: "p", Title: "A title", Authors: "Some, Body", Claim: "C.", Method: "M.", Needs: "a rule"}
	page := FillPaper("# Own heading\n\nText.\n", p, nil, nil)
	if !strings.HasPrefix(page, "# Own heading\n\n<!-- paper: p -->\n\nA title. Some, Body. Status: **planned**, missing: a rule.\n") || !strings.HasSuffix(page, "<!-- /paper -->\n\nText.\n") {
		t.Errorf("filled:\n%s", page)
	}
	p.Title = "Another"
	again := FillPaper(page, p, nil, nil)
	if again != strings.Replace(page, "A title", "Another", 1) || FillPaper(again, p, nil, nil) != again {
		t.Errorf("filled again:\n%s", again)
	}
}
