package joint

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/recipe"
	"synfire/report"
	rule "synfire/rule/joint"
	"synfire/snntest"
	"synfire/train"
)

// What the study claims first.
func Example() {
	c := Recipe().Claims[0]
	fmt.Println(c.ID, c.Direction, *c.Bounds.At(report.Short), "of", c.Seeds.Short, "seeds")
	// Output: joint at_least 0 of 5 seeds
}

// The recipe runs at the smoke scale: each arm learns, is kept and shown.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains networks, which takes long without assembly")
	}
	dir := t.TempDir()
	r := Recipe()
	o, err := r.Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: dir, Observer: train.None{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range arms {
		key := strings.ReplaceAll(name(a, primary), "-", "_") + "_s1_"
		if v, ok := o.Metrics[key+"accuracy"]; !ok || v < 10 && a != scratch {
			t.Errorf("%s: accuracy %v, %v", a, v, ok)
		}
		if v := o.Metrics[key+"spikes"]; !(v > 0) {
			t.Errorf("%s: %v spikes an image", a, v)
		}
	}
	for _, res := range r.Judge(report.Smoke, o) {
		if res.Verdict != report.NotTested {
			t.Errorf("%s is %s at the smoke scale", res.ID, res.Verdict)
		}
	}
	if m := o.Measured[jointClaim]; len(m.Values) != 1 || math.Abs(m.Values[0]-(o.Metrics["joint_gain"]-o.Metrics["joint_gain_half_interval"])) > 1e-9 {
		t.Errorf("the claim is judged by %+v", m)
	}
	page := o.Page(report.Run{Claims: r.Judge(report.Smoke, o)})
	if html, err := page.HTML(); err != nil || len(html) > 900_000 || !strings.Contains(string(html), "Does it pay?") {
		t.Errorf("page of %d bytes, %v", len(html), err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*", "config.yaml")); len(files) < 15 {
		t.Errorf("%d runs are kept", len(files))
	}
}

// The arms have equal updates and grids of equal size, and differ in what they say.
func TestArms(t *testing.T) {
	for scale, z := range sizes {
		if a, b := z.grid(sequential), z.grid(joint); len(a) != len(b) || len(a) < 2 {
			t.Errorf("%s: grids of %d and %d", scale, len(a), len(b))
		}
		for _, share := range sequential.shares() {
			if first := share * float64(z.epochs); first != math.Trunc(first) {
				t.Errorf("%s: a first phase of %v epochs", scale, first)
			}
		}
		for _, a := range arms {
			if err := z.ruleOf(a, choice{1e-3, 0.5, 0.7}).Validate(); err != nil {
				t.Errorf("%s: %v", a, err)
			}
		}
	}
	z := sizes[report.Short]
	c := choice{1e-3, 0.5, 0.7}
	if r := z.ruleOf(joint, c); !(r.Warmup > 0 && r.SpikingFrom == 0.7 && r.Distill > 0 && r.Match > 0) {
		t.Errorf("joint is %+v", r)
	}
	if r := z.ruleOf(plain, c); r.Distill != 0 || r.Match != 0 || r.SpikingFrom != 0.7 {
		t.Errorf("joint-plain is %+v", r)
	}
	if r := z.ruleOf(sequential, c); r.Warmup != 0 || r.SpikingFrom != 0 || !r.Balance || r.Backward != rule.STDB {
		t.Errorf("the second phase is %+v", r)
	}
	if r := z.ruleOf(scratch, c); r.Balance || r.SpikingFrom != 0 {
		t.Errorf("scratch is %+v", r)
	}
}

// Hand figures of Student's interval, and what is said of it.
func TestVerdict(t *testing.T) {
	mean, half := interval([]float64{1, 2, 3, 4, 5})
	if mean != 3 || math.Abs(half-2.776*math.Sqrt(2.5/5)) > 1e-9 {
		t.Errorf("%v ± %v", mean, half)
	}
	s := &study{Study: &recipe.Study{Metrics: report.Metrics{}}, found: map[arm]map[int][]figures{
		joint: {primary: {{seconds: 3}}}, sequential: {primary: {{seconds: 2}}},
	}}
	for want, d := range map[string][2]float64{"Joint training pays": {1, 0.5}, "does not pay": {-1, 0.5}, "It is open": {1, 2}} {
		if got := s.verdict(d[0], d[1], 5); !strings.Contains(got, want) || !strings.Contains(got, "1.5 times") {
			t.Errorf("%v: %s", d, got)
		}
	}
}
