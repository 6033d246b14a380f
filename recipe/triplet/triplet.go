// Package triplet shows what the triplet rule of spike-timing-dependent plasticity is for:
// pairs of an input that fires 10 ms before its neuron strengthen the synapse when they come
// often and not when they come rarely, as in slices of the visual cortex (Pfister and Gerstner
// 2006). No rule of pairs does both.
package triplet

import (
	"context"
	"fmt"
	"math"

	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/stdp"
	"synfire/tensor"
)

const (
	pairings = 60
	lead     = 10.0 // ms that the input fires before the neuron, or after it
	rare     = 0.1  // Hz
	often    = 40.0
)

// Recipe is the study.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "triplet", Paper: "survey-2018", Title: "Triplets of spikes: plasticity depends on how often pairs come",
		Minutes: map[report.Scale]float64{report.Smoke: 0.05, report.Short: 0.1, report.Full: 0.5},
		Claims:  claims(), Run: reproduce,
	}
}

// claims are those of the rule with constants fitted to the visual cortex.
func claims() []report.Claim {
	one := report.Seeds{Short: 1, Full: 1}
	const source = "no paper: the published figure 3 is a curve; its constants are those of programs that cite table 4"
	c := func(id, name string, d report.Direction, bound float64, note string) report.Claim {
		claim := recipe.Bounded(id, name, "", source, d, bound, one, report.Samples{})
		claim.Note = note
		return claim
	}
	return []report.Claim{
		c("triplet-curve", "change of a weight by 60 pairings at +10 ms and 40 Hz less that at 0.1 Hz, triplet rule", report.AtLeast, 0.3, "There is no chance in it: one run is all."),
		c("rare", "size of the change by 60 pairings at +10 ms and 0.1 Hz, triplet rule", report.AtMost, 0.01, ""),
		c("pairs-cannot", "least size of the change at 0.1 Hz of any pair rule that changes as much as the triplet rule at 40 Hz", report.AtLeast, 0.1, "Of the windows' time constants, 16.8 and 33.7 ms, and any two amplitudes that are not negative."),
	}
}

// Change is that of a weight, by pairings of an input that fires dt ms before (after, where
// negative) its neuron, at a frequency in Hz, on steps of so many ms.
func Change(ctx context.Context, rule stdp.Plasticity, dt, frequency, step float64) (float64, error) {
	n, err := stdp.New(stdp.Options{Step: step})
	if err != nil {
		return 0, err
	}
	var in, told, out *stdp.Population
	for _, p := range []struct {
		to   **stdp.Population
		name string
		kind stdp.Neurons
	}{{&in, "input", stdp.Trains{}}, {&told, "told", stdp.Trains{}}, {&out, "neuron", stdp.LIF{Tau: 10, Threshold: 1e6}}} {
		if *p.to, err = n.Add(p.name, 1, p.kind); err != nil {
			return 0, err
		}
	}
	if _, err = n.Connect("tell", told, out, stdp.Synapses{OneToOne: 1e9}); err != nil {
		return 0, err
	}
	c, err := n.Connect("synapse", in, out, stdp.Synapses{Weights: make([]tensor.Float, 1), Delay: step, Rule: rule})
	if err != nil {
		return 0, err
	}
	var pre, post []float64
	for k := range pairings {
		at := math.Abs(lead) + float64(k)*1000/frequency
		pre, post = append(pre, at), append(post, at+dt)
	}
	if err := in.Play([][]float64{pre}); err != nil {
		return 0, err
	}
	if err := told.Play([][]float64{post}); err != nil {
		return 0, err
	}
	if err := n.Run(ctx, 3*lead+pairings*1000/frequency); err != nil {
		return 0, err
	}
	return float64(c.Weights()[0]), nil
}

// step is the length of a scale's steps in ms.
func step(scale report.Scale) float64 {
	return map[report.Scale]float64{report.Smoke: 1, report.Short: 1, report.Full: 0.25}[scale]
}

func reproduce(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	dt := step(e.Scale)
	if dt == 0 {
		return nil, recipe.NoScale("triplet", e.Scale)
	}
	s := recipe.NewStudy(e, nil, nil)
	change := func(rule stdp.Plasticity, at, frequency float64) float64 {
		if s.Err() != nil {
			return 0
		}
		v, err := Change(ctx, rule, at, frequency, dt)
		if err != nil {
			s.Fail(err)
		}
		return v
	}
	rule := stdp.VisualCortex()
	up := stdp.Pair{Plus: 1, TauPlus: rule.TauPlus, TauMinus: rule.TauMinus}
	down := stdp.Pair{Minus: 1, TauPlus: rule.TauPlus, TauMinus: rule.TauMinus}
	low, high := change(rule, lead, rare), change(rule, lead, often)
	s.Add("triplet-curve", high-low, 0)
	s.Add("rare", math.Abs(low), 0)
	// A rule of amplitudes a and b changes by a·up + b·down: at 40 Hz by high, which takes the
	// least a where b is 0, since down is negative; at 0.1 Hz down is nothing and up is not.
	upRare, upOften, downRare := change(up, lead, rare), change(up, lead, often), change(down, lead, rare)
	s.Metrics["change_rare"], s.Metrics["change_often"], s.Metrics["pair_depression_rare"] = low, high, downRare
	s.Add("pairs-cannot", high/upOften*upRare, 0)

	before, after := figure.Series{Name: "+10 ms"}, figure.Series{Name: "−10 ms"}
	pairs := figure.Series{Name: "+10 ms, rule of pairs"}
	for _, f := range []float64{0.1, 1, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50} {
		for _, line := range []struct {
			to    *figure.Series
			value float64
		}{{&before, change(rule, lead, f)}, {&after, change(rule, -lead, f)}, {&pairs, high / upOften * change(up, lead, f)}} {
			line.to.X, line.to.Y = append(line.to.X, f), append(line.to.Y, line.value)
		}
	}
	if s.Err() != nil {
		return nil, s.Err()
	}
	f, err := figure.Curves("Pairings at a frequency", "pairings a second", figure.Panel{Name: "change of the weight", Series: []figure.Series{before, after, pairs}})
	if err != nil {
		return nil, err
	}
	return s.Outcome(func(report.Run) report.Page {
		return report.Page{
			Title: "Triplets of spikes",
			Lead:  fmt.Sprintf("60 pairings at +10 ms change a weight by %.3f at 40 Hz and by %.1e at 0.1 Hz; a rule of pairs that does the first changes it by %.3f at 0.1 Hz.", high, low, high/upOften*upRare),
			Sections: []report.Section{{Title: "Frequency", Figures: []report.Figure{{
				SVG: f.SVG(), Alt: "Change of a weight by 60 pairings over their frequency",
				Caption: "Of the triplet rule for both orders, and of a rule of pairs without depression that meets the triplet rule at 40 Hz.",
			}}}},
			Links: []report.Link{{Text: "Pfister and Gerstner 2006", URL: "https://doi.org/10.1523/JNEUROSCI.1425-06.2006"}},
		}
	})
}
