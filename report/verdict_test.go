package report_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/report"
)

func claim(d report.Direction, s report.Statistic, bound float64) report.Claim {
	return report.Claim{
		ID: "c", Name: "a claim", Unit: "%", Published: new(90.0), Source: "paper, table 1", Direction: d, Statistic: s,
		Bounds: report.Bounds{Short: &bound},
	}
}

func values(v ...float64) report.Measurement { return report.Measurement{Values: v} }

func arms(names string, v ...float64) report.Measurement {
	return report.Measurement{Values: v, Arms: strings.Fields(names)}
}

// A verdict is the project's word: each direction on both sides of its bound
// and on it, each statistic, and no measurement that is damaged passes.
func TestJudge(t *testing.T) {
	nan, inf, none := math.NaN(), math.Inf(1), math.NaN() // none: nothing measured
	unpublished := claim(report.Within, report.Median, 0.5)
	unpublished.Published = nil
	many := claim(report.AtLeast, report.Median, 90)
	many.N = report.Samples{Short: 10_000}
	three := claim(report.AtLeast, report.Median, 90)
	three.Seeds = report.Seeds{Short: 3}
	order := claim(report.Order, report.Median, 0)
	order.Seeds = report.Seeds{Short: 3}
	for _, c := range []struct {
		name     string
		claim    report.Claim
		m        report.Measurement
		measured float64
		verdict  report.Verdict
		why      string
	}{
		{"at least, above", claim(report.AtLeast, report.Median, 90), values(90.5), 90.5, report.Met, ""},
		{"at least, on it", claim(report.AtLeast, report.Median, 90), values(90), 90, report.Met, ""},
		{"at least, below", claim(report.AtLeast, report.Median, 90), values(89.5), 89.5, report.NotMet, "89.50 % is below 90 %"},
		{"at least, a hair below", claim(report.AtLeast, report.Median, 90), values(89.9999), 89.9999, report.NotMet, "89.9999 % is below 90 %"},
		{"at most, below", claim(report.AtMost, report.Median, 90), values(89), 89, report.Met, ""},
		{"at most, on it", claim(report.AtMost, report.Median, 90), values(90), 90, report.Met, ""},
		{"at most, above", claim(report.AtMost, report.Median, 90), values(91), 91, report.NotMet, "91.00 % is above 90 %"},
		{"within, above", claim(report.Within, report.Median, 0.5), values(90.5), 90.5, report.Met, ""},
		{"within, below", claim(report.Within, report.Median, 0.5), values(89.5), 89.5, report.Met, ""},
		{"within, too high", claim(report.Within, report.Median, 0.5), values(91), 91, report.NotMet, "91.00 % is more than 0.5 % from 90 %"},
		{"within, too low", claim(report.Within, report.Median, 0.5), values(89), 89, report.NotMet, "89.00 % is more than 0.5 % from 90 %"},
		{"within nothing", unpublished, values(90), 90, report.NotTested, "there is no published figure to compare with"},
		{"order", claim(report.Order, report.Median, 0), arms("a b c", 3, 2.5, 1), 0.5, report.Met, ""},
		{"order, tie", claim(report.Order, report.Median, 0), arms("a b c", 3, 3, 1), 0, report.NotMet, "a − b is 0 %, not above 0 %"},
		{"order, wrong", claim(report.Order, report.Median, 0), arms("a b c", 3, 1, 2), -1, report.NotMet, "b − c is -1.00 %, not above 0 %"},
		{"order, gap too small", claim(report.Order, report.Median, 1), arms("a b c", 3, 1, 0.5), 0.5, report.NotMet, "b − c is 0.50 %, not above 1 %"},
		{"order of one", claim(report.Order, report.Median, 0), arms("a", 3), none, report.NotMet, "an order needs two or more arms with a value each, found 1 arms and 1 values"},
		{"order, arm missing", claim(report.Order, report.Median, 0), arms("a b", 3, 2, 1), none, report.NotMet, "an order needs two or more arms with a value each, found 2 arms and 3 values"},

		{"median, odd", claim(report.AtLeast, report.Median, 0), values(9, 1, 4), 4, report.Met, ""},
		{"median, even", claim(report.AtLeast, report.Median, 0), values(9, 1, 4, 6), 5, report.Met, ""},
		{"mean", claim(report.AtLeast, report.Mean, 0), values(1, 2, 6), 3, report.Met, ""},
		{"mean of equals", claim(report.AtLeast, report.Mean, 0.1), values(slices.Repeat([]float64{0.1}, 10)...), 0.1, report.Met, ""},
		{"min", claim(report.AtLeast, report.Min, 0), values(2, 1, 6), 1, report.Met, ""},
		{"max", claim(report.AtLeast, report.Max, 0), values(2, 6, 1), 6, report.Met, ""},
		{"fraction", claim(report.AtLeast, report.Fraction, 0.75), values(1, 0, 1, 1), 0.75, report.Met, ""},
		{"fraction of shares", claim(report.AtLeast, report.Fraction, 0), values(1, 0.5), none, report.NotMet, "fraction: value 2 is 0.5, want 0 or 1"},

		{"no number", claim(report.AtLeast, report.Max, 0), values(1, nan, 3), none, report.NotMet, "value 2 of 3 is NaN, not a finite number"},
		{"infinite", claim(report.AtLeast, report.Median, 0), values(inf), none, report.NotMet, "value 1 of 1 is +Inf, not a finite number"},
		{"infinite arm", claim(report.Order, report.Median, 0), arms("a b", inf, 0), none, report.NotMet, "value 1 of 2 is +Inf, not a finite number"},
		{"overflow", claim(report.AtLeast, report.Mean, 0), values(math.MaxFloat64, -math.MaxFloat64), none, report.NotMet, "the values overflow to -Inf"},
		{"bound is no number", claim(report.AtLeast, report.Median, nan), values(1), 1, report.NotMet, "1.00 % is below NaN %"},
		{"unknown direction", claim("above", report.Median, 0), values(1), 1, report.NotMet, `unknown direction "above", want at_least, at_most, within or order`},
		{"unknown statistic", claim(report.AtLeast, "mode", 0), values(1), none, report.NotMet, `unknown statistic "mode", want median, mean, min, max or fraction`},

		{"nothing measured", claim(report.AtLeast, report.Median, 0), report.Measurement{}, none, report.NotTested, "nothing was measured"},
		{"nothing, with a reason", claim(report.AtLeast, report.Median, 0), report.Measurement{Why: "no camera"}, none, report.NotTested, "no camera"},
		{"samples missing", many, report.Measurement{Values: []float64{99}, N: 500}, 99, report.NotTested, "measured on 500 of 10000 samples"},
		{"all samples", many, report.Measurement{Values: []float64{99}, N: 10_000}, 99, report.Met, ""},
		{"seeds missing", three, values(99), 99, report.NotTested, "1 of 3 seeds ran"},
		{"all seeds", three, values(99, 89, 91), 91, report.Met, ""},
		{"one value of all seeds", three, report.Measurement{Values: []float64{91}, Seeds: 3}, 91, report.Met, ""},
		{"order, seeds missing", order, arms("a b c", 3, 2, 1), 1, report.NotTested, "1 of 3 seeds ran"},
		{"damaged and too few", three, values(nan), none, report.NotTested, "1 of 3 seeds ran"},
	} {
		r := c.claim.Judge(report.Short, c.m)
		if r.Verdict != c.verdict || r.Why != c.why {
			t.Errorf("%s: %s, %q; want %s, %q", c.name, r.Verdict, r.Why, c.verdict, c.why)
		}
		if (r.Measured == nil) != math.IsNaN(c.measured) || (r.Measured != nil && *r.Measured != c.measured) {
			t.Errorf("%s: measured %v, want %v", c.name, deref(r.Measured), c.measured)
		}
	}
}

