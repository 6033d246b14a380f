package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"synfire/internal/atomicfile"
	"synfire/internal/machine"
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
	Recipe string   `arg:"" help:"Name of the recipe; see: synfire recipes."`
	Scale  string   `help:"Size of the run: smoke, short or full." enum:"smoke,short,full" default:"short"`
	Part   []string `help:"Part of the recipe, where it has some (see: synfire recipes). Repeatable; none: all." placeholder:"PART"`
	runFlags
}

type recipesCmd struct {
	JSON bool `help:"Print JSON."`
}

// Help is the verb's longer help.
func (runCmd) Help() string {
	return `Runs a reproduction at a scale (smoke: seconds, short: minutes, full: the
paper's size), writes a report, and compares what it measured with the bounds of
its claims. Ctrl-C saves; --resume continues to the same result, bit for bit. Of a
recipe with parts --part runs some; the other parts' claims are not tested then.`
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
		if len(r.Parts) > 0 {
			fmt.Fprintf(w, "\t--part %s\n", strings.Join(r.Parts, ", "))
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
	parts, err := r.Choose(c.Part)
	if err != nil {
		return usageError{fmt.Errorf("run: %w", err)}
	}
	name := strings.Join(append([]string{fmt.Sprintf("%s-%s-s%d", r.ID, scale, seed)}, parts...), "-")
	return a.runRecipe(r, scale, seed, name, c.runFlags, parts...)
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

// runRecipe runs in the run's directory, judges, and writes the report. Without parts it runs all.
func (a *app) runRecipe(r recipe.Recipe, scale report.Scale, seed uint64, name string, f runFlags, parts ...string) error {
	if f.Save < 0 {
		return usageError{fmt.Errorf("--save %d: want a number of steps, or 0 for the end of epochs only", f.Save)}
	}
	start, built := time.Now(), machine.BuiltFrom()
	out := f.Out
	if out == "" {
		out = run.Free(filepath.Join("runs", name), f.Resume)
	}
	abandon, err := run.Start(out, run.Record{Recipe: r.ID, Scale: string(scale), Seed: seed, Started: start.UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	clock, err := run.NewClock(out, f.Resume, time.Now)
	if err != nil {
		return err
	}
	defer func() {
		clock.Stop()
		abandon() // does nothing once the run has files of its own
	}()
	pool := par.New(f.Threads)
	defer pool.Close()
	progress := view.NewProgress(a.Screen)
	env := &recipe.Env{
		Catalog: a.Catalog, Scale: scale, Seed: seed, Parts: parts, Pool: pool, Out: out, Resume: f.Resume, SaveEvery: f.Save, Logs: f.Log,
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
		Recipe: r.ID, Paper: r.Paper, Scale: scale, Seed: seed, Parts: parts, Run: filepath.Base(out), Dir: filepath.ToSlash(out),
		Threads: pool.Threads(), WallSeconds: clock.Seconds(), Result: o.Result, Figure: o.Figure,
		Claims: r.Judge(scale, o, parts...), Metrics: o.Metrics, WeightsSHA256: o.WeightsSHA256,
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

// finish writes the report, as HTML and Markdown with figures as files of their own, and
// prints the result. result.json, by which a run is known to be done, is written last,
// and that of an earlier end is taken away first: a disk that is full in between leaves
// no run that looks done with an old report.
func (a *app) finish(result report.Run, page report.Page, asJSON bool) error {
	dir := filepath.FromSlash(result.Dir)
	file := filepath.Join(dir, "result.json")
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := page.Write(dir); err != nil {
		return err
	}
	if err := atomicfile.Write(file, result.WriteJSON); err != nil {
		return err
	}
	var err error
	if asJSON {
		err = result.WriteJSON(a.out)
	} else {
		fmt.Fprintf(a.out, "\nReport: %s\n\n", filepath.Join(dir, "report.html"))
		err = errors.Join(a.Trends(dir), result.WriteTerminal(a.out, a.width, a.color))
	}
	if err == nil && result.ExitCode() != 0 {
		return codeError(result.ExitCode())
	}
	return err
}
