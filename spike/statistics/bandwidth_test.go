package statistics

import (
	"math"
	"testing"
)

// Where the best kernel is 4 for windows of 4 and of 8, γ·W is 4 for γ = ½ (the window of 8 is still
// within), 3 for ¾ and 4 for 1. From the fourth bin on the best is 2 in all windows: 2 for ½ (the
// window of 4), 2 for ¾ as the smallest width, since 1.5 is below it, and 2 for 1. What is made of
// them is their mean by Gaussian weights of width w/γ, the window that each came from.
func TestWidthsOfAStiffness(t *testing.T) {
	const n = 7
	a := adaptive{n: n, widths: []float64{2, 4, 8}}
	best := make([][]float64, 3)
	for i := range best {
		best[i] = []float64{4, 4, 4, 2, 2, 2, 2}
	}
	for gamma, early := range map[float64]float64{0.5: 4, 0.75: 3, 1: 4} {
		got := a.variable(best, gamma)
		for at := range n {
			sum, weight := 0.0, 0.0
			for s := range n {
				w := 2.0
				if s < 3 {
					w = early
				}
				window := w / gamma
				z := math.Exp(-math.Pow(float64(at-s)/window, 2)/2) / window
				sum, weight = sum+z*w, weight+z
			}
			if want := sum / weight; math.Abs(got[at]-want) > 1e-12 {
				t.Errorf("γ = %v, bin %d: width %v, want %v", gamma, at, got[at], want)
			}
		}
	}
}
