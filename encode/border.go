package encode

import "synfire/tensor"

// A threshold is written as a decimal number, which samples hold in the precision of
// tensor.Float: compared with them it has to be that of theirs, or a sample of just
// the threshold is above it or below as its rounding went.

// epsilon is the distance of 1 to the next number of tensor.Float: what a sample may
// be off by, relative to it, is half of that.
var epsilon = func() float64 {
	e := tensor.Float(1)
	for tensor.Float(1)+e/2 > 1 {
		e /= 2
	}
	return float64(e)
}()

// rounded is a threshold as samples hold it.
func rounded(threshold float64) float64 { return float64(tensor.Float(threshold)) }
