package recorded

import (
	"context"
	"fmt"

	"synfire/data/recordings"
	"synfire/format/spiketrain"
	"synfire/internal/par"
	"synfire/recipe"
	"synfire/report"
	"synfire/spike"
)

// odourTrials are those of three odours.
const odourTrials = 60

func odours() recipe.Recipe {
	return recipe.Recipe{
		ID: "odours", Paper: "rate-vs-temporal-2018",
		Title:   "Which distance tells odours apart by the spikes of real neurons",
		Minutes: map[report.Scale]float64{report.Smoke: 0.02, report.Short: 1.5, report.Full: 3},
		Claims: []report.Claim{
			judged("odours", "share of odours told apart by three neurons, q chosen among the other trials (chance 1/3)", "", report.AtLeast, 0.60, odourTrials),
			judged("odours-permutation", "the same: p of permuted labels, the best of all q each", "", report.AtMost, 0.001, odourTrials),
			judged("before-valve", "odours before the valve opens: p of permuted labels, the best of all q each", "", report.AtLeast, 0.05, odourTrials),
			judged("timing", "neurons of three that tell odours apart better than surrogates of the same counts and pooled times (best of all q, Holm, p < 0.05)", "neurons", report.AtLeast, 2, odourTrials),
		},
		Run: runOdours,
	}
}

// odourSize is how much a scale draws.
type odourSize struct{ permutations, surrogates, intervals int }

var odourSizes = map[report.Scale]odourSize{
	report.Smoke: {permutations: 99, surrogates: 9, intervals: 4},
	report.Short: {permutations: 10_000, surrogates: 1000, intervals: 200},
	report.Full:  {permutations: 100_000, surrogates: 1000, intervals: 1000},
}

// costs are q of Victor and Purpura's distance, per second.
var costs = []float64{0, 1, 2, 5, 10, 20, 50, 100}

// The windows, in seconds from the valve's opening.
var (
	afterValve  = [2]float64{0, 2}
	beforeValve = [2]float64{-2.5, -0.5}
	shownWindow = [2]float64{-3, 5}
)

// presentation is the trials of an odour, with the valve's opening at 0.
type presentation struct {
	animal, odour string
	trials        [][]spike.Train // a trial's neurons
}

// responses are trials in a window, with the odour of each.
type responses struct {
	trials [][]spike.Train
	labels []int
}

// within cuts presentations to a window that starts at 0.
func within(list []presentation, window [2]float64) (r responses, err error) {
	for label, p := range list {
		for i, trial := range p.trials {
			var cut []spike.Train
			for _, t := range trial {
				if window[0] < t.Start || window[1] > t.Stop {
					return r, fmt.Errorf("%s, %s, trial %d: observed in [%v, %v] s about the valve, want %v", p.animal, p.odour, i+1, t.Start, t.Stop, window)
				}
				c, _ := t.Clip(window[0], window[1])
				cut = append(cut, c.Moved(-window[0]))
			}
			r.trials, r.labels = append(r.trials, cut), append(r.labels, label)
		}
	}
	return r, nil
}

// neuron is the trains of one neuron, a trial each.
func (r responses) neuron(k int) []spike.Train {
	out := make([]spike.Train, len(r.trials))
	for i, t := range r.trials {
		out[i] = t[k]
	}
	return out
}

func (r responses) neurons() int { return len(r.trials[0]) }

// threeOdours are the files of the animal that got three.
var threeOdours = []string{"star/e060817terpi", "star/e060817citron", "star/e060817mix"}

// oneOdour are the files of the others.
var oneOdour = []string{"star/CAL1V", "star/CAL2C", "star/e060517ionon", "star/e060824citral", "star/e070528citronellal"}

