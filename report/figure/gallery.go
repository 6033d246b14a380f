package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
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
	g.foot = keyHeight
	g.picture = func(i, x, y int) color.NRGBA { return diverging(kernels[i][y*width+x] / scale) }
	g.extra = func(c draw.Canvas) {
		scaleBar(c, "weight", -scale, scale, func(v float64) color.NRGBA { return diverging(v / scale) })
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

// keyHeight is the room that scaleBar takes.
const keyHeight = vg.Length(34)

// scaleBar draws a key along the lower edge: the colours of the values from lo to hi,
// with marks, and what they mean.
func scaleBar(c draw.Canvas, note string, lo, hi float64, at func(v float64) color.NRGBA) {
	const cells, w, h, inset = 61, vg.Length(150), vg.Length(8), vg.Length(8)
	r := below(c.Min.X+inset, c.Min.Y+h+16, w, h)
	blit(c, r, cells, 1, false, false, func(x, _ int) color.NRGBA { return at(lo + (hi-lo)*float64(x)/(cells-1)) })
	box(c, line(axis, 0.5), r)
	number := textStyle(tickSize, muted, text.XCenter, text.YTop)
	marks := []plot.Tick{{Value: lo, Label: strconv.FormatFloat(lo, 'g', 3, 64)}}
	if lo < hi {
		marks = ticks{most: 5}.Ticks(lo, hi)
	}
	for _, m := range marks {
		x := r.Min.X + w/2
		if lo < hi {
			x = r.Min.X + w*vg.Length((m.Value-lo)/(hi-lo))
		}
		c.StrokeLine2(line(axis, 0.75), x, r.Min.Y, x, r.Min.Y-3)
		c.FillText(number, vg.Point{X: x, Y: r.Min.Y - 4}, m.Label)
	}
	style := textStyle(tickSize, muted, text.XLeft, text.YCenter)
	c.FillText(style, vg.Point{X: r.Max.X + 10, Y: (r.Min.Y + r.Max.Y) / 2}, fit(note, style, c.Max.X-r.Max.X-10))
}

// Picture is Height × Width pixels of Channels intensities in [0, 1], row by row with
// channels last: 1 or 0 is ink on paper, 3 red, green and blue. Values outside are
// drawn as the nearest.
type Picture struct {
	Height, Width, Channels int
	Pixels                  []float64
	Caption                 string
}

// Pictures draws pictures of one size with their captions, which are broken after arrows
// and at spaces where they are too wide. Of each so many that belong together (beside; 0 and 1: each
// stands alone) all stand in one row. It shows at most 40.
func Pictures(title string, beside int, list []Picture) (Figure, error) {
	if len(list) == 0 || beside < 0 {
		return Figure{}, fmt.Errorf("pictures %q: %d of them, %d side by side; want at least one, and no negative number", title, len(list), beside)
	}
	beside = max(1, beside)
	list = list[:min(len(list), 40/beside*beside)]
	first := list[0]
	channels := max(1, first.Channels)
	for i, d := range list {
		if d.Height != first.Height || d.Width != first.Width || d.Channels != first.Channels {
			return Figure{}, fmt.Errorf("pictures %q: picture %d is %d × %d × %d, the first %d × %d × %d; draw one size", title, i, d.Height, d.Width, d.Channels, first.Height, first.Width, first.Channels)
		}
		if channels != 1 && channels != 3 {
			return Figure{}, fmt.Errorf("pictures %q: %d channels, want 1 or 3", title, d.Channels)
		}
		if err := checkPicture(d.Height, d.Width*channels, d.Pixels); err != nil {
			return Figure{}, fmt.Errorf("pictures %q, picture %d: %w", title, i, err)
		}
	}
	g := newGallery(title, len(list), first.Height, first.Width, pictureWidth(list), 6)
	g.group(beside)
	g.picture = func(i, x, y int) color.NRGBA {
		px := list[i].Pixels[(y*first.Width+x)*channels:]
		if channels == 1 {
			return blend(paper, pen, px[0])
		}
		return color.NRGBA{R: intensity(px[0]), G: intensity(px[1]), B: intensity(px[2]), A: 255}
	}
	g.caption = func(i int) string { return list[i].Caption }
	return g.figure(), nil
}

func intensity(v float64) uint8 { return uint8(math.Round(255 * min(max(v, 0), 1))) }

// pictureWidth is that of pictures whose captions' widest words have room.
func pictureWidth(list []Picture) vg.Length {
	w := vg.Length(38)
	for _, d := range list {
		for part := range strings.SplitSeq(d.Caption, arrow) {
			w = max(w, captionStyle.Width(part+arrow)+1)
		}
	}
	return min(w, width/3)
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
	title   string
	n, h, w int
	columns int
	side    vg.Length // width of a picture
	gap     vg.Length
	beside  int       // pictures that belong together; 0: each stands alone
	apart   vg.Length // between those that do not, more than gap
	foot    vg.Length // room for extra below the pictures
	picture func(i, x, y int) color.NRGBA
	caption func(i int) string
	extra   func(draw.Canvas)
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

// group keeps so many pictures side by side in a row, and apart from others.
func (g *gallery) group(beside int) {
	if beside < 2 {
		return
	}
	g.beside, g.apart = beside, 10
	g.columns = max(beside, g.columns/beside*beside)
	g.side = (width-2*margin-g.apart*vg.Length(g.columns/beside-1)+g.gap)/vg.Length(g.columns) - g.gap
}

// left is where picture i begins, from the left margin.
func (g *gallery) left(i int) vg.Length {
	column := i % g.columns
	x := (g.side + g.gap) * vg.Length(column)
	if g.beside > 0 {
		x += g.apart * vg.Length(column/g.beside)
	}
	return x
}

func (g *gallery) pitch() vg.Length {
	return g.pictureHeight() + g.captionHeight() + g.gap
}

// pictureHeight keeps pixels square, and flat pictures visible.
func (g *gallery) pictureHeight() vg.Length {
	return max(g.side*vg.Length(g.h)/vg.Length(g.w), 6)
}

const captionLine = vg.Length(11)

var captionStyle = textStyle(tickSize, ink, text.XCenter, text.YTop)

// captionHeight has room for the caption of the most lines.
func (g *gallery) captionHeight() vg.Length {
	most := 0
	for i := range g.n {
		if g.caption != nil {
			most = max(most, len(wrap(g.caption(i), captionStyle, g.side+g.gap-2)))
		}
	}
	if most == 0 {
		return 0
	}
	return captionLine*vg.Length(most) + 3
}

// arrow stands between a class and what it was taken for.
const arrow = " → "

// wrap breaks a text after an arrow, and at spaces, into lines no wider than w; a wider
// word is shortened.
func wrap(s string, style text.Style, w vg.Length) (lines []string) {
	if from, to, ok := strings.Cut(s, arrow); ok && style.Width(s) > w {
		return append(wrap(strings.TrimSpace(from+arrow), style, w), wrap(to, style, w)...)
	}
	for _, word := range strings.Fields(s) {
		if n := len(lines); n > 0 && style.Width(lines[n-1]+" "+word) <= w {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, fit(word, style, w))
	}
	return lines
}

func (g *gallery) figure() Figure {
	rows := (g.n + g.columns - 1) / g.columns
	height := 2*margin + titleHeight + vg.Length(rows)*g.pitch() + g.foot
	return Figure{height: height, paint: g.draw}
}

func (g *gallery) draw(c draw.Canvas) {
	drawTitle(c, g.title)
	for i := range g.n {
		left := c.Min.X + g.left(i)
		top := c.Max.Y - titleHeight - g.pitch()*vg.Length(i/g.columns)
		r := below(left, top, g.side, g.pictureHeight())
		blit(c, r, g.w, g.h, false, false, func(x, y int) color.NRGBA { return g.picture(i, x, y) })
		box(c, line(axis, 0.5), r)
		if g.caption != nil {
			for k, s := range wrap(g.caption(i), captionStyle, g.side+g.gap-2) {
				c.FillText(captionStyle, vg.Point{X: left + g.side/2, Y: r.Min.Y - 2 - captionLine*vg.Length(k)}, s)
			}
		}
	}
	if g.extra != nil {
		g.extra(c)
	}
}
