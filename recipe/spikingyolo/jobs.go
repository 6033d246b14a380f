package spikingyolo

import (
	"synfire/convert"
	"synfire/data"
	"synfire/detect"
	"synfire/encode"
	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/model"
	"synfire/network"
	"synfire/optim"
	"synfire/report"
	"synfire/rule/bptt"
	"synfire/task"
)

// job is a detector that is trained, and how it is converted and followed.
type job struct {
	name          string
	data          model.Data
	classes       int
	hidden        []network.Node
	anchors       []detect.Anchor
	rate          float64 // of learning
	epochs, batch int
	steps         []int     // after which boxes are read
	calibrated    int       // training samples that scales are set by
	percentiles   []float64 // of which validation pictures choose one; none: the method's
	arms          []arm
	ann           string // claim of the ordinary detector
	losses        []loss
}

// loss is a claim of how far an arm is below the ordinary detector after some steps.
type loss struct {
	claim, arm string
	steps      int
}

// size is what a scale runs.
type size struct {
	job         job
	tiny        *job // Tiny-YOLOv2, or what stands for it; none: it is left out
	seeds       int
	pictures    int   // that are drawn
	longest     int   // steps of Tiny-YOLOv2 on a few pictures
	longestOver int   // those pictures
	faceSteps   []int // of the face detector; none: it is left out
}

var (
	// powers are where pictures and the claims look; between them the curves are read as well.
	powers = []int{8, 16, 32, 64, 128, 256}
	read   = []int{8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256}
)

var sizes = map[report.Scale]size{
	report.Smoke: {
		job:  small(digits("digit-scenes-sample", 60, 12, []int{8, 8, 16, 16}, 2), []int{4, 8}, 12),
		tiny: pooled(), seeds: 1, pictures: 1, longest: 16, longestOver: 2,
	},
	report.Short: {job: digits("digit-scenes", 0, 0, []int{16, 32, 64, 128, 128}, 10), seeds: repeated, pictures: 2, faceSteps: powers},
	report.Full:  {job: cells(), tiny: tinyYOLO(), seeds: repeated, pictures: 2, longest: 3500, longestOver: longCells, faceSteps: powers},
}

// digits is the detector of digit scenes, whose first three layers have stride 2.
func digits(name string, train, test int, widths []int, epochs int) job {
	return job{
		name: "detector", data: model.Data{Name: name, Train: train, Test: test}, classes: 10, hidden: strided(widths, 3),
		anchors: []detect.Anchor{{1.58, 2.47}, {2.38, 2.95}, {3.27, 3.56}}, // of the training scenes, in cells of 8 pixels
		rate:    3e-3, epochs: epochs, batch: 16, steps: read, calibrated: 200, arms: arms(),
		ann: annClaim, losses: []loss{{snnClaim, channel, 128}, {roundClaim, rounding, 32}},
	}
}

// small is a job with fewer steps and samples.
func small(j job, steps []int, calibrated int) job {
	j.steps, j.calibrated = steps, calibrated
	return j
}

// shapes are typical boxes of the training cells, as shares of the picture's side.
var shapes = []detect.Anchor{{0.0624, 0.0606}, {0.1566, 0.1295}, {0.1494, 0.1634}, {0.1857, 0.1713}, {0.3312, 0.3009}}

// inCells are these shapes in cells of a grid.
func inCells(grid float64) (all []detect.Anchor) {
	for _, a := range shapes {
		all = append(all, detect.Anchor{grid * a[0], grid * a[1]})
	}
	return all
}

// cells is the detector of blood cells, of a million weights.
func cells() job {
	return job{
		name: "cells", data: model.Data{Name: "bccd-256", Augment: moved(26)}, classes: 3, hidden: strided([]int{16, 32, 64, 128, 256, 256}, 4),
		anchors: inCells(16), rate: 1e-3, epochs: 100, batch: 8, steps: read, calibrated: 205, percentiles: []float64{99, 99.9, 99.99, 100}, arms: arms(),
		ann: cellsClaim, losses: []loss{{cells128Claim, channel, 128}, {cells256Claim, channel, 256}, {cellsRoundClaim, rounding, 16}, {cells32Claim, rounding, 32}},
	}
}

