package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Layer is what one layer did over one sample. Values holds Steps × Units numbers,
// time step by time step: 1 for a spike and 0 for none, or a graded input's
// intensity, zero or more.
type Layer struct {
	Name         string
	Steps, Units int
	Values       []float64
}

// Raster draws one panel a layer: time steps to the right, units upwards, a mark for
// each spike.
//
// Of a layer of more than 48 units as many are drawn, spread over all of them; so a
// mark is always one unit's, and a panel is as full as the layer is active. Of more
// than 512 steps neighbours share columns. Graded values, and columns of several steps,
// are darker the larger they are, relative to the layer's largest. The header names the
// units, how many of them are drawn, and the mean value of all in this window, which
// for spikes is the rate in spikes per unit and step.
func Raster(title string, layers []Layer) (Figure, error) {
	if len(layers) == 0 {
		return Figure{}, fmt.Errorf("raster %q: no layers to draw", title)
	}
	panels := make([]panel, len(layers))
	for i, l := range layers {
		if err := l.check(); err != nil {
			return Figure{}, fmt.Errorf("raster %q, layer %q: %w", title, l.Name, err)
		}
		if l.Steps != layers[0].Steps {
			return Figure{}, fmt.Errorf("raster %q: layer %q has %d steps, layer %q %d; draw windows of one length", title, l.Name, l.Steps, layers[0].Name, layers[0].Steps)
		}
		p := newPlot("time step")
		r := newRasterImage(l)
		p.Add(r)
		p.X.Padding, p.Y.Padding = 1, 3
		p.Y.Label.Text, p.Y.Label.TextStyle = "unit", textStyle(labelSize, muted, text.XCenter, text.YBottom)
		p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: float64(l.Units), Label: fmt.Sprint(l.Units)}}
		panels[i] = panel{plot: p, name: l.Name, note: r.note(l)}
		if i == 0 || r.shaded() != newRasterImage(layers[i-1]).shaded() {
			panels[i].key = r.key()
		}
	}
	return stack(title, 84, panels), nil
}

// shaded reports whether cells hold anything but single spikes.
func (r rasterImage) shaded() bool {
	return slices.ContainsFunc(r.cells, func(v float64) bool { return v != 0 && v != 1 })
}

// key says what a mark is.
func (r rasterImage) key() []keyEntry {
	if r.shaded() {
		return []keyEntry{{name: "0", fill: tint{spikeColor, 0.08}}, {name: fmt.Sprintf("%.3g a step", r.peak), fill: spikeColor}}
	}
	return []keyEntry{{name: "spike", fill: spikeColor}}
}

// graded reports whether values are no spikes.
func graded(l Layer) bool {
	return slices.ContainsFunc(l.Values, func(v float64) bool { return v != 0 && v != 1 })
}

func (l Layer) check() error {
	if l.Steps < 1 || l.Units < 1 || len(l.Values) != l.Steps*l.Units {
		return fmt.Errorf("%d values for %d steps × %d units, want their product", len(l.Values), l.Steps, l.Units)
	}
	if i := slices.IndexFunc(l.Values, func(v float64) bool { return notFinite(v) || v < 0 }); i >= 0 {
		return fmt.Errorf("value %v at step %d, unit %d; want finite numbers from zero up", l.Values[i], i/l.Units, i%l.Units)
	}
	return nil
}

// rasterImage is the activity of a layer's drawn units, averaged over the steps of a
// column.
type rasterImage struct {
	steps      int
	units      int
	drawn      []int // the units of the rows, ascending
	cols       int
	cells      []float64 // rows × cols, row 0 has the lowest unit
	peak, mean float64
}

const rasterRows = 48

func newRasterImage(l Layer) rasterImage {
	r := rasterImage{steps: l.Steps, units: l.Units, drawn: spread(l.Units, rasterRows), cols: min(l.Steps, maxCells)}
	r.cells = make([]float64, len(r.drawn)*r.cols)
	for row, u := range r.drawn {
		count := make([]float64, r.cols)
		for t := range l.Steps {
			col := t * r.cols / l.Steps
			r.cells[row*r.cols+col] += l.Values[t*l.Units+u]
			count[col]++
		}
		for col, n := range count {
			r.cells[row*r.cols+col] /= n
		}
	}
	r.peak = slices.Max(r.cells)
	for _, v := range l.Values {
		r.mean += v
	}
	r.mean /= float64(len(l.Values))
	return r
}

// spread picks at most so many of n units, one of each of as many equal parts. Where in
// its part it stands moves by the golden ratio, so that units of one channel, which are
// equally far apart, are not picked alone.
func spread(n, most int) (picked []int) {
	k := min(n, most)
	for i := range k {
		lo, hi := i*n/k, (i+1)*n/k
		_, part := math.Modf(float64(i) * math.Phi)
		picked = append(picked, lo+int(part*float64(hi-lo)))
	}
	return picked
}

func (r rasterImage) note(l Layer) string {
	units := "units"
	if r.units == 1 {
		units = "unit"
	}
	s := fmt.Sprintf("%d %s", r.units, units)
	if k := len(r.drawn); k < r.units {
		s += fmt.Sprintf(", %d drawn", k)
	}
	label := "rate here"
	if graded(l) {
		label = "mean here"
	}
	return fmt.Sprintf("%s, %s %.3g", s, label, r.mean)
}

// DataRange implements plot.DataRanger.
func (r rasterImage) DataRange() (xmin, xmax, ymin, ymax float64) {
	return 0, float64(r.steps), 0, float64(r.units)
}

// Plot implements plot.Plotter. A mark is at most 6 wide, at the beginning of its step.
func (r rasterImage) Plot(c draw.Canvas, _ *plot.Plot) {
	c.SetColor(tint{grid, 0.45})
	c.Fill(c.Rectangle.Path())
	if r.peak == 0 {
		return
	}
	cell := c.Rectangle.Size().X / vg.Length(r.cols)
	blitMarks(c, c.Rectangle, r.cols, len(r.drawn), float64(min(1, 6/cell)), func(x, y int) color.NRGBA {
		return shade(spikeColor, r.cells[(len(r.drawn)-1-y)*r.cols+x]/r.peak)
	})
}
