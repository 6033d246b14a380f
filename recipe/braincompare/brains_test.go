package braincompare

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/compare/evaluation"
	"synfire/data"
	"synfire/data/mnist"
	"synfire/internal/shared"
	"synfire/model"
	"synfire/recipe"
	"synfire/report"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/tensor"
)

// Human IT as it was computed beforehand by another program: the ceilings, the order, and
// animacy by both correlations.
func TestBrains(t *testing.T) {
	b, err := loadBrains(t.Context(), data.Options{DataDir: filepath.Dir(shared.File(t, "data/brain-92images.zip"))})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.rank(report.Smoke, 1, nil); err != nil {
		t.Fatal(err)
	}
	for id, m := range b.measured("", "none") {
		if id == learnedClaim || id == controlClaim {
			if len(m.Values) != 0 || m.Why != "none" {
				t.Errorf("%s without networks: %+v", id, m)
			}
			continue
		}
		if len(m.Values) != 1 || m.Values[0] > brainBound {
			t.Errorf("%s: %+v", id, m)
		}
	}
	for name, v := range map[string][2]float64{
		"animacy": {b.mean("animacy"), 0.386}, "tau a": {b.tau.Mean(0), 0.223}, "its ceiling": {b.tau.Lower, 0.254},
	} {
		if math.Abs(v[0]-v[1]) > brainBound {
			t.Errorf("%s is %v, want %v", name, v[0], v[1])
		}
	}
	sections, err := b.sections("", "")
	if err != nil || len(sections) != 2 || len(sections[0].Figures) != 1 || len(sections[0].Tables[1].Rows) != 3 {
		t.Errorf("%d sections, %v", len(sections), err)
	}
}

// Gains are by seed, of the kind that gains less.
func TestGains(t *testing.T) {
	b := &brains{}
	for i := range ofAKind {
		v := float64(i)
		for kind, score := range map[string]float64{
			"ReLU, photos": 0.1 + v, "ReLU, photos, untrained": v,
			"spiking, photos": 0.2 + v, "spiking, photos, untrained": 0.15 + 0.98*v,
			silhouettes: 0.05 + v, colourPixels: 0.02*v + v,
		} {
			b.networks = append(b.networks, seenBy{kind: kind, score: score})
		}
	}
	all := b.measured("", "")
	near := func(got []float64, want ...float64) bool {
		return slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
	}
	if got := all[learnedClaim].Values; !near(got, 0.05, 0.07, 0.09, 0.11, 0.13) {
		t.Errorf("trained less untrained: %v", got)
	}
	if got := all[controlClaim].Values; !near(got, 0.05, 0.05, 0.05, 0.04, 0.02) {
		t.Errorf("trained less controls: %v", got)
	}
}

// Without the data nothing fails, and the claims say why they are not tested.
func TestNoBrains(t *testing.T) {
	e := &recipe.Env{Scale: report.Short, Seed: 1, Data: data.Options{CacheDir: t.TempDir(), Proxies: "off"}}
	b, why, err := withBrains(t.Context(), e)
	if err != nil || b != nil || !strings.Contains(why, "brain-92images") {
		t.Fatalf("%v, %q, %v", b, why, err)
	}
	if m := b.measured(why, "")[ceilingClaim]; m.Why != why || len(m.Values) != 0 {
		t.Errorf("%+v", m)
	}
	if s, err := b.sections(why, ""); err != nil || !strings.Contains(s[0].Text, why) {
		t.Errorf("%v, %v", s, err)
	}
	b.metrics(report.Metrics{})
}

// A picture of one colour stays it in any size, and grey has the weights of luminance.
func TestResized(t *testing.T) {
	picture := make([]byte, 175*175*3)
	for i := range picture {
		picture[i] = []byte{200, 100, 50}[i%3]
	}
	for _, shape := range []tensor.Shape{{28, 28, 1}, {32, 32, 3}, {175, 175, 3}} {
		set, err := resized([][]byte{picture}, shape)
		if err != nil || set.Len() != 1 || set.Validate() != nil {
			t.Fatalf("%v: %v, %v", shape, err, set.Validate())
		}
		for i, v := range set.Image(0) {
			want := []byte{200, 100, 50}[i%3]
			if shape[2] == 1 {
				want = 124 // 0.299·200 + 0.587·100 + 0.114·50 = 124.2
			}
			if v != want {
				t.Fatalf("%v: pixel %d is %d, want %d", shape, i, v, want)
			}
		}
	}
	if _, err := resized(nil, tensor.Shape{784}); err == nil {
		t.Error("no error for a network that takes no pictures")
	}
}

