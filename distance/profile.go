package distance

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"synfire/spike"
)

// Kind is the form of a profile between its times.
type Kind string

// The kinds of profiles.
const (
	Constant Kind = "constant" // pieces of one value: ISI
	Linear   Kind = "linear"   // pieces that are linear, with jumps between them: SPIKE
	Discrete Kind = "discrete" // values at times: Sync, Order
)

// Profile is a value over time.
type Profile struct {
	Kind Kind
	// Start and Stop are the window.
	Start, Stop float64
	// X is the borders of the pieces, one more than there are pieces, the first and
	// last those of the window; for a discrete profile the times of all spikes.
	X []float64
	// Y is the values: of a constant profile one a piece; of a linear one two a
	// piece, at its left and at its right end; of a discrete one the sum at a time.
	Y []float64
	// Weight is, for a discrete profile alone, the number of values in each sum of
	// Y: the spikes at that time, summed over the pairs.
	Weight []float64
}

// Interval is a piece [From, To] of the window.
type Interval struct{ From, To float64 }

// Mean is the profile's average over the intervals together, none meaning all of
// the window. Of a discrete profile the times strictly inside the intervals count,
// and the mean is 1 where there is none; without intervals all times count, also
// those on the edges of the window. Intervals that are empty, reversed, not within
// the window, or overlap, are an error.
func (p Profile) Mean(intervals ...Interval) (float64, error) {
	intervals = slices.Clone(intervals)
	if err := checkIntervals(intervals, p.Start, p.Stop); err != nil {
		return 0, fmt.Errorf("distance: mean of a profile: %w", err)
	}
	return p.tally(intervals).value(), nil
}

// tally takes intervals that were checked.
func (p *Profile) tally(intervals []Interval) tally {
	var t tally
	switch {
	case p.Kind == Discrete && len(intervals) == 0:
		for i, y := range p.Y {
			t.add(tally{y, p.Weight[i]})
		}
	case len(intervals) == 0:
		t = p.integral(Interval{p.Start, p.Stop})
	case p.Kind == Discrete:
		e := p.slack()
		for _, v := range intervals {
			for i := after(p.X, v.From+float64(e)); i < len(p.X) && e.Before(p.X[i], v.To); i++ {
				t.add(tally{p.Y[i], p.Weight[i]})
			}
		}
	default:
		for _, v := range intervals {
			t.add(p.integral(v))
		}
	}
	return t
}

// integral is that over a piece of the window, and the length of it.
func (p *Profile) integral(v Interval) tally {
	t := tally{weight: v.To - v.From}
	for i := max(after(p.X, v.From)-1, 0); i < len(p.X)-1 && p.X[i] < v.To; i++ {
		a, b := max(p.X[i], v.From), min(p.X[i+1], v.To)
		t.sum += p.on(i, 0.5*(a+b)) * (b - a)
	}
	return t
}

// on is the value at a time on piece i.
func (p *Profile) on(i int, t float64) float64 {
	if p.Kind == Constant {
		return p.Y[i]
	}
	left, right := p.Y[2*i], p.Y[2*i+1]
	return left + (right-left)*(t-p.X[i])/(p.X[i+1]-p.X[i])
}

// At is the value at a time: at a border that of both limits' mean, and of a
// discrete profile Y/Weight, or NaN where it has no spike. It is NaN outside.
func (p Profile) At(t float64) float64 {
	n, e := len(p.X), p.slack()
	if n == 0 || !(t >= p.Start-float64(e) && t <= p.Stop+float64(e)) {
		return math.NaN()
	}
	i := after(p.X, t-float64(e)) // the border that is the same, or the next one
	if i == n {
		i--
	}
	switch border := e.Same(p.X[i], t); {
	case p.Kind == Discrete && border:
		return p.Y[i] / p.Weight[i]
	case p.Kind == Discrete:
		return math.NaN()
	case i == 0:
		return p.on(0, t)
	case border && i < n-1:
		return 0.5 * (p.on(i-1, t) + p.on(i, t))
	}
	return p.on(i-1, t)
}

func (p *Profile) slack() spike.Slack { return spike.SlackOf(p.Start, p.Stop) }

// reset empties the profile for a window and keeps its memory.
func (p *Profile) reset(k Kind, t *train) {
	*p = Profile{k, t.Start, t.Stop, p.X[:0], p.Y[:0], p.Weight[:0]}
}

// after is the index of the first of ascending values that is above v.
func after(x []float64, v float64) int {
	return sort.Search(len(x), func(i int) bool { return x[i] > v })
}

