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
// those on the edges of the window.
func (p Profile) Mean(intervals ...Interval) float64 { return p.tally(intervals).value() }

func (p *Profile) tally(intervals []Interval) tally {
	var t tally
	switch {
	case p.Kind == Discrete && len(intervals) == 0:
		for i, y := range p.Y {
			t.add(tally{y, p.Weight[i]})
		}
	case len(intervals) == 0:
		t = p.integral(Interval{p.X[0], p.X[len(p.X)-1]})
	case p.Kind == Discrete:
		for _, v := range intervals {
			for i := after(p.X, v.From); i < len(p.X) && p.X[i] < v.To; i++ {
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
	n := len(p.X)
	if n == 0 || !(t >= p.X[0] && t <= p.X[n-1]) {
		return math.NaN()
	}
	i := sort.SearchFloat64s(p.X, t)
	switch border := p.X[i] == t; {
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

// reset empties the profile and keeps its memory.
func (p *Profile) reset(k Kind) { p.Kind, p.X, p.Y, p.Weight = k, p.X[:0], p.Y[:0], p.Weight[:0] }

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

// union is the edges of the window and the times of all trains, each once.
func union(trains []spike.Train) []float64 {
	x := []float64{trains[0].Start, trains[0].Stop}
	for _, t := range trains {
		x = append(x, t.Times...)
	}
	slices.Sort(x)
	return slices.Compact(x)
}

// sumPieces is the mean of all pairs' profiles. Workers share out the pieces, and
// each adds up the pairs in order.
func (s *set) sumPieces(k profiled, x []float64, kind Kind) Profile {
	per := map[Kind]int{Constant: 1, Linear: 2}[kind]
	n, pieces := len(s.trains), len(x)-1
	sum := Profile{Kind: kind, X: x, Y: make([]float64, per*pieces)}
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
	at := max(after(q.X, p.X[lo])-1, 0)
	for i := lo; i < hi; i++ {
		for q.X[at+1] <= p.X[i] {
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
	sum := Profile{Kind: Discrete, X: x, Y: make([]float64, len(x)), Weight: make([]float64, len(x))}
	w := &s.work[0]
	for i := range s.trains {
		for j := i + 1; j < len(s.trains); j++ {
			k.profile(&w.p, w, &s.trains[i], &s.trains[j])
			at := 0
			for n, t := range w.p.X {
				for x[at] < t {
					at++
				}
				sum.Y[at] += w.p.Y[n]
				sum.Weight[at] += w.p.Weight[n]
			}
		}
	}
	return sum.compact()
}

// compact drops the times without spikes: the edges of the window.
func (p Profile) compact() Profile {
	out := Profile{Kind: p.Kind}
	for i, w := range p.Weight {
		if w > 0 {
			out.X, out.Y, out.Weight = append(out.X, p.X[i]), append(out.Y, p.Y[i]), append(out.Weight, w)
		}
	}
	return out
}
