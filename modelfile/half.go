package modelfile

import (
	"encoding/binary"
	"fmt"
	"math"

	"synfire/format/safetensors"
)

// A half has a sign, 5 bits of exponent and 10 of fraction (IEEE 754 binary16).
const (
	halfSign  = 1 << 15
	halfInf   = 0x1f << 10
	halfBelow = -13 // numbers f·2^e, ½ ≤ f < 1, of a smaller e have the spacing of e = −13
)

// half is the nearest half, ties to even; beyond the largest it is infinite.
func half(x float64) uint16 {
	_, e := math.Frexp(x)
	if e = max(e, halfBelow); x == 0 {
		e = halfBelow
	}
	n := int(math.RoundToEven(math.Ldexp(math.Abs(x), 11-e))) // at most 2^11, which carries into the exponent
	h := uint16(min(n+(e-halfBelow)<<10, halfInf))
	if math.Signbit(x) {
		h |= halfSign
	}
	return h
}

// single is the value of a half.
func single(h uint16) float32 {
	fraction, e := float64(h&0x3ff), int(h>>10&0x1f)
	v := math.Ldexp(fraction, -24)
	switch {
	case e == 0x1f && fraction != 0:
		return float32(math.NaN())
	case e == 0x1f:
		v = math.Inf(1)
	case e > 0:
		v = math.Ldexp(fraction+1024, e-25)
	}
	if h&halfSign != 0 {
		v = -v
	}
	return float32(v)
}

// roundHalf rounds an array's values to halves.
func roundHalf(a safetensors.Array) (safetensors.Array, error) {
	return convert(a, func(v []float64) ([]float32, error) {
		out := make([]float32, len(v))
		for i, x := range v {
			h := half(x)
			if h&^halfSign == halfInf {
				return nil, fmt.Errorf("value %d is %v, beyond the largest of float16, 65504; use %s or %s", i, x, Int8, Float32)
			}
			out[i] = single(h)
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
		b.Data = binary.LittleEndian.AppendUint16(b.Data, half(x))
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
		out[i] = single(binary.LittleEndian.Uint16(a.Data[2*i:]))
	}
	return safetensors.F32(out, a.Shape...)
}
