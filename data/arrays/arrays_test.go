package arrays_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"synfire/data"
	"synfire/data/arrays"
	"synfire/format/npz"
	"synfire/format/safetensors"
	"synfire/internal/shared"
	"synfire/sample"
	"synfire/tensor"
)

// checkError wants an error with each part in its text.
func checkError(t *testing.T, name string, err error, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: got %v, want %q", name, err, p)
		}
	}
}

// all is the values and the targets of all samples, read one after another, and a
// failure where they come out otherwise beside one another.
func all(t *testing.T, src sample.Source) (x [][]tensor.Float, targets [][]sample.Target) {
	t.Helper()
	read := func(i int) sample.Sample {
		s := sample.Sample{X: make([]tensor.Float, src.Spec().Size())}
		if err := src.Read(t.Context(), i, &s); err != nil {
			t.Error(err)
		}
		return s
	}
	for i := range src.Len() {
		s := read(i)
		x, targets = append(x, s.X), append(targets, s.Targets)
		for f := range s.Targets {
			target, err := src.Target(i, f)
			if err != nil || target.Class != s.Targets[f].Class || !slices.Equal(target.Values, s.Targets[f].Values) {
				t.Errorf("target %d of sample %d is %v, read %v, %v", f, i, target, s.Targets[f], err)
			}
		}
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for i := range src.Len() {
				if s := read(i); !slices.Equal(s.X, x[i]) {
					t.Errorf("sample %d is read as %v beside others, else as %v", i, s.X, x[i])
				}
			}
		})
	}
	wait.Wait()
	return x, targets
}

func TestFrom(t *testing.T) {
	train, test, err := arrays.From("own", map[string]npz.Array{
		"x_train": npz.U8([]uint8{0, 51, 102, 255}, 2, 2), "y_train": npz.I64([]int64{2, 0}, 2),
		"x_test": npz.U8([]uint8{5, 6}, 1, 2), "y_test": npz.U8([]uint8{1}, 1),
	}, arrays.Arrays{})
	if err != nil {
		t.Fatal(err)
	}
	x, targets := all(t, train)
	spec := train.Spec()
	if x[0][1] != tensor.Float(0.2) || !spec.Shape.Equal(tensor.Shape{1, 1, 2}) || len(spec.Targets[0].Classes) != 3 || test.Len() != 1 || targets[0][0].Class != 2 {
		t.Errorf("samples %v of %v, targets %v, %d test samples", x, spec, targets, test.Len())
	}
	train, test, err = arrays.From("own", map[string]npz.Array{
		"x": npz.F64([]float64{-3, 700, 0.5, 1}, 2, 2, 1), "y": npz.Text([]string{"owl", "bat"}, 2),
	}, arrays.Arrays{})
	if err != nil || test != nil {
		t.Fatal(err)
	}
	x, targets = all(t, train)
	spec = train.Spec()
	if x[0][0] != -3 || x[0][1] != 700 || !slices.Equal(spec.Targets[0].Classes, []string{"bat", "owl"}) || targets[0][0].Class != 1 || !spec.Shape.Equal(tensor.Shape{2, 1, 1}) {
		t.Errorf("samples %v of %v, targets %v", x, spec, targets)
	}
	train, _, err = arrays.From("own", map[string]npz.Array{"x": npz.U8([]uint8{1}, 1, 1), "y": npz.U8([]uint8{1}, 1), "classes": npz.Text([]string{"no", "yes"}, 2)}, arrays.Arrays{})
	if err != nil || train.Spec().Targets[0].Classes[1] != "yes" {
		t.Errorf("classes of the file: %v", err)
	}
}

