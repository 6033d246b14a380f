package encode

import (
	"fmt"

	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/spike"
	"synfire/tensor"
)

// Events turns events in continuous time into spikes: of a sample that spans
// [0, D) in a run of T steps, an event at time τ makes its unit spike in step
//
//	t = ⌊τ·T/D⌋
//
// Several events of a unit in one step are one spike, or with Count a value that
// is their number. Events outside [0, D) are an error of the source, and are not
// presented.
type Events struct {
	Count bool `yaml:"count"` // present the number of events, not a spike
}

// Validate always succeeds.
func (Events) Validate() error { return nil }

// Plan takes events; a run may have any number of steps.
func (Events) Plan(spec sample.Spec) (tensor.Shape, int, error) {
	if !spec.Events {
		return nil, 0, fmt.Errorf("encoder events: samples are %v, want events; use encoder frames for series, constant for others", spec)
	}
	return spec.Shape, 0, nil
}

// Encode bins the events of the window alone.
func (e Events) Encode(dst *signal.Signal, in *sample.Batch, _ []rng.Key, at Window) {
	kind := signal.Spikes
	if e.Count {
		kind = signal.Dense
	}
	b, units := in.Len(), in.Spec.Shape.Size()
	dst.Reset(kind, at.T1-at.T0, b, in.Spec.Shape)
	if e.Count {
		clear(dst.Data)
	}
	for i, events := range in.Events {
		for _, event := range events[firstEvent(events, at.T0, at.Steps, in.Spec.Duration):] {
			t := StepOf(event.Time, at.Steps, in.Spec.Duration)
			if t >= at.T1 {
				break
			}
			row := (t-at.T0)*b + i
			if e.Count {
				dst.Data[row*units+int(event.Unit)]++
			} else {
				dst.Raster.Set(row, int(event.Unit))
			}
		}
	}
}

// StepOf is the step of a run, of steps that span a duration, into which a time
// falls: ⌊time·steps/duration⌋. A time that stands on a border between steps but
// for rounding belongs to the later one, so that the unit of time does not matter.
func StepOf(time float64, steps int, duration float64) int {
	width := duration / float64(steps)
	return int(spike.SlackOf(0, duration).Floor(time, width))
}

// firstEvent is the place of the first event in step t or later, by halving.
func firstEvent(events []sample.Event, t, steps int, duration float64) int {
	lo, hi := 0, len(events)
	for lo < hi {
		mid := (lo + hi) / 2
		if StepOf(events[mid].Time, steps, duration) < t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
