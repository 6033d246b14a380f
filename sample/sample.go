// Package sample says what learning works on, below every encoder, rule and
// task: samples of any shape with named targets, where they come from, and the
// batches made of them.
//
// A Source has a Spec, which says what each of its samples is like:
//
//   - an array of values, [Shape…], as an image;
//   - a series, [Steps, Shape…], one array of values a step;
//   - events in continuous time, each at one element of Shape,
//
// and which targets it carries: classes, values, spike trains or boxes, each
// under a name. Values lie with the last axis fastest and channels last.
//
// A sample is decoded into memory of the caller's, so a source may hold files
// of any total size. The samples of a Batch lie one after another:
//
//	X[b·n + i] is value i of sample b, n = Spec.Size()
package sample

import (
	"context"
	"fmt"
	"math"
	"slices"

	"synfire/spike"
	"synfire/tensor"
)

// Kind says what a target is.
type Kind uint8

// The kinds of target.
const (
	Class  Kind = iota // one of several classes
	Values             // an array of numbers
	Trains             // a spike train for each of several units
	Boxes              // boxes around objects, each of a class
)

var kindNames = [...]string{"class", "values", "trains", "boxes"}

// String is the kind's name in errors and files.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", k)
}

// MarshalText is String.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is the inverse of String.
func (k *Kind) UnmarshalText(text []byte) error {
	i := slices.Index(kindNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("kind of target %q: want class, values, trains or boxes", text)
	}
	*k = Kind(i)
	return nil
}

// Label is the name that a target has where nobody named it.
const Label = "class"

// Field describes a target that each sample of a source carries.
type Field struct {
	Name    string       `json:"name"`
	Kind    Kind         `json:"kind"`
	Classes []string     `json:"classes,omitempty"` // names by number, of Class and Boxes
	Shape   tensor.Shape `json:"shape,omitempty"`   // of Values; of Trains the units; of Boxes the picture, height and width in pixels
	Steps   int          `json:"steps,omitempty"`   // of Values that are a series, [Steps, Shape…]; 0: none
	Unit    string       `json:"unit,omitempty"`    // of Values
}

// Size is the number of values of a sample's target.
func (f Field) Size() int { return max(1, f.Steps) * f.Shape.Size() }

// Spec describes the samples of a source.
type Spec struct {
	Shape   tensor.Shape `json:"shape"`            // of a sample, of a series of one step; of events the places
	Steps   int          `json:"steps,omitempty"`  // of a series, the longest; 0: no series
	Events  bool         `json:"events,omitempty"` // samples are events
	Targets []Field      `json:"targets"`
	// Duration is the time that events and trains span, [0, Duration), of the
	// longest sample, in seconds; 0 where there is no time.
	Duration float64 `json:"duration,omitempty"`
	// Columns are the names of a sample's values, of a series of those of a step, where
	// the file gives them names; else nil.
	Columns []string `json:"columns,omitempty"`
	// Rate is how many samples a second the sounds have that series are made of; 0:
	// they are no sounds.
	Rate int `json:"rate,omitempty"`
}

// Size is the number of values of a sample; 0 for events.
func (s Spec) Size() int {
	if s.Events {
		return 0
	}
	return max(1, s.Steps) * s.Shape.Size()
}

// Input names the sample itself where a target is asked for.
const Input = "input"

// Target is the field of a name: the empty name is the first one, Input the sample
// itself as values.
func (s Spec) Target(name string) (Field, error) {
	if name == Input {
		if s.Events {
			return Field{}, fmt.Errorf("the target is the input, which is %v, want values", s)
		}
		return Field{Name: Input, Kind: Values, Shape: s.Shape, Steps: s.Steps}, nil
	}
	i, err := s.Field(name)
	if err != nil {
		return Field{}, err
	}
	return s.Targets[i], nil
}

// Field is the place of a target by name; the empty name is the first one.
func (s Spec) Field(name string) (int, error) {
	if name == "" && len(s.Targets) > 0 {
		return 0, nil
	}
	var known []string
	for i, f := range s.Targets {
		if f.Name == name {
			return i, nil
		}
		known = append(known, f.Name)
	}
	if len(known) == 0 {
		return 0, fmt.Errorf("the data have no targets")
	}
	return 0, fmt.Errorf("the data have no target %q; they have %v, and input for the sample itself", name, known)
}

// Validate returns an error where the description contradicts itself.
func (s Spec) Validate() error {
	if err := s.Shape.Validate(); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	switch {
	case s.Steps < 0 || !(s.Duration >= 0) || math.IsInf(s.Duration, 0):
		return fmt.Errorf("sample: %d steps and a duration of %v, want neither negative", s.Steps, s.Duration)
	case s.Rate < 0:
		return fmt.Errorf("sample: sounds at %d Hz, want a rate above 0, or 0 for samples that are no sounds", s.Rate)
	case s.Events && s.Steps != 0:
		return fmt.Errorf("sample: events with %d steps: events have times, an encoder makes steps of them", s.Steps)
	case s.Events && s.Duration == 0:
		return fmt.Errorf("sample: events without a duration; say how long a sample is")
	}
	seen := map[string]bool{}
	for _, f := range s.Targets {
		if err := CheckName(f.Name); err != nil || f.Name == Input || seen[f.Name] {
			return fmt.Errorf("sample: targets must have printable names that differ, none of them %s, found %q", Input, f.Name)
		}
		seen[f.Name] = true
		if err := f.validate(); err != nil {
			return fmt.Errorf("sample: target %q: %w", f.Name, err)
		}
	}
	return nil
}

