package s4nn

import (
	"context"
	"fmt"
	"strings"

	"synfire/data"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	rule "synfire/rule/s4nn"
	"synfire/run"
	"synfire/sample"
	"synfire/train"
)

// metric is a figure's name in the metrics.
func metric(name string) string { return strings.ReplaceAll(name, "-", "_") }

// outcome is the result with its page.
func (s *study) outcome(ctx context.Context) (*recipe.Outcome, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	sections, err := s.sections(ctx)
	if err != nil {
		return nil, err
	}
	last := s.Jobs[0].Epochs[len(s.Jobs[0].Epochs)-1].Test
	lead := fmt.Sprintf("%.2f %% of the test images are right by the first output to fire, %.2f %% where ties count as right, after a mean of %.0f of %d steps and %.0f hidden spikes.",
		last["accuracy"], last[rule.WithTies], last[rule.Decision], steps, last[rule.Hidden])
	return s.Outcome(func(report.Run) report.Page {
		return report.Page{
			Title: "One spike a neuron", Lead: lead, Sections: sections, Config: s.Configs(),
			Links: []report.Link{{Text: "Kheradpisheh and Masquelier 2020", URL: "https://arxiv.org/abs/1910.09495"}},
			Notes: []string{"Accuracy with ties counts an image as right where the label's output is among those that fire first, as the authors' program does. Where no output fires, the largest potential is the answer in all figures."},
		}
	})
}

func (s *study) sections(ctx context.Context) ([]report.Section, error) {
	learning, err := s.learning()
	if err != nil {
		return nil, err
	}
	out := []report.Section{learning}
	times, err := s.times(ctx)
	if err != nil {
		return nil, err
	}
	if out = append(out, times); s.found.Title != "" {
		out = append(out, s.found)
	}
	return out, nil
}

// learning draws the courses and lists the jobs.
func (s *study) learning() (report.Section, error) {
	out := report.Section{
		Title: "Learning",
		Text:  "On the test images after each epoch; they choose nothing. Of several seeds the lines are the mean and the bands the range. A run's figure is the median of its last 21 epochs.",
	}
	var accuracy, hidden, decision []figure.Series
	for _, name := range s.Names() {
		for _, f := range []struct{ name, figure string }{{", first output", "accuracy"}, {", ties right", rule.WithTies}} {
			line := s.Course(name, func(e run.Epoch) float64 { return e.Test[f.figure] })
			line.Name += f.name
			accuracy = append(accuracy, line)
		}
		hidden = append(hidden, s.Course(name, func(e run.Epoch) float64 { return e.Test[rule.Hidden] }))
		decision = append(decision, s.Course(name, func(e run.Epoch) float64 { return e.Test[rule.Decision] }))
	}
	f, err := figure.Curves("On the test images", "epoch",
		figure.Panel{Name: "accuracy (%)", Series: accuracy},
		figure.Panel{Name: "hidden spikes", Series: hidden},
		figure.Panel{Name: "step of decision", Series: decision})
	if err != nil {
		return out, err
	}
	out.Figures = append(out.Figures, report.Figure{SVG: f.SVG(), Alt: "Accuracy, hidden spikes and time of the decision over epochs", Caption: "Learning makes hidden neurons silent and decisions earlier. Ties, counted as right, flatter."})
	table := report.Table{Head: []string{"network", "seed", "epochs", "first output", "ties right", "alone", "silent", "hidden spikes", "decision", "an epoch"}, Right: []bool{false, true, true, true, true, true, true, true, true, true}}
	for _, t := range s.Jobs {
		end := t.Epochs[len(t.Epochs)-1].Test
		table.Rows = append(table.Rows, []string{
			t.Name, fmt.Sprint(t.Config.Seed), fmt.Sprint(len(t.Epochs)),
			fmt.Sprintf("%.2f %%", medianOf(t, "accuracy")), fmt.Sprintf("%.2f %%", medianOf(t, rule.WithTies)), fmt.Sprintf("%.2f %%", medianOf(t, rule.Unique)),
			fmt.Sprintf("%.2f %%", end[rule.Silent]), fmt.Sprintf("%.1f", end[rule.Hidden]), fmt.Sprintf("%.1f", end[rule.Decision]), report.Seconds(t.EpochSeconds()),
		})
	}
	out.Tables = append(out.Tables, table)
	return out, nil
}

// timed is the times of the first job's network on the test images.
type timed struct {
	labels         []int
	hidden, output []int32 // [images, units]
	classes        []string
}

