package recipe_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/recipe"
	"synfire/report"
)

func sample() recipe.Recipe {
	return recipe.Recipe{
		ID: "sample", Paper: "stbp-2019", Title: "A sample",
		Minutes: map[report.Scale]float64{report.Full: 30, report.Short: 2},
		Claims: []report.Claim{
			{ID: "accuracy", Name: "test accuracy", Unit: "%", Published: new(98.0), Source: "paper, table 1",
				Direction: report.AtLeast, Statistic: report.Median, Bounds: report.Bounds{Short: new(95.0), Full: new(97.5)}, Seeds: report.Seeds{Short: 1, Full: 3}},
			{ID: "rate", Name: "spikes per neuron", Source: "reported", Direction: report.AtMost, Statistic: report.Mean, Bounds: report.Bounds{Short: new(0.2)}, Seeds: report.Seeds{Short: 1, Full: 1}},
		},
	}
}

// Each claim is judged by its own measurement, in the recipe's order; one that
// the run left out is not tested, and one that no claim asks for is ignored.
func TestJudge(t *testing.T) {
	o := &recipe.Outcome{Measured: map[string]report.Measurement{
		"rate": {Values: []float64{0.3}}, "speed": {Values: []float64{1}},
	}}
	got := sample().Judge(report.Short, o)
	if len(got) != 2 || got[0].ID != "accuracy" || got[0].Verdict != report.NotTested || got[0].Why != "nothing was measured" ||
		got[1].ID != "rate" || got[1].Verdict != report.NotMet || *got[1].Bound != 0.2 {
		t.Errorf("%+v", got)
	}
	o.Measured["accuracy"] = report.Measurement{Values: []float64{96}}
	if got := sample().Judge(report.Short, o)[0]; got.Verdict != report.Met {
		t.Errorf("%+v", got)
	}
	if got := sample().Judge(report.Full, o)[0]; got.Verdict != report.NotTested || got.Why != "1 of 3 seeds ran" {
		t.Errorf("%+v", got)
	}
}

// The row of `synfire recipes --json`, to the letter: scales from the smallest,
// those that the recipe does not have left out.
func TestListing(t *testing.T) {
	want := `{"id":"sample","paper":"stbp-2019","title":"A sample","scales":[{"name":"short","minutes":2},{"name":"full","minutes":30}],"claims":[` +
		`{"id":"accuracy","name":"test accuracy","unit":"%","published":98,"source":"paper, table 1","direction":"at_least",` +
		`"bounds":{"smoke":null,"short":95,"full":97.5},"seeds":{"short":1,"full":3},"statistic":"median"},` +
		`{"id":"rate","name":"spikes per neuron","unit":"","published":null,"source":"reported","direction":"at_most",` +
		`"bounds":{"smoke":null,"short":0.2,"full":null},"seeds":{"short":1,"full":1},"statistic":"mean"}]}`
	if got, err := json.Marshal(sample().Listing()); err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}

// A run of some parts tests their claims alone.
func TestParts(t *testing.T) {
	r := sample()
	if _, err := r.Choose([]string{"fast"}); err == nil || !strings.Contains(err.Error(), "has no parts") {
		t.Errorf("%v", err)
	}
	r.Parts = []recipe.Part{{Name: "right", Claims: []string{"accuracy"}}, {Name: "fast", Claims: []string{"rate"}}}
	for _, c := range []struct{ names, want []string }{{nil, nil}, {[]string{"fast", "right", "fast"}, []string{"right", "fast"}}, {[]string{"fast"}, []string{"fast"}}} {
		if got, err := r.Choose(c.names); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, %v", c.names, got, err)
		}
	}
	if _, err := r.Choose([]string{"fats"}); err == nil || !strings.Contains(err.Error(), `no part "fats"; it has right, fast`) {
		t.Errorf("%v", err)
	}
	o := &recipe.Outcome{Measured: map[string]report.Measurement{"rate": {Values: []float64{0.1}}, "accuracy": {Why: "not at this scale"}}}
	got := r.Judge(report.Short, o, "fast")
	if got[0].Verdict != report.NotTested || got[0].Why != "part right was not run" || got[1].Verdict != report.Met {
		t.Errorf("%+v", got)
	}
	r.Parts[0].Claims = append(r.Parts[0].Claims, "rate")
	if got := r.Judge(report.Short, o, "fast"); got[1].Verdict != report.NotTested {
		t.Errorf("a claim of two parts is judged by one: %+v", got[1])
	}
	if all := r.Judge(report.Short, o); all[0].Why != "not at this scale" {
		t.Errorf("%+v", all[0])
	}
	e := recipe.Env{Parts: []string{"fast"}}
	if e.Wants("right") || !e.Wants("fast") || !(&recipe.Env{}).Wants("right") {
		t.Error("wants what nobody asked for")
	}
	if l := r.Listing(); !slices.Equal(l.Parts, []string{"right", "fast"}) {
		t.Errorf("%v", l.Parts)
	}
}

// A claim that was left, as one whose figure is not defined with a seed, keeps its reason whatever other
// seeds measure.
func TestLeftClaim(t *testing.T) {
	s := &recipe.ConversionStudy{Study: recipe.NewStudy(&recipe.Env{}, nil, nil)}
	for _, v := range []float64{0.1, math.NaN(), 0.3} {
		s.Claim("rate", v, 1)
	}
	o, err := s.Outcome(nil)
	if m := o.Measured["rate"]; err != nil || len(m.Values) != 0 || !strings.Contains(m.Why, "NaN") {
		t.Errorf("%+v, %v", m, err)
	}
}

// Steps of parts that nobody asked for are left out, those of several are taken; an error ends the rest.
func TestDo(t *testing.T) {
	var done []string
	step := func(part string, err error) recipe.Step {
		return recipe.Step{Part: part, Run: func(context.Context) error { done = append(done, part); return err }}
	}
	failed := errors.New("failed")
	e := recipe.Env{Parts: []string{"a", "c", "d"}}
	if err := e.Do(t.Context(), step("a", nil), step("b", nil), step("", nil), step("c", failed), step("d", nil)); err != failed || !slices.Equal(done, []string{"a", "", "c"}) {
		t.Errorf("%v: %v", done, err)
	}
	e.Parts = []string{"d"}
	if err := e.Do(t.Context(), step("a", nil), step("b", nil)); err == nil || !strings.Contains(err.Error(), "has nothing of part d; it has a, b") {
		t.Errorf("%v", err)
	}
}
