// Package diehlcook reproduces unsupervised learning of digits by spike-timing-dependent
// plasticity (Diehl and Cook 2015): neurons that compete learn what MNIST's digits look like,
// and labels enter only afterwards, to name them.
//
// Two networks stand beside each other: the published one, with an inhibitory population and
// conductance synapses, and the simplified one of a single population, of 100 to 6,400
// neurons, which is ours after BindsNET's example.
package diehlcook

import (
	"context"

	"synfire/data/mnist"
	"synfire/model"
	"synfire/recipe"
	"synfire/report"
	"synfire/rule/stdp"
	"synfire/run"
)

const images = 10_000

// The names of the networks.
const (
	n100      = "n100"
	weak      = "n100-weak"
	n400      = "n400"
	n1600     = "n1600"
	n6400     = "n6400"
	published = "paper-n400"
)

// Claims and parts have the names of their networks but for these.
const (
	epochClaim   = "epoch"
	controlClaim = "control"
	controlPart  = "control"
)

// Recipe is the study. A network learns on one thread, so that its parts may run side by side.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "diehl-cook", Paper: "survey-2018", Title: "Digits without labels: plasticity of spike times and competition",
		Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 4, report.Full: 110},
		Claims:  claims(), Config: Config, Run: reproduce,
		Parts: []recipe.Part{
			{Name: n400, Claims: []string{n400, epochClaim}}, {Name: controlPart, Claims: []string{controlClaim}},
			{Name: published, Claims: []string{published}}, {Name: n1600, Claims: []string{n1600}}, {Name: n6400, Claims: []string{n6400}},
		},
	}
}

func bound(v float64) *float64 { return &v }

// simplified says whose the one-population network is.
const simplified = "The network of one population is ours, after BindsNET's example; the published figure is that of two populations. "

// chosen says how epochs and θ₊ were chosen.
const chosen = "5,000 of the training images are held out; of several epochs they choose the best. They chose rise among 0.02, 0.05 and 0.1 mV with seed 1: of 400 neurons after one epoch 89.48, 90.72 and 89.20 %."

// claims are those of the paper, on the test images.
func claims() []report.Claim {
	n := report.Samples{Short: images, Full: images}
	return []report.Claim{
		{
			ID: n400, Name: "MNIST test accuracy, one population of 400 neurons, one epoch of 250 ms an image", Unit: "%", Published: bound(87.0),
			Source: "reported", Direction: report.AtLeast, Statistic: report.Median,
			Bounds: report.Bounds{Short: bound(87), Full: bound(87)}, Seeds: report.Seeds{Short: 3, Full: 3}, N: n, Note: simplified + chosen,
		}, {
			ID: epochClaim, Name: "seconds of an epoch with 400 neurons, one population, labels and validation included", Unit: "s",
			Source: "no paper", Direction: report.AtMost, Statistic: report.Median,
			Bounds: report.Bounds{Short: bound(60), Full: bound(60)}, Seeds: report.Seeds{Short: 3, Full: 3},
			Note: "The runs of n400, on whatever else the machine does.",
		}, {
			ID: n1600, Name: "MNIST test accuracy, one population of 1,600 neurons, four epochs", Unit: "%", Published: bound(91.9),
			Source: "reported", Direction: report.AtLeast, Statistic: report.Median,
			Bounds: report.Bounds{Full: bound(90)}, Seeds: report.Seeds{Short: 1, Full: 1}, N: n, Note: simplified + chosen + " Labels by all training images.",
		}, {
			ID: n6400, Name: "MNIST test accuracy, one population of 6,400 neurons, 16 epochs", Unit: "%", Published: bound(95.0),
			Source: "paper, abstract", Direction: report.AtLeast, Statistic: report.Median,
			Bounds: report.Bounds{Full: bound(93)}, Seeds: report.Seeds{Short: 1, Full: 1}, N: n, Note: simplified + chosen + " Labels by all training images. Nothing like it was run when the bound was set.",
		}, {
			ID: published, Name: "MNIST test accuracy, the published network of two populations of 400 neurons, three epochs of 350 + 150 ms an image", Unit: "%", Published: bound(87.0),
			Source: "reported", Direction: report.AtLeast, Statistic: report.Median,
			Bounds: report.Bounds{Full: bound(85)}, Seeds: report.Seeds{Short: 1, Full: 1}, N: n,
			Note: "By the constants of the authors' program, but for the delays of the inputs. Set by 79.1 % of an earlier program after 10,000 images.",
		}, {
			ID: controlClaim, Name: "MNIST test accuracy of 100 neurons less that at an inhibition of 17.5 in place of 120 mV, one population, one epoch", Unit: "points",
			Source: "no paper: without inhibition nothing divides the digits among neurons", Direction: report.AtLeast, Statistic: report.Min,
			Bounds: report.Bounds{Short: bound(30), Full: bound(30)}, Seeds: report.Seeds{Short: 1, Full: 3}, N: n,
		},
	}
}

// network is the simplified one.
func network(neurons int) stdp.Rule {
	r := stdp.NewRule()
	r.Neurons = neurons
	if neurons >= 1600 {
		r.Labels = 0 // so that each neuron fires for some
	}
	return r
}

