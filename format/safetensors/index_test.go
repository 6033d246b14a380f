package safetensors_test

import (
	"bytes"
	"slices"
	"testing"

	"synfire/format/safetensors"
)

// The index tells where decoding finds the elements.
func TestIndex(t *testing.T) {
	file := safetensors.File{Tensors: map[string]safetensors.Array{"a": safetensors.F32([]float32{1, 2, 3}, 3), "b": safetensors.U8([]uint8{9, 8}, 2, 1)}}
	var b bytes.Buffer
	if err := safetensors.Encode(&b, file); err != nil {
		t.Fatal(err)
	}
	places, err := safetensors.Index(bytes.NewReader(b.Bytes()), int64(b.Len()), safetensors.Limits{})
	if err != nil || len(places) != 2 {
		t.Fatalf("%v, %v", places, err)
	}
	for name, p := range places {
		want := file.Tensors[name]
		if p.DType != want.DType || !slices.Equal(p.Shape, want.Shape) || !bytes.Equal(b.Bytes()[p.Offset:p.Offset+p.Bytes], want.Data) {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if _, err := safetensors.Index(bytes.NewReader(b.Bytes()), int64(b.Len()-1), safetensors.Limits{}); err == nil {
		t.Error("a file that is cut short is indexed")
	}
}
