package braincompare_test

import (
	"fmt"

	"synfire/recipe/braincompare"
)

// What the comparison must find.
func Example() {
	for _, c := range braincompare.Recipe().Claims {
		fmt.Println(c.ID, c.Direction, *c.Bounds.Short)
	}
	// Output:
	// same-class order 0
	// trained-beats-untrained order 0
	// label-alignment at_least 0.1
	// ceiling at_most 0.005
	// order at_most 0.005
	// networks at_least 0
	// networks-controls at_least 0
}
