package spike

import (
	"fmt"
	"math"

	"synfire/internal/rng"
)

// Shift moves a whole train by one uniform random time in [−Width, Width]; what leaves the
// window at one end comes in at the other. It keeps all intervals but the one that the border
// cuts, and destroys the timing against other trains and against the window (whole-train
// shift; trial shifting where each trial of a unit is moved by a time of its own).
type Shift struct{ Width float64 }

// Shuffle implements Surrogate.
func (d Shift) Shuffle(t Train, key rng.Key) (Train, error) { return shuffle(d, t, key) }

func (d Shift) drawer(t Train) (func(key rng.Key) Train, error) {
	if err := reaches("spike.Shift", t, d.Width); err != nil {
		return nil, err
	}
	return func(key rng.Key) Train {
		by := d.Width * (2*key.Source().Float64() - 1)
		out := Train{Start: t.Start, Stop: t.Stop, Times: make([]float64, len(t.Times))}
		for i, at := range t.Times {
			at += by
			if at < t.Start {
				at += t.Duration()
			}
			if at > t.Stop {
				at -= t.Duration()
			}
			out.Times[i] = min(max(at, t.Start), t.Stop)
		}
		return out.Sort()
	}, nil
}

// reaches returns an error unless t is a train, and a width one from 0 to its window's length.
func reaches(op string, t Train, width float64) error {
	if err := t.Validate(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if !(width >= 0) || t.Slack().Before(t.Duration(), width) {
		return fmt.Errorf("%s: a width of %v in the window [%v, %v]; want one from 0 to its length", op, width, t.Start, t.Stop)
	}
	return nil
}

// Jitter cuts the window into bins of at most Width (their number is whole), and gives each
// spike a uniform random time in its bin (interval jitter, Date et al. 1998; Amarasingham et
// al. 2012). It keeps the count of each bin, and with it rates that change over times longer
// than Width, and destroys the timing within. A spike on the border of two bins is in the
// later one.
type Jitter struct{ Width float64 }

// Shuffle implements Surrogate.
func (d Jitter) Shuffle(t Train, key rng.Key) (Train, error) { return shuffle(d, t, key) }

func (d Jitter) drawer(t Train) (func(key rng.Key) Train, error) {
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("spike.Jitter: %w", err)
	}
	n, err := t.bins("spike.Jitter", d.Width)
	if err != nil {
		return nil, err
	}
	width, e := t.Duration()/float64(n), t.Slack()
	return func(key rng.Key) Train {
		s := key.Source()
		out := Train{Start: t.Start, Stop: t.Stop, Times: make([]float64, len(t.Times))}
		for i, at := range t.Times {
			bin := e.bin(at-t.Start, width, n)
			out.Times[i] = min(t.Start+(float64(bin)+s.Float64())*width, t.Stop)
		}
		return out.Sort()
	}, nil
}

// Randomize gives each spike a uniform random time in the window: a Poisson process of which
// the count is known. It keeps the count alone.
type Randomize struct{}

// Shuffle implements Surrogate.
func (d Randomize) Shuffle(t Train, key rng.Key) (Train, error) { return shuffle(d, t, key) }

func (Randomize) drawer(t Train) (func(key rng.Key) Train, error) {
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("spike.Randomize: %w", err)
	}
	return func(key rng.Key) Train {
		s := key.Source()
		out := Train{Start: t.Start, Stop: t.Stop, Times: make([]float64, len(t.Times))}
		for i := range out.Times {
			out.Times[i] = min(t.Start+s.Float64()*t.Duration(), t.Stop)
		}
		return out.Sort()
	}, nil
}

// RefractoryDither moves each spike by a uniform random time in [−Width, Width], but by no
// more than half of what the interval on that side is longer than Refractory; towards a
// border of the window, by no more than up to it. So it keeps the order of spikes and does not
// make an interval shorter than Refractory, or than it was where it was shorter. Dither
// without that makes intervals that no neuron has (Louis et al. 2010; Stella et al. 2022).
type RefractoryDither struct{ Width, Refractory float64 }

// Shuffle implements Surrogate.
func (d RefractoryDither) Shuffle(t Train, key rng.Key) (Train, error) { return shuffle(d, t, key) }

func (d RefractoryDither) drawer(t Train) (func(key rng.Key) Train, error) {
	const op = "spike.RefractoryDither"
	if err := reaches(op, t, d.Width); err != nil {
		return nil, err
	}
	if !(d.Refractory >= 0) || math.IsInf(d.Refractory, 1) {
		return nil, fmt.Errorf("%s: a refractory time of %v; want one from 0 on", op, d.Refractory)
	}
	room := func(interval float64) float64 { return max(0, interval-d.Refractory) / 2 }
	return func(key rng.Key) Train {
		s := key.Source()
		out := Train{Start: t.Start, Stop: t.Stop, Times: make([]float64, len(t.Times))}
		for i, at := range t.Times {
			back, on := at-t.Start, t.Stop-at
			if i > 0 {
				back = room(at - t.Times[i-1])
			}
			if i+1 < len(t.Times) {
				on = room(t.Times[i+1] - at)
			}
			back, on = min(back, d.Width), min(on, d.Width)
			out.Times[i] = min(max(at-back+(back+on)*s.Float64(), t.Start), t.Stop)
		}
		return out.Sort()
	}, nil
}

