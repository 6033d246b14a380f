package figure

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Grid is a table of numbers to draw: Values[row][column], NaN where there is
// none. Rows and Columns name them, nil for no names; RowAxis and ColumnAxis say
// what they are. Quantity says what the numbers are, with their unit.
//
// Low and High are the ends of the colour scale, both 0 for the least and the
// largest value. Where zero lies between them, the scale is symmetric about it:
// orange above, blue below, clear at zero. Otherwise Low is clear and High is blue.
//
// Tree, for a square grid, joins its n rows into clusters (see Join): rows and
// columns are drawn in the order of its leaves, and the tree above them. Heights
// says what its heights are; empty: the quantity.
type Grid struct {
	Values              [][]float64
	Rows, Columns       []string
	RowAxis, ColumnAxis string
	Quantity            string
	Low, High           float64
	Tree                []Join
	Heights             string
}

// Heatmap draws a grid of at most 512 rows and columns. Grids of at most 12
// columns and 32 rows carry their numbers.
func Heatmap(title string, g Grid) (Figure, error) {
	if err := g.check(); err != nil {
		return Figure{}, fmt.Errorf("heat map %q: %w", title, err)
	}
	h, err := newHeatmap(g)
	if err != nil {
		return Figure{}, fmt.Errorf("heat map %q: %w", title, err)
	}
	return Figure{height: h.height(), paint: func(c draw.Canvas) { h.draw(c, title) }}, nil
}

func (g Grid) check() error {
	if len(g.Values) == 0 || len(g.Values[0]) == 0 || len(g.Values) > maxCells || len(g.Values[0]) > maxCells {
		return fmt.Errorf("%d rows, want 1 to %d of 1 to %d numbers; average or leave out some", len(g.Values), maxCells, maxCells)
	}
	for i, row := range g.Values {
		if len(row) != len(g.Values[0]) {
			return fmt.Errorf("row %d has %d numbers, row 0 has %d; want as many in each", i, len(row), len(g.Values[0]))
		}
		if j := slices.IndexFunc(row, func(v float64) bool { return math.IsInf(v, 0) }); j >= 0 {
			return fmt.Errorf("the number at row %d, column %d is %v; want finite ones, or NaN for none", i, j, row[j])
		}
	}
	if (g.Rows != nil && len(g.Rows) != len(g.Values)) || (g.Columns != nil && len(g.Columns) != len(g.Values[0])) {
		return fmt.Errorf("%d and %d names for %d rows and %d columns, want as many or none", len(g.Rows), len(g.Columns), len(g.Values), len(g.Values[0]))
	}
	if notFinite(g.Low) || notFinite(g.High) || g.Low > g.High {
		return fmt.Errorf("colours from %v to %v, want two finite numbers in order", g.Low, g.High)
	}
	return nil
}

// ordered puts rows and columns into an order.
func (g Grid) ordered(order []int) Grid {
	pick := func(names []string) (out []string) {
		for _, i := range order[:min(len(order), len(names))] {
			out = append(out, names[i])
		}
		return out
	}
	values := make([][]float64, len(order))
	for i, from := range order {
		for _, to := range order {
			values[i] = append(values[i], g.Values[from][to])
		}
	}
	g.Values, g.Rows, g.Columns = values, pick(g.Rows), pick(g.Columns)
	return g
}

// heatmap is a grid with its layout.
type heatmap struct {
	Grid
	scale      scale
	cell       vg.Point  // width and height of a cell
	names      vg.Length // width of the row names
	heads      vg.Length // height of the column names
	upright    bool      // column names
	decimals   int       // of the numbers
	dendrogram dendrogram
}

const (
	treeHeight = vg.Length(64)
	treeAxis   = vg.Length(30) // room for its numbers
)

