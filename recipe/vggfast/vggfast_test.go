package vggfast_test

import (
	"math"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/network"
	"synfire/optim"
	"synfire/recipe"
	"synfire/recipe/vggfast"
	"synfire/report"
	"synfire/rule/bptt"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// The bounds as they were promised, and rates that are those of airbench94 for an image: a
// constant gradient g of each of 1,024 images moves a weight there by 11.5·g.
func TestConfig(t *testing.T) {
	r := vggfast.Recipe()
	for scale, want := range map[report.Scale]float64{report.Short: 88, report.Full: 90} {
		if b := r.Claims[0].Bounds.At(scale); b == nil || *b != want {
			t.Errorf("bound %v at %s, want %v", b, scale, want)
		}
		c, err := vggfast.Config(scale, 1)
		if err != nil {
			t.Fatal(err)
		}
		rule := c.Rule.(bptt.Rule)
		o := rule.Optimizer.(optim.SGD)
		if lr := o.LR / float64(c.Batch) * 1024; math.Abs(lr*(1-o.Momentum)-11.5/(1+1/(1-o.Momentum))) > 1e-9 {
			t.Errorf("lr for 1,024 images %v", lr)
		}
		net, err := network.Outline(tensor.Shape{32, 32, 3}, rule.Layers...)
		if err != nil || net.ParamCount() != 1_530_168 {
			t.Errorf("%d parameters, %v", net.ParamCount(), err)
		}
	}
	if _, err := vggfast.Config("tiny", 1); err == nil {
		t.Error("an unknown scale is accepted")
	}
}

// The recipe runs at the smoke scale, on digits, and learns them.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains a network, which takes long without assembly")
	}
	r := vggfast.Recipe()
	o, err := r.Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if six, one := o.Metrics["test_accuracy"], o.Metrics["test_accuracy_one_view"]; six < 60 || one < 60 {
		t.Errorf("accuracy %v %% in six views, %v %% in one", six, one)
	}
	if res := r.Judge(report.Smoke, o)[0]; res.Verdict != report.NotTested {
		t.Errorf("the claim is %s at the smoke scale", res.Verdict)
	}
	if _, err := o.Page(report.Run{Claims: r.Judge(report.Smoke, o)}).HTML(); err != nil {
		t.Error(err)
	}
}
