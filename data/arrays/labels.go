package arrays

import (
	"fmt"
	"slices"
	"strconv"

	"synfire/data"
	"synfire/format/npz"
	"synfire/sample"
)

// labelling numbers the labels of all splits alike. Given names come in the order of
// the numbers, unless they are numbers themselves: then a label is the class of that
// name.
func labelling(labels []npz.Array, classes []string) (names []string, numbers [][]int, err error) {
	for _, y := range labels {
		if len(y.Shape) == 0 || y.Len() != y.Shape[0] {
			return nil, nil, fmt.Errorf("labels of the shape %v; expected one for each sample", y.Shape)
		}
	}
	if _, err := labels[0].Strings(); err == nil {
		return named(labels, classes)
	}
	if places := numbered(classes); places != nil {
		return matched(labels, classes, places)
	}
	most := -1
	for _, y := range labels {
		v, err := y.Int64s()
		if err != nil {
			return nil, nil, fmt.Errorf("labels: %w", err)
		}
		labels := make([]int, len(v))
		for i, label := range v {
			if label < 0 || label >= sample.MaxClasses || (classes != nil && label >= int64(len(classes))) {
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

// numbered are the places of classes whose names are all whole numbers; nil where one
// is not.
func numbered(classes []string) map[int64]int {
	if len(classes) == 0 {
		return nil
	}
	places := make(map[int64]int, len(classes))
	for i, name := range classes {
		v, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			return nil
		}
		places[v] = i
	}
	return places
}

// matched are labels that are whole numbers, by classes that are named so.
func matched(labels []npz.Array, classes []string, places map[int64]int) (names []string, numbers [][]int, err error) {
	for _, y := range labels {
		v, err := y.Int64s()
		if err != nil {
			return nil, nil, fmt.Errorf("labels: %w", err)
		}
		of := make([]int, len(v))
		for i, label := range v {
			place, known := places[label]
			if !known {
				return nil, nil, fmt.Errorf("label %d of sample %d is none of the classes %s", label, i, data.Names(classes))
			}
			of[i] = place
		}
		numbers = append(numbers, of)
	}
	return classes, numbers, nil
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
		all := slices.Concat(text...)
		slices.Sort(all)
		if names, err = data.SortClasses(slices.Compact(all)); err != nil {
			return nil, nil, fmt.Errorf("labels: %w", err)
		}
	}
	number := make(map[string]int, len(names))
	for i, name := range names {
		number[name] = i
	}
	for _, v := range text {
		labels := make([]int, len(v))
		for i, name := range v {
			label, known := number[name]
			if !known {
				return nil, nil, fmt.Errorf("label %q of sample %d is none of the classes %s", name, i, data.Names(names))
			}
			if err := sample.CheckName(name); err != nil {
				return nil, nil, fmt.Errorf("label of sample %d: %w", i, err)
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
		return sample.MaxClasses - 1
	}
	return len(classes) - 1
}
