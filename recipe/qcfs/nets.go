package qcfs

import (
	"synfire/data"
	"synfire/data/mnist"
	"synfire/encode"
	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/loss"
	"synfire/model"
	"synfire/network"
	"synfire/optim"
	"synfire/report"
	"synfire/rule/bptt"
)

// perceptron is 784–200–200–10 with biases, of units for each hidden layer.
func perceptron(hidden int, units ...layer.Layer) []layer.Layer {
	dense := func(n int) layer.Layer { return layer.Linear{Out: n} }
	return []layer.Layer{layer.Flatten{}, dense(hidden), units[0], dense(hidden), units[1], dense(10)}
}

// convolutional is six 3×3 convolutions of these widths with batch normalisation, means behind
// each second one, and a linear layer.
func convolutional(widths [6]int, unit layer.Layer) (all []layer.Layer) {
	for i, n := range widths {
		all = append(all, layer.Conv2D{Out: n, Kernel: []int{3}, Padding: []int{1}, NoBias: true}, layer.BatchNorm{Momentum: 0.1, Epsilon: 1e-5, Scale: 1}, unit)
		if i%2 == 1 {
			all = append(all, layer.AvgPool{Size: 2})
		}
	}
	return append(all, layer.Flatten{}, layer.Linear{Out: 10})
}

// training is how a network is trained.
type training struct {
	epochs, batch int
	optimizer     optim.Optimizer
}

// config is a training run of an ordinary network, whose rate falls along a cosine. Nothing is
// chosen: the last epoch's network is the result.
func config(seed uint64, d model.Data, layers []layer.Layer, t training) model.Config {
	return model.Config{
		Seed: seed, Data: d, Encoder: encode.Constant{}, Steps: 1, Epochs: t.epochs, Batch: t.batch, WatchTest: true,
		Rule: bptt.Rule{Layers: network.Chain(layers...), Loss: []bptt.Term{{Loss: loss.CountCrossEntropy{}}}, Optimizer: t.optimizer, Schedule: optim.Cosine{}},
	}
}

// adam is that of the perceptrons.
var adam = optim.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}

// momentum is that of the convolutional networks; biases, shifts and the scales of units do not decay.
func momentum(rate float64) optim.SGD { return optim.SGD{LR: rate, Momentum: 0.9, Decay: 5e-4} }

// Rates of the convolutional networks, and of their training on.
const (
	deepRate = 0.05
	fineRate = 0.02
)

// scaleStart is where the scales of the perceptrons' staircases start: then they end near the 3.2
// and 3.5 of the calibration, which does not say where its own began.
const scaleStart = 4

// stair is a unit of some levels.
func stair(levels int, scale float64) ordinary.QCFS {
	return ordinary.QCFS{Levels: levels, Init: scale}
}

// size is what a scale trains.
type size struct {
	seeds      int
	data       string
	images     int // of the perceptrons; 0: all
	hidden     int
	epochs     int
	batch      int
	calibrated int   // images that scales are found by
	steps      []int // T
	coarse     []float64
	deep       *deepSize // nil: none is trained
}

// deepSize is what of the convolutional networks.
type deepSize struct {
	data         string
	normalize    bool
	augment      []data.Augment
	widths       [6]int
	epochs, fine int
	batch        int
	calibrated   int
	steps        []int // of the arms that are followed longest
}

var (
	doubled = []int{1, 2, 4, 8, 16, 32, 64}
	sizes   = map[report.Scale]size{
		report.Smoke: {seeds: 1, data: mnist.SampleName, hidden: 40, epochs: 3, batch: 25, calibrated: 100, steps: []int{1, 2, 4, 8}, coarse: []float64{0, 0.5},
			deep: &deepSize{data: mnist.SampleName, widths: [6]int{2, 2, 3, 3, 4, 4}, epochs: 1, fine: 1, batch: 50, calibrated: 50, steps: []int{2, 4, 6, 8, 16}}},
		report.Short: {seeds: repeated, data: "mnist", images: 20_000, hidden: 200, epochs: 8, batch: 64, calibrated: 1000, steps: doubled, coarse: []float64{0, 0.1, 0.5}},
		report.Full: {seeds: repeated, data: "mnist", images: 20_000, hidden: 200, epochs: 8, batch: 64, calibrated: 1000, steps: doubled, coarse: []float64{0, 0.1, 0.5},
			deep: &deepSize{
				data: "cifar10-jpeg", normalize: true, augment: []data.Augment{data.Crop{Padding: 4}, data.Flip{Probability: 0.5}}, widths: [6]int{32, 32, 64, 64, 128, 128},
				epochs: 30, fine: 6, batch: 128, calibrated: 1000, steps: []int{2, 4, 6, 8, 16, 32, 64, 128},
			}},
	}
	// minutes are an estimate at full, from the time of single epochs elsewhere.
	minutes = map[report.Scale]float64{report.Smoke: 0.2, report.Short: 3, report.Full: 240}
)
