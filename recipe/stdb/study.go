package stdb

import (
	"context"
	"fmt"
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
	jobs, err := recipe.Load(ctx, e, model.Data{Name: z.data})
	if err != nil {
		return nil, err
	}
	return &study{Study: jobs, size: z}, nil
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
	return s.measured(s.Run(ctx, recipe.Job{Name: name, Config: c}))
}

// hybrid converts an ordinary network and trains it on.
func (s *study) hybrid(ctx context.Context, name string, c model.Config, from *recipe.Trained, how model.Conversion) *recipe.Trained {
	return s.measured(s.Onward(ctx, recipe.Job{Name: name, Config: c}, from, how))
}

// measured keeps the figures of a run as metrics; nil after an error.
func (s *study) measured(t *recipe.Trained) *recipe.Trained {
	if t == nil {
		return nil
	}
	p := reached(t, len(t.Epochs)-1)
	key := fmt.Sprintf("%s_s%d_", strings.ReplaceAll(t.Name, "-", "_"), t.Config.Seed)
	s.Metrics[key+"test_accuracy"], s.Metrics[key+"spikes_per_image"] = p.accuracy, p.spikes
	s.Metrics[key+"seconds_per_epoch"] = t.EpochSeconds()
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
	g, r, err := t.Balanced(ctx, t.Network().Graph(), neurons(linear), encoder, how)
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
	text   string
	points [][]point // by seed
}

func (a *arm) add(p ...point) { a.points = append(a.points, p) }

// net is one of the two networks with its arms, and what its conversions did.
type net struct {
	key                                   string // of jobs and metrics
	ann, converted, linear, stdb, scratch arm
	conversions                           report.Table
}

func newNet(key string) *net {
	return &net{
		key: key, ann: arm{text: "ordinary network"}, converted: arm{text: "converted"},
		linear: arm{text: "hybrid, linear"}, stdb: arm{text: "hybrid, spike times"}, scratch: arm{text: "from scratch"},
		conversions: report.Table{Caption: "Conversion", Head: []string{"seed", "layer", "what was done"}, Right: []bool{true, false, false}},
	}
}

// start trains the ordinary network of a seed, converts it, and follows it over the steps.
func (s *study) start(ctx context.Context, n *net, c model.Config, encoder encode.Encoder, how model.Conversion, steps []int) (*recipe.Trained, map[int]point, error) {
	t := s.job(ctx, n.key+"-ann", c)
	if t == nil {
		return nil, nil, s.Err()
	}
	n.ann.add(reached(t, len(t.Epochs)-1))
	turned, err := s.convert(ctx, t, encoder, how)
	if err != nil {
		return nil, nil, err
	}
	n.addConversion(c.Seed, turned)
	curve, err := s.curve(ctx, n.key, turned, t, encoder, steps)
	var points []point
	for _, k := range steps {
		points = append(points, curve[k])
	}
	n.converted.add(points...)
	return t, curve, err
}

// perceptrons are 784–200–200–10, whose images are spikes drawn anew in each step.
func (s *study) perceptrons(ctx context.Context) error {
	n := newNet("mlp")
	for i := range s.size.seeds {
		if err := s.perceptronOf(ctx, n, s.Env.Seed+uint64(i)); err != nil {
			return err
		}
	}
	return s.shown(n, "784–200–200–10", "The first images of the training samples, 5,000 but at smoke. Spikes of the input are drawn anew in each step; two layers act a step late each. Hybrids and scratch after their last epoch.")
}

