package voc_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/voc"
	"synfire/sample"
	"synfire/tensor"
)

// cells writes the files of a tree into a folder below another.
func cells(t *testing.T, annotation string) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 8, 6))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	m.Set(0, 0, color.White)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"LICENSE": "", "d/ImageSets/Main/trainval.txt": "a\n", "d/ImageSets/Main/none.txt": "\n", "d/Annotations/a.xml": annotation, "d/JPEGImages/a.jpg": b.String(),
	} {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestBoxes(t *testing.T) {
	dir := cells(t, cell)
	src, test, err := voc.Boxes{Path: dir, Size: []int{4, 4}, Channels: 1}.Open(t.Context(), data.Options{})
	if err != nil || test != nil {
		t.Fatal(err)
	}
	s := sample.Sample{X: make([]tensor.Float, 16)}
	if err := src.Read(t.Context(), 0, &s); err != nil {
		t.Fatal(err)
	}
	// 8×6 becomes 4×3 at the top, since the free row is below it.
	if want := (sample.Frame{ScaleX: 2, ScaleY: 2, Width: 8, Height: 6}); s.Frame != want {
		t.Errorf("frame %+v", s.Frame)
	}
	if s.X[0] != 1 || s.X[11] != 1 || s.X[12] != tensor.Float(128)/255 {
		t.Errorf("pixels %v", s.X)
	}
	if want := (sample.Box{X0: 0.5, Y0: 0, X1: 4, Y1: 3, Difficult: true}); len(s.Targets[0].Boxes) != 1 || s.Targets[0].Boxes[0] != want {
		t.Errorf("boxes %+v", s.Targets)
	}
	if o := src.Origin(0); o != dir+": JPEGImages/a.jpg" {
		t.Errorf("origin %s", o)
	}
	// Taken back by the frame, a box is that of the file, whatever the size.
	for _, size := range [][]int{{31, 17}, {5, 64}, {6, 8}, {1, 1}} {
		src, _, err := voc.Boxes{Path: dir, Size: size}.Open(t.Context(), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := sample.Sample{X: make([]tensor.Float, src.Spec().Size())}
		if err := src.Read(t.Context(), 0, &s); err != nil {
			t.Fatal(err)
		}
		f, b := s.Frame, s.Targets[0].Boxes[0]
		got := []float64{f.ScaleX*b.X0 + f.X, f.ScaleX*b.X1 + f.X, f.ScaleY*b.Y0 + f.Y, f.ScaleY*b.Y1 + f.Y}
		for k, want := range []float64{1, 8, 0, 6} {
			if math.Abs(got[k]-want) > 1e-12 {
				t.Errorf("size %v: %v", size, got)
			}
		}
		if b.X1 > float64(size[1])+1e-9 || b.Y1 > float64(size[0])+1e-9 {
			t.Errorf("size %v: box %+v leaves the sample", size, b)
		}
	}
}

// Validation samples that are listed are those that choose, whatever the share and the seed.
func TestValid(t *testing.T) {
	files := map[string]string{"classes.txt": "dog\n", "train/a.txt": "0 0.5 0.5 0.5 0.5\n"}
	for _, name := range []string{"train/a", "train/b", "valid/c", "test/d"} {
		files[name+".png"] = grey(t, 8, 4)
	}
	b := voc.Boxes{Path: tree(t, files), Layout: voc.YOLO, Train: "train", Valid: "valid", Test: "test", Size: []int{4, 4}}
	src, test, err := b.Open(t.Context(), data.Options{})
	if err != nil || src.Len() != 3 || test.Len() != 1 {
		t.Fatalf("%v: %v, %v", err, src, test)
	}
	view, err := sample.Subset(src, []int{2, 1})
	if err != nil {
		t.Fatal(err)
	}
	for seed, of := range []sample.Source{src, view} {
		kept, valid, err := data.Validation(of, 0.9, uint64(seed))
		if err != nil || valid.Len() != 1 || !strings.HasSuffix(valid.Origin(0), "valid/c.png") || kept.Len() != of.Len()-1 {
			t.Errorf("%v: %v, %v", err, kept, valid)
		}
	}
	none, err := sample.First(src, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := data.Validation(none, 0.1, 1); err == nil || !strings.Contains(err.Error(), "0 are for validation") {
		t.Errorf("nothing to choose by: %v", err)
	}
	b.Valid = "train"
	if _, _, err := b.Open(t.Context(), data.Options{}); err == nil || !strings.Contains(err.Error(), "of train and of valid") {
		t.Errorf("one image twice: %v", err)
	}
}

func TestBoxesErrors(t *testing.T) {
	good := voc.Boxes{Path: cells(t, cell), Size: []int{4, 4}}
	for want, c := range map[string]func(*voc.Boxes){
		"no path":                func(b *voc.Boxes) { b.Path = "" },
		"size is []":             func(b *voc.Boxes) { b.Size = nil },
		"2 channels":             func(b *voc.Boxes) { b.Channels = 2 },
		"split none is empty":    func(b *voc.Boxes) { b.Test = "none" },
		`split "absent"`:         func(b *voc.Boxes) { b.Test = "absent" },
		`split "../../x"`:        func(b *voc.Boxes) { b.Test = "../../x" },
		`class "WBC" is none`:    func(b *voc.Boxes) { b.Classes = []string{"RBC"} },
		"a.xml: object 0":        func(b *voc.Boxes) { b.Path = cells(t, strings.Replace(cell, "<xmax>8", "<xmax>1", 1)) },
		"expected one inside":    func(b *voc.Boxes) { b.Path = cells(t, strings.Replace(cell, "<xmin>2", "<xmin>NaN", 1)) },
		"control character":      func(b *voc.Boxes) { b.Path = cells(t, strings.Replace(cell, "WBC", "W&#x85;C", 1)) },
		"the name \"\" is empty": func(b *voc.Boxes) { b.Path = cells(t, strings.Replace(cell, "WBC", "", 1)) },
		"expected in Annotations/a.xml": func(b *voc.Boxes) {
			b.Path = cells(t, "<annotation><size><width>8</width><height>6</height></size></annotation>")
		},
	} {
		b := good
		c(&b)
		if _, _, err := b.Open(t.Context(), data.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Images that are missing, broken at the beginning or of another size, of the test too, are told when data are
// opened, by name, and not after a training.
func TestAbsentImages(t *testing.T) {
	files := map[string]string{"ImageSets/Main/trainval.txt": "good\n"}
	for _, name := range []string{"good", "gone", "text", "other", "d", "e", "f", "g"} {
		files["Annotations/"+name+".xml"] = cell
		if name != "good" {
			files["ImageSets/Main/test.txt"] += name + "\n"
		}
	}
	files["JPEGImages/good.png"], files["JPEGImages/other.png"], files["JPEGImages/text.png"] = grey(t, 8, 6), grey(t, 8, 7), "text"
	_, _, err := voc.Boxes{Path: tree(t, files), Test: "test", Size: []int{4, 4}}.Open(t.Context(), data.Options{})
	for _, want := range []string{"gone.jpg", "text.png", "8×7 pixels are declared", "and 2 more of 7 images"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	_, _, err = voc.Boxes{Path: tree(t, map[string]string{"train.json": annotations}), Layout: voc.COCO, Train: "train.json", Size: []int{4, 4}}.Open(t.Context(), data.Options{})
	if err == nil || !strings.Contains(err.Error(), "a.png") {
		t.Errorf("COCO: %v", err)
	}
}

// An image is in one split and once; a split that is named for training and for the test is meant.
func TestListedTwice(t *testing.T) {
	files := map[string]string{"ImageSets/Main/trainval.txt": "a\nb\n", "ImageSets/Main/twice.txt": "a\na\n", "ImageSets/Main/test.txt": "c\nb\n"}
	for _, name := range []string{"a", "b", "c"} {
		files["Annotations/"+name+".xml"], files["JPEGImages/"+name+".png"] = cell, grey(t, 8, 6)
	}
	good := voc.Boxes{Path: tree(t, files), Size: []int{4, 4}}
	for want, b := range map[string]voc.Boxes{
		"b.png is among the samples of train and of test": {Train: "trainval", Test: "test"},
		"a.png is among the samples of train twice":       {Train: "twice"},
		"a.png is among the samples of test twice":        {Train: "test", Test: "twice"},
		"": {Train: "trainval", Test: "trainval"},
	} {
		b.Path, b.Size = good.Path, good.Size
		_, _, err := b.Open(t.Context(), data.Options{})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Where no training image has labels, as where their folder has another name, nothing would be learnt.
func TestNoLabels(t *testing.T) {
	dir := tree(t, map[string]string{"images/train/a.png": grey(t, 8, 4), "annotated/train/a.txt": "0 0.5 0.5 0.5 0.5\n", "classes.txt": "dog\n"})
	_, _, err := voc.Boxes{Path: dir, Layout: voc.YOLO, Train: "images/train", Size: []int{4, 4}}.Open(t.Context(), data.Options{})
	if err == nil || !strings.Contains(err.Error(), "of images/train/a.png they are expected in labels/train/a.txt") {
		t.Error(err)
	}
}

func TestBCCDSource(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(filepath.Join(dir, "bccd.zip")); err != nil {
		t.Skip("the blood cells are not on this machine")
	}
	train, test, err := voc.BCCD().Load(t.Context(), data.Options{DataDir: dir})
	if err != nil || train.Len() != 292 || test.Len() != 72 {
		t.Fatal(err)
	}
	kept, valid, err := data.Validation(train, 0.1, 1)
	if err != nil || kept.Len() != 205 || valid.Len() != 87 || valid.Index(0) != 205 {
		t.Errorf("%v: %v and %v", err, kept, valid)
	}
	s := sample.Sample{X: make([]tensor.Float, train.Spec().Size())}
	if err := train.Read(t.Context(), 0, &s); err != nil || len(s.Targets[0].Boxes) == 0 || s.Frame.Width != 640 || !slices.Equal(train.Spec().Shape, tensor.Shape{416, 416, 3}) {
		t.Errorf("%+v, %v", s.Frame, err)
	}
}
