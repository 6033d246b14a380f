package kernel_test

import (
	"fmt"

	"synfire/internal/kernel"
)

// A vector of spikes times a matrix, as a product and as the sum of the rows
// of its spikes: the same chain of additions, so the same bits.
func Example() {
	const k, n = 4, 3
	w := []kernel.Float{
		0.1, 0.2, 0.3,
		1, 2, 3,
		0.4, 0.5, 0.6,
		10, 20, 30,
	}
	spikes := []uint64{0b0101}

	x, product := []kernel.Float{1, 0, 1, 0}, []kernel.Float{7, 7, 7}
	var packed kernel.Packed
	packed.Pack(nil, w, n, k, n, false)
	kernel.MatMul(nil, 1, x, k, false, &packed, product, n)

	rows, sum := kernel.Indices(nil, spikes, 0, k, 0), []kernel.Float{7, 7, 7}
	kernel.AddRows(sum, w, n, rows)

	fmt.Println(rows)
	fmt.Printf("%.2f\n", sum)
	fmt.Println(product[0] == sum[0], product[1] == sum[1], product[2] == sum[2])
	// Output:
	// [0 2]
	// [7.50 7.70 7.90]
	// true true true
}
