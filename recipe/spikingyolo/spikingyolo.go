// Package spikingyolo is the recipe of a spiking detector: an ordinary network that finds digits
// in scenes is trained with the head of YOLOv2 and converted as Kim et al. did ("Spiking-YOLO:
// spiking neural network for energy-efficient object detection", AAAI 2020), with one scale a
// channel, signed neurons of the imbalanced threshold, and boxes read off the membrane; beside one
// scale a layer, negative spikes suppressed, boxes read off spikes, and neurons that round.
//
// The paper's own data are PASCAL VOC and COCO, its network Tiny-YOLOv2. What is run here are
// digit scenes: the comparisons are the paper's, the figures are not.
package spikingyolo

import (
	"context"
	"fmt"
	"math"
	"slices"

	"synfire/convert"
	"synfire/convert/detector"
	"synfire/detect"
	"synfire/encode"
	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/model"
	"synfire/network"
	"synfire/optim"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/boxes"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
)

// The claims' ids.
const (
	annClaim     = "scenes-ann"
	snnClaim     = "scenes-snn"
	roundClaim   = "scenes-round"
	channelClaim = "channel-over-layer"
	behindClaim  = "channel-behind-layer"
	signedClaim  = "signed-over-suppressed"
	errorClaim   = "signed-error"
	readClaim    = "membrane-over-count"
	laterClaim   = "membrane-behind-count"
	fasterClaim  = "converges-faster"
)

const (
	repeated   = 3   // seeds
	testScenes = 500 // of the test
)

// Recipe is the recipe.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "spiking-yolo", Paper: "spiking-yolo-2020", Title: "A spiking detector, from pictures to boxes",
		Minutes: map[report.Scale]float64{report.Smoke: 0.2, report.Short: 240, report.Full: 480}, Claims: claims(), Run: run,
	}
}

func claims() []report.Claim {
	const paper = "Kim et al. 2020, on PASCAL VOC"
	one := func(id, name, unit, source string, d report.Direction, bound float64) report.Claim {
		return report.Claim{
			ID: id, Name: name, Unit: unit, Source: source, Direction: d, Statistic: report.Median, Bounds: report.Bounds{Short: &bound, Full: &bound},
			Seeds: report.Seeds{Short: repeated, Full: repeated}, N: report.Samples{Short: testScenes, Full: testScenes}, Note: "Stated before any run. Minutes are estimates.",
		}
	}
	return []report.Claim{
		one(annClaim, "digit scenes: mAP of the ordinary detector at an IoU of 0.5", "%", "no paper", report.AtLeast, 90),
		one(snnClaim, "mAP of the ordinary detector less that of the spiking one at T = 128: a scale each channel, imbalanced threshold, membrane", "points", paper+": 53.0 less 51.8 after 3,500 steps", report.AtMost, 2),
		one(roundClaim, "mAP of the ordinary detector less that of neurons that round at T = 32", "points", "no paper", report.AtMost, 2),
		one(channelClaim, "mAP with a scale each channel less that with one a layer, the lesser at T = 8 and 16", "points", paper+": ahead at every T", report.AtLeast, 3),
		one(behindClaim, "most that a scale each channel is behind one a layer, up to the last T", "points", paper, report.AtMost, 0.5),
		one(signedClaim, "mAP of signed neurons less that of the same with negative spikes suppressed, the least from T = 64 on", "points", paper, report.AtLeast, 1),
		one(errorClaim, "error of the output of signed neurons over that with negative spikes suppressed, the largest from T = 64 on", "", "no paper", report.AtMost, 0.6),
		one(readClaim, "mAP read off the membrane less that off spikes at T = 8", "points", paper+": membrane ahead", report.AtLeast, 3),
		one(laterClaim, "most that the membrane is behind spikes after T = 8", "points", paper, report.AtMost, 1),
		one(fasterClaim, "steps to the ordinary detector's mAP less a point: with one scale a layer over with one each channel", "×", paper+": 2.3; COCO: 4", report.AtLeast, 2),
	}
}

// size is what a scale runs.
type size struct {
	data                 string
	train, test          int // 0: all
	widths               []int
	epochs, seeds        int
	steps                []int
	calibrated, pictures int
}

var sizes = map[report.Scale]size{
	report.Smoke: {data: "digit-scenes-sample", train: 60, test: 12, widths: []int{8, 8, 16, 16}, epochs: 2, seeds: 1, steps: []int{4, 8}, calibrated: 12, pictures: 1},
	report.Short: {data: "digit-scenes", widths: []int{16, 32, 64, 128, 128}, epochs: 10, seeds: repeated, steps: []int{8, 16, 32, 64, 128}, calibrated: 200, pictures: 2},
	report.Full:  {data: "digit-scenes", widths: []int{16, 32, 64, 128, 128}, epochs: 20, seeds: repeated, steps: []int{8, 16, 32, 64, 128, 256}, calibrated: 500, pictures: 2},
}

