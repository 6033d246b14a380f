package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"synfire/internal/atomicfile"
	"synfire/internal/par"
	"synfire/recipe"
	"synfire/report"
	"synfire/run"
	"synfire/train"
	"synfire/view"
)

// runFlags are shared by the verbs that train.
type runFlags struct {
	Seed    *uint64  `help:"Seed of all random numbers (default 1, or the file's)."`
	Threads int      `help:"Threads; 0 means one for each processor. Results do not depend on it." default:"0"`
	Out     string   `help:"Directory of the run (default runs/NAME)." placeholder:"DIR"`
	Resume  bool     `help:"Continue the run in its directory."`
	Save    int      `help:"Steps between checkpoints within an epoch; 0: at the end of epochs only." default:"${save}"`
	Log     []string `help:"Also keep logs in the run's directory: tensorboard, csv, jsonl." enum:"tensorboard,csv,jsonl" placeholder:"KIND"`
	DataDir string   `help:"Folder with your own copies of data sets." placeholder:"DIR"`
	JSON    bool     `help:"Print the result as JSON."`
}

// saveEvery is the default of --save.
const saveEvery = 200

type runCmd struct {
	Recipe string `arg:"" help:"Name of the recipe; see: synfire recipes."`
	Scale  string `help:"Size of the run: smoke, short or full." enum:"smoke,short,full" default:"short"`
	runFlags
}

type recipesCmd struct {
	JSON bool `help:"Print JSON."`
}

// Help is the verb's longer help.
func (runCmd) Help() string {
	return `Runs a reproduction at a scale (smoke: seconds, short: minutes, full: the
paper's size), writes a report, and compares what it measured with the bounds of
its claims. Ctrl-C saves; --resume continues to the same result, bit for bit.`
}

