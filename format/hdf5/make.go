package hdf5

import (
	"encoding/binary"
	"math"
)

// F32 is an array of 32-bit floating-point numbers. Whether shape fits v is checked when the
// array is used. This holds for the other constructors too, and all copy v.
func F32(v []float32, shape ...int) *Array {
	data := make([]byte, 0, 4*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	return &Array{Type: Type{Class: Float, Size: 4}, Shape: shape, data: data}
}

// F64 is an array of 64-bit floating-point numbers.
func F64(v []float64, shape ...int) *Array {
	data := make([]byte, 0, 8*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(x))
	}
	return &Array{Type: Type{Class: Float, Size: 8}, Shape: shape, data: data}
}

// I64 is an array of 64-bit signed integers.
func I64(v []int64, shape ...int) *Array {
	data := make([]byte, 0, 8*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint64(data, uint64(x))
	}
	return &Array{Type: Type{Class: Integer, Size: 8, Signed: true}, Shape: shape, data: data}
}

// U8 is an array of bytes.
func U8(v []uint8, shape ...int) *Array {
	return &Array{Type: Type{Class: Integer, Size: 1}, Shape: shape, data: append([]byte{}, v...)}
}

// Bools is an array of booleans, as h5py stores them: an enumeration.
func Bools(v []bool, shape ...int) *Array {
	data := make([]byte, len(v))
	for i, x := range v {
		if x {
			data[i] = 1
		}
	}
	t := Type{Class: Enum, Size: 1, Signed: true, Names: []string{"FALSE", "TRUE"}, Values: []int64{0, 1}}
	return &Array{Type: t, Shape: shape, data: data}
}

// Strings is an array of strings of variable length in UTF-8, as h5py stores str. Without
// a shape it is a scalar.
func Strings(v []string, shape ...int) *Array {
	items := make([][]byte, len(v))
	for i, s := range v {
		items[i] = []byte(s)
	}
	return &Array{Type: Type{Class: String, Size: referenceBytes, Variable: true, UTF8: true}, Shape: shape, items: items}
}

// Text is one string.
func Text(s string) *Array { return Strings([]string{s}) }

// Sequences is an array of sequences of 32-bit numbers.
func Sequences(v [][]float32, shape ...int) *Array {
	items := make([][]byte, len(v))
	for i, s := range v {
		items[i] = F32(s, len(s)).data
	}
	elem := Type{Class: Float, Size: 4}
	return &Array{Type: Type{Class: Sequence, Size: referenceBytes, Elem: &elem}, Shape: shape, items: items}
}
