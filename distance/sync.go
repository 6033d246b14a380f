package distance

import (
	"errors"
	"math"

	"synfire/spike"
)

// Sync is SPIKE-synchronisation (Kreuz et al. 2015; with a threshold A-SPIKE-sync,
// Satuvuori et al. 2017): the share of spikes that coincide with one of the other
// train. It is a similarity: 1 where all do, and where both trains are empty.
//
// With P and F the gaps from a spike to its neighbours in the own train, T where
// there is none, g half of the one that faces the other spike and h half of the
// smaller one, spikes u_i and v_j coincide where they are equal or
//
//	|u_i − v_j| < min(w_i, w_j),   w = min(g, max(h, MRTS/4))
//
// so that a spike has at most one partner in another train, next to it in time. Times
// that differ by rounding alone are equal, and a difference that is w but for rounding
// is not below it (spike.Slack).
type Sync struct {
	// MRTS widens windows of coincidence that are narrower than MRTS/4, as far as
	// the facing gaps permit. 0 is the plain form; AutoMRTS estimates one.
	MRTS float64
	// MaxTau, where positive, bounds every window of coincidence.
	MaxTau float64
}

// Name is "sync", or "a-sync" with a threshold.
func (m Sync) Name() string { return adaptive(m.MRTS) + "sync" }

// Distance is the synchronisation itself, in [0, 1].
func (m Sync) Distance(a, b spike.Train) (float64, error) { return distanceOf(m, a, b) }

// Profile is, at each time of a spike, how many coincide (Y) of how many (Weight).
func (m Sync) Profile(a, b spike.Train) (Profile, error) { return profileOf(m, a, b) }

// Values is, for each spike of each train, the share of the other trains that have
// a spike coincident with it.
func (m Sync) Values(trains []spike.Train) ([][]float64, error) {
	return values(m, trains, func(float64) float64 { return 1 })
}

// Filter is the trains with those spikes alone whose value (see Values) is above a
// threshold.
func (m Sync) Filter(trains []spike.Train, threshold float64) ([]spike.Train, error) {
	all, err := m.Values(trains)
	if err != nil {
		return nil, err
	}
	out := make([]spike.Train, len(trains))
	for i, t := range trains {
		out[i] = spike.Train{Start: t.Start, Stop: t.Stop}
		for n, v := range all[i] {
			if v > threshold+equalShares {
				out[i].Times = append(out[i].Times, t.Times[n])
			}
		}
	}
	return out, nil
}

// equalShares is by how much shares of trains may differ by rounding.
const equalShares = 1e-12

// check returns an error unless the parameters can be windows.
func (m Sync) check() error {
	return errors.Join(nonnegative("MRTS", m.MRTS), nonnegative("MaxTau", m.MaxTau))
}

// prepare finds the windows of coincidence on both sides of each spike, as what the
// difference of times has to be below: less than the window by the slack, and more
// than the slack, which is what equal times may differ by.
func (m Sync) prepare(t *train) {
	u, whole := t.Times, t.Stop-t.Start
	t.ahead, t.behind = sized(t.ahead, len(u))[:0], sized(t.behind, len(u))[:0]
	limit := math.Inf(1)
	if m.MaxTau > 0 {
		limit = m.MaxTau
	}
	slack := float64(t.slack)
	above := math.Nextafter(slack, math.Inf(1))
	for i := range u {
		before, after := whole, whole
		if i > 0 {
			before = u[i] - u[i-1]
		}
		if i+1 < len(u) {
			after = u[i+1] - u[i]
		}
		least := max(0.5*min(before, after), 0.25*m.MRTS)
		t.ahead = append(t.ahead, max(min(0.5*after, least, limit)-slack, min(0.5*after, above)))
		t.behind = append(t.behind, max(min(0.5*before, least, limit)-slack, min(0.5*before, above)))
	}
}

func (m Sync) pair(_ *workspace, a, b *train) tally {
	both := 0
	coincidences(a, b, func(int, int, float64) { both += 2 })
	return tally{float64(both), float64(len(a.Times) + len(b.Times))}
}

// coincidences calls found with the indices of each coincident pair of spikes, in
// order of time, and with how far the second train's is behind: 0 where both are at
// one time but for rounding. Partners are neighbours in the merged order: each spike is tested against the last of the
// other train.
func coincidences(a, b *train, found func(i, j int, gap float64)) {
	u, v, e := a.Times, b.Times, a.slack
	i, j := 0, 0
	for i < len(u) || j < len(v) {
		switch {
		case j == len(v) || i < len(u) && u[i] < v[j]:
			if j > 0 && u[i]-v[j-1] < min(a.behind[i], b.ahead[j-1]) {
				found(i, j-1, unlessSame(e, v[j-1]-u[i]))
			}
			i++
		case i == len(u) || v[j] < u[i]:
			if i > 0 && v[j]-u[i-1] < min(b.behind[j], a.ahead[i-1]) {
				found(i-1, j, unlessSame(e, v[j]-u[i-1]))
			}
			j++
		default:
			found(i, j, 0)
			i++
			j++
		}
	}
}

// unlessSame is a gap between two times, 0 where they are the same.
func unlessSame(e spike.Slack, gap float64) float64 {
	if e.Same(gap, 0) {
		return 0
	}
	return gap
}

func (m Sync) profile(p *Profile, _ *workspace, a, b *train) {
	discrete(p, a, b, func(p *Profile, at, partner int, _ float64) {
		p.Y[at]++
		p.Y[partner]++
	})
}

// discrete fills in times and weights of a profile, and has count add to Y where
// the spikes of a coincidence stand.
func discrete(p *Profile, a, b *train, count func(p *Profile, first, second int, gap float64)) {
	p.reset(Discrete, a)
	u, v := a.Times, b.Times
	for i, j := 0, 0; i < len(u) || j < len(v); {
		var t float64
		if j == len(v) || i < len(u) && u[i] <= v[j] {
			t, i = u[i], i+1
		} else {
			t, j = v[j], j+1
		}
		if n := len(p.X); n > 0 && a.slack.Same(t, p.X[n-1]) {
			p.Weight[n-1]++
			continue
		}
		p.X, p.Y, p.Weight = append(p.X, t), append(p.Y, 0), append(p.Weight, 1)
	}
	at := 0
	coincidences(a, b, func(i, j int, gap float64) {
		at = placeOf(p.X, at, min(u[i], v[j]))
		count(p, at, placeOf(p.X, at, max(u[i], v[j])), gap)
	})
}

// placeOf is the last index, from one on, of a time that is not after t: where a
// discrete profile, whose times stand for those that are the same, has t.
func placeOf(x []float64, from int, t float64) int {
	for from+1 < len(x) && x[from+1] <= t {
		from++
	}
	return from
}

// values is, for each spike of each train, the mean over the other trains of what
// weigh says of how far a coincident spike there is behind it; 0 if there is none.
func values(windows Sync, trains []spike.Train, weigh func(gap float64) float64) ([][]float64, error) {
	s, err := newSet("Values", windows, trains, Options{Threads: 1})
	if err != nil {
		return nil, err
	}
	defer s.close()
	out := make([][]float64, len(trains))
	for i, t := range trains {
		out[i] = make([]float64, len(t.Times))
	}
	others := float64(max(len(trains)-1, 1))
	for a := range trains {
		for b := a + 1; b < len(trains); b++ {
			coincidences(&s.trains[a], &s.trains[b], func(i, j int, gap float64) {
				out[a][i] += weigh(gap)
				out[b][j] += weigh(-gap)
			})
		}
	}
	for _, v := range out {
		for i := range v {
			v[i] /= others
		}
	}
	return out, nil
}
