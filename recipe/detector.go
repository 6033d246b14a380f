package recipe

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"synfire/convert"
	"synfire/convert/detector"
	"synfire/energy"
	"synfire/report"
	"synfire/report/figure"
)

// DetectorHead names the columns of DetectorRows.
var DetectorHead = []string{"steps", "mAP", "95 % band", "difference", "error", "spikes a picture", "additions", "µJ"}

// DetectorRows are the ordinary network and the spiking one after the steps.
func DetectorRows(r detector.Result) [][]string {
	o := r.Ordinary
	rows := [][]string{{"ordinary", fmt.Sprintf("%.1f %%", o.MAP), fmt.Sprintf("%.1f–%.1f", o.Low, o.High), "", "", "", "", short(r.Energy[0].Papers.Total)}}
	for _, p := range r.Points {
		rows = append(rows, []string{fmt.Sprint(p.Steps), fmt.Sprintf("%.1f %%", p.MAP), fmt.Sprintf("%.1f–%.1f", p.Low, p.High), fmt.Sprintf("%+.1f", p.MAP-o.MAP), fmt.Sprintf("%.3f", p.Error), report.Integer(int64(p.Spikes)), report.Integer(int64(p.Synops)), short(p.Papers.Total)})
	}
	return rows
}

// DetectorEnergy is a grid of the three accounts of energy, of both networks.
func DetectorEnergy(r detector.Result) [][]string {
	grid := [][]string{{"account", "ordinary", "spiking"}}
	add := func(name string, of func(energy.Account) float64) {
		grid = append(grid, []string{name, short(of(r.Energy[0])), short(of(r.Energy[1]))})
	}
	add("papers, µJ: products and additions", func(a energy.Account) float64 { return a.Papers.Total })
	add("papers' additions to membranes, µJ", func(a energy.Account) float64 { return a.Papers.Updates })
	add("NeuroBench, effective products", func(a energy.Account) float64 { return a.NeuroBench.EffectiveMACs })
	add("NeuroBench, effective additions", func(a energy.Account) float64 { return a.NeuroBench.EffectiveACs })
	add("with memory, µJ, the better way", func(a energy.Account) float64 {
		least := math.Inf(1)
		for _, m := range a.Memory {
			least = min(least, m.Total)
		}
		return least
	})
	return grid
}

// NamedDetector is a conversion with what it is called.
type NamedDetector struct {
	Name   string
	Result detector.Result
}

// DetectorSection is mAP, error and spikes over the steps, of at most six conversions in a picture.
func DetectorSection(title string, list []NamedDetector) (report.Section, error) {
	first := list[0].Result
	ends := []float64{float64(first.Points[0].Steps), float64(first.Points[len(first.Points)-1].Steps)}
	o := first.Ordinary.MAP
	maps := []figure.Series{{Name: "ordinary network", Reference: true, X: ends, Y: []float64{o, o}}}
	var off, fired []figure.Series
	table := report.Table{Head: append([]string{"conversion"}, DetectorHead...), Right: []bool{false, true, true, true, true, true, true, true, true}}
	for i, n := range list {
		line, wrong, count := figure.Series{Name: n.Name}, figure.Series{Name: n.Name}, figure.Series{Name: n.Name}
		for _, p := range n.Result.Points {
			t := float64(p.Steps)
			line.X, line.Y, line.Low, line.High = append(line.X, t), append(line.Y, p.MAP), append(line.Low, p.Low), append(line.High, p.High)
			wrong.X, wrong.Y = append(wrong.X, t), append(wrong.Y, p.Error)
			count.X, count.Y = append(count.X, t), append(count.Y, p.Spikes)
		}
		if i < shownDetectors {
			maps, off, fired = append(maps, line), append(off, wrong), append(fired, count)
		}
		for k, row := range DetectorRows(n.Result) {
			if k > 0 || i == 0 {
				table.Rows = append(table.Rows, append([]string{map[bool]string{true: "", false: n.Name}[k == 0]}, row...))
			}
		}
	}
	f, err := figure.Curves(title, "steps", figure.Panel{Name: "mAP (%)", Series: maps, LogX: true}, figure.Panel{Name: "error of the output", Series: off, LogX: true}, figure.Panel{Name: "spikes a picture", Series: fired, LogX: true})
	if err != nil {
		return report.Section{}, err
	}
	return report.Section{
		Title: title, Tables: []report.Table{table},
		Figures: []report.Figure{{SVG: f.SVG(), Alt: title + ": mean average precision at an IoU of 0.5, relative error of the output, and spikes a picture, a line for each conversion", Caption: "Bands hold 95 % of a bootstrap over the pictures."}},
	}, nil
}

