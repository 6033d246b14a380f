package safetensors_test

import (
	"bytes"
	"fmt"

	"synfire/format/safetensors"
)

func Example() {
	var b bytes.Buffer
	err := safetensors.EncodeSummed(&b, safetensors.File{
		Meta:    map[string]string{"learner": "stbp"},
		Tensors: map[string]safetensors.Array{"fc1.weight": safetensors.F32([]float32{1, 2, 3, 4, 5, 6}, 2, 3)},
	})
	fmt.Println("encode:", err)

	fmt.Println("verify:", safetensors.Verify(b.Bytes(), safetensors.Limits{}))
	f, err := safetensors.Decode(b.Bytes(), safetensors.Limits{})
	fmt.Println("decode:", err)
	w := f.Tensors["fc1.weight"]
	v, _ := w.F32s()
	fmt.Println(w.DType, w.Shape, v)
	// Output:
	// encode: <nil>
	// verify: <nil>
	// decode: <nil>
	// F32 [2 3] [1 2 3 4 5 6]
}
