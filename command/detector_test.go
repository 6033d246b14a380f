package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"synfire/energy"
	"synfire/format/darknet"
	"synfire/modelfile"
	"synfire/snntest"
)

// foundJSON is the contract of detect.
type foundJSON struct {
	Image         string
	Width, Height int
	Boxes         []struct {
		Class int
		Label string
		Score float64
		XMin  float64 `json:"x_min"`
		YMin  float64 `json:"y_min"`
		XMax  float64 `json:"x_max"`
		YMax  float64 `json:"y_max"`
	}
	Steps       int
	Spikes      int
	WallSeconds float64 `json:"wall_seconds"`
}

// finds is what detect finds in pictures, without how long it took.
func finds(t *testing.T, args ...string) (all []foundJSON) {
	t.Helper()
	stdout, stderr, code := command(append([]string{"detect", "--json", "--threads", "1"}, args...)...)
	if code != 0 {
		t.Fatal(stderr)
	}
	for line := range strings.Lines(stdout) {
		var f foundJSON
		strict(t, line, &f)
		f.WallSeconds = 0
		all = append(all, f)
	}
	return all
}

// drawing is a picture of some bright squares.
func drawing(t *testing.T, dir, name string, w, h, shift int) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			if (x+shift)/9%3 == 1 && y/11%2 == 1 {
				m.SetGray(x, y, color.Gray{uint8(150 + x + y)})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const sceneNet = `
data: {name: digit-scenes-sample, train: 60, test: 8}
encoder: constant
steps: 1
layers:
  - {kind: conv2d, out: 6, kernel: 3, stride: 2, padding: 1, no-bias: true}
  - {kind: batch-norm, epsilon: 1.0e-5}
  - {kind: relu, slope: 0.1}
  - {kind: max-pool, size: 2}
  - {kind: conv2d, out: 8, kernel: 3, stride: 2, padding: 1, no-bias: true}
  - {kind: batch-norm, epsilon: 1.0e-5}
  - {kind: relu, slope: 0.1}
  - {kind: conv2d, out: 30, kernel: 1}
loss: {kind: yolo, anchors: [[2, 3], [3, 3.5]]}
task: detect
optimizer: {kind: adam, lr: 0.01}
epochs: 2
batch: 10
`

// detectionJSON is what convert prints of a detector.
type detectionJSON struct {
	Method, Neuron, Readout string
	AnnMAP                  float64 `json:"ann_map50"`
	AnnLow                  float64 `json:"ann_map50_low"`
	AnnHigh                 float64 `json:"ann_map50_high"`
	Curve                   []struct {
		Steps  int
		MAP    float64 `json:"map50"`
		Low    float64 `json:"map50_low"`
		High   float64 `json:"map50_high"`
		Error  float64 `json:"output_error"`
		Spikes float64 `json:"spikes_per_sample"`
		Synops float64 `json:"synops_per_sample"`
		Papers energy.Papers
	}
	Energy []json.RawMessage
	Layers []json.RawMessage
	Notes  []struct{ Node, Effect, Text string }
	N      int
}

// A detector that was trained goes through Darknet's files and finds the same boxes; converted, it
// finds boxes as a spiking network. Converted twice it has the same bits, whatever the threads; a
// picture's boxes do not depend on those that it came with.
func TestDetector(t *testing.T) {
	dir := t.TempDir()
	if _, stderr, code := command("train", write(t, "net.yaml", sceneNet), "--out", filepath.Join(dir, "ann"), "--threads", "1"); code != 0 {
		t.Fatal(stderr)
	}
	model := filepath.Join(dir, "ann", "model.safetensors")
	a, b := drawing(t, dir, "a.png", 120, 90, 0), drawing(t, dir, "b.png", 96, 96, 5)
	const low = "0.02"
	ordinary := finds(t, model, a, b, "--score", low)
	if len(ordinary) != 2 || len(ordinary[0].Boxes) == 0 || len(ordinary[1].Boxes) == 0 || ordinary[0].Width != 120 {
		t.Fatalf("%+v", ordinary)
	}
	if alone := finds(t, model, b, "--score", low); !reflect.DeepEqual(alone[0], ordinary[1]) {
		t.Errorf("alone a picture has other boxes: %+v, want %+v", alone[0], ordinary[1])
	}

	cfg, back := filepath.Join(dir, "net.cfg"), filepath.Join(dir, "back.safetensors")
	if _, stderr, code := command("export", model, "-o", cfg); code != 0 {
		t.Fatal(stderr)
	}
	if _, stderr, code := command("import", cfg, "--weights", filepath.Join(dir, "net.weights"), "-o", back); code != 0 {
		t.Fatal(stderr)
	}
	// Darknet's weights are in single precision.
	if got := finds(t, back, a, b, "--score", low); !snntest.DoublePrecision() && !reflect.DeepEqual(got, ordinary) {
		t.Errorf("through Darknet's files: %+v, want %+v", got, ordinary)
	}

	convert := func(out, threads string) (string, []byte) {
		stdout, stderr, code := command("convert", model, "--method", "channel", "--steps", "8,64", "--samples", "20", "--threads", threads, "--out", out, "--json")
		if code != 0 {
			t.Fatal(stderr)
		}
		file, err := os.ReadFile(filepath.Join(out, "channel.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		return stdout, file
	}
	first, file := convert(filepath.Join(dir, "one"), "1")
	second, same := convert(filepath.Join(dir, "two"), "2")
	if first != second || !bytes.Equal(file, same) {
		t.Error("converted twice, a detector has other figures or bits")
	}
	var d detectionJSON
	strict(t, first, &d)
	if d.Method != "channel" || d.N != 8 || len(d.Curve) != 2 || !(d.Curve[1].Error < d.Curve[0].Error) || !(d.Curve[1].Spikes > d.Curve[0].Spikes) || len(d.Energy) != 2 || len(d.Layers) != 2 {
		t.Errorf("%s", first)
	}
	spiking := finds(t, filepath.Join(dir, "one", "channel.safetensors"), a, b, "--score", low)
	for i, f := range spiking {
		if f.Spikes == 0 || f.Steps != 64 || len(f.Boxes) == 0 {
			t.Errorf("picture %d as spikes: %+v", i, f)
		}
	}
	if alone := finds(t, filepath.Join(dir, "one", "channel.safetensors"), b, "--score", low); !reflect.DeepEqual(alone[0], spiking[1]) {
		t.Error("alone a picture has other boxes of spikes")
	}
}

// twoHeads finds boxes at two sizes as a YOLOv3 does: cells of 4 pixels and an anchor of 4×4, and
// cells of 2 pixels and one of 3×3.
const twoHeads = `[net]
width=8
height=8
channels=1

[convolutional]
filters=2
size=3
stride=2
pad=1
activation=leaky

[convolutional]
filters=2
size=3
stride=2
pad=1
activation=leaky

[convolutional]
filters=7
size=1
stride=1
activation=linear

[yolo]
mask=1
anchors=3,3, 4,4
classes=2
num=2

[route]
layers=-3

[upsample]
stride=2

[route]
layers=-1,0

[convolutional]
filters=7
size=1
stride=1
activation=linear

[yolo]
mask=0
anchors=3,3, 4,4
classes=2
num=2
`

// All weights are 0, so that the biases are what each cell says. The first head has boxes of 4×4
// pixels around the middles of its four cells, σ(2)·σ(1) of both classes. The second has boxes of
// 3×3 whose centres are three quarters into its 16 cells, as σ(ln 3) = ¾, of class 1 alone with
// σ(3)·σ(2). One of these lies within each of the first head's with an IoU of 9/16, and so hides
// that of its class: 4 of class 0 and 16 of class 1 are left. Measured against all of these, those
// of class 1 in pixels of the input reach beyond the picture, so that one of the sixteen, in the
// corner, has an IoU of 4/9: (1 + (15/16)²)/2.
func TestTwoHeads(t *testing.T) {
	dir := t.TempDir()
	c, err := darknet.Parse(strings.NewReader(twoHeads))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := c.Layers()
	if err != nil {
		t.Fatal(err)
	}
	biases := map[int][]float32{2: {0, 0, 0, 0, 2, 1, 1}, 7: {float32(math.Log(3)), float32(math.Log(3)), 0, 0, 3, -9, 2}}
	var all []darknet.Arrays
	for i, l := range layers {
		one := darknet.Arrays{Bias: make([]float32, l.Bias), Weights: make([]float32, l.Weights)}
		copy(one.Bias, biases[i])
		all = append(all, one)
	}
	var w bytes.Buffer
	if err := darknet.WriteWeights(&w, darknet.Header{Minor: 2, Revision: 5}, layers, all); err != nil {
		t.Fatal(err)
	}
	cfg, weights, model := filepath.Join(dir, "two.cfg"), filepath.Join(dir, "two.weights"), filepath.Join(dir, "two.safetensors")
	for path, content := range map[string][]byte{cfg: []byte(twoHeads), weights: w.Bytes()} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, stderr, code := command("import", cfg, "--weights", weights, "-o", model); code != 0 {
		t.Fatal(stderr)
	}
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	want := map[string]float64{}
	put := func(class int, x, y, side, score float64) {
		cut := func(v float64) float64 { return 10 * min(max(v, 0), 8) } // the picture is ten times as large
		want[fmt.Sprintf("%d %.3f %.3f %.3f %.3f", class, cut(x-side/2), cut(y-side/2), cut(x+side/2), cut(y+side/2))] = score
	}
	for i := range 16 {
		put(1, 2*float64(i%4)+1.5, 2*float64(i/4)+1.5, 3, logistic(3)*logistic(2))
		if i < 4 {
			put(0, 4*float64(i%2)+2, 4*float64(i/2)+2, 4, logistic(2)*logistic(1))
		}
	}
	picture := drawing(t, dir, "p.png", 80, 80, 0)
	truths := labelled(t, picture)
	unread(t, model, picture, truths)
	for _, path := range []string{model, again(t, dir, model)} {
		stdout, stderr, code := command("eval", path, "--data", "yaml:"+truths, "--json", "--threads", "1")
		if code != 0 || !strings.Contains(stdout, `"map50","value":93.9453125`) {
			t.Errorf("eval: code %d, %s%s", code, stdout, stderr)
		}
		stdout, stderr, code = command("detect", path, "--data", "yaml:"+truths, "--map", "--json", "--threads", "1")
		if code != 0 || !strings.Contains(stdout, `"n_images":1,"map50":93.9453125,"map50_95":`) || !strings.Contains(stdout, `"ap":{`) {
			t.Errorf("detect --map: code %d, %s%s", code, stdout, stderr)
		}
		boxes := finds(t, path, picture, "--score", "0.5")[0].Boxes
		if len(boxes) != 20 {
			t.Errorf("%d boxes, want 20", len(boxes))
		}
		for _, b := range boxes {
			key := fmt.Sprintf("%d %.3f %.3f %.3f %.3f", b.Class, b.XMin, b.YMin, b.XMax, b.YMax)
			if score, ok := want[key]; !ok || math.Abs(score-b.Score) > 1e-6 {
				t.Errorf("%s: score %v, want %v (%v)", key, b.Score, score, ok)
			}
		}
	}
}

// Boxes of an output that the task does not read are missed in silence by no verb.
func unread(t *testing.T, path, picture, truths string) {
	t.Helper()
	f, err := modelfile.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	config := regexp.MustCompile(`(?m)^\s*others:.*\n|,? *others: *\[[^]]*\]`).ReplaceAll(f.Config, nil)
	if bytes.Equal(config, f.Config) {
		t.Fatalf("no others in\n%s", f.Config)
	}
	f.Config = config
	one := filepath.Join(t.TempDir(), "one.safetensors")
	if err := modelfile.Write(one, *f); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"eval", one, "--data", "yaml:" + truths}, {"convert", one, "--data", "yaml:" + truths, "--steps", "2"}, {"detect", one, picture}, {"detect", one, "--data", "yaml:" + truths, "--map"}} {
		if _, stderr, code := command(args...); code == 0 || !strings.Contains(stderr, "is boxes, too") {
			t.Errorf("%s: code %d, %s", args[0], code, stderr)
		}
	}
}

// labelled is a file that names a folder of that picture with labels in the form of YOLO, which
// are what both heads find in it.
func labelled(t *testing.T, picture string) string {
	t.Helper()
	dir := t.TempDir()
	var boxes strings.Builder
	for i := range 16 {
		x, y := 2*float64(i%4)+1.5, 2*float64(i/4)+1.5
		x0, y0, x1, y1 := max(0, x-1.5), max(0, y-1.5), min(8, x+1.5), min(8, y+1.5)
		fmt.Fprintf(&boxes, "1 %v %v %v %v\n", (x0+x1)/16, (y0+y1)/16, (x1-x0)/8, (y1-y0)/8)
		if i < 4 {
			fmt.Fprintf(&boxes, "0 %v %v 0.5 0.5\n", float64(i%2)/2+0.25, float64(i/2)/2+0.25)
		}
	}
	content, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"images/p.png": string(content), "labels/p.txt": boxes.String(), "classes.txt": "0\n1\n", "data.yaml": "source: {kind: boxes, layout: yolo, path: ., train: images, test: images, size: [8, 8], channels: 1}\n"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "data.yaml")
}

// again is a model that went through Darknet's files.
func again(t *testing.T, dir, model string) string {
	t.Helper()
	cfg, back := filepath.Join(dir, "again.cfg"), filepath.Join(dir, "again.safetensors")
	if _, stderr, code := command("export", model, "-o", cfg); code != 0 {
		t.Fatal(stderr)
	}
	if _, stderr, code := command("import", cfg, "--weights", filepath.Join(dir, "again.weights"), "-o", back); code != 0 {
		t.Fatal(stderr)
	}
	return back
}
