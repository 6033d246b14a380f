package figure

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

// Trace is the membrane potential of one unit over one sample: V[t] at time step
// t, in the neuron's own unit, and the steps at which it fired.
type Trace struct {
	Name      string
	V         []float64
	Threshold float64
	Spikes    []int
}

// Membrane draws one panel a trace: the potential, the threshold dashed, and a
// tick above each step with a spike. Up to twelve traces fit a figure.
func Membrane(title string, traces []Trace) (Figure, error) {
	if len(traces) == 0 || len(traces) > 12 {
		return Figure{}, fmt.Errorf("membrane %q: %d traces, want 1 to 12", title, len(traces))
	}
	panels := make([]panel, len(traces))
	for i, t := range traces {
		if err := t.check(); err != nil {
			return Figure{}, fmt.Errorf("membrane %q, trace %q: %w", title, t.Name, err)
		}
		if len(t.V) != len(traces[0].V) {
			return Figure{}, fmt.Errorf("membrane %q: trace %q has %d steps, trace %q %d; draw windows of one length", title, t.Name, len(t.V), traces[0].Name, len(traces[0].V))
		}
		p := newPlot("time step")
		p.Add(t)
		p.X.Padding = 4
		p.Y.Tick.Marker = ticks{most: 3}
		panels[i] = panel{plot: p, name: t.Name, note: t.note()}
		if i == 0 {
			panels[i].key = []keyEntry{
				{name: "threshold", line: thresholdLine}, {name: "spike", line: spikeLine, tick: true},
			}
		}
	}
	return stack(title, 46, panels), nil
}

var (
	potentialLine = line(blue, 1.3)
	thresholdLine = draw.LineStyle{Color: muted, Width: 0.9, Dashes: dashes[1]}
	spikeLine     = line(vermillion, 1.6)
)

func (t Trace) note() string {
	if len(t.Spikes) == 1 {
		return "1 spike"
	}
	return fmt.Sprintf("%d spikes", len(t.Spikes))
}

func (t Trace) check() error {
	if len(t.V) == 0 || slices.ContainsFunc(t.V, notFinite) || notFinite(t.Threshold) {
		return fmt.Errorf("%d potentials, threshold %v; want at least one potential, all of them finite", len(t.V), t.Threshold)
	}
	for _, s := range t.Spikes {
		if s < 0 || s >= len(t.V) {
			return fmt.Errorf("spike at step %d, outside [0, %d)", s, len(t.V))
		}
	}
	return nil
}

// DataRange implements plot.DataRanger. A fifth above the highest of potential and
// threshold is kept for the marks of spikes.
func (t Trace) DataRange() (xmin, xmax, ymin, ymax float64) {
	lo, hi := min(0, slices.Min(t.V)), max(t.Threshold, slices.Max(t.V))
	span := hi - lo
	if span == 0 {
		span = math.Max(1, math.Abs(hi))
	}
	return 0, float64(max(1, len(t.V)-1)), lo - 0.05*span, hi + 0.3*span
}

// Plot implements plot.Plotter.
func (t Trace) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	c.StrokeLine2(line(grid, 0.6), c.Min.X, ty(0), c.Max.X, ty(0))
	c.StrokeLine2(thresholdLine, c.Min.X, ty(t.Threshold), c.Max.X, ty(t.Threshold))
	lines{y: t.V, x: stepsOf(len(t.V)), style: potentialLine}.Plot(c, p)
	for _, s := range t.Spikes {
		c.StrokeLine2(spikeLine, tx(float64(s)), c.Max.Y-7, tx(float64(s)), c.Max.Y)
	}
}

func stepsOf(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i)
	}
	return x
}
