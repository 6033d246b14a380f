package model_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/model"
	"synfire/tensor"
)

func TestDataIsConsistent(t *testing.T) {
	for want, d := range map[string]model.Data{
		"0 of name, folder and npz": {},
		"2 of name, folder and npz": {Name: "mnist", Folder: "x"},
		"size and channels":         {NPZ: "x", Channels: 1},
		"remove them":               {Name: "mnist", Holdout: 0.1},
		"size has 3 numbers":        {Folder: "x", Size: []int{1, 2, 3}},
		"holdout is 1":              {Folder: "x", Holdout: 1},
		"data.test -1":              {Name: "mnist", Test: -1},
		"normalize computes":        {Name: "mnist", Normalize: true, Mean: []float64{1}, Std: []float64{1}},
		"1 values of mean and 0":    {Name: "mnist", Mean: []float64{1}},
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
		Values: []tensor.Float{1, 2, 3, 4, 5}, Labels: []uint8{0, 1, 0, 1, 0},
	}
}

// What Resolve finds out stands in the configuration, and resolving that again changes
// nothing.
func TestResolve(t *testing.T) {
	d := model.Data{NPZ: "own", Holdout: 0.4, Normalize: true}
	if _, _, _, err := (model.Data{NPZ: "own"}).Resolve(table(), nil); err == nil || !strings.Contains(err.Error(), "data.holdout") {
		t.Errorf("no test samples: %v", err)
	}
	resolved, train, test, err := d.Resolve(table(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 3 || test.Len() != 2 || resolved.Normalize || len(resolved.Mean) != 1 || !slices.Equal(resolved.Classes, []string{"a", "b"}) {
		t.Errorf("%d and %d samples, %+v", train.Len(), test.Len(), resolved)
	}
	x := make([]tensor.Float, 1)
	var sum tensor.Float
	for i := range train.Len() {
		train.Input(i, x)
		sum += x[0]
	}
	if sum > 1e-5 || sum < -1e-5 {
		t.Errorf("the normalised training samples add up to %v", sum)
	}
	again, _, _, err := resolved.Resolve(table(), nil)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(resolved) {
		t.Errorf("resolved again: %+v, %v", again, err)
	}
	if _, _, _, err := (model.Data{Name: "x", Mean: []float64{1, 2}, Std: []float64{1, 2}}).Resolve(table(), table()); err == nil {
		t.Error("two means for one channel are accepted")
	}
}