func TestArraysErrors(t *testing.T) {
	x, y := npz.F32([]float32{1, 2, 3, 4}, 2, 2), npz.I64([]int64{0, 1}, 2)
	nan := npz.F64([]float64{1, 2, 3, math.NaN()}, 2, 2)
	for name, c := range map[string]struct {
		in      map[string]npz.Array
		classes []string
		want    []string
	}{
		"no y":           {map[string]npz.Array{"x": x, "labels": y}, nil, []string{"no array y", "found labels, x"}},
		"no test":        {map[string]npz.Array{"x_train": x, "y_train": y}, nil, []string{"no array x_test"}},
		"counts":         {map[string]npz.Array{"x": x, "y": npz.I64([]int64{0}, 1)}, nil, []string{"x has 2 samples, y 1 labels"}},
		"negative":       {map[string]npz.Array{"x": x, "y": npz.I64([]int64{0, -1}, 2)}, nil, []string{"label -1 of sample 1"}},
		"beyond classes": {map[string]npz.Array{"x": x, "y": y}, []string{"only"}, []string{"label 1 of sample 1", "from 0 to 0"}},
		"many classes":   {map[string]npz.Array{"x": x, "y": npz.I64([]int64{0, 65536}, 2)}, nil, []string{"label 65536", "0 to 65535"}},
		"unknown name":   {map[string]npz.Array{"x": x, "y": npz.Text([]string{"a", "b"}, 2)}, []string{"a", "c"}, []string{`label "b" of sample 1`}},
		"vector":         {map[string]npz.Array{"x": npz.F32([]float32{1, 2}, 2), "y": y}, nil, []string{"1 dimensions", "N×D"}},
		"scalar":         {map[string]npz.Array{"x": npz.F32([]float32{1}), "y": y}, nil, []string{"0 dimensions"}},
		"NaN":            {map[string]npz.Array{"x": nan, "y": y}, nil, []string{"value 1 of sample 1 is NaN"}},
		"strings":        {map[string]npz.Array{"x": npz.Text([]string{"a", "b"}, 2, 1), "y": y}, nil, []string{"x: ", "expected numbers"}},
		"channels first": {map[string]npz.Array{"x": npz.U8(make([]uint8, 2*3*8*8), 2, 3, 8, 8), "y": y}, nil, []string{"channels first", "transpose(0, 2, 3, 1)"}},
		"shapes":         {map[string]npz.Array{"x_train": x, "y_train": y, "x_test": npz.F32([]float32{1}, 1, 1), "y_test": npz.I64([]int64{0}, 1)}, nil, []string{"1×1×2, of x_test 1×1×1"}},
		"one number":     {map[string]npz.Array{"x": x, "y": npz.Text([]string{"1", "1.0"}, 2)}, nil, []string{"labels: ", "one number written in two ways"}},
		"kinds of label": {map[string]npz.Array{"x_train": x, "y_train": npz.Text([]string{"a", "b"}, 2), "x_test": x, "y_test": y}, nil, []string{"labels: ", "expected strings"}},
		"x_val left out": {map[string]npz.Array{"x_train": x, "y_train": y, "x_test": x, "y_test": y, "x_val": x}, nil, []string{"array x_val is of no part"}},
		"x_tset alone":   {map[string]npz.Array{"x": x, "y": y, "x_tset": x}, nil, []string{"array x_tset is of no part"}},
		"no samples":     {map[string]npz.Array{"x": npz.F32(nil, 0, 2), "y": npz.I64(nil, 0)}, nil, []string{"holds no samples"}},
		"no values":      {map[string]npz.Array{"x": npz.F32(nil, 2, 0), "y": y}, nil, []string{"at least 1"}},
	} {
		_, _, err := arrays.From("own", c.in, arrays.Arrays{Classes: c.classes})
		checkError(t, name, err, c.want...)
	}
	_, _, err := arrays.Arrays{Path: "absent.npz"}.Open(t.Context(), data.Options{})
	checkError(t, "absent", err, "absent.npz")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v does not say that there is no such file", err)
	}
}

