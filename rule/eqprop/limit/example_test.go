package limit_test

import (
	"fmt"

	"synfire/rule/eqprop/limit"
	"synfire/tensor"
)

// At most two units' worth of activity, by a budget and softly.
func Example() {
	var m limit.Limiter
	drives := func() []tensor.Float { return []tensor.Float{.9, .1, .4, .75, .35, .6} }
	budget, soft := drives(), drives()
	m.Project(budget, 2)
	m.Soft(soft, 2, 0.05, limit.Unsought)
	fmt.Printf("budget %.2f\nsoft   %.2f\n", budget, soft)
	fmt.Println("hard  ", m.Largest(drives(), 2))
	// Output:
	// budget [0.70 0.00 0.20 0.55 0.15 0.40]
	// soft   [0.99 0.00 0.00 0.82 0.00 0.19]
	// hard   [true false false true false false]
}
