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

// Dither moves each spike by a uniform random time in [−Width, Width], and back
// from the window's edge where it would cross it. It keeps the count and rates
// that change over times longer than Width, and destroys the timing below.
type Dither struct{ Width float64 }

// Shuffle implements Surrogate.
func (d Dither) Shuffle(t Train, key rng.Key) (Train, error) {
	if err := t.Validate(); err != nil {
		return Train{}, fmt.Errorf("spike.Dither: %w", err)
	}
	if !(d.Width >= 0) || t.Slack().Before(t.Duration(), d.Width) {
		return Train{}, fmt.Errorf("spike.Dither: a width of %v in the window [%v, %v]; want one from 0 to its length", d.Width, t.Start, t.Stop)
	}
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
	return out.Sort(), nil
}

// ShuffleIntervals puts the intervals in a random order, the time before the
// first spike among them unless that spike is on the window's edge. It keeps
// their distribution and the last spike's time, and destroys their order and
// thereby the timing. Intervals that differ by rounding alone are one interval, so
// that a regular train is its own surrogate in any unit of time.
type ShuffleIntervals struct{}

// Shuffle implements Surrogate.
func (ShuffleIntervals) Shuffle(t Train, key rng.Key) (Train, error) {
	if err := t.Validate(); err != nil {
		return Train{}, fmt.Errorf("spike.ShuffleIntervals: %w", err)
	}
	t = t.OnEdges()
	out, e := Train{Start: t.Start, Stop: t.Stop}, t.Slack()
	borders := append([]float64{t.Start}, t.Times...)
	if len(t.Times) > 0 && t.Times[0] == t.Start {
		borders = t.Times
		out.add(t.Start)
	}
	intervals := make([]float64, len(borders)-1)
	for i := range intervals {
		intervals[i] = borders[i+1] - borders[i]
	}
	e.level(intervals)
	at := total{sum: t.Start}
	for _, i := range key.Source().Perm(len(intervals)) {
		at.add(intervals[i])
		out.add(min(e.onto(t.Times, at.sum+at.rest), t.Stop)) // a sum in another order may round up
	}
	return out, nil
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
// spike on the border of two bins is in the later one.
type ShuffleBins struct{ Width float64 }

// Shuffle implements Surrogate.
func (b ShuffleBins) Shuffle(t Train, key rng.Key) (Train, error) {
	if err := t.Validate(); err != nil {
		return Train{}, fmt.Errorf("spike.ShuffleBins: %w", err)
	}
	n, err := t.bins("spike.ShuffleBins", b.Width)
	if err != nil {
		return Train{}, err
	}
	width, e := t.Duration()/float64(n), t.Slack()
	to := key.Source().Perm(n)
	out := Train{Start: t.Start, Stop: t.Stop, Times: make([]float64, len(t.Times))}
	for i, at := range t.Times {
		from := e.bin(at-t.Start, width, n)
		moved := at + float64(to[from]-from)*width
		out.Times[i] = min(max(e.onto(t.Times, moved), t.Start), t.Stop)
	}
	return out.Sort(), nil
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
	values, errs := make([]float64, n), make([]error, n)
	pool.For(n, 1, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			values[i], errs[i] = measureOne(trains, measure, s, key.Int(uint64(i)))
		}
	})
	for i, v := range append(values, value) {
		if i < n && errs[i] != nil {
			return Significance{}, errs[i]
		}
		if math.IsNaN(v) {
			return Significance{}, errors.New("spike.Test: the measure is not a number for these trains or a surrogate; it needs trains that it is defined for")
		}
	}
	mean, variance := moments(values)
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

func measureOne(trains []Train, measure func([]Train) (float64, error), s Surrogate, key rng.Key) (float64, error) {
	shuffled := make([]Train, len(trains))
	for i, t := range trains {
		var err error
		if shuffled[i], err = s.Shuffle(t, key.Int(uint64(i))); err != nil {
			return 0, err
		}
	}
	return measure(shuffled)
}
