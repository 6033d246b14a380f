package bench

import (
	"context"
	"fmt"
	"slices"

	"synfire/internal/par"
	"synfire/rule/eqprop"
	"synfire/rule/eqprop/sparse"
	"synfire/train"
)

// Whole is what rows of pruned networks are compared with: the same network, unpruned,
// that took turns with it.
const Whole = "not pruned, in turn"

// sparsity is the share of weights that rows of W7 are without; of the last matrix, half
// of it.
const sparsity = 0.9

// prunings are the further cases of W7: with one hidden layer, centred, and with a
// second, whose product takes most of the time. All samples take all steps.
func prunings(s Selection) []Case {
	hidden, batch := pick(s.Small, 500, 70), pick(s.Small, 20, 8)
	one := eqprop.Config{
		Sizes: []int{784, hidden, 10}, Free: 20, Nudged: 4, Beta: 0.3, CostScale: 1,
		LearningRates: []float64{0.1, 0.05}, Seed: seed,
	}
	two := one
	two.Sizes, two.LearningRates = []int{784, hidden, hidden, 10}, []float64{0.1, 0.03, 0.01}
	two.Nudge, two.Beta = eqprop.RandomSign, 1
	two.Free, two.Nudged = 50, 6
	var cases []Case
	for _, c := range []eqprop.Config{one, two} {
		shape := "784"
		for _, n := range c.Sizes[1:] {
			shape += fmt.Sprintf("-%d", n)
		}
		for _, phase := range []string{Train, Infer} {
			samples := batch
			if phase == Infer {
				samples = pick(s.Small, 1000, 8)
			}
			cases = append(cases, Case{
				Workload: "W7", Phase: phase, Shape: shape, Threads: s.Threads,
				run: func(one Case, o Options) ([]Row, error) { return prune(one, o, c, samples) },
			})
		}
	}
	return cases
}

// contender is a network that takes turns with another one.
type contender struct {
	row     Row
	learner *eqprop.Learner
	start   map[string]train.Array
	first   train.Metrics // of a repeat
	last    train.Metrics
	seconds float64 // of a repeat
	rates   []float64
}

// prune times a network and the same one pruned, in turn.
func prune(one Case, o Options, c eqprop.Config, batch int) ([]Row, error) {
	pool := par.New(one.Threads)
	defer pool.Close()
	c.Pool = pool
	all := []*contender{{row: one.row()}, {row: one.row()}}
	all[0].row.Shape += "@whole"
	all[1].row.Shape += fmt.Sprintf("@%g", sparsity)
	for i, x := range all {
		if i > 0 {
			c.Pruning = &sparse.Pruning{Sparsity: sparsity, Last: sparsity / 2, End: 1, Every: 1}
		}
		if err := x.prepare(c, batch); err != nil {
			return nil, err
		}
	}
	b := digits(c.Sizes[0], batch)
	run := func(x *contender) (err error) {
		begin := o.Now()
		if one.Phase == Train {
			x.last, err = x.learner.Step(context.Background(), b)
		} else {
			var p train.Prediction
			p, err = x.learner.Predict(context.Background(), b)
			x.last = p.Metrics
		}
		x.seconds += o.Now().Sub(begin).Seconds()
		if x.first.N == 0 {
			x.first = x.last
		}
		return err
	}
	err := all[0].row.each(o, func() error {
		for _, x := range all {
			x.first, x.seconds = train.Metrics{}, 0
			if err := x.learner.SetState(x.start); err != nil {
				return err
			}
		}
		return nil
	}, func() error {
		for _, x := range all {
			if err := run(x); err != nil {
				return err
			}
		}
		return nil
	}, func(n int, _ float64) {
		for _, x := range all {
			x.rates = append(x.rates, float64(n*batch)/x.seconds)
		}
	})
	var rows []Row
	for _, x := range all {
		x.finish(c, one.Phase)
		x.row.Handoff = all[0].row.Handoff
		rows = append(rows, x.row)
	}
	whole, pruned := &rows[0], &rows[1]
	pruned.Compare([]Reference{{
		Key: pruned.key(), Phase: pruned.Phase, Threads: pruned.Threads, Source: Whole,
		Median: whole.Median, Min: whole.Min, Max: whole.Max,
	}})
	return rows, err
}

// prepare makes the learner, with weights after one step, which prunes.
func (x *contender) prepare(c eqprop.Config, batch int) (err error) {
	x.row.Steps, x.row.Batch = c.Free, batch
	if x.row.Phase == Train {
		x.row.Steps += c.Nudged
		if c.Nudge == eqprop.Centred {
			x.row.Steps += c.Nudged
		}
	}
	if x.learner, err = eqprop.New(c); err != nil {
		return err
	}
	if _, err = x.learner.Step(context.Background(), digits(c.Sizes[0], batch)); err != nil {
		return err
	}
	x.start = map[string]train.Array{}
	for name, a := range x.learner.State() {
		a.Data = slices.Clone(a.Data)
		x.start[name] = a
	}
	return nil
}

// finish fills in the row.
func (x *contender) finish(c eqprop.Config, phase string) {
	x.row.statistics(x.rates)
	hidden := len(c.Sizes) - 2
	for l := range hidden {
		x.row.Layers, x.row.Calibration = append(x.row.Layers, fmt.Sprintf("layer%d", l+1)), append(x.row.Calibration, 1)
	}
	x.row.FiringRate, x.row.RateEnd = rates(x.first)[:min(hidden, len(x.first.Rates))], rates(x.last)[:min(hidden, len(x.last.Rates))]
	if phase == Train {
		x.row.FinalLoss = finalLoss(x.last)
	}
}
