package model_test

import (
	"reflect"
	"strings"
	"testing"

	"synfire/encode"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
)

// A network is built for what the encoder makes of the samples.
func TestNetworkOfEncoder(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{9, 5}, Targets: digits(2).Targets}
	c := model.NewConfig()
	r := bptt.NewRule()
	r.Layers = network.Chain(layer.Flatten{}, layer.Linear{Out: 2})
	c.Encoder, c.Rule, c.Steps, c.Batch = encode.Delta{Threshold: 0.1}, r, 9, 1
	n, err := build(c, spec)
	if err != nil || !n.InputShape().Equal(tensor.Shape{5, 2}) {
		t.Fatalf("%v", err)
	}
	spec.Shape = tensor.Shape{9}
	c.Encoder = encode.Frames{}
	if _, err := build(c, spec); err == nil || !strings.Contains(err.Error(), "time as the first") {
		t.Errorf("samples of one axis: %v", err)
	}
}

// Steps follow from series; where they are given too, both must agree, and samples
// without time want them given.
func TestStepsComeFromTheData(t *testing.T) {
	still := digits(2)
	series := still
	series.Steps = 9
	c := model.NewConfig()
	c.Encoder = encode.Frames{}
	for _, k := range []struct {
		encoder encode.Encoder
		spec    sample.Spec
		given   int
		steps   int
		want    string
	}{
		{encode.Frames{}, series, 0, 9, ""},
		{encode.Frames{}, series, 9, 9, ""},
		{encode.Frames{}, series, 8, 0, "steps is 8, and the samples are series of 9 steps"},
		{encode.Frames{}, series, 10, 0, "steps is 10, and the samples are series of 9 steps"},
		{encode.Constant{}, still, 4, 4, ""},
		{encode.Constant{}, still, 0, 0, "steps is missing"},
		{encode.Constant{}, series, 4, 0, "use encoder frames"},
	} {
		c.Encoder, c.Steps = k.encoder, k.given
		got, err := c.For(k.spec)
		if k.want == "" && (err != nil || got.Steps != k.steps) {
			t.Errorf("%T, %d steps given: %d, %v, want %d", k.encoder, k.given, got.Steps, err, k.steps)
		}
		if k.want != "" && (err == nil || !strings.Contains(err.Error(), k.want)) {
			t.Errorf("%T, %d steps given: %v, want %q", k.encoder, k.given, err, k.want)
		}
	}
}

// The task is what fits the first target, unless one is given.
func TestTaskFollowsFromTheTarget(t *testing.T) {
	for kind, want := range map[sample.Kind]task.Task{sample.Class: task.Classify{}, sample.Values: task.Regress{}, sample.Trains: task.MatchTrains{}} {
		c := model.NewConfig()
		c.Steps = 1
		spec := sample.Spec{Shape: tensor.Shape{3}, Targets: []sample.Field{{Name: "y", Kind: kind, Shape: tensor.Shape{2}, Classes: []string{"a", "b"}}}}
		got, err := c.For(spec)
		if err != nil || !reflect.DeepEqual(got.Task, []task.Binding{{Task: want}}) {
			t.Errorf("%v: %+v, %v", kind, got.Task, err)
		}
		given := []task.Binding{{Task: task.Reconstruct{}, Target: sample.Input}}
		c.Task = given
		if got, err = c.For(spec); err != nil || !reflect.DeepEqual(got.Task, given) {
			t.Errorf("%v: the given task became %+v, %v", kind, got.Task, err)
		}
	}
	c := model.NewConfig()
	c.Steps = 1
	if _, err := c.For(sample.Spec{Shape: tensor.Shape{3}}); err == nil || !strings.Contains(err.Error(), "no target") {
		t.Errorf("no target: %v", err)
	}
	boxes := []sample.Field{{Name: "y", Kind: sample.Boxes, Classes: []string{"a"}}}
	if _, err := c.For(sample.Spec{Shape: tensor.Shape{3}, Targets: boxes}); err == nil || !strings.Contains(err.Error(), "name detect under task") {
		t.Errorf("boxes: %v", err)
	}
}
