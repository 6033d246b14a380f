package stdpconv_test

import (
	"fmt"

	"synfire/internal/rng"
	"synfire/rule/stdpconv"
	"synfire/tensor"
)

// One neuron with a window of 3×3 sees a bar that stands, again and again: weights of the inputs
// that spike before it go to 1, all others to 0.
func ExampleLayer_Learn() {
	bar := make([]tensor.Float, 9*9)
	for y := range 9 {
		bar[y*9+4] = 1
	}
	front := stdpconv.NewFront([]int{3}, 50, 17, 2)
	wave := front.Code(bar, 9, 9, 1)
	rates := stdpconv.Published()
	rates.Double = 50
	l := stdpconv.NewLayer(front.Maps(), stdpconv.Stage{Maps: 1, Kernel: 3, Threshold: 2, Winners: 1}, rates, rng.New(1, "example").Source())
	var p stdpconv.Pass
	for range 500 {
		l.Learn(wave, &p)
	}
	for k := 0; k < 18; k += 6 { // of bright on dark, each second one
		fmt.Printf("%.1f %.1f %.1f\n", l.Weight[k], l.Weight[k+2], l.Weight[k+4])
	}
	// Output:
	// 0.0 1.0 0.0
	// 0.0 1.0 0.0
	// 0.0 1.0 0.0
}
