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

// ready makes the folder of the drawings. One in which a drawing would take the place of a picture
// that is to be looked at is an error.
func ready(dir string, pictures []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("--out: %w; name a folder", err)
	}
	out, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	drawn := map[string]bool{}
	for _, path := range pictures {
		drawn[drawing(path)] = true
	}
	for _, path := range pictures {
		if !drawn[filepath.Base(path)] {
			continue
		}
		if in, err := os.Stat(filepath.Dir(path)); err == nil && os.SameFile(in, out) {
			return fmt.Errorf("--out: a drawing would take the place of the picture %s; name another folder", sample.Printable(path))
		}
	}
	return nil
}

// save writes the picture with its boxes into a folder. Two of one name are an error.
func save(f *found, dir string, written map[string]string) error {
	name := drawing(f.Image)
	if before, taken := written[name]; taken {
		return fmt.Errorf("%q has been written for %q already; give pictures of one name to two runs", name, before)
	}
	written[name] = f.Image
	return atomicfile.Write(filepath.Join(dir, name), func(w io.Writer) error { return png.Encode(w, drawn(f)) })
}