// JointDither moves spikes so that the joint distribution of the two intervals about each
// stays about what it is (joint-ISI dither: Gerstein 2004; Louis et al. 2010). From the first
// spike to the last but one in turn, each is put within Width of where it was, between the one
// before, which has moved already, and the next, with the probability
//
//	p ∝ J(time to the one before, time to the next)
//
// J is the pairs of successive intervals of the train in cells of Width/8, smoothed by a
// Gaussian of Smooth; within its cell a place is uniform. The first and the last spike stay.
// Pairs of which one interval is above Longest are not counted, and a spike is dithered
// uniformly where J is 0 all about it.
type JointDither struct{ Width, Smooth, Longest float64 }

// Shuffle implements Surrogate.
func (d JointDither) Shuffle(t Train, key rng.Key) (Train, error) { return shuffle(d, t, key) }

// maxCells is how many cells J has along a side at most.
const maxCells = 2048

func (d JointDither) drawer(t Train) (func(key rng.Key) Train, error) {
	const op = "spike.JointDither"
	if err := reaches(op, t, d.Width); err != nil {
		return nil, err
	}
	cell := d.Width / 8
	n := math.Ceil(d.Longest / cell)
	if !(d.Width > 0 && d.Smooth >= 0 && n >= 1 && n <= maxCells) || math.IsInf(d.Smooth, 1) {
		return nil, fmt.Errorf("%s: a width of %v, intervals up to %v and smoothing over %v; want a width above 0, no smoothing below 0, and at most %d eighths of the width in the longest interval", op, d.Width, d.Longest, d.Smooth, maxCells)
	}
	joint := newJoint(t, int(n), cell, d.Smooth)
	return func(key rng.Key) Train {
		s := key.Source()
		out := Train{Start: t.Start, Stop: t.Stop, Times: append([]float64(nil), t.Times...)}
		var weights, places []float64
		for i := 1; i+1 < len(out.Times); i++ {
			before, at, next := out.Times[i-1], t.Times[i], t.Times[i+1]
			lo, hi := max(before, at-d.Width), min(next, at+d.Width)
			weights, places = weights[:0], places[:0]
			total := 0.0
			for x := lo + cell/2; x < hi; x += cell {
				w := joint.at(x-before, next-x)
				total += w
				weights, places = append(weights, w), append(places, x)
			}
			out.Times[i] = place(s, weights, places, total, lo, hi, cell)
		}
		return out.Sort()
	}, nil
}

// place draws a place by weights, uniform within a cell of it, or anywhere where all are 0.
func place(s *rng.Source, weights, places []float64, total, lo, hi, cell float64) float64 {
	if total == 0 {
		return lo + (hi-lo)*s.Float64()
	}
	left := s.Float64() * total
	k := 0
	for k+1 < len(weights) && left >= weights[k] {
		left -= weights[k]
		k++
	}
	return min(max(places[k]+cell*(s.Float64()-0.5), lo), hi)
}

// joint is a histogram of pairs of successive intervals.
type joint struct {
	n      int
	cell   float64
	slack  Slack
	values []float64
}

func newJoint(t Train, n int, cell, smooth float64) joint {
	j := joint{n, cell, t.Slack(), make([]float64, n*n)}
	intervals := t.Intervals()
	for i := 1; i < len(intervals); i++ {
		if k := j.index(intervals[i-1], intervals[i]); k >= 0 {
			j.values[k]++
		}
	}
	if smooth > 0 {
		j.smooth(smooth / cell)
		j.transpose()
		j.smooth(smooth / cell)
		j.transpose()
	}
	return j
}

// smooth smooths along rows by a Gaussian of a width in cells, up to 5 of it away.
func (j joint) smooth(width float64) {
	reach := int(5*width) + 1
	k := make([]float64, reach+1)
	for d := range k {
		k[d] = math.Exp(-float64(d*d) / (2 * width * width))
	}
	row := make([]float64, j.n)
	for a := range j.n {
		copy(row, j.values[a*j.n:])
		out := j.values[a*j.n:][:j.n]
		clear(out)
		for b, v := range row {
			if v == 0 {
				continue
			}
			for c := max(0, b-reach); c <= min(j.n-1, b+reach); c++ {
				out[c] += v * k[max(b-c, c-b)]
			}
		}
	}
}

func (j joint) transpose() {
	for a := range j.n {
		for b := range a {
			x, y := a*j.n+b, b*j.n+a
			j.values[x], j.values[y] = j.values[y], j.values[x]
		}
	}
}

// index is the cell of a pair of intervals, −1 where one is too long.
func (j joint) index(x, y float64) int {
	a, b := j.slack.Floor(x, j.cell), j.slack.Floor(y, j.cell)
	if a >= float64(j.n) || b >= float64(j.n) {
		return -1
	}
	return int(a)*j.n + int(b)
}

func (j joint) at(x, y float64) float64 {
	if k := j.index(x, y); k >= 0 {
		return j.values[k]
	}
	return 0
}
