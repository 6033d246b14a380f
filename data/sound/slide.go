package sound

import (
	"fmt"
	"math"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

// Slide moves the bands of a sound up or down, as a shorter or longer vocal tract does, by d
// bands, uniform in [−Max, Max] and the same in all frames; between bands it is linear, and the
// outermost ones are repeated:
//
//	dst[t, m] = src[t, m − d]
//
// (after Jaitly and Hinton, "Vocal tract length perturbation (VTLP) improves speech
// recognition", 2013, who stretch the frequencies themselves by up to a tenth: one to one and a
// half of 32 bands below 4 kHz.)
type Slide struct {
	Max float64 `yaml:"bands"` // 0 changes nothing
}

// Validate returns an error where Max is negative.
func (s Slide) Validate() error {
	if s.Max >= 0 && s.Max <= 100 {
		return nil
	}
	return fmt.Errorf("data: slide: at most %v bands, expected 0 or more, such as 2 of 32", s.Max)
}

// Check takes frames of bands, of one channel or of several.
func (s Slide) Check(spec sample.Spec) error {
	if n := len(spec.Shape); spec.Steps == 0 || n < 1 || n > 2 {
		return fmt.Errorf("slide: samples are %v, want series of frames of bands, as source wav with bands gives; leave it out", spec)
	}
	return nil
}

// Apply implements data.Augment.
func (s Slide) Apply(dst, src []tensor.Float, _ []sample.Target, spec *sample.Spec, r data.Random) {
	d := s.Max * (2*r.Float64() - 1)
	bands := spec.Shape[0]
	channels := len(src) / bands
	at := func(m, ch int) float64 { return float64(src[min(max(m, 0), bands-1)*channels+ch]) }
	for m := range bands {
		place := float64(m) - d
		low := math.Floor(place)
		part := place - low
		for ch := range channels {
			dst[m*channels+ch] = tensor.Float((1-part)*at(int(low), ch) + part*at(int(low)+1, ch))
		}
	}
}
