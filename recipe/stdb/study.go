package stdb

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"synfire/convert"
	"synfire/data"
	"synfire/encode"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/optim"
	"synfire/recipe"
	"synfire/report"
	"synfire/surrogate"
	"synfire/train"
)

// study is the jobs of a run and the sections that they give.
type study struct {
	*recipe.Study
	size     size
	sections []report.Section
}

func newStudy(ctx context.Context, e *recipe.Env, z size) (*study, error) {
	trainSet, testSet, err := e.Catalog.Load(ctx, model.Data{Name: z.data}, e.Data)
	if err != nil {
		return nil, err
	}
	return &study{Study: recipe.NewStudy(e, trainSet, testSet), size: z}, nil
}

// point is an accuracy in percent and what it takes.
type point struct {
	steps            int
	accuracy, spikes float64 // spikes an image
}

// converted is an ordinary network made spiking.
type converted struct {
	graph  network.Graph
	report network.Report
}

// has reports whether a node is one of the converted network.
func (c converted) has(name string) bool {
	return slices.ContainsFunc(c.graph.Nodes, func(nd network.GraphNode) bool { return nd.Name == name })
}

// job runs a training run and keeps its figures as metrics.
func (s *study) job(ctx context.Context, name string, c model.Config) *recipe.Trained {
	t := s.Run(ctx, recipe.Job{Name: name, Config: c})
	if t == nil {
		return nil
	}
	p := reached(t, len(t.Epochs)-1)
	key := fmt.Sprintf("%s_s%d_", strings.ReplaceAll(name, "-", "_"), c.Seed)
	s.Metrics[key+"test_accuracy"], s.Metrics[key+"spikes_per_image"] = p.accuracy, p.spikes
	s.Metrics[key+"seconds_per_epoch"] = t.EpochSeconds()
	return t
}

// hybrid converts an ordinary network and trains it on. All of it must have been taken up.
func (s *study) hybrid(ctx context.Context, name string, c model.Config, from *recipe.Trained, how model.Conversion) *recipe.Trained {
	c.Init, c.Convert = filepath.Join(s.Env.Out, fmt.Sprintf("%s-s%d", from.Name, from.Config.Seed), "model.safetensors"), &how
	t := s.job(ctx, name, c)
	if t != nil && len(t.Left) > 0 {
		s.Fail(fmt.Errorf("%s, seed %d: of the converted network %s", name, c.Seed, strings.Join(t.Left, "; ")))
		return nil
	}
	return t
}

// reached is what a run had after an epoch. Spikes are those of the last one.
func reached(t *recipe.Trained, epoch int) point {
	return point{t.Config.Steps, t.Epochs[epoch].Test["accuracy"], spikes(t.Result.Test)}
}

// spikes is how many an image takes.
func spikes(ev *train.Evaluation) float64 {
	n := 0
	for _, r := range ev.Metrics.Rates {
		n += r.Spikes
	}
	return float64(n) / float64(max(1, ev.Metrics.N))
}

// convert makes a trained network spiking, as training goes on from it (hybrid).
func (s *study) convert(ctx context.Context, t *recipe.Trained, encoder encode.Encoder, how model.Conversion) (converted, error) {
	images := convert.Samples{
		Source: t.Sets.Train, Normalize: t.Sets.Normalization, Encoder: encoder,
		Steps: how.Steps, Count: how.Samples, Batch: 10, Seed: t.Config.Seed,
	}
	g, r, err := convert.Apply(ctx, t.Network().Graph(), images.Calibration(ctx),
		convert.Check{}, convert.Swap{Spiking: neurons(linear)}, convert.Balance{Factor: how.Factor})
	if err != nil {
		return converted{}, fmt.Errorf("%s, seed %d: %w", t.Name, t.Config.Seed, err)
	}
	return converted{g, r}, nil
}

