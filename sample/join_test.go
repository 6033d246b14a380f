package sample_test

import (
	"testing"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

// Joined samples come one source after the other, and keep what they are.
func TestJoin(t *testing.T) {
	set := func(n int) *data.Set {
		s := &data.Set{Name: "s", Split: "x", Shape: tensor.Shape{1}, Classes: []string{"a", "b"}}
		for i := range n {
			s.Images, s.Labels, s.Places = append(s.Images, byte(i)), append(s.Labels, i%2), append(s.Places, 10*n+i)
		}
		return s
	}
	a, b := set(2), set(3)
	j, err := sample.Join(a, b)
	if err != nil || j.Len() != 5 {
		t.Fatal(err)
	}
	for i, want := range []struct {
		src sample.Source
		at  int
	}{{a, 0}, {a, 1}, {b, 0}, {b, 1}, {b, 2}} {
		x, y := sample.Sample{X: make([]tensor.Float, 1)}, sample.Sample{X: make([]tensor.Float, 1)}
		if err := j.Read(t.Context(), i, &x); err != nil {
			t.Fatal(err)
		}
		if err := want.src.Read(t.Context(), want.at, &y); err != nil {
			t.Fatal(err)
		}
		target, err := j.Target(i, 0)
		if err != nil || x.X[0] != y.X[0] || target.Class != y.Targets[0].Class || j.Index(i) != want.src.Index(want.at) || j.Origin(i) != want.src.Origin(want.at) {
			t.Errorf("sample %d is %v of %s, %v", i, x, j.Origin(i), err)
		}
	}
	other := set(1)
	other.Classes = []string{"a", "c"}
	if _, err := sample.Join(a, other); err == nil {
		t.Error("sources of other classes were joined")
	}
}
