package command

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"synfire/format/hdf5"
	"synfire/format/idx"
	"synfire/format/npz"
	"synfire/format/safetensors"
	"synfire/inspect"
)

func file(t *testing.T, name string, encode func(b *bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return write(t, name, b.String())
}

// Each format is known by its bytes, and its JSON has the contract's fields.
func TestInspect(t *testing.T) {
	values := []float32{-1, 0, 0, 1}
	tensors := safetensors.File{Meta: map[string]string{"by": "a test"}, Tensors: map[string]safetensors.Array{"w": safetensors.F32(values, 2, 2)}}
	arrays := map[string]npz.Array{"x": npz.F32(values, 4), "label": npz.Text([]string{"a"}, 1)}
	image := &idx.Array{Dims: []int{2, 2}, Data: []byte{0, 1, 2, 255}}
	run := filepath.Join(t.TempDir(), "run")
	if _, stderr, code := command("train", write(t, "net.yaml", tinyNet), "--out", run); code != 0 {
		t.Fatal(stderr)
	}
	for _, c := range []struct{ format, path, tensor string }{
		{"safetensors", file(t, "a.safetensors", func(b *bytes.Buffer) error { return safetensors.Encode(b, tensors) }), "w"},
		{"npz", file(t, "a.npz", func(b *bytes.Buffer) error { return npz.Write(b, arrays) }), "label"},
		{"npy", file(t, "a.npy", func(b *bytes.Buffer) error { return npz.WriteNPY(b, arrays["x"]) }), "data"},
		{"idx", file(t, "a-ubyte", func(b *bytes.Buffer) error { return idx.Write(b, image) }), "data"},

		{"training run", write(t, "b.yaml", tinyNet), ""},
		{"run", run, ""},
		{"checkpoint", filepath.Join(run, "checkpoints", "best.safetensors"), "param.conv2d1.bias"},
		{"model", filepath.Join(run, "model.safetensors"), "param.conv2d1.bias"},
	} {
		stdout, stderr, code := command("inspect", c.path, "--json")
		var in struct {
			Format, Version string
			Summary         map[string]string
			Tensors         []struct {
				Name, DType string
				Shape       []int
			}
		}
		strict(t, stdout, &in)
		if code != 0 || in.Format != c.format || in.Summary == nil || in.Tensors == nil || (c.tensor != "") != (len(in.Tensors) > 0) {
			t.Errorf("%s: exit code %d, %s, %s", c.format, code, stdout, stderr)
		}
		if c.tensor != "" && (in.Tensors[0].Name != c.tensor || in.Tensors[0].Shape == nil) {
			t.Errorf("%s: %s", c.format, stdout)
		}
		if stdout, stderr, code = command("inspect", c.path); code != 0 || !strings.HasPrefix(stdout, "format") {
			t.Errorf("%s: exit code %d, %s, %s", c.format, code, stdout, stderr)
		}
	}
}

// An HDF5 file is shown as a tree, from its headers; a file that begins with a user block too.
func TestInspectHDF5(t *testing.T) {
	root := &hdf5.Object{Attributes: []hdf5.Attribute{{Name: "version", Array: hdf5.Text("0.2\x1b")}}, Children: []*hdf5.Object{{
		Name: "node", Attributes: []hdf5.Attribute{{Name: "dt", Array: hdf5.F32([]float32{0.5}, 1)}},
		Children: []*hdf5.Object{{Name: "tau", Array: hdf5.F32([]float32{1, 2, 2, 3}, 2, 2), Attributes: []hdf5.Attribute{{Name: "unit", Array: hdf5.Text("s")}}}},
	}}}
	path := file(t, "a.nir", func(b *bytes.Buffer) error { return hdf5.Write(b, root) })
	stdout, stderr, code := command("inspect", path, "--json")
	var in inspection
	strict(t, stdout, &in)
	want := inspection{"hdf5", "", map[string]string{"superblock": "0", "groups": "2", "data sets": "1", "@version": `"0.2\x1b"`},
		[]tensorRow{{"node/tau", "float32", []int{2, 2}, "contiguous", map[string]string{"unit": `"s"`}}}, []inspect.Group{{Name: "node", Attributes: map[string]string{"dt": "0.5"}}}}
	if code != 0 || !reflect.DeepEqual(in, want) {
		t.Errorf("exit code %d, %s, %s", code, stdout, stderr)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{path}, []string{"  node/", "    tau", "2×2", "contiguous", "@dt", "= 0.5", `@unit`}},
		{[]string{path, "--tensor", "node/tau"}, []string{"4 values from 1 to 3, mean 2"}},
		{[]string{"../format/hdf5/testdata/refused.h5"}, []string{"compound", "chunks of 50, LZF"}},
		{[]string{"../format/hdf5/testdata/userblock.h5"}, []string{"user block  1024 bytes", "chunks of 4, deflate"}},
		{[]string{"../format/hdf5/testdata/links.h5"}, []string{"soft", "link to /x"}},
	} {
		stdout, stderr, code := command(append([]string{"inspect"}, c.args...)...)
		for _, want := range c.want {
			if code != 0 || !strings.Contains(stdout, want) || strings.Contains(stdout, "\x1b") {
				t.Errorf("%v: exit code %d, without %q: %s%s", c.args, code, want, stdout, stderr)
			}
		}
	}
	if _, stderr, code := command("inspect", "../format/hdf5/testdata/latest.h5"); code != exitFailed || !strings.Contains(stderr, "libver='earliest'") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// Recordings of spike trains are known in each of their text forms, with a line for each
// unit, silent ones too, and the spikes of one unit over time.
func TestInspectSpikeTrains(t *testing.T) {
	for _, c := range []struct {
		path string
		want []string
	}{
		{write(t, "a.json", `{"t_start":0,"t_end":10,"trains":[[1,3,6],[2,6.5],[]],"units":["V1","MT","it\u001b[31m"]}`), []string{"spike trains", "0 to 10", "V1", "MT", `it\x1b[31m`}},
		{write(t, "b.json", "\ufeff"+`[{"t_start":0,"t_end":4,"trains":[[1],[2]]},{"t_start":0,"t_end":8,"trains":[[1],[2,3]]}]`), []string{"recordings  2", "0 to 4", "0 to 8"}},
		{write(t, "c.csv", "unit,trial,time\nV1,a,1\nV1,b,2\nMT,a,3\n"), []string{"trials", "a, b", "V1, trial a", "V1, trial b"}},
		{write(t, "one.csv", "unit,trial,time\nV1,a,1\nMT,a,3\n"), []string{"trials", "V1"}},
		{write(t, "d.txt", "1 3 6\n\n2 6.5\n"), []string{"trains  3", "spikes  5"}},
	} {
		stdout, stderr, code := command("inspect", c.path)
		for _, want := range c.want {
			if code != 0 || !strings.Contains(stdout, want) || strings.Contains(stdout, "\x1b") {
				t.Errorf("%s: exit code %d, without %q: %s%s", c.path, code, want, stdout, stderr)
			}
		}
	}
	if stdout, stderr, code := command("inspect", write(t, "e.csv", "unit,time\nV1,1\nV1,2\nMT,3\n"), "--tensor", "V1"); code != 0 || !strings.Contains(stdout, "2 values from 1 to 2") {
		t.Errorf("one unit: exit code %d, %s%s", code, stdout, stderr)
	}
	if stdout, stderr, code := command("inspect", write(t, "f.csv", "x,y\n1,it\u001b[31m\n")); code != 0 || !strings.Contains(stdout, "table") || !strings.Contains(stdout, "text") || strings.Contains(stdout, "\x1b") {
		t.Errorf("another table: exit code %d, %s%s", code, stdout, stderr)
	}
}

func TestInspectPage(t *testing.T) {
	v := []float32{-2, -1, -1, 0, 0, 0, 0, 1, 1, 2}
	path := file(t, "a.npz", func(b *bytes.Buffer) error {
		return npz.Write(b, map[string]npz.Array{"weights": npz.F32(v, 5, 2), "names": npz.Text([]string{"a", "b"}, 2)})
	})
	for name, args := range map[string][]string{"inspect": {"inspect", path}, "inspect-tensor": {"inspect", path, "--tensor", "weights"}} {
		stdout, stderr, code := command(args...)
		if code != 0 {
			t.Fatal(stderr)
		}
		golden(t, name, stdout)
	}
	// A network's own name of a parameter finds it in a checkpoint.
	raw := filepath.Join(t.TempDir(), "c.safetensors")
	if err := safetensors.WriteFileAtomic(raw, safetensors.File{Tensors: map[string]safetensors.Array{"param.linear1.weight": safetensors.F32(v, 10)}}); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, code := command("inspect", raw, "--tensor", "linear1.weight"); code != 0 || !strings.Contains(stdout, "10 values from -2 to 2") {
		t.Errorf("exit code %d, %s, %s", code, stdout, stderr)
	}
	if _, err := os.Stat(raw); err != nil {
		t.Error(err)
	}
}

// A file that is not what was expected is said to be what it is, whatever reads it.
func TestForeignFilesAreNamed(t *testing.T) {
	array := file(t, "x.npy", func(b *bytes.Buffer) error { return npz.WriteNPY(b, npz.F32([]float32{1}, 1)) })
	text, wav := write(t, "x.yaml", "a: 1\n"), write(t, "x.wav", "RIFF\x00\x00\x00\x00WAVEfmt ")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"eval", text, "--data", "mnist-sample"}, "a text, such as YAML or CSV"},
		{[]string{"eval", array, "--data", "mnist-sample"}, "a NumPy array (.npy)"},
		{[]string{"predict", wav, wav}, "a sound (.wav)"},
		{[]string{"train", array}, "a NumPy array (.npy)"},
		{[]string{"plan", array}, "a NumPy array (.npy)"},
		{[]string{"distance", "--metric", "isi", array}, "want a matrix of 0 and 1"},
		{[]string{"distance", "--metric", "isi", write(t, "t.npz", "1 2\n")}, "a text"},
		{[]string{"compare", "--metric", "cka-linear", wav, wav}, "a sound (.wav)"},
		{[]string{"compare", "--metric", "cka-linear", write(t, "w.npz", "RIFF"), wav}, "a RIFF file"},
		{[]string{"inspect", wav}, "a sound (.wav)"},
		{[]string{"inspect", write(t, "empty", "")}, "empty"},
		{[]string{"inspect", write(t, "result.json", `{"a":1}`)}, "no trains"},
		{[]string{"inspect", write(t, "bytes", "\x01\x02\x03")}, "no format that is known"},
	} {
		if _, stderr, code := command(c.args...); code == 0 || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit code %d, %s; want %q", c.args, code, stderr, c.want)
		}
	}
}

