package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"synfire/data"
	"synfire/internal/par"
	"synfire/model"
	"synfire/recipe"
	"synfire/report"
	"synfire/train"
)

type trainCmd struct {
	File string `arg:"" help:"YAML file; unknown keys are errors."`
	runFlags
}

type evalCmd struct {
	Model   string `arg:"" help:"Checkpoint of a run (checkpoints/*.safetensors)."`
	Data    string `help:"Data set, or your own: folder:PATH or npz:FILE." required:""`
	Split   string `help:"Split: train or test." enum:"train,test" default:"test"`
	Threads int    `help:"Threads; 0 means one for each processor." default:"0"`
	DataDir string `help:"Folder with your own copies of data sets." placeholder:"DIR"`
	JSON    bool   `help:"Print JSON."`

	EarlyExit *model.EarlyExit `help:"Answer a sample as soon as it is decided: LEAD, by which the largest score must lead (in spikes), or certain, where no later spike can change the answer; off runs all steps. Default: as in the file that was trained." placeholder:"LEAD"`
}

// evaluation is the JSON of eval.
type evaluation struct {
	Data            string             `json:"data"`
	Split           string             `json:"split"`
	N               int                `json:"n"`
	Accuracy        float64            `json:"accuracy"`
	Loss            *float64           `json:"loss"` // null with early exit: it is defined over all steps
	StepsPerSample  float64            `json:"steps_per_sample"`
	Confusion       [][]int            `json:"confusion"`
	SpikesPerSample float64            `json:"spikes_per_sample"`
	Rates           map[string]float64 `json:"rates"`
	WallSeconds     float64            `json:"wall_seconds"`
}

// Run trains. Paths in the file are relative to its folder.
func (c *trainCmd) Run(a *app) error { return c.train(a, filepath.Dir(c.File)) }

// train trains what the file says; paths in it are relative to dir.
func (c *trainCmd) train(a *app, dir string) error {
	src, err := os.ReadFile(c.File)
	if err != nil {
		return usageError{fmt.Errorf("train: %w", err)}
	}
	table := model.Default()
	cfg, err := table.Decode(c.File, src)
	if err != nil {
		return usageError{err}
	}
	if c.Seed != nil {
		cfg.Seed = *c.Seed
	}
	d, err := configured(&cfg.Data, dir)
	if err != nil {
		return err
	}
	base := strings.TrimSuffix(filepath.Base(c.File), filepath.Ext(c.File))
	own := recipe.Recipe{ID: "", Title: "training of " + base, Run: func(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
		o, err := trainOwn(ctx, e, table, cfg, d)
		return o, model.Locate(c.File, src, err)
	}}
	return a.runRecipe(own, "", cfg.Seed, fmt.Sprintf("%s-s%d", base, cfg.Seed), c.runFlags)
}

func trainOwn(ctx context.Context, e *recipe.Env, table model.Table, cfg model.Config, d data.Dataset) (*recipe.Outcome, error) {
	trainSet, testSet, err := d.Load(ctx, e.Data)
	if err != nil {
		return nil, err
	}
	p, err := train.NewPlan(cfg, trainSet)
	if err != nil {
		return nil, usageError{err}
	}
	if err := tooBig(p, cfg); err != nil && p.Weights > memory() {
		return nil, fmt.Errorf("train: %w", err)
	} else if err != nil { // what grows with the batch is an upper bound
		e.Observer.Warn(err.Error())
	}
	t, err := recipe.Train(ctx, e, table, cfg, trainSet, testSet)
	if err != nil {
		return nil, err
	}
	sections, err := t.Sections()
	if err != nil {
		return nil, err
	}
	accuracy := t.Result.Metrics.Accuracy()
	return &recipe.Outcome{
		Metrics:       report.Metrics{"test_accuracy": accuracy, "test_loss": t.Result.Metrics.Loss(), "epochs": float64(len(t.Epochs))},
		WeightsSHA256: t.WeightsSHA256(),
		Page: func(r report.Run) report.Page {
			return report.Page{
				Title:    r.Run,
				Lead:     fmt.Sprintf("%.2f %% of %s test images of %s are classified correctly; epochs of training: %d.", accuracy, report.Integer(int64(t.Result.Metrics.N)), d.Name, len(t.Epochs)),
				Sections: sections, Config: string(t.YAML), Facts: []report.Fact{{Label: "data", Value: d.Title}},
			}
		},
	}, nil
}

