package safetensors

import (
	"fmt"

	"synfire/tensor"
)

// Of stores a tensor in its own precision.
func Of(t tensor.Tensor) Array {
	switch v := any(t.Data).(type) {
	case []float32:
		return F32(v, t.Shape...)
	case []float64:
		return F64(v, t.Shape...)
	}
	panic(fmt.Sprintf("safetensors.Of: unknown element type %T", t.Data))
}

// Floats are the elements of one of several arrays, of either precision. It returns an
// error unless the array is there and has the shape.
func Floats(arrays map[string]Array, name string, shape tensor.Shape) ([]tensor.Float, error) {
	a, ok := arrays[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("there is no array %q, which this configuration needs: was it made with another configuration?", name)
	case !shape.Equal(a.Shape):
		return nil, fmt.Errorf("array %q has shape %v, in this configuration %v: was it made with another configuration?", name, tensor.Shape(a.Shape), shape)
	}
	out := make([]tensor.Float, shape.Size())
	n := 0
	v32, err := a.F32s()
	if err == nil {
		n = convert(out, v32)
	} else {
		var v64 []float64
		v64, err = a.F64s()
		n = convert(out, v64)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("array %q: %w", name, err)
	case n != len(out):
		return nil, fmt.Errorf("array %q holds %d elements, its shape %v has %d", name, n, shape, len(out))
	}
	return out, nil
}

// convert copies what fits, and returns how many elements src has.
func convert[T float32 | float64](dst []tensor.Float, src []T) int {
	for i := range min(len(dst), len(src)) {
		dst[i] = tensor.Float(src[i])
	}
	return len(src)
}
