package distance

import "synfire/spike"

// Sync is SPIKE-synchronisation (Kreuz et al. 2015): the share of spikes that
// coincide with one of the other train. It is a similarity: 1 where all do, and
// where both trains are empty.
type Sync struct {
	// MRTS widens windows of coincidence that are narrower than MRTS/4, as far as
	// the facing gaps permit (A-SPIKE-sync). 0 is the plain form.
	MRTS float64
	// MaxTau, where positive, bounds every window of coincidence.
	MaxTau float64
}

// Name is "sync", or "a-sync" with a threshold.
func (m Sync) Name() string { return adaptive(m.MRTS) + "sync" }

// Distance is the synchronisation itself, in [0, 1].
func (m Sync) Distance(a, b spike.Train) (float64, error) { return 0, errNotYet }

// Profile is, at each time of a spike, how many coincide of how many.
func (m Sync) Profile(a, b spike.Train) (Profile, error) { return Profile{}, errNotYet }

// Values is, for each spike of each train, the share of the other trains that have
// a spike coincident with it.
func (m Sync) Values(trains []spike.Train) ([][]float64, error) { return nil, errNotYet }

// Filter is the trains with the spikes alone whose value (see Values) is above a
// threshold.
func (m Sync) Filter(trains []spike.Train, threshold float64) ([]spike.Train, error) {
	return nil, errNotYet
}
