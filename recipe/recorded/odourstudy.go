package recorded

import (
	"fmt"
	"math"
	"slices"

	"synfire/compare"
	"synfire/distance"
	"synfire/distance/classify"
	"synfire/report"
	"synfire/report/figure"
	"synfire/spike"
)

// nearest is Victor and Purpura's class distance.
var nearest = classify.ClassMean{Power: -2}

// Streams of the study's random numbers.
const (
	streamPermute uint64 = iota
	streamBefore
	streamPooled
	streamIntervals
	streamRespond
)

// byCost is the distances of one neuron's trains for each q.
func byCost(trains []spike.Train, threads int) ([][][]float64, error) {
	var out [][][]float64
	for _, q := range costs {
		d, err := distance.Matrix(distance.VictorPurpura{Cost: q}, trains, distance.Options{Threads: threads})
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// summed adds matrices of neurons, for each of several settings.
func summed(neurons [][][][]float64) [][][]float64 {
	out := make([][][]float64, len(neurons[0]))
	for k := range out {
		out[k] = sum(neurons, k)
	}
	return out
}

func sum(neurons [][][][]float64, k int) [][]float64 {
	n := len(neurons[0][k])
	d := make([][]float64, n)
	for i := range d {
		d[i] = make([]float64, n)
		for _, m := range neurons {
			for j, v := range m[k][i] {
				d[i][j] += v
			}
		}
	}
	return d
}

// allByCost is byCost of every neuron.
func (r responses) allByCost(threads int) ([][][][]float64, error) {
	var out [][][][]float64
	for k := range r.neurons() {
		d, err := byCost(r.neuron(k), threads)
		if err != nil {
			return nil, fmt.Errorf("neuron %d: %w", k+1, err)
		}
		out = append(out, d)
	}
	return out, nil
}

// curve is the share of right answers for each matrix.
func curve(list [][][]float64, labels []int) ([]float64, error) {
	var out []float64
	for _, d := range list {
		r, err := classify.LeaveOneOut(d, labels, nearest)
		if err != nil {
			return nil, err
		}
		out = append(out, r.Right)
	}
	return out, nil
}

// threads is how many the pool has, one without a pool.
func (s *odourStudy) threads() int {
	if s.pool == nil {
		return 1
	}
	return s.pool.Threads()
}

// raster shows the trials.
func (s *odourStudy) raster() error {
	shown, err := within(s.three, shownWindow)
	if err != nil {
		return err
	}
	var drawings []drawing
	for k := range shown.neurons() {
		var rows []figure.Train
		for i, t := range shown.neuron(k) {
			rows = append(rows, figure.Train{Name: s.three[shown.labels[i]].odour, Times: t.Moved(shownWindow[0]).Times})
		}
		f, err := figure.Trains(fmt.Sprintf("Neuron %d", k+1), "time from the valve's opening (s)", shownWindow[0], shownWindow[1], rows)
		drawings = append(drawings, draw(f, err, fmt.Sprintf("Raster of neuron %d in all trials", k+1), "A line a trial, "+s.order()+" from the top."))
	}
	return s.section("The trials", fmt.Sprintf("Animal %s: %d trials, %d neurons. Claims look at the two seconds from the valve's opening, and at two seconds before it.", s.three[0].animal, len(shown.trials), shown.neurons()), nil, drawings...)
}

func (s *odourStudy) order() string {
	text := s.three[0].odour
	for _, p := range s.three[1:] {
		text += ", then " + p.odour
	}
	return text
}

// costs is Victor and Purpura's distance over q, population and single neurons.
func (s *odourStudy) costs() error {
	after, err := s.after.allByCost(s.threads())
	if err != nil {
		return err
	}
	before, err := s.before.allByCost(s.threads())
	if err != nil {
		return err
	}
	all, control := summed(after), summed(before)
	nested, chosen, err := classify.Nested(s.ctx, all, s.after.labels, nearest)
	if err != nil {
		return err
	}
	permuted, err := classify.Permutation(s.ctx, all, s.after.labels, nil, nearest, s.size.permutations, spike.Stream(s.seed, streamPermute), s.pool)
	if err != nil {
		return err
	}
	earlier, err := classify.Permutation(s.ctx, control, s.before.labels, nil, nearest, s.size.permutations, spike.Stream(s.seed, streamBefore), s.pool)
	if err != nil {
		return err
	}
	n := len(s.after.labels)
	s.claim("odours", n, nested.Right)
	s.claim("odours-permutation", n, permuted.P)
	s.claim("before-valve", n, earlier.P)
	s.right = nested.Right
	s.metrics["nested"], s.metrics["best"], s.metrics["best q"] = nested.Right, permuted.Value, costs[permuted.Best]
	s.metrics["p"], s.metrics["before the valve best"], s.metrics["before the valve p"] = permuted.P, earlier.Value, earlier.P
	return s.showCosts(after, before, nested, chosen, permuted, earlier)
}

func (s *odourStudy) showCosts(after, before [][][][]float64, nested classify.Result, chosen []int, permuted, earlier classify.Significance) error {
	table := report.Table{Caption: "Share of right answers, by q (1/s)", Head: []string{"responses"}, Right: []bool{false}}
	for _, q := range costs {
		table.Head, table.Right = append(table.Head, fmt.Sprint(q)), append(table.Right, true)
	}
	panel := figure.Panel{Name: "share of right answers", LogX: true}
	add := func(name string, list [][][]float64, labels []int) error {
		y, err := curve(list, labels)
		if err != nil {
			return err
		}
		row := []string{name}
		for k, v := range y {
			row = append(row, fmt.Sprintf("%.3f", v))
			s.metrics[fmt.Sprintf("%s q=%v", name, costs[k])] = v
		}
		table.Rows = append(table.Rows, row)
		panel.Series = append(panel.Series, figure.Series{Name: name, X: costs[1:], Y: y[1:]})
		if name == population {
			s.rate = y[0]
		}
		return nil
	}
	if err := add(population, summed(after), s.after.labels); err != nil {
		return err
	}
	for k, d := range after {
		if err := add(fmt.Sprintf("neuron %d", k+1), d, s.after.labels); err != nil {
			return err
		}
	}
	if err := add("before the valve", summed(before), s.before.labels); err != nil {
		return err
	}
	panel.Series = append(panel.Series,
		level("all, counts alone (q = 0)", s.rate, costs[1:]),
		level("chance", nested.Chance, costs[1:]))
	f, err := figure.Curves("Odours told apart, by the cost of moving a spike", "q (1/s)", panel)
	drawings := []drawing{draw(f, err, "Share of right answers over q", "Victor and Purpura's distance, summed over neurons; 1/q is about the time within which spikes count as the same. q = 0 compares counts alone.")}
	drawings = append(drawings, s.confusion("Odours, q chosen among the other trials", nested))
	g, err := hist("Permutations of labels", "best share of right answers over q", permuted, earlier)
	drawings = append(drawings, draw(g, err, "Best shares of permuted labels", fmt.Sprintf("The best of all q: %.3f after the valve (p = %.2g) and %.3f before it (p = %.2g); permuted labels have %.3f on average.", permuted.Value, permuted.P, earlier.Value, earlier.P, permuted.Mean)))
	used := map[float64]int{}
	for _, k := range chosen {
		used[costs[k]]++
	}
	text := fmt.Sprintf("Each trial is left out in turn and given to the odour whose other trials have the least mean of d⁻² to the power −½; odours that are equally near share it. With q chosen anew for each trial among the others, %s of %d trials are right, where %s are chance. Chosen were", percent(nested.Right), len(s.after.labels), percent(nested.Chance))
	for _, q := range costs {
		if used[q] > 0 {
			text += fmt.Sprintf(" q = %v for %d,", q, used[q])
		}
	}
	return s.section("Distance and time scale", text[:len(text)-1]+".", []report.Table{table}, drawings...)
}

// population is the name of all neurons together.
const population = "all neurons"

func level(name string, y float64, x []float64) figure.Series {
	return figure.Series{Name: name, X: []float64{x[0], x[len(x)-1]}, Y: []float64{y, y}, Reference: true}
}

// confusion is shares of each odour.
func (s *odourStudy) confusion(title string, r classify.Result) drawing {
	g := figure.Grid{RowAxis: "presented", ColumnAxis: "given", Quantity: "trials"}
	for _, p := range s.three {
		g.Rows, g.Columns = append(g.Rows, p.odour), append(g.Columns, p.odour)
	}
	g.Values = r.Confusion
	f, err := figure.Heatmap(title, g)
	return draw(f, err, "Confusion matrix of odours", fmt.Sprintf("%s right, where %s are chance. Trials that odours share count in part.", percent(r.Right), percent(r.Chance)))
}

// hist is the distribution of permutations, after and before the valve.
func hist(title, x string, list ...classify.Significance) (figure.Figure, error) {
	p := figure.Panel{Name: "share of permutations at least as good", LogY: true}
	for i, s := range list {
		sorted := slices.Clone(s.All)
		slices.Sort(sorted)
		line := figure.Series{Name: []string{"after the valve", "before"}[i]}
		for k, v := range sorted {
			if k == 0 || v > sorted[k-1] {
				line.X, line.Y = append(line.X, v), append(line.Y, float64(len(sorted)-k)/float64(len(sorted)))
			}
		}
		p.Series = append(p.Series, line)
	}
	return figure.Curves(title, x, p)
}

// pooled is trains of the same counts whose times are drawn from those of all trials, each
// once in a train.
func pooled(trains []spike.Train, seed uint64, path ...uint64) []spike.Train {
	var times []float64
	for _, t := range trains {
		times = append(times, t.Times...)
	}
	src := spike.Stream(seed, path...).Source()
	out := make([]spike.Train, len(trains))
	for i, t := range trains {
		out[i] = spike.Train{Start: t.Start, Stop: t.Stop}
		taken := map[float64]bool{}
		for len(out[i].Times) < len(t.Times) {
			if v := times[src.IntN(len(times))]; !taken[v] {
				taken[v] = true
				out[i].Times = append(out[i].Times, v)
			}
		}
		slices.Sort(out[i].Times)
	}
	return out
}

// shuffled is trains whose intervals are in random order.
func shuffled(trains []spike.Train, seed uint64, path ...uint64) ([]spike.Train, error) {
	out := make([]spike.Train, len(trains))
	for i, t := range trains {
		var err error
		if out[i], err = (spike.ShuffleIntervals{}).Shuffle(t, spike.Stream(seed, append(path, uint64(i))...)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// chanceCurves are shares of right answers of surrogates: [surrogate][neuron, the last all
// of them][q].
func (s *odourStudy) chanceCurves(n int, draw func(trains []spike.Train, surrogate, neuron uint64) ([]spike.Train, error)) ([][][]float64, error) {
	out, errs := make([][][]float64, n), make([]error, n)
	s.pool.For(n, 1, func(_, lo, hi int) {
		for i := lo; i < hi && s.ctx.Err() == nil; i++ {
			out[i], errs[i] = s.surrogate(i, draw)
		}
	})
	if err := s.ctx.Err(); err != nil {
		return nil, fmt.Errorf("interrupted: %w", err)
	}
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("surrogate %d: %w", i, err)
		}
	}
	return out, nil
}

func (s *odourStudy) surrogate(i int, draw func(trains []spike.Train, surrogate, neuron uint64) ([]spike.Train, error)) (curves [][]float64, err error) {
	var all [][][][]float64
	for k := range s.after.neurons() {
		trains, err := draw(s.after.neuron(k), uint64(i), uint64(k))
		if err != nil {
			return nil, err
		}
		d, err := byCost(trains, 1)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	for _, list := range append(all, summed(all)) {
		y, err := curve(list, s.after.labels)
		if err != nil {
			return nil, err
		}
		curves = append(curves, y)
	}
	return curves, nil
}

// surrogates tell timing from rate: what is left where times or intervals are exchanged.
func (s *odourStudy) surrogates() error {
	byTimes, err := s.chanceCurves(s.size.surrogates, func(t []spike.Train, i, k uint64) ([]spike.Train, error) {
		return pooled(t, s.seed, streamPooled, i, k), nil
	})
	if err != nil {
		return err
	}
	byIntervals, err := s.chanceCurves(s.size.intervals, func(t []spike.Train, i, k uint64) ([]spike.Train, error) {
		return shuffled(t, s.seed, streamIntervals, i, k)
	})
	if err != nil {
		return err
	}
	observed, err := s.surrogate(0, func(t []spike.Train, _, _ uint64) ([]spike.Train, error) { return t, nil })
	if err != nil {
		return err
	}
	neurons := s.after.neurons()
	var p []float64
	for k := range neurons {
		p = append(p, exceeded(observed[k], byTimes, k))
	}
	holm := compare.Holm(p)
	for _, v := range holm {
		if v < 0.05 {
			s.timed++
		}
	}
	s.claim("timing", len(s.after.labels), float64(s.timed))
	return s.showSurrogates(observed, byTimes, byIntervals, p, holm)
}

// exceeded is the p value of the best share of right answers.
func exceeded(observed []float64, surrogates [][][]float64, k int) float64 {
	best, above := slices.Max(observed), 1
	for _, c := range surrogates {
		if slices.Max(c[k]) >= best-1e-9 {
			above++
		}
	}
	return float64(above) / float64(len(surrogates)+1)
}

func (s *odourStudy) showSurrogates(observed [][]float64, byTimes, byIntervals [][][]float64, p, holm []float64) error {
	table := report.Table{
		Caption: "The best share of right answers over q, and p of surrogates that are at least as good",
		Head:    []string{"responses", "best", "counts kept: mean", "p", "p, Holm", "intervals kept: mean", "p"}, Right: []bool{false, true, true, true, true, true, true},
	}
	var panels []figure.Panel
	for k, y := range observed {
		name, first, corrected := fmt.Sprintf("neuron %d", k+1), "", "–"
		if k == len(p) {
			name = population
		} else {
			corrected = fmt.Sprintf("%.3g", holm[k])
			s.metrics["p of timing, "+name] = p[k]
		}
		pTimes, pIntervals := exceeded(y, byTimes, k), exceeded(y, byIntervals, k)
		first = fmt.Sprintf("%.3g", pTimes)
		table.Rows = append(table.Rows, []string{name, fmt.Sprintf("%.3f", slices.Max(y)), fmt.Sprintf("%.3f", meanBest(byTimes, k)), first, corrected, fmt.Sprintf("%.3f", meanBest(byIntervals, k)), fmt.Sprintf("%.3g", pIntervals)})
		panels = append(panels, figure.Panel{Name: name, LogX: true, Series: []figure.Series{
			{Name: "recorded", X: costs[1:], Y: y[1:]}, band("counts kept", byTimes, k), band("intervals kept", byIntervals, k),
		}})
	}
	f, err := figure.Curves("Recorded trials and surrogates: share of right answers", "q (1/s)", panels...)
	return s.section("Rate or timing", fmt.Sprintf("Surrogates of the first kind keep the number of spikes of every trial, and draw their times from all trials of the neuron: odours differ in counts alone. Those of the second keep every trial's intervals and put them in random order. Claims are of single neurons and of the first kind, %d surrogates; the population's and those of the second kind are reported without a bound.", len(byTimes)),
		[]report.Table{table}, draw(f, err, "Share of right answers over q of recorded and surrogate trials", "Bands hold 95 % of surrogates. Where the recorded line is above the band, the times of spikes tell odours apart beyond their number."))
}

func meanBest(curves [][][]float64, k int) float64 {
	total := 0.0
	for _, c := range curves {
		total += slices.Max(c[k])
	}
	return total / float64(len(curves))
}

// band is the mean of surrogates with what holds 95 % of them.
func band(name string, curves [][][]float64, k int) figure.Series {
	out := figure.Series{Name: name, X: costs[1:]}
	for q := 1; q < len(costs); q++ {
		var v []float64
		for _, c := range curves {
			v = append(v, c[k][q])
		}
		slices.Sort(v)
		out.Y = append(out.Y, mean(v))
		out.Low, out.High = append(out.Low, v[int(0.025*float64(len(v)))]), append(out.High, v[int(math.Ceil(0.975*float64(len(v))))-1])
	}
	return out
}

func (s *odourStudy) lead() string {
	return fmt.Sprintf("Three neurons tell three odours apart in %s of trials (chance 33.3 %%); by their counts of spikes alone in %s. Of %d neurons %d do better than surrogates that keep every trial's count.", percent(s.right), percent(s.rate), s.after.neurons(), s.timed)
}
