package distance

import (
	"slices"

	"synfire/spike"
)

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

func (SPIKE) prepare(t *train) {
	t.extend()
	t.inverse = sized(t.inverse, len(t.edges)-1)
	for i := range t.inverse {
		t.inverse[i] = 1 / (t.edges[i+1] - t.edges[i])
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

// stretchSegments is how many segments of a train are walked at a time: what belongs to
// them, of both trains, stays in the nearest cache.
const stretchSegments = 512

// walk is a pair of trains of which a part is measured.
type walk struct {
	a, b *train
	course
	from, sum float64 // the end of that part, and D·T of it
	over      bool
	to        *tally
}

func (p *walk) tally() tally { return tally{p.sum, p.a.Stop - p.a.Start} }

func (SPIKE) begin(a, b *train) walk {
	if len(a.edges) < len(b.edges) {
		a, b = b, a // so that no stretch is long in the other train
	}
	return walk{a: a, b: b, from: a.Start}
}

// stretch adds up the pieces that the merge found.
func (m SPIKE) stretch(w *workspace, p *walk) bool {
	i, j := p.i, p.j
	u, v, inverseU, inverseV := p.a.edges[i:], p.b.edges[j:], p.a.inverse[i:], p.b.inverse[j:]
	p.course = w.nearest(p.a, p.b, p.course, stretchSegments)
	du, dv := w.deltas[0], w.deltas[1]
	from, sum, stop := p.from, p.sum, p.a.Stop
	for n, i := range w.steps {
		j := n - i
		to := min(u[i+1], v[j+1])
		if to > stop {
			to = stop
		}
		wu, wv := m.weights(u[i+1]-u[i], v[j+1]-v[j])
		mid := 0.5 * (from + to)
		x, y := du[i:i+2:len(du)], dv[j:j+2:len(dv)]
		su := x[0] + (x[1]-x[0])*((mid-u[i])*inverseU[i])
		sv := y[0] + (y[1]-y[0])*((mid-v[j])*inverseV[j])
		sum += (wu*su + wv*sv) * (to - from)
		from = to
	}
	p.from, p.sum = from, sum
	return p.i == len(p.a.inverse)
}

func (m SPIKE) pair(w *workspace, a, b *train) tally {
	p := m.begin(a, b)
	for !m.stretch(w, &p) {
	}
	return p.tally()
}

// course is how far a walk along two trains has come: the segments that come next, and δ
// at the edges where these begin.
type course struct {
	i, j   int
	du, dv float64
}

// nearest merges two trains from a course on, over the next segments of a, at most so many,
// and those of b beside them. It fills in deltas with δ at the edges of these, and steps
// with the segment of a in each piece; that of b is the rest of the steps so far. When the
// merge gets to a spike, its neighbours in the other train are at hand.
//
// Which train is next is a matter of chance, which no processor foretells: it is
// added to an index, in place of a branch, and sends what is not meant to the first
// element, which is filled in last. Each step waits for the one before, so there
// are two merges at once, from the start and from the end, which meet in the middle
// (or go one step further, to the same values).
func (w *workspace) nearest(a, b *train, c course, most int) course {
	u, v := a.edges[c.i:], b.edges[c.j:]
	p, q := len(u)-2, len(v)-2 // the last segments of the stretch
	ends := p < most
	if !ends {
		p = most - 1
		q = firstFrom(v[1:], u[p+1])
	}
	last := p + q
	w.deltas[0], w.deltas[1], w.steps = sized(w.deltas[0], p+2), sized(w.deltas[1], q+2), sized(w.steps, last+1)
	du, dv := w.deltas[0], w.deltas[1]
	i, k := 0, p
	for n := range (last + 1) / 2 {
		j := n - i
		w.steps[n] = i
		next := 0 // 1 where a is
		if u[i+1] <= v[j+1] {
			next = 1
		}
		du[(i+1)&-next] = min(u[i+1]-v[j], v[j+1]-u[i+1])
		dv[(j+1)&(next-1)] = min(v[j+1]-u[i], u[i+1]-v[j+1])
		i += next

		m := last - n
		j = m - k
		w.steps[m] = k
		next = 0
		if u[k] > v[j] {
			next = 1
		}
		du[k&-next] = min(u[k]-v[j], v[j+1]-u[k])
		dv[j&(next-1)] = min(v[j]-u[k], u[k+1]-v[j])
		k -= next
	}
	w.steps[(last+1)/2] = i
	du[0], dv[0] = c.du, c.dv
	if c.i == 0 {
		du[0], dv[0] = near(v, a.Start), near(u, a.Start)
	}
	du[p+1] = near(v[q:], min(u[p+1], a.Stop))
	if q == len(v)-2 {
		dv[q+1] = near(u[len(u)-2:], a.Stop)
	} else {
		dv[q+1] = near(u[p+firstAfter(u[p+1:], v[q+1]):], v[q+1])
	}
	// auxiliary spikes have the δ of their neighbours
	if ends && !a.tail {
		du[p+1] = du[p]
	}
	if q == len(v)-2 && !b.tail {
		dv[q+1] = dv[q]
	}
	if c.i == 0 && !a.head {
		du[0] = du[1]
	}
	if c.i == 0 && !b.head {
		dv[0] = dv[1]
	}
	return course{c.i + p + 1, c.j + q, du[p+1], dv[q]}
}

// near is the distance of a time to the nearest end of the first segment of edges.
func near(edges []float64, t float64) float64 { return min(t-edges[0], edges[1]-t) }

// firstFrom is the first of ascending times that is not before t, sought near their beginning.
func firstFrom(times []float64, t float64) int {
	far := 1
	for far < len(times) && times[far] < t {
		far *= 2
	}
	n, _ := slices.BinarySearch(times[far/2:min(far+1, len(times))], t)
	return far/2 + n
}

// firstAfter is the first that is after t, likewise.
func firstAfter(times []float64, t float64) int {
	n := firstFrom(times, t)
	if n < len(times) && times[n] == t {
		n++
	}
	return n
}

// sized is a slice of n elements, in the memory of x if that suffices.
func sized[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}

func (m SPIKE) profile(p *Profile, w *workspace, a, b *train) {
	w.nearest(a, b, course{}, len(a.edges))
	u, v := a.edges, b.edges
	p.reset(Linear, a)
	p.X = append(p.X, a.Start)
	for n, i := range w.steps {
		j := n - i
		from, to := p.X[len(p.X)-1], min(u[i+1], v[j+1], a.Stop)
		if a.slack.Same(to, from) {
			continue // both trains have a spike there
		}
		wu, wv := m.weights(u[i+1]-u[i], v[j+1]-v[j])
		for _, t := range [2]float64{from, to} {
			p.Y = append(p.Y, wu*between(u[i:], w.deltas[0][i:], t)+wv*between(v[j:], w.deltas[1][j:], t))
		}
		p.X = append(p.X, to)
	}
	p.X[len(p.X)-1] = a.Stop
}

// between is S_u at a time of the first segment of edges, with δ at its ends.
func between(edges, delta []float64, t float64) float64 {
	return (delta[0]*(edges[1]-t) + delta[1]*(t-edges[0])) / (edges[1] - edges[0])
}
