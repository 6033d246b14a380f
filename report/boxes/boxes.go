// Package boxes draws pictures with boxes: of one picture, and of one as it is found step by step.
package boxes

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"synfire/sample"
	"synfire/tensor"
)

// Colours are those of classes, told apart by the colour-blind (Okabe and Ito, "Color
// universal design", 2008).
var Colours = []color.RGBA{
	{0xE6, 0x9F, 0x00, 255}, {0x56, 0xB4, 0xE9, 255}, {0x00, 0x9E, 0x73, 255}, {0xF0, 0xE4, 0x42, 255},
	{0x00, 0x72, 0xB2, 255}, {0xD5, 0x5E, 0x00, 255}, {0xCC, 0x79, 0xA7, 255},
}

// smallest is the least side in pixels of a picture that is drawn; smaller ones are
// enlarged by a whole factor, so that what is written can be read.
const smallest = 320

// Box is a box in pixels of the picture, with a text.
type Box struct {
	sample.Box
	Text string
}

// Draw is a picture with its boxes, the first on top.
func Draw(pixels image.Image, list []Box) image.Image {
	w, h := pixels.Bounds().Dx(), pixels.Bounds().Dy()
	by := max(1, (smallest+min(w, h)-1)/min(w, h))
	by = min(by, max(1, 4096/max(w, h)))
	m := image.NewRGBA(image.Rect(0, 0, w*by, h*by))
	from := pixels.Bounds().Min
	for y := range h * by {
		for x := range w * by {
			m.Set(x, y, pixels.At(from.X+x/by, from.Y+y/by))
		}
	}
	for i := len(list) - 1; i >= 0; i-- {
		b := list[i]
		at := func(v float64) int { return int(math.Round(v * float64(by))) }
		frame(m, image.Rect(at(b.X0), at(b.Y0), at(b.X1), at(b.Y1)), Colours[b.Class%len(Colours)], b.Text)
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

// Picture is values [height, width, channels] in [0, 1] as a picture.
func Picture(x []tensor.Float, shape tensor.Shape) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, shape[1], shape[0]))
	c := shape[2]
	for i := range shape[0] * shape[1] {
		at := func(k int) uint8 { return uint8(math.Round(255 * min(max(float64(x[i*c+k%c]), 0), 1))) }
		m.Set(i%shape[1], i/shape[1], color.RGBA{at(0), at(1), at(2), 255})
	}
	return m
}

// Panel is a drawing of a strip.
type Panel struct {
	Title string
	Image image.Image
}

// Strip is drawings side by side in rows of columns, with their titles, as a PNG.
func Strip(list []Panel, columns int) ([]byte, error) {
	if len(list) == 0 || columns < 1 {
		return nil, fmt.Errorf("boxes: %d drawings in %d columns, want some", len(list), columns)
	}
	const head, gap = 18, 6
	w, h := 0, 0
	for _, p := range list {
		w, h = max(w, p.Image.Bounds().Dx()), max(h, p.Image.Bounds().Dy())
	}
	columns = min(columns, len(list))
	rows := (len(list) + columns - 1) / columns
	m := image.NewRGBA(image.Rect(0, 0, columns*(w+gap)-gap, rows*(h+head)))
	draw.Draw(m, m.Bounds(), image.White, image.Point{}, draw.Src)
	for i, p := range list {
		x, y := i%columns*(w+gap), i/columns*(h+head)
		pen := font.Drawer{Dst: m, Src: image.Black, Face: basicfont.Face7x13, Dot: fixed.P(x+2, y+13)}
		pen.DrawString(p.Title)
		draw.Draw(m, image.Rect(x, y+head, x+w, y+head+h), p.Image, p.Image.Bounds().Min, draw.Src)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return nil, fmt.Errorf("boxes: %w", err)
	}
	return b.Bytes(), nil
}
