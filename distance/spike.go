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

func (SPIKE) prepare(t *train) {
	t.extend()
	t.inverse = t.inverse[:0]
	for i, s := range t.edges[1:] {
		t.inverse = append(t.inverse, 1/(s-t.edges[i]))
	}
}

// weights are those of S_u and S_v in S, for the intervals x_u and x_v.
func (m SPIKE) weights(x, y float64) (u, v float64) {
	if m.RateIndependent {
		r := 0.5 / max(0.5*(x+y), m.MRTS)
		return r, r
	}
	r := 1 / ((x + y) * max(0.5*(x+y), m.MRTS))
	return y * r, x * r
}

// pair adds up the integral piece by piece. On the segment of u from P to F
//
//	∫ w·S_u dt = δ(P)·∫ w dt + (δ(F) − δ(P))/x_u · ∫ w·(t − P) dt
//
// with weights w that are constant on a piece; δ(F) is known when the sweep gets
// to F, for then the neighbours of F in v are at hand. Until then the two integrals
// of a segment are kept, aw of w and at of w·(t − P) for a, and those of b.
func (m SPIKE) pair(_ *workspace, a, b *train) tally {
	u, v, iu, iv := a.edges, b.edges, a.inverse, b.inverse
	pu, fu, pv, fv := u[0], u[1], v[0], v[1]
	i, j, from, sum := 0, 0, a.Start, 0.0
	var aw, at, bw, bt float64
	da, db := a.first(b), b.first(a)
	for {
		to := min(fu, fv, a.Stop)
		wu, wv := m.weights(fu-pu, fv-pv)
		mid := 0.5 * (from + to)
		wu, wv = wu*(to-from), wv*(to-from)
		aw, at = aw+wu, at+wu*(mid-pu)
		bw, bt = bw+wv, bt+wv*(mid-pv)
		if to == a.Stop {
			break
		}
		from = to
		if fu <= fv {
			d := min(to-pv, fv-to)
			if da < 0 {
				da = d
			}
			sum += da*aw + (d-da)*iu[i]*at
			i++
			da, pu, fu, aw, at = d, fu, u[i+1], 0, 0
		} else {
			d := min(to-pu, fu-to)
			if db < 0 {
				db = d
			}
			sum += db*bw + (d-db)*iv[j]*bt
			j++
			db, pv, fv, bw, bt = d, fv, v[j+1], 0, 0
		}
	}
	ea, eb := da, db // δ at the ends
	if a.tail {
		ea = min(a.Stop-pv, fv-a.Stop)
	}
	if b.tail {
		eb = min(a.Stop-pu, fu-a.Stop)
	}
	if da < 0 {
		da = ea
	}
	if db < 0 {
		db = eb
	}
	sum += da*aw + (ea-da)*iu[i]*at + db*bw + (eb-db)*iv[j]*bt
	return tally{sum, a.Stop - a.Start}
}

// first is δ at the first edge, or −1 where it is that at the second.
func (t *train) first(other *train) float64 {
	if !t.head {
		return -1
	}
	return min(t.Start-other.edges[0], other.edges[1]-t.Start)
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
