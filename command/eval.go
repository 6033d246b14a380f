package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"synfire/catalog"
	"synfire/internal/par"
	"synfire/modelfile"
	"synfire/report"
	"synfire/rule/bptt"
	"synfire/task"
	"synfire/train"
	"synfire/view"
)

type evalCmd struct {
	Model   string `arg:"" help:"Model file, or checkpoint of a run."`
	Data    string `help:"Data set, or your own as folder:PATH, npz:FILE, or source:PATH for the kind of source that the model was trained on. Default: what it was trained on." placeholder:"DATA"`
	Split   string `help:"Part of the data: train, valid, test or all." enum:"train,valid,test,all" default:"test"`
	Threads int    `help:"Threads; 0 means one for each processor." default:"0"`
	DataDir string `help:"Folder with your own copies of data sets." placeholder:"DIR"`
	JSON    bool   `help:"Print JSON."`

	EarlyExit *bptt.Lead `help:"Answer a sample as soon as it is decided: LEAD, by which the largest score must lead (in spikes), or certain, where no later spike can change the answer; off runs all steps. Default: as in the file that was trained. Of rule bptt." placeholder:"LEAD"`
}

// Help is the verb's longer help.
func (evalCmd) Help() string {
	return `Measures a model by its task. The parts of the data that it was trained on are those of
training: train is what it learned from, valid what chose the best epoch, test what
neither has seen.`
}

// evaluation is the JSON of eval.
type evaluation struct {
	Data            string              `json:"data"`
	Split           string              `json:"split"`
	N               int                 `json:"n"`
	Task            string              `json:"task"`
	Scalars         []scalar            `json:"scalars"`
	Accuracy        *float64            `json:"accuracy,omitempty"` // of classify, as what follows
	Confusion       [][]int             `json:"confusion,omitempty"`
	Classes         []string            `json:"classes,omitempty"`
	PerClass        []task.ClassFigures `json:"per_class,omitempty"`
	Loss            *float64            `json:"loss"` // null with early exit, which has none: it is defined over all steps
	StepsPerSample  float64             `json:"steps_per_sample"`
	SpikesPerSample float64             `json:"spikes_per_sample"`
	Rates           map[string]float64  `json:"rates"`
	WallSeconds     float64             `json:"wall_seconds"`
}

// scalar is a figure with its unit; null where it is undefined, and why.
type scalar struct {
	Name      string         `json:"name"`
	Value     *float64       `json:"value"`
	Unit      string         `json:"unit"`
	Direction task.Direction `json:"direction"`
	Why       string         `json:"why,omitempty"`
}

// Run evaluates.
func (c *evalCmd) Run(a *app) error {
	pool := par.New(c.Threads)
	defer pool.Close()
	f, err := modelfile.Read(c.Model)
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
	p, batch, err := c.predictor(m)
	if err != nil {
		return err
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
	e := evaluationOf(ev, m.Config.Steps)
	e.Data, e.Split, e.Task, e.WallSeconds = part.Name, part.Split, taskKind(a.Catalog, m.Config), time.Since(start).Seconds()
	if c.JSON {
		return json.NewEncoder(a.out).Encode(e)
	}
	return e.print(a, ev, m.Config.Steps)
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

// predictor is the model's, or one that stops early, and the samples that it takes at
// once.
func (c *evalCmd) predictor(m *catalog.Model) (train.Predictor, int, error) {
	lead := bptt.Lead{}
	switch r := m.Config.Rule.(type) {
	case bptt.Rule:
		lead = r.EarlyExit
	case *bptt.Rule:
		lead = r.EarlyExit
	}
	if c.EarlyExit != nil {
		lead = *c.EarlyExit
	}
	if !lead.On() {
		return m.Predictor(), 0, nil
	}
	early, ok := m.Predictor().(interface {
		EarlyExit(lead bptt.Lead, window int) (*bptt.EarlyExit, error)
	})
	if !ok {
		return nil, 0, usageError{fmt.Errorf("eval: a model of rule %s runs all its steps; leave --early-exit out", m.Rule)}
	}
	p, err := early.EarlyExit(lead, 0)
	return p, 1, err // what a sample takes is then its own
}

func evaluationOf(ev *train.Evaluation, steps int) evaluation {
	e := evaluation{N: ev.Metrics.N, StepsPerSample: ev.Steps, Rates: map[string]float64{}, Scalars: []scalar{}}
	if e.StepsPerSample == 0 {
		e.StepsPerSample = float64(steps)
	}
	for _, s := range ev.Scalars {
		one := scalar{s.Name, &s.Value, s.Unit, s.Better, s.Why}
		if !s.Defined() {
			one.Value = nil
		}
		e.Scalars = append(e.Scalars, one)
	}
	if v, ok := ev.Metrics.Mean(train.Loss); ok {
		e.Loss = &v
	}
	if k := ev.Classes(); k != nil {
		accuracy := k.Accuracy()
		e.Accuracy, e.Confusion, e.Classes, e.PerClass = &accuracy, k.Confusion, k.Names, k.PerClass()
	}
	spikes := 0
	for _, r := range ev.Metrics.Rates {
		e.Rates[r.Layer] = r.Value()
		spikes += r.Spikes
	}
	e.SpikesPerSample = float64(spikes) / float64(max(1, e.N))
	return e
}

func (e evaluation) print(a *app, ev *train.Evaluation, steps int) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "data\t%s, %s, %s samples\n", e.Data, e.Split, report.Integer(int64(e.N)))
	for _, s := range ev.Scalars {
		text := s.String()
		if s.Why != "" {
			text += ": " + s.Why
		}
		fmt.Fprintf(w, "%s\t%s\n", s.Name, text)
	}
	if e.Loss == nil && ev.Steps > 0 {
		fmt.Fprintln(w, "loss\tdefined over all steps only")
	}
	fmt.Fprintf(w, "steps a sample\t%.2f of %d\nspikes a sample\t%.1f\ntime\t%s\n", e.StepsPerSample, steps, e.SpikesPerSample, report.Seconds(e.WallSeconds))
	for _, r := range ev.Metrics.Rates {
		fmt.Fprintf(w, "rate of %s\t%.4f\n", r.Layer, r.Value())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, score := range ev.Scores {
		if k, ok := score.(*task.Classes); ok {
			if err := a.Classes(k); err != nil {
				return err
			}
		}
	}
	return nil
}
