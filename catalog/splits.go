package catalog

import (
	"context"
	"fmt"
	"path/filepath"

	"synfire/data"
	"synfire/model"
	"synfire/modelfile"
	"synfire/sample"
	"synfire/train"
)

// SplitAll names all samples of the data.
const SplitAll = "all"

// Part is samples to measure a model with.
type Part struct {
	Source sample.Source
	Split  string // which: train, valid, test or all
	Name   string // of the data, for people
}

// ConfigOf is the configuration of a model file.
func (c Catalog) ConfigOf(f *modelfile.File) (model.Config, error) {
	if f.Format > 1 {
		return c.Decode("its configuration", f.Config)
	}
	cfg, err := c.Decode("its configuration", modernised(f.Rule, f.Config))
	cfg.Valid = 0 // nothing was held out then
	return cfg, err
}

// Measurable loads data to measure the model of a file with. The empty flag means the
// data that the model was trained on, whose parts are those of training: the training
// samples without the validation samples, these, and the test samples. So are those of
// the same data named by a flag, but for a limit on the number of test samples. Other
// data have the parts that they come with, or that a file (yaml:) says; without a test part
// they are measured whole.
func (c Catalog) Measurable(ctx context.Context, f *modelfile.File, flag, split string, o data.Options) (Part, error) {
	cfg, own, err := c.named(f, flag)
	if err != nil {
		return Part{}, err
	}
	part := Part{Split: split, Name: flag}
	if flag == "" {
		part.Name = cfg.Data.Called()
	}
	trainSet, testSet, err := c.Load(ctx, cfg.Data, o)
	if err == nil && !own {
		trainSet, testSet, err = cfg.Data.Parts(trainSet, testSet)
	}
	if err != nil {
		return part, err
	}
	if split == SplitAll {
		if part.Source = trainSet; testSet != nil {
			part.Source, err = sample.Join(trainSet, testSet)
		}
		return part, err
	}
	if own {
		part.Source, err = trained(ctx, cfg, trainSet, testSet, split)
		return part, err
	}
	switch {
	case split == train.SplitTrain && testSet != nil:
		part.Source = trainSet
	case split == train.SplitTest && testSet != nil:
		part.Source = testSet
	case split == train.SplitTest:
		part.Source, part.Split = trainSet, SplitAll
	default:
		return part, &NoPartError{part.Name, split}
	}
	return part, nil
}

// named is the configuration of a model file with the data that a flag names (Measurable); own says
// whether these are its own.
func (c Catalog) named(f *modelfile.File, flag string) (cfg model.Config, own bool, err error) {
	if cfg, err = c.ConfigOf(f); err != nil || flag == "" {
		return cfg, true, err
	}
	like, err := c.ConfigOf(f) // another one, whose paths may change
	if err != nil {
		return cfg, false, err
	}
	d, err := c.Named(flag, like.Data)
	if err != nil {
		return cfg, false, err
	}
	if own = same(d, cfg.Data); own {
		cfg.Data.Test = d.Test // what a file says, 0 otherwise
	} else {
		cfg.Data = d
	}
	return cfg, own, nil
}

// Onward is the configuration by which the model of a file is trained on: that of its own training,
// or with other data as a flag names them for Measurable. These are normalised as its own were, and
// a tenth of them is held out.
func (c Catalog) Onward(f *modelfile.File, flag string) (model.Config, error) {
	cfg, own, err := c.named(f, flag)
	if err != nil || own {
		return cfg, err
	}
	if cfg.Valid, cfg.ValidSeed, cfg.Data.Normalize = 0.1, nil, false; f.Normalization != nil {
		cfg.Data.Mean, cfg.Data.Std = f.Normalization.Mean, f.Normalization.Std
	}
	return cfg, nil
}

// trained is a part of the data as training had it.
func trained(ctx context.Context, cfg model.Config, trainSet, testSet sample.Source, split string) (sample.Source, error) {
	if testSet == nil && cfg.Data.Holdout == 0 {
		return nil, fmt.Errorf("the data have no part %s; choose all", split)
	}
	cfg.Data.Normalize = false // the model has the figures
	_, sets, err := cfg.Prepare(ctx, trainSet, testSet)
	if err != nil {
		return nil, err
	}
	switch split {
	case train.SplitTrain:
		return sets.Train, nil
	case train.SplitTest:
		return sets.Test, nil
	}
	if sets.Valid == nil {
		return nil, fmt.Errorf("the model was trained without validation samples (valid: 0); choose train, test or all")
	}
	return sets.Valid, nil
}

// same reports whether data named by a flag are those of a configuration.
func same(named, d model.Data) bool {
	path := func(p string) string {
		if p == "" {
			return ""
		}
		if abs, err := filepath.Abs(p); err == nil {
			return abs
		}
		return p
	}
	if (named.Source == nil) != (d.Source == nil) {
		return false
	}
	if named.Source != nil {
		a, b := named.Source.Paths(), d.Source.Paths()
		return len(a) == len(b) && (len(a) == 0 || path(*a[0]) == path(*b[0]))
	}
	return named.Name == d.Name && path(named.Folder) == path(d.Folder) && path(named.NPZ) == path(d.NPZ)
}

// NoPartError says that data which a model was not trained on come without a part.
type NoPartError struct{ Data, Split string }

// Error says which, and what there is.
func (e *NoPartError) Error() string {
	return fmt.Sprintf("%s is not what the model was trained on, and has no part %s of its own; choose test or all", e.Data, e.Split)
}
