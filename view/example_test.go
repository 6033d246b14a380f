package view_test

import (
	"fmt"

	"synfire/view"
)

func Example() {
	counts := view.Histogram([]float64{0.1, 0.2, 0.2, 0.7, 0.9}, 0, 1, 4)
	fmt.Println(counts, view.Spark(counts, 0, 3))
	fmt.Println(view.Clean("a name\x1b[2Jthat clears"))
	// Output:
	// [3 0 1 1] █ ▃▃
	// a name\u001b[2Jthat clears
}
