package command

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"synfire/report"
	"synfire/run"
	"synfire/view"
)

type runsCmd struct {
	List   runsListCmd   `cmd:"" help:"List the runs, the newest first."`
	Show   runsShowCmd   `cmd:"" help:"Show a run: what ran, how far it came, what it measured."`
	Diff   runsDiffCmd   `cmd:"" help:"Show in what two runs differ: configuration, results, weights."`
	Resume runsResumeCmd `cmd:"" help:"Continue an interrupted run."`
	Export runsExportCmd `cmd:"" help:"Write runs, or the epochs of one run, as CSV or JSON."`
}

type runsFlags struct {
	In string `help:"Folder with the runs." default:"runs" placeholder:"DIR"`
}

type runsListCmd struct {
	runsFlags
	JSON bool `help:"Print JSON."`
}

type runsShowCmd struct {
	Name string `arg:"" name:"run" help:"Name of the run, or its directory."`
	runsFlags
	JSON bool `help:"Print JSON: of a finished run its result, as it was printed."`
}

type runsDiffCmd struct {
	A string `arg:"" help:"Name of a run, or its directory."`
	B string `arg:"" help:"Another."`
	runsFlags
	JSON bool `help:"Print JSON."`
}

type runsResumeCmd struct {
	Name    string `arg:"" name:"run" help:"Name of the run, or its directory."`
	Threads int    `help:"Threads; 0 means one for each processor." default:"0"`
	DataDir string `help:"Folder with your own copies of data sets." placeholder:"DIR"`
	runsFlags
	JSON bool `help:"Print the result as JSON."`
}

type runsExportCmd struct {
	Name   string `arg:"" optional:"" name:"run" help:"Name of a run, or its directory, for its epochs; none for a row a run."`
	Format string `help:"csv or json." enum:"csv,json" default:"csv"`
	runsFlags
}

// runRow is a run as the JSON lists it.
type runRow struct {
	Run         string              `json:"run"`
	Recipe      string              `json:"recipe"`
	Scale       string              `json:"scale"`
	Seed        uint64              `json:"seed"`
	Status      run.Status          `json:"status"`
	Started     *time.Time          `json:"started"`
	WallSeconds *float64            `json:"wall_seconds"` // null unless done
	Metrics     map[string]*float64 `json:"metrics"`
}

func row(r run.Info) runRow {
	out := runRow{Run: r.Name, Recipe: r.Recipe, Scale: r.Scale, Seed: r.Seed, Status: r.Status, Metrics: map[string]*float64{}}
	if !r.Started.IsZero() {
		out.Started = &r.Started
	}
	if r.Result != nil {
		out.WallSeconds = &r.Result.WallSeconds
		if r.Result.Metrics != nil {
			out.Metrics = r.Result.Metrics
		}
	}
	return out
}

// shownMetric is the figure of a run that its row shows: the first that was measured of
// the test, or else of the validation samples.
func (r runRow) shownMetric() string {
	if v := r.Metrics["test_accuracy"]; v != nil {
		return fmt.Sprintf("accuracy %.2f %%", *v)
	}
	for _, split := range []string{"test_", "valid_"} {
		for _, name := range slices.Sorted(maps.Keys(r.Metrics)) {
			if v := r.Metrics[name]; v != nil && strings.HasPrefix(name, split) {
				return fmt.Sprintf("%s %.4g", name, *v)
			}
		}
	}
	return "–"
}

