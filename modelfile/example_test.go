package modelfile_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"synfire/format/safetensors"
	"synfire/modelfile"
	"synfire/sample"
	"synfire/tensor"
)

// A model is written in a quarter of its size, and read.
func Example() {
	dir, err := os.MkdirTemp("", "model")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	model := modelfile.File{
		Rule: "bptt", Config: []byte("seed: 1\n"), Finished: true,
		Spec:   &sample.Spec{Shape: tensor.Shape{2}},
		Arrays: map[string]safetensors.Array{"w": safetensors.F32([]float32{1.27, 0.004, -0.5, 0.02}, 2, 2)},
	}
	small, err := model.Convert(modelfile.Int8)
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(dir, "model.safetensors")
	if err := modelfile.Write(path, small); err != nil {
		log.Fatal(err)
	}
	f, err := modelfile.Read(path)
	if err != nil {
		log.Fatal(err)
	}
	w, err := modelfile.Unpack(f.Arrays, "w", tensor.Shape{2, 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s of %v, stored as %s: %.4f\n", f.Rule, f.Spec, f.Stored, w)
	// Output: bptt of 2, stored as int8: [1.2700 0.0039 -0.5000 0.0200]
}
