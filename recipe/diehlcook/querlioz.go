package diehlcook

import (
	"context"

	"synfire/data/mnist"
	"synfire/model"
	"synfire/recipe"
	"synfire/report"
	"synfire/rule/stdp"
)

// querlioz is the name of the network with simplified plasticity, and of its claim.
const querlioz = "querlioz"

// Querlioz is the recipe of the network of Querlioz et al. (2013): simplified plasticity, as
// memristive devices have it, and thresholds that keep all neurons in use.
func Querlioz() recipe.Recipe {
	return recipe.Recipe{
		ID: querlioz, Paper: "survey-2018", Title: "Simplified plasticity: digits without labels, as memristive devices learn them",
		Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 8, report.Full: 24},
		Claims: []report.Claim{{
			ID: querlioz, Name: "MNIST test accuracy of 300 neurons that learn without labels by simplified plasticity, four epochs of 350 ms an image", Unit: "%", Published: bound(93.5),
			Source: "reported", Direction: report.AtLeast, Statistic: report.Median,
			Bounds: report.Bounds{Short: bound(88), Full: bound(88)}, Seeds: report.Seeds{Short: 1, Full: 3}, N: report.Samples{Short: images, Full: images},
			Note: "To be reported beside the published figure; the bound is what 89.3 % of 2,000 training images held out let expect, after two epochs of 38,000. Rate, window and target were chosen there among three to four values each, with 100 neurons. Of several epochs 5,000 images held out choose the best.",
		}},
		Config: querliozConfig, Run: reproduceQuerlioz,
	}
}

var aboutQuerlioz = about{
	title: "Digits without labels, by simplified plasticity", thresholds: "thresholds",
	link: report.Link{Text: "Querlioz et al. 2013", URL: "https://doi.org/10.1109/TNANO.2013.2250995"},
}

// querliozConfig is the network of 300 neurons, at smoke one of 50 that learns the digits of
// the program.
func querliozConfig(scale report.Scale, seed uint64) (model.Config, error) {
	r := stdp.NewQuerlioz()
	r.Neurons = 300
	c := model.Config{Seed: seed, Data: model.Data{Name: "mnist"}, Steps: 350, Epochs: 4, Batch: 100, Valid: 5000.0 / 60_000}
	switch scale {
	case report.Smoke:
		r.Neurons, r.Target, r.Plus, r.Minus = 50, 0.1, 0.05, 0.025 // so few images are to be learned
		c.Data.Name, c.Epochs, c.Valid = mnist.SampleName, 2, 0.1
	case report.Short, report.Full:
	default:
		return c, recipe.NoScale("querlioz", scale)
	}
	c.Rule = r
	return c, nil
}

func reproduceQuerlioz(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	c, err := querliozConfig(e.Scale, e.Seed)
	if err != nil {
		return nil, err
	}
	jobs, err := recipe.Load(ctx, e, c.Data)
	if err != nil {
		return nil, err
	}
	s, seeds := study{jobs, aboutQuerlioz}, uint64(1)
	if e.Scale == report.Full {
		seeds = 3
	}
	for i := range seeds {
		c.Seed = e.Seed + i
		if t := s.Run(ctx, recipe.Job{Name: querlioz, Config: c}); t != nil {
			s.measure(t)
		}
	}
	return s.outcome(ctx)
}