// What a sample is follows from the number of axes.
func TestShapes(t *testing.T) {
	for name, c := range map[string]struct {
		shape  []int
		series bool
		want   string
	}{
		"vector":            {[]int{2, 5}, false, "1×1×5"},
		"image":             {[]int{2, 4, 5}, false, "4×5×1"},
		"colour":            {[]int{2, 4, 5, 3}, false, "4×5×3"},
		"film":              {[]int{2, 7, 4, 5, 2}, false, "7 steps of 4×5×2"},
		"series":            {[]int{2, 7, 5}, true, "7 steps of 5"},
		"series of numbers": {[]int{2, 7}, true, "7 steps of 1"},
		"film of one":       {[]int{2, 7, 4, 5}, true, "7 steps of 4×5×1"},
	} {
		x := npz.U8(make([]uint8, npz.Array{Shape: c.shape}.Len()), c.shape...)
		src, _, err := arrays.From("own", map[string]npz.Array{"x": x}, arrays.Arrays{Series: c.series, Unlabelled: true})
		if err != nil || src.Spec().String() != c.want || len(src.Spec().Targets) != 0 {
			t.Errorf("%s: %v, %v, want %s", name, src, err, c.want)
		}
	}
	_, _, err := arrays.From("own", map[string]npz.Array{"x": npz.U8(make([]uint8, 2*3*2*8*8), 2, 3, 2, 8, 8)}, arrays.Arrays{Unlabelled: true})
	checkError(t, "film, channels first", err, "channels first", "transpose(0, 1, 3, 4, 2)")
}

