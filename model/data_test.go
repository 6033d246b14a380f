package model_test

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
)

func TestDataIsConsistent(t *testing.T) {
	for want, d := range map[string]model.Data{
		"0 of name, folder, npz and source": {},
		"2 of name, folder, npz and source": {Name: "mnist", Folder: "x"},
		"size and channels":                 {NPZ: "x", Channels: 1},
		"remove them":                       {Name: "mnist", Holdout: 0.1},
		"size has 3 numbers":                {Folder: "x", Size: []int{1, 2, 3}},
		"holdout is 1":                      {Folder: "x", Holdout: 1},
		"data.test -1":                      {Name: "mnist", Test: -1},
		"normalize computes":                {Name: "mnist", Normalize: true, Mean: []float64{1}, Std: []float64{1}},
		"1 values of mean and 0":            {Name: "mnist", Mean: []float64{1}},
	} {
		if err := d.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for _, d := range []model.Data{{Name: "mnist", Normalize: true}, {Folder: "x", Size: []int{3, 4}, Holdout: 0.2}, {NPZ: "x", Classes: []string{"a"}}} {
		if err := d.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func table() *data.Set {
	return &data.Set{
		Name: "npz:own", Classes: []string{"a", "b"}, Shape: tensor.Shape{1, 1, 1},
		Values: []tensor.Float{1, 2, 3, 4, 5}, Labels: []int{0, 1, 0, 1, 0},
	}
}

// prepare prepares a configuration that learns from d.
func prepare(t *testing.T, d model.Data, train, test sample.Source) (model.Config, model.Sets, error) {
	t.Helper()
	c := model.NewConfig()
	c.Data, c.Steps, c.Valid = d, 1, 0
	c.Rule = bptt.Rule{Layers: network.Chain(layer.Linear{Out: 2}), Loss: bptt.NewRule().Loss}
	return c.Prepare(t.Context(), train, test)
}

// What Prepare finds out stands in the configuration, and preparing that again changes
// nothing.
func TestPrepare(t *testing.T) {
	d := model.Data{NPZ: "own", Holdout: 0.4, Normalize: true}
	if _, _, err := prepare(t, model.Data{NPZ: "own"}, table(), nil); err == nil || !strings.Contains(err.Error(), "data.holdout") {
		t.Errorf("no test samples: %v", err)
	}
	resolved, sets, err := prepare(t, d, table(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := resolved.Data; sets.Train.Len() != 3 || sets.Test.Len() != 2 || got.Normalize || len(got.Mean) != 1 || !slices.Equal(got.Classes, []string{"a", "b"}) {
		t.Errorf("%d and %d samples, %+v", sets.Train.Len(), sets.Test.Len(), got)
	}
	if sets.Valid != nil || !reflect.DeepEqual(resolved.Task, []task.Binding{{Task: task.Classify{}}}) {
		t.Errorf("validation samples %v, tasks %+v", sets.Valid, resolved.Task)
	}
	cursor, err := data.NewCursor(sets.Train, data.CursorOptions{Batch: 3, Normalize: sets.Normalization})
	if err != nil {
		t.Fatal(err)
	}
	var b sample.Batch
	if more, err := cursor.Next(t.Context(), &b); !more || err != nil {
		t.Fatal(err)
	}
	if sum := b.X[0] + b.X[1] + b.X[2]; sum > 1e-5 || sum < -1e-5 {
		t.Errorf("the normalised training samples add up to %v", sum)
	}
	again, _, err := resolved.Prepare(t.Context(), table(), nil)
	if err != nil || !reflect.DeepEqual(again, resolved) {
		t.Errorf("prepared again: %+v, %v", again, err)
	}
	if _, _, err := prepare(t, model.Data{Name: "x", Mean: []float64{1, 2}, Std: []float64{1, 2}}, table(), table()); err == nil {
		t.Error("two means for one channel are accepted")
	}
}

// Validation samples come out of training by class, and the test set is left alone;
// the mean and deviation are of what is left to learn from.
func TestPrepareValidation(t *testing.T) {
	c := model.NewConfig()
	c.Data, c.Steps, c.Valid = model.Data{NPZ: "own", Normalize: true}, 1, 0.4
	c.Rule = bptt.Rule{Layers: network.Chain(layer.Linear{Out: 2}), Loss: bptt.NewRule().Loss}
	prepared, sets, err := c.Prepare(t.Context(), table(), table())
	if err != nil {
		t.Fatal(err)
	}
	if sets.Train.Len() != 3 || sets.Valid.Len() != 2 || sets.Test.Len() != 5 {
		t.Fatalf("%d, %d and %d samples, want 3, 2 and 5", sets.Train.Len(), sets.Valid.Len(), sets.Test.Len())
	}
	classes, mean := map[int]int{}, 0.0
	for i := range 2 {
		y, err := sets.Valid.Target(i, 0)
		if err != nil {
			t.Fatal(err)
		}
		classes[y.Class]++
	}
	for i := range 3 {
		mean += float64(table().Values[sets.Train.Index(i)]) / 3
	}
	if classes[0] != 1 || classes[1] != 1 {
		t.Errorf("validation samples of the classes %v, want one of each", classes)
	}
	if math.Abs(prepared.Data.Mean[0]-mean) > 1e-6 {
		t.Errorf("mean %v, want %v of the training samples alone", prepared.Data.Mean, mean)
	}
}