// Run lists the recipes.
func (c *recipesCmd) Run(a *app) error {
	var list []recipe.Listing
	for _, r := range a.Recipes {
		list = append(list, r.Listing())
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(list)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, r := range list {
		fmt.Fprintf(w, "%s\t%s\n", r.ID, r.Title)
		for _, s := range r.Scales {
			fmt.Fprintf(w, "\t--scale %s: about %s\n", s.Name, report.Seconds(60*s.Minutes))
		}
	}
	return w.Flush()
}

// Run runs the recipe.
func (c *runCmd) Run(a *app) error {
	r, err := a.findRecipe("run", c.Recipe)
	if err != nil {
		return usageError{err}
	}
	seed := uint64(1)
	if c.Seed != nil {
		seed = *c.Seed
	}
	scale := report.Scale(c.Scale)
	name := fmt.Sprintf("%s-%s-s%d", r.ID, scale, seed)
	return a.runRecipe(r, scale, seed, name, c.runFlags)
}

func (a *app) findRecipe(verb, id string) (recipe.Recipe, error) {
	i, err := choose(verb, "recipe", id, names(a.Recipes, func(r recipe.Recipe) string { return r.ID }))
	if err != nil {
		return recipe.Recipe{}, usageError{err}
	}
	return a.Recipes[i], nil
}

// saves tells that a run that is interrupted is to be waited for.
func (*runFlags) saves() {}

// runRecipe runs in the run's directory, judges, and writes the report.
func (a *app) runRecipe(r recipe.Recipe, scale report.Scale, seed uint64, name string, f runFlags) error {
	start, built := time.Now(), builtFrom()
	out := f.Out
	if out == "" {
		out = freeDir(filepath.Join("runs", name), f.Resume)
	}
	abandon, err := run.Start(out, run.Record{Recipe: r.ID, Scale: string(scale), Seed: seed, Started: start.UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	defer abandon() // does nothing once the run has files of its own
	pool := par.New(f.Threads)
	defer pool.Close()
	progress := view.NewProgress(a.Screen)
	env := &recipe.Env{
		Catalog: a.Catalog, Scale: scale, Seed: seed, Pool: pool, Out: out, Resume: f.Resume, SaveEvery: f.Save, Logs: f.Log,
		Data: dataOptions(a, f.DataDir), Observer: progress, Now: time.Now,
	}
	what := r.Title
	if r.ID != "" {
		what = fmt.Sprintf("%s: %s, scale %s", r.ID, r.Title, scale)
	}
	fmt.Fprintf(a.err, "%s, seed %d, %d threads, in %s\n", what, seed, pool.Threads(), out)
	o, err := r.Run(a.ctx, env)
	progress.Done()
	if a.ctx.Err() != nil && err != nil {
		return a.interrupted(err, out)
	}
	if err != nil {
		return err
	}
	result := a.provenance(report.Run{
		Recipe: r.ID, Paper: r.Paper, Scale: scale, Seed: seed, Run: filepath.Base(out), Dir: filepath.ToSlash(out),
		Threads: pool.Threads(), WallSeconds: time.Since(start).Seconds(), Result: o.Result,
		Claims: r.Judge(scale, o), Metrics: o.Metrics, WeightsSHA256: o.WeightsSHA256,
	}, built)
	return a.finish(result, o.Page(result).Of(result), f.JSON)
}

// interrupted is the error of a run that a signal ended. What was saved when decides
// what can be said.
func (a *app) interrupted(err error, out string) error {
	switch r, look := run.Read(out); {
	case look != nil || r.Status == run.Empty:
		return fmt.Errorf("%w before anything was saved; start again with the same command", train.ErrInterrupted)
	case errors.Is(err, train.ErrInterrupted), errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: the run is saved; continue it with the same command and --resume --out %s", train.ErrInterrupted, out)
	}
	return err
}

// finish writes result.json and the report, as HTML and Markdown with figures as
// files of their own, and prints the result.
func (a *app) finish(result report.Run, page report.Page, asJSON bool) error {
	dir := filepath.FromSlash(result.Dir)
	if err := writePage(dir, page); err != nil {
		return err
	}
	if err := atomicfile.Write(filepath.Join(dir, "result.json"), result.WriteJSON); err != nil {
		return err
	}
	var err error
	if asJSON {
		err = result.WriteJSON(a.out)
	} else {
		fmt.Fprintf(a.out, "\nReport: %s\n\n", filepath.Join(dir, "report.html"))
		err = errors.Join(a.writeTrends(dir), result.WriteTerminal(a.out, a.width, a.color))
	}
	if err == nil && result.ExitCode() != 0 {
		return codeError(result.ExitCode())
	}
	return err
}

// writePage makes the directory and writes the page into it, as HTML and Markdown,
// with its figures as files of their own.
func writePage(dir string, page report.Page) error {
	html, err := page.HTML()
	if err != nil {
		return err
	}
	files := append(page.FigureFiles(), report.File{Name: "report.md", Content: page.Markdown()}, report.File{Name: "report.html", Content: html})
	if err := os.MkdirAll(filepath.Join(dir, "figures"), 0o755); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	for _, f := range files {
		if err := atomicfile.Write(filepath.Join(dir, filepath.FromSlash(f.Name)), writer(f.Content)); err != nil {
			return err
		}
	}
	return nil
}

// writeTrends shows how the figures of the run in a directory went, where it kept them
// there.
func (a *app) writeTrends(dir string) error {
	points, epochs, err := run.History(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a run that trains nothing, or several networks
	}
	if err != nil {
		return err
	}
	trends := trendsOf(points, epochs)
	if err := report.WriteTrends(a.out, trends, a.width, a.color); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out)
	return err
}

// trendsOf are the courses of the figures of training, and of those that were measured
// after each epoch.
func trendsOf(points []run.Point, epochs []run.Epoch) []report.Trend {
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

// freeDir is base, or with a number added the first that is not there yet. To
// resume, it is the last one that is.
func freeDir(base string, resume bool) string {
	dir := base
	for i := 2; ; i++ {
		next := fmt.Sprintf("%s-%d", base, i)
		if _, err := os.Stat(dir); err != nil {
			return dir
		}
		if _, err := os.Stat(next); resume && err != nil {
			return dir
		}
		dir = next
	}
}
