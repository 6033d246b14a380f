package recorded

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"synfire/compare"
	"synfire/distance"
	"synfire/distance/classify"
	"synfire/internal/par"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/spike"
	"synfire/spike/statistics"
)

// cultureFiles are the recordings of cultures.
const cultureFiles = 60

func cultures() recipe.Recipe {
	return recipe.Recipe{
		ID:      "cultures",
		Title:   "Hippocampus or cortex, by the spikes of cultures",
		Minutes: map[report.Scale]float64{report.Smoke: 0.02, report.Short: 0.3, report.Full: 0.5},
		Claims: []report.Claim{
			judged("region", "share of regions told from spike statistics, whole plating dates left out (chance 1/2)", "", report.AtLeast, 0.70, cultureFiles),
			judged("region-permutation", "the same: p of regions permuted over plating dates", "", report.AtMost, 0.01, cultureFiles),
			judged("region-period", "early or late plating dates within a region, not above chance: p of dates permuted, the lesser of both regions", "", report.AtLeast, 0.05, cultureFiles),
		},
		Run: runCultures,
	}
}

// culturePermutations of a scale.
var culturePermutations = map[report.Scale]int{report.Smoke: 99, report.Short: 10_000, report.Full: 100_000}

// culture is a recording of one.
type culture struct {
	file, region, date string
	days               int
	units              []spike.Train
}

// features are what cultures are told apart by, as they were fixed before any was looked at:
// medians over units and means over pairs, none of which counts units.
var features = []struct {
	name string
	of   func(units []spike.Train) (float64, error)
}{
	{"rate, log10 Hz", perUnit(func(t spike.Train) (float64, error) { return math.Log10(t.Rate()), nil })},
	{"CV, log10", perUnit(func(t spike.Train) (float64, error) {
		v, err := statistics.CV([]spike.Train{t})
		return math.Log10(v), err
	})},
	{"CV2", perUnit(func(t spike.Train) (float64, error) { return statistics.CV2([]spike.Train{t}) })},
	{"LvR", perUnit(func(t spike.Train) (float64, error) { return statistics.LvR([]spike.Train{t}, 0.005) })},
	{"Fano factor, 1 s, log10", perUnit(func(t spike.Train) (float64, error) {
		v, err := statistics.FanoOverTime([]spike.Train{t}, 1)
		return math.Log10(v), err
	})},
	{"spikes in bursts, share", perUnit(burstShare)},
	{"STTC, 0.1 s", meanSTTC},
	{"ISI-distance", overPairs(distance.ISI{})},
	{"SPIKE-distance", overPairs(distance.SPIKE{})},
	{"SPIKE-sync", overPairs(distance.Sync{})},
}

// perUnit is the median over the units of which a statistic is a finite number.
func perUnit(of func(t spike.Train) (float64, error)) func(units []spike.Train) (float64, error) {
	return func(units []spike.Train) (float64, error) {
		var v []float64
		for _, t := range units {
			x, err := of(t)
			if err != nil {
				return 0, err
			}
			if !math.IsNaN(x) && !math.IsInf(x, 0) {
				v = append(v, x)
			}
		}
		if len(v) == 0 {
			return 0, fmt.Errorf("no unit has enough spikes")
		}
		slices.Sort(v)
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2, nil
	}
}

// burstShare is of spikes in runs of five or more within 0.1 s of each other.
func burstShare(t spike.Train) (float64, error) {
	list, err := statistics.Bursts(t, 0.1, 5)
	n := 0
	for _, b := range list {
		n += b.N
	}
	return float64(n) / float64(len(t.Times)), err
}

func meanSTTC(units []spike.Train) (float64, error) {
	m, err := statistics.STTC(units, 0.1)
	if err != nil {
		return 0, err
	}
	var v []float64
	for i, row := range m {
		v = append(v, row[:i]...)
	}
	return mean(v), nil
}

func overPairs(m distance.Measure) func(units []spike.Train) (float64, error) {
	return func(units []spike.Train) (float64, error) {
		return distance.Multi(m, units, distance.Options{Threads: 1})
	}
}

func cultureData(ctx context.Context, e *recipe.Env) (list []culture, err error) {
	if e.Scale == report.Smoke {
		return madeCultures(e.Seed), nil
	}
	a, err := open(ctx, e)
	if err != nil {
		return nil, err
	}
	for _, info := range a.Infos {
		if info.Region == "" || info.Group == "" || info.DaysInVitro == nil {
			continue
		}
		units, err := trainsOf(a, info)
		if err != nil {
			return nil, err
		}
		list = append(list, culture{info.File, info.Region, info.Group, *info.DaysInVitro, units})
	}
	if len(list) != cultureFiles {
		return nil, fmt.Errorf("%d recordings of cultures in the archive, want %d; fetch it again", len(list), cultureFiles)
	}
	return list, nil
}

