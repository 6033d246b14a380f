package data_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"slices"
	"testing"
	"testing/fstest"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

// pngOf is an image of one colour.
func pngOf(t testing.TB, w, h int, c color.Color) *fstest.MapFile {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		m.Set(i%w, i/w, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

// greyJPEG is a grey image of one value.
func greyJPEG(t testing.TB, w, h int, v uint8) *fstest.MapFile {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = v
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

func TestFolder(t *testing.T) {
	red, blue := color.NRGBA{200, 0, 0, 255}, color.NRGBA{0, 0, 100, 255}
	fsys := fstest.MapFS{
		"train/cat/b.png": pngOf(t, 4, 3, red), "train/cat/a.PNG": pngOf(t, 4, 3, blue), "train/cat/.hidden": {Data: []byte("x")},
		"train/dog/z.jpeg": greyJPEG(t, 4, 3, 50), "test/dog/1.png": pngOf(t, 4, 3, color.NRGBA{0, 200, 0, 0}), "notes.txt": {},
	}
	train, test, err := data.FromFolder(t.Context(), fsys, "pets", data.FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(train.Classes, []string{"cat", "dog"}) || !train.Shape.Equal(tensor.Shape{3, 4, 3}) || train.Split != "train" || test.Split != "test" {
		t.Errorf("classes %v, shape %v, splits %s, %s", train.Classes, train.Shape, train.Split, test.Split)
	}
	// In turn of the classes: cat a, dog z, cat b.
	if !slices.Equal(train.Labels, []int{0, 1, 0}) || !slices.Equal(test.Labels, []int{1}) {
		t.Errorf("labels %v and %v", train.Labels, test.Labels)
	}
	if a, z, b := train.Image(0), train.Image(1), train.Image(2); !slices.Equal(a[:3], []uint8{0, 0, 100}) || !slices.Equal(b[33:], []uint8{200, 0, 0}) || z[0] != z[2] {
		t.Errorf("pixels %v, %v, %v", a[:3], z[:3], b[33:])
	}
	if p := test.Image(0); p[0] != 0 || p[1] != 0 {
		t.Errorf("a transparent pixel is %v, want black", p[:3])
	}
	for _, s := range []*data.Set{train, test} {
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestFolderOptions(t *testing.T) {
	fsys := fstest.MapFS{
		"b/1.png": pngOf(t, 8, 4, color.White), "a/1.jpg": greyJPEG(t, 2, 2, 100), "a/2.jpg": greyJPEG(t, 2, 2, 120), "a/3.jpg": greyJPEG(t, 2, 2, 140),
	}
	all, none, err := data.FromFolder(t.Context(), fsys, "own", data.FolderOptions{Height: 2, Width: 6, Channels: 1, Classes: []string{"b", "a"}})
	if err != nil {
		t.Fatal(err)
	}
	if none != nil || all.Split != "all" || !all.Shape.Equal(tensor.Shape{2, 6, 1}) || !slices.Equal(all.Labels, []int{0, 1, 1, 1}) {
		t.Errorf("split %s of %v, labels %v", all.Split, all.Shape, all.Labels)
	}
	if all.Image(0)[0] != 255 || all.Image(1)[5] != 100 {
		t.Errorf("stretched to %v and %v", all.Image(0), all.Image(1))
	}
	train, test := data.Holdout(all, 0.25)
	if train.Len() != 3 || test.Len() != 1 {
		t.Errorf("held out %d of %d", test.Len(), all.Len())
	}
	var origins []int
	for _, s := range []sample.Source{train, test} {
		for i := range s.Len() {
			origins = append(origins, s.Index(i))
		}
	}
	if slices.Sort(origins); !slices.Equal(origins, []int{0, 1, 2, 3}) {
		t.Errorf("places %v", origins)
	}
}

// header is a PNG file that declares a size and has nothing behind it.
func header(t *testing.T, w, h int) *fstest.MapFile {
	f := pngOf(t, 1, 1, color.Black)
	b := slices.Clone(f.Data)
	for i := range 4 {
		b[16+i], b[20+i] = byte(w>>(24-8*i)), byte(h>>(24-8*i))
	}
	// The checksum of the header is wrong now; mend it as an attacker would.
	copy(b[29:33], crc(b[12:29]))
	return &fstest.MapFile{Data: b}
}

func TestFolderErrors(t *testing.T) {
	good := pngOf(t, 4, 4, color.White)
	cut := greyJPEG(t, 64, 64, 9)
	cut.Data = cut.Data[:len(cut.Data)-40]
	for name, c := range map[string]struct {
		fsys fstest.MapFS
		o    data.FolderOptions
		want []string
	}{
		"empty":         {fstest.MapFS{"x.png": good}, data.FolderOptions{}, []string{"found 0 class folders", "train/CLASS"}},
		"one class":     {fstest.MapFS{"train/a/1.png": good}, data.FolderOptions{}, []string{"found 1 class folders"}},
		"no images":     {fstest.MapFS{"a/.x": good, "b/.x": good}, data.FolderOptions{}, []string{"no images"}},
		"sizes":         {fstest.MapFS{"a/1.png": good, "b/1.png": pngOf(t, 5, 4, color.White)}, data.FolderOptions{}, []string{"a/1.png has 4×4", "b/1.png 5×4", "size: [HEIGHT, WIDTH]"}},
		"other format":  {fstest.MapFS{"a/1.png": good, "b/1.gif": good}, data.FolderOptions{}, []string{"b/1.gif is no PNG or JPEG"}},
		"unknown class": {fstest.MapFS{"a/1.png": good, "b/1.png": good}, data.FolderOptions{Classes: []string{"a", "c"}}, []string{"class folder b", "a, c"}},
		"not an image":  {fstest.MapFS{"a/1.png": good, "b/1.png": {Data: []byte("hello")}}, data.FolderOptions{}, []string{"own: b/1.png", "cannot be decoded", "replace the file"}},
		"empty file":    {fstest.MapFS{"a/1.png": good, "b/1.jpg": {}}, data.FolderOptions{}, []string{"b/1.jpg", "cannot be decoded"}},
		"cut JPEG":      {fstest.MapFS{"a/1.png": good, "b/1.jpg": cut}, data.FolderOptions{Height: 8, Width: 8}, []string{"b/1.jpg", "cannot be decoded", "remove it"}},
		"absurd size":   {fstest.MapFS{"a/1.png": good, "b/1.png": header(t, 1<<20, 100)}, data.FolderOptions{Height: 8, Width: 8}, []string{"b/1.png", "1048576×100 pixels are declared"}},
		"bomb":          {fstest.MapFS{"a/1.png": good, "b/1.png": header(t, 16000, 16000)}, data.FolderOptions{Height: 8, Width: 8}, []string{"b/1.png", "16000×16000 pixels are declared"}},
		"target size":   {fstest.MapFS{"a/1.png": good, "b/1.png": good}, data.FolderOptions{Height: -1, Width: 8}, []string{"at least 1×1"}},
		"target memory": {fstest.MapFS{"a/1.png": good, "b/1.png": good, "b/2.png": good, "b/3.png": good, "b/4.png": good, "b/5.png": good}, data.FolderOptions{Height: 16384, Width: 16384, Channels: 3}, []string{"6 images", "smaller size"}},
	} {
		_, _, err := data.FromFolder(t.Context(), c.fsys, "own", c.o)
		checkError(t, name, err, c.want...)
	}
}

// The least picture has one pixel.
func TestFolderOfOnePixel(t *testing.T) {
	dot := pngOf(t, 1, 1, color.White)
	s, _, err := data.FromFolder(t.Context(), fstest.MapFS{"a/1.png": dot, "b/1.png": dot}, "own", data.FolderOptions{})
	if err != nil || !s.Spec().Shape[:2].Equal(tensor.Shape{1, 1}) {
		t.Errorf("%v", err)
	}
}

func FuzzFolder(f *testing.F) {
	good := pngOf(f, 2, 2, color.White)
	f.Add(good.Data)
	f.Add(greyJPEG(f, 2, 2, 7).Data)
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, name := range []string{"b/1.png", "b/1.jpg"} {
			s, _, err := data.FromFolder(t.Context(), fstest.MapFS{"a/1.png": good, name: {Data: in}}, "own", data.FolderOptions{Height: 2, Width: 3})
			if err == nil && (s.Len() != 2 || s.Validate() != nil) {
				t.Fatalf("%d samples, %v", s.Len(), s.Validate())
			}
		}
	})
}

func TestNormalization(t *testing.T) {
	s := &data.Set{
		Name: "own", Classes: []string{"a"}, Shape: tensor.Shape{1, 2, 2}, Labels: []int{0, 0},
		Values: []tensor.Float{1, 5, 3, 5, 5, 5, 7, 5},
	}
	n, err := data.Statistics(t.Context(), s)
	if err != nil || n.Mean[0] != 4 || n.Mean[1] != 5 || n.Std[1] != 1 || n.Std[0] < 2.236 || n.Std[0] > 2.2361 {
		t.Fatalf("statistics %+v, %v", n, err)
	}
	o := data.CursorOptions{Batch: 2, Normalize: &sample.Normalization{Mean: []float64{4, 5}, Std: []float64{2, 1}}}
	var b sample.Batch
	next(cursor(t, s, o), &b)
	if want := []tensor.Float{-1.5, 0, -0.5, 0, 0.5, 0, 1.5, 0}; !slices.Equal(b.X, want) {
		t.Errorf("batch %v, want %v", b.X, want)
	}
	// What augmentation fills in is normalised too.
	o.Augment = []data.Augment{data.Cutout{Size: 9}}
	next(cursor(t, s, o), &b)
	if b.X[0] != -2 || b.X[1] != -5 {
		t.Errorf("batch %v, want zeros normalised", b.X)
	}
	sub, err := s.Subset([]int{1})
	if err != nil || !slices.Equal(sub.Values, s.Values[4:]) {
		t.Errorf("subset %+v, %v", sub, err)
	}
	for want, n := range map[string]sample.Normalization{
		"3 means":            {Mean: []float64{1, 2, 3}, Std: []float64{1, 2, 3}},
		"expected finite":    {Mean: []float64{0}, Std: []float64{0}},
		"1 means and 2":      {Mean: []float64{0}, Std: []float64{1, 1}},
		"channel 1 has mean": {Mean: []float64{0, nan()}, Std: []float64{1, 1}},
	} {
		_, err := data.NewCursor(s, data.CursorOptions{Batch: 1, Normalize: &n})
		checkError(t, want, err, want)
	}
	s.Images = make([]uint8, 8)
	checkError(t, "both", s.Validate(), "both Images and Values")
}

func nan() float64 { return math.NaN() }

func crc(b []byte) []byte { return binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)) }
