package detection

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"synfire/internal/atomicfile"
)

// colours are those of classes, told apart by the colour-blind (Okabe and Ito, "Color
// universal design", 2008).
var colours = []color.RGBA{
	{0xE6, 0x9F, 0x00, 255}, {0x56, 0xB4, 0xE9, 255}, {0x00, 0x9E, 0x73, 255}, {0xF0, 0xE4, 0x42, 255},
	{0x00, 0x72, 0xB2, 255}, {0xD5, 0x5E, 0x00, 255}, {0xCC, 0x79, 0xA7, 255},
}

// smallest is the least side in pixels of a picture that is drawn; smaller ones are
// enlarged by a whole factor, so that what is written can be read.
const smallest = 320

// drawn is the picture with its boxes.
func drawn(f *found) image.Image {
	by := max(1, (smallest+min(f.Width, f.Height)-1)/min(f.Width, f.Height))
	by = min(by, max(1, 4096/max(f.Width, f.Height)))
	m := image.NewRGBA(image.Rect(0, 0, f.Width*by, f.Height*by))
	from := f.pixels.Bounds().Min
	for y := range f.Height * by {
		for x := range f.Width * by {
			m.Set(x, y, f.pixels.At(from.X+x/by, from.Y+y/by))
		}
	}
	for i := len(f.Boxes) - 1; i >= 0; i-- { // the best on top
		b := f.Boxes[i]
		at := func(v float64) int { return int(math.Round(v * float64(by))) }
		frame(m, image.Rect(at(b.XMin), at(b.YMin), at(b.XMax), at(b.YMax)), colours[b.Class%len(colours)], fmt.Sprintf("%s %.2f", b.Label, b.Score))
	}
	return m
}

// frame draws a rectangle and a text above its upper edge, or below it where there is no room.
func frame(m *image.RGBA, r image.Rectangle, c color.RGBA, text string) {
	const line, height, pad = 2, 13, 2
	fill := func(r image.Rectangle) { draw.Draw(m, r, image.NewUniform(c), image.Point{}, draw.Src) }
	fill(image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+line))
	fill(image.Rect(r.Min.X, r.Max.Y-line, r.Max.X, r.Max.Y))
	fill(image.Rect(r.Min.X, r.Min.Y, r.Min.X+line, r.Max.Y))
	fill(image.Rect(r.Max.X-line, r.Min.Y, r.Max.X, r.Max.Y))
	pen := font.Drawer{Dst: m, Src: image.NewUniform(color.Black), Face: basicfont.Face7x13}
	width := pen.MeasureString(text).Ceil() + 2*pad
	x := max(0, min(r.Min.X, m.Bounds().Dx()-width))
	y := r.Min.Y - height
	if y < 0 {
		y = r.Min.Y + line
	}
	fill(image.Rect(x, y, x+width, y+height))
	pen.Dot = fixed.P(x+pad, y+height-3)
	pen.DrawString(text)
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