func deref(v *float64) any {
	if v == nil {
		return "nothing"
	}
	return *v
}

// A scale without a bound tests nothing, but what was measured is kept; the
// other scales' bounds and seeds do not stand in for it.
func TestJudgeByScale(t *testing.T) {
	c := claim(report.AtLeast, report.Median, 90)
	c.Bounds.Full = new(95.0)
	c.Seeds = report.Seeds{Full: 2}
	for _, k := range []struct {
		scale   report.Scale
		m       report.Measurement
		bound   any
		verdict report.Verdict
		why     string
	}{
		{report.Smoke, values(92), "nothing", report.NotTested, "no bound at the smoke scale"},
		{report.Smoke, report.Measurement{Values: []float64{92}, Why: "on the sample"}, "nothing", report.NotTested, "on the sample"},
		{report.Short, values(92), 90.0, report.Met, ""},
		{report.Full, values(92), 95.0, report.NotTested, "1 of 2 seeds ran"},
		{report.Full, values(92, 93), 95.0, report.NotMet, "92.50 % is below 95 %"},
		{"huge", values(92), "nothing", report.NotTested, "no bound at the huge scale"},
	} {
		r := c.Judge(k.scale, k.m)
		if deref(r.Bound) != k.bound || r.Verdict != k.verdict || r.Why != k.why || r.Measured == nil {
			t.Errorf("%s: bound %v, measured %v, %s, %q; want bound %v, %s, %q", k.scale, deref(r.Bound), deref(r.Measured), r.Verdict, r.Why, k.bound, k.verdict, k.why)
		}
	}
}

