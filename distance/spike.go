package distance

import (
	"math"

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
// train counts as spikes on both edges of the window.
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
func (m SPIKE) Distance(a, b spike.Train) (float64, error) { return distanceOf(m.Name(), m, a, b) }

// Profile is S(t), of linear pieces.
func (m SPIKE) Profile(a, b spike.Train) (Profile, error) { return profileOf(m.Name(), m, a, b) }

func (m SPIKE) check() error { return nonnegative("MRTS", m.MRTS) }

func (SPIKE) prepare(t *train) { t.extend() }

// weights are those of S_u and S_v in S, for the intervals x_u and x_v.
func (m SPIKE) weights(x, y float64) (u, v float64) {
	if m.RateIndependent {
		r := 0.5 / max(0.5*(x+y), m.MRTS)
		return r, r
	}
	r := 1 / ((x + y) * max(0.5*(x+y), m.MRTS))
	return y * r, x * r
}

// pair adds up the integral piece by piece. S_u is linear between two spikes of u,
// and δ at the later of them, F, is known when the sweep gets there: then the
// neighbours of F in v are at hand. Until then a side keeps the weighted integrals
// of F − t and t − P.
func (m SPIKE) pair(_ *workspace, a, b *train) tally {
	u, v := newSide(a, b), newSide(b, a)
	from, sum := a.Start, 0.0
	for {
		to := min(u.next, v.next)
		if to >= a.Stop {
			break
		}
		wu, wv := m.weights(u.interval, v.interval)
		u.piece(wu, from, to)
		v.piece(wv, from, to)
		if u.next == to {
			sum += u.arrive(nearest(to, v.last, v.next))
		} else {
			sum += v.arrive(nearest(to, u.last, u.next))
		}
		from = to
	}
	wu, wv := m.weights(u.interval, v.interval)
	u.piece(wu, from, a.Stop)
	v.piece(wv, from, a.Stop)
	sum += u.finish(nearest(a.Stop, v.last, v.next)) + v.finish(nearest(a.Stop, u.last, u.next))
	return tally{sum, a.Stop - a.Start}
}

// nearest is the distance from a time to the nearer of its two neighbours.
func nearest(t, last, next float64) float64 { return min(t-last, next-t) }

// side is one train of a pair, as the sweep sees it.
type side struct {
	edges      []float64 // those to come
	last, next float64   // spikes about the sweep
	interval   float64   // between them
	delta      float64   // δ at last, negative where it is that at next
	tail       bool
	ahead      float64 // weighted integral of next − t since last
	behind     float64 // and of t − last
}

func newSide(t, other *train) side {
	s := side{edges: t.edges[2:], last: t.edges[0], next: t.edges[1], delta: -1, tail: t.tail}
	s.interval = s.next - s.last
	if t.head {
		s.delta = nearest(t.Start, other.edges[0], other.edges[1])
	}
	return s
}

// piece integrates over [from, to] with a weight.
func (s *side) piece(weight, from, to float64) {
	w, mid := weight*(to-from), 0.5*(from+to)
	s.ahead += w * (s.next - mid)
	s.behind += w * (mid - s.last)
}

// arrive is the integral since the last spike, now that δ at the next is known;
// that spike becomes the last.
func (s *side) arrive(delta float64) float64 {
	sum := s.integral(delta)
	s.delta, s.last, s.next = delta, s.next, s.edges[0]
	s.edges, s.interval, s.ahead, s.behind = s.edges[1:], s.next-s.last, 0, 0
	return sum
}

// finish is the integral since the last spike at the end of the window.
func (s *side) finish(delta float64) float64 {
	if !s.tail {
		delta = s.delta
	}
	return s.integral(delta)
}

func (s *side) integral(delta float64) float64 {
	if s.delta < 0 {
		s.delta = delta
	}
	return (s.delta*s.ahead + delta*s.behind) / s.interval
}

// profile follows the definition: first δ at all edges, then the pieces.
func (m SPIKE) profile(p *Profile, w *workspace, a, b *train) {
	du, dv := a.distances(w.deltas[0], b), b.distances(w.deltas[1], a)
	w.deltas[0], w.deltas[1] = du, dv
	u, v := a.edges, b.edges
	i, j, t := 0, 0, a.Start
	p.reset(Linear)
	p.X = append(p.X, t)
	for t < a.Stop {
		end := min(u[i+1], v[j+1], a.Stop)
		wu, wv := m.weights(u[i+1]-u[i], v[j+1]-v[j])
		for _, t := range [2]float64{t, end} {
			p.Y = append(p.Y, wu*between(u, du, i, t)+wv*between(v, dv, j, t))
		}
		p.X = append(p.X, end)
		i, j = step(u, i, end), step(v, j, end)
		t = end
	}
}

// between is S_u at a time between edges i and i+1.
func between(edges, delta []float64, i int, t float64) float64 {
	return (delta[i]*(edges[i+1]-t) + delta[i+1]*(t-edges[i])) / (edges[i+1] - edges[i])
}

// distances is δ at each edge.
func (t *train) distances(delta []float64, other *train) []float64 {
	delta, j := delta[:0], 0
	for _, s := range t.edges {
		for j+1 < len(other.edges) && math.Abs(other.edges[j+1]-s) <= math.Abs(other.edges[j]-s) {
			j++
		}
		delta = append(delta, math.Abs(other.edges[j]-s))
	}
	if !t.head {
		delta[0] = delta[1]
	}
	if n := len(delta); !t.tail {
		delta[n-1] = delta[n-2]
	}
	return delta
}
