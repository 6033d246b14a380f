package ratetemporal

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/distance"
	"synfire/report"
	"synfire/report/figure"
	"synfire/spike"
)

const (
	trials      = 12 // of each of two stimuli
	trialWindow = 2.0
	precision   = 0.003
)

// world is a way of coding two stimuli.
type world struct {
	name, about string
	// trial draws one; stream names the study, world and seed, to which it adds.
	trial func(stimulus, trial uint64, stream []uint64, seed uint64) (spike.Train, error)
}

func (s *study) poisson(rates [2]float64) func(stimulus, trial uint64, stream []uint64, seed uint64) (spike.Train, error) {
	return func(stimulus, trial uint64, stream []uint64, seed uint64) (spike.Train, error) {
		return spike.Poisson{Rate: rates[stimulus]}.Train(spike.Stream(seed, append(stream, stimulus, trial)...), 0, trialWindow)
	}
}

// template is a frozen train of 40 spikes, jittered in each trial.
func template(stimulus, trial uint64, stream []uint64, seed uint64) (spike.Train, error) {
	source := spike.Stream(seed, append(stream, stimulus)...).Source()
	frozen := spike.Train{Stop: trialWindow}
	for range 40 {
		frozen.Times = append(frozen.Times, trialWindow*source.Float64())
	}
	return jittered(frozen, precision, spike.Stream(seed, append(stream, stimulus, trial)...)), nil
}

// oneSpike comes at 0.5 or 0.6 s, among noise of 0.1 Hz.
func oneSpike(stimulus, trial uint64, stream []uint64, seed uint64) (spike.Train, error) {
	key := spike.Stream(seed, append(stream, stimulus, trial)...)
	t, err := spike.Poisson{Rate: 0.1}.Train(key.Int(0), 0, trialWindow)
	t.Times = append(t.Times, 0.5+0.1*float64(stimulus)+precision*key.Int(1).Source().Norm())
	return t.Sort(), err
}

func (s *study) allWorlds() []world {
	return []world{
		{"rate", "15 or 30 Hz", s.poisson([2]float64{15, 30})},
		{"time", "two frozen trains of 40 spikes, 3 ms of jitter", template},
		{"low rate", "0.5 or 2 Hz", s.poisson([2]float64{0.5, 2})},
		{"low time", "one spike at 0.5 or 0.6 s ± 3 ms, 0.1 Hz of noise", oneSpike},
		{"none", "20 Hz in both cases", s.poisson([2]float64{20, 20})},
	}
}

func judges() measures {
	away := func(v float64, _, _ spike.Train) float64 { return 1 - v }
	return measures{
		{name: "ISI", of: distance.ISI{}}, {name: "SPIKE", of: distance.SPIKE{}}, {name: "RI-SPIKE", of: distance.SPIKE{RateIndependent: true}},
		{name: "1−SYNC", of: distance.Sync{}, see: away},
		{name: "vR 5 ms", of: distance.VanRossum{Tau: 0.005}}, {name: "vR 20 ms", of: distance.VanRossum{Tau: 0.02}}, {name: "vR 1 s", of: distance.VanRossum{Tau: 1}},
		{name: "VP q=0", of: distance.VictorPurpura{}}, {name: "VP q=5", of: distance.VictorPurpura{Cost: 5}}, {name: "VP q=100", of: distance.VictorPurpura{Cost: 100}},
	}
}

// score is how a distance fares in a world.
type score struct{ accuracy, within, between float64 }

// worlds is E: trials are given to the stimulus whose other trials are closer on
// average.
func (s *study) worlds() error {
	all, list := s.allWorlds(), judges()
	n := len(all) * s.size.seeds
	found, errs := make([][]score, n), make([]error, n)
	s.pool.For(n, 1, func(_, lo, hi int) {
		for i := lo; i < hi && s.ctx.Err() == nil; i++ {
			w := i / s.size.seeds
			found[i], errs[i] = s.tryWorld(all[w], uint64(w), uint64(i%s.size.seeds), list)
		}
	})
	if err := s.ctx.Err(); err != nil {
		return fmt.Errorf("interrupted: %w", err)
	}
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("world %q: %w", all[i/s.size.seeds].name, err)
		}
	}
	mean := make([][]score, len(all))
	for w := range all {
		mean[w] = make([]score, len(list))
		for k, m := range list {
			mean[w][k] = average(found[w*s.size.seeds:][:s.size.seeds], k)
			s.metrics[fmt.Sprintf("E %s %s", all[w].name, m.name)] = mean[w][k].accuracy
		}
	}
	s.judgeWorlds(all, list, mean)
	return s.showWorlds(all, list, mean)
}

func average(found [][]score, k int) (mean score) {
	n := float64(len(found))
	for _, f := range found {
		mean.accuracy += f[k].accuracy / n
		mean.within += f[k].within / n
		mean.between += f[k].between / n
	}
	return mean
}

// tryWorld draws the trials of a seed and classifies them by each distance.
func (s *study) tryWorld(w world, index, seed uint64, list measures) ([]score, error) {
	trains, err := s.trials(w, index, seed)
	if err != nil {
		return nil, err
	}
	out := make([]score, len(list))
	for k, m := range list {
		d, err := distance.Matrix(m.of, trains, distance.Options{Threads: 1})
		if err != nil {
			return nil, err
		}
		if m.see != nil {
			for i, row := range d {
				for j, v := range row {
					d[i][j] = m.see(v, trains[i], trains[j])
				}
			}
		}
		out[k] = classify(d)
	}
	return out, nil
}

