package view

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"synfire/convert"
	"synfire/network"
	"synfire/report"
	"synfire/report/figure"
)

// Conversion prints what became of an ordinary network by a method: accuracy over the
// steps, layers, and where the error comes from.
func (s Screen) Conversion(r convert.Result) error {
	fmt.Fprintf(s.Out, "%s  %s%s\n\n", s.Style(Bold, r.Method), r.Fire, delayed(r))
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	lo, hi := convert.Band(r.Accuracy, r.N)
	fmt.Fprintln(w, "STEPS\tACCURACY\t95 % BAND\tDIFFERENCE\tSPIKES A SAMPLE\tADDITIONS\tµJ\t")
	fmt.Fprintf(w, "ordinary\t%.2f %%\t%.2f–%.2f\t\t\t\t%s\t\n", r.Accuracy, lo, hi, Short(r.Energy.PapersOrdinary()))
	for _, p := range r.Points {
		lo, hi := convert.Band(p.Accuracy, r.N)
		fmt.Fprintf(w, "%d\t%.2f %%\t%.2f–%.2f\t%+.2f\t%.0f\t%s\t%s\t\n", p.Steps, p.Accuracy, lo, hi, p.Accuracy-r.Accuracy, p.Spikes, report.Integer(int64(p.Synops)), papersTotal(r, p))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(s.Out)
	if err := s.layers(r.Layers); err != nil {
		return err
	}
	s.Paragraph(0, where(r)+undecided(r.Points))
	s.Paragraph(0, exitText(r))
	s.accounts(accountsOf(r))
	s.lost(r.Report)
	return nil
}

// layers prints a line for each layer.
func (s Screen) layers(list []convert.LayerFigures) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, strings.Join(layerHead, "\t")+"\t")
	for _, l := range list {
		fmt.Fprintln(w, Clean(strings.Join(layerRow(l), "\t"))+"\t")
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(s.Out)
	return nil
}

// lost says what a conversion loses.
func (s Screen) lost(r network.Report) {
	for _, l := range r {
		if l.Effect == network.Lost {
			s.Paragraph(0, fmt.Sprintf("%s: %v: %s.", l.Node, l.Effect, l.Text))
		}
	}
}

// papersTotal is the energy of a point by the account of papers.
func papersTotal(r convert.Result, p convert.Point) string {
	return Short(p.Work.Papers(r.Energy.Constants).Total)
}

// delayed says which steps scores leave out.
func delayed(r convert.Result) string {
	if r.Late == 0 {
		return ""
	}
	return fmt.Sprintf(", scores without the first %d steps", r.Late)
}

var layerHead = []string{"LAYER", "OP", "SCALE", "THRESHOLD", "ANN MAX", "ABOVE", "RATE", "CORRELATION", "ERROR", "INHERITED", "CLIP", "QUANTISE", "UNEVEN"}

// layerRow is a layer's figures; errors are shares of the root mean square of activations.
func layerRow(l convert.LayerFigures) []string {
	scale := Short(l.Scale)
	if l.Least < l.Scale {
		scale = Short(l.Least) + "–" + scale
	}
	row := []string{l.Name, l.Op, scale, Short(l.Threshold), Short(l.Largest), fmt.Sprintf("%.2f %%", 100*l.Above), fmt.Sprintf("%.4f", l.Rate), fixed(l.Correlation)}
	for _, v := range []float64{l.Error.Total, l.Error.Inherited, l.Error.Clip, l.Error.Quantise, l.Error.Uneven} {
		row = append(row, fixed(v))
	}
	return row
}

func fixed(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.4f", v)
}

