package view

import (
	"fmt"
	"text/tabwriter"

	"synfire/convert"
	"synfire/convert/ttfs"
	"synfire/report"
	"synfire/report/figure"
)

// FirstSpikes is an ordinary network as neurons that fire once.
type FirstSpikes struct {
	Accuracy float64 // of the ordinary network
	Network  *ttfs.Network
	Points   []ttfs.Point // in exact time, then on grids
}

// FirstSpikes prints what became of an ordinary network by single spikes.
func (s Screen) FirstSpikes(r FirstSpikes) error {
	fmt.Fprintf(s.Out, "%s  neurons that fire once, their times are the activations\n\n", s.Style(Bold, "ttfs"))
	for _, t := range r.tables() {
		w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, row := range append([][]string{t.Head}, t.Rows...) {
			for _, cell := range row {
				fmt.Fprint(w, Clean(cell)+"\t")
			}
			fmt.Fprintln(w)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(s.Out)
	}
	s.Paragraph(0, r.clipped())
	return nil
}

// tables are the points and the layers.
func (r FirstSpikes) tables() []report.Table {
	exact := r.Points[0]
	lo, hi := convert.Band(r.Accuracy, exact.N)
	points := report.Table{
		Head:  []string{"STEPS", "DT", "ACCURACY", "95 % BAND", "DIFFERENCE", "SPIKES A SAMPLE", "LARGEST ERROR OF A SCORE"},
		Rows:  [][]string{{"ordinary", "", fmt.Sprintf("%.2f %%", r.Accuracy), fmt.Sprintf("%.2f–%.2f", lo, hi), "", "", ""}},
		Right: []bool{true, true, true, true, true, true, true},
	}
	for _, p := range r.Points {
		lo, hi := convert.Band(p.Accuracy, p.N)
		row := []string{fmt.Sprint(p.Steps), Short(p.DT), fmt.Sprintf("%.2f %%", p.Accuracy), fmt.Sprintf("%.2f–%.2f", lo, hi), fmt.Sprintf("%+.2f", p.Accuracy-r.Accuracy), fmt.Sprintf("%.0f", p.Spikes), fmt.Sprintf("%.2g", p.Difference)}
		if p.DT == 0 {
			row[0], row[1] = "exact time", ""
		}
		points.Rows = append(points.Rows, row)
	}
	layers := report.Table{Head: []string{"LAYER", "NEURONS", "WINDOW", "ANN MAX OF CALIBRATION", "FIRE", "CLIPPED"}, Right: []bool{false, true, true, true, true, true}}
	for k, l := range r.Network.Layers {
		layers.Rows = append(layers.Rows, []string{l.Name, fmt.Sprint(l.Units), Short(l.Window), Short(l.Largest), fmt.Sprintf("%.1f %%", 100*exact.Rates[k]), fmt.Sprint(exact.Clipped[k])})
	}
	return []report.Table{points, layers}
}

// clipped says how many activations no window held.
func (r FirstSpikes) clipped() string {
	all := 0
	for _, n := range r.Points[0].Clipped {
		all += n
	}
	if all == 0 {
		return "Every activation lies within its window: in exact time nothing is lost but rounding."
	}
	return fmt.Sprintf("%d activations of all samples are larger than their window and were clipped to it.", all)
}

// Page is the report of single spikes.
func (r FirstSpikes) Page(title string) (report.Page, error) {
	line := figure.Series{Name: "single spikes"}
	for _, p := range r.Points[1:] {
		line.X, line.Y = append(line.X, float64(p.Steps)), append(line.Y, p.Accuracy)
	}
	level := figure.Series{Name: "ordinary network", Reference: true, X: []float64{line.X[0], line.X[len(line.X)-1]}, Y: []float64{r.Accuracy, r.Accuracy}}
	f, err := figure.Curves("Accuracy over the steps", "steps of all windows", figure.Panel{Name: "accuracy (%)", Series: []figure.Series{level, line}, LogX: true})
	if err != nil {
		return report.Page{}, err
	}
	return report.Page{
		Title: title, Subtitle: "synfire convert",
		Lead: fmt.Sprintf("The ordinary network has %.2f %%; with a spike a neuron at most, and %.0f spikes a sample, it has %.2f %% in exact time.", r.Accuracy, r.Points[0].Spikes, r.Points[0].Accuracy),
		Sections: []report.Section{{
			Title: "Single spikes", Text: r.clipped(), Tables: r.tables(),
			Figures: []report.Figure{{SVG: f.SVG(), Alt: "Accuracy over the steps that the windows of all layers take together, with the ordinary network's as a line", Caption: "Spikes are late by up to a step."}},
		}},
		Notes: []string{"Windows are set by training samples alone. Bands hold 95 % of the probability (Wilson)."},
	}, nil
}
