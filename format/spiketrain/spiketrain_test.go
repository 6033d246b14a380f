package spiketrain_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"synfire/format/spiketrain"
	"synfire/internal/limit"
)

// A file with a train a line does not say when it was recorded.
func Example() {
	rec, err := spiketrain.ReadText(strings.NewReader("# two units, seconds\n0.5 1.25 3\n2.5\t1.5\n"), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	o := spiketrain.Options{Window: &[2]float64{0, 4}}
	_, _, err = rec.Build(o)
	fmt.Println(err)
	o.Sort = true
	trains, mended, err := rec.Build(o)
	fmt.Println(trains, mended.Unsorted, err)
	// Output:
	// spike trains: train 1, which begins on line 3: spike 1 at 1.5 comes after one at 2.5; sort the times
	// [{[0.5 1.25 3] 0 4} {[1.5 2.5] 0 4}] 1 <nil>
}

func times(rec spiketrain.Recording) (out [][]float64) {
	for _, t := range rec.Trains {
		out = append(out, append([]float64{}, t.Times...))
	}
	return out
}

func TestText(t *testing.T) {
	rec, err := spiketrain.ReadText(strings.NewReader("# head\r\n1 2,3\r\n\r\n  4e-1\t5 # tail\n-1"), 0)
	if want := [][]float64{{1, 2, 3}, {}, {0.4, 5}, {-1}}; err != nil || !reflect.DeepEqual(times(rec), want) {
		t.Errorf("%v, %v, want %v", times(rec), err, want)
	}
	if rec.Trains[2].Line != 4 || rec.Window != nil {
		t.Errorf("%+v", rec)
	}
}

func TestCSV(t *testing.T) {
	rec, err := spiketrain.ReadCSV(strings.NewReader("\ufeffTime, unit\n1,b\n2,a\n0.5,b\n"), 0)
	if want := [][]float64{{1, 0.5}, {2}}; err != nil || !reflect.DeepEqual(times(rec), want) {
		t.Errorf("%v, %v, want %v", times(rec), err, want)
	}
	if rec.Trains[0].Unit != "b" || rec.Trains[1].Unit != "a" || rec.Trains[1].Line != 3 {
		t.Errorf("%+v", rec)
	}
}

func TestJSON(t *testing.T) {
	one := `{"name":"x","t_start":-1,"t_end":10,"trains":[[1,2.5],[]],"interval":[2,3],"values":{"isi":1}}`
	for _, c := range []struct {
		src  string
		n    int
		many bool
	}{
		{one, 1, false}, {"[" + one + "]", 1, true}, {one + "\n" + one, 2, true}, {`{"schema":1,"cases":[` + one + "," + one + "]}", 2, true}, {"[" + one + "] [" + one + "]", 2, true},
	} {
		got, many, err := spiketrain.ReadJSON(strings.NewReader(c.src), 0)
		if err != nil || len(got) != c.n || many != c.many {
			t.Errorf("%d recordings, many %v, %v, want %d, %v of %s", len(got), many, err, c.n, c.many, c.src)
			continue
		}
		r := got[c.n-1]
		if r.Name != "x" || *r.Window != [2]float64{-1, 10} || *r.Interval != [2]float64{2, 3} || !reflect.DeepEqual(times(r), [][]float64{{1, 2.5}, {}}) {
			t.Errorf("%+v", r)
		}
	}
	got, _, err := spiketrain.ReadJSON(strings.NewReader(`{"trains":[[1]],"interval":null}`), 0)
	if err != nil || got[0].Window != nil || got[0].Interval != nil {
		t.Errorf("without a window: %+v, %v", got, err)
	}
}

// Each defect of a file is named with its place.
func TestErrors(t *testing.T) {
	text := func(src string) error { _, err := spiketrain.ReadText(strings.NewReader(src), 0); return err }
	csv := func(src string) error { _, err := spiketrain.ReadCSV(strings.NewReader(src), 0); return err }
	json := func(src string) error { _, _, err := spiketrain.ReadJSON(strings.NewReader(src), 0); return err }
	for _, c := range []struct {
		err  error
		want []string
	}{
		{text(""), []string{"no times"}},
		{text("# nothing\n\n"), []string{"no times"}},
		{text("1 2\n3 x 4\n"), []string{"line 2, spike 1", `"x"`}},
		{text("1 NaN\n"), []string{"line 1, spike 1", "finite"}},
		{text("1\n" + strings.Repeat("1 ", spiketrain.MaxLine)), []string{"line 2 is longer"}},
		{csv(""), []string{"empty", "unit,time"}},
		{csv("unit,t\n"), []string{"line 1", "unit and time"}},
		{csv("unit,time\n"), []string{"no spikes"}},
		{csv("unit,time,amplitude,area\na,1,2,3\n"), []string{"line 1", `"amplitude", "area"`, "not known"}},
		{csv("unit,time,unit\na,1,b\n"), []string{`two columns are called "unit"`}},
		{csv("unit,time,trial\na,1,\n"), []string{"line 2", `the trial is ""`}},
		{csv("unit,time\n,1\n"), []string{"line 2", `the unit is ""`}},
		{csv("unit,time\ncaf\xe9,1\n"), []string{"line 2", "UTF-8"}},
		{json("{\"trains\":[[1]],\n\"units\":[\"caf\xe9\"]}"), []string{"line 2 is not UTF-8"}},
		{json(`{"trains":[[1],[2]],"units":["a"]}`), []string{"1 units are named of 2 trains"}},
		{json(`{"trains":[[1],[2]],"units":["a","a"]}`), []string{`unit 1 is named "a"`}},
		{csv("unit,time\na,1\nb,soon\n"), []string{"line 3", `"soon"`}},
		{csv("unit,time\na,1,2\n"), []string{"line 2", "number of fields"}},
		{csv("unit,time\na,inf\n"), []string{"line 2", "finite"}},
		{csv("unit,time\n" + strings.Repeat("a", 1<<17)), []string{"line 2 is longer"}},
		{json(""), []string{"no recording"}},
		{json("[]"), []string{"no recording"}},
		{json("{\n\"trains\": [[1,\n"), []string{"line 3"}},
		{json("[\n{\"trains\": [[1 2]]}]"), []string{"line 2"}},
		{json(`{"t_start":0,"t_end":1}`), []string{"recording 0", "no trains"}},
		{json(`[{"trains":[[]]},{"name":"b","trains":[[1,2],[3,null]]}]`), []string{`recording 1 ("b")`, "train 1, spike 1"}},
		{json(`{"trains":[[1],null]}`), []string{"train 1 is null"}},
		{json(`{"trains":[["1"]]}`), []string{"train 0, spike 0"}},
		{json(`{"trains":[1]}`), []string{"number", "trains"}},
		{json(`{"trains":[[1]],"t_start":0}`), []string{"t_end"}},
		{json(`{"trains":[[1]],"t_start":0,"t_end":"soon"}`), []string{"t_end is not a finite number"}},
		{json(`{"trains":[[1]],"interval":[0]}`), []string{"interval has 1"}},
		{json(`{"trains":[[1]],"interval":[0,null]}`), []string{"interval's end"}},
		{json(`[1]`), []string{"number"}},
		{json(`3`), []string{"number"}},
	} {
		if c.err == nil {
			t.Errorf("no error about %q", c.want)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(c.err.Error(), w) {
				t.Errorf("%v: nothing about %q", c.err, w)
			}
		}
		if strings.Contains(c.err.Error(), "spiketrain.") {
			t.Errorf("%v: names a Go type", c.err)
		}
	}
}

func TestBounds(t *testing.T) {
	long := "1 2 3 4 5 6 7 8"
	for name, read := range map[string]func(io.Reader, int64) error{
		"text": func(r io.Reader, n int64) error { _, err := spiketrain.ReadText(r, n); return err },
		"csv":  func(r io.Reader, n int64) error { _, err := spiketrain.ReadCSV(r, n); return err },
		"json": func(r io.Reader, n int64) error { _, _, err := spiketrain.ReadJSON(r, n); return err },
	} {
		var over *limit.Error
		if err := read(strings.NewReader(long), 10); !errors.As(err, &over) || over.Max != 10 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBuild(t *testing.T) {
	window := &[2]float64{0, 10}
	rec := spiketrain.Recording{Name: "r", Window: window, Trains: []spiketrain.Train{{Times: []float64{1, 2}}, {Unit: "u", Line: 7, Times: []float64{12, 3, 3}}}}
	for _, c := range []struct {
		o    spiketrain.Options
		want string
	}{
		{spiketrain.Options{}, `"r": train 1 (unit "u"), which begins on line 7: spike 0 at 12 lies outside`},
		{spiketrain.Options{Clip: true}, "spikes 0 and 1 are both at 3"},
		{spiketrain.Options{Sort: true}, "spike 1 at 12 lies outside"},
		{spiketrain.Options{Sort: true}, "(--window 0,20 holds all)"},
		{spiketrain.Options{Window: &[2]float64{4, 4}}, "is empty"},
	} {
		if _, _, err := rec.Build(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
	}
	trains, m, err := rec.Build(spiketrain.Options{Sort: true, Clip: true})
	if err != nil || m != (spiketrain.Mended{Unsorted: 1, Merged: 1, Dropped: 1}) || !reflect.DeepEqual(trains[1].Times, []float64{3}) || trains[1].Stop != 10 {
		t.Errorf("%v, %+v, %v", trains, m, err)
	}
	rec.Window = nil
	if _, _, err := rec.Build(spiketrain.Options{}); err == nil || !strings.Contains(err.Error(), "--window") {
		t.Errorf("without a window: %v", err)
	}
	if _, _, err := (spiketrain.Recording{Window: window}).Build(spiketrain.Options{}); err == nil {
		t.Error("without trains: no error")
	}
}

// An empty line before the last train is a silent unit, and later units keep their
// numbers; of 20 trains 19 were read.
func TestSilentUnitsOfText(t *testing.T) {
	rec, err := spiketrain.ReadText(strings.NewReader("\n1 2\n# a comment\n \t\n3\n\n\n"), 0)
	if want := [][]float64{{}, {1, 2}, {}, {3}}; err != nil || !reflect.DeepEqual(times(rec), want) {
		t.Errorf("%v, %v, want %v", times(rec), err, want)
	}
	if len(rec.Notes) != 2 || rec.Notes[0].Text != "empty lines are silent units: line 1, 4" || !strings.Contains(rec.Notes[1].Text, "2 empty lines after the last train") || !strings.Contains(rec.Notes[1].Text, "--units 6") {
		t.Errorf("notes %v", rec.Notes)
	}
	all, err := rec.WithUnits("6")
	if err != nil || len(all.Trains) != 6 || all.Named() || len(all.Notes) != 1 || len(rec.Trains) != 4 {
		t.Errorf("with 6 units %+v, %v", all, err)
	}
	named, err := rec.WithUnits("a,b, c,d,e")
	if err != nil || !reflect.DeepEqual(named.Names(), []string{"a", "b", "c", "d", "e"}) || !reflect.DeepEqual(named.Trains[3].Times, []float64{3}) {
		t.Errorf("with names %+v, %v", named, err)
	}
	for _, bad := range []string{"3", "a,b", "0", "-1", "9999999999", "a,a,b,c,d", "a,,b,c,d"} {
		if _, err := rec.WithUnits(bad); err == nil {
			t.Errorf("units %q: no error", bad)
		}
	}
}

// A unit without a spike leaves no trace in CSV: a gap in the numbers is told, and
// the units that there are can be.
func TestSilentUnitsOfCSV(t *testing.T) {
	rec, err := spiketrain.ReadCSV(strings.NewReader("unit,time\n5,1\n2,2\n4,3\n"), 0)
	if err != nil || len(rec.Notes) != 1 || !strings.Contains(rec.Notes[0].Text, "no spikes of unit 3, between 2 and 5") {
		t.Errorf("%+v, %v", rec, err)
	}
	all, err := rec.WithUnits("7")
	if err != nil || !reflect.DeepEqual(all.Names(), []string{"0", "1", "2", "3", "4", "5", "6"}) || !reflect.DeepEqual(all.Trains[5].Times, []float64{1}) || all.Notes != nil && len(all.Notes) > 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := rec.WithUnits("5"); err == nil || !strings.Contains(err.Error(), `unit "5" is not among the 5 units 0, 1, 2, 3, 4`) {
		t.Errorf("five units: %v", err)
	}
	if rec, err = spiketrain.ReadCSV(strings.NewReader("unit,time\nb,1\n7,2\n"), 0); err != nil || len(rec.Notes) != 0 {
		t.Errorf("names: %+v, %v", rec.Notes, err)
	}
	if _, err := spiketrain.ReadCSV(strings.NewReader("unit,time\n"), 0); !errors.Is(err, spiketrain.ErrSilent) {
		t.Errorf("no spikes: %v", err)
	}
}

// Trials were merged into one train. One is chosen, and has a train for each unit.
func TestTrials(t *testing.T) {
	rec, err := spiketrain.ReadCSV(strings.NewReader("trial,unit,time\nt1,a,1\nt1,b,1.5\nt2,a,0.5\nt2,a,1\n"), 0)
	if err != nil || !reflect.DeepEqual(rec.Trials, []string{"t1", "t2"}) {
		t.Fatalf("%+v, %v", rec, err)
	}
	for _, err := range []error{
		func() error { _, err := rec.Trial(""); return err }(),
		func() error {
			_, _, err := rec.Build(spiketrain.Options{Window: &[2]float64{0, 2}, Sort: true})
			return err
		}(),
	} {
		if err == nil || !strings.Contains(err.Error(), "2 trials (t1, t2)") || !strings.Contains(err.Error(), "--trial t1") {
			t.Errorf("no choice: %v", err)
		}
	}
	two, err := rec.Trial("t2")
	if want := [][]float64{{0.5, 1}, {}}; err != nil || !reflect.DeepEqual(times(two), want) || !reflect.DeepEqual(two.Names(), []string{"a", "b"}) {
		t.Errorf("%+v, %v", two, err)
	}
	if _, err := rec.Trial("t3"); err == nil || !strings.Contains(err.Error(), "known trials: t1, t2") {
		t.Errorf("absent: %v", err)
	}
	one, _ := spiketrain.ReadCSV(strings.NewReader("trial,unit,time\n4,a,1\n"), 0)
	if _, err := one.Trial(""); err != nil {
		t.Errorf("a single trial: %v", err)
	}
	if _, err := (spiketrain.Recording{}).Trial("4"); err == nil {
		t.Error("no trials: no error")
	}
}

// A byte order mark is no part of the first number, name or bracket.
func TestByteOrderMark(t *testing.T) {
	if rec, err := spiketrain.ReadText(strings.NewReader("\ufeff1 2\n"), 0); err != nil || !reflect.DeepEqual(times(rec), [][]float64{{1, 2}}) {
		t.Errorf("text: %v, %v", times(rec), err)
	}
	if rec, err := spiketrain.ReadCSV(strings.NewReader("\ufeff\"unit\",\"time\"\na,1\n"), 0); err != nil || rec.Trains[0].Unit != "a" {
		t.Errorf("CSV: %+v, %v", rec, err)
	}
	if recs, _, err := spiketrain.ReadJSON(strings.NewReader("\ufeff{\"t_start\":0,\"t_end\":4,\"trains\":[[1],[2]],\"units\":[\"x\",\"y\"]}"), 0); err != nil || !reflect.DeepEqual(recs[0].Names(), []string{"x", "y"}) {
		t.Errorf("JSON: %+v, %v", recs, err)
	}
}

// The window of observation that is proposed holds the spikes.
func TestWindowHint(t *testing.T) {
	for src, want := range map[string]string{"1 9874\n": "--window 0,10000", "6.5\n": "--window 0,10 ", "-3 0.15\n": "--window=-5,0.2", "0\n": "--window 0,1 ", "20\n": "--window 0,20 "} {
		rec, err := spiketrain.ReadText(strings.NewReader(src), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := rec.Build(spiketrain.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", src, err, want)
		}
	}
}

// A spike that is beyond the window by rounding alone is on its edge.
func TestBuildAtRoundedEdges(t *testing.T) {
	tenth := 0.1
	rec := spiketrain.Recording{Window: &[2]float64{0, 0.3}, Trains: []spiketrain.Train{{Times: []float64{0.1, 3 * tenth}}}}
	for _, clip := range []bool{false, true} {
		trains, m, err := rec.Build(spiketrain.Options{Clip: clip})
		if err != nil || m.Dropped != 0 || !reflect.DeepEqual(trains[0].Times, []float64{0.1, 0.3}) {
			t.Errorf("clip %v: %v, %+v, %v", clip, trains, m, err)
		}
	}
}

// mended builds what was read; whatever the input, the trains are valid.
func mended(t *testing.T, rec spiketrain.Recording) {
	o := spiketrain.Options{Sort: true, Clip: true}
	if rec.Window == nil {
		o.Window = &[2]float64{-1, 100}
	}
	trains, _, err := rec.Build(o)
	if err != nil {
		return
	}
	for i, tr := range trains {
		if err := tr.Validate(); err != nil {
			t.Errorf("train %d: %v", i, err)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("# x\n1 2 3\n4\t5,6\n"))
	f.Add([]byte("nan 1\n0x1p-3 1_0\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		rec, err := spiketrain.ReadText(bytes.NewReader(src), 1<<16)
		if err == nil {
			if len(rec.Trains) == 0 {
				t.Error("no trains and no error")
			}
			mended(t, rec)
		}
	})
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("unit,time\na,1\n\"b\n\",2\n"))
	f.Add([]byte("time,unit,time\n1,2,3\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		rec, err := spiketrain.ReadCSV(bytes.NewReader(src), 1<<16)
		if err == nil {
			if len(rec.Trains) == 0 {
				t.Error("no trains and no error")
			}
			mended(t, rec)
		}
	})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`[{"t_start":0,"t_end":1,"trains":[[0.5],[]],"interval":[0,1]}]`))
	f.Add([]byte(`{"cases":[{"trains":[[1e999]]}]} {"trains":[]}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		recs, many, err := spiketrain.ReadJSON(bytes.NewReader(src), 1<<16)
		if err != nil {
			return
		}
		if len(recs) == 0 || len(recs) > 1 && !many {
			t.Errorf("%d recordings, many %v", len(recs), many)
		}
		for _, r := range recs {
			mended(t, r)
		}
	})
}

// Lines that end in carriage returns alone were one line: a single train, or a header.
func TestCarriageReturnsMergeTrains(t *testing.T) {
	_, text := spiketrain.ReadText(strings.NewReader("1 2\r3 4\r"), 0)
	_, csv := spiketrain.ReadCSV(strings.NewReader("unit,time\ra,1\r"), 0)
	for _, err := range []error{text, csv} {
		if err == nil || !strings.Contains(err.Error(), "carriage return") || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%v", err)
		}
	}
	if r, err := spiketrain.ReadCSV(strings.NewReader("unit,time\r\na,1\r\n"), 0); err != nil || len(r.Trains) != 1 {
		t.Errorf("ends of both: %+v, %v", r, err)
	}
}

func TestWrongNumberOfFieldsNamesTheHeader(t *testing.T) {
	for src, want := range map[string]string{
		"unit,time\na,1\n\nb,2,3\n":     `line 4: wrong number of fields: 3, expected the 2 of the header "unit,time"`,
		"trial,unit,time\n1,a,1\n1,b\n": `line 3: wrong number of fields: 2, expected the 3 of the header "trial,unit,time"`,
	} {
		if _, err := spiketrain.ReadCSV(strings.NewReader(src), 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", src, err, want)
		}
	}
}

// Of two fields of one name the last one counted.
func TestTwoFieldsOfOneName(t *testing.T) {
	for _, field := range []string{`"trains":[[2]]`, `"t_start":0,"t_start":1,"t_end":2`, `"units":["a"],"units":["b"]`, `"Trains":[[3]]`} {
		_, _, err := spiketrain.ReadJSON(strings.NewReader(`{"trains":[[1]],`+field+`}`), 0)
		if err == nil || !strings.Contains(err.Error(), "two fields") {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, _, err := spiketrain.ReadJSON(strings.NewReader(`{"trains":[[1]],"note":1,"note":2}`), 0); err != nil {
		t.Errorf("a field that is not read, twice: %v", err)
	}
}

// Units 1 and 01 were two.
func TestOneNumberInTwoWays(t *testing.T) {
	for _, src := range []string{"unit,time\n1,1\n01,2\n", "unit,time,trial\na,1,2\na,2,+2\n"} {
		if _, err := spiketrain.ReadCSV(strings.NewReader(src), 0); err == nil || !strings.Contains(err.Error(), "one number written in two ways") {
			t.Errorf("%q: %v", src, err)
		}
	}
	if _, err := spiketrain.ReadCSV(strings.NewReader("unit,time\n1,1\n1a,2\n10,2\n"), 0); err != nil {
		t.Error(err)
	}
}

// The advice for the largest times was a window that ends at infinity.
func TestAdviceOfAnEndlessWindow(t *testing.T) {
	r, err := spiketrain.ReadText(strings.NewReader("1e308 1.5e308\n-1e308\n"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Build(spiketrain.Options{Window: &[2]float64{0, 1}}); err == nil || strings.Contains(err.Error(), "Inf") || !strings.Contains(err.Error(), "1.5e+308") {
		t.Errorf("%v", err)
	}
}

// Several spikes at one time are kept where that is asked for, in order or not.
func TestRepeatsAreKept(t *testing.T) {
	rec := spiketrain.Recording{Window: &[2]float64{0, 4}, Trains: []spiketrain.Train{{Times: []float64{1, 1, 2}}, {Times: []float64{3, 1, 3}}}}
	if _, _, err := rec.Build(spiketrain.Options{Repeats: true}); err == nil || !strings.Contains(err.Error(), "sort the times") {
		t.Errorf("%v", err)
	}
	trains, m, err := rec.Build(spiketrain.Options{Repeats: true, Sort: true})
	if err != nil || len(trains[0].Times) != 3 || len(trains[1].Times) != 3 || m.Merged != 0 || m.Unsorted != 1 {
		t.Errorf("%v, %+v, %v", trains, m, err)
	}
	if _, _, err := rec.Build(spiketrain.Options{}); err == nil || !strings.Contains(err.Error(), "both at 1") { // as everywhere else
		t.Errorf("%v", err)
	}
}