// DetectorLayers is a conversion by its layers, with the scales of the channels.
func DetectorLayers(r detector.Result) (report.Section, error) {
	table := report.Table{
		Caption: "Layers, over the last of the steps, of a few training samples",
		Head:    []string{"layer", "scales", "above them", "rate", "spikes a picture", "correlation", "error", "inherited", "clip", "quantise", "uneven"},
		Right:   []bool{false, true, true, true, true, true, true, true, true, true, true},
	}
	steps := r.Points[len(r.Points)-1].Steps
	for _, l := range r.Layers {
		row := []string{l.Name, fmt.Sprintf("%.3g–%.3g", l.Least, l.Scale), percentText(l.Above), fmt.Sprintf("%.4f", l.Rate), report.Integer(int64(math.Round(l.Rate * float64(l.Units*steps)))), defined(l.Correlation)}
		for _, v := range []float64{l.Error.Total, l.Error.Inherited, l.Error.Clip, l.Error.Quantise, l.Error.Uneven} {
			row = append(row, defined(v))
		}
		table.Rows = append(table.Rows, row)
	}
	grid := DetectorEnergy(r)
	accounts := report.Table{Caption: "Energy of a picture by three accounts, after the last of the steps", Head: grid[0], Rows: grid[1:], Right: []bool{false, true, true}}
	s := report.Section{Title: r.Method + ", by layers", Tables: []report.Table{table, detectorWeights(r), accounts}}
	f, ok, err := scaleFigure(r.Scales)
	if err == nil && ok {
		s.Figures = []report.Figure{f}
	}
	return s, err
}

// detectorWeights is the operations of the layers of weights, of both networks.
func detectorWeights(r detector.Result) report.Table {
	t := report.Table{Caption: "Synaptic operations of a picture, zeros left out, after the last of the steps; the first layer's are products, of a picture that is the same in each step", Head: []string{"layer", "ordinary: products", "spiking"}, Right: []bool{false, true, true}}
	for i, l := range r.Weights[0] {
		row := []string{l.Name, report.Integer(int64(l.Effective)), ""}
		if i < len(r.Weights[1]) {
			row[2] = report.Integer(int64(r.Weights[1][i].Effective))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// ChannelRates is how often the channels of each layer fire, sorted, by conversions of one network.
func ChannelRates(list []NamedDetector) (report.Figure, error) {
	var panels []figure.Panel
	for _, n := range list {
		p := figure.Panel{Name: n.Name}
		for _, l := range n.Result.Layers[:min(len(n.Result.Layers), shownDetectors)] {
			p.Series = append(p.Series, descending(l.Name, l.Channels, 1))
		}
		panels = append(panels, p)
	}
	f, err := figure.Curves("Spikes a neuron and step, by channels", "channels, from the most active down (share)", panels...)
	return report.Figure{SVG: f.SVG(), Alt: "Rates of the channels of each layer, sorted, a panel for each conversion", Caption: "Where a channel's rate is r, it takes about 1/r steps until a neuron of it has fired once."}, err
}

// descending is a line of values from the largest down, over their place as a share.
func descending(name string, values []float64, unit float64) figure.Series {
	v := slices.Clone(values)
	slices.Sort(v)
	slices.Reverse(v)
	line := figure.Series{Name: name}
	for i, x := range v {
		line.X, line.Y = append(line.X, float64(i)/float64(max(1, len(v)-1))), append(line.Y, x/unit)
	}
	return line
}

// scaleFigure is the scales of each layer's channels, from the largest down, as shares of it.
func scaleFigure(scales convert.Scales) (report.Figure, bool, error) {
	var lines []figure.Series
	for name, v := range scales {
		if len(v) < 2 {
			continue
		}
		lines = append(lines, descending(name, v, slices.Max(v)))
	}
	slices.SortFunc(lines, func(a, b figure.Series) int { return strings.Compare(a.Name, b.Name) })
	if len(lines) == 0 {
		return report.Figure{}, false, nil
	}
	lines = lines[:min(len(lines), shownDetectors)]
	f, err := figure.Curves("Scales of channels", "channels, from the largest scale down (share)", figure.Panel{Name: "scale over the layer's largest", Series: lines})
	return report.Figure{SVG: f.SVG(), Alt: "Scales of the channels of each layer, as shares of the largest, sorted", Caption: "With one scale a layer a channel fires at most at the share of its own scale: small ones hardly ever."}, true, err
}

// shownDetectors is how many lines a picture tells apart.
const shownDetectors = 6

func short(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
