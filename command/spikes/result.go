package spikes

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"synfire/format/npz"
	"synfire/internal/atomicfile"
	"synfire/report/figure"
	"synfire/sample"
	"synfire/spike"
	"synfire/view"
)

// form says what the values of a result are.
type form int

const (
	list   form = iota // one for each unit
	series             // a row for each unit, over X
	matrix             // units × units
	table              // rows with columns
	trains             // spikes of each unit, and the trains
)

// number is null in JSON where it is undefined.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// result is what a statistic says of a recording.
type result struct {
	Statistic string         `json:"statistic"`
	Name      string         `json:"name,omitempty"`
	Params    map[string]any `json:"params"`
	Unit      string         `json:"unit"` // of the values; of a table, of its rate or its times
	Units     []string       `json:"units"`
	X         []float64      `json:"x,omitempty"`
	XUnit     string         `json:"x_unit,omitempty"`
	Values    any            `json:"values"`
	Low       [][]number     `json:"low,omitempty"`
	High      [][]number     `json:"high,omitempty"`
	Why       string         `json:"why,omitempty"`

	form      form
	values    [][]float64 // of a list rows of one
	low, high [][]float64
	x         string   // what X is
	columns   []string // of a table
	labels    []string // the table's rows
	rowName   string   // what the labels are
	why       string   // why some are undefined, where some are
	width     float64  // of bins
	bound     float64  // of a matrix's values, 0 for none
	logX      bool
	picture   func() (figure.Figure, error) // in place of what the form has
	in        input
}

// axis takes X from a histogram.
func (r *result) axis(h spike.Histogram) {
	r.X, r.width = make([]float64, len(h.Values)), h.Width
	for i := range r.X {
		r.X[i] = h.Centre(i)
	}
}

