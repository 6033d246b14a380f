package sample

import (
	"context"
	"fmt"
	"slices"
)

// Reclass is a view of a source in which the classes of a target (the empty name:
// the first one) are numbered as in another list of names, as that of a model. A
// class that the list lacks is an error where a sample has it, which names the class
// and the sample; all targets are looked at now, no sample is decoded.
func Reclass(s Source, field string, classes []string) (Source, error) {
	spec := s.Spec()
	f, err := spec.Field(field)
	if err != nil {
		return nil, fmt.Errorf("sample: reclass: %w", err)
	}
	old := spec.Targets[f]
	if old.Kind != Class && old.Kind != Boxes {
		return nil, fmt.Errorf("sample: reclass: target %q is of the kind %v, want class or boxes", old.Name, old.Kind)
	}
	if slices.Equal(old.Classes, classes) {
		return s, nil
	}
	r := reclassed{Source: s, spec: spec, field: f, number: make([]int, len(old.Classes))}
	r.spec.Targets = slices.Clone(spec.Targets)
	r.spec.Targets[f].Classes = classes
	if err := r.spec.Validate(); err != nil {
		return nil, fmt.Errorf("sample: reclass: %w", err)
	}
	place := make(map[string]int, len(classes))
	for i, name := range classes {
		place[name] = i
	}
	for i, name := range old.Classes {
		n, known := place[name]
		if !known {
			n = -1
		}
		r.number[i] = n
	}
	if !slices.Contains(r.number, -1) {
		return r, nil
	}
	for i := range s.Len() {
		if _, err := r.Target(i, f); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// reclassed is a source with other numbers of the classes of one of its targets.
type reclassed struct {
	Source
	spec   Spec
	field  int
	number []int // of each class of the source, −1 where there is none
}

func (r reclassed) Spec() Spec { return r.spec }

func (r reclassed) Target(i, f int) (Target, error) {
	t, err := r.Source.Target(i, f)
	if err != nil || f != r.field {
		return t, err
	}
	return r.renumber(i, t)
}

func (r reclassed) Read(ctx context.Context, i int, s *Sample) error {
	err := r.Source.Read(ctx, i, s)
	if err == nil && r.field < len(s.Targets) {
		s.Targets[r.field], err = r.renumber(i, s.Targets[r.field])
	}
	return err
}

func (r reclassed) renumber(i int, t Target) (Target, error) {
	if r.spec.Targets[r.field].Kind == Class {
		class, err := r.class(i, t.Class)
		return Target{Class: class}, err
	}
	boxes := slices.Clone(t.Boxes) // the source's own stay as they are
	for b := range boxes {
		class, err := r.class(i, boxes[b].Class)
		if err != nil {
			return Target{}, err
		}
		boxes[b].Class = class
	}
	return Target{Boxes: boxes}, nil
}

func (r reclassed) class(i, old int) (int, error) {
	if old < 0 || old >= len(r.number) {
		return 0, fmt.Errorf("%s: class %d is outside its %d classes", r.Origin(i), old, len(r.number))
	}
	if n := r.number[old]; n >= 0 {
		return n, nil
	}
	return 0, fmt.Errorf("%s: class %q is none of the %d known ones, %s; leave the sample out, or use a model that was trained with it",
		r.Origin(i), r.Source.Spec().Targets[r.field].Classes[old], len(r.spec.Targets[r.field].Classes), shortList(r.spec.Targets[r.field].Classes))
}

// shortList is the first of several names.
func shortList(names []string) string {
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%q and %d more", names[:most], len(names)-most)
	}
	return fmt.Sprintf("%q", names)
}