// anchors are of the training scenes, in cells of 8 pixels.
var anchors = []detect.Anchor{{1.58, 2.47}, {2.38, 2.95}, {3.27, 3.56}}

// Config is the configuration of a scale's detector.
func (z size) config(seed uint64) model.Config {
	c := model.NewConfig()
	c.Seed, c.Data, c.Encoder, c.Steps, c.Batch, c.Epochs = seed, model.Data{Name: z.data, Train: z.train, Test: z.test}, encode.Constant{}, 1, 16, z.epochs
	c.Task = []task.Binding{{Task: detect.NewDetect()}}
	var nodes []network.Node
	add := func(l layer.Layer) { nodes = append(nodes, network.Node{Layer: l}) }
	for i, w := range z.widths {
		conv := layer.Conv2D{Out: w, Kernel: []int{3}, Padding: []int{1}, NoBias: true}
		if i < 3 {
			conv.Stride = []int{2}
		}
		add(conv)
		add(layer.BatchNorm{})
		add(layer.ReLU{Slope: 0.1})
	}
	add(layer.Conv2D{Out: len(anchors) * 15, Kernel: []int{1}})
	l := detect.NewYOLO()
	l.Anchors = anchors
	c.Rule = bptt.Rule{Layers: nodes, Loss: []bptt.Term{{Loss: l}}, Optimizer: optim.Adam{LR: 3e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, Schedule: optim.Cosine{}}
	return c
}

// arm is a way to convert.
type arm struct {
	name, method string
	options      convert.Options
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
		{channel, "channel", convert.Options{}},
		{layerwise, "percentile", convert.Options{}},
		{suppressed, "channel", convert.Options{Suppressed: true}},
		{counted, "channel", convert.Options{Counts: true}},
		{rounding, "channel", convert.Options{Code: temporal.SigmaDelta, Start: &half}},
	}
}

// study is a run of the recipe.
type study struct {
	*recipe.ConversionStudy
	size size
}

func run(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	z, ok := sizes[e.Scale]
	if !ok {
		return nil, fmt.Errorf("spiking-yolo: no scale %q: use smoke, short or full", e.Scale)
	}
	c, err := recipe.NewConversionStudy(ctx, e, z.config(e.Seed).Data)
	if err != nil {
		return nil, err
	}
	s := &study{c, z}
	lead := ""
	for i := range z.seeds {
		found, err := s.seed(ctx, e.Seed+uint64(i), i == 0)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			r := found[channel]
			last := r.Points[len(r.Points)-1]
			lead = fmt.Sprintf("A detector with an mAP of %.1f %% has %.1f %% as a spiking network after %d steps.", r.Ordinary.MAP, last.MAP, last.Steps)
		}
	}
	return s.Finish("A spiking detector, from pictures to boxes", lead, report.Link{Text: "Kim et al. 2020", URL: "https://arxiv.org/abs/1903.06530"})
}

// seed trains a detector and converts it by all arms.
func (s *study) seed(ctx context.Context, seed uint64, show bool) (map[string]detector.Result, error) {
	t := s.Run(ctx, recipe.Job{Name: "detector", Config: s.size.config(seed)})
	if t == nil {
		return nil, s.Err()
	}
	g := t.Network().Graph()
	g.Outputs[0].Read = detect.Boxes{Anchors: anchors}
	of := detector.Study{
		Study: convert.Study{Graph: g, Train: t.Sets.Train, Test: t.Sets.Test, Normalize: t.Sets.Normalization, Steps: s.size.steps, Samples: min(s.size.calibrated, t.Sets.Train.Len()), Seed: seed, Pool: s.Env.Pool},
		Task:  detect.NewDetect(),
	}
	ordinary, err := of.Ordinary(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]detector.Result{}
	var named []recipe.NamedDetector
	for _, a := range arms() {
		m, err := convert.MethodOf(a.method)
		if err != nil {
			return nil, err
		}
		c, err := of.Convert(ctx, m, a.options)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		r, err := of.Measure(ctx, c, ordinary)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		found[a.name], named = r, append(named, recipe.NamedDetector{Name: a.name, Result: r})
	}
	s.judge(found, ordinary)
	if show {
		err = s.show(ctx, of, found, named)
	}
	return found, err
}

