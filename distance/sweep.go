package distance

import (
	"math"

	"synfire/internal/par"
)

// sweeper is a kernel that finds the values of all pairs in one sweep over the
// spikes of all trains in order. At a spike of train k it adds to row k, for each
// column j, what has come up between k and j since the last spike of either: as
// many steps as walking each pair, but without a branch, along vectors. The spikes come
// in pieces of time, and the columns in strips, which workers share out: neither changes
// a bit, and memory holds no more than a piece.
type sweeper interface {
	kernel
	// mark is what a sweep wants to know of spike i of a train.
	mark(t *train, i int) (a, b float64)
	// strip is a sweep of columns [lo, hi) that stands at the start of the window.
	strip(trains []train, lo, hi int) strip
	// join is the tally of the pair i, j of what both rows have.
	join(trains []train, out [][]float64, i, j int) tally
}

// strip is a sweep of some columns.
type strip interface {
	// take goes on by a piece.
	take(piece []event, out [][]float64)
	// end adds what follows the last spikes.
	end(out [][]float64)
}

// event is a spike of a train, with its mark.
type event struct {
	time  float64
	train int
	a, b  float64
}

const (
	stripColumns = 128     // rows of so many numbers of 1,000 trains fit a cache of a megabyte
	pieceEvents  = 1 << 15 // what a piece holds, if the rate is even
)

// sweeperOf is the kernel, if it can sweep with its parameters.
func sweeperOf(k kernel) (sweeper, bool) {
	if v, ok := k.(VanRossum); ok && (v.Tau == 0 || math.IsInf(v.Tau, 1)) {
		return nil, false
	}
	w, ok := k.(sweeper)
	return w, ok
}

// sweep fills in the matrix, and calls done with the tallies of each row beyond the diagonal.
func (s *set) sweep(w sweeper, out [][]float64, done func(i int, row []tally)) error {
	n := len(s.trains)
	var strips []strip
	width := min(stripColumns, (n+len(s.work)-1)/len(s.work))
	for lo := 0; lo < n; lo += width {
		strips = append(strips, w.strip(s.trains, lo, min(lo+width, n)))
	}
	each := func(f func(strip)) { s.pool.For(len(strips), 1, func(_, i, _ int) { f(strips[i]) }) }
	err := s.pieces(w, func(piece []event) { each(func(p strip) { p.take(piece, out) }) })
	if err != nil {
		return err
	}
	each(func(p strip) { p.end(out) })
	m, ordered := w.(mirrored)
	rows := make([][]tally, len(s.work))
	s.pool.For(n, 1, func(worker, i, _ int) {
		row := rows[worker][:0]
		for j := i + 1; j < n; j++ {
			t := w.join(s.trains, out, i, j)
			row = append(row, t)
			out[i][j] = t.value()
			if ordered {
				t = m.mirror(t, &s.trains[i], &s.trains[j])
			}
			out[j][i] = t.value()
		}
		done(i, row)
		rows[worker] = row
	})
	for i := range s.trains {
		out[i][i] = w.pair(&s.work[0], &s.trains[i], &s.trains[i]).value()
	}
	return nil
}

// pieces calls take with the spikes of all trains in order, those of one time by train, in
// pieces of equal time.
func (s *set) pieces(w sweeper, take func([]event)) error {
	if len(s.trains) == 0 {
		return nil
	}
	total, taken := 0, make([]int, len(s.trains))
	for _, t := range s.trains {
		total += len(t.Times)
	}
	start, stop := s.trains[0].Start, s.trains[0].Stop
	n := total/pieceEvents + 1
	s.meter.total = total
	var all, next []event
	for p := range n {
		end := math.Inf(1)
		if p+1 < n {
			end = start + (stop-start)*(float64(p+1)/float64(n))
		}
		all = all[:0]
		ends := []int{0} // of the sorted runs
		for k := range s.trains {
			t := &s.trains[k]
			for i, x := range t.Times[taken[k]:] {
				if x >= end {
					break
				}
				a, b := w.mark(t, taken[k]+i)
				all = append(all, event{x, k, a, b})
			}
			taken[k] += len(all) - ends[len(ends)-1]
			if len(all) > ends[len(ends)-1] {
				ends = append(ends, len(all))
			}
		}
		next = sized(next, len(all))
		all, next = merge(s.pool, all, next, ends)
		take(all)
		if err := s.meter.add(len(all)); err != nil {
			return err
		}
	}
	return nil
}

