package command

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"synfire/internal/par"
	"synfire/model"
	"synfire/recipe"
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
	return `Tells before a run how many parameters the model has, what memory training and
inference need (upper bounds; program and data set come on top), and how long an
epoch takes, measured on a few batches. A model that this machine cannot hold is
not measured: the plan says so and ends with exit code 1. A rule that cannot tell
beforehand what it needs has these figures unknown (null), and is measured.`
}

// planned is the JSON of plan; null is unknown.
type planned struct {
	Parameters      *int64         `json:"parameters"`
	TrainBytes      *int64         `json:"train_bytes"`
	InferBytes      *int64         `json:"infer_bytes"`
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
	cfg, src, err := c.config(a)
	if err != nil {
		return err
	}
	if cfg.Data.Name != "" {
		if _, err := a.Catalog.Loadable(cfg.Data.Name); err != nil {
			return usageError{err}
		}
	}
	trainSet, testSet, err := a.Catalog.Load(a.ctx, cfg.Data, dataOptions(a, c.DataDir))
	if err != nil {
		return err
	}
	cfg, sets, err := cfg.Prepare(a.ctx, trainSet, testSet)
	if err != nil {
		return usageError{err}
	}
	pool := par.New(c.Threads)
	defer pool.Close()
	out, p := planned{Layers: []plannedLayer{}}, train.Plan{}
	var unfit error
	if planner, ok := cfg.Rule.(train.Planner); ok {
		if p, err = planner.Plan(cfg.Setting(sets, pool)); err != nil {
			return usageError{model.Locate(c.What, src, err)}
		}
		out.Parameters, out.TrainBytes, out.InferBytes = &p.Parameters, &p.Train, &p.Infer
		for _, l := range p.Layers {
			out.Layers = append(out.Layers, plannedLayer{l.Name, l.Output, l.Parameters})
		}
		unfit = recipe.Fits(p, cfg.Batch)
	}
	if unfit == nil {
		seconds, err := measureEpoch(a, cfg, sets, pool)
		if err != nil {
			return model.Locate(c.What, src, err)
		}
		out.SecondsPerEpoch = &seconds
	}
	if c.JSON {
		err = json.NewEncoder(a.out).Encode(out)
	} else {
		err = out.print(a, p, cfg, sets)
	}
	if err == nil {
		err = unfit
	}
	return err
}

// config is what the recipe trains, or the file, whose text is src.
func (c *planCmd) config(a *app) (cfg model.Config, src []byte, err error) {
	if st, err := os.Stat(c.What); strings.ContainsAny(c.What, "./\\") || err == nil && !st.IsDir() && !slices.ContainsFunc(a.Recipes, func(r recipe.Recipe) bool { return r.ID == c.What }) {
		return a.decode("plan", c.What, filepath.Dir(c.What))
	}
	r, err := a.findRecipe("plan", c.What)
	if err != nil {
		return cfg, nil, err
	}
	if r.Config == nil {
		return cfg, nil, usageError{fmt.Errorf("plan: %s trains nothing that one configuration describes; at scale %s it takes about %s on 2 cores", r.ID, c.Scale, report.Seconds(60*r.Minutes[report.Scale(c.Scale)]))}
	}
	cfg, err = r.Config(report.Scale(c.Scale), 1)
	return cfg, nil, err
}

func measureEpoch(a *app, cfg model.Config, sets model.Sets, pool *par.Pool) (float64, error) {
	a.Status("measuring a few batches")
	defer a.Status("")
	loop, err := cfg.Loop(sets, pool)
	if err != nil {
		return 0, usageError{err}
	}
	return loop.EpochSeconds(a.ctx, time.Now, time.Duration(planSeconds*float64(time.Second)))
}

func (o planned) print(a *app, p train.Plan, cfg model.Config, sets model.Sets) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	if o.Parameters == nil {
		fmt.Fprintln(w, "parameters\tunknown: the rule cannot tell beforehand\nmemory\tunknown")
	} else {
		fmt.Fprintln(w, "LAYER\tOUTPUT\tPARAMETERS")
		for _, l := range p.Layers {
			fmt.Fprintf(w, "%s\t%v\t%s\n", l.Name, l.Output, report.Integer(l.Parameters))
		}
		if err := w.Flush(); err != nil {
			return err
		}
		held := ""
		if p.Window > 0 {
			held = fmt.Sprintf(", %d of %d steps at once", p.Window, cfg.Steps)
		}
		fmt.Fprintf(w, "\nparameters\t%s\n", report.Integer(p.Parameters))
		fmt.Fprintf(w, "memory, training\t%s at most, batch %d%s\n", report.Bytes(p.Train), cfg.Batch, held)
		fmt.Fprintf(w, "memory, inference\t%s at most\n", report.Bytes(p.Infer))
	}
	if o.SecondsPerEpoch != nil {
		batches := (sets.Train.Len() + cfg.Batch - 1) / cfg.Batch
		fmt.Fprintf(w, "an epoch\t%s, %s batches and what is measured after them\n", report.Seconds(*o.SecondsPerEpoch), report.Integer(int64(batches)))
		fmt.Fprintf(w, "the run\t%s, epochs: %d\n", report.Seconds(*o.SecondsPerEpoch*float64(cfg.Epochs)), cfg.Epochs)
	}
	return w.Flush()
}
