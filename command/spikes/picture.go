package spikes

import (
	"fmt"
	"math"
	"slices"

	"synfire/report/figure"
	"synfire/sample"
)

// drawnRows and drawnColumns are the most of a heat map; mostLines that of curves.
const (
	drawnRows    = 512
	drawnColumns = 512
	mostLines    = 6
)

// figure is the picture of a result.
func (r result) figure() (figure.Figure, error) {
	if r.picture != nil {
		return r.picture()
	}
	quantity := r.Statistic
	if r.Unit != "1" {
		quantity += " (" + r.Unit + ")"
	}
	title := verbOf(r.Statistic).about
	if r.Name != "" {
		title += ": " + sample.Printable(r.Name)
	}
	names := make([]string, len(r.Units))
	for i, name := range r.Units {
		names[i] = sample.Printable(name)
	}
	switch r.form {
	case list:
		var bars []figure.Bar
		for i, row := range r.values {
			if i == drawnRows {
				break
			}
			bar := figure.Bar{Name: names[i], Value: row[0]}
			if math.IsNaN(row[0]) {
				bar.Value, bar.Note = 0, "undefined"
			}
			bars = append(bars, bar)
		}
		return figure.Bars(title, quantity, bars)
	case matrix:
		g := figure.Grid{Values: r.values, Rows: names, Columns: names, RowAxis: "unit", ColumnAxis: "unit", Quantity: quantity}
		if r.bound > 0 {
			g.Low, g.High = -r.bound, r.bound
		}
		return figure.Heatmap(title, g)
	}
	axis := fmt.Sprintf("%s (%s)", r.x, r.XUnit)
	if len(r.values) > mostLines {
		return r.rows(title, axis, quantity, names)
	}
	var panels []figure.Panel
	for i, row := range r.values {
		s := figure.Series{Name: names[i], X: r.X, Y: row}
		if r.low != nil {
			s.Low, s.High = r.low[i], r.high[i]
		}
		panels = append(panels, figure.Panel{Name: quantity, Series: []figure.Series{s}, LogX: r.logX})
	}
	return figure.Curves(title, axis, panels...)
}

// rows draws a series of many units as a heat map, several values of X to a column.
func (r result) rows(title, axis, quantity string, names []string) (figure.Figure, error) {
	if len(r.values) > drawnRows {
		return figure.Figure{}, fmt.Errorf("%d rows are more than the %d of a picture; choose some by --only", len(r.values), drawnRows)
	}
	g := figure.Grid{Rows: names, RowAxis: "unit", ColumnAxis: fmt.Sprintf("%s, from %.4g to %.4g", axis, r.X[0], r.X[len(r.X)-1]), Quantity: quantity}
	for _, x := range means(r.X, drawnColumns) {
		g.Columns = append(g.Columns, fmt.Sprintf("%.4g", x))
	}
	for _, row := range r.values {
		g.Values = append(g.Values, means(row, drawnColumns))
	}
	return figure.Heatmap(title, g)
}

// raster draws the spikes of all trials.
func (in input) raster() (figure.Figure, error) {
	var rows []figure.Train
	for i, u := range in.units {
		for k, t := range u {
			name := sample.Printable(in.names[i])
			if len(u) > 1 {
				name = fmt.Sprintf("%s, %d", name, k+1)
			}
			rows = append(rows, figure.Train{Name: name, Times: t.Times})
		}
	}
	return in.drawn("Spike trains", rows)
}

// marked draws the units and a row of marks below.
func (in input) marked(title, name string, at []float64) (figure.Figure, error) {
	var rows []figure.Train
	for i, u := range in.units {
		rows = append(rows, figure.Train{Name: sample.Printable(in.names[i]), Times: u[0].Times})
	}
	return in.drawn(title, append(rows, figure.Train{Name: name, Times: slices.Clone(at)}))
}

func (in input) drawn(title string, rows []figure.Train) (figure.Figure, error) {
	if len(rows) > drawnRows {
		return figure.Figure{}, fmt.Errorf("%d rows are more than the %d of a picture; choose some units by --only", len(rows), drawnRows)
	}
	first := in.units[0][0]
	return figure.Trains(title, fmt.Sprintf("time (%s)", in.ofTime()), first.Start, first.Stop, rows)
}

// levels draws the values of a test, with the mean of surrogates as a mark, and the corrected p.
func (r result) levels() (figure.Figure, error) {
	var bars []figure.Bar
	for i, row := range r.values[:min(len(r.values), drawnRows)] {
		bar := figure.Bar{Name: sample.Printable(r.labels[i]), Note: "undefined"}
		if !math.IsNaN(row[0]) {
			bar = figure.Bar{Name: bar.Name, Value: row[0], Reference: &row[1], Note: fmt.Sprintf("p %.2g", row[4])}
		}
		bars = append(bars, bar)
	}
	return figure.Bars("Against surrogates, whose means are marked", fmt.Sprint(r.Params["statistic"]), bars)
}
