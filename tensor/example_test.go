package tensor_test

import (
	"fmt"

	"synfire/tensor"
)

func ExampleMatMul() {
	a := tensor.Tensor{Shape: tensor.Shape{2, 3}, Data: []tensor.Float{1, 0, 1, 0, 1, 0}}
	b := tensor.Tensor{Shape: tensor.Shape{3, 2}, Data: []tensor.Float{1, 2, 3, 4, 5, 6}}
	c, err := tensor.MatMul(nil, a, b)
	fmt.Println(c.Shape, c.Data, err)
	_, err = tensor.MatMul(nil, b, b)
	fmt.Println(err)
	// Output:
	// 2×2 [6 8 3 4] <nil>
	// tensor.MatMul: shapes 3×2 and 3×2: want m×k and k×n with the same k
}