// A configuration that does not end took all memory.
func TestEndlessConfiguration(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("there is no endless file here")
	}
	for _, verb := range []string{"train", "plan"} {
		if _, stderr, code := command(verb, "/dev/zero"); code != 2 || !strings.Contains(stderr, "longer than the permitted") {
			t.Errorf("%s: exit code %d, %s", verb, code, stderr)
		}
	}
}

// Ten billion steps were a panic: only weights were compared with the machine's memory.
func TestRunsBeyondMemory(t *testing.T) {
	file := write(t, "net.yaml", strings.Replace(tinyNet, "steps: 3", "steps: 10000000000", 1))
	if _, stderr, code := command("train", file, "--out", filepath.Join(t.TempDir(), "run")); code != 1 || !strings.Contains(stderr, "of memory") || strings.Contains(stderr, "internal error") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// One unit of a recording had no picture.
func TestRasterOfOneUnit(t *testing.T) {
	file := write(t, "a.csv", "unit,time,trial\nV1,3,a\nV1,1,a\nV1,2,b\nMT,2,a\n")
	svg := filepath.Join(t.TempDir(), "v1.svg")
	if _, stderr, code := command("inspect", file, "--tensor", "V1", "--svg", svg, "--unit", "ms"); code != 0 {
		t.Fatal(stderr)
	}
	text, err := os.ReadFile(svg)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"trial a", "trial b", "time (ms)", "Spikes of unit V1", "3 spikes", "2 trains"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("nothing of %q in the drawing", want)
		}
	}
	for want, args := range map[string][]string{"name it by --tensor": {file}, `no unit "V3"`: {file, "--tensor", "V3"}} {
		if _, stderr, code := command(append([]string{"inspect", "--svg", svg}, args...)...); code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %s", args, code, stderr)
		}
	}
}
