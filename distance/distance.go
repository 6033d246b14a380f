// Package distance measures how far spike trains are apart.
//
// A train u has times u_1 < … < u_N in a window [t0, t1] (spike.Train). The
// measures are values with their parameters as fields:
//
//	ISI               ratio of the current interspike intervals, in [0, 1]
//	SPIKE             distance to the nearest spikes of the other train, in [0, 1]
//	Sync              share of spikes that coincide: a similarity, 1 = synchronous
//	Order             which train leads: 1 for a perfect synfire chain, −1 reversed
//	Directionality    leading spikes of the first train less its following ones
//	VictorPurpura     cost of the cheapest edit of one train into the other
//	VanRossum         distance of the trains filtered with exponentials
//
// There are four verbs. Distance is the value of two trains, Profile that value
// over time, Matrix the values of all pairs, Multi the one value of many trains.
// Pairs and Stream hand out values one after another where a matrix would not
// fit. A train checks nothing until it is measured; errors then name it.
package distance

import (
	"errors"
	"iter"

	"synfire/spike"
)

// Measure compares two spike trains of one window.
type Measure interface {
	// Name is the measure's, as the command and its JSON spell it.
	Name() string
	// Distance is the value of two trains. An error says which train, or which
	// parameter of the measure, is not as it should be.
	Distance(a, b spike.Train) (float64, error)
}

// Profiler is a Measure that knows its value over time.
type Profiler interface {
	Measure
	// Profile is the value over time; its Mean is Distance.
	Profile(a, b spike.Train) (Profile, error)
}

// Interval is a piece [From, To] of the window.
type Interval struct{ From, To float64 }

// Options are those of the verbs for many trains.
type Options struct {
	Threads int // 0 means one for each processor; the values do not depend on it
	// Intervals restrict the values to pieces of the window, which must not
	// overlap; none means all of it. Measures with a profile average it there,
	// after the whole window has decided what the neighbours of each time are;
	// those without (Victor–Purpura, van Rossum) see the spikes within alone.
	Intervals []Interval
}

var errNotYet = errors.New("distance: not implemented yet")

// Matrix is the value of each pair of trains: row i, column j is that of trains i
// and j, and the diagonal that of a train and itself.
func Matrix(m Measure, trains []spike.Train, o Options) ([][]float64, error) {
	return nil, errNotYet
}

// Multi is the value of many trains: the mean over all pairs, or for Sync and
// Order the sum over all pairs' coincidences divided by that of their spikes. For
// two trains it is Distance, restricted to o.Intervals.
func Multi(m Measure, trains []spike.Train, o Options) (float64, error) {
	return 0, errNotYet
}

// MultiProfile is the profile of many trains: the mean over all pairs, or for
// Sync and Order the sum, with that of the multiplicities.
func MultiProfile(m Profiler, trains []spike.Train, o Options) (Profile, error) {
	return Profile{}, errNotYet
}

// Pairs calls visit with the value of each pair i < j in the order of rows, until
// it returns an error, which Pairs returns. No more than a row is held in memory.
func Pairs(m Measure, trains []spike.Train, o Options, visit func(i, j int, value float64) error) error {
	return errNotYet
}

// Stream is the values of a sequence of pairs of trains, one after another. It
// holds nothing of the pairs before.
func Stream(m Measure, pairs iter.Seq2[spike.Train, spike.Train]) iter.Seq2[float64, error] {
	return func(yield func(float64, error) bool) { yield(0, errNotYet) }
}
