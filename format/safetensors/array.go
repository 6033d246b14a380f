// Package safetensors reads and writes the safetensors layout: named arrays in
// one file that holds data only and runs nothing when it is read. Checkpoints
// and shipped models use it.
//
// A file is
//
//	8 bytes       n, the length of the header, little-endian
//	n bytes       the header, JSON padded with spaces:
//	              {"__metadata__": {string: string},
//	               name: {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …}
//	the rest      the arrays' elements, little-endian, row-major; the offsets count from here
//
// The reader trusts nothing: every length is checked before it is used, the
// arrays must cover the data without hole or overlap, and no key may come
// twice. The writer is deterministic: equal content gives equal bytes.
//
// # Integrity
//
// The metadata key "sha256" may hold the SHA-256 of the file as 64 lower-case
// hexadecimal digits. It is taken over the header and the data (all that
// follows the eight length bytes), with its own 64 digits replaced by zeros.
// Other readers see an ordinary metadata string.
package safetensors

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// File is the content of one safetensors file. A File without metadata has a
// nil Meta when decoded.
type File struct {
	Meta    map[string]string
	Tensors map[string]Array
}

// Array is one array: its elements are row-major and little-endian in Data. An
// empty Shape is a scalar. DType is one of the layout's names, such as "F32".
type Array struct {
	DType string
	Shape []int
	Data  []byte
}

// bitsOf is the size of an element of each type that the layout names.
var bitsOf = map[string]uint64{
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
	"U16": 16, "I16": 16, "F16": 16, "BF16": 16,
	"U32": 32, "I32": 32, "F32": 32,
	"U64": 64, "I64": 64, "F64": 64, "C64": 64,
	"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}

// byteLen is the length of an array's data in bytes.
func byteLen(dtype string, shape []int) (uint64, error) {
	n, ok := bitsOf[dtype]
	if !ok {
		return 0, fmt.Errorf("unknown dtype %q; known are %s", dtype, strings.Join(slices.Sorted(maps.Keys(bitsOf)), ", "))
	}
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension; dimensions are 0 or more", shape)
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > math.MaxInt64 {
			return 0, fmt.Errorf("shape %v of %s is too large: its size in bits overflows 63 bits", shape, dtype)
		}
		n = lo
	}
	if n%8 != 0 {
		return 0, fmt.Errorf("shape %v of %s takes %d bits, not whole bytes; pad the last dimension", shape, dtype, n)
	}
	return n / 8, nil
}

// F32 is an array of 32-bit floating-point numbers. Whether shape fits v is
// checked when the file is encoded. This holds for the other constructors too,
// and all of them copy v.
func F32(v []float32, shape ...int) Array {
	data := make([]byte, 0, 4*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	return Array{"F32", shape, data}
}

// F64 is an array of 64-bit floating-point numbers.
func F64(v []float64, shape ...int) Array {
	data := make([]byte, 0, 8*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(x))
	}
	return Array{"F64", shape, data}
}

// I64 is an array of 64-bit signed integers.
func I64(v []int64, shape ...int) Array {
	data := make([]byte, 0, 8*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint64(data, uint64(x))
	}
	return Array{"I64", shape, data}
}

// U64 is an array of 64-bit unsigned integers.
func U64(v []uint64, shape ...int) Array {
	data := make([]byte, 0, 8*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint64(data, x)
	}
	return Array{"U64", shape, data}
}

// U8 is an array of bytes.
func U8(v []uint8, shape ...int) Array {
	return Array{"U8", shape, append([]byte{}, v...)}
}

// F32s returns the elements of an F32 array, row-major. It fails on another
// dtype and where Data is not whole elements; so do the other accessors, and
// all of them copy.
func (a Array) F32s() ([]float32, error) {
	return elements(a, "F32", func(b []byte) float32 {
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	})
}

// F64s returns the elements of an F64 array.
func (a Array) F64s() ([]float64, error) {
	return elements(a, "F64", func(b []byte) float64 {
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	})
}

// I64s returns the elements of an I64 array.
func (a Array) I64s() ([]int64, error) {
	return elements(a, "I64", func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) })
}

// U64s returns the elements of a U64 array.
func (a Array) U64s() ([]uint64, error) {
	return elements(a, "U64", binary.LittleEndian.Uint64)
}

// U8s returns the elements of a U8 array.
func (a Array) U8s() ([]uint8, error) {
	return elements(a, "U8", func(b []byte) uint8 { return b[0] })
}

// Finite reports whether no element of an array of F32 or F64 is NaN or infinite, and the place of the
// first that is. Arrays of other kinds are finite.
func (a Array) Finite() (int, bool) {
	size, exponent := 4, uint64(0x7f800000)
	switch a.DType {
	case "F32":
	case "F64":
		size, exponent = 8, 0x7ff<<52
	default:
		return 0, true
	}
	for i := range len(a.Data) / size {
		x := uint64(binary.LittleEndian.Uint32(a.Data[size*i:]))
		if size == 8 {
			x = binary.LittleEndian.Uint64(a.Data[size*i:])
		}
		if x&exponent == exponent {
			return i, false
		}
	}
	return 0, true
}

func elements[T any](a Array, want string, get func([]byte) T) ([]T, error) {
	if a.DType != want {
		return nil, fmt.Errorf("safetensors: read %s elements: the array holds %s; use the accessor of its dtype or convert Data", want, a.DType)
	}
	size := int(bitsOf[want] / 8)
	if len(a.Data)%size != 0 {
		return nil, fmt.Errorf("safetensors: read %s elements: %d bytes of data are not a multiple of %d; check how the array was built", want, len(a.Data), size)
	}
	v := make([]T, len(a.Data)/size)
	for i := range v {
		v[i] = get(a.Data[i*size:])
	}
	return v, nil
}
