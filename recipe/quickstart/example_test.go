package quickstart_test

import (
	"fmt"

	"synfire/data/mnist"
	"synfire/recipe/quickstart"
	"synfire/report"
)

// The network of a scale, node by node.
func Example() {
	c, err := quickstart.Config(report.Short, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	images, _ := mnist.Sample()
	net, err := c.Network(images)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("steps of time:", c.Steps)
	for _, nd := range net.Nodes() {
		fmt.Println(nd.Name, nd.Out)
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
