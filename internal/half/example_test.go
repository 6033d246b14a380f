package half_test

import (
	"fmt"

	"synfire/internal/half"
)

// A third is not a half: the nearest is a bit less.
func Example() {
	h := half.From(1. / 3)
	fmt.Printf("%#04x %v\n", h, half.Value(h))
	// Output: 0x3555 0.333251953125
}
