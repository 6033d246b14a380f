package sample_test

import (
	"slices"
	"strings"
	"testing"

	"synfire/sample"
	"synfire/tensor"
)

// A sample without steps is as large as one step of a series; events have no
// values.
func TestSizeOfASample(t *testing.T) {
	shape := tensor.Shape{2, 3}
	for want, s := range map[int]sample.Spec{6: {Shape: shape}, 30: {Shape: shape, Steps: 5}, 0: {Shape: shape, Events: true}} {
		if got := s.Size(); got != want {
			t.Errorf("%v: %d values, want %d", s, got, want)
		}
	}
	if one := (sample.Spec{Shape: shape, Steps: 1}); one.Size() != 6 {
		t.Errorf("one step: %d values", one.Size())
	}
}

// A sample that does not fit its batch is refused, and leaves it as it was.
func TestAppendRefuses(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{2}, Targets: []sample.Field{{Name: "y", Kind: sample.Class, Classes: []string{"a", "b"}}}}
	var b sample.Batch
	b.Reset(&spec, 0)
	for want, s := range map[string]sample.Sample{
		"3 values, want 2":  {X: make([]tensor.Float, 3), Targets: make([]sample.Target, 1)},
		"1 values, want 2":  {X: make([]tensor.Float, 1), Targets: make([]sample.Target, 1)},
		"0 targets, want 1": {X: make([]tensor.Float, 2)},
		"2 targets, want 1": {X: make([]tensor.Float, 2), Targets: make([]sample.Target, 2)},
	} {
		if err := b.Append(0, &s); err == nil || !strings.Contains(err.Error(), want) || b.Len() != 0 || len(b.X) != 0 {
			t.Errorf("%v with %d samples, want %s", err, b.Len(), want)
		}
	}
	for i := range 2 {
		if err := b.Append(7+i, &sample.Sample{X: []tensor.Float{1, tensor.Float(i)}, Targets: []sample.Target{{Class: i}}}); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(b.Index, []int{7, 8}) || !slices.Equal(b.X, []tensor.Float{1, 0, 1, 1}) || !slices.Equal(b.Targets[0].Class, []int{0, 1}) {
		t.Errorf("%+v", b)
	}
}

// Parts of a source end where it does.
func TestFirstAndSubset(t *testing.T) {
	for n, want := range map[int]int{0: 4, 1: 1, 4: 4} {
		if s, err := sample.First(ramps{}, n); err != nil || s.Len() != want || s.Index(want-1) != want-1 {
			t.Errorf("the first %d: %v", n, err)
		}
	}
	for _, n := range []int{-1, 5} {
		if _, err := sample.First(ramps{}, n); err == nil || !strings.Contains(err.Error(), "there are 4") {
			t.Errorf("the first %d: %v", n, err)
		}
	}
	if s, err := sample.Subset(ramps{}, []int{3, 0}); err != nil || s.Len() != 2 || s.Index(0) != 3 || s.Origin(1) != "ramp 0" {
		t.Errorf("a subset: %v", err)
	}
	for _, at := range []int{-1, 4} {
		if _, err := sample.Subset(ramps{}, []int{0, at}); err == nil || !strings.Contains(err.Error(), "outside [0, 4)") {
			t.Errorf("position %d: %v", at, err)
		}
	}
}

// Spaced takes all of few samples, and of many those at equal distances.
func TestSpaced(t *testing.T) {
	for n, want := range map[int][]int{0: nil, 1: {0}, 2: {0, 2}, 3: {0, 1, 2}, 4: {0, 1, 2, 3}, 9: {0, 1, 2, 3}} {
		s, err := sample.Spaced(ramps{}, n)
		if err != nil || s.Len() != len(want) {
			t.Fatalf("%d of four: %d samples, %v", n, s.Len(), err)
		}
		for i, at := range want {
			if s.Index(i) != at {
				t.Errorf("%d of four: sample %d is %d, want %d", n, i, s.Index(i), at)
			}
		}
	}
	if _, err := sample.Spaced(ramps{}, -1); err == nil {
		t.Error("fewer than none")
	}
}
