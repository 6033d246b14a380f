package view

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"synfire/bench"
	"synfire/report"
)

// Bench prints the rows of a benchmark: a heading for each piece of work, a line for each
// row below it, and a last line that says how many failed. against names the file
// that rows were compared with, if any.
func (s Screen) Bench(rows []bench.Row, against string) error {
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
			fmt.Fprintf(&b, "\n%s\n", s.Style(Bold, h))
		}
		b.WriteString("  " + align(table[i], wide, 2, 4, 5) + "\n")
		for _, c := range r.Compared {
			b.WriteString("    " + s.Style(Dim, comparedText(r, c)) + "\n")
		}
		if r.Profile != nil {
			writeProfile(&b, r.Profile)
		}
		if r.Error != "" {
			failed++
			b.WriteString("    " + s.Style(Red, "failed: "+r.Error) + "\n")
		}
	}
	b.WriteString("\n" + verdict(rows, failed, against) + "\n")
	_, err := io.WriteString(s.Out, b.String())
	return err
}

func verdict(rows []bench.Row, failed int, against string) string {
	n := len(rows) - failed
	v := fmt.Sprintf("bench: %d %s measured", n, map[bool]string{true: "row", false: "rows"}[n == 1])
	if failed > 0 {
		v += fmt.Sprintf(", %d failed", failed)
	}
	if against != "" {
		n := 0
		for _, r := range rows {
			if slices.ContainsFunc(r.Compared, func(c bench.Comparison) bool { return c.Source != bench.Whole }) {
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
		cells[2], cells[3] = report.Measured(r.Median), r.Unit
		cells[4] = report.Measured(r.Min) + " … " + report.Measured(r.Max)
		cells[5] = report.Bytes(r.PeakRSSBytes)
	}
	if cells[6] = ratesText(r); r.NanosPerSpike > 0 {
		cells[6] = report.Measured(r.NanosPerSpike) + " ns a spike"
	}
	return cells
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
		spread = fmt.Sprintf(" (%s … %s)", report.Measured(c.Min), report.Measured(c.Max))
	}
	return fmt.Sprintf("× %s of %s: %s%s %s", report.Measured(c.Ratio), c.Source, report.Measured(c.Median), spread, r.Unit)
}

// leastShare is the share of the time from which on a line of the profile is
// shown by itself.
const leastShare = 0.005

// writeProfile prints where the time of a batch went.
func writeProfile(b *strings.Builder, p *bench.Profile) {
	table := [][]string{{"node", "kernel", "path", "ms", "share", "MMAC", "GFLOP/s", "of GEMM", "as dense", "GB/s", "of copy"}}
	share := func(v, of float64) string { return fmt.Sprintf("%.0f %%", 100*v/of) }
	small := 0.0
	for _, s := range p.Spans {
		if s.Milliseconds < leastShare*p.Milliseconds {
			small += s.Milliseconds
			continue
		}
		name := strings.TrimSpace(s.Turn + " " + s.Kernel)
		cells := []string{s.Node, name, s.Path, report.Measured(s.Milliseconds), share(s.Milliseconds, p.Milliseconds), "", "", "", "", "", ""}
		if s.DenseMACs > 0 {
			cells[5], cells[6], cells[7] = report.Measured(1e-6*s.MACs), report.Measured(s.GFLOPS()), share(s.GFLOPS(), p.GEMM)
			cells[8] = share(s.DenseGFLOPS(), p.GEMM)
		}
		if s.Bytes > 0 {
			cells[9], cells[10] = report.Measured(s.GBs()), share(s.GBs(), p.Copy)
		}
		table = append(table, cells)
	}
	rest := func(name string, ms float64) {
		table = append(table, []string{name, "", "", report.Measured(ms), share(ms, p.Milliseconds), "", "", "", "", "", ""})
	}
	rest("smaller", small)
	rest("outside", p.Outside)
	wide := widths(table)
	for _, cells := range table {
		b.WriteString("    " + align(cells, wide, 3, 4, 5, 6, 7, 8, 9, 10) + "\n")
	}
	fmt.Fprintf(b, "    %s ms a batch; GEMM %s GFLOP/s, copy %s GB/s\n", report.Measured(p.Milliseconds), report.Measured(p.GEMM), report.Measured(p.Copy))
}