// madeCultures draws cultures of eight dates, bursting ones and regular ones.
func madeCultures(seed uint64) (list []culture) {
	for date := range uint64(8) {
		for k := range uint64(2) {
			c := culture{file: fmt.Sprintf("made %d-%d", date, k), region: "cortex", date: fmt.Sprintf("2000-01-0%d", date+1), days: 14}
			shape := 4.0
			if date >= 4 {
				c.region, shape = "hippocampus", 0.4
			}
			for u := range uint64(5 + k) {
				t, err := spike.Gamma{Rate: 3, Shape: shape}.Train(spike.Stream(seed, 9, date, k, u), 0, 60)
				if err != nil {
					panic(err) // the parameters are constants
				}
				c.units = append(c.units, t)
			}
			list = append(list, c)
		}
	}
	return list
}

func runCultures(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	n, ok := culturePermutations[e.Scale]
	if !ok {
		return nil, recipe.NoScale("cultures", e.Scale)
	}
	list, err := cultureData(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("cultures: %w", err)
	}
	s := &cultureStudy{findings: newFindings(), ctx: ctx, pool: e.Pool, seed: e.Seed, permutations: n, list: list}
	for _, part := range []func() error{s.measure, s.region, s.period, s.show} {
		if err := part(); err != nil {
			return nil, fmt.Errorf("cultures: %w", err)
		}
	}
	return s.outcome(e.Scale, "Hippocampus or cortex? Cultures told apart by their spikes",
		fmt.Sprintf("By %d statistics of spikes, %s of %d cultures are given to the right region when all cultures of their plating date are left out (chance 50 %%, p = %.2g).", len(features), percent(s.right.Right), len(list), s.p),
		[]string{
			"No plating date has both regions, and the hippocampus was plated earlier: the period agrees with the region for most recordings. Dates are left out as wholes, and early and late dates of one region are told apart as a control; neither can exclude that something other than the region changed between the periods.",
			"The files were chosen among the smaller half of each region and age, so that the number of units says how they were chosen: no statistic counts units.",
		}, "recordings (cultures of mouse neurons; Charlesworth et al. 2015, Neural Development 10:1, GPL ≥ 2)"), nil
}

// cultureStudy is the question of regions.
type cultureStudy struct {
	*findings
	ctx          context.Context
	pool         *par.Pool
	seed         uint64
	permutations int
	list         []culture

	values   [][]float64 // culture × feature
	d        [][]float64
	right    classify.Result
	p        float64
	permuted classify.Significance
}

