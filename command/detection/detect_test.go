package detection

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/model"
	"synfire/modelfile"
	"synfire/report/boxes"
	"synfire/sample"
	"synfire/tensor"
	"synfire/view"
)

// config is a detector of two cells whose output is its bias: a box of class b in the middle
// of the left half, of score σ(2)·σ(2).
const config = `data: {name: any}
encoder: constant
steps: 1
layers: [{kind: conv2d, out: 7, kernel: 4, stride: 4}]
loss: {kind: yolo, anchors: [[0.5, 0.5]]}
task: detect
`

// trained writes a detector of pictures of 4×8 pixels.
func trained(t *testing.T) string {
	t.Helper()
	return write(t, config, sample.Spec{Shape: tensor.Shape{4, 8, 1}, Targets: []sample.Field{{Name: "boxes", Kind: sample.Boxes, Classes: []string{"a", "b"}, Shape: tensor.Shape{4, 8}}}})
}

// write writes a model whose weights are 0, and its biases those of the detector.
func write(t *testing.T, config string, spec sample.Spec) string {
	t.Helper()
	c := catalog.Default()
	cfg, err := c.Decode("model.yaml", []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	if cfg, err = cfg.For(spec); err != nil {
		t.Fatal(err)
	}
	l, err := cfg.Rule.Learner(cfg.Setting(model.Sets{Spec: spec}, nil))
	if err != nil {
		t.Fatal(err)
	}
	arrays := l.Model()
	for name, a := range arrays {
		value := tensor.New(a.Shape...)
		if len(a.Shape) == 1 && a.Shape[0] == 7 {
			copy(value.Data, []tensor.Float{0, 0, 0, 0, 2, -1, 1}) // the bias
		}
		arrays[name] = modelfile.Pack(value)
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := modelfile.Write(path, modelfile.File{Rule: "bptt", Config: []byte(config), Spec: &spec, Arrays: arrays, Finished: true}); err != nil {
		t.Fatal(err)
	}
	return path
}

func blank(t *testing.T, path string, w, h int) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, c Detect) (out, errs string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	err = c.Run(Env{Screen: view.Screen{Out: &o, Err: &e}, Context: t.Context(), Catalog: catalog.Default(), Program: "synfire"})
	return o.String(), e.String(), err
}

// Boxes are in pixels of the picture, whatever its size; a picture that is broken does not
// keep others from being looked at.
func TestDetect(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	blank(t, filepath.Join(dir, "a.png"), 160, 80)
	blank(t, filepath.Join(dir, "c.png"), 80, 80) // letterboxed: bars of a quarter on both sides
	if err := os.WriteFile(filepath.Join(dir, "b.png"), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := Detect{Model: trained(t), Images: []string{dir}, Out: out, Score: 0.5, Threads: 1, JSON: true}
	text, _, err := run(t, c)
	if err == nil || !strings.Contains(err.Error(), "1 of 3 pictures failed") {
		t.Errorf("%v", err)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 3 || !strings.Contains(lines[1], `"error"`) {
		t.Fatalf("%s", text)
	}
	// Cells are 4 pixels, the anchor half of one: 3 to 5 … of 8 in the sample's pixels.
	for i, want := range map[int][][4]float64{0: {{20, 20, 60, 60}, {100, 20, 140, 60}}, 2: {{0, 20, 20, 60}, {60, 20, 80, 60}}} {
		var f found
		if err := json.Unmarshal([]byte(lines[i]), &f); err != nil {
			t.Fatal(err)
		}
		var got [][4]float64
		for _, b := range f.Boxes {
			got = append(got, [4]float64{b.XMin, b.YMin, b.XMax, b.YMax})
			if b.Label != "b" || b.Class != 1 || b.Score < 0.77 || b.Score > 0.78 { // σ(2)² = 0.7758
				t.Errorf("%+v", b)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("picture %d: boxes %v, want %v", i, got, want)
		}
	}
	b, err := os.ReadFile(filepath.Join(out, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	// 160×80 is drawn four times as large; a box begins at (80, 80).
	r, g, bl, _ := m.At(81, 160).RGBA()
	if m.Bounds().Dx() != 640 || (color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8), 255}) != boxes.Colours[1] {
		t.Errorf("%v, colour of the box's edge %v %v %v", m.Bounds(), r>>8, g>>8, bl>>8)
	}
	if r, _, _, _ := m.At(160, 160).RGBA(); r != 0 {
		t.Error("a box is filled")
	}
	c.JSON, c.Out = false, ""
	text, errs, _ := run(t, c)
	if !strings.Contains(text, "160×80  2 boxes") || !strings.Contains(errs, "b.png") {
		t.Errorf("%s\n%s", text, errs)
	}
	// A score that none reaches leaves none.
	c.Score, c.Images = 0.9, []string{filepath.Join(dir, "a.png")}
	if text, _, err := run(t, c); err != nil || !strings.Contains(text, "0 boxes") {
		t.Errorf("%s, %v", text, err)
	}
}

// The detector that ships finds the digits of a scene that it has not learned, and no others.
func TestShipped(t *testing.T) {
	text, _, err := run(t, Detect{Model: "digit-scenes", Images: []string{"../../examples/testdata/scenes/4.png"}, Score: 0.5, Threads: 1, JSON: true})
	if err != nil {
		t.Fatal(err)
	}
	var f found
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, b := range f.Boxes {
		labels = append(labels, b.Label)
	}
	if slices.Sort(labels); !slices.Equal(labels, []string{"4", "6", "6"}) || f.Steps != 16 || f.Spikes == 0 {
		t.Errorf("%v in %d steps with %d spikes", labels, f.Steps, f.Spikes)
	}
}

func TestErrors(t *testing.T) {
	dir, empty := t.TempDir(), t.TempDir()
	blank(t, filepath.Join(dir, "a.png"), 8, 4)
	classes := write(t, "data: {name: any}\nsteps: 1\nencoder: constant\nlayers: [flatten, {kind: linear, out: 2}]\nloss: membrane-cross-entropy\n",
		sample.Spec{Shape: tensor.Shape{4, 8, 1}, Targets: []sample.Field{{Name: "class", Classes: []string{"a", "b"}}}})
	good := Detect{Model: trained(t), Images: []string{filepath.Join(dir, "a.png")}, Score: 0.5, Threads: 1}
	for want, change := range map[string]func(*Detect){
		"has no pictures":      func(c *Detect) { c.Images = []string{empty} },
		"1 of 1 pictures fail": func(c *Detect) { c.Images = []string{filepath.Join(dir, "none.png")} },
		"both be drawn to a.p": func(c *Detect) { c.Images, c.Out = append(c.Images, filepath.Join(dir, "a.jpg")), t.TempDir() },
		"none.safetensors":     func(c *Detect) { c.Model = filepath.Join(dir, "none.safetensors") },
		"nowhere is no folder": func(c *Detect) { c.Map, c.Annotations = true, "nowhere" }, // told once, not for each picture
		"no task detect":       func(c *Detect) { c.Model = classes },
	} {
		c := good
		change(&c)
		if _, _, err := run(t, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	if runtime.GOOS == "linux" {
		c := good
		c.Out = "/proc/self"
		if text, _, err := run(t, c); err == nil || !strings.Contains(err.Error(), "can be written to") || text != "" { // told once, not for each picture
			t.Errorf("a folder that cannot be written to: %v\n%s", err, text)
		}
	}
	for want, c := range map[string]Detect{
		"--score: 0,":           {Images: good.Images},
		"--score: 1,":           {Images: good.Images, Score: 1},
		"--score: -1,":          {Images: good.Images, Score: -1},
		"expected pictures":     {Score: 0.5},
		"one of them":           {Score: 0.5, Images: good.Images, Data: "bccd", Map: true},
		"by --annotations":      {Score: 0.5, Images: good.Images, Map: true},
		"add --map":             {Score: 0.5, Data: "bccd"},
		"leave them out":        {Score: 0.5, Data: "bccd", Map: true, Out: "o"},
		"are what --map":        {Score: 0.5, Images: good.Images, Annotations: "a"},
		"are of pictures, leav": {Score: 0.5, Data: "bccd", Map: true, Annotations: "a"},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A drawing never takes the place of a picture, in whatever order they come; nothing is looked at then.
// That --out is no folder is told once.
func TestOut(t *testing.T) {
	dir := t.TempDir()
	blank(t, filepath.Join(dir, "a.png"), 8, 4)
	blank(t, filepath.Join(dir, "b.png"), 8, 4)
	if err := os.Rename(filepath.Join(dir, "b.png"), filepath.Join(dir, "B.jpg")); err != nil { // its drawing is B.png
		t.Fatal(err)
	}
	was, err := os.ReadFile(filepath.Join(dir, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	c := Detect{Model: trained(t), Images: []string{dir}, Out: filepath.Join(dir, "..", filepath.Base(dir)), Score: 0.5, Threads: 1}
	text, errs, err := run(t, c)
	if err == nil || !strings.Contains(err.Error(), "take the place of the picture") || text+errs != "" {
		t.Errorf("%v\n%s%s", err, text, errs)
	}
	if now, err := os.ReadFile(filepath.Join(dir, "a.png")); err != nil || !bytes.Equal(now, was) {
		t.Errorf("the picture has changed: %v", err)
	}
	c.Images = []string{filepath.Join(dir, "B.jpg")}
	if text, _, err := run(t, c); err != nil || !strings.Contains(text, "2 boxes") {
		t.Errorf("beside a picture of another name: %s, %v", text, err)
	}
	c.Images, c.Out = []string{dir}, filepath.Join(dir, "a.png")
	if text, errs, err := run(t, c); err == nil || !strings.Contains(err.Error(), "name a folder") || text+errs != "" {
		t.Errorf("%v\n%s%s", err, text, errs)
	}
}

// stopper interrupts at the first thing that is said.
type stopper struct{ stop func() }

func (s stopper) Write(p []byte) (int, error) {
	s.stop()
	return len(p), nil
}

// What was drawn before an interruption stays, and that is said.
func TestInterrupted(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	blank(t, filepath.Join(dir, "a.png"), 8, 4)
	blank(t, filepath.Join(dir, "b.png"), 8, 4)
	ctx, stop := context.WithCancel(t.Context())
	c := Detect{Model: trained(t), Images: []string{dir}, Out: out, Score: 0.5, Threads: 1}
	err := c.Run(Env{Screen: view.Screen{Out: stopper{stop}, Err: io.Discard}, Context: ctx, Catalog: catalog.Default(), Program: "synfire"})
	if err == nil || !strings.Contains(err.Error(), "drawings of 1 of 2 pictures are in "+out) || errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if list, err := os.ReadDir(out); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	c.Out = ""
	if err := c.Run(Env{Screen: view.Screen{Out: io.Discard, Err: io.Discard}, Context: ctx, Catalog: catalog.Default(), Program: "synfire"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// With annotations beside the pictures the mean average precision is told, too: of two truths of a
// picture one is found, of four boxes two are there at scores above the others; a picture without
// an annotation is among the failed.
func TestMAP(t *testing.T) {
	dir, notes := t.TempDir(), t.TempDir()
	blank(t, filepath.Join(dir, "a.png"), 160, 80)
	blank(t, filepath.Join(dir, "b.png"), 160, 80)
	xml := `<annotation><size><width>160</width><height>80</height></size>` +
		`<object><name>b</name><bndbox><xmin>21</xmin><ymin>21</ymin><xmax>60</xmax><ymax>60</ymax></bndbox></object>` +
		`<object><name>b</name><bndbox><xmin>101</xmin><ymin>21</ymin><xmax>140</xmax><ymax>60</ymax></bndbox></object></annotation>`
	if err := os.WriteFile(filepath.Join(notes, "a.xml"), []byte(xml), 0o644); err != nil {
		t.Fatal(err)
	}
	c := Detect{Model: trained(t), Images: []string{dir}, Score: 0.5, Threads: 1, Map: true, Annotations: notes}
	text, errs, err := run(t, c)
	if err == nil || !strings.Contains(err.Error(), "1 of 2 pictures failed") || !strings.Contains(errs, "b.png") {
		t.Errorf("%v\n%s", err, errs)
	}
	above := c
	above.Score = 0.9 // of what is told, not of what counts
	if text, _, _ := run(t, above); !strings.Contains(text, "0 boxes") || !strings.Contains(text, "over 1 pictures at an IoU of 0.5: 100.0 %") {
		t.Errorf("at a score that none reaches: %s", text)
	}
	if !strings.Contains(text, "over 1 pictures at an IoU of 0.5: 100.0 %") || !strings.Contains(text, "undefined") {
		t.Errorf("%s", text)
	}
	// A class that the detector does not know, and another size, are told.
	for from, want := range map[string]string{"<name>b</name>": "class \"x\"", "<width>160": "of 170×80"} {
		to := map[string]string{"<name>b</name>": "<name>x</name>", "<width>160": "<width>170"}[from]
		if err := os.WriteFile(filepath.Join(notes, "a.xml"), []byte(strings.Replace(xml, from, to, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, errs, _ := run(t, c); !strings.Contains(errs, want) {
			t.Errorf("%s, want %s", errs, want)
		}
	}
	c.JSON = true
	text, _, _ = run(t, c)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var p precision
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &p); err != nil || p.MAP != nil || p.COCO != nil || p.N != 0 || p.Data != notes || len(p.AP) != 2 {
		t.Errorf("%s, %v", text, err)
	}
}
