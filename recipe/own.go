package recipe

import (
	"context"
	"fmt"
	"strings"

	"synfire/internal/machine"
	"synfire/model"
	"synfire/report"
	"synfire/train"
)

// Own is the training run that a file of one's own describes, without claims. Its
// title is for people. Paths in the configuration are relative to the working
// directory.
func Own(title string, cfg model.Config) Recipe {
	return Recipe{Title: title, Run: func(ctx context.Context, e *Env) (*Outcome, error) { return own(ctx, e, cfg) }}
}

// UsageError is a mistake in a configuration, rather than in what it ran into.
type UsageError struct{ error }

// Unwrap is the mistake.
func (e UsageError) Unwrap() error { return e.error }

func own(ctx context.Context, e *Env, cfg model.Config) (*Outcome, error) {
	if cfg.Data.Name != "" {
		if _, err := e.Catalog.Loadable(cfg.Data.Name); err != nil {
			return nil, UsageError{err}
		}
	}
	trainSet, testSet, err := e.Catalog.Load(ctx, cfg.Data, e.Data)
	if err != nil {
		return nil, err
	}
	if cfg, _, err = e.Catalog.KeepSplit(cfg); err != nil {
		return nil, UsageError{err}
	}
	cfg, sets, err := cfg.Prepare(ctx, trainSet, testSet)
	if err != nil {
		return nil, UsageError{err}
	}
	if err := fits(e, cfg, sets); err != nil {
		return nil, err
	}
	t, err := Train(ctx, e, e.Out, cfg, trainSet, testSet)
	if err != nil {
		return nil, err
	}
	sections, err := t.Sections(ctx)
	if err != nil {
		return nil, err
	}
	return &Outcome{
		Metrics: t.Metrics(), WeightsSHA256: t.WeightsSHA256(), Result: t.Result.What(), Figure: t.figure(),
		Page: func(r report.Run) report.Page {
			return report.Page{Title: r.Run, Lead: t.lead(), Sections: sections, Config: string(t.YAML), Facts: []report.Fact{{Label: "data", Value: trainSet.Spec().String()}}}
		},
	}, nil
}

// fits returns an error where the rule can tell beforehand that a run cannot be: its
// parts do not fit together, its weights are more than the machine's memory, or all of it
// is many times that. What grows with the batch is an upper bound, and gives a warning.
func fits(e *Env, cfg model.Config, sets model.Sets) error {
	planner, ok := cfg.Rule.(train.Planner)
	if !ok {
		return nil
	}
	cfg.Batch = min(cfg.Batch, max(1, sets.Train.Len())) // no batch is larger
	p, err := planner.Plan(cfg.Setting(sets, e.Pool))
	if err != nil {
		return UsageError{fmt.Errorf("with the data %s: %w", cfg.Data.Called(), err)}
	}
	warning, err := admit(p, cfg.Batch)
	if warning != "" {
		e.Observer.Warn(warning)
	}
	return err
}

// admit is an error for a plan that cannot be, and a warning for one that may need more
// than there is.
func admit(p train.Plan, batch int) (warning string, err error) {
	const loose = 8 // so much may the bound be above what is taken
	switch err := Fits(p, batch); {
	case err == nil:
		return "", nil
	case p.Weights > machine.Memory() || p.Train/loose > machine.Memory():
		return "", fmt.Errorf("train: %w", err)
	default:
		return err.Error(), nil
	}
}

// Fits returns an error where a run needs more memory than this machine has, that says
// what to try; where that is not known, nothing is said. Batch is the run's.
func Fits(p train.Plan, batch int) error {
	have := machine.Memory()
	if have == 0 || p.Train <= have {
		return nil
	}
	try := fmt.Sprintf("a smaller batch than %d", batch)
	switch {
	case p.Weights > have:
		try = "smaller layers: most of it is weights"
	case p.Least > 0 && p.Least <= have:
		try += fmt.Sprintf(", or memory: %dGiB in the file, which holds fewer steps at once for the same results", have>>31)
	}
	return fmt.Errorf("training needs about %s, this machine has %s of memory; try %s", report.Bytes(p.Train), report.Bytes(have), try)
}

// lead is the result in a sentence.
func (t *Trained) lead() string {
	ev, part := t.Result.Test, "test"
	if ev == nil {
		ev, part = t.Result.Valid, "validation"
	}
	if ev == nil {
		return fmt.Sprintf("Epochs of training: %d. Nothing was measured.", len(t.Epochs))
	}
	var figures []string
	for _, s := range ev.Scalars {
		figures = append(figures, fmt.Sprintf("%s %v", s.Name, s))
	}
	return fmt.Sprintf("Measured on %s %s samples: %s. Epochs of training: %d.", report.Integer(int64(ev.Metrics.N)), part, strings.Join(figures, ", "), len(t.Epochs))
}
