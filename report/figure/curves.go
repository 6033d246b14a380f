package figure

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Series is one line. X may be nil, which stands for 1, 2, 3, …; NaN in Y leaves
// a gap.
//
// Low and High, where they are given, bound a band about the line, e.g. the range
// over seeds. A Reference is what the others are held against, theory or a
// published figure: a thin grey line without marks.
type Series struct {
	Name      string
	X, Y      []float64
	Low, High []float64
	Reference bool
}

// Panel is one plot of a stack. Name is its quantity with the unit, e.g.
// "accuracy (%)". At most six series and six references can be told apart, and
// more are refused. LogX and LogY make an axis logarithmic; LogX is the same for
// all panels of a stack.
type Panel struct {
	Name       string
	Series     []Series
	LogX, LogY bool
}

// History is a training run: one value an epoch, NaN where none was measured, and
// nil where the quantity was not followed at all.
type History struct {
	TrainLoss, TestLoss         []float64
	TrainAccuracy, TestAccuracy []float64 // percent
}

// Training draws loss and accuracy over epochs, training and test set in each.
func Training(title string, h History) (Figure, error) {
	return Curves(title, "epoch",
		Panel{Name: "loss", Series: []Series{{Name: "test", Y: h.TestLoss}, {Name: "training", Y: h.TrainLoss}}},
		Panel{Name: "accuracy (%)", Series: []Series{{Name: "test", Y: h.TestAccuracy}, {Name: "training", Y: h.TrainAccuracy}}})
}

// Curves draws panels of lines above one horizontal axis. Series without values,
// and panels without series, are left out; nothing left is an error.
func Curves(title, xLabel string, panels ...Panel) (Figure, error) {
	var drawn []panel
	x := span{whole: true}
	for _, in := range panels {
		if in.LogX != panels[0].LogX {
			return Figure{}, fmt.Errorf("curves %q: panels %q and %q share an axis, but LogX is set in one of them; set it in all", title, panels[0].Name, in.Name)
		}
		p, err := in.panel(xLabel, &x)
		if err != nil {
			return Figure{}, fmt.Errorf("curves %q, panel %q: %w", title, in.Name, err)
		}
		if len(p.key) > 0 {
			in.LogY = in.LogY && p.plot.Y.Min > 0
			setAxis(&p.plot.Y, span{lo: p.plot.Y.Min, hi: p.plot.Y.Max}.padded(in.LogY), in.LogY, 5)
			drawn = append(drawn, p)
		}
	}
	if drawn == nil {
		return Figure{}, fmt.Errorf("curves %q: no finite values to draw", title)
	}
	if x.lo == x.hi {
		x = x.padded(panels[0].LogX)
	}
	for _, p := range drawn {
		setAxis(&p.plot.X, x, panels[0].LogX, 8)
		p.plot.X.Padding = 4
	}
	return stack(title, 112, drawn), nil
}

// panel is the panel with the lines of its series; x grows to their range.
func (in Panel) panel(xLabel string, x *span) (panel, error) {
	p := panel{plot: newPlot(xLabel), name: in.Name}
	p.plot.Add(rules{grid})
	drawn, references := 0, 0
	for _, s := range in.Series {
		place := &drawn
		if s.Reference {
			place = &references
		}
		if *place == len(seriesColors) {
			return p, fmt.Errorf("more than %d series of a kind; split the panel", len(seriesColors))
		}
		l, err := newLines(s, *place)
		if err == nil {
			err = l.positive(in.LogX, in.LogY)
		}
		if err != nil {
			return p, fmt.Errorf("series %q: %w", s.Name, err)
		}
		*place++
		if l.empty() {
			continue
		}
		p.plot.Add(l)
		p.key = append(p.key, keyEntry{name: s.Name, line: l.style})
		x.add(l.x)
	}
	return p, nil
}

// lines is a series as a plotter. Points of a short series are marked.
type lines struct {
	x, y      []float64
	low, high []float64
	style     draw.LineStyle
	unmarked  bool
}

var dashes = [...][]vg.Length{nil, {5, 2.5}, {1.5, 2}, {7, 2, 1.5, 2}, {3, 3}, {9, 3}}

