package command

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/data/input"
	"synfire/format/npz"
	"synfire/model"
	"synfire/modelfile"
	"synfire/sample"
	"synfire/tensor"
	"synfire/view"
)

// modelOf writes a model of a network that was never trained, for samples of a spec.
func modelOf(t *testing.T, spec sample.Spec, yaml string) string {
	t.Helper()
	c := catalog.Default()
	cfg, err := c.Decode("net.yaml", []byte(yaml))
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
	text, err := c.Encode(cfg)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	f := modelfile.File{Rule: c.RuleName(cfg.Rule), Config: text, Spec: &spec, Arrays: l.Model(), Finished: true}
	if err := modelfile.Write(path, f); err != nil {
		t.Fatal(err)
	}
	return path
}

func classes(shape ...int) sample.Spec {
	return sample.Spec{Shape: tensor.Shape(shape), Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: []string{"dark", "light"}}}}
}

// predicted are the JSON lines of predict.
func predicted(t *testing.T, want int, args ...string) (list []view.Prediction) {
	t.Helper()
	stdout, stderr, code := command(append([]string{"predict", "--json"}, args...)...)
	if code != want {
		t.Fatalf("%v: exit code %d, want %d: %s%s", args, code, want, stdout, stderr)
	}
	for _, line := range strings.Split(strings.TrimSpace(stdout), "\n") {
		var failed failedInput
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		if d.Decode(&failed) == nil && failed.Error != "" {
			list = append(list, view.Prediction{Input: failed.Input, Task: "error: " + failed.Error})
			continue
		}
		var p view.Prediction
		strict(t, line, &p)
		list = append(list, p)
	}
	return list
}

func pngOf(t *testing.T, w, h int, v uint8) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.SetGray(i%w, i/w, color.Gray{Y: v})
	}
	return file(t, "a.png", func(b *bytes.Buffer) error { return png.Encode(b, m) })
}

const readoutNet = "\nsteps: 3\nlayers: [flatten, {kind: linear, out: 2}, readout]\nloss: membrane-cross-entropy\n"

// Images of the size of the model are answered with the scores of all classes; one of
// another size is an error, unless training stretched its own.
func TestPredictImages(t *testing.T) {
	right, wrong := pngOf(t, 4, 4, 200), pngOf(t, 8, 8, 200)
	strictly := modelOf(t, classes(4, 4, 1), "data: {name: mnist}"+readoutNet)
	list := predicted(t, 1, strictly, right, wrong, "absent.png")
	if len(list) != 3 || list[0].Task != "classify" || len(list[0].Scores) != 2 || list[0].Steps != 3 || list[0].Scores[list[0].Class] < list[0].Scores["dark"] {
		t.Fatalf("%+v", list)
	}
	if !strings.Contains(list[1].Task, "8×8") || !strings.Contains(list[2].Task, "no such file") {
		t.Errorf("%+v", list[1:])
	}
	stretching := modelOf(t, classes(4, 4, 1), "data: {folder: x, size: [4, 4]}"+readoutNet)
	if list := predicted(t, 0, stretching, right, wrong); list[0].Class != list[1].Class || math.Abs(list[0].Scores["dark"]-list[1].Scores["dark"]) > 1e-5 {
		t.Errorf("stretched: %+v", list)
	}
	stdout, _, code := command("predict", strictly, right)
	if code != 0 || !strings.Contains(stdout, "dark") || !strings.Contains(stdout, "steps 3") {
		t.Errorf("text: %d, %s", code, stdout)
	}
}

// The table that a model was trained on can be asked about as it is: its label and what
// was left out are no values.
func TestPredictTableWithItsLabels(t *testing.T) {
	m := modelOf(t, classes(1, 1, 2), "data: {source: {kind: table, path: x.csv, label: sort, ignore: [id]}}"+readoutNet)
	list := predicted(t, 0, m, write(t, "x.csv", "id,left,sort,right\na1,0.5,dark,1\na2,0.25,light,-1\n"), write(t, "y.csv", "0.5,1\n"))
	if len(list) != 3 || !reflect.DeepEqual(list[0].Scores, list[2].Scores) || reflect.DeepEqual(list[0].Scores, list[1].Scores) {
		t.Errorf("%+v", list)
	}
}

