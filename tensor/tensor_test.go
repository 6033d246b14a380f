package tensor_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/tensor"
)

func TestShape(t *testing.T) {
	for _, c := range []struct {
		s    tensor.Shape
		size int
		text string
		err  string
	}{
		{tensor.Shape{}, 1, "scalar", ""},
		{tensor.Shape{2, 3, 4}, 24, "2×3×4", ""},
		{tensor.Shape{1, math.MaxInt}, math.MaxInt, "1×9223372036854775807", ""},
		{tensor.Shape{2, 0}, 0, "2×0", "at least 1"},
		{tensor.Shape{-1}, -1, "-1", "at least 1"},
		{tensor.Shape{1 << 31, 1 << 31, 2}, math.MinInt, "2147483648×2147483648×2", "overflows"},
		{tensor.Shape{4, math.MaxInt/4 + 1}, math.MinInt, "4×2305843009213693952", "overflows"},
	} {
		err := c.s.Validate()
		if c.s.Size() != c.size || c.s.String() != c.text || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v: size %d, %v; want %d, %s, %q", c.s, c.s.Size(), err, c.size, c.text, c.err)
		}
	}
	if a := (tensor.Shape{2, 3}); !a.Equal(tensor.Shape{2, 3}) || a.Equal(tensor.Shape{2}) || a.Equal(tensor.Shape{3, 2}) || a.Equal(tensor.Shape{2, 3, 1}) {
		t.Error("equal shapes")
	}
}

// A clone shares nothing; a slice of a new length its memory where that suffices.
func TestMemory(t *testing.T) {
	a := tensor.New(2, 2)
	b := a.Clone()
	b.Data[0], b.Shape[0] = 1, 4
	if a.Data[0] != 0 || a.Shape[0] != 2 {
		t.Error("a clone is the same array")
	}
	s := make([]tensor.Float, 3, 8)
	if r := tensor.Resize(s, 8); len(r) != 8 || &r[0] != &s[0] {
		t.Error("memory that suffices is not reused")
	}
	if r := tensor.Resize(s, 9); len(r) != 9 {
		t.Errorf("length %d, want 9", len(r))
	}
}

func TestSumAndFinite(t *testing.T) {
	x := make([]tensor.Float, 2*tensor.SumChunk+5)
	for i := range x {
		x[i] = tensor.Float(i % 7)
	}
	want := 0.0
	for _, v := range x {
		want += float64(v) + 1
	}
	if got := tensor.Sum(x, func(v tensor.Float) float64 { return float64(v) + 1 }); got != want {
		t.Errorf("sum %v, want %v", got, want)
	}
	if _, ok := tensor.Finite(x); !ok {
		t.Error("finite numbers are not")
	}
	x[0] = tensor.Float(math.Inf(-1))
	if i, ok := tensor.Finite(x); ok || i != 0 {
		t.Errorf("%d, %v; want the first, which is −Inf", i, ok)
	}
	if _, ok := tensor.Finite(slices.Clone(x[1:])); !ok {
		t.Error("the others are finite")
	}
}
