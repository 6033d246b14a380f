package modelfile

import (
	"fmt"

	"synfire/format/safetensors"
	"synfire/tensor"
)

// Pack stores a tensor in its own precision. The elements are copied.
func Pack(t tensor.Tensor) safetensors.Array {
	switch v := any(t.Data).(type) {
	case []float32:
		return safetensors.F32(v, t.Shape...)
	case []float64:
		return safetensors.F64(v, t.Shape...)
	}
	panic("modelfile: unknown element type")
}

// Unpack is the inverse of Pack, for an array of a name, from either precision. An
// array that is missing, has another shape or holds what is no number is an error
// that names it.
func Unpack(arrays map[string]safetensors.Array, name string, shape tensor.Shape) ([]tensor.Float, error) {
	a, ok := arrays[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("there is no array %q, which this configuration needs: was the file made with another one?", name)
	case !shape.Equal(a.Shape):
		return nil, fmt.Errorf("array %q has shape %v in the file, %v in this configuration: was the file made with another one?", name, tensor.Shape(a.Shape), shape)
	}
	var out []tensor.Float
	switch a.DType {
	case "F32":
		v, err := a.F32s()
		if err != nil {
			return nil, fmt.Errorf("array %q: %w", name, err)
		}
		out = floats(v)
	case "F64":
		v, err := a.F64s()
		if err != nil {
			return nil, fmt.Errorf("array %q: %w", name, err)
		}
		out = floats(v)
	default:
		return nil, fmt.Errorf("array %q is of type %s, want F32 or F64: was the file made with another configuration?", name, a.DType)
	}
	if len(out) != shape.Size() {
		return nil, fmt.Errorf("array %q has %d elements, and its shape %v takes %d", name, len(out), shape, shape.Size())
	}
	if i, ok := tensor.Finite(out); !ok {
		return nil, fmt.Errorf("array %q holds %v at %d; use another checkpoint of the run", name, out[i], i)
	}
	return out, nil
}

// floats are the elements in the program's precision, in their own memory where they have it.
func floats[T float32 | float64](v []T) []tensor.Float {
	if same, ok := any(v).([]tensor.Float); ok {
		return same
	}
	out := make([]tensor.Float, len(v))
	for i, x := range v {
		out[i] = tensor.Float(x)
	}
	return out
}
