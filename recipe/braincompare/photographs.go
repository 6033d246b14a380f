package braincompare

import (
	"context"
	"fmt"

	"synfire/data"
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

// photographSeeds sets the seeds of networks of photographs apart from those of digits.
const photographSeeds = 10_000

// photoSize is of the networks that learn CIFAR-10.
type photoSize struct{ images, epochs, width, steps int }

var photoSizes = map[report.Scale]photoSize{
	report.Smoke: {images: 40, epochs: 1, width: 4, steps: 2},
	report.Short: {images: 10_000, epochs: 4, width: 32, steps: 4},
	report.Full:  {images: 25_000, epochs: 8, width: 32, steps: 4},
}

// PhotographConfig is the configuration of a network of a kind for photographs: three convolutions of
// 3×3, pooled before they are normalised, and a readout. Spiking ones have the normalisation that goes
// with their thresholds.
func PhotographConfig(scale report.Scale, kind Kind, seed uint64) (model.Config, error) {
	z, ok := photoSizes[scale]
	if !ok {
		return model.Config{}, recipe.NoScale("brain-compare", scale)
	}
	norm := layer.BatchNorm{}
	var unit, out layer.Layer = layer.ReLU{}, layer.Readout{}
	steps := 1
	if kind == Spiking {
		const threshold, leak = 0.75, 0.5
		unit = layer.Spiking{Neuron: neuron.LIF{Beta: leak, Threshold: threshold}, Surrogate: surrogate.FastSigmoid{Slope: 5}}
		norm.Scale, out, steps = threshold, layer.Readout{Beta: 0.9}, z.steps
	}
	var layers []layer.Layer
	for _, maps := range []int{z.width, 2 * z.width, 4 * z.width} {
		layers = append(layers, layer.Conv2D{Out: maps, Kernel: []int{3}, Padding: []int{1}, NoBias: true}, layer.AvgPool{Size: 2}, norm, unit)
	}
	return model.Config{
		Seed:    seed,
		Data:    model.Data{Name: recipe.Photographs, Train: z.images, Normalize: true, Augment: []data.Augment{data.Flip{Probability: 0.5}}},
		Encoder: encode.Constant{}, Steps: steps, Epochs: z.epochs, Batch: 50, // nothing is chosen: the last epoch's network is the result
		Rule: bptt.Rule{
			Layers: network.Chain(append(layers, layer.Flatten{}, layer.Linear{Out: 10}, out)...),
			Loss:   []bptt.Term{{Loss: loss.MembraneCrossEntropy{}}}, Optimizer: optim.Adam{LR: 2e-3}, Schedule: optim.Cosine{},
		},
	}, nil
}

// photographs trains the networks that learn photographs, as many of each kind as for digits. Why says
// why there are none.
func photographs(ctx context.Context, jobs *recipe.Study) (nets []subject, why string, err error) {
	trainSet, testSet, err := jobs.Env.Catalog.Load(ctx, model.Data{Name: recipe.Photographs}, jobs.Env.Data)
	if err != nil {
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		return nil, fmt.Sprintf("the data set %s could not be read (%v)", recipe.Photographs, err), nil
	}
	jobs.On(trainSet, testSet)
	nets, err = trainAll(ctx, jobs, photographic, "photographs-", jobs.Env.Seed+photographSeeds, PhotographConfig)
	return nets, "", err
}
