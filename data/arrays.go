package data

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"synfire/format/npz"
	"synfire/tensor"
)

// Arrays describes a data set of the user's own: an NPZ file with the arrays
//
//	x_train  N×D, N×H×W or N×H×W×C   y_train  N labels
//	x_test   M×D, M×H×W or M×H×W×C   y_test   M labels
//
// or x and y alone, without test samples. Samples of unsigned bytes are scaled to
// [0, 1] as images are; those of any other type of number are used as they are. A
// sample of D numbers has the shape 1×1×D. Labels are numbers from 0 up or names; the
// names of numbered classes may stand in an array "classes". Given names (classes, or
// nil) come before those of the file.
func Arrays(at string, classes []string) Dataset {
	return Dataset{
		Name: "npz:" + at, Title: "arrays in " + at, License: "your own",
		Load: InMemory(func(context.Context, Options) (train, test *Set, err error) {
			arrays, err := npz.ReadFile(at, 0)
			if err != nil {
				return nil, nil, fmt.Errorf("data: %w", err)
			}
			return FromArrays("npz:"+at, arrays, classes)
		}),
	}
}

// FromArrays makes sets of arrays; see Arrays. Where there are no test arrays, test is
// nil.
func FromArrays(name string, arrays map[string]npz.Array, classes []string) (train, test *Set, err error) {
	splits := []string{"_train", "_test"}
	if _, ok := arrays["x_train"]; !ok {
		splits = []string{""}
	}
	var labels []npz.Array
	for _, split := range splits {
		for _, key := range []string{"x" + split, "y" + split} {
			if _, ok := arrays[key]; !ok {
				return nil, nil, fmt.Errorf("data: %s: no array %s; found %s; expected x and y, or x_train, y_train, x_test and y_test",
					name, key, strings.Join(slices.Sorted(maps.Keys(arrays)), ", "))
			}
		}
		labels = append(labels, arrays["y"+split])
	}
	if a, ok := arrays["classes"]; ok && classes == nil {
		if classes, err = a.Strings(); err != nil {
			return nil, nil, fmt.Errorf("data: %s: classes: %w", name, err)
		}
	}
	names, numbers, err := labelling(labels, classes)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", name, err)
	}
	var sets [2]*Set
	for i, split := range splits {
		s, err := samples(arrays["x"+split])
		if err != nil {
			return nil, nil, fmt.Errorf("data: %s: x%s: %w", name, split, err)
		}
		s.Name, s.Classes, s.Labels, s.Split = name, names, numbers[i], strings.TrimPrefix(split, "_")
		if split == "" {
			s.Split = "all"
		}
		if n := arrays["x"+split].Shape[0]; n != len(s.Labels) {
			return nil, nil, fmt.Errorf("data: %s: x%s has %d samples, y%s %d labels; expected as many", name, split, n, split, len(s.Labels))
		}
		if err := s.Validate(); err != nil {
			return nil, nil, err
		}
		sets[i] = s
	}
	if train, test = sets[0], sets[1]; test != nil && !test.Shape.Equal(train.Shape) {
		return nil, nil, fmt.Errorf("data: %s: samples of x_train have the shape %v, of x_test %v; expected the same", name, train.Shape, test.Shape)
	}
	return train, test, nil
}

// samples are the values of an array whose first axis counts samples.
func samples(a npz.Array) (*Set, error) {
	if len(a.Shape) < 2 || len(a.Shape) > 4 {
		return nil, fmt.Errorf("shape %v has %d dimensions; expected N×D, N×H×W or N×H×W×C", a.Shape, len(a.Shape))
	}
	s := &Set{}
	switch d := a.Shape[1:]; len(d) {
	case 1:
		s.Shape = tensor.Shape{1, 1, d[0]}
	case 2:
		s.Shape = tensor.Shape{d[0], d[1], 1}
	default:
		if (d[0] == 1 || d[0] == 3) && d[2] > 4 {
			return nil, fmt.Errorf("shape %v looks like channels first; expected channels last: save x.transpose(0, 2, 3, 1)", a.Shape)
		}
		s.Shape = tensor.Shape(d)
	}
	if err := s.Shape.Validate(); err != nil {
		return nil, err
	}
	if a.DType == "|u1" {
		s.Images = a.Data
		return s, nil
	}
	values, err := a.Float64s()
	if err != nil {
		return nil, err
	}
	s.Values = make([]tensor.Float, len(values))
	for i, v := range values {
		s.Values[i] = tensor.Float(v)
		if f := float64(s.Values[i]); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("value %d of sample %d is %v; expected finite numbers: remove the sample or fill the value in", i%s.Shape.Size(), i/s.Shape.Size(), v)
		}
	}
	return s, nil
}

// maxClasses is how many are made of numbered labels: a larger number is no label.
const maxClasses = 1 << 16

// labelling numbers the labels of all splits alike.
func labelling(labels []npz.Array, classes []string) (names []string, numbers [][]int, err error) {
	for _, y := range labels {
		if len(y.Shape) == 0 || y.Len() != y.Shape[0] {
			return nil, nil, fmt.Errorf("labels of the shape %v; expected one for each sample", y.Shape)
		}
	}
	if _, err := labels[0].Strings(); err == nil {
		return named(labels, classes)
	}
	most := -1
	for _, y := range labels {
		v, err := y.Int64s()
		if err != nil {
			return nil, nil, fmt.Errorf("labels: %w", err)
		}
		labels := make([]int, len(v))
		for i, label := range v {
			if label < 0 || label >= maxClasses || (classes != nil && label >= int64(len(classes))) {
				return nil, nil, fmt.Errorf("label %d of sample %d: expected numbers from 0 to %d", label, i, top(classes))
			}
			labels[i], most = int(label), max(most, int(label))
		}
		numbers = append(numbers, labels)
	}
	if names = classes; names == nil {
		for i := range most + 1 {
			names = append(names, fmt.Sprint(i))
		}
	}
	return names, numbers, nil
}

// named are labels that are names; the classes are sorted unless they are given.
func named(labels []npz.Array, classes []string) (names []string, numbers [][]int, err error) {
	var text [][]string
	for _, y := range labels {
		v, err := y.Strings()
		if err != nil {
			return nil, nil, fmt.Errorf("labels: %w", err)
		}
		text = append(text, v)
	}
	if names = classes; names == nil {
		names = slices.Concat(text...)
		slices.Sort(names)
		names = slices.Compact(names)
	}
	if len(names) > maxClasses {
		return nil, nil, fmt.Errorf("%d classes; at most %d are supported", len(names), maxClasses)
	}
	for _, v := range text {
		labels := make([]int, len(v))
		for i, name := range v {
			label := slices.Index(names, name)
			if label < 0 {
				return nil, nil, fmt.Errorf("label %q of sample %d is none of the classes %s", name, i, strings.Join(names, ", "))
			}
			labels[i] = label
		}
		numbers = append(numbers, labels)
	}
	return names, numbers, nil
}

// top is the largest label that is allowed.
func top(classes []string) int {
	if classes == nil {
		return maxClasses - 1
	}
	return len(classes) - 1
}
