// Package trains is the kind of source that reads spike trains of one's own: as inputs,
// events on so many units, and as targets. The path is one of
//
//	index.csv              a sample a line, columns input, target, class: paths of files
//	                       beside the index, and names of classes; target or class may lack
//	train/CLASS/FILE…      a folder or a zip file with a folder for each class (and test/…),
//	                       or CLASS/FILE… alone: inputs with a class
//	pairs                  an NPZ file, or a folder or zip file of them: a sample each, with
//	                       inputs and targets
//
// A file of trains is text with a train a line (.txt), CSV with the columns unit and time,
// a spike a line (.csv), or JSON (.json), as format/spiketrain describes them; units of CSV
// are numbers from 0. A pair has the arrays
//
//	input_times, input_units, target_times, target_units    a spike an element
//	duration                                                seconds
//	n_input, n_target                                       units
//
// where names of times may end in _s for seconds. Times count from the start of the window
// that a file gives, or from 0. Samples differ in duration where the files say so:
// data.Length says what becomes of that. The target is named "trains", or "class".
package trains

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"synfire/data"
	"synfire/internal/limit"
	"synfire/sample"
	"synfire/spike"
	"synfire/tensor"
)

const (
	// MaxFile is the largest file of trains that is read, in bytes.
	MaxFile = 128 << 20

	maxIndex = 256 << 20
	maxUnits = 1 << 20
)

// Files describes spike trains. It is a data.Opener.
type Files struct {
	Path        string   `yaml:"path"`                   // of an index, a folder, a zip file or a pair
	Units       int      `yaml:"units,omitempty"`        // of the inputs; 0: as pairs say
	TargetUnits int      `yaml:"target-units,omitempty"` // of the targets; 0: as pairs say
	Duration    float64  `yaml:"duration,omitempty"`     // of all samples, in seconds; 0: as the files say
	Seconds     float64  `yaml:"seconds,omitempty"`      // in the unit of the files' times, as 0.001; 0: 1
	Classes     []string `yaml:"classes,omitempty"`      // in the order of the outputs; empty: all, sorted
}

// Validate returns an error for options that make no sense.
func (f Files) Validate() error {
	positive := func(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }
	switch {
	case f.Path == "":
		return errors.New("data: trains: no path; give that of an index, a folder, a zip file or an NPZ file")
	case f.Units < 0 || f.TargetUnits < 0 || max(f.Units, f.TargetUnits) > maxUnits:
		return fmt.Errorf("data: trains: %d units and %d of the targets, want 0 to %d", f.Units, f.TargetUnits, maxUnits)
	case !positive(f.Duration) || !positive(f.Seconds):
		return fmt.Errorf("data: trains: a duration of %v and a unit of %v seconds, want neither negative", f.Duration, f.Seconds)
	}
	return nil
}

// Paths are the options that are paths.
func (f *Files) Paths() []*string { return []*string{&f.Path} }

// item is the files of a sample.
type item struct {
	input, target string // target is the input where the file is a pair
	class         int
}

// Open finds the samples. Where the options leave units or durations open, it reads
// every file.
func (f Files) Open(ctx context.Context, _ data.Options) (train, test sample.Source, err error) {
	if err := f.Validate(); err != nil {
		return nil, nil, err
	}
	train, test, err = f.open(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", sample.Printable(f.Path), err)
	}
	return train, test, nil
}

func (f Files) open(ctx context.Context) (train, test sample.Source, err error) {
	r := reader{Files: f}
	if r.Seconds == 0 {
		r.Seconds = 1
	}
	switch strings.ToLower(filepath.Ext(f.Path)) {
	case ".csv":
		r.fs = os.DirFS(filepath.Dir(f.Path))
		return r.index(ctx, filepath.Base(f.Path))
	case ".npz":
		r.fs = os.DirFS(filepath.Dir(f.Path))
		return r.sources(ctx, nil, []item{{filepath.Base(f.Path), filepath.Base(f.Path), 0}}, nil)
	}
	if r.fs, err = data.OpenTree(f.Path); err != nil {
		return nil, nil, err
	}
	pairs, err := r.pairs()
	if err != nil {
		return nil, nil, err
	}
	if len(pairs) > 0 {
		items := make([]item, len(pairs))
		for i, name := range pairs {
			items[i] = item{name, name, 0}
		}
		return r.sources(ctx, nil, items, nil)
	}
	l, err := data.ClassFolders{FS: r.fs, Accept: isTrains, What: ".txt, .csv or .json file", Many: "spike trains", Classes: f.Classes}.List()
	if err != nil {
		return nil, nil, err
	}
	items := func(list []data.Member) (out []item) {
		for _, m := range list {
			out = append(out, item{m.Path, "", m.Class})
		}
		return out
	}
	return r.sources(ctx, l.Classes, items(l.Train), items(l.Test))
}

