package bpstdp

import (
	"fmt"

	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/run"
)

// outcome is the result with its page.
func (s *study) outcome() (*recipe.Outcome, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	learning, err := s.learning()
	if err != nil {
		return nil, err
	}
	spikes, err := s.spikes()
	if err != nil {
		return nil, err
	}
	first, n := s.Jobs[0], s.counts[0]
	lead := fmt.Sprintf("%.2f %% of the test images are right by the output with most spikes of %d steps, of which %.1f in the mean are the outputs' (seed %d).", first.Result.Test.Value("accuracy"), steps, n.mean(len(n.layers)-1), first.Config.Seed)
	return s.Outcome(func(report.Run) report.Page {
		return report.Page{
			Title: "Plasticity at wanted spikes", Lead: lead, Sections: []report.Section{learning, spikes}, Config: s.Configs(),
			Links: []report.Link{{Text: "Tavanaei and Maida 2019", URL: "https://arxiv.org/abs/1711.04214"}},
		}
	})
}

// learning draws the courses and lists the jobs.
func (s *study) learning() (report.Section, error) {
	out := report.Section{Title: "Learning", Text: "On the test images after each epoch; they choose nothing, and the last epoch counts. Of several seeds the lines are the mean and the bands the range. Inputs fire in regular trains, or by chance, of which there is one seed."}
	var right, loss []figure.Series
	for _, name := range s.Names() {
		right = append(right, s.Course(name, func(e run.Epoch) float64 { return e.Test["accuracy"] }))
		loss = append(loss, s.Course(name, func(e run.Epoch) float64 { return e.Train["loss"] }))
	}
	f, err := figure.Curves("Over the epochs", "epoch", figure.Panel{Name: "test accuracy (%)", Series: right}, figure.Panel{Name: "wrong outputs at a wanted spike", Series: loss})
	if err != nil {
		return out, err
	}
	out.Figures = []report.Figure{{SVG: f.SVG(), Alt: "Accuracy on the test images and wrong outputs over the epochs", Caption: "An output is wrong at a wanted spike where ξ is not 0; the mean over the training images."}}
	head := []string{"trains", "seed", "accuracy", "silent images", "ties"}
	for _, layer := range s.counts[0].layers {
		head = append(head, layer+" spikes")
	}
	table := report.Table{Head: append(head, "an epoch"), Right: []bool{false, true, true, true, true, true, true, true, true}}
	for i, t := range s.Jobs {
		n := s.counts[i]
		row := []string{t.Name, fmt.Sprint(t.Config.Seed), fmt.Sprintf("%.2f %%", t.Result.Test.Value("accuracy")), fmt.Sprintf("%.2f %%", n.silent()), fmt.Sprintf("%.2f %%", n.ties())}
		for l := range n.layers {
			row = append(row, fmt.Sprintf("%.1f", n.mean(l)))
		}
		table.Rows = append(table.Rows, append(row, report.Seconds(t.EpochSeconds())))
	}
	out.Tables = []report.Table{table}
	return out, nil
}

// spikes draws what the outputs of the first job of each name did over time.
func (s *study) spikes() (report.Section, error) {
	out := report.Section{Title: "Answers over time", Text: "Of the first seed, after its last epoch, on the test images."}
	var early []figure.Series
	seen := map[string]bool{}
	for i, t := range s.Jobs {
		if seen[t.Name] {
			continue
		}
		seen[t.Name] = true
		x, y := s.counts[i].early()
		early = append(early, figure.Series{Name: t.Name, X: x, Y: y})
	}
	f, err := figure.Curves("Answers by a given step", "step", figure.Panel{Name: "right (%)", Series: early})
	if err != nil {
		return out, err
	}
	bars := s.counts[0].lead(s.Test().Spec().Targets[0].Classes)
	b, err := figure.Bars("Spikes of the label's output", "spikes", bars)
	if err != nil {
		return out, err
	}
	out.Figures = []report.Figure{
		{SVG: f.SVG(), Alt: "Share of test images answered right by each step", Caption: "An image is right by a step where the label's output alone has most spikes."},
		{SVG: b.SVG(), Alt: "Spikes of the label's output and of the best other for each class", Caption: fmt.Sprintf("In %d steps, in the mean over the class's images; a wanted spike every 4 steps. The mark is the best other output.", steps)},
	}
	return out, nil
}

// lead is, for each class, the mean number of spikes of the label's output, with that of the best other.
func (c *counts) lead(classes []string) (bars []figure.Bar) {
	own, other, n := make([]float64, len(classes)), make([]float64, len(classes)), make([]float64, len(classes))
	for i, label := range c.labels {
		last := c.outputs[i][len(c.outputs[i])-1]
		best := 0
		for k, v := range last {
			if k != label {
				best = max(best, v)
			}
		}
		own[label] += float64(last[label])
		other[label] += float64(best)
		n[label]++
	}
	for k, name := range classes {
		mark := other[k] / max(1, n[k])
		bars = append(bars, figure.Bar{Name: name, Value: own[k] / max(1, n[k]), Reference: &mark})
	}
	return bars
}