// perceptronOf is the perceptron of one seed.
func (s *study) perceptronOf(ctx context.Context, n *net, seed uint64) error {
	z, poisson := s.size, encode.Poisson{Scale: 1}
	d, how := model.Data{Name: z.data, Train: z.images}, model.Conversion{Factor: 0.7, Samples: z.calibrated, Steps: 100}
	ordinary := config(seed, d, perceptron(layer.ReLU{}), training{1, z.annEpochs, z.batch, 1e-3, optim.Fixed{}, encode.Constant{}})
	t, curve, err := s.start(ctx, n, ordinary, poisson, how, z.steps)
	if err != nil {
		return err
	}
	first, last := map[string]point{}, map[*arm][]point{}
	for _, h := range []struct {
		name  string
		arm   *arm
		steps int
		s     surrogate.Surrogate
	}{{"hybrid-linear-t6", &n.linear, 6, linear}, {"hybrid-linear", &n.linear, 8, linear}, {"hybrid-stdb", &n.stdb, 8, timed}} {
		run := s.hybrid(ctx, n.key+"-"+h.name, config(seed, d, perceptron(neurons(h.s)), training{h.steps, z.hybridEpochs, z.batch, 1e-4, optim.Fixed{}, poisson}), t, how)
		if run == nil {
			return s.Err()
		}
		first[h.name], last[h.arm] = reached(run, 0), append(last[h.arm], reached(run, len(run.Epochs)-1))
	}
	n.linear.add(last[&n.linear]...)
	n.stdb.add(last[&n.stdb]...)
	run := s.job(ctx, n.key+"-scratch", config(seed, d, perceptron(neurons(linear)), training{8, max(2, z.hybridEpochs), z.batch, 1e-3, optim.Fixed{}, poisson}))
	if run == nil {
		return s.Err()
	}
	n.scratch.add(reached(run, len(run.Epochs)-1))
	s.accept(reached(t, len(t.Epochs)-1), curve, first, reached(run, 1))
	return nil
}

// accept adds the figures of a perceptron to the claims; those of steps that the scale does
// not run have none.
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
	n, z := newNet("cnn"), s.size
	for i := range z.cnnSeeds {
		if err := s.convolutionOf(ctx, n, s.Env.Seed+uint64(i)); err != nil {
			return err
		}
	}
	return s.shown(n, "A convolutional network", fmt.Sprintf("%dC5–AP2–%dC5–AP2–10, all images, shifted by up to a pixel. The image itself is a current in each step; two layers act a step late each, so that of %d steps the scores see %d.", z.widths[0], z.widths[1], cnnSteps, cnnSteps-2))
}

// convolutionOf is the convolutional network of one seed.
func (s *study) convolutionOf(ctx context.Context, n *net, seed uint64) error {
	z, still, images := s.size, encode.Constant{}, s.Test().Len()
	d, how := model.Data{Name: z.data, Augment: []data.Augment{data.Shift{Max: 1}}}, model.Conversion{Factor: cnnFactor, Samples: z.calibrated, Steps: 30}
	t, _, err := s.start(ctx, n, config(seed, d, convolutional(layer.ReLU{}, z.widths), training{1, z.cnnANN, z.batch, cnnRate, optim.OneCycle{}, still}), still, how, z.cnnConverted)
	if err != nil {
		return err
	}
	top := reached(t, len(t.Epochs)-1).accuracy
	for _, h := range []struct {
		name string
		arm  *arm
		s    surrogate.Surrogate
	}{{"hybrid-stdb", &n.stdb, timed}, {"hybrid-linear", &n.linear, linear}} {
		run := s.hybrid(ctx, n.key+"-"+h.name, config(seed, d, convolutional(neurons(h.s), z.widths), training{cnnSteps, z.cnnHybrid, z.batch, cnnFine, optim.Cosine{}, still}), t, how)
		if run == nil {
			return s.Err()
		}
		p := reached(run, len(run.Epochs)-1)
		h.arm.add(p)
		if h.arm == &n.linear {
			s.Add(linearClaim, top-p.accuracy, images)
			continue
		}
		s.Add(annClaim, p.accuracy, images)
		s.Add(gapClaim, top-p.accuracy, images)
	}
	run := s.job(ctx, n.key+"-scratch", config(seed, d, convolutional(neurons(linear), z.widths), training{cnnSteps, z.cnnScratch, z.batch, cnnRate, optim.OneCycle{}, still}))
	if run == nil {
		return s.Err()
	}
	p := reached(run, len(run.Epochs)-1)
	n.scratch.add(p)
	s.Add(scratchClaim, p.accuracy, images)
	return nil
}

// The settings of the convolutional network, as Chosen says.
const (
	cnnSteps   = 8
	cnnFactor  = 0.5
	cnnDropout = 0.2
	cnnRate    = 3e-3
	cnnFine    = 5e-4
)