// The halves share no picture.
func TestHalves(t *testing.T) {
	a, b := halves(1, 0)
	seen := map[int]bool{}
	for _, i := range append(a, b...) {
		seen[i] = true
	}
	if len(a) != 46 || len(b) != 46 || len(seen) != 92 {
		t.Errorf("%d and %d pictures, %d of them distinct", len(a), len(b), len(seen))
	}
}

// Networks shown the pictures, here untrained ones: each has a score on the half that did not
// choose, the controls stand before them, and the figures can be drawn.
func TestShow(t *testing.T) {
	b, err := loadBrains(t.Context(), data.Options{DataDir: filepath.Dir(shared.File(t, "data/brain-92images.zip"))})
	if err != nil {
		t.Fatal(err)
	}
	if b.scores, err = evaluation.Run(spearman, b.models, b.subjects); err != nil {
		t.Fatal(err)
	}
	digits, _ := mnist.Sample()
	photos := digits.Spec()
	photos.Shape = tensor.Shape{32, 32, 3}
	var list []viewer
	add := func(of func(report.Scale, Kind, uint64) (model.Config, error), kind Kind, what, seen string, spec sample.Spec) {
		for i := range ofAKind {
			c, err := of(report.Smoke, kind, seedOf(1, kind, i))
			if err != nil {
				t.Fatal(err)
			}
			sets := model.Sets{Spec: spec}
			net, err := c.Rule.(bptt.Rule).Network(c.Setting(sets, nil))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, viewer{what, net, subject{kind, seen, &recipe.Trained{Config: c, Sets: sets}}})
		}
	}
	for _, kind := range []Kind{RealValued, Spiking} {
		for _, untrained := range []string{"", ", untrained"} {
			add(Config, kind, viewed(kind, digital)+untrained, digital, digits.Spec())
			add(PhotographConfig, kind, viewed(kind, photographic)+untrained, photographic, photos)
		}
	}
	if err := b.show(t.Context(), list, 1); err != nil {
		t.Fatal(err)
	}
	kinds, scores := b.byKind()
	if len(kinds) != 3+8 || len(b.steps) != 4 || len(b.steps[0].Y) != 8 || len(b.steps[1].Y) != 2 {
		t.Errorf("%v, %d steps", kinds, len(b.steps))
	}
	for _, k := range kinds {
		if len(scores[k]) != ofAKind {
			t.Errorf("%s: %v", k, scores[k])
		}
		for _, v := range scores[k] {
			if !(math.Abs(v) < 0.7) {
				t.Errorf("%s: a correlation of %v", k, v)
			}
		}
	}
	// silhouettes have 0.097 over all pictures, and about that on halves
	if v := scores["silhouettes"]; math.Abs(v[0]-0.097) > 0.08 || v[0] == v[1] {
		t.Errorf("silhouettes: %v", v)
	}
	s, err := b.networkSection("")
	if err != nil || len(s.Figures) != 3 {
		t.Errorf("%d figures, %v", len(s.Figures), err)
	}
}

// Networks for photographs of both kinds have the same weights, at each scale, and differ in units and steps.
func TestPhotographConfig(t *testing.T) {
	digits, _ := mnist.Sample()
	photos := digits.Spec()
	photos.Shape = tensor.Shape{32, 32, 3}
	for _, scale := range recipe.Scales {
		params := map[int]bool{}
		for _, kind := range []Kind{RealValued, Spiking} {
			c, err := PhotographConfig(scale, kind, 7)
			if err != nil || c.Validate() != nil {
				t.Fatal(err, c.Validate())
			}
			net, err := c.Rule.(bptt.Rule).Network(c.Setting(model.Sets{Spec: photos}, nil))
			if err != nil {
				t.Fatalf("%s, %s: %v", scale, kind, err)
			}
			n := 0
			for _, p := range net.Params() {
				n += len(p.Value.Data)
			}
			params[n] = true
			if !net.OutputShape().Equal(tensor.Shape{10}) || (kind == RealValued) != (c.Steps == 1) {
				t.Errorf("%s, %s: %+v", scale, kind, c)
			}
		}
		if len(params) != 1 {
			t.Errorf("%s: the kinds have other numbers of parameters: %v", scale, params)
		}
	}
	if _, err := PhotographConfig("long", Spiking, 1); err == nil || !strings.Contains(err.Error(), "use smoke, short or full") {
		t.Errorf("%v", err)
	}
}
