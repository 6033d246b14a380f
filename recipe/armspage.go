package recipe

import (
	"fmt"
	"math"
	"slices"

	"synfire/report"
	"synfire/report/figure"
)

// Section is accuracy and spikes over the steps by arm, with the ordinary network as a line,
// and the layers of the first seed.
func (c *Conversions) Section(title, text string) (report.Section, error) {
	s := report.Section{Title: title, Text: text, Tables: []report.Table{c.table(), c.layers()}}
	line := figure.Series{Name: "ordinary network", Reference: true}
	accuracy, spikes := figure.Panel{Name: "accuracy (%)", LogX: true}, figure.Panel{Name: "spikes an image", LogX: true, LogY: true}
	var steps []int
	for _, a := range c.arms {
		steps = append(steps, a.Steps...)
		if !a.Unseen {
			y, fired := c.lines(a)
			accuracy.Series, spikes.Series = append(accuracy.Series, y), append(spikes.Series, fired)
		}
	}
	if len(steps) == 0 {
		return s, nil
	}
	mean := 0.0
	for _, f := range c.found[c.arms[0].Name] {
		mean += f.Ordinary / float64(len(c.found[c.arms[0].Name]))
	}
	line.X, line.Y = []float64{float64(slices.Min(steps)), float64(slices.Max(steps))}, []float64{mean, mean}
	accuracy.Series = append(accuracy.Series, line)
	f, err := figure.Curves(title, "steps", accuracy, spikes)
	if err != nil {
		return s, fmt.Errorf("figure %q: %w", title, err)
	}
	s.Figures = []report.Figure{{
		SVG: f.SVG(), Alt: "Accuracy and spikes an image over the steps of time, by arm, with the ordinary network's accuracy as a line",
		Caption: "Of several seeds the mean, with their range as a band. Spikes are those of hidden neurons.",
	}}
	return s, nil
}

// lines are an arm's accuracy and spikes over the steps.
func (c *Conversions) lines(a Arm) (y, fired figure.Series) {
	y.Name, fired.Name = a.Text, a.Text
	all := c.found[a.Name]
	for k, steps := range a.Steps {
		mean, spikes, low, high := 0.0, 0.0, math.Inf(1), math.Inf(-1)
		for _, f := range all {
			v := f.Points[k].Accuracy
			mean, spikes = mean+v/float64(len(all)), spikes+f.Points[k].Spikes/float64(len(all))
			low, high = min(low, v), max(high, v)
		}
		y.X, y.Y = append(y.X, float64(steps)), append(y.Y, mean)
		fired.X, fired.Y = append(fired.X, float64(steps)), append(fired.Y, spikes)
		if len(all) > 1 {
			y.Low, y.High = append(y.Low, low), append(y.High, high)
		}
	}
	return y, fired
}

// table is accuracy in percent by arm and steps, in the mean over the seeds.
func (c *Conversions) table() report.Table {
	var steps []int
	for _, a := range c.arms {
		for _, k := range a.Steps {
			if !slices.Contains(steps, k) {
				steps = append(steps, k)
			}
		}
	}
	slices.Sort(steps)
	table := report.Table{Caption: "Accuracy in percent after so many steps", Head: []string{"network"}, Right: []bool{false}}
	column := func(name string) { table.Head, table.Right = append(table.Head, name), append(table.Right, true) }
	for _, k := range steps {
		column(fmt.Sprint(k))
	}
	column("ordinary")
	column("spikes an image, last")
	column("samples")
	for _, a := range c.arms {
		y, fired := c.lines(a)
		row := []string{a.Text}
		for _, k := range steps {
			if i := slices.Index(a.Steps, k); i >= 0 {
				row = append(row, fmt.Sprintf("%.2f", y.Y[i]))
			} else {
				row = append(row, "–")
			}
		}
		ordinary := 0.0
		for _, f := range c.found[a.Name] {
			ordinary += f.Ordinary / float64(len(c.found[a.Name]))
		}
		table.Rows = append(table.Rows, append(row, fmt.Sprintf("%.2f", ordinary), fmt.Sprintf("%.0f", fired.Y[len(fired.Y)-1]), report.Integer(int64(c.found[a.Name][0].N))))
	}
	return table
}

// layers are the figures of layers over the last of the steps, of the first seed.
func (c *Conversions) layers() report.Table {
	table := report.Table{
		Caption: "Layers of the first seed over the last of the steps, of at most 100 training samples",
		Head:    []string{"network", "layer", "threshold", "scale", "above it", "rate", "transmitted", "correlation", "backlog"},
		Right:   []bool{false, false, true, true, true, true, true, true, true},
	}
	for _, a := range c.arms {
		for _, l := range c.found[a.Name][0].Layers {
			table.Rows = append(table.Rows, []string{
				a.Text, l.Name, fmt.Sprintf("%.3g", l.Threshold), fmt.Sprintf("%.3g", l.Scale), percentText(l.Above), fmt.Sprintf("%.4f", l.Rate),
				defined(l.Transmitted), defined(l.Correlation), percentText(l.Backlog),
			})
		}
	}
	return table
}

func percentText(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// defined is a figure, or a dash where there is none.
func defined(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.3f", v)
}
