package safetensors

import (
	"slices"
	"strings"
	"testing"

	"synfire/tensor"
)

// Tensors come back as they were, from arrays of either precision, and what does not fit
// is named.
func TestTensors(t *testing.T) {
	x := tensor.Tensor{Shape: tensor.Shape{2, 3}, Data: []tensor.Float{1, -2, 0.5, 0, 4, 8}}
	arrays := map[string]Array{
		"own": Of(x), "f32": F32([]float32{1, -2, 0.5, 0, 4, 8}, 2, 3), "f64": F64([]float64{1, -2, 0.5, 0, 4, 8}, 2, 3),
		"u8": U8([]uint8{1, 2, 3, 4, 5, 6}, 2, 3), "short": F32([]float32{1, 2}, 2, 3),
	}
	for _, name := range []string{"own", "f32", "f64"} {
		if got, err := Floats(arrays, name, x.Shape); err != nil || !slices.Equal(got, x.Data) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for want, c := range map[string]struct {
		name  string
		shape tensor.Shape
	}{
		`no array "none"`:                       {"none", x.Shape},
		`"own" has shape 2×3, in this`:          {"own", tensor.Shape{6}},
		`array "u8": safetensors: read F64`:     {"u8", x.Shape},
		`"short" holds 2 elements, its shape 2`: {"short", x.Shape},
	} {
		if _, err := Floats(arrays, c.name, c.shape); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
