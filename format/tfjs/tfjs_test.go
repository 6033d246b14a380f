package tfjs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"synfire/format/tfjs"
)

const manifest = `[{"paths": ["a.bin", "b.bin"], "weights": [
	{"name": "conv/filters", "shape": [1, 2], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1}},
	{"name": "conv/bias", "shape": [1], "dtype": "float32"},
	{"name": "wide", "shape": [2], "dtype": "float32", "quantization": {"dtype": "uint16", "scale": 2, "min": 1}},
	{"name": "halves", "shape": [], "dtype": "float32", "quantization": {"dtype": "float16"}}]}]`

// Two numbers of a byte, −1 and 0.5; 1.5 in four bytes, which two files share; 1 and 513 of two; 1 as a half.
func files(text string) fstest.MapFS {
	return fstest.MapFS{
		"model/m.json": {Data: []byte(text)},
		"model/a.bin":  {Data: []byte{0, 3, 0, 0}},
		"model/b.bin":  {Data: []byte{0xc0, 0x3f, 0, 0, 0, 1, 0, 0x3c}},
	}
}

func Example() {
	all, err := tfjs.Read(files(manifest), "model/m.json")
	if err != nil {
		fmt.Println(err)
	}
	for _, a := range all {
		fmt.Println(a.Name, a.Shape, a.Quantised, a.Data)
	}
	// Output:
	// conv/filters [1 2] true [-1 0.5]
	// conv/bias [1] false [1.5]
	// wide [2] true [1 513]
	// halves [] true [1]
}

func TestRefuses(t *testing.T) {
	for want, change := range map[string][2]string{
		"the 13 of 4 arrays":    {`"shape": [1, 2]`, `"shape": [1, 3]`},
		"11 in all":             {`"shape": [1, 2]`, `"shape": [1, 1]`},
		"file beside":           {`"a.bin"`, `"../../a.bin"`},
		"\"/a.bin\", want":      {`"a.bin"`, `"/a.bin"`},
		"c.bin":                 {`"a.bin"`, `"c.bin"`},
		"comes twice":           {`conv/bias`, `conv/filters`},
		"no name":               {`conv/bias`, ``},
		"want float32":          {`"shape": [1], "dtype": "float32"`, `"shape": [1], "dtype": "int32"`},
		"quantised as \"int4\"": {`uint16`, `int4`},
		"without scale":         {`"scale": 2, `, ``},
		"finite":                {`"scale": 2`, `"scale": 1e308`},
		"sizes from 1 on":       {`"shape": [1, 2]`, `"shape": [1, 0]`},
		"at most 8":             {`"shape": [1, 2]`, `"shape": [1, 1, 1, 1, 1, 1, 1, 1, 2]`},
		"more than":             {`"shape": [1, 2]`, `"shape": [1, 1073741824]`},
		"at most 1073741824":    {`"shape": [1, 2]`, `"shape": [4294967296, 4294967296]`},
		"is it a manifest":      {`[{"paths"`, `{"paths"`},
	} {
		if !strings.Contains(manifest, change[0]) {
			t.Fatalf("%q is not there", change[0])
		}
		_, err := tfjs.Read(files(strings.Replace(manifest, change[0], change[1], 1)), "model/m.json")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q in place of %q: %v, want %q", change[1], change[0], err, want)
		}
	}
	for _, text := range []string{"[]", `[{"paths": [], "weights": []}]`} {
		if _, err := tfjs.Read(files(text), "model/m.json"); err == nil || !strings.Contains(err.Error(), "no arrays") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Whatever a manifest says, arrays are as large as their shapes, or it is refused.
func FuzzRead(f *testing.F) {
	f.Add([]byte(manifest), []byte{0, 3, 0, 0})
	f.Add([]byte(`[{"paths":["a.bin"],"weights":[{"name":"w","shape":[4],"dtype":"float32","quantization":{"dtype":"uint8","scale":1,"min":0}}]}]`), []byte("1234"))
	f.Fuzz(func(t *testing.T, text, bytes []byte) {
		fsys := files(string(text))
		fsys["model/a.bin"].Data = bytes
		all, err := tfjs.Read(fsys, "model/m.json")
		if err != nil {
			return
		}
		for _, a := range all {
			n := 1
			for _, d := range a.Shape {
				n *= d
			}
			if n != len(a.Data) || slices.ContainsFunc(a.Data, func(v float32) bool { return v != v }) {
				t.Errorf("%q of shape %v has %d numbers", a.Name, a.Shape, len(a.Data))
			}
		}
	})
}
