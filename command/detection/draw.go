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

// save writes the picture with its boxes into a folder. Two of one name are an error.
func save(f *found, dir string, written map[string]string) error {
	base := filepath.Base(f.Image)
	name := strings.TrimSuffix(base, filepath.Ext(base)) + ".png"
	if before, taken := written[name]; taken {
		return fmt.Errorf("%q has been written for %q already; give pictures of one name to two runs", name, before)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	written[name] = f.Image
	return atomicfile.Write(filepath.Join(dir, name), func(w io.Writer) error { return png.Encode(w, drawn(f)) })
}
