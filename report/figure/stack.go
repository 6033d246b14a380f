package figure

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// panel is one plot of a stack that shares its horizontal axis. Its header
// stands above the data, so that nothing can cover them: the name and a note to
// the left, the key to the right or, where that is too wide, in lines below.
type panel struct {
	plot *plot.Plot
	name string
	note string
	key  []keyEntry
}

// keyEntry explains one mark: a line, a short upright tick, a point or a filled
// square.
type keyEntry struct {
	name  string
	line  draw.LineStyle
	tick  bool
	glyph *draw.GlyphStyle
	fill  color.Color
}

const (
	titleHeight = vg.Length(20)
	rowHeight   = vg.Length(14) // of a header
	headerGap   = vg.Length(8)  // between header and data, for the topmost number
	panelGap    = vg.Length(6)
	swatch      = vg.Length(16)
	edge        = vg.Length(4) // to the right of the data, for marks and numbers at their end
)

// stack draws panels below each other, their data areas aligned, under a title.
// data is the height of each data area; only the last panel shows the
// horizontal axis's numbers and label.
func stack(title string, data vg.Length, panels []panel) Figure {
	header := headerGap
	for _, p := range panels {
		header = max(header, vg.Length(p.rows(width-2*margin))*rowHeight+headerGap)
	}
	for _, p := range panels[:len(panels)-1] {
		p.plot.X.Label.Text = ""
		p.plot.X.Tick.Marker = unlabelled{p.plot.X.Tick.Marker}
	}
	foot := axisHeight(panels[0].plot)*vg.Length(len(panels)-1) + axisHeight(panels[len(panels)-1].plot)
	n := vg.Length(len(panels))
	height := 2*margin + titleHeight + n*(header+data) + (n-1)*panelGap + foot

	return Figure{height: height, paint: func(c draw.Canvas) {
		drawTitle(c, title)
		rows := make([][]*plot.Plot, len(panels))
		for i, p := range panels {
			rows[i] = []*plot.Plot{p.plot}
		}
		tiles := draw.Tiles{Rows: len(panels), Cols: 1, PadTop: titleHeight + header, PadY: header + panelGap, PadRight: edge}
		for i, row := range plot.Align(rows, tiles, c) {
			p := panels[i]
			p.plot.Draw(row[0])
			area := p.plot.DataCanvas(row[0])
			area.Min.X, area.Max.X = c.Min.X, c.Max.X
			p.drawHeader(area, header)
		}
	}}
}

func drawTitle(c draw.Canvas, title string) {
	style := boldStyle(titleSize, text.XLeft, text.YTop)
	c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y}, fit(title, style, c.Max.X-c.Min.X))
}

// axisHeight is the room that the horizontal axis takes below the data.
func axisHeight(p *plot.Plot) vg.Length {
	h := p.X.Padding + p.X.Tick.Length
	if _, bare := p.X.Tick.Marker.(unlabelled); !bare {
		h += p.X.Tick.Label.Height("0")
	}
	if p.X.Label.Text != "" {
		h += p.X.Label.TextStyle.Height(p.X.Label.Text) + p.X.Label.Padding
	}
	return h
}

// unlabelled keeps an axis's marks and drops their numbers, which makes them
// minor marks.
type unlabelled struct{ plot.Ticker }

// Ticks implements plot.Ticker.
func (u unlabelled) Ticks(lo, hi float64) []plot.Tick {
	marks := u.Ticker.Ticks(lo, hi)
	for i := range marks {
		marks[i].Label = ""
	}
	return marks
}

var (
	nameStyle = textStyle(labelSize, ink, text.XLeft, text.YCenter)
	noteStyle = textStyle(tickSize, muted, text.XLeft, text.YCenter)
)

// titleWidth is what the name and the note take.
func (p panel) titleWidth() vg.Length {
	w := nameStyle.Width(p.name)
	if p.note != "" {
		w += 6 + noteStyle.Width(p.note)
	}
	return w
}

// keyWidth is what the key takes when it stands in one line.
func (p panel) keyWidth() vg.Length {
	w := vg.Length(0)
	for _, e := range p.key {
		w += e.width()
	}
	return w
}

func (e keyEntry) width() vg.Length { return swatch + 4 + noteStyle.Width(e.name) + 12 }

// rows is the number of header lines that the panel needs at width w.
func (p panel) rows(w vg.Length) int {
	if p.name == "" && len(p.key) == 0 {
		return 0
	}
	if len(p.key) == 0 || p.titleWidth()+12+p.keyWidth() <= w {
		return 1
	}
	n, x := 2, vg.Length(0)
	for _, e := range p.key {
		if x > 0 && x+e.width() > w {
			n, x = n+1, 0
		}
		x += e.width()
	}
	return n
}

// drawHeader draws into the band of height h above area.
func (p panel) drawHeader(area draw.Canvas, h vg.Length) {
	left, right := area.Min.X, area.Max.X
	y := area.Max.Y + headerGap + vg.Length(p.rows(right-left))*rowHeight - rowHeight/2
	area.FillText(nameStyle, vg.Point{X: left, Y: y}, fit(p.name, nameStyle, right-left))
	if p.note != "" {
		x := left + nameStyle.Width(p.name) + 6
		area.FillText(noteStyle, vg.Point{X: x, Y: y}, fit(p.note, noteStyle, right-x))
	}
	x := right - p.keyWidth() + 12 // the last entry needs no gap after it
	if p.rows(right-left) > 1 {
		x, y = left, y-rowHeight
	}
	for _, e := range p.key {
		if x > left && x+e.width()-12 > right {
			x, y = left, y-rowHeight
		}
		e.draw(area, x, y)
		x += e.width()
	}
}

func (e keyEntry) draw(c draw.Canvas, x, y vg.Length) {
	switch {
	case e.fill != nil:
		c.SetColor(e.fill)
		c.Fill(below(x+swatch-9, y+4.5, 9, 9).Path())
	case e.glyph != nil:
		c.DrawGlyphNoClip(*e.glyph, vg.Point{X: x + swatch/2, Y: y})
	case e.tick:
		c.StrokeLine2(e.line, x+swatch/2, y-4, x+swatch/2, y+4)
	default:
		c.StrokeLine2(e.line, x, y, x+swatch, y)
	}
	c.FillText(noteStyle, vg.Point{X: x + swatch + 4, Y: y}, fit(e.name, noteStyle, c.Max.X-x-swatch-4))
}

// rules draws thin horizontal lines at the vertical axis's marks.
type rules struct{ color color.Color }

// Plot implements plot.Plotter.
func (r rules) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		c.StrokeLine2(line(r.color, 0.6), c.Min.X, y(t.Value), c.Max.X, y(t.Value))
	}
}
