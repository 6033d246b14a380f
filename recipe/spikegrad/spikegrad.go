// Package spikegrad is the recipe of SpikeGrad: both passes of backpropagation as signed
// spikes, which equal a network of integers.
//
//	mlp          784–300–10
//	cnn          15C5–P2–40C5–P2–300–10
//	spike-side   784–300–10 learnt by spikes in random order
//	alpha-…      784–100–10 on 10,000 images, by the scale of errors
//	levels-…     the same, by the levels of the input
//	cifar-…      64C5/2–96C3–P2–192C3–P2–512–10, errors as spikes and real ones
//
// The last epoch's network is the result; the test images are watched and choose nothing.
package spikegrad

import (
	"synfire/data"
	"synfire/data/mnist"
	"synfire/model"
	"synfire/optim"
	"synfire/recipe"
	"synfire/report"
	rule "synfire/rule/spikegrad"
)

// testImages is of how many images a figure of MNIST is, and of CIFAR-10.
const testImages = 10_000

func bound(v float64) *float64 { return &v }

// claims are figures of the paper and of ours, and the equalities that they rest on.
func claims() []report.Claim {
	at := func(id, name, unit, source string, d report.Direction, short, full *float64) report.Claim {
		return report.Claim{
			ID: id, Name: name, Unit: unit, Source: source, Direction: d, Statistic: report.Median,
			Bounds: report.Bounds{Short: short, Full: full}, Seeds: report.Seeds{Short: 1, Full: 1}, N: report.Samples{Short: testImages, Full: testImages},
		}
	}
	const reported = "paper: 99.52 %, reported"
	mlp := at("mnist-mlp", "MNIST test accuracy of 784–300–10, six epochs, gradients as spikes", "%", "no paper: a calibration in float64 had 98.26 %", report.AtLeast, bound(98), bound(98))
	mlp.Seeds.Full = 3
	mlp.Note = "By the equivalent network, which spike-side proves to learn the same weights. Settings are the calibration's; none was chosen on test accuracy here."
	cnn := at("mnist-cnn", "MNIST test accuracy of 15C5–P2–40C5–P2–300–10, images of which any order of spikes gives another answer than the integers counted as wrong", "%", reported, report.AtLeast, nil, bound(99))
	cnn.Published = bound(99.52)
	cnn.Note = "Twelve epochs in place of 60, all 60,000 images. Epochs and rate were set before any test figure was seen."
	equal := at("spikes-equal", "test images of which the CNN's spikes, layer by layer or in three random orders and settled, end in another count or potential of any neuron than the integers, or whose sums may be inexact", "images", "no paper: the equivalence itself", report.AtMost, bound(0), bound(0))
	equal.Statistic, equal.N.Short = report.Max, verified(report.Short)
	side := at("spike-side", "weights of 784–300–10 that differ between learning by spikes in random order and by integers: an epoch of 2,000 images at short, all of mnist-mlp at full", "weights", "no paper: the equivalence itself", report.AtMost, bound(0), bound(0))
	side.Statistic, side.N = report.Max, report.Samples{Short: 2000, Full: 60_000}
	ratio := at("gradient-ratio", "error spikes × fan-in over the products of a dense pass that carries errors back, last epoch, the greater of MLP and CNN", "×", "paper: operations relative to a dense pass, reported", report.AtMost, bound(1), bound(1))
	ratio.Statistic, ratio.N = report.Max, report.Samples{Short: 60_000, Full: 60_000}
	ratio.Note = "Reported; below 1 the spikes cost fewer additions than the dense pass has products."
	alpha := at("alpha-control", "MNIST test accuracy with α = 1: no error survives", "%", "no paper: a calibration in float64 had 11.7 %", report.AtMost, bound(20), bound(20))
	cifar := at("cifar10", "CIFAR-10 (JPEG Q75) test accuracy, gradients as spikes, at most 5 M weights", "%", "paper: 89.99 %, reported, of a network of 45 M weights or 17.5 M", report.AtLeast, nil, bound(80))
	cifar.Published = bound(89.99)
	const stated = "Stated before any run. α = 4,000 in place of 200 was set on 2026-11-29, after a run with 200 had been stopped while it fell from 35 to 17 % of the test images; it was chosen by its cause (errors that vanish lift all outputs) and on training images held out."
	cifar.Note = stated
	paired := at("cifar10-paired", "the same less that of real gradients, paired", "points", "paper: 89.99 % beside 89.72 %, reported", report.AtLeast, nil, bound(-1))
	paired.Note = stated
	return []report.Claim{mlp, cnn, equal, side, ratio, alpha, cifar, paired}
}

