package input_test

import (
	"context"
	"fmt"
	"strings"

	"synfire/data/input"
	"synfire/sample"
	"synfire/tensor"
)

func Example() {
	lines := func() input.Lines { return input.Lines{Reader: strings.NewReader("1, 2, 3\n4 5\n")} }
	o := input.Options{Spec: sample.Spec{Shape: tensor.Shape{3}}}
	for in := range input.Files(context.Background(), []string{"-"}, lines, o) {
		if in.Err != nil {
			fmt.Println(in.Name, in.Err)
			continue
		}
		fmt.Println(in.Name, in.Sample.X)
	}
	// Output:
	// -:1 [1 2 3]
	// -:2 2 values, and the model takes 3: samples of 3
}
