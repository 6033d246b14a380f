// Package spikingresnet is the recipe of converted residual networks (Hu, Tang and Pan,
// "Spiking deep residual network", arXiv 1805.01352, 2018; IEEE TNNLS 2021).
//
// Batch normalisation is folded, and layers are scaled by a high percentile of their
// activations, λ. What a shortcut carries is multiplied by λ_in/λ_out, so that both branches of
// a sum arrive in one unit; neurons start from half of their threshold; a factor a little above
// 1 on the weights may compensate for what is lost from layer to layer. Max pooling becomes a
// gate that counts spikes. Measured is the accuracy over the steps with and without each.
package spikingresnet

import (
	"context"

	"synfire/data/mnist"
	"synfire/recipe"
	"synfire/report"
)

// The claims' ids.
const (
	resnetClaim   = "resnet20"
	shortcutClaim = "shortcut"

	half64Claim       = "half-64"
	half128Claim      = "half-128"
	zeroClaim         = "half-zero"
	percentileClaim   = "percentile"
	moreClaim         = "percentile-spikes"
	compensationClaim = "compensation"
	needlessClaim     = "compensation-half"
	hardClaim         = "hard"

	digitsClaim = "mnist"

	balanceClaim     = "balance"
	balanceGainClaim = "balance-gain"

	poolClaim   = "max-pool"
	countClaim  = "max-pool-count"
	biasesClaim = "max-pool-biases"
)

// The recipe's parts: resnet20 is of few channels at short, depths are of full.
const (
	digitsPart = "mnist"
	resnetPart = "resnet20"
	depthsPart = "depths"
	poolPart   = "max-pool"
)

// floor is what ResNet-20 must reach at full for a claim on it to count.
const floor = 87.5

// How many test images arms are measured on where not all.
const (
	tested       = 1000
	testedDigits = 2000
)

// Recipe is the recipe.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "spiking-resnet", Paper: "spiking-resnet-2018", Title: "Residual networks made spiking",
		Minutes: minutes, Claims: claims(), Run: run,
		Parts: []recipe.Part{
			{Name: digitsPart, Claims: []string{digitsClaim}},
			{Name: resnetPart, Claims: []string{
				resnetClaim, shortcutClaim, balanceClaim, balanceGainClaim,
				half64Claim, half128Claim, zeroClaim, percentileClaim, moreClaim, compensationClaim, needlessClaim, hardClaim,
			}},
			{Name: depthsPart},
			{Name: poolPart, Claims: []string{poolClaim, countClaim, biasesClaim}},
		},
	}
}

