package command

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"golang.org/x/term"

	"synfire/distance"
	"synfire/format/npz"
	"synfire/internal/atomicfile"
	"synfire/report/figure"
	"synfire/sample"
	"synfire/spike"
)

// shownPieces is how much of a profile is printed; the rest goes to JSON alone.
const shownPieces = 24

// labels are the names of the trains as they are shown.
func (m measured) labels() []string {
	list := make([]string, len(m.names))
	for i, name := range m.names {
		list[i] = sample.Printable(name)
	}
	return list
}

// print writes a result for a person.
func (c *distanceCmd) print(a *app, m measured, trains []spike.Train) error {
	spikes := 0
	for _, t := range trains {
		spikes += len(t.Times)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	if m.Name != "" {
		fmt.Fprintf(w, "recording\t%s\n", sample.Printable(m.Name))
	}
	fmt.Fprintf(w, "%s\t%s", m.Metric, digits(*m.Value))
	if text := meaning(m, len(trains)); text != "" {
		fmt.Fprintf(w, "\t%s", text)
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "trains\t%d\t%s\n", len(trains), strings.TrimSpace(fmt.Sprintf("%d spikes in [%v, %v] %s", spikes, trains[0].Start, trains[0].Stop, sample.Printable(c.Unit))))
	for _, name := range []string{"mrts", "max_tau", "cost", "tau", "neurons", "label_cost", "angle", "intervals"} {
		if v, ok := m.Params[name]; ok {
			fmt.Fprintf(w, "%s\t%s\n", strings.ReplaceAll(name, "_", " "), param(v))
		}
	}
	if s := m.Sorting; s != nil {
		fmt.Fprintf(w, "sorted\t%s\tthe indicator of the order %v\n", digits(s.Indicator), s.Order)
	}
	if s := m.Surrogates; s != nil {
		of := s.Kind
		if s.Width != nil {
			of += " of " + digits(*s.Width)
		}
		fmt.Fprintf(w, "p\t%s\t%d surrogates (%s) give %s ± %s\n", digits(s.P), s.N, of, digits(s.Mean), digits(s.Std))
	}
	if d := m.Mended; d != nil {
		fmt.Fprintf(w, "mended\t\t%d trains put in order, %d spikes merged, %d dropped\n", d.UnsortedTrains, d.MergedSpikes, d.DroppedSpikes)
	}
	m.printMatrix(w, columnsOf(a.out))
	m.printProfile(w)
	m.printSpikes(w, trains)
	return w.Flush()
}

// meaning says of what the value is one.
func meaning(m measured, trains int) string {
	size := trains
	if n, ok := m.Params["neurons"].(int); ok {
		size /= n
	}
	similarity := strings.HasSuffix(m.Metric, "sync")
	switch {
	case m.Metric == "synfire":
		return "1 for a perfect synfire chain in the order given, -1 reversed"
	case m.Metric == "order":
		return "1 where earlier trains always lead, -1 where they follow"
	case m.Metric == "directionality":
		return "coincidences in which the earlier train leads, less the others"
	case similarity && size > 2:
		return "1 where all spikes coincide; over all pairs"
	case similarity:
		return "1 where all spikes coincide"
	case size > 2:
		return fmt.Sprintf("mean over %d pairs", size*(size-1)/2)
	}
	return ""
}

func param(v any) string {
	switch v := v.(type) {
	case float64:
		return digits(v)
	case [][2]float64:
		var parts []string
		for _, i := range v {
			parts = append(parts, fmt.Sprintf("[%v, %v]", i[0], i[1]))
		}
		return strings.Join(parts, " ")
	}
	return fmt.Sprint(v)
}

// digits writes four significant digits or so.
func digits(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e9 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}

// columnsOf is how wide the terminal is that w writes to, 0 for anything else.
func columnsOf(w io.Writer) int {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			return columns
		}
	}
	return 0
}

// printMatrix prints the matrix whole, or as many of its rows and columns as lines of
// a terminal hold.
func (m measured) printMatrix(w *tabwriter.Writer, columns int) {
	if m.Matrix == nil {
		return
	}
	names, n := m.rows(), len(m.Matrix)
	shown := n
	if columns > 0 {
		shown = m.fitting(names, columns)
	}
	fmt.Fprint(w, "\n")
	for _, name := range names[:shown] {
		fmt.Fprintf(w, "\t%s", name)
	}
	fmt.Fprintln(w)
	for i, row := range m.Matrix[:shown] {
		fmt.Fprint(w, names[i])
		for _, v := range row[:shown] {
			fmt.Fprintf(w, "\t%s", digits(v))
		}
		fmt.Fprintln(w)
	}
	if shown < n {
		fmt.Fprintf(w, "\n%d of %d %ss are shown; --save FILE.csv has all, and so has --json\n", shown, n, m.response)
	}
}