// Recipe is the study.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "spikegrad", Paper: "spikegrad-2020", Title: "SpikeGrad: backpropagation by signed spikes",
		Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 8, report.Full: 150},
		Claims:  claims(), Run: runStudy,
	}
}

// verified is how many test images of the CNN are run as spikes.
func verified(s report.Scale) int {
	switch s {
	case report.Smoke:
		return 16
	case report.Short:
		return 500
	}
	return testImages
}

// base is a network on a data set. Nothing is chosen.
func base(seed uint64, name string, epochs int, layers ...rule.Layer) (model.Config, rule.Rule) {
	r := rule.NewRule()
	r.Layers = layers
	c := model.Config{Seed: seed, Data: model.Data{Name: name}, Epochs: epochs, Batch: 128, WatchTest: true}
	if name == mnist.SampleName {
		c.Batch = 25
	}
	return c, r
}

// job is a configuration with its rule.
func job(name string, c model.Config, r rule.Rule) recipe.Job {
	c.Rule = r
	return recipe.Job{Name: name, Config: c}
}

// mlp is 784–300–10.
func mlp(seed uint64, name string, change func(*model.Config, *rule.Rule)) (model.Config, rule.Rule) {
	c, r := base(seed, name, 6, rule.Layer{Dense: 300})
	if change != nil {
		change(&c, &r)
	}
	return c, r
}

// cnn is 15C5–P2–40C5–P2–300–10. The layers below a pooling have its Θ_bp.
func cnn(seed uint64, name string, epochs int) recipe.Job {
	c, r := base(seed, name, epochs,
		rule.Layer{Conv: 15, Kernel: 5, ThetaBP: 0.25}, rule.Layer{Pool: 2},
		rule.Layer{Conv: 40, Kernel: 5, ThetaBP: 0.25}, rule.Layer{Pool: 2}, rule.Layer{Dense: 300})
	return job("cnn", c, r)
}

// small is 784–100–10 on 10,000 images.
func small(seed uint64, name string, images int, label string, change func(*rule.Rule)) recipe.Job {
	c, r := base(seed, name, 5, rule.Layer{Dense: 100})
	c.Data.Train = images
	change(&r)
	return job(label, c, r)
}

// cifar is a network of 1.8 M weights, its images flipped and shifted. The first layer's stride,
// the rate and its one cycle were chosen on training images held out, of four epochs of 8,000
// images: 52.9 % where a mean of 2×2 pixels stands behind 32 convolutions in place of the stride,
// 54.2 % with it, 55.3 % at twice the rate. So was α: with 200 the outputs rise together and the
// network drifts apart (see package rule/spikegrad); with 4,000 it learns as with real errors.
func cifar(seed uint64, label string, truncate rule.Truncate) recipe.Job {
	c, r := base(seed, recipe.Photographs, 20,
		rule.Layer{Conv: 64, Kernel: 5, Stride: 2, Padding: 2},
		rule.Layer{Conv: 96, Kernel: 3, Padding: 1, ThetaBP: 0.25}, rule.Layer{Pool: 2},
		rule.Layer{Conv: 192, Kernel: 3, Padding: 1, ThetaBP: 0.25}, rule.Layer{Pool: 2}, rule.Layer{Dense: 512})
	c.Data.Normalize, c.Data.Augment = true, []data.Augment{data.Flip{Probability: 0.5}, data.Shift{Max: 4}}
	r.Alpha, r.Truncate, r.Schedule = 4000, truncate, optim.OneCycle{}
	r.Optimizer = optim.SGD{LR: 0.1, Momentum: 0.9, Decay: 5e-4}
	return job(label, c, r)
}

// size is what a scale runs.
type size struct {
	data         string
	seeds        int // of the MLP
	cnnEpochs    int
	spikeImages  int // of the spike side; 0: all, in as many epochs as the MLP
	smallImages  int
	alphas       []float64
	levels       []int
	floats, real bool // arms beside the MLP; CIFAR-10
}

func sizeOf(s report.Scale) (size, error) {
	alphas := []float64{1, 2, 5, 10, 20, 50, 100, 200}
	levels := []int{2, 4, 8, 16, 32}
	switch s {
	case report.Smoke:
		return size{data: mnist.SampleName, seeds: 1, cnnEpochs: 1, spikeImages: 100, alphas: []float64{1, 100}, levels: []int{4, 16}}, nil
	case report.Short:
		return size{data: "mnist", seeds: 1, cnnEpochs: 2, spikeImages: 2000, smallImages: 10_000, alphas: alphas, levels: levels, floats: true}, nil
	case report.Full:
		return size{data: "mnist", seeds: 3, cnnEpochs: 12, smallImages: 10_000, alphas: alphas, levels: levels, floats: true, real: true}, nil
	}
	return size{}, recipe.NoScale("spikegrad", s)
}
