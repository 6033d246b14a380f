package data_test

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/format/idx"
	"synfire/tensor"
)

// numbered is a set of n images of 2×3 pixels in two channels; each byte of
// image i is i, and its label i mod 3.
func numbered(n int) *data.Set {
	s := &data.Set{Name: "numbered", Split: "train", Classes: []string{"a", "b", "c"}, Shape: tensor.Shape{2, 3, 2}}
	for i := range n {
		s.Images = append(s.Images, bytes.Repeat([]byte{byte(i)}, 12)...)
		s.Labels = append(s.Labels, i%3)
	}
	return s
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*data.Set)
		want  string
	}{
		"shape":         {func(s *data.Set) { s.Shape = tensor.Shape{13} }, "found 60"},
		"zero":          {func(s *data.Set) { s.Shape = tensor.Shape{0, 3, 2} }, "at least 1"},
		"short images":  {func(s *data.Set) { s.Images = s.Images[1:] }, "found 59"},
		"one too few":   {func(s *data.Set) { s.Images = s.Images[12:] }, "found 48"},
		"index":         {func(s *data.Set) { s.Places = []int{1} }, "1 places"},
		"label":         {func(s *data.Set) { s.Labels[4] = 3 }, "label 3 of sample 4 is outside the 3 classes"},
		"numbered good": {func(*data.Set) {}, ""},
	} {
		s := numbered(5)
		c.spoil(s)
		checkError(t, name, s.Validate(), c.want)
	}
}

// checkError wants an error with each part in its text, or none for "".
func checkError(t *testing.T, name string, err error, parts ...string) {
	t.Helper()
	for _, p := range parts {
		switch {
		case p == "" && err != nil:
			t.Errorf("%s: unexpected error: %v", name, err)
		case p != "" && err == nil:
			t.Errorf("%s: no error; want one with %q", name, p)
		case p != "" && !strings.Contains(err.Error(), p):
			t.Errorf("%s: the error does not say %q:\n%v", name, p, err)
		}
	}
}

func TestSubset(t *testing.T) {
	s := numbered(6)
	s.Places = []int{10, 11, 12, 13, 14, 15}
	sub, err := s.Subset([]int{5, 0, 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := sub.Validate(); err != nil {
		t.Error(err)
	}
	if !slices.Equal(sub.Places, []int{15, 10, 12}) || !slices.Equal(sub.Labels, []int{2, 0, 2}) || sub.Image(0)[0] != 5 || sub.Image(2)[11] != 2 {
		t.Errorf("wrong samples: %+v", sub)
	}
	again, err := sub.Subset([]int{1})
	if err != nil || again.Index(0) != 10 {
		t.Errorf("a subset of a subset has origin %d, want 10 (error %v)", again.Index(0), err)
	}
	_, err = s.Subset([]int{0, 6})
	checkError(t, "outside", err, "position 6 is outside [0, 6)")
}

func TestFromIDX(t *testing.T) {
	images := idxBytes(t, []int{2, 1, 3}, 1, 2, 3, 4, 5, 6)
	labels := idxBytes(t, []int{2}, 1, 0)
	for name, wrap := range map[string]func([]byte) []byte{"plain": bytes.Clone, "gzip": gzipped} {
		s, err := data.FromIDX("tiny", "test", []string{"x", "y"}, wrap(images), wrap(labels))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !s.Shape.Equal(tensor.Shape{1, 3, 1}) || !slices.Equal(s.Image(1), []uint8{4, 5, 6}) || !slices.Equal(s.Labels, []int{1, 0}) {
			t.Errorf("%s: read %+v", name, s)
		}
	}
	for name, c := range map[string]struct {
		images, labels []byte
		want           string
	}{
		"swapped":   {labels, images, "are images and labels swapped"},
		"counts":    {images, idxBytes(t, []int{1}, 1), "1 labels need"},
		"label":     {images, idxBytes(t, []int{2}, 1, 2), "label 2 of sample 1"},
		"magic":     {[]byte("<html>404</html>"), labels, "not an IDX file"},
		"truncated": {images[:12], labels, "truncated"},
		"cut gzip":  {gzipped(images)[:20], labels, "unexpected EOF"},
		"bad gzip":  {[]byte{0x1f, 0x8b, 1}, labels, "tiny test images"},
	} {
		_, err := data.FromIDX("tiny", "test", []string{"x", "y"}, c.images, c.labels)
		checkError(t, name, err, c.want)
	}
}

func idxBytes(t *testing.T, dims []int, values ...byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := idx.Write(&b, &idx.Array{Dims: dims, Data: values}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b) // a Buffer takes everything
	z.Close()
	return out.Bytes()
}
