package balanced_test

import (
	"context"
	"fmt"

	"synfire/rule/stdp/balanced"
)

// A small network whose neurons fire irregularly: how many spikes there were in 50 ms.
func Example() {
	n, err := balanced.New(balanced.Regimes()[2], 400, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	m := n.Monitor(n.Excitatory)
	if err := n.Run(context.Background(), 50); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(m.Units) > 0, len(m.Times) == len(m.Units))
	// Output: true true
}
