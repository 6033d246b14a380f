package modelfile

import (
	"encoding/binary"
	"fmt"

	"synfire/format/safetensors"
	"synfire/internal/half"
)

// roundHalf rounds an array's values to halves.
func roundHalf(a safetensors.Array) (safetensors.Array, error) {
	return convert(a, func(v []float64) ([]float32, error) {
		out := make([]float32, len(v))
		for i, x := range v {
			h := half.From(x)
			if h&^(1<<15) == half.Inf {
				return nil, fmt.Errorf("value %d is %v, beyond the largest of float16, 65504; use %s or %s", i, x, Int8, Float32)
			}
			out[i] = float32(half.Value(h))
		}
		return out, nil
	})
}

func storeHalf(to map[string]safetensors.Array, name string, a safetensors.Array) error {
	v, ok, err := numbers(a)
	if !ok || err != nil {
		to[name] = a
		return err
	}
	b := safetensors.Array{DType: "F16", Shape: a.Shape, Data: make([]byte, 0, 2*len(v))}
	for _, x := range v {
		b.Data = binary.LittleEndian.AppendUint16(b.Data, half.From(x))
	}
	if !same(fromHalf(b), a) {
		return errNotConverted
	}
	to[name] = b
	return nil
}

func fromHalf(a safetensors.Array) safetensors.Array {
	out := make([]float32, len(a.Data)/2)
	for i := range out {
		out[i] = float32(half.Value(binary.LittleEndian.Uint16(a.Data[2*i:])))
	}
	return safetensors.F32(out, a.Shape...)
}
