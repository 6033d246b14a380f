package named_test

import (
	"fmt"
	"log"

	"synfire/network"
	"synfire/network/named"
	"synfire/tensor"
)

// A residual network of half the usual width.
func Example() {
	a := named.NewResNet(20)
	a.Width = 8
	net, err := network.Outline(tensor.Shape{32, 32, 3}, a.Nodes()...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(net.Nodes()), "nodes,", net.ParamCount(), "parameters")
	// Output: 74 nodes, 68866 parameters
}
