package docs

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"synfire/bench"
	"synfire/report"
	"synfire/report/figure"
)

// Benchmarks is all rows of results/bench-*.json, the unedited outputs of `synfire
// bench --json`, in the order of the files' names.
func Benchmarks() ([]bench.Row, error) {
	entries, err := files.ReadDir("results")
	if err != nil {
		return nil, fmt.Errorf("read the kept measurements: %w", err)
	}
	var all []bench.Row
	for _, e := range entries {
		if !isBenchmark(e.Name()) {
			continue
		}
		raw, err := files.ReadFile("results/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("read the kept measurements: %w", err)
		}
		var rows []bench.Row
		if err := json.Unmarshal(raw, &rows); err != nil {
			return nil, fmt.Errorf("read the kept measurements: %s: %w", e.Name(), err)
		}
		all = append(all, rows...)
	}
	return all, nil
}

func isBenchmark(name string) bool {
	return strings.HasPrefix(name, "bench-") && strings.HasSuffix(name, ".json")
}

var markedBench = regexp.MustCompile(`(?s)<!-- bench: ([a-z]+) -->\n.*?<!-- /bench -->`)

// benchTables writes what stands between the comments <!-- bench: NAME --> and
// <!-- /bench -->.
var benchTables = map[string]func(rows []bench.Row) string{
	"machine": machineText, "speed": speedTable, "peers": peersTable, "rates": ratesTable, "density": densityTable,
	"cut": cutTable, "pruned": prunedTable, "trains": trainsTable,
}

// FillBench writes the tables of measurements of a Markdown page anew.
func FillBench(page string, rows []bench.Row) string {
	return markedBench.ReplaceAllStringFunc(page, func(block string) string {
		name := markedBench.FindStringSubmatch(block)[1]
		text := "\nNo measurement is kept yet.\n\n"
		if table, ok := benchTables[name]; !ok {
			text = fmt.Sprintf("\nThere is no table %q.\n\n", name)
		} else if t := table(rows); t != "" {
			text = "\n" + t + "\n"
		}
		return fmt.Sprintf("<!-- bench: %s -->\n%s<!-- /bench -->", name, text)
	})
}

// setting is a kernel level and a number of threads: a column of the table.
type setting struct {
	kernel  string
	threads int
}

func (s setting) String() string {
	if s.threads == 1 {
		return s.kernel + ", 1 thread"
	}
	return fmt.Sprintf("%s, %d threads", s.kernel, s.threads)
}

func settingOf(r bench.Row) setting { return setting{r.Kernel, r.Threads} }

// best is the rows of the fastest setting that was kept: the best level, on the
// most threads.
func best(rows []bench.Row) []bench.Row {
	s := settings(rows)
	if len(s) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r bench.Row) bool { return settingOf(r) != s[0] })
}

// settings are those of the rows, the fastest first.
func settings(rows []bench.Row) []setting {
	var all []setting
	for _, r := range rows {
		if !slices.Contains(all, settingOf(r)) {
			all = append(all, settingOf(r))
		}
	}
	levels := []string{"avx512", "avx2", "go"}
	slices.SortStableFunc(all, func(a, b setting) int {
		if d := slices.Index(levels, a.kernel) - slices.Index(levels, b.kernel); d != 0 {
			return d
		}
		return b.threads - a.threads
	})
	return all
}

// item names what a row measures, whatever measured it.
type item struct{ workload, shape, phase, path, unit string }

func itemOf(r bench.Row) item { return item{r.Workload, r.Shape, r.Phase, r.Path, r.Unit} }

// isDensity picks the rows that have a table and a figure of their own.
func isDensity(r bench.Row) bool { return r.Workload == "density" }

func notDensity(rows []bench.Row) []bench.Row {
	return slices.DeleteFunc(slices.Clone(rows), isDensity)
}

