package figure

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Series is one line. X may be nil, which stands for 1, 2, 3, …; NaN in Y leaves
// a gap.
type Series struct {
	Name string
	X, Y []float64
}

// Panel is one plot of a stack. Name is its quantity with the unit, e.g.
// "accuracy (%)". At most six series can be told apart, and more are refused.
type Panel struct {
	Name   string
	Series []Series
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
		Panel{"loss", []Series{{Name: "test", Y: h.TestLoss}, {Name: "training", Y: h.TrainLoss}}},
		Panel{"accuracy (%)", []Series{{Name: "test", Y: h.TestAccuracy}, {Name: "training", Y: h.TrainAccuracy}}})
}

// Curves draws panels of lines above one horizontal axis. Series without values,
// and panels without series, are left out; nothing left is an error.
func Curves(title, xLabel string, panels ...Panel) (Figure, error) {
	var drawn []panel
	lo, hi, whole := math.Inf(1), math.Inf(-1), true
	for _, in := range panels {
		p := panel{plot: newPlot(xLabel), name: in.Name}
		p.plot.Add(rules{grid})
		if len(in.Series) > len(seriesColors) {
			return Figure{}, fmt.Errorf("curves %q, panel %q: %d series, want at most %d; split the panel", title, in.Name, len(in.Series), len(seriesColors))
		}
		for i, s := range in.Series {
			l, err := newLines(s, i)
			if err != nil {
				return Figure{}, fmt.Errorf("curves %q, panel %q: %w", title, in.Name, err)
			}
			if l.empty() {
				continue
			}
			p.plot.Add(l)
			p.key = append(p.key, keyEntry{name: s.Name, line: l.style})
			for _, x := range l.x {
				lo, hi = min(lo, x), max(hi, x)
				whole = whole && x == math.Trunc(x)
			}
		}
		if len(p.key) > 0 {
			p.plot.Y.Min, p.plot.Y.Max = padded(p.plot.Y.Min, p.plot.Y.Max)
			drawn = append(drawn, p)
		}
	}
	if drawn == nil {
		return Figure{}, fmt.Errorf("curves %q: no finite values to draw", title)
	}
	if lo == hi {
		lo, hi = lo-1, hi+1
	}
	for _, p := range drawn {
		p.plot.X.Min, p.plot.X.Max = lo, hi
		p.plot.X.Padding = 4
		p.plot.X.Tick.Marker = ticks{most: 8, whole: whole}
	}
	return stack(title, 112, drawn), nil
}

// padded widens a range a little, but not across zero: a loss has no room below.
func padded(lo, hi float64) (float64, float64) {
	pad := (hi - lo) * 0.06
	if pad == 0 {
		pad = max(math.Abs(hi)*0.05, 1e-3)
	}
	if lo >= 0 && lo-pad < 0 {
		return 0, hi + pad
	}
	return lo - pad, hi + pad
}

// lines is a series as a plotter. Points of a short series are marked.
type lines struct {
	x, y  []float64
	style draw.LineStyle
}

var dashes = [...][]vg.Length{nil, {5, 2.5}, {1.5, 2}, {7, 2, 1.5, 2}, {3, 3}, {9, 3}}

func newLines(s Series, i int) (lines, error) {
	x := s.X
	if x == nil {
		for i := range s.Y {
			x = append(x, float64(i+1))
		}
	}
	if len(x) != len(s.Y) {
		return lines{}, fmt.Errorf("series %q: %d x and %d y, want as many", s.Name, len(x), len(s.Y))
	}
	if slices.ContainsFunc(x, notFinite) || slices.ContainsFunc(s.Y, func(v float64) bool { return math.IsInf(v, 0) }) {
		return lines{}, fmt.Errorf("series %q: x must be finite, and y finite or NaN for a gap", s.Name)
	}
	return lines{x, s.Y, draw.LineStyle{Color: seriesColors[i], Width: 1.6, Dashes: dashes[i]}}, nil
}

func notFinite(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

func (l lines) empty() bool {
	return !slices.ContainsFunc(l.y, func(v float64) bool { return !math.IsNaN(v) })
}

// DataRange implements plot.DataRanger.
func (l lines) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax = slices.Min(l.x), slices.Max(l.x)
	ymin, ymax = math.Inf(1), math.Inf(-1)
	for _, v := range l.y {
		if !math.IsNaN(v) {
			ymin, ymax = min(ymin, v), max(ymax, v)
		}
	}
	return xmin, xmax, ymin, ymax
}

// Plot implements plot.Plotter.
func (l lines) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	var run []vg.Point
	flush := func() {
		if len(run) > 1 {
			c.StrokeLines(l.style, run)
		}
		if len(run) == 1 || len(l.y) <= 15 {
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