// Run lists the runs.
func (c *runsListCmd) Run(a *app) error {
	runs, err := run.List(c.In)
	if err != nil {
		return err
	}
	rows := []runRow{}
	for _, r := range runs {
		rows = append(rows, row(r))
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(rows)
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintf(a.out, "no runs in %s; synfire run and synfire train make them\n", c.In)
		return err
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tSTATUS\tSTARTED\tTIME\tRESULT")
	for _, r := range rows {
		started, wall := "–", "–"
		if r.Started != nil {
			started = r.Started.Local().Format("2006-01-02 15:04")
		}
		if r.WallSeconds != nil {
			wall = report.Seconds(*r.WallSeconds)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Run, r.Status, started, wall, r.shownMetric())
	}
	return w.Flush()
}

// Run shows a run.
func (c *runsShowCmd) Run(a *app) error {
	r, err := run.Find(c.In, c.Name)
	if err != nil {
		return usageError{fmt.Errorf("runs show: %w", err)}
	}
	if c.JSON && r.Result != nil {
		_, err := a.out.Write(r.Raw)
		return err
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(row(r))
	}
	return a.showRun(r)
}

// showRun prints what a run's directory tells.
func (a *app) showRun(r run.Info) error {
	points, epochs, err := r.History()
	if err != nil {
		return err
	}
	what := "training file of one's own"
	if r.Recipe != "" {
		what = "recipe " + r.Recipe + ", scale " + r.Scale
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "run\t%s\nwhat\t%s, seed %d\nstatus\t%s\n", r.Dir, what, r.Seed, r.Status)
	if len(epochs) > 0 {
		e := epochs[len(epochs)-1]
		fmt.Fprintf(w, "epochs\t%d%s%s%s\n", e.Epoch, figuresOf("train", e.Train), figuresOf("valid", e.Valid), figuresOf("test", e.Test))
	}
	for _, t := range trendsOf(points, epochs) {
		if len(t.Values) > 1 {
			fmt.Fprintf(w, "%s\t%s\n", t.Name, report.Sparkline(t.Values, 40))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if r.Status == run.Interrupted {
		fmt.Fprintf(a.out, "\ncontinue it: synfire runs resume %s\n", r.Dir)
	}
	if r.Result == nil {
		return nil
	}
	var result report.Run
	if err := json.Unmarshal(r.Raw, &result); err != nil {
		return fmt.Errorf("runs show %s: result.json: %w", r.Dir, err)
	}
	if result.Result != "" {
		fmt.Fprintf(a.out, "result      the model of %s\n", result.Result)
	}
	fmt.Fprintf(a.out, "report      %s\n\n", filepath.Join(r.Dir, "report.html"))
	return result.WriteTerminal(a.out, a.width, a.color)
}

// figuresOf are the figures of a split in a line.
func figuresOf(split string, f run.Figures) string {
	if len(f) == 0 {
		return ""
	}
	text := "; " + split
	for _, name := range slices.Sorted(maps.Keys(f)) {
		text += fmt.Sprintf(" %s %.4g", name, f[name])
	}
	return text
}

// runDiff is the JSON of runs diff.
type runDiff struct {
	Runs    [2]string         `json:"runs"`
	Config  []string          `json:"config"` // lines with "-" or "+" before them
	Metrics map[string][2]any `json:"metrics"`
	Claims  map[string][2]any `json:"claims"`
	Weights string            `json:"weights"` // same, differ or unknown
}

// Run compares.
func (c *runsDiffCmd) Run(a *app) error {
	var runs [2]run.Info
	for i, name := range []string{c.A, c.B} {
		r, err := run.Find(c.In, name)
		if err != nil {
			return usageError{fmt.Errorf("runs diff: %w", err)}
		}
		runs[i] = r
	}
	changed, err := run.DiffConfig(runs[0], runs[1])
	if err != nil {
		return fmt.Errorf("runs diff: %w", err)
	}
	d := runDiff{Runs: [2]string{runs[0].Name, runs[1].Name}, Config: []string{}, Metrics: map[string][2]any{}, Claims: map[string][2]any{}, Weights: "unknown"}
	for _, l := range changed {
		d.Config = append(d.Config, string(l.Mark)+" "+l.Text)
	}
	for i, r := range runs {
		if r.Result == nil {
			continue
		}
		for name, v := range r.Result.Metrics {
			setFigure(d.Metrics, name, i, v)
		}
		for _, claim := range r.Result.Claims {
			setFigure(d.Claims, claim.ID, i, claim.Measured)
		}
	}
	if x, y := runs[0].Result, runs[1].Result; x != nil && y != nil && x.Weights != "" && y.Weights != "" {
		d.Weights = "differ"
		if x.Weights == y.Weights {
			d.Weights = "same"
		}
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(d)
	}
	return d.print(a)
}

func setFigure(m map[string][2]any, name string, i int, v *float64) {
	pair := m[name]
	if v != nil {
		pair[i] = *v
	}
	m[name] = pair
}

func (d runDiff) print(a *app) error {
	if len(d.Config) == 0 {
		fmt.Fprintln(a.out, "the configurations are the same")
	}
	for _, line := range d.Config {
		fmt.Fprintln(a.out, a.Style(map[byte]string{'-': view.Yellow, '+': view.Green}[line[0]], line))
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\n\t%s\t%s\n", d.Runs[0], d.Runs[1])
	for _, part := range []struct {
		what string
		m    map[string][2]any
	}{{"claim ", d.Claims}, {"", d.Metrics}} {
		for _, name := range slices.Sorted(maps.Keys(part.m)) {
			pair := part.m[name]
			fmt.Fprintf(w, "%s%s\t%s\t%s\n", part.what, name, figureOf(pair[0]), figureOf(pair[1]))
		}
	}
	fmt.Fprintf(w, "weights\t%s\n", d.Weights)
	return w.Flush()
}

func figureOf(v any) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.6g", v)
}

// saves tells that a run that is interrupted is to be waited for.
func (*runsResumeCmd) saves() {}

// Run continues the run as it was started.
func (c *runsResumeCmd) Run(a *app) error {
	r, err := run.Find(c.In, c.Name)
	if err != nil {
		return usageError{fmt.Errorf("runs resume: %w", err)}
	}
	switch {
	case r.Status == run.Done:
		return usageError{fmt.Errorf("runs resume: %s is done; see it with: synfire runs show %s", r.Name, r.Dir)}
	case r.Status == run.Running:
		return usageError{fmt.Errorf("runs resume: another process is running %s; wait for it or stop it first", r.Name)}
	}
	flags := runFlags{Seed: &r.Seed, Threads: c.Threads, Out: r.Dir, Resume: true, Save: saveEvery, DataDir: c.DataDir, JSON: c.JSON}
	if r.Recipe == "" {
		// The run wrote paths as they were from the folder that it was started in.
		return (&trainCmd{File: filepath.Join(r.Dir, "config.yaml"), runFlags: flags}).train(a, ".")
	}
	return (&runCmd{Recipe: r.Recipe, Scale: r.Scale, runFlags: flags}).Run(a)
}

// Run exports.
func (c *runsExportCmd) Run(a *app) error {
	if c.Name == "" {
		return c.exportAll(a)
	}
	r, err := run.Find(c.In, c.Name)
	if err != nil {
		return usageError{fmt.Errorf("runs export: %w", err)}
	}
	_, epochs, err := r.History()
	if err != nil {
		return err
	}
	if c.Format == "json" {
		return json.NewEncoder(a.out).Encode(append([]run.Epoch{}, epochs...))
	}
	var records []map[string]string
	for _, e := range epochs {
		rec := map[string]string{"epoch": strconv.Itoa(e.Epoch), "step": strconv.Itoa(e.Step), "seconds": number(e.Seconds)}
		for split, figures := range map[string]run.Figures{"train_": e.Train, "valid_": e.Valid, "test_": e.Test, "rate.": run.Figures(e.Rates)} {
			for name, v := range figures {
				rec[split+name] = number(v)
			}
		}
		records = append(records, rec)
	}
	return writeCSV(a.out, []string{"epoch", "step", "seconds"}, records)
}

func (c *runsExportCmd) exportAll(a *app) error {
	runs, err := run.List(c.In)
	if err != nil {
		return err
	}
	rows := []runRow{}
	var records []map[string]string
	for _, r := range runs {
		x := row(r)
		rows = append(rows, x)
		rec := map[string]string{"run": x.Run, "recipe": x.Recipe, "scale": x.Scale, "seed": strconv.FormatUint(x.Seed, 10), "status": string(x.Status)}
		if x.Started != nil {
			rec["started"] = x.Started.Format(time.RFC3339)
		}
		if x.WallSeconds != nil {
			rec["wall_seconds"] = number(*x.WallSeconds)
		}
		for name, v := range x.Metrics {
			if v != nil {
				rec[name] = number(*v)
			}
		}
		records = append(records, rec)
	}
	if c.Format == "json" {
		return json.NewEncoder(a.out).Encode(rows)
	}
	return writeCSV(a.out, []string{"run", "recipe", "scale", "seed", "status", "started", "wall_seconds"}, records)
}

// writeCSV writes the first columns, then all others that a record has, by name.
func writeCSV(out io.Writer, columns []string, records []map[string]string) error {
	more := map[string]bool{}
	for _, r := range records {
		for name := range r {
			more[name] = !slices.Contains(columns, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(more)) {
		if more[name] {
			columns = append(columns, name)
		}
	}
	w := csv.NewWriter(out)
	if err := w.Write(columns); err != nil {
		return err
	}
	for _, r := range records {
		line := make([]string, len(columns))
		for i, name := range columns {
			line[i] = r[name]
		}
		if err := w.Write(line); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