// curve is a converted network's accuracy over the steps, of the test images.
func (s *study) curve(ctx context.Context, name string, c converted, t *recipe.Trained, encoder encode.Encoder, steps []int) (map[int]point, error) {
	list, err := convert.Curve(ctx, c.graph, convert.CurveOptions{
		Source: t.Sets.Test, Normalize: t.Sets.Normalization, Encoder: encoder, Steps: steps, Batch: 100, Seed: t.Config.Seed, Pool: s.Env.Pool,
	})
	if err != nil {
		return nil, err
	}
	found := map[int]point{}
	for _, p := range list {
		found[p.Steps] = point{p.Steps, p.Accuracy, p.Spikes}
		key := fmt.Sprintf("%s_converted_t%d_s%d_", name, p.Steps, t.Config.Seed)
		s.Metrics[key+"test_accuracy"], s.Metrics[key+"spikes_per_image"] = p.Accuracy, p.Spikes
	}
	return found, nil
}

// arm is one way to a spiking network, with its points of all seeds.
type arm struct {
	name, text string
	points     [][]point // by seed
}

func (a *arm) add(p ...point) { a.points = append(a.points, p) }

// perceptrons are 784–200–200–10, whose images are spikes drawn anew in each step.
func (s *study) perceptrons(ctx context.Context) error {
	z, poisson := s.size, encode.Poisson{Scale: 1}
	d := model.Data{Name: z.data, Train: z.images}
	how := model.Conversion{Factor: 0.7, Samples: z.calibrated, Steps: 100}
	ann, turned := &arm{name: "ann", text: "ordinary network"}, &arm{name: "converted", text: "converted"}
	arms := []*arm{ann, turned}
	hybrids := []struct {
		arm   *arm
		steps int
		s     surrogate.Surrogate
	}{
		{&arm{name: "hybrid-linear", text: "hybrid, linear"}, 8, linear},
		{&arm{name: "hybrid-stdb", text: "hybrid, spike times"}, 8, timed},
		{&arm{name: "hybrid-linear-t6", text: "hybrid, linear, 6 steps"}, 6, linear},
	}
	scratch := &arm{name: "scratch", text: "from scratch"}
	for _, h := range hybrids {
		arms = append(arms, h.arm)
	}
	arms = append(arms, scratch)
	table := conversions()
	for i := range z.seeds {
		seed := s.Env.Seed + uint64(i)
		t := s.job(ctx, "mlp-ann", config(seed, d, perceptron(layer.ReLU{}), training{1, z.annEpochs, z.batch, 1e-3, optim.Fixed{}, encode.Constant{}}))
		if t == nil {
			return s.Err()
		}
		top := reached(t, len(t.Epochs)-1)
		ann.add(top)
		c, err := s.convert(ctx, t, poisson, how)
		if err != nil {
			return err
		}
		addConversion(&table, seed, c)
		curve, err := s.curve(ctx, "mlp", c, t, poisson, z.steps)
		if err != nil {
			return err
		}
		var points []point
		for _, n := range z.steps {
			points = append(points, curve[n])
		}
		turned.add(points...)
		first := map[string]point{}
		for _, h := range hybrids {
			cfg := config(seed, d, perceptron(neurons(h.s)), training{h.steps, z.hybridEpochs, z.batch, 1e-4, optim.Fixed{}, poisson})
			run := s.hybrid(ctx, "mlp-"+h.arm.name, cfg, t, how)
			if run == nil {
				return s.Err()
			}
			first[h.arm.name] = reached(run, 0)
			h.arm.add(reached(run, len(run.Epochs)-1))
		}
		run := s.job(ctx, "mlp-scratch", config(seed, d, perceptron(neurons(linear)), training{8, max(2, z.hybridEpochs), z.batch, 1e-3, optim.Fixed{}, poisson}))
		if run == nil {
			return s.Err()
		}
		scratch.add(reached(run, len(run.Epochs)-1))
		s.accept(top, curve, first, reached(run, 1))
	}
	return s.shown("784–200–200–10", "The first images of the training samples, 5,000 but at smoke. Spikes of the input are drawn anew in each step; two layers act a step late each. Hybrids and scratch after their last epoch.", arms, table)
}

