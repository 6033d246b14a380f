package ratetemporal

import (
	"fmt"
	"math"
	"slices"

	"synfire/distance"
	"synfire/internal/rng"
	"synfire/report"
	"synfire/report/figure"
	"synfire/spike"
)

// ratios of the two trains' rates in A.
var ratios = []float64{1, 2, 4, 8, 16}

// Theory for independent Poisson trains; rho is the ratio of their rates.
func isiTheory(rho float64) float64  { return (1 + rho*rho) / (1 + rho) / (1 + rho) }
func syncTheory(rho float64) float64 { return rho / (1 + rho) / (1 + rho) }

func vanRossumTheory(rateA, rateB, tau, window float64) float64 {
	d := rateA - rateB
	return (rateA+rateB)*window + d*d*(2*tau*window-2*tau*tau*(1-math.Exp(-window/tau)))
}

const (
	rateTau    = 0.1
	editWindow = 40.0
)

var editCosts = []float64{0.1, 1, 10, 100}

// rates is A: independent Poisson trains of rates 1 and ρ.
func (s *study) rates() error {
	list := append(resolved(), measures{{name: "vR D²/T", of: distance.VanRossum{Tau: rateTau, Squared: true}, see: func(v float64, a, _ spike.Train) float64 { return v / a.Duration() }}}...)
	var edits measures
	for _, q := range editCosts {
		edits = append(edits, measures{{name: fmt.Sprintf("VP q=%v", q), of: distance.VictorPurpura{Cost: q}, see: perSpike}}...)
	}
	var c, vp curve
	for i, rho := range ratios {
		e, err := s.sample(s.size.ratePairs, list, s.poissonPair(streamRates, uint64(i), 1, rho, s.size.rateWindow))
		if err != nil {
			return err
		}
		c.add(rho, list, e)
		if e, err = s.sample(s.size.editPairs, edits, s.poissonPair(streamEdits, uint64(i), 1, rho, editWindow)); err != nil {
			return err
		}
		vp.add(rho, edits, e)
	}
	s.keep("A", "ratio", c)
	s.keep("A", "ratio", vp)

	n := s.size.ratePairs
	ri, spk, sync, vr, cost := c.of("RI-SPIKE"), c.of("SPIKE"), c.of("SYNC"), c.of("vR D²/T"), vp.of("VP q=100")
	vrTheory := func(rho float64) float64 {
		return vanRossumTheory(1, rho, rateTau, s.size.rateWindow) / s.size.rateWindow
	}
	s.claim("rate", n, slices.Max(ri)-slices.Min(ri))
	s.claim("rate-isi-theory", n, farthest(ratios, c.of("ISI"), isiTheory))
	s.claim("rate-sync-theory", n, farthest(ratios, sync, syncTheory))
	farVR, farVP := 0.0, 0.0
	for i, rho := range ratios {
		farVR = max(farVR, 100*math.Abs(vr[i]/vrTheory(rho)-1))
		farVP = max(farVP, 100*math.Abs(cost[i]-1))
	}
	s.claim("rate-van-rossum", n, farVR)
	s.claim("rate-spike", n, spk[len(spk)-1]-spk[0])
	s.measured["rate-sync-falls"] = report.Measurement{Values: sync, Arms: []string{"ratio 1", "ratio 2", "ratio 4", "ratio 8", "ratio 16"}, N: n}
	s.claim("rate-victor-purpura", s.size.editPairs, farVP)

	f, err := figure.Curves("Independent trains of two rates", "ratio of the rates",
		figure.Panel{Name: "distance", LogX: true, Series: []figure.Series{c.series("ISI"), theoryLine("ISI, theory", isiTheory), c.series("SPIKE"), c.series("RI-SPIKE")}},
		figure.Panel{Name: "synchronisation", LogX: true, Series: []figure.Series{c.series("SYNC"), theoryLine("theory", syncTheory)}},
		figure.Panel{Name: "van Rossum D² per time", LogX: true, LogY: true, Series: []figure.Series{c.series("vR D²/T"), theoryLine("theory", vrTheory)}},
		figure.Panel{Name: "Victor-Purpura, share of N + M", LogX: true, Series: vp.allSeries()})
	return s.section("A. Two rates", "Trains without any timing. A distance that rises with the ratio of the rates knows rates; RI-SPIKE does not move.",
		[]report.Table{c.table("Mean over pairs ± standard error", "ratio"), vp.table("Victor-Purpura over N + M", "ratio")},
		draw(f, err, "Distances of independent Poisson trains over the ratio of their rates, with lines of theory", "Dashed grey lines are theory. Victor-Purpura with a high cost is the number of spikes: a code by rate."))
}

