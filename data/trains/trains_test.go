package trains_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"synfire/data"
	"synfire/data/trains"
	"synfire/format/npz"
	"synfire/internal/shared"
	"synfire/sample"
	"synfire/spike"
	"synfire/tensor"
)

func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(b), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t testing.TB, src sample.Source, i int) sample.Sample {
	t.Helper()
	var s sample.Sample
	if err := src.Read(t.Context(), i, &s); err != nil {
		t.Fatal(err)
	}
	for f := range s.Targets {
		target, err := src.Target(i, f)
		if err != nil || !reflect.DeepEqual(target, s.Targets[f]) {
			t.Errorf("target %+v, %v; read %+v", target, err, s.Targets[f])
		}
	}
	return s
}

func TestIndex(t *testing.T) {
	dir := folder(t, map[string]string{
		"i.csv":    "input, target ,class\na.txt,t/a.csv,loud\nb.json,t/b.json,soft\n",
		"a.txt":    "0 10 20\n5\n",
		"t/a.csv":  "unit,time\n2,50\n0,1\n",
		"b.json":   `{"t_start": 100, "t_end": 200, "trains": [[], [130]]}`,
		"t/b.json": `{"t_start": 0, "t_end": 100, "trains": [[7], []]}`,
	})
	files := trains.Files{Path: filepath.Join(dir, "i.csv"), Units: 2, TargetUnits: 3, Duration: 0.1, Seconds: 0.001}
	src, test, err := files.Open(t.Context(), data.Options{})
	if err != nil || test != nil {
		t.Fatal(err)
	}
	spec := src.Spec()
	if !spec.Events || !spec.Shape.Equal(tensor.Shape{2}) || spec.Duration != 0.1 || len(spec.Targets) != 2 || !slices.Equal(spec.Targets[1].Classes, []string{"loud", "soft"}) {
		t.Errorf("spec %+v", spec)
	}
	a, b := read(t, src, 0), read(t, src, 1)
	if want := []sample.Event{{Time: 0}, {Time: 0.005, Unit: 1}, {Time: 0.01}, {Time: 0.02}}; !slices.Equal(a.Events, want) {
		t.Errorf("events %v", a.Events)
	}
	if want := []spike.Train{{Times: []float64{0.001}, Stop: 0.1}, {Stop: 0.1}, {Times: []float64{0.05}, Stop: 0.1}}; !reflect.DeepEqual(a.Targets[0].Trains, want) {
		t.Errorf("trains %+v", a.Targets[0])
	}
	if want := []sample.Event{{Time: 0.03, Unit: 1}}; !slices.Equal(b.Events, want) || b.Targets[1].Class != 1 {
		t.Errorf("sample %+v", b)
	}
	if src.Origin(1) != files.Path+": b.json" {
		t.Errorf("origin %s", src.Origin(1))
	}
	files.Duration = 0
	_, _, err = files.Open(t.Context(), data.Options{})
	if err == nil || !strings.Contains(err.Error(), "set duration") || !strings.Contains(err.Error(), "a.txt") {
		t.Errorf("no duration: %v", err)
	}
}

func TestClassFolders(t *testing.T) {
	dir := folder(t, map[string]string{
		"a/1.json": `{"t_start": 0, "t_end": 2, "trains": [[1], [0.5, 1.5]]}`, "b/1.json": `{"t_start": 0, "t_end": 3, "trains": [[], []]}`,
	})
	src, _, err := trains.Files{Path: dir, Units: 2}.Open(t.Context(), data.Options{})
	if err != nil || src.Spec().Duration != 3 {
		t.Fatal(err)
	}
	if a, b := read(t, src, 0), read(t, src, 1); a.Length != 2 || len(a.Events) != 3 || b.Length != 0 || len(b.Events) != 0 || b.Targets[0].Class != 1 {
		t.Errorf("%+v, %+v", a, b)
	}
	even, err := data.Uniform(src, data.Length{Crop: 1})
	if err != nil {
		t.Fatal(err)
	}
	if a := read(t, even, 0); len(a.Events) != 1 || a.Length != 0 {
		t.Errorf("cropped %+v", a)
	}
}

