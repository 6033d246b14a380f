package ordinary

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/network"
	"synfire/recipe"
	"synfire/report"
	"synfire/rule/bptt"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// Weights of the networks, scales and shifts of batch normalisation included.
func Example() {
	for _, name := range slices.Concat(trained[report.Short], trained[report.Full]) {
		c, err := config(name, 1)
		if err != nil {
			fmt.Println(err)
			return
		}
		net, err := network.Outline(tensor.Shape{32, 32, 3}, c.Rule.(bptt.Rule).Layers...)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(name, net.ParamCount())
	}
	// Output:
	// vgg-plain 813408
	// resnet-20 272762
	// resnet-20-longer 272762
	// resnet-20-low-rate 272762
	// resnet-20-cutout 272762
	// resnet-20-plain 275760
	// vgg-16 14724042
}

// A network that the recipe does not have is refused, and test images choose nothing.
func TestConfig(t *testing.T) {
	if _, err := config("resnet-21", 1); err == nil {
		t.Error("an unknown network is accepted")
	}
	for _, name := range slices.Concat(trained[report.Short], trained[report.Full]) {
		if c, err := config(name, 1); err != nil || c.WatchTest || c.Valid != 0.1 {
			t.Errorf("%s: test watched %v, held out %v, %v", name, c.WatchTest, c.Valid, err)
		}
	}
}

// The smoke scale trains a residual network on digits.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains a network, which takes long without assembly")
	}
	r := Recipe()
	o, err := r.Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if v := o.Metrics["digits_test_accuracy"]; v < 60 {
		t.Errorf("accuracy %v %%", v)
	}
	for _, res := range r.Judge(report.Smoke, o) {
		if res.Verdict != report.NotTested {
			t.Errorf("%s is %s at the smoke scale", res.ID, res.Verdict)
		}
	}
	if html, err := o.Page(report.Run{Claims: r.Judge(report.Smoke, o)}).HTML(); err != nil || len(html) > 900_000 {
		t.Errorf("page of %d bytes, %v", len(html), err)
	}
}
