package catalog_test

import (
	"testing"

	"synfire/catalog"
	"synfire/format/safetensors"
	"synfire/internal/par"
	"synfire/modelfile"
	"synfire/sample"
	"synfire/tensor"
)

// No model file makes FromFile panic or take more than it needs, nor a sample that fits
// what it says of its samples. The fuzzer cannot find checksums, so it is given what
// stands behind them.
func FuzzFromFile(f *testing.F) {
	path, remove := flowers()
	f.Cleanup(remove)
	m, err := modelfile.Read(path)
	if err != nil {
		f.Fatal(err)
	}
	c := catalog.Default()
	f.Add(m.Config, 2, "linear1.weight", []byte{1, 2, 3, 4, 5, 6, 7, 8}, 2)
	f.Add([]byte("rule: eqprop\ndata: {npz: x.npz}\nhidden: [3]\n"), 2, "weight1", []byte{0, 0, 128, 127}, 1)
	f.Add([]byte("data: {npz: x.npz}\nsteps: 1000000\nlayers: [{kind: linear, out: 1000000}]\n"), 1<<10, "", []byte{}, 0)
	pool := par.New(1)
	f.Cleanup(pool.Close)
	f.Fuzz(func(t *testing.T, config []byte, width int, name string, values []byte, axis int) {
		spec := *m.Spec
		spec.Shape = tensor.Shape{1, 1, width}
		if spec.Validate() != nil || width > 1<<12 {
			return
		}
		file := modelfile.File{Rule: m.Rule, Config: config, Spec: &spec, Finished: true, Format: 2, Arrays: map[string]safetensors.Array{}}
		for key, a := range m.Arrays {
			file.Arrays[key] = a
		}
		if name != "" && axis >= 0 {
			file.Arrays[name] = safetensors.Array{DType: "F32", Shape: []int{axis, len(values) / 4 / max(axis, 1)}, Data: values}
		}
		for rule := range c.Rules {
			file.Rule = rule
			got, err := c.FromFile(&file, catalog.OpenOptions{Pool: pool})
			if err != nil || got.Config.Steps > 100 {
				continue
			}
			if _, err := got.Predict(t.Context(), &sample.Sample{X: make([]tensor.Float, spec.Size())}); err != nil {
				continue
			}
		}
	})
}
