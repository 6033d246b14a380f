package numeric_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// A mean far off from 0 was rounded, and its rounding left in the place of zeros: PLS took it for
// something to explain, and a shift that is exact changed its value from 0 to 0.19.
func TestCentredFarOff(t *testing.T) {
	x := mat.NewDense(7, 1, []float64{0, 1, 1, 0, 1, 1, 0})
	want := numeric.Centred(x)
	for i := range 7 {
		x.Set(i, 0, x.At(i, 0)+1<<40)
	}
	got, sum := numeric.Centred(x), 0.0
	for i := range 7 {
		sum += got.At(i, 0)
		if d := got.At(i, 0) - want.At(i, 0); math.Abs(d) > 1e-15 {
			t.Errorf("place %d differs by %v", i, d)
		}
	}
	if math.Abs(sum) > 1e-15 {
		t.Errorf("the sum is %v", sum)
	}
}
