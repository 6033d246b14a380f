package stdb

import (
	"synfire/data/mnist"
	"synfire/encode"
	"synfire/layer"
	"synfire/loss"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/report"
	"synfire/rule/bptt"
	"synfire/surrogate"
)

// The surrogates, with the constants of the authors' program.
var (
	linear = surrogate.Triangle{Height: 0.3, Width: 1}
	timed  = surrogate.SpikeTime{Alpha: 0.3, Beta: 0.01}
)

// neurons are those of a spiking network, whose thresholds are an array.
func neurons(s surrogate.Surrogate) layer.Spiking {
	return layer.Spiking{
		Neuron: neuron.STDB{Beta: 1, Threshold: 1, Delay: true}, Surrogate: s,
		Varied: layer.Varied{"threshold": layer.PerChannel},
	}
}

// perceptron is 784–200–200–10 of some units.
func perceptron(units layer.Layer) []layer.Layer {
	dense := func(n int) layer.Layer { return layer.Linear{Out: n, NoBias: true} }
	return []layer.Layer{layer.Flatten{}, dense(200), units, dense(200), units, dense(10)}
}

// convolutional is two convolutions with average pooling, of the first layer before the
// units, so that there are a quarter of them and its product is done once, and dropout,
// whose masks hold for all steps.
func convolutional(units layer.Layer, widths [2]int) []layer.Layer {
	conv := func(n int) layer.Layer { return layer.Conv2D{Out: n, Kernel: []int{5}, NoBias: true} }
	pool := layer.AvgPool{Size: 2}
	return []layer.Layer{
		conv(widths[0]), pool, units, conv(widths[1]), units, pool,
		layer.Flatten{}, layer.Dropout{Rate: cnnDropout}, layer.Linear{Out: 10, NoBias: true},
	}
}

// training is how a network is trained.
type training struct {
	steps, epochs, batch int
	rate                 float64
	schedule             optim.Schedule
	encoder              encode.Encoder
}

// config is a training run. The loss is the cross-entropy of the scores' sums over time,
// of an ordinary network of its outputs.
func config(seed uint64, d model.Data, layers []layer.Layer, t training) model.Config {
	return model.Config{
		Seed: seed, Data: d, Encoder: t.encoder, Steps: t.steps, Epochs: t.epochs, Batch: t.batch, WatchTest: true,
		Rule: bptt.Rule{
			Layers: network.Chain(layers...), Loss: []bptt.Term{{Loss: loss.CountCrossEntropy{}}},
			Optimizer: optim.Adam{LR: t.rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, Schedule: t.schedule,
		},
	}
}

// size is what a scale trains.
type size struct {
	seeds        int
	data         string
	images       int // of the perceptron; 0: all
	batch        int
	calibrated   int   // images that thresholds are set by
	steps        []int // of the converted perceptron
	annEpochs    int
	hybridEpochs int

	cnnSeeds                      int
	widths                        [2]int
	cnnANN, cnnHybrid, cnnScratch int   // epochs
	cnnConverted                  []int // steps
}

var (
	settled = []int{6, 8, 12, 25, 50, 100}
	sizes   = map[report.Scale]size{
		report.Smoke: {seeds: 1, data: mnist.SampleName, batch: 25, calibrated: 20, steps: []int{6, 8, 25}, annEpochs: 2, hybridEpochs: 1,
			cnnSeeds: 1, widths: [2]int{4, 8}, cnnANN: 1, cnnHybrid: 1, cnnScratch: 1, cnnConverted: []int{8}},
		report.Short: {seeds: repeated, data: "mnist", images: 5000, batch: 64, calibrated: 200, steps: settled, annEpochs: 6, hybridEpochs: 1,
			cnnSeeds: 1, widths: [2]int{16, 32}, cnnANN: 12, cnnHybrid: 2, cnnScratch: 3, cnnConverted: []int{4, 6, 8, 12, 25}},
		report.Full: {seeds: repeated, data: "mnist", images: 5000, batch: 64, calibrated: 200, steps: settled, annEpochs: 6, hybridEpochs: 3,
			cnnSeeds: 3, widths: [2]int{16, 48}, cnnANN: 15, cnnHybrid: 3, cnnScratch: 8, cnnConverted: []int{4, 6, 8, 12, 25, 50}},
	}
	// minutes are estimates from the processor's time of single epochs, but for smoke.
	minutes = map[report.Scale]float64{report.Smoke: 0.2, report.Short: 16, report.Full: 90}
)
