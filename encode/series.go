package encode

import (
	"fmt"
	"math"

	"synfire/internal/rng"
	"synfire/signal"
	"synfire/tensor"
)

// Shaper is an Encoder whose signals have another shape than its samples, or
// that takes samples of some shapes only.
type Shaper interface {
	Encoder
	// Shape is the shape of the signal of a sample of shape in.
	Shape(in tensor.Shape) (tensor.Shape, error)
}

// The encoders of series take samples whose first axis is time: [steps, …],
// frame t of which is presented in step t. When a run is longer than its
// samples, nothing is presented in the steps that are left.

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

// Shape is the shape of a frame.
func (Frames) Shape(in tensor.Shape) (tensor.Shape, error) {
	if len(in) < 2 {
		return nil, fmt.Errorf("encoder frames: samples of shape %v, want time as the first of two axes or more", in)
	}
	return in[1:], nil
}

// Shape is the shape of a frame with two channels for each.
func (Delta) Shape(in tensor.Shape) (tensor.Shape, error) { return onOffShape("delta", in) }

// Shape is the shape of a frame with two channels for each.
func (StepForward) Shape(in tensor.Shape) (tensor.Shape, error) {
	return onOffShape("step-forward", in)
}

func onOffShape(kind string, in tensor.Shape) (tensor.Shape, error) {
	if len(in) == 0 {
		return nil, fmt.Errorf("encoder %s: samples of shape %v, want time as the first axis", kind, in)
	}
	out := append(tensor.Shape(nil), in[1:]...)
	if len(out) == 3 {
		out[2] *= 2
		return out, nil
	}
	return append(out, 2), nil
}

// Encode copies the frames of the window.
func (e Frames) Encode(dst *signal.Signal, x []tensor.Float, shape tensor.Shape, _ []rng.Key, t0, t1 int) {
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
func (e Delta) Encode(dst *signal.Signal, x []tensor.Float, shape tensor.Shape, _ []rng.Key, t0, t1 int) {
	onOff(dst, x, shape, t0, t1, max(t0, 1), func(series []tensor.Float, stride, t, _ int) int {
		return sign(float64(series[t*stride]), float64(series[(t-1)*stride]), e.Threshold)
	})
}

// Encode follows the series from its start.
func (e StepForward) Encode(dst *signal.Signal, x []tensor.Float, shape tensor.Shape, _ []rng.Key, t0, t1 int) {
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
	out, _ := onOffShape("", shape)
	dst.Reset(signal.Spikes, t1-t0, b, out)
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
