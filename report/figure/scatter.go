package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Cloud is a group of points of one colour and shape. Labels name points, in
// order; they may be fewer than the points, or nil.
type Cloud struct {
	Name   string
	X, Y   []float64
	Labels []string
}

// ScatterOptions say what the axes of a scatter plot are.
type ScatterOptions struct {
	X, Y       string // quantities with their units
	LogX, LogY bool
	Diagonal   bool // draw where both are equal, on one range for both axes
	Map        bool // a map, such as of multidimensional scaling: only distances count
	Joined     bool // join the points of a cloud by a line, in their order
}

// Scatter draws at most six clouds of points; those of more than 200 as a picture of
// where they lie, darker the more of them. Labels stand beside their points where neither points nor
// other labels are, further off with a line to them where it is crowded; points of one
// cloud and one name that nearly coincide share a label. The figure of a map is as high as
// it is wide, one unit is equally long along both of its axes, and they carry no
// numbers.
func Scatter(title string, o ScatterOptions, clouds ...Cloud) (Figure, error) {
	fail := func(format string, args ...any) (Figure, error) {
		return Figure{}, fmt.Errorf("scatter %q: %w", title, fmt.Errorf(format, args...))
	}
	if len(clouds) > len(seriesColors) {
		return fail("%d clouds, want at most %d; draw some of them as one", len(clouds), len(seriesColors))
	}
	p := panel{plot: newPlot(o.X), name: o.Y}
	if o.Map {
		p.plot.Add(ground{})
	} else {
		p.plot.Add(rules{grid})
	}
	x, y := span{whole: true}, span{}
	for i, c := range clouds {
		pts := points{Cloud: c, style: draw.GlyphStyle{Color: seriesColors[i], Radius: 3, Shape: shapes[i]}}
		if len(c.X) != len(c.Y) || len(c.Labels) > len(c.X) {
			return fail("cloud %q: %d x, %d y and %d labels, want as many y as x and no more labels", c.Name, len(c.X), len(c.Y), len(c.Labels))
		}
		if slices.ContainsFunc(slices.Concat(c.X, c.Y), notFinite) {
			return fail("cloud %q: want finite numbers", c.Name)
		}
		if err := (lines{x: c.X, y: c.Y}).positive(o.LogX, o.LogY); err != nil {
			return fail("cloud %q: %w", c.Name, err)
		}
		x.add(c.X)
		y.add(c.Y)
		if o.Joined {
			p.plot.Add(lines{x: c.X, y: c.Y, style: draw.LineStyle{Color: tint{seriesColors[i], 0.6}, Width: 1.2}, unmarked: true})
		}
		p.plot.Add(pts)
		if c.Name != "" {
			p.key = append(p.key, keyEntry{name: c.Name, glyph: &pts.style})
		}
	}
	p.plot.Add(names(clouds))
	if !x.some {
		return fail("no points to draw")
	}
	if o.Diagonal {
		x.add(y.values())
		y = x
		p.plot.Add(identity{})
	}
	x, y = x.padded(o.LogX), y.padded(o.LogY)
	if o.Map {
		x, y = equalUnits(x, y)
	}
	setAxis(&p.plot.X, x, o.LogX, 8)
	height, most := vg.Length(220), 6
	if o.Diagonal {
		height, most = 300, 8 // nearly as high as wide, with the same marks
	}
	setAxis(&p.plot.Y, y, o.LogY, most)
	if o.Map {
		height = mapSide
		for _, a := range []*plot.Axis{&p.plot.X, &p.plot.Y} {
			a.Tick.Marker, a.Width = plot.ConstantTicks{}, 0
		}
	}
	return stack(title, height, []panel{p}), nil
}

// mapSide is the height of a map's data area, and nearly its width.
const mapSide = width - 2*margin - 4

// equalUnits widens the shorter of two spans about its middle.
func equalUnits(x, y span) (span, span) {
	w := max(x.hi-x.lo, y.hi-y.lo)
	for _, s := range []*span{&x, &y} {
		mid := (s.lo + s.hi) / 2
		s.lo, s.hi = mid-w/2, mid+w/2
	}
	return x, y
}

func (s span) values() []float64 { return []float64{s.lo, s.hi} }

var shapes = [...]draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.PyramidGlyph{}, draw.BoxGlyph{}, strokes{{X: 1}, {Y: 1}}, strokes{{X: 0.7, Y: 0.7}, {X: 0.7, Y: -0.7}}, draw.RingGlyph{},
}

// strokes is a glyph of lines through its centre, to the ends given in radii. Those of
// gonum are too thin beside filled glyphs.
type strokes []vg.Point

// DrawGlyph implements draw.GlyphDrawer.
func (s strokes) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	for _, end := range s {
		d := end.Scale(1.2 * style.Radius)
		from, to := at.Sub(d), at.Add(d)
		c.StrokeLine2(line(style.Color, 1.6), from.X, from.Y, to.X, to.Y)
	}
}

// points is a cloud as a plotter.
type points struct {
	Cloud
	style draw.GlyphStyle
}

// DataRange implements plot.DataRanger.
func (p points) DataRange() (xmin, xmax, ymin, ymax float64) {
	var x, y span
	x.add(p.X)
	y.add(p.Y)
	return x.lo, x.hi, y.lo, y.hi
}

// Plot implements plot.Plotter.
func (p points) Plot(c draw.Canvas, plt *plot.Plot) {
	if len(p.X) > 200 {
		p.picture(c, plt)
		return
	}
	tx, ty := plt.Transforms(&c)
	for i, x := range p.X {
		c.DrawGlyphNoClip(p.style, vg.Point{X: tx(x), Y: ty(p.Y[i])})
	}
}

// picture counts the points in cells of about the size of a point.
func (p points) picture(c draw.Canvas, plt *plot.Plot) {
	const cell = vg.Length(2)
	tx, ty := plt.Transforms(&c)
	size := c.Rectangle.Size()
	w, h := int(size.X/cell), int(size.Y/cell)
	counts, most := make([]float64, w*h), 1.0
	for i, x := range p.X {
		col := min(int((tx(x)-c.Min.X)/size.X*vg.Length(w)), w-1)
		row := min(int((c.Max.Y-ty(p.Y[i]))/size.Y*vg.Length(h)), h-1)
		counts[row*w+col]++
		most = max(most, counts[row*w+col])
	}
	blit(c, c.Rectangle, w, h, false, false, func(x, y int) color.NRGBA {
		v := counts[y*w+x]
		if v == 0 {
			return color.NRGBA{}
		}
		return shade(p.style.Color.(color.NRGBA), 0.4+0.6*v/most)
	})
}

// identity is the line on which both coordinates are equal.
type identity struct{}

// Plot implements plot.Plotter.
func (identity) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	lo, hi := math.Max(p.X.Min, p.Y.Min), math.Min(p.X.Max, p.Y.Max)
	c.StrokeLine2(thresholdLine, tx(lo), ty(lo), tx(hi), ty(hi))
}

// ground is a map's.
type ground struct{}

// Plot implements plot.Plotter.
func (ground) Plot(c draw.Canvas, _ *plot.Plot) {
	c.SetColor(tint{grid, 0.45})
	c.Fill(c.Rectangle.Path())
}
