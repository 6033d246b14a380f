package data

import (
	"context"
	"fmt"

	"synfire/sample"
)

// Opener is a kind of source that a configuration describes, as a folder of images
// or a file of arrays: a struct of options with YAML tags. It is opened for training
// and, where it has them, for test samples (nil otherwise).
type Opener interface {
	Validate() error
	Open(ctx context.Context, o Options) (train, test sample.Source, err error)
	// Paths are the options that are paths; those that are relative are taken
	// from the folder of the configuration file.
	Paths() []*string
}

// Single is an Opener of files that hold one sample each. It reads one by itself as it
// reads those of its sets, for a model that was trained on them.
type Single interface {
	Opener
	// One decodes the content of a file into a sample: X is made as long as the sample,
	// which may differ in duration from those of the spec, or events are appended.
	One(content []byte, spec sample.Spec, s *sample.Sample) error
}

// Varied is a source whose samples may differ in duration. Its spec has the longest.
type Varied interface {
	sample.Source
	// Length is the duration of sample i, in the unit of sample.Sample.Length.
	Length(i int) float64
}

// Length says what becomes of samples that differ in duration: of series in steps,
// of events and trains in seconds. The zero Length takes none that differ.
type Length struct {
	Pad  float64 `yaml:"pad,omitempty"`  // shorter ones are followed by nothing up to this duration
	Crop float64 `yaml:"crop,omitempty"` // longer ones end at this duration
}

// Validate returns an error for a duration that is negative, and for two that differ.
func (l Length) Validate() error {
	if !(l.Pad >= 0) || !(l.Crop >= 0) || l.Pad > 0 && l.Crop > 0 && l.Pad != l.Crop {
		return fmt.Errorf("length: pad %v and crop %v, want durations above 0, and the same where both are given", l.Pad, l.Crop)
	}
	return nil
}
