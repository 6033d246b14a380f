package spikegrad

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/data"
	"synfire/model"
	"synfire/recipe"
	"synfire/report"
	rule "synfire/rule/spikegrad"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// The network of the convolutional runs.
func Example() {
	c := cnn(1, "mnist", 12).Config
	images := &data.Set{Shape: tensor.Shape{28, 28, 1}, Classes: strings.Fields("0 1 2 3 4 5 6 7 8 9")}
	plan, err := c.Rule.(train.Planner).Plan(c.Setting(model.Sets{Spec: images.Spec(), Train: images}, nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range plan.Layers {
		fmt.Println(l.Name, l.Output, l.Parameters)
	}
	// Output:
	// layer1 24×24×15 390
	// layer2 12×12×15 0
	// layer3 8×8×40 15040
	// layer4 4×4×40 0
	// layer5 1×1×300 192300
	// layer6 1×1×10 3010
}

// The network of colour images has at most five million weights, and both arms differ in
// the gradient alone.
func TestCIFAR(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{32, 32, 3}, Targets: []sample.Field{{Name: "class", Kind: sample.Class, Classes: strings.Fields("a b c d e f g h i j")}}}
	spikes, float := cifar(1, "x", rule.Both).Config, cifar(1, "x", rule.Forward).Config
	p, err := spikes.Rule.(rule.Rule).Plan(train.Setting{Spec: spec, Batch: spikes.Batch})
	if err != nil || p.Parameters > 5_000_000 || p.Parameters < 1_000_000 {
		t.Errorf("%d parameters, %v", p.Parameters, err)
	}
	r := float.Rule.(rule.Rule)
	r.Truncate = rule.Both
	float.Rule = r
	if a, b := encoded(t, spikes), encoded(t, float); a != b {
		t.Errorf("the arms are\n%s\nand\n%s", a, b)
	}
}

// encoded is a configuration as its file, from which it comes back.
func encoded(t *testing.T, c model.Config) string {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	src, err := catalog.Default().Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := catalog.Default().Decode("config.yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := catalog.Default().Encode(again); err != nil || string(back) != string(src) {
		t.Errorf("%v: came back as\n%s\nfrom\n%s", err, back, src)
	}
	return string(src)
}

// The smoke scale learns, finds the spikes equal to the integers on both counts, and
// describes itself.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains networks, which takes long without assembly")
	}
	r := Recipe()
	o, err := r.Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]float64{"spikes-equal": 0, "spike-side": 0} {
		if m := o.Measured[id]; len(m.Values) != 1 || m.Values[0] != want || m.N == 0 {
			t.Errorf("%s: %+v, want %v", id, m, want)
		}
	}
	if v := o.Measured["alpha-control"].Values; len(v) != 1 || v[0] > 20 {
		t.Errorf("α = 1 reaches %v", v)
	}
	if v := o.Measured["mnist-mlp"].Values; len(v) != 1 || v[0] < 80 {
		t.Errorf("the MLP reaches %v", v)
	}
	if html, err := o.Page(report.Run{Claims: r.Judge(report.Smoke, o)}).HTML(); err != nil || len(html) > 500_000 {
		t.Errorf("page of %d bytes, %v", len(html), err)
	}
}

// A scale that does not exist is refused, and a run that is interrupted ends.
func TestRunBegins(t *testing.T) {
	env := recipe.Env{Catalog: catalog.Default(), Observer: train.None{}, Scale: "long", Seed: 1, Out: t.TempDir()}
	if _, err := Recipe().Run(t.Context(), &env); err == nil || !strings.Contains(err.Error(), "use smoke, short or full") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	env.Scale = report.Smoke
	if _, err := Recipe().Run(ctx, &env); !errors.Is(err, train.ErrInterrupted) {
		t.Errorf("%v, want an interruption", err)
	}
}
