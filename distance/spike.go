package distance

import "synfire/spike"

// SPIKE is the SPIKE-distance (Kreuz et al. 2013), or its rate-independent form
// and the adaptive ones (Satuvuori et al. 2017). It is a distance in [0, 1] and
// not a metric: the triangle inequality fails.
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
func (m SPIKE) Distance(a, b spike.Train) (float64, error) { return 0, errNotYet }

// Profile is S(t), of linear pieces.
func (m SPIKE) Profile(a, b spike.Train) (Profile, error) { return Profile{}, errNotYet }
