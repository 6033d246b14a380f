package coupling_test

import (
	"fmt"

	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/sparse"
	"synfire/tensor"
)

// A unit that two inputs drive: the drive is what the energy, but for the leak ½s², falls
// by with the state.
func Example() {
	net := coupling.NewNet(nil, []int{2, 1}, coupling.Glorot, 1, "")
	copy(net.W[0].Value.Data, []tensor.Float{1, -0.5})
	x, drive := []tensor.Float{1, 0.5}, []tensor.Float{0}
	layer := coupling.NewDense(net.W[0].Value, &sparse.Matrix{})
	layer.Renew()
	layer.Up(nil, 1, x, drive)
	at := func(s tensor.Float) float64 { return net.Energy(x, [][]tensor.Float{{s}}) }
	fmt.Println("drive", drive[0], "energy", at(0), at(0.75), at(1))
	// Output: drive 0.75 energy 0 -0.28125 -0.25
}
