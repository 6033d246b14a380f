package modelfile

import (
	"fmt"
	"math"

	"synfire/format/safetensors"
)

// A channel's largest value is 127 of its scales.
const (
	maxByte = 127
	// The largest value of a channel is between these: below, a scale of 16 bits
	// would not be a float32.
	leastTop = 0x1p-126
	mostTop  = math.MaxFloat32 / 2
)

// scaleOf is the scale of a channel whose largest magnitude is top: top/127 rounded up
// to 16 significant bits, with which products by whole numbers up to 127 are exact.
func scaleOf(top float64) float64 {
	f, e := math.Frexp(top / maxByte)
	return math.Ldexp(math.Ceil(math.Ldexp(f, 16)), e-16)
}

// scales are those of the channels along the last axis; nil where an array has none.
func scales(a safetensors.Array, v []float64) ([]float32, error) {
	if len(a.Shape) < 2 || len(v) == 0 {
		return nil, nil
	}
	channels := a.Shape[len(a.Shape)-1]
	top := make([]float64, channels)
	for i, x := range v {
		top[i%channels] = max(top[i%channels], math.Abs(x))
	}
	out := make([]float32, channels)
	for c, m := range top {
		if m != 0 && (m < leastTop || m > mostTop) {
			return nil, fmt.Errorf("the largest value of channel %d is %v, want one from %.2g to %.2g; use %s", c, m, leastTop, mostTop, Float32)
		}
		out[c] = float32(scaleOf(m))
	}
	return out, nil
}

// quantise makes whole numbers of scales of the values, and says what they stand for.
func quantise(v []float64, scale []float32) (q []byte, stand []float32) {
	q, stand = make([]byte, len(v)), make([]float32, len(v))
	for i, x := range v {
		s := float64(scale[i%len(scale)])
		if s == 0 {
			continue
		}
		n := int8(math.RoundToEven(x / s))
		q[i], stand[i] = byte(n), float32(n)*float32(s)
	}
	return q, stand
}

// roundBytes rounds an array's values to what int8 and scales hold.
func roundBytes(a safetensors.Array) (safetensors.Array, error) {
	return convert(a, func(v []float64) ([]float32, error) {
		scale, err := scales(a, v)
		if err != nil {
			return nil, err
		}
		if scale == nil {
			a, err := asFloat32(a)
			if err != nil {
				return nil, err
			}
			return a.F32s()
		}
		_, stand := quantise(v, scale)
		return stand, nil
	})
}

func storeBytes(to map[string]safetensors.Array, name string, a safetensors.Array) error {
	v, ok, err := numbers(a)
	if !ok || err != nil {
		to[name] = a
		return err
	}
	scale, err := scales(a, v)
	if scale == nil || err != nil {
		to[name] = a
		return err
	}
	q, stand := quantise(v, scale)
	if !same(safetensors.F32(stand, a.Shape...), a) {
		return errNotConverted
	}
	to[name] = safetensors.Array{DType: "I8", Shape: a.Shape, Data: q}
	to[scalePrefix+name] = safetensors.F32(scale, len(scale))
	return nil
}

// fromBytes is the array of whole numbers and scales.
func fromBytes(q, scale safetensors.Array) (safetensors.Array, error) {
	s, err := scale.F32s()
	if err != nil {
		return q, err
	}
	if n := len(q.Shape); q.DType != "I8" || n < 2 || q.Shape[n-1] != len(s) || len(s) == 0 {
		return q, fmt.Errorf("%d scales of an array of type %s and shape %v, want I8 and a scale for each channel of the last axis", len(s), q.DType, q.Shape)
	}
	out := make([]float32, len(q.Data))
	for i, b := range q.Data {
		out[i] = float32(int8(b)) * s[i%len(s)]
	}
	return safetensors.F32(out, q.Shape...), nil
}
