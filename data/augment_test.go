package data_test

import (
	"slices"
	"testing"

	"synfire/data"
	"synfire/tensor"
)

// script answers with given numbers.
type script []int

func (s *script) IntN(n int) int {
	x := (*s)[0]
	*s = (*s)[1:]
	if x >= n {
		panic("the script's number is out of range")
	}
	return x
}

func (s *script) Float64() float64 { return 0 }

func TestShift(t *testing.T) {
	src := []tensor.Float{
		1, 2, 3,
		4, 5, 6,
	}
	for _, c := range []struct {
		max, dy, dx int
		want        []tensor.Float
	}{
		{1, 0, 0, []tensor.Float{1, 2, 3, 4, 5, 6}},
		{1, 1, 0, []tensor.Float{0, 0, 0, 1, 2, 3}},
		{1, -1, 0, []tensor.Float{4, 5, 6, 0, 0, 0}},
		{1, 0, 1, []tensor.Float{0, 1, 2, 0, 4, 5}},
		{1, 0, -1, []tensor.Float{2, 3, 0, 5, 6, 0}},
		{2, -1, 2, []tensor.Float{0, 0, 4, 0, 0, 0}},
		{5, 2, 0, []tensor.Float{0, 0, 0, 0, 0, 0}},
		{5, 0, -3, []tensor.Float{0, 0, 0, 0, 0, 0}},
		{5, -5, 5, []tensor.Float{0, 0, 0, 0, 0, 0}},
	} {
		dst := slices.Repeat([]tensor.Float{9}, 6)
		data.Shift{Max: c.max}.Apply(dst, src, tensor.Shape{2, 3, 1}, &script{c.dy + c.max, c.dx + c.max})
		if !slices.Equal(dst, c.want) {
			t.Errorf("shift by %d, %d: %v, want %v", c.dy, c.dx, dst, c.want)
		}
	}
}

func TestShiftMovesWholePixels(t *testing.T) {
	src := []tensor.Float{1, 2, 3, 4, 5, 6} // 1×3 of two channels
	dst := make([]tensor.Float, 6)
	data.Shift{Max: 1}.Apply(dst, src, tensor.Shape{1, 3, 2}, &script{1, 2})
	if want := []tensor.Float{0, 0, 1, 2, 3, 4}; !slices.Equal(dst, want) {
		t.Errorf("got %v, want %v", dst, want)
	}
}

func TestNoShiftDrawsNothing(t *testing.T) {
	dst := make([]tensor.Float, 2)
	data.Shift{}.Apply(dst, []tensor.Float{1, 2}, tensor.Shape{1, 2, 1}, &script{})
	if !slices.Equal(dst, []tensor.Float{1, 2}) {
		t.Errorf("got %v", dst)
	}
}

// All (2k+1)² displacements must occur, and each epoch must draw anew.
func TestShiftIsUniform(t *testing.T) {
	s := &data.Set{Name: "dots", Classes: []string{"a"}, Shape: tensor.Shape{3, 3, 1}}
	const n = 2000
	for range n {
		s.Images = append(s.Images, 0, 0, 0, 0, 255, 0, 0, 0, 0)
		s.Labels = append(s.Labels, 0)
	}
	c := cursor(t, s, data.CursorOptions{Batch: n, Seed: 5, Augment: []data.Augment{data.Shift{Max: 1}}})
	first, second := epoch(c)[0], epoch(c)[0]
	var seen [9]int
	for i, x := range first.X {
		if x == 1 {
			seen[i%9]++
		}
	}
	for place, count := range seen {
		if count < n/9*3/4 || count > n/9*5/4 {
			t.Errorf("the dot was %d times at place %d, expected about %d", count, place, n/9)
		}
	}
	if slices.Equal(first.X, second.X) {
		t.Error("two epochs are shifted alike")
	}
}
