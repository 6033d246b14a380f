package figure

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Rate is a layer's mean firing rate in spikes per unit and time step.
type Rate struct {
	Layer string
	Value float64
}

// Rates draws a bar a layer, in the order given, from the top. A rate of 0 says
// "silent": such a layer passes nothing on.
func Rates(title string, rates []Rate) (Figure, error) {
	list := make([]Bar, len(rates))
	for i, r := range rates {
		if r.Value < 0 {
			return Figure{}, fmt.Errorf("rates %q: layer %q has rate %v, want zero or more", title, r.Layer, r.Value)
		}
		list[i] = Bar{Name: r.Layer, Value: r.Value}
		if r.Value == 0 {
			list[i].Note = "silent"
		}
	}
	return Bars(title, "spikes per unit and time step", list)
}

// Bar is one quantity of several that are compared. Low and High, where they
// differ, bound it, e.g. over seeds. Reference is a mark to compare with, such as a
// published figure, and nil for none. Bars of one Group have one colour; there are
// six, and a key where a Group has a name. Note stands in place of the number, Mark after it,
// such as a star for significance.
type Bar struct {
	Name      string
	Value     float64
	Low, High float64
	Reference *float64
	Group     string
	Note      string
	Mark      string
}

// Zone is a range of the quantity, drawn behind the bars, such as a noise ceiling.
type Zone struct {
	Name      string
	Low, High float64
}

// Bars draws bars from zero to the right (negative ones to the left), in the
// order given, from the top. quantity names what they measure, with its unit.
func Bars(title, quantity string, list []Bar) (Figure, error) {
	return BarsIn(title, quantity, list, nil)
}

// BarsIn draws Bars before a zone, nil for none.
func BarsIn(title, quantity string, list []Bar, zone *Zone) (Figure, error) {
	b := bars{list: list, zone: zone}
	if zone != nil {
		if notFinite(zone.Low) || notFinite(zone.High) || zone.Low > zone.High {
			return Figure{}, fmt.Errorf("bars %q: zone %q from %v to %v, want finite ends in order", title, zone.Name, zone.Low, zone.High)
		}
		b.span.add([]float64{zone.Low, zone.High})
	}
	p := panel{plot: newPlot(quantity)}
	p.plot.Y.Tick.Label.Font.Size = labelSize
	p.plot.Y.Tick.Label.Color = ink
	p.plot.X.Tick.Marker = ticks{most: 6}
	p.plot.X.Padding = 0
	var names plot.ConstantTicks
	for i, bar := range list {
		if err := b.add(bar); err != nil {
			return Figure{}, fmt.Errorf("bars %q, bar %q: %w", title, bar.Name, err)
		}
		names = append(names, plot.Tick{Value: b.at(i), Label: fit(bar.Name, p.plot.Y.Tick.Label, 110)})
	}
	if len(list) == 0 {
		return Figure{}, fmt.Errorf("bars %q: nothing to draw", title)
	}
	p.plot.Y.Tick.Marker = names
	p.plot.Add(b)
	p.key = b.key()
	return stack(title, 20*vg.Length(len(list))+4, []panel{p}), nil
}

// bars is a list of bars as a plotter, with its groups in the order in which they
// appear.
type bars struct {
	list   []Bar
	groups []string
	span   span
	zone   *Zone
}

func (b *bars) add(bar Bar) error {
	values := []float64{0, bar.Value, bar.Low, bar.High}
	if bar.Reference != nil {
		values = append(values, *bar.Reference)
	}
	if slices.ContainsFunc(values, notFinite) {
		return errors.New("want finite numbers")
	}
	if bar.Low == bar.High {
		values[2], values[3] = 0, 0
	}
	b.span.add(values)
	if !slices.Contains(b.groups, bar.Group) {
		b.groups = append(b.groups, bar.Group)
	}
	if len(b.groups) > len(seriesColors) {
		return fmt.Errorf("more than %d groups; draw some of them as one", len(seriesColors))
	}
	return nil
}

