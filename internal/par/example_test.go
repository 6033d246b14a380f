package par_test

import (
	"fmt"

	"synfire/internal/par"
)

// Each body writes the range that it was given and nothing else.
func Example() {
	pool := par.New(2)
	defer pool.Close()
	squares := make([]int, 8)
	pool.For(len(squares), 3, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			squares[i] = i * i
		}
	})
	fmt.Println(squares)
	// Output: [0 1 4 9 16 25 36 49]
}
