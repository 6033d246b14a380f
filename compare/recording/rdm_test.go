package recording_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/compare/recording"
	"synfire/format/npz"
)

// Two subjects of two sessions each: sessions are averaged, a missing entry is left out.
func TestRDMs(t *testing.T) {
	nan := math.NaN()
	v := []float64{
		0, 1, 2, 1, 0, 3, 2, 3, 0,
		0, 3, nan, 3, 0, 5, nan, 5, 0,
		9, 1, 1, 1, 9, 1, 1, 1, 9,
		9, 1, 1, 1, 9, 1, 1, 1, 9,
	}
	path := filepath.Join(t.TempDir(), "rdm.npz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := npz.Write(f, map[string]npz.Array{"a": npz.F64(v, 2, 2, 3, 3), "b": npz.F64([]float64{0, 1, 2, 0}, 2, 2)}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	got, err := recording.RDMs(path + ":a")
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	if w := got[0].Values; w[0] != 2 || w[1] != 2 || w[2] != 4 || got[1].Values[0] != 1 {
		t.Errorf("%v", got)
	}
	for where, want := range map[string]string{path: "name one", path + ":c": "name one", path + ":b": "symmetric", "none.npz:a": "none.npz"} {
		if _, err := recording.RDMs(where); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error about %q", where, err, want)
		}
	}
	for _, shape := range [][]int{{4}, {2, 3}, {0, 3, 3}, {1, 1}} {
		if _, err := recording.RDMsOf(make([]float64, 6), shape); err == nil {
			t.Errorf("%v: no error", shape)
		}
	}
}
