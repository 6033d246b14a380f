// Package mat reads MATLAB's files of version 5, as save -v6 and -v7 and scipy.io.savemat
// make them: arrays of numbers and of truth values, and cells of such.
//
//	128 bytes   text, version 0x0100, and IM for little-endian
//	elements    4 bytes type, 4 bytes length n, n bytes, up to a multiple of 8; or, where the upper
//	            half of the type is not 0, it is the length, and 4 bytes follow in all
//	matrix      an element of the elements flags, sizes, name, and values or cells
//	compressed  an element whose bytes are another one by zlib
//
// Structures, sparse and complex arrays, objects and text are passed over by Read, which
// tells them by their class. Nothing in a file is trusted: lengths are compared with what is
// there, and what compressed elements become is bounded.
package mat

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"synfire/internal/limit"
)

// DefaultMax is the most bytes of a file, and of all that its elements become: 1 GiB.
const DefaultMax = 1 << 30

// maxDepth is how deep cells may lie in cells.
const maxDepth = 16

// maxCells is how many arrays a file may hold in all.
const maxCells = 1 << 20

// Array is a variable, or a cell. Values and Cells are column by column, as MATLAB has them;
// an array has one of the two. Of an array of a class that is not read both are nil.
type Array struct {
	Name   string
	Class  string // as double, logical, cell, struct
	Shape  []int
	Values []float64
	Cells  []Array
}

// The types of elements.
const (
	typeMatrix     = 14
	typeCompressed = 15
)

// sizes of a value by the type of an element.
var sizes = map[uint32]int{1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}

// classes by their number; those up to the fifth hold no numbers of their own.
var classes = []string{"", "cell", "struct", "object", "char", "sparse", "double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"}

// Read reads all variables of a file. More than max bytes are an error; max ≤ 0 means
// DefaultMax.
func Read(r io.Reader, max int64) ([]Array, error) {
	if max <= 0 {
		max = DefaultMax
	}
	src, err := limit.ReadAll(r, max)
	if err != nil {
		return nil, fmt.Errorf("mat: %w", err)
	}
	if len(src) < 128 {
		return nil, fmt.Errorf("mat: %d bytes are no MATLAB file, which has a head of 128", len(src))
	}
	switch {
	case bytes.HasPrefix(src, []byte("MATLAB 7.3")):
		return nil, errors.New("mat: the file is of version 7.3, which is HDF5; save it with -v7")
	case string(src[126:128]) != "IM":
		return nil, errors.New("mat: no little-endian MATLAB file of version 5; save it with -v7")
	}
	d := decoder{left: max}
	var out []Array
	for rest := src[128:]; len(rest) > 0; {
		kind, body, after, err := element(rest)
		if err != nil {
			return nil, fmt.Errorf("mat: at byte %d: %w", len(src)-len(rest), err)
		}
		rest = after
		if kind == typeCompressed {
			if kind, body, err = d.inflate(body); err != nil {
				return nil, fmt.Errorf("mat: variable %d: %w", len(out), err)
			}
		}
		if kind != typeMatrix {
			return nil, fmt.Errorf("mat: variable %d is an element of type %d, want a matrix; the file is damaged", len(out), kind)
		}
		a, err := d.array(body, 0)
		if err != nil {
			return nil, fmt.Errorf("mat: variable %d: %w", len(out), err)
		}
		out = append(out, a)
	}
	return out, nil
}

// element is the first element of src, and what follows it.
func element(src []byte) (kind uint32, body, rest []byte, err error) {
	if len(src) < 8 {
		return 0, nil, nil, errors.New("the file ends within an element")
	}
	kind = binary.LittleEndian.Uint32(src)
	if n := kind >> 16; n != 0 {
		if n > 4 {
			return 0, nil, nil, fmt.Errorf("a small element of %d bytes, at most 4 have room; the file is damaged", n)
		}
		return kind & 0xffff, src[4 : 4+n], src[8:], nil
	}
	n := int64(binary.LittleEndian.Uint32(src[4:]))
	if n > int64(len(src)-8) {
		return 0, nil, nil, fmt.Errorf("an element of %d bytes, and %d are left; the file is cut short", n, len(src)-8)
	}
	end := 8 + n
	if kind != typeCompressed {
		end = min((end+7)&^7, int64(len(src)))
	}
	return kind, src[8 : 8+n], src[end:], nil
}

// decoder counts what is made of a file.
type decoder struct {
	left  int64 // bytes
	cells int
}

