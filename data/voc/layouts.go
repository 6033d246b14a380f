package voc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"synfire/format/coco"
	"synfire/format/darknet"
	"synfire/format/picture"
	"synfire/internal/enum"
	"synfire/internal/limit"
	"synfire/sample"
)

// Layout is how a folder of images tells their boxes.
type Layout uint8

// Layouts.
const (
	VOC  Layout = iota // "voc": XML beside lists of names
	COCO               // "coco": a JSON file for each split
	YOLO               // "yolo": a text file beside each image, or below labels where that is below images
)

var layoutNames = []string{"voc", "coco", "yolo"}

// String is the layout's name in configuration files.
func (l Layout) String() string { return enum.Name(l, layoutNames) }

// MarshalText is String.
func (l Layout) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a name.
func (l *Layout) UnmarshalText(text []byte) error { return enum.Parse(l, text, "layout", layoutNames) }

const (
	maxJSON   = 1 << 30
	maxLabels = 16 << 20
	maxImages = 1 << 24
)

// split reads the images of a split, and the names of classes where the layout has them.
func (b Boxes) split(tree fs.FS, name string) (all []Image, classes []string, err error) {
	switch b.Layout {
	case COCO:
		return readCOCO(tree, name, b.Images)
	case YOLO:
		if classes = b.Classes; classes == nil {
			if classes, err = yoloClasses(tree); err != nil {
				return nil, nil, err
			}
		}
		all, err = readYOLO(tree, name, classes)
		return all, classes, err
	}
	all, err = Read(tree, ".", name)
	return all, nil, err
}

// readCOCO reads a JSON file, whose images lie in a folder. Crowds are difficult: they are neither
// learnt nor counted.
func readCOCO(tree fs.FS, name, images string) (all []Image, classes []string, err error) {
	text, err := limit.ReadFile(tree, name, maxJSON)
	if err != nil {
		return nil, nil, fmt.Errorf("coco: %s: %w", sample.Printable(name), err)
	}
	set, err := coco.Read(bytes.NewReader(text))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", sample.Printable(name), err)
	}
	for _, m := range set.Images {
		at := path.Join(images, m.Name)
		if !fs.ValidPath(at) {
			return nil, nil, fmt.Errorf("coco: %s: an image %.80q, want a path below the folder", sample.Printable(name), m.Name)
		}
		one := Image{ID: m.Name, Width: m.Width, Height: m.Height, fsys: tree, name: at}
		for _, box := range m.Boxes {
			one.Boxes = append(one.Boxes, Box{Class: set.Classes[box.Class], XMin: box.XMin + 1, YMin: box.YMin + 1, XMax: box.XMax, YMax: box.YMax, Difficult: box.Crowd, Crowd: box.Crowd})
		}
		all = append(all, one)
	}
	return all, set.Classes, nil
}

// yoloClasses are the names of a file of names.
func yoloClasses(tree fs.FS) (classes []string, err error) {
	list, err := fs.Glob(tree, "*.names")
	if err != nil {
		return nil, err
	}
	for _, name := range append([]string{"classes.txt"}, list...) {
		text, err := limit.ReadFile(tree, name, maxLabels)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("yolo: %s: %w", sample.Printable(name), err)
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" {
				classes = append(classes, line)
			}
		}
		return classes, nil
	}
	return nil, errors.New("yolo: labels are numbers: give their names by classes, or in a file classes.txt, a line each")
}

// readYOLO reads the images of a folder, in the order of their names, and the labels of each. An
// image without a file of labels has no objects.
func readYOLO(tree fs.FS, dir string, classes []string) (all []Image, err error) {
	entries, err := fs.ReadDir(tree, dir)
	if err != nil {
		return nil, fmt.Errorf("yolo: %w", err)
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if e.IsDir() || !slices.Contains([]string{".jpg", ".jpeg", ".png"}, strings.ToLower(path.Ext(name))) {
			continue
		}
		if e.Type()&fs.ModeNamedPipe != 0 { // to open it would wait for its writer
			return nil, fmt.Errorf("yolo: %s is a named pipe, want a file; take it out", sample.Printable(name))
		}
		if len(all) == maxImages {
			return nil, fmt.Errorf("yolo: %s: more than %d images", sample.Printable(dir), maxImages)
		}
		m, err := labelled(tree, name, classes)
		if err != nil {
			return nil, fmt.Errorf("yolo: %s: %w", sample.Printable(name), err)
		}
		all = append(all, m)
	}
	return all, nil
}

// labels is the file of labels of an image.
func labels(name string) string {
	at := strings.TrimSuffix(name, path.Ext(name)) + ".txt"
	parts := strings.Split(at, "/")
	for i := len(parts) - 2; i >= 0; i-- { // the folder nearest to the image
		if parts[i] == "images" {
			parts[i] = "labels"
			at = strings.Join(parts, "/")
			break
		}
	}
	return at
}

// labelled is an image with its labels.
func labelled(tree fs.FS, name string, classes []string) (m Image, err error) {
	f, err := tree.Open(name)
	if err != nil {
		return m, err
	}
	info, err := picture.ReadInfo(f)
	f.Close()
	if err != nil {
		return m, err
	}
	m = Image{ID: strings.TrimSuffix(path.Base(name), path.Ext(name)), Width: info.Width, Height: info.Height, fsys: tree, name: name}
	text, err := limit.ReadFile(tree, labels(name), maxLabels)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	list, err := darknet.ReadLabels(bytes.NewReader(text))
	if err != nil {
		return m, err
	}
	w, h := float64(m.Width), float64(m.Height)
	for i, l := range list {
		if l.Class >= len(classes) {
			return m, fmt.Errorf("object %d is of class %d, and there are %d classes; name them all", i, l.Class, len(classes))
		}
		m.Boxes = append(m.Boxes, Box{
			Class: classes[l.Class],
			XMin:  max((l.X-l.Width/2)*w, 0) + 1, XMax: min((l.X+l.Width/2)*w, w),
			YMin: max((l.Y-l.Height/2)*h, 0) + 1, YMax: min((l.Y+l.Height/2)*h, h),
		})
	}
	return m, nil
}
