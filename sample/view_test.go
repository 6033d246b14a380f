package sample_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"synfire/sample"
	"synfire/tensor"
)

// pets is one sample for each of its classes, and boxes of these classes.
type pets struct{ classes []string }

func (p pets) Spec() sample.Spec {
	return sample.Spec{Shape: tensor.Shape{1}, Targets: []sample.Field{
		{Name: "kind", Kind: sample.Class, Classes: p.classes}, {Name: "boxes", Kind: sample.Boxes, Classes: p.classes},
	}}
}
func (p pets) Len() int            { return 2 }
func (p pets) Index(i int) int     { return i }
func (p pets) Origin(i int) string { return fmt.Sprintf("pet %d", i) }
func (p pets) Target(i, f int) (sample.Target, error) {
	if f == 0 {
		return sample.Target{Class: i}, nil
	}
	return sample.Target{Boxes: []sample.Box{{Class: i}, {Class: 0}}}, nil
}
func (p pets) Read(_ context.Context, i int, s *sample.Sample) error {
	for f := range 2 {
		t, err := p.Target(i, f)
		if err != nil {
			return err
		}
		s.Targets = append(s.Targets, t)
	}
	return nil
}

func TestReclass(t *testing.T) {
	src := pets{[]string{"cat", "dog", "never"}}
	for field, f := range map[string]int{"": 0, "kind": 0, "boxes": 1} {
		view, err := sample.Reclass(src, field, []string{"dog", "owl", "cat"})
		if err != nil {
			t.Fatal(err)
		}
		if spec := view.Spec(); !slices.Equal(spec.Targets[f].Classes, []string{"dog", "owl", "cat"}) || spec.Targets[1-f].Classes[2] != "never" {
			t.Errorf("spec %+v", spec)
		}
		for i, want := range []int{2, 0} {
			target, err := view.Target(i, f)
			var s sample.Sample
			if err := view.Read(t.Context(), i, &s); err != nil {
				t.Fatal(err)
			}
			for _, got := range []sample.Target{target, s.Targets[f]} {
				class := got.Class
				if f == 1 {
					class = got.Boxes[0].Class
				}
				if err != nil || class != want {
					t.Errorf("target %q of sample %d is %+v, %v", field, i, got, err)
				}
			}
		}
		if own, _ := src.Target(1, 1); own.Boxes[0].Class != 1 {
			t.Error("the source's own boxes have changed")
		}
	}
	for want, c := range map[string]struct {
		field   string
		classes []string
	}{
		`pet 1: class "dog" is none of the 2 known ones, ["cat" "owl"]`: {"kind", []string{"cat", "owl"}},
		"no target \"x\"":  {"x", []string{"cat"}},
		"comes twice":      {"kind", []string{"cat", "cat"}},
		"names of classes": {"kind", nil},
	} {
		if _, err := sample.Reclass(src, c.field, c.classes); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if same, err := sample.Reclass(src, "kind", src.classes); err != nil || same.Len() != 2 {
		t.Error(err)
	}
}

// No name steers a terminal.
func TestNames(t *testing.T) {
	for in, want := range map[string]string{"Hütte 猫.png": "Hütte 猫.png", "a\x1b[31m": `a\x1b[31m`, "x\u202egnp": `x\u202egnp`, "a\nb\x00": `a\nb\x00`, "H\xfc": `H\ufffd`} {
		if got := sample.Printable(in); got != want {
			t.Errorf("%q is printed as %q, want %q", in, got, want)
		}
		if bad := sample.CheckName(in) != nil; bad != (in != want) {
			t.Errorf("%q: a name: %v", in, !bad)
		}
	}
	for _, in := range []string{"", " ", "\t"} {
		if sample.CheckName(in) == nil {
			t.Errorf("%q is a name", in)
		}
	}
	for want, classes := range map[string][]string{"comes twice": {"a", "b", "a"}, "control": {"a\x07"}, "is empty": {"a", ""}, "want 1 to 65536": make([]string, 1<<16+1)} {
		spec := sample.Spec{Shape: tensor.Shape{1}, Targets: []sample.Field{{Name: "y", Kind: sample.Class, Classes: classes}}}
		if err := spec.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
