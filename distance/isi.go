package distance

import "synfire/spike"

// ISI is the ISI-distance: with x_u(t) the interspike interval of train u at time
// t, and m = MRTS,
//
//	I(t) = |x_u − x_v| / max(x_u, x_v, m),   D = (1/T)·∫ I dt
//
// (Kreuz et al. 2007; with m > 0 the adaptive A-ISI of Satuvuori et al. 2017). An
// empty train counts as spikes on both edges of the window. 0 does not mean equal
// spikes: equal intervals suffice. It satisfies the triangle inequality.
type ISI struct {
	// MRTS is the minimum relevant time scale, in the unit of the trains: smaller
	// differences count less. 0 is the plain form; AutoMRTS estimates one.
	MRTS float64
}

// Name is "isi", or "a-isi" with a threshold.
func (m ISI) Name() string { return adaptive(m.MRTS) + "isi" }

// Distance is D, in [0, 1].
func (m ISI) Distance(a, b spike.Train) (float64, error) { return 0, errNotYet }

// Profile is I(t), of constant pieces.
func (m ISI) Profile(a, b spike.Train) (Profile, error) { return Profile{}, errNotYet }

func adaptive(mrts float64) string {
	if mrts != 0 {
		return "a-"
	}
	return ""
}
