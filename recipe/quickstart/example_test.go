package quickstart_test

import (
	"fmt"

	"synfire/data/mnist"
	"synfire/model"
	"synfire/recipe/quickstart"
	"synfire/report"
	"synfire/train"
)

// The network of a scale, node by node.
func Example() {
	c, err := quickstart.Config(report.Short, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	images, _ := mnist.Sample()
	plan, err := c.Rule.(train.Planner).Plan(c.Setting(model.Sets{Spec: images.Spec(), Train: images}, nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("steps of time:", c.Steps)
	for _, nd := range plan.Layers {
		fmt.Println(nd.Name, nd.Output)
	}
	// Output:
	// steps of time: 5
	// conv2d1 24×24×12
	// maxpool1 12×12×12
	// spiking1 12×12×12
	// conv2d2 8×8×32
	// maxpool2 4×4×32
	// spiking2 4×4×32
	// flatten1 512
	// linear1 10
	// spiking3 10
}
