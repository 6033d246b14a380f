// Package voc reads images with boxes in the layout of the Pascal VOC challenges
// (Everingham et al., "The Pascal visual object classes (VOC) challenge", IJCV 88, 2010):
//
//	JPEGImages/ID.jpg            images; .jpeg and .png of those who label their own
//	Annotations/ID.xml           the objects of each: name, box, difficult
//	ImageSets/Main/SPLIT.txt     an ID a line
//
// [Boxes] makes a source of them: a sample is an image that is scaled into the network's
// input without changing its proportions, with grey bars beside it, and its target the
// boxes, moved with it. The sample's Frame tells the way back. VOC counts pixels from 1,
// both corners of a box included; here a box spans [xmin − 1, xmax) × [ymin − 1, ymax).
// Some files count from 0: a corner at 0 is the edge of the image. A box that is empty or
// leaves its image is an error which names the file.
//
// Two other layouts are read likewise. Of COCO a JSON file a split (package format/coco), whose
// crowds are difficult boxes; of YOLO a folder a split with a text file beside each image (package
// format/darknet), or below labels where the image is below images.
//
// The data set that comes with it is BCCD: 364 microscope images of blood cells with
// three classes.
package voc

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"image"
	"io"
	"io/fs"
	"path"
	"strings"

	"synfire/data"
	"synfire/format/picture"
	"synfire/internal/limit"
	"synfire/sample"
)

const (
	maxFile = 64 << 20 // bytes of one image or list
	maxXML  = 4 << 20  // bytes of one annotation
)

// Box is one object. Corners are pixels of the image, counted from 1 as VOC does, both
// included.
type Box struct {
	Class                  string
	XMin, YMin, XMax, YMax float64
	Difficult              bool
	Crowd                  bool // of COCO: around several objects at once
}

// Image is an annotated image. Its pixels are decoded on demand.
type Image struct {
	ID            string
	Width, Height int
	Boxes         []Box

	fsys fs.FS
	name string
}

// Decode decodes the pixels.
func (m Image) Decode() (image.Image, error) {
	b, err := readFile(m.fsys, m.name)
	if err != nil {
		return nil, fmt.Errorf("voc: %w", err)
	}
	if err := m.fits(bytes.NewReader(b)); err != nil {
		return nil, err
	}
	pixels, err := picture.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("voc: %s: %w", sample.Printable(m.name), err)
	}
	return pixels, nil
}

// fits returns an error unless the file of an image says that it has the size of the annotation.
func (m Image) fits(r io.Reader) error {
	c, err := picture.ReadInfo(r)
	switch {
	case err != nil:
		return fmt.Errorf("voc: %s: %w", sample.Printable(m.name), err)
	case c.Width != m.Width || c.Height != m.Height:
		return fmt.Errorf("voc: %s: %d×%d pixels are declared, expected the %d×%d of its annotation; correct the annotation or replace the file", sample.Printable(m.name), c.Width, c.Height, m.Width, m.Height)
	}
	return nil
}

// begins reads the beginning of an image's file, and returns an error where that is no such image.
func (m Image) begins() error {
	info, err := fs.Stat(m.fsys, m.name)
	if err != nil {
		return fmt.Errorf("voc: %s: %w; put the image there or take it out of the list", sample.Printable(m.name), err)
	}
	if !info.Mode().IsRegular() { // to open a named pipe would wait for its writer
		return fmt.Errorf("voc: %s is not a regular file; replace it or take it out of the list", sample.Printable(m.name))
	}
	f, err := m.fsys.Open(m.name)
	if err != nil {
		return fmt.Errorf("voc: %w", err)
	}
	defer f.Close()
	return m.fits(f)
}

// archive is the zip file of blood cells. No public source has these bytes.
var archive = data.File{
	Name:   "bccd/bccd.zip",
	SHA256: "26fe5d53cffd387f0277ccfe515b835ac0dec1bca2cf4751a1cf8048152bc83a",
	Size:   7870344,
}

// BCCD describes the blood cells, scaled to 416×416 pixels in colour. The training samples are
// those of train and behind them those of val, which are for validation.
func BCCD() data.Dataset { return scaled("bccd", "BCCD blood cells, with boxes", 416) }

// SmallBCCD describes the same at 256×256 pixels.
func SmallBCCD() data.Dataset {
	return scaled("bccd-256", "BCCD blood cells at 256×256 pixels, with boxes", 256)
}

func scaled(name, title string, side int) data.Dataset {
	classes := []string{"RBC", "WBC", "Platelets"}
	return data.Dataset{
		Name: name, Title: title, License: "MIT (Shenggan and others)", Classes: classes,
		Splits: []data.Split{{Name: "train", Len: 205}, {Name: "val", Len: 87}, {Name: "test", Len: 72}},
		Files:  []data.File{archive},
		Load: func(ctx context.Context, o data.Options) (train, test sample.Source, err error) {
			paths, err := data.Fetch(ctx, o, archive)
			if err != nil {
				return nil, nil, err
			}
			return Boxes{Path: paths[0], Size: []int{side, side}, Train: "train", Valid: "val", Test: "test", Classes: classes}.Open(ctx, o)
		},
	}
}