func (b bars) color(group string) color.NRGBA { return seriesColors[slices.Index(b.groups, group)] }

func (b bars) key() (key []keyEntry) {
	for _, g := range b.groups {
		if g != "" {
			key = append(key, keyEntry{name: g, fill: b.color(g)})
		}
	}
	if slices.ContainsFunc(b.list, func(bar Bar) bool { return bar.Reference != nil }) {
		key = append(key, keyEntry{name: "reference", line: referenceLine, tick: true})
	}
	if b.zone != nil {
		key = append(key, keyEntry{name: b.zone.Name, fill: zoneFill})
	}
	return key
}

var (
	referenceLine = line(ink, 1.6)
	whiskerLine   = line(muted, 1)
	zoneFill      = tint{muted, 0.2}
)

// at is the height of bar i, the first on top.
func (b bars) at(i int) float64 { return float64(len(b.list) - 1 - i) }

// DataRange implements plot.DataRanger; a sixth at either end is for the numbers.
func (b bars) DataRange() (xmin, xmax, ymin, ymax float64) {
	lo, hi := b.span.lo, b.span.hi
	if lo == hi {
		hi = 1
	}
	room := 0.17 * (hi - lo)
	if lo < 0 {
		lo -= room
	}
	if hi > 0 {
		hi += room
	}
	return lo, hi, -0.6, float64(len(b.list)) - 0.4
}

// Plot implements plot.Plotter.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	if b.zone != nil {
		c.SetColor(zoneFill)
		low, high := tx(b.zone.Low), tx(b.zone.High)
		c.Fill(below(low, c.Max.Y, max(high-low, 1), c.Max.Y-c.Min.Y).Path())
	}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		c.StrokeLine2(line(grid, 0.6), tx(t.Value), c.Min.Y, tx(t.Value), c.Max.Y)
	}
	peak := max(b.span.hi, -b.span.lo)
	for i, bar := range b.list {
		note := bar.Note
		if note == "" {
			note = strconv.FormatFloat(bar.Value, 'f', decimals(peak), 64)
		}
		if bar.Mark != "" {
			note += " " + bar.Mark
		}
		b.plotBar(c, bar, note, tx, ty(b.at(i)))
	}
	if b.span.lo < 0 {
		c.StrokeLine2(line(axis, 0.75), tx(0), c.Min.Y, tx(0), c.Max.Y)
	}
}

func (b bars) plotBar(c draw.Canvas, bar Bar, note string, tx func(float64) vg.Length, y vg.Length) {
	lo, hi := min(0, bar.Value), max(0, bar.Value)
	if lo != hi {
		c.SetColor(b.color(bar.Group))
		c.Fill(below(tx(lo), y+6, tx(hi)-tx(lo), 12).Path())
	}
	if bar.Low != bar.High {
		lo, hi = min(lo, bar.Low), max(hi, bar.High)
		c.StrokeLine2(whiskerLine, tx(bar.Low), y, tx(bar.High), y)
		for _, end := range []float64{bar.Low, bar.High} {
			c.StrokeLine2(whiskerLine, tx(end), y-3, tx(end), y+3)
		}
	}
	if bar.Reference != nil {
		lo, hi = min(lo, *bar.Reference), max(hi, *bar.Reference)
		c.StrokeLine2(referenceLine, tx(*bar.Reference), y-8, tx(*bar.Reference), y+8)
	}
	style, at := textStyle(tickSize, muted, text.XLeft, text.YCenter), tx(hi)+4
	if bar.Value < 0 {
		style.XAlign, at = text.XRight, tx(lo)-4
	}
	c.FillText(style, vg.Point{X: at, Y: y}, note)
}

// decimals gives the largest of some values three significant digits.
func decimals(peak float64) int {
	if peak == 0 {
		return 0
	}
	return min(max(2-int(math.Floor(math.Log10(peak))), 0), 9)
}
