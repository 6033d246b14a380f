// Package braincompare compares what networks of different kinds make of the same
// MNIST images: real-valued ones (ReLU), spiking ones (leaky integrate-and-fire)
// and the same two before training, layer by layer, by the methods with which
// brains and networks are compared (package compare).
//
// It stands for the entry "BNN–ANN papers" of the reading list, whose tools are
// RSA, CKA, the CCA family and representational stability. Where the data set
// brain-92images was imported, human inferior temporal cortex stands beside them: its noise
// ceiling, models ranked by it, and the networks shown the same pictures, with others of both kinds
// that learn the photographs of CIFAR-10. Each network, untrained ones
// too, is drawn from a seed of its own, so that none shares initial weights with another.
// Five of a kind say how much alike two of a kind are: the noise against which a
// difference of kinds is to be seen (Kornblith et al. 2019).
package braincompare

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"

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

// The claims' ids.
const (
	sameClass = "same-class"
	trained   = "trained-beats-untrained"
	labels    = "label-alignment"
)

// The day on which claims were stated anew.
const restated = "2026-11-28"

// Recipe is the comparison.
func Recipe() recipe.Recipe {
	const alike = "CKA of two trained networks of a kind, the least of all pairs, above that of a trained and an untrained one, the greatest of all"
	return recipe.Recipe{
		ID:      "brain-compare",
		Paper:   "bnn-ann",
		Title:   "Spiking, real-valued and untrained networks compared",
		Minutes: map[report.Scale]float64{report.Smoke: 0.2, report.Short: 7, report.Full: 30},
		Claims: append([]report.Claim{
			claim(sameClass, alike, report.Order, 0, ofAKind),
			claim(trained, "CKA of a spiking with a real-valued network, both trained, the least of all pairs, above that of a trained one with an untrained one of the other kind, the greatest of all", report.Order, 0, ofAKind),
			claim(labels, "CKA with the labels: the least of the trained networks of a kind, less the greatest of the untrained ones, the lesser of both kinds", report.AtLeast, 0.1, ofAKind),
		}, brainClaims()...),
		Former: former(),
		Run:    run,
	}
}

// claim is one of this recipe, of a number of networks of each kind.
func claim(id, name string, d report.Direction, bound float64, seeds int) report.Claim {
	c := report.Claim{
		ID: id, Name: name, Source: "no paper: what a comparison that works must find", Direction: d, Statistic: report.Min,
		Bounds: report.Bounds{Short: &bound, Full: &bound}, Seeds: report.Seeds{Short: seeds, Full: seeds},
	}
	if seeds > 1 {
		c.N, c.Stated = report.Samples{Short: 1000, Full: 1000}, restated
		c.Note = "Stated before any run of networks that share no initial weights. The bound is that of the first statement."
	}
	return c
}

// former are the claims of two networks a kind. They shared seeds between the kinds and
// with the untrained ones, and so initial weights, which makes them more alike.
func former() []report.Claim {
	all := []report.Claim{
		claim(sameClass, "CKA of two trained networks of a kind, above that of a trained and an untrained one", report.Order, 0, 1),
		claim(trained, "CKA of the spiking with the real-valued network, above that of either with an untrained one", report.Order, 0, 1),
		claim(labels, "CKA with the labels gained by training, the least of both kinds", report.AtLeast, 0.1, 1),
		claim("spike-rate", "RSA of spike trains with rates, van Rossum τ ≥ the presentation", report.AtLeast, 0.95, 1),
	}
	for i := range all {
		all[i].Stated, all[i].Note = restated, "Its networks shared initial weights across kinds and with the untrained ones."
	}
	all[3].Note = "An identity of the measure, not a finding: it is a unit test now."
	return all
}

// Kind of network.
type Kind string

// The kinds that are trained.
const (
	RealValued Kind = "real-valued"
	Spiking    Kind = "spiking"
)

// size of an experiment.
type size struct {
	hidden, steps, epochs, train, images, rsa int
}

var sizes = map[report.Scale]size{
	report.Smoke: {hidden: 64, steps: 8, epochs: 4, images: 200, rsa: 60},
	report.Short: {hidden: 500, steps: 16, epochs: 2, train: 10_000, images: 1000, rsa: 200},
	report.Full:  {hidden: 500, steps: 32, epochs: 4, images: 1000, rsa: 300},
}

// Config is the configuration of a network of a kind.
func Config(scale report.Scale, kind Kind, seed uint64) (model.Config, error) {
	z, ok := sizes[scale]
	if !ok {
		return model.Config{}, recipe.NoScale("brain-compare", scale)
	}
	c := model.Config{
		Seed: seed, Data: model.Data{Name: "mnist", Train: z.train}, Encoder: encode.Constant{}, Steps: z.steps,
		Epochs: z.epochs, Batch: 50, // nothing is chosen: the last epoch's network is the result
	}
	if scale == report.Smoke {
		c.Data, c.Batch = model.Data{Name: mnist.SampleName}, 25
	}
	var unit, out layer.Layer = layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}}, layer.Readout{Beta: 0.9}
	if kind == RealValued {
		unit, out, c.Steps = layer.ReLU{}, layer.Readout{}, 1
	}
	c.Rule = bptt.Rule{
		Layers: network.Chain(layer.Flatten{}, layer.Linear{Out: z.hidden}, unit, layer.Linear{Out: z.hidden}, unit, layer.Linear{Out: 10}, out),
		Loss:   []bptt.Term{{Loss: loss.MembraneCrossEntropy{}}}, Optimizer: optim.Adam{LR: 1e-3}, Schedule: optim.Cosine{},
	}
	return c, nil
}

