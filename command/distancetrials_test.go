package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Three trials of two units, of which b is silent in the second.
const trialsCSV = "unit,time,trial\na,1,x\na,3,x\nb,2,x\na,1.5,y\na,3,z\nb,2,z\nb,2.5,z\n"

// Trials are compared by one unit, or by all where the metric is of several neurons; rows bear
// the trials' names, in files as well.
func TestDistanceOfTrials(t *testing.T) {
	path, saved := write(t, "trials.csv", trialsCSV), filepath.Join(t.TempDir(), "d.csv")
	for _, c := range []struct {
		args []string
		want [][]float64 // by hand: moves cost 1 a unit of time, spikes 1
	}{
		{[]string{"--only", "a"}, [][]float64{{0, 1.5, 1}, {1.5, 0, 1.5}, {1, 1.5, 0}}},
		{[]string{"--label-cost", "2"}, [][]float64{{0, 2.5, 2}, {2.5, 0, 3.5}, {2, 3.5, 0}}},
	} {
		args := append([]string{"distance", path, "--trials", "--metric", "victor-purpura", "--cost", "1", "--window", "0,4", "--matrix", "--json", "--save", saved}, c.args...)
		stdout, stderr, code := command(args...)
		var got struct {
			Matrix [][]float64
			Units  []string
		}
		if err := json.Unmarshal([]byte(stdout), &got); err != nil {
			t.Fatal(err, stderr)
		}
		if code != 0 || !reflect.DeepEqual(got.Matrix, c.want) || strings.Join(got.Units, " ") != "x y z" {
			t.Errorf("%v: %+v, exit code %d, %s", c.args, got, code, stderr)
		}
		if text, err := os.ReadFile(saved); err != nil || !strings.Contains(string(text), ",x,y,z\nx,0,") {
			t.Errorf("%v: %s, %v", c.args, text, err)
		}
	}
	for want, args := range map[string][]string{
		"isi is of one":    {"--metric", "isi"},
		`no unit "c"`:      {"--metric", "isi", "--only", "c"},
		"leave out":        {"--metric", "isi", "--only", "a", "--trial", "x"},
		"want two or more": {"--metric", "isi"},
	} {
		file := path
		if want == "want two or more" {
			file = write(t, "one.csv", "unit,time\na,1\nb,2\n")
		}
		_, stderr, code := command(append([]string{"distance", file, "--trials", "--window", "0,4"}, args...)...)
		if code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %s, want %q", args, code, stderr, want)
		}
	}
	if _, stderr, code := command("distance", path, "--metric", "isi", "--only", "a", "--window", "0,4"); code != exitUsage {
		t.Errorf("--only without --trials: exit code %d, %s", code, stderr)
	}
}
