package inspect_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/format/idx"
	"synfire/format/npz"
	"synfire/inspect"
)

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

// The header of a truncated file was shown as if all were there.
func TestTruncatedFilesAreNoticed(t *testing.T) {
	var whole, array bytes.Buffer
	if err := idx.Write(&whole, &idx.Array{Dims: []int{2, 50}, Data: make([]byte, 100)}); err != nil {
		t.Fatal(err)
	}
	if err := npz.WriteNPY(&array, npz.F64(make([]float64, 9), 9)); err != nil {
		t.Fatal(err)
	}
	b := whole.Bytes()
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"whole":               {b, ""},
		"whole.gz":            {zipped(b), ""},
		"parts.gz":            {append(zipped(b[:40]), zipped(b[40:])...), ""},
		"short":               {b[:90], "truncated: found 78"},
		"long":                {append(bytes.Clone(b), 0), "more bytes follow"},
		"short.gz":            {zipped(b[:90]), "truncated: found 78"},
		"cut.gz":              {zipped(b)[:30], "truncated"},
		"whole.npy":           {array.Bytes(), ""},
		"header without.npy":  {array.Bytes()[:array.Len()-72], "takes 72 bytes, the file has 0"},
		"one element too few": {array.Bytes()[:array.Len()-8], "takes 72 bytes, the file has 64"},
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := inspect.Open(catalog.Default(), path)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil {
			continue
		}
		n := 0
		if err := f.Arrays[0].Each(func(piece []float64) error { n += len(piece); return nil }); err != nil || n < 9 {
			t.Errorf("%s: %d elements, %v", name, n, err)
		}
	}
}

// Spike trains that cannot be read are an error, not a file without trains.
func TestBrokenTrains(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trains.json")
	for text, broken := range map[string]bool{`{"t_start":0,"t_end":10,"trains":[[1,2.5],[]]}`: false, `{"t_start":0,"t_end":10,"trains":[[1,"x"],[]]}`: true} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := inspect.Open(catalog.Default(), path)
		if broken != (err != nil) || !broken && len(f.Arrays) != 2 {
			t.Errorf("%s: %d trains, %v", text, len(f.Arrays), err)
		}
	}
}

// A table that is no recording was said to be one with wrong columns.
func TestTableIsNoRecording(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, format, arrays string }{
		"table.csv":     {"a, b,label\n1,2,x\n3,4.5,y\n", "table", "a number [2], b number [2], label text [2]"},
		"late.csv":      {"a\n1\nx\n2\n", "table", "a text [3]"},
		"recording.csv": {"unit,time\nu,1\nu,2\n", "spike trains", "u times [2]"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := inspect.Open(catalog.Default(), path)
		if err != nil {
			t.Fatal(err)
		}
		var arrays []string
		for _, a := range f.Arrays {
			arrays = append(arrays, fmt.Sprintf("%s %s %v", a.Name, a.DType, a.Shape))
		}
		if got := strings.Join(arrays, ", "); f.Format != c.format || got != c.arrays {
			t.Errorf("%s: %s of %s, want %s of %s", name, f.Format, got, c.format, c.arrays)
		}
	}
	late, err := inspect.Open(catalog.Default(), filepath.Join(dir, "late.csv"))
	if want := "3 different texts, no number on line 3"; err != nil || late.Summary["column a"] != want {
		t.Errorf("%q, %v; want %q", late.Summary["column a"], err, want)
	}
	for text, want := range map[string]string{"1,2\n3,4\n": "numbers, which are taken for the names", "a,a\n1,2\n": `"a" is the name of several columns`} {
		path := filepath.Join(dir, "odd.csv")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if f, err := inspect.Open(catalog.Default(), path); err != nil || !strings.Contains(fmt.Sprint(f.Summary), want) {
			t.Errorf("%q: %v, %v; want %q", text, f.Summary, err, want)
		}
	}
	sum := 0.0
	table, _ := inspect.Open(catalog.Default(), filepath.Join(dir, "table.csv"))
	if err := table.Arrays[1].Each(func(v []float64) error {
		for _, x := range v {
			sum += x
		}
		return nil
	}); err != nil || sum != 6.5 {
		t.Errorf("sum of b %v, %v; want 6.5", sum, err)
	}
	uneven := filepath.Join(dir, "uneven.csv")
	if err := os.WriteFile(uneven, []byte("a,b\n1,2\n3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := inspect.Open(catalog.Default(), uneven); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("a line with too few fields: %v", err)
	}
}
