package braincompare

import (
	"fmt"
	"slices"

	"synfire/report"
	"synfire/report/figure"
)

// sections are the report's on brains; of no data they say so, and why networks have seen no
// photographs.
func (b *brains) sections(why, unseen string) ([]report.Section, error) {
	if b == nil {
		return []report.Section{{Title: "Brains", Text: "Human and monkey IT were not compared: " + why + "."}}, nil
	}
	models, err := b.modelSection()
	if err != nil {
		return nil, err
	}
	networks, err := b.networkSection(unseen)
	return []report.Section{models, networks}, err
}

func (b *brains) modelSection() (report.Section, error) {
	out := report.Section{
		Title: "Brains: models of human IT",
		Text: fmt.Sprintf("Dissimilarities of 92 pictures in human inferior temporal cortex (fMRI, four subjects, two sessions averaged each), and how well others agree with them: monkey IT, models, categories. Spearman's correlation, mean over subjects. Between the bounds %.3f and %.3f of the noise ceiling lies the best that any model can have. A model of two values, animacy, has %.3f, above the lower bound of %.3f; by Kendall's tau a, which does not reward ties, %.3f, below its lower bound of %.3f: Spearman flatters a model of two values, and no verdict is drawn from it. Intervals and p-values in the figure are of the bootstrap over subjects and pictures both; four subjects do not establish each step of the order, and signed ranks of four can never reach p = 0.05.",
			b.scores.Lower, b.scores.Upper, b.mean("animacy"), b.scores.Lower, b.tau.Mean(0), b.tau.Lower),
	}
	var bars []figure.Bar
	rows := report.Table{Caption: fmt.Sprintf("Models; p-values by Holm over models, t-test with %d degrees of freedom", len(b.subjects)-1), Head: []string{"model", "mean", "95 %, dual bootstrap", "p above 0", "t-test", "signed ranks", "below ceiling"}, Right: []bool{false, true, false, true, true, true, true}}
	for _, m := range b.table.Rows {
		bar := figure.Bar{Name: m.Model, Value: m.Mean, Low: *m.Low, High: *m.High}
		if *m.P < 0.05 {
			bar.Mark = "*"
		}
		bars = append(bars, bar)
		rows.Rows = append(rows.Rows, []string{m.Model, fmt.Sprintf("%.3f", m.Mean), fmt.Sprintf("%.3f to %.3f", *m.Low, *m.High), p(m.P), p(m.PT), p(m.PRank), p(m.PCeiling)})
	}
	f, err := figure.BarsIn("Agreement with human IT", "mean Spearman correlation with four subjects", bars, &figure.Zone{Name: "noise ceiling", Low: b.scores.Lower, High: b.scores.Upper})
	if err := add(&out, f, err, "Mean correlation of models with human IT before the noise ceiling", "Whiskers hold 95 % by the dual bootstrap. A star: above 0, p < 0.05 after Holm."); err != nil {
		return out, err
	}
	pairs := report.Table{Caption: "Differences of the models of the claim; the t-test's interval and p are of four subjects alone", Head: []string{"pair", "difference", "95 %, dual bootstrap", "95 %, t(3)", "p, dual", "p, t"}, Right: []bool{false, true, false, false, true, true}}
	for _, d := range b.table.Pairs {
		if slices.Contains(ranked, d.A) && slices.Contains(ranked, d.B) && d.HalfT != nil {
			pairs.Rows = append(pairs.Rows, []string{d.A + " – " + d.B, fmt.Sprintf("%.3f", d.Difference), fmt.Sprintf("%.3f to %.3f", *d.Low, *d.High), fmt.Sprintf("%.3f to %.3f", d.Difference-*d.HalfT, d.Difference+*d.HalfT), p(d.P), p(d.PT)})
		}
	}
	out.Tables = append(out.Tables, rows, pairs)
	return out, nil
}

// p is a p-value, a dash for none.
func p(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.2g", *v)
}

func (b *brains) networkSection(unseen string) (report.Section, error) {
	out := report.Section{
		Title: "Brains: networks shown the same pictures",
		Text:  fmt.Sprintf("The networks of this run, perceptrons that learned digits and convolutional ones that learned the photographs of CIFAR-10, and the same untrained, are shown the 92 pictures in the size of their input, in grey or in colour. Of each network the layer that agrees best with the subjects on half of the pictures is measured on the other half; the halves are drawn anew for each of %d seeds. Pixels and silhouettes stand beside them as controls: what is learned shows where a network is above them and above the untrained ones.", ofAKind),
	}
	if unseen != "" {
		out.Text += " Networks of photographs were not trained: " + unseen + "."
	}
	if len(b.networks) == 0 {
		return out, nil
	}
	kinds, scores := b.byKind()
	var bars []figure.Bar
	for _, k := range kinds {
		v := scores[k]
		sum := 0.0
		for _, x := range v {
			sum += x / float64(len(v))
		}
		bars = append(bars, figure.Bar{Name: k, Value: sum, Low: slices.Min(v), High: slices.Max(v)})
	}
	f, err := figure.BarsIn("Networks and human IT", "mean Spearman correlation on pictures that chose nothing", bars, &figure.Zone{Name: "noise ceiling", Low: b.scores.Lower, High: b.scores.Upper})
	if err := add(&out, f, err, "Correlation of networks and controls with human IT", "Mean over seeds; whiskers are the least and the greatest. The ceiling is that of all pictures."); err != nil {
		return out, err
	}
	f, err = figure.Curves("Over layers", "layer", b.layerPanels(kinds, scores)...)
	if err := add(&out, f, err, "Correlation with human IT over layers", "All pictures, mean over seeds; the last layer is the output."); err != nil || len(b.steps) == 0 {
		return out, err
	}
	f, err = figure.Curves("Over time", "time steps", figure.Panel{Name: "mean Spearman correlation", Series: b.steps})
	return out, add(&out, f, err, "Correlation with human IT over steps of time", "Counts of spikes up to each step in the last hidden layer, of the first spiking network of each kind.")
}

// layerPanels are the kinds over their layers, a panel for what they learned.
func (b *brains) layerPanels(kinds []string, scores map[string][]float64) (panels []figure.Panel) {
	for _, seen := range []string{digital, photographic} {
		p := figure.Panel{Name: "mean Spearman correlation, networks for " + seen}
		for _, k := range kinds {
			var mean []float64
			for _, n := range b.networks {
				if n.kind != k || n.seen != seen {
					continue
				}
				if mean == nil {
					mean = make([]float64, len(n.byLayer))
				}
				for i, v := range n.byLayer {
					mean[i] += v / float64(len(scores[k]))
				}
			}
			if mean != nil {
				p.Series = append(p.Series, figure.Series{Name: k, Y: mean})
			}
		}
		if len(p.Series) > 0 {
			panels = append(panels, p)
		}
	}
	return panels
}
