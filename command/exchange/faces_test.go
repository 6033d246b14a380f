package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/data"
	"synfire/detect"
	"synfire/sample"
)

// faceFiles is a face detector of equal weights.
func faceFiles(t *testing.T, dir string) string {
	t.Helper()
	var weights []map[string]any
	size := 0
	add := func(name string, shape ...int) {
		weights = append(weights, map[string]any{"name": name, "shape": shape, "dtype": "float32", "quantization": map[string]any{"dtype": "uint8", "scale": 0.01, "min": 0}})
		n := 1
		for _, d := range shape {
			n *= d
		}
		size += n
	}
	add("conv0/filters", 3, 3, 3, 16)
	add("conv0/bias", 16)
	in := 16
	for i, out := range []int{32, 64, 128, 256, 512} {
		add(fmt.Sprintf("conv%d/depthwise_filter", i+1), 3, 3, in, 1)
		add(fmt.Sprintf("conv%d/pointwise_filter", i+1), 1, 1, in, out)
		add(fmt.Sprintf("conv%d/bias", i+1), out)
		in = out
	}
	add("conv8/filters", 1, 1, 512, 25)
	add("conv8/bias", 25)
	text, err := json.Marshal([]map[string]any{{"paths": []string{"w.bin"}, "weights": weights}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"m.json": text, "w.bin": make([]byte, size)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "m.json")
}

// The face detector becomes a model that finds boxes of one class, of pictures less their mean.
func TestFaces(t *testing.T) {
	dir := t.TempDir()
	file := faceFiles(t, dir)
	var out bytes.Buffer
	e := Env{Context: t.Context(), Catalog: catalog.Default(), Out: &out, Data: func(string) data.Options { return data.Options{} }}
	for side, given := range map[int]int{416: 0, 64: 64} {
		path := filepath.Join(dir, "model.safetensors")
		if err := (&Import{File: file, Size: given, Out: path}).Run(e); err != nil {
			t.Fatal(err)
		}
		m, err := e.Catalog.Open(path, catalog.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		f, task := m.Spec.Targets[0], m.Config.Task
		if f.Kind != sample.Boxes || strings.Join(f.Classes, " ") != "face" || m.Spec.Shape[0] != side || len(task) != 1 || m.Normalization == nil || m.Normalization.Mean[0] != 117.001/255 {
			t.Errorf("%+v, tasks %+v, %+v", m.Spec, task, m.Normalization)
		}
		if d, ok := task[0].Task.(detect.Detect); !ok || d.Overlap != 0.4 {
			t.Errorf("task %+v", task[0].Task)
		}
	}
	if !strings.Contains(out.String(), "conv5  separable convolution  conv5, leaky5, pool5") {
		t.Errorf("%s", out.String())
	}
	for want, c := range map[string]Import{
		"a multiple of 32":          {File: file, Size: 100},
		"leave out what is for NIR": {File: file, Steps: 3},
		"--size is for the face":    {File: "a.onnx", Data: "mnist-sample", Size: 64},
		"are for Darknet's .cfg":    {File: file, Classes: "names"},
		"is it a manifest":          {File: filepath.Join(dir, "w.json")},
		"leave --size out":          {File: "a.cfg", Weights: "a.weights", Size: 64},
		"3 means and 3":             {File: file, Data: "mnist-sample"},
	} {
		if err := os.WriteFile(filepath.Join(dir, "w.json"), []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
		c.Out = filepath.Join(dir, "none")
		if err := c.Run(e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
