package stbp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/run"
)

// curve is a figure over something.
type curve struct {
	name string
	x, y []float64
}

func (c *curve) add(x, y float64) { c.x, c.y = append(c.x, x), append(c.y, y) }

// section adds one with a figure to the page.
func (s *study) section(title, text string, table report.Table, f figure.Figure, err error, alt, caption string) error {
	if err != nil {
		return fmt.Errorf("figure %q: %w", alt, err)
	}
	s.sections = append(s.sections, report.Section{
		Title: title, Text: text, Tables: []report.Table{table},
		Figures: []report.Figure{{SVG: f.SVG(), Alt: alt, Caption: caption}},
	})
	return nil
}

// learning is the course of all jobs so far, with their rates.
func (s *study) learning(title, text string) error {
	table := report.Table{Head: []string{"run", "seed", "epochs", "test accuracy", "rates of firing", "an epoch"}, Right: []bool{false, true, true, true, false, true}}
	for _, t := range s.Jobs {
		table.Rows = append(table.Rows, []string{
			t.Name, fmt.Sprint(t.Config.Seed), fmt.Sprint(len(t.Epochs)), fmt.Sprintf("%.2f %%", t.Result.Test.Value("accuracy")), rates(t), report.Seconds(t.EpochSeconds()),
		})
	}
	return s.courses(title, text, s.Names(), table)
}

// rates are those of a job's layers in its last epoch, from the input on.
func rates(t *recipe.Trained) string {
	var out []string
	net := t.Network()
	for _, nd := range net.Nodes() {
		if v, ok := t.Epochs[len(t.Epochs)-1].Rates[nd.Name]; ok {
			out = append(out, fmt.Sprintf("%.3f", v))
		}
	}
	return strings.Join(out, ", ")
}

// courses draws losses and accuracies of jobs over epochs.
func (s *study) courses(title, text string, names []string, table report.Table) error {
	accuracy := figure.Panel{Name: "test accuracy (%)"}
	note := "The test set was watched and chose nothing; losses of different kinds are not comparable."
	of := func(e run.Epoch) float64 { return e.Test["accuracy"] }
	names = slices.Compact(names)
	if !s.watched(names) {
		accuracy.Name, note = "accuracy in training (%)", "Losses of different kinds are not comparable."
		of = func(e run.Epoch) float64 { return e.Train["accuracy"] }
	}
	var loss []figure.Series
	for _, name := range names {
		accuracy.Series = append(accuracy.Series, s.Course(name, of))
		loss = append(loss, s.Course(name, func(e run.Epoch) float64 { return e.Train["loss"] }))
	}
	f, err := figure.Curves(title, "epoch", accuracy, figure.Panel{Name: "training loss", Series: loss})
	return s.section(title, text, table, f, err, "Accuracy and training loss over epochs of "+strings.Join(names, ", "), "Of several seeds the mean, with their range as a band. "+note)
}

// watched reports whether jobs of these names measured the test samples after each epoch.
func (s *study) watched(names []string) bool {
	for _, t := range s.Jobs {
		if slices.Contains(names, t.Name) && !t.Config.WatchTest {
			return false
		}
	}
	return true
}

// curves draws figures over x, a panel each.
func (s *study) curves(title, text, x string, table report.Table, list ...curve) error {
	var panels []figure.Panel
	for _, c := range list {
		panels = append(panels, figure.Panel{Name: c.name, Series: []figure.Series{{Name: c.name, X: c.x, Y: c.y}}})
	}
	f, err := figure.Curves(title, x, panels...)
	return s.section(title, text, table, f, err, title+": "+list[0].name+" over "+x, "Each point is a network of its own.")
}

// outcome is the result with its page; the first network is shown at work.
func (s *study) outcome(ctx context.Context) (*recipe.Outcome, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	if len(s.Jobs) > 0 { // a part may have none at a scale
		shown := s.Jobs[0]
		more, err := shown.Sections(ctx)
		if err != nil {
			return nil, err
		}
		for _, m := range more {
			m.Title = shown.Name + ": " + m.Title
			s.sections = append(s.sections, m)
		}
	}
	var configs []string
	for _, t := range s.Jobs {
		configs = append(configs, "# "+t.Name+"\n"+string(t.YAML))
	}
	return s.Outcome(func(r report.Run) report.Page {
		return report.Page{
			Title:    "Spatio-temporal backpropagation",
			Lead:     "Spiking networks trained directly: errors go back through layers and through time, with a rectangle in place of a spike's derivative.",
			Links:    []report.Link{{Text: "Wu et al. 2018", URL: "https://arxiv.org/abs/1706.02609"}, {Text: "Wu et al. 2019", URL: "https://arxiv.org/abs/1809.05793"}},
			Claims:   r.Claims,
			Sections: s.sections,
			Notes:    []string{"Sources of published figures are in the claims; those marked reported were not checked against the paper itself."},
			Config:   strings.Join(configs, "\n"),
			Facts:    r.Facts(),
		}
	})
}
