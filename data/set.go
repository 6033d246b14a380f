// Package data holds data sets, the order in which training sees them, and the
// ways their files reach this machine.
//
// A [Set] is a [sample.Source] in memory: one split of a data set, bytes or real
// numbers. A [Cursor] walks any source in batches. It lets the augmentations
// change a sample, of which bytes p have become p/255, and normalises each channel
// c where it is told to:
//
//	X[b, (y·W + x)·C + c] = (augmented(p[Index[b], y, x, c] / 255) − mean[c]) / std[c]
//
// The order of an epoch is a permutation drawn from (seed, "shuffle", epoch)
// and a change to a sample, such as a [Shift], is drawn from (seed, "augment",
// epoch, index in the data set). Both are pure functions of these keys, so a
// walk can be left and taken up again anywhere without changing a number, and
// decoding ahead of time ([CursorOptions].Prefetch) changes none.
//
// A [Dataset] describes where a set's files come from: a folder of the user's,
// the cache, or an ordered list of sources whose bytes must match pinned
// SHA-256 sums.
package data

import (
	"context"
	"fmt"

	"synfire/sample"
	"synfire/tensor"
)

// Set is one split of a data set in memory. It is a sample.Source.
type Set struct {
	Name  string       // of the data set, "mnist"
	Split string       // "train", "valid" or "test"
	Shape tensor.Shape // of one sample, or of one step of a series: height, width, channels
	Steps int          // of samples that are series, [Steps, Shape…]; 0: they are none
	// Duration is the time in seconds that a sample spans, where targets are spike
	// trains; else 0.
	Duration float64
	Images   []uint8  // N samples, row-major
	Classes  []string // names by label; nil where samples have no class
	Labels   []int    // N, each below len(Classes)

	// Values are the samples in place of Images where they are no bytes. They
	// are used as they are, without a scale.
	Values []tensor.Float

	// Targets are those besides the class, of N samples each.
	Targets []sample.Column

	// Places gives each sample's place in the data set's file, which names
	// its random streams. Nil means that sample i is number i.
	Places []int

	// Origins names where each sample comes from; nil: its number says it.
	Origins []string
}

// Spec describes the samples. The class, where there is one, is the first
// target.
func (s *Set) Spec() sample.Spec {
	spec := sample.Spec{Shape: s.Shape, Steps: s.Steps, Duration: s.Duration}
	if s.Classes != nil {
		spec.Targets = append(spec.Targets, sample.Field{Name: sample.Label, Kind: sample.Class, Classes: s.Classes})
	}
	for _, c := range s.Targets {
		spec.Targets = append(spec.Targets, *c.Field)
	}
	return spec
}

// size is the number of values of a sample.
func (s *Set) size() int { return max(1, s.Steps) * s.Shape.Size() }

// Len is the number of samples.
func (s *Set) Len() int {
	if s.Labels != nil || len(s.Targets) == 0 {
		return len(s.Labels)
	}
	return (len(s.Images) + len(s.Values)) / s.size()
}

// Image is the bytes of sample i of a set that holds bytes. It shares the set's
// memory.
func (s *Set) Image(i int) []uint8 {
	n := s.size()
	return s.Images[i*n : (i+1)*n : (i+1)*n]
}

// Sample fills dst with the values of sample i: of bytes, values in [0, 1].
func (s *Set) Sample(i int, dst []tensor.Float) {
	if s.Values != nil {
		copy(dst, s.Values[i*len(dst):])
		return
	}
	for j, p := range s.Image(i) {
		dst[j] = unit[p]
	}
}

// unit maps a byte to [0, 1]; a division each time would cost more than the rest.
var unit = func() (u [256]tensor.Float) {
	for i := range u {
		u[i] = tensor.Float(i) / 255
	}
	return u
}()

// Index is the place of sample i in the data set's file.
func (s *Set) Index(i int) int {
	if s.Places == nil {
		return i
	}
	return s.Places[i]
}

