// Package distance measures how far spike trains are apart.
//
// A train u has times u_1 < … < u_N in a window [t0, t1] of length T (spike.Train).
// The measures are values with their parameters as fields:
//
//	ISI               ratio of the current interspike intervals, in [0, 1]
//	SPIKE             distance to the nearest spikes of the other train, in [0, 1]
//	Sync              share of spikes that coincide: a similarity, 1 = synchronous
//	Order             which train leads: 1 for a perfect synfire chain, −1 reversed
//	Directionality    leading spikes of the first train less its following ones
//	VictorPurpura     cost of the cheapest edit of one train into the other
//	VanRossum         distance of the trains filtered with exponentials
//
// There are four verbs: Distance is the value of two trains, Profile that value
// over time, Matrix the values of all pairs, Multi the one value of many trains
// (MatrixMulti is both).
// Pairs and Stream hand out values one after another where a matrix would not
// fit. All trains of a call are checked first, and an error names the one that is
// not as it should be.
//
// The time-resolved measures (all but the last two) do not change when time is
// shifted or scaled, MRTS and MaxTau with it, not even where spikes stand on the
// border of a window of coincidence: comparisons of times have the slack of rounding
// (spike.Slack). How ISI and SPIKE treat the edges of
// the window, and what an empty train counts as, is stated with them.
package distance

