package spikingdbn

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/internal/par"
	"synfire/recipe"
	"synfire/report"
	"synfire/snntest"
	"synfire/train"
)

// The recipe runs at the smoke scale: both ways learn, and spikes answer nearly as rates do.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains a net")
	}
	pool := par.New(0)
	defer pool.Close()
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Pool: pool, Observer: train.None{}, Out: filepath.Join(t.TempDir(), "run"), Now: time.Now}
	r := Recipe()
	o, err := r.Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	m := o.Metrics
	if m["spikes_s1_accuracy"] < 60 || m["rates_accuracy"] < m["spikes_200ms_accuracy"]-10 || m["spikes_10ms_accuracy"] > m["spikes_200ms_accuracy"] || len(o.Measured[offlineClaim].Values) != 1 {
		t.Errorf("measured %+v, %+v", m, o.Measured)
	}
	if m["event_s1_accuracy"] < 60 || m["event_rates_accuracy"] < 60 || m["event_spikes_20ms_accuracy"] > m["event_spikes_500ms_accuracy"] || len(o.Measured[eventClaim].Values) != 1 {
		t.Errorf("measured %+v, %+v", m, o.Measured)
	}
	if m["sparse_s1_accuracy"] < 30 || m["sparse_rates_accuracy"] < 30 || len(o.Measured[sparseClaim].Values) != 1 {
		t.Errorf("measured %+v, %+v", m, o.Measured)
	}
	page, err := o.Page(report.Run{}).HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Offline, in rates: spikes and rates", "Offline, in sparse rates: spikes and rates", "By times of spikes: spikes and rates", "Weights of inputs", "Accuracy over the time of an answer"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	e.Scale = "long"
	if _, err := r.Run(t.Context(), e); err == nil {
		t.Error("a scale that there is not is run")
	}
}
