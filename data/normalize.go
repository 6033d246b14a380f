package data

import (
	"context"
	"fmt"
	"math"

	"synfire/sample"
	"synfire/tensor"
)

// Statistics are the mean and the standard deviation of each channel over all
// samples of a source. A channel that never changes gets the deviation 1.
func Statistics(ctx context.Context, src sample.Source) (*sample.Normalization, error) {
	spec := src.Spec()
	if spec.Events {
		return nil, fmt.Errorf("normalise: samples are %v, want values; leave normalize out", spec)
	}
	channels := spec.Shape[len(spec.Shape)-1]
	n := &sample.Normalization{Mean: make([]float64, channels), Std: make([]float64, channels)}
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