// pairs are the NPZ files of a folder. What stands beside them, or beside class folders,
// and would be left out, is an error.
func (r reader) pairs() (pairs []string, err error) {
	entries, err := fs.ReadDir(r.fs, ".")
	if err != nil {
		return nil, err
	}
	var others []string
	for _, e := range entries {
		switch name := e.Name(); {
		case strings.HasPrefix(name, ".") || name == "__MACOSX":
		case e.IsDir():
			inside, err := fs.ReadDir(r.fs, name)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(inside, func(f fs.DirEntry) bool { return f.IsDir() || isTrains(f.Name()) }) {
				others = append(others, name)
			}
		case strings.EqualFold(path.Ext(name), ".npz"):
			pairs = append(pairs, name)
		case strings.EqualFold(name, "index.csv"):
			return nil, fmt.Errorf("there is %s in the folder: to read the samples that it lists, give its own path; to read the folders as classes, move it away", sample.Printable(name))
		}
	}
	if len(pairs) > 0 && len(others) > 0 {
		return nil, fmt.Errorf("%s stands beside pairs such as %s; expected pairs alone, or folders of classes: move the others away", sample.Printable(others[0]), sample.Printable(pairs[0]))
	}
	return pairs, data.Beside(r.fs, func(name string) bool { return isTrains(name) || strings.EqualFold(path.Ext(name), ".npz") })
}

func isTrains(name string) bool {
	return slices.Contains([]string{".txt", ".csv", ".json"}, strings.ToLower(path.Ext(name)))
}

// index reads the list of samples.
func (r reader) index(ctx context.Context, name string) (train, test sample.Source, err error) {
	f, err := r.fs.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	rows := csv.NewReader(data.Text(f, maxIndex))
	rows.ReuseRecord, rows.TrimLeadingSpace = true, true
	head, err := rows.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("first line: %w; expected the columns input and target, class or both", err)
	}
	column := map[string]int{}
	for i, name := range head {
		if name = strings.TrimSpace(name); name != "input" && name != "target" && name != "class" {
			return nil, nil, fmt.Errorf("unknown column %q; want input, target, class", name)
		} else if _, twice := column[name]; twice {
			return nil, nil, fmt.Errorf("column %q comes twice", name)
		}
		column[strings.TrimSpace(name)] = i
	}
	_, hasInput := column["input"]
	_, hasTarget := column["target"]
	_, hasClass := column["class"]
	if !hasInput || !hasTarget && !hasClass {
		return nil, nil, errors.New("the first line names no input, or neither target nor class")
	}
	var items []item
	var labels []string
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		line, _ := rows.FieldPos(0)
		field := func(name string) string { return strings.Clone(strings.TrimSpace(row[column[name]])) }
		it := item{input: field("input")}
		if hasTarget {
			it.target = field("target")
		}
		for _, at := range []string{it.input, it.target} {
			if at == "" && !hasTarget {
				continue
			}
			if !fs.ValidPath(at) || at == "." {
				return nil, nil, fmt.Errorf("line %d: %q is no path of a file below the index, with slashes and without ..", line, at)
			}
		}
		if hasClass {
			class := field("class")
			if err := sample.CheckName(class); err != nil {
				return nil, nil, fmt.Errorf("line %d: class: %w", line, err)
			}
			labels = append(labels, class)
		}
		items = append(items, it)
	}
	if len(items) == 0 {
		return nil, nil, errors.New("no samples after the line of names")
	}
	var classes []string
	if hasClass {
		if classes, err = r.number(items, labels); err != nil {
			return nil, nil, err
		}
	}
	return r.sources(ctx, classes, items, nil)
}

// number gives the items their classes.
func (r reader) number(items []item, labels []string) ([]string, error) {
	classes := r.Classes
	if classes == nil {
		found := slices.Clone(labels)
		slices.Sort(found)
		var err error
		if classes, err = data.SortClasses(slices.Compact(found)); err != nil {
			return nil, err
		}
	}
	for i, label := range labels {
		if items[i].class = slices.Index(classes, label); items[i].class < 0 {
			return nil, fmt.Errorf("class %q of %s is none of the classes %s", label, sample.Printable(items[i].input), data.Names(classes))
		}
	}
	return classes, nil
}

