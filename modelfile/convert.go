package modelfile

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"synfire/format/safetensors"
)

// The types that Convert knows.
const (
	Float32 = "float32"
	Float16 = "float16"
	Int8    = "int8"

	dtypes = Float32 + ", " + Float16 + " and " + Int8
)

// stores write an array as a type has it. Its values must be what restore gives back.
var stores = map[string]func(to map[string]safetensors.Array, name string, a safetensors.Array) error{
	"": storeAsIs, Float32: storeAsIs, Float16: storeHalf, Int8: storeBytes,
}

// Convert rounds a model's arrays to what a type can hold, and has Write store them in
// it. They stay float32 in memory, so what the result predicts is what its file will.
// Values outside a type's range are an error, and a checkpoint is one too: learning
// goes on from exact values. Arrays that are not floating-point stay.
func (f File) Convert(dtype string) (File, error) {
	round, ok := map[string]func(safetensors.Array) (safetensors.Array, error){Float32: asFloat32, Float16: roundHalf, Int8: roundBytes}[dtype]
	switch {
	case !ok:
		return File{}, fmt.Errorf("convert: no type %q; use %s", dtype, dtypes)
	case f.Format == 1:
		return File{}, errors.New("convert: a file of format 1 does not tell what is the model's from what is the learner's; open it with its rule and convert that")
	case len(f.Learner) > 0 || f.Progress != nil:
		return File{}, errors.New("convert: this is a checkpoint, from which learning goes on exactly; convert its Model")
	}
	f.Arrays = maps.Clone(f.Arrays)
	for _, name := range slices.Sorted(maps.Keys(f.Arrays)) {
		a, err := round(f.Arrays[name])
		if err != nil {
			return File{}, fmt.Errorf("convert array %q to %s: %w", name, dtype, err)
		}
		f.Arrays[name] = a
	}
	f.Stored = dtype
	return f, nil
}

// restore turns arrays as stored into float32.
func (f *File) restore() error {
	for _, name := range slices.Sorted(maps.Keys(f.Arrays)) {
		own, isScale := strings.CutPrefix(name, scalePrefix)
		if isScale && f.Format == 2 {
			q, ok := f.Arrays[own]
			v, err := fromBytes(q, f.Arrays[name])
			if !ok || err != nil {
				return fmt.Errorf("array %q: %w", name, errors.Join(err, errors.New("it is no scale of an array; write the file again")))
			}
			f.Arrays[own] = v
			delete(f.Arrays, name)
		}
		if a := f.Arrays[name]; a.DType == "F16" && f.Stored == Float16 {
			f.Arrays[name] = fromHalf(a)
		}
	}
	return nil
}

// numbers are the elements of a floating-point array; ok is false for others.
func numbers(a safetensors.Array) (v []float64, ok bool, err error) {
	switch a.DType {
	case "F64":
		v, err = a.F64s()
	case "F32":
		var w []float32
		w, err = a.F32s()
		v = make([]float64, len(w))
		for i, x := range w {
			v[i] = float64(x)
		}
	default:
		return nil, false, nil
	}
	for i, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, true, fmt.Errorf("value %d is %v; use another checkpoint of the run", i, x)
		}
	}
	return v, true, err
}

// asFloat32 rounds to float32.
func asFloat32(a safetensors.Array) (safetensors.Array, error) {
	if a.DType == "F32" {
		return a, nil
	}
	return convert(a, func(v []float64) ([]float32, error) {
		out := make([]float32, len(v))
		for i, x := range v {
			if out[i] = float32(x); math.IsInf(float64(out[i]), 0) {
				return nil, fmt.Errorf("value %d is %v, beyond what float32 holds; scale the weights", i, x)
			}
		}
		return out, nil
	})
}

// convert makes a float32 array of a floating-point one; others stay.
func convert(a safetensors.Array, f func([]float64) ([]float32, error)) (safetensors.Array, error) {
	v, ok, err := numbers(a)
	if !ok || err != nil {
		return a, err
	}
	out, err := f(v)
	if err != nil {
		return a, err
	}
	return safetensors.F32(out, a.Shape...), nil
}

func storeAsIs(to map[string]safetensors.Array, name string, a safetensors.Array) error {
	to[name] = a
	return nil
}

// errNotConverted says that storing would lose something.
var errNotConverted = errors.New("its values are not ones that the type holds; write what Convert returns")

// same reports whether two arrays are equal to the last bit.
func same(a, b safetensors.Array) bool {
	return a.DType == b.DType && slices.Equal(a.Data, b.Data)
}
