package exchange

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/catalog"
	files "synfire/format/darknet"
	"synfire/sample"
	"synfire/tensor"
)

const detector = `[net]
width=8
height=8
channels=3
batch=1

[convolutional]
filters=4
size=3
stride=2
padding=1
batch_normalize=1
activation=leaky

[maxpool]
size=2
stride=1
padding=1

[convolutional]
filters=14
size=1
stride=1
padding=0
activation=linear

[region]
softmax=1
bias_match=1
coords=4
anchors=0.5,1,2,2.25
classes=2
num=2
`

// detectorFiles writes a detector with weights at random.
func detectorFiles(t *testing.T, dir string) (cfg, weights string) {
	t.Helper()
	c, err := files.Parse(strings.NewReader(detector))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := c.Layers()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	some := func(n int) (v []float32) {
		for range n {
			v = append(v, r.Float32())
		}
		return v
	}
	var all []files.Arrays
	for _, l := range layers {
		all = append(all, files.Arrays{Bias: some(l.Bias), Scales: some(l.Scales), Mean: some(l.Scales), Variance: some(l.Scales), Weights: some(l.Weights)})
	}
	var b bytes.Buffer
	if err := files.WriteWeights(&b, files.Header{Minor: 2, Revision: 5}, layers, all); err != nil {
		t.Fatal(err)
	}
	cfg, weights = filepath.Join(dir, "a.cfg"), filepath.Join(dir, "a.weights")
	for path, content := range map[string][]byte{cfg: []byte(detector), weights: b.Bytes(), filepath.Join(dir, "names"): []byte("cat\ndog\n")} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return cfg, weights
}

// A detector of Darknet becomes a model that finds boxes, and goes back into the same files.
func TestDarknet(t *testing.T) {
	dir := t.TempDir()
	cfg, weights := detectorFiles(t, dir)
	var out bytes.Buffer
	e := Env{Context: t.Context(), Catalog: catalog.Default(), Out: &out}
	path := filepath.Join(dir, "model.safetensors")
	if err := (&Import{File: cfg, Weights: weights, Classes: filepath.Join(dir, "names"), Out: path}).Run(e); err != nil {
		t.Fatal(err)
	}
	m, err := e.Catalog.Open(path, catalog.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if f := m.Spec.Targets[0]; f.Kind != sample.Boxes || strings.Join(f.Classes, " ") != "cat dog" || len(m.Config.Task) != 1 {
		t.Errorf("%+v, tasks %+v", f, m.Config.Task)
	}
	if !strings.Contains(out.String(), "read as boxes") {
		t.Errorf("%s", out.String())
	}
	out.Reset()
	back := filepath.Join(dir, "back.cfg")
	if err := (&Export{Model: path, Out: back}).Run(e); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "names of classes") {
		t.Errorf("export does not tell that names of classes are lost:\n%s", out.String())
	}
	for a, b := range map[string]string{cfg: back, weights: filepath.Join(dir, "back.weights")} {
		one, err := os.ReadFile(a)
		if err != nil {
			t.Fatal(err)
		}
		other, err := os.ReadFile(b)
		if err != nil || !bytes.Equal(one, other) {
			t.Errorf("%s differs from %s: %v\n%s", b, a, err, other)
		}
	}
	for want, c := range map[string]Import{
		"give the file of its weights":  {File: cfg},
		"want 2, a line each":           {File: cfg, Weights: weights, Classes: cfg},
		"darknet: ":                     {File: cfg, Weights: dir},
		"leave them out":                {File: "a.onnx", Weights: weights},
		"for ONNX with --anchors too":   {File: "a.onnx", Classes: weights, Data: "mnist"},
		"--anchors are for ONNX":        {File: cfg, Weights: weights, Anchors: []float64{1, 1}},
		"leave out what is for NIR":     {File: cfg, Weights: weights, Steps: 3},
		"ends after":                    {File: cfg, Weights: short(t, weights)},
		"give the data that the networ": {File: "a.onnx"},
	} {
		c.Out = filepath.Join(dir, "none")
		if err := c.Run(e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A detector goes to ONNX and, with its anchors and the names of its classes, comes back as one that finds
// the same boxes.
func TestDetectorByONNX(t *testing.T) {
	dir := t.TempDir()
	cfg, weights := detectorFiles(t, dir)
	e := Env{Context: t.Context(), Catalog: catalog.Default(), Out: io.Discard}
	model, file, back := filepath.Join(dir, "model.safetensors"), filepath.Join(dir, "net.onnx"), filepath.Join(dir, "back.safetensors")
	names, anchors := filepath.Join(dir, "names"), []float64{0.5, 1, 2, 2.25}
	if err := (&Import{File: cfg, Weights: weights, Classes: names, Out: model}).Run(e); err != nil {
		t.Fatal(err)
	}
	if err := (&Export{Model: model, Out: file}).Run(e); err != nil {
		t.Fatal(err)
	}
	if err := (&Import{File: file, Anchors: anchors, Classes: names, Out: back}).Run(e); err != nil {
		t.Fatal(err)
	}
	x := &sample.Sample{X: make([]tensor.Float, 8*8*3)}
	for i := range x.X {
		x.X[i] = tensor.Float(i%17) / 16
	}
	var boxes [2][]tensor.Float
	for i, path := range []string{model, back} {
		m, err := e.Catalog.Open(path, catalog.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if f := m.Spec.Targets[0]; f.Kind != sample.Boxes || strings.Join(f.Classes, " ") != "cat dog" || len(m.Config.Task) != 1 {
			t.Errorf("%+v, tasks %+v", f, m.Config.Task)
		}
		answers, err := m.Predict(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		boxes[i] = answers[0].Outputs[0].Scores
	}
	for i, v := range boxes[0] {
		if w := boxes[1][i]; math.Abs(float64(v-w)) > 1e-5 {
			t.Fatalf("value %d of the boxes: %v, by ONNX %v", i, v, w)
		}
	}
	for want, c := range map[string]Import{
		"want pairs of width":        {Anchors: anchors[:3]},
		"above 0":                    {Anchors: []float64{1, -1}},
		"read as boxes of 3":         {Anchors: []float64{1, 1, 2, 2, 3, 3}},
		"names of 2 classes, want 9": {Anchors: []float64{1, 1}, Classes: names},
		"leave out what is for NIR":  {Anchors: anchors, Steps: 3},
	} {
		c.File, c.Out = file, filepath.Join(dir, "none")
		if err := c.Run(e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A model never takes the place of a file that it is made of.
func TestDarknetApart(t *testing.T) {
	dir := t.TempDir()
	cfg, weights := detectorFiles(t, dir)
	names := filepath.Join(dir, "names")
	for _, path := range []string{cfg, weights, names} {
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		e := Env{Context: t.Context(), Catalog: catalog.Default(), Out: io.Discard}
		if err := (&Import{File: cfg, Weights: weights, Classes: names, Out: path}).Run(e); err == nil || !strings.Contains(err.Error(), "would be lost") {
			t.Errorf("%s: %v", path, err)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, was) {
			t.Errorf("%s has changed: %v", path, err)
		}
	}
}

// short is the first part of a file.
func short(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "short.weights")
	if err := os.WriteFile(to, b[:len(b)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	return to
}