// merge puts sorted runs, of which ends are the borders, in order, and gives back the memory
// that it did not need.
func merge(pool *par.Pool, all, next []event, ends []int) (sorted, spare []event) {
	for ; len(ends) > 2; all, next = next, all {
		pool.For(len(ends)/2, 1, func(_, r, _ int) {
			lo, mid, hi := ends[2*r], ends[2*r+1], ends[min(2*r+2, len(ends)-1)]
			mergeRuns(next[lo:hi], all[lo:mid], all[mid:hi])
		})
		left := ends[:1]
		for r := 2; r < len(ends)+1; r += 2 {
			left = append(left, ends[min(r, len(ends)-1)])
		}
		ends = left
	}
	return all, next
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

// mark is the interval that follows a spike, and what it is multiplied by where it is the
// longer one.
func (m ISI) mark(t *train, i int) (x, y float64) {
	if t.Times[0] > t.Start {
		i++
	}
	if i+1 == len(t.edges) {
		return 0, 0 // on the end of the window
	}
	x = t.edges[i+1] - t.edges[i]
	return x, 1 / max(x, m.MRTS)
}

// isiStrip has, of each train, the interval at hand, y = 1/max(x, m), so that the smaller of
// two divides by the larger interval, and since when it lasts.
type isiStrip struct {
	start, stop float64
	x, y, since []float64
	lo, hi      int
}

func (m ISI) strip(trains []train, lo, hi int) strip {
	n := len(trains)
	s := &isiStrip{start: trains[0].Start, stop: trains[0].Stop, x: make([]float64, n), y: make([]float64, n), since: make([]float64, n), lo: lo, hi: hi}
	for k, t := range trains {
		s.since[k] = t.Start
		s.x[k] = t.edges[1] - t.edges[0]
		s.y[k] = 1 / max(s.x[k], m.MRTS)
	}
	return s
}

// take adds I(x_k, x_j) times the length of each piece.
func (s *isiStrip) take(piece []event, out [][]float64) {
	lo, hi := s.lo, s.hi
	for _, e := range piece {
		if k := e.train; e.time > s.start && e.time < s.stop {
			isiRow(out[k][lo:hi], s.x[lo:hi], s.y[lo:hi], s.since[lo:hi], s.x[k], s.y[k], s.since[k], e.time)
			s.x[k], s.y[k], s.since[k] = e.a, e.b, e.time
		}
	}
}

func (s *isiStrip) end(out [][]float64) {
	for k := range s.x {
		if lo := max(s.lo, k+1); lo < s.hi {
			isiRow(out[k][lo:s.hi], s.x[lo:s.hi], s.y[lo:s.hi], s.since[lo:s.hi], s.x[k], s.y[k], s.since[k], s.stop)
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

// coincidence counts, for each column, the spikes of a row's train that follow a
// coincident one of the column's, or come at its time if ties is set.
type coincidence struct {
	ties        bool
	slack       float64
	last, ahead []float64
	lo, hi      int
}

func newCoincidence(trains []train, lo, hi int, ties bool) strip {
	c := &coincidence{ties: ties, slack: float64(trains[0].slack), last: make([]float64, len(trains)), ahead: make([]float64, len(trains)), lo: lo, hi: hi}
	for k := range c.last {
		c.last[k] = math.Inf(-1)
	}
	return c
}

// windows is the mark of spikes that coincide.
func windows(t *train, i int) (behind, ahead float64) { return t.behind[i], t.ahead[i] }

func (c *coincidence) take(piece []event, out [][]float64) {
	lo, hi := c.lo, c.hi
	for _, e := range piece {
		k := e.train
		if c.ties {
			coincideRow(out[k][lo:hi], c.last[lo:hi], c.ahead[lo:hi], e.time, e.a)
		} else {
			leadRow(out[k][lo:hi], c.last[lo:hi], c.ahead[lo:hi], e.time, e.a, c.slack)
		}
		c.last[k], c.ahead[k] = e.time, e.b
	}
}

func (*coincidence) end([][]float64) {}

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

func (Sync) mark(t *train, i int) (behind, ahead float64) { return windows(t, i) }

func (Sync) strip(trains []train, lo, hi int) strip { return newCoincidence(trains, lo, hi, true) }

func (Sync) join(trains []train, out [][]float64, i, j int) tally {
	return tally{2 * (out[i][j] + out[j][i]), float64(len(trains[i].Times) + len(trains[j].Times))}
}

func (Order) mark(t *train, i int) (behind, ahead float64) { return windows(t, i) }

func (Order) strip(trains []train, lo, hi int) strip { return newCoincidence(trains, lo, hi, false) }

func (Order) join(trains []train, out [][]float64, i, j int) tally {
	return tally{2 * (out[j][i] - out[i][j]), float64(len(trains[i].Times) + len(trains[j].Times))}
}

func (Directionality) mark(t *train, i int) (behind, ahead float64) { return windows(t, i) }

func (Directionality) strip(trains []train, lo, hi int) strip {
	return newCoincidence(trains, lo, hi, false)
}

func (m Directionality) join(trains []train, out [][]float64, i, j int) tally {
	return tally{out[j][i] - out[i][j], m.weight(&trains[i])}
}

// blockTaus is how far, in units of τ, exponentials grow before they start again
// from 1.
const blockTaus = 32

// traces adds, at a spike of k, the trace of each column: K(k, j) is what both rows
// have, and K(k, k) is N and twice its own. A trace at t is r·e^{−(t−t0)/τ} with r
// constant between its spikes, so that a row costs no exponentials.
type traces struct {
	tau, from float64 // from is t0
	r         []float64
	lo, hi    int
}

func (VanRossum) mark(*train, int) (a, b float64) { return 0, 0 }

func (m VanRossum) strip(_ []train, lo, hi int) strip {
	return &traces{m.Tau, math.Inf(-1), make([]float64, hi-lo), lo, hi}
}

func (s *traces) take(piece []event, out [][]float64) {
	for _, e := range piece {
		if e.time-s.from > blockTaus*s.tau {
			decay := math.Exp((s.from - e.time) / s.tau)
			for j := range s.r {
				s.r[j] *= decay
			}
			s.from = e.time
		}
		fall := math.Exp((s.from - e.time) / s.tau)
		traceRow(out[e.train][s.lo:s.hi], s.r, fall)
		if e.train >= s.lo && e.train < s.hi {
			s.r[e.train-s.lo] += 1 / fall
		}
	}
}

func (*traces) end([][]float64) {}

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
