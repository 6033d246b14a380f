package quickstart_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/data"
	"synfire/data/mnist"
	"synfire/model"
	"synfire/recipe"
	"synfire/recipe/quickstart"
	"synfire/report"
	"synfire/rule/bptt"
	"synfire/tensor"
	"synfire/train"
)

// digits is MNIST's form: the data set that the short and full scales train on.
func digits() *data.Set {
	set, _ := mnist.Sample()
	set.Name = "mnist"
	return set
}

// Each scale is a network that fits the data, has the size that its time was
// measured with, and comes back from its file as it was.
func TestConfig(t *testing.T) {
	for _, c := range []struct {
		scale                 report.Scale
		data                  string
		steps, epochs, params int
	}{
		{report.Smoke, mnist.SampleName, 5, 4, 15_074},
		{report.Short, "mnist", 5, 1, 15_074},
		{report.Full, "mnist", 8, 12, 36_330},
	} {
		k, err := quickstart.Config(c.scale, 7)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Validate(); err != nil || k.Data.Name != c.data || k.Steps != c.steps || k.Epochs != c.epochs || k.Seed != 7 {
			t.Errorf("%s: %v, configuration %+v", c.scale, err, k)
		}
		spec := digits().Spec()
		net, err := k.Rule.(bptt.Rule).Network(k.Setting(model.Sets{Spec: spec}, nil))
		if err != nil {
			t.Fatalf("%s: %v", c.scale, err)
		}
		if net.Compile(nil, true); !net.OutputShape().Equal(tensor.Shape{10}) {
			t.Errorf("%s: outputs %v", c.scale, net.OutputShape())
		}
		params := 0
		for _, p := range net.Params() {
			params += len(p.Value.Data)
		}
		if params != c.params {
			t.Errorf("%s: %d parameters, want %d", c.scale, params, c.params)
		}
		yaml, err := catalog.Default().Encode(k)
		if err != nil {
			t.Fatal(err)
		}
		again, err := catalog.Default().Decode("config.yaml", yaml)
		if err != nil || !reflect.DeepEqual(again, k) {
			t.Errorf("%s: came back as %+v, %v, from\n%s", c.scale, again, err, yaml)
		}
	}
}

// Shifted images help on the whole set; four epochs of the small sample do
// without, and are promised for the sample as it is.
func TestAugment(t *testing.T) {
	c, err := quickstart.Config(report.Smoke, 1)
	if err != nil || c.Data.Augment != nil {
		t.Errorf("augmentation %v, %v", c.Data.Augment, err)
	}
	if c, err = quickstart.Config(report.Short, 1); err != nil || len(c.Data.Augment) != 1 || c.Data.Augment[0] != (data.Shift{Max: 2}) {
		t.Errorf("augmentation %v, %v", c.Data.Augment, err)
	}
}

// A scale that does not exist is refused, by Config and by a run, before
// anything is made.
func TestUnknownScale(t *testing.T) {
	_, err := quickstart.Config("long", 1)
	if err == nil || err.Error() != `quickstart: no scale "long": use smoke, short or full` {
		t.Errorf("%v", err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := quickstart.Recipe().Run(t.Context(), &recipe.Env{Scale: "long", Out: dir}); err == nil || !strings.Contains(err.Error(), "use smoke, short or full") {
		t.Errorf("run: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a run directory was made")
	}
}

// The smoke scale sets out on the sample inside the program; the short scale
// wants the whole set, and says how to get it where there is none.
func TestRunBegins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	_, err := quickstart.Recipe().Run(ctx, &recipe.Env{Catalog: catalog.Default(), Observer: train.None{}, Scale: report.Smoke, Seed: 1, Out: dir})
	if !errors.Is(err, train.ErrInterrupted) {
		t.Errorf("smoke: %v, want an interruption", err)
	}
	if yaml, err := os.ReadFile(filepath.Join(dir, "config.yaml")); err != nil || !strings.Contains(string(yaml), "name: mnist-sample") {
		t.Errorf("smoke: %v\n%s", err, yaml)
	}
	_, err = quickstart.Recipe().Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Observer: train.None{}, Scale: report.Short, Seed: 1, Out: dir, Data: data.Options{DataDir: t.TempDir()}})
	if err == nil || !strings.Contains(err.Error(), "--data-dir") {
		t.Errorf("short without data: %v, want an error that names --data-dir", err)
	}
}
