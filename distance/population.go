package distance

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"synfire/internal/par"
	"synfire/spike"
)

// PopulationMeasure compares two responses of several neurons: a[p] and b[p] are
// the trains of neuron p.
type PopulationMeasure interface {
	Name() string
	Distance(a, b []spike.Train) (float64, error)
}

// LabelledVictorPurpura is the Victor–Purpura distance of several neurons (Aronov
// 2003): to give a spike to another neuron costs LabelCost on top of its move.
type LabelledVictorPurpura struct {
	Cost      float64 // q, per unit of time; 0 and +Inf are allowed
	LabelCost float64 // k: 0 pools the neurons, 2 and above keeps them apart
}

// Name is "victor-purpura".
func (LabelledVictorPurpura) Name() string { return "victor-purpura" }

// Distance is the least cost. Between the limits of LabelCost it takes a time that
// grows as the cube of the number of spikes within reach of each other, 2/Cost.
func (m LabelledVictorPurpura) Distance(a, b []spike.Train) (float64, error) {
	err := errors.Join(VictorPurpura{m.Cost}.check(), nonnegative("the label cost", m.LabelCost))
	if err = errors.Join(err, checkResponses(a, b)); err != nil {
		return 0, fmt.Errorf("distance: %s: %w", m.Name(), err)
	}
	w := work.Get().(*workspace)
	defer work.Put(w)
	slack := a[0].Slack()
	switch one := (VictorPurpura{m.Cost}); {
	case m.LabelCost == 0:
		return one.cost(w, pooled(a), pooled(b), slack), nil
	case m.LabelCost >= 2:
		sum := 0.0
		for p := range a {
			sum += one.cost(w, a[p].Times, b[p].Times, slack)
		}
		return sum, nil
	}
	return m.assign(labelled(a), labelled(b), slack), nil
}

// LabelledVanRossum is the van Rossum distance of several neurons (Houghton and
// Sen 2008), whose traces point in directions with an angle between them:
//
//	D² = (1−c)·Σ_p D²_p + c·D²_pooled
type LabelledVanRossum struct {
	Tau     float64 // τ, in the unit of the trains; 0 and +Inf are allowed
	Cosine  float64 // c, of the angle, in [0, 1]: 0 keeps the neurons apart, 1 pools them
	Squared bool    // D² in place of D
}

// Name is "van-rossum".
func (LabelledVanRossum) Name() string { return "van-rossum" }

// Distance is D, or D².
func (m LabelledVanRossum) Distance(a, b []spike.Train) (float64, error) {
	one := VanRossum{Tau: m.Tau, Squared: m.Squared}
	err := one.check()
	if !(m.Cosine >= 0 && m.Cosine <= 1) {
		err = errors.Join(err, fmt.Errorf("the cosine is %v, want one from 0, apart, to 1, pooled", m.Cosine))
	}
	if err = errors.Join(err, checkResponses(a, b)); err != nil {
		return 0, fmt.Errorf("distance: %s: %w", m.Name(), err)
	}
	slack := a[0].Slack()
	d2 := m.Cosine * one.square(pooled(a), pooled(b), slack)
	for p := range a {
		d2 += (1 - m.Cosine) * one.square(a[p].Times, b[p].Times, slack)
	}
	return one.scale(d2), nil
}

// PopulationMatrix is the value of each pair of responses, as Matrix. It takes no
// intervals.
func PopulationMatrix(m PopulationMeasure, responses [][]spike.Train, o Options) ([][]float64, error) {
	if o.Intervals != nil {
		return nil, fmt.Errorf("distance.PopulationMatrix of %s: intervals; clip the trains to them", m.Name())
	}
	n := len(responses)
	out, err := square(n)
	if err != nil {
		return nil, fmt.Errorf("distance.PopulationMatrix of %d responses: %w", n, err)
	}
	errs, told := make([]error, n), &meter{tell: o.Progress, total: n * (n + 1) / 2}
	pool := par.New(o.Threads)
	defer pool.Close()
	pool.For(n, 1, func(_, i, _ int) {
		for j := i; j < n && errs[i] == nil; j++ {
			value, err := m.Distance(responses[i], responses[j])
			if err != nil {
				err = fmt.Errorf("distance.PopulationMatrix: responses %d and %d: %w", i, j, err)
			}
			out[i][j], out[j][i] = value, value
			errs[i] = cmp.Or(err, told.add(1))
		}
	})
	return out, first(errs)
}

// PopulationMulti is the mean over all pairs of responses.
func PopulationMulti(m PopulationMeasure, responses [][]spike.Train, o Options) (float64, error) {
	if len(responses) < 2 {
		return 0, fmt.Errorf("distance.PopulationMulti of %s: %d responses, want two at least", m.Name(), len(responses))
	}
	_, value, err := PopulationMatrixMulti(m, responses, o)
	return value, err
}

// PopulationMatrixMulti is PopulationMatrix and PopulationMulti at the cost of the first.
func PopulationMatrixMulti(m PopulationMeasure, responses [][]spike.Train, o Options) (values [][]float64, value float64, err error) {
	if values, err = PopulationMatrix(m, responses, o); err != nil {
		return nil, 0, err
	}
	var all tally
	for i, row := range values {
		for _, v := range row[:i] {
			all.add(tally{v, 1})
		}
	}
	return values, all.value(), nil
}

