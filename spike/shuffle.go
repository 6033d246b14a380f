package spike

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/internal/par"
	"synfire/internal/rng"
)

// Surrogate makes a train that shares some statistics with a recorded one and is
// random otherwise. What a measure says of recorded trains means little until
// it is compared with what it says of such surrogates. Spikes that fall on one
// time become one, which real numbers hardly ever do. Times of a surrogate that are
// those of the train but for rounding (Slack) are those of the train.
type Surrogate interface {
	// Shuffle draws a surrogate; it shares no memory with t. An error says why t is
	// no train (Validate) or does not suit the surrogate.
	Shuffle(t Train, key rng.Key) (Train, error)
}

// drawer is a surrogate that looks at a train once and then draws as often as need be.
type drawer interface {
	Surrogate
	drawer(t Train) (draw func(key rng.Key) Train, err error)
}

func shuffle(s drawer, t Train, key rng.Key) (Train, error) {
	draw, err := s.drawer(t)
	if err != nil {
		return Train{}, err
	}
	return draw(key), nil
}

// Dither moves each spike by a uniform random time in [−Width, Width], and back
// from the window's edge where it would cross it. It keeps the count and rates
// that change over times longer than Width, and destroys the timing below.
type Dither struct{ Width float64 }

// Shuffle implements Surrogate.
func (d Dither) Shuffle(t Train, key rng.Key) (Train, error) { return shuffle(d, t, key) }

func (d Dither) drawer(t Train) (func(key rng.Key) Train, error) {
	if err := reaches("spike.Dither", t, d.Width); err != nil {
		return nil, err
	}
	return func(key rng.Key) Train {
		s := key.Source()
		out := Train{Start: t.Start, Stop: t.Stop, Times: make([]float64, len(t.Times))}
		for i, at := range t.Times {
			at += d.Width * (2*s.Float64() - 1)
			if at < t.Start {
				at = 2*t.Start - at
			}
			if at > t.Stop {
				at = 2*t.Stop - at
			}
			out.Times[i] = min(max(at, t.Start), t.Stop)
		}
		return out.Sort()
	}, nil
}

// ShuffleIntervals puts the intervals in a random order, the time before the
// first spike among them unless that spike is on the window's edge. It keeps
// their distribution and the last spike's time, and destroys their order and
// thereby the timing. Intervals that differ by rounding alone are one interval, so
// that a regular train is its own surrogate in any unit of time.
type ShuffleIntervals struct{}

// Shuffle implements Surrogate.
func (s ShuffleIntervals) Shuffle(t Train, key rng.Key) (Train, error) { return shuffle(s, t, key) }

func (ShuffleIntervals) drawer(t Train) (func(key rng.Key) Train, error) {
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("spike.ShuffleIntervals: %w", err)
	}
	t = t.OnEdges()
	borders, onEdge := append([]float64{t.Start}, t.Times...), false
	if onEdge = len(t.Times) > 0 && t.Times[0] == t.Start; onEdge {
		borders = t.Times
	}
	intervals := make([]float64, len(borders)-1)
	for i := range intervals {
		intervals[i] = borders[i+1] - borders[i]
	}
	t.Slack().level(intervals)
	return func(key rng.Key) Train {
		out := Train{Start: t.Start, Stop: t.Stop}
		if onEdge {
			out.add(t.Start)
		}
		at := total{sum: t.Start}
		for _, i := range key.Source().Perm(len(intervals)) {
			at.add(intervals[i])
			out.add(min(at.sum+at.rest, t.Stop)) // a sum in another order may round up
		}
		t.Slack().align(out.Times, t.Times)
		return out
	}, nil
}

// align gives ascending times the bits of those of others that they are the same as,
// as long as they stay in order.
func (e Slack) align(times, others []float64) {
	j := 0
	for i, x := range times {
		for j < len(others) && e.Before(others[j], x) {
			j++
		}
		if j == len(others) || !e.Same(others[j], x) || i > 0 && others[j] <= times[i-1] || i+1 < len(times) && others[j] >= times[i+1] {
			continue
		}
		times[i] = others[j]
		j++
	}
}

// level gives values that are the same their mean. Those that are the same as the
// least of them are one group, then those that are the same as the least of the
// rest.
func (e Slack) level(x []float64) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(x[i], x[j]) })
	for len(order) > 0 {
		least, sum, n := x[order[0]], 0.0, 0
		for n < len(order) && e.Same(x[order[n]], least) {
			sum += x[order[n]] - least
			n++
		}
		for _, i := range order[:n] {
			x[i] = least + sum/float64(n)
		}
		order = order[n:]
	}
}

// total is a sum with what rounding took from it (Neumaier 1974).
type total struct{ sum, rest float64 }

func (t *total) add(v float64) {
	sum := t.sum + v
	if math.Abs(t.sum) >= math.Abs(v) {
		t.rest += (t.sum - sum) + v
	} else {
		t.rest += (v - sum) + t.sum
	}
	t.sum = sum
}

