package encode

import (
	"fmt"
	"math"

	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// Latency gives each value one spike, the earlier the larger the value, along a
// line from step 0 for x = 1 (or more) to step Span − 1 for x = 0:
//
//	t = round((1 − x)·(Span − 1)),   none for x < Threshold
//
// A time half-way between two steps goes to the later one. Samples are of limited
// precision, and so is Threshold where it is compared with them: x = 0.7 reaches a
// threshold of 0.7, and 0.3 is half-way where the decimal number is.
//
// Span is usually the number of steps of the run; spikes behind its end are
// lost.
type Latency struct {
	Span      int     `yaml:"span,required"` // steps from the first spikes to the last
	Threshold float64 `yaml:"threshold"`     // values below it never spike
}

// LogLatency gives each value one spike when a leaky membrane of time constant
// Tau (in steps), driven by the value, would reach Threshold:
//
//	t = round(Tau·ln(x/(x − Threshold))),   none for x ≤ Threshold
type LogLatency struct {
	Tau       float64 `yaml:"tau"`
	Threshold float64 `yaml:"threshold"`
}

// Validate returns an error unless Span is positive and Threshold in [0, 1].
func (e Latency) Validate() error {
	if e.Span >= 1 && e.Threshold >= 0 && e.Threshold <= 1 {
		return nil
	}
	return fmt.Errorf("encoder latency: span is %d and threshold %v, want at least one step and a threshold in [0, 1]", e.Span, e.Threshold)
}

// Validate returns an error unless Tau and Threshold are positive.
func (e LogLatency) Validate() error {
	if e.Tau > 0 && e.Threshold > 0 && !math.IsInf(e.Tau, 0) && !math.IsInf(e.Threshold, 0) {
		return nil
	}
	return fmt.Errorf("encoder log-latency: tau is %v and threshold %v, want positive numbers, such as 20 and 0.2", e.Tau, e.Threshold)
}

// Plan takes samples without time.
func (Latency) Plan(spec sample.Spec) (tensor.Shape, int, error) { return still("latency", spec) }

// Encode sets the spikes that fall into the window.
func (e Latency) Encode(dst *signal.Signal, in *sample.Batch, _ []rng.Key, at Window) {
	x, shape, t0, t1 := in.X, in.Spec.Shape, at.T0, at.T1
	last, threshold := float64(e.Span-1), rounded(e.Threshold)
	once(dst, x, shape, t0, t1, last*epsilon, func(x float64) float64 {
		if !(x >= threshold) {
			return math.Inf(1)
		}
		return (1 - min(max(x, 0), 1)) * last
	})
}

// Plan takes samples without time.
func (LogLatency) Plan(spec sample.Spec) (tensor.Shape, int, error) {
	return still("log-latency", spec)
}

// Encode sets the spikes that fall into the window.
func (e LogLatency) Encode(dst *signal.Signal, in *sample.Batch, _ []rng.Key, at Window) {
	x, shape, t0, t1 := in.X, in.Spec.Shape, at.T0, at.T1
	threshold := rounded(e.Threshold)
	once(dst, x, shape, t0, t1, 0, func(x float64) float64 {
		if !(x > threshold) {
			return math.Inf(1)
		}
		return -e.Tau * math.Log1p(-threshold/x)
	})
}

// once gives each value a spike in the step nearest to its time, which may be too
// early by slack.
func once(dst *signal.Signal, x []tensor.Float, shape tensor.Shape, t0, t1 int, slack float64, time func(x float64) float64) {
	n := shape.Size()
	b := len(x) / n
	dst.Reset(signal.Spikes, t1-t0, b, shape)
	for i, v := range x {
		if t := math.Round(time(float64(v)) + slack); t >= float64(t0) && t < float64(t1) {
			dst.Raster.Set((int(t)-t0)*b+i/n, i%n)
		}
	}
}