func newHeatmap(g Grid) (*heatmap, error) {
	h := &heatmap{Grid: g}
	if g.Tree != nil {
		if len(g.Values) != len(g.Values[0]) {
			return nil, fmt.Errorf("a tree over %d rows and %d columns, want a square grid", len(g.Values), len(g.Values[0]))
		}
		var err error
		if h.dendrogram, err = newDendrogram(len(g.Values), g.Tree); err != nil {
			return nil, err
		}
		h.Grid = g.ordered(h.dendrogram.order)
	}
	h.scale = newScale(h.Grid)
	h.decimals = min(decimals(max(math.Abs(h.scale.lo), math.Abs(h.scale.hi))), 3)
	h.layout()
	return h, nil
}

// layout decides how large cells are, and which names fit beside them.
func (h *heatmap) layout() {
	label := textStyle(tickSize, muted, 0, 0)
	widest := func(names []string) (w vg.Length) {
		for _, s := range names {
			w = max(w, min(label.Width(s), 80))
		}
		return w
	}
	rows, columns := vg.Length(len(h.Values)), vg.Length(len(h.Values[0]))
	if h.names = widest(h.Rows); h.names > 0 {
		h.names += 6
	}
	free := width - 2*margin - h.left()
	h.cell.X = min(free/columns, 64)
	h.cell.Y = min(h.cell.X, max(420/rows, 1))
	if rows <= 12 {
		h.cell.Y = max(min(h.cell.X, 30), 16)
	}
	if h.names > 0 && h.cell.Y < tickSize { // too many to name each
		h.names = 0
		h.cell.X = min((width-2*margin-h.left())/columns, 64)
		h.cell.Y = min(h.cell.X, max(420/rows, 1))
	}
	w := widest(h.Columns)
	switch {
	case w == 0 || h.cell.X < tickSize:
		h.heads = 0
	case w > h.cell.X-3:
		h.heads, h.upright = w+6, true
	default:
		h.heads = axisLabel
	}
}

func (h *heatmap) left() vg.Length {
	names := h.names
	if h.Tree != nil {
		names = max(names, treeAxis)
	}
	if h.RowAxis == "" && h.Tree == nil {
		return names
	}
	return names + axisLabel
}

func (h *heatmap) top() vg.Length {
	t := titleHeight + h.heads
	if h.ColumnAxis != "" {
		t += axisLabel
	}
	if h.Tree != nil {
		t += treeHeight
	}
	return t
}

func (h *heatmap) size() vg.Point {
	return vg.Point{X: h.cell.X * vg.Length(len(h.Values[0])), Y: h.cell.Y * vg.Length(len(h.Values))}
}

func (h *heatmap) height() vg.Length { return 2*margin + h.top() + h.size().Y + keyHeight }

// numbered grids have few cells, with room for a number.
func (h *heatmap) numbered() bool { return len(h.Values[0]) <= 12 && len(h.Values) <= 32 }

func (h *heatmap) draw(c draw.Canvas, title string) {
	drawTitle(c, title)
	size := h.size()
	area := below(c.Min.X+h.left(), c.Max.Y-h.top(), size.X, size.Y)
	h.drawAxes(c, area)
	if h.Tree != nil {
		tree := below(area.Min.X, area.Max.Y+h.heads+treeHeight-6, size.X, treeHeight-12)
		h.dendrogram.draw(c, tree)
		h.dendrogram.drawAxis(c, tree, cmp.Or(h.Heights, h.Quantity))
	}
	if h.numbered() {
		h.drawCells(c, area)
	} else {
		c.SetColor(tint{grid, 0.45})
		c.Fill(area.Path())
		blit(c, area, len(h.Values[0]), len(h.Values), false, false, func(x, y int) color.NRGBA { return h.scale.pixel(h.Values[y][x]) })
	}
	s := h.scale
	scaleBar(c, h.Quantity, s.lo, s.hi, s.pixel)
}