func (f Field) validate() error {
	switch f.Kind {
	case Class, Boxes:
		return checkClasses(f.Classes)
	case Values:
		return f.Shape.Validate()
	case Trains:
		return f.Shape.Validate()
	}
	return fmt.Errorf("%v is unknown", f.Kind)
}

// MaxClasses is how many classes a target may have.
const MaxClasses = 1 << 16

func checkClasses(names []string) error {
	if len(names) == 0 || len(names) > MaxClasses {
		return fmt.Errorf("%d names of classes, want 1 to %d", len(names), MaxClasses)
	}
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if err := CheckName(name); err != nil {
			return fmt.Errorf("class %d: %w", i, err)
		}
		if seen[name] {
			return fmt.Errorf("class %q comes twice; names of classes must differ", name)
		}
		seen[name] = true
	}
	return nil
}

// Equal reports whether samples and targets of both are alike.
func (s Spec) Equal(o Spec) bool {
	return s.Alike(o) && slices.EqualFunc(s.Targets, o.Targets, func(a, b Field) bool {
		return a.Name == b.Name && a.Kind == b.Kind && slices.Equal(a.Classes, b.Classes) && a.Shape.Equal(b.Shape) && a.Steps == b.Steps
	})
}

// Alike reports whether the samples of both are alike, whatever their targets
// and, of events, their duration.
func (s Spec) Alike(o Spec) bool {
	return s.Shape.Equal(o.Shape) && s.Steps == o.Steps && s.Events == o.Events
}

// String describes a sample: 28×28×1, 50 steps of 2×34×34, events on 34×34×2.
func (s Spec) String() string {
	switch {
	case s.Events:
		return fmt.Sprintf("events on %v", s.Shape)
	case s.Steps > 0:
		return fmt.Sprintf("%d steps of %v", s.Steps, s.Shape)
	}
	return fmt.Sprint(s.Shape)
}

// Event is something that happened at one place. Unit is the element of the
// sample's shape, (y·W + x)·C + c for a camera's pixel (x, y) and polarity c.
type Event struct {
	Time float64 // seconds from the start of the sample
	Unit int32
}

// Box is an axis-aligned box around an object, in the pixels of the network's
// input, edges included: [X0, X1) × [Y0, Y1).
type Box struct {
	Class          int
	X0, Y0, X1, Y1 float64
	Difficult      bool // detectors are neither blamed nor praised for it
	Crowd          bool // around several objects at once, as COCO has them; such a box is difficult, too
}

// area is that of a box; of one that is empty 0.
func area(b Box) float64 {
	if !(b.X0 < b.X1 && b.Y0 < b.Y1) {
		return 0
	}
	return (b.X1 - b.X0) * (b.Y1 - b.Y0)
}

// IoU is the area that two boxes share over the area that they cover, in [0, 1]. That of an
// empty box with any is 0.
func IoU(a, b Box) float64 {
	both := shared(a, b)
	if both == 0 || area(a) == 0 || area(b) == 0 {
		return 0
	}
	return both / (area(a) + area(b) - both)
}

// Within is the share of a that lies in b, in [0, 1]; of an empty box 0.
func Within(a, b Box) float64 {
	both := shared(a, b)
	if both == 0 || area(a) == 0 {
		return 0
	}
	return both / area(a)
}

func shared(a, b Box) float64 {
	return area(Box{X0: max(a.X0, b.X0), Y0: max(a.Y0, b.Y0), X1: min(a.X1, b.X1), Y1: min(a.Y1, b.Y1)})
}

// Frame maps the pixels of a network's input to those of the file that they
// come from: file = scale·network + offset. The zero Frame changes nothing.
type Frame struct {
	ScaleX, ScaleY float64
	X, Y           float64
	Width, Height  int // of the file's picture
}

// Target is what a sample should give, by the kind of its field.
type Target struct {
	Class  int
	Values []tensor.Float
	Trains []spike.Train // times in seconds from the start of the sample
	Boxes  []Box
}

// Sample is one sample. Read fills X, which the caller has made as long as
// Spec.Size(), or appends to Events and Targets, which it has emptied.
type Sample struct {
	X      []tensor.Float
	Events []Event // in the order of their times
	// Length is the part of the sample that is not padding: steps of a series,
	// seconds of events. 0 means all.
	Length  float64
	Frame   Frame
	Targets []Target // one for each field of the spec
}

// Source is a set of samples. All methods are safe for use by several
// goroutines at once.
type Source interface {
	Spec() Spec
	Len() int
	// Index is the number that names the random streams of sample i. It stays
	// the same where the source is cut or parted.
	Index(i int) int
	// Origin says where sample i comes from, for people: a file, a line.
	Origin(i int) string
	// Target is what target f of sample i is; it decodes no sample.
	Target(i, f int) (Target, error)
	// Read decodes sample i. Its errors name the origin.
	Read(ctx context.Context, i int, s *Sample) error
}
