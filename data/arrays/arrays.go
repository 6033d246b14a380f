// Package arrays is the kind of source that reads arrays of one's own: an NPZ file, a
// safetensors file, a folder of NPY files, or an NPY file that holds x alone. The
// arrays are
//
//	x_train  N×…    y_train  N or N×…    y_NAME_train  further targets
//	x_test   M×…    y_test   M or M×…    y_NAME_test
//
// or x, y and y_NAME, without test samples. Others are passed over, but other arrays x_…
// and y_… are an error. By the number of
// its axes, a sample of x is
//
//	N×D          1×1×D values
//	N×H×W        an image of one channel, H×W×1
//	N×H×W×C      an image
//	N×T×H×W×C    a series of T images
//
// and with the option series, axis 1 is time whatever the number: N×T×D is a series of
// D values. Bytes are scaled to [0, 1]; other numbers are used as they are. The target
// of y is
//
//	integers or strings, N    a class, named "class": numbers from 0 up, or names
//	real numbers N, or N×K…   values, named "value": [1], or [K, …]
//
// and that of y_NAME, likewise, has that name. Real numbers that are all whole could be
// either: the option targets says which. The names of numbered classes may stand in an
// array classes (classes_NAME), or in the option.
//
// NPY files, safetensors files and what an NPZ file stores without compression are read
// sample by sample when they are needed, so a set may be larger than memory; a small
// one is held. Compressed arrays, and those in Fortran's order, are read whole, up to
// MaxWhole bytes.
package arrays

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"synfire/data"
	"synfire/format/npz"
	"synfire/sample"
	"synfire/tensor"
)

// MaxWhole is the most bytes of arrays that are read whole because they can't be read
// in parts: 2 GiB.
const MaxWhole = npz.DefaultMax

// Reading says what a target is where its array leaves that open.
type Reading string

// The readings of a target.
const (
	AsClass  Reading = "class"
	AsValues Reading = "values"
	AsSeries Reading = "series" // values, of which axis 1 is time
)

// Arrays describes a file of arrays. It is a data.Opener.
type Arrays struct {
	Path       string             `yaml:"path"`                 // of the file or folder
	Classes    []string           `yaml:"classes,omitempty"`    // of y, in the order of the numbers; empty: those of the file
	Targets    map[string]Reading `yaml:"targets,omitempty"`    // by array, as {y: values}: class, values or series
	Unlabelled bool               `yaml:"unlabelled,omitempty"` // x alone, without targets
	Series     bool               `yaml:"series,omitempty"`     // axis 1 of x is time
	Scale      float64            `yaml:"scale,omitempty"`      // what all values are divided by; 0: bytes by 255, others by 1
	Memory     data.Memory        `yaml:"memory,omitempty"`     // hold all: true, false, auto (up to 1 GiB)
}

// Validate returns an error for options that make no sense.
func (a Arrays) Validate() error {
	if a.Path == "" {
		return errors.New("data: arrays: no path; give that of an NPZ, NPY or safetensors file, or of a folder of NPY files")
	}
	return a.validate()
}

func (a Arrays) validate() error {
	if !(a.Scale >= 0) || math.IsInf(a.Scale, 0) {
		return fmt.Errorf("data: arrays: scale is %v, want a number above 0, or 0 for 255 where values are bytes", a.Scale)
	}
	if a.Unlabelled && (len(a.Targets) > 0 || len(a.Classes) > 0) {
		return errors.New("data: arrays: unlabelled samples have no targets and classes; remove one of these options")
	}
	for name, r := range a.Targets {
		if name != "y" && !strings.HasPrefix(name, "y_") || !slices.Contains([]Reading{AsClass, AsValues, AsSeries}, r) {
			return fmt.Errorf("data: arrays: targets: %s: %s, want y or y_NAME with class, values or series", sample.Printable(name), sample.Printable(string(r)))
		}
	}
	return nil
}

// Paths are the options that are paths.
func (a *Arrays) Paths() []*string { return []*string{&a.Path} }

// Open reads the headers of all arrays, and the elements of those that are held.
func (a Arrays) Open(ctx context.Context, _ data.Options) (train, test sample.Source, err error) {
	if err := a.Validate(); err != nil {
		return nil, nil, err
	}
	columns, err := open(a.Path)
	if err == nil {
		if _, isNPY := columns["x"]; isNPY && len(columns) == 1 {
			a.Unlabelled = a.Unlabelled || strings.HasSuffix(a.Path, ".npy")
		}
		train, test, err = a.sources(a.Path, columns)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", sample.Printable(a.Path), err)
	}
	return train, test, nil
}