func claims() []report.Claim {
	const card = "no paper: a calibration in another program, one seed, 250 test images"
	const pooled = "no paper: a calibration in another program, one seed, 200 test images"
	of := func(id, name, unit, source string, d report.Direction, bound float64, short, full int) report.Claim {
		var seeds report.Seeds
		if short > 0 {
			seeds.Short = 1
		}
		if full > 0 {
			seeds.Full = 1
		}
		return recipe.Bounded(id, name, unit, source, d, bound, seeds, report.Samples{Short: short, Full: full})
	}
	const small = "ResNet-20 of 8, 16 and 32 channels on CIFAR-10 (JPEG Q75): "
	const pool = "16-16-M-32-32-M-64-64-M-10 with max pooling on CIFAR-10 (JPEG Q75): "
	list := []report.Claim{
		of(resnetClaim, "ResNet-20 on CIFAR-10 (JPEG Q75), 99.9 percentile, from half of the threshold: loss in 350 steps", "points", "paper: ResNet-44 has 92.37 % in 350 steps", report.AtMost, 1, 0, 10_000),
		of(shortcutClaim, "accuracy of ResNet-20 with shortcuts multiplied by λ_in/λ_out less that with weight 1, the smaller gain of 64 and 128 steps; at short with 8, 16 and 32 channels", "points", card+": 10.8", report.AtLeast, 5, tested, 10_000),

		of(balanceClaim, "ResNet-20 on CIFAR-10 (JPEG Q75), 32 steps from 0, scales of each channel fitted to the steps and delayed read-out: loss", "points", "Bu et al. 2025: 4.2 of ResNet-18 on ImageNet", report.AtMost, 5, 0, 10_000),
		of(balanceGainClaim, "the same: accuracy less that with the 99.9 percentile of layers and delayed read-out", "points", "Bu et al. 2025: 65.5 for 12.5 % without the delay, of ResNet-18 on ImageNet", report.AtLeast, 10, 0, 10_000),

		of(half64Claim, small+"loss in 64 steps from half of the threshold", "points", card+": 1.2", report.AtMost, 3, tested, 0),
		of(half128Claim, small+"loss in 128 steps from half of the threshold", "points", card+": −0.8", report.AtMost, 2, tested, 0),
		of(zeroClaim, small+"accuracy in 32 steps from half of the threshold less that from 0", "points", card+": 37.2", report.AtLeast, 20, tested, 0),
		of(percentileClaim, small+"accuracy with scales by the 99.9 percentile less that by the largest activation, the smallest of 8, 16, 32 and 64 steps", "points", card+": 2.0", report.AtLeast, 0, tested, 0),
		of(moreClaim, small+"spikes in 128 steps by the 99.9 percentile over those by the largest activation", "×", card+": 1.85", report.AtLeast, 1.5, tested, 0),
		of(compensationClaim, small+"gain of accuracy by weights times 1.03 from 0, the smaller of 32 and 64 steps", "points", "no paper: a calibration in another program, of 14 layers: 4.0", report.AtLeast, 2, tested, 0),
		of(needlessClaim, small+"the same gain from half of the threshold, the larger", "points", "no paper: a calibration in another program, of 14 layers: −2.4", report.AtMost, 1, tested, 0),
		of(hardClaim, small+"largest accuracy of any steps with hard reset from 0", "%", card+": 9.2", report.AtMost, 15, tested, 0),

		of(digitsClaim, "ResNet-8 of 8, 16 and 32 channels on MNIST: loss in 128 steps", "points", "no paper: an expectation; the paper: 99.59 % of another ResNet-8", report.AtMost, 0.3, testedDigits, 0),

		of(poolClaim, pool+"accuracy in 32 steps with exact counts less that with the gate of the highest rate, or that less the one with any spike, the smaller", "points", pooled+": 8.0", report.AtLeast, 2, tested, tested),
		of(countClaim, pool+"larger loss of 32 and 64 steps with exact counts", "points", pooled+": 2.5", report.AtMost, 3, tested, tested),
		of(biasesClaim, pool+"accuracy in 32 steps with exact counts less that without biases", "points", pooled+", of the gate of the highest rate: 30.0", report.AtLeast, 20, tested, tested),
	}
	for i := range list {
		list[i].Note = "Bounds were stated before any run."
		switch list[i].ID {
		case resnetClaim, shortcutClaim:
			list[i].Note += " At full it counts only where the ordinary network reaches 87.5 %."
		case balanceClaim, balanceGainClaim:
			list[i].Note += " It counts only where the ordinary network reaches 87.5 %, and where the scales of layers lose at least 20 points without the delay."
		case compensationClaim, needlessClaim:
			list[i].Note += " The calibration measured it on 14 layers, and expects it of 20."
		}
	}
	return list
}

func run(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	z, ok := sizes[e.Scale]
	if !ok {
		return nil, recipe.NoScale("spiking-resnet", e.Scale)
	}
	return recipe.Converting[*study]{
		Data: z.data, Steps: z.steps, Begin: func(s *recipe.ConversionStudy) *study { return &study{ConversionStudy: s, size: z} },
		Page: report.Page{
			Title: "Residual networks made spiking",
			Lead:  "Both branches of a residual sum must arrive in one unit: shortcuts get the ratio of the scales that they join. Accuracy over the steps, with that and without it.",
			Links: []report.Link{{Text: "Hu et al. 2018", URL: "https://arxiv.org/abs/1805.01352"}},
		},
	}.Run(ctx, e)
}

// size is what a scale runs.
type size struct {
	steps       []recipe.StudyStep[*study]
	data        string
	digitImages int // training images of ResNet-8; 0: all
	digitEpochs int
	digitTested int // test images
	digitSteps  []int
	images      int // training images of ResNet-20; 0: all
	epochs      int
	calibrated  int // training images
}

var (
	sizes = map[report.Scale]size{
		report.Smoke: {steps: []recipe.StudyStep[*study]{{Part: digitsPart, Run: (*study).digits}}, data: mnist.SampleName, digitEpochs: 2, digitTested: 50, digitSteps: []int{8, 16}, calibrated: 20},
		report.Short: {steps: []recipe.StudyStep[*study]{{Part: digitsPart, Run: (*study).digits}, {Part: resnetPart, Run: (*study).small}, {Part: poolPart, Run: (*study).pooled}}, data: "mnist",
			digitImages: 20_000, digitEpochs: 2, digitTested: testedDigits, digitSteps: []int{16, 32, 64, 128}, images: 16_000, epochs: 5, calibrated: 300},
		report.Full: {steps: []recipe.StudyStep[*study]{{Part: resnetPart, Run: (*study).published}, {Part: depthsPart, Run: (*study).depths}, {Part: poolPart, Run: (*study).pooled}}, data: recipe.Photographs, calibrated: 500},
	}
	// minutes at full are an estimate by the speed of what was run, on two threads.
	minutes = map[report.Scale]float64{report.Smoke: 0.3, report.Short: 40, report.Full: 200}
)