// theoryLine samples a function between the smallest and the largest ratio.
func theoryLine(name string, f func(rho float64) float64) figure.Series {
	s := figure.Series{Name: name, Reference: true}
	for i := range 33 {
		rho := math.Pow(16, float64(i)/32)
		s.X, s.Y = append(s.X, rho), append(s.Y, f(rho))
	}
	return s
}

// counts are the mean spikes a window in B.
var counts = []float64{0.1, 0.3, 1, 3, 10, 30, 100}

// lowRates is B: two independent Poisson trains of one rate in a window of 1.
func (s *study) lowRates() error {
	list := append(resolved(), measures{{name: "vR D²", of: distance.VanRossum{Tau: 0.1, Squared: true}}, {name: "VP", of: distance.VictorPurpura{Cost: 10}}}...)
	var c curve
	for i, rate := range counts {
		n := s.size.fewPairs
		if rate > 10 {
			n = s.size.manyPairs
		}
		e, err := s.sample(n, list, s.poissonPair(streamLow, uint64(i), rate, rate, 1))
		if err != nil {
			return err
		}
		c.add(rate, list, e)
	}
	s.keep("B", "spikes", c)

	n := s.size.fewPairs
	isi, spk, ri, sync := c.of("ISI"), c.of("SPIKE"), c.of("RI-SPIKE"), c.of("SYNC")
	s.claim("low-rate", n, sync[0])
	s.claim("low-rate-falls", n, min(rises(isi[:3]), rises(spk[:3]), rises(ri[:3])))
	s.claim("low-rate-flat", n, max(spread(isi[4:]), spread(sync[4:]), spread(spk[3:]), spread(ri[3:])))
	twice := func(rate float64) float64 { return 2 * rate }
	relative := c.of("vR D²")
	for i, rate := range counts {
		relative[i] = 100 * relative[i] / twice(rate)
	}
	s.claim("low-rate-van-rossum-theory", n, farthest(counts, relative, func(float64) float64 { return 100 }))

	line := figure.Series{Name: "2λT", X: counts, Reference: true}
	for _, rate := range counts {
		line.Y = append(line.Y, twice(rate))
	}
	f, err := figure.Curves("Independent trains of few spikes", "mean spikes a window",
		figure.Panel{Name: "distance, SYNC a similarity", LogX: true, Series: []figure.Series{c.series("ISI"), c.series("SPIKE"), c.series("RI-SPIKE"), c.series("SYNC")}},
		figure.Panel{Name: "van Rossum D², Victor-Purpura", LogX: true, LogY: true, Series: []figure.Series{c.series("vR D²"), line, c.series("VP")}})
	return s.section("B. Low rates", "Below a spike or so in a window the time-resolved measures call independent trains alike: an artefact of empty trains. Those that count spikes have none.",
		[]report.Table{c.table("Mean over pairs ± standard error", "spikes")},
		draw(f, err, "Distances of independent Poisson trains over the mean number of spikes in a window", "Level curves to the right are the range of rates where the measures mean something."))
}

// spread is the range of values in percent of the last.
func spread(v []float64) float64 { return 100 * (slices.Max(v) - slices.Min(v)) / v[len(v)-1] }

// jitters of C, in mean intervals.
var jitters = []float64{0, 0.01, 0.03, 0.1, 0.3, 1, 3, 10}

// jitter is C: a Poisson train and its copy with Gaussian shifts. Each pair has
// the same shifts, but for their size, at all points.
func (s *study) jitter() error {
	list := append(resolved(), measures{{name: "vR D²/2n", of: distance.VanRossum{Tau: 1, Squared: true}, see: perSpike}, {name: "VP/2n", of: distance.VictorPurpura{Cost: 1}, see: perSpike}}...)
	var c curve
	for _, sigma := range jitters {
		e, err := s.sample(s.size.jitterPairs, list, func(i uint64) (a, b spike.Train, err error) {
			a, err = spike.Poisson{Rate: 1}.Train(spike.Stream(s.seed, streamJitter, i, 0), 0, 100)
			return a, jittered(a, sigma, spike.Stream(s.seed, streamJitter, i, 1)), err
		})
		if err != nil {
			return err
		}
		c.add(sigma, list, e)
	}
	s.keep("C", "jitter", c)

	n, step, zero, end, bend := s.size.jitterPairs, math.Inf(1), 0.0, 0.0, 0.0
	for _, name := range c.names {
		v := c.of(name)
		if name == "SYNC" {
			for i := range v {
				v[i] = 1 - v[i]
			}
		}
		step = min(step, rises(v))
		zero = max(zero, math.Abs(v[0]))
		bend = max(bend, bends(v, jitters))
	}
	for _, m := range resolved() {
		v := c.of(m.name)
		end = max(end, math.Abs(v[len(v)-1]-s.metrics[fmt.Sprintf("A ratio=1 %s", m.name)]))
	}
	s.claim("jitter", n, step)
	s.claim("jitter-zero", n, zero)
	s.claim("jitter-end", n, end)
	s.claim("jitter-linear", n, bend)

	f, err := figure.Curves("A train and its jittered copy", "jitter, in mean intervals", figure.Panel{Name: "distance, SYNC a similarity", LogX: true, Series: c.allSeries()})
	return s.section("C. Jitter", "From the same spikes to unrelated ones.", []report.Table{c.table("Mean over pairs ± standard error", "jitter")},
		draw(f, err, "Distances between a Poisson train and its jittered copy over the size of the jitter", "All begin at identity and level off at the values of independent trains."))
}