// From makes sources of arrays that are in memory, which they keep. The path and
// memory of the options are not looked at.
func From(name string, in map[string]npz.Array, a Arrays) (train, test sample.Source, err error) {
	if err := a.validate(); err != nil {
		return nil, nil, err
	}
	columns := make(map[string]*column, len(in))
	for key, array := range in {
		columns[key] = inMemory(key, array)
	}
	if train, test, err = a.sources(name, columns); err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", sample.Printable(name), err)
	}
	return train, test, nil
}

// sources makes a source of each split.
func (a Arrays) sources(name string, columns map[string]*column) (train, test sample.Source, err error) {
	splits := []string{"_train", "_test"}
	if columns["x_train"] == nil {
		splits = []string{""}
	} else if columns["x"] != nil {
		return nil, nil, errors.New("there are arrays x and x_train; remove or rename one of them")
	}
	if err := strays(columns, splits); err != nil {
		return nil, nil, err
	}
	targets, err := a.targets(columns, splits)
	if err != nil {
		return nil, nil, err
	}
	var parts []*source
	var used []*column
	for _, split := range splits {
		x := columns["x"+split]
		if x == nil {
			return nil, nil, missing(columns, "x"+split)
		}
		s := &source{name: name, x: x, scale: a.Scale}
		if s.spec.Shape, s.spec.Steps, err = a.shape(x); err != nil {
			return nil, nil, fmt.Errorf("x%s: %w", split, err)
		}
		if x.samples() == 0 {
			return nil, nil, fmt.Errorf("x%s of the shape %v holds no samples; expected one at least", split, x.shape)
		}
		parts, used = append(parts, s), append(used, x)
		for _, y := range targets {
			c := columns[y+split]
			if c == nil {
				return nil, nil, missing(columns, y+split)
			}
			if len(c.shape) == 0 || c.samples() != x.samples() {
				n := 0
				if len(c.shape) > 0 {
					n = c.samples()
				}
				return nil, nil, fmt.Errorf("x%s has %d samples, %s %d labels; expected as many", split, x.samples(), c.name, n)
			}
			used = append(used, c)
		}
	}
	if err := a.hold(used); err != nil {
		return nil, nil, err
	}
	for _, y := range targets {
		if err := a.target(parts, y, columns, splits); err != nil {
			return nil, nil, err
		}
	}
	for i, s := range parts {
		if err := s.check(); err != nil {
			return nil, nil, fmt.Errorf("x%s: %w", splits[i], err)
		}
	}
	if len(parts) == 1 {
		return parts[0], nil, nil
	}
	if a, b := parts[0].spec, parts[1].spec; !a.Alike(b) {
		return nil, nil, fmt.Errorf("samples of x_train have the shape %v, of x_test %v; expected the same", a, b)
	}
	return parts[0], parts[1], nil
}

// strays is an error for arrays of samples that no split has, as x_val.
func strays(columns map[string]*column, splits []string) error {
	for _, key := range slices.Sorted(maps.Keys(columns)) {
		if strings.HasPrefix(key, "x_") && !slices.Contains(splits, key[1:]) {
			return fmt.Errorf("array %s is of no part that is known; expected x, or x_train and x_test: rename it, or take it out (a run draws its validation samples from the training samples, by valid)", sample.Printable(key))
		}
	}
	return nil
}

func missing(columns map[string]*column, key string) error {
	return fmt.Errorf("no array %s; found %s; expected x and y, or x_train, y_train, x_test and y_test", key, data.Names(slices.Sorted(maps.Keys(columns))))
}

