package statistics

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"synfire/spike"
)

// Synchrony is a spike contrast with the widths of bins that it is the largest of.
type Synchrony struct {
	Value   float64   // the largest synchrony of all widths, in [0, 1]; 1 for equal trains
	At      float64   // the width where it is
	Widths  []float64 // descending
	Values  []float64 // synchrony, the product of the next two
	Changes []float64 // how much the count changes from bin to bin
	Active  []float64 // how many of the units are active together
}

// Contrast is the spike contrast of Ciba et al. 2018 (J. Neurosci. Methods 293:136). For a
// width Δ, bins begin every Δ/2 from the window's start on, so that a spike is in two of them,
// but for the window's first and last half bin; with Θ_k spikes in bin k, of n_k of the N units,
//
//	changes = Σ_k |Θ_{k+1} − Θ_k| / Σ_k Θ_k
//	active  = (Σ_k n_k Θ_k / Σ_k Θ_k − 1) / (N − 1)
//
// and the contrast is the largest product over widths from half the window down by factors
// of 0.9 to the larger of shortest and half the shortest interval between spikes of a unit
// that is not 0 (they take 10 ms for shortest). A spike on the border of bins is in the
// later. Where no unit has a spike it is NaN.
func Contrast(units []spike.Train, shortest float64) (Synchrony, error) {
	const op = "statistics.Contrast"
	if err := check(op, units); err != nil {
		return Synchrony{}, err
	}
	if err := positive(op, "shortest width", shortest); err != nil {
		return Synchrony{}, err
	}
	if len(units) < 2 {
		return Synchrony{}, fmt.Errorf("%s: %w", op, errUnits)
	}
	window, e := units[0], units[0].Slack()
	least, spikes := math.Inf(1), 0
	for _, u := range units {
		spikes += len(u.Times)
		for _, v := range u.Intervals() {
			if v > float64(e) {
				least = min(least, v/2)
			}
		}
	}
	if math.IsInf(least, 1) {
		least = shortest
	}
	least = max(least, shortest)
	if e.Before(window.Duration()/2, least) {
		return Synchrony{}, fmt.Errorf("%s: widths from half the window of %v down to %v; choose a shorter one", op, window.Duration(), least)
	}
	if 2*window.Duration()/least > maxBins {
		return Synchrony{}, fmt.Errorf("%s: bins of %v in a window of %v; at most %d are wanted: choose a longer one", op, least, window.Duration(), maxBins)
	}
	out := Synchrony{Value: math.NaN(), At: math.NaN()}
	for width := window.Duration() / 2; !e.Before(width, least); width *= 0.9 {
		changes, active := contrastAt(units, width)
		out.Widths, out.Values = append(out.Widths, width), append(out.Values, changes*active)
		out.Changes, out.Active = append(out.Changes, changes), append(out.Active, active)
		if v := changes * active; spikes > 0 && !(v <= out.Value) {
			out.Value, out.At = v, width
		}
	}
	return out, nil
}

// contrastAt is both factors for one width of bins.
func contrastAt(units []spike.Train, width float64) (changes, active float64) {
	window, e := units[0], units[0].Slack()
	half := width / 2
	n := max(1, int(e.Ceil(window.Duration(), half))-1) // bins; one more half of them
	theta, of := make([]float64, n), make([]float64, n)
	for _, u := range units {
		next := 0 // the first bin that the unit is not known to be in
		for _, s := range u.Times {
			k := min(int(e.Floor(s-window.Start, half)), n)
			for bin := max(0, k-1); bin <= min(k, n-1); bin++ {
				theta[bin]++
				if bin >= next {
					of[bin]++
					next = bin + 1
				}
			}
		}
	}
	total, weighted, change := 0.0, 0.0, 0.0
	for k, v := range theta {
		total += v
		weighted += v * of[k]
		if k > 0 {
			change += math.Abs(v - theta[k-1])
		}
	}
	return change / total, (weighted/total - 1) / float64(len(units)-1)
}

// Event is spikes of several units that are close together.
type Event struct {
	Start, Stop float64 // the first and the last of them
	Spikes      int
	Units       []int // that take part, ascending: their number is the complexity
}

// events are all chains of spikes of which each is at most spread after the one before.
func events(op string, units []spike.Train, spread float64) ([]Event, error) {
	if err := check(op, units); err != nil {
		return nil, err
	}
	if !(spread >= 0) || math.IsInf(spread, 1) {
		return nil, fmt.Errorf("%s: a spread of %v; want a time from 0 on", op, spread)
	}
	type one struct {
		at   float64
		unit int
	}
	var all []one
	for i, u := range units {
		for _, s := range u.Times {
			all = append(all, one{s, i})
		}
	}
	slices.SortFunc(all, func(a, b one) int { return cmp.Or(cmp.Compare(a.at, b.at), a.unit-b.unit) })
	e := units[0].Slack()
	var out []Event
	for i, s := range all {
		if i == 0 || e.Before(spread, s.at-all[i-1].at) {
			out = append(out, Event{Start: s.at})
		}
		last := &out[len(out)-1]
		last.Stop = s.at
		last.Spikes++
		if k, known := slices.BinarySearch(last.Units, s.unit); !known {
			last.Units = slices.Insert(last.Units, k, s.unit)
		}
	}
	return out, nil
}

// Synchrofacts are the events in which at least so many units take part: chains of spikes
// each at most spread after the one before. Spikes of many units within the time of a
// sample are mostly cross-talk or movement, not neurons. More units than there are is an error.
func Synchrofacts(units []spike.Train, spread float64, least int) ([]Event, error) {
	const op = "statistics.Synchrofacts"
	if least < 2 {
		return nil, fmt.Errorf("%s: events of %d units; want at least 2", op, least)
	}
	if least > len(units) {
		return nil, fmt.Errorf("%s: events of %d units where there are %d; want at most as many", op, least, len(units))
	}
	all, err := events(op, units, spread)
	return slices.DeleteFunc(all, func(v Event) bool { return len(v.Units) < least }), err
}

// WithoutSynchrofacts is the trains without the spikes of Synchrofacts, whose number is the
// second result.
func WithoutSynchrofacts(units []spike.Train, spread float64, least int) ([]spike.Train, int, error) {
	facts, err := Synchrofacts(units, spread, least)
	if err != nil {
		return nil, 0, err
	}
	out, removed := make([]spike.Train, len(units)), 0
	for i, u := range units {
		out[i] = spike.Train{Start: u.Start, Stop: u.Stop}
		for _, s := range u.Times {
			k, _ := slices.BinarySearchFunc(facts, s, func(v Event, s float64) int { return cmp.Compare(v.Stop, s) })
			if k < len(facts) && facts[k].Start <= s {
				removed++
				continue
			}
			out[i].Times = append(out[i].Times, s)
		}
	}
	return out, removed, nil
}

// Complexity is how many events there are by the number of units that take part: value k is
// that of k + 1 units. Events are chains of spikes each at most spread after the one before.
func Complexity(units []spike.Train, spread float64) ([]float64, error) {
	all, err := events("statistics.Complexity", units, spread)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(units))
	for _, v := range all {
		out[len(v.Units)-1]++
	}
	return out, nil
}
