package catalog_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"synfire/catalog"
	"synfire/data/input"
	"synfire/model"
	"synfire/modelfile"
	"synfire/sample"
	"synfire/tensor"
)

// A model answers without the data that it was trained on.
func ExampleCatalog_Open() {
	path, remove := flowers()
	defer remove()

	m, err := catalog.Default().Open(path, catalog.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	answers, err := m.Predict(context.Background(), &sample.Sample{X: []tensor.Float{5.1, 3.5}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answers[0].Task, answers[0].Class, len(answers[0].Scores), answers[0].Steps)

	// Files are read as the command reads them.
	for in := range input.Files(context.Background(), []string{filepath.Join(filepath.Dir(path), "garden.csv")}, nil, input.Options{Spec: m.Spec}) {
		fmt.Println(filepath.Base(in.Name), in.Sample.X, in.Err)
	}
	// Output:
	// class setosa 2 4
	// garden.csv:2 [5.1 3.5] <nil>
}

// flowers writes a model with weights of its own, and a table.
func flowers() (path string, remove func()) {
	dir, err := os.MkdirTemp("", "flowers")
	if err != nil {
		log.Fatal(err)
	}
	spec := sample.Spec{Shape: tensor.Shape{1, 1, 2}, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: []string{"setosa", "virginica"}}}}
	c := catalog.Default()
	const text = "data: {npz: flowers.npz}\nsteps: 4\nlayers: [flatten, {kind: linear, out: 2}, readout]\nloss: membrane-cross-entropy\n"
	cfg, err := c.Decode("flowers.yaml", []byte(text))
	if err == nil {
		cfg, err = cfg.For(spec)
	}
	if err != nil {
		log.Fatal(err)
	}
	learner, err := cfg.Rule.Learner(cfg.Setting(model.Sets{Spec: spec}, nil))
	if err != nil {
		log.Fatal(err)
	}
	arrays := learner.Model()
	for name, a := range arrays {
		if len(a.Shape) == 2 { // [in, out]: lengths speak for setosa
			arrays[name] = modelfile.Pack(tensor.Tensor{Shape: a.Shape, Data: []tensor.Float{1, -1, 0, 0}})
		}
	}
	path = filepath.Join(dir, "flowers.safetensors")
	if err := modelfile.Write(path, modelfile.File{Rule: "bptt", Config: []byte(text), Spec: &spec, Arrays: arrays, Finished: true}); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "garden.csv"), []byte("length,width\n5.1,3.5\n"), 0o644); err != nil {
		log.Fatal(err)
	}
	return path, func() { os.RemoveAll(dir) }
}
