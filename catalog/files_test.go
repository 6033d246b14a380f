package catalog_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"unsafe"

	"synfire/catalog"
	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// write writes a file and the folders above it.
func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// bar is a recording of 60 ms of a bar that moves to the right or to the left.
func bar(right bool, start int) []byte {
	var b bytes.Buffer
	for ms := range 60 {
		x := (start + ms/3) % 34
		if !right {
			x = 33 - x
		}
		for y := range 12 {
			us := uint32(1000*ms + 10*y)
			b.Write([]byte{byte(x), byte(10 + y), byte(ms%2)<<7 | byte(us>>16), byte(us >> 8), byte(us)})
		}
	}
	return b.Bytes()
}

// Event files of N-MNIST's format train a network from a file, never as frames of the
// whole recording; the model opens without them and predicts from one.
func TestEventFiles(t *testing.T) {
	dir := t.TempDir()
	for i := range 60 {
		part, class := "Train", "left"
		if i >= 40 {
			part = "Test"
		}
		if i%2 == 1 {
			class = "right"
		}
		write(t, filepath.Join(dir, "bars", part, class, fmt.Sprintf("%05d.bin", i)), bar(i%2 == 1, 7*i%34))
	}
	r, path := fitFile(t, `
data: {source: {kind: nmnist, path: bars}, length: {pad: 0.06}}
encoder: events
steps: 10
layers:
  - {kind: avg-pool, size: 2}
  - flatten
  - {kind: linear, out: 30}
  - {kind: recurrent, neuron: lif, surrogate: {kind: fast-sigmoid, slope: 5}}
  - {kind: linear, out: 2}
  - readout
loss: membrane-cross-entropy
optimizer: {kind: adam, lr: 0.005}
epochs: 15
batch: 10
valid: 0
`, dir)
	if a := value(t, r, "accuracy"); a < 90 {
		t.Errorf("accuracy %v %%", a)
	}
	m, err := catalog.Default().Open(path, catalog.OpenOptions{})
	if err != nil || !m.Spec.Events || m.Config.Steps != 10 {
		t.Fatalf("opened as %+v: %v", m, err)
	}
	_, test, err := catalog.Default().Load(t.Context(), m.Config.Data, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var s sample.Sample
	if err := test.Read(t.Context(), 0, &s); err != nil {
		t.Fatal(err)
	}
	a, err := m.Predict(t.Context(), &s)
	if err != nil || len(a) != 1 || len(a[0].Scores) != 2 {
		t.Errorf("answers %+v, %v", a, err)
	}
}

// largeFolder is the environment variable that makes TestLargerThanMemory's process.
const largeFolder = "SYNFIRE_TEST_LARGE_FOLDER"

// A folder that is larger than the memory that the process is given trains.
func TestLargerThanMemory(t *testing.T) {
	const images, side = 2000, 256
	// MiB: of the images as numbers (500 as float32), of what Go is given, and of what
	// the process may take with its program.
	const whole = images * side * side * int(unsafe.Sizeof(tensor.Float(0))) >> 20
	const limit, bound = whole * 2 / 5, whole * 7 / 10
	if at := os.Getenv(largeFolder); at != "" {
		trainLarge(t, at)
		return
	}
	if testing.Short() {
		t.Skip("writes and trains on 2,000 images")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("no /proc/self/status, whose VmHWM is the most memory that was taken")
	}
	dir := t.TempDir()
	for class, name := range []string{"dark", "light"} {
		m := image.NewGray(image.Rect(0, 0, side, side))
		for k := range m.Pix {
			m.Pix[k] = uint8(class*128 + k%7)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		for i := range images / 2 {
			write(t, filepath.Join(dir, "train", name, fmt.Sprintf("%04d.png", i)), b.Bytes())
		}
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLargerThanMemory$", "-test.v")
	cmd.Env = append(os.Environ(), largeFolder+"="+dir, fmt.Sprintf("GOMEMLIMIT=%dMiB", limit))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	most := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(out)
	if most == nil {
		t.Fatalf("the process did not tell its VmHWM\n%s", out)
	}
	kb, err := strconv.Atoi(string(most[1]))
	if err != nil || kb > bound<<10 {
		t.Errorf("%d MiB of memory were taken, want %d at most (%v)", kb>>10, bound, err)
	}
}

// trainLarge trains on a folder and prints what the process is.
func trainLarge(t *testing.T, at string) {
	c := decode(t, `
data: {source: {kind: folder, path: ., memory: false}, holdout: 0.1}
steps: 1
layers: [{kind: avg-pool, size: 8}, flatten, {kind: linear, out: 2}, readout]
loss: membrane-cross-entropy
optimizer: {kind: adam, lr: 0.01}
epochs: 1
batch: 16
`, at)
	a, b, err := catalog.Default().Load(t.Context(), c.Data, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var r *train.Result
	if r, _ = fit(t, c, a, b); r.Valid == nil || r.Valid.Value("accuracy") < 95 {
		t.Errorf("result %+v", r)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.Write(status)
}
