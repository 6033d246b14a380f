// Package npz reads and writes NumPy's files: an NPY file is one array, an NPZ
// file a zip archive of them, as numpy.save and numpy.savez make them.
//
// An NPY file is
//
//	6 bytes       \x93NUMPY
//	2 bytes       version: 1.0, 2.0 or 3.0
//	2 or 4 bytes  n, the length of the header, little-endian; 4 from version 2.0 on
//	n bytes       {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } padded with spaces
//	the rest      the elements
//
// Read are booleans, integers, floating-point numbers of 16, 32 and 64 bits, and
// strings, in either byte order and either order of the axes. What an array holds
// here is always row-major and little-endian. Python objects are refused: they are
// pickles, which run code when they are read. So are complex numbers and records.
//
// The reader trusts nothing: an array that declares more than the permitted bytes is
// refused before memory is taken for it, and memory grows with the bytes that really
// come, so neither a false header nor a compressed bomb costs more than the limit.
package npz

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"synfire/internal/half"
)

// DefaultMax is how many bytes of arrays are accepted unless told otherwise: 2 GiB.
const DefaultMax = 2 << 30

// Array is one array: its elements are row-major and little-endian in Data. An empty
// Shape is a scalar. DType is NumPy's name of the element type: "|b1", "|u1", "<i8",
// "<f4", "<U12" (strings of at most 12 runes, 4 bytes each), "|S5" (of 5 bytes).
type Array struct {
	DType string
	Shape []int
	Data  []byte
}

// dtypePattern is byte order, class and size of the types that are read.
var dtypePattern = regexp.MustCompile(`^([<>|=]?)([a-zA-Z?])([0-9]*)$`)

// sizes are the element sizes in bytes that each class of types may have; strings may
// have any.
var sizes = map[byte]string{'b': "1", 'i': "1248", 'u': "1248", 'f': "248", 'U': "", 'S': ""}

const maxString = 1 << 20 // runes or bytes of one string

// dtype is a parsed element type.
type dtype struct {
	class byte // of sizes
	size  int  // bytes an element
	big   bool // big-endian
}

func parseDType(name string) (dtype, error) {
	m := dtypePattern.FindStringSubmatch(name)
	if m == nil {
		return dtype{}, fmt.Errorf("element type %q: want one number or string an element, as '<f4' or '|u1'", name)
	}
	class := m[2][0]
	allowed, known := sizes[class]
	n, err := strconv.Atoi(m[3])
	switch {
	case class == 'O':
		return dtype{}, fmt.Errorf("element type %q: Python objects are pickles, which are never read; save numbers: numpy.asarray(x, dtype='float32')", name)
	case !known, err != nil, n == 0, allowed != "" && (len(m[3]) != 1 || !strings.Contains(allowed, m[3])), n > maxString:
		return dtype{}, fmt.Errorf("element type %q is not supported; want booleans, integers, floating-point numbers (f2, f4, f8) or strings", name)
	case class == 'U':
		n *= 4
	}
	return dtype{class: class, size: n, big: m[1] == ">"}, nil
}

// name is the type as Array.DType has it, little-endian.
func (d dtype) name() string {
	switch {
	case d.class == 'U':
		return fmt.Sprintf("<U%d", d.size/4)
	case d.size == 1 || d.class == 'S':
		return fmt.Sprintf("|%c%d", d.class, d.size)
	}
	return fmt.Sprintf("<%c%d", d.class, d.size)
}

// byteLen is the length of an array's data, at most max.
func byteLen(d dtype, shape []int, max int64) (int64, error) {
	n := uint64(d.size)
	for _, dim := range shape {
		if dim < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		hi, lo := bits.Mul64(n, uint64(dim))
		if hi != 0 || lo > math.MaxInt64 {
			return 0, fmt.Errorf("shape %v of %s is larger than the permitted %d bytes", shape, d.name(), max)
		}
		n = lo
	}
	if n > uint64(max) {
		return 0, fmt.Errorf("shape %v of %s takes %d bytes, more than the permitted %d", shape, d.name(), n, max)
	}
	return int64(n), nil
}

// check returns the array's type, or why it is not consistent.
func (a Array) check() (dtype, error) {
	d, err := parseDType(a.DType)
	if err != nil {
		return d, err
	}
	n, err := byteLen(d, a.Shape, math.MaxInt64)
	if err == nil && n != int64(len(a.Data)) {
		err = fmt.Errorf("shape %v of %s takes %d bytes, found %d", a.Shape, a.DType, n, len(a.Data))
	}
	if err == nil && d.name() != a.DType {
		err = fmt.Errorf("element type %q: Data is little-endian, so write %q", a.DType, d.name())
	}
	return d, err
}

// Len is the number of elements.
func (a Array) Len() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// F64 is an array of 64-bit floating-point numbers. Whether shape fits v is checked
// when the array is used. This holds for the other constructors too, and all copy v.
func F64(v []float64, shape ...int) Array {
	data := make([]byte, 0, 8*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(x))
	}
	return Array{"<f8", shape, data}
}