// Columns are found by their names where the model knows them, and not by their places: in
// another order they gave another answer without a word.
func TestPredictColumnsByName(t *testing.T) {
	spec := classes(1, 1, 2)
	spec.Columns = []string{"left", "right"}
	m := modelOf(t, spec, "data: {source: {kind: table, path: x.csv, label: sort}}"+readoutNet)
	list := predicted(t, 0, m, write(t, "x.csv", "left,right\n0.5,1\n"), write(t, "y.csv", "right,sort,left\n1,dark,0.5\n"))
	if len(list) != 2 || !reflect.DeepEqual(list[0].Scores, list[1].Scores) {
		t.Errorf("%+v", list)
	}
	for name, in := range map[string]struct{ content, want string }{
		"other.csv": {"left,wright\n1,2\n", `column "wright" is none of those`},
		"less.csv":  {"left\n1\n", `no column "right"`},
		"twice.csv": {"left,left,right\n1,2,3\n", `two columns are named "left"`},
	} {
		var err error
		for got := range input.Files(t.Context(), []string{write(t, name, in.content)}, nil, input.Options{Spec: spec}) {
			err = got.Err
		}
		if err == nil || !strings.Contains(err.Error(), in.want) {
			t.Errorf("%s: %v, want %q", name, err, in.want)
		}
	}
}