// fitting is how many rows and columns of the matrix lines of a length hold.
func (m measured) fitting(names []string, length int) int {
	const gap = 2
	head, used := 0, 0
	for k, name := range names {
		width := utf8.RuneCountInString(name)
		head = max(head, width)
		for _, row := range m.Matrix {
			width = max(width, len(digits(row[k])))
		}
		if used += gap + width; head+used > length {
			return max(k, 1)
		}
	}
	return len(names)
}

// rows names the rows of the matrix: trains, or the numbers of responses.
func (m measured) rows() []string {
	switch {
	case m.trials != nil:
		return measured{names: m.trials}.labels()
	case m.response == "train":
		return m.labels()
	}
	list := make([]string, len(m.matrix))
	for i := range list {
		list[i] = strconv.Itoa(i)
	}
	return list
}

// save writes the matrix with the names of its rows: CSV with a head of names and one
// before each row, or NPZ with the arrays matrix and names.
func (m measured) save(path string) error {
	names := m.names
	if m.trials != nil {
		names = m.trials
	} else if m.response != "train" {
		names = m.rows()
	}
	var out bytes.Buffer
	var err error
	if strings.EqualFold(filepath.Ext(path), ".npz") {
		err = npz.Write(&out, map[string]npz.Array{"matrix": npz.F64(slices.Concat(m.matrix...), len(names), len(names)), "names": npz.Text(names, len(names))})
	} else {
		rows := csv.NewWriter(&out)
		rows.Write(append([]string{m.response}, names...)) // an error stays for Error
		for i, values := range m.matrix {
			row := []string{names[i]}
			for _, v := range values {
				row = append(row, strconv.FormatFloat(v, 'g', -1, 64))
			}
			rows.Write(row)
		}
		rows.Flush()
		err = rows.Error()
	}
	if err != nil {
		return fmt.Errorf("--save %s: %w", path, err)
	}
	return atomicfile.Write(path, writer(out.Bytes()))
}

func (m measured) printProfile(w *tabwriter.Writer) {
	p := m.Profile
	if p == nil {
		return
	}
	line := func(i int) string {
		switch p.Kind {
		case distance.Constant:
			return fmt.Sprintf("%s\t%s\t%s", digits(p.X[i]), digits(p.X[i+1]), digits(p.Y[i]))
		case distance.Linear:
			return fmt.Sprintf("%s\t%s\t%s → %s", digits(p.X[i]), digits(p.X[i+1]), digits(p.Y[2*i]), digits(p.Y[2*i+1]))
		}
		return fmt.Sprintf("%s\t\t%s of %s", digits(p.X[i]), digits(p.Y[i]), digits(p.Weight[i]))
	}
	n := len(p.X) - 1
	if p.Kind == distance.Discrete {
		n = len(p.X)
		fmt.Fprint(w, "\nat\t\tvalue\n")
	} else {
		fmt.Fprint(w, "\nfrom\tto\tvalue\n")
	}
	for i := range min(n, shownPieces) {
		fmt.Fprintln(w, line(i))
	}
	if n > shownPieces {
		fmt.Fprintf(w, "… %d more: see --json, or --out for a picture\n", n-shownPieces)
	}
}

func (m measured) printSpikes(w *tabwriter.Writer, trains []spike.Train) {
	names := m.labels()
	shown := 0
	for i, values := range m.Spikes {
		if i == 0 {
			fmt.Fprint(w, "\ntrain\tspike at\tleads\n")
		}
		for j, v := range values {
			if shown++; shown <= shownPieces {
				fmt.Fprintf(w, "%s\t%s\t%s\n", names[i], digits(trains[i].Times[j]), digits(v))
			}
		}
	}
	if shown > shownPieces {
		fmt.Fprintf(w, "… %d more: see --json\n", shown-shownPieces)
	}
}

// drawnTrains is the most trains in a figure.
const drawnTrains = 512

