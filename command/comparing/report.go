package comparing

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/internal/par"
	"synfire/report"
	"synfire/report/figure"
)

// shownStimuli is how many stand in the picture of an RDM and in a map.
const (
	shownStimuli  = 200
	mappedStimuli = 80
)

// page is the report: the scores, and what each side makes of the stimuli.
func (c *Compare) page(pool *par.Pool, result *Result, left, right []representation) (report.Page, error) {
	scores, err := c.scores(result, left, right)
	if err != nil {
		return report.Page{}, err
	}
	page := report.Page{
		Title: "Two representations compared", Subtitle: "synfire compare, " + c.Metric,
		Lead:     fmt.Sprintf("%s of %s and %s over %d stimuli: %s.", c.Metric, c.A, c.B, result.NStimuli, Score{Value: result.Value, Why: result.Why}.text(4)),
		Sections: []report.Section{scores},
	}
	page.Facts = []report.Fact{{Label: "A", Value: c.A}, {Label: "B", Value: c.B}}
	for side, list := range [][]representation{left, right} {
		section := report.Section{Title: []string{"A", "B"}[side], Text: "Dissimilarities of the stimuli, and a map that places them by multidimensional scaling: stimuli that stand together are alike."}
		for _, x := range list {
			if err := c.draw(pool, &section, x); err != nil {
				return report.Page{}, err
			}
		}
		page.Sections = append(page.Sections, section)
	}
	return page, nil
}

// scores is a table of layers, and a picture of it where there are several.
func (c *Compare) scores(result *Result, left, right []representation) (report.Section, error) {
	out := report.Section{Title: "Scores"}
	list := result.Layers
	if list == nil {
		list = []Score{{A: left[0].Name, B: right[0].Name, Value: result.Value, Why: result.Why}}
	}
	grid := figure.Grid{Quantity: c.Metric, RowAxis: "A", ColumnAxis: "B"}
	table := report.Table{Head: []string{"A", "B", c.Metric}, Right: []bool{false, false, true}}
	for i, x := range left {
		grid.Rows = append(grid.Rows, x.Name)
		grid.Values = append(grid.Values, nil)
		for j := range right {
			l := list[i*len(right)+j]
			value := math.NaN()
			if l.Value != nil {
				value = *l.Value
			}
			grid.Values[i] = append(grid.Values[i], value)
			table.Rows = append(table.Rows, []string{l.A, l.B, l.text(4)})
		}
	}
	for _, y := range right {
		grid.Columns = append(grid.Columns, y.Name)
	}
	out.Tables = append(out.Tables, table)
	if len(list) == 1 {
		return out, nil
	}
	f, err := figure.Heatmap("Layers of A and of B", grid)
	if err != nil {
		return out, err
	}
	out.Figures = append(out.Figures, report.Figure{SVG: f.SVG(), Alt: "Scores of all pairs of layers", Caption: "Rows are layers of A, columns of B."})
	return out, nil
}

// draw adds the RDM and the map of a representation.
func (c *Compare) draw(pool *par.Pool, section *report.Section, x representation) error {
	r, err := c.RDM(x.Responses, pool)
	if err != nil {
		return err
	}
	list := make([]int, min(shownStimuli, r.N))
	for i := range list {
		list[i] = i
	}
	m := r.Subset(list).Matrix()
	var values [][]float64
	for i := range list {
		values = append(values, mat.Row(nil, i, m))
	}
	f, err := figure.Heatmap("RDM, "+x.Name, figure.Grid{Values: values, Quantity: c.Dissimilarity})
	if err != nil {
		return err
	}
	section.Figures = append(section.Figures, report.Figure{SVG: f.SVG(), Alt: "RDM of " + x.Name, Caption: fmt.Sprintf("The first %d stimuli.", len(list))})
	few := r.Subset(list[:min(mappedStimuli, len(list))])
	if slices.ContainsFunc(few.Values, math.IsNaN) {
		return nil // a silent stimulus has no place on a map
	}
	points, explained, err := compare.MDS(few, 2)
	if err != nil {
		return err
	}
	cloud := figure.Cloud{Name: "stimuli"}
	for i := range few.N {
		cloud.X, cloud.Y = append(cloud.X, points.At(i, 0)), append(cloud.Y, points.At(i, 1))
		cloud.Labels = append(cloud.Labels, fmt.Sprint(i))
	}
	if f, err = figure.Scatter("Map, "+x.Name, figure.ScatterOptions{Map: true}, cloud); err != nil {
		return err
	}
	section.Figures = append(section.Figures, report.Figure{SVG: f.SVG(), Alt: "Map of stimuli in " + x.Name, Caption: fmt.Sprintf("The first %d stimuli by number; two dimensions show %.0f %% of their dissimilarities.", few.N, 100*explained)})
	return nil
}
