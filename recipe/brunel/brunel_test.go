package brunel

import (
	"math"
	"testing"

	"synfire/rule/stdp"
	"synfire/rule/stdp/balanced"
)

// Rate, CV and synchrony of trains that are known: two neurons that fire every 10 and 5 ms, one
// with intervals of 10, 10 and 40, one silent.
func TestMeasure(t *testing.T) {
	var a, b stdp.Monitor
	add := func(m *stdp.Monitor, j int32, times ...float64) {
		for _, at := range times {
			m.Units, m.Times = append(m.Units, j), append(m.Times, at)
		}
	}
	for k := range 10 {
		add(&a, 0, 200+float64(10*k))
	}
	for k := range 20 {
		add(&a, 2, 200+float64(5*k))
	}
	add(&b, 0, 210, 220, 230, 270)
	m, err := measure([]*stdp.Monitor{&a, &b}, []int{3, 1}, span{200, 100})
	if err != nil {
		t.Fatal(err)
	}
	// Intervals 10, 10, 40 have mean 20 and deviation √200.
	wantCV := math.Sqrt(200) / 20 / 3
	if m.Rate != 34.0/4/100*1000 || math.Abs(m.CV-wantCV) > 1e-9 {
		t.Errorf("rate %v, CV %v, want 85 and %v", m.Rate, m.CV, wantCV)
	}
	// Counts of a ms: 20 hold two or one of a, and b adds one at 10, 20, 30 and 70.
	mean, squares := 34.0/100, (10*1.0+6*4+4*9)/100
	if want := (squares - mean*mean) / mean; math.Abs(m.Synchrony-want) > 1e-9 {
		t.Errorf("synchrony %v, want %v", m.Synchrony, want)
	}
}

// Brian2's figures are of all four regimes, and such as the paper's figure 8 tells: 60.7 Hz in
// the fast and 37.7 Hz in the asynchronous one, 5.5 Hz in the slow one.
func TestReference(t *testing.T) {
	for name, src := range map[string][]byte{"one seed": brianOnce, "seeds": brianSeeds} {
		ref, err := reference(src)
		if err != nil {
			t.Fatal(err)
		}
		for regime, paper := range map[string]float64{"SI-fast": 60.7, "AI": 37.7, "SI-slow": 5.5} {
			if got := ref[regime].Rate; math.Abs(got-paper) > 0.1*paper {
				t.Errorf("%s, %s: %v Hz, the paper has %v", name, regime, got, paper)
			}
		}
		for _, r := range balanced.Regimes() {
			if m, ok := ref[r.Name]; !ok || m.Rate == 0 {
				t.Errorf("%s: no figures of %s", name, r.Name)
			}
		}
	}
}

// Means are of the seeds that have a regime; what is allowed is 10 % of the rate and 0.05.
func TestMeanAndOff(t *testing.T) {
	ref, err := reference([]byte(`[{"AI": {"rate": 30, "cv": 0.4}, "SR": {"rate": 300, "cv": 0}}, {"AI": {"rate": 50, "cv": 0.6}}]`))
	if err != nil {
		t.Fatal(err)
	}
	if m := ref["AI"]; math.Abs(m.Rate-40) > 1e-12 || math.Abs(m.CV-0.5) > 1e-12 || ref["SR"].Rate != 300 {
		t.Errorf("means %+v", ref)
	}
	for _, one := range []struct{ rate, cv, want float64 }{{42, 0.5, 0.5}, {40, 0.6, 2}, {38, 0.51, 0.5}} {
		if got := (measured{Rate: one.rate, CV: one.cv}).off(ref["AI"]); math.Abs(got-one.want) > 1e-9 {
			t.Errorf("%+v: off by %v", one, got)
		}
	}
}
