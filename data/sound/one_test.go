package sound_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/sound"
	"synfire/sample"
)

// A sound by itself is the sample that its source makes of it.
func TestOne(t *testing.T) {
	content := file(8000, 1, 100, 200, -300, 400, 500, 600, 700)
	dir := folder(t, map[string][]byte{"a/1.wav": content, "b/1.wav": file(8000, 1, 1, 2, 3, 4, 5, 6, 7)})
	for _, w := range []sound.WAV{{Path: dir, Frame: 3}, {Path: dir, Frame: 2, Window: 4, Bands: 1}} {
		var single data.Single = &w
		train, _, err := single.Open(t.Context(), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, "a", "1.wav"))
		if err != nil {
			t.Fatal(err)
		}
		var s sample.Sample
		want := read(t, train, 0)
		if err := single.One(raw, train.Spec(), &s); err != nil || !slices.Equal(s.X, want.X) {
			t.Errorf("%+v: %v, %v, want %v", w, err, s.X, want.X)
		}
	}
}

// A model of sounds at one rate was asked about sounds at another without a word.
func TestSoundOfAnotherRateIsRefused(t *testing.T) {
	dir := folder(t, map[string][]byte{"a/1.wav": file(8000, 1, 1, 2, 3), "b/1.wav": file(8000, 1, 4, 5, 6)})
	w := sound.WAV{Path: dir, Frame: 3}
	train, _, err := w.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if spec := train.Spec(); spec.Rate != 8000 {
		t.Errorf("the rate is %d", spec.Rate)
	}
	var s sample.Sample
	if err := w.One(file(44100, 1, 1, 2, 3), train.Spec(), &s); err == nil || !strings.Contains(err.Error(), "44100 Hz, those of training at 8000 Hz") {
		t.Errorf("%v", err)
	}
}

// Sounds that differ in length came out of a cursor as if they were padded on purpose.
func TestCursorRefusesLengthsThatDiffer(t *testing.T) {
	dir := folder(t, map[string][]byte{"a/1.wav": file(8000, 1, 1, 2, 3), "b/1.wav": file(8000, 1, 4, 5, 6, 7)})
	train, _, err := sound.WAV{Path: dir, Frame: 3}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := data.NewCursor(train, data.CursorOptions{Batch: 1}); err == nil || !strings.Contains(err.Error(), "lasts 1,") {
		t.Errorf("%v", err)
	}
	even, err := data.Uniform(train, data.Length{Pad: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := data.NewCursor(even, data.CursorOptions{Batch: 1}); err != nil {
		t.Error(err)
	}
}
