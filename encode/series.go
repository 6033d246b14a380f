package encode

import (
	"fmt"
	"math"

	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// The encoders of series take samples that are series, or arrays whose first
// axis is taken for time: frame t is presented in step t. A run has as many
// steps as its samples.

// Frames presents the values of a series as currents: a sample [steps, …]
// gives signals of shape […], at least one axis.
type Frames struct{}

// Delta spikes where a series changes by more than Threshold from one frame to
// the next, on one channel for a rise and on another for a fall:
//
//	on[t]  = 1 if x[t] − x[t−1] > Threshold
//	off[t] = 1 if x[t−1] − x[t] > Threshold
//
// and neither at t = 0, nor where the change is the threshold but for rounding. Unit 2i of the signal is on, 2i + 1 off of element i of
// a frame: a sample [steps, height, width, channels] gives signals of shape
// [height, width, 2·channels], others get a last axis of 2.
type Delta struct {
	Threshold float64 `yaml:"threshold"`
}

// StepForward spikes where a series leaves a band around a base that follows
// it by one Threshold a spike, so that sums of spikes rebuild it:
//
//	on[t]  = 1 if x[t] > B + Threshold, and then B ← B + Threshold
//	off[t] = 1 if x[t] < B − Threshold, and then B ← B − Threshold
//
// with B = x[0] before t = 1; values that leave the band by rounding alone do not.
// Shapes are those of Delta. A window of time is
// worked out from the start of the series.
type StepForward struct {
	Threshold float64 `yaml:"threshold"`
}

// Validate always succeeds.
func (Frames) Validate() error { return nil }

// Validate returns an error unless the threshold is positive.
func (e Delta) Validate() error { return checkThreshold("delta", e.Threshold) }

// Validate returns an error unless the threshold is positive.
func (e StepForward) Validate() error { return checkThreshold("step-forward", e.Threshold) }

func checkThreshold(kind string, threshold float64) error {
	if threshold > 0 && !math.IsInf(threshold, 0) {
		return nil
	}
	return fmt.Errorf("encoder %s: threshold is %v, want a positive change", kind, threshold)
}

// seriesShape is [steps, frame…] of samples that are series, or whose first axis
// is taken for time.
func seriesShape(spec sample.Spec) tensor.Shape {
	if spec.Steps == 0 {
		return spec.Shape
	}
	return append(tensor.Shape{spec.Steps}, spec.Shape...)
}

// planSeries is the Plan of an encoder of series whose frames have at least the
// given number of axes.
func planSeries(kind string, axes int, spec sample.Spec) (frame tensor.Shape, steps int, err error) {
	shape := seriesShape(spec)
	switch {
	case spec.Events:
		return nil, 0, fmt.Errorf("encoder %s: samples are %v, want series of values; use encoder events", kind, spec)
	case len(shape) < 1+axes:
		return nil, 0, fmt.Errorf("encoder %s: samples of shape %v, want time as the first axis and %d behind it", kind, shape, axes)
	case spec.Steps == 0 && shape[0] == 1:
		return nil, 0, fmt.Errorf("encoder %s: samples are %v, values without time; use encoder constant, or say that they are series (as series: true of arrays, columns sample and time of a table)", kind, spec)
	}
	return shape[1:], shape[0], nil
}

// Plan takes series; the signal has the shape of a frame.
func (Frames) Plan(spec sample.Spec) (tensor.Shape, int, error) { return planSeries("frames", 1, spec) }

// Plan takes series; the signal has the shape of a frame with two channels for
// each.
func (Delta) Plan(spec sample.Spec) (tensor.Shape, int, error) { return planOnOff("delta", spec) }

// Plan takes series; the signal has the shape of a frame with two channels for
// each.
func (StepForward) Plan(spec sample.Spec) (tensor.Shape, int, error) {
	return planOnOff("step-forward", spec)
}

func planOnOff(kind string, spec sample.Spec) (tensor.Shape, int, error) {
	frame, steps, err := planSeries(kind, 0, spec)
	if err != nil {
		return nil, 0, err
	}
	return onOffShape(frame), steps, nil
}

// onOffShape is the shape of the spikes of frames.
func onOffShape(frame tensor.Shape) tensor.Shape {
	out := append(tensor.Shape(nil), frame...)
	if len(out) == 3 {
		out[2] *= 2
		return out
	}
	return append(out, 2)
}

// Encode copies the frames of the window.
func (e Frames) Encode(dst *signal.Signal, in *sample.Batch, _ []rng.Key, at Window) {
	x, shape, t0, t1 := in.X, seriesShape(*in.Spec), at.T0, at.T1
	size, b, n := shape.Size(), len(x)/shape.Size(), shape[1:].Size()
	dst.Reset(signal.Dense, t1-t0, b, shape[1:])
	clear(dst.Data)
	for t := t0; t < min(t1, shape[0]); t++ {
		for i := range b {
			copy(dst.Data[((t-t0)*b+i)*n:][:n], x[i*size+t*n:])
		}
	}
}

// Encode compares each frame of the window with the one before it.
func (e Delta) Encode(dst *signal.Signal, in *sample.Batch, _ []rng.Key, at Window) {
	x, shape, t0, t1 := in.X, seriesShape(*in.Spec), at.T0, at.T1
	onOff(dst, x, shape, t0, t1, max(t0, 1), func(series []tensor.Float, stride, t, _ int) int {
		return sign(float64(series[t*stride]), float64(series[(t-1)*stride]), e.Threshold)
	})
}

// Encode follows the series from its start.
func (e StepForward) Encode(dst *signal.Signal, in *sample.Batch, _ []rng.Key, at Window) {
	x, shape, t0, t1 := in.X, seriesShape(*in.Spec), at.T0, at.T1
	onOff(dst, x, shape, t0, t1, 1, func(series []tensor.Float, stride, t, net int) int {
		base := float64(series[0]) + float64(float64(net)*e.Threshold)
		return sign(float64(series[t*stride]), base, e.Threshold)
	})
}

// sign is the sign of a change from y to x that exceeds the threshold by more than
// rounding, else 0.
func sign(x, y, theta float64) int {
	switch d, least := x-y, theta+4*epsilon*max(math.Abs(x), math.Abs(y)); {
	case d > least:
		return 1
	case d < -least:
		return -1
	}
	return 0
}

// onOff runs f over the steps from first on of each element's series, which
// has the given stride, and sets the spikes of the window. f is told how many more
// spikes of the element were on than off.
func onOff(dst *signal.Signal, x []tensor.Float, shape tensor.Shape, t0, t1, first int, f func(series []tensor.Float, stride, t, net int) int) {
	size, b, n := shape.Size(), len(x)/shape.Size(), shape[1:].Size()
	dst.Reset(signal.Spikes, t1-t0, b, onOffShape(shape[1:]))
	for i := range b {
		for j := range n {
			series := x[i*size+j : (i+1)*size]
			net := 0
			for t := first; t < min(t1, shape[0]); t++ {
				s := f(series, n, t, net)
				net += s
				if s == 0 || t < t0 {
					continue
				}
				unit := 2 * j
				if s < 0 {
					unit++
				}
				dst.Raster.Set((t-t0)*b+i, unit)
			}
		}
	}
}