// LoadBCCD reads a split of the blood cells ("train", "val", "trainval" or "test") from a
// folder of the user's, or the cache.
func LoadBCCD(ctx context.Context, o data.Options, split string) ([]Image, error) {
	z, err := data.FetchZip(ctx, o, archive)
	if err != nil {
		return nil, err
	}
	return Read(z, "BCCD", split)
}

// Read reads the annotations of a split below a folder in the layout of VOC.
func Read(fsys fs.FS, dir, split string) ([]Image, error) {
	list, err := readFile(fsys, path.Join(dir, "ImageSets/Main", split+".txt"))
	if err != nil {
		return nil, fmt.Errorf("voc: split %q: %w", split, err)
	}
	var all []Image
	for line := range strings.Lines(string(list)) {
		fields := strings.Fields(line) // per-class lists have a second column
		if len(fields) == 0 {
			continue
		}
		m, err := annotation(fsys, path.Join(dir, "Annotations", fields[0]+".xml"))
		if err != nil {
			return nil, fmt.Errorf("voc: %w", err)
		}
		m.ID, m.fsys, m.name = fields[0], fsys, file(fsys, path.Join(dir, "JPEGImages", fields[0]))
		all = append(all, m)
	}
	return all, nil
}

// file is that of an image, whose name has one of several endings; where there is none, reading it tells.
func file(fsys fs.FS, name string) string {
	for _, ending := range []string{".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG"} {
		if info, err := fs.Stat(fsys, name+ending); err == nil && !info.IsDir() {
			return name + ending
		}
	}
	return name + ".jpg"
}

// document is the part of an annotation that is read.
type document struct {
	Width   int `xml:"size>width"`
	Height  int `xml:"size>height"`
	Objects []struct {
		Name      string  `xml:"name"`
		Difficult int     `xml:"difficult"`
		XMin      float64 `xml:"bndbox>xmin"`
		YMin      float64 `xml:"bndbox>ymin"`
		XMax      float64 `xml:"bndbox>xmax"`
		YMax      float64 `xml:"bndbox>ymax"`
	} `xml:"object"`
}

// ReadAnnotation reads one annotation; the image has no pixels.
func ReadAnnotation(fsys fs.FS, name string) (Image, error) {
	m, err := annotation(fsys, name)
	if err != nil {
		return Image{}, fmt.Errorf("voc: %w", err)
	}
	return m, nil
}

// Truth is a box in pixels from 0, as the boxes of samples are.
func (b Box) Truth(class int) sample.Box {
	return b.in(sample.Frame{ScaleX: 1, ScaleY: 1}, class)
}

func annotation(fsys fs.FS, name string) (Image, error) {
	b, err := limit.ReadFile(fsys, name, maxXML)
	if err != nil {
		return Image{}, fmt.Errorf("%s: %w", sample.Printable(name), err)
	}
	var d document
	in := xml.NewDecoder(bytes.NewReader(b))
	in.CharsetReader = charset
	if err := in.Decode(&d); err != nil {
		return Image{}, fmt.Errorf("%s: %w; correct the annotation or take the image out", sample.Printable(name), err)
	}
	m := Image{Width: d.Width, Height: d.Height}
	for i, o := range d.Objects {
		box := Box{Class: strings.TrimSpace(o.Name), XMin: o.XMin, YMin: o.YMin, XMax: o.XMax, YMax: o.YMax, Difficult: o.Difficult != 0}
		if err := sample.CheckName(box.Class); err != nil {
			return Image{}, fmt.Errorf("%s: object %d: %w", sample.Printable(name), i, err)
		}
		// Not-a-number fails each comparison.
		if !(0 <= box.XMin && box.XMin <= box.XMax && box.XMax <= float64(d.Width) && 0 <= box.YMin && box.YMin <= box.YMax && box.YMax <= float64(d.Height)) || box.XMax == 0 || box.YMax == 0 {
			return Image{}, fmt.Errorf("%s: object %d (%q) has the box (%v, %v) to (%v, %v), expected one inside %d×%d pixels; correct or remove it",
				sample.Printable(name), i, o.Name, o.XMin, o.YMin, o.XMax, o.YMax, d.Width, d.Height)
		}
		m.Boxes = append(m.Boxes, box)
	}
	return m, nil
}

// charset reads the encodings beside UTF-8 that a byte a character needs no table for.
func charset(name string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "us-ascii", "ascii":
		return r, nil
	case "iso-8859-1", "latin1":
		b, err := io.ReadAll(r)
		text := make([]rune, len(b))
		for i, c := range b {
			text[i] = rune(c)
		}
		return strings.NewReader(string(text)), err
	}
	return nil, fmt.Errorf("its encoding is %.40q, want UTF-8; save it as that", name)
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	b, err := limit.ReadFile(fsys, name, maxFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sample.Printable(name), err)
	}
	return b, nil
}
