package encode

import (
	"fmt"
	"math"
	"slices"

	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// Burst gives each value out in spikes that grow from step to step while they
// follow each other (Park et al., "Fast and efficient information transmission
// with burst spikes in deep spiking neural networks", 2019): a membrane that
// starts at v = x fires what it holds,
//
//	g[t] = Growth·g[t−1] where o[t−1] > 0, else 1
//	o[t] = g[t]·Threshold if v ≥ g[t]·Threshold, else 0,   v ← v − o[t]
//
// so outputs add up to x but for less than Threshold, once the value is spent. What v
// lacks of g[t]·Threshold by the rounding of x alone it has.
// Signals are Dense: their spikes are weighted. Growth 0 means 2, Threshold 0 is
// 0.125.
type Burst struct {
	Growth    float64 `yaml:"growth"`
	Threshold float64 `yaml:"threshold"` // of the first spike of a burst
}

// RankOrder gives each value one spike in the order of their size, the largest
// first: the values of a sample, sorted, are cut into Span bins of equal count, and
// those of bin t spike in step t. Values of the same size come in the order of
// their units; those of at most Threshold, in the precision of samples, never spike. Weighted is its inverse.
type RankOrder struct {
	Span      int     `yaml:"span,required"` // steps from the first spikes to the last
	Threshold float64 `yaml:"threshold"`
}

func (e Burst) withDefaults() Burst {
	if e.Growth == 0 {
		e.Growth = 2
	}
	if e.Threshold == 0 {
		e.Threshold = 0.125
	}
	return e
}

// Validate returns an error unless Growth is at least 1 and Threshold positive, or
// they are 0.
func (e Burst) Validate() error {
	if e = e.withDefaults(); e.Growth >= 1 && e.Threshold > 0 && !math.IsInf(e.Growth, 0) && !math.IsInf(e.Threshold, 0) {
		return nil
	}
	return fmt.Errorf("encoder burst: growth is %v and threshold %v, want a factor of at least 1 and a positive threshold, such as 2 and 0.125", e.Growth, e.Threshold)
}

// Plan takes samples without time.
func (Burst) Plan(spec sample.Spec) (tensor.Shape, int, error) { return still("burst", spec) }

// Encode fires from step 0 on, and keeps what falls into the window.
func (e Burst) Encode(dst *signal.Signal, in *sample.Batch, _ []rng.Key, at Window) {
	x, shape, t0, t1 := in.X, in.Spec.Shape, at.T0, at.T1
	e = e.withDefaults()
	dst.Reset(signal.Dense, t1-t0, len(x)/shape.Size(), shape)
	for i, value := range x {
		v, spike := float64(value), e.Threshold
		slack := math.Abs(v) * epsilon
		for t := range t1 {
			out := 0.
			if v >= spike-slack {
				out = spike
				v -= spike
				spike *= e.Growth
			} else {
				spike = e.Threshold
			}
			if t >= t0 {
				dst.Data[(t-t0)*len(x)+i] = tensor.Float(out)
			}
		}
	}
}

// Validate returns an error unless Span is positive and Threshold a number.
func (e RankOrder) Validate() error {
	if e.Span >= 1 && !math.IsNaN(e.Threshold) {
		return nil
	}
	return fmt.Errorf("encoder rank-order: span is %d and threshold %v, want at least one step, such as the steps of the run", e.Span, e.Threshold)
}

// Plan takes samples without time.
func (RankOrder) Plan(spec sample.Spec) (tensor.Shape, int, error) { return still("rank-order", spec) }

// Encode sets the spikes that fall into the window.
func (e RankOrder) Encode(dst *signal.Signal, in *sample.Batch, _ []rng.Key, at Window) {
	x, shape, t0, t1 := in.X, in.Spec.Shape, at.T0, at.T1
	n := shape.Size()
	b := len(x) / n
	dst.Reset(signal.Spikes, t1-t0, b, shape)
	order, threshold := make([]int, n), tensor.Float(e.Threshold)
	for s := range b {
		values := x[s*n:][:n]
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(i, j int) int {
			switch {
			case values[i] > values[j]:
				return -1
			case values[i] < values[j]:
				return 1
			}
			return 0
		})
		for rank, i := range order {
			if t := rank * e.Span / n; t >= t0 && t < t1 && values[i] > threshold {
				dst.Raster.Set((t-t0)*b+s, i)
			}
		}
	}
}
