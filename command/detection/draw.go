package detection

import (
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"synfire/internal/atomicfile"
	"synfire/report/boxes"
	"synfire/sample"
)

// drawn is the picture with its boxes.
func drawn(f *found) image.Image {
	var list []boxes.Box
	for _, b := range f.Boxes { // the best on top
		list = append(list, boxes.Box{Box: sample.Box{Class: b.Class, X0: b.XMin, Y0: b.YMin, X1: b.XMax, Y1: b.YMax}, Text: fmt.Sprintf("%s %.2f", b.Label, b.Score)})
	}
	return boxes.Draw(f.pixels, list)
}

// drawing is the name of the file that a picture is drawn to.
func drawing(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base)) + ".png"
}

// ready makes the folder of the drawings. One that cannot be written to, one in which a drawing
// would take the place of a picture that is to be looked at, and pictures whose drawings have one
// name, are errors.
func ready(dir string, pictures []string) error {
	if err := atomicfile.Folder(dir); err != nil {
		return fmt.Errorf("--out: %w; name a folder that can be written to", err)
	}
	of := map[string]string{}
	for _, path := range pictures {
		name := drawing(path)
		if before, taken := of[name]; taken {
			return fmt.Errorf("--out: %s and %s would both be drawn to %s; give them to two runs", sample.Printable(before), sample.Printable(path), sample.Printable(name))
		}
		of[name] = path
	}
	return replaces(dir, pictures, of)
}

// replaces is an error where a drawing, its picture by its name, takes the place of a picture.
func replaces(dir string, pictures []string, drawings map[string]string) error {
	out, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	for _, path := range pictures {
		if _, ok := drawings[filepath.Base(path)]; !ok {
			continue
		}
		if in, err := os.Stat(filepath.Dir(path)); err == nil && os.SameFile(in, out) {
			return fmt.Errorf("--out: a drawing would take the place of the picture %s; name another folder", sample.Printable(path))
		}
	}
	return nil
}

// save writes the picture with its boxes into a folder.
func save(f *found, dir string) error {
	return atomicfile.Write(filepath.Join(dir, drawing(f.Image)), func(w io.Writer) error { return png.Encode(w, drawn(f)) })
}
