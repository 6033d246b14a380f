package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/catalog"
)

// The examples on data of one's own train, and their models are measured on the
// same data: the class names and the normalisation come with the model, and its parts of
// the data are those of training.
func TestOwnData(t *testing.T) {
	examples := filepath.Join("..", "examples")
	for _, c := range []struct {
		file, data, split string
		n                 int
	}{
		{"own-images.yaml", "folder:" + filepath.Join(examples, "testdata", "shapes"), "test", 8},
		{"own-table.yaml", "npz:" + filepath.Join(examples, "testdata", "clouds.npz"), "all", 60},
		{"own-table.yaml", "npz:" + filepath.Join(examples, "testdata", "clouds.npz"), "test", 12},
		{"own-table.yaml", "", "test", 12},
	} {
		out := filepath.Join(t.TempDir(), "run")
		if _, stderr, code := command("train", filepath.Join(examples, c.file), "--out", out, "--json"); code != 0 {
			t.Fatalf("%s: exit code %d: %s", c.file, code, stderr)
		}
		args := []string{"eval", filepath.Join(out, "model.safetensors"), "--split", c.split, "--json"}
		if c.data != "" {
			args = append(args, "--data", c.data)
		}
		stdout, stderr, code := command(args...)
		if code != 0 {
			t.Fatalf("%s: eval: exit code %d: %s", c.file, code, stderr)
		}
		var e catalog.Evaluation
		strict(t, stdout, &e)
		if e.N != c.n || e.Split != c.split || *e.Accuracy < 90 {
			t.Errorf("%s: %d samples of split %s, accuracy %v", c.file, e.N, e.Split, *e.Accuracy)
		}
	}
}

// A table becomes a file of arrays; the one of the example is what comes out.
func TestConvert(t *testing.T) {
	dir := filepath.Join("..", "examples", "testdata")
	out := filepath.Join(t.TempDir(), "clouds.npz")
	stdout, stderr, code := command("data", "convert", filepath.Join(dir, "clouds.csv"), out, "--label", "kind")
	if code != 0 || !strings.Contains(stdout, "60 samples of 2 values, classes: large, small") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(dir, "clouds.npz"))
	if err != nil || string(got) != string(want) {
		t.Errorf("examples/testdata/clouds.npz is not what data convert makes of clouds.csv (%v)", err)
	}
}

// Bad data of one's own end with one sentence that names the file.
func TestOwnDataMistakes(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // whatever this machine has imported
	broken := t.TempDir()
	for _, f := range []struct{ name, content string }{
		{"train/a/1.png", "no image"}, {"train/b/1.png", "no image"},
	} {
		at := filepath.Join(broken, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(f.content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	table := filepath.Join("..", "examples", "testdata", "clouds.npz")
	absolute, err := filepath.Abs(table)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "run")
	net := func(data string) string {
		return write(t, "net.yaml", strings.Replace(tinyNet, "{name: mnist-sample, train: 200, test: 100}", data, 1))
	}
	for _, c := range []struct {
		code int
		want []string
		args []string
	}{
		{1, []string{"absent", "no such file"}, []string{"train", net("{folder: /absent}"), "--out", out}},
		{1, []string{"absent.npz", "no such file"}, []string{"train", net("{npz: /absent.npz}"), "--out", out}},
		{1, []string{"train/a/1.png", "cannot be decoded", "replace the file"}, []string{"train", net("{folder: " + broken + "}"), "--out", out}},
		{2, []string{"no test samples", "data.holdout"}, []string{"train", write(t, "t.yaml", "data: {npz: "+absolute+"}\nsteps: 2\nlayers: [flatten, {kind: linear, out: 2}, readout]\n"), "--out", out}},
		{2, []string{"2 of name, folder, npz and source", "give one"}, []string{"train", net("{name: mnist, npz: x}"), "--out", out}},
		{2, []string{"size and channels are of images"}, []string{"train", net("{name: mnist, size: [1, 2]}"), "--out", out}},
		{1, []string{"fsdd", "data import fsdd"}, []string{"train", net("{name: fsdd}"), "--out", out}},
		{2, []string{"probability 2"}, []string{"train", net("{name: mnist, augment: [{kind: flip, probability: 2}]}"), "--out", out}},
		{2, []string{"no such file"}, []string{"data", "convert", "absent.csv", "x.npz", "--label", "y"}},
		{2, []string{"net.yaml", "no column \"y\""}, []string{"data", "convert", net("{name: mnist}"), "x.npz", "--label", "y"}},
		{1, []string{"cifar10-jpeg", "found 0 of 1 files"}, []string{"data", "import", "cifar10-jpeg", broken}},
	} {
		_, stderr, code := command(c.args...)
		if code != c.code {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, code, c.code, stderr)
		}
		for _, w := range c.want {
			if !strings.Contains(stderr, w) {
				t.Errorf("%v: message without %q: %s", c.args, w, stderr)
			}
		}
		if strings.Count(stderr, "\n") > 2 || strings.Contains(stderr, "internal error") {
			t.Errorf("%v: more than one sentence: %s", c.args, stderr)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a mistake left a run directory behind")
	}
}

// The columns sample and time of a long table became features.
func TestConvertLongTable(t *testing.T) {
	in := write(t, "long.csv", "sample,time,a,y\n0,0,1,u\n0,1,2,u\n1,0,3,v\n1,1,4,v\n")
	out := filepath.Join(t.TempDir(), "long.npz")
	if _, stderr, code := command("data", "convert", in, out, "--label", "y"); code == 0 || !strings.Contains(stderr, "long table") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was written")
	}
}