// pairFile is a pair of 3 inputs and 2 targets.
func pairFile(t testing.TB, duration float64, units ...int64) string {
	t.Helper()
	var b bytes.Buffer
	times := []float64{0.1, 0.2, 0.3}
	if err := npz.Write(&b, map[string]npz.Array{
		"input_times_s": npz.F64(times, 3), "input_units": npz.I64(units, len(units)),
		"target_times": npz.F64(times[:1], 1), "target_units": npz.I64([]int64{1}, 1),
		"n_input": npz.I64([]int64{3}), "n_target": npz.I64([]int64{2}), "duration": npz.F64([]float64{duration}),
	}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What should be one number and is none is said as what it is.
func TestPairsWithoutNumbers(t *testing.T) {
	for want, duration := range map[string]npz.Array{
		"duration_s: 2 numbers, expected one":   npz.F64([]float64{1, 2}, 2),
		"holds strings (<U1), expected numbers": {DType: "<U1", Data: []byte("x\x00\x00\x00")},
	} {
		var b bytes.Buffer
		none := npz.F64(nil, 0)
		units := npz.I64(nil, 0)
		if err := npz.Write(&b, map[string]npz.Array{"input_times": none, "input_units": units, "target_times": none, "target_units": units, "duration": duration}); err != nil {
			t.Fatal(err)
		}
		_, _, err := trains.Files{Path: folder(t, map[string]string{"p.npz": b.String()})}.Open(t.Context(), data.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestPairs(t *testing.T) {
	dir := folder(t, map[string]string{"p.npz": pairFile(t, 1, 2, 0, 2), "q.npz": pairFile(t, 2, 0, 0, 0)})
	src, _, err := trains.Files{Path: dir}.Open(t.Context(), data.Options{})
	if err != nil || src.Len() != 2 || !src.Spec().Shape.Equal(tensor.Shape{3}) || !src.Spec().Targets[0].Shape.Equal(tensor.Shape{2}) {
		t.Fatal(err)
	}
	if a := read(t, src, 0); !slices.Equal(a.Events, []sample.Event{{Time: 0.1, Unit: 2}, {Time: 0.2}, {Time: 0.3, Unit: 2}}) || a.Length != 1 || a.Targets[0].Trains[1].Times[0] != 0.1 || a.Targets[0].Trains[1].Stop != 1 {
		t.Errorf("%+v", a)
	}
	padded, err := data.Uniform(src, data.Length{Pad: 4})
	if err != nil {
		t.Fatal(err)
	}
	if a := read(t, padded, 0); a.Length != 1 || a.Targets[0].Trains[1].Stop != 4 {
		t.Errorf("padded %+v", a)
	}
	one, _, err := trains.Files{Path: filepath.Join(dir, "p.npz")}.Open(t.Context(), data.Options{})
	if err != nil || one.Len() != 1 || one.Spec().Duration != 1 {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(dir, "q.npz")); err != nil {
		t.Fatal(err)
	}
	if err := src.Read(t.Context(), 1, &sample.Sample{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that went away: %v", err)
	}
	large := filepath.Join(t.TempDir(), "large.npz")
	if err := errors.Join(os.WriteFile(large, nil, 0o644), os.Truncate(large, trains.MaxFile+1)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := (trains.Files{Path: large}).Open(t.Context(), data.Options{}); err == nil || !strings.Contains(err.Error(), "bytes") {
		t.Errorf("a file that is too large: %v", err)
	}
	for want, units := range map[string][]int64{"of unit 3": {0, 0, 3}, "of unit -1": {0, -1, 0}, "3 input_times and 1": {0}} {
		_, _, err := trains.Files{Path: folder(t, map[string]string{"p.npz": pairFile(t, 1, units...)})}.Open(t.Context(), data.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		files map[string]string
		want  string
	}{
		{map[string]string{"i.csv": ""}, "first line"},
		{map[string]string{"i.csv": "input,trial\n"}, `unknown column "trial"`},
		{map[string]string{"i.csv": "input,input\n"}, "comes twice"},
		{map[string]string{"i.csv": "input\n"}, "neither target nor class"},
		{map[string]string{"i.csv": "input,class\n"}, "no samples"},
		{map[string]string{"i.csv": "input,class\n../x.txt,a\n"}, `line 2: "../x.txt" is no path`},
		{map[string]string{"i.csv": "input,class\n/x.txt,a\n"}, `is no path of a file below`},
		{map[string]string{"i.csv": "input,class\nx.txt,\n"}, "line 2: class: the name"},
		{map[string]string{"i.csv": "input,class\nx.txt,a\n"}, "x.txt: no such file"},
		{map[string]string{"i.csv": "input,class\nx.bin,a\n", "x.bin": ""}, "does not end in"},
		{map[string]string{"i.csv": "input,class\nx.txt,a\n", "x.txt": "1 2\n3\n4\n5\n"}, "4 units, expected at most 3"},
		{map[string]string{"i.csv": "input,class\nx.txt,a\n", "x.txt": "2 1\n"}, "unit 0: "},
		{map[string]string{"i.csv": "input,class\nx.txt,a\n", "x.txt": "10\n"}, "not before the end at 10"},
		{map[string]string{"i.csv": "input,class\nx.txt,a\n", "x.txt": "11\n"}, "x.txt: unit 0"},
		{map[string]string{"i.csv": "input,class\nx.csv,a\n", "x.csv": "unit,time\nq,1\n"}, `unit "q" in line 2`},
		{map[string]string{"i.csv": "input,class\nx.json,a\n", "x.json": `{"t_start":0,"t_end":3,"trains":[[1]]}`}, "lasts 3 s, expected the 10"},
		{map[string]string{"i.csv": "input,class\nx.json,a\n", "x.json": `[{"trains":[[1]]},{"trains":[[1]]}]`}, "2 recordings"},
	} {
		dir := folder(t, c.files)
		src, _, err := trains.Files{Path: filepath.Join(dir, "i.csv"), Units: 3, Duration: 10}.Open(t.Context(), data.Options{})
		if err == nil {
			var s sample.Sample
			err = src.Read(t.Context(), 0, &s)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.files, err, c.want)
		}
	}
	for want, f := range map[string]trains.Files{"no path": {}, "-1 units": {Path: "x", Units: -1}, "neither negative": {Path: "x", Duration: -1}} {
		if err := f.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	dir := folder(t, map[string]string{"a/1.txt": "1\n", "b/1.txt": "1\n"})
	_, _, err := trains.Files{Path: dir}.Open(t.Context(), data.Options{})
	if err == nil || !strings.Contains(err.Error(), "set units") {
		t.Errorf("no units: %v", err)
	}
	src, _, err := trains.Files{Path: dir, Units: 1, Duration: 2}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var s sample.Sample
	if err := src.Read(ctx, 0, &s); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// The pattern of a published study is one sample with as many spikes as it tells.
func TestOxford(t *testing.T) {
	pattern := shared.File(t, "data/superspike-targets.zip")
	z, err := zip.OpenReader(pattern)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open("oxford.npz")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	dir := folder(t, map[string]string{"oxford.npz": string(b)})
	for _, at := range []string{filepath.Join(dir, "oxford.npz"), pattern} {
		src, _, err := trains.Files{Path: at}.Open(t.Context(), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, spikes := read(t, src, 0), 0
		for _, train := range s.Targets[0].Trains {
			spikes += len(train.Times)
		}
		if len(s.Events) != 1889 || s.Events[0] != (sample.Event{Time: 0.0003, Unit: 118}) || spikes != 10367 || len(s.Targets[0].Trains) != 200 || s.Targets[0].Trains[61].Times[0] != 8.8e-05 {
			t.Errorf("%d inputs from %+v, %d targets", len(s.Events), s.Events[0], spikes)
		}
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				var again sample.Sample
				if err := src.Read(t.Context(), 0, &again); err != nil || !reflect.DeepEqual(again, s) {
					t.Errorf("read differently beside others: %v", err)
				}
			})
		}
		wait.Wait()
	}
}

func FuzzPair(f *testing.F) {
	f.Add([]byte(pairFile(f, 1, 2, 0, 2)), "p.npz")
	f.Add([]byte("1 2\n\n3\n"), "p.txt")
	f.Add([]byte("unit,time\n0,1\n"), "p.csv")
	f.Add([]byte(`{"t_start":0,"t_end":3,"trains":[[1]]}`), "p.json")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, in []byte, name string) {
		if !slices.Contains([]string{"p.npz", "p.txt", "p.csv", "p.json"}, name) {
			return
		}
		if err := errors.Join(os.WriteFile(filepath.Join(dir, name), in, 0o644), os.WriteFile(filepath.Join(dir, "i.csv"), []byte("input,target\n"+name+","+name+"\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
		src, _, err := trains.Files{Path: filepath.Join(dir, "i.csv"), Units: 4, TargetUnits: 4, Duration: 4}.Open(t.Context(), data.Options{})
		if err != nil {
			return
		}
		var s sample.Sample
		if err := src.Read(t.Context(), 0, &s); err != nil {
			return
		}
		spec := src.Spec()
		for i, e := range s.Events {
			if e.Unit < 0 || int(e.Unit) >= spec.Shape[0] || !(e.Time >= 0 && e.Time < 4) || i > 0 && e.Time < s.Events[i-1].Time {
				t.Fatalf("event %+v", e)
			}
		}
		if err := spec.Targets[0].Check(s.Targets[0]); err != nil {
			t.Fatal(err)
		}
	})
}

func Example() {
	dir, err := os.MkdirTemp("", "trains")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"index.csv": "input,target\nin.txt,out.txt\n", "in.txt": "0.1 0.4\n0.3\n", "out.txt": "0.25\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			fmt.Println(err)
			return
		}
	}
	src, _, err := trains.Files{Path: filepath.Join(dir, "index.csv"), Units: 2, TargetUnits: 1, Duration: 0.5}.Open(context.Background(), data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	var s sample.Sample
	err = src.Read(context.Background(), 0, &s)
	fmt.Println(src.Spec(), s.Events, s.Targets[0].Trains, err)
	// Output: events on 2 [{0.1 0} {0.3 1} {0.4 0}] [{[0.25] 0 0.5}] <nil>
}

// An index, or class folders, beside what is read were taken for a file astray, or left out.
func TestIndexBesideFolders(t *testing.T) {
	folders := map[string]string{"a/1.txt": "1\n", "b/1.txt": "1\n"}
	with := func(name, text string) map[string]string {
		files := maps.Clone(folders)
		files[name] = text
		return files
	}
	for want, files := range map[string]map[string]string{
		"there is index.csv in the folder": with("index.csv", "input,class\na/1.txt,a\n"),
		"a stands beside pairs such as":    with("p.npz", pairFile(t, 1, 0)),
		"x.txt stands outside":             with("x.txt", "1\n"),
	} {
		_, _, err := trains.Files{Path: folder(t, files), Units: 1, Duration: 2}.Open(t.Context(), data.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "data:") != 1 {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
