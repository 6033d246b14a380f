package npz_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"synfire/format/npz"
)

// sample is what testdata/make.py had NumPy write.
func sample(t *testing.T) map[string]npz.Array {
	t.Helper()
	arrays, err := npz.ReadFile(filepath.Join("testdata", "sample.npz"), 0)
	if err != nil {
		t.Fatal(err)
	}
	return arrays
}

func TestFloatsOfNumPy(t *testing.T) {
	arrays := sample(t)
	for name, want := range map[string][]float64{
		"scalar":     {2.5},
		"bools":      {1, 0, 1},
		"u1":         {0, 1, 2, 3, 4, 5},
		"i1":         {0, -1, -2, -3, -4, -5},
		"i2":         {0, -300, -600, -900, -1200, -1500},
		"u2_big":     {0, 300, 600, 900, 1200, 1500},
		"i4":         {0, -70000, -140000, -210000, -280000, -350000},
		"u4":         {4000000000, 4000000001, 4000000002, 4000000003, 4000000004, 4000000005},
		"i8":         {-1 << 40, 1 - 1<<40, 2 - 1<<40, 3 - 1<<40, 4 - 1<<40, 5 - 1<<40},
		"u8":         {1 << 40, 1<<40 + 1, 1<<40 + 2, 1<<40 + 3, 1<<40 + 4, 1<<40 + 5},
		"f2":         {0, 0.25, 0.5, 0.75, 1, 1.25},
		"f4":         {0, 0.25, 0.5, 0.75, 1, 1.25},
		"f8_big":     {0, 1 / 3., 2 / 3., 1, 4 / 3., 5 / 3.},
		"f2_special": {math.Inf(1), math.Inf(-1), math.NaN(), 0x1p-24, -65504},
		"fortran":    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23},
		"empty":      {},
	} {
		got, err := arrays[name].Float64s()
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, error %v; want %v", name, got, err, want)
		}
	}
	if got := arrays["fortran"].Shape; !reflect.DeepEqual(got, []int{2, 3, 4}) {
		t.Errorf("shape %v", got)
	}
	if got := arrays["scalar"].Shape; len(got) != 0 {
		t.Errorf("shape of a scalar %v", got)
	}
}