// sets are the images of a scale.
func sets(ctx context.Context, e *recipe.Env) (trainSet, testSet *data.Set, err error) {
	if e.Scale == report.Smoke {
		trainSet, testSet = mnist.Sample()
		return trainSet, testSet, nil
	}
	return mnist.Load(ctx, e.Data)
}

// subject is a network that was trained, by kind, what it learned from and seed.
type subject struct {
	kind Kind
	seen string // digital or photographic
	*recipe.Trained
}

func (n subject) name() string { return fmt.Sprintf("%s, seed %d", n.kind, n.Config.Seed) }

// What networks learn.
const (
	digital      = "digits"
	photographic = "photos"
)

// ofAKind is how many networks of each kind are trained, and how many are not.
const ofAKind = 5

// Seeds of networks: each has its own, across kinds, and trained or not.
const (
	spikingSeeds   = 100
	untrainedSeeds = 1000
)

// seedOf is the seed of a trained network of a kind.
func seedOf(base uint64, kind Kind, i int) uint64 {
	if kind == Spiking {
		base += spikingSeeds
	}
	return base + uint64(i)
}

// trainAll trains the networks of each kind that learn something, from a seed on; the names of jobs
// are those of kinds behind a prefix.
func trainAll(ctx context.Context, jobs *recipe.Study, seen, prefix string, base uint64, config func(report.Scale, Kind, uint64) (model.Config, error)) (nets []subject, err error) {
	for _, kind := range []Kind{RealValued, Spiking} {
		for i := range ofAKind {
			c, err := config(jobs.Env.Scale, kind, seedOf(base, kind, i))
			if err != nil {
				return nil, err
			}
			nets = append(nets, subject{kind, seen, jobs.Run(ctx, recipe.Job{Name: prefix + string(kind), Config: c})})
		}
	}
	return nets, jobs.Err()
}

// sum stands for the weights of all networks.
func sum(nets []subject) string {
	h := sha256.New()
	for _, n := range nets {
		fmt.Fprintln(h, n.WeightsSHA256())
	}
	return hex.EncodeToString(h.Sum(nil))
}

func run(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	if _, err := Config(e.Scale, Spiking, e.Seed); err != nil {
		return nil, err
	}
	trainSet, testSet, err := sets(ctx, e)
	if err != nil {
		return nil, err
	}
	jobs := recipe.NewStudy(e, trainSet, testSet)
	nets, err := trainAll(ctx, jobs, digital, "", e.Seed, Config)
	if err != nil {
		return nil, err
	}
	s, err := newStudy(ctx, e, nets, testSet)
	if err != nil {
		return nil, err
	}
	if err := s.compare(e); err != nil {
		return nil, err
	}
	sections, err := s.sections()
	if err != nil {
		return nil, err
	}
	single, err := s.studyUnits(ctx, nets, testSet, e.Pool)
	if err != nil {
		return nil, err
	}
	settled, err := rest(ctx, jobs, nets[0].Config.Data)
	if err != nil {
		return nil, err
	}
	looks, err := single.sections()
	if err != nil {
		return nil, err
	}
	fixed, err := settled.section()
	if err != nil {
		return nil, err
	}
	sections = append(append(sections, looks...), fixed)
	b, why, err := withBrains(ctx, e)
	if err != nil {
		return nil, err
	}
	nets, unseen, err := b.look(ctx, jobs, nets)
	if err != nil {
		return nil, err
	}
	more, err := b.sections(why, unseen)
	if err != nil {
		return nil, err
	}
	sections = append(more, sections...)
	measured, metrics := s.measured(), s.metrics(nets)
	maps.Copy(measured, b.measured(why, unseen))
	b.metrics(metrics)
	single.metrics(metrics)
	settled.metrics(metrics)
	return &recipe.Outcome{
		Measured: measured, Metrics: metrics, WeightsSHA256: sum(nets),
		Page: func(report.Run) report.Page {
			return report.Page{
				Title: "How alike are spiking and real-valued networks?",
				Lead: fmt.Sprintf("On %s test images the last hidden layers of spiking and real-valued networks have a linear CKA of %v between kinds; two networks of a kind have %v (spiking) and %v (real-valued), a trained and an untrained one at most %.3f. Each is the mean over all pairs of %d networks a kind, with the least and the greatest.",
					report.Integer(int64(s.images)), s.between(), s.within(Spiking), s.within(RealValued), s.withUntrained(), ofAKind),
				Links:    []report.Link{{Text: "the reading list of papers on brains and networks", URL: "https://github.com/takyamamoto/BNN-ANN-papers"}},
				Sections: sections,
				Notes: []string{
					"Linear CKA is of all images named, RSA of the first of them.",
					"The bounds on networks are those of a calibration on other networks of the same task, not of a paper.",
				},
				Config: string(nets[ofAKind].YAML),
				Facts:  []report.Fact{{Label: "data", Value: nets[0].Config.Data.Name}},
			}
		},
	}, nil
}
