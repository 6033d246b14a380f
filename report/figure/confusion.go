package figure

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Confusion draws counts[true][predicted] as a table with a row for each true
// class. A cell's strength follows the logarithm of its share of the row, so that
// one error in a thousand is visible; right answers and errors have their own
// colours. The column to the right is the share of each class that was found.
// Above 16 classes the cells carry no numbers, and of many classes no names.
//
// classes names them, nil for 0, 1, 2, …
func Confusion(title string, counts [][]int, classes []string) (Figure, error) {
	n := len(counts)
	if n == 0 || (classes != nil && len(classes) != n) || n > maxCells {
		return Figure{}, fmt.Errorf("confusion %q: %d rows and %d class names, want 1 to %d rows and as many names or none", title, n, len(classes), maxCells)
	}
	for i, row := range counts {
		if len(row) != n {
			return Figure{}, fmt.Errorf("confusion %q: row %d has %d entries, want %d", title, i, len(row), n)
		}
		for j, v := range row {
			if v < 0 {
				return Figure{}, fmt.Errorf("confusion %q: entry %d, %d is %d, want a count", title, i, j, v)
			}
		}
	}
	if classes == nil {
		for i := range n {
			classes = append(classes, strconv.Itoa(i))
		}
	}
	m := newMatrix(counts, classes)
	return Figure{height: m.height(), paint: func(c draw.Canvas) { m.draw(c, title) }}, nil
}

type matrix struct {
	counts  [][]int
	classes []string
	names   vg.Length // width of the column of class names
	side    vg.Length // of a cell
	label   text.Style
}

const (
	foundWidth = vg.Length(42) // of the column to the right
	axisLabel  = vg.Length(14)
)

func newMatrix(counts [][]int, classes []string) matrix {
	m := matrix{counts: counts, classes: classes, label: textStyle(tickSize, muted, text.XRight, text.YCenter)}
	for _, name := range classes {
		m.names = max(m.names, min(m.label.Width(name), 80)+6)
	}
	free := width - 2*margin - axisLabel - m.names - foundWidth
	m.side = min(free/vg.Length(len(counts)), 48)
	if m.side < tickSize+1 { // too many classes to name each
		m.names = 6
	}
	return m
}

// Column headings are written upright where the widest does not fit a cell.
func (m matrix) upright() bool {
	for _, name := range m.classes {
		if m.label.Width(name) > m.side-3 {
			return true
		}
	}
	return false
}

func (m matrix) named() bool { return m.names > 6 }

func (m matrix) headHeight() vg.Length {
	switch {
	case !m.named():
		return 4
	case m.upright():
		return m.names
	}
	return axisLabel
}

func (m matrix) height() vg.Length {
	return 2*margin + titleHeight + axisLabel + m.headHeight() + m.side*vg.Length(len(m.counts)) + 1
}

func (m matrix) draw(c draw.Canvas, title string) {
	drawTitle(c, title)
	left := c.Min.X + axisLabel + m.names
	top := c.Max.Y - titleHeight - axisLabel - m.headHeight()
	size := m.side * vg.Length(len(m.counts))

	name := textStyle(labelSize, muted, text.XCenter, text.YCenter)
	c.FillText(name, vg.Point{X: left + size/2, Y: c.Max.Y - titleHeight - axisLabel/2}, "predicted")
	if m.named() {
		c.FillText(textStyle(labelSize, muted, text.XRight, text.YCenter), vg.Point{X: c.Max.X, Y: c.Max.Y - titleHeight - axisLabel/2}, "found")
	}
	name.Rotation = math.Pi / 2
	c.FillText(name, vg.Point{X: c.Min.X + axisLabel/2, Y: top - size/2}, "true")

	if !m.numbered() {
		m.picture(c, below(left, top, size, size))
	}
	for i, row := range m.counts {
		total := sum(row)
		y := top - m.side*vg.Length(i)
		if m.numbered() {
			for j, v := range row {
				m.cell(c, below(left+m.side*vg.Length(j), y, m.side, m.side), v, total, i == j)
			}
		}
		if m.named() {
			m.nameClass(c, i, left, top)
			if total > 0 {
				share := fmt.Sprintf("%.1f %%", 100*float64(row[i])/float64(total))
				c.FillText(m.label, vg.Point{X: c.Max.X, Y: y - m.side/2}, share)
			}
		}
	}
}

// nameClass writes the name of class i beside its row and above its column.
func (m matrix) nameClass(c draw.Canvas, i int, left, top vg.Length) {
	name := fit(m.classes[i], m.label, m.names)
	mid := m.side * (vg.Length(i) + 0.5)
	c.FillText(m.label, vg.Point{X: left - 4, Y: top - mid}, name)
	head := textStyle(tickSize, muted, text.XCenter, text.YBottom)
	if m.upright() {
		head = textStyle(tickSize, muted, text.XLeft, text.YCenter)
		head.Rotation = math.Pi / 2
	}
	c.FillText(head, vg.Point{X: left + mid, Y: top + 3}, name)
}

func (m matrix) cell(c draw.Canvas, r vg.Rectangle, count, total int, right bool) {
	gap := min(1, m.side/8)
	r.Max.X, r.Min.Y = r.Max.X-gap, r.Min.Y+gap
	c.SetColor(tint{grid, 0.45})
	c.Fill(r.Path())
	if count == 0 {
		return
	}
	strength := logShare(float64(count) / float64(total))
	fill := vermillion
	if right {
		fill = blue
	} else {
		strength *= 0.65 // stays light enough for dark text
	}
	c.SetColor(tint{fill, strength})
	c.Fill(r.Path())
	textColor := ink
	if strength > 0.6 {
		textColor = on
	}
	cellText(c, r, strconv.Itoa(count), textColor)
}

// numbered matrices have cells large enough for a number; larger ones are drawn
// as one picture, which is far smaller than a shape for each cell.
func (m matrix) numbered() bool { return len(m.counts) <= 16 }

func (m matrix) picture(c draw.Canvas, r vg.Rectangle) {
	n := len(m.counts)
	totals := make([]int, n)
	for i, row := range m.counts {
		totals[i] = sum(row)
	}
	c.SetColor(tint{grid, 0.45})
	c.Fill(r.Path())
	blit(c, r, n, n, false, false, func(x, y int) color.NRGBA {
		v := m.counts[y][x]
		switch {
		case v == 0:
			return color.NRGBA{}
		case x == y:
			return shade(spikeColor, logShare(float64(v)/float64(totals[y])))
		}
		return shade(positiveColor, logShare(float64(v)/float64(totals[y])))
	})
}

func sum(row []int) int {
	total := 0
	for _, v := range row {
		total += v
	}
	return total
}

// logShare maps a share of (0, 1] to an opacity: 1 to 0.9, a tenth to 0.64, a
// thousandth and less to 0.12.
func logShare(p float64) float64 {
	return min(max(0.9+0.26*math.Log10(p), 0.12), 0.9)
}