// moved is how cells are augmented: mirrored, a fifth larger or smaller, moved by some pixels, and
// brighter or darker.
func moved(pixels int) []data.Augment {
	return []data.Augment{data.Flip{Probability: 0.5}, data.Scale{By: 0.2, Border: data.Edge}, data.Crop{Padding: pixels, Border: data.Edge}, data.ColorJitter{Brightness: 0.2}}
}

// tinyYOLO is Tiny-YOLOv2 as it was published, pooled: 15.8 M weights at 416×416.
func tinyYOLO() *job {
	j := cells()
	j.name, j.data, j.hidden, j.anchors = "tiny-yolo", model.Data{Name: "bccd", Augment: moved(42)}, maxPooled([]int{16, 32, 64, 128, 256, 512}, []int{1024, 1024}), inCells(13)
	j.epochs, j.steps, j.arms, j.percentiles = 60, []int{64, 128, 256, 512}, arms()[:1], nil
	j.ann, j.losses = tinyClaim, []loss{{tinySNNClaim, channel, 512}}
	return &j
}

// pooled stands for Tiny-YOLOv2 where it has to take seconds.
func pooled() *job {
	j := small(digits("digit-scenes-sample", 60, 12, nil, 1), []int{4, 8}, 12)
	j.name, j.hidden, j.arms = "pooled", maxPooled([]int{4, 8, 8, 16}, []int{16}), arms()[:1]
	j.ann, j.losses = tinyClaim, nil
	return &j
}

// strided are blocks of convolution, normalisation and leaky units, the first ones with stride 2.
func strided(widths []int, reduced int) (nodes []network.Node) {
	for i, w := range widths {
		stride := 1
		if i < reduced {
			stride = 2
		}
		nodes = append(nodes, block(w, stride)...)
	}
	return nodes
}

// maxPooled are blocks with max pooling behind each of the first, of stride 2 but the last.
func maxPooled(widths, behind []int) (nodes []network.Node) {
	for i, w := range widths {
		pool := layer.MaxPool{Size: 2}
		if i == len(widths)-1 {
			pool = layer.MaxPool{Size: 2, Stride: 1, Padding: []int{0, 1, 0, 1}}
		}
		nodes = append(append(nodes, block(w, 1)...), network.Node{Layer: pool})
	}
	return append(nodes, strided(behind, 0)...)
}

func block(width, stride int) []network.Node {
	conv := layer.Conv2D{Out: width, Kernel: []int{3}, Padding: []int{1}, NoBias: true}
	if stride > 1 {
		conv.Stride = []int{stride}
	}
	return []network.Node{{Layer: conv}, {Layer: layer.BatchNorm{}}, {Layer: layer.ReLU{Slope: 0.1}}}
}

// config is the configuration of a job.
func (j job) config(seed uint64) model.Config {
	c := model.NewConfig()
	c.Seed, c.Data, c.Encoder, c.Steps, c.Batch, c.Epochs = seed, j.data, encode.Constant{}, 1, j.batch, j.epochs
	c.Task = []task.Binding{{Task: detect.NewDetect()}}
	l := detect.NewYOLO()
	l.Anchors = j.anchors
	head := network.Node{Layer: layer.Conv2D{Out: len(j.anchors) * (5 + j.classes), Kernel: []int{1}}}
	c.Rule = bptt.Rule{
		Layers: append(j.hidden[:len(j.hidden):len(j.hidden)], head), Loss: []bptt.Term{{Loss: l}},
		Optimizer: optim.Adam{LR: j.rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, Schedule: optim.Cosine{},
	}
	return c
}

// arm is a way to convert.
type arm struct {
	name, file, method string
	options            convert.Options
}

const (
	channel    = "a scale each channel"
	layerwise  = "one scale a layer"
	suppressed = "negative spikes suppressed"
	counted    = "read off spikes"
	rounding   = "neurons that round"
)

func arms() []arm {
	half := 0.5
	return []arm{
		{channel, "channel", "channel", convert.Options{}},
		{layerwise, "layer", "percentile", convert.Options{}},
		{suppressed, "suppressed", "channel", convert.Options{Suppressed: true}},
		{counted, "counted", "channel", convert.Options{Counts: true}},
		{rounding, "rounding", "channel", convert.Options{Code: temporal.SigmaDelta, Start: &half}},
	}
}
