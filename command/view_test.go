package command

import (
	"regexp"
	"strings"
	"testing"

	"synfire/format/npz"
)

// Numbers are printed whole where they are, else with four digits.
func TestDigits(t *testing.T) {
	for v, want := range map[float64]string{12345: "12345", -3: "-3", 1.25: "1.25", 12345.6: "1.235e+04", 0.00012345: "0.0001234", 4e9: "4e+09", -2e9: "-2e+09"} {
		if got := digits(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}

// What people read has six digits of the value.
func TestCompareTable(t *testing.T) {
	x := recordingFile(t, "x.npz", map[string]npz.Array{"x": npz.F64([]float64{1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1}, 4, 3)})
	y := recordingFile(t, "y.npz", map[string]npz.Array{"x": npz.F64([]float64{1, 2, 2, 0, 0, 1, 3, 3}, 4, 2)})
	out, errOut, code := command("compare", "--metric", "cka-linear", x, y)
	if code != 0 || !regexp.MustCompile(`cka-linear +0\.398144\n`).MatchString(out) {
		t.Errorf("exit code %d\n%s%s", code, out, errOut)
	}
}

// Heights of the tree are distances, of similarities those from 1, and its axis
// says so: it bore the similarity's name.
func TestTreeOfSimilarities(t *testing.T) {
	m := measured{Metric: "spike-sync", names: []string{"a", "b", "c"}, response: "train", matrix: [][]float64{{1, 0.75, 0.5}, {0.75, 1, 0.5}, {0.5, 0.5, 1}}}
	f, err := m.heatmap("trains")
	if err != nil {
		t.Fatal(err)
	}
	// One 0.4 stands at the tree, one at the bar of colours, which ends at 1.
	if svg := string(f.SVG()); strings.Count(svg, ">0.4<") != 2 || strings.Contains(svg, ">1.5<") || strings.Count(svg, ">1 − spike-sync<") != 1 {
		t.Errorf("heights of the tree:\n%s", svg)
	}
}