// Run evaluates.
func (c *evalCmd) Run(a *app) error {
	ck, err := train.ReadCheckpoint(c.Model)
	if err != nil {
		return err
	}
	if ck.Kind != train.KindBPTT {
		return fmt.Errorf("eval %s: learner %q is not known to this program; use a newer synfire", c.Model, ck.Kind)
	}
	cfg, err := model.Default().Decode(c.Model, ck.Config)
	if err != nil {
		return err
	}
	d, err := named(c.Data, cfg.Data)
	if err != nil {
		return err
	}
	trainSet, set, err := d.Load(a.ctx, dataOptions(a, c.DataDir))
	if err != nil {
		return err
	}
	if c.Split == "train" || set == nil { // one's own data without a test split are measured whole
		set = trainSet
	}
	if c.Split = set.Split; !set.Shape.Equal(trainSet.Shape) {
		return fmt.Errorf("eval: %s: samples of shape %v for training and %v for the test", c.Data, trainSet.Shape, set.Shape)
	}
	set = cfg.Data.Normalized(set)
	pool := par.New(c.Threads)
	defer pool.Close()
	learner, err := train.FromConfig(cfg, trainSet, pool)
	if err != nil {
		return err
	}
	if err := learner.SetState(ck.State); err != nil {
		return err
	}
	if c.EarlyExit == nil {
		c.EarlyExit = &cfg.EarlyExit
	}
	return c.evaluate(a, learner, cfg.Steps, set)
}

func (c *evalCmd) evaluate(a *app, l *train.BPTT, steps int, set *data.Set) error {
	var learner train.Learner = l
	var early *train.EarlyExit
	batch := 256
	if c.EarlyExit.On() {
		var err error
		if early, err = l.EarlyExit(c.EarlyExit.Lead, c.EarlyExit.Certain, 0); err != nil {
			return err
		}
		learner, batch = early, 1 // what a sample takes is then its own
	}
	start, v := time.Now(), newView(a)
	ev, err := train.Evaluate(a.ctx, learner, set, batch, v.Evaluating)
	v.done()
	if errors.Is(err, train.ErrInterrupted) {
		return fmt.Errorf("eval: %w", err)
	}
	if err != nil {
		return err
	}
	e := evaluation{
		Data: c.Data, Split: c.Split, N: ev.Metrics.N, Accuracy: ev.Metrics.Accuracy(), StepsPerSample: float64(steps),
		Confusion: ev.Confusion, Rates: map[string]float64{}, WallSeconds: time.Since(start).Seconds(),
	}
	lossText := "defined over all steps only"
	if early != nil {
		e.StepsPerSample = float64(early.Steps) / float64(max(1, early.Samples))
	} else {
		value := ev.Metrics.Loss()
		e.Loss, lossText = &value, fmt.Sprintf("%.4f", value)
	}
	spikes := 0
	for _, r := range ev.Metrics.Rates {
		e.Rates[r.Layer] = r.Value()
		spikes += r.Spikes
	}
	e.SpikesPerSample = float64(spikes) / float64(max(1, e.N))
	if c.JSON {
		return json.NewEncoder(a.out).Encode(e)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "data\t%s, %s, %s samples\naccuracy\t%.2f %%\nloss\t%s\nsteps a sample\t%.2f of %d\nspikes a sample\t%.1f\ntime\t%s\n",
		e.Data, e.Split, report.Integer(int64(e.N)), e.Accuracy, lossText, e.StepsPerSample, steps, e.SpikesPerSample, report.Seconds(e.WallSeconds))
	for _, r := range ev.Metrics.Rates {
		fmt.Fprintf(w, "rate of %s\t%.4f\n", r.Layer, r.Value())
	}
	return w.Flush()
}
