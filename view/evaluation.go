package view

import (
	"fmt"
	"text/tabwriter"

	"synfire/catalog"
	"synfire/report"
	"synfire/task"
	"synfire/train"
)

// Evaluation prints what measuring a model by its tasks, over some steps, found.
func (s Screen) Evaluation(e catalog.Evaluation, ev *train.Evaluation, tasks []task.Binding, steps int) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "data\t%s, %s, %s samples\n", e.Data, e.Split, report.Integer(int64(e.N)))
	for _, one := range ev.Scalars {
		text := one.String()
		if one.Why != "" {
			text += ": " + one.Why
		}
		fmt.Fprintf(w, "%s\t%s\n", one.Name, text)
	}
	if e.Loss == nil && ev.Steps > 0 {
		fmt.Fprintln(w, "loss\tdefined over all steps only")
	}
	if steps > 0 { // else the rule knows none
		fmt.Fprintf(w, "steps a sample\t%.2f of %d\n", e.StepsPerSample, steps)
	}
	fmt.Fprintf(w, "spikes a sample\t%.1f\ntime\t%s\n", e.SpikesPerSample, report.Seconds(e.WallSeconds))
	for _, r := range ev.Metrics.Rates {
		fmt.Fprintf(w, "rate of %s\t%.4f\n", r.Layer, r.Value())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for i, score := range ev.Scores {
		if k, ok := score.(*task.Classes); ok {
			if len(tasks) > 1 {
				fmt.Fprintf(s.Out, "\n%s\n", s.Style(Bold, Clean(task.Names(tasks)[i])))
			}
			if err := s.Classes(k); err != nil {
				return err
			}
		}
	}
	if e.Energy != nil {
		s.Energy(*e.Energy)
	}
	return nil
}
