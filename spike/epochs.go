package spike

import (
	"fmt"
	"math"
	"slices"
)

// Moved is the train with its times and its window later by a time; t keeps its own.
func (t Train) Moved(by float64) Train {
	out := Train{Start: t.Start + by, Stop: t.Stop + by, Times: make([]float64, len(t.Times))}
	for i, x := range t.Times {
		out.Times[i] = min(max(x+by, out.Start), out.Stop)
	}
	return out
}

// Epochs cuts the train about each onset: trains in the window [−before, after], in which the
// onset is 0. Epochs may overlap. One that reaches out of the train's window is an error, as it
// was not observed whole.
func (t Train) Epochs(onsets []float64, before, after float64) ([]Train, error) {
	const op = "spike.Epochs"
	if err := Check(op, t); err != nil {
		return nil, err
	}
	if !(-before < after) || math.IsInf(after+before, 0) {
		return nil, fmt.Errorf("%s: from %v before an onset to %v after it; want a window that is not empty", op, before, after)
	}
	e, out := t.Slack(), make([]Train, len(onsets))
	for i, at := range onsets {
		if math.IsNaN(at) || e.Before(at-before, t.Start) || e.Before(t.Stop, at+after) {
			return nil, fmt.Errorf("%s: the epoch of onset %d, [%v, %v], reaches out of the window [%v, %v]; leave it out, or shorten all", op, i, at-before, at+after, t.Start, t.Stop)
		}
		out[i] = Train{Start: -before, Stop: after}
		from, _ := slices.BinarySearchFunc(t.Times, at-before, func(x, edge float64) int {
			if e.Before(x, edge) {
				return -1
			}
			return 1
		})
		for _, x := range t.Times[from:] {
			if e.Before(at+after, x) {
				break
			}
			out[i].Times = append(out[i].Times, min(max(x-at, -before), after))
		}
	}
	return out, nil
}

// Union is one train of the spikes of several of one window, as an electrode hears that
// cannot tell units apart. Several spikes at one time are kept.
func Union(trains []Train) (Train, error) {
	const op = "spike.Union"
	if len(trains) == 0 {
		return Train{}, fmt.Errorf("%s: no trains; give at least one", op)
	}
	if err := Check(op, trains...); err != nil {
		return Train{}, err
	}
	out := Train{Start: trains[0].Start, Stop: trains[0].Stop}
	for i, t := range trains {
		if t.Start != out.Start || t.Stop != out.Stop {
			return Train{}, fmt.Errorf("%s: train %d has the window [%v, %v], train 0 [%v, %v]; cut them to one", op, i, t.Start, t.Stop, out.Start, out.Stop)
		}
		out.Times = append(out.Times, t.Times...)
	}
	slices.Sort(out.Times)
	return out, nil
}
