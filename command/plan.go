package command

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"synfire/data"
	"synfire/internal/par"
	"synfire/model"
	"synfire/report"
	"synfire/train"
)

type planCmd struct {
	What    string `arg:"" name:"file|recipe" help:"YAML file of a training run, or name of a recipe."`
	Scale   string `help:"Scale of the recipe: smoke, short or full." enum:"smoke,short,full" default:"short"`
	Threads int    `help:"Threads; 0 means one for each processor." default:"0"`
	DataDir string `help:"Folder with your own copies of data sets." placeholder:"DIR"`
	JSON    bool   `help:"Print JSON."`
}

// Help is the verb's longer help.
func (planCmd) Help() string {
	return `Tells before a run how many parameters the network has, what memory training and
inference need (upper bounds; program and data set come on top), and how long an
epoch takes, measured on a few batches. A network that this machine cannot hold is
not measured: the plan says so and ends with exit code 1.`
}

// planned is the JSON of plan.
type planned struct {
	Parameters      int64          `json:"parameters"`
	TrainBytes      int64          `json:"train_bytes"`
	InferBytes      int64          `json:"infer_bytes"`
	SecondsPerEpoch *float64       `json:"seconds_per_epoch"` // null where it does not fit
	Layers          []plannedLayer `json:"layers"`
}

type plannedLayer struct {
	Name       string `json:"name"`
	Output     []int  `json:"output"` // of one sample
	Parameters int64  `json:"parameters"`
}

// planSeconds is how long batches are measured, in training and in evaluation.
const planSeconds = 0.5

// Run plans.
func (c *planCmd) Run(a *app) error {
	cfg, src, err := c.config()
	if err != nil {
		return err
	}
	d, err := configured(&cfg.Data, filepath.Dir(c.What))
	if err != nil {
		return err
	}
	trainSet, testSet, err := d.Load(a.ctx, dataOptions(a, c.DataDir))
	if err != nil {
		return err
	}
	if cfg.Data, trainSet, testSet, err = cfg.Data.Resolve(trainSet, testSet); err != nil {
		return usageError{err}
	}
	p, err := train.NewPlan(cfg, trainSet)
	if err != nil {
		return usageError{model.Locate(c.What, src, err)}
	}
	out := planned{Parameters: p.Parameters, TrainBytes: p.Train, InferBytes: p.Infer}
	for _, n := range p.Net.Nodes() {
		l := plannedLayer{Name: n.Name, Output: n.Out}
		for _, w := range n.Params {
			l.Parameters += int64(w.Value.Shape.Size())
		}
		out.Layers = append(out.Layers, l)
	}
	unfit := tooBig(p, cfg)
	if unfit == nil {
		seconds, err := c.measure(a, cfg, trainSet, testSet)
		if err != nil {
			return err
		}
		out.SecondsPerEpoch = &seconds
	}
	if c.JSON {
		err = json.NewEncoder(a.out).Encode(out)
	} else {
		err = out.print(a, p, cfg)
	}
	if err == nil {
		err = unfit
	}
	return err
}

// config is what the recipe trains, or the file, whose text is src.
func (c *planCmd) config() (cfg model.Config, src []byte, err error) {
	if !strings.ContainsAny(c.What, "./\\") {
		r, err := findRecipe(c.What)
		if err != nil {
			return cfg, nil, usageError{err}
		}
		if r.Config == nil {
			return cfg, nil, usageError{fmt.Errorf("plan: %s trains no network that one configuration describes; at scale %s it takes about %s on 2 cores", r.ID, c.Scale, report.Seconds(60*r.Minutes[report.Scale(c.Scale)]))}
		}
		cfg, err = r.Config(report.Scale(c.Scale), 1)
		return cfg, nil, err
	}
	if src, err = os.ReadFile(c.What); err != nil {
		return cfg, nil, usageError{fmt.Errorf("plan: %w", err)}
	}
	if cfg, err = model.Default().Decode(c.What, src); err != nil {
		return cfg, nil, usageError{err}
	}
	return cfg, src, nil
}

func (c *planCmd) measure(a *app, cfg model.Config, trainSet, testSet *data.Set) (float64, error) {
	a.status("measuring a few batches")
	defer a.status("")
	pool := par.New(c.Threads)
	defer pool.Close()
	return train.EpochSeconds(a.ctx, cfg, trainSet, testSet, pool, time.Now, time.Duration(planSeconds*float64(time.Second)))
}

// tooBig is the error for a network that this machine's memory cannot hold.
func tooBig(p train.Plan, cfg model.Config) error {
	have := memory()
	if have == 0 || p.Train <= have {
		return nil
	}
	step, _ := p.Net.Memory()
	least := p.Train - int64(cfg.Batch)*step*int64(p.Window-1) // with one step at once
	try := fmt.Sprintf("a smaller batch than %d", cfg.Batch)
	switch {
	case p.Weights > have:
		try = "smaller layers: most of it is weights"
	case least <= have:
		try += fmt.Sprintf(", or memory: %v in the file, which holds fewer steps at once for the same results", model.Bytes(have>>31<<30))
	}
	return fmt.Errorf("training needs about %s, this machine has %s of memory; try %s", report.Bytes(p.Train), report.Bytes(have), try)
}

func (o planned) print(a *app, p train.Plan, cfg model.Config) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LAYER\tOUTPUT\tPARAMETERS")
	for i, n := range p.Net.Nodes() {
		fmt.Fprintf(w, "%s\t%v\t%s\n", n.Name, n.Out, report.Integer(o.Layers[i].Parameters))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(a.out)
	w = tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "parameters\t%s\n", report.Integer(o.Parameters))
	fmt.Fprintf(w, "memory, training\t%s at most, batch %d, %d of %d steps at once\n", report.Bytes(o.TrainBytes), cfg.Batch, p.Window, cfg.Steps)
	fmt.Fprintf(w, "memory, inference\t%s at most\n", report.Bytes(o.InferBytes))
	if o.SecondsPerEpoch != nil {
		fmt.Fprintf(w, "an epoch\t%s, %s batches and a test\n", report.Seconds(*o.SecondsPerEpoch), report.Integer(int64(p.Batches)))
		fmt.Fprintf(w, "the run\t%s, epochs: %d\n", report.Seconds(*o.SecondsPerEpoch*float64(cfg.Epochs)), cfg.Epochs)
	}
	return w.Flush()
}