// The same numbers in a table, arrays and on standard input are the same answers, and
// each sample is named.
func TestPredictNumbers(t *testing.T) {
	m := modelOf(t, classes(1, 1, 2), "data: {npz: x.npz}"+readoutNet)
	csv := write(t, "a.csv", "left,right\n0.5,1\n0.25,-1\n")
	bare := write(t, "b.csv", "0.5;1\n")
	arrays := file(t, "a.npz", func(b *bytes.Buffer) error {
		return npz.Write(b, map[string]npz.Array{"x": npz.F32([]float32{0.5, 1, 0.25, -1}, 2, 2)})
	})
	one := file(t, "a.npy", func(b *bytes.Buffer) error { return npz.WriteNPY(b, npz.F64([]float64{0.5, 1}, 2)) })
	in, err := os.Open(write(t, "in", "0.5 1\n0.25 -1\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	stdin := os.Stdin
	os.Stdin = in
	defer func() { os.Stdin = stdin }()
	list := predicted(t, 0, m, csv, bare, arrays, one, "-")
	var inputs []string
	for _, p := range list {
		inputs = append(inputs, filepath.Base(p.Input))
	}
	if !slices.Equal(inputs, []string{"a.csv:2", "a.csv:3", "b.csv:1", "a.npz:0", "a.npz:1", "a.npy", "-:1", "-:2"}) {
		t.Fatalf("inputs %q", inputs)
	}
	for i, same := range []int{0, 1, 0, 0, 1, 0, 0, 1} {
		if p := list[i]; p.Scores["dark"] != list[same].Scores["dark"] || p.Scores["light"] != list[same].Scores["light"] {
			t.Errorf("%s: %v, want %v", p.Input, p.Scores, list[same].Scores)
		}
	}
	bad := write(t, "bad.csv", "left,right\n0.5,1\n0.5,x\n1,2,3\n")
	if list := predicted(t, 1, m, bad); len(list) != 3 || list[0].Class == "" || !strings.Contains(list[1].Task, "no finite number") || !strings.Contains(list[2].Task, "3 columns") {
		t.Errorf("%+v", list)
	}
}

// Sounds become frames, and a duration that training did not have is an error.
// A column that holds no numbers was complained of in each line.
func TestPredictTellsOfABadColumnOnce(t *testing.T) {
	m := modelOf(t, classes(1, 1, 2), "data: {npz: x.npz}"+readoutNet)
	bad := write(t, "bad.csv", "0.5,a\n0.5,b\n1,c\n0.5,1\n1\n")
	_, stderr, code := command("predict", m, bad)
	if code != exitFailed || strings.Count(stderr, "column 2") != 1 || !strings.Contains(stderr, `"a" is no finite number`) || !strings.Contains(stderr, "(and so 2 more, to "+bad+":3)") || strings.Count(stderr, "\n") != 2 {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestPredictSound(t *testing.T) {
	spec := classes(4)
	spec.Steps = 5
	m := modelOf(t, spec, "data: {name: mnist}\nencoder: frames\nlayers: [{kind: linear, out: 2}, readout]\nloss: membrane-cross-entropy\n")
	sound := func(n int) string {
		return file(t, "a.wav", func(b *bytes.Buffer) error {
			b.WriteString("RIFF\x00\x00\x00\x00WAVEfmt ")
			for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(8000), uint32(16000), uint16(2), uint16(16)} {
				if err := binary.Write(b, binary.LittleEndian, v); err != nil {
					return err
				}
			}
			b.WriteString("data")
			return binary.Write(b, binary.LittleEndian, append([]int16{int16(2 * n), 0}, make([]int16, n)...))
		})
	}
	list := predicted(t, 1, m, sound(20), sound(18), sound(40))
	if len(list) != 3 || list[0].Class == "" || list[1].Class == "" || list[0].Steps != 5 || !strings.Contains(list[2].Task, "10 steps") {
		t.Errorf("%+v", list)
	}
}

// Recordings of an event camera: five bytes an event.
func TestPredictEvents(t *testing.T) {
	spec := classes(2, 2, 2)
	spec.Events, spec.Duration = true, 1e-3
	m := modelOf(t, spec, "data: {name: mnist}\nencoder: events\nsteps: 4\nlayers: [flatten, {kind: linear, out: 2}, readout]\nloss: membrane-cross-entropy\n")
	recording := func(events ...byte) string { return write(t, "a.bin", string(events)) }
	list := predicted(t, 1, m, recording(0, 1, 0x80, 0, 10, 1, 0, 0, 1, 0), recording(9, 0, 0, 0, 1), recording(0, 0, 0, 0xff, 0), recording(0, 0))
	if len(list) != 4 || list[0].Class == "" || list[0].Steps != 4 {
		t.Fatalf("%+v", list)
	}
	for i, want := range []string{"pixel (9, 0)", "the last event is at", "whole events"} {
		if !strings.Contains(list[i+1].Task, want) {
			t.Errorf("%s, want %q", list[i+1].Task, want)
		}
	}
}

// What the model does not take is said, by the file's kind.
func TestPredictMistakes(t *testing.T) {
	m := modelOf(t, classes(1, 1, 2), "data: {npz: x.npz}"+readoutNet)
	for _, c := range []struct{ file, want string }{
		{pngOf(t, 4, 4, 1), "the model takes"},
		{write(t, "a.bin", ""), "recording of events"},
		{write(t, "a.txt", "1 2"), "no format that is known"},
		{write(t, "a.csv", "a,b\n"), "no lines of numbers"},
	} {
		if list := predicted(t, 1, m, c.file); len(list) != 1 || !strings.Contains(list[0].Task, c.want) {
			t.Errorf("%s: %+v, want %q", c.file, list, c.want)
		}
	}
	if _, stderr, code := command("predict", write(t, "x.safetensors", "no model"), "a.png"); code != 1 || !strings.Contains(stderr, "x.safetensors") {
		t.Errorf("no model: %d, %s", code, stderr)
	}
}

// A checkpoint of version 1 is measured and asked on the data that it was trained on,
// which say what it does not.
func TestFormat1(t *testing.T) {
	old := filepath.Join("..", "modelfile", "testdata", "format1")
	raw, err := os.ReadFile(filepath.Join(old, "bptt.json"))
	if err != nil {
		t.Fatal(err)
	}
	var kept struct{ Scores [][]float64 }
	if err := json.Unmarshal(raw, &kept); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := command("eval", filepath.Join(old, "bptt.safetensors"), "--data", "mnist-sample", "--json")
	var e catalog.Evaluation
	strict(t, stdout, &e)
	if code != 0 || e.N != 500 || e.Split != "test" || e.Task != "classify" || len(e.PerClass) != 10 {
		t.Errorf("eval: %d, %+v, %s", code, e, stderr)
	}
	set, err := catalog.Default().Dataset("mnist-sample")
	if err != nil {
		t.Fatal(err)
	}
	_, test, err := set.Load(t.Context(), dataOptions(&app{}, ""))
	if err != nil {
		t.Fatal(err)
	}
	x := sample.Sample{X: make([]tensor.Float, test.Spec().Size())}
	if err := test.Read(t.Context(), 0, &x); err != nil {
		t.Fatal(err)
	}
	v := make([]float64, len(x.X))
	for i, one := range x.X {
		v[i] = float64(one)
	}
	digit := file(t, "a.npy", func(b *bytes.Buffer) error { return npz.WriteNPY(b, npz.F64(v, 28, 28)) })
	list := predicted(t, 0, filepath.Join(old, "bptt.safetensors"), digit, "--data", "mnist-sample")
	for k, want := range kept.Scores[0] {
		if got := list[0].Scores[string(rune('0'+k))]; math.Abs(got-want) > 1e-4*(1+math.Abs(want)) {
			t.Errorf("class %d: score %v, was %v", k, got, want)
		}
	}
	stdout, stderr, code = command("inspect", filepath.Join(old, "bptt.safetensors"), "--json")
	var in inspection
	strict(t, stdout, &in)
	if code != 0 || in.Format != "checkpoint" || in.Version != "1" || in.Summary["rule"] != "bptt" || in.Summary["task"] != "" && in.Summary["task"] != "classify" {
		t.Errorf("inspect: %d, %s, %s", code, stdout, stderr)
	}
}

// A model of two outputs answered with the first, a series with the mean over its steps,
// and lines of a long table were samples of their own.
func TestPredictHidesOutputsAndSeries(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{2}, Steps: 20, Columns: []string{"a", "b"}, Targets: []sample.Field{
		{Name: "next", Kind: sample.Values, Shape: tensor.Shape{1}, Steps: 20},
		{Name: "class", Kind: sample.Class, Classes: []string{"up", "down"}},
	}}
	m := modelOf(t, spec, `
data: {source: {kind: table, path: x.csv, targets: {next: series, class: class}}}
encoder: frames
layers:
  - {name: in, kind: linear, out: 1}
  - {name: course, kind: readout, beta: 0.5, from: in}
  - {kind: linear, out: 2, from: in}
  - {name: kind, kind: readout, beta: 0.5}
outputs: [{name: course, node: course}, {name: kind, node: kind}]
loss: [{kind: mse, read: each, output: course, target: next}, {kind: membrane-cross-entropy, output: kind, target: class}]
task: [{kind: regress, output: course, target: next}, {kind: classify, output: kind, target: class}]
`)
	text := "sample,time,b,a,next\n"
	for i := range 40 {
		text += fmt.Sprintf("s%d,%d,%d,0.5,9\n", i/20, i%20, i)
	}
	long := write(t, "long.csv", text)
	list := predicted(t, 0, m, long)
	if len(list) != 2 || list[0].Input != long+":s0" || list[1].Input != long+":s1" {
		t.Fatalf("%+v", list)
	}
	for _, p := range list {
		if len(p.Values) != 20 || !reflect.DeepEqual(p.Shape, []int{20, 1}) || len(p.Outputs) != 2 || p.Outputs[1].Name != "kind" || p.Outputs[1].Class == "" || p.Outputs[1].Task != "classify" {
			t.Errorf("%+v", p)
		}
	}
	if list[0].Values[19] == list[1].Values[19] || list[0].Values[0] == list[0].Values[19] {
		t.Error("the series do not depend on their values")
	}
	stdout, _, code := command("predict", m, long)
	if code != 0 || strings.Count(stdout, "  step 19 ") != 2 || strings.Count(stdout, "kind ") != 2 {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	for want, bad := range map[string]string{
		"goes on here after others": "sample,time,a,b\nx,0,1,1\ny,0,1,1\nx,1,1,1\n",
		"does not follow":           "sample,time,a,b\nx,1,1,1\nx,1,1,1\n",
		"1 steps, and":              "sample,time,a,b\nx,1,1,1\n",
	} {
		if list := predicted(t, exitFailed, m, write(t, "bad.csv", bad)); !strings.Contains(fmt.Sprint(list), want) {
			t.Errorf("%s: %+v", want, list)
		}
	}
}
