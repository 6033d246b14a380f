package task

import (
	"fmt"
	"math"
	"slices"

	"synfire/sample"
	"synfire/tensor"
)

// Reconstruct compares an output with the values of the sample itself (target: input),
// or with a target of values, over all N values of all samples:
//
//	mse    Σ (ŷ − y)² / N
//	psnr   10·log10(1/mse) in dB, for values in [0, 1]; undefined where mse is 0
//
// A predictor gets normalised samples, and learns to give them back as such. They are
// compared in the units of the data all the same, with the normalisation undone, where
// a byte is in [0, 1]: so figures do not depend on the normalisation. They differ by
// that from the loss. A target other than the input is not normalised.
type Reconstruct struct {
	Read Read `yaml:"read"` // scores, mean, sum or last: a part of the output's course in place of its scores
}

// Validate returns an error for steps by themselves.
func (t Reconstruct) Validate() error {
	if t.Read == ReadEach {
		return fmt.Errorf("task reconstruct: read each is of series, which are compared so in any case; leave read out")
	}
	return nil
}

// Check wants as many values of the output as of the target.
func (t Reconstruct) Check(out tensor.Shape, steps int, target sample.Field) error {
	switch err := t.Read.check(out, steps, target); {
	case err != nil && target.Name != sample.Input:
		return fmt.Errorf("task reconstruct: %w; say target: input to compare with the sample itself", err)
	case err != nil:
		return fmt.Errorf("task reconstruct: %w", err)
	}
	return nil
}

// Score begins an evaluation. It is a *Pictures.
func (t Reconstruct) Score(sample.Field) Score { return &Pictures{read: t.Read} }

// shownPictures is the number of samples in a report.
const shownPictures = 10

// Pictures is the score of Reconstruct.
type Pictures struct {
	read    Read
	n       int
	squares float64
	shown   []Shown
	beside  int // pictures of one sample
}

// Add compares.
func (s *Pictures) Add(c Case) error {
	input := c.Target.Field.Name == sample.Input
	norm := c.Normalize
	if !input {
		norm = nil
	}
	err := c.pairs(s.read, func(b int, have, want []tensor.Float) {
		for i, y := range want {
			d := (float64(have[i]) - float64(y)) * norm.Scale(i)
			s.n++
			s.squares += d * d
		}
		if len(s.shown) < max(1, s.beside)*shownPictures && pictured(c) {
			s.show(c.First+b, input, norm.Undo(slices.Clone(have)), slices.Clone(want))
		}
	})
	if err != nil {
		return fmt.Errorf("task reconstruct: %w", err)
	}
	return nil
}

// pictured reports whether what is compared can stand in place of a sample.
func pictured(c Case) bool {
	return c.Target.Field.Steps == 0 && c.Batch.Spec.Steps == 0 && c.Output.Shape.Size() == c.Batch.Spec.Size()
}

// show keeps the sample, what it should become where that is another, and what became
// of it.
func (s *Pictures) show(place int, input bool, have, want []tensor.Float) {
	group := []Shown{{Place: place, Caption: "sample"}}
	if !input {
		group = append(group, Shown{Place: place, Caption: "target", Image: want})
	}
	group = append(group, Shown{Place: place, Caption: "output", Image: have})
	s.shown, s.beside = append(s.shown, group...), len(group)
}

// Scalars are mse and psnr.
func (s *Pictures) Scalars() []Scalar {
	none, exact := "", ""
	if s.n == 0 {
		none, exact = noSamples, noSamples
	} else if s.squares == 0 {
		exact = "the output is exact"
	}
	mse := s.squares / float64(max(1, s.n))
	psnr := Scalar{Name: "psnr", Unit: "dB", Better: Higher, Why: exact}
	if exact == "" {
		psnr.Value = -10 * math.Log10(mse)
	}
	return []Scalar{{Name: "mse", Value: mse, Better: Lower, Why: none}, psnr}
}

// Exhibits are the first samples beside what became of them.
func (s *Pictures) Exhibits() []Exhibit {
	if len(s.shown) == 0 {
		return nil
	}
	return []Exhibit{{Title: "Samples and outputs", Text: "Values outside [0, 1] are drawn as the nearest within.", Samples: slices.Clone(s.shown), Beside: s.beside}}
}
