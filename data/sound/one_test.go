package sound_test

import (
	"os"
	"path/filepath"
	"slices"
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
