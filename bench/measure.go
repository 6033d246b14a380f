package bench

import (
	"fmt"
	"slices"
	"time"

	"synfire/internal/kernel"
)

// Run measures a case. What goes wrong stands in the rows.
func (c Case) Run(o Options) []Row {
	rows, err := c.run(c, o)
	if len(rows) == 0 {
		return c.Failed(err)
	}
	for i := range rows {
		if err != nil {
			rows[i].Error = err.Error()
		}
	}
	return rows
}

// Failed is the row of a case that could not be measured.
func (c Case) Failed(err error) []Row {
	r := c.row()
	r.Error = err.Error()
	return []Row{r}
}

// row is what is known of a case's row beforehand.
func (c Case) row() Row {
	r := Row{
		Workload: c.Workload, Phase: c.Phase, Shape: c.Shape, Threads: c.Threads, Kernel: kernel.Current().String(),
		Unit: "samples/s", Layers: []string{}, Calibration: []float64{}, FiringRate: []float64{}, RateEnd: []float64{},
	}
	if c.work != nil {
		r.Steps, r.Batch = c.work.steps, c.work.batch
	}
	return r
}

// check returns an error for options that cannot measure.
func (o Options) check() error {
	if o.Now == nil || o.Repeat < MinRepeat {
		return fmt.Errorf("bench: %d repeats, want a clock and at least %d: fewer show no spread", o.Repeat, MinRepeat)
	}
	return nil
}

// each runs f, after a warm-up, for at least o.Least in each repeat, and calls
// done with the number of runs and their seconds. before, if not nil, is called
// outside of the time, before each repeat. Of rows on several threads it notes
// the slowest handoff beside a repeat; one slower than Near is repeated, while
// o.Settle lasts.
func (r *Row) each(o Options, before, f func() error, done func(n int, seconds float64)) error {
	if err := o.check(); err != nil {
		return err
	}
	begin := o.Now()
	for repeat := 0; repeat <= o.Repeat; {
		if before != nil {
			if err := before(); err != nil {
				return err
			}
		}
		near := r.handoff(o)
		n, took, err := o.timed(f)
		if err != nil {
			return err
		}
		near = max(near, r.handoff(o))
		if near > Near && o.Now().Sub(begin) < o.Settle {
			continue
		}
		if repeat > 0 {
			r.Handoff = max(r.Handoff, near)
			done(n, took.Seconds())
		}
		repeat++
	}
	return nil
}

// timed runs f for at least o.Least.
func (o Options) timed(f func() error) (n int, took time.Duration, err error) {
	for start := o.Now(); n == 0 || took < o.Least; n++ {
		if err := f(); err != nil {
			return n, took, err
		}
		took = o.Now().Sub(start)
	}
	return n, took, nil
}

func (r *Row) handoff(o Options) float64 {
	if r.Threads < 2 {
		return 0
	}
	return Handoff(o.Now)
}

// rate fills in how much is done in a second where a run of f does amount.
func (r *Row) rate(o Options, amount float64, before, f func() error) error {
	var values []float64
	err := r.each(o, before, f, func(n int, seconds float64) { values = append(values, amount*float64(n)/seconds) })
	r.statistics(values)
	return err
}

func (r *Row) statistics(values []float64) {
	r.Repeat = len(values)
	if len(values) == 0 {
		return
	}
	slices.Sort(values)
	r.Min, r.Median, r.Max = values[0], median(values), values[len(values)-1]
}

// median of sorted values.
func median(v []float64) float64 {
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}
