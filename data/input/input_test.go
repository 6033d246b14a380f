package input_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/input"
	"synfire/sample"
	"synfire/tensor"
)

// of is the only sample that a text of numbers gives.
func of(t *testing.T, text string, o input.Options) (*sample.Sample, error) {
	t.Helper()
	var all []input.Input
	for in := range input.Files(t.Context(), []string{"-"}, func() input.Lines { return input.Lines{Reader: strings.NewReader(text)} }, o) {
		all = append(all, in)
	}
	if len(all) != 1 {
		t.Fatalf("%q gives %d inputs", text, len(all))
	}
	return all[0].Sample, all[0].Err
}

// A series is padded or cropped only where those of training were.
func TestLengthIsThatOfTraining(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{2}, Steps: 3, Duration: 3}
	for _, c := range []struct {
		text   string
		length data.Length
		want   []tensor.Float
		given  float64
		err    string
	}{
		{"1 2 3 4 5 6", data.Length{}, []tensor.Float{1, 2, 3, 4, 5, 6}, 0, ""},
		{"1 2 3 4", data.Length{Pad: 3}, []tensor.Float{1, 2, 3, 4, 0, 0}, 2, ""},
		{"1 2 3 4", data.Length{}, nil, 0, "2 steps, and the model takes 3"},
		{"1 2 3 4", data.Length{Crop: 3}, nil, 0, "2 steps, and the model takes 3"},
		{"1 2 3 4 5 6 7 8", data.Length{Crop: 3}, []tensor.Float{1, 2, 3, 4, 5, 6}, 0, ""},
		{"1 2 3 4 5 6 7 8", data.Length{Pad: 3}, nil, 0, "4 steps, and the model takes 3"},
		{"1 2 3 4 5", data.Length{Pad: 3, Crop: 3}, nil, 0, "5 values, and the model takes 6"},
	} {
		s, err := of(t, c.text, input.Options{Spec: spec, Length: c.length})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q with %+v: %v, want %s", c.text, c.length, err, c.err)
			}
			continue
		}
		if err != nil || !slices.Equal(s.X, c.want) || s.Length != c.given {
			t.Errorf("%q with %+v: %+v, %v; want %v", c.text, c.length, s, err, c.want)
		}
	}
}

// A file of another kind than the model takes is named as what it is.
func TestFilesOfAnotherKind(t *testing.T) {
	image, series := sample.Spec{Shape: tensor.Shape{4, 4, 1}}, sample.Spec{Shape: tensor.Shape{4}, Steps: 5}
	movie, events := sample.Spec{Shape: tensor.Shape{4, 4, 1}, Steps: 1}, sample.Spec{Shape: tensor.Shape{4, 4, 2}, Events: true}
	dir := t.TempDir()
	for _, c := range []struct {
		name, want string
		spec       sample.Spec
	}{
		{"a.wav", "it is a sound, and the model takes 4×4×1", image}, {"a.wav", "RIFF", series},
		{"a.png", "it is an image, and the model takes 5 steps of 4", series}, {"a.png", "it is an image, and the model takes 1 steps of 4×4×1", movie},
		{"a.png", "it is an image, and", events}, {"a.png", "the image cannot be decoded", image},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, []byte("no file of its kind"), 0o644); err != nil {
			t.Fatal(err)
		}
		n := 0
		for in := range input.Files(t.Context(), []string{path}, nil, input.Options{Spec: c.spec}) {
			if n++; in.Err == nil || !strings.Contains(in.Err.Error(), c.want) {
				t.Errorf("%s for %v: %v, want %q", c.name, c.spec, in.Err, c.want)
			}
		}
		if n != 1 {
			t.Errorf("%s gives %d inputs", c.name, n)
		}
	}
}

// A number beyond 32 bits was called none, and a file of carriage returns one sample.
func TestNumberThatDoesNotFit(t *testing.T) {
	o := input.Options{Spec: sample.Spec{Shape: tensor.Shape{1, 1, 2}}}
	if _, err := of(t, "1 1e300\n", o); tensor.Misfit(1e300) != "" && (err == nil || !strings.Contains(err.Error(), "column 2: 1e300 does not fit")) {
		t.Errorf("%v", err)
	}
	if _, err := of(t, "1 2\r3 4\r", o); err == nil || !strings.Contains(err.Error(), "carriage return") {
		t.Errorf("%v", err)
	}
}
