package distance

import (
	"fmt"

	"synfire/spike"
)

// Order is Spike Train Order (Kreuz et al. 2017): 1 where each spike of the first
// train leads a coincident one of the second, −1 where it follows, 0 where both
// balance. Multi is the synfire indicator F of the trains in the order given,
//
//	F = 2·Σ_{n<m} D_nm / ((N−1)·M)
//
// with D that of Directionality, N trains and M spikes in all: 1 for a perfect
// synfire chain alone. The windows of coincidence are those of Sync.
type Order struct {
	MRTS, MaxTau float64 // as in Sync
}

// Name is "order", or "a-order" with a threshold.
func (m Order) Name() string { return adaptive(m.MRTS) + "order" }

// Distance is 2·D/(N+M), in [−1, 1]; it changes its sign with the order of the
// trains. Where both are empty it is 1.
func (m Order) Distance(a, b spike.Train) (float64, error) { return distanceOf(m.Name(), m, a, b) }

// Profile is, at each time of a spike, the sum of +1 where the first train leads in
// a coincidence, −1 where it follows, and 0; Weight counts the spikes.
func (m Order) Profile(a, b spike.Train) (Profile, error) { return profileOf(m.Name(), m, a, b) }

func (m Order) check() error     { return Sync(m).check() }
func (m Order) prepare(t *train) { Sync(m).prepare(t) }

func (m Order) pair(_ *workspace, a, b *train) tally {
	return tally{2 * leads(a, b), float64(len(a.Times) + len(b.Times))}
}

func (Order) mirror(t tally, _, _ *train) tally { return tally{0 - t.sum, t.weight} }

func (m Order) profile(p *Profile, _ *workspace, a, b *train) {
	discrete(p, a, b, func(p *Profile, first, second int, gap float64) {
		p.Y[first] += sign(gap)
		p.Y[second] += sign(gap)
	})
}

// leads is D.
func leads(a, b *train) float64 {
	d := 0.0
	coincidences(a, b, func(_, _ int, gap float64) { d += sign(gap) })
	return d
}

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// Directionality counts who leads (Kreuz et al. 2017): D is the number of
// coincidences in which the first train's spike comes first, less those in which it
// comes second. The windows of coincidence are those of Sync. Multi is the mean of
// D over all pairs i < j, or the sum divided by that of N.
type Directionality struct {
	MRTS, MaxTau float64 // as in Sync
	// Normalized divides by N, the number of the first train's spikes; the values of
	// (a, b) and (b, a) then differ by more than their sign.
	Normalized bool
}

// Name is "directionality", or "a-directionality" with a threshold.
func (m Directionality) Name() string { return adaptive(m.MRTS) + "directionality" }

// Distance is D, or D/N, of the first train towards the second; 0 where the first is
// empty.
func (m Directionality) Distance(a, b spike.Train) (float64, error) {
	return distanceOf(m.Name(), m, a, b)
}

// Values is, for each spike of each train, the mean over the other trains of +1
// where it leads a coincident spike, −1 where it follows, and 0.
func (m Directionality) Values(trains []spike.Train) ([][]float64, error) {
	return values(m.windows(), trains, sign)
}

func (m Directionality) windows() Sync    { return Sync{MRTS: m.MRTS, MaxTau: m.MaxTau} }
func (m Directionality) check() error     { return m.windows().check() }
func (m Directionality) prepare(t *train) { m.windows().prepare(t) }

func (m Directionality) pair(_ *workspace, a, b *train) tally {
	return tally{leads(a, b), m.weight(a)}
}

func (m Directionality) mirror(t tally, _, b *train) tally { return tally{0 - t.sum, m.weight(b)} }

func (m Directionality) weight(t *train) float64 {
	if m.Normalized {
		return float64(max(len(t.Times), 1))
	}
	return 1
}

// Sorting is an order of trains from leader to follower.
type Sorting struct {
	Order     []int   // indices of the trains
	Sum       float64 // of the directionality D over all pairs in this order
	Indicator float64 // F of the trains in this order
}

// Sort finds the order of the trains with the largest synfire indicator F: exactly
// up to 15 trains, and beyond by simulated annealing, which the seed decides.
func (m Order) Sort(trains []spike.Train, seed uint64) (Sorting, error) {
	if len(trains) < 2 {
		return Sorting{}, fmt.Errorf("distance: sort by %s: %d trains, want two at least", m.Name(), len(trains))
	}
	d, err := Matrix(Directionality{MRTS: m.MRTS, MaxTau: m.MaxTau}, trains, Options{})
	if err != nil {
		return Sorting{}, err
	}
	s := Sorting{Order: sortBy(d, seed), Indicator: 1}
	spikes := 0
	for i, a := range s.Order {
		spikes += len(trains[a].Times)
		for _, b := range s.Order[i+1:] {
			s.Sum += d[a][b]
		}
	}
	if spikes > 0 {
		s.Indicator = 2 * s.Sum / (float64(len(trains)-1) * float64(spikes))
	}
	return s, nil
}
