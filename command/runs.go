package command

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"synfire/run"
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

// Run lists the runs.
func (c *runsListCmd) Run(a *app) error {
	runs, err := run.List(c.In)
	if err != nil {
		return err
	}
	rows := []run.Row{}
	for _, r := range runs {
		rows = append(rows, r.Row())
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(rows)
	}
	return a.Runs(rows, c.In)
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
		return json.NewEncoder(a.out).Encode(r.Row())
	}
	return a.Run(r)
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
	d, err := run.Compare(runs[0], runs[1])
	if err != nil {
		return fmt.Errorf("runs diff: %w", err)
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(d)
	}
	return a.Difference(d)
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
	return run.WriteEpochs(a.out, epochs)
}

func (c *runsExportCmd) exportAll(a *app) error {
	runs, err := run.List(c.In)
	if err != nil {
		return err
	}
	rows := []run.Row{}
	for _, r := range runs {
		rows = append(rows, r.Row())
	}
	if c.Format == "json" {
		return json.NewEncoder(a.out).Encode(rows)
	}
	return run.WriteRows(a.out, rows)
}