// A result has a memory of its own: a recipe may go on using its slices.
func TestJudgeCopies(t *testing.T) {
	m := arms("a b", 3, 2)
	r := claim(report.Order, report.Median, 0).Judge(report.Short, m)
	m.Values[0], m.Arms[0] = 0, "z"
	if r.Values[0] != 3 || r.Arms[0] != "a" || r.Seeds != 1 {
		t.Errorf("%+v", r)
	}
}

// Mistakes in a claim are found when recipes are tested, not after hours of
// training.
func TestValidate(t *testing.T) {
	for _, c := range []struct {
		want   string // empty: valid
		change func(*report.Claim)
	}{
		{"", func(c *report.Claim) {}},
		{"", func(c *report.Claim) { c.Published, c.Bounds = nil, report.Bounds{} }},
		{"", func(c *report.Claim) { c.Statistic, c.Bounds.Full = report.Fraction, new(1.0) }},
		{"", func(c *report.Claim) {
			c.Direction, c.Statistic, c.Bounds.Full = report.Order, report.Fraction, new(-2.0)
		}},
		{"must both be set", func(c *report.Claim) { c.ID = "" }},
		{"must both be set", func(c *report.Claim) { c.Name = "" }},
		{`unknown direction "", want`, func(c *report.Claim) { c.Direction = "" }},
		{`unknown statistic "average", want`, func(c *report.Claim) { c.Statistic = "average" }},
		{"published figure is NaN", func(c *report.Claim) { c.Published = new(math.NaN()) }},
		{"there is none", func(c *report.Claim) { c.Direction, c.Published = report.Within, nil }},
		{"full bound: must be finite", func(c *report.Claim) { c.Bounds.Full = new(math.Inf(1)) }},
		{"smoke bound: -1 is negative", func(c *report.Claim) { c.Direction, c.Bounds.Smoke = report.Within, new(-1.0) }},
		{"full bound: 90 lies outside [0, 1]", func(c *report.Claim) { c.Statistic, c.Bounds.Full = report.Fraction, new(90.0) }},
	} {
		k := claim(report.AtLeast, report.Median, 0.5)
		c.change(&k)
		err := k.Validate()
		if (err == nil) != (c.want == "") || (err != nil && (!strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "claim "))) {
			t.Errorf("%+v: %v, want %q", k, err, c.want)
		}
	}
}