// judge adds the figures of a seed to the claims. Steps that a scale does not run have none.
func (s *study) judge(found map[string]detector.Result, ordinary detector.Point) {
	n, first, last := found[channel].N, s.size.steps[0], s.size.steps[len(s.size.steps)-1]
	at := func(arm string, steps int) float64 { return found[arm].Points[slices.Index(s.size.steps, steps)].MAP }
	has := func(steps int) bool { return slices.Contains(s.size.steps, steps) }
	s.Claim(annClaim, ordinary.MAP, n)
	if has(128) {
		s.Claim(snnClaim, ordinary.MAP-at(channel, 128), n)
	}
	if has(32) {
		s.Claim(roundClaim, ordinary.MAP-at(rounding, 32), n)
	}
	gain, behind, signed, off, later := math.Inf(1), 0.0, math.Inf(1), 0.0, 0.0
	for i, t := range s.size.steps {
		c, sup := found[channel].Points[i], found[suppressed].Points[i]
		if t <= 16 {
			gain = min(gain, c.MAP-at(layerwise, t))
		}
		behind = max(behind, at(layerwise, t)-c.MAP)
		if t >= 64 {
			signed, off = min(signed, c.MAP-sup.MAP), max(off, c.Error/sup.Error)
		}
		if t > first {
			later = max(later, at(counted, t)-c.MAP)
		}
	}
	s.Claim(channelClaim, gain, n)
	s.Claim(behindClaim, behind, n)
	if last >= 64 {
		s.Claim(signedClaim, signed, n)
		s.Claim(errorClaim, off, n)
	}
	if has(8) {
		s.Claim(readClaim, at(channel, 8)-at(counted, 8), n)
	}
	s.Claim(laterClaim, later, n)
	s.Claim(fasterClaim, reach(found[layerwise].Points, ordinary.MAP-1)/reach(found[channel].Points, ordinary.MAP-1), n)
}

// reach is the first of the steps after which a detector has an mAP; NaN where none has.
func reach(points []detector.Point, want float64) float64 {
	for _, p := range points {
		if p.MAP >= want {
			return float64(p.Steps)
		}
	}
	return math.NaN()
}

// show adds the sections of the page.
func (s *study) show(ctx context.Context, of detector.Study, found map[string]detector.Result, named []recipe.NamedDetector) error {
	curve, err := recipe.DetectorSection("mAP over the steps", named)
	if err != nil {
		return err
	}
	curve.Text = "All conversions are of one detector; the figures are of the first seed. One run of the most steps gives all."
	s.Sections = append(s.Sections, curve)
	if err := s.emerge(ctx, of, found[rounding]); err != nil {
		return err
	}
	for _, name := range []string{channel, layerwise} {
		section, err := recipe.DetectorLayers(found[name])
		if err != nil {
			return err
		}
		section.Title = name + ", by layers"
		s.Sections = append(s.Sections, section)
	}
	return nil
}

// shownScore is the least score of a box in a picture.
const shownScore = 0.3

// emerge draws scenes with the boxes after some steps, and those of the ordinary network.
func (s *study) emerge(ctx context.Context, of detector.Study, r detector.Result) error {
	section := report.Section{Title: "Boxes as they emerge", Text: fmt.Sprintf("Neurons that round. Boxes with a score of %v or more; the first scenes of the test, which nobody chose.", shownScore)}
	shape := of.Test.Spec().Shape
	for i := range min(s.size.pictures, of.Test.Len()) {
		x := sample.Sample{X: make([]tensor.Float, shape.Size())}
		if err := of.Test.Read(ctx, i, &x); err != nil {
			return err
		}
		pixels := boxes.Picture(x.X, shape)
		var strip []boxes.Panel
		for _, p := range append(slices.Clone(r.Points[:min(len(r.Points), 5)]), r.Ordinary) {
			var list []boxes.Box
			for _, d := range p.Pictures[i].Found {
				if d.Score >= shownScore {
					list = append(list, boxes.Box{Box: d.Box, Text: fmt.Sprintf("%s %.2f", r.Classes[d.Class], d.Score)})
				}
			}
			title := fmt.Sprintf("T = %d", p.Steps)
			if len(strip) == min(len(r.Points), 5) {
				title = "ordinary network"
			}
			strip = append(strip, boxes.Panel{Title: title, Image: boxes.Draw(pixels, list)})
		}
		content, err := boxes.Strip(strip, 3)
		if err != nil {
			return err
		}
		section.Figures = append(section.Figures, report.Figure{PNG: content, Alt: fmt.Sprintf("Scene %d of the test with the boxes that are found after more and more steps, and by the ordinary network", i)})
	}
	s.Sections = append(s.Sections, section)
	return nil
}
