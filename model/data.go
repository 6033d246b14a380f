package model

import (
	"fmt"

	"synfire/data"
)

// Data says which data a run uses and how training sees them. One of Name, Folder
// and NPZ is given.
type Data struct {
	Name   string `yaml:"name,omitempty"`   // of a data set that synfire knows
	Folder string `yaml:"folder,omitempty"` // of images of one's own, or a zip file: see data.Folder
	NPZ    string `yaml:"npz,omitempty"`    // file of arrays of one's own: see data.Arrays

	Size     []int    `yaml:"size,omitempty"`     // of a folder's images: height, width; empty: as they are
	Channels int      `yaml:"channels,omitempty"` // of a folder's images: 1 (grey) or 3; 0: 1 where all are grey
	Classes  []string `yaml:"classes,omitempty"`  // of one's own data, in the order of the outputs; empty: all, sorted
	Holdout  float64  `yaml:"holdout,omitempty"`  // share of data without test samples that is kept for the test

	Train int `yaml:"train"` // training samples used, from the start; 0: all
	Test  int `yaml:"test"`  // test samples used, from the start; 0: all

	Normalize bool      `yaml:"normalize,omitempty"` // by mean and deviation of the training samples, channel by channel
	Mean      []float64 `yaml:"mean,omitempty"`      // the same with given figures: what is subtracted from each channel
	Std       []float64 `yaml:"std,omitempty"`       // what each channel is then divided by

	Augment []data.Augment `yaml:"augment,single"` // of training samples, one after another
}

// Validate returns an error for values that make no sense or contradict each other.
func (d Data) Validate() error {
	given := 0
	for _, s := range []string{d.Name, d.Folder, d.NPZ} {
		if s != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return fmt.Errorf("data: %d of name, folder and npz are given; give one", given)
	case d.Folder == "" && (len(d.Size) > 0 || d.Channels != 0):
		return fmt.Errorf("data: size and channels are of images in a folder; remove them")
	case d.Name != "" && (len(d.Classes) > 0 || d.Holdout != 0):
		return fmt.Errorf("data: classes and holdout are of data of one's own; data set %s has them fixed: remove them", d.Name)
	case len(d.Size) != 0 && len(d.Size) != 2:
		return fmt.Errorf("data: size has %d numbers, want height and width as in [32, 32]", len(d.Size))
	case !(d.Holdout >= 0 && d.Holdout < 1):
		return fmt.Errorf("data: holdout is %v, want a share in [0, 1), as 0.2", d.Holdout)
	case d.Train < 0 || d.Test < 0:
		return fmt.Errorf("data.train is %d and data.test %d, want numbers of samples, or 0 for all", d.Train, d.Test)
	case d.Normalize && len(d.Mean) > 0:
		return fmt.Errorf("data: normalize computes mean and std from the training samples; remove it, or them")
	case len(d.Mean) != len(d.Std):
		return fmt.Errorf("data: %d values of mean and %d of std, want as many of each", len(d.Mean), len(d.Std))
	}
	return nil
}

// Own is the description of the data of one's own that the configuration names, and
// whether it names any.
func (d Data) Own() (data.Dataset, bool) {
	switch {
	case d.Folder != "":
		o := data.FolderOptions{Channels: d.Channels, Classes: d.Classes}
		if len(d.Size) == 2 {
			o.Height, o.Width = d.Size[0], d.Size[1]
		}
		return data.Folder(d.Folder, o), true
	case d.NPZ != "":
		return data.Arrays(d.NPZ, d.Classes), true
	}
	return data.Dataset{}, false
}

// Resolve prepares loaded data as the configuration says: test samples are held out
// where there are none, and both sets carry the normalisation. It returns the
// configuration with what was found out filled in, so that a checkpoint that carries
// it needs no training data to be evaluated.
func (d Data) Resolve(train, test *data.Set) (Data, *data.Set, *data.Set, error) {
	if test == nil {
		if d.Holdout == 0 {
			return d, nil, nil, fmt.Errorf("data: %s has no test samples of its own: set data.holdout, as 0.2 for every fifth sample", train.Name)
		}
		train, test = train.Holdout(d.Holdout)
	}
	if d.Name == "" {
		d.Classes = train.Classes
	}
	if d.Normalize {
		s := train.Statistics()
		d.Normalize, d.Mean, d.Std = false, s.Mean, s.Std
	}
	train, test = d.Normalized(train), d.Normalized(test)
	for _, s := range []*data.Set{train, test} {
		if err := s.Validate(); err != nil {
			return d, nil, nil, err
		}
	}
	return d, train, test, nil
}

// Normalized is the set with the configured normalisation, which Resolve has fixed.
func (d Data) Normalized(s *data.Set) *data.Set {
	if len(d.Mean) == 0 {
		return s
	}
	c := *s
	c.Normalization = &data.Normalization{Mean: d.Mean, Std: d.Std}
	return &c
}