// sources describes the samples.
func (r reader) sources(ctx context.Context, classes []string, train, test []item) (a, b sample.Source, err error) {
	r.targets = train[0].target != ""
	if first := train[0]; first.input == first.target { // what pairs say holds for all
		p, err := readPair(r.fs, first.input)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", sample.Printable(first.input), err)
		}
		r.Units, r.TargetUnits = max(r.Units, p.input.units), max(r.TargetUnits, p.target.units)
	}
	if max(r.Units, r.TargetUnits) > maxUnits {
		return nil, nil, fmt.Errorf("%d units and %d of the targets, at most %d are supported", r.Units, r.TargetUnits, maxUnits)
	}
	if r.Units == 0 || r.targets && r.TargetUnits == 0 {
		return nil, nil, errors.New("the number of units is not known; set units, and target-units where there are targets")
	}
	part := func(items []item) (sample.Source, error) {
		s := &source{reader: r, items: items, classes: classes}
		if r.Duration > 0 {
			s.duration = r.Duration
			return s, s.Spec().Validate()
		}
		s.lengths = make([]float64, len(items))
		err := data.Each(ctx, len(items), func(i int) error {
			_, d, err := r.read(items[i].input, "input", r.Units)
			s.lengths[i] = d
			return err
		})
		for _, d := range s.lengths {
			s.duration = max(s.duration, d)
		}
		if err == nil {
			err = s.Spec().Validate()
		}
		return s, err
	}
	if a, err = part(train); err == nil && test != nil {
		b, err = part(test)
	}
	if err != nil {
		return nil, nil, err
	}
	return a, b, nil
}

// source is the samples of a split.
type source struct {
	reader
	items    []item
	classes  []string
	duration float64
	lengths  []float64 // of each sample; nil: all as long as duration
}

func (s *source) Spec() sample.Spec {
	spec := sample.Spec{Shape: tensor.Shape{s.Units}, Events: true, Duration: s.duration}
	if s.targets {
		spec.Targets = append(spec.Targets, sample.Field{Name: "trains", Kind: sample.Trains, Shape: tensor.Shape{s.TargetUnits}})
	}
	if s.classes != nil {
		spec.Targets = append(spec.Targets, sample.Field{Name: sample.Label, Kind: sample.Class, Classes: s.classes})
	}
	return spec
}

func (s *source) Len() int            { return len(s.items) }
func (s *source) Index(i int) int     { return i }
func (s *source) Origin(i int) string { return sample.Printable(s.Path + ": " + s.items[i].input) }

// Length is the duration of a sample in seconds.
func (s *source) Length(i int) float64 {
	if s.lengths == nil {
		return s.duration
	}
	return s.lengths[i]
}

func (s *source) Target(i, f int) (sample.Target, error) {
	if !s.targets || f == 1 {
		return sample.Target{Class: s.items[i].class}, nil
	}
	all, d, err := s.read(s.items[i].target, "target", s.TargetUnits)
	if want := s.Length(i); err == nil && d != want {
		err = fmt.Errorf("%s lasts %v s, its input %v", sample.Printable(s.items[i].target), d, want)
	}
	if err != nil {
		return sample.Target{}, fmt.Errorf("data: %s: %w", sample.Printable(s.Path), err)
	}
	return sample.Target{Trains: all}, nil
}

func (s *source) Read(ctx context.Context, i int, x *sample.Sample) error {
	err := ctx.Err()
	var all []spike.Train
	var d float64
	if err == nil {
		all, d, err = s.read(s.items[i].input, "input", s.Units)
	}
	if err == nil && d != s.Length(i) {
		err = fmt.Errorf("%s has changed since it was opened; start again", sample.Printable(s.items[i].input))
	}
	if err != nil {
		return fmt.Errorf("data: %s: %w", sample.Printable(s.Path), err)
	}
	x.Events = merge(x.Events, all)
	if d < s.duration {
		x.Length = d
	}
	for f := range s.Spec().Targets {
		t, err := s.Target(i, f)
		if err != nil {
			return err
		}
		x.Targets = append(x.Targets, t)
	}
	return nil
}

// merge appends the spikes of all trains in the order of their times, and of units
// where they are the same.
func merge(events []sample.Event, trains []spike.Train) []sample.Event {
	first, n := len(events), 0
	for _, t := range trains {
		n += len(t.Times)
	}
	events = slices.Grow(events, n)
	for unit, t := range trains {
		for _, at := range t.Times {
			events = append(events, sample.Event{Time: at, Unit: int32(unit)})
		}
	}
	slices.SortStableFunc(events[first:], func(a, b sample.Event) int {
		switch {
		case a.Time < b.Time:
			return -1
		case a.Time > b.Time:
			return 1
		}
		return 0
	})
	return events
}

// reader reads files of trains.
type reader struct {
	Files
	fs      fs.FS
	targets bool
}

// read is the trains of a file on so many units, and the duration of the window.
// Errors name the file.
func (r reader) read(name, role string, units int) ([]spike.Train, float64, error) {
	b, err := limit.ReadFile(r.fs, name, MaxFile)
	var rec recording
	if err == nil {
		rec, err = decode(b, name, role)
	}
	var all []spike.Train
	if err == nil {
		all, err = rec.trains(units, r.Duration, r.Seconds)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", sample.Printable(name), err)
	}
	return all, all[0].Stop, nil
}