// ShuffleBins cuts the window into bins of at most Width (their number is
// whole) and puts them in a random order; a spike keeps its place in its bin. It
// keeps the count and patterns shorter than a bin, and destroys what spans more. A
// spike on the border of two bins is in the later one; one on the end of the window
// is in none and stays there.
type ShuffleBins struct{ Width float64 }

// Shuffle implements Surrogate.
func (b ShuffleBins) Shuffle(t Train, key rng.Key) (Train, error) { return shuffle(b, t, key) }

func (b ShuffleBins) drawer(t Train) (func(key rng.Key) Train, error) {
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("spike.ShuffleBins: %w", err)
	}
	n, err := t.bins("spike.ShuffleBins", b.Width)
	if err != nil {
		return nil, err
	}
	width, e := t.Duration()/float64(n), t.Slack()
	return func(key rng.Key) Train {
		to := key.Source().Perm(n)
		out := Train{Start: t.Start, Stop: t.Stop, Times: make([]float64, len(t.Times))}
		for i, at := range t.Times {
			out.Times[i] = at
			if from := int(e.Floor(at-t.Start, width)); from < n {
				out.Times[i] = min(max(at+float64(to[from]-from)*width, t.Start), t.Stop)
			}
		}
		out = out.Sort()
		e.align(out.Times, t.Times)
		return out
	}, nil
}

// Tail says which values of a measure count against chance.
type Tail int

// The tails: small values, as of a distance between similar trains, or large
// ones, as of their synchrony.
const (
	Small Tail = iota
	Large
)

// Significance is a measure's value beside the values of surrogates.
type Significance struct {
	Value     float64 // of the trains themselves
	Mean, Std float64 // of the surrogates
	P         float64 // (1 + surrogates at least as extreme, or equal) / (1 + N)
	N         int     // surrogates
}

// ErrUndefined is that of a measure that is undefined.
var ErrUndefined = errors.New("spike.Test: the measure is not a number for these trains or a surrogate; it needs trains that it is defined for")

// Test measures trains and n surrogates of all of them at once, and returns the
// one-sided p-value: how often chance, as the surrogate understands it, gives a
// value as extreme. It is never 0: n surrogates cannot show less than 1/(n+1).
// Values are equal where they differ by rounding alone, which is at most 10⁻¹⁰ of
// the largest value seen.
//
// The measure runs on several goroutines at once; the result does not depend on
// the pool.
func Test(trains []Train, measure func([]Train) (float64, error), s Surrogate, n int, tail Tail, key rng.Key, pool *par.Pool) (Significance, error) {
	if n < 1 {
		return Significance{}, fmt.Errorf("spike.Test: %d surrogates; want at least 1, and 999 for a p-value down to 0.001", n)
	}
	value, err := measure(trains)
	if err != nil {
		return Significance{}, err
	}
	draws, err := drawers(s, trains)
	if err != nil {
		return Significance{}, err
	}
	values, errs := make([]float64, n), make([]error, n)
	pool.For(n, 1, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			values[i], errs[i] = measureOne(draws, measure, key.Int(uint64(i)))
		}
	})
	for i, v := range append(values, value) {
		if i < n && errs[i] != nil {
			return Significance{}, errs[i]
		}
		if math.IsNaN(v) {
			return Significance{}, ErrUndefined
		}
	}
	mean, variance := Moments(values)
	slack := math.Abs(value)
	for _, v := range values {
		slack = max(slack, math.Abs(v))
	}
	slack *= equalValues
	extreme := 0
	for _, v := range values {
		if tail == Small && v <= value+slack || tail == Large && v >= value-slack {
			extreme++
		}
	}
	return Significance{Value: value, Mean: mean, Std: math.Sqrt(variance), P: float64(1+extreme) / float64(1+n), N: n}, nil
}

// equalValues is by how much of the largest value equal values may differ.
const equalValues = 1e-10

// drawers is what draws a surrogate of each train.
func drawers(s Surrogate, trains []Train) ([]func(key rng.Key) (Train, error), error) {
	draws := make([]func(key rng.Key) (Train, error), len(trains))
	d, once := s.(drawer)
	for i, t := range trains {
		draws[i] = func(key rng.Key) (Train, error) { return s.Shuffle(t, key) }
		if !once {
			continue
		}
		draw, err := d.drawer(t)
		if err != nil {
			return nil, err
		}
		draws[i] = func(key rng.Key) (Train, error) { return draw(key), nil }
	}
	return draws, nil
}

func measureOne(draws []func(key rng.Key) (Train, error), measure func([]Train) (float64, error), key rng.Key) (float64, error) {
	shuffled := make([]Train, len(draws))
	for i, draw := range draws {
		var err error
		if shuffled[i], err = draw(key.Int(uint64(i))); err != nil {
			return 0, err
		}
	}
	return measure(shuffled)
}
