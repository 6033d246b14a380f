package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"synfire/bench"
	"synfire/report"
)

// ANSI codes of the table.
const (
	styleBold  = "\x1b[1m"
	styleDim   = "\x1b[2m"
	styleRed   = "\x1b[31m"
	stylePlain = "\x1b[0m"
)

func (a *app) styled(style, s string) string {
	if !a.color || s == "" {
		return s
	}
	return style + s + stylePlain
}

// writeRows prints the table: a heading for each piece of work, a line for each
// row below it, and a last line that says how many failed. against names the file
// that rows were compared with, if any.
func writeRows(a *app, rows []bench.Row, against string) error {
	var b strings.Builder
	if len(rows) > 0 {
		r := rows[0]
		fmt.Fprintf(&b, "%s, %d cores, kernel %s; median, and minimum … maximum of %d repeats\n", r.CPU, r.Cores, r.Kernel, r.Repeat)
	}
	table := [][]string{}
	for _, r := range rows {
		table = append(table, rowCells(r))
	}
	wide := widths(table)
	failed, heading := 0, ""
	for i, r := range rows {
		if h := rowHeading(r); h != heading {
			heading = h
			fmt.Fprintf(&b, "\n%s\n", a.styled(styleBold, h))
		}
		b.WriteString("  " + align(table[i], wide) + "\n")
		for _, c := range r.Compared {
			b.WriteString("    " + a.styled(styleDim, comparedText(r, c)) + "\n")
		}
		if r.Error != "" {
			failed++
			b.WriteString("    " + a.styled(styleRed, "failed: "+r.Error) + "\n")
		}
	}
	b.WriteString("\n" + verdict(rows, failed, against) + "\n")
	_, err := io.WriteString(a.out, b.String())
	return err
}

func verdict(rows []bench.Row, failed int, against string) string {
	v := fmt.Sprintf("bench: %d rows measured", len(rows)-failed)
	if failed > 0 {
		v += fmt.Sprintf(", %d failed", failed)
	}
	if against != "" {
		n := 0
		for _, r := range rows {
			if len(r.Compared) > 0 {
				n++
			}
		}
		v += fmt.Sprintf(", %d compared with %s", n, against)
	}
	return v
}

func rowHeading(r bench.Row) string {
	h := r.Workload + "  " + r.Shape
	if r.Steps > 0 {
		h += fmt.Sprintf(", %d steps", r.Steps)
	}
	return h
}

// rowCells are the phase, threads, median and unit, spread, memory and rates.
func rowCells(r bench.Row) []string {
	phase := strings.TrimSpace(r.Phase + " " + r.Path)
	if r.Batch > 0 {
		phase += fmt.Sprintf(", batch %d", r.Batch)
	}
	threads := fmt.Sprintf("%d threads", r.Threads)
	if r.Threads == 1 {
		threads = "1 thread"
	}
	cells := []string{phase, threads, "–", "", "", "", ""}
	if r.Repeat > 0 {
		cells[2], cells[3] = figure(r.Median), r.Unit
		cells[4] = figure(r.Min) + " … " + figure(r.Max)
		cells[5] = report.Bytes(r.PeakRSSBytes)
	}
	cells[6] = ratesText(r)
	return cells
}

// rightAligned are the columns of numbers.
var rightAligned = []int{2, 4, 5}

// figure writes a measured number with three digits or more.
func figure(v float64) string {
	if v >= 1000 {
		return report.Integer(int64(math.Round(v)))
	}
	digits := 0
	for x := v; x < 100 && digits < 4; x *= 10 {
		digits++
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// ratesText is the firing rates at the start and, where they have changed, at the
// end, in percent; of many layers the lowest and the highest.
func ratesText(r bench.Row) string {
	if len(r.FiringRate) == 0 {
		return ""
	}
	start, end := percents(r.FiringRate), percents(r.RateEnd)
	if start != end && end != "" {
		start += " → " + end
	}
	return "fires " + start + " %"
}

func percents(rates []float64) string {
	one := func(v float64) string { return strconv.FormatFloat(100*v, 'f', 1, 64) }
	if len(rates) > 3 {
		return one(slices.Min(rates)) + "–" + one(slices.Max(rates))
	}
	var parts []string
	for _, v := range rates {
		parts = append(parts, one(v))
	}
	return strings.Join(parts, " ")
}

// comparedText says how a row stands beside a reference.
func comparedText(r bench.Row, c bench.Comparison) string {
	if c.Error != "" {
		return fmt.Sprintf("%s: failed, %s", c.Source, c.Error)
	}
	spread := ""
	if c.Min != c.Max {
		spread = fmt.Sprintf(" (%s … %s)", figure(c.Min), figure(c.Max))
	}
	return fmt.Sprintf("× %s of %s: %s%s %s", figure(c.Ratio), c.Source, figure(c.Median), spread, r.Unit)
}

func widths(table [][]string) []int {
	var wide []int
	for _, row := range table {
		for i, cell := range row {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], utf8.RuneCountInString(cell))
		}
	}
	return wide
}

// align joins cells to a line, two columns apart.
func align(cells []string, wide []int) string {
	var b strings.Builder
	for i, cell := range cells {
		pad := strings.Repeat(" ", wide[i]-utf8.RuneCountInString(cell))
		if slices.Contains(rightAligned, i) {
			cell = pad + cell
		} else {
			cell += pad
		}
		b.WriteString(cell + "  ")
	}
	return strings.TrimRight(b.String(), " ")
}
