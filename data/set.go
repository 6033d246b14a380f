// Package data holds labelled images, the order in which training sees them,
// and the ways their files reach this machine.
//
// A [Set] is one split of a data set: bytes, or real numbers. A [Cursor] walks a
// set in batches. It scales each byte p to p/255, lets the augmentations change
// the sample, and normalises each channel c where the set says so:
//
//	X[b, (y·W + x)·C + c] = (augmented(p[Index[b], y, x, c] / 255) − mean[c]) / std[c]
//
// The order of an epoch is a permutation drawn from (seed, "shuffle", epoch)
// and a change to a sample, such as a [Shift], is drawn from (seed, "augment",
// epoch, index in the data set). Both are pure functions of these keys, so a
// walk can be left and taken up again anywhere without changing a number.
//
// A [Dataset] describes where a set's files come from: a folder of the user's,
// the cache, or an ordered list of sources whose bytes must match pinned
// SHA-256 sums.
package data

import (
	"fmt"

	"synfire/tensor"
)

// Set is one split of a data set of labelled samples.
type Set struct {
	Name    string       // of the data set, "mnist"
	Split   string       // "train", "valid" or "test"
	Classes []string     // names by label
	Shape   tensor.Shape // of one sample: height, width, channels
	Images  []uint8      // N×H×W×C, row-major
	Labels  []uint8      // N, each below len(Classes)

	// Values are the samples in place of Images where they are no bytes. They
	// are used as they are, without a scale.
	Values []tensor.Float

	// Normalization is applied to each sample; nil for none.
	Normalization *Normalization

	// Index gives each sample's place in the data set's file, which names
	// its random streams. Nil means that sample i is number i.
	Index []int
}

// Len is the number of samples.
func (s *Set) Len() int { return len(s.Labels) }

// Image is the bytes of sample i, H×W×C, of a set that holds bytes. It shares the
// set's memory.
func (s *Set) Image(i int) []uint8 {
	n := s.Shape.Size()
	return s.Images[i*n : (i+1)*n : (i+1)*n]
}

// Sample fills dst, of the size of Shape, with sample i before normalisation: of
// bytes, values in [0, 1].
func (s *Set) Sample(i int, dst []tensor.Float) {
	if s.Values != nil {
		copy(dst, s.Values[i*len(dst):])
		return
	}
	for j, p := range s.Image(i) {
		dst[j] = unit[p]
	}
}

// Input fills dst with sample i as a network sees it: normalised.
func (s *Set) Input(i int, dst []tensor.Float) {
	s.Sample(i, dst)
	s.Normalization.Apply(dst)
}

// unit maps a byte to [0, 1]; a division each time would cost more than the rest.
var unit = func() (u [256]tensor.Float) {
	for i := range u {
		u[i] = tensor.Float(i) / 255
	}
	return u
}()

// Origin is the place of sample i in the data set's file.
func (s *Set) Origin(i int) int {
	if s.Index == nil {
		return i
	}
	return s.Index[i]
}

// Validate returns an error where the fields disagree.
func (s *Set) Validate() error {
	if len(s.Shape) != 3 {
		return fmt.Errorf("data: %s: shape %v has %d dimensions, expected height, width, channels", s.title(), s.Shape, len(s.Shape))
	}
	if err := s.Shape.Validate(); err != nil {
		return fmt.Errorf("data: %s: %w", s.title(), err)
	}
	n := len(s.Labels)
	if s.Images != nil && s.Values != nil {
		return fmt.Errorf("data: %s: both Images and Values are set; give one of them", s.title())
	}
	if have := len(s.Images) + len(s.Values); have%s.Shape.Size() != 0 || have/s.Shape.Size() != n {
		return fmt.Errorf("data: %s: %d labels need %d×%v bytes of images or values, found %d", s.title(), n, n, s.Shape, have)
	}
	if err := s.Normalization.Validate(s.Shape); err != nil {
		return fmt.Errorf("data: %s: %w", s.title(), err)
	}
	if s.Index != nil && len(s.Index) != n {
		return fmt.Errorf("data: %s: %d labels, but %d indices", s.title(), n, len(s.Index))
	}
	for i, l := range s.Labels {
		if int(l) >= len(s.Classes) {
			return fmt.Errorf("data: %s: label %d of sample %d is outside the %d classes", s.title(), l, i, len(s.Classes))
		}
	}
	return nil
}

// Subset is the samples at the given positions, in that order, copied. Each keeps
// its place in the data set's file.
func (s *Set) Subset(positions []int) (*Set, error) {
	sub, n := *s, s.Shape.Size()
	sub.Images, sub.Values = nil, nil
	if s.Values == nil {
		sub.Images = make([]uint8, 0, len(positions)*n)
	} else {
		sub.Values = make([]tensor.Float, 0, len(positions)*n)
	}
	sub.Labels = make([]uint8, 0, len(positions))
	sub.Index = make([]int, 0, len(positions))
	for _, i := range positions {
		if i < 0 || i >= s.Len() {
			return nil, fmt.Errorf("data: %s: subset: position %d is outside [0, %d)", s.title(), i, s.Len())
		}
		if s.Values == nil {
			sub.Images = append(sub.Images, s.Image(i)...)
		} else {
			sub.Values = append(sub.Values, s.Values[i*n:(i+1)*n]...)
		}
		sub.Labels = append(sub.Labels, s.Labels[i])
		sub.Index = append(sub.Index, s.Origin(i))
	}
	return &sub, nil
}

// SplitValid takes the last n samples away as a validation split. Both parts
// share the set's samples. With n = 0 the validation split is empty.
func (s *Set) SplitValid(n int) (train, valid *Set, err error) {
	if n < 0 || n > s.Len() {
		return nil, nil, fmt.Errorf("data: %s: validation split of %d samples from %d: take 0 to %d", s.title(), n, s.Len(), s.Len())
	}
	cut := s.Len() - n
	train, valid = s.part(0, cut), s.part(cut, s.Len())
	valid.Split = "valid"
	return train, valid, nil
}

func (s *Set) part(lo, hi int) *Set {
	p := *s
	n := s.Shape.Size()
	if s.Values == nil {
		p.Images = s.Images[lo*n : hi*n : hi*n]
	} else {
		p.Values = s.Values[lo*n : hi*n : hi*n]
	}
	p.Labels = s.Labels[lo:hi:hi]
	p.Index = make([]int, 0, hi-lo)
	for i := lo; i < hi; i++ {
		p.Index = append(p.Index, s.Origin(i))
	}
	return &p
}

func (s *Set) title() string {
	if s.Name == "" {
		return "unnamed set"
	}
	return s.Name + " " + s.Split
}
