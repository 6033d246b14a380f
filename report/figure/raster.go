package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
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

// Raster draws one panel a layer: time steps to the right, units upwards.
//
// A layer of more than 96 units shares rows among neighbours, and a window of more
// than 512 steps columns; such a cell is darker the more of it is active, relative
// to the layer's fullest cell. The header names the units a row and the layer's
// mean value, which for spikes is the rate in spikes per unit and step.
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
		p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: float64(l.Units), Label: fmt.Sprint(l.Units)}}
		panels[i] = panel{plot: p, name: l.Name, note: r.note(l)}
	}
	return stack(title, 62, panels), nil
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

// rasterImage is a layer's activity averaged over cells.
type rasterImage struct {
	steps, units int
	cols, rows   int
	cells        []float64 // rows × cols, row 0 has the lowest units
	peak, mean   float64
}

const rasterRows = 96

func newRasterImage(l Layer) rasterImage {
	r := rasterImage{steps: l.Steps, units: l.Units, cols: min(l.Steps, maxCells), rows: min(l.Units, rasterRows)}
	r.cells = make([]float64, r.rows*r.cols)
	count := make([]float64, len(r.cells))
	for t := range l.Steps {
		for u := range l.Units {
			i := u*r.rows/l.Units*r.cols + t*r.cols/l.Steps
			r.cells[i] += l.Values[t*l.Units+u]
			count[i]++
			r.mean += l.Values[t*l.Units+u]
		}
	}
	for i, n := range count {
		r.cells[i] /= n
		r.peak = max(r.peak, r.cells[i])
	}
	r.mean /= float64(len(l.Values))
	return r
}

func (r rasterImage) note(l Layer) string {
	units := "units"
	if r.units == 1 {
		units = "unit"
	}
	s := fmt.Sprintf("%d %s", r.units, units)
	if r.rows < r.units {
		s += fmt.Sprintf(", about %d a row", int(math.Round(float64(r.units)/float64(r.rows))))
	}
	label := "rate"
	if slices.ContainsFunc(l.Values, func(v float64) bool { return v != 0 && v != 1 }) {
		label = "mean"
	}
	return fmt.Sprintf("%s, %s %.3g", s, label, r.mean)
}

// DataRange implements plot.DataRanger.
func (r rasterImage) DataRange() (xmin, xmax, ymin, ymax float64) {
	return 0, float64(r.steps), 0, float64(r.units)
}

// Plot implements plot.Plotter.
func (r rasterImage) Plot(c draw.Canvas, _ *plot.Plot) {
	c.SetColor(tint{grid, 0.45})
	c.Fill(c.Rectangle.Path())
	if r.peak == 0 {
		return
	}
	blit(c, c.Rectangle, r.cols, r.rows, r.cols <= 100, r.rows <= 20, func(x, y int) color.NRGBA {
		v := r.cells[(r.rows-1-y)*r.cols+x] / r.peak
		return shade(spikeColor, math.Pow(v, 0.7)) // lifts sparse cells into sight
	})
}