// Config is the network of 400 neurons, at smoke one of 100 that learns the digits of the
// program.
func Config(scale report.Scale, seed uint64) (model.Config, error) {
	c := model.Config{Seed: seed, Data: model.Data{Name: "mnist"}, Steps: 250, Epochs: 1, Batch: 100, Valid: 5000.0 / 60_000, Rule: network(400)}
	switch scale {
	case report.Smoke:
		r := network(100)
		r.Rise = 0.2 // so few images are to give each neuron its turn
		c.Data.Name, c.Epochs, c.Valid, c.Rule = mnist.SampleName, 3, 0.1, r
	case report.Short, report.Full:
	default:
		return c, recipe.NoScale("diehl-cook", scale)
	}
	return c, nil
}

// job is a network, and how many epochs it learns.
func job(name string, base model.Config) recipe.Job {
	c := base
	switch name {
	case n100:
		c.Rule = network(100)
	case weak:
		r := network(100)
		r.Inhibition = 17.5
		c.Rule = r
	case n1600:
		c.Rule, c.Epochs = network(1600), 4
	case n6400:
		c.Rule, c.Epochs = network(6400), 16
	case published:
		r := stdp.NewPublished()
		r.Neurons = 400
		c.Rule, c.Epochs, c.Steps = r, 3, 700
	}
	return recipe.Job{Name: name, Config: c}
}

// row is a network, the part that wants it and the number of its seeds.
type row struct {
	name, part string
	seeds      int
}

// rows are the networks of a scale.
func rows(scale report.Scale) []row {
	switch scale {
	case report.Smoke:
		return []row{{n100, controlPart, 1}}
	case report.Short:
		return []row{{n400, n400, 3}, {n100, controlPart, 1}, {weak, controlPart, 1}}
	}
	return []row{{n400, n400, 3}, {n100, controlPart, 3}, {weak, controlPart, 3}, {published, published, 1}, {n1600, n1600, 1}, {n6400, n6400, 1}}
}

// about is what a page says of its networks.
type about struct {
	title, thresholds string // thresholds with their unit
	link              report.Link
	notes             []string
}

var aboutDiehlCook = about{
	title: "Digits without labels", thresholds: "adaptive part of thresholds (mV)",
	link:  report.Link{Text: "Diehl and Cook 2015", URL: "https://doi.org/10.3389/fncom.2015.00099"},
	notes: []string{"The authors' program assigns labels on the test images unless it is told otherwise."},
}

// study is the jobs of a run.
type study struct {
	*recipe.Study
	about about
}

func reproduce(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	c, err := Config(e.Scale, e.Seed)
	if err != nil {
		return nil, err
	}
	jobs, err := recipe.Load(ctx, e, c.Data)
	if err != nil {
		return nil, err
	}
	s := &study{jobs, aboutDiehlCook}
	var steps []recipe.StudyStep[*study]
	for _, r := range rows(e.Scale) {
		steps = append(steps, recipe.StudyStep[*study]{Part: r.part, Run: func(s *study, ctx context.Context) { s.learn(ctx, r, c) }})
	}
	if err := e.Do(ctx, recipe.StepsOf(s, steps)...); err != nil {
		return nil, err
	}
	s.control()
	return s.outcome(ctx)
}

// learn runs the seeds of a row.
func (s *study) learn(ctx context.Context, r row, c model.Config) {
	first := c.Seed
	for i := range uint64(r.seeds) {
		c.Seed = first + i
		j := job(r.name, c)
		if s.Env.Scale == report.Smoke {
			j.Config.Rule = c.Rule
		}
		if t := s.Run(ctx, j); t != nil {
			s.measure(t)
		}
	}
}

// measure adds the figures of a network.
func (s *study) measure(t *recipe.Trained) {
	key := metric(t)
	accuracy, n := t.Result.Test.Value("accuracy"), t.Result.Test.Metrics.N
	s.Metrics[key+"accuracy"] = accuracy
	for name, v := range t.Result.Test.Figures() {
		if name == stdp.Spikes || name == stdp.Silent {
			s.Metrics[key+name] = v
		}
	}
	s.Metrics[key+"valid_accuracy"] = t.Result.Valid.Value("accuracy")
	s.Metrics[key+"seconds_per_epoch"] = t.EpochSeconds()
	s.Metrics[key+"unlabelled"] = float64(unlabelled(t))
	switch t.Name {
	case n400:
		s.Add(epochClaim, t.EpochSeconds(), t.Sets.Train.Len())
		s.Add(n400, accuracy, n)
	case n1600, n6400, published, querlioz:
		s.Add(t.Name, accuracy, n)
	}
}

// control adds the differences that weak inhibition makes.
func (s *study) control() {
	accuracy := map[uint64]float64{}
	for _, t := range s.Jobs {
		switch v := t.Result.Test.Value("accuracy"); t.Name {
		case n100:
			accuracy[t.Config.Seed] = v
		case weak:
			s.Add(controlClaim, accuracy[t.Config.Seed]-v, t.Result.Test.Metrics.N)
		}
	}
}

// unlabelled is how many neurons have no class, since none of the images made them fire.
func unlabelled(t *recipe.Trained) (n int) {
	for _, k := range t.Learner.(*stdp.Learner).Labels() {
		if k < 0 {
			n++
		}
	}
	return n
}

// course is a figure of the validation images over a job's epochs.
func course(split func(run.Epoch) run.Figures, name string) func(run.Epoch) float64 {
	return func(e run.Epoch) float64 { return split(e)[name] }
}
