package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"synfire/catalog"
	"synfire/detect"
	"synfire/energy"
	"synfire/internal/par"
	"synfire/modelfile"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/train"
	"synfire/view"
	"synfire/zoo"
)

type evalCmd struct {
	Model   string `arg:"" help:"Model file, checkpoint of a run, or name of a model that ships (synfire models)."`
	Data    string `help:"Data set, or your own as folder:PATH, npz:FILE, source:PATH for the kind of source that the model was trained on, or yaml:FILE with the keys that training files have under data. Default: what it was trained on." placeholder:"DATA"`
	Split   string `help:"Part of the data: train, valid, test or all." enum:"train,valid,test,all" default:"test"`
	Threads int    `help:"Threads; 0 means one for each processor." default:"0"`
	DataDir string `help:"Folder with your own copies of data sets." placeholder:"DIR"`
	JSON    bool   `help:"Print JSON."`

	EarlyExit *bptt.Lead `help:"Answer a sample as soon as it is decided: LEAD, by which the largest score must lead (in spikes), or certain, where no later spike can change the answer; off runs all steps. Default: as in the file that was trained. Of rule bptt." placeholder:"LEAD"`
	Energy    string     `help:"Account for energy, by the constants of Horowitz at 45 nm (45nm) or those of a YAML file; on at most 200 samples, in all steps." placeholder:"45nm|FILE"`
}

// Help is the verb's longer help.
func (evalCmd) Help() string {
	return `Measures a model by its task. The parts of the data that it was trained on are those of
training: train is what it learned from, valid what chose the best epoch, test what
neither has seen.`
}

// Run evaluates.
func (c *evalCmd) Run(a *app) error {
	pool := par.New(c.Threads)
	defer pool.Close()
	f, err := zoo.Read(c.Model)
	if err != nil {
		return fmt.Errorf("eval: %w", err)
	}
	part, err := a.measurable("eval", f, c.Data, c.Split, c.DataDir)
	if err != nil {
		return err
	}
	spec := part.Source.Spec()
	m, err := a.Catalog.FromFile(f, catalog.OpenOptions{Pool: pool, Spec: &spec})
	if err != nil {
		return fmt.Errorf("eval %s: %w", c.Model, err)
	}
	if _, bound, ok := detect.Of(m.Config.Task); ok {
		if _, err := m.Heads(bound); err != nil {
			return fmt.Errorf("eval %s: %w", sample.Printable(c.Model), err)
		}
	}
	constants, err := energy.Named(c.Energy)
	if err != nil {
		return usageError{fmt.Errorf("eval: %w", err)}
	}
	p, batch, err := m.Stopping(c.EarlyExit)
	if err != nil {
		return usageError{fmt.Errorf("eval: %w", err)}
	}
	start, v := time.Now(), view.NewProgress(a.Screen)
	ev, err := m.Evaluate(a.ctx, p, part.Source, batch, func(done, total int) { v.Evaluating(part.Split, done, total) })
	v.Done()
	if errors.Is(err, train.ErrInterrupted) || a.ctx.Err() != nil {
		return context.Canceled
	}
	if err != nil {
		return fmt.Errorf("eval: %w", err)
	}
	e := catalog.EvaluationOf(ev, m.Config.Steps)
	e.Data, e.Split, e.Task, e.WallSeconds = part.Name, part.Split, taskKind(a.Catalog, m.Config), time.Since(start).Seconds()
	if c.Energy != "" {
		account, err := m.Account(a.ctx, part.Source, constants)
		if err != nil {
			return fmt.Errorf("eval: %w", err)
		}
		e.Energy = &account
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(e)
	}
	return a.Evaluation(e, ev, m.Config.Task, m.Config.Steps)
}

// measurable loads what a model of a file is to be measured with.
func (a *app) measurable(verb string, f *modelfile.File, data, split, dataDir string) (catalog.Part, error) {
	if err := a.Catalog.Knows(f); err != nil {
		return catalog.Part{}, fmt.Errorf("%s: %w", verb, err)
	}
	part, err := a.Catalog.Measurable(a.ctx, f, data, split, dataOptions(a, dataDir))
	if err != nil && data == "" {
		err = fmt.Errorf("%w; name other data by --data", err)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", verb, err)
	}
	return part, err
}