// targets are the names of the arrays of targets without the split, y first.
func (a Arrays) targets(columns map[string]*column, splits []string) ([]string, error) {
	if a.Unlabelled {
		return nil, nil
	}
	found := map[string]bool{}
	for key := range columns {
		if key != "y" && !strings.HasPrefix(key, "y_") {
			continue
		}
		if err := sample.CheckName(key); err != nil {
			return nil, fmt.Errorf("array: %w", err)
		}
		i := slices.IndexFunc(splits, func(split string) bool { return strings.HasSuffix(key, split) })
		if i < 0 {
			return nil, fmt.Errorf("array %s has no split; expected %s_train and %s_test beside x_train and x_test", key, key, key)
		}
		if splits[i] == "" && (strings.HasSuffix(key, "_train") || strings.HasSuffix(key, "_test")) {
			return nil, fmt.Errorf("array %s stands beside x; expected x_train and x_test with it, or a name without the split", key)
		}
		found[strings.TrimSuffix(key, splits[i])] = true
	}
	if len(found) == 0 {
		found["y"] = true // which is missing
	}
	for y := range a.Targets {
		if !found[y] {
			return nil, fmt.Errorf("targets: no array %s; found %s", sample.Printable(y), data.Names(slices.Sorted(maps.Keys(columns))))
		}
	}
	if len(a.Classes) > 0 && !found["y"] {
		return nil, fmt.Errorf("classes are those of y, and there is no array y; remove the option")
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// shape is that of a sample, or of a step of a series.
func (a Arrays) shape(x *column) (tensor.Shape, int, error) {
	if err := x.numeric(); err != nil {
		return nil, 0, err
	}
	axes := len(x.shape) - 1
	if axes < 1 || axes > 4 {
		return nil, 0, fmt.Errorf("shape %v has %d dimensions; expected N×D, N×H×W, N×H×W×C or N×T×H×W×C", x.shape, len(x.shape))
	}
	d, steps := x.shape[1:], 0
	if axes == 4 || a.Series {
		if d, steps = d[1:], d[0]; steps == 0 {
			return nil, 0, fmt.Errorf("shape %v has series of no steps", x.shape)
		}
	}
	var shape tensor.Shape
	switch {
	case len(d) == 3:
		if (d[0] <= 3) && d[2] > 4 {
			order := "0, 2, 3, 1"
			if steps > 0 {
				order = "0, 1, 3, 4, 2"
			}
			return nil, 0, fmt.Errorf("shape %v looks like channels first; expected channels last: save x.transpose(%s)", x.shape, order)
		}
		shape = tensor.Shape(d)
	case len(d) == 2:
		shape = tensor.Shape{d[0], d[1], 1}
	case len(d) == 1 && steps == 0:
		shape = tensor.Shape{1, 1, d[0]}
	case len(d) == 1:
		shape = tensor.Shape(d)
	default:
		shape = tensor.Shape{1} // series of single values
	}
	return shape, steps, shape.Validate()
}

// hold brings into memory what can't be read in parts, and all where it is small.
func (a Arrays) hold(used []*column) error {
	var whole, all int64
	for _, c := range used {
		all += c.bytes()
		if c.held == nil && (c.load != nil || c.fortran) {
			whole += c.bytes()
			if c.bytes() > MaxWhole || whole > MaxWhole {
				return fmt.Errorf("array %s takes %d bytes and is compressed or in Fortran's order, so that it must be read whole, of which at most %d are permitted; save it with numpy.save, or numpy.savez in C's order, and it is read in parts",
					sample.Printable(c.name), c.bytes(), int64(MaxWhole))
			}
		}
	}
	for _, c := range used {
		if a.Memory.Hold(all) || c.load != nil || c.fortran {
			if err := c.hold(); err != nil {
				return err
			}
		}
	}
	return nil
}

// target adds a target to the sources of all splits.
func (a Arrays) target(parts []*source, y string, columns map[string]*column, splits []string) error {
	var all []*column
	for _, split := range splits {
		all = append(all, columns[y+split])
	}
	reading, err := a.reading(y, all)
	if err != nil {
		return err
	}
	name := strings.TrimPrefix(y, "y_")
	if reading == AsClass {
		if y == "y" {
			name = sample.Label
		}
		return a.classTarget(parts, y, name, all, columns)
	}
	if y == "y" {
		name = "value"
	}
	for i, c := range all {
		f := sample.Field{Name: name, Kind: sample.Values, Shape: tensor.Shape(c.shape[1:])}
		if reading == AsSeries {
			if len(c.shape) < 2 {
				return fmt.Errorf("%s has the shape %v; a series wants time as axis 1", c.name, c.shape)
			}
			f.Steps, f.Shape = c.shape[1], f.Shape[1:]
		}
		if len(f.Shape) == 0 {
			f.Shape = tensor.Shape{1}
		}
		if err := c.numeric(); err != nil {
			return err
		}
		if first := parts[0].spec.Targets; i > 0 && !f.Shape.Equal(first[len(first)-1].Shape) {
			return fmt.Errorf("%s has the shape %v, %s %v; expected the same behind the first axis", all[0].name, all[0].shape, c.name, c.shape)
		}
		parts[i].spec.Targets = append(parts[i].spec.Targets, f)
		parts[i].targets = append(parts[i].targets, target{values: c})
	}
	return nil
}

// reading is what the arrays of a target are, of all splits alike.
func (a Arrays) reading(y string, all []*column) (Reading, error) {
	if r := a.Targets[y]; r != "" {
		return r, nil
	}
	whole := true
	for _, c := range all {
		switch {
		case c.size() != 1:
			return AsValues, nil
		case !c.floating():
			return AsClass, nil
		}
		v, err := c.array()
		if err != nil {
			return "", err
		}
		if _, err := v.Int64s(); err != nil {
			whole = false
		}
	}
	if whole {
		return "", fmt.Errorf("%s holds real numbers that are all whole: say targets: {%s: class} or {%s: values}", all[0].name, sample.Printable(y), sample.Printable(y))
	}
	return AsValues, nil
}

func (a Arrays) classTarget(parts []*source, y, name string, all []*column, columns map[string]*column) error {
	var classes []string
	key := "classes" + strings.TrimPrefix(y, "y")
	if c := columns[key]; c != nil {
		array, err := c.array()
		if err == nil {
			classes, err = array.Strings()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	if y == "y" && len(a.Classes) > 0 {
		classes = a.Classes
	}
	var labels []npz.Array
	for _, c := range all {
		array, err := c.array()
		if err != nil {
			return err
		}
		labels = append(labels, array)
	}
	names, numbers, err := labelling(labels, classes)
	if err != nil {
		return fmt.Errorf("%s: %w", y, err)
	}
	for i, s := range parts {
		s.spec.Targets = append(s.spec.Targets, sample.Field{Name: name, Kind: sample.Class, Classes: names})
		s.targets = append(s.targets, target{classes: numbers[i]})
	}
	return nil
}

// source is the arrays of a split.
type source struct {
	name    string // of the file
	spec    sample.Spec
	x       *column
	scale   float64
	targets []target
	buffers sync.Pool // of *[]byte
}

// target is the classes or the values of all samples.
type target struct {
	classes []int
	values  *column
}

// check looks at the description, and at values that are in memory.
func (s *source) check() error {
	if err := s.spec.Validate(); err != nil {
		return err
	}
	if s.x.held == nil || !s.x.floating() {
		return nil
	}
	dst := make([]tensor.Float, s.spec.Size())
	var buf []byte
	for i := range s.Len() {
		var err error
		if buf, err = s.x.values(i, dst, buf, s.scale); err != nil {
			return err
		}
		if k, ok := tensor.Finite(dst); !ok {
			return s.x.misfit(i, k, dst[k], s.scale)
		}
	}
	return nil
}

func (s *source) Spec() sample.Spec { return s.spec }
func (s *source) Len() int          { return s.x.samples() }
func (s *source) Index(i int) int   { return i }

// Origin names the file, the array and the sample.
func (s *source) Origin(i int) string {
	return fmt.Sprintf("%s: %s, sample %d", sample.Printable(s.name), s.x.name, i)
}

func (s *source) Target(i, f int) (sample.Target, error) {
	t := s.targets[f]
	if t.values == nil {
		return sample.Target{Class: t.classes[i]}, nil
	}
	v := make([]tensor.Float, s.spec.Targets[f].Size())
	scale := s.scale
	if t.values.dtype != "|u1" {
		scale = 0 // that of x is not theirs
	}
	_, err := t.values.values(i, v, nil, scale)
	if k, ok := tensor.Finite(v); err == nil && !ok {
		err = fmt.Errorf("%s: %w", t.values.name, t.values.misfit(i, k, v[k], scale))
	}
	if err != nil {
		return sample.Target{}, fmt.Errorf("data: %s: %w", s.Origin(i), err)
	}
	return sample.Target{Values: v}, nil
}

func (s *source) Read(ctx context.Context, i int, x *sample.Sample) error {
	buf, _ := s.buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer s.buffers.Put(buf)
	err := ctx.Err()
	if err == nil {
		*buf, err = s.x.values(i, x.X, *buf, s.scale)
	}
	if k, ok := tensor.Finite(x.X); err == nil && !ok {
		err = s.x.misfit(i, k, x.X[k], s.scale)
	}
	if err != nil {
		return fmt.Errorf("data: %s: %w", s.Origin(i), err)
	}
	for f := range s.targets {
		t, err := s.Target(i, f)
		if err != nil {
			return err
		}
		x.Targets = append(x.Targets, t)
	}
	return nil
}