import (
	"fmt"
	"iter"
	"math"
	"slices"

	"synfire/internal/limit"
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

// Options are those of the verbs for many trains.
type Options struct {
	Threads int // 0 means one for each processor; the values do not depend on it
	// Intervals restrict the values to pieces of the window, which must not
	// overlap; none means all of it. Measures with a profile average it there,
	// after the whole window has decided what the neighbours of each time are;
	// those without (Victor–Purpura, van Rossum) see the spikes within alone, and
	// Directionality takes none.
	Intervals []Interval
	// Progress, where it is given, is told now and then how much of the work of Matrix,
	// Multi and MatrixMulti is done, by one goroutine at a time. An error from it ends the
	// verb, which returns it.
	Progress func(done, total int) error
}

// Matrix is the value of each pair of trains: row i, column j is that of trains i
// and j, and the diagonal that of a train and itself. To the last digits it is
// Distance, which may add in another order.
func Matrix(m Measure, trains []spike.Train, o Options) ([][]float64, error) {
	out, _, err := matrix("Matrix", m, trains, o)
	return out, err
}

// MatrixMulti is Matrix and Multi at the cost of the first; to the last digits the value is
// that of Multi.
func MatrixMulti(m Measure, trains []spike.Train, o Options) (values [][]float64, value float64, err error) {
	if len(trains) < 2 {
		return nil, 0, fmt.Errorf("distance.MatrixMulti: %d trains, want two at least", len(trains))
	}
	values, all, err := matrix("MatrixMulti", m, trains, o)
	return values, all.value(), err
}

// matrix is all values, and the tally of all pairs.
func matrix(verb string, m Measure, trains []spike.Train, o Options) (out [][]float64, all tally, err error) {
	s, err := newSet(verb, m, trains, o)
	if err != nil {
		return nil, all, err
	}
	defer s.close()
	if out, err = square(len(trains)); err != nil {
		return nil, all, fmt.Errorf("distance.%s of %d trains: %w", verb, len(trains), err)
	}
	sums := make([]tally, len(trains))
	sum := func(i int, row []tally) {
		for _, t := range row {
			sums[i].add(t)
		}
	}
	if w, ok := sweeperOf(s.kernel); ok && o.Intervals == nil {
		err = s.sweep(w, out, sum)
	} else {
		mirror, ordered := s.kernel.(mirrored)
		err = s.rows(func(i int, row []tally) {
			for j := i; j < len(row); j++ {
				t := row[j]
				out[i][j] = t.value()
				if ordered && j > i {
					t = mirror.mirror(t, &s.trains[i], &s.trains[j])
				}
				out[j][i] = t.value()
			}
			sum(i, row[i+1:])
		})
	}
	if err != nil {
		return nil, all, err
	}
	for _, t := range sums {
		all.add(t)
	}
	return out, all, nil
}

// square is an n × n matrix of zeros, if the machine has the memory for it.
func square(n int) ([][]float64, error) {
	if err := limit.Fits(8 * int64(n) * int64(n)); err != nil {
		return nil, err
	}
	flat, rows := make([]float64, n*n), make([][]float64, n)
	for i := range rows {
		rows[i] = flat[i*n : (i+1)*n : (i+1)*n]
	}
	return rows, nil
}

// Multi is the value of many trains: the mean over all pairs i < j, or for Sync
// and Order the sum over all pairs' coincidences divided by that of their spikes.
// For two trains it is Distance, restricted to o.Intervals.
func Multi(m Measure, trains []spike.Train, o Options) (float64, error) {
	if len(trains) < 2 {
		return 0, fmt.Errorf("distance.Multi: %d trains, want two at least", len(trains))
	}
	s, err := newSet("Multi", m, trains, o)
	if err != nil {
		return 0, err
	}
	defer s.close()
	sums := make([]tally, len(trains))
	err = s.rows(func(i int, row []tally) {
		for _, t := range row[i+1:] {
			sums[i].add(t)
		}
	})
	var all tally
	for _, t := range sums {
		all.add(t)
	}
	return all.value(), err
}

// Pairs calls visit with the value of each pair i < j in the order of rows, until
// it returns an error, which Pairs returns. No more than a row is held in memory.
func Pairs(m Measure, trains []spike.Train, o Options, visit func(i, j int, value float64) error) error {
	s, err := newSet("Pairs", m, trains, o)
	if err != nil {
		return err
	}
	defer s.close()
	row := make([]tally, len(trains))
	for i := range trains {
		if err := s.row(i, row); err != nil {
			return err
		}
		for j := i + 1; j < len(trains); j++ {
			if err := visit(i, j, row[j].value()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Stream is the values of a sequence of pairs of trains, one after another. It
// holds nothing of the pairs before, and goes on after a pair that has an error.
func Stream(m Measure, pairs iter.Seq2[spike.Train, spike.Train]) iter.Seq2[float64, error] {
	return func(yield func(float64, error) bool) {
		w := work.Get().(*workspace)
		defer work.Put(w)
		k, n := kernelOf(m), 0
		for a, b := range pairs {
			value, err := w.distance(k, a, b)
			if err != nil {
				err = fmt.Errorf("distance.Stream: pair %d: %w", n, err)
			}
			if !yield(value, err) {
				return
			}
			n++
		}
	}
}

// AutoMRTS is a threshold for the adaptive measures, estimated from trains: the
// root of the mean squared interspike interval, pooled over all of them
// (Satuvuori et al. 2017). Intervals at the edges are those that ISI sees there,
// but an edge with a spike on it has none; a train that is empty, or has spikes on
// the edges alone, counts as the window.
func AutoMRTS(trains []spike.Train) (float64, error) {
	if err := checkTrains(trains); err != nil {
		return 0, fmt.Errorf("distance.AutoMRTS: %w", err)
	}
	sum, n := 0.0, 0
	for _, t := range trains {
		for _, x := range relevant(t) {
			sum += x * x
			n++
		}
	}
	if n == 0 {
		return 0, nil
	}
	return math.Sqrt(sum / float64(n)), nil
}

// relevant is the intervals of a train that AutoMRTS counts.
func relevant(t spike.Train) []float64 {
	t = t.OnEdges()
	u := t.Times
	switch n := len(u); {
	case n == 0:
		return []float64{t.Stop - t.Start}
	case n == 1:
		return []float64{u[0] - t.Start, t.Stop - u[0]}
	case n == 2 && u[0] == t.Start && u[1] == t.Stop:
		return []float64{t.Stop - t.Start, t.Stop - t.Start}
	}
	var edges train
	edges.set(t)
	edges.extend()
	intervals := make([]float64, 0, len(edges.edges))
	for i, s := range edges.edges[1:] {
		intervals = append(intervals, s-edges.edges[i])
	}
	return slices.Clip(intervals)
}