// figures writes the raster, the profile, and the matrix with its clusters.
func (c *distanceCmd) figures(a *app, dir string, m measured, trains []spike.Train) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	title, axis, names := m.Metric, "time", m.labels()
	if m.Name != "" {
		title += ", " + sample.Printable(m.Name)
	}
	if c.Unit != "" {
		axis += " (" + sample.Printable(c.Unit) + ")"
	}
	rows := make([]figure.Train, min(len(trains), drawnTrains))
	for i := range rows {
		rows[i] = figure.Train{Name: names[i], Times: trains[i].Times}
	}
	f, err := figure.Trains("Spike trains", axis, trains[0].Start, trains[0].Stop, rows)
	if err := writeFigure(dir, "raster", fmt.Sprintf("Raster of %d spike trains", len(rows)), f, err); err != nil {
		return err
	}
	if m.profile != nil && len(m.profile.X) > 0 {
		f, err := profileFigure(title, axis, m)
		if err := writeFigure(dir, "profile", "The value of "+m.Metric+" over time", f, err); err != nil {
			return err
		}
	}
	if n := len(m.matrix); n > drawnTrains {
		fmt.Fprintf(a.err, "distance: %d × %d values are too many for a picture; the heat map is left out\n", n, n)
		return nil
	}
	f, err = m.heatmap(title)
	return writeFigure(dir, "matrix", fmt.Sprintf("Heat map of %s between %d %ss", m.Metric, len(m.matrix), m.response), f, err)
}

func profileFigure(title, axis string, m measured) (figure.Figure, error) {
	s := figure.Series{Name: m.Metric}
	p := m.profile
	add := func(x, y float64) { s.X, s.Y = append(s.X, x), append(s.Y, y) }
	for i := range p.X {
		switch {
		case p.Kind == distance.Discrete:
			add(p.X[i], p.Y[i]/p.Weight[i])
		case i+1 == len(p.X):
		case p.Kind == distance.Constant:
			add(p.X[i], p.Y[i])
			add(p.X[i+1], p.Y[i])
		default:
			add(p.X[i], p.Y[2*i])
			add(p.X[i+1], p.Y[2*i+1])
		}
	}
	mean := figure.Series{Name: "mean", X: []float64{s.X[0], s.X[len(s.X)-1]}, Y: []float64{*m.Value, *m.Value}, Reference: true}
	return figure.Curves(title, axis, figure.Panel{Name: m.Metric, Series: []figure.Series{s, mean}})
}

// heatmap draws the matrix; where it is of distances or similarities, clusters of
// average linkage put its rows in order.
func (m measured) heatmap(title string) (figure.Figure, error) {
	g := figure.Grid{Values: m.matrix, Rows: m.rows(), Columns: m.rows(), RowAxis: m.response, ColumnAxis: m.response, Quantity: m.Metric}
	switch m.Metric {
	case "order", "directionality", "synfire":
		return figure.Heatmap(title, g)
	case "victor-purpura", "van-rossum":
	default:
		g.Low, g.High = 0, 1
	}
	far := m.matrix
	if strings.HasSuffix(m.Metric, "sync") {
		far = make([][]float64, len(m.matrix))
		for i, row := range m.matrix {
			for _, v := range row {
				far[i] = append(far[i], 1-v)
			}
		}
		g.Heights = "1 − " + m.Metric
	}
	links, err := distance.Linkage(far, distance.Average)
	if err != nil {
		return figure.Figure{}, err
	}
	for _, l := range links {
		g.Tree = append(g.Tree, figure.Join{A: l.A, B: l.B, Height: l.Height})
	}
	return figure.Heatmap(title, g)
}

// figureDPI gives pictures twice the size at which pages show them.
const figureDPI = 192

// writeFigure writes a figure as SVG, with what it shows in words, and as PNG.
func writeFigure(dir, name, alt string, f figure.Figure, err error) error {
	if err != nil {
		return err
	}
	png, err := f.PNG(figureDPI)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(filepath.Join(dir, name+".png"), writer(png)); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, name+".svg"), writer(titled(f.SVG(), alt)))
}

// titled adds a title, which is an SVG's alternative text.
func titled(svg []byte, alt string) []byte {
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(alt)
	head, rest, _ := strings.Cut(string(svg), ">")
	return []byte(head + ` role="img">` + "<title>" + escaped + "</title>" + rest)
}
