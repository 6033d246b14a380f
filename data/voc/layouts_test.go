package voc_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/voc"
	"synfire/sample"
	"synfire/tensor"
)

// grey is a PNG file.
func grey(t testing.TB, w, h int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const annotations = `{"images": [{"id": 7, "file_name": "a.png", "width": 8, "height": 4}],
"categories": [{"id": 3, "name": "dog"}, {"id": 1, "name": "cat"}],
"annotations": [{"image_id": 7, "category_id": 1, "bbox": [2, 1, 4, 2]}, {"image_id": 7, "category_id": 3, "bbox": [0, 0, 8, 4], "iscrowd": 1}]}`

// One image in three layouts has one target.
func TestLayouts(t *testing.T) {
	img := grey(t, 8, 4)
	cases := map[string]voc.Boxes{
		"coco":   {Path: tree(t, map[string]string{"annotations/train.json": strings.Replace(annotations, `, {"image_id": 7, "category_id": 3, "bbox": [0, 0, 8, 4], "iscrowd": 1}`, "", 1), "pictures/a.png": img}), Layout: voc.COCO, Train: "annotations/train.json", Images: "pictures"},
		"yolo":   {Path: tree(t, map[string]string{"images/train/a.png": img, "labels/train/a.txt": "1 0.5 0.5 0.5 0.5\n", "classes.txt": "dog\ncat\n"}), Layout: voc.YOLO, Train: "images/train"},
		"nested": {Path: tree(t, map[string]string{"images/of/images/a.png": img, "images/of/labels/a.txt": "1 0.5 0.5 0.5 0.5\n", "classes.txt": "dog\ncat\n"}), Layout: voc.YOLO, Train: "images/of/images"},
		"alone":  {Path: tree(t, map[string]string{"train.json": strings.Replace(annotations, `, {"image_id": 7, "category_id": 3, "bbox": [0, 0, 8, 4], "iscrowd": 1}`, "", 1), "pictures/all/a.png": img}), Layout: voc.COCO, Train: "train.json", Images: "pictures/all"},
		"beside": {Path: tree(t, map[string]string{"train/a.png": img, "train/a.txt": "1 0.5 0.5 0.5 0.5\n", "x.names": "dog\ncat\n", "test/b.png": img}), Layout: voc.YOLO, Train: "train", Test: "test"},
	}
	for name, b := range cases {
		b.Size, b.Channels = []int{8, 16}, 1
		src, test, err := b.Open(t.Context(), data.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s := sample.Sample{X: make([]tensor.Float, 128)}
		if err := src.Read(t.Context(), 0, &s); err != nil {
			t.Fatal(err)
		}
		if want := []sample.Box{{Class: 1, X0: 4, X1: 12, Y0: 2, Y1: 6}}; !reflect.DeepEqual(s.Targets[0].Boxes, want) || !reflect.DeepEqual(src.Spec().Targets[0].Classes, []string{"dog", "cat"}) {
			t.Errorf("%s: %+v of %v", name, s.Targets[0].Boxes, src.Spec().Targets[0].Classes)
		}
		if test != nil {
			if err := test.Read(t.Context(), 0, &s); err != nil || len(s.Targets[len(s.Targets)-1].Boxes) != 0 {
				t.Errorf("%s: an image without labels: %v", name, err)
			}
		}
	}
	// A crowd is known as one, and difficult.
	b := voc.Boxes{Path: tree(t, map[string]string{"a.json": annotations, "a.png": img}), Layout: voc.COCO, Train: "a.json", Size: []int{4, 8}}
	src, _, err := b.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	target, err := src.Target(0, 0)
	if err != nil || !target.Boxes[1].Difficult || !target.Boxes[1].Crowd || target.Boxes[0].Crowd || target.Boxes[0].Difficult || math.Abs(target.Boxes[1].X1-8) > 1e-12 {
		t.Errorf("%+v, %v", target.Boxes, err)
	}
}

func TestLayoutErrors(t *testing.T) {
	img := grey(t, 8, 4)
	yolo := func(labels, names string) voc.Boxes {
		files := map[string]string{"t/a.png": img, "t/a.txt": labels}
		if names != "" {
			files["classes.txt"] = names
		}
		return voc.Boxes{Path: tree(t, files), Layout: voc.YOLO, Train: "t", Size: []int{4, 4}}
	}
	json := func(text string) voc.Boxes {
		return voc.Boxes{Path: tree(t, map[string]string{"a.json": text, "a.png": img}), Layout: voc.COCO, Train: "a.json", Size: []int{4, 4}}
	}
	outside := yolo("", "dog\n")
	outside.Images = "x"
	none := yolo("", "dog\n")
	none.Train = ""
	empty := voc.Boxes{Path: tree(t, map[string]string{"t/a.txt": "", "classes.txt": "dog\n"}), Layout: voc.YOLO, Train: "t", Size: []int{4, 4}}
	for want, b := range map[string]voc.Boxes{
		"give their names":           yolo("0 0.5 0.5 1 1\n", ""),
		"class 2, and there are 1":   yolo("2 0.5 0.5 1 1\n", "dog\n"),
		"line 1":                     yolo("0 0.5 0.5 1\n", "dog\n"),
		"images is of layout coco":   outside,
		"the folder of the training": none,
		"split t is empty":           empty,
		"a path below the folder":    json(strings.Replace(annotations, "a.png", "../a.png", 1)),
		"is it the JSON":             json("{"),
		"has the box|outside|bbox":   json(strings.Replace(annotations, "[2, 1, 4, 2]", "[9, 1, 4, 2]", 1)),
	} {
		_, _, err := b.Open(t.Context(), data.Options{})
		ok := false
		for _, w := range strings.Split(want, "|") {
			ok = ok || err != nil && strings.Contains(err.Error(), w)
		}
		if !ok {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