func undefinedIn(values [][]float64) bool {
	return slices.ContainsFunc(values, func(row []float64) bool {
		return slices.ContainsFunc(row, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	})
}

func numbers(rows [][]float64) [][]number {
	var out [][]number
	for _, row := range rows {
		list := make([]number, len(row))
		for i, v := range row {
			list[i] = number(v)
		}
		out = append(out, list)
	}
	return out
}

// json prints a line.
func (r result) json(w io.Writer) error {
	switch r.form {
	case trains:
		return r.trials(w)
	case list:
		flat := []number{}
		for _, row := range r.values {
			flat = append(flat, number(row[0]))
		}
		r.Values = flat
	case table:
		rows := []map[string]any{}
		for i, row := range r.values {
			entry := map[string]any{r.rowName: r.labels[i]}
			for k, v := range row {
				entry[r.columns[k]] = number(v)
			}
			rows = append(rows, entry)
		}
		r.Values = rows
	default:
		r.Values = numbers(r.values)
	}
	r.Low, r.High = numbers(r.low), numbers(r.high)
	if undefinedIn(r.values) {
		r.Why = r.why
	}
	if r.Params == nil {
		r.Params = map[string]any{}
	}
	return json.NewEncoder(w).Encode(r)
}

// shownRows is how many rows are printed; the rest goes to files and JSON.
const shownRows = 40

// print writes the result for a person.
func (r result) print(s view.Screen) {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	if r.Name != "" {
		fmt.Fprintf(w, "recording\t%s\n", sample.Printable(r.Name))
	}
	fmt.Fprintf(w, "%s\t%s\n", r.Statistic, r.what())
	for _, name := range slices.Sorted(maps.Keys(r.Params)) {
		if text := param(r.Params[name]); len(text) <= s.Width {
			fmt.Fprintf(w, "%s\t%s\n", strings.ReplaceAll(name, "_", " "), text)
		}
	}
	w.Flush()
	if r.form == trains {
		r.printTrains(s)
	} else {
		fmt.Fprintln(s.Out)
	}
	rows := len(r.values)
	shown := min(rows, shownRows)
	switch r.form {
	case list, trains:
		for i, row := range r.values[:shown] {
			fmt.Fprintf(w, "%s\t%s\n", sample.Printable(r.Units[i]), short(row[0]))
		}
	case table:
		fmt.Fprintf(w, "%s\t%s\n", r.rowName, strings.Join(r.columns, "\t"))
		for i, row := range r.values[:shown] {
			fmt.Fprintf(w, "%s\t%s\n", sample.Printable(r.labels[i]), joined(row))
		}
	case matrix:
		shown = min(rows, 8)
		var names []string
		for _, name := range r.Units[:shown] {
			names = append(names, view.Shorten(sample.Printable(name), 12))
		}
		fmt.Fprintf(w, "\t%s\n", strings.Join(names, "\t"))
		for i, row := range r.values[:shown] {
			fmt.Fprintf(w, "%s\t%s\n", names[i], joined(row[:shown]))
		}
	case series:
		r.lines(w, shown)
	}
	w.Flush()
	if shown < rows {
		fmt.Fprintf(s.Out, "\n%d of %d rows are shown; --json and --out FILE.csv have all\n", shown, rows)
	}
	if rows == 0 {
		fmt.Fprintln(s.Out, "none found")
	}
	if undefinedIn(r.values) && r.why != "" {
		fmt.Fprintf(s.Out, "\n– %s\n", r.why)
	}
}

// what says what the values are, in which unit.
func (r result) what() string {
	text := verbOf(r.Statistic).about
	if r.Unit != "1" {
		text += ", " + r.Unit
	}
	if r.form == series {
		text += fmt.Sprintf(", by %s from %s to %s %s", r.x, view.Short(r.X[0]), view.Short(r.X[len(r.X)-1]), plural(r.XUnit))
	}
	return text
}

func plural(unit string) string {
	if unit == "unit of time" {
		return "units of time"
	}
	return unit
}

// lines prints a line of blocks for each row, and its extremes.
func (r result) lines(w io.Writer, shown int) {
	fmt.Fprintln(w, "unit\tleast\tmean\tmost\tat\t")
	const blocks = 50
	for i, row := range r.values[:shown] {
		lo, mean, hi := view.Span(row)
		at := "–"
		if k := slices.Index(row, hi); k >= 0 {
			at = view.Short(r.X[k])
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", view.Shorten(sample.Printable(r.Units[i]), 28), view.Short(lo), view.Short(mean), view.Short(hi), at, view.Spark(means(row, blocks), min(0, lo), hi))
	}
}

// means is the values as at most n, each the mean of its part.
func means(row []float64, n int) []float64 {
	n = min(n, len(row))
	out := make([]float64, n)
	for i := range out {
		_, out[i], _ = view.Span(row[i*len(row)/n : (i+1)*len(row)/n])
	}
	return out
}

func joined(row []float64) string {
	var cells []string
	for _, v := range row {
		cells = append(cells, short(v))
	}
	return strings.Join(cells, "\t")
}

func short(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e9 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return view.Short(v)
}

func param(v any) string {
	switch v := v.(type) {
	case float64:
		return short(v)
	case number:
		return short(float64(v))
	case []number:
		var parts []string
		for _, x := range v {
			parts = append(parts, short(float64(x)))
		}
		return strings.Join(parts, " ")
	}
	return strings.Trim(fmt.Sprint(v), "[]")
}

// keep writes the files that were asked for.
func (r result) keep(out, picture string) error {
	if r.form == trains && out != "" {
		if err := r.export(out); err != nil {
			return err
		}
	} else if out != "" {
		var b bytes.Buffer
		var err error
		if strings.EqualFold(filepath.Ext(out), ".npz") {
			err = npz.Write(&b, r.arrays())
		} else {
			w := csv.NewWriter(&b)
			err = w.WriteAll(r.cells())
		}
		if err != nil {
			return fmt.Errorf("--out %s: %w", out, err)
		}
		if err := atomicfile.Write(out, content(b.Bytes())); err != nil {
			return err
		}
	}
	if picture == "" {
		return nil
	}
	f, err := r.figure()
	if err != nil {
		return fmt.Errorf("--figure: %w", err)
	}
	return f.Write(picture)
}

func content(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

// head names the rows of values, and the columns.
func (r result) head() (rows []string, corner string, columns []string) {
	switch r.form {
	case list:
		return r.Units, "unit", []string{r.Statistic}
	case table:
		return r.labels, r.rowName, r.columns
	case matrix:
		return r.Units, "unit", r.Units
	}
	for _, x := range r.X {
		columns = append(columns, strconv.FormatFloat(x, 'g', -1, 64))
	}
	return r.Units, r.x, columns
}

// cells are the lines of CSV; a series has a line for each X, and its units in the head.
// What is undefined is empty.
func (r result) cells() [][]string {
	rows, corner, columns := r.head()
	lines := [][]string{append([]string{corner}, columns...)}
	for i, row := range r.values {
		line := []string{rows[i]}
		for _, v := range row {
			text := ""
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				text = strconv.FormatFloat(v, 'g', -1, 64)
			}
			line = append(line, text)
		}
		lines = append(lines, line)
	}
	if r.form != series {
		return lines
	}
	turned := make([][]string, len(lines[0]))
	for i := range turned {
		for _, line := range lines {
			turned[i] = append(turned[i], line[i])
		}
	}
	return turned
}

// arrays are those of NPZ: values, with NaN where undefined, and names.
func (r result) arrays() map[string]npz.Array {
	rows, _, columns := r.head()
	out := map[string]npz.Array{
		"values": npz.F64(slices.Concat(r.values...), len(r.values), len(columns)),
		"names":  npz.Text(rows, len(rows)), "unit": npz.Text([]string{r.Unit}),
	}
	switch r.form {
	case series:
		out["x"] = npz.F64(r.X, len(r.X))
	case table:
		out["columns"] = npz.Text(columns, len(columns))
	}
	if r.low != nil {
		out["low"] = npz.F64(slices.Concat(r.low...), len(r.values), len(columns))
		out["high"] = npz.F64(slices.Concat(r.high...), len(r.values), len(columns))
	}
	return out
}
