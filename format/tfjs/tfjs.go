// Package tfjs reads the weights that TensorFlow.js keeps beside its models: a manifest in JSON,
// a list of groups of
//
//	paths    files whose bytes follow one another
//	weights  name, shape, dtype of arrays that lie in these bytes one after another
//
// and files of bytes, little endian. An array may be quantised: it is whole numbers q of uint8 or
// uint16, and its values are
//
//	v = scale·q + min
//
// Names are those of the program that wrote them; kernels are [height, width, in, out].
package tfjs

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"path"

	"synfire/internal/half"
	"synfire/internal/limit"
)

const (
	maxManifest = 16 << 20
	maxBytes    = 1 << 30 // of the files of a group together
	maxRank     = 8
)

// Array is an array of numbers.
type Array struct {
	Name      string
	Shape     []int
	Quantised bool
	Data      []float32 // in row-major order, at least one, all finite
}

type weight struct {
	Name         string `json:"name"`
	Shape        []int  `json:"shape"`
	Dtype        string `json:"dtype"`
	Quantization *struct {
		Dtype string   `json:"dtype"`
		Scale *float64 `json:"scale"`
		Min   *float64 `json:"min"`
	} `json:"quantization"`
}

type group struct {
	Paths   []string `json:"paths"`
	Weights []weight `json:"weights"`
}

// Read reads a manifest, and the files that it names, which lie beside it. Arrays are in its order.
// A name that comes twice, a shape that bytes are missing for or left over from, a path that leaves
// the folder, and a number that is not finite are errors.
func Read(fsys fs.FS, manifest string) ([]Array, error) {
	fail := func(err error) ([]Array, error) {
		return nil, fmt.Errorf("tfjs: %.200q: %w", manifest, err)
	}
	content, err := limit.ReadFile(fsys, manifest, maxManifest)
	if err != nil {
		return fail(err)
	}
	var groups []group
	if err := json.Unmarshal(content, &groups); err != nil {
		return fail(fmt.Errorf("%w; is it a manifest of weights, a list of groups with paths and weights?", err))
	}
	var all []Array
	known := map[string]bool{}
	for i, g := range groups {
		arrays, err := g.read(fsys, path.Dir(manifest))
		if err != nil {
			return fail(fmt.Errorf("group %d: %w", i, err))
		}
		for _, a := range arrays {
			if known[a.Name] {
				return fail(fmt.Errorf("array %.80q comes twice", a.Name))
			}
			known[a.Name] = true
		}
		all = append(all, arrays...)
	}
	if len(all) == 0 {
		return fail(fmt.Errorf("it names no arrays; is it a manifest of weights?"))
	}
	return all, nil
}

// read reads a group. What its arrays take is known, and bounded, before a file is.
func (g group) read(fsys fs.FS, dir string) (all []Array, err error) {
	want := 0
	for _, w := range g.Weights {
		n, err := w.bytes()
		if err != nil {
			return nil, fmt.Errorf("array %.80q: %w", w.Name, err)
		}
		if want += n; want > maxBytes {
			return nil, fmt.Errorf("arrays of more than %d bytes, want no more", maxBytes)
		}
	}
	var content []byte
	for _, name := range g.Paths {
		at := path.Join(dir, name)
		if path.IsAbs(name) || !fs.ValidPath(at) {
			return nil, fmt.Errorf("path %.80q, want a file beside the manifest", name)
		}
		b, err := limit.ReadFile(fsys, at, int64(want-len(content)))
		if err != nil {
			return nil, fmt.Errorf("bytes of %d arrays, %d in all: %w", len(g.Weights), want, err)
		}
		content = append(content, b...)
	}
	if len(content) != want {
		return nil, fmt.Errorf("%d bytes in %d files, want the %d of %d arrays", len(content), len(g.Paths), want, len(g.Weights))
	}
	for _, w := range g.Weights {
		n, _ := w.bytes()
		a, err := w.decode(content[:n])
		if err != nil {
			return nil, fmt.Errorf("array %.80q: %w", w.Name, err)
		}
		all, content = append(all, a), content[n:]
	}
	return all, nil
}

// sizes are the bytes of a number as it is kept.
var sizes = map[string]int{"uint8": 1, "uint16": 2, "float16": 2, "float32": 4}

// kept is the type of an array's numbers in the file.
func (w weight) kept() string {
	if w.Quantization != nil {
		return w.Quantization.Dtype
	}
	return w.Dtype
}

// bytes are how many an array takes.
func (w weight) bytes() (int, error) {
	size, ok := sizes[w.kept()]
	switch q := w.Quantization; {
	case w.Name == "":
		return 0, fmt.Errorf("no name")
	case w.Dtype != "float32":
		return 0, fmt.Errorf("dtype %.40q, want float32", w.Dtype)
	case !ok || q != nil && q.Dtype != "uint8" && q.Dtype != "uint16" && q.Dtype != "float16":
		return 0, fmt.Errorf("quantised as %.40q, want uint8, uint16 or float16", w.kept())
	case q != nil && q.Dtype != "float16" && (q.Scale == nil || q.Min == nil):
		return 0, fmt.Errorf("quantised without scale and min")
	case len(w.Shape) > maxRank:
		return 0, fmt.Errorf("%d axes, want at most %d", len(w.Shape), maxRank)
	}
	n := size
	for _, d := range w.Shape {
		if d < 1 || n > maxBytes/d {
			return 0, fmt.Errorf("shape %v, want sizes from 1 on and at most %d bytes", w.Shape, maxBytes)
		}
		n *= d
	}
	return n, nil
}

// decode makes numbers of an array's bytes.
func (w weight) decode(b []byte) (Array, error) {
	kind := w.kept()
	size := sizes[kind]
	a := Array{Name: w.Name, Shape: w.Shape, Quantised: w.Quantization != nil, Data: make([]float32, len(b)/size)}
	for i := range a.Data {
		v := 0.
		switch at := b[i*size:]; kind {
		case "uint8":
			v = float64(at[0])
		case "uint16":
			v = float64(binary.LittleEndian.Uint16(at))
		case "float16":
			v = half.Value(binary.LittleEndian.Uint16(at))
		case "float32":
			v = float64(math.Float32frombits(binary.LittleEndian.Uint32(at)))
		}
		if q := w.Quantization; q != nil && kind != "float16" {
			v = *q.Scale*v + *q.Min
		}
		a.Data[i] = float32(v)
		if math.IsNaN(float64(a.Data[i])) || math.IsInf(float64(a.Data[i]), 0) {
			return a, fmt.Errorf("number %d is %v, want one that is finite in single precision", i, v)
		}
	}
	return a, nil
}
