package sample

import (
	"fmt"
	"math"

	"synfire/tensor"
)

// Normalization moves and scales each channel c of a sample:
//
//	x'[y, x, c] = (x[y, x, c] − Mean[c]) / Std[c]
//
// Bytes have been scaled to [0, 1] before. A nil *Normalization changes nothing.
type Normalization struct {
	Mean []float64 `json:"mean"` // one for each channel, or one for all
	Std  []float64 `json:"std"`  // likewise, each above 0
}

// Validate returns an error where the figures do not fit samples of the shape.
func (n *Normalization) Validate(shape tensor.Shape) error {
	if n == nil {
		return nil
	}
	channels := shape[len(shape)-1]
	if len(n.Mean) != len(n.Std) || (len(n.Mean) != 1 && len(n.Mean) != channels) {
		return fmt.Errorf("normalise: %d means and %d standard deviations, expected one of each for all channels or for each of the %d", len(n.Mean), len(n.Std), channels)
	}
	for i, s := range n.Std {
		if !(s > 0) || math.IsInf(s, 0) || math.IsNaN(n.Mean[i]) || math.IsInf(n.Mean[i], 0) {
			return fmt.Errorf("normalise: channel %d has mean %v and standard deviation %v, expected finite numbers, the second above 0", i, n.Mean[i], s)
		}
	}
	return nil
}

// Apply normalises a sample, or several.
func (n *Normalization) Apply(x []tensor.Float) {
	if n == nil {
		return
	}
	if len(n.Mean) == 1 {
		mean, std := tensor.Float(n.Mean[0]), tensor.Float(n.Std[0])
		for i := range x {
			x[i] = (x[i] - mean) / std
		}
		return
	}
	for ; len(x) >= len(n.Mean); x = x[len(n.Mean):] {
		for c := range n.Mean {
			x[c] = (x[c] - tensor.Float(n.Mean[c])) / tensor.Float(n.Std[c])
		}
	}
}

// Scale is what one unit of normalised value i of a sample is in the units of the
// data: the deviation of its channel.
func (n *Normalization) Scale(i int) float64 {
	if n == nil {
		return 1
	}
	return n.Std[i%len(n.Std)]
}

// Undo is the way back of Apply, in place; it returns x.
func (n *Normalization) Undo(x []tensor.Float) []tensor.Float {
	if n == nil {
		return x
	}
	for i := range x {
		c := i % len(n.Std)
		x[i] = tensor.Float(float64(x[i])*n.Std[c] + n.Mean[c])
	}
	return x
}
