// Package table is the kind of source that reads tables of one's own: CSV files in
// UTF-8 whose first line names the columns. A wide table has a sample a line,
//
//	length,width,species
//	5.1,3.5,setosa
//
// and a sample is 1×1×D values, those of all columns that are no targets. A long table
// has a step of time a line, and the columns sample and time:
//
//	sample,time,ax,ay,movement
//	a,0.00,0.1,0.3,wave
//	a,0.01,0.2,0.3,wave
//	b,0.00,0.0,0.1,rest
//
// Its samples are series of D values a step; they may differ in duration (see
// data.Length). The lines of a sample stand together in the order of their times, which
// are at equal distances. The label column is the first target, a class named "class":
// whole numbers from 0 up are numbers of classes, other labels are names, in the order
// of the alphabet or, where all are numbers, of these. Further columns are targets by
// the option targets, each under its own name.
//
// A table is held in memory; files of more than MaxBytes are refused, and so are lines
// with an empty label, with what is no number, or in another encoding than UTF-8.
package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"synfire/data"
	"synfire/format/npz"
	"synfire/sample"
	"synfire/tensor"
)

// Layout says how samples lie in a table.
type Layout string

// The layouts; where none is said, a table with columns sample and time is long.
const (
	Wide Layout = "wide" // a sample a line
	Long Layout = "long" // a step of a sample a line
)

// Reading says what a column of targets is.
type Reading string

// The readings of a column.
const (
	AsClass  Reading = "class"
	AsValue  Reading = "value"  // a number a sample
	AsSeries Reading = "series" // a number a step, of a long table
)

// CSV describes a table. It is a data.Opener.
type CSV struct {
	Path    string             `yaml:"path"`              // of the file
	Test    string             `yaml:"test,omitempty"`    // of a file of test samples with the same columns
	Label   string             `yaml:"label,omitempty"`   // the column of classes
	Targets map[string]Reading `yaml:"targets,omitempty"` // further columns of targets: class, value or series
	Ignore  []string           `yaml:"ignore,omitempty"`  // columns that are left out
	Layout  Layout             `yaml:"layout,omitempty"`  // wide or long; empty: long where there are columns sample and time
	Classes []string           `yaml:"classes,omitempty"` // of label, in the order of the outputs; empty: all
}

// Validate returns an error for options that make no sense.
func (c CSV) Validate() error {
	if c.Path == "" {
		return errors.New("data: table: no path; give that of a CSV file")
	}
	return c.validate()
}

func (c CSV) validate() error {
	switch {
	case c.Layout != "" && c.Layout != Wide && c.Layout != Long:
		return fmt.Errorf("data: table: layout %q, want wide or long", c.Layout)
	case len(c.Classes) > 0 && c.Label == "":
		return errors.New("data: table: classes are those of the label column; name it in label")
	}
	for name, is := range c.Targets {
		if !slices.Contains([]Reading{AsClass, AsValue, AsSeries}, is) {
			return fmt.Errorf("data: table: targets: %s: %q, want class, value or series", sample.Printable(name), is)
		}
	}
	return nil
}

// Paths are the options that are paths.
func (c *CSV) Paths() []*string { return []*string{&c.Path, &c.Test} }

// Open reads the table.
func (c CSV) Open(ctx context.Context, _ data.Options) (train, test sample.Source, err error) {
	if err := c.Validate(); err != nil {
		return nil, nil, err
	}
	parts := []*source{{name: c.Path}}
	if c.Test != "" {
		parts = append(parts, &source{name: c.Test})
	}
	for _, s := range parts {
		if s.content, err = readFile(ctx, s.name, c); err == nil {
			err = sameColumns(parts[0].content, s.content)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("data: %s: %w", sample.Printable(s.name), err)
		}
	}
	if err := finish(parts, c.Classes); err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", sample.Printable(c.Path), err)
	}
	if len(parts) == 1 {
		return parts[0], nil, nil
	}
	return parts[0], parts[1], nil
}

func readFile(ctx context.Context, path string, c CSV) (*content, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > MaxBytes {
		return nil, fmt.Errorf("%d bytes, at most %d are read; save it as arrays, which are read in parts", info.Size(), int64(MaxBytes))
	}
	return read(ctx, f, c)
}

// Read reads a table from a reader that errors call by the name.
func Read(ctx context.Context, r io.Reader, name string, c CSV) (sample.Source, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	s := &source{name: name}
	var err error
	if s.content, err = read(ctx, r, c); err == nil {
		err = finish([]*source{s}, c.Classes)
	}
	if err != nil {
		return nil, fmt.Errorf("data: %s: %w", sample.Printable(name), err)
	}
	return s, nil
}

// source is the samples of a file.
type source struct {
	name string
	*content
	spec    sample.Spec
	classes [][]int32 // of each target that is a class, the number of each label's class
}

