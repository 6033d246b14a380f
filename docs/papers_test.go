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
		if len(p.Recipes) == 0 && p.Needs == "" {
			t.Errorf("%s: neither recipes nor what it needs", p.Key)
		}
		for _, u := range p.Untested {
			if u.What == "" || u.Why == "" {
				t.Errorf("%s: untested %+v, want what and why", p.Key, u)
			}
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

// A paper works only when each claim is met by a kept result of the scale that decides:
// full, or short where full has no bound.
func TestStatus(t *testing.T) {
	p := Paper{Key: "p", Title: "T", Recipes: []string{"a", "b"}}
	claim := func(id string, bounds report.Bounds) report.Claim {
		return report.Claim{ID: id, Name: "accuracy", Direction: report.AtLeast, Statistic: report.Median, Bounds: bounds, N: report.Samples{Full: 10}}
	}
	two := 2.0
	a := recipe.Recipe{ID: "a", Paper: "p", Claims: []report.Claim{claim("quick", report.Bounds{Short: &two}), claim("whole", report.Bounds{Short: &two, Full: &two})}}
	b := recipe.Recipe{ID: "b", Paper: "p", Claims: []report.Claim{claim("whole", report.Bounds{Full: &two})}}
	run := func(r recipe.Recipe, scale report.Scale, v float64) report.Run {
		m := report.Measurement{Values: []float64{v}, N: 10}
		o := &recipe.Outcome{Measured: map[string]report.Measurement{"whole": m}}
		if scale == report.Short {
			o.Measured["quick"] = m
		}
		return report.Run{Recipe: r.ID, Scale: scale, Claims: r.Judge(scale, o)}
	}
	both, works := []recipe.Recipe{a, b}, []report.Run{run(a, report.Short, 3), run(a, report.Full, 3), run(b, report.Full, 3)}
	restated := b
	restated.Claims = []report.Claim{b.Claims[0]}
	restated.Claims[0].Name = "accuracy, said otherwise"
	longer := b
	longer.Claims = []report.Claim{b.Claims[0], claim("more", b.Claims[0].Bounds)}
	few := run(b, report.Full, 3)
	few.Claims[0] = b.Claims[0].Judge(report.Full, report.Measurement{Values: []float64{3}, N: 9})
	for _, c := range []struct {
		what    string
		recipes []recipe.Recipe
		runs    []report.Run
		status  Status
		missing string
	}{
		{"no recipe", nil, nil, Planned, "recipe a; recipe b"},
		{"one of two", both[:1], works, Partial, "recipe b"},
		{"nothing kept", both, works[:2], Partial, "a kept result of b at scale full that tests its claims"},
		{"short does not stand for full", both, []report.Run{works[0], works[2]}, Partial, "a kept result of a at scale full that tests its claims"},
		{"full does not stand for short", both, works[1:], Partial, "a kept result of a at scale short that tests its claims"},
		{"smoke does not count", both, append(works[:2:2], run(b, report.Smoke, 3)), Partial, "a kept result of b at scale full that tests its claims"},
		{"too few samples", both, append(works[:2:2], few), Partial, "a kept result of b at scale full that tests its claims"},
		{"another statement", []recipe.Recipe{a, restated}, works, Partial, "a kept result of b at scale full that tests its claims"},
		{"a claim that the run did not test", []recipe.Recipe{a, longer}, append(works[:2:2], run(longer, report.Full, 3)), Partial, "a kept result of b at scale full that tests [more]"},
		{"falls short", both, append(works[:2:2], run(b, report.Full, 1)), Partial, "b [whole] at scale full is not met: 1 is below 2"},
		{"falls short at short alone", both, append(works[1:3:3], run(a, report.Short, 1)), Partial, "a [quick] at scale short is not met: 1 is below 2; a [whole] at scale short is not met: 1 is below 2"},
		{"a former statement falls short", []recipe.Recipe{a, restated}, append(works[:2:2], run(restated, report.Full, 3), run(b, report.Full, 1)), Partial, "b [whole] at scale full is not met: 1 is below 2"},
		{"works", both, works, Works, ""},
	} {
		if l := p.Listing(c.recipes, c.runs); l.Status != c.status || l.Missing != c.missing {
			t.Errorf("%s: %s, missing %q", c.what, l.Status, l.Missing)
		}
	}
	p.Needs, p.Untested = "a rule", []Untested{{"a figure", "no camera"}}
	if l := p.Listing(both, works); l.Status != Partial || l.Missing != "a rule" || len(l.Untested) != 1 {
		t.Errorf("a paper that needs something: %+v", l)
	}
	p.Recipes = nil
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
	p.Untested = []Untested{{"A figure", "no camera"}}
	if got := FillPaper(page, p, nil, nil); !strings.Contains(got, "*How it works.* M.\n\nWhat can't be tested here:\n\n- A figure: no camera\n") {
		t.Errorf("untested:\n%s", got)
	}
	p.Title, p.Untested = "Another", nil
	again := FillPaper(page, p, nil, nil)
	if again != strings.Replace(page, "A title", "Another", 1) || FillPaper(again, p, nil, nil) != again {
		t.Errorf("filled again:\n%s", again)
	}
}
