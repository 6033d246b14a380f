package arrays

import (
	"archive/zip"
	"bytes"
	"testing"

	"synfire/data"
	"synfire/format/npz"
	"synfire/sample"
	"synfire/tensor"
)

func FuzzOpen(f *testing.F) {
	x, y := npz.F32([]float32{1, 2, 3, 4}, 2, 2), npz.I64([]int64{1, 0}, 2)
	var plain bytes.Buffer
	if err := npz.WriteNPY(&plain, x); err != nil {
		f.Fatal(err)
	}
	f.Add(plain.Bytes())
	f.Add(bytes.Replace(plain.Bytes(), []byte("False, "), []byte("True,  "), 1))
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, a := range map[string]npz.Array{"x": x, "y": y} {
			w, err := z.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: method})
			if err == nil {
				err = npz.WriteNPY(w, a)
			}
			if err != nil {
				f.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	for _, names := range [][]string{{"b", "a"}, {"", "a"}, {"\x1b[31m", "a"}} { // labels that are texts
		var b bytes.Buffer
		if err := npz.Write(&b, map[string]npz.Array{"x": x, "y": npz.Text(names, 2), "classes": npz.Text([]string{"a", "b"}, 2)}); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte("\x40\x00\x00\x00\x00\x00\x00\x00{\"x\":{\"dtype\":\"U8\",\"shape\":[1,1],\"data_offsets\":[0,1]}}            \x07"))
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, a := range []Arrays{{}, {Memory: data.MemoryNo, Unlabelled: true}} {
			columns, err := openFile(bytes.NewReader(in), int64(len(in)))
			if err != nil {
				return
			}
			src, _, err := a.sources("fuzz", columns)
			if err != nil || src.Spec().Size() > 1<<20 {
				continue
			}
			spec := src.Spec()
			if err := spec.Validate(); err != nil {
				t.Fatal(err)
			}
			s := sample.Sample{X: make([]tensor.Float, spec.Size())}
			for i := range min(src.Len(), 4) {
				s.Targets = s.Targets[:0]
				if err := src.Read(t.Context(), i, &s); err == nil && len(s.Targets) != len(spec.Targets) {
					t.Fatalf("%d targets, want %d", len(s.Targets), len(spec.Targets))
				}
			}
		}
	})
}
