package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"synfire/sample"
)

// Dataset describes a data set: what it holds, where its files come from and
// how they become sets. A command works over a slice of them.
type Dataset struct {
	Name    string // as users type it, and the folder of its files
	Title   string
	License string
	Classes []string
	Splits  []Split
	Files   []File

	// Embedded is the bytes held in the program itself, for a data set without
	// files.
	Embedded int64

	// Load obtains the files and opens them. Without test samples, test is nil.
	Load func(ctx context.Context, o Options) (train, test sample.Source, err error)
}

// InMemory is the Load of a data set that is read whole.
func InMemory(load func(ctx context.Context, o Options) (train, test *Set, err error)) func(ctx context.Context, o Options) (train, test sample.Source, err error) {
	return func(ctx context.Context, o Options) (sample.Source, sample.Source, error) {
		train, test, err := load(ctx, o)
		switch {
		case err != nil:
			return nil, nil, err
		case test == nil: // a nil *Set would be a Source
			return train, nil, nil
		}
		return train, test, nil
	}
}

// Split names a part of a data set and its number of samples.
type Split struct {
	Name string
	Len  int
}

// The states of a data set on this machine.
const (
	Cached  = "cached"  // all files are here and verified
	Missing = "missing" // a file is not here, none is damaged
	Broken  = "broken"  // a file that is here has the wrong bytes
)

// Status is a row of the list of data sets.
type Status struct {
	Name    string         `json:"name"`
	Classes int            `json:"classes"` // how many
	Splits  map[string]int `json:"splits"`  // samples by name
	Bytes   int64          `json:"bytes"`   // of all files as distributed
	Status  string         `json:"status"`  // Cached, Missing or Broken
	License string         `json:"license"`
	Sources []string       `json:"sources"` // in the order in which they are tried
}

// Status tells what is known of the data set, and verifies the sums of the
// files that are here.
func (d Dataset) Status(o Options) Status {
	s := Status{
		Name: d.Name, Classes: len(d.Classes), Splits: map[string]int{}, Bytes: d.Embedded,
		Status: Cached, License: d.License, Sources: d.sources(),
	}
	for _, split := range d.Splits {
		s.Splits[split.Name] = split.Len
	}
	for _, f := range d.Files {
		s.Bytes += f.Size
	}
	switch err := d.Verify(o); {
	case isBroken(err):
		s.Status = Broken
	case err != nil:
		s.Status = Missing
	}
	return s
}

// Verify returns an error that names each file which is missing
// (fs.ErrNotExist), damaged (*SumError) or unreadable.
func (d Dataset) Verify(o Options) error {
	var all []error
	for _, f := range d.Files {
		_, err := o.local(f)
		if errors.Is(err, fs.ErrNotExist) {
			_, err = o.cached(f)
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; run `synfire data get %s`", err, d.Name)
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}

// Get obtains all files, and returns their paths in the order of Files.
func (d Dataset) Get(ctx context.Context, o Options) ([]string, error) {
	return Fetch(ctx, o, d.Files...)
}

func (d Dataset) sources() []string {
	if len(d.Files) == 0 {
		return []string{"embedded"}
	}
	all := []string{}
	seen := map[string]bool{}
	for _, f := range d.Files {
		for _, src := range f.Sources {
			if s := src.String(); !seen[s] {
				seen[s] = true
				all = append(all, s)
			}
		}
	}
	return all
}

func isBroken(err error) bool {
	var bad *SumError
	return errors.As(err, &bad)
}
