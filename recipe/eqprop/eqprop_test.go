package eqprop

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/data"
	"synfire/recipe"
	"synfire/report"
	"synfire/snntest"
	"synfire/train"
)

// Each recipe runs at the smoke scale: it learns, keeps its run, and describes it.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains networks, which takes long without assembly")
	}
	for _, r := range Recipes() {
		dir := t.TempDir()
		o, err := r.Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: dir, Observer: train.None{}, Now: time.Now})
		if err != nil {
			t.Fatalf("%s: %v", r.ID, err)
		}
		learned := false
		for name, v := range o.Metrics {
			learned = learned || strings.HasSuffix(name, "_test_error") && v > 0 && v < 40
		}
		if !learned || len(o.WeightsSHA256) != 64 {
			t.Errorf("%s: metrics %v, sum %q", r.ID, o.Metrics, o.WeightsSHA256)
		}
		if r.ID == "topk-eqprop" {
			checkCosts(t, o.Metrics)
		}
		page := o.Page(report.Run{Claims: r.Judge(report.Smoke, o)})
		if html, err := page.HTML(); err != nil || len(html) > 500_000 {
			t.Errorf("%s: page of %d bytes, %v", r.ID, len(html), err)
		}
		if files, _ := filepath.Glob(filepath.Join(dir, "*", "config.yaml")); len(files) == 0 {
			t.Errorf("%s: no run is kept", r.ID)
		}
	}
}

// checkCosts checks what predictions of all hosts and of the grid are said to take.
func checkCosts(t *testing.T, m report.Metrics) {
	t.Helper()
	for _, host := range []string{
		"dense", "budget_10", "pruned", "budget_10_pruned",
		"initialised", "initialised_budget_10", "initialised_pruned", "initialised_budget_10_pruned",
		"spiking", "spiking_budget_10_pruned", "init_spiking", "init_spiking_budget_10_pruned",
		"binary", "binary_budget_10_pruned", "grid_budget_k500_q00", "grid_budget_k10_q90",
	} {
		ways := []string{""}
		switch host {
		case "initialised":
			ways = append(ways, "_forward")
		case "binary", "binary_budget_10_pruned":
			ways = append(ways, "_bits")
		}
		for _, how := range ways {
			for _, figure := range []string{"test_error", "active_layer1", "weights", "weights_share", "macs_per_image", "seconds_per_10000"} {
				if name := host + "_s1" + how + "_" + figure; !(m[name] > 0) {
					t.Errorf("%s is %v", name, m[name])
				}
			}
		}
	}
	const all, left = 784*500 + 500*10, 784*500/10 + 500*10*55/100
	for name, want := range map[string]float64{
		"dense_s1_weights": all, "pruned_s1_weights": left, "budget_10_pruned_s1_weights": left,
		"grid_budget_k10_q90_s1_weights_share":  float64(left) / all,
		"initialised_pruned_s1_forward_weights": 60*784/10 + 60*10*55/100,
	} {
		if m[name] != want {
			t.Errorf("%s is %v, want %v", name, m[name], want)
		}
	}
	if m["budget_10_s1_active_layer1"] >= m["dense_s1_active_layer1"] || m["budget_10_pruned_s1_macs_per_image"] >= m["pruned_s1_macs_per_image"] ||
		m["pruned_s1_macs_per_image"] >= m["dense_s1_macs_per_image"] {
		t.Errorf("a budget leaves more units active, or it or pruning takes more products: %v", m)
	}
}

func TestUnknownScale(t *testing.T) {
	for _, r := range Recipes() {
		dir := filepath.Join(t.TempDir(), "run")
		if _, err := r.Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: "long", Out: dir}); err == nil || !strings.Contains(err.Error(), "use smoke, short or full") {
			t.Errorf("%s: %v", r.ID, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: left a run directory behind", r.ID)
		}
	}
}