// F32 is an array of 32-bit floating-point numbers.
func F32(v []float32, shape ...int) Array {
	data := make([]byte, 0, 4*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	return Array{"<f4", shape, data}
}

// I64 is an array of 64-bit signed integers.
func I64(v []int64, shape ...int) Array {
	data := make([]byte, 0, 8*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint64(data, uint64(x))
	}
	return Array{"<i8", shape, data}
}

// U8 is an array of bytes.
func U8(v []uint8, shape ...int) Array { return Array{"|u1", shape, append([]byte{}, v...)} }

// Text is an array of strings.
func Text(v []string, shape ...int) Array {
	width := 1
	for _, s := range v {
		width = max(width, utf8.RuneCountInString(s))
	}
	data := make([]byte, 4*width*len(v))
	for i, s := range v {
		at := data[4*width*i:]
		for _, r := range s {
			binary.LittleEndian.PutUint32(at, uint32(r))
			at = at[4:]
		}
	}
	return Array{fmt.Sprintf("<U%d", width), shape, data}
}

// Float64s returns the elements of an array of any type of numbers. Booleans become 0
// and 1; integers beyond ±2⁵³ are rounded.
func (a Array) Float64s() ([]float64, error) {
	d, err := a.check()
	if err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	get := d.float()
	if get == nil {
		return nil, fmt.Errorf("npz: the array holds strings (%s), expected numbers", a.DType)
	}
	v := make([]float64, a.Len())
	for i := range v {
		v[i] = get(a.Data[i*d.size:])
	}
	return v, nil
}

// float reads one element as a floating-point number; nil for strings.
func (d dtype) float() func([]byte) float64 {
	if d.class == 'f' {
		return map[int]func([]byte) float64{
			2: func(b []byte) float64 { return half.Value(binary.LittleEndian.Uint16(b)) },
			4: func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) },
			8: func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) },
		}[d.size]
	}
	if d.class == 'u' && d.size == 8 {
		return func(b []byte) float64 { return float64(binary.LittleEndian.Uint64(b)) }
	}
	if get := d.int(); get != nil {
		return func(b []byte) float64 { return float64(get(b)) }
	}
	return nil
}

// int reads one element of an integer type or a boolean; nil for other types. The top
// bit of a uint64 becomes the sign.
func (d dtype) int() func([]byte) int64 {
	signed := d.class == 'i'
	switch {
	case d.class == 'f' || d.class == 'U' || d.class == 'S':
		return nil
	case d.class == 'b':
		return func(b []byte) int64 { return int64(min(b[0], 1)) }
	case d.size == 1 && signed:
		return func(b []byte) int64 { return int64(int8(b[0])) }
	case d.size == 1:
		return func(b []byte) int64 { return int64(b[0]) }
	case d.size == 2 && signed:
		return func(b []byte) int64 { return int64(int16(binary.LittleEndian.Uint16(b))) }
	case d.size == 2:
		return func(b []byte) int64 { return int64(binary.LittleEndian.Uint16(b)) }
	case d.size == 4 && signed:
		return func(b []byte) int64 { return int64(int32(binary.LittleEndian.Uint32(b))) }
	case d.size == 4:
		return func(b []byte) int64 { return int64(binary.LittleEndian.Uint32(b)) }
	}
	return func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }
}

// Int64s returns the elements of an array of integers or booleans, or of
// floating-point numbers that are all whole. It fails with the place of the first
// element that is no int64.
func (a Array) Int64s() ([]int64, error) {
	d, err := a.check()
	if err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	if d.class == 'f' {
		return a.wholes()
	}
	get := d.int()
	if get == nil {
		return nil, fmt.Errorf("npz: the array holds strings (%s), expected integers", a.DType)
	}
	v := make([]int64, a.Len())
	for i := range v {
		v[i] = get(a.Data[i*d.size:])
		if d.class == 'u' && v[i] < 0 {
			return nil, fmt.Errorf("npz: element %d is %d, too large for an int64", i, uint64(v[i]))
		}
	}
	return v, nil
}

// wholes are floating-point numbers as integers.
func (a Array) wholes() ([]int64, error) {
	floats, err := a.Float64s()
	if err != nil {
		return nil, err
	}
	v := make([]int64, len(floats))
	for i, x := range floats {
		if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
			return nil, fmt.Errorf("npz: element %d is %v, expected a whole number", i, x)
		}
		v[i] = int64(x)
	}
	return v, nil
}

// Strings returns the elements of an array of strings, without the zeros that fill
// them up. Bytes that are no UTF-8, and numbers that are no runes, become U+FFFD.
func (a Array) Strings() ([]string, error) {
	d, err := a.check()
	if err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	if d.class != 'U' && d.class != 'S' {
		return nil, fmt.Errorf("npz: the array holds %s, expected strings", a.DType)
	}
	v := make([]string, a.Len())
	for i := range v {
		v[i] = d.text(a.Data[i*d.size:][:d.size])
	}
	return v, nil
}

func (d dtype) text(b []byte) string {
	if d.class == 'S' {
		return strings.ToValidUTF8(strings.TrimRight(string(b), "\x00"), "\uFFFD")
	}
	var s strings.Builder
	for ; len(b) > 0; b = b[4:] {
		s.WriteRune(rune(binary.LittleEndian.Uint32(b)))
	}
	return strings.TrimRight(s.String(), "\x00")
}
