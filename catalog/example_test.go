package catalog_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"synfire/catalog"
	"synfire/data"
	"synfire/modelfile"
	"synfire/sample"
	"synfire/tensor"
)

// A file is trained, and its model opened without the data.
func Example() {
	c := catalog.Default()
	path, err := trained(c, `
data: {source: {kind: moons}}
steps: 8
layers: [flatten, {kind: linear, out: 20}, {kind: spiking, surrogate: {kind: fast-sigmoid, slope: 5}}, {kind: linear, out: 2}, readout]
loss: membrane-cross-entropy
optimizer: {kind: adam, lr: 0.01}
epochs: 5
batch: 20
`)
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(filepath.Dir(path))

	m, err := c.Open(path, catalog.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	answers, err := m.Predict(context.Background(),
		&sample.Sample{X: []tensor.Float{0, 0.9}}, &sample.Sample{X: []tensor.Float{1, -0.4}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Rule, m.Spec, m.Classes())
	fmt.Println(answers[0].Class, answers[1].Class)
	// Output:
	// bptt 1×1×2 [0 1]
	// 0 1
}

// trained is the model that a configuration comes to, in a folder of its own.
func trained(c catalog.Catalog, yaml string) (path string, err error) {
	ctx := context.Background()
	cfg, err := c.Decode("net.yaml", []byte(yaml))
	if err != nil {
		return "", err
	}
	trainSet, testSet, err := c.Load(ctx, cfg.Data, data.Options{})
	if err != nil {
		return "", err
	}
	cfg, sets, err := cfg.Prepare(ctx, trainSet, testSet)
	if err != nil {
		return "", err
	}
	loop, err := cfg.Loop(sets, nil)
	if err != nil {
		return "", err
	}
	if _, err := loop.Run(ctx); err != nil {
		return "", err
	}
	resolved, err := c.Encode(cfg)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "model.safetensors")
	return path, modelfile.Write(path, modelfile.File{
		Rule: c.RuleName(cfg.Rule), Config: resolved, Spec: &sets.Spec, Normalization: sets.Normalization,
		Arrays: loop.Learner.Model(), Finished: true,
	})
}