// Clothes are tried where they are installed, and digits stay what is trained on.
func TestClothes(t *testing.T) {
	const folder = "/usr/share/datasets/fashion-mnist"
	if _, err := os.Stat(folder); err != nil || testing.Short() || snntest.DoublePrecision() {
		t.Skip("needs Fashion-MNIST in " + folder + ", and takes long without assembly")
	}
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now, Data: data.Options{CacheDir: t.TempDir()}}
	b, err := newBoard(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	digits := b.Train()
	j := convolutional(1, 2, 1)
	j.Images = 20
	b.clothes(t.Context(), j)
	if _, ok := b.Metrics["convolutional_fashion_s1_test_error"]; b.Err() != nil || !ok || b.Train() != digits {
		t.Errorf("%v, metrics %v, digits kept: %v", b.Err(), b.Metrics, b.Train() == digits)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if b.clothes(canceled, j); b.Err() == nil {
		t.Error("an interrupted run goes on")
	}
}

// What is measured of a published run besides its test error, and of a spiking network
// against the settled real-valued one, with few images.
func TestMeasuredBesideTheError(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains networks, which takes long without assembly")
	}
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now}
	b, err := newBoard(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	j := published(1)
	j.Images, j.Epochs = 0, 3
	b.published(t.Context(), j)
	b.testError(t.Context(), small(spiking(1, 0, 1)))
	b.fixedPoints(t.Context())
	o, err := b.outcome(report.Page{})
	if err != nil {
		t.Fatal(err)
	}
	training, full := o.Measured["training-error"], o.Measured["full"]
	if training.N != 1000 || full.N != 500 || !(training.Values[0] > 0 && training.Values[0] < full.Values[0]) || full.Values[0] != o.Measured["full-first"].Values[0] {
		t.Errorf("training error %+v, test error %+v", training, full)
	}
	if v := o.Metrics["published_s1_settled_test_error"]; !(v > 0 && v < 40) {
		t.Errorf("settled test error %v", v)
	}
	fixed, faster := o.Measured["fixed-point"].Values[0], o.Measured["faster-convergence"].Values[0]
	if !(fixed > 0 && fixed < o.Metrics["distance_adapted_100_steps"]) || !(faster > 1) || o.Measured["fixed-point"].N != fixedImages {
		t.Errorf("distances after 1,000 steps %v, ratio %v after 100; %v", fixed, faster, o.Metrics)
	}
}

// Fisher's p by hand: the lady and her tea, and extremes.
func TestFisher(t *testing.T) {
	for _, c := range []struct {
		a, b, n int
		p       float64
	}{
		{3, 1, 4, 34. / 70}, {4, 0, 4, 2. / 70}, {0, 4, 4, 2. / 70}, {2, 2, 4, 1}, {0, 0, 30, 1}, {30, 30, 30, 1},
		{0, 1, 30, 1}, {0, 5, 30, 2 * 142506. / 5461512}, {0, 6, 30, 2 * 593775. / 50063860},
	} {
		if p := fisher(c.a, c.b, c.n); math.Abs(p-c.p) > 1e-9 {
			t.Errorf("%d and %d of %d: p = %v, want %v", c.a, c.b, c.n, p, c.p)
		}
	}
}

// The seeds of the claim on collapsed runs are none that had been seen.
func TestCollapseSeedsAreNew(t *testing.T) {
	if firstCollapse <= 10 || collapseSeeds != 30 {
		t.Errorf("seeds from %d on, %d of them", 1+firstCollapse, collapseSeeds)
	}
	for i, j := range controls(7) {
		if j.Images != 10_000 || j.Epochs != 5 || j.Config.Free != 4 || j.Config.Seed != 7 || (j.Config.Predictor == nil) != (i == 2) || i == 1 && j.Config.Predictor.Lambda != 0 {
			t.Errorf("control %d: %+v", i, j)
		}
	}
}

// Runs that are told apart by name alone differ in what the name says.
func TestJobsAreWhatTheyAreCalled(t *testing.T) {
	j := initSpiking(1, 100, 1)
	if c := j.Config; j.Name != "init-spiking" || c.Free != 50 || c.Spiking == nil || c.Spiking.Warm != 20 || c.Predictor == nil || c.Predictor.Lambda != 0.1 {
		t.Errorf("%s: %d free steps, spiking %+v, predictor %+v", j.Name, c.Free, c.Spiking, c.Predictor)
	}
	seen := map[string]bool{}
	for _, j := range sparseJobs(1, 100, 1) {
		if strings.HasPrefix(j.Name, "dense-") || seen[j.Name] {
			t.Errorf("job %s", j.Name)
		}
		seen[j.Name] = true
	}
}
