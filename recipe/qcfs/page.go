package qcfs

import (
	"context"
	"fmt"
	"slices"

	"synfire/report"
	"synfire/report/figure"
)

// rows is a table of arms over the steps, with the cells that they are held against.
func (s *study) rows(list []arm, steps []int) report.Table {
	t := report.Table{Head: []string{"network", "its accuracy"}, Right: []bool{false, true}}
	for _, n := range steps {
		t.Head, t.Right = append(t.Head, fmt.Sprintf("T = %d", n)), append(t.Right, true)
	}
	for _, a := range list {
		row := []string{a.text, fmt.Sprintf("%.2f %%", mean(s.ordinary[a.of]))}
		for _, n := range steps {
			cell := "–"
			if m, ok := s.mean(a.key, n); ok {
				cell = fmt.Sprintf("%.2f", m.accuracy)
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// against is the table that the arms are held against.
func against(steps []int) report.Table {
	t := report.Table{Caption: "The calibration in another program", Head: []string{"network", "its accuracy"}, Right: []bool{false, true}}
	for _, n := range steps {
		t.Head, t.Right = append(t.Head, fmt.Sprintf("T = %d", n)), append(t.Right, true)
	}
	for _, a := range arms() {
		if a.cells == nil {
			continue
		}
		row := []string{a.text, fmt.Sprintf("%.2f %%", card[a.of])}
		for k := range steps {
			cell := "–"
			if k < len(a.cells) {
				cell = fmt.Sprintf("%.2f", a.cells[k].accuracy)
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// lines are the accuracy of arms over the steps, and over the spikes that they take.
func (s *study) lines(title string, list []arm, steps []int, shown ...string) (report.Figure, error) {
	accuracy, cost := figure.Panel{Name: "accuracy (%)", LogX: true}, figure.Panel{Name: "spikes an image", LogX: true}
	for _, a := range list {
		if !slices.Contains(shown, a.key) {
			continue
		}
		line, spikes := figure.Series{Name: a.text}, figure.Series{Name: a.text}
		for _, n := range steps {
			m, ok := s.mean(a.key, n)
			if !ok {
				continue
			}
			all := float64(n + a.fire.Residual)
			line.X, line.Y = append(line.X, all), append(line.Y, m.accuracy)
			spikes.X, spikes.Y = append(spikes.X, all), append(spikes.Y, m.spikes)
		}
		accuracy.Series, cost.Series = append(accuracy.Series, line), append(cost.Series, spikes)
	}
	f, err := figure.Curves(title, "steps, those before the run included", accuracy, cost)
	if err != nil {
		return report.Figure{}, fmt.Errorf("figure %q: %w", title, err)
	}
	return report.Figure{SVG: f.SVG(), Alt: title + ": test accuracy and spikes an image over the steps, a line for each way to convert", Caption: "Means over the seeds. Steps before the run are among the steps."}, nil
}

// showDigits is the sections of the perceptrons.
func (s *study) showDigits(context.Context) error {
	steps := s.size.steps
	f, err := s.lines("Digits", arms(), steps, maxZero, percentHalf, fitted, plain, silenced, "qcfs4-sd")
	if err != nil {
		return err
	}
	tables := []report.Table{s.rows(arms(), steps)}
	if len(steps) == len(doubled) {
		tables = append(tables, against(steps))
	}
	s.sections = append(s.sections, report.Section{
		Title: "Digits", Tables: tables, Figures: []report.Figure{f},
		Text: fmt.Sprintf("784–%d–%d–10 with biases. Accuracy on the test images, in the mean over the seeds, of scores over T steps; each number of steps of a scale that is fitted, and of calibrated biases, is a conversion of its own. Staircases are trained from new weights, and scales that start at 4.", s.size.hidden, s.size.hidden),
	})
	s.showStairs()
	s.showFirst()
	return nil
}

// showStairs is how codes of spikes agree with the staircases.
func (s *study) showStairs() {
	table := report.Table{
		Head:  []string{"levels", "spikes", "other answers", "scores off by more than 0.00001", "last layer's neurons off their level", "spikes an image"},
		Right: []bool{true, false, true, true, true, true},
	}
	for _, levels := range []int{4, 8} {
		for _, a := range arms() {
			all := s.stairs[fmt.Sprintf("qcfs%d %v", levels, a.fire.Code)]
			if a.of != four || a.fire.Start == 0 || a.bias || a.fire.Residual > 0 || len(all) == 0 {
				continue
			}
			var labels, scores, n int
			var off, spikes float64
			for _, v := range all {
				labels, scores, n = labels+v.otherLabels, scores+v.otherScores, n+v.n
				off, spikes = off+v.off/float64(len(all)), spikes+v.spikes/float64(len(all))
			}
			table.Rows = append(table.Rows, []string{
				fmt.Sprint(levels), a.fire.Code.String(), fmt.Sprintf("%d of %s", labels, report.Integer(int64(n))), fmt.Sprint(scores), fmt.Sprintf("%.2f %%", 100*off), fmt.Sprintf("%.0f", spikes),
			})
		}
	}
	s.sections = append(s.sections, report.Section{
		Title: "In as many steps as there are levels", Tables: []report.Table{table},
		Text: "At T = L a neuron with even input gives as many spikes as the staircase has levels below its input. Behind the first layer input is uneven: spikes that came too early stay given, unless a neuron can take them back. Graded spikes depend on the sum alone. What is left of their difference is rounding: weights are multiplied by scales in single precision, and now and then an input stands at the edge between two levels.",
	})
}

// showFirst is single spikes.
func (s *study) showFirst() {
	table := report.Table{Head: []string{"dt", "steps", "accuracy", "spikes an image", "largest difference of a score", "before their window"}, Right: []bool{true, true, true, true, true, true}}
	for _, dt := range s.size.coarse {
		all := s.first[dt]
		var accuracy, spikes, difference, steps float64
		clipped := 0
		for _, p := range all {
			accuracy, spikes, steps = accuracy+p.Accuracy/float64(len(all)), spikes+p.Spikes/float64(len(all)), steps+float64(p.Steps)/float64(len(all))
			difference = max(difference, p.Difference)
			for _, n := range p.Clipped {
				clipped += n
			}
		}
		row := []string{fmt.Sprint(dt), fmt.Sprintf("%.0f", steps), fmt.Sprintf("%.2f %%", accuracy), fmt.Sprintf("%.0f", spikes), fmt.Sprintf("%.2g", difference), fmt.Sprint(clipped)}
		if dt == 0 {
			row[0], row[1] = "exact", "–"
		}
		table.Rows = append(table.Rows, row)
	}
	s.sections = append(s.sections, report.Section{
		Title: "Single spikes", Tables: []report.Table{table},
		Text: "The network of rectified units as neurons that fire at most once, whose time is the activation: windows are 1.5 times the largest activation of training samples. In exact time nothing is lost; on a grid spikes are late by up to a step. Spikes before their window are clipped activations, of all seeds.",
	})
}

// showPictures is the section of the convolutional networks.
func (s *study) showPictures() error {
	steps := s.size.deep.steps
	f, err := s.lines("Pictures", deepArms(), steps, deepZero, deepHalf, deepIF, deepIFZero, deepSD, deepLeft)
	if err != nil {
		return err
	}
	graded := s.stairs[deepGraded][0]
	s.sections = append(s.sections, report.Section{
		Title: "Pictures", Tables: []report.Table{s.rows(deepArms(), steps)}, Figures: []report.Figure{f},
		Text: fmt.Sprintf("Six 3×3 convolutions with batch normalisation and means between, of %v channels. After %d epochs with rectified units (%.2f %%) the network is trained on for %d epochs as it is, and with staircases of four levels in their place. At T = 4 graded spikes answer %d of %s images otherwise than the staircases.",
			s.size.deep.widths, s.size.deep.epochs, s.ordinary[deepRelu][0], s.size.deep.fine, graded.otherLabels, report.Integer(int64(graded.n))),
	})
	return nil
}
