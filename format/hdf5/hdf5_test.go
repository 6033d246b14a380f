package hdf5_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/format/hdf5"
)

// row is an object as testdata/make.py lists it.
type row struct {
	Name       string `json:"name"`
	Type       string `json:"type,omitempty"`
	Shape      []int  `json:"shape,omitempty"`
	Values     []any  `json:"values,omitempty"`
	Attributes []row  `json:"attributes,omitempty"`
}

// rowOf lists an array.
func rowOf(t *testing.T, name string, a *hdf5.Array) row {
	t.Helper()
	r := row{Name: name, Type: a.Type.String(), Shape: a.Shape}
	switch a.Type.Class {
	case hdf5.String:
		r.Values = anys(t, name, a.Strings)
	case hdf5.Sequence:
		for _, v := range must(t, name, a.Sequences) {
			r.Values = append(r.Values, anys(t, name, func() ([]float64, error) { return v, nil }))
		}
	default:
		r.Values = anys(t, name, a.Float64s)
		if a.Type.String() == "bool" {
			for i, x := range r.Values {
				r.Values[i] = x == 1.0
			}
		}
	}
	return r
}

func must[T any](t *testing.T, name string, read func() ([]T, error)) []T {
	t.Helper()
	v, err := read()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func anys[T any](t *testing.T, name string, read func() ([]T, error)) []any {
	t.Helper()
	out := []any{}
	for _, x := range must(t, name, read) {
		out = append(out, x)
	}
	return out
}

// rowsOf lists an object and all in it.
func rowsOf(t *testing.T, path string, o *hdf5.Object) []row {
	t.Helper()
	r := row{Name: path}
	if o.Array != nil {
		r = rowOf(t, path, o.Array)
	}
	for _, a := range o.Attributes {
		r.Attributes = append(r.Attributes, rowOf(t, a.Name, a.Array))
	}
	slices.SortFunc(r.Attributes, func(a, b row) int { return strings.Compare(a.Name, b.Name) })
	all := []row{r}
	for _, c := range o.Children {
		all = append(all, rowsOf(t, strings.TrimPrefix(path+"/"+c.Name, "/"), c)...)
	}
	return all
}

// normal is what JSON makes of rows, in the order of their names.
func normal(t *testing.T, rows []row) []row {
	t.Helper()
	b, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	var out []row
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(out, func(a, b row) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func compareRows(t *testing.T, file string, got, want []row) {
	t.Helper()
	got, want = normal(t, got), normal(t, want)
	if len(got) != len(want) {
		t.Fatalf("%s: %d objects, want %d", file, len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%s: %v\nwant %v", file, got[i], want[i])
		}
	}
}

func open(t *testing.T, path string) *hdf5.File {
	t.Helper()
	f, err := hdf5.OpenFile(path, hdf5.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// What h5py wrote is read as h5py reads it.
func TestFilesOfH5py(t *testing.T) {
	b, err := os.ReadFile("testdata/want.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]row
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for name, rows := range want {
		f := open(t, "testdata/"+name+".h5")
		if name == "groups" { // visititems of h5py shows an object once, though two names lead to it
			rows = append(rows, rows[slices.IndexFunc(rows, func(r row) bool { return r.Name == "same" || strings.HasSuffix(r.Name, "/x") })])
			if last := &rows[len(rows)-1]; last.Name == "same" {
				last.Name = "group 7/a/b/c/d/x"
			} else {
				last.Name = "same"
			}
		}
		compareRows(t, name, rowsOf(t, "", f.Root), rows)
		if wantVersion, wantBlock := map[string]int{"version1": 1}[name], map[string]int64{"userblock": 1024}[name]; f.Version != wantVersion || f.UserBlock != wantBlock {
			t.Errorf("%s: version %d, user block %d", name, f.Version, f.UserBlock)
		}
	}
}

func TestStorage(t *testing.T) {
	for path, want := range map[string]string{
		"chunks/plain": "chunks of 3×4×5", "chunks/all": "chunks of 4×3×2, shuffle, deflate, Fletcher-32",
		"groups/compact": "compact", "types/f4": "contiguous", "refused/lzf": "chunks of 50, LZF",
	} {
		file, name, _ := strings.Cut(path, "/")
		o, err := open(t, "testdata/"+file+".h5").Root.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Array.Storage(); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// What is not read is refused by its name; a data set only when its elements are asked for.
func TestRefusals(t *testing.T) {
	for file, want := range map[string]string{
		"latest":    "superblock of version 3: versions 0 and 1 are read; rewrite the file with h5py.File(…, libver='earliest')",
		"ordered":   "new style",
		"circle":    "the group is within itself",
		"committed": "committed data type",
	} {
		if _, err := hdf5.OpenFile("testdata/"+file+".h5", hdf5.Limits{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
	if _, err := open(t, "testdata/links.h5").Root.Find("soft"); err == nil || !strings.Contains(err.Error(), `soft link to "/x"`) {
		t.Errorf("soft link: %v", err)
	}
	f := open(t, "testdata/refused.h5")
	for name, want := range map[string]string{
		"compound": "compound", "big": "big-endian", "bigfloat": "big-endian", "reference": "reference", "lzf": "filter LZF", "scaled": "scale-offset",
		"external": "external files", "array": "fixed array", "complex": "compound", "opaque": "opaque",
	} {
		a := f.Root.Child(name).Array
		_, err := a.Bytes()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestNotHDF5(t *testing.T) {
	for content, want := range map[string]string{"": "empty", "{}": "JSON", "PK\x03\x04aaaaaaaaaaaaaa": "zip"} {
		if _, err := hdf5.Open(strings.NewReader(content), int64(len(content)), hdf5.Limits{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", content, err)
		}
	}
}

// tree is one of everything that is written.
func tree() *hdf5.Object {
	root := &hdf5.Object{Attributes: []hdf5.Attribute{
		{"version", hdf5.Text("1.0 ä")}, {"numbers", hdf5.F64([]float64{1, 2, 3, 4}, 2, 2)}, {"yes", hdf5.Bools([]bool{true})},
	}}
	for name, a := range map[string]*hdf5.Array{
		"f32": hdf5.F32([]float32{1, 2.5, -3}, 3), "f64": hdf5.F64([]float64{1e300}), "i64": hdf5.I64([]int64{-5, 1 << 60}, 2, 1), "u8": hdf5.U8([]uint8{0, 255}, 2),
		"bools": hdf5.Bools([]bool{false, true, true}, 3), "text": hdf5.Text("LIF"), "texts": hdf5.Strings([]string{"a", "", strings.Repeat("long", 2000)}, 3),
		"spikes": hdf5.Sequences([][]float32{{0.5}, {}, {1, 2, 3}}, 3), "empty": hdf5.F32(nil, 0, 4), "none": hdf5.Strings(nil, 0),
	} {
		root.Children = append(root.Children, &hdf5.Object{Name: name, Array: a, Attributes: []hdf5.Attribute{{"unit", hdf5.Text("mV")}}})
	}
	many := &hdf5.Object{Name: "many"}
	for i := range 700 { // two levels of a B-tree
		many.Children = append(many.Children, &hdf5.Object{Name: fmt.Sprintf("object %d", i), Array: hdf5.I64([]int64{int64(i)})})
	}
	root.Children = append(root.Children, many, &hdf5.Object{Name: "none at all"})
	slices.SortFunc(root.Children, func(a, b *hdf5.Object) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(many.Children, func(a, b *hdf5.Object) int { return strings.Compare(a.Name, b.Name) })
	return root
}

func TestRoundTrip(t *testing.T) {
	var b, again bytes.Buffer
	if err := hdf5.Write(&b, tree()); err != nil {
		t.Fatal(err)
	}
	f, err := hdf5.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), hdf5.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	compareRows(t, "written", rowsOf(t, "", f.Root), rowsOf(t, "", tree()))
	if err := hdf5.Write(&again, f.Root); err != nil || !bytes.Equal(again.Bytes(), b.Bytes()) {
		t.Errorf("written again it differs: %v", err)
	}
}

// Files of h5py can be written anew: their chunks become contiguous.
func TestRewriteFilesOfH5py(t *testing.T) {
	for _, name := range []string{"types", "chunks", "groups"} {
		f := open(t, "testdata/"+name+".h5")
		path := filepath.Join(t.TempDir(), name+".h5")
		if err := hdf5.WriteFile(path, f.Root); err != nil {
			t.Fatal(err)
		}
		compareRows(t, name, rowsOf(t, "", open(t, path).Root), rowsOf(t, "", f.Root))
	}
}

// h5py and h5dump read what is written.
func TestOthersReadWhatIsWritten(t *testing.T) {
	const python = "/usr/bin/python3" // the system's own, which has the system's h5py
	if err := exec.Command(python, "-c", "import h5py").Run(); err != nil {
		t.Skip("needs h5py (Debian: python3-h5py)")
	}
	path := filepath.Join(t.TempDir(), "x.h5")
	if err := hdf5.WriteFile(path, tree()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "testdata/make.py", "read", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got []row
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	compareRows(t, "h5py", got, rowsOf(t, "", tree()))
	dump, err := exec.LookPath("h5dump")
	if err != nil {
		t.Skip("needs h5dump (Debian: hdf5-tools)")
	}
	if out, err := exec.Command(dump, path).CombinedOutput(); err != nil || !strings.Contains(string(out), `"LIF"`) {
		t.Errorf("h5dump: %v: %s", err, out)
	}
}

func TestWriteRefuses(t *testing.T) {
	named := func(names ...string) *hdf5.Object {
		o := &hdf5.Object{}
		for _, n := range names {
			o.Children = append(o.Children, &hdf5.Object{Name: n})
		}
		return o
	}
	circle := named("a")
	circle.Children[0].Children = []*hdf5.Object{circle.Children[0]}
	for want, root := range map[string]*hdf5.Object{
		"root must be a group":  {Array: hdf5.Text("x")},
		`two objects are named`: named("a", "b", "a"),
		"without /":             named("a/b"),
		"deep in each other":    circle,
		"soft link":             {Children: []*hdf5.Object{{Name: "s", Link: "/x"}}},
		"shape [3] has 3":       {Children: []*hdf5.Object{{Name: "s", Array: hdf5.F32(nil, 3)}}},
		"make it a data set":    {Attributes: []hdf5.Attribute{{"large", hdf5.U8(make([]byte, 1<<16), 1<<16)}}},
	} {
		if err := hdf5.Write(&bytes.Buffer{}, root); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// The length of an attribute has 16 bits of a header, with its name and type: what just fits
// is read again, and the next size is refused.
func TestLargestAttribute(t *testing.T) {
	written, refused := 0, 0
	for n := 1<<16 - 128; n < 1<<16; n++ {
		var b bytes.Buffer
		root := &hdf5.Object{Attributes: []hdf5.Attribute{{Name: "large", Array: hdf5.U8(make([]byte, n), n)}}}
		if err := hdf5.Write(&b, root); err != nil {
			refused++
			continue
		}
		f, err := hdf5.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), hdf5.Limits{})
		if err != nil || len(f.Root.Attributes) != 1 {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if v, err := f.Root.Attributes[0].Array.Bytes(); err != nil || len(v) != n || refused > 0 {
			t.Errorf("%d bytes come back as %d, %v, after %d that were refused", n, len(v), err, refused)
		}
		written++
	}
	if written == 0 || refused == 0 {
		t.Errorf("%d sizes are written, %d refused", written, refused)
	}
}
