package layer_test

import (
	"fmt"

	"synfire/layer"
	"synfire/tensor"
)

// Options are checked against the shape of what flows in.
func Example() {
	conv := layer.Conv2D{Out: 12, Kernel: []int{5}, Padding: []int{2}}
	image := tensor.Shape{28, 28, 1}
	shape, err := conv.Output(image)
	fmt.Println(shape, err)
	for _, p := range conv.Params(image) {
		fmt.Println(p.Role, p.Shape)
	}
	_, err = layer.Linear{Out: 10}.Output(shape)
	fmt.Println(err)
	// Output:
	// 28×28×12 <nil>
	// weight 5×5×1×12
	// bias 12
	// linear: input of shape 28×28×12, want a vector; put a flatten layer before it
}