// measure computes features and the distances of cultures: Euclidean ones of features with
// mean 0 and deviation 1 over all cultures, whatever their region.
func (s *cultureStudy) measure() error {
	s.values = make([][]float64, len(s.list))
	errs := make([]error, len(s.list))
	s.pool.For(len(s.list), 1, func(_, lo, hi int) {
		for i := lo; i < hi && s.ctx.Err() == nil; i++ {
			for _, f := range features {
				v, err := f.of(s.list[i].units)
				if err != nil || math.IsNaN(v) {
					errs[i] = fmt.Errorf("%s: %s is %v, %w", s.list[i].file, f.name, v, err)
				}
				s.values[i] = append(s.values[i], v)
			}
		}
	})
	if err := s.ctx.Err(); err != nil {
		return fmt.Errorf("interrupted: %w", err)
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	s.d = make([][]float64, len(s.list))
	scaled := standardised(s.values)
	for i := range s.d {
		for j := range s.d {
			sum := 0.0
			for k, v := range scaled[i] {
				sum += (v - scaled[j][k]) * (v - scaled[j][k])
			}
			s.d[i] = append(s.d[i], math.Sqrt(sum))
		}
	}
	return nil
}

// standardised is columns of mean 0 and deviation 1; one that does not vary is 0.
func standardised(x [][]float64) [][]float64 {
	out := make([][]float64, len(x))
	for i := range out {
		out[i] = make([]float64, len(x[0]))
	}
	for k := range x[0] {
		column := make([]float64, len(x))
		for i := range x {
			column[i] = x[i][k]
		}
		m, sd := stat.MeanStdDev(column, nil)
		for i := range x {
			if sd > 0 {
				out[i][k] = (x[i][k] - m) / sd
			}
		}
	}
	return out
}

var regions = []string{"cortex", "hippocampus"}

// labelled are the cultures' regions and numbers of dates.
func (s *cultureStudy) labelled() (labels, dates []int) {
	seen := map[string]int{}
	for _, c := range s.list {
		if _, ok := seen[c.date]; !ok {
			seen[c.date] = len(seen)
		}
		labels, dates = append(labels, slices.Index(regions, c.region)), append(dates, seen[c.date])
	}
	return labels, dates
}

func (s *cultureStudy) region() (err error) {
	labels, dates := s.labelled()
	if s.right, err = classify.LeaveGroupsOut(s.d, labels, dates, nearest); err != nil {
		return err
	}
	if s.permuted, err = classify.Permutation(s.ctx, [][][]float64{s.d}, labels, dates, nearest, s.permutations, spike.Stream(s.seed, 20), s.pool); err != nil {
		return err
	}
	s.p = s.permuted.P
	s.claim("region", len(s.list), s.right.Right)
	s.claim("region-permutation", len(s.list), s.p)
	s.metrics["right"], s.metrics["p"], s.metrics["permuted regions"] = s.right.Right, s.p, s.permuted.Mean
	return nil
}

// period tells early from late dates within each region: the earlier half of its dates.
func (s *cultureStudy) period() error {
	table := report.Table{
		Caption: "Early or late plating dates within a region, whole dates left out",
		Head:    []string{"region", "cultures", "dates", "right (mean of classes)", "permuted", "p"}, Right: []bool{false, true, true, true, true, true},
	}
	least := 1.0
	for r, name := range regions {
		var members []int
		var days []string
		for i, c := range s.list {
			if c.region == name {
				members, days = append(members, i), append(days, c.date)
			}
		}
		slices.Sort(days)
		days = slices.Compact(days)
		var labels, groups []int
		d := make([][]float64, len(members))
		for k, i := range members {
			at := slices.Index(days, s.list[i].date)
			late := 0
			if at >= len(days)/2 {
				late = 1
			}
			labels, groups = append(labels, late), append(groups, at)
			for _, j := range members {
				d[k] = append(d[k], s.d[i][j])
			}
		}
		got, err := classify.Permutation(s.ctx, [][][]float64{d}, labels, groups, nearest, s.permutations, spike.Stream(s.seed, 21, uint64(r)), s.pool)
		if err != nil {
			return fmt.Errorf("%s, early or late: %w", name, err)
		}
		least = min(least, got.P)
		s.metrics["period "+name], s.metrics["period p "+name] = got.Value, got.P
		table.Rows = append(table.Rows, []string{name, fmt.Sprint(len(members)), fmt.Sprint(len(days)), percent(got.Value), percent(got.Mean), fmt.Sprintf("%.3g", got.P)})
	}
	s.claim("region-period", len(s.list), least)
	return s.section("Is it the period?", "Regions were plated in different years. If what tells regions apart were a slow change of methods, it would tell early from late dates of one region too. Few dates make this control a weak one.", []report.Table{table})
}

func (s *cultureStudy) show() error {
	g := figure.Grid{RowAxis: "region", ColumnAxis: "given", Quantity: "cultures", Rows: regions, Columns: regions, Values: s.right.Confusion}
	c, cerr := figure.Heatmap("Region, plating dates left out", g)
	m, merr := s.mapped()
	effect, table := s.effects()
	b, berr := figure.Bars("What differs between regions", "hippocampus less cortex (SD)", effect)
	return s.section("Region", fmt.Sprintf("Each culture is compared, by the Euclidean distance of %d standardised statistics, with the cultures of all other plating dates, and given to the region with the least mean of d⁻² to the power −½. Regions permuted over dates are told apart in %s on average.", len(features), percent(s.permuted.Mean)), []report.Table{table},
		draw(c, cerr, "Confusion matrix of regions", fmt.Sprintf("%s right, chance %s.", percent(s.right.Right), percent(s.right.Chance))),
		draw(m, merr, "Map of cultures by their statistics", "Multidimensional scaling of the same distances; the labels are days in vitro."),
		draw(b, berr, "Differences of statistics between regions", "Of all cultures, for the reader: nothing was chosen by them."))
}

// mapped is cultures in the plane.
func (s *cultureStudy) mapped() (figure.Figure, error) {
	r := compare.NewRDM(len(s.d))
	k := 0
	for i := range s.d {
		for _, v := range s.d[i][i+1:] {
			r.Values[k] = v * v
			k++
		}
	}
	points, explained, err := compare.MDS(r, 2)
	if err != nil {
		return figure.Figure{}, err
	}
	clouds := make([]figure.Cloud, len(regions))
	for i, c := range s.list {
		to := &clouds[slices.Index(regions, c.region)]
		to.Name = c.region
		to.X, to.Y, to.Labels = append(to.X, points.At(i, 0)), append(to.Y, points.At(i, 1)), append(to.Labels, fmt.Sprint(c.days))
	}
	return figure.Scatter("Cultures", figure.ScatterOptions{X: fmt.Sprintf("%s of the squared distances", percent(explained)), Map: true}, clouds...)
}

// effects are differences between regions over the deviation of all cultures.
func (s *cultureStudy) effects() ([]figure.Bar, report.Table) {
	table := report.Table{Caption: "Statistics, mean over cultures", Head: []string{"statistic", "cortex", "hippocampus", "difference (SD)"}, Right: []bool{false, true, true, true}}
	scaled := standardised(s.values)
	var bars []figure.Bar
	for k, f := range features {
		var of [2][2][]float64
		for i, c := range s.list {
			r := slices.Index(regions, c.region)
			of[r][0], of[r][1] = append(of[r][0], s.values[i][k]), append(of[r][1], scaled[i][k])
		}
		d := mean(of[1][1]) - mean(of[0][1])
		bars = append(bars, figure.Bar{Name: f.name, Value: d})
		table.Rows = append(table.Rows, []string{f.name, fmt.Sprintf("%.3f", mean(of[0][0])), fmt.Sprintf("%.3f", mean(of[1][0])), fmt.Sprintf("%.2f", d)})
	}
	return bars, table
}