// machineText says on what machines and by what commits the rows were measured.
func machineText(rows []bench.Row) string {
	var lines []string
	for _, r := range rows {
		line := fmt.Sprintf("- %s, %d cores; commit %.7s, %d repeats\n", r.CPU, r.Cores, r.Commit, r.Repeat)
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// speedTable has a line for each item and a column for each setting.
func speedTable(rows []bench.Row) string {
	rows = notDensity(rows)
	columns := settings(rows)
	if len(columns) == 0 {
		return ""
	}
	cells := map[item]map[setting]string{}
	var items []item
	for _, r := range rows {
		it := itemOf(r)
		if cells[it] == nil {
			cells[it] = map[setting]string{}
			items = append(items, it)
		}
		if _, ok := cells[it][settingOf(r)]; !ok {
			cells[it][settingOf(r)] = medianText(r)
		}
	}
	var b strings.Builder
	b.WriteString("| work | phase | unit |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c)
	}
	b.WriteString("\n|---|---|---|" + strings.Repeat("--:|", len(columns)) + "\n")
	for _, it := range items {
		fmt.Fprintf(&b, "| %s %s | %s | %s |", it.workload, it.shape, it.phase, it.unit)
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", orMissing(cells[it][c]))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// medianText is a row's median with its spread, or that it failed.
func medianText(r bench.Row) string {
	if r.Error != "" {
		return "failed"
	}
	return spreadText(r.Median, r.Min, r.Max)
}

func spreadText(median, lo, hi float64) string {
	if lo == hi {
		return report.Measured(median)
	}
	return fmt.Sprintf("%s (%s–%s)", report.Measured(median), report.Measured(lo), report.Measured(hi))
}

func orMissing(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// peersTable has a line for each comparison.
func peersTable(rows []bench.Row) string {
	var b strings.Builder
	for _, r := range rows {
		for _, c := range r.Compared {
			if c.Source == bench.Whole {
				continue
			}
			theirs, ratio := "failed", "–"
			if c.Error == "" {
				theirs, ratio = spreadText(c.Median, c.Min, c.Max), report.Measured(c.Ratio)
			}
			fmt.Fprintf(&b, "| %s %s | %s | %s | %s | %s %s | %s | %s |\n", r.Workload, r.Shape, r.Phase, settingOf(r), medianText(r), c.Source, theirs, ratio, r.Unit)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "| work | phase | setting | synfire | peer | ratio | unit |\n|---|---|---|--:|--:|--:|---|\n" + b.String()
}

// prunedTable has the pairs of a network as it is and pruned.
func prunedTable(rows []bench.Row) string {
	var b strings.Builder
	for _, r := range rows {
		for _, c := range r.Compared {
			if c.Source == bench.Whole && c.Error == "" {
				network, share, _ := strings.Cut(r.Shape, "@")
				fmt.Fprintf(&b, "| %s, %s pruned | %s | %s | %s | %s | %s |\n", network, share, r.Phase, settingOf(r),
					spreadText(c.Median, c.Min, c.Max), medianText(r), report.Measured(c.Ratio))
			}
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "| network | phase | setting | whole | pruned | ratio |\n|---|---|---|--:|--:|--:|\n" + b.String()
}

// trainsTable sets W6b beside the row of W6 that the same program measured on the same
// machine: what a pair of trains takes for each of its spikes.
func trainsTable(rows []bench.Row) string {
	type measured struct {
		shape, cpu, commit string
		setting            setting
	}
	of := func(r bench.Row) measured { return measured{r.Shape, r.CPU, r.Commit, settingOf(r)} }
	shorts := map[measured]bench.Row{}
	for _, r := range rows {
		if r.Workload == "W6" && r.Error == "" {
			shorts[of(r)] = r
		}
	}
	var b strings.Builder
	for _, r := range rows {
		short, ok := shorts[of(r)]
		if r.Workload != "W6b" || r.Error != "" || !ok {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.Shape, settingOf(r), report.Measured(short.NanosPerSpike),
			report.Measured(r.NanosPerSpike), report.Measured(short.NanosPerSpike/r.NanosPerSpike), report.Bytes(r.PeakRSSBytes))
	}
	if b.Len() == 0 {
		return ""
	}
	return "| metric | setting | W6 (ns a spike) | W6b (ns a spike) | ratio | memory of W6b |\n|---|---|--:|--:|--:|--:|\n" + b.String()
}

// ratesTable has, for the fastest setting, memory, calibration and firing rates.
func ratesTable(rows []bench.Row) string {
	var b strings.Builder
	for _, r := range best(rows) {
		if len(r.Layers) > 0 {
			fmt.Fprintf(&b, "| %s %s | %s | %s | %s | %s | %s |\n", r.Workload, r.Shape, r.Phase, report.Bytes(r.PeakRSSBytes),
				numbers(r.Calibration, 1, 2), numbers(r.FiringRate, 100, 1), numbers(r.RateEnd, 100, 1))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "| work | phase | memory | factors of weights | rates at the start (%) | at the end (%) |\n|---|---|--:|---|---|---|\n" + b.String()
}

func numbers(v []float64, scale float64, digits int) string {
	var parts []string
	for _, x := range v {
		parts = append(parts, strconv.FormatFloat(scale*x, 'f', digits, 64))
	}
	return strings.Join(parts, " ")
}

// cutTable has what the cuts of surrogates do to gradients.
func cutTable(rows []bench.Row) string {
	var b strings.Builder
	for _, r := range best(rows) {
		if c := r.Cut; c != nil {
			fmt.Fprintf(&b, "| %s %s | %.2f %% | %.5f | %s | %s |\n", r.Workload, r.Shape, 100*c.Relative, c.Cosine, numbers(c.Live, 100, 0), numbers(c.LiveGroups, 100, 0))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "| work | error of the gradient | cosine | membranes within the cut (%), by layer | groups of 16 channels with one (%) |\n|---|--:|--:|---|---|\n" + b.String()
}

// curve is the density measurements of one phase and path.
type curve struct{ density, ms []float64 }

// densities are the curves of the fastest setting, by phase and path.
func densities(rows []bench.Row) map[[2]string]curve {
	curves := map[[2]string]curve{}
	for _, r := range best(slices.DeleteFunc(slices.Clone(rows), func(r bench.Row) bool { return !isDensity(r) })) {
		_, suffix, _ := strings.Cut(r.Shape, "@")
		density, err := strconv.ParseFloat(suffix, 64)
		if err != nil || r.Error != "" {
			continue
		}
		c := curves[[2]string{r.Phase, r.Path}]
		c.density, c.ms = append(c.density, math.Round(100*density)), append(c.ms, r.Median)
		curves[[2]string{r.Phase, r.Path}] = c
	}
	return curves
}

// densityColumns are the columns of the table of densities.
var densityColumns = [][2]string{{bench.Forward, "events"}, {bench.Forward, "dense"}, {bench.Weights, "events"}, {bench.Weights, "dense"}}

func densityTable(rows []bench.Row) string {
	curves := densities(rows)
	first := curves[densityColumns[0]]
	if len(first.density) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("![Time by density of spikes, by event and dense](density.svg)\n\n")
	b.WriteString("| density | forward, events (ms) | dense | weight gradient, events (ms) | dense |\n|--:|--:|--:|--:|--:|\n")
	for i, d := range first.density {
		fmt.Fprintf(&b, "| %g %% |", d)
		for _, k := range densityColumns {
			cell := ""
			if c := curves[k]; i < len(c.ms) {
				cell = report.Measured(c.ms[i])
			}
			fmt.Fprintf(&b, " %s |", orMissing(cell))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// DensityFigure draws the time of W3's first layer over the density of its input;
// nil where no measurement is kept.
func DensityFigure(rows []bench.Row) ([]byte, error) {
	curves := densities(rows)
	if len(curves) == 0 {
		return nil, nil
	}
	panel := func(name, phase string) figure.Panel {
		p := figure.Panel{Name: name + " (ms)"}
		for _, path := range []string{"events", "dense"} {
			c := curves[[2]string{phase, path}]
			p.Series = append(p.Series, figure.Series{Name: path, X: c.density, Y: c.ms})
		}
		return p
	}
	f, err := figure.Curves("First layer of W3, a batch of 64 samples", "input spikes (%)",
		panel("forward", bench.Forward), panel("weight gradient", bench.Weights))
	if err != nil {
		return nil, fmt.Errorf("draw the densities: %w", err)
	}
	return f.SVG(), nil
}
