package npz_test

import (
	"bytes"
	"slices"
	"testing"

	"synfire/format/npz"
)

// The headers of an archive tell what reading it gives.
func TestEntries(t *testing.T) {
	in := map[string]npz.Array{"a": npz.F32([]float32{1, 2, 3, 4, 5, 6}, 3, 2), "b": npz.Text([]string{"x", "yz"}, 2)}
	var b bytes.Buffer
	if err := npz.Write(&b, in); err != nil {
		t.Fatal(err)
	}
	entries, err := npz.Entries(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		want := in[e.Name]
		got, err := e.Read()
		if err != nil || e.DType != want.DType || !slices.Equal(e.Shape, want.Shape) || !bytes.Equal(got, want.Data) || e.Offset != -1 || e.ItemSize() != len(want.Data)/want.Len() {
			t.Errorf("%+v: %v, %v", e, got, err)
		}
	}
}

func TestReadInfo(t *testing.T) {
	var b bytes.Buffer
	if err := npz.WriteNPY(&b, npz.I64([]int64{7, 8}, 2)); err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(b.Bytes())
	info, err := npz.ReadInfo(r)
	if err != nil || info.DType != "<i8" || info.Bytes != 16 || info.Header != int64(b.Len()-16) || r.Len() != 16 {
		t.Errorf("%+v, %d bytes left, %v", info, r.Len(), err)
	}
}
