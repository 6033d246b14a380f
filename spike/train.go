package spike

import (
	"fmt"
	"math"
	"slices"
)

// Train is the spikes of one unit: strictly ascending times within an
// observation window [Start, Stop], whose edges belong to the train. A unit does
// not spike twice at one time. Any unit of time will do.
type Train struct {
	Times       []float64
	Start, Stop float64
}

// NewTrain is a train of times, which it keeps, if they pass Validate.
func NewTrain(times []float64, start, stop float64) (Train, error) {
	t := Train{Times: times, Start: start, Stop: stop}
	if err := t.Validate(); err != nil {
		return Train{}, fmt.Errorf("spike.NewTrain: %w", err)
	}
	return t, nil
}

// Validate returns an error unless the window is finite and not empty, and the
// times are finite, strictly ascending and inside it. Sort and Clip mend what can
// be mended.
func (t Train) Validate() error { return t.validate(false) }

// ValidateRepeats is Validate where a unit may spike several times at one time, as
// electrodes do that hear several neurons.
func (t Train) ValidateRepeats() error { return t.validate(true) }

// validate permits equal times where repeats is set.
func (t Train) validate(repeats bool) error {
	if !(t.Start < t.Stop) || math.IsInf(t.Stop-t.Start, 0) {
		return fmt.Errorf("the window [%v, %v] is empty or not finite; give a stop after the start", t.Start, t.Stop)
	}
	for i, x := range t.Times {
		switch {
		case math.IsNaN(x) || math.IsInf(x, 0):
			return fmt.Errorf("spike %d is at %v, want a finite time; remove it", i, x)
		case i > 0 && x < t.Times[i-1]:
			return fmt.Errorf("spike %d at %v comes after one at %v; sort the times", i, x, t.Times[i-1])
		case i > 0 && x == t.Times[i-1] && !repeats:
			return fmt.Errorf("spikes %d and %d are both at %v; merge them, as sorting does", i-1, i, x)
		case x < t.Start || x > t.Stop:
			return fmt.Errorf("spike %d at %v lies outside the window [%v, %v]; widen the window or clip the train", i, x, t.Start, t.Stop)
		}
	}
	return nil
}

// Sort is the train with its times in order and each once, those that are the same
// but for rounding (Slack) as the first of them; t keeps its own. Times that are not
// numbers come first, for Validate to find.
func (t Train) Sort() Train {
	times, e := slices.Clone(t.Times), t.Slack()
	slices.Sort(times)
	t.Times = times[:0]
	for _, x := range times {
		if n := len(t.Times); n == 0 || !(x == t.Times[n-1] || e.Same(x, t.Times[n-1])) {
			t.Times = append(t.Times, x)
		}
	}
	return t
}

// Clip is the train in another window, without the spikes outside of it, whose
// number is the second result; t keeps its own times. Spikes that are beyond an edge
// by rounding alone (Slack) are put on it.
func (t Train) Clip(start, stop float64) (Train, int) {
	out, e := Train{Start: start, Stop: stop}, SlackOf(start, stop)
	for _, x := range t.Times {
		if e.Before(x, start) || e.Before(stop, x) {
			continue
		}
		out.Times = append(out.Times, min(max(x, start), stop))
	}
	return out, len(t.Times) - len(out.Times)
}

// Unite is the trains, each observed over the smallest window that holds all
// windows: what measures want that compare trains of one window. The times are
// shared with the trains given.
func Unite(trains []Train) []Train {
	out := slices.Clone(trains)
	for i := range out {
		for _, t := range trains {
			out[i].Start, out[i].Stop = min(out[i].Start, t.Start), max(out[i].Stop, t.Stop)
		}
	}
	return out
}
