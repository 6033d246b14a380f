package distance

import "synfire/spike"

// SPIKE is the SPIKE-distance with corrected edges (Kreuz et al. 2013), or its
// rate-independent form and the adaptive ones (Satuvuori et al. 2017). With t_P ≤ t
// < t_F the spikes of u about t, x_u their distance, and δ_u(s) the distance from s
// to the nearest spike of v,
//
//	S_u(t) = [δ_u(t_P)·(t_F − t) + δ_u(t_F)·(t − t_P)] / x_u,   x̄ = (x_u + x_v)/2
//	SPIKE     S(t) = (S_u·x_v + S_v·x_u) / (2·x̄·max(x̄, m))
//	RI-SPIKE  S(t) = (S_u + S_v) / (2·max(x̄, m))
//
// with m = MRTS, and D = (1/T)·∫ S dt. Before the first and after the last spike x_u
// is that of ISI: auxiliary spikes stand where these intervals begin and end, the
// other train's δ sees them, and their own δ is that of the neighbour. An empty
// train counts as spikes on both edges of the window, and so does one whose only spike is
// on the start, as in PySpike; a spike on the end alone does not.
//
// D is in [0, 1] and no metric: the triangle inequality fails.
type SPIKE struct {
	// MRTS is the minimum relevant time scale, in the unit of the trains: smaller
	// differences count less. 0 is the plain form; AutoMRTS estimates one.
	MRTS float64
	// RateIndependent drops the weighting by the intervals (RI-SPIKE).
	RateIndependent bool
}

// Name is "spike" or "ri-spike", with "a-" before it where there is a threshold.
func (m SPIKE) Name() string {
	if m.RateIndependent {
		return adaptive(m.MRTS) + "ri-spike"
	}
	return adaptive(m.MRTS) + "spike"
}

// Distance is D, in [0, 1].
func (m SPIKE) Distance(a, b spike.Train) (float64, error) { return distanceOf(m, a, b) }

// Profile is S(t), of linear pieces.
func (m SPIKE) Profile(a, b spike.Train) (Profile, error) { return profileOf(m, a, b) }

func (m SPIKE) check() error { return nonnegative("MRTS", m.MRTS) }

// segment is the time between two edges.
type segment struct{ from, to, inverse float64 } // inverse is 1/(to − from)

func (SPIKE) prepare(t *train) {
	t.extend()
	t.segments = t.segments[:0]
	for i, to := range t.edges[1:] {
		from := t.edges[i]
		t.segments = append(t.segments, segment{from, to, 1 / (to - from)})
	}
}

// weights are those of S_u and S_v in S, for the intervals x_u and x_v.
func (m SPIKE) weights(x, y float64) (u, v float64) {
	sum := x + y
	mean := 0.5 * sum
	if mean < m.MRTS {
		mean = m.MRTS
	}
	if m.RateIndependent {
		r := 0.5 / mean
		return r, r
	}
	r := 1 / (sum * mean)
	return y * r, x * r
}

// pair adds up the pieces that the merge found.
func (m SPIKE) pair(w *workspace, a, b *train) tally {
	w.nearest(a, b)
	du, dv := w.deltas[0], w.deltas[1]
	from, sum := a.Start, 0.0
	for n, i := range w.steps {
		u, v := &a.segments[i], &b.segments[n-i]
		to := min(u.to, v.to)
		if to > a.Stop {
			to = a.Stop
		}
		wu, wv := m.weights(u.to-u.from, v.to-v.from)
		mid := 0.5 * (from + to)
		x, y := du[i:i+2:len(du)], dv[n-i:n-i+2:len(dv)]
		su := x[0] + (x[1]-x[0])*((mid-u.from)*u.inverse)
		sv := y[0] + (y[1]-y[0])*((mid-v.from)*v.inverse)
		sum += (wu*su + wv*sv) * (to - from)
		from = to
	}
	return tally{sum, a.Stop - a.Start}
}

// nearest merges two trains. It fills in deltas with δ at the edges of both, and
// steps with the segment of a in each piece; that of b is the rest of the steps so
// far. When the merge gets to a spike, its neighbours in the other train are at hand.
//
// Which train is next is a matter of chance, which no processor foretells: it is
// added to an index, in place of a branch, and sends what is not meant to the first
// element, which is filled in last. Each step waits for the one before, so there
// are two merges at once, from the start and from the end, which meet in the middle
// (or go one step further, to the same values).
func (w *workspace) nearest(a, b *train) {
	u, v, last := a.segments, b.segments, len(a.segments)+len(b.segments)-2
	w.deltas[0], w.deltas[1], w.steps = sized(w.deltas[0], len(u)+1), sized(w.deltas[1], len(v)+1), sized(w.steps, last+1)
	du, dv := w.deltas[0], w.deltas[1]
	i, k := 0, len(u)-1
	for n := range (last + 1) / 2 {
		s, t := &u[i], &v[n-i]
		w.steps[n] = i
		next := 0 // 1 where a is
		if s.to <= t.to {
			next = 1
		}
		du[(i+1)&-next] = min(s.to-t.from, t.to-s.to)
		dv[(n-i+1)&(next-1)] = min(t.to-s.from, s.to-t.to)
		i += next

		m := last - n
		s, t = &u[k], &v[m-k]
		w.steps[m] = k
		next = 0
		if s.from > t.from {
			next = 1
		}
		du[k&-next] = min(s.from-t.from, t.to-s.from)
		dv[(m-k)&(next-1)] = min(t.from-s.from, s.to-t.from)
		k -= next
	}
	w.steps[(last+1)/2] = i
	s, t := u[0], v[0]
	du[0], dv[0] = min(a.Start-t.from, t.to-a.Start), min(a.Start-s.from, s.to-a.Start)
	s, t = u[len(u)-1], v[len(v)-1]
	du[len(u)], dv[len(v)] = min(a.Stop-t.from, t.to-a.Stop), min(a.Stop-s.from, s.to-a.Stop)
	a.settle(du)
	b.settle(dv)
}

// sized is a slice of n elements, in the memory of x if that suffices.
func sized[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}

// settle gives auxiliary spikes the δ of their neighbours.
func (t *train) settle(delta []float64) {
	n := len(delta)
	if !t.tail {
		delta[n-1] = delta[n-2]
	}
	if !t.head {
		delta[0] = delta[1]
	}
}

func (m SPIKE) profile(p *Profile, w *workspace, a, b *train) {
	w.nearest(a, b)
	p.reset(Linear, a)
	p.X = append(p.X, a.Start)
	for n, i := range w.steps {
		j := n - i
		u, v := a.segments[i], b.segments[j]
		from, to := p.X[len(p.X)-1], min(u.to, v.to, a.Stop)
		if a.slack.Same(to, from) {
			continue // both trains have a spike there
		}
		wu, wv := m.weights(u.to-u.from, v.to-v.from)
		for _, t := range [2]float64{from, to} {
			p.Y = append(p.Y, wu*u.between(w.deltas[0][i:], t)+wv*v.between(w.deltas[1][j:], t))
		}
		p.X = append(p.X, to)
	}
	p.X[len(p.X)-1] = a.Stop
}

// between is S_u at a time of the segment, with δ at its ends.
func (s segment) between(delta []float64, t float64) float64 {
	return (delta[0]*(s.to-t) + delta[1]*(t-s.from)) / (s.to - s.from)
}