func (s *study) timesOf(ctx context.Context, t *recipe.Trained) (out timed, err error) {
	src := t.Sets.Test
	out.classes = src.Spec().Targets[0].Classes
	cursor, err := data.NewCursor(src, data.CursorOptions{Batch: 256})
	if err != nil {
		return out, err
	}
	l, ok := t.Learner.(*rule.Learner)
	if !ok {
		return out, fmt.Errorf("s4nn: a learner of type %T", t.Learner)
	}
	var b sample.Batch
	for {
		more, err := cursor.Next(ctx, &b)
		if err != nil || !more {
			return out, err
		}
		layers, err := l.Times(ctx, &b)
		if err != nil {
			if ctx.Err() != nil {
				return out, train.ErrInterrupted
			}
			return out, err
		}
		out.labels = append(out.labels, b.Classes()...)
		out.hidden = append(out.hidden, layers[0]...)
		out.output = append(out.output, layers[1]...)
	}
}

// times draws when neurons fire.
func (s *study) times(ctx context.Context) (report.Section, error) {
	t := s.Jobs[0]
	out := report.Section{Title: "Times", Text: fmt.Sprintf("Of the network %s, seed %d, after its last epoch, on the test images.", t.Name, t.Config.Seed)}
	at, err := s.timesOf(ctx, t)
	if err != nil {
		return out, err
	}
	for _, draw := range []func(timed) (report.Figure, error){histogram, matrix, forced} {
		f, err := draw(at)
		if err != nil {
			return out, err
		}
		out.Figures = append(out.Figures, f)
	}
	return out, nil
}

// bin is how many steps of time a bar of the histogram is wide.
const bin = 8

// histogram is of the times of hidden neurons.
func histogram(at timed) (report.Figure, error) {
	line := figure.Series{Name: "hidden spikes an image"}
	for lo := 0; lo < steps; lo += bin {
		line.X, line.Y = append(line.X, float64(lo)+bin/2), append(line.Y, 0)
	}
	for _, t := range at.hidden {
		if t < steps {
			line.Y[t/bin] += 1 / float64(len(at.labels))
		}
	}
	f, err := figure.Curves("When hidden neurons fire", "step", figure.Panel{Name: fmt.Sprintf("spikes in %d steps", bin), Series: []figure.Series{line}})
	return report.Figure{SVG: f.SVG(), Alt: "Histogram of the times of hidden spikes", Caption: "Spikes an image, in the mean; neurons that stay silent are left out."}, err
}

// matrix is the mean times of outputs for each label.
func matrix(at timed) (report.Figure, error) {
	k := len(at.classes)
	g := figure.Grid{Rows: at.classes, Columns: at.classes, RowAxis: "label", ColumnAxis: "output", Quantity: "mean step"}
	count := make([]float64, k)
	for range k {
		g.Values = append(g.Values, make([]float64, k))
	}
	for i, label := range at.labels {
		count[label]++
		for j, t := range at.output[i*k:][:k] {
			g.Values[label][j] += float64(t)
		}
	}
	for label, row := range g.Values {
		for j := range row {
			row[j] /= max(1, count[label])
		}
	}
	g.High = steps
	f, err := figure.Heatmap("When outputs fire", g)
	return report.Figure{SVG: f.SVG(), Alt: "Mean time of each output for each label", Caption: "The label's own output, on the diagonal, is the earliest. An output that does not fire counts as 256."}, err
}

// forced is the accuracy where the answer must be there by a time.
func forced(at timed) (report.Figure, error) {
	k := len(at.classes)
	right, decided := make([]float64, steps), make([]float64, steps)
	for i, label := range at.labels {
		row, winner := at.output[i*k:][:k], 0
		for j, t := range row {
			if t < row[winner] {
				winner = j
			}
		}
		if t := row[winner]; t < steps {
			decided[t] += 100 / float64(len(at.labels))
			if winner == label {
				right[t] += 100 / float64(len(at.labels))
			}
		}
	}
	for t := 1; t < steps; t++ {
		right[t] += right[t-1]
		decided[t] += decided[t-1]
	}
	x := make([]float64, steps)
	for t := range x {
		x[t] = float64(t)
	}
	f, err := figure.Curves("Answers by a given step", "step", figure.Panel{Name: "test images (%)", Series: []figure.Series{{Name: "right", X: x, Y: right}, {Name: "answered", X: x, Y: decided}}})
	return report.Figure{SVG: f.SVG(), Alt: "Share of test images answered, and answered right, by each step", Caption: "An image is answered when the first output fires. Those that are never answered are not guessed here."}, err
}

// witnessSection is the table of the released weights.
func witnessSection(ev *train.Evaluation) report.Section {
	table := report.Table{Head: []string{"figure", "other programs", "here"}, Right: []bool{false, true, true}}
	for _, f := range measuredBefore {
		have, _ := ev.Metrics.Mean(f.figure)
		table.Rows = append(table.Rows, []string{f.figure, fmt.Sprintf("%.*f", f.digits, f.value), fmt.Sprintf("%.*f", f.digits, have)})
	}
	return report.Section{
		Title:  "The authors' weights",
		Text:   "The weights that were released with the authors' program, measured on the test images. They do not reach the published 97.4 % under any rule; their program keeps the best epoch on the test images.",
		Tables: []report.Table{table},
	}
}
