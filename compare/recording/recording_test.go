package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/recording"
	"synfire/format/npz"
	"synfire/format/safetensors"
)

// Example reads a recording of three stimuli and two units from the arrays of an
// NPZ file.
func Example() {
	r, err := recording.FromNPZ("spikes.npz", map[string]npz.Array{
		"times":     npz.F64([]float64{3, 8, 5}, 3),
		"stimulus":  npz.I64([]int64{0, 0, 1}, 3),
		"unit":      npz.I64([]int64{0, 1, 1}, 3),
		"t_end":     npz.F64([]float64{10}),
		"n_stimuli": npz.I64([]int64{3}),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(mat.Formatted(r.X))
	fmt.Println(r.Notes)
	// Output:
	// ⎡1  1⎤
	// ⎢0  1⎥
	// ⎣0  0⎦
	// [stimulus [2] of 3: no spike, counts as silent]
}

// Both formats, and what each says of its precision.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, encode func(b *bytes.Buffer) error) string {
		t.Helper()
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tensors := func(a map[string]safetensors.Array) func(b *bytes.Buffer) error {
		return func(b *bytes.Buffer) error { return safetensors.Encode(b, safetensors.File{Tensors: a}) }
	}
	v32, v64 := []float32{1, 2, 3, 4, 5, 6}, []float64{1, 2, 3, 4, 5, 6}
	for _, c := range []struct {
		path     string
		roundoff float64
	}{
		{write("a.NPZ", func(b *bytes.Buffer) error {
			return npz.Write(b, map[string]npz.Array{"x": npz.F64(v64, 3, 1, 2)})
		}), 0},
		{write("f.npz", func(b *bytes.Buffer) error { return npz.Write(b, map[string]npz.Array{"x": npz.F32(v32, 3, 2)}) }), 0x1p-24},
		{write("a.safetensors", tensors(map[string]safetensors.Array{"x": safetensors.F64(v64, 3, 2)})), 0},
		{write("f.safetensors", tensors(map[string]safetensors.Array{"x": safetensors.F32(v32, 3, 2)})), 0x1p-24},
	} {
		r, err := recording.Read(c.path)
		if err != nil || r.Roundoff != c.roundoff || r.Name != filepath.Base(c.path) || !mat.Equal(r.X, mat.NewDense(3, 2, v64)) || r.Trials != nil {
			t.Errorf("%s: %+v, %v", c.path, r, err)
		}
	}
	if _, err := recording.Read(write("w.safetensors", tensors(map[string]safetensors.Array{"w": safetensors.F64(v64, 6)}))); !errors.Is(err, recording.ErrNone) {
		t.Errorf("a file of weights: %v, want ErrNone", err)
	}
	if _, err := recording.Read(filepath.Join(dir, "absent.npz")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// Silent stimuli, trials and units are kept, by their numbers or their count, and
// said.
func TestSilence(t *testing.T) {
	arrays := map[string]npz.Array{
		"times":    npz.F64([]float64{4, 1, 7, 2}, 4),
		"stimulus": npz.I64([]int64{0, 0, 2, 2}, 4),
		"trial":    npz.I64([]int64{0, 0, 1, 1}, 4),
		"unit":     npz.I64([]int64{1, 1, 1, 3}, 4),
	}
	r, err := recording.FromNPZ("s", arrays)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"stimulus [1] of 3: no spike, counts as silent", "unit [0 2] of 4: no spike, counts as silent"}
	if !reflect.DeepEqual(r.Notes, want) {
		t.Errorf("notes %q, want %q", r.Notes, want)
	}
	if got := r.Trials[0][0][1]; !reflect.DeepEqual(got.Times, []float64{1, 4}) || got.Start != 0 || got.Stop != 7 {
		t.Errorf("train %+v", got)
	}
	if r.X.At(0, 1) != 1 || r.X.At(2, 3) != 0.5 || len(r.Trials[1]) != 2 || len(r.Trials[1][0]) != 4 {
		t.Errorf("mean counts %v, %d trials of the silent stimulus", mat.Formatted(r.X), len(r.Trials[1]))
	}
	arrays["n_stimuli"], arrays["n_trials"], arrays["n_units"] = npz.I64([]int64{5}), npz.I64([]int64{4}), npz.I64([]int64{12})
	if r, err = recording.FromNPZ("s", arrays); err != nil {
		t.Fatal(err)
	}
	if n, p := r.X.Dims(); n != 5 || p != 12 || len(r.Trials) != 5 || len(r.Trials[4]) != 4 || len(r.Trials[4][3]) != 12 || r.X.At(0, 1) != 0.5 {
		t.Errorf("%d stimuli, %d units, %d trials", n, p, len(r.Trials[4]))
	}
	if last := r.Notes[len(r.Notes)-1]; !strings.Contains(last, "10 of 12 numbers of unit") {
		t.Errorf("note %q", last)
	}
}

// Mistakes in a file say which array is wrong.
func TestErrors(t *testing.T) {
	good := func() map[string]npz.Array {
		return map[string]npz.Array{"times": npz.F64([]float64{1, 2}, 2), "stimulus": npz.I64([]int64{0, 1}, 2), "unit": npz.I64([]int64{0, 0}, 2)}
	}
	for _, c := range []struct {
		want, name string
		array      npz.Array
	}{
		{"array x has shape [3]", "x", npz.F64([]float64{1, 2, 3}, 3)},
		{"array x has shape [0 3]", "x", npz.F64(nil, 0, 3)},
		{"array x has shape [2 0]", "x", npz.F64(nil, 2, 0)},
		{"array unit has 1 entries, times 2", "unit", npz.I64([]int64{0}, 1)},
		{"array stimulus: want numbers from 0", "stimulus", npz.I64([]int64{0, -1}, 2)},
		{"array stimulus: want numbers from 0", "stimulus", npz.I64([]int64{0, 1 << 40}, 2)},
		{"more than 4000000 spike trains", "unit", npz.I64([]int64{0, 3_999_999}, 2)},
		{"array n_stimuli: want one whole number from 2", "n_stimuli", npz.I64([]int64{1})},
		{"array n_units: want one whole number", "n_units", npz.I64([]int64{5, 5}, 2)},
		{"array n_trials: want one whole number", "n_trials", npz.I64([]int64{1 << 50})},
		{"array t_end: want one number", "t_end", npz.F64([]float64{5, 6}, 2)},
		{"spike 1 at 2 is outside the window 0 to 1.5", "t_end", npz.F64([]float64{1.5})},
	} {
		arrays := good()
		arrays[c.name] = c.array
		if _, err := recording.FromNPZ("f", arrays); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if r, err := recording.FromNPZ("f", map[string]npz.Array{"x": npz.F64([]float64{1, 2}, 1, 2)}); err != nil || r.X.RawMatrix().Rows != 1 {
		t.Errorf("one stimulus: %v, %v", r.X, err)
	}
	if _, err := recording.FromNPZ("f", map[string]npz.Array{"rates": npz.F64([]float64{1}, 1)}); !errors.Is(err, recording.ErrNone) {
		t.Errorf("no recording: %v", err)
	}
}

// Any NPZ file gives a recording or an error.
func FuzzNPZ(f *testing.F) {
	for _, arrays := range []map[string]npz.Array{
		{"x": npz.F64([]float64{1, 2, 3, 4, 5, 6}, 3, 2)},
		{"times": npz.F64([]float64{1, 2}, 2), "stimulus": npz.I64([]int64{0, 1}, 2), "unit": npz.I64([]int64{0, 0}, 2), "n_units": npz.I64([]int64{3}), "t_end": npz.F64([]float64{9})},
	} {
		var b bytes.Buffer
		if err := npz.Write(&b, arrays); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		arrays, err := npz.Read(bytes.NewReader(raw), int64(len(raw)), 1<<20)
		if err != nil {
			return
		}
		r, err := recording.FromNPZ("f", arrays)
		if err == nil && (r.X == nil || r.Trials != nil && len(r.Trials) != r.Stimuli()) {
			t.Errorf("%+v without an error", r)
		}
	})
}

// Repetitions are matrices each, with their mean; of spikes the counts of each trial.
func TestRepetitions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.npz")
	write := func(arrays map[string]npz.Array) {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := npz.Write(f, arrays); err != nil {
			t.Fatal(err)
		}
	}
	write(map[string]npz.Array{"repetitions": npz.F64([]float64{1, 2, 3, 4, 5, 6, 3, 2, 1, 0, 5, 8}, 2, 3, 2)})
	r, err := recording.Read(path)
	if err != nil || len(r.Repeated) != 2 || r.Repeated[1].At(1, 0) != 1 || r.X.At(0, 0) != 2 || r.X.At(2, 1) != 7 || r.Stimuli() != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	write(map[string]npz.Array{"repetitions": npz.F64(make([]float64, 6), 1, 3, 2)})
	if _, err := recording.Read(path); err == nil || !strings.Contains(err.Error(), "2 or more") {
		t.Errorf("one repetition: %v", err)
	}
	write(map[string]npz.Array{"repetitions": npz.F64(make([]float64, 12), 2, 3, 2), "x": npz.F64(make([]float64, 6), 3, 2)})
	if _, err := recording.Read(path); err == nil || !strings.Contains(err.Error(), "leave x out") {
		t.Errorf("both: %v", err)
	}
	spikes := map[string]npz.Array{
		"times": npz.F64([]float64{1, 2, 3, 4}, 4), "stimulus": npz.F64([]float64{0, 0, 1, 2}, 4),
		"unit": npz.F64([]float64{0, 0, 0, 0}, 4), "trial": npz.F64([]float64{0, 1, 1, 1}, 4),
	}
	write(spikes)
	if r, err = recording.Read(path); err != nil || len(r.Repeated) != 2 || r.Repeated[0].At(1, 0) != 0 || r.Repeated[1].At(1, 0) != 1 || r.X.At(0, 0) != 1 || r.X.At(1, 0) != 0.5 {
		t.Errorf("%+v, %v", r, err)
	}
	delete(spikes, "trial")
	write(spikes)
	if r, err = recording.Read(path); err != nil || r.Repeated != nil {
		t.Errorf("one trial: %v, %v", r.Repeated, err)
	}
}