// where says in which layer most of the error arises.
func where(r convert.Result) string {
	steps := r.Points[len(r.Points)-1].Steps
	at := convert.Lossiest(r.Layers)
	if at < 0 {
		return fmt.Sprintf("No layer adds an error after %d steps.", steps)
	}
	l := r.Layers[at]
	part, most := "quantisation", l.Error.Quantise
	if l.Error.Clip > most {
		part, most = "clipping", l.Error.Clip
	}
	if l.Error.Uneven > most {
		part, most = "uneven input", l.Error.Uneven
	}
	text := fmt.Sprintf("After %d steps %s adds most to the error, %.1f %% of its activations, by %s (%.1f %%).", steps, l.Name, 100*l.Error.Own, part, 100*most)
	if last := r.Layers[len(r.Layers)-1]; !math.IsNaN(last.Transmitted) {
		text += fmt.Sprintf(" The last layer transmits %.1f %% of its activations' sum.", 100*last.Transmitted)
	}
	return text
}

// undecided is a further sentence, on samples whose scores are all equal, where there are some.
func undecided(points []convert.Point) string {
	var parts []string
	for _, p := range points {
		if p.Equal > 0 {
			parts = append(parts, fmt.Sprintf("%.1f %% of the samples after %d steps", p.Equal, p.Steps))
		}
	}
	if parts == nil {
		return ""
	}
	return " Scores are all equal, which counts as the first class, of " + strings.Join(parts, ", ") + "."
}

// ConversionPage is the report of conversions of one network.
func ConversionPage(title string, results []convert.Result) (report.Page, error) {
	page := report.Page{Title: title, Subtitle: "synfire convert"}
	var leads []string
	for _, r := range results {
		p := r.Points[len(r.Points)-1]
		leads = append(leads, fmt.Sprintf("%s %.2f %% after %d steps", r.Method, p.Accuracy, p.Steps))
	}
	page.Lead = fmt.Sprintf("The ordinary network has %.2f %%; spiking %s.", results[0].Accuracy, strings.Join(leads, ", "))
	curve, err := accuracySection(results)
	if err != nil {
		return page, err
	}
	page.Sections = []report.Section{curve}
	if early, ok := exitSection(results); ok {
		page.Sections = append(page.Sections, early)
	}
	for _, r := range results {
		for _, of := range []func(convert.Result) (report.Section, error){layerSection, energySection} {
			s, err := of(r)
			if err != nil {
				return page, err
			}
			page.Sections = append(page.Sections, s)
		}
	}
	page.Notes = []string{
		"Scales and thresholds are set by training samples alone; so are the figures of layers. Accuracies are of the samples that were measured with, which chose nothing.",
		"Bands hold 95 % of the probability (Wilson) of one network on so many samples; they say nothing of another training.",
		"Additions are those that spikes cause by their true fan-out. What multiplies the analogue input, once for a constant one, is not among them, but in the energy (µJ) beside them, which is the account of papers.",
	}
	page.Facts = []report.Fact{{Label: "samples", Value: report.Integer(int64(results[0].N))}}
	return page, nil
}

// accuracySection is accuracy and spikes over the steps, of at most six methods in a picture.
func accuracySection(results []convert.Result) (report.Section, error) {
	first := results[0]
	last := float64(first.Points[len(first.Points)-1].Steps)
	accuracy := []figure.Series{{Name: "ordinary network", Reference: true, X: []float64{float64(first.Points[0].Steps), last}, Y: []float64{first.Accuracy, first.Accuracy}}}
	var fired []figure.Series
	table := report.Table{Head: []string{"method", "steps", "accuracy", "95 % band", "difference", "spikes a sample", "additions", "µJ"}, Right: []bool{false, true, true, true, true, true, true, true}}
	for i, r := range results {
		line, count := figure.Series{Name: r.Method}, figure.Series{Name: r.Method}
		for _, p := range r.Points {
			lo, hi := convert.Band(p.Accuracy, r.N)
			line.X, line.Y, line.Low, line.High = append(line.X, float64(p.Steps)), append(line.Y, p.Accuracy), append(line.Low, lo), append(line.High, hi)
			count.X, count.Y = append(count.X, float64(p.Steps)), append(count.Y, p.Spikes)
			table.Rows = append(table.Rows, []string{r.Method, fmt.Sprint(p.Steps), fmt.Sprintf("%.2f %%", p.Accuracy), fmt.Sprintf("%.2f–%.2f", lo, hi), fmt.Sprintf("%+.2f", p.Accuracy-r.Accuracy), fmt.Sprintf("%.0f", p.Spikes), report.Integer(int64(p.Synops)), papersTotal(r, p)})
		}
		if i < shownMethods {
			accuracy, fired = append(accuracy, line), append(fired, count)
		}
	}
	f, err := figure.Curves("Accuracy over the steps", "steps", figure.Panel{Name: "accuracy (%)", Series: accuracy, LogX: true}, figure.Panel{Name: "spikes a sample", Series: fired, LogX: true})
	if err != nil {
		return report.Section{}, err
	}
	return report.Section{
		Title: "Accuracy over the steps", Tables: []report.Table{table},
		Figures: []report.Figure{{SVG: f.SVG(), Alt: "Accuracy and spikes a sample over the steps of time, with the ordinary network's accuracy as a line", Caption: "Bands are binomial, 95 %."}},
	}, nil
}

