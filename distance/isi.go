package distance

import (
	"math"

	"synfire/spike"
)

// ISI is the ISI-distance (Kreuz et al. 2007; with m > 0 the adaptive A-ISI of
// Satuvuori et al. 2017): with x_u(t) the interspike interval of train u at time
// t, and m = MRTS,
//
//	I(t) = |x_u − x_v| / max(x_u, x_v, m),   D = (1/T)·∫ I dt
//
// Before the first spike x_u is max(u_1 − t0, u_2 − u_1), after the last
// max(t1 − u_N, u_N − u_{N−1}), for a single spike u_1 − t0 and t1 − u_1; an empty
// train counts as spikes on both edges of the window. D = 0 does not mean equal
// spikes: equal intervals suffice. The triangle inequality holds.
type ISI struct {
	// MRTS is the minimum relevant time scale, in the unit of the trains: smaller
	// differences count less. 0 is the plain form; AutoMRTS estimates one.
	MRTS float64
}

// Name is "isi", or "a-isi" with a threshold.
func (m ISI) Name() string { return adaptive(m.MRTS) + "isi" }

// Distance is D, in [0, 1].
func (m ISI) Distance(a, b spike.Train) (float64, error) { return distanceOf(m, a, b) }

// Profile is I(t), of constant pieces.
func (m ISI) Profile(a, b spike.Train) (Profile, error) { return profileOf(m, a, b) }

func adaptive(mrts float64) string {
	if mrts != 0 {
		return "a-"
	}
	return ""
}

func (m ISI) check() error { return nonnegative("MRTS", m.MRTS) }

func (ISI) prepare(t *train) { t.extend() }

// extend finds the edges: the times between which intervals and distances to
// spikes are known, from the start of the window or before to its end or after.
func (t *train) extend() {
	u, n := t.Times, len(t.Times)
	t.edges = t.edges[:0]
	if n == 0 {
		t.edges, t.head, t.tail = append(t.edges, t.Start, t.Stop), true, true
		return
	}
	before, behind := t.Start, t.Stop
	if n > 1 {
		before, behind = min(before, 2*u[0]-u[1]), max(behind, 2*u[n-1]-u[n-2])
	}
	if u[0] > t.Start {
		t.edges = append(t.edges, before)
	}
	t.edges = append(t.edges, u...)
	if u[n-1] < t.Stop {
		t.edges = append(t.edges, behind)
	}
	t.head, t.tail = u[0] == t.Start, u[n-1] == t.Stop || n == 1 && u[0] == t.Start
}

// at is I for two intervals.
func (m ISI) at(x, y float64) float64 { return math.Abs(x-y) / max(x, y, m.MRTS) }

// pair walks the pieces of both trains together.
func (m ISI) pair(_ *workspace, a, b *train) tally {
	u, v := a.edges, b.edges
	i, j, t, sum := 0, 0, a.Start, 0.0
	for t < a.Stop {
		end := min(u[i+1], v[j+1], a.Stop)
		sum += m.at(u[i+1]-u[i], v[j+1]-v[j]) * (end - t)
		i, j = step(u, i, end), step(v, j, end)
		t = end
	}
	return tally{sum, a.Stop - a.Start}
}

// step is the piece of edges that follows where piece i ends at end.
func step(edges []float64, i int, end float64) int {
	if edges[i+1] == end {
		i++
	}
	return i
}

func (m ISI) profile(p *Profile, _ *workspace, a, b *train) {
	u, v := a.edges, b.edges
	i, j, t := 0, 0, a.Start
	p.reset(Constant, a)
	p.X = append(p.X, t)
	for t < a.Stop {
		t = min(u[i+1], v[j+1], a.Stop)
		if !a.slack.Same(t, p.X[len(p.X)-1]) {
			p.X, p.Y = append(p.X, t), append(p.Y, m.at(u[i+1]-u[i], v[j+1]-v[j]))
		}
		i, j = step(u, i, t), step(v, j, t)
	}
	p.X[len(p.X)-1] = a.Stop
}
