package kernel

import (
	"slices"
	"testing"
)

// Each shape, at each level, writes the reference's elements and no others.
func TestTranspose(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for rows := range 35 {
			for _, cols := range []int{0, 1, 7, 8, 9, 16, 31, 50} {
				src, dst := make([]Float, rows*(cols+3)), make([]Float, cols*(rows+5))
				for i := range src {
					src[i] = Float(i + 1)
				}
				want := slices.Clone(dst)
				transposeGo(want, rows+5, src, cols+3, rows, cols)
				if Transpose(dst, rows+5, src, cols+3, rows, cols); !slices.Equal(dst, want) {
					t.Fatalf("%v: %d rows of %d differ", l, rows, cols)
				}
			}
		}
	})
}
