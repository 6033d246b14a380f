package command

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"synfire/docs"
	"synfire/recipe"
	"synfire/report"
	"synfire/view"
)

// The pages as a reader sees them, for a state of the recipes that does not
// change with them.
func TestPapersPages(t *testing.T) {
	papers, err := docs.Papers()
	if err != nil {
		t.Fatal(err)
	}
	bound := 3.7
	claims := []report.Claim{{ID: "short", Name: "MNIST test error", Unit: "%", Direction: report.AtMost, Statistic: report.Median, Bounds: report.Bounds{Short: &bound}}}
	recipes := []recipe.Recipe{
		{ID: "eqprop", Paper: "eqprop-2017", Title: "Equilibrium propagation on MNIST", Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 4, report.Full: 90}, Claims: claims},
		{ID: "spiking-eqprop", Paper: "spiking-eqprop-2019", Title: "Spiking equilibrium propagation", Claims: claims},
	}
	kept := func(id string) report.Run {
		return report.Run{Recipe: id, Run: id + "-short-s1", Scale: report.Short, Seed: 1, WallSeconds: 251, Claims: []report.Result{
			claims[0].Judge(report.Short, report.Measurement{Values: []float64{3.41}, N: 10_000}),
		}}
	}
	runs := []report.Run{kept("eqprop"), kept("spiking-eqprop")}
	for name, key := range map[string]string{"papers": "", "papers-one": "eqprop-2017"} {
		var out bytes.Buffer
		if err := (&papersCmd{Key: key}).print(&app{Screen: view.Screen{Out: &out, Width: 80}, out: &out, width: 80}, papers, recipes, runs); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.String())
		for _, line := range strings.Split(out.String(), "\n") {
			if utf8.RuneCountInString(line) > 80 && strings.Contains(line, " ") {
				t.Errorf("%s: more than 80 columns: %s", name, line)
			}
		}
	}
}

func TestPapersJSON(t *testing.T) {
	stdout, _, code := command("papers", "--json")
	var list []struct {
		Key, Title, Authors, Link, Status, Missing *string
		Year                                       *int
		Recipes                                    []string
		Untested                                   []struct{ What, Why string }
	}
	strict(t, stdout, &list)
	if code != 0 || len(list) != 17 {
		t.Fatalf("exit code %d, %d entries", code, len(list))
	}
	for _, p := range list {
		if p.Key == nil || p.Title == nil || p.Authors == nil || p.Link == nil || p.Recipes == nil || p.Missing == nil {
			t.Errorf("an entry lacks a field: %+v", p)
		} else if s := *p.Status; s != "works" && s != "partial" && s != "planned" || (s == "works") != (*p.Missing == "") {
			t.Errorf("%s: %s, missing %q", *p.Key, s, *p.Missing)
		}
	}
}
