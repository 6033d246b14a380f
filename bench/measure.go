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
// outside of the time, before each repeat.
func (o Options) each(before, f func() error, done func(n int, seconds float64)) error {
	if err := o.check(); err != nil {
		return err
	}
	for r := range o.Repeat + 1 {
		if before != nil {
			if err := before(); err != nil {
				return err
			}
		}
		n, start := 0, o.Now()
		var took time.Duration
		for n == 0 || took < o.Least {
			if err := f(); err != nil {
				return err
			}
			n++
			took = o.Now().Sub(start)
		}
		if r > 0 {
			done(n, took.Seconds())
		}
	}
	return nil
}

// rate fills in how much is done in a second where a run of f does amount.
func (r *Row) rate(o Options, amount float64, before, f func() error) error {
	var values []float64
	err := o.each(before, f, func(n int, seconds float64) { values = append(values, amount*float64(n)/seconds) })
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