// bends is how far the power of x that v grows by from the second point to the third is
// from 1.
func bends(v, x []float64) float64 {
	return math.Abs(math.Log(v[2]/v[1])/math.Log(x[2]/x[1]) - 1)
}

// jittered shifts each spike by a Gaussian time, and clips to the window.
func jittered(t spike.Train, sigma float64, key rng.Key) spike.Train {
	out := spike.Train{Start: t.Start, Stop: t.Stop}
	source := key.Source()
	for _, at := range t.Times {
		out.Times = append(out.Times, min(max(at+sigma*source.Norm(), t.Start), t.Stop))
	}
	return out.Sort()
}

// thresholds are the MRTS of D in seconds; the second hardly differs from none.
var thresholds = []float64{0, 1e-12, 0.01, 0.05, 1, 4}

// doublets is D: 19 doublets and a copy whose spikes are jittered.
func (s *study) doublets() error {
	base := spike.Train{Stop: 20}
	for k := 1.0; k < 20; k++ {
		base.Times = append(base.Times, k, k+0.005)
	}
	var c curve
	n := s.size.doublets
	for _, mrts := range thresholds {
		list := measures{{name: "A-ISI", of: distance.ISI{MRTS: mrts}}, {name: "A-SPIKE", of: distance.SPIKE{MRTS: mrts}}, {name: "A-SYNC", of: distance.Sync{MRTS: mrts}}}
		e, err := s.sample(n, list, func(i uint64) (a, b spike.Train, err error) {
			return base, jittered(base, 0.002, spike.Stream(s.seed, streamDoublets, i)), nil
		})
		if err != nil {
			return err
		}
		c.add(mrts, list, e)
	}
	s.keep("D", "mrts", c)

	isi, spk, sync, zero := c.of("A-ISI"), c.of("A-SPIKE"), c.of("A-SYNC"), 0.0
	for _, v := range [][]float64{isi, spk, sync} {
		zero = max(zero, math.Abs(v[1]-v[0]))
	}
	gain := slices.Max(sync) - sync[0]
	s.claim("mrts", n, gain)
	s.claim("mrts-expected", n, math.Abs(gain-expectedGain)/expectedGainError)
	s.claim("mrts-monotone", n, min(rises(negated(isi)), rises(negated(spk)), rises(sync)))
	s.claim("mrts-zero", n, zero)

	shown := curve{names: c.names, x: c.x[2:], points: c.points[2:]}
	f, err := figure.Curves("Jittered doublets", "threshold (s)",
		figure.Panel{Name: "distance", LogX: true, Series: []figure.Series{shown.series("A-ISI"), shown.series("A-SPIKE"), level("A-ISI without", isi[0]), level("A-SPIKE without", spk[0])}},
		figure.Panel{Name: "synchronisation", LogX: true, Series: []figure.Series{shown.series("A-SYNC"), level("without", sync[0])}})
	return s.section("D. The threshold of the adaptive forms", "Doublets, 5 ms between their spikes and 1 s between doublets, with 2 ms of jitter. Without a threshold the short interval decides which spikes count as coincident; with one of 10 ms or more it no longer does.",
		[]report.Table{c.table("Mean over copies ± standard error", "threshold (s)")},
		draw(f, err, "Adaptive distances of jittered doublets over the threshold", "The grey lines are the plain forms."))
}

// level is a reference over the thresholds that are drawn.
func level(name string, v float64) figure.Series {
	return figure.Series{Name: name, X: []float64{thresholds[2], thresholds[len(thresholds)-1]}, Y: []float64{v, v}, Reference: true}
}
