package spike

import (
	"errors"
	"fmt"
	"math"

	"synfire/internal/par"
	"synfire/internal/rng"
)

// Surrogate makes a train that shares some statistics with a recorded one and is
// random otherwise. What a measure says of recorded trains means little until
// it is compared with what it says of such surrogates. Spikes that fall on one
// time become one, which real numbers hardly ever do.
type Surrogate interface {
	// Shuffle draws a surrogate; it shares no memory with t.
	Shuffle(t Train, key rng.Key) (Train, error)
}

// Dither moves each spike by a uniform random time in [−Width, Width], and back
// from the window's edge where it would cross it. It keeps the count and rates
// that change over times longer than Width, and destroys the timing below.
type Dither struct{ Width float64 }

// Shuffle implements Surrogate.
func (d Dither) Shuffle(t Train, key rng.Key) (Train, error) {
	if !(d.Width >= 0 && d.Width <= t.Duration()) {
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
// thereby the timing.
type ShuffleIntervals struct{}

// Shuffle implements Surrogate.
func (ShuffleIntervals) Shuffle(t Train, key rng.Key) (Train, error) {
	out := Train{Start: t.Start, Stop: t.Stop}
	borders := append([]float64{t.Start}, t.Times...)
	if len(t.Times) > 0 && t.Times[0] == t.Start {
		borders = t.Times
		out.add(t.Start)
	}
	at := t.Start
	for _, i := range key.Source().Perm(len(borders) - 1) {
		at = min(at+borders[i+1]-borders[i], t.Stop) // a sum in another order may round up
		out.add(at)
	}
	return out, nil
}

// ShuffleBins cuts the window into bins of at most Width (their number is
// whole) and puts them in a random order; a spike keeps its place in its bin. It
// keeps the count and patterns shorter than a bin, and destroys what spans more.
type ShuffleBins struct{ Width float64 }

// Shuffle implements Surrogate.
func (b ShuffleBins) Shuffle(t Train, key rng.Key) (Train, error) {
	n, err := t.bins("spike.ShuffleBins", b.Width)
	if err != nil {
		return Train{}, err
	}
	width := t.Duration() / float64(n)
	to := key.Source().Perm(n)
	out := Train{Start: t.Start, Stop: t.Stop, Times: make([]float64, len(t.Times))}
	for i, at := range t.Times {
		from := bin(at-t.Start, width, n)
		out.Times[i] = min(max(at+float64(to[from]-from)*width, t.Start), t.Stop)
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
	P         float64 // (1 + surrogates at least as extreme) / (1 + N)
	N         int     // surrogates
}

// Test measures trains and n surrogates of all of them at once, and returns the
// one-sided p-value: how often chance, as the surrogate understands it, gives a
// value as extreme. It is never 0: n surrogates cannot show less than 1/(n+1).
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
	extreme := 0
	for _, v := range values {
		if tail == Small && v <= value || tail == Large && v >= value {
			extreme++
		}
	}
	return Significance{Value: value, Mean: mean, Std: math.Sqrt(variance), P: float64(1+extreme) / float64(1+n), N: n}, nil
}

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