func presentations(a *recordings.Archive, files []string) (list []presentation, err error) {
	for _, name := range files {
		info, err := a.Info(name)
		if err != nil {
			return nil, err
		}
		if info.On == nil || len(info.Trials) == 0 {
			return nil, fmt.Errorf("recordings: %s has no valve time or no trials; fetch the archive again", name)
		}
		rec, err := a.Recording(info)
		if err != nil {
			return nil, err
		}
		p := presentation{animal: info.Animal, odour: fmt.Sprint(info.Condition["stimulus"])}
		for _, trial := range rec.Trials {
			one, err := rec.Trial(trial)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			trains, _, err := one.Build(spiketrain.Options{})
			if err != nil {
				return nil, fmt.Errorf("%s, trial %s: %w", name, trial, err)
			}
			for i := range trains {
				trains[i] = trains[i].Moved(-*info.On)
			}
			p.trials = append(p.trials, trains)
		}
		list = append(list, p)
	}
	return list, nil
}

// odourData are the presentations of a scale.
func odourData(ctx context.Context, e *recipe.Env) (three, one []presentation, err error) {
	if e.Scale == report.Smoke {
		return madeOdours(e.Seed, 6), madeOdours(e.Seed+1, 6)[:1], nil
	}
	a, err := open(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	if three, err = presentations(a, threeOdours); err != nil {
		return nil, nil, err
	}
	one, err = presentations(a, oneOdour)
	return three, one, err
}

// madeOdours draws three presentations: neurons whose rates follow the valve, higher or
// later for some odours.
func madeOdours(seed uint64, trials int) (list []presentation) {
	for odour := range uint64(3) {
		p := presentation{animal: "made up", odour: fmt.Sprintf("odour %c", 'A'+odour)}
		for trial := range trials {
			var trains []spike.Train
			for neuron := range uint64(3) {
				at := 0.3 + 0.4*float64((odour+neuron)%3)
				rate := func(t float64) float64 {
					if t >= at && t < at+0.3 {
						return 40
					}
					return 4
				}
				t, err := spike.Inhomogeneous{Rate: rate, Max: 40}.Train(spike.Stream(seed, odour, uint64(trial), neuron), -3.5, 5.5)
				if err != nil {
					panic(err) // the rate is bounded as stated
				}
				trains = append(trains, t)
			}
			p.trials = append(p.trials, trains)
		}
		list = append(list, p)
	}
	return list
}

func runOdours(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	size, ok := odourSizes[e.Scale]
	if !ok {
		return nil, recipe.NoScale("odours", e.Scale)
	}
	three, one, err := odourData(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("odours: %w", err)
	}
	s := &odourStudy{findings: newFindings(), ctx: ctx, pool: e.Pool, seed: e.Seed, size: size, three: three}
	if s.after, err = within(three, afterValve); err == nil {
		s.before, err = within(three, beforeValve)
	}
	for _, part := range []func() error{s.raster, s.costs, s.surrogates, s.others, func() error { return s.respond(one) }} {
		if err != nil {
			break
		}
		err = part()
	}
	if err != nil {
		return nil, fmt.Errorf("odours: %w", err)
	}
	return s.outcome(e.Scale, "Rate or timing in the antennal lobe: which distance tells odours apart", s.lead(), []string{
		"The odours were presented in blocks, one after the other: a permutation of labels cannot exclude that the animal or the recording drifted. The two seconds before the valve are the control for that.",
		"That accuracy falls at a large q is no evidence of the precision of timing: classes with few spikes lose there, since all trials are as far apart as they have spikes.",
		"Spikes were sorted by the recorders, who say that sorting leaves artefacts between neurons.",
	}, "recordings (STAR, antennal lobe of the cockroach; Pouzat, R package STAR 0.3-7, GPL ≥ 2)"), nil
}

// odourStudy is the question of odours.
type odourStudy struct {
	*findings
	ctx           context.Context
	pool          *par.Pool
	seed          uint64
	size          odourSize
	three         []presentation
	after, before responses

	right float64 // nested, population
	rate  float64 // by counts alone
	timed int
}
