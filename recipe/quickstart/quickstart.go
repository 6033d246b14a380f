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
		Layers: network.Chain(
			layer.Conv2D{Out: 12, Kernel: []int{5}}, layer.MaxPool{Size: 2}, spiking,
			layer.Conv2D{Out: 32, Kernel: []int{5}}, layer.MaxPool{Size: 2}, spiking,
			layer.Flatten{}, layer.Linear{Out: 10}, spiking,
		),
		Loss:      loss.CountCrossEntropy{},
		Optimizer: optim.Adam{LR: 2e-3},
		Schedule:  optim.Cosine{},
		Epochs:    1,
		Batch:     64,
	}
	switch scale {
	case report.Smoke:
		c.Data = model.Data{Name: mnist.SampleName}
		c.Batch, c.Epochs = 25, 4
	case report.Short:
	case report.Full:
		c.Steps, c.Epochs = 8, 12
		c.Layers[0].Layer, c.Layers[3].Layer = layer.Conv2D{Out: 16, Kernel: []int{5}}, layer.Conv2D{Out: 64, Kernel: []int{5}}
	default:
		return c, fmt.Errorf("quickstart: no scale %q: use smoke, short or full", scale)
	}
	return c, nil
}

func run(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	c, err := Config(e.Scale, e.Seed)
	if err != nil {
		return nil, err
	}
	trainSet, testSet := mnist.Sample()
	if e.Scale != report.Smoke {
		if trainSet, testSet, err = mnist.Load(ctx, e.Data); err != nil {
			return nil, err
		}
	}
	t, err := recipe.Train(ctx, e, model.Default(), c, trainSet, testSet)
	if err != nil {
		return nil, err
	}
	accuracy := t.Result.Metrics.Accuracy()
	sections, err := t.Sections()
	if err != nil {
		return nil, err
	}
	return &recipe.Outcome{
		Measured: map[string]report.Measurement{claimID: {Values: []float64{accuracy}, N: t.Result.Metrics.N}},
		Metrics: report.Metrics{
			"test_accuracy": accuracy, "test_loss": t.Result.Metrics.Loss(), "epochs": float64(len(t.Epochs)),
		},
		WeightsSHA256: t.WeightsSHA256(),
		Page: func(report.Run) report.Page {
			return report.Page{
				Title:    "A spiking network that reads digits",
				Lead:     fmt.Sprintf("%.2f %% of %s MNIST test images are classified correctly, in %d time steps an image; epochs of training: %d.", accuracy, report.Integer(int64(t.Result.Metrics.N)), c.Steps, len(t.Epochs)),
				Sections: sections,
				Config:   string(t.YAML),
				Facts:    []report.Fact{{Label: "data", Value: c.Data.Name}},
			}
		},
	}, nil
}
