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
// data have the parts that they come with; without a test part they are measured whole.
func (c Catalog) Measurable(ctx context.Context, f *modelfile.File, flag, split string, o data.Options) (Part, error) {
	cfg, err := c.ConfigOf(f)
	if err != nil {
		return Part{}, err
	}
	part := Part{Split: split, Name: flag}
	own := flag == ""
	if own {
		part.Name = cfg.Data.Called()
	} else {
		like, err := c.ConfigOf(f) // another one, whose paths may change
		if err != nil {
			return part, err
		}
		named, err := c.Named(flag, like.Data)
		if err != nil {
			return part, err
		}
		if own = same(named, cfg.Data); own {
			cfg.Data.Test = 0
		} else {
			cfg.Data = named
		}
	}
	trainSet, testSet, err := c.Load(ctx, cfg.Data, o)
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
