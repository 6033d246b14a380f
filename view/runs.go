package view

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"synfire/report"
	"synfire/run"
)

// Runs prints a list of runs, those in a folder.
func (s Screen) Runs(rows []run.Row, in string) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintf(s.Out, "no runs in %s; synfire run and synfire train make them\n", in)
		return err
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tSTATUS\tSTARTED\tTIME\tRESULT")
	for _, r := range rows {
		started, wall := "–", "–"
		if r.Started != nil {
			started = r.Started.Local().Format("2006-01-02 15:04")
		}
		if r.WallSeconds != nil {
			wall = report.Seconds(*r.WallSeconds)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Run, r.Status, started, wall, shownMetric(r))
	}
	return w.Flush()
}

// shownMetric is the figure of a run that its row shows: the first task's, or where the
// run does not say which that is the accuracy, or the first by name that was measured of
// the test, or else of the validation samples.
func shownMetric(r run.Row) string {
	if v := r.Metrics[r.Figure]; v != nil && r.Figure != "test_accuracy" {
		return fmt.Sprintf("%s %.4g", r.Figure, *v)
	}
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

// Run prints what a run's directory tells.
func (s Screen) Run(r run.Info) error {
	points, epochs, err := r.History()
	if err != nil {
		return err
	}
	what := "training file of one's own"
	if r.Recipe != "" {
		what = "recipe " + r.Recipe + ", scale " + r.Scale
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "run\t%s\nwhat\t%s, seed %d\nstatus\t%s\n", r.Dir, what, r.Seed, r.Status)
	if len(epochs) > 0 {
		e := epochs[len(epochs)-1]
		fmt.Fprintf(w, "epochs\t%d%s%s%s\n", e.Epoch, figuresOf("train", e.Train), figuresOf("valid", e.Valid), figuresOf("test", e.Test))
	}
	for _, t := range trends(points, epochs) {
		if len(t.Values) > 1 {
			fmt.Fprintf(w, "%s\t%s\n", t.Name, report.Sparkline(t.Values, 40))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if r.Status == run.Interrupted {
		fmt.Fprintf(s.Out, "\ncontinue it: synfire runs resume %s\n", r.Dir)
	}
	if r.Result == nil {
		return nil
	}
	var result report.Run
	if err := json.Unmarshal(r.Raw, &result); err != nil {
		return fmt.Errorf("runs show %s: result.json: %w", r.Dir, err)
	}
	fmt.Fprintf(s.Out, "report      %s\n\n", filepath.Join(r.Dir, "report.html"))
	return result.WriteTerminal(s.Out, s.Width, s.Color)
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

// Difference prints in what two runs differ.
func (s Screen) Difference(d run.Difference) error {
	if len(d.Config) == 0 {
		fmt.Fprintln(s.Out, "the configurations are the same")
	}
	for _, line := range d.Config {
		fmt.Fprintln(s.Out, s.Style(map[byte]string{'-': Yellow, '+': Green}[line[0]], line))
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
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

// Trends shows how the figures of the run in a directory went, where it kept them
// there.
func (s Screen) Trends(dir string) error {
	points, epochs, err := run.History(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a run that trains nothing, or several networks
	}
	if err != nil {
		return err
	}
	if err := report.WriteTrends(s.Out, trends(points, epochs), s.Width, s.Color); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.Out)
	return err
}

// trends are the courses of the figures of training, and of those that were measured
// after each epoch.
func trends(points []run.Point, epochs []run.Epoch) []report.Trend {
	var out []report.Trend
	add := func(split string, n int, of func(i int) run.Figures) {
		all := map[string]bool{}
		for i := range n {
			for name := range of(i) {
				all[name] = true
			}
		}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			t := report.Trend{Name: split + " " + name}
			for i := range n {
				v, ok := of(i)[name]
				if !ok {
					v = math.NaN()
				}
				t.Values = append(t.Values, v)
			}
			out = append(out, t)
		}
	}
	add("training", len(points), func(i int) run.Figures { return points[i].Train })
	add("validation", len(epochs), func(i int) run.Figures { return epochs[i].Valid })
	add("test", len(epochs), func(i int) run.Figures { return epochs[i].Test })
	return out
}
