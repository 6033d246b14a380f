package optim_test

import (
	"fmt"

	"synfire/optim"
	"synfire/tensor"
)

// Momentum on (w − 3)², with a rate that falls along a cosine.
func Example() {
	o, schedule := optim.SGD{LR: 0.2, Momentum: 0.5}, optim.Cosine{}
	w := tensor.Param{Name: "w", Value: tensor.New(1)}
	params := []tensor.Param{w}
	bufs := optim.NewBuffers(o, params)
	const total = 20
	for step := range total {
		grads := [][]tensor.Float{{2 * (w.Value.Data[0] - 3)}}
		optim.Clip(grads, 5)
		optim.Apply(nil, o, params, grads, bufs, step+1, o.Rate()*schedule.Scale(step, total), nil)
		if step%5 == 4 {
			fmt.Printf("step %d: w = %.3f\n", step+1, w.Value.Data[0])
		}
	}
	// Output:
	// step 5: w = 3.536
	// step 10: w = 2.932
	// step 15: w = 2.979
	// step 20: w = 2.985
}
