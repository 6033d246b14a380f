package task

import (
	"fmt"
	"math"

	"synfire/loss"
	"synfire/sample"
	"synfire/tensor"
)

// Reconstruct compares an output with the values of the sample itself, or with a
// target of values, as pictures: over all N values of all samples,
//
//	mse    Σ (ŷ − y)² / N
//	psnr   10·log10(1/mse) in dB, for values in [0, 1]; undefined where mse is 0
type Reconstruct struct {
	Read loss.Read `yaml:"read"` // mean, sum or last
}

// Validate returns an error for series.
func (t Reconstruct) Validate() error {
	if t.Read == loss.ReadEach {
		return fmt.Errorf("task reconstruct: read each is of series; use mean, sum or last")
	}
	return nil
}

// Check wants as many scores as values.
func (t Reconstruct) Check(out tensor.Shape, steps int, target sample.Field) error {
	if err := (loss.MSE{Read: t.Read}).Check(out, steps, target); err != nil {
		return fmt.Errorf("task reconstruct: %w", err)
	}
	return nil
}

// Score begins an evaluation.
func (t Reconstruct) Score(sample.Field) Score { return &Pictures{read: t.Read} }

// shownPictures is the number of samples in a report.
const shownPictures = 10

// Pictures is the score of Reconstruct.
type Pictures struct {
	read    loss.Read
	n       int
	squares float64
	shown   []Shown
}

// Add compares.
func (s *Pictures) Add(c Case) error {
	for b := range c.Batch.Len() {
		have := c.answer(b, s.read)
		for i, y := range c.Target.At(b).Values {
			d := float64(have[i]) - float64(y)
			s.n++
			s.squares += d * d
		}
		if len(s.shown) < shownPictures {
			image := append([]tensor.Float(nil), have...)
			s.shown = append(s.shown, Shown{Place: c.First + b, Caption: "sample"}, Shown{Place: c.First + b, Caption: "output", Image: image})
		}
	}
	return nil
}

// Scalars are mse and psnr.
func (s *Pictures) Scalars() []Scalar {
	none, exact := "", ""
	if s.n == 0 {
		none, exact = "no samples", "no samples"
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
	return []Exhibit{{Title: "Samples and outputs", Samples: s.shown}}
}
