package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Filters draws kernels of height × width weights, row by row, on one scale that
// is symmetric about zero: orange excites, blue inhibits, clear is zero. It shows
// at most 64 of them; caption the figure with their total where there are more.
func Filters(title string, height, width int, kernels [][]float64) (Figure, error) {
	if len(kernels) == 0 {
		return Figure{}, fmt.Errorf("filters %q: no kernels to draw", title)
	}
	peak := 0.0
	kernels = kernels[:min(len(kernels), 64)]
	for i, k := range kernels {
		if err := checkPicture(height, width, k); err != nil {
			return Figure{}, fmt.Errorf("filters %q, kernel %d: %w", title, i, err)
		}
		for _, w := range k {
			peak = max(peak, math.Abs(w))
		}
	}
	scale := peak
	if peak == 0 {
		scale = 1
	}
	g := newGallery(title, len(kernels), height, width, 34, 4)
	g.foot = 24
	g.picture = func(i, x, y int) color.NRGBA { return diverging(kernels[i][y*width+x] / scale) }
	span := strconv.FormatFloat(peak, 'g', 3, 64)
	g.extra = func(c draw.Canvas) {
		scaleBar(c, "weight −"+span+" … 0 … "+span, func(x float64) color.NRGBA { return diverging(2*x - 1) })
	}
	return g.figure(), nil
}

// diverging colours v in [−1, 1]; zero is clear.
func diverging(v float64) color.NRGBA {
	if v < 0 {
		return shade(negativeColor, -v)
	}
	return shade(positiveColor, v)
}

// scaleBar draws a key along the lower edge: the colours from 0 to 1, and what
// they mean.
func scaleBar(c draw.Canvas, note string, at func(x float64) color.NRGBA) {
	const cells, w, h = 61, vg.Length(120), vg.Length(8)
	r := below(c.Min.X, c.Min.Y+h+1, w, h)
	blit(c, r, cells, 1, false, false, func(x, _ int) color.NRGBA { return at(float64(x) / (cells - 1)) })
	box(c, line(axis, 0.5), r)
	style := textStyle(tickSize, muted, text.XLeft, text.YCenter)
	c.FillText(style, vg.Point{X: r.Max.X + 8, Y: (r.Min.Y + r.Max.Y) / 2}, fit(note, style, c.Max.X-r.Max.X-8))
}

// Digit is a picture of Height × Width intensities in [0, 1], row by row, with
// its class and what the network took it for.
type Digit struct {
	Height, Width   int
	Pixels          []float64
	True, Predicted string
}

// Digits draws pictures with the caption "true → predicted". It shows at most 40
// of them; pictures of one size look best.
func Digits(title string, digits []Digit) (Figure, error) {
	if len(digits) == 0 {
		return Figure{}, fmt.Errorf("digits %q: no pictures to draw", title)
	}
	digits = digits[:min(len(digits), 40)]
	h, w := digits[0].Height, digits[0].Width
	for i, d := range digits {
		if err := checkPicture(d.Height, d.Width, d.Pixels); err != nil {
			return Figure{}, fmt.Errorf("digits %q, picture %d: %w", title, i, err)
		}
		if d.Height != h || d.Width != w {
			return Figure{}, fmt.Errorf("digits %q: picture %d is %d × %d, the first %d × %d; draw one size", title, i, d.Height, d.Width, h, w)
		}
	}
	g := newGallery(title, len(digits), h, w, 38, 6)
	g.picture = func(i, x, y int) color.NRGBA { return blend(paper, pen, digits[i].Pixels[y*w+x]) }
	g.caption = func(i int) string { return digits[i].True + " → " + digits[i].Predicted }
	g.captionHeight = 14
	return g.figure(), nil
}

func checkPicture(h, w int, values []float64) error {
	if h < 1 || w < 1 || h > maxCells || w > maxCells || len(values) != h*w {
		return fmt.Errorf("%d values for %d × %d, want their product, sides of 1 to %d", len(values), h, w, maxCells)
	}
	if i := slices.IndexFunc(values, notFinite); i >= 0 {
		return fmt.Errorf("value %v at row %d, column %d is not finite", values[i], i/w, i%w)
	}
	return nil
}

// gallery lays out n pictures of h × w cells in rows from the left.
type gallery struct {
	title         string
	n, h, w       int
	columns       int
	side          vg.Length // width of a picture
	gap           vg.Length
	foot          vg.Length // room for extra below the pictures
	captionHeight vg.Length
	picture       func(i, x, y int) color.NRGBA
	caption       func(i int) string
	extra         func(draw.Canvas)
}

// newGallery chooses as many columns as give pictures of about the width asked
// for, fewer where that fills the rows better and the pictures grow by it.
func newGallery(title string, n, h, w int, side, gap vg.Length) *gallery {
	free := width - 2*margin
	most := int((free + gap) / (side + gap))
	rows := (n + most - 1) / most
	columns := max((n+rows-1)/rows, (most+1)/2)
	return &gallery{title: title, n: n, h: h, w: w, columns: columns, gap: gap,
		side: (free+gap)/vg.Length(columns) - gap}
}

func (g *gallery) pitch() vg.Length {
	return g.side*vg.Length(g.h)/vg.Length(g.w) + g.captionHeight + g.gap
}

func (g *gallery) figure() Figure {
	rows := (g.n + g.columns - 1) / g.columns
	height := 2*margin + titleHeight + vg.Length(rows)*g.pitch() + g.foot
	return Figure{height: height, paint: g.draw}
}

func (g *gallery) draw(c draw.Canvas) {
	drawTitle(c, g.title)
	style := textStyle(tickSize, ink, text.XCenter, text.YTop)
	for i := range g.n {
		left := c.Min.X + (g.side+g.gap)*vg.Length(i%g.columns)
		top := c.Max.Y - titleHeight - g.pitch()*vg.Length(i/g.columns)
		r := below(left, top, g.side, g.pitch()-g.captionHeight-g.gap)
		blit(c, r, g.w, g.h, false, false, func(x, y int) color.NRGBA { return g.picture(i, x, y) })
		box(c, line(axis, 0.5), r)
		if g.caption != nil {
			c.FillText(style, vg.Point{X: left + g.side/2, Y: r.Min.Y - 2}, fit(g.caption(i), style, g.side+g.gap))
		}
	}
	if g.extra != nil {
		g.extra(c)
	}
}
