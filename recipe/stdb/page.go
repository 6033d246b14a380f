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
func (s *study) shown(n *net, title, text string) error {
	table := report.Table{Head: []string{"network", "steps", "test accuracy", "range over seeds", "spikes an image"}, Right: []bool{false, true, true, true, true}}
	ordinary, _, _ := n.ann.mean()
	steps := n.converted.points[0]
	accuracy := []figure.Series{{
		Name: n.ann.text, Reference: true, Y: []float64{ordinary[0].accuracy, ordinary[0].accuracy},
		X: []float64{float64(steps[0].steps), float64(max(cnnSteps, steps[len(steps)-1].steps))},
	}}
	var fired []figure.Series
	for _, a := range []*arm{&n.ann, &n.converted, &n.linear, &n.stdb, &n.scratch} {
		line, count := figure.Series{Name: a.text}, figure.Series{Name: a.text}
		at, low, high := a.mean()
		for k, p := range at {
			row := []string{a.text, fmt.Sprint(p.steps), fmt.Sprintf("%.2f %%", p.accuracy), fmt.Sprintf("%.2f–%.2f", low[k], high[k]), fmt.Sprintf("%.0f", p.spikes)}
			if a == &n.ann {
				row[4] = "–"
			}
			table.Rows = append(table.Rows, row)
			line.X, line.Y = append(line.X, float64(p.steps)), append(line.Y, p.accuracy)
			count.X, count.Y = append(count.X, float64(p.steps)), append(count.Y, p.spikes)
		}
		if a == &n.ann {
			continue
		}
		if len(a.points) > 1 {
			line.Low, line.High = low, high
		}
		accuracy, fired = append(accuracy, line), append(fired, count)
	}
	f, err := figure.Curves(title, "steps", figure.Panel{Name: "test accuracy (%)", Series: accuracy, LogX: true}, figure.Panel{Name: "spikes an image", Series: fired, LogX: true})
	if err != nil {
		return fmt.Errorf("figure %q: %w", title, err)
	}
	s.sections = append(s.sections, report.Section{
		Title: title, Text: text, Tables: []report.Table{table, n.conversions},
		Figures: []report.Figure{{
			SVG: f.SVG(), Alt: "Test accuracy and spikes an image over the steps of time: converted, hybrid and from scratch, with the ordinary network's accuracy as a line",
			Caption: "Means over the seeds, with their range as a band. Spikes are those of hidden neurons.",
		}},
	})
	return nil
}

// addConversion adds what a conversion did to the thresholds of a seed's network.
func (n *net) addConversion(seed uint64, c converted) {
	for _, l := range c.report {
		if c.has(l.Node) {
			n.conversions.Rows = append(n.conversions.Rows, []string{fmt.Sprint(seed), l.Node, l.Text})
		}
	}
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