// shownMethods is how many lines a picture tells apart.
const shownMethods = 6

// layerSection is a conversion by its layers.
func layerSection(r convert.Result) (report.Section, error) {
	s := report.Section{
		Title: "Layers: " + r.Method,
		Text:  fmt.Sprintf("%s: %s%s.\n\n%s\n\nErrors are root mean squares over units and samples, as shares of the activations': inherited from the layers before, by clipping at the scale, by whole spikes, and by the order of the input.", r.Method, r.Fire, delayed(r), where(r)+undecided(r.Points)),
	}
	table := report.Table{Caption: "Layers", Head: layerHead, Right: []bool{false}}
	var bars []figure.Bar
	for _, l := range r.Layers {
		table.Rows = append(table.Rows, layerRow(l))
		for _, part := range []struct {
			name string
			v    float64
		}{{"inherited", l.Error.Inherited}, {"clip", l.Error.Clip}, {"quantise", l.Error.Quantise}, {"uneven", l.Error.Uneven}} {
			bars = append(bars, figure.Bar{Name: l.Name + " " + part.name, Value: part.v, Group: part.name})
		}
	}
	for range layerHead[1:] {
		table.Right = append(table.Right, true)
	}
	table.Right[1] = false
	s.Tables = []report.Table{table}
	if len(bars) <= shownBars {
		f, err := figure.Bars("Where the error arises", "share of the activations", bars)
		if err != nil {
			return s, err
		}
		s.Figures = append(s.Figures, report.Figure{SVG: f.SVG(), Alt: "Parts of the error of each layer, " + r.Method, Caption: "Parts do not add up to the whole: they are root mean squares."})
	}
	depth := figure.Series{Name: "of the layer"}
	total, corr := figure.Series{Name: "total"}, figure.Series{Name: "correlation"}
	for _, l := range r.Layers {
		depth.Y, total.Y, corr.Y = append(depth.Y, l.Error.Own), append(total.Y, l.Error.Total), append(corr.Y, l.Correlation)
	}
	if len(r.Layers) > 1 {
		f, err := figure.Curves("Error along the depth", "layer", figure.Panel{Name: "share of the activations", Series: []figure.Series{total, depth}}, figure.Panel{Name: "correlation of rate and activation", Series: []figure.Series{corr}})
		if err == nil {
			s.Figures = append(s.Figures, report.Figure{SVG: f.SVG(), Alt: "Error and correlation of layers along the depth, " + r.Method, Caption: "Layers from the first to the last."})
		}
	}
	last := r.Layers[len(r.Layers)-1]
	f, err := figure.Scatter("Rates and activations, "+last.Name, figure.ScatterOptions{X: "activation", Y: "scale × rate", Diagonal: true}, figure.Cloud{X: last.Activities, Y: last.Rates})
	if err == nil {
		s.Figures = append(s.Figures, report.Figure{SVG: f.SVG(), Alt: "Rates of the last layer against activations, " + r.Method, Caption: "Some units of some samples."})
	}
	return s, nil
}

// shownBars is how many bars a picture has at most.
const shownBars = 48
