package distance

import (
	"math"

	"synfire/internal/par"
)

// sweeper is a kernel that finds the values of all pairs in one sweep over the
// spikes of all trains in order. At a spike of train k it adds to row k, for each
// column j, what has come up between k and j since the last spike of either: as
// many steps as walking each pair, but without a branch, along vectors. Workers
// share out the columns.
type sweeper interface {
	kernel
	sweep(all []event, trains []train, out [][]float64, lo, hi int)
	// join is the tally of the pair i, j of what both rows have.
	join(trains []train, out [][]float64, i, j int) tally
}

// event is a spike of a train.
type event struct {
	time  float64
	train int
}

// sweeperOf is the kernel, if it can sweep with its parameters.
func sweeperOf(k kernel) (sweeper, bool) {
	if v, ok := k.(VanRossum); ok && (v.Tau == 0 || math.IsInf(v.Tau, 1)) {
		return nil, false
	}
	w, ok := k.(sweeper)
	return w, ok
}

// sweep fills in the matrix.
func (s *set) sweep(w sweeper, out [][]float64) {
	n, all := len(s.trains), merge(s.pool, s.trains)
	s.pool.For(n, (n+len(s.work)-1)/len(s.work), func(_, lo, hi int) { w.sweep(all, s.trains, out, lo, hi) })
	m, ordered := w.(mirrored)
	s.pool.For(n, 1, func(_, i, _ int) {
		for j := i + 1; j < n; j++ {
			t := w.join(s.trains, out, i, j)
			out[i][j] = t.value()
			if ordered {
				t = m.mirror(t, &s.trains[i], &s.trains[j])
			}
			out[j][i] = t.value()
		}
	})
	for i := range s.trains {
		out[i][i] = w.pair(&s.work[0], &s.trains[i], &s.trains[i]).value()
	}
}

// merge is the spikes of all trains in order, those of one time by train.
func merge(pool *par.Pool, trains []train) []event {
	ends := make([]int, 1, len(trains)+1) // of the sorted runs
	var all []event
	for k, t := range trains {
		for _, x := range t.Times {
			all = append(all, event{x, k})
		}
		ends = append(ends, len(all))
	}
	for next := make([]event, len(all)); len(ends) > 2; all, next = next, all {
		pool.For(len(ends)/2, 1, func(_, r, _ int) {
			lo, mid := ends[2*r], ends[2*r+1]
			mergeRuns(next[lo:ends[min(2*r+2, len(ends)-1)]], all[lo:mid], all[mid:ends[min(2*r+2, len(ends)-1)]])
		})
		left := ends[:1]
		for r := 2; r < len(ends)+1; r += 2 {
			left = append(left, ends[min(r, len(ends)-1)])
		}
		ends = left
	}
	return all
}

// mergeRuns merges two sorted runs.
func mergeRuns(dst, a, b []event) {
	i, j := 0, 0
	for n := range dst {
		if j == len(b) || i < len(a) && a[i].time <= b[j].time {
			dst[n] = a[i]
			i++
		} else {
			dst[n] = b[j]
			j++
		}
	}
}

// sweep adds I(x_k, x_j) times the length of each piece. y is 1/max(x, m), so that
// the smaller of two divides by the larger interval.
func (m ISI) sweep(all []event, trains []train, out [][]float64, lo, hi int) {
	n := len(trains)
	x, y, since, at := make([]float64, n), make([]float64, n), make([]float64, n), make([]int, n)
	enter := func(k int) {
		e := trains[k].edges[at[k]:]
		x[k] = e[1] - e[0]
		y[k] = 1 / max(x[k], m.MRTS)
	}
	for k, t := range trains {
		since[k] = t.Start
		enter(k)
	}
	for _, e := range all {
		k := e.train
		if t := &trains[k]; e.time > t.Start && e.time < t.Stop {
			isiRow(out[k][lo:hi], x[lo:hi], y[lo:hi], since[lo:hi], x[k], y[k], since[k], e.time)
			at[k]++
			since[k] = e.time
			enter(k)
		}
	}
	for k, t := range trains {
		if from := max(lo, k+1); from < hi {
			isiRow(out[k][from:hi], x[from:hi], y[from:hi], since[from:hi], x[k], y[k], since[k], t.Stop)
		}
	}
}

func isiRow(row, x, y, since []float64, xk, yk, sincek, t float64) {
	x, y, since = x[:len(row)], y[:len(row)], since[:len(row)]
	long := t - sincek
	for j := range row {
		row[j] += math.Abs(xk-x[j]) * min(yk, y[j]) * min(long, t-since[j])
	}
}

