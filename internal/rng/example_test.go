package rng_test

import (
	"fmt"

	"synfire/internal/rng"
)

// The spikes of sample 17 in epoch 2 are the same whoever draws them, and when.
func Example() {
	key := rng.New(1, rng.Encode).Int(2).Int(17)
	all, tail := make([]float32, 6), make([]float32, 3)
	key.Uniforms(all, 40, 0) // step 40, units 0 to 5
	key.Uniforms(tail, 40, 3)
	fmt.Printf("%.4f\n%.4f\n", all, tail)
	fmt.Println(key.Source().Perm(8))
	// Output:
	// [0.0292 0.3566 0.7814 0.5104 0.9932 0.1463]
	// [0.5104 0.9932 0.1463]
	// [5 2 6 0 7 1 3 4]
}