// Origin names sample i.
func (s *Set) Origin(i int) string {
	if s.Origins != nil {
		return s.Origins[i]
	}
	return fmt.Sprintf("%s, sample %d", s.title(), s.Index(i))
}

// Target is target f of sample i.
func (s *Set) Target(i, f int) (sample.Target, error) {
	if s.Classes != nil {
		if f == 0 {
			return sample.Target{Class: s.Labels[i]}, nil
		}
		f--
	}
	return s.Targets[f].At(i), nil
}

// Read fills x with sample i.
func (s *Set) Read(_ context.Context, i int, x *sample.Sample) error {
	s.Sample(i, x.X)
	if s.Classes != nil {
		x.Targets = append(x.Targets, sample.Target{Class: s.Labels[i]})
	}
	for f := range s.Targets {
		x.Targets = append(x.Targets, s.Targets[f].At(i))
	}
	return nil
}

// Validate returns an error where the fields disagree.
func (s *Set) Validate() error {
	if err := s.Spec().Validate(); err != nil {
		return fmt.Errorf("data: %s: %w", s.title(), err)
	}
	n := s.Len()
	if s.Images != nil && s.Values != nil {
		return fmt.Errorf("data: %s: both Images and Values are set; give one of them", s.title())
	}
	if have := len(s.Images) + len(s.Values); have%s.size() != 0 || have/s.size() != n {
		return fmt.Errorf("data: %s: %d labels need %d×%v bytes of images or values, found %d", s.title(), n, n, s.Spec(), have)
	}
	if s.Places != nil && len(s.Places) != n {
		return fmt.Errorf("data: %s: %d labels, but %d places", s.title(), n, len(s.Places))
	}
	if s.Origins != nil && len(s.Origins) != n {
		return fmt.Errorf("data: %s: %d labels, but %d origins", s.title(), n, len(s.Origins))
	}
	for i, l := range s.Labels {
		if l < 0 || l >= len(s.Classes) {
			return fmt.Errorf("data: %s: label %d of sample %d is outside the %d classes", s.title(), l, i, len(s.Classes))
		}
	}
	for f := range s.Targets {
		if have := s.Targets[f].Len(); have != n {
			return fmt.Errorf("data: %s: target %q of %d samples, want %d", s.title(), s.Targets[f].Field.Name, have, n)
		}
	}
	return nil
}

// Subset is the samples at the given positions, in that order, copied. Each keeps
// its place in the data set's file. sample.Subset copies nothing.
func (s *Set) Subset(positions []int) (*Set, error) {
	sub, n := *s, s.size()
	sub.Images, sub.Values, sub.Labels, sub.Origins, sub.Places = nil, nil, nil, nil, make([]int, 0, len(positions))
	sub.Targets = make([]sample.Column, len(s.Targets))
	for f := range sub.Targets {
		sub.Targets[f].Field = s.Targets[f].Field
	}
	for _, i := range positions {
		if i < 0 || i >= s.Len() {
			return nil, fmt.Errorf("data: %s: subset: position %d is outside [0, %d)", s.title(), i, s.Len())
		}
		if s.Values == nil {
			sub.Images = append(sub.Images, s.Image(i)...)
		} else {
			sub.Values = append(sub.Values, s.Values[i*n:(i+1)*n]...)
		}
		if s.Classes != nil {
			sub.Labels = append(sub.Labels, s.Labels[i])
		}
		if s.Origins != nil {
			sub.Origins = append(sub.Origins, s.Origins[i])
		}
		for f := range sub.Targets {
			sub.Targets[f].Add(s.Targets[f].At(i))
		}
		sub.Places = append(sub.Places, s.Index(i))
	}
	return &sub, nil
}

func (s *Set) title() string {
	if s.Name == "" {
		return "unnamed set"
	}
	return s.Name + " " + s.Split
}
