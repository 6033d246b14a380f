package stbp

import (
	"fmt"

	"synfire/catalog"
	"synfire/model"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// Cost is what a network of Files needs, by name; no data are read.
func Cost(c catalog.Catalog, name string) (train.Plan, error) {
	src, err := Files.ReadFile("published/" + name + ".yaml")
	if err != nil {
		return train.Plan{}, fmt.Errorf("stbp: no network %q as published; there are cifarnet, alexnet and neuromorphic", name)
	}
	run, err := c.Decode(name+".yaml", src)
	if err != nil {
		return train.Plan{}, err
	}
	planner, ok := run.Rule.(train.Planner)
	if !ok {
		return train.Plan{}, fmt.Errorf("stbp: %s: rule %T does not say what it needs", name, run.Rule)
	}
	spec := sample.Spec{Shape: tensor.Shape{32, 32, 3}, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: digits}}}
	if name == "neuromorphic" {
		spec.Shape, spec.Events, spec.Duration = tensor.Shape{34, 34, 2}, true, run.Data.Length.Pad
	}
	if run, err = run.For(spec); err != nil {
		return train.Plan{}, err
	}
	return planner.Plan(run.Setting(model.Sets{Spec: spec}, nil))
}

// digits stand for ten classes of any kind.
var digits = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
