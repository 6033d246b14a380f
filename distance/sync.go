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
// so that a spike has at most one partner in another train, next to it in time.
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
func (m Sync) Distance(a, b spike.Train) (float64, error) { return distanceOf(m.Name(), m, a, b) }

// Profile is, at each time of a spike, how many coincide (Y) of how many (Weight).
func (m Sync) Profile(a, b spike.Train) (Profile, error) { return profileOf(m.Name(), m, a, b) }

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
			if v > threshold {
				out[i].Times = append(out[i].Times, t.Times[n])
			}
		}
	}
	return out, nil
}

// check returns an error unless the parameters can be windows.
func (m Sync) check() error {
	return errors.Join(nonnegative("MRTS", m.MRTS), nonnegative("MaxTau", m.MaxTau))
}

// prepare finds the windows of coincidence on both sides of each spike.
func (m Sync) prepare(t *train) {
	u, whole := t.Times, t.Stop-t.Start
	t.ahead, t.behind = t.ahead[:0], t.behind[:0]
	limit := math.Inf(1)
	if m.MaxTau > 0 {
		limit = m.MaxTau
	}
	for i := range u {
		before, after := whole, whole
		if i > 0 {
			before = u[i] - u[i-1]
		}
		if i+1 < len(u) {
			after = u[i+1] - u[i]
		}
		least := max(0.5*min(before, after), 0.25*m.MRTS)
		t.ahead = append(t.ahead, min(0.5*after, least, limit))
		t.behind = append(t.behind, min(0.5*before, least, limit))
	}
}

func (m Sync) pair(_ *workspace, a, b *train) tally {
	both := 0
	coincidences(a, b, func(int, int, float64) { both += 2 })
	return tally{float64(both), float64(len(a.Times) + len(b.Times))}
}

// coincidences calls found with the indices of each coincident pair of spikes, in
// order of time, and with how far the second train's is behind. Partners are
// neighbours in the merged order: each spike is tested against the last of the
// other train.
func coincidences(a, b *train, found func(i, j int, gap float64)) {
	u, v := a.Times, b.Times
	i, j := 0, 0
	for i < len(u) || j < len(v) {
		switch {
		case j == len(v) || i < len(u) && u[i] < v[j]:
			if j > 0 && u[i]-v[j-1] < min(a.behind[i], b.ahead[j-1]) {
				found(i, j-1, v[j-1]-u[i])
			}
			i++
		case i == len(u) || v[j] < u[i]:
			if i > 0 && v[j]-u[i-1] < min(b.behind[j], a.ahead[i-1]) {
				found(i-1, j, v[j]-u[i-1])
			}
			j++
		default:
			found(i, j, 0)
			i++
			j++
		}
	}
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
	p.reset(Discrete)
	u, v := a.Times, b.Times
	for i, j := 0, 0; i < len(u) || j < len(v); {
		fromU := j == len(v) || i < len(u) && u[i] <= v[j]
		fromV := i == len(u) || j < len(v) && v[j] <= u[i]
		weight := 0.0
		if fromU {
			p.X = append(p.X, u[i])
			i, weight = i+1, weight+1
		}
		if fromV {
			if !fromU {
				p.X = append(p.X, v[j])
			}
			j, weight = j+1, weight+1
		}
		p.Y, p.Weight = append(p.Y, 0), append(p.Weight, weight)
	}
	at := 0
	coincidences(a, b, func(i, j int, gap float64) {
		for p.X[at] < min(u[i], v[j]) {
			at++
		}
		second := at
		for p.X[second] < max(u[i], v[j]) {
			second++
		}
		count(p, at, second, gap)
	})
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
