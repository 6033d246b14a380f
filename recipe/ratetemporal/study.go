package ratetemporal

import (
	"context"
	"fmt"
	"math"
	"slices"

	"synfire/distance"
	"synfire/internal/par"
	"synfire/report"
	"synfire/report/figure"
	"synfire/spike"
)

// study is a run of the experiments and what they found.
type study struct {
	ctx  context.Context
	pool *par.Pool
	seed uint64
	size size

	metrics  report.Metrics
	measured map[string]report.Measurement
	sections []report.Section
}

// Experiments, as parts of the name of a random stream.
const (
	streamRates uint64 = iota
	streamEdits
	streamLow
	streamJitter
	streamDoublets
	streamWorlds
)

// estimate is a mean over independent pairs and its standard error.
type estimate struct{ mean, se float64 }

// measures are distances by the names that metrics, figures and tables use.
type measures []struct {
	name string
	of   distance.Measure
	see  func(v float64, a, b spike.Train) float64 // what is looked at, nil for the value
}

func resolved() measures {
	return measures{{name: "ISI", of: distance.ISI{}}, {name: "SPIKE", of: distance.SPIKE{}},
		{name: "RI-SPIKE", of: distance.SPIKE{RateIndependent: true}}, {name: "SYNC", of: distance.Sync{}}}
}

// perSpike is a value over the spikes of both trains.
func perSpike(v float64, a, b spike.Train) float64 {
	return v / float64(max(len(a.Times)+len(b.Times), 1))
}

// sample measures n pairs and returns an estimate for each measure. The pairs
// are split over threads, their sum is not: results do not depend on them.
func (s *study) sample(n int, list measures, pair func(i uint64) (a, b spike.Train, err error)) ([]estimate, error) {
	values, errs := make([][]float64, n), make([]error, n)
	s.pool.For(n, 1, func(_, lo, hi int) {
		for i := lo; i < hi && s.ctx.Err() == nil; i++ {
			values[i], errs[i] = list.values(pair, uint64(i))
		}
	})
	if err := s.ctx.Err(); err != nil {
		return nil, fmt.Errorf("interrupted: %w", err)
	}
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return nil, fmt.Errorf("pair %d: %w", i, errs[i])
	}
	out := make([]estimate, len(list))
	for k := range list {
		column := make([]float64, n)
		for i := range column {
			column[i] = values[i][k]
		}
		out[k] = estimateOf(column)
	}
	return out, nil
}

func (list measures) values(pair func(i uint64) (a, b spike.Train, err error), i uint64) ([]float64, error) {
	a, b, err := pair(i)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(list))
	for k, m := range list {
		if out[k], err = m.of.Distance(a, b); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		if m.see != nil {
			out[k] = m.see(out[k], a, b)
		}
	}
	return out, nil
}

// estimateOf sums deviations from the first value, so that equal values have no
// error.
func estimateOf(x []float64) estimate {
	n, sum, squares := float64(len(x)), 0.0, 0.0
	for _, v := range x {
		sum += v - x[0]
	}
	mean := x[0] + sum/n
	for _, v := range x {
		squares += (v - mean) * (v - mean)
	}
	return estimate{mean, math.Sqrt(squares / max(n-1, 1) / n)}
}

// poissonPair is two independent Poisson trains.
func (s *study) poissonPair(experiment, point uint64, rateA, rateB, window float64) func(i uint64) (a, b spike.Train, err error) {
	return func(i uint64) (a, b spike.Train, err error) {
		if a, err = (spike.Poisson{Rate: rateA}).Train(spike.Stream(s.seed, experiment, point, i, 0), 0, window); err != nil {
			return a, b, err
		}
		b, err = spike.Poisson{Rate: rateB}.Train(spike.Stream(s.seed, experiment, point, i, 1), 0, window)
		return a, b, err
	}
}

// curve is the estimates of measures at points of x.
type curve struct {
	names  []string
	x      []float64
	points [][]estimate // [x][measure]
}

func (c *curve) add(x float64, list measures, e []estimate) {
	c.names = c.names[:0]
	for _, m := range list {
		c.names = append(c.names, m.name)
	}
	c.x = append(c.x, x)
	c.points = append(c.points, e)
}

// of is the means of a measure.
func (c curve) of(name string) []float64 {
	k := slices.Index(c.names, name)
	out := make([]float64, len(c.x))
	for i, p := range c.points {
		out[i] = p[k].mean
	}
	return out
}

// series is a measure with its standard error as a band, over the points that a
// logarithmic axis can show.
func (c curve) series(name string) figure.Series {
	s := figure.Series{Name: name}
	k := slices.Index(c.names, name)
	for i, p := range c.points {
		if c.x[i] > 0 {
			s.X, s.Y = append(s.X, c.x[i]), append(s.Y, p[k].mean)
			s.Low, s.High = append(s.Low, p[k].mean-p[k].se), append(s.High, p[k].mean+p[k].se)
		}
	}
	return s
}

func (c curve) allSeries() (list []figure.Series) {
	for _, name := range c.names {
		list = append(list, c.series(name))
	}
	return list
}

// farthest is the largest distance of values from theory.
func farthest(x, values []float64, theory func(x float64) float64) (far float64) {
	for i, v := range values {
		far = max(far, math.Abs(v-theory(x[i])))
	}
	return far
}

// table is mean ± standard error.
func (c curve) table(caption, x string) report.Table {
	t := report.Table{Caption: caption, Head: append([]string{x}, c.names...), Right: []bool{true}}
	for i, p := range c.points {
		row := []string{fmt.Sprint(c.x[i])}
		for _, e := range p {
			row = append(row, fmt.Sprintf("%.4g ± %.2g", e.mean, e.se))
			t.Right = append(t.Right, true)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// keep records the means as metrics.
func (s *study) keep(experiment, x string, c curve) {
	for i, p := range c.points {
		for k, e := range p {
			s.metrics[fmt.Sprintf("%s %s=%v %s", experiment, x, c.x[i], c.names[k])] = e.mean
		}
	}
}

func (s *study) claim(id string, n int, values ...float64) {
	s.measured[id] = report.Measurement{Values: values, N: n}
}

// rises is the least step of a sequence, negative where it falls.
func rises(v []float64) float64 {
	least := math.Inf(1)
	for i := range len(v) - 1 {
		least = min(least, v[i+1]-v[i])
	}
	return least
}

func negated(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = -x
	}
	return out
}

// section is a titled part of the page; drawing fails only by a defect.
func (s *study) section(title, text string, tables []report.Table, figures ...drawn) error {
	sec := report.Section{Title: title, Text: text, Tables: tables}
	for _, f := range figures {
		if f.err != nil {
			return fmt.Errorf("figure %q: %w", f.alt, f.err)
		}
		sec.Figures = append(sec.Figures, report.Figure{SVG: f.figure.SVG(), Alt: f.alt, Caption: f.caption})
	}
	s.sections = append(s.sections, sec)
	return nil
}

type drawn struct {
	figure       figure.Figure
	err          error
	alt, caption string
}

func draw(f figure.Figure, err error, alt, caption string) drawn { return drawn{f, err, alt, caption} }
