// Package joint asks whether an ordinary and a spiking network should be trained at once, on
// one set of weights, rather than one after the other: the reader's idea (rule/joint).
//
// The network is 784–200–200–10 without biases. Digits are spikes drawn anew in each of T
// steps, neurons are those of STDB with its step of delay a layer, so that of six steps four
// reach the output. The arms have equal numbers of updates of equal batches:
//
//	conversion   the ordinary network alone, thresholds measured
//	sequential   the ordinary network, thresholds measured, then backpropagation through time
//	scratch      backpropagation through time alone, thresholds 1
//	tandem       the spiking network alone, by gradients of rates (tandem learning)
//	joint-plain  both at once, without distillation and matching of rates
//	joint        both at once, with them
//	joint-tandem the same with the gradients of rates
//
// Learning rate, factor of the thresholds and a share of the schedule are chosen at T = 6 for
// sequential and for joint each from a grid of equal size, by samples that nothing is trained
// on, of another seed. Test samples choose nothing.
package joint

import (
	"context"

	"synfire/recipe"
	"synfire/report"
)

// The claims' ids.
const (
	jointClaim = "joint"
	keptClaim  = "ann-kept"
)

// Recipe is the recipe.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "joint", Paper: "idea-joint-ann-snn", Title: "Joint training of an ordinary and a spiking network",
		Minutes: minutes, Claims: claims(), Run: runStudy,
	}
}

// minutes are estimates from the time of a few epochs, but for smoke.
var minutes = map[report.Scale]float64{report.Smoke: 0.2, report.Short: 8, report.Full: 35}

// seeds is how many seeds the comparison has.
const seeds = 5

func claims() []report.Claim {
	claim := func(id, name string, d report.Direction, s report.Statistic, bound float64, note string) report.Claim {
		return report.Claim{
			ID: id, Name: name, Unit: "points", Source: "no paper: the reader's idea", Direction: d, Statistic: s,
			Bounds: report.Bounds{Short: &bound, Full: &bound}, Seeds: report.Seeds{Short: seeds, Full: seeds}, N: report.Samples{Short: 10_000, Full: 10_000}, Note: note,
		}
	}
	return []report.Claim{
		claim(jointClaim, "lower end of the 95 % interval, paired by seed, of the spiking accuracy at T = 6 of joint less sequential training", report.AtLeast, report.Min, 0,
			"It pays if the whole interval lies above 0. Equal updates; learning rate, factor of thresholds and a share of the schedule chosen for either arm from a grid of equal size on validation samples. One figure of five seeds, by Student's t. The grids were widened once, by trials on validation samples in which sequential training took their edges."),
		claim(keptClaim, "accuracy of the ordinary network trained alone less that of the ordinary branch of joint training", report.AtMost, report.Mean, 1,
			"Paired by seed, equal updates. The rate of the ordinary network alone is chosen too, by the accuracy of its conversion; with an unchosen rate of 0.001 it was 1.7 points behind, in a first run at short."),
	}
}

func runStudy(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	z, ok := sizes[e.Scale]
	if !ok {
		return nil, recipe.NoScale("joint", e.Scale)
	}
	s, err := newStudy(ctx, e, z)
	if err != nil {
		return nil, err
	}
	for _, part := range []func(context.Context) error{s.choose, s.compare, s.ablate, s.gradients} {
		if err := part(ctx); err != nil {
			return nil, err
		}
	}
	return s.outcome(ctx)
}
