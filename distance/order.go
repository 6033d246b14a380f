package distance

import "synfire/spike"

// Order is Spike Train Order (Kreuz et al. 2017): 1 where each spike of the first
// train leads a coincident one of the second, −1 where it follows, 0 where both
// balance. Multi is the synfire indicator F of the trains in the order given. The
// windows of coincidence are those of Sync with the same fields.
type Order struct {
	MRTS, MaxTau float64
}

// Name is "order", or "a-order" with a threshold.
func (m Order) Name() string { return adaptive(m.MRTS) + "order" }

// Distance is 2D/(N+M), in [−1, 1], D as Directionality counts; it changes sign
// with the order of the trains, unless both are empty: then it is 1.
func (m Order) Distance(a, b spike.Train) (float64, error) { return 0, errNotYet }

// Profile is, at each time of a spike, +1 where the first train leads, −1 where
// it follows, and 0.
func (m Order) Profile(a, b spike.Train) (Profile, error) { return Profile{}, errNotYet }

// Sorting is an order of trains from leader to follower.
type Sorting struct {
	Order     []int   // the trains' indices
	Sum       float64 // of the directionality D over pairs in this order
	Indicator float64 // F of the trains in this order
}

// Sort finds the order of the trains with the largest indicator F: exactly up to
// 15 trains, else by simulated annealing that the seed decides.
func (m Order) Sort(trains []spike.Train, seed uint64) (Sorting, error) {
	return Sorting{}, errNotYet
}

// Directionality counts who leads: D is the number of coincidences in which the
// first train's spike comes first less those in which it comes second. The
// windows of coincidence are those of Sync with the same fields.
type Directionality struct {
	MRTS, MaxTau float64
	// Normalized divides by the number of the first train's spikes; the values of
	// (a, b) and (b, a) then differ by more than their sign.
	Normalized bool
}

// Name is "directionality", or "a-directionality" with a threshold.
func (m Directionality) Name() string { return adaptive(m.MRTS) + "directionality" }

// Distance is D, or D/N, of the first train towards the second.
func (m Directionality) Distance(a, b spike.Train) (float64, error) { return 0, errNotYet }

// Values is, for each spike of each train, the mean over the other trains of +1
// where it leads, −1 where it follows, and 0.
func (m Directionality) Values(trains []spike.Train) ([][]float64, error) { return nil, errNotYet }