// accept adds the figures of a seed to the claims.
func (s *study) accept(ann point, curve map[int]point, first map[string]point, scratch point) {
	n := s.Test().Len()
	if settled, ok := curve[100]; ok {
		s.Add(convertedClaim, ann.accuracy-settled.accuracy, n)
	}
	if _, ok := curve[12]; ok {
		s.Add(risesClaim, min(curve[8].accuracy-curve[6].accuracy, curve[12].accuracy-curve[8].accuracy, curve[25].accuracy-curve[12].accuracy), n)
	}
	s.Add(hybrid8Claim, first["hybrid-linear"].accuracy-curve[8].accuracy, n)
	s.Add(stdb8Claim, first["hybrid-stdb"].accuracy-curve[8].accuracy, n)
	s.Add(hybrid6Claim, first["hybrid-linear-t6"].accuracy-curve[6].accuracy, n)
	s.Add(earlyClaim, first["hybrid-linear"].accuracy-scratch.accuracy, n)
}

// convolutions are the convolutional network, which sees the image itself in each step.
func (s *study) convolutions(ctx context.Context) error {
	z, still := s.size, encode.Constant{}
	d := model.Data{Name: z.data, Augment: []data.Augment{data.Shift{Max: 1}}}
	how := model.Conversion{Factor: cnnFactor, Samples: z.calibrated, Steps: 30}
	ann, turned := &arm{name: "ann", text: "ordinary network"}, &arm{name: "converted", text: "converted"}
	stdb, straight := &arm{name: "hybrid-stdb", text: "hybrid, spike times"}, &arm{name: "hybrid-linear", text: "hybrid, linear"}
	scratch := &arm{name: "scratch", text: "from scratch"}
	table := conversions()
	for i := range z.cnnSeeds {
		seed, n := s.Env.Seed+uint64(i), s.Test().Len()
		t := s.job(ctx, "cnn-ann", config(seed, d, convolutional(layer.ReLU{}, z.widths), training{1, z.cnnANN, z.batch, cnnRate, optim.OneCycle{}, still}))
		if t == nil {
			return s.Err()
		}
		top := reached(t, len(t.Epochs)-1)
		ann.add(top)
		c, err := s.convert(ctx, t, still, how)
		if err != nil {
			return err
		}
		addConversion(&table, seed, c)
		curve, err := s.curve(ctx, "cnn", c, t, still, z.cnnConverted)
		if err != nil {
			return err
		}
		var points []point
		for _, n := range z.cnnConverted {
			points = append(points, curve[n])
		}
		turned.add(points...)
		for _, h := range []struct {
			arm   *arm
			s     surrogate.Surrogate
			claim func(p point)
		}{
			{stdb, timed, func(p point) { s.Add(annClaim, p.accuracy, n); s.Add(gapClaim, top.accuracy-p.accuracy, n) }},
			{straight, linear, func(p point) { s.Add(linearClaim, top.accuracy-p.accuracy, n) }},
		} {
			cfg := config(seed, d, convolutional(neurons(h.s), z.widths), training{cnnSteps, z.cnnHybrid, z.batch, cnnFine, optim.Cosine{}, still})
			run := s.hybrid(ctx, "cnn-"+h.arm.name, cfg, t, how)
			if run == nil {
				return s.Err()
			}
			p := reached(run, len(run.Epochs)-1)
			h.arm.add(p)
			h.claim(p)
		}
		run := s.job(ctx, "cnn-scratch", config(seed, d, convolutional(neurons(linear), z.widths), training{cnnSteps, z.cnnScratch, z.batch, cnnRate, optim.OneCycle{}, still}))
		if run == nil {
			return s.Err()
		}
		p := reached(run, len(run.Epochs)-1)
		scratch.add(p)
		s.Add(scratchClaim, p.accuracy, n)
	}
	text := fmt.Sprintf("%dC5–AP2–%dC5–AP2–10, all images, shifted by up to a pixel. The image itself is a current in each step; two layers act a step late each, so that of %d steps the scores see %d.", z.widths[0], z.widths[1], cnnSteps, cnnSteps-2)
	return s.shown("A convolutional network", text, []*arm{ann, turned, stdb, straight, scratch}, table)
}

// The settings of the convolutional network, as Chosen says.
const (
	cnnSteps   = 8
	cnnFactor  = 0.5
	cnnDropout = 0.2
	cnnRate    = 3e-3
	cnnFine    = 5e-4
)
