package command

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"synfire/format/npz"
)

// measure is the JSON of a call that has to succeed, and what it says beside.
func measure(t *testing.T, args ...string) (m measured, notes string) {
	t.Helper()
	out, errOut, code := command(append([]string{"distance", "--json"}, args...)...)
	if code != 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, errOut)
	}
	strict(t, out, &m)
	return m, errOut
}

// recordingIn is trains of ticks in a unit of time, as a file.
func recordingIn(t *testing.T, unit float64, stop int, trains ...[]int) string {
	t.Helper()
	var lists []string
	for _, ticks := range trains {
		var times []string
		for _, k := range ticks {
			times = append(times, strconv.FormatFloat(float64(k)*unit, 'g', -1, 64))
		}
		lists = append(lists, "["+strings.Join(times, ",")+"]")
	}
	return write(t, fmt.Sprintf("in%v.json", unit), fmt.Sprintf(`{"t_start":0,"t_end":%v,"trains":[%s]}`, float64(stop)*unit, strings.Join(lists, ",")))
}

func everyTick(from, stop, step int) (ticks []int) {
	for k := from; k < stop; k += step {
		ticks = append(ticks, k)
	}
	return ticks
}

// Where all intervals are equal each surrogate is the data: p = 1. It was 0.005.
func TestSurrogatesOfRegularTrains(t *testing.T) {
	for _, unit := range []float64{1, 0.1, 0.001, 100, 1. / 3} {
		file := recordingIn(t, unit, 21, everyTick(0, 20, 1), everyTick(0, 20, 1), everyTick(0, 20, 2))
		for _, metric := range [][]string{{"isi"}, {"spike"}, {"ri-spike"}, {"sync"}, {"order"}, {"directionality"}, {"a-isi"}, {"a-sync"}, {"synfire"}, {"victor-purpura", "--cost", "auto"}, {"van-rossum", "--tau", "auto"}} {
			m, _ := measure(t, append([]string{file, "--surrogate", "isi", "--surrogates", "199", "--metric"}, metric...)...)
			if m.Surrogates.P != 1 {
				t.Errorf("%v in units of %v: p = %v, want 1", metric, unit, m.Surrogates.P)
			}
		}
	}
}

// One recording in seconds and in milliseconds has one value and one p; of spikes every
// 0.2 s the synchronisation was 0 and 0.3.
func TestSecondsAndMilliseconds(t *testing.T) {
	irregular := [][]int{{0, 3, 4, 9, 12, 17, 25, 26, 31, 38}, {1, 3, 8, 10, 12, 20, 24, 27, 33, 40}}
	for _, trains := range [][][]int{{everyTick(0, 20, 2), everyTick(1, 20, 2)}, irregular} {
		for _, metric := range []string{"isi", "spike", "sync", "order", "directionality", "a-sync", "a-spike", "synfire", "victor-purpura", "van-rossum"} {
			var first measured
			for i, unit := range []float64{1, 0.1, 0.001, 1000} {
				args := []string{recordingIn(t, unit, 40, trains...), "--metric", metric, "--surrogates", "39", "--surrogate", "isi"}
				switch metric {
				case "victor-purpura":
					args = append(args, "--cost", "auto")
				case "van-rossum":
					args = append(args, "--tau", "auto")
				}
				m, _ := measure(t, args...)
				if i == 0 {
					first = m
				}
				if math.Abs(*m.Value-*first.Value) > 1e-9 || m.Surrogates.P != first.Surrogates.P {
					t.Errorf("%s in units of %v: %v, p = %v; in units of 1 %v, p = %v", metric, unit, *m.Value, m.Surrogates.P, *first.Value, first.Surrogates.P)
				}
			}
		}
	}
}

