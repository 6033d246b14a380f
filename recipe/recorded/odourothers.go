package recorded

import (
	"fmt"

	"synfire/distance"
	"synfire/distance/classify"
	"synfire/report"
	"synfire/report/figure"
	"synfire/spike"
)

// taus are time constants of van Rossum's distance, thresholds those of the adaptive
// measures (MRTS), in seconds.
var (
	taus       = []float64{0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2}
	thresholds = []float64{0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1}
)

// apart is the share of right answers by a measure, summed over neurons. Of a similarity it
// takes 1 less its value.
func (s *odourStudy) apart(r responses, m distance.Measure) (float64, error) {
	var all [][][][]float64
	_, similarity := m.(distance.Sync)
	for k := range r.neurons() {
		d, err := distance.Matrix(m, r.neuron(k), distance.Options{Threads: s.threads()})
		if err != nil {
			return 0, err
		}
		for _, row := range d {
			for j, v := range row {
				if similarity {
					v = 1 - v
				}
				row[j] = max(0, v) // rounding
			}
		}
		all = append(all, [][][]float64{d})
	}
	c, err := classify.LeaveOneOut(sum(all, 0), r.labels, nearest)
	return c.Right, err
}

// others are the other measures beside Victor and Purpura's.
func (s *odourStudy) others() error {
	var bars []figure.Bar
	chance := 1 / float64(len(s.three))
	for _, m := range []struct {
		name string
		of   distance.Measure
	}{
		{"counts (q = 0)", distance.VictorPurpura{}}, {"ISI", distance.ISI{}}, {"SPIKE", distance.SPIKE{}},
		{"RI-SPIKE", distance.SPIKE{RateIndependent: true}}, {"1 − SPIKE-sync", distance.Sync{}},
	} {
		v, err := s.apart(s.after, m.of)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		s.metrics[m.name] = v
		bars = append(bars, figure.Bar{Name: m.name, Value: v, Reference: &chance})
	}
	rossum, err := s.scan("van Rossum", taus, s.after, func(t float64) distance.Measure { return distance.VanRossum{Tau: t} })
	if err != nil {
		return err
	}
	control, err := s.scan("before the valve", taus, s.before, func(t float64) distance.Measure { return distance.VanRossum{Tau: t} })
	if err != nil {
		return err
	}
	adaptive := figure.Panel{Name: "share of right answers", LogX: true}
	for name, of := range []func(t float64) distance.Measure{
		func(t float64) distance.Measure { return distance.ISI{MRTS: t} },
		func(t float64) distance.Measure { return distance.SPIKE{MRTS: t} },
		func(t float64) distance.Measure { return distance.SPIKE{MRTS: t, RateIndependent: true} },
		func(t float64) distance.Measure { return distance.Sync{MRTS: t} },
	} {
		line, err := s.scan([]string{"A-ISI", "A-SPIKE", "A-RI-SPIKE", "1 − A-SPIKE-sync"}[name], thresholds, s.after, of)
		if err != nil {
			return err
		}
		adaptive.Series = append(adaptive.Series, line)
	}
	adaptive.Series = append(adaptive.Series, level("chance", chance, thresholds))
	b, berr := figure.Bars("Measures without a time scale", "share of right answers", bars)
	f, ferr := figure.Curves("Van Rossum's distance", "τ (s)", figure.Panel{Name: "share of right answers", LogX: true, Series: []figure.Series{rossum, control, level("chance", chance, taus)}})
	a, aerr := figure.Curves("Adaptive measures", "minimum relevant time scale (s)", adaptive)
	return s.section("Other distances", "The same classification by the other measures, summed over neurons, without a claim. RI-SPIKE does not see rates.", nil,
		draw(b, berr, "Share of right answers of five measures", "Marks are chance."),
		draw(f, ferr, "Share of right answers over τ", "A large τ compares counts, a small one coincidences."),
		draw(a, aerr, "Share of right answers over the minimum relevant time scale", "Differences of intervals below the threshold stop counting."))
}

func (s *odourStudy) scan(name string, x []float64, r responses, of func(t float64) distance.Measure) (figure.Series, error) {
	out := figure.Series{Name: name, X: x}
	for _, t := range x {
		v, err := s.apart(r, of(t))
		if err != nil {
			return out, fmt.Errorf("%s at %v s: %w", name, t, err)
		}
		out.Y = append(out.Y, v)
		s.metrics[fmt.Sprintf("%s %v s", name, t)] = v
	}
	return out, nil
}

// respond asks of animals with one odour whether they respond: windows after the valve
// against windows before it.
func (s *odourStudy) respond(one []presentation) error {
	table := report.Table{
		Caption: "After the valve or before it? Victor and Purpura's distance summed over neurons, the best of all q",
		Head:    []string{"animal", "odour", "neurons", "trials", "right", "q (1/s)", "permuted labels", "p"}, Right: []bool{false, false, true, true, true, true, true, true},
	}
	for i, p := range one {
		both := responses{}
		for label, window := range [][2]float64{beforeValve, afterValve} {
			r, err := within([]presentation{p}, window)
			if err != nil {
				return err
			}
			for _, t := range r.trials {
				both.trials, both.labels = append(both.trials, t), append(both.labels, label)
			}
		}
		d, err := both.allByCost(s.threads())
		if err != nil {
			return err
		}
		got, err := classify.Permutation(s.ctx, summed(d), both.labels, nil, nearest, min(s.size.permutations, 10_000), spike.Stream(s.seed, streamRespond, uint64(i)), s.pool)
		if err != nil {
			return err
		}
		s.metrics["responds "+p.animal+" "+p.odour] = got.Value
		table.Rows = append(table.Rows, []string{p.animal, p.odour, fmt.Sprint(both.neurons()), fmt.Sprint(len(p.trials)), percent(got.Value), fmt.Sprint(costs[got.Best]), percent(got.Mean), fmt.Sprintf("%.2g", got.P)})
	}
	return s.section("Animals with one odour", "Whether they respond at all: two seconds from the valve's opening against the two seconds from 2.5 s before it, each window left out in turn. Chance is half; permuted labels have more, since the best of all q is taken of them too.", []report.Table{table})
}
