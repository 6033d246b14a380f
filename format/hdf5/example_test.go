package hdf5_test

import (
	"bytes"
	"fmt"

	"synfire/format/hdf5"
)

func Example() {
	root := &hdf5.Object{Children: []*hdf5.Object{
		{Name: "neuron", Children: []*hdf5.Object{
			{Name: "type", Array: hdf5.Text("LIF")},
			{Name: "tau", Array: hdf5.F32([]float32{0.01, 0.02}, 2)},
		}},
	}}
	var file bytes.Buffer
	if err := hdf5.Write(&file, root); err != nil {
		fmt.Println(err)
	}

	f, err := hdf5.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), hdf5.Limits{})
	if err != nil {
		fmt.Println(err)
	}
	tau, err := f.Root.Find("neuron/tau")
	if err != nil {
		fmt.Println(err)
	}
	values, err := tau.Array.Float64s()
	fmt.Printf("%s %v %.2f %v\n", tau.Array.Type, tau.Array.Shape, values, err)
	// Output: float32 [2] [0.01 0.02] <nil>
}
