package hybrid

import (
	"fmt"
	"math"
	"slices"

	"synfire/report"
	"synfire/report/figure"
)

// course is an arm's points by T, in the mean over the seeds, with their range.
type course struct {
	steps                   []int
	mean, low, high, spikes []float64
	least, most             []float64 // factors
}

func (s *study) course(arm string) (c course) {
	for _, p := range s.points {
		if p.arm == arm && !slices.Contains(c.steps, p.steps) {
			c.steps = append(c.steps, p.steps)
		}
	}
	slices.Sort(c.steps)
	for _, k := range c.steps {
		n, mean, fired, low, high, least, most := 0.0, 0.0, 0.0, math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
		for _, p := range s.points {
			if p.arm == arm && p.steps == k {
				n, mean, fired = n+1, mean+p.accuracy, fired+p.spikes
				low, high, least, most = min(low, p.accuracy), max(high, p.accuracy), min(least, p.factor), max(most, p.factor)
			}
		}
		c.mean, c.spikes = append(c.mean, mean/n), append(c.spikes, fired/n)
		c.low, c.high, c.least, c.most = append(c.low, low), append(c.high, high), append(c.least, least), append(c.most, most)
	}
	return c
}

// show adds the section of accuracy and spikes over the steps, by arm.
func (s *study) show() error {
	if err := s.Err(); err != nil {
		return err
	}
	table := report.Table{
		Head:  []string{"network", "steps", "factor", "test accuracy", "range over seeds", "spikes an image"},
		Right: []bool{false, true, true, true, true, true},
	}
	accuracy, fired := figure.Panel{Name: "test accuracy (%)", LogX: true}, figure.Panel{Name: "spikes an image", LogX: true, LogY: true}
	for _, arm := range []string{ordinary, converted, one, hybrid, scratch} {
		c := s.course(arm)
		x := make([]float64, len(c.steps))
		for i, k := range c.steps {
			x[i] = float64(k)
			factor, spent := "–", "–"
			if c.most[i] > 0 {
				factor = fmt.Sprint(c.least[i])
			}
			if c.most[i] > c.least[i] {
				factor += fmt.Sprintf("–%v", c.most[i])
			}
			if arm != ordinary {
				spent = fmt.Sprintf("%.0f", c.spikes[i])
			}
			table.Rows = append(table.Rows, []string{arm, fmt.Sprint(k), factor, fmt.Sprintf("%.2f %%", c.mean[i]), fmt.Sprintf("%.2f–%.2f", c.low[i], c.high[i]), spent})
		}
		switch {
		case len(x) == 0:
		case arm == ordinary:
			last := float64(slices.Max(s.size.steps))
			accuracy.Series = append(accuracy.Series, figure.Series{Name: arm, Reference: true, X: []float64{1, last}, Y: []float64{c.mean[0], c.mean[0]}})
		default:
			line := figure.Series{Name: arm, X: x, Y: c.mean}
			if s.size.seeds > 1 {
				line.Low, line.High = c.low, c.high
			}
			accuracy.Series, fired.Series = append(accuracy.Series, line), append(fired.Series, figure.Series{Name: arm, X: x, Y: c.spikes})
		}
	}
	f, err := figure.Curves("Conversion that goes on by training", "steps", accuracy, fired)
	if err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	s.Sections = append(s.Sections, report.Section{
		Title: "Accuracy over the steps", Text: s.size.text, Tables: []report.Table{table},
		Figures: []report.Figure{{
			SVG: f.SVG(), Alt: "Test accuracy and spikes an image over the steps of time: converted, trained on and from scratch, with the ordinary network's accuracy as a line",
			Caption: "Means over the seeds, with their range as a band. Spikes are those of hidden neurons.",
		}},
	})
	return nil
}
