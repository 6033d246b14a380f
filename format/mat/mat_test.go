package mat_test

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"synfire/format/mat"
)

// Example reads spike times in cells.
func Example() {
	f, err := os.Open("testdata/cells.mat")
	if err != nil {
		panic(err)
	}
	defer f.Close()
	arrays, err := mat.Read(f, 0)
	if err != nil {
		panic(err)
	}
	for i, cell := range arrays[0].Cells {
		fmt.Println(arrays[0].Name, i, cell.Values)
	}
	// Output:
	// spikes 0 [0.25 1.5 2]
	// spikes 1 []
	// spikes 2 [3 1000]
}

// Compressed or not, the arrays are those of the script.
func TestRead(t *testing.T) {
	for _, name := range []string{"cells.mat", "plain.mat"} {
		src, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		arrays, err := mat.Read(bytes.NewReader(src), 0)
		if err != nil || len(arrays) != 6 {
			t.Fatalf("%s: %+v, %v", name, arrays, err)
		}
		a := arrays[0]
		if a.Class != "cell" || !reflect.DeepEqual(a.Shape, []int{1, 3}) || a.Cells[2].Class != "int16" || !reflect.DeepEqual(a.Cells[2].Shape, []int{2, 1}) {
			t.Errorf("%s: %+v", name, a)
		}
		if !reflect.DeepEqual(arrays[2].Values, []float64{2000}) || arrays[3].Class != "logical" || !reflect.DeepEqual(arrays[3].Values, []float64{1, 0}) {
			t.Errorf("%s: %+v", name, arrays[2:4])
		}
		if arrays[4].Class != "char" || arrays[4].Values != nil || arrays[5].Class != "struct" {
			t.Errorf("%s: %+v", name, arrays[4:])
		}
		for n := 128; n < len(src); n += 7 {
			if got, err := mat.Read(bytes.NewReader(src[:n]), 0); err == nil && len(got) >= 6 {
				t.Errorf("%s cut to %d bytes: no error", name, n)
			}
		}
		if _, err := mat.Read(bytes.NewReader(src), 200); err == nil {
			t.Errorf("%s: more than 200 bytes: no error", name)
		}
	}
}

func TestErrors(t *testing.T) {
	head := make([]byte, 128)
	copy(head, "MATLAB 5.0 MAT-file")
	copy(head[124:], "\x00\x01IM")
	for want, src := range map[string][]byte{
		"no MATLAB file":    []byte("unit,time\n"),
		"save it with -v7":  append([]byte("MATLAB 7.3 MAT-file"), make([]byte, 200)...),
		"little-endian":     make([]byte, 128),
		"cut short":         append(bytes.Clone(head), 14, 0, 0, 0, 9, 0, 0, 0),
		"within an element": append(bytes.Clone(head), 14),
		"want a matrix":     append(bytes.Clone(head), 9, 0, 0, 0, 0, 0, 0, 0),
		"at most 4":         append(bytes.Clone(head), 9, 0, 5, 0, 0, 0, 0, 0),
		"zlib":              append(bytes.Clone(head), 15, 0, 0, 0, 2, 0, 0, 0, 1, 2),
	} {
		if _, err := mat.Read(bytes.NewReader(src), 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"cells.mat", "plain.mat"} {
		src, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		arrays, err := mat.Read(bytes.NewReader(src), 1<<22)
		for _, a := range arrays {
			n := 1
			for _, s := range a.Shape {
				n *= s
			}
			if err == nil && a.Values != nil && len(a.Values) != n {
				t.Errorf("%d values of shape %v", len(a.Values), a.Shape)
			}
		}
	})
}
