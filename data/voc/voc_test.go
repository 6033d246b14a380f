package voc_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"synfire/data"
	"synfire/data/voc"
)

const cell = `<annotation><size><width>8</width><height>6</height></size>
<object><name>WBC</name><difficult>1</difficult><bndbox><xmin>2</xmin><ymin>1</ymin><xmax>8</xmax><ymax>6</ymax></bndbox></object></annotation>`

func folder(t testing.TB, annotation string, w, h int) fstest.MapFS {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil); err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		"d/ImageSets/Main/train.txt": {Data: []byte("a 1\n\n")},
		"d/Annotations/a.xml":        {Data: []byte(annotation)},
		"d/JPEGImages/a.jpg":         {Data: b.Bytes()},
	}
}

func TestRead(t *testing.T) {
	all, err := voc.Read(folder(t, cell, 8, 6), "d", "train")
	if err != nil || len(all) != 1 {
		t.Fatal(err)
	}
	m := all[0]
	if want := (voc.Box{Class: "WBC", XMin: 2, YMin: 1, XMax: 8, YMax: 6, Difficult: true}); m.ID != "a" || m.Width != 8 || m.Height != 6 || len(m.Boxes) != 1 || m.Boxes[0] != want {
		t.Errorf("read %+v", m)
	}
	if pixels, err := m.Decode(); err != nil || pixels.Bounds().Dx() != 8 {
		t.Errorf("decoded %v", err)
	}
}

// Tools by which people label their own pictures write the same beside PNG.
func TestEndings(t *testing.T) {
	for _, ending := range []string{".jpeg", ".png", ".JPG"} {
		fsys := folder(t, cell, 8, 6)
		fsys["d/JPEGImages/a"+ending] = fsys["d/JPEGImages/a.jpg"]
		if ending == ".png" {
			fsys["d/JPEGImages/a.png"] = &fstest.MapFile{Data: []byte(grey(t, 8, 6))}
		}
		delete(fsys, "d/JPEGImages/a.jpg")
		all, err := voc.Read(fsys, "d", "train")
		if err != nil || len(all) != 1 {
			t.Fatal(err)
		}
		if pixels, err := all[0].Decode(); err != nil || pixels.Bounds().Dx() != 8 {
			t.Errorf("%s: %v", ending, err)
		}
	}
}

// Annotations of older tools are in Latin-1; other encodings are told by name.
func TestEncodings(t *testing.T) {
	head := func(encoding string) string { return `<?xml version="1.0" encoding="` + encoding + `"?>` }
	latin := strings.Replace(cell, "WBC", "K\xe4fer", 1)
	all, err := voc.Read(folder(t, head("ISO-8859-1")+latin, 8, 6), "d", "train")
	if err != nil || all[0].Boxes[0].Class != "Käfer" {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := voc.Read(folder(t, head("US-ASCII")+cell, 8, 6), "d", "train"); err != nil {
		t.Error(err)
	}
	if _, err := voc.Read(folder(t, head("GB2312")+cell, 8, 6), "d", "train"); err == nil || !strings.Contains(err.Error(), `its encoding is "GB2312", want UTF-8`) {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	for want, fsys := range map[string]fstest.MapFS{
		`split "train"`:              {},
		"Annotations/a.xml":          folder(t, "<annotation><size>", 8, 6),
		"expected one inside 8×6":    folder(t, strings.Replace(cell, "<xmax>8", "<xmax>9", 1), 8, 6),
		`object 0 ("WBC")`:           folder(t, strings.Replace(cell, "<ymin>1", "<ymin>7", 1), 8, 6),
		"file does not exist":        {"d/ImageSets/Main/train.txt": {Data: []byte("b\n")}},
		"8×5 pixels are declared":    folder(t, cell, 8, 5),
		"JPEGImages/a.jpg: ":         func() fstest.MapFS { f := folder(t, cell, 8, 6); f["d/JPEGImages/a.jpg"].Data = []byte("x"); return f }(),
		"open d/JPEGImages/a.jpg: f": func() fstest.MapFS { f := folder(t, cell, 8, 6); delete(f, "d/JPEGImages/a.jpg"); return f }(),
	} {
		all, err := voc.Read(fsys, "d", "train")
		if err == nil && len(all) > 0 {
			_, err = all[0].Decode()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestLoadBCCD(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(filepath.Join(dir, "bccd.zip")); err != nil {
		t.Skip("the blood cells are not on this machine")
	}
	for _, split := range voc.BCCD().Splits {
		all, err := voc.LoadBCCD(t.Context(), data.Options{DataDir: dir}, split.Name)
		if err != nil || len(all) != split.Len {
			t.Fatalf("%s: %d images, %v", split.Name, len(all), err)
		}
		boxes := 0
		for _, m := range all {
			boxes += len(m.Boxes)
		}
		if m, err := all[0].Decode(); err != nil || m.Bounds().Dx() != 640 || boxes < len(all) {
			t.Errorf("%s: %d boxes, %v", split.Name, boxes, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(cell))
	f.Add([]byte("<annotation/>"))
	f.Fuzz(func(t *testing.T, in []byte) {
		all, err := voc.Read(folder(t, string(in), 8, 6), "d", "train")
		if err != nil {
			return
		}
		for _, b := range all[0].Boxes {
			if b.XMin > b.XMax || b.XMax > float64(all[0].Width) || b.YMin > b.YMax || b.YMax > float64(all[0].Height) {
				t.Fatalf("box %+v in %d×%d", b, all[0].Width, all[0].Height)
			}
		}
	})
}

func ExampleRead() {
	dir := fstest.MapFS{
		"cells/ImageSets/Main/test.txt": {Data: []byte("a\n")},
		"cells/Annotations/a.xml":       {Data: []byte(cell)},
	}
	all, err := voc.Read(dir, "cells", "test")
	fmt.Println(err)
	fmt.Println(all[0].ID, all[0].Width, all[0].Height, all[0].Boxes[0].Class)
	// Output:
	// <nil>
	// a 8 6 WBC
}
