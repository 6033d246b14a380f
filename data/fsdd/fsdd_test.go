package fsdd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"synfire/data"
	"synfire/data/fsdd"
	"synfire/sample"
	"synfire/tensor"
)

// second is a WAV file of two samples at 8 kHz, or at the rate that its bytes give.
func second(rate string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("RIFF\x28\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00" + rate +
		"\x80\x3e\x00\x00\x02\x00\x10\x00data\x04\x00\x00\x00\x00\x40\x00\xc0")}
}

const hz8000 = "\x40\x1f\x00\x00"

func TestRead(t *testing.T) {
	good := second(hz8000)
	fsys := fstest.MapFS{"r/1_theo_10.wav": good, "r/1_theo_5.wav": good, "r/1_theo_4.wav": good, "r/0_lucas_49.wav": good, "r/notes.txt": good}
	train, test, err := fsdd.Read(fsys, "r")
	if err != nil || len(train) != 3 || len(test) != 1 {
		t.Fatalf("%d and %d recordings, %v", len(train), len(test), err)
	}
	if a, b := train[0], train[1]; a.Digit != 0 || a.Speaker != "lucas" || a.Take != 49 || b.Take != 5 || train[2].Take != 10 || b.Samples[1] != -0.5 {
		t.Errorf("sorted as %+v", train)
	}
	for want, fsys := range map[string]fstest.MapFS{
		"no recordings":     {"r/x.wav": good},
		"1_theo_4.wav: wav": {"r/1_theo_4.wav": {Data: []byte("hello")}},
		"at 16000 Hz":       {"r/1_theo_4.wav": second("\x80\x3e\x00\x00")},
		"file does not":     {},
	} {
		if _, _, err := fsdd.Read(fsys, "r"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(filepath.Join(dir, "fsdd.zip")); err != nil {
		t.Skip("the recordings are not on this machine")
	}
	train, test, err := fsdd.Load(t.Context(), data.Options{DataDir: dir})
	if err != nil || len(train) != 2700 || len(test) != 300 {
		t.Fatalf("%d and %d recordings, %v", len(train), len(test), err)
	}
	speakers := map[string]int{}
	for _, r := range test {
		speakers[r.Speaker]++
	}
	if len(speakers) != 6 || speakers["george"] != 50 {
		t.Errorf("test recordings by speaker: %v", speakers)
	}
}

// As a data set, recordings are series that train when they are made of one duration.
func TestDataset(t *testing.T) {
	x := make([]float32, 801)
	for i := range x {
		x[i] = float32(i%8)/4 - 1
	}
	src, err := fsdd.Source([]fsdd.Recording{{Samples: x, Digit: 7, Speaker: "theo", Take: 3}, {Samples: x[:160], Digit: 2}})
	if err != nil {
		t.Fatal(err)
	}
	spec := src.Spec()
	if spec.Steps != 11 || !spec.Shape.Equal(tensor.Shape{fsdd.Bands}) || src.Origin(0) != "fsdd: 7_theo_3.wav" {
		t.Errorf("%+v, %s", spec, src.Origin(0))
	}
	if src, err = data.Uniform(src, data.Length{Pad: 20, Crop: 20}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{11, 2} {
		s := sample.Sample{X: make([]tensor.Float, src.Spec().Size())}
		if err := src.Read(t.Context(), i, &s); err != nil || s.Length != want || s.X[fsdd.Bands+5] <= 0 || s.X[int(want)*fsdd.Bands+5] != 0 {
			t.Errorf("recording %d: length %v, %v", i, s.Length, err)
		}
	}
	dir := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(filepath.Join(dir, "fsdd.zip")); err != nil || testing.Short() {
		t.Skip("the recordings are not on this machine")
	}
	train, test, err := fsdd.Dataset().Load(t.Context(), data.Options{DataDir: dir})
	if err != nil || train.Len() != 2700 || test.Len() != 300 {
		t.Fatal(err)
	}
}

func ExampleRead() {
	train, test, err := fsdd.Read(fstest.MapFS{"recordings/7_jackson_32.wav": second(hz8000)}, "recordings")
	fmt.Println(len(train), len(test), err)
	fmt.Println(train[0].Digit, train[0].Speaker, train[0].Take, train[0].Samples)
	// Output:
	// 1 0 <nil>
	// 7 jackson 32 [0.5 -0.5]
}
