package view

import (
	"fmt"
	"slices"

	"synfire/convert"
	"synfire/report"
	"synfire/report/figure"
)

// exitText says what answering early gains.
func exitText(r convert.Result) string {
	x, last := r.Exits, r.Points[len(r.Points)-1]
	switch {
	case len(x.List) == 0:
		return "Nothing is answered early: no score of a training sample leads after all steps."
	case x.Chosen < 0:
		return fmt.Sprintf("Early exit: no margin is as accurate as all steps on %d training samples.", x.Samples)
	}
	e := x.List[x.Chosen]
	return fmt.Sprintf("Early exit, samples answered as soon as the largest score leads by %s, chosen on %d training samples: %.2f %% in %.2f steps of %d, %+.2f to all steps.", Short(e.Margin), x.Samples, e.Accuracy, e.Steps, last.Steps, e.Accuracy-last.Accuracy)
}

// exitSection is the accuracy of samples that are answered early against the steps that they
// take; ok is false where none are.
func exitSection(results []convert.Result) (s report.Section, ok bool) {
	s.Title = "Early exit"
	table := report.Table{Head: []string{"method", "margin", "steps a sample", "accuracy", "95 % band", "difference to all steps"}, Right: []bool{false, true, true, true, true, true}}
	var lines []figure.Series
	for i, r := range results {
		last := r.Points[len(r.Points)-1]
		line := figure.Series{Name: r.Method}
		for k, e := range r.Exits.List {
			lo, hi := convert.Band(e.Accuracy, r.N)
			line.X, line.Y = append(line.X, e.Steps), append(line.Y, e.Accuracy)
			line.Low, line.High = append(line.Low, lo), append(line.High, hi)
			margin := Short(e.Margin)
			if k == r.Exits.Chosen {
				margin += " (chosen)"
			}
			table.Rows = append(table.Rows, []string{r.Method, margin, fmt.Sprintf("%.2f", e.Steps), fmt.Sprintf("%.2f %%", e.Accuracy), fmt.Sprintf("%.2f–%.2f", lo, hi), fmt.Sprintf("%+.2f", e.Accuracy-last.Accuracy)})
		}
		for _, v := range [][]float64{line.X, line.Y, line.Low, line.High} {
			slices.Reverse(v) // steps ascend
		}
		if i < shownMethods && len(line.X) > 0 {
			lines = append(lines, line)
		}
		s.Text += fmt.Sprintf("%s: %s\n\n", r.Method, exitText(r))
	}
	first := results[0]
	most := float64(first.Points[len(first.Points)-1].Steps)
	lines = append(lines, figure.Series{Name: "ordinary network", Reference: true, X: []float64{1, most}, Y: []float64{first.Accuracy, first.Accuracy}})
	f, err := figure.Curves("Accuracy of early answers", "steps a sample", figure.Panel{Name: "accuracy (%)", Series: lines, LogX: true})
	if len(table.Rows) == 0 || err != nil {
		return s, false
	}
	s.Tables = []report.Table{table}
	s.Figures = []report.Figure{{SVG: f.SVG(), Alt: "Accuracy of samples that are answered early against the mean number of their steps, for several margins", Caption: "Each point of a line is a margin; bands are binomial, 95 %. Margins are set and chosen by training samples."}}
	return s, true
}