func (ISI) join(trains []train, out [][]float64, i, j int) tally {
	return tally{out[i][j] + out[j][i], trains[i].Stop - trains[i].Start}
}

// coincide counts, for each column, the spikes of a row's train that follow a
// coincident one of the column's, or come at its time if ties is set.
func coincide(all []event, trains []train, out [][]float64, lo, hi int, ties bool) {
	last, ahead, at := make([]float64, len(trains)), make([]float64, len(trains)), make([]int, len(trains))
	for k := range last {
		last[k] = math.Inf(-1)
	}
	for _, e := range all {
		k := e.train
		t := &trains[k]
		if ties {
			coincideRow(out[k][lo:hi], last[lo:hi], ahead[lo:hi], e.time, t.behind[at[k]])
		} else {
			leadRow(out[k][lo:hi], last[lo:hi], ahead[lo:hi], e.time, t.behind[at[k]], float64(t.slack))
		}
		last[k], ahead[k] = e.time, t.ahead[at[k]]
		at[k]++
	}
}

// one is the bits of 1.0.
const one = 0x3FF0000000000000

// below is 1 where v is negative, else 0, as bits to choose others by.
func below(v float64) uint64 { return uint64(int64(math.Float64bits(v)) >> 63) }

func coincideRow(row, last, ahead []float64, t, behind float64) {
	last, ahead = last[:len(row)], ahead[:len(row)]
	for j := range row {
		row[j] += math.Float64frombits(below(t-last[j]-min(behind, ahead[j])) & one)
	}
}

// leadRow leaves out spikes that are the same but for the slack.
func leadRow(row, last, ahead []float64, t, behind, slack float64) {
	last, ahead = last[:len(row)], ahead[:len(row)]
	for j := range row {
		gap := t - last[j]
		row[j] += math.Float64frombits(below(gap-min(behind, ahead[j])) & below(slack-gap) & one)
	}
}

func (Sync) sweep(all []event, trains []train, out [][]float64, lo, hi int) {
	coincide(all, trains, out, lo, hi, true)
}

func (Sync) join(trains []train, out [][]float64, i, j int) tally {
	return tally{2 * (out[i][j] + out[j][i]), float64(len(trains[i].Times) + len(trains[j].Times))}
}

func (Order) sweep(all []event, trains []train, out [][]float64, lo, hi int) {
	coincide(all, trains, out, lo, hi, false)
}

func (Order) join(trains []train, out [][]float64, i, j int) tally {
	return tally{2 * (out[j][i] - out[i][j]), float64(len(trains[i].Times) + len(trains[j].Times))}
}

func (Directionality) sweep(all []event, trains []train, out [][]float64, lo, hi int) {
	coincide(all, trains, out, lo, hi, false)
}

func (m Directionality) join(trains []train, out [][]float64, i, j int) tally {
	return tally{out[j][i] - out[i][j], m.weight(&trains[i])}
}

// blockTaus is how far, in units of τ, exponentials grow before they start again
// from 1.
const blockTaus = 32

// sweep adds, at a spike of k, the trace of each column: K(k, j) is what both rows
// have, and K(k, k) is N and twice its own. A trace at t is r·e^{−(t−t0)/τ} with r
// constant between its spikes, so that a row costs no exponentials.
func (m VanRossum) sweep(all []event, _ []train, out [][]float64, lo, hi int) {
	r, from := make([]float64, hi-lo), math.Inf(-1)
	for _, e := range all {
		if e.time-from > blockTaus*m.Tau {
			decay := math.Exp((from - e.time) / m.Tau)
			for j := range r {
				r[j] *= decay
			}
			from = e.time
		}
		fall := math.Exp((from - e.time) / m.Tau)
		traceRow(out[e.train][lo:hi], r, fall)
		if e.train >= lo && e.train < hi {
			r[e.train-lo] += 1 / fall
		}
	}
}

func traceRow(row, r []float64, fall float64) {
	r = r[:len(row)]
	for j := range row {
		row[j] += fall * r[j]
	}
}

// cancels is the share of K(u,u) + K(v,v) below which D² is taken from the
// difference of the traces: there the sum of three terms has lost its digits.
const cancels = 1e-6

func (m VanRossum) join(trains []train, out [][]float64, i, j int) tally {
	u, v := trains[i].Times, trains[j].Times
	self := float64(len(u)+len(v)) + 2*(out[i][i]+out[j][j])
	d2 := self - 2*(out[i][j]+out[j][i])
	if d2 < cancels*self {
		d2 = m.sweepPair(u, v)
	}
	return tally{m.scale(d2), 1}
}
