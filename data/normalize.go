package data

import (
	"context"
	"fmt"
	"math"

	"synfire/sample"
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

// Statistics are the mean and the standard deviation of each channel over all
// samples of a source. A channel that never changes gets the deviation 1.
func Statistics(ctx context.Context, src sample.Source) (*Normalization, error) {
	spec := src.Spec()
	if spec.Events {
		return nil, fmt.Errorf("normalise: samples are %v, want values; leave normalize out", spec)
	}
	channels := spec.Shape[len(spec.Shape)-1]
	n := &Normalization{Mean: make([]float64, channels), Std: make([]float64, channels)}
	sum, square := make([]float64, channels), make([]float64, channels)
	x := sample.Sample{X: make([]tensor.Float, spec.Size())}
	count := float64(src.Len()) * float64(len(x.X)/channels)
	each := func(add func(c int, v float64)) error {
		for i := range src.Len() {
			if err := ctx.Err(); err != nil {
				return err
			}
			x.Targets = x.Targets[:0]
			if err := src.Read(ctx, i, &x); err != nil {
				return err
			}
			for j, v := range x.X {
				add(j%channels, float64(v))
			}
		}
		return nil
	}
	if err := each(func(c int, v float64) { sum[c] += v }); err != nil {
		return nil, err
	}
	for c := range sum {
		n.Mean[c] = sum[c] / max(1, count)
	}
	// A second walk: the difference of large sums would lose small deviations.
	err := each(func(c int, v float64) { square[c] += (v - n.Mean[c]) * (v - n.Mean[c]) })
	for c := range square {
		if n.Std[c] = math.Sqrt(square[c] / max(1, count)); n.Std[c] == 0 {
			n.Std[c] = 1
		}
	}
	return n, err
}
