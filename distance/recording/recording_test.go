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

	"synfire/distance/recording"
	"synfire/format/npz"
	"synfire/format/spiketrain"
	"synfire/internal/limit"
)

// Spikes of two units, and what is known of a third.
func Example() {
	file := strings.NewReader("unit,time\na,0.5\nc,1.25\na,3\n")
	list, _, err := recording.From(file, "trains.csv", recording.Options{Units: "a,b,c"})
	if err != nil {
		fmt.Println(err)
		return
	}
	trains, _, err := list[0].Build(spiketrain.Options{Window: &[2]float64{0, 4}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, name := range list[0].Names() {
		fmt.Println(name, trains[i].Times)
	}
	// Output:
	// a [0.5 3]
	// b []
	// c [1.25]
}

func times(rec spiketrain.Recording) (out [][]float64) {
	for _, t := range rec.Trains {
		out = append(out, append([]float64{}, t.Times...))
	}
	return out
}

// The form goes by the name, else by how the file begins, also after a byte order mark.
func TestForms(t *testing.T) {
	var archive bytes.Buffer
	if err := npz.Write(&archive, map[string]npz.Array{"arr_0": npz.F64([]float64{1, 3}, 2), "arr_10": npz.F64(nil, 0), "arr_2": npz.F64([]float64{2}, 1)}); err != nil {
		t.Fatal(err)
	}
	json := `{"trains":[[1,3],[2],[]]}`
	for _, c := range []struct {
		name, content string
		want          [][]float64
	}{
		{"x.json", json, [][]float64{{1, 3}, {2}, {}}},
		{"x.jsonl", json, [][]float64{{1, 3}, {2}, {}}},
		{"-", "\ufeff" + json, [][]float64{{1, 3}, {2}, {}}},
		{"x", "\ufeffunit,time\na,1\na,3\nb,2\n", [][]float64{{1, 3}, {2}}},
		{"x.txt", "1 3\n\n2\n", [][]float64{{1, 3}, {}, {2}}},
		{"x", "1 3\n\n2\n", [][]float64{{1, 3}, {}, {2}}},
		{"x", archive.String(), [][]float64{{1, 3}, {2}, {}}},
	} {
		list, _, err := recording.From(strings.NewReader(c.content), c.name, recording.Options{})
		if err != nil || len(list) != 1 || !reflect.DeepEqual(times(list[0]), c.want) {
			t.Errorf("%s %q: %v, %v, want %v", c.name, c.content[:3], list, err, c.want)
		}
	}
	if _, _, err := recording.From(strings.NewReader(json), "x.json", recording.Options{Form: "xml"}); err == nil || !strings.Contains(err.Error(), "json, text, csv, npz") {
		t.Errorf("an unknown form: %v", err)
	}
	if _, _, err := recording.Read("absent.json", recording.Options{}); err == nil {
		t.Error("an absent file: no error")
	}
}

func TestNPZ(t *testing.T) {
	f := func(v ...float64) npz.Array { return npz.F64(v, len(v)) }
	i := func(v ...int64) npz.Array { return npz.I64(v, len(v)) }
	s := func(v ...string) npz.Array { return npz.Text(v, len(v)) }
	type arrays = map[string]npz.Array
	for _, c := range []struct {
		in   arrays
		want [][]float64
		err  string
	}{
		{arrays{"times": f(2, 1, 3), "units": i(11, 9, 9)}, [][]float64{{1, 3}, {2}}, ""},
		{arrays{"times": f(2, 1, 3), "unit": s("b", "a", "a")}, [][]float64{{1, 3}, {2}}, ""},
		{arrays{"times": f(2, 1), "units": i(3, 1), "n_units": i(5)}, [][]float64{{}, {1}, {}, {2}, {}}, ""},
		{arrays{"times": f(2, 1), "units": s("c", "a"), "unit_names": s("c", "b", "a")}, [][]float64{{2}, {}, {1}}, ""},
		{arrays{"times": f(1, 2), "units": i(0, 0), "n_units": i(1)}, [][]float64{{1, 2}}, ""},
		{arrays{"times": f(), "units": i(), "n_units": i(0)}, nil, "n_units"},
		{arrays{"times": f(), "units": i(), "n_units": i(2)}, [][]float64{{}, {}}, ""},
		{arrays{"times": f(1, 2, 2), "units": i(0, 1, 0), "trials": i(4, 4, 4), "t_start": f(0), "t_end": f(9)}, [][]float64{{1, 2}, {2}}, ""},
		{arrays{"times": f(1, 2, 2), "units": i(0, 1, 0), "trial": i(4, 4, 7)}, nil, "2 trials (4, 7)"},
		{arrays{"times": f(2, 1), "units": i(3, 1), "n_units": i(3)}, nil, `unit "3" is not among the 3 units`},
		{arrays{"times": f(2, 1), "units": s("c", "a"), "unit_names": s("c", "b")}, nil, `unit "a" is not among`},
		{arrays{"times": f(2, 1), "units": i(3, 1), "n_units": f(2.5)}, nil, "n_units"},
		{arrays{"times": f(2, 1), "units": i(3, 1), "n_units": i(1 << 40)}, nil, "n_units"},
		{arrays{"times": f(2, 1), "units": i(3, 1), "stimulus": i(0, 1)}, nil, `array "stimulus" is not known`},
		{arrays{"times": f(2, 1), "units": i(3)}, nil, "2 times and 1 units"},
		{arrays{"times": f(2, 1), "units": s("a", "")}, nil, "no name"},
		{arrays{"a": f(1), "b": s("x")}, nil, `array "b"`},
		{arrays{"a": npz.F64([]float64{1}, 1, 1)}, nil, "one axis"},
		{arrays{"a": f(1), "t_start": f(0)}, nil, "t_start and t_end"},
	} {
		var out bytes.Buffer
		if err := npz.Write(&out, c.in); err != nil {
			t.Fatal(err)
		}
		list, _, err := recording.From(&out, "x.npz", recording.Options{})
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v: %v, want %q", c.in, err, c.err)
			}
		case err != nil || !reflect.DeepEqual(times(list[0]), c.want):
			t.Errorf("%v: %v, %v, want %v", c.in, list, err, c.want)
		}
	}
}

