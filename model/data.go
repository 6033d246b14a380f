package model

import (
	"context"
	"fmt"

	"synfire/data"
	"synfire/data/arrays"

	"synfire/data/folder"
	"synfire/sample"
)

// Data says which data a run uses and how training sees them. One of Name, Folder,
// NPZ and Source is given.
type Data struct {
	Name   string `yaml:"name,omitempty"`   // of a data set that synfire knows
	Folder string `yaml:"folder,omitempty"` // of images of one's own, or a zip file: see data/folder
	NPZ    string `yaml:"npz,omitempty"`    // file of arrays of one's own: see data/arrays

	Source data.Opener `yaml:"source,omitempty"` // any other kind of source of one's own
	Length data.Length `yaml:"length,omitempty"` // what becomes of samples that differ in duration

	Size     []int    `yaml:"size,omitempty"`     // of a folder's images: height, width; empty: as they are
	Channels int      `yaml:"channels,omitempty"` // of a folder's images: 1 (grey) or 3; 0: 1 where all are grey
	Classes  []string `yaml:"classes,omitempty"`  // of one's own data, in the order of the outputs; empty: all, sorted
	Holdout  float64  `yaml:"holdout,omitempty"`  // share of data without test samples that is kept for the test

	Train int `yaml:"train"` // training samples used, from the start; 0: all
	Test  int `yaml:"test"`  // test samples used, from the start; 0: all

	Ordered bool `yaml:"ordered,omitempty"` // training samples come in the order of the file in each epoch, and are not shuffled

	Normalize bool      `yaml:"normalize,omitempty"` // by mean and deviation of the training samples, channel by channel
	Mean      []float64 `yaml:"mean,omitempty"`      // the same with given figures: what is subtracted from each channel
	Std       []float64 `yaml:"std,omitempty"`       // what each channel is then divided by

	Augment []data.Augment `yaml:"augment,single"`  // of training samples, one after another
	Views   data.Views     `yaml:"views,omitempty"` // of an image whose classes are asked for, whose scores are averaged
}

// Validate returns an error for values that make no sense or contradict each other.
func (d Data) Validate() error {
	given := 0
	for _, s := range []string{d.Name, d.Folder, d.NPZ} {
		if s != "" {
			given++
		}
	}
	if d.Source != nil {
		given++
	}
	if err := d.Length.Validate(); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	switch {
	case given != 1:
		return fmt.Errorf("data: %d of name, folder, npz and source are given; give one", given)
	case d.Source != nil && len(d.Classes) > 0:
		return fmt.Errorf("data: classes are those of the source; give them there")
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

// Called is what people and flags call the data: NAME, folder:PATH, npz:FILE,
// source:PATH, or source where it has no path.
func (d Data) Called() string {
	switch {
	case d.Folder != "":
		return "folder:" + d.Folder
	case d.NPZ != "":
		return "npz:" + d.NPZ
	case d.Source != nil:
		if paths := d.Source.Paths(); len(paths) > 0 {
			return "source:" + *paths[0]
		}
		return "source" // one that is generated
	}
	return d.Name
}

// Own is the source of one's own that the configuration names, nil where it names a
// data set.
func (d Data) Own() data.Opener {
	switch {
	case d.Source != nil:
		return d.Source
	case d.Folder != "":
		return &folder.Images{Path: d.Folder, Channels: d.Channels, Size: d.Size, Classes: d.Classes}
	case d.NPZ != "":
		return &arrays.Arrays{Path: d.NPZ, Classes: d.Classes}
	}
	return nil
}

// Parts are what the configuration takes of loaded samples: those for the test are held out where
// there are none and holdout is given, else they stay nil; and train and test bound both.
func (d Data) Parts(trainSet, testSet sample.Source) (sample.Source, sample.Source, error) {
	if testSet == nil && d.Holdout > 0 {
		trainSet, testSet = data.Holdout(trainSet, d.Holdout)
	}
	trainSet, err := sample.First(trainSet, d.Train)
	if err != nil {
		return nil, nil, fmt.Errorf("data.train: %w", err)
	}
	if testSet == nil {
		return trainSet, nil, nil
	}
	if testSet, err = sample.First(testSet, d.Test); err != nil {
		return nil, nil, fmt.Errorf("data.test: %w", err)
	}
	return trainSet, testSet, nil
}

// resolve takes loaded samples as the configuration says, and fills in the classes.
func (d Data) resolve(trainSet, testSet sample.Source) (Data, sample.Source, sample.Source, error) {
	fail := func(err error) (Data, sample.Source, sample.Source, error) { return d, nil, nil, err }
	if testSet == nil && d.Holdout == 0 {
		return fail(fmt.Errorf("data: there are no test samples: set data.holdout, as 0.2 for every fifth sample"))
	}
	trainSet, testSet, err := d.Parts(trainSet, testSet)
	if err != nil {
		return fail(err)
	}
	if a, b := trainSet.Spec(), testSet.Spec(); !a.Equal(b) {
		return fail(fmt.Errorf("data: training samples are %v with targets %v, test samples %v with %v; want the same", a, a.Targets, b, b.Targets))
	}
	if targets := trainSet.Spec().Targets; d.Name == "" && len(targets) > 0 && targets[0].Kind == sample.Class && d.Source == nil {
		d.Classes = targets[0].Classes
	}
	return d, trainSet, testSet, nil
}

// normalization is what is configured, or worked out from training samples.
func (d Data) normalization(ctx context.Context, trainSet sample.Source) (Data, *sample.Normalization, error) {
	if d.Normalize {
		n, err := data.Statistics(ctx, trainSet)
		if err != nil {
			return d, nil, fmt.Errorf("data: %w", err)
		}
		d.Normalize, d.Mean, d.Std = false, n.Mean, n.Std
	}
	if len(d.Mean) == 0 {
		return d, nil, nil
	}
	n := &sample.Normalization{Mean: d.Mean, Std: d.Std}
	if err := n.Validate(trainSet.Spec().Shape); err != nil {
		return d, nil, fmt.Errorf("data: %w", err)
	}
	return d, n, nil
}