// newLines is a series in the i-th style of its kind.
func newLines(s Series, i int) (lines, error) {
	l := lines{x: s.X, y: s.Y, low: s.Low, high: s.High, unmarked: s.Reference}
	if l.x == nil {
		for i := range s.Y {
			l.x = append(l.x, float64(i+1))
		}
	}
	if len(l.x) != len(l.y) {
		return l, fmt.Errorf("%d x and %d y, want as many", len(l.x), len(l.y))
	}
	if len(l.low) != len(l.high) || (len(l.low) != 0 && len(l.low) != len(l.y)) {
		return l, fmt.Errorf("a band of %d and %d values for %d points, want as many of each", len(l.low), len(l.high), len(l.y))
	}
	infinite := func(v float64) bool { return math.IsInf(v, 0) }
	if slices.ContainsFunc(l.x, notFinite) || slices.ContainsFunc(slices.Concat(l.y, l.low, l.high), infinite) {
		return l, errors.New("x must be finite, and y finite or NaN for a gap")
	}
	l.style = draw.LineStyle{Color: seriesColors[i], Width: 1.6, Dashes: dashes[i]}
	if s.Reference {
		l.style = draw.LineStyle{Color: muted, Width: 1, Dashes: dashes[(i+1)%len(dashes)]}
	}
	return l, nil
}

// positive refuses what a logarithmic axis cannot show.
func (l lines) positive(x, y bool) error {
	for _, axis := range []struct {
		log    bool
		values []float64
	}{{x, l.x}, {y, slices.Concat(l.y, l.low, l.high)}} {
		if i := slices.IndexFunc(axis.values, func(v float64) bool { return v <= 0 }); axis.log && i >= 0 {
			return fmt.Errorf("%v on a logarithmic axis, want values above zero; leave it out or draw a linear axis", axis.values[i])
		}
	}
	return nil
}

func notFinite(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

func (l lines) empty() bool {
	return !slices.ContainsFunc(l.y, func(v float64) bool { return !math.IsNaN(v) })
}

// DataRange implements plot.DataRanger.
func (l lines) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax = slices.Min(l.x), slices.Max(l.x)
	ymin, ymax = math.Inf(1), math.Inf(-1)
	for _, v := range slices.Concat(l.y, l.low, l.high) {
		if !math.IsNaN(v) {
			ymin, ymax = min(ymin, v), max(ymax, v)
		}
	}
	return xmin, xmax, ymin, ymax
}

// Plot implements plot.Plotter.
func (l lines) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	l.plotBand(c, tx, ty)
	var run []vg.Point
	flush := func() {
		if len(run) > 1 {
			c.StrokeLines(l.style, run)
		}
		if len(run) == 1 || (len(l.y) <= 15 && !l.unmarked) {
			for _, pt := range run {
				c.DrawGlyphNoClip(draw.GlyphStyle{Color: l.style.Color, Radius: 2.2, Shape: draw.CircleGlyph{}}, pt)
			}
		}
		run = nil
	}
	for i, v := range l.y {
		if math.IsNaN(v) {
			flush()
			continue
		}
		run = append(run, vg.Point{X: tx(l.x[i]), Y: ty(v)})
	}
	flush()
}

// plotBand fills between low and high; a gap in either ends a piece of the band.
func (l lines) plotBand(c draw.Canvas, tx, ty func(float64) vg.Length) {
	var upper, lower []vg.Point
	flush := func() {
		if len(upper) > 1 {
			slices.Reverse(lower)
			c.FillPolygon(tint{l.style.Color.(color.NRGBA), 0.18}, append(upper, lower...))
		}
		upper, lower = nil, nil
	}
	for i := range l.low {
		if math.IsNaN(l.low[i]) || math.IsNaN(l.high[i]) {
			flush()
			continue
		}
		upper = append(upper, vg.Point{X: tx(l.x[i]), Y: ty(l.high[i])})
		lower = append(lower, vg.Point{X: tx(l.x[i]), Y: ty(l.low[i])})
	}
	flush()
}
