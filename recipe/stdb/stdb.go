// Package stdb is the recipe of hybrid conversion and spike-timing dependent
// backpropagation (Rathi, Srinivasan, Panda and Roy, "Enabling deep spiking neural networks
// with hybrid conversion and spike timing dependent backpropagation", ICLR 2020).
//
// An ordinary network without biases is trained, converted by threshold balancing (package
// convert), and trained on for a few epochs as a spiking one:
//
//	ann          rectified units, one step
//	converted    neurons in their place, thresholds s times the largest input, T steps
//	hybrid-…     the same, trained on by STDB (surrogate α·exp(−β·Δt)) or by the linear one
//	scratch      spiking from the start, threshold 1
//
// Neurons are neuron.STDB in the order of the authors' program: each of the two layers acts
// a step late, so that of T steps the scores, the last layer's input summed over time, see
// T − 2. The perceptron 784–200–200–10 learns 5,000 images and sees spikes drawn anew in
// each step, as in the paper; the convolutional network learns all and sees the image itself
// as a current.
//
// Figures are of the last epoch, or of the epoch that a claim names. The test images choose
// nothing: what was chosen was chosen on training images held out, as Chosen says.
package stdb

import (
	"context"

	"synfire/recipe"
	"synfire/report"
)

// The claims' ids.
const (
	scratchClaim   = "scratch"
	annClaim       = "from-ann"
	gapClaim       = "from-ann-gap"
	linearClaim    = "from-ann-linear-gap"
	convertedClaim = "converted"
	risesClaim     = "converted-rises"
	hybrid8Claim   = "hybrid-t8"
	hybrid6Claim   = "hybrid-t6"
	stdb8Claim     = "hybrid-t8-stdb"
	earlyClaim     = "hybrid-before-scratch"
)

// testImages is of how many images a figure is.
const testImages = 10_000

// repeated is the seeds of the perceptrons.
const repeated = 3

// Chosen is how the settings came about.
const Chosen = "The perceptron's settings are those of a calibration in another program (Adam 1e-3 and 1e-4, batches of 64, s = 0.7 as in the authors' program, thresholds of 200 images in 100 steps), and none was changed. Those of the convolutional network were set beforehand and looked at once on 6,000 training images held out, with seed 11: after four epochs the ordinary network had 98.95 %, after one more with the surrogate of spike times the spiking one 98.73 %; the ordinary network was then given more epochs, and training by spikes two."

// Recipe is the recipe.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "stdb", Paper: "stdb-2020", Title: "Hybrid conversion and spike-timing dependent backpropagation",
		Minutes: minutes, Claims: claims(), Run: runStudy,
	}
}

func bound(v float64) *float64 { return &v }

func claims() []report.Claim {
	at := func(id, name, unit, source string, d report.Direction, limit float64, short, full int) report.Claim {
		return report.Claim{
			ID: id, Name: name, Unit: unit, Source: source, Direction: d, Statistic: report.Median,
			Bounds: report.Bounds{Short: bound(limit), Full: bound(limit)}, Seeds: report.Seeds{Short: short, Full: full}, N: report.Samples{Short: testImages, Full: testImages},
		}
	}
	const ours, card = "no paper: our network", "no paper: a calibration with one seed and 1,000 test images"
	list := []report.Claim{
		at(scratchClaim, "MNIST test accuracy of the convolutional network trained as a spiking one from the start, in 8 steps of which the scores see 6", "%", ours, report.AtLeast, 98.5, 1, 3),
		at(annClaim, "MNIST test accuracy of the convolutional network from its ordinary twin's weights by STDB with the surrogate of spike times, in 8 steps of which the scores see 6", "%", ours, report.AtLeast, 99.0, 1, 3),
		at(gapClaim, "accuracy of the ordinary network less that of from-ann", "points", "paper: 0.9 to 2.3 on CIFAR-10 (VGG9, VGG16 in 100 steps), reported", report.AtMost, 0.5, 1, 3),
		at(linearClaim, "accuracy of the ordinary network less that from its weights with the linear surrogate", "points", ours, report.AtMost, 0.5, 1, 3),
		at(convertedClaim, "accuracy of the ordinary perceptron less that of the converted one in 100 steps", "points", card+": −0.1", report.AtMost, 0.5, repeated, repeated),
		at(risesClaim, "smallest gain of the converted perceptron's accuracy from 6 to 8, 12 and 25 steps", "points", card+": 1.8", report.AtLeast, 0, repeated, repeated),
		at(hybrid8Claim, "accuracy in 8 steps after an epoch of STDB with the linear surrogate less that of the converted perceptron", "points", card+": 5.1", report.AtLeast, 4, repeated, repeated),
		at(stdb8Claim, "the same with the surrogate of spike times", "points", card+": 5.1", report.AtLeast, 4, repeated, repeated),
		at(hybrid6Claim, "accuracy in 6 steps after an epoch of STDB with the linear surrogate less that of the converted perceptron", "points", card+": 27.5", report.AtLeast, 25, repeated, repeated),
		at(earlyClaim, "accuracy in 8 steps after an epoch from the ordinary network's weights less that after two from the start, linear surrogate", "points", card+": 0.6", report.AtLeast, 0, repeated, repeated),
	}
	for i := range list {
		list[i].Note = "Bounds were stated before any run."
	}
	return list
}

func runStudy(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	z, ok := sizes[e.Scale]
	if !ok {
		return nil, recipe.NoScale("stdb", e.Scale)
	}
	s, err := newStudy(ctx, e, z)
	if err != nil {
		return nil, err
	}
	for _, part := range []func(context.Context) error{s.perceptrons, s.convolutions} {
		if err := part(ctx); err != nil {
			return nil, err
		}
	}
	return s.outcome(ctx)
}