func TestIntegers(t *testing.T) {
	arrays := sample(t)
	for name, want := range map[string][]int64{
		"bools":  {1, 0, 1},
		"i1":     {0, -1, -2, -3, -4, -5},
		"u2_big": {0, 300, 600, 900, 1200, 1500},
		"i8":     {-1 << 40, 1 - 1<<40, 2 - 1<<40, 3 - 1<<40, 4 - 1<<40, 5 - 1<<40},
	} {
		if got, err := arrays[name].Int64s(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, error %v", name, got, err)
		}
	}
	if got, err := npz.F64([]float64{3, -1}, 2).Int64s(); err != nil || !reflect.DeepEqual(got, []int64{3, -1}) {
		t.Errorf("whole numbers: %v, %v", got, err)
	}
	for want, a := range map[string]npz.Array{
		"element 1 is 0.25": arrays["f4"],
		"element 2 is NaN":  npz.F64([]float64{0, 1, math.NaN()}, 3),
		"holds strings":     arrays["text"],
		"element 0 is 9223372036854775808, too large": {DType: "<u8", Shape: []int{1}, Data: []byte{0, 0, 0, 0, 0, 0, 0, 128}},
	} {
		if _, err := a.Int64s(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestStrings(t *testing.T) {
	arrays := sample(t)
	for name, want := range map[string][]string{
		"text": {"red", "grün", "", "blue"}, "text_big": {"a", "bc"}, "raw": {"one", "three"},
	} {
		if got, err := arrays[name].Strings(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, error %v", name, got, err)
		}
	}
	if _, err := arrays["f4"].Strings(); err == nil {
		t.Error("numbers were read as strings")
	}
	if _, err := arrays["text"].Float64s(); err == nil {
		t.Error("strings were read as numbers")
	}
}

// What is written is what NumPy writes of the same array, byte for byte.
func TestWritesAsNumPy(t *testing.T) {
	z, err := zip.OpenReader(filepath.Join("testdata", "sample.npz"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	arrays, checked := sample(t), 0
	for _, f := range z.File {
		name := strings.TrimSuffix(f.Name, ".npy")
		if name == "fortran" || strings.HasSuffix(name, "_big") {
			continue // these we write in another order
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := npz.WriteNPY(&got, arrays[name]); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: error %v, wrote\n%q, NumPy\n%q", name, err, got.Bytes(), want)
		}
		checked++
	}
	if checked < 12 {
		t.Errorf("only %d arrays were compared", checked)
	}
}

func TestRoundTrip(t *testing.T) {
	in := map[string]npz.Array{
		"x": npz.F32([]float32{1, 2, 3, 4, 5, 6}, 3, 2), "y": npz.I64([]int64{0, 1, 0}, 3),
		"d": npz.F64([]float64{math.Pi}), "b": npz.U8([]uint8{7, 255}, 2, 1), "names": npz.Text([]string{"ä", "longer", ""}, 3),
	}
	var first, second bytes.Buffer
	for _, w := range []*bytes.Buffer{&first, &second} {
		if err := npz.Write(w, in); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same arrays gave different bytes")
	}
	out, err := npz.Read(bytes.NewReader(first.Bytes()), int64(first.Len()), 0)
	if err != nil || len(out) != len(in) {
		t.Fatalf("%d arrays, error %v", len(out), err)
	}
	for name, a := range in {
		b := out[name]
		if b.DType != a.DType || fmt.Sprint(b.Shape) != fmt.Sprint(a.Shape) || !bytes.Equal(b.Data, a.Data) {
			t.Errorf("%s: wrote %+v, read %+v", name, a, b)
		}
	}
	if got, err := out["names"].Strings(); err != nil || !reflect.DeepEqual(got, []string{"ä", "longer", ""}) {
		t.Errorf("names %q, %v", got, err)
	}
}

// npy is an NPY file with a header of the caller's.
func npy(header string, data string) string {
	return "\x93NUMPY\x01\x00" + string([]byte{byte(len(header)), byte(len(header) >> 8)}) + header + data
}

func TestReadErrors(t *testing.T) {
	good := "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n"
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "found 0"},
		{"text", "1,2,3\n4,5,6\n", "not an NPY file"},
		{"version", "\x93NUMPY\x09\x00", "version 9.0"},
		{"no length", "\x93NUMPY\x01\x00\x01", "length of the header"},
		{"long header", "\x93NUMPY\x02\x00\xff\xff\xff\xff", "at most 65536"},
		{"short header", "\x93NUMPY\x01\x00\x10\x00{'descr'", "declares 16 bytes, found 8"},
		{"no newline", npy("{", ""), "expected descr"},
		{"objects", npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", ""), "never read"},
		{"records", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", ""), "records"},
		{"complex", npy("{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }", ""), "not supported"},
		{"long double", npy("{'descr': '<f16', 'fortran_order': False, 'shape': (2,), }", ""), "not supported"},
		{"quarter", npy("{'descr': '<f1', 'fortran_order': False, 'shape': (2,), }", ""), "not supported"},
		{"three bytes", npy("{'descr': '<i3', 'fortran_order': False, 'shape': (2,), }", ""), "not supported"},
		{"two sizes", npy("{'descr': '<f24', 'fortran_order': False, 'shape': (2,), }", ""), "not supported"},
		{"no size", npy("{'descr': '<U0', 'fortran_order': False, 'shape': (999999999,), }", ""), "not supported"},
		{"negative", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", ""), "expected descr"},
		{"huge", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999999, 99999999), }", ""), "larger than the permitted"},
		{"huge size", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", ""), "sizes"},
		{"too large", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (300,), }", ""), "1200 bytes, more than the permitted 1000"},
		{"truncated", npy(good, "1234567"), "takes 8 bytes, found 7"},
		{"trailing", npy(good, "123456789"), "trailing"},
		{"dimensions", npy("{'descr': '<f4', 'fortran_order': False, 'shape': ("+strings.Repeat("1, ", 33)+"), }", "1234"), "at most 32 sizes"},
	} {
		_, err := npz.ReadNPY(strings.NewReader(c.in), 1000)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if a, err := npz.ReadNPY(strings.NewReader(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (250,), }", strings.Repeat("\x00", 1000))), 1000); err != nil || len(a.Data) != 1000 {
		t.Errorf("as many bytes as are permitted: %d, %v", len(a.Data), err)
	}
	broken := errors.New("disk on fire")
	if _, err := npz.ReadNPY(io.MultiReader(strings.NewReader(npy(good, "123")), iotest.ErrReader(broken)), 0); !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

func archive(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := npz.WriteNPY(w, npz.U8(make([]byte, 600), 600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchiveErrors(t *testing.T) {
	damaged := archive(t, "x.npy")
	damaged[len("PK\x03\x04")+26+len("x.npy")+5] ^= 0xff
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"no archive", []byte("hello"), "not an NPZ archive"},
		{"one array", []byte(npy("{}", "")), "not an NPZ archive"},
		{"no arrays", archive(t, "readme.txt"), "holds no arrays"},
		{"twice", archive(t, "x.npy", "x.npy"), `two arrays named "x"`},
		{"together too large", archive(t, "x.npy", "y.npy"), `array "y": shape [600] of |u1 takes 600 bytes, more than the permitted 500`},
		{"damaged", damaged, `array "x"`},
	} {
		_, err := npz.Read(bytes.NewReader(c.in), int64(len(c.in)), map[bool]int64{true: 1100}[c.name == "together too large"])
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := npz.ReadFile("testdata/absent.npz", 0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
	if _, err := npz.ReadFile("testdata/make.py", 0); err == nil || !strings.Contains(err.Error(), "make.py") {
		t.Errorf("not an archive: %v, want the file named", err)
	}
}

// A compressed bomb: a gigabyte of zeros behind a header that admits to two numbers,
// and a header that declares a gigabyte in front of nothing. Neither may cost memory.
func TestBombs(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("x.npy")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", ""))
	zeros := make([]byte, 1<<20)
	for range 64 {
		w.Write(zeros)
	}
	z.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := npz.Read(bytes.NewReader(b.Bytes()), int64(b.Len()), 0); err == nil || !strings.Contains(err.Error(), "trailing") {
		t.Errorf("bomb: %v", err)
	}
	if _, err := npz.ReadNPY(strings.NewReader(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (300000000,), }", "")), 0); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
		t.Errorf("%d bytes allocated", n)
	}
}

func TestWriteErrors(t *testing.T) {
	for want, a := range map[string]npz.Array{
		"takes 8 bytes, found 1": {DType: "<f4", Shape: []int{2}, Data: []byte{1}},
		"negative":               {DType: "<f4", Shape: []int{-1}},
		"little-endian":          {DType: ">f4", Shape: []int{1}, Data: make([]byte, 4)},
		"never read":             {DType: "|O", Shape: []int{1}},
		"want one number":        {},
		"33 dimensions":          {DType: "|u1", Shape: []int(make([]int, 33))},
	} {
		var b bytes.Buffer
		if err := npz.WriteNPY(&b, a); err == nil || !strings.Contains(err.Error(), want) || b.Len() > 0 {
			t.Errorf("wrote %d bytes, error %v, want %q", b.Len(), err, want)
		}
	}
	if _, err := (npz.Array{DType: "<f4", Shape: []int{2}}).Float64s(); err == nil {
		t.Error("an array without data gave numbers")
	}
}

func FuzzReadNPY(f *testing.F) {
	for _, s := range []string{
		"", npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }\n", "12345678"), npy("{'descr': '>U2', 'fortran_order': False, 'shape': (), }", "12345678"),
		npy("{'descr': '<u2', 'fortran_order': False, 'shape': (0, 7), }", ""), npy("{'shape': (3,), 'fortran_order': False, 'descr': '|S1'}", "abc"),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := npz.ReadNPY(bytes.NewReader(in), 1<<16)
		if err != nil {
			return
		}
		a.Float64s()
		a.Int64s()
		a.Strings()
		var out bytes.Buffer
		if err := npz.WriteNPY(&out, a); err != nil {
			t.Fatalf("read but not written: %v", err)
		}
		again, err := npz.ReadNPY(&out, 1<<16)
		if err != nil || !reflect.DeepEqual(a.Shape, again.Shape) || !bytes.Equal(a.Data, again.Data) || a.DType != again.DType {
			t.Fatalf("round trip: %+v became %+v, error %v", a, again, err)
		}
	})
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := npz.Write(&b, map[string]npz.Array{"x": npz.U8([]byte{1, 2}, 2)}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, in []byte) {
		npz.Read(bytes.NewReader(in), int64(len(in)), 1<<16)
	})
}

func Example() {
	var file bytes.Buffer
	err := npz.Write(&file, map[string]npz.Array{
		"x": npz.F32([]float32{0, 0.5, 1, 0.25}, 2, 2),
		"y": npz.I64([]int64{0, 1}, 2),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	arrays, err := npz.Read(bytes.NewReader(file.Bytes()), int64(file.Len()), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	x, _ := arrays["x"].Float64s()
	y, _ := arrays["y"].Int64s()
	fmt.Println(arrays["x"].Shape, x, y)
	// Output: [2 2] [0 0.5 1 0.25] [0 1]
}