func (h *heatmap) drawAxes(c draw.Canvas, area vg.Rectangle) {
	name := textStyle(labelSize, muted, text.XCenter, text.YCenter)
	if h.ColumnAxis != "" {
		c.FillText(name, vg.Point{X: (area.Min.X + area.Max.X) / 2, Y: c.Max.Y - titleHeight - axisLabel/2}, h.ColumnAxis)
	}
	if h.RowAxis != "" {
		name.Rotation = math.Pi / 2
		c.FillText(name, vg.Point{X: c.Min.X + axisLabel/2, Y: (area.Min.Y + area.Max.Y) / 2}, h.RowAxis)
	}
	row := textStyle(tickSize, muted, text.XRight, text.YCenter)
	for i, s := range h.Rows {
		if h.names > 0 {
			c.FillText(row, vg.Point{X: area.Min.X - 4, Y: area.Max.Y - h.cell.Y*(vg.Length(i)+0.5)}, fit(s, row, h.names))
		}
	}
	head := textStyle(tickSize, muted, text.XCenter, text.YBottom)
	if h.upright {
		head = textStyle(tickSize, muted, text.XLeft, text.YCenter)
		head.Rotation = math.Pi / 2
	}
	for j, s := range h.Columns {
		if h.heads > 0 {
			c.FillText(head, vg.Point{X: area.Min.X + h.cell.X*(vg.Length(j)+0.5), Y: area.Max.Y + 3}, fit(s, row, h.heads+h.cell.X))
		}
	}
}

func (h *heatmap) drawCells(c draw.Canvas, area vg.Rectangle) {
	for i, values := range h.Values {
		for j, v := range values {
			r := below(area.Min.X+h.cell.X*vg.Length(j), area.Max.Y-h.cell.Y*vg.Length(i), h.cell.X-1, h.cell.Y-1)
			c.SetColor(tint{grid, 0.45})
			c.Fill(r.Path())
			if math.IsNaN(v) {
				cellText(c, r, "–", ink)
				continue
			}
			fill, strength := h.scale.fill(v)
			if strength >= 0.01 {
				c.SetColor(tint{fill, strength})
				c.Fill(r.Path())
			}
			textColor := ink
			if strength > 0.6 {
				textColor = on
			}
			cellText(c, r, strconv.FormatFloat(v, 'f', h.decimals, 64), textColor)
		}
	}
}

// cellText writes into the middle of a cell, small enough to fit.
func cellText(c draw.Canvas, r vg.Rectangle, s string, ground color.Color) {
	style := textStyle(tickSize, ground, text.XCenter, text.YCenter)
	for style.Width(s) > r.Size().X-2 && style.Font.Size > 5 {
		style.Font.Size--
	}
	c.FillText(style, vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y + r.Max.Y) / 2}, s)
}

// scale maps values to colours.
type scale struct {
	lo, hi    float64
	diverging bool
}

func newScale(g Grid) scale {
	s := scale{lo: g.Low, hi: g.High}
	if s.lo == 0 && s.hi == 0 {
		var values span
		for _, row := range g.Values {
			values.add(row)
		}
		s.lo, s.hi = values.lo, values.hi
	}
	if s.lo < 0 && s.hi > 0 {
		s.diverging = true
		s.hi = max(s.hi, -s.lo)
		s.lo = -s.hi
	}
	return s
}

// strength is v's place on the scale: −1 to 1 on a diverging one, else 0 to 1.
func (s scale) strength(v float64) float64 {
	switch {
	case s.diverging:
		return min(max(v/s.hi, -1), 1)
	case s.lo == s.hi:
		return 0.5
	}
	return min(max((v-s.lo)/(s.hi-s.lo), 0), 1)
}

// strongest leaves the ground a little visible, as in a confusion matrix.
const strongest = 0.9

// fill is a palette colour and its opacity, for shapes.
func (s scale) fill(v float64) (color.NRGBA, float64) {
	x := s.strength(v)
	switch {
	case !s.diverging:
		return blue, strongest * x
	case x > 0:
		return vermillion, strongest * x
	}
	return blue, -strongest * x
}

// pixel is the colour in a picture; NaN is grey.
func (s scale) pixel(v float64) color.NRGBA {
	switch {
	case math.IsNaN(v):
		return shade(axis, 0.5)
	case s.diverging:
		return diverging(s.strength(v))
	}
	return shade(negativeColor, s.strength(v))
}