// finish works out descriptions and numbers of classes, of all parts alike.
func finish(parts []*source, given []string) error {
	for _, s := range parts {
		s.classes = make([][]int32, len(s.labels))
		s.spec.Targets = make([]sample.Field, len(s.labels))
		if s.spec.Shape = (tensor.Shape{1, 1, s.features.width}); s.starts != nil {
			s.spec.Shape = tensor.Shape{s.features.width}
			for i := range s.Len() {
				s.spec.Steps = max(s.spec.Steps, s.steps(i))
			}
		}
	}
	var values []string
	for _, c := range parts[0].columns {
		if c.role == feature {
			values = append(values, c.name)
		}
	}
	for _, s := range parts {
		s.spec.Columns = values
	}
	labelled := false
	for _, c := range parts[0].columns {
		f := sample.Field{Name: c.name, Kind: sample.Values, Shape: tensor.Shape{1}}
		switch c.role {
		case classTarget:
			f.Kind, f.Shape = sample.Class, nil
			var err error
			var classes []string
			if c.target == 0 && len(given) > 0 {
				classes = given
			}
			if f.Classes, err = number(parts, c.target, classes); err != nil {
				return fmt.Errorf("column %s: %w", sample.Printable(c.name), err)
			}
			if !labelled && c.target == 0 {
				f.Name = sample.Label
				labelled = true
			}
		case valueTarget:
		case seriesTarget:
		default:
			continue
		}
		for _, s := range parts {
			s.spec.Targets[c.target] = f
			if c.role == seriesTarget {
				s.spec.Targets[c.target].Steps = s.spec.Steps
			}
		}
	}
	for _, s := range parts {
		if err := s.spec.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// number gives the labels of all parts the numbers of their classes.
func number(parts []*source, target int, given []string) (classes []string, err error) {
	var all []string
	for _, s := range parts {
		all = append(all, s.labels[target].list...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if classes = given; classes == nil {
		if classes, err = classesOf(all); err != nil {
			return nil, err
		}
	}
	place := make(map[string]int32, len(classes))
	for i, name := range classes {
		place[name] = int32(i)
	}
	for _, s := range parts {
		for _, name := range s.labels[target].list {
			n, known := place[name]
			if !known {
				return nil, fmt.Errorf("label %q is none of the classes %s", name, data.Names(classes))
			}
			s.classes[target] = append(s.classes[target], n)
		}
	}
	return classes, nil
}

// classesOf are the classes of labels: of whole numbers all from 0 to the largest, else
// those that there are.
func classesOf(labels []string) ([]string, error) {
	most := uint64(0)
	for _, label := range labels {
		n, err := strconv.ParseUint(label, 10, 64)
		if err != nil || label != strconv.FormatUint(n, 10) {
			if len(labels) > sample.MaxClasses {
				return nil, fmt.Errorf("%d classes, at most %d are supported; is the column one of values? Name it in targets", len(labels), sample.MaxClasses)
			}
			return data.SortClasses(labels)
		}
		most = max(most, n)
	}
	if most >= sample.MaxClasses {
		return nil, fmt.Errorf("label %d: expected numbers of classes from 0 to %d; name them, or name the column in targets as a value", most, sample.MaxClasses-1)
	}
	classes := make([]string, most+1)
	for i := range classes {
		classes[i] = strconv.Itoa(i)
	}
	return classes, nil
}

func (s *source) Spec() sample.Spec { return s.spec }
func (s *source) Len() int          { return len(s.lines) }
func (s *source) Index(i int) int   { return i }

// Origin is the file and the first line of a sample.
func (s *source) Origin(i int) string {
	return fmt.Sprintf("%s: line %d", sample.Printable(s.name), s.lines[i])
}

// rows are the first row of a sample and the one behind its last.
func (s *source) rows(i int) (lo, hi int) {
	if s.starts == nil {
		return i, i + 1
	}
	return s.starts[i], s.starts[i+1]
}

func (s *source) steps(i int) int {
	lo, hi := s.rows(i)
	return hi - lo
}

// Length is the number of steps of a series.
func (s *source) Length(i int) float64 { return float64(s.steps(i)) }

func (s *source) Target(i, f int) (sample.Target, error) {
	field := s.spec.Targets[f]
	if field.Kind == sample.Class {
		return sample.Target{Class: int(s.classes[f][s.labels[f].of[i]])}, nil
	}
	v := make([]tensor.Float, field.Size())
	lo, hi := i, i+1
	if field.Steps > 0 {
		lo, hi = s.rows(i)
	}
	for k := range hi - lo {
		v[k] = s.numbers[f].row(lo + k)[0]
	}
	return sample.Target{Values: v}, nil
}

func (s *source) Read(ctx context.Context, i int, x *sample.Sample) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("data: %s: %w", s.Origin(i), err)
	}
	lo, hi := s.rows(i)
	at, width := 0, s.features.width
	for row := lo; row < hi; row++ {
		copy(x.X[at:], s.features.row(row))
		at += width
	}
	if clear(x.X[at:]); at < len(x.X) {
		x.Length = float64(hi - lo)
	}
	for f := range s.spec.Targets {
		t, err := s.Target(i, f)
		if err != nil {
			return err
		}
		x.Targets = append(x.Targets, t)
	}
	return nil
}

// Arrays are the samples of a wide table as the arrays x, of 32-bit numbers N×D, and y,
// the labels: their numbers, or names where classes have them.
func Arrays(src sample.Source) (map[string]npz.Array, error) {
	s, ok := src.(*source)
	if ok && s.starts != nil {
		return nil, errors.New("data: table: a long table, with columns sample and time and a line a step; train on it as it is, by data: {source: {kind: table, path: FILE, label: COLUMN}}")
	}
	if !ok || len(s.spec.Targets) != 1 || s.spec.Targets[0].Kind != sample.Class {
		return nil, errors.New("data: table: want a wide table with a label column and no other targets")
	}
	n, width := s.Len(), s.features.width
	values := make([]float32, 0, n*width)
	labels, numbers, named := make([]string, n), make([]int64, n), false
	for i := range n {
		for _, v := range s.features.row(i) {
			values = append(values, float32(v))
		}
		labels[i] = s.labels[0].list[s.labels[0].of[i]]
		numbers[i] = int64(s.classes[0][s.labels[0].of[i]])
		named = named || labels[i] != strconv.FormatInt(numbers[i], 10)
	}
	y := npz.I64(numbers, n)
	if named {
		y = npz.Text(labels, n)
	}
	return map[string]npz.Array{"x": npz.F32(values, n, width), "y": y}, nil
}
