package eqprop

import (
	"context"

	"synfire/recipe"
	"synfire/report"
	rule "synfire/rule/eqprop"
	"synfire/rule/eqprop/unit"
)

// Spiking is the recipe of spiking equilibrium propagation.
func Spiking() recipe.Recipe {
	return recipe.Recipe{
		ID: "spiking-eqprop", Paper: "spiking-eqprop-2019", Title: "Spiking equilibrium propagation on MNIST",
		Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 0.5, report.Full: 25},
		Claims: []report.Claim{
			errorClaim("one-epoch", "MNIST test error after one epoch of 50,000 images", "no paper: an earlier program's 4.56 %", bound(5.5), nil, 1),
			errorClaim("full", "MNIST test error of 784–500–10, 25 epochs", "code comments: 2.58 % with adapted steps alone, reported", nil, bound(2.8), 3),
			{
				ID: "speed", Name: "time of an epoch, its test included", Unit: "s", Source: "a third of an earlier program's 140 s",
				Direction: report.AtMost, Statistic: report.Median,
				Bounds: report.Bounds{Short: bound(46.6)}, Seeds: report.Seeds{Short: 1, Full: 1},
			},
		},
		Run: runSpiking,
	}
}

// InitSpiking is the recipe of spiking networks that start at a prediction.
func InitSpiking() recipe.Recipe {
	return recipe.Recipe{
		ID: "init-spiking-eqprop", Paper: "idea-topk-eqprop", Title: "Spiking equilibrium propagation from a prediction",
		Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 0.8, report.Full: 10},
		Claims: []report.Claim{{
			ID: "init-spiking", Name: "test error with 50 free steps from the prediction, less that of 100 from rest", Unit: "points", Source: "no paper: the reader's idea",
			Direction: report.AtMost, Statistic: report.Median,
			Bounds: report.Bounds{Short: bound(0.5), Full: bound(0.5)}, Seeds: report.Seeds{Short: 1, Full: 3},
		}},
		Run: runInitSpiking,
	}
}

// adapted are the published units of the figure: steps that adapt to their drive, and
// a predictive code.
func adapted() *unit.Spiking { return &unit.Spiking{Drift: 0.0346, Lambda: 0.275} }

// spiking is the published network of the figure: adapted steps and predictive
// coding, 100 free and 50 nudged steps.
func spiking(seed uint64, images, epochs int) Job {
	c := one(seed)
	c.Beta, c.Nudge, c.Free, c.Nudged = 0.5, rule.RandomSign, 100, 50
	c.Spiking = adapted()
	return Job{Name: "spiking", Config: c, Images: images, Epochs: epochs, Batch: 20, Shuffle: true}
}

// initSpiking starts at a prediction and takes half the free steps.
func initSpiking(seed uint64, images, epochs int) Job {
	j := spiking(seed, images, epochs)
	s := *j.Config.Spiking
	s.Warm = 20
	j.Name, j.Config.Free, j.Config.Spiking, j.Config.Predictor = "init-spiking", 50, &s, &rule.Predictor{Lambda: 0.1}
	return j
}

func runSpiking(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	b, err := newBoard(ctx, e)
	if err != nil {
		return nil, err
	}
	switch e.Scale {
	case report.Smoke:
		b.measure(ctx, "", small(spiking(e.Seed, 0, 2)))
	case report.Short:
		b.measure(ctx, "one-epoch", spiking(e.Seed, 50_000, 1))
		b.add("speed", b.Metrics[metric(b.last())+"_seconds_per_epoch"])
	case report.Full:
		for i := range uint64(3) {
			b.measure(ctx, "full", spiking(e.Seed+i, 50_000, 25))
		}
	}
	return b.outcome(spikingPage)
}

var spikingPage = report.Page{
	Title: "Spiking equilibrium propagation",
	Lead:  "Units send one bit a step, by sigma-delta modulation of a predictive code, and move by steps that adapt to their drive. Their states approach the real-valued network's, and teach as those do.",
	Links: []report.Link{{Text: "O'Connor, Gavves and Welling 2019", URL: "https://proceedings.mlr.press/v89/o-connor19a.html"}},
}

// small shortens the phases of a smoke run.
func small(j Job) Job {
	j.Config.Sizes, j.Config.Free, j.Config.Nudged = []int{784, 60, 10}, 30, 15
	return j
}

func runInitSpiking(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	b, err := newBoard(ctx, e)
	if err != nil {
		return nil, err
	}
	if e.Scale == report.Smoke {
		b.measure(ctx, "", small(initSpiking(e.Seed, 0, 2)))
		return b.outcome(spikingPage)
	}
	seeds, epochs := uint64(1), 1
	if e.Scale == report.Full {
		seeds, epochs = 3, 5
	}
	for i := range seeds {
		rest := b.testError(ctx, spiking(e.Seed+i, 50_000, epochs))
		b.add("init-spiking", b.testError(ctx, initSpiking(e.Seed+i, 50_000, epochs))-rest)
	}
	page := spikingPage
	page.Title = "Spiking equilibrium propagation from a prediction"
	return b.outcome(page)
}
