package all_test

import (
	"fmt"

	"synfire/recipe/all"
	"synfire/report"
)

// What can be run, and what it must reach.
func Example() {
	for _, r := range all.Recipes() {
		if r.ID != "quickstart" {
			continue
		}
		fmt.Println(r.ID+":", r.Title)
		for _, c := range r.Claims {
			fmt.Println(c.Name, c.Direction, *c.Bounds.At(report.Short), c.Unit)
		}
	}
	// Output:
	// quickstart: A convolutional spiking network on MNIST
	// MNIST test accuracy at_least 97.5 %
}