// What a target is follows from its numbers, or from the option.
func TestTargets(t *testing.T) {
	in := map[string]npz.Array{
		"x": npz.F32([]float32{1, 2, 3, 4, 5, 6}, 2, 3), "y": npz.F32([]float32{0.5, 2}, 2),
		"y_box": npz.I64([]int64{1, 2, 3, 4}, 2, 2), "y_kind": npz.Text([]string{"b", "a"}, 2), "y_whole": npz.F64([]float64{3, 1}, 2),
		"y_path": npz.F64([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 2, 3, 2),
		"y_pic":  npz.U8([]uint8{0, 255, 51, 102}, 2, 2), "classes_kind": npz.Text([]string{"b", "a"}, 2),
	}
	_, _, err := arrays.From("own", in, arrays.Arrays{})
	checkError(t, "ambiguous", err, "y_whole holds real numbers that are all whole", "{y_whole: class} or {y_whole: values}")
	src, _, err := arrays.From("own", in, arrays.Arrays{Targets: map[string]arrays.Reading{"y_whole": arrays.AsClass, "y_path": arrays.AsSeries}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]struct {
		kind  sample.Kind
		shape string
		steps int
		value sample.Target // of sample 1
	}{
		"value": {sample.Values, "1", 0, sample.Target{Values: []tensor.Float{2}}},
		"box":   {sample.Values, "2", 0, sample.Target{Values: []tensor.Float{3, 4}}},
		"kind":  {sample.Class, "", 0, sample.Target{Class: 1}},
		"whole": {sample.Class, "", 0, sample.Target{Class: 1}},
		"path":  {sample.Values, "2", 3, sample.Target{Values: []tensor.Float{7, 8, 9, 10, 11, 12}}},
		"pic":   {sample.Values, "2", 0, sample.Target{Values: []tensor.Float{tensor.Float(0.2), tensor.Float(0.4)}}},
	}
	_, targets := all(t, src)
	fields := src.Spec().Targets
	if len(fields) != len(want) || fields[0].Name != "value" {
		t.Fatalf("fields %v", fields)
	}
	for i, f := range fields {
		w, got := want[f.Name], targets[1][i]
		if f.Kind != w.kind || f.Kind == sample.Values && f.Shape.String() != w.shape || f.Steps != w.steps || got.Class != w.value.Class || !slices.Equal(got.Values, w.value.Values) {
			t.Errorf("field %+v, target %v, want %+v", f, got, w)
		}
	}
	for want, a := range map[string]arrays.Arrays{
		"no array y_none":   {Targets: map[string]arrays.Reading{"y_none": arrays.AsClass}},
		"want y or y_NAME":  {Targets: map[string]arrays.Reading{"z": arrays.AsClass}},
		"with class, value": {Targets: map[string]arrays.Reading{"y": "boxes"}},
		"scale is -1":       {Scale: -1},
		"unlabelled":        {Unlabelled: true, Classes: []string{"a"}},
	} {
		_, _, err := arrays.From("own", in, a)
		checkError(t, want, err, want)
	}
	x := in["x"]
	for want, in := range map[string]map[string]npz.Array{
		"y_a has no split":        {"x_train": x, "x_test": x, "y_train": in["y"], "y_test": in["y"], "y_a": in["y"]},
		"no array y_a_test":       {"x_train": x, "x_test": x, "y_a_train": in["y"]},
		"y_train stands beside x": {"x": x, "y_train": in["y"]},
		"x and x_train":           {"x": x, "x_train": x},
		"control character":       {"x": x, "y_\x1b": in["y"]},
		"\"a\\x1b\"":              {"x": x, "y": npz.Text([]string{"a\x1b", "b"}, 2)},
		"same behind the first":   {"x_train": x, "x_test": x, "y_train": in["y_box"], "y_test": in["y_path"]},
	} {
		_, _, err := arrays.From("own", in, arrays.Arrays{})
		checkError(t, want, err, want)
	}
}

// Whole numbers as labels are the classes of these names, where a model's classes are
// numbers, not their places.
func TestLabelsThatAreNamesOfClasses(t *testing.T) {
	in := func(labels ...int64) map[string]npz.Array {
		return map[string]npz.Array{"x": npz.F32(make([]float32, len(labels)), len(labels), 1), "y": npz.I64(labels, len(labels))}
	}
	classes := []string{"1", "2", "10"}
	src, _, err := arrays.From("own", in(10, 1, 2), arrays.Arrays{Classes: classes})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{2, 0, 1} {
		if got, err := src.Target(i, 0); err != nil || got.Class != want {
			t.Errorf("sample %d: %+v, %v; want class %d", i, got, err, want)
		}
	}
	if _, _, err := arrays.From("own", in(10, 0), arrays.Arrays{Classes: classes}); err == nil || !strings.Contains(err.Error(), "label 0 of sample 1 is none of the classes") {
		t.Errorf("label 0: %v", err)
	}
}

// 400 classes, by number and by name, stay 400.
func TestManyClasses(t *testing.T) {
	const n = 400
	x, numbers, names := make([]uint8, n), make([]int64, n), make([]string, n)
	for i := range n {
		numbers[i], names[i] = int64(n-1-i), fmt.Sprint(n-1-i)
	}
	for _, y := range []npz.Array{npz.I64(numbers, n), npz.Text(names, n)} {
		src, _, err := arrays.From("own", map[string]npz.Array{"x": npz.U8(x, n, 1), "y": y}, arrays.Arrays{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if target, _ := src.Target(i, 0); target.Class != n-1-i || src.Spec().Targets[0].Classes[n-1-i] != fmt.Sprint(n-1-i) {
				t.Fatalf("sample %d has class %d", i, target.Class)
			}
		}
	}
}

// npy is the bytes of an NPY file.
func npy(t testing.TB, a npz.Array) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := npz.WriteNPY(&b, a); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fortran turns the bytes of an NPY file of N×2 32-bit numbers into Fortran's order.
func fortran(b []byte, n int) []byte {
	out := bytes.Replace(b, []byte("'fortran_order': False, "), []byte("'fortran_order': True,  "), 1)
	start := len(b) - 8*n
	for i := range n {
		for k := range 2 {
			copy(out[start+4*(k*n+i):][:4], b[start+4*(2*i+k):])
		}
	}
	return out
}

// bigEndian turns the bytes of an NPY file of 32-bit numbers round.
func bigEndian(b []byte, elements int) []byte {
	out := bytes.Replace(b, []byte("'<f4'"), []byte("'>f4'"), 1)
	for at := len(out) - 4*elements; at < len(out); at += 4 {
		slices.Reverse(out[at : at+4])
	}
	return out
}

// archive is an NPZ file whose entries are stored or compressed.
func archive(t testing.TB, method uint16, entries map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: method})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// All forms of files give the same samples, held or read in parts.
func TestFiles(t *testing.T) {
	const n = 37
	var v []float32
	var labels []int64
	for i := range n {
		v, labels = append(v, float32(i)*1.5, -float32(i)), append(labels, int64(i%3))
	}
	x, y := npy(t, npz.F32(v, n, 2)), npy(t, npz.I64(labels, n))
	var st bytes.Buffer
	if err := safetensors.Encode(&st, safetensors.File{Tensors: map[string]safetensors.Array{"y": safetensors.I64(labels, n), "x": safetensors.F32(v, n, 2)}}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put := func(name string, b []byte) string {
		at := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, b, 0o644)); err != nil {
			t.Fatal(err)
		}
		return at
	}
	put("npy/x.npy", x)
	put("npy/y.npy", y)
	put("npy/notes.txt", nil)
	paths := []string{
		put("stored.npz", archive(t, zip.Store, map[string][]byte{"x": x, "y": y})),
		put("deflated.npz", archive(t, zip.Deflate, map[string][]byte{"x": x, "y": y})),
		put("fortran.npz", archive(t, zip.Store, map[string][]byte{"x": fortran(x, n), "y": y})),
		put("fortran-deflated.npz", archive(t, zip.Deflate, map[string][]byte{"x": fortran(x, n), "y": y})),
		put("big.npz", archive(t, zip.Store, map[string][]byte{"x": bigEndian(x, 2*n), "y": y})),
		put("big-fortran.npz", archive(t, zip.Deflate, map[string][]byte{"x": bigEndian(fortran(x, n), 2*n), "y": y})),
		put("s.safetensors", st.Bytes()),
		filepath.Join(dir, "npy"),
	}
	for _, path := range paths {
		for _, memory := range []data.Memory{data.MemoryNo, data.MemoryYes} {
			src, _, err := arrays.Arrays{Path: path, Memory: memory}.Open(t.Context(), data.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, targets := all(t, src)
			for i := range n {
				if float32(got[i][0]) != v[2*i] || float32(got[i][1]) != v[2*i+1] || targets[i][0].Class != i%3 {
					t.Fatalf("%s, memory %v: sample %d is %v, %v", filepath.Base(path), memory, i, got[i], targets[i])
				}
			}
			if want := path + ": x, sample 3"; src.Origin(3) != want {
				t.Errorf("origin %s, want %s", src.Origin(3), want)
			}
		}
	}
	alone, _, err := arrays.Arrays{Path: put("alone.npy", x)}.Open(t.Context(), data.Options{})
	if err != nil || alone.Len() != n || len(alone.Spec().Targets) != 0 {
		t.Errorf("x alone: %v", err)
	}
}

// Labels in a column of its own may stand in Fortran's order.
func TestLabelsInFortransOrder(t *testing.T) {
	x, y := npy(t, npz.F32([]float32{1, 2, 3}, 3, 1)), npy(t, npz.I64([]int64{2, 0, 1}, 3, 1))
	y = bytes.Replace(y, []byte("'fortran_order': False, "), []byte("'fortran_order': True,  "), 1)
	at := filepath.Join(t.TempDir(), "f.npz")
	if err := os.WriteFile(at, archive(t, zip.Store, map[string][]byte{"x": x, "y": y}), 0o644); err != nil {
		t.Fatal(err)
	}
	src, _, err := arrays.Arrays{Path: at}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{2, 0, 1} {
		if y, err := src.Target(i, 0); err != nil || y.Class != want {
			t.Errorf("sample %d is of class %d, %v; want %d", i, y.Class, err, want)
		}
	}
}

// What must be read whole is counted together: two arrays of 1.5 GiB are refused before
// any of them is read.
func TestArraysThatAreReadWholeAreCountedTogether(t *testing.T) {
	header := npy(t, npz.U8(nil, 0, 2))
	header = bytes.Replace(header, []byte("'fortran_order': False, 'shape': (0, 2), }        "), []byte("'fortran_order': True,  'shape': (805306368, 2), }"), 1)
	dir := t.TempDir()
	for _, name := range []string{"x.npy", "y.npy"} { // files with a hole
		at := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(at, header, 0o644), os.Truncate(at, int64(len(header))+3<<29)); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := arrays.Arrays{Path: dir}.Open(t.Context(), data.Options{})
	checkError(t, "two large arrays", err, "takes 1610612736 bytes", "at most 2147483648")
}

func TestFileErrors(t *testing.T) {
	x := npy(t, npz.F32([]float32{1, 2, 3, 4}, 2, 2))
	dir := t.TempDir()
	lie := bytes.Replace(x, []byte("(2, 2)"), []byte("(9, 9)"), 1)
	for want, b := range map[string][]byte{
		"neither an NPZ":             []byte("hello, world"),
		"begins with \"\"":           {},
		"the file has 15":            x[:len(x)-1],
		"not an NPZ archive":         []byte("PK\x03\x04 and so on"),
		"take":                       lie,
		"do not hold":                archive(t, zip.Store, map[string][]byte{"x": lie}),
		"header claims":              []byte("\xff\x00\x00\x00\x00\x00\x00\x00{}"),
		"pickles":                    bytes.Replace(x, []byte("'<f4'"), []byte("'|O8'"), 1),
		"unexpected EOF":             archive(t, zip.Deflate, map[string][]byte{"x": lie}),
		"1099511627776 bytes, which": bomb(t),
	} {
		at := filepath.Join(dir, "f")
		if err := os.WriteFile(at, b, 0o644); err != nil {
			t.Fatal(err)
		}
		_, _, err := arrays.Arrays{Path: at, Unlabelled: true}.Open(t.Context(), data.Options{})
		checkError(t, want, err, want)
	}
	_, _, err := arrays.Arrays{Path: t.TempDir()}.Open(t.Context(), data.Options{})
	checkError(t, "empty folder", err, "no NPY files")
	checkError(t, "no path", arrays.Arrays{}.Validate(), "no path")
	_, _, err = arrays.Arrays{Path: shared.File(t, "cases/escname.npz"), Unlabelled: true}.Open(t.Context(), data.Options{})
	if err == nil || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("an escape in a name: %q", err)
	}
}

// bomb declares an array of 1 TiB in a hundred bytes.
func bomb(t *testing.T) []byte {
	b := npy(t, npz.U8(nil, 0))
	b = bytes.Replace(b, []byte("(0,), }      "), []byte("(1099511627776,), }"), 1)
	return archive(t, zip.Deflate, map[string][]byte{"x": b[:128]})
}

// A file cut short after it was opened is an error of the sample that it lost.
func TestCutShort(t *testing.T) {
	at := filepath.Join(t.TempDir(), "x.npy")
	b := npy(t, npz.F32([]float32{1, 2, 3, 4}, 2, 2))
	if err := os.WriteFile(at, b, 0o644); err != nil {
		t.Fatal(err)
	}
	src, _, err := arrays.Arrays{Path: at, Memory: data.MemoryNo}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(at, int64(len(b)-4)); err != nil {
		t.Fatal(err)
	}
	s := sample.Sample{X: make([]tensor.Float, 2)}
	if err := src.Read(t.Context(), 0, &s); err != nil {
		t.Error(err)
	}
	checkError(t, "cut", src.Read(t.Context(), 1, &s), at+": x, sample 1", "cut short")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := src.Read(ctx, 0, &s); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// What is compressed takes no more memory than its elements when it is read.
func TestMemoryOfCompressed(t *testing.T) {
	const n = 1 << 25
	at := filepath.Join(t.TempDir(), "x.npz")
	if err := os.WriteFile(at, archive(t, zip.Deflate, map[string][]byte{"x": npy(t, npz.U8(make([]uint8, n), n/1024, 1024))}), 0o644); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	src, _, err := arrays.Arrays{Path: at, Unlabelled: true}.Open(t.Context(), data.Options{})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if taken := after.TotalAlloc - before.TotalAlloc; taken > n*12/10 {
		t.Errorf("%d bytes were taken for %d", taken, n)
	}
	runtime.KeepAlive(src)
}

// An NPY file that is larger than what is held walks in constant memory.
func TestConstantMemory(t *testing.T) {
	const n, width = 4096, 8192 // 32 MiB
	at := filepath.Join(t.TempDir(), "x.npy")
	f, err := os.Create(at)
	if err != nil {
		t.Fatal(err)
	}
	head := npy(t, npz.U8(make([]uint8, n), n, 1))
	head = bytes.Replace(head[:len(head)-n], []byte("(4096, 1), }   "), []byte("(4096, 8192), }"), 1)
	row := make([]byte, width)
	_, err = f.Write(head)
	for i := range n {
		binary.LittleEndian.PutUint16(row, uint16(i))
		_, err2 := f.Write(row)
		err = errors.Join(err, err2)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	src, _, err := arrays.Arrays{Path: at, Memory: data.MemoryNo, Scale: 1}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := data.NewCursor(src, data.CursorOptions{Batch: 16, Shuffle: true, Prefetch: 2})
	if err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var most uint64
	var b sample.Batch
	for n := 0; ; n++ {
		more, err := c.Next(t.Context(), &b)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
		for k, i := range b.Index {
			if got := int(b.X[k*width]) + 256*int(b.X[k*width+1]); got != i {
				t.Fatalf("sample %d is %d", i, got)
			}
		}
		if n%16 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
	}
	// Five batches of 512 KiB, in double precision twice that.
	if grown := int64(most) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

func ExampleFrom() {
	train, _, err := arrays.From("flowers", map[string]npz.Array{
		"x": npz.F32([]float32{5.1, 3.5, 6.7, 3.1, 5.0, 3.3}, 3, 2),
		"y": npz.Text([]string{"setosa", "virginica", "setosa"}, 3),
	}, arrays.Arrays{})
	if err != nil {
		fmt.Println(err)
		return
	}
	target, err := train.Target(1, 0)
	fmt.Println(train.Len(), train.Spec(), train.Spec().Targets[0].Classes, target.Class, err)
	// Output: 3 1×1×2 [setosa virginica] 1 <nil>
}

// A double that is too large for the program's numbers was shown as +Inf.
func TestDoubleThatDoesNotFit(t *testing.T) {
	if floating := tensor.Misfit(1e300); floating == "" {
		t.Skip("numbers of this build are doubles")
	}
	y := npz.I64([]int64{0, 1}, 2)
	huge, third := npz.F64([]float64{1, 2, 3, 1e300}, 2, 2), npz.F64([]float64{1, 2, 3, 1e30}, 2, 2)
	_, _, err := arrays.From("own", map[string]npz.Array{"x": huge, "y": y}, arrays.Arrays{})
	checkError(t, "held", err, "value 1 of sample 1 is 1e+300", "32 bits")
	_, _, err = arrays.From("own", map[string]npz.Array{"x": third, "y": y}, arrays.Arrays{Scale: 1e-30})
	checkError(t, "by the scale", err, "value 1 of sample 1 is 1e+30, by the scale of 1e-30")
	dir := t.TempDir()
	for name, a := range map[string]npz.Array{"x": huge, "y": y} {
		if err := os.WriteFile(filepath.Join(dir, name+".npy"), npy(t, a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	never := new(data.Memory)
	if err := never.UnmarshalText([]byte("false")); err != nil {
		t.Fatal(err)
	}
	src, _, err := arrays.Arrays{Path: dir, Memory: *never}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := sample.Sample{X: make([]tensor.Float, 2)}
	checkError(t, "in parts", src.Read(t.Context(), 1, &s), "sample 1", "1e+300")
	src, _, err = arrays.From("own", map[string]npz.Array{"x": third, "y": npz.F64([]float64{0.5, -1e300}, 2)}, arrays.Arrays{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = src.Target(1, 0)
	checkError(t, "target", err, "y: value 0 of sample 1 is -1e+300")
}