// Responses splits trains into responses of several neurons. neurons is their number,
// where trains are those of one response after the other, or the neuron of each train
// as in a,b,a,b. The result has, for each response, the indices of its trains, neuron
// by neuron.
func Responses(neurons string, trains int) ([][]int, error) {
	labels := strings.Split(neurons, ",")
	if n, err := strconv.Atoi(neurons); err == nil {
		if n < 1 || trains%n != 0 || trains/n < 2 {
			return nil, fmt.Errorf("%d neurons of %d trains; want two or more responses of %d trains each", n, trains, n)
		}
		labels = nil
		for i := range trains {
			labels = append(labels, strconv.Itoa(i%n))
		}
	}
	if len(labels) != trains {
		return nil, fmt.Errorf("the neurons of %d trains; want one for each of %d", len(labels), trains)
	}
	var distinct []string
	seen := map[string][]int{}
	for i, l := range labels {
		if seen[l] == nil {
			distinct = append(distinct, l)
		}
		seen[l] = append(seen[l], i)
	}
	group := make([][]int, len(seen[distinct[0]]))
	for _, l := range distinct {
		if len(seen[l]) != len(group) || len(group) < 2 {
			return nil, fmt.Errorf("neuron %q has %d trains, %q has %d; want one for each of two or more responses", l, len(seen[l]), distinct[0], len(group))
		}
		for i, at := range seen[l] {
			group[i] = append(group[i], at)
		}
	}
	return group, nil
}

func checkResponses(a, b []spike.Train) error {
	if len(a) != len(b) || len(a) == 0 {
		return fmt.Errorf("responses of %d and %d neurons, want as many, and one at least; an empty train stands for a silent neuron", len(a), len(b))
	}
	if err := checkTrains(slices.Concat(a, b)); err != nil {
		return fmt.Errorf("%w (of the %d of the first response and those of the second)", err, len(a))
	}
	return nil
}

// pooled is the times of all neurons in order.
func pooled(response []spike.Train) []float64 {
	var times []float64
	for _, t := range response {
		times = append(times, t.Times...)
	}
	slices.Sort(times)
	return times
}

// labelledSpike is a spike and its neuron.
type labelledSpike struct {
	time  float64
	label int
}

// labelled is the spikes of all neurons in order.
func labelled(response []spike.Train) []labelledSpike {
	var spikes []labelledSpike
	for p, t := range response {
		for _, x := range t.Times {
			spikes = append(spikes, labelledSpike{x, p})
		}
	}
	slices.SortStableFunc(spikes, func(a, b labelledSpike) int { return cmp.Compare(a.time, b.time) })
	return spikes
}

// assign splits the spikes at gaps across which none moves, and solves each part as
// an assignment.
func (m LabelledVictorPurpura) assign(a, b []labelledSpike, e spike.Slack) float64 {
	total, reach := float64(len(a)+len(b)), 2/m.Cost
	for len(a) > 0 && len(b) > 0 {
		i, j := 0, 0
		last := min(a[0].time, b[0].time)
		for {
			next := math.Inf(1)
			if i < len(a) {
				next = a[i].time
			}
			fromB := j < len(b) && b[j].time < next
			if fromB {
				next = b[j].time
			}
			if e.Before(last, next) && next-last >= reach || math.IsInf(next, 1) {
				break
			}
			if last = next; fromB {
				j++
			} else {
				i++
			}
		}
		total += m.best(a[:i], b[:j], e)
		a, b = a[i:], b[j:]
	}
	return total
}

// best is what the best pairs save, as a number of 0 or below.
func (m LabelledVictorPurpura) best(a, b []labelledSpike, e spike.Slack) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 {
		return 0
	}
	cost := make([][]float64, len(a))
	for i, x := range a {
		cost[i] = make([]float64, len(b))
		for j, y := range b {
			c := -2.0
			switch move := math.Abs(x.time - y.time); {
			case math.IsInf(m.Cost, 1) && !e.Same(move, 0):
				c = math.Inf(1)
			case !math.IsInf(m.Cost, 1):
				c += m.Cost * move
			}
			if x.label != y.label {
				c += m.LabelCost
			}
			cost[i][j] = min(c, 0)
		}
	}
	return assignment(cost)
}

// assignment is the least sum of costs that picks one in each row, no two in a
// column; there are at least as many columns as rows. Rows are added one after
// another along the shortest path of exchanges, with dual prices that keep reduced
// costs at 0 or above (Kuhn's and Munkres' method in Edmonds' and Karp's form).
func assignment(cost [][]float64) float64 {
	rows, columns := len(cost), len(cost[0])
	priceRow, priceColumn := make([]float64, rows+1), make([]float64, columns+1)
	owner, before := make([]int, columns+1), make([]int, columns+1) // column 0 is the start; rows count from 1
	for row := 1; row <= rows; row++ {
		owner[0] = row
		at, least, used := 0, slices.Repeat([]float64{math.Inf(1)}, columns+1), make([]bool, columns+1)
		for owner[at] != 0 {
			used[at] = true
			r, delta, next := owner[at], math.Inf(1), 0
			for c := 1; c <= columns; c++ {
				if used[c] {
					continue
				}
				if reduced := cost[r-1][c-1] - priceRow[r] - priceColumn[c]; reduced < least[c] {
					least[c], before[c] = reduced, at
				}
				if least[c] < delta {
					delta, next = least[c], c
				}
			}
			for c := range used {
				if used[c] {
					priceRow[owner[c]] += delta
					priceColumn[c] -= delta
				} else {
					least[c] -= delta
				}
			}
			at = next
		}
		for ; at != 0; at = before[at] {
			owner[at] = owner[before[at]]
		}
	}
	sum := 0.0
	for c := 1; c <= columns; c++ {
		if owner[c] > 0 {
			sum += cost[owner[c]-1][c-1]
		}
	}
	return sum
}
