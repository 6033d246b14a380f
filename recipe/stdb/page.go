package stdb

import (
	"context"
	"fmt"
	"strings"

	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
)

// mean is the points of an arm in the mean over its seeds, with the range of accuracies.
func (a *arm) mean() (at []point, low, high []float64) {
	for _, seed := range a.points {
		for k, p := range seed {
			if k == len(at) {
				at, low, high = append(at, point{steps: p.steps}), append(low, p.accuracy), append(high, p.accuracy)
			}
			at[k].accuracy += p.accuracy / float64(len(a.points))
			at[k].spikes += p.spikes / float64(len(a.points))
			low[k], high[k] = min(low[k], p.accuracy), max(high[k], p.accuracy)
		}
	}
	return at, low, high
}

// shown is the section of a network: accuracy and spikes over the steps, by arm.
func (s *study) shown(title, text string, arms []*arm, conversions report.Table) error {
	table := report.Table{Head: []string{"network", "steps", "test accuracy", "range over seeds", "spikes an image"}, Right: []bool{false, true, true, true, true}}
	var accuracy, spikes []figure.Series
	for _, a := range arms {
		at, low, high := a.mean()
		line, fired := figure.Series{Name: a.text, Reference: a.name == "ann"}, figure.Series{Name: a.text}
		for k, p := range at {
			count := fmt.Sprintf("%.0f", p.spikes)
			if a.name == "ann" {
				count = "–"
			}
			table.Rows = append(table.Rows, []string{a.text, fmt.Sprint(p.steps), fmt.Sprintf("%.2f %%", p.accuracy), fmt.Sprintf("%.2f–%.2f", low[k], high[k]), count})
			line.X, line.Y = append(line.X, float64(p.steps)), append(line.Y, p.accuracy)
			fired.X, fired.Y = append(fired.X, float64(p.steps)), append(fired.Y, p.spikes)
		}
		if a.name == "ann" { // a line over all steps
			line.X, line.Y = span(arms), []float64{at[0].accuracy, at[0].accuracy}
		} else {
			spikes = append(spikes, fired)
			if len(a.points) > 1 {
				line.Low, line.High = low, high
			}
		}
		accuracy = append(accuracy, line)
	}
	f, err := figure.Curves(title, "steps", figure.Panel{Name: "test accuracy (%)", Series: accuracy, LogX: true}, figure.Panel{Name: "spikes an image", Series: spikes, LogX: true})
	if err != nil {
		return fmt.Errorf("figure %q: %w", title, err)
	}
	s.sections = append(s.sections, report.Section{
		Title: title, Text: text,
		Tables: []report.Table{table, conversions},
		Figures: []report.Figure{{
			SVG: f.SVG(), Alt: "Test accuracy and spikes an image over the steps of time: converted, hybrid and from scratch, with the ordinary network's accuracy as a line",
			Caption: "Means over the seeds, with their range as a band. Spikes are those of hidden neurons.",
		}},
	})
	return nil
}

// conversions is an empty table of what conversions did.
func conversions() report.Table {
	return report.Table{Caption: "Conversion", Head: []string{"seed", "layer", "what was done"}, Right: []bool{true, false, false}}
}

// addConversion adds what a conversion did to the thresholds of a seed's network.
func addConversion(t *report.Table, seed uint64, c converted) {
	for _, l := range c.report {
		if c.has(l.Node) {
			t.Rows = append(t.Rows, []string{fmt.Sprint(seed), l.Node, l.Text})
		}
	}
}

// span is the least and most steps of arms.
func span(arms []*arm) []float64 {
	low, high := 0., 0.
	for _, a := range arms {
		for _, p := range a.points[0] {
			if t := float64(p.steps); a.name != "ann" {
				if low == 0 || t < low {
					low = t
				}
				high = max(high, t)
			}
		}
	}
	return []float64{low, high}
}

func (s *study) outcome(context.Context) (*recipe.Outcome, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	var configs []string
	for _, t := range s.Jobs {
		if t.Config.Seed == s.Env.Seed {
			configs = append(configs, "# "+t.Name+"\n"+string(t.YAML))
		}
	}
	return s.Outcome(func(r report.Run) report.Page {
		return report.Page{
			Title:    "Hybrid conversion and STDB",
			Lead:     "An ordinary network becomes a spiking one in few steps: its weights and balanced thresholds are where training by spikes starts.",
			Links:    []report.Link{{Text: "Rathi et al. 2020", URL: "https://arxiv.org/abs/2005.01807"}},
			Claims:   r.Claims,
			Sections: s.sections,
			Notes:    []string{Chosen},
			Config:   strings.Join(configs, "\n"),
			Facts:    r.Facts(),
		}
	})
}
