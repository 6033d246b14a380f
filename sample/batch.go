package sample

import (
	"fmt"
	"math"
	"slices"

	"synfire/spike"
	"synfire/tensor"
)

// Batch is samples that go through a network together.
type Batch struct {
	Spec  *Spec
	Epoch int
	Index []int // of each sample, which names its random streams

	X      []tensor.Float // B × Spec.Size(), of what are no events
	Events [][]Event      // B, of events
	// Lengths are the parts of the samples that are not padding, in the unit of
	// Sample.Length; nil where no sample is padded.
	Lengths []float64
	Frames  []Frame // B, nil where the source has none
	Targets []Column
}

// Column holds a target of all samples of a batch. Its kind says which field
// is in use.
type Column struct {
	Field  *Field
	Class  []int          // B
	Values []tensor.Float // B × Field.Size()
	Trains [][]spike.Train
	Boxes  [][]Box
}

// Len is the number of samples B.
func (b *Batch) Len() int { return len(b.Index) }

// Target is the column of a name: the empty name is the first one, Input the
// samples themselves.
func (b *Batch) Target(name string) (*Column, error) {
	if name == Input {
		f, err := b.Spec.Target(name)
		return &Column{Field: &f, Values: b.X}, err
	}
	i, err := b.Spec.Field(name)
	if err != nil {
		return nil, err
	}
	return &b.Targets[i], nil
}

// Valid is the number of the given steps of time that are not padding, for each
// sample; nil where none is padded.
func (b *Batch) Valid(steps int) []int {
	if b.Lengths == nil {
		return nil
	}
	whole := b.Spec.Duration
	if !b.Spec.Events {
		whole = float64(b.Spec.Steps)
	}
	valid := make([]int, len(b.Lengths))
	for i, l := range b.Lengths {
		valid[i] = steps
		if l > 0 && l < whole {
			valid[i] = min(steps, max(1, int(math.Ceil(l/whole*float64(steps)))))
		}
	}
	return valid
}

// Reset makes b an empty batch of samples of a spec, keeping its memory.
func (b *Batch) Reset(spec *Spec, epoch int) {
	if b.Spec != spec || len(b.Targets) != len(spec.Targets) {
		b.Targets = make([]Column, len(spec.Targets))
	}
	b.Spec, b.Epoch = spec, epoch
	b.Index, b.X, b.Events, b.Frames, b.Lengths = b.Index[:0], b.X[:0], b.Events[:0], nil, nil
	for f := range b.Targets {
		c := &b.Targets[f]
		c.Field = &spec.Targets[f]
		c.Class, c.Values, c.Trains, c.Boxes = c.Class[:0], c.Values[:0], c.Trains[:0], c.Boxes[:0]
	}
}

// Append adds a sample. The values of one that is no events are copied behind
// X, unless they stand there already (Slot); targets' values are copied too, all
// else is kept.
func (b *Batch) Append(index int, s *Sample) error {
	n, size := b.Len(), b.Spec.Size()
	switch {
	case len(s.X) != size:
		return fmt.Errorf("%d values, want %d of a sample of %v", len(s.X), size, *b.Spec)
	case len(s.Targets) != len(b.Targets):
		return fmt.Errorf("%d targets, want %d", len(s.Targets), len(b.Targets))
	case b.Spec.Events:
		b.Events = append(b.Events, s.Events)
	default:
		copy(b.Slot(), s.X) // onto itself, where it stands there
		b.X = b.X[:(n+1)*size]
	}
	b.Index = append(b.Index, index)
	if s.Length > 0 && b.Lengths == nil {
		b.Lengths = make([]float64, n)
	}
	if b.Lengths != nil {
		b.Lengths = append(b.Lengths, s.Length)
	}
	if s.Frame != (Frame{}) && b.Frames == nil {
		b.Frames = make([]Frame, n)
	}
	if b.Frames != nil {
		b.Frames = append(b.Frames, s.Frame)
	}
	for f := range b.Targets {
		b.Targets[f].Add(s.Targets[f])
	}
	return nil
}

