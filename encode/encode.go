// Package encode turns values into signals over time, and outputs over time
// into scores.
//
// Encoders, for a value x in [0, 1]:
//
//	Constant   x as a current at each step ("direct" encoding)
//	Poisson    a spike with probability Scale·x at each step, independently
//	Latency    one spike, the earlier the larger x; LogLatency likewise
//	Phase      the binary digits of x, as spikes with weights
//
// and for series of values, samples [steps, …]:
//
//	Frames     x[t] as a current
//	Delta      spikes where x changes; StepForward likewise, against a base
//
// Decoders, for outputs o[t] over T steps:
//
//	Count      Σ_t o[t]: the spike count of an output layer
//	Membrane   mean over t of o[t]: for a readout that never fires
//	FirstSpike minus the step of the first spike; not linear, so no Decoder
package encode

import (
	"fmt"

	"synfire/internal/rng"
	"synfire/signal"
	"synfire/tensor"
)

// Key names the random stream of a sample, under a name that modules which add
// encoders can write.
type Key = rng.Key

// Encoder makes the signal of the window [t0, t1) from samples.
type Encoder interface {
	Validate() error
	// Encode writes the signal of x, [B, shape…], to dst. keys holds one
	// random stream for each sample: what an encoder draws depends on the key,
	// the step and the unit alone, so any split of time gives the same bits.
	Encode(dst *signal.Signal, x []tensor.Float, shape tensor.Shape, keys []rng.Key, t0, t1 int)
}

// Constant presents the values themselves at each step.
type Constant struct{}

// Poisson spikes in each step with probability Scale·x (clipped to [0, 1]).
// Scale 0 means 1.
type Poisson struct {
	Scale float64 `yaml:"scale"`
}

// Validate always succeeds.
func (Constant) Validate() error { return nil }

// Encode shares x with dst.
func (Constant) Encode(dst *signal.Signal, x []tensor.Float, shape tensor.Shape, keys []rng.Key, t0, t1 int) {
	*dst = signal.Signal{Kind: signal.Constant, T: t1 - t0, B: len(x) / shape.Size(), Shape: shape, Data: x}
}

// Validate returns an error unless Scale is in [0, 1].
func (p Poisson) Validate() error {
	if p.Scale >= 0 && p.Scale <= 1 {
		return nil
	}
	return fmt.Errorf("encoder poisson: scale is %v, want a probability per step in [0, 1]", p.Scale)
}

// Encode draws the spikes.
func (p Poisson) Encode(dst *signal.Signal, x []tensor.Float, shape tensor.Shape, keys []rng.Key, t0, t1 int) {
	n := shape.Size()
	b := len(x) / n
	scale := float32(p.Scale)
	if scale == 0 {
		scale = 1
	}
	dst.Reset(signal.Spikes, t1-t0, b, shape)
	var draw [64]float32
	for t := t0; t < t1; t++ {
		for i := range b {
			row := dst.Raster.Row((t-t0)*b + i)
			for w := range row {
				units := x[i*n+64*w : i*n+min(64*w+64, n)]
				keys[i].Uniforms(draw[:len(units)], uint64(t), uint64(64*w))
				for j, v := range units {
					if draw[j] < scale*float32(v) {
						row[w] |= 1 << j
					}
				}
			}
		}
	}
}

// Decoder reduces outputs o, Dense [T, B, K], to scores [B, K], and spreads
// errors at the scores back over time.
type Decoder interface {
	Decode(scores []tensor.Float, o *signal.Signal)
	Spread(dst *signal.Signal, errors []tensor.Float, t, b int, shape tensor.Shape)
}

// Count is the sum over time.
type Count struct{}

// Membrane is the mean over time.
type Membrane struct{}

// Decode adds the steps in order.
func (Count) Decode(scores []tensor.Float, o *signal.Signal) { sum(scores, o, 1) }

// Spread gives each step the error of the sum.
func (Count) Spread(dst *signal.Signal, errors []tensor.Float, t, b int, shape tensor.Shape) {
	spread(dst, errors, t, b, shape, 1)
}

// Decode averages the steps.
func (Membrane) Decode(scores []tensor.Float, o *signal.Signal) {
	sum(scores, o, 1/tensor.Float(o.T))
}

// Spread gives each step its share of the error of the mean.
func (Membrane) Spread(dst *signal.Signal, errors []tensor.Float, t, b int, shape tensor.Shape) {
	spread(dst, errors, t, b, shape, 1/tensor.Float(t))
}

func sum(scores []tensor.Float, o *signal.Signal, scale tensor.Float) {
	clear(scores)
	for t := range o.T {
		for i, v := range o.Data[t*len(scores):][:len(scores)] {
			scores[i] += v
		}
	}
	for i := range scores {
		scores[i] *= scale
	}
}

func spread(dst *signal.Signal, errors []tensor.Float, t, b int, shape tensor.Shape, scale tensor.Float) {
	dst.Reset(signal.Dense, t, b, shape)
	for s := range t {
		for i, g := range errors {
			dst.Data[s*len(errors)+i] = g * scale
		}
	}
}
