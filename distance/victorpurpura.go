package distance

import (
	"fmt"
	"math"

	"synfire/spike"
)

// VictorPurpura is the cost of the cheapest way to turn one train into the other
// (Victor and Purpura 1996): 1 to insert or delete a spike, Cost·|Δt| to move it. A
// move beyond 2/Cost never pays, so that with q = Cost
//
//	D = N + M − max Σ (2 − q·|u_i − v_j|)₊
//
// over all ways to pair spikes off in order. It is a metric. The window does not
// matter.
type VictorPurpura struct {
	Cost float64 // q, per unit of time; 0 and +Inf are allowed
}

// Name is "victor-purpura".
func (VictorPurpura) Name() string { return "victor-purpura" }

// Distance is the least cost, between |N−M| (q = 0) and N+M.
func (m VictorPurpura) Distance(a, b spike.Train) (float64, error) {
	return distanceOf(m, a, b)
}

// VictorPurpuraCosts is the distance for each of several costs q.
func VictorPurpuraCosts(a, b spike.Train, costs []float64) ([]float64, error) {
	for i, q := range costs {
		if err := (VictorPurpura{q}).check(); err != nil {
			return nil, fmt.Errorf("distance: victor-purpura: cost %d: %w", i, err)
		}
	}
	if err := checkPair(a, b); err != nil {
		return nil, fmt.Errorf("distance: victor-purpura: %w", err)
	}
	w := work.Get().(*workspace)
	defer work.Put(w)
	out := make([]float64, len(costs))
	for i, q := range costs {
		out[i] = VictorPurpura{q}.cost(w, a.Times, b.Times, a.Slack())
	}
	return out, nil
}

func (m VictorPurpura) check() error { return nonnegative("the cost", m.Cost) }

func (VictorPurpura) prepare(*train) {}

func (m VictorPurpura) pair(w *workspace, a, b *train) tally {
	return tally{m.cost(w, a.Times, b.Times, a.slack), 1}
}

// cost is D of times that may repeat.
func (m VictorPurpura) cost(w *workspace, u, v []float64, e spike.Slack) float64 {
	n := float64(len(u) + len(v))
	switch {
	case m.Cost == 0:
		return math.Abs(float64(len(u) - len(v)))
	case math.IsInf(m.Cost, 1):
		return n - 2*float64(simultaneous(u, v, e))
	}
	return n + m.saved(w, u, v)
}

// simultaneous is the number of times of u that are times of v, but for rounding.
func simultaneous(u, v []float64, e spike.Slack) int {
	n, j := 0, 0
	for _, t := range u {
		for j < len(v) && e.Before(v[j], t) {
			j++
		}
		if j < len(v) && e.Same(v[j], t) {
			n++
			j++
		}
	}
	return n
}

// saved is what the best pairs save, as a number of 0 or below. cells[j] is that of
// the spikes of u so far with the first j of v. For a spike of u only those of v
// within 2/q can change it, and cells outside of that band stay as they are: those
// before it for good, and those behind it equal to the band's last.
func (m VictorPurpura) saved(w *workspace, u, v []float64) float64 {
	w.cells = sized(w.cells, len(v)+1)
	cells, reach := w.cells, 2/m.Cost
	cells[0] = 0
	lo, hi := 0, 0
	for _, t := range u {
		for lo < hi && v[lo] <= t-reach {
			lo++
		}
		for hi < len(v) && v[hi] < t+reach {
			hi++
			cells[hi] = cells[hi-1]
		}
		m.row(cells[lo:hi+1], v[lo:hi], t)
	}
	return cells[hi]
}

// row takes one spike of u, at t, into the cells.
func (m VictorPurpura) row(cells, v []float64, t float64) {
	diagonal, left := cells[0], cells[0]
	cells = cells[1:]
	for j, x := range v[:len(cells)] {
		up := cells[j]
		left = min(min(up, diagonal+min(m.Cost*math.Abs(t-x)-2, 0)), left)
		cells[j], diagonal = left, up
	}
}