// A silent unit is in all forms a train: of 20 trains 19 were read, and the value was
// another.
func TestSilentUnitsAreTrains(t *testing.T) {
	times, units := npz.F64([]float64{1, 3, 2, 6.5}, 4), npz.I64([]int64{0, 0, 2, 2}, 4)
	window := map[string]npz.Array{"t_start": npz.F64([]float64{0}), "t_end": npz.F64([]float64{10})}
	file := func(name string, more map[string]npz.Array) string {
		arrays := map[string]npz.Array{"times": times, "units": units}
		for _, m := range []map[string]npz.Array{window, more} {
			for k, v := range m {
				arrays[k] = v
			}
		}
		var out bytes.Buffer
		if err := npz.Write(&out, arrays); err != nil {
			t.Fatal(err)
		}
		return write(t, name, out.String())
	}
	names := npz.Text([]string{"0", "1", "2"}, 3)
	want, _ := measure(t, write(t, "x.json", `{"t_start":0,"t_end":10,"trains":[[1,3],[],[2,6.5]]}`), "--metric", "isi", "--matrix")
	for _, args := range [][]string{
		{write(t, "x.txt", "1 3\n\n2 6.5\n"), "--window", "0,10"},
		{write(t, "x.csv", "unit,time\n0,1\n0,3\n2,2\n2,6.5\n"), "--window", "0,10", "--units", "3"},
		{write(t, "y.csv", "unit,time\na,1\na,3\nb,2\nb,6.5\n"), "--window", "0,10", "--units", "a,silent,b"},
		{file("n.npz", map[string]npz.Array{"n_units": npz.I64([]int64{3})})},
		{file("names.npz", map[string]npz.Array{"unit_names": names})},
		{file("units.npz", nil), "--units", "3"},
	} {
		m, _ := measure(t, append(args, "--metric", "isi", "--matrix")...)
		if *m.Value != *want.Value || !slices.EqualFunc(m.Matrix, want.Matrix, slices.Equal) {
			t.Errorf("%v: %v, want %v", args, m.Matrix, want.Matrix)
		}
		if named := !strings.HasSuffix(args[0], ".txt"); named != (len(m.Units) == 3) {
			t.Errorf("%v: units %q", args, m.Units)
		}
	}
	for _, c := range [][2]string{{file("units.npz", nil), "no spikes of unit 1"}, {write(t, "x.txt", "1 3\n\n2 6.5\n\n"), "line 2"}, {write(t, "x.txt", "1\n2\n\n"), "--units 3"}} {
		if _, notes := measure(t, c[0], "--window", "0,10", "--metric", "isi"); !strings.Contains(notes, c[1]) {
			t.Errorf("%s: told %q, want %q", c[0], notes, c[1])
		}
	}
	if m, _ := measure(t, write(t, "none.csv", "unit,time\n"), "--units", "2", "--window", "0,1", "--metric", "sync"); *m.Value != 1 || m.NTrains != 2 {
		t.Errorf("nothing but silence: %+v", m)
	}
}

// A trial is chosen; the trials' spikes were one train.
func TestTrialIsChosen(t *testing.T) {
	file := write(t, "x.csv", "unit,trial,time\na,1,1\nb,1,1.5\na,2,5\nb,2,5\na,3,7\n")
	for trial, want := range map[string]float64{"1": 0.5, "2": 0, "3": 1} {
		m, _ := measure(t, file, "--trial", trial, "--window", "0,10", "--metric", "victor-purpura", "--cost", "1")
		if *m.Value != want || !slices.Equal(m.Units, []string{"a", "b"}) {
			t.Errorf("trial %s: %v of %v, want %v", trial, *m.Value, m.Units, want)
		}
	}
}

// auto takes cost and tau from the trains, once for all recordings of a call.
func TestAutoParameters(t *testing.T) {
	file := write(t, "two.json", `[{"t_start":0,"t_end":10,"trains":[[1,3],[2]]},{"t_start":0,"t_end":10,"trains":[[1],[2,3,4,5]]}]`)
	for metric, option := range map[string]string{"victor-purpura": "cost", "van-rossum": "tau"} {
		out, errOut, code := command("distance", file, "--metric", metric, "--"+option, "auto", "--json")
		if code != 0 {
			t.Fatal(errOut)
		}
		want := 5.0 // 40 for 8 spikes
		if option == "cost" {
			want = 0.2
		}
		for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
			var m measured
			strict(t, line, &m)
			if m.Params[option] != want {
				t.Errorf("%s: %v, want %v", option, m.Params, want)
			}
		}
	}
}

