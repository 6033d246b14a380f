package zoo_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/data/mnist"
	"synfire/modelfile"
	"synfire/train"
	"synfire/zoo"
)

// A model by its name.
func Example() {
	f, err := zoo.Read("mnist-cnn")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Rule, f.Spec, f.Stored)
	// Output: bptt 28×28×1 float16
}

// What ships is what was measured: the list has a row for each file and a file for each row,
// with its sum and its accuracy, and all are small.
func TestModels(t *testing.T) {
	entries, err := os.ReadDir("models")
	if err != nil {
		t.Fatal(err)
	}
	word, before, all := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`), "", 0
	for _, m := range zoo.List() {
		sum := sha256.Sum256(m.Content())
		if got := hex.EncodeToString(sum[:]); got != m.SHA256 {
			t.Errorf("%s: SHA-256 %s, pinned is %s", m.Name, got, m.SHA256)
		}
		if n := len(m.Content()); n != m.Bytes || n > zoo.MaxFile {
			t.Errorf("%s: %d bytes, the list has %d, at most %d ship", m.Name, n, m.Bytes, zoo.MaxFile)
		}
		if all += m.Bytes; all > zoo.MaxAll {
			t.Errorf("with %s %d bytes ship, at most %d are wanted", m.Name, all, zoo.MaxAll)
		}
		if !word.MatchString(m.Name) || m.Name <= before || m.Text == "" || m.Data == "" || m.Split != train.SplitTest {
			t.Errorf("%+v: want names of small letters, digits and dashes in order, a text, data, split test", m)
		}
		if before = m.Name; !(m.Accuracy > 0 && m.Accuracy <= 100 && m.Before > 0) || m.N < 1000 && m.Figure == "" {
			t.Errorf("%s: accuracy %v, %v before, of %d samples: measure it (tools/ship)", m.Name, m.Accuracy, m.Before, m.N)
		}
		checkFile(t, m)
	}
	if files := len(entries) - 1; files != len(zoo.List()) || files == 0 { // one is the list
		t.Errorf("%d files, %d rows", files, len(zoo.List()))
	}
}

// checkFile opens a model of the list.
func checkFile(t *testing.T, m zoo.Model) {
	f, err := zoo.Read(m.Name)
	if err != nil {
		t.Fatal(err)
	}
	if f.Stored != m.Stored || f.Stored != modelfile.Float16 && f.Stored != modelfile.Int8 {
		t.Errorf("%s: stored as %q, the list says %q", m.Name, f.Stored, m.Stored)
	}
	n := 0
	for _, a := range f.Arrays {
		k := 1
		for _, d := range a.Shape {
			k *= d
		}
		n += k
	}
	if n != m.Parameters || f.Progress != nil || len(f.Learner) > 0 {
		t.Errorf("%s: %d elements, the list has %d; only a model ships, not a checkpoint", m.Name, n, m.Parameters)
	}
	if _, err := catalog.Default().FromFile(f, catalog.OpenOptions{}); err != nil {
		t.Errorf("%s: %v", m.Name, err)
	}
	if strings.Contains(string(f.Config), "/") {
		t.Errorf("%s: its configuration names a path:\n%s", m.Name, f.Config)
	}
}

// The accuracy that the list states is near that of 500 test images, which every copy of the
// program has: four deviations of as many.
func TestAccuracy(t *testing.T) {
	m, ok := zoo.Find("mnist-cnn")
	if !ok {
		t.Fatal("it does not ship")
	}
	opened, err := catalog.Default().Open(m.Name, catalog.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, test := mnist.Sample()
	ev, err := opened.Evaluate(t.Context(), opened.Predictor(), test, 100, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	if v := ev.Value("accuracy"); v < m.Accuracy-1.5 { // √(0.0057·0.9943/500) is 0.34 points
		t.Errorf("%v %% of 500 images, the list says %v", v, m.Accuracy)
	}
}

// A file comes before a model of its name; a name that is neither is told of, with what was
// meant; a path is no name.
func TestFilesComeFirst(t *testing.T) {
	t.Chdir(t.TempDir())
	f, err := zoo.Read("mnist-cnn")
	if err != nil {
		t.Fatal(err)
	}
	f.Config = append(f.Config, "# mine\n"...)
	if err := modelfile.Write("mnist-cnn", *f); err != nil {
		t.Fatal(err)
	}
	if f, err = zoo.Read("mnist-cnn"); err != nil || !strings.HasSuffix(string(f.Config), "# mine\n") {
		t.Errorf("the file of the name was not read: %v", err)
	}
	if err := os.WriteFile("mnist-cnn", []byte("nothing"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := zoo.Read("mnist-cnn"); err == nil {
		t.Error("a broken file of the name was passed over")
	}
	for path, want := range map[string]string{"mnist-cn": `did you mean "mnist-cnn"?`, "runs/mnist-cnn": "no such file"} {
		if _, err := zoo.Read(path); err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if _, err := zoo.Read("./mnist-cn"); err == nil || strings.Contains(err.Error(), "did you mean") {
		t.Errorf("a path: %v", err)
	}
}
