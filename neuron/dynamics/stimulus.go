package dynamics

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Stimulus is a current over time in ms.
type Stimulus func(ms float64) float64

// Constant is the same at all times.
func Constant(current float64) Stimulus { return func(float64) float64 { return current } }

// Step is one current before a time and from another on, and between them a second one.
func Step(base, current, on, off float64) Stimulus {
	return func(ms float64) float64 {
		if ms >= on && ms < off {
			return current
		}
		return base
	}
}

// Ramp goes along a line from one current to another between two times, and stays.
func Ramp(from, to, start, end float64) Stimulus {
	return func(ms float64) float64 {
		return from + (to-from)*min(max((ms-start)/(end-start), 0), 1)
	}
}

// Recorded is a current that was recorded: from each time on its value, until the next; before
// the first time the first. Times must rise.
func Recorded(times, values []float64) (Stimulus, error) {
	if len(times) == 0 || len(times) != len(values) {
		return nil, fmt.Errorf("dynamics: a recorded current of %d times and %d values, want as many of both, and one at least", len(times), len(values))
	}
	for i, t := range times {
		if math.IsNaN(t) || math.IsInf(t, 0) || math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
			return nil, fmt.Errorf("dynamics: recorded current: row %d is %v, %v, want finite numbers", i+1, t, values[i])
		}
		if i > 0 && !(t > times[i-1]) {
			return nil, fmt.Errorf("dynamics: recorded current: time %v in row %d comes after %v; sort the rows by their time", t, i+1, times[i-1])
		}
	}
	times, values = slices.Clone(times), slices.Clone(values)
	return func(ms float64) float64 {
		k := sort.Search(len(times), func(k int) bool { return times[k] > ms+1e-9 })
		return values[max(k-1, 0)]
	}, nil
}

// pulses are several currents on top of a base: [current, on, off] each.
func pulses(base float64, list ...[3]float64) Stimulus {
	return func(ms float64) float64 {
		for _, p := range list {
			if ms >= p[1] && ms < p[2] {
				return p[0]
			}
		}
		return base
	}
}
