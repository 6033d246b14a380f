package encode

import (
	"fmt"
	"math"

	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// Phase presents a value as its binary digits, one a step and the most
// significant first, repeated with a period of Bits steps (Kim et al., "Deep
// neural networks with weighted spikes", 2018). The spike of digit k = 1 … Bits
// carries the weight 2^−k, so a period adds up to the value rounded down to
// Bits digits:
//
//	o[t] = 2^−k · (⌊x·2^k⌋ mod 2),   k = 1 + t mod Bits
//
// for x in [0, 1 − 2^−Bits], to which values are clipped. Signals are Dense:
// their spikes are weighted. Bits 0 means 8.
type Phase struct {
	Bits int `yaml:"bits"`
}

// Validate returns an error unless Bits is in [0, 16].
func (e Phase) Validate() error {
	if e.Bits >= 0 && e.Bits <= 16 {
		return nil
	}
	return fmt.Errorf("encoder phase: bits is %d, want 1 to 16, or 0 for 8", e.Bits)
}

// Plan takes samples without time.
func (Phase) Plan(spec sample.Spec) (tensor.Shape, int, error) { return still("phase", spec) }

// Encode writes the digits of the window's steps.
func (e Phase) Encode(dst *signal.Signal, in *sample.Batch, _ []rng.Key, at Window) {
	x, shape, t0, t1 := in.X, in.Spec.Shape, at.T0, at.T1
	bits := e.Bits
	if bits == 0 {
		bits = 8
	}
	dst.Reset(signal.Dense, t1-t0, len(x)/shape.Size(), shape)
	top := float64(int(1)<<bits - 1)
	for i, v := range x {
		code := int(math.Floor(min(max(0, float64(v)*(top+1)), top)))
		for t := t0; t < t1; t++ {
			k := 1 + t%bits
			digit := code >> (bits - k) & 1
			dst.Data[(t-t0)*len(x)+i] = tensor.Float(digit) / tensor.Float(int(1)<<k)
		}
	}
}
