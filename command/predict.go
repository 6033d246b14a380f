package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"synfire/catalog"
	"synfire/data/arrays"
	"synfire/data/folder"
	"synfire/data/input"
	"synfire/data/table"
	"synfire/internal/par"
	"synfire/model"
	"synfire/view"
	"synfire/zoo"
)

type predictCmd struct {
	Model   string   `arg:"" help:"Model file, checkpoint of a run, or name of a model that ships (synfire models)."`
	Files   []string `arg:"" name:"file" help:"Images (PNG, JPEG), sounds (WAV), tables (CSV), arrays (NPZ, NPY), recordings of events (N-MNIST .bin), or - for lines of numbers on standard input."`
	Threads int      `help:"Threads; 0 means one for each processor." default:"0"`
	Data    string   `help:"Of a checkpoint of version 1, the data that it was trained on, as eval takes them." placeholder:"DATA"`
	DataDir string   `help:"Folder with your own copies of data sets." placeholder:"DIR"`
	JSON    bool     `help:"Print JSON, a line for each sample."`
}

// Help is the verb's longer help.
func (predictCmd) Help() string {
	return `Says of each sample what the model makes of it: the class with the scores of all
classes, values, or spike trains. The data set that it was trained on is not needed.
Tables and arrays may hold many samples. Ends with exit code 1 if one could not be read.

  synfire predict runs/net-s1/model.safetensors photo.png
  echo 5.1 3.5 1.4 0.2 | synfire predict flowers.safetensors -`
}

// failedInput is the JSON of a sample that could not be read.
type failedInput struct {
	Input string `json:"input"`
	Error string `json:"error"`
}

// Run predicts.
func (c *predictCmd) Run(a *app) error {
	pool := par.New(c.Threads)
	defer pool.Close()
	m, err := c.open(a, pool)
	if err != nil {
		return err
	}
	failed, n := view.Failures{Out: a.err, Program: a.Name}, 0
	stdin := func() input.Lines { return input.Lines{Reader: os.Stdin} }
	for in := range input.Files(a.ctx, c.Files, stdin, inputOptions(m)) {
		err := in.Err
		var p view.Prediction
		if err == nil {
			p, err = a.predict(m, in)
		}
		if a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		if err != nil {
			n++
			err = c.fail(a, &failed, in.Name, err)
		} else {
			err = errors.Join(failed.Tell(), c.print(a, p))
		}
		if err != nil {
			return err
		}
	}
	if a.ctx.Err() != nil {
		return a.ctx.Err()
	}
	if err := failed.Tell(); err != nil {
		return err
	}
	if n > 0 {
		return codeError(exitFailed)
	}
	return nil
}

// fail tells that an input could not be read.
func (c *predictCmd) fail(a *app, failed *view.Failures, name string, err error) error {
	if c.JSON {
		return json.NewEncoder(a.out).Encode(failedInput{name, err.Error()})
	}
	return failed.Add(name, err)
}

// open opens the model. A file of format 1 lacks what the data tell.
func (c *predictCmd) open(a *app, pool *par.Pool) (*catalog.Model, error) {
	f, err := zoo.Read(c.Model)
	if err != nil {
		return nil, fmt.Errorf("predict: %w", err)
	}
	o := catalog.OpenOptions{Pool: pool}
	if f.Spec == nil {
		part, err := a.measurable("predict", f, c.Data, catalog.SplitAll, c.DataDir)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", err, catalog.ErrFacts)
		}
		spec := part.Source.Spec()
		o.Spec = &spec
	}
	m, err := a.Catalog.FromFile(f, o)
	if err != nil {
		return nil, fmt.Errorf("predict %s: %w", c.Model, err)
	}
	return m, nil
}

// inputOptions are how a model takes samples: as the data that it was trained on.
func inputOptions(m *catalog.Model) input.Options {
	d := m.Config.Data
	o := input.Options{Spec: m.Spec, Source: d.Source, Length: d.Length}
	for _, f := range m.Spec.Targets {
		o.Skip = append(o.Skip, f.Name)
	}
	switch own := d.Own().(type) {
	case *folder.Images:
		o.Stretch = len(own.Size) > 0
	case *arrays.Arrays:
		o.Scale = own.Scale
	case *table.CSV:
		if own.Label != "" {
			o.Skip = append(o.Skip, own.Label)
		}
		o.Skip = append(o.Skip, own.Ignore...)
	}
	return o
}

func (a *app) predict(m *catalog.Model, in input.Input) (view.Prediction, error) {
	start := time.Now()
	answers, err := m.Predict(a.ctx, in.Sample)
	if err != nil {
		return view.Prediction{}, err
	}
	r := answers[0]
	all := make([]view.Answer, len(r.Readings))
	for i, one := range r.Readings {
		all[i] = view.Answer{Name: one.Name, Scores: one.Scores, Class: one.Class, Values: one.Values, Trains: one.Trains}
		if i < len(m.Config.Task) {
			all[i].Task = catalog.KindOf(a.Catalog.Tasks, m.Config.Task[i].Task)
		}
		if one.Course != nil {
			all[i].Values, all[i].Shape = slices.Concat(one.Course...), []int{len(one.Course), len(one.Course[0])}
		}
	}
	p := view.Prediction{
		Input: in.Name, Task: all[0].Task, Scores: all[0].Scores, Class: all[0].Class, Values: all[0].Values, Shape: all[0].Shape, Trains: all[0].Trains,
		Steps: r.Steps, Spikes: r.Spikes, WallSeconds: time.Since(start).Seconds(),
	}
	if len(all) > 1 {
		p.Outputs = all
	}
	return p, nil
}

// taskKind names the first task of a configuration.
func taskKind(c catalog.Catalog, cfg model.Config) string {
	if len(cfg.Task) == 0 {
		return ""
	}
	return catalog.KindOf(c.Tasks, cfg.Task[0].Task)
}

func (c *predictCmd) print(a *app, p view.Prediction) error {
	if c.JSON {
		return json.NewEncoder(a.out).Encode(p)
	}
	return a.Prediction(p)
}
