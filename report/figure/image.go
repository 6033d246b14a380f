package figure

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Colours in pictures cannot follow the page's theme, so signals are drawn as an
// opacity of one colour that stands out on light and on dark ground alike.
var (
	spikeColor    = rgb(0x2B8CC4)
	positiveColor = rgb(0xD9681A)
	negativeColor = rgb(0x2B7FC4)
	paper         = rgb(0xF4F4F1)
	pen           = rgb(0x16181C)
)

// shade is a colour at an opacity, clipped to [0, 1].
func shade(c color.NRGBA, opacity float64) color.NRGBA {
	c.A = uint8(math.Round(255 * min(max(opacity, 0), 1)))
	return c
}

// blend mixes two opaque colours; t = 0 gives a, t = 1 gives b.
func blend(a, b color.NRGBA, t float64) color.NRGBA {
	t = min(max(t, 0), 1)
	mix := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + t*(float64(y)-float64(x)))) }
	return color.NRGBA{R: mix(a.R, b.R), G: mix(a.G, b.G), B: mix(a.B, b.B), A: 255}
}

// maxCells bounds the rows and the columns of a picture within a figure.
const maxCells = 512

// blit draws w×h cells into rect, row 0 on top. Cells become squares of several
// pixels, so that neither a browser nor the PNG renderer blurs them; gap leaves
// a clear line of one pixel between cells along each axis.
func blit(c draw.Canvas, rect vg.Rectangle, w, h int, gapX, gapY bool, at func(x, y int) color.NRGBA) {
	size := rect.Size()
	kx := max(1, int(math.Ceil(2*size.X.Points()/float64(w))))
	ky := max(1, int(math.Ceil(2*size.Y.Points()/float64(h))))
	img := image.NewNRGBA(image.Rect(0, 0, w*kx, h*ky))
	for y := range h {
		for x := range w {
			cell := image.Rect(x*kx, y*ky, (x+1)*kx, (y+1)*ky)
			if gapX {
				cell.Max.X--
			}
			if gapY {
				cell.Max.Y--
			}
			fill(img, cell, at(x, y))
		}
	}
	c.DrawImage(rect, img)
}

// blitMarks draws cells as blit does, of each the left part alone, with clear lines
// around it where there is room for them.
func blitMarks(c draw.Canvas, rect vg.Rectangle, w, h int, part float64, at func(x, y int) color.NRGBA) {
	size := rect.Size()
	kx := max(1, int(math.Ceil(2*size.X.Points()/float64(w))))
	ky := max(1, int(math.Ceil(2*size.Y.Points()/float64(h))))
	img := image.NewNRGBA(image.Rect(0, 0, w*kx, h*ky))
	mark := max(1, int(part*float64(kx)))
	if mark == kx && kx > 2 {
		mark--
	}
	for y := range h {
		for x := range w {
			fill(img, image.Rect(x*kx, y*ky, x*kx+mark, max(y*ky+1, (y+1)*ky-1)), at(x, y))
		}
	}
	c.DrawImage(rect, img)
}

func fill(img *image.NRGBA, r image.Rectangle, c color.NRGBA) {
	if c.A == 0 {
		return
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			img.SetNRGBA(x, y, c)
		}
	}
}

// box strokes the outline of rect.
func box(c draw.Canvas, style draw.LineStyle, r vg.Rectangle) {
	c.StrokeLines(style, []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}, r.Min})
}

// below is the rectangle of a width and height whose upper left corner is given.
func below(left, top, w, h vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: left, Y: top - h}, Max: vg.Point{X: left + w, Y: top}}
}