// Slot is the place for the values of the next sample.
func (b *Batch) Slot() []tensor.Float {
	at, size := b.Len()*b.Spec.Size(), b.Spec.Size()
	b.X = slices.Grow(b.X[:at], size)
	return b.X[at : at+size]
}

// Add appends a target.
func (c *Column) Add(t Target) {
	switch c.Field.Kind {
	case Class:
		c.Class = append(c.Class, t.Class)
	case Values:
		c.Values = append(c.Values, t.Values...)
	case Trains:
		c.Trains = append(c.Trains, t.Trains)
	case Boxes:
		c.Boxes = append(c.Boxes, t.Boxes)
	}
}

// Len is the number of targets.
func (c *Column) Len() int {
	switch c.Field.Kind {
	case Class:
		return len(c.Class)
	case Values:
		return len(c.Values) / c.Field.Size()
	case Trains:
		return len(c.Trains)
	}
	return len(c.Boxes)
}

// At is target i. It shares the column's memory.
func (c *Column) At(i int) Target {
	switch c.Field.Kind {
	case Class:
		return Target{Class: c.Class[i]}
	case Values:
		n := c.Field.Size()
		return Target{Values: c.Values[i*n : (i+1)*n : (i+1)*n]}
	case Trains:
		return Target{Trains: c.Trains[i]}
	}
	return Target{Boxes: c.Boxes[i]}
}

// Check returns an error where a target does not fit its field.
func (f Field) Check(t Target) error {
	switch f.Kind {
	case Class:
		if t.Class < 0 || t.Class >= len(f.Classes) {
			return fmt.Errorf("class %d of target %q is outside its %d classes", t.Class, f.Name, len(f.Classes))
		}
	case Values:
		if len(t.Values) != f.Size() {
			return fmt.Errorf("%d values of target %q, want %d", len(t.Values), f.Name, f.Size())
		}
		if i, ok := tensor.Finite(t.Values); !ok {
			return fmt.Errorf("value %d of target %q is %v; correct it or leave the sample out", i, f.Name, t.Values[i])
		}
	case Trains:
		if len(t.Trains) != f.Shape.Size() {
			return fmt.Errorf("%d trains of target %q, want %d", len(t.Trains), f.Name, f.Shape.Size())
		}
	case Boxes:
		for _, box := range t.Boxes {
			if box.Class < 0 || box.Class >= len(f.Classes) {
				return fmt.Errorf("class %d of a box of target %q is outside its %d classes", box.Class, f.Name, len(f.Classes))
			}
		}
	}
	return nil
}

// Labelled is a batch of values [B, n] with a class each, below classes. index names
// their random streams.
func Labelled(index []int, x []tensor.Float, labels []int, classes int) *Batch {
	n := 0
	if len(index) > 0 {
		n = len(x) / len(index)
	}
	spec := &Spec{Shape: tensor.Shape{n}, Targets: []Field{{Name: Label, Kind: Class, Classes: make([]string, classes)}}}
	for i := range classes {
		spec.Targets[0].Classes[i] = fmt.Sprint(i)
	}
	return &Batch{Spec: spec, Index: index, X: x, Targets: []Column{{Field: &spec.Targets[0], Class: labels}}}
}

// Slice is samples [lo, hi) of the batch, in the batch's memory.
func (b *Batch) Slice(lo, hi int) *Batch {
	s := &Batch{Spec: b.Spec, Epoch: b.Epoch, Index: b.Index[lo:hi]}
	if n := b.Spec.Size(); !b.Spec.Events {
		s.X = b.X[lo*n : hi*n]
	} else {
		s.Events = b.Events[lo:hi]
	}
	if b.Lengths != nil {
		s.Lengths = b.Lengths[lo:hi]
	}
	if b.Frames != nil {
		s.Frames = b.Frames[lo:hi]
	}
	for _, c := range b.Targets {
		part := Column{Field: c.Field}
		for i := lo; i < hi; i++ {
			part.Add(c.At(i))
		}
		s.Targets = append(s.Targets, part)
	}
	return s
}

// Classes are the classes of the first target that is one; nil where there is none.
func (b *Batch) Classes() []int {
	for i := range b.Targets {
		if b.Targets[i].Field.Kind == Class {
			return b.Targets[i].Class
		}
	}
	return nil
}
