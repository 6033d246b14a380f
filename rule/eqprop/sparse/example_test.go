package sparse_test

import (
	"fmt"

	"synfire/rule/eqprop/sparse"
	"synfire/tensor"
)

// Half of a matrix goes, fast at first; what is left is listed.
func Example() {
	p := sparse.Pruning{Sparsity: 0.5, Begin: 10, End: 20, Every: 5}
	for _, step := range []int{10, 15, 20} {
		fmt.Printf("after step %d: %.3f\n", step, p.At(step, p.Sparsity))
	}
	w := []tensor.Float{0.1, -2, 0.5, 0.3, -0.2, 1} // [2, 3]
	sparse.Prune(w, p.Saliency.Of(w, nil), p.At(20, p.Sparsity))
	var m sparse.Matrix
	m.List(w, 2, 3)
	fmt.Println(w, "row 0 keeps", m.Rows.Count([]int32{0}, 3))
	// Output:
	// after step 10: 0.000
	// after step 15: 0.438
	// after step 20: 0.500
	// [0 -2 0.5 0 0 1] row 0 keeps 2
}
