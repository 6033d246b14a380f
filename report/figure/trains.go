package figure

import (
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Train is the spike times of one unit.
type Train struct {
	Name  string
	Times []float64
}

// Trains draws spike trains over a window of time, the first on top, a mark for
// each spike. Of more than 4,000 spikes it paints how many fall into each of 512
// columns instead, darker the more there are. At most 512 trains are drawn, and
// names of at most 32.
func Trains(title, xLabel string, start, stop float64, trains []Train) (Figure, error) {
	if len(trains) == 0 || len(trains) > maxCells {
		return Figure{}, fmt.Errorf("trains %q: %d of them, want 1 to %d; draw some of them", title, len(trains), maxCells)
	}
	if !(start < stop) || notFinite(start) || notFinite(stop) {
		return Figure{}, fmt.Errorf("trains %q: the window [%v, %v], want a finite one that is not empty", title, start, stop)
	}
	spikes := 0
	for _, t := range trains {
		if i := slices.IndexFunc(t.Times, func(v float64) bool { return !(v >= start && v <= stop) }); i >= 0 {
			return Figure{}, fmt.Errorf("trains %q, train %q: spike %d at %v, want it in the window [%v, %v]", title, t.Name, i, t.Times[i], start, stop)
		}
		spikes += len(t.Times)
	}
	p := newPlot(xLabel)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = start, stop, 0, float64(len(trains))
	p.X.Padding, p.Y.Padding = 1, 3
	p.X.Tick.Marker = ticks{most: 8}
	p.Y.Tick.Marker = trainNames(trains)
	p.Add(marks{trains: trains, start: start, stop: stop, dense: spikes > 4000})
	note := fmt.Sprintf("%d spikes", spikes)
	if spikes == 1 {
		note = "1 spike"
	}
	height := min(max(vg.Length(len(trains))*11, 40), 320)
	name := fmt.Sprintf("%d trains", len(trains))
	if len(trains) == 1 {
		name = "1 train"
	}
	return stack(title, height, []panel{{plot: p, name: name, note: note}}), nil
}

// trainNames are the names at their rows' middles, or the first and last number.
func trainNames(trains []Train) plot.ConstantTicks {
	n := len(trains)
	if n > 32 {
		return plot.ConstantTicks{{Value: 0.5, Label: fmt.Sprint(n - 1)}, {Value: float64(n) - 0.5, Label: "0"}}
	}
	var names plot.ConstantTicks
	for i, t := range trains {
		names = append(names, plot.Tick{Value: float64(n-i) - 0.5, Label: fit(t.Name, noteStyle, 80)})
	}
	return names
}

// marks is spike trains as a plotter.
type marks struct {
	trains      []Train
	start, stop float64
	dense       bool
}

// Plot implements plot.Plotter.
func (m marks) Plot(c draw.Canvas, p *plot.Plot) {
	c.SetColor(tint{grid, 0.45})
	c.Fill(c.Rectangle.Path())
	if m.dense {
		m.picture(c)
		return
	}
	x, y := p.Transforms(&c)
	n := len(m.trains)
	style := line(seriesColors[0], 1.1)
	for i, t := range m.trains {
		lo, hi := y(float64(n-i)-0.9), y(float64(n-i)-0.1)
		for _, at := range t.Times {
			c.StrokeLine2(style, x(at), lo, x(at), hi)
		}
	}
}

func (m marks) picture(c draw.Canvas) {
	counts, most := make([]float64, len(m.trains)*maxCells), 0.0
	for i, t := range m.trains {
		for _, at := range t.Times {
			cell := &counts[i*maxCells+min(int((at-m.start)/(m.stop-m.start)*maxCells), maxCells-1)]
			*cell++
			most = max(most, *cell)
		}
	}
	blit(c, c.Rectangle, maxCells, len(m.trains), false, len(m.trains) <= 32, func(x, y int) color.NRGBA {
		v := counts[y*maxCells+x]
		if v == 0 {
			return color.NRGBA{}
		}
		return shade(spikeColor, 0.25+0.75*v/most)
	})
}

// Pair is the spike times that a unit should have, and those that it has.
type Pair struct {
	Name           string
	Target, Output []float64
}

// Matched draws pairs of spike trains over a window of time, at most 64, the first on
// top: the target above, the output below, each in a colour of its own.
func Matched(title, xLabel string, start, stop float64, pairs []Pair) (Figure, error) {
	if len(pairs) == 0 || len(pairs) > 64 {
		return Figure{}, fmt.Errorf("matched trains %q: %d pairs, want 1 to 64; draw some of them", title, len(pairs))
	}
	if !(start < stop) || notFinite(start) || notFinite(stop) {
		return Figure{}, fmt.Errorf("matched trains %q: the window [%v, %v], want a finite one that is not empty", title, start, stop)
	}
	units := make([]Train, len(pairs))
	for i, p := range pairs {
		units[i].Name = p.Name
		for _, v := range slices.Concat(p.Target, p.Output) {
			if !(v >= start && v <= stop) {
				return Figure{}, fmt.Errorf("matched trains %q, pair %q: a spike at %v, want it in the window [%v, %v]", title, p.Name, v, start, stop)
			}
		}
	}
	p := newPlot(xLabel)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = start, stop, 0, float64(len(pairs))
	p.X.Padding, p.Y.Padding = 1, 3
	p.X.Tick.Marker = ticks{most: 8}
	p.Y.Tick.Marker = trainNames(units)
	p.Add(matched(pairs))
	name := fmt.Sprintf("%d units", len(pairs))
	if len(pairs) == 1 {
		name = "1 unit"
	}
	key := []keyEntry{{name: "target", line: targetLine, tick: true}, {name: "output", line: outputLine, tick: true}}
	height := min(max(vg.Length(len(pairs))*20, 40), 480)
	return stack(title, height, []panel{{plot: p, name: name, key: key}}), nil
}

var (
	targetLine = line(blue, 1.4)
	outputLine = line(vermillion, 1.4)
)

// matched is pairs of trains as a plotter.
type matched []Pair

// Plot implements plot.Plotter.
func (m matched) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i, pair := range m {
		top := float64(len(m) - i)
		if i%2 == 0 { // ground of every second unit
			c.SetColor(tint{grid, 0.45})
			c.Fill(vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: y(top - 1)}, Max: vg.Point{X: c.Max.X, Y: y(top)}}.Path())
		}
		for _, at := range pair.Target {
			c.StrokeLine2(targetLine, x(at), y(top-0.48), x(at), y(top-0.08))
		}
		for _, at := range pair.Output {
			c.StrokeLine2(outputLine, x(at), y(top-0.92), x(at), y(top-0.52))
		}
	}
}
