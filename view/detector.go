package view

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"synfire/convert/detector"
	"synfire/recipe"
	"synfire/report"
)

// Detector prints a detector that was converted.
func (s Screen) Detector(r detector.Result) error {
	fmt.Fprintf(s.Out, "%s  %s\n\n", s.Style(Bold, r.Method), r.Fire)
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, strings.ToUpper(strings.Join(recipe.DetectorHead, "\t"))+"\t")
	for _, row := range recipe.DetectorRows(r) {
		fmt.Fprintln(w, strings.Join(row, "\t")+"\t")
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(s.Out)
	if err := s.layers(r.Layers); err != nil {
		return err
	}
	s.lost(r.Report)
	s.Grid(recipe.DetectorEnergy(r))
	return nil
}

// DetectorPage is the report of conversions of one detector.
func DetectorPage(title string, results []detector.Result) (report.Page, error) {
	page := report.Page{Title: title, Subtitle: "synfire convert"}
	var leads []string
	for _, r := range results {
		p := r.Points[len(r.Points)-1]
		leads = append(leads, fmt.Sprintf("%s %.1f %% after %d steps", r.Method, p.MAP, p.Steps))
	}
	page.Lead = fmt.Sprintf("The ordinary detector has an mAP of %.1f %%; spiking %s.", results[0].Ordinary.MAP, strings.Join(leads, ", "))
	var named []recipe.NamedDetector
	for _, r := range results {
		named = append(named, recipe.NamedDetector{Name: r.Method, Result: r})
	}
	curve, err := recipe.DetectorSection("mAP over the steps", named)
	if err != nil {
		return page, err
	}
	page.Sections = []report.Section{curve}
	for _, r := range results {
		s, err := recipe.DetectorLayers(r)
		if err != nil {
			return page, err
		}
		page.Sections = append(page.Sections, s)
	}
	page.Facts = []report.Fact{{Label: "pictures", Value: report.Integer(int64(results[0].N))}}
	return page, nil
}