// take is an error where more would be made of the file than is permitted.
func (d *decoder) take(n int64) error {
	if d.left -= n; d.left < 0 {
		return errors.New("more than the permitted bytes come of the file")
	}
	return nil
}

// inflate is the element in a compressed one.
func (d *decoder) inflate(src []byte) (kind uint32, body []byte, err error) {
	z, err := zlib.NewReader(bytes.NewReader(src))
	if err != nil {
		return 0, nil, err
	}
	defer z.Close()
	out, err := limit.ReadAll(z, d.left)
	if err != nil {
		return 0, nil, err
	}
	if err := d.take(int64(len(out))); err != nil {
		return 0, nil, err
	}
	kind, body, _, err = element(out)
	return kind, body, err
}

// array is a matrix; an empty one stands for an empty cell.
func (d *decoder) array(src []byte, depth int) (a Array, err error) {
	if d.cells++; d.cells > maxCells || depth > maxDepth {
		return a, fmt.Errorf("more than %d arrays, or cells in cells deeper than %d", maxCells, maxDepth)
	}
	if len(src) == 0 {
		return Array{Class: "double", Shape: []int{0, 0}, Values: []float64{}}, nil
	}
	var parts [3][]byte
	for i := range parts {
		if _, parts[i], src, err = element(src); err != nil {
			return a, err
		}
	}
	flags, sizes := parts[0], parts[1]
	if len(flags) < 4 || len(sizes) < 8 || len(sizes)%4 != 0 || len(sizes) > 4*32 {
		return a, fmt.Errorf("flags of %d bytes and sizes of %d; the file is damaged", len(flags), len(sizes))
	}
	class := int(flags[0])
	a = Array{Name: string(parts[2]), Class: fmt.Sprintf("class %d", class)}
	if class > 0 && class < len(classes) {
		a.Class = classes[class]
	}
	n := int64(1)
	for i := 0; i < len(sizes); i += 4 {
		size := int64(int32(binary.LittleEndian.Uint32(sizes[i:])))
		if size < 0 || n*size > math.MaxInt32 {
			return a, fmt.Errorf("array %q: a size of %d; the file is damaged", a.Name, size)
		}
		n *= size
		a.Shape = append(a.Shape, int(size))
	}
	const logical, complex = 0x02, 0x08
	switch {
	case a.Class == "cell":
		err = d.fill(&a, src, n, depth)
	case class >= 6 && class < len(classes) && flags[1]&complex == 0:
		if flags[1]&logical != 0 {
			a.Class = "logical"
		}
		err = d.values(&a, src, n)
	case flags[1]&complex != 0:
		a.Class = "complex " + a.Class
	}
	if err != nil {
		err = fmt.Errorf("array %q: %w", a.Name, err)
	}
	return a, err
}

// fill reads the cells.
func (d *decoder) fill(a *Array, src []byte, n int64, depth int) error {
	a.Cells = []Array{}
	for range n {
		kind, body, rest, err := element(src)
		if err == nil && kind != typeMatrix {
			err = fmt.Errorf("a cell is an element of type %d, want a matrix", kind)
		}
		if err != nil {
			return err
		}
		cell, err := d.array(body, depth+1)
		if err != nil {
			return err
		}
		a.Cells, src = append(a.Cells, cell), rest
	}
	return nil
}

// values reads numbers, which may be of a smaller type than the array's.
func (d *decoder) values(a *Array, src []byte, n int64) error {
	kind, body, _, err := element(src)
	if err != nil {
		return err
	}
	size := sizes[kind]
	if size == 0 || int64(len(body)) != n*int64(size) {
		return fmt.Errorf("%d bytes of type %d for %d values; the file is damaged", len(body), kind, n)
	}
	if err := d.take(8 * n); err != nil {
		return err
	}
	a.Values = make([]float64, n)
	for i := range a.Values {
		a.Values[i] = value(kind, body[i*size:])
	}
	return nil
}

func value(kind uint32, b []byte) float64 {
	switch kind {
	case 1:
		return float64(int8(b[0]))
	case 2:
		return float64(b[0])
	case 3:
		return float64(int16(binary.LittleEndian.Uint16(b)))
	case 4:
		return float64(binary.LittleEndian.Uint16(b))
	case 5:
		return float64(int32(binary.LittleEndian.Uint32(b)))
	case 6:
		return float64(binary.LittleEndian.Uint32(b))
	case 7:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case 9:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	case 12:
		return float64(int64(binary.LittleEndian.Uint64(b)))
	}
	return float64(binary.LittleEndian.Uint64(b))
}