// trials are those of stimulus 0, then those of stimulus 1.
func (s *study) trials(w world, index, seed uint64) (trains []spike.Train, err error) {
	for i := range uint64(2 * trials) {
		t, err := w.trial(i/trials, i%trials, []uint64{streamWorlds, index, seed}, s.seed)
		if err != nil {
			return nil, err
		}
		trains = append(trains, t)
	}
	return trains, nil
}

// classify leaves each trial out in turn; a tie is half right.
func classify(d [][]float64) (out score) {
	n := float64(len(d))
	for i, row := range d {
		var sum, count [2]float64
		for j, v := range row {
			if j != i {
				class := j / trials
				sum[class] += v
				count[class]++
			}
		}
		own := i / trials
		within, between := sum[own]/count[own], sum[1-own]/count[1-own]
		switch {
		case within < between:
			out.accuracy += 1 / n
		case within == between:
			out.accuracy += 0.5 / n
		}
		out.within += within / n
		out.between += between / n
	}
	return out
}

func (s *study) judgeWorlds(all []world, list measures, mean [][]score) {
	accuracy := func(world, name string) float64 { return s.metrics["E "+world+" "+name] }
	least := func(world string, names ...string) float64 {
		low := 1.0
		for _, name := range names {
			low = min(low, accuracy(world, name))
		}
		return low
	}
	var timed []string
	far := 0.0
	for k, m := range list {
		if m.name != "VP q=0" {
			timed = append(timed, m.name)
		}
		far = max(far, math.Abs(mean[len(all)-1][k].accuracy-0.5))
	}
	n := 2 * trials * s.size.seeds
	s.claim("worlds", n, math.Abs(accuracy("rate", "RI-SPIKE")-0.5))
	s.claim("worlds-rate", n, least("rate", "ISI", "VP q=0", "vR 1 s"))
	s.claim("worlds-time", n, least("time", timed...))
	s.claim("worlds-time-count", n, math.Abs(accuracy("time", "VP q=0")-0.5))
	s.claim("worlds-low-sync", n, accuracy("low time", "1−SYNC"))
	s.claim("worlds-low-resolved", n, least("low time", "VP q=100", "vR 5 ms"))
	s.claim("worlds-none", n, far)
}

func (s *study) showWorlds(all []world, list measures, mean [][]score) error {
	g := figure.Grid{RowAxis: "distance", ColumnAxis: "world", Quantity: "accuracy", Low: 0.5, High: 1}
	table := report.Table{Caption: "Mean distance within and between stimuli", Head: []string{"distance"}, Right: []bool{false}}
	for _, w := range all {
		g.Columns = append(g.Columns, w.name)
		table.Head, table.Right = append(table.Head, w.name), append(table.Right, true)
	}
	for k, m := range list {
		g.Rows = append(g.Rows, m.name)
		var row []float64
		text := []string{m.name}
		for w := range all {
			row = append(row, mean[w][k].accuracy)
			text = append(text, fmt.Sprintf("%.3g / %.3g", mean[w][k].within, mean[w][k].between))
		}
		g.Values, table.Rows = append(g.Values, row), append(table.Rows, text)
	}
	f, err := figure.Heatmap("Accuracy in five worlds", g)
	figures := []drawn{draw(f, err, "Heat map of classification accuracy by distance and coding world", "Half is chance. No distance serves in every world; RI-SPIKE sees timing alone.")}
	var about []string
	for w, k := range all {
		about = append(about, k.name+": "+k.about)
		trains, err := s.trials(k, uint64(w), 0)
		if err != nil {
			return err
		}
		f, err := figure.Trains("World: "+k.name, "time (s)", 0, trialWindow, labelled(trains))
		figures = append(figures, draw(f, err, "Raster of the trials of the world "+k.name, "Trials of the first stimulus (a) above those of the second (b)."))
	}
	return s.section("E. Worlds of coding", "Twelve trials of two stimuli in two seconds; a trial belongs to the stimulus whose other trials are closer on average, ties are half right. "+
		strings.Join(about, "; ")+".\n\nThe accuracy of VP(100/s) and vR(5 ms) in the rate world is ½ by the rule of decision, not for want of rate: the trials with fewer spikes are closer to everything. The table shows that they tell rates.",
		[]report.Table{table}, figures...)
}

func labelled(trains []spike.Train) (out []figure.Train) {
	for i, t := range trains {
		out = append(out, figure.Train{Name: fmt.Sprintf("%c%d", 'a'+i/trials, i%trials), Times: t.Times})
	}
	return out
}

// lead is the outcome in a sentence.
func (s *study) lead() string {
	ri := []float64{}
	for _, rho := range ratios {
		ri = append(ri, s.metrics[fmt.Sprintf("A ratio=%v RI-SPIKE", rho)])
	}
	return fmt.Sprintf("Between trains without timing, ISI grows from %.2f to %.2f as one of the rates grows sixteenfold, and RI-SPIKE moves by %.3f. "+
		"By RI-SPIKE, stimuli that differ in rate are told apart in %.0f %% of trials, where 50 %% are chance, and those that differ in timing in %.0f %%.",
		s.metrics["A ratio=1 ISI"], s.metrics["A ratio=16 ISI"], slices.Max(ri)-slices.Min(ri), 100*s.metrics["E rate RI-SPIKE"], 100*s.metrics["E time RI-SPIKE"])
}