// The matrix goes to CSV and NPZ with the names of the trains.
func TestSaveMatrix(t *testing.T) {
	dir := t.TempDir()
	file := write(t, "x.json", `{"t_start":0,"t_end":10,"trains":[[1,3,6],[2,6.5],[]],"units":["V1, left","V1 right","MT"]}`)
	table, arrays := filepath.Join(dir, "m.csv"), filepath.Join(dir, "m.npz")
	m, _ := measure(t, file, "--metric", "isi", "--matrix", "--save", table)
	if _, _ = measure(t, file, "--metric", "isi", "--save", arrays); !slices.Equal(m.Units, []string{"V1, left", "V1 right", "MT"}) {
		t.Errorf("units %q", m.Units)
	}
	src, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(src)).ReadAll()
	if err != nil || len(rows) != 4 || !slices.Equal(rows[0], append([]string{"train"}, m.Units...)) {
		t.Fatalf("%q, %v", rows, err)
	}
	stored, err := npz.ReadFile(arrays, 0)
	if err != nil {
		t.Fatal(err)
	}
	flat, err := stored["matrix"].Float64s()
	names, err2 := stored["names"].Strings()
	if err != nil || err2 != nil || !slices.Equal(flat, slices.Concat(m.Matrix...)) || !slices.Equal(names, m.Units) {
		t.Errorf("%v, %v; %q, %v", flat, err, names, err2)
	}
	for i, row := range rows[1:] {
		for j, text := range row[1:] {
			if v, err := strconv.ParseFloat(text, 64); err != nil || v != m.Matrix[i][j] || row[0] != m.Units[i] {
				t.Errorf("row %q, column %d: %q, want %v", row[0], j, text, m.Matrix[i][j])
			}
		}
	}
}

// A matrix is printed whole where it fits, and else as far as it does.
func TestMatrixUpToTheTerminal(t *testing.T) {
	const n = 40
	m := measured{response: "train"}
	for i := range n {
		m.names = append(m.names, fmt.Sprintf("unit %d", i))
		m.Matrix = append(m.Matrix, make([]float64, n))
		for j := range n {
			m.Matrix[i][j] = 0.25
		}
	}
	m.matrix = m.Matrix
	for _, c := range []struct{ columns, want int }{{0, n}, {10000, n}, {80, 9}, {7, 1}} {
		var out bytes.Buffer
		w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		m.printMatrix(w, c.columns)
		w.Flush()
		lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
		if got := strings.Count(lines[1], "unit "); got != c.want {
			t.Errorf("%d columns: %d trains, want %d:\n%s", c.columns, got, c.want, lines[1])
		}
		for _, line := range lines[1 : 2+c.want] {
			if c.columns > 20 && len(line) > c.columns {
				t.Errorf("%d columns: a line of %d", c.columns, len(line))
			}
		}
		if told := strings.Contains(out.String(), "of 40 trains are shown; --save"); told != (c.want < n) {
			t.Errorf("%d columns: %s", c.columns, lines[len(lines)-1])
		}
	}
}

// Axes have the unit of time, and names from files cannot steer a terminal or break a
// picture.
func TestFigureNamesAndUnits(t *testing.T) {
	dir := t.TempDir()
	file := write(t, "x.json", `{"name":"a\u001b[31mb","t_start":0,"t_end":10,"trains":[[1,3,6],[2,6.5]],"units":["x\u001b]0;y\u0007","z\u202e"]}`)
	out, errOut, code := command("distance", file, "--metric", "isi", "--matrix", "--profile", "--out", dir, "--unit", "ms")
	if code != 0 || strings.ContainsAny(out, "\x1b\x07\u202e") || !strings.Contains(out, `x\x1b]0;y\a`) || !strings.Contains(out, "[0, 10] ms") {
		t.Errorf("exit code %d, %q %s", code, out, errOut)
	}
	for _, name := range []string{"raster.svg", "profile.svg"} {
		svg, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Contains(svg, []byte("time (ms)")) || bytes.ContainsAny(svg, "\x1b\x07") {
			t.Errorf("%s: %v, without time (ms) or with controls", name, err)
		}
	}
}
