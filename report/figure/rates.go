package figure

import (
	"fmt"
	"math"
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
	if len(rates) == 0 {
		return Figure{}, fmt.Errorf("rates %q: no layers to draw", title)
	}
	b := bars{rates: rates}
	p := newPlot("spikes per unit and time step")
	p.Y.Tick.Label.Font.Size = labelSize
	p.Y.Tick.Label.Color = ink
	p.X.Tick.Marker = ticks{most: 6}
	p.X.Padding = 0
	var names plot.ConstantTicks
	for i, r := range rates {
		if notFinite(r.Value) || r.Value < 0 {
			return Figure{}, fmt.Errorf("rates %q: layer %q has rate %v, want a finite number from zero up", title, r.Layer, r.Value)
		}
		b.peak = max(b.peak, r.Value)
		names = append(names, plot.Tick{Value: b.at(i), Label: fit(r.Layer, p.Y.Tick.Label, 110)})
	}
	p.Y.Tick.Marker = names
	p.Add(b)
	return stack(title, 20*vg.Length(len(rates))+4, []panel{{plot: p}}), nil
}

type bars struct {
	rates []Rate
	peak  float64
}

// at is the height of bar i, the first on top.
func (b bars) at(i int) float64 { return float64(len(b.rates) - 1 - i) }

// DataRange implements plot.DataRanger; a sixth to the right is for the numbers.
func (b bars) DataRange() (xmin, xmax, ymin, ymax float64) {
	peak := b.peak
	if peak == 0 {
		peak = 1
	}
	return 0, peak * 1.17, -0.6, float64(len(b.rates)) - 0.4
}

// Plot implements plot.Plotter.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		c.StrokeLine2(line(grid, 0.6), tx(t.Value), c.Min.Y, tx(t.Value), c.Max.Y)
	}
	style := textStyle(tickSize, muted, text.XLeft, text.YCenter)
	for i, r := range b.rates {
		y := ty(b.at(i))
		bar := vg.Rectangle{Min: vg.Point{X: tx(0), Y: y - 6}, Max: vg.Point{X: tx(r.Value), Y: y + 6}}
		label := strconv.FormatFloat(r.Value, 'f', decimals(b.peak), 64)
		if r.Value == 0 {
			label = "silent"
		} else {
			c.SetColor(blue)
			c.Fill(bar.Path())
		}
		c.FillText(style, vg.Point{X: bar.Max.X + 4, Y: y}, label)
	}
}

// decimals gives the largest of some rates three significant digits.
func decimals(peak float64) int {
	if peak == 0 {
		return 0
	}
	return min(max(2-int(math.Floor(math.Log10(peak))), 0), 9)
}