// Whatever a file holds, it gives an error or trains that can be named and built.
func FuzzFrom(f *testing.F) {
	var archive bytes.Buffer
	if err := npz.Write(&archive, map[string]npz.Array{"times": npz.F64([]float64{1, 2}, 2), "units": npz.I64([]int64{0, 2}, 2), "n_units": npz.I64([]int64{3}, 1)}); err != nil {
		f.Fatal(err)
	}
	f.Add(archive.Bytes(), "", "")
	f.Add([]byte("unit,time,trial\na,1,x\nb,2,y\n"), "x", "a,b,c")
	f.Add([]byte("\n1 2\n\n3\n\n"), "", "7")
	f.Add([]byte(`{"trains":[[1]],"units":["a"]}`), "", "1")
	f.Fuzz(func(t *testing.T, src []byte, trial, units string) {
		list, _, err := recording.From(bytes.NewReader(src), "", recording.Options{Trial: trial, Units: units})
		if err != nil {
			return
		}
		for _, r := range list {
			if names := r.Names(); len(names) != len(r.Trains) || len(r.Trials) > 1 {
				t.Errorf("%d names of %d trains, trials %q", len(names), len(r.Trains), r.Trials)
			}
			r.Build(spiketrain.Options{Window: &[2]float64{-1, 100}, Sort: true, Clip: true})
		}
	})
}

// Spikes in NPZ took two and more times what they became: their bytes, their numbers
// and the names of their units.
func TestSpikesBeyondMemoryAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spikes.npz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	const n = 3 << 20
	if err := npz.Write(f, map[string]npz.Array{"times": npz.F64(make([]float64, n), n), "units": npz.U8(make([]uint8, n), n)}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	restore := limit.Pretend(80 << 20)
	_, _, err = recording.Read(path, recording.Options{})
	restore()
	var memory *limit.MemoryError
	if !errors.As(err, &memory) {
		t.Errorf("in 80 MB: %v", err)
	}
	list, _, err := recording.Read(path, recording.Options{})
	if err != nil || len(list[0].Trains) != 1 || len(list[0].Trains[0].Times) != n || list[0].Trains[0].Unit != "0" {
		t.Errorf("%v", err)
	}
}

// 300 MB of text took 1.8 GB before they were refused for their length.
func TestLongTextIsRefusedUnread(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.txt")
	if err := os.WriteFile(path, []byte("1 2 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, spiketrain.DefaultMax+1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := recording.Read(path, recording.Options{}); err == nil || !strings.Contains(err.Error(), "bytes of text") {
		t.Errorf("%v", err)
	}
}
