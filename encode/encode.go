// Package encode turns values into signals over time, and outputs over time
// into scores.
//
// Encoders, for a value x in [0, 1]:
//
//	Constant   x as a current at each step ("direct" encoding)
//	Poisson    a spike with probability Scale·x at each step, independently
//	Latency    one spike, the earlier the larger x; LogLatency likewise
//	RankOrder  one spike, in the order of the values' size
//	Phase      the binary digits of x, as spikes with weights; Burst likewise, in
//	           spikes that grow
//	Population a spike of each of several units, the earlier the nearer x is to its centre
//
// and for series of values, samples [steps, …]:
//
//	Frames     x[t] as a current
//	Delta      spikes where x changes; StepForward likewise, against a base
//
// and for events in continuous time:
//
//	Events     a spike in the step that an event falls into
//
// Decoders, for outputs o[t] over T steps:
//
//	Count      Σ_t o[t]: the spike count of an output layer
//	Weighted   Σ_t m^t·o[t]: the same with early spikes counting more
//	Membrane   mean over t of o[t]: for a readout that never fires
//	FirstSpike minus the step of the first spike; not linear, so no Decoder
package encode

import (
	"fmt"

	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// Key names the random stream of a sample, under a name that modules which add
// encoders can write.
type Key = rng.Key

// Encoder makes the signal of the window [t0, t1) from samples.
type Encoder interface {
	Validate() error
	// Plan is the shape of the signal that samples of a spec become, and the
	// number of steps that their data prescribe, 0 where a run may take any. A
	// spec that the encoder cannot take is an error.
	Plan(spec sample.Spec) (shape tensor.Shape, steps int, err error)
	// Encode writes the signal of a batch in the window of time to dst. keys
	// holds one random stream for each sample: what an encoder draws depends on
	// the key, the step and the unit alone, so any split of time gives the same
	// bits.
	Encode(dst *signal.Signal, in *sample.Batch, keys []rng.Key, at Window)
}

// Window is the steps [T0, T1) of a run of Steps.
type Window struct{ T0, T1, Steps int }

// still is the Plan of encoders of single values, which hold a sample before a
// network for as long as the run takes.
func still(kind string, spec sample.Spec) (tensor.Shape, int, error) {
	switch {
	case spec.Events:
		return nil, 0, fmt.Errorf("encoder %s: samples are %v, want values; use encoder events", kind, spec)
	case spec.Steps > 0:
		return nil, 0, fmt.Errorf("encoder %s: samples are series, %v, want values without time; use encoder frames, delta or step-forward", kind, spec)
	}
	return spec.Shape, 0, nil
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

// Plan takes samples without time.
func (Constant) Plan(spec sample.Spec) (tensor.Shape, int, error) { return still("constant", spec) }

// Encode shares x with dst.
func (Constant) Encode(dst *signal.Signal, in *sample.Batch, keys []rng.Key, at Window) {
	x, shape, t0, t1 := in.X, in.Spec.Shape, at.T0, at.T1
	*dst = signal.Signal{Kind: signal.Constant, T: t1 - t0, B: len(x) / shape.Size(), Shape: shape, Data: x}
}

// Validate returns an error unless Scale is in [0, 1].
func (p Poisson) Validate() error {
	if p.Scale >= 0 && p.Scale <= 1 {
		return nil
	}
	return fmt.Errorf("encoder poisson: scale is %v, want a probability per step in [0, 1]", p.Scale)
}

// Plan takes samples without time.
func (Poisson) Plan(spec sample.Spec) (tensor.Shape, int, error) { return still("poisson", spec) }

// Encode draws the spikes.
func (p Poisson) Encode(dst *signal.Signal, in *sample.Batch, keys []rng.Key, at Window) {
	x, shape, t0, t1 := in.X, in.Spec.Shape, at.T0, at.T1
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

// MeanReader is a Decoder that reads nothing of an output but its mean over time, as Membrane
// has it: scores of the mean, as the only step, are those of all steps. Who runs a network for
// it need not keep them.
type MeanReader interface {
	Decoder
	ReadsMean()
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
