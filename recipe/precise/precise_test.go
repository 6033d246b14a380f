package precise

import (
	"slices"
	"testing"

	"synfire/internal/par"
	"synfire/recipe"
	"synfire/report"
	rules "synfire/rule/precise"
)

// Problems are of the rate and the gaps that are stated.
func TestDraw(t *testing.T) {
	n := 0
	for seed := range uint64(20) {
		p := draw(seed)
		n += len(p.trial.Spikes)
		for k, at := range p.want {
			if at < 50 || at > 490 || k > 0 && at-p.want[k-1] < gap-1e-9 {
				t.Errorf("wanted spikes %v", p.want)
			}
		}
		if len(p.want) != spikes || !slices.IsSortedFunc(p.trial.Spikes, func(a, b rules.Spike) int {
			if a.At < b.At {
				return -1
			}
			return 1 - int(indicator(a.At == b.At))
		}) {
			t.Errorf("%d wanted spikes, or inputs out of order", len(p.want))
		}
	}
	if mean := float64(n) / 20; mean < 970 || mean > 1030 { // 400 × 5 Hz × 0.5 s
		t.Errorf("%v input spikes a trial, want about 1000", mean)
	}
}

func TestMedian(t *testing.T) {
	if median([]float64{3, 1, 2}) != 2 || median([]float64{4, 1, 2, 3}) != 2.5 {
		t.Error("medians")
	}
}

// Frozen weights answer alike in all trials; SuperSpike's spikes and targets share a clock.
func TestArms(t *testing.T) {
	p := draw(3)
	l, err := learn(t.Context(), p, rule(rules.Resume), 3, 4, true)
	if err != nil || l.falls() != 1 || len(l.van) != 5 {
		t.Errorf("frozen weights: %v, %v", l, err)
	}
	var own lesson
	if err := own.note(p, p.want); err != nil || own.van[0] != 0 || own.spike[0] != 0 {
		t.Errorf("the wanted train is at %v and %v from itself", own.van, own.spike)
	}
}

func TestRun(t *testing.T) {
	e := &recipe.Env{Scale: report.Smoke, Seed: 1, Pool: par.New(1)}
	o, err := Recipe().Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	first, constant := o.Measured["tenfold"], o.Measured["tenfold-constant"]
	if len(first.Values) != 5 || first.Seeds != 1 || len(constant.Values) != 5 || !slices.Equal(first.Values[:4], constant.Values[:4]) {
		t.Errorf("measured %+v and %+v: want five rules each, of which SuperSpike alone differs", first, constant)
	}
	if page := o.Page(report.Run{}); len(page.Sections) != 2 || len(page.Sections[1].Figures) != 2 {
		t.Errorf("page %+v", page)
	}
	e.Scale = "long"
	if _, err := Recipe().Run(t.Context(), e); err == nil {
		t.Error("a scale that there is not is run")
	}
}