// MultiProfile is the profile of many trains: the mean over all pairs i < j, or
// for Sync and Order the sum, with that of the weights. It takes no intervals:
// those go to Mean.
func MultiProfile(m Profiler, trains []spike.Train, o Options) (Profile, error) {
	k, ok := m.(profiled)
	switch {
	case !ok:
		return Profile{}, fmt.Errorf("distance.MultiProfile: no profiles of %s, which is not of this package; add them up", m.Name())
	case o.Intervals != nil:
		return Profile{}, fmt.Errorf("distance.MultiProfile of %s: intervals; give them to the Mean of the profile", m.Name())
	case len(trains) < 2:
		return Profile{}, fmt.Errorf("distance.MultiProfile of %s: %d trains, want two at least", m.Name(), len(trains))
	}
	s, err := newSet("MultiProfile", m, trains, o)
	if err != nil {
		return Profile{}, err
	}
	defer s.close()
	all := union(trains)
	if k.profile(&s.work[0].p, &s.work[0], &s.trains[0], &s.trains[1]); s.work[0].p.Kind == Discrete {
		return s.sumDiscrete(k, all), nil
	}
	return s.sumPieces(k, all, s.work[0].p.Kind), nil
}

// union is the edges of the window and the times of all trains, each once and as the
// first of those that are the same.
func union(trains []spike.Train) []float64 {
	x := []float64{trains[0].Start, trains[0].Stop}
	for _, t := range trains {
		x = append(x, t.Times...)
	}
	slices.Sort(x)
	e, distinct := trains[0].Slack(), x[:1]
	for _, t := range x[1:] {
		if !e.Same(t, distinct[len(distinct)-1]) {
			distinct = append(distinct, t)
		}
	}
	return distinct
}

// sumPieces is the mean of all pairs' profiles. Workers share out the pieces, and
// each adds up the pairs in order.
func (s *set) sumPieces(k profiled, x []float64, kind Kind) Profile {
	per := map[Kind]int{Constant: 1, Linear: 2}[kind]
	n, pieces := len(s.trains), len(x)-1
	first := s.trains[0]
	x[pieces] = first.Stop
	sum := Profile{Kind: kind, Start: first.Start, Stop: first.Stop, X: x, Y: make([]float64, per*pieces)}
	s.pool.For(pieces, (pieces+len(s.work)-1)/len(s.work), func(worker, lo, hi int) {
		w := &s.work[worker]
		for i := range n {
			for j := i + 1; j < n; j++ {
				k.profile(&w.p, w, &s.trains[i], &s.trains[j])
				sum.addPieces(&w.p, lo, hi)
			}
		}
		for i := per * lo; i < per*hi; i++ {
			sum.Y[i] /= float64(n * (n - 1) / 2)
		}
	})
	return sum
}

// addPieces adds q to the pieces [lo, hi), each of which lies on one of q's.
func (p *Profile) addPieces(q *Profile, lo, hi int) {
	e := p.slack()
	at := max(after(q.X, p.X[lo])-1, 0)
	for i := lo; i < hi; i++ {
		for !e.Before(p.X[i], q.X[at+1]) {
			at++
		}
		if p.Kind == Constant {
			p.Y[i] += q.Y[at]
			continue
		}
		p.Y[2*i] += q.on(at, p.X[i])
		p.Y[2*i+1] += q.on(at, p.X[i+1])
	}
}

// sumDiscrete is the sum of all pairs' profiles.
func (s *set) sumDiscrete(k profiled, x []float64) Profile {
	first := s.trains[0]
	sum := Profile{Discrete, first.Start, first.Stop, x, make([]float64, len(x)), make([]float64, len(x))}
	w := &s.work[0]
	for i := range s.trains {
		for j := i + 1; j < len(s.trains); j++ {
			k.profile(&w.p, w, &s.trains[i], &s.trains[j])
			at := 0
			for n, t := range w.p.X {
				at = placeOf(x, at, t)
				sum.Y[at] += w.p.Y[n]
				sum.Weight[at] += w.p.Weight[n]
			}
		}
	}
	return sum.compact()
}

// compact drops the times without spikes: the edges of the window.
func (p Profile) compact() Profile {
	out := Profile{Kind: p.Kind, Start: p.Start, Stop: p.Stop}
	for i, w := range p.Weight {
		if w > 0 {
			out.X, out.Y, out.Weight = append(out.X, p.X[i]), append(out.Y, p.Y[i]), append(out.Weight, w)
		}
	}
	return out
}
