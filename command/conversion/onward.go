package conversion

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"synfire/catalog"
	"synfire/convert"
	"synfire/encode"
	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/loss"
	"synfire/model"
	"synfire/modelfile"
	"synfire/network"
	"synfire/optim"
	"synfire/recipe"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/surrogate"
	"synfire/train"
	"synfire/view"
)

// The methods that train, too. hybrid converts by rmp and trains the neurons on (Rathi et al., ICLR
// 2020). qcfs trains a network of rectified units on with staircases in their place (Bu et al.,
// ICLR 2022), and converts that.
const (
	hybridMethod = "hybrid"
	qcfsMethod   = "qcfs"
	hybridBase   = "rmp"
)

// What training on has unless flags say otherwise.
const (
	onwardEpochs = 1
	onwardRate   = 3e-4
	onwardLevels = 8
	onwardMemory = 4 << 30 // bytes of signals, above which steps are computed twice
)

// trains reports whether a method may train.
func trains(name string) bool { return name == hybridMethod || name == qcfsMethod }

// checkOnward returns an error for options of training that no method has, and for those that
// training does not go with.
func (c *Convert) checkOnward() error {
	hybrid := slices.Contains(c.Method, hybridMethod)
	switch {
	case c.Epochs < 0 || !(c.Rate >= 0) || math.IsInf(c.Rate, 0) || c.Levels < 0:
		return fmt.Errorf("--epochs %d, --rate %v, --levels %d: want positive numbers, or none", c.Epochs, c.Rate, c.Levels)
	case (c.Epochs > 0 || c.Rate > 0 || c.Resume) && !slices.ContainsFunc(c.Method, trains):
		return errors.New("--epochs, --rate and --resume are of methods that train, hybrid and qcfs; leave them out")
	case c.Levels > 0 && !slices.Contains(c.Method, qcfsMethod):
		return errors.New("--levels is of method qcfs; leave it out")
	case c.Resume && c.Out == "":
		return errors.New("--resume continues the training that --out holds; name it")
	case hybrid && (c.Neuron != "if" || c.Delay != "0"):
		return errors.New("--method hybrid trains neurons of one spike or none in a step, by all steps: leave --neuron and --delay out")
	}
	return nil
}

// onward is a network to be trained on.
type onward struct {
	method  string
	graph   network.Graph
	encoder encode.Encoder
	steps   int
}

// hybrid converts, and trains the spiking network on for the last of the steps.
func (c *Convert) hybrid(e Env, f *modelfile.File, m *catalog.Model, s convert.Study, accuracy float64) (r convert.Result, text string, err error) {
	base, err := convert.MethodOf(hybridBase)
	if err != nil {
		return r, "", err
	}
	conversion, err := s.Convert(e.Context, base, c.options())
	if err != nil {
		return r, "", err
	}
	conversion.Method = hybridMethod
	for i, nd := range conversion.Graph.Nodes {
		if l, ok := nd.Layer.(layer.Spiking); ok {
			l.Surrogate = surrogate.Triangle{Height: 0.3, Width: 1} // that of the authors' program
			conversion.Graph.Nodes[i].Layer = l
		}
	}
	o := onward{hybridMethod, conversion.Graph, s.Encoder, s.Steps[len(s.Steps)-1]}
	if text, err = c.train(e, f, m, s, &o); err != nil {
		return r, "", err
	}
	conversion.Graph = o.graph
	conversion.Report.Add(o.graph.Outputs[0].Node, network.Changed, "%s", text)
	r, err = s.Measure(e.Context, conversion, accuracy)
	return r, text, err
}

// staircases converts by the scales that the network has learnt. One of rectified units learns them
// first.
func (c *Convert) staircases(e Env, f *modelfile.File, m *catalog.Model, s convert.Study, accuracy float64) (r convert.Result, text string, err error) {
	method, err := convert.MethodOf(qcfsMethod)
	if err != nil {
		return r, "", err
	}
	learnt := slices.ContainsFunc(s.Graph.Nodes, func(nd network.GraphNode) bool { _, ok := nd.Layer.(ordinary.QCFS); return ok })
	if learnt {
		if c.Epochs > 0 || c.Levels > 0 || c.Rate > 0 {
			return r, "", errors.New("--epochs, --rate and --levels: the network has learnt the scales of its qcfs units already; leave them out")
		}
		r, err = s.Run(e.Context, method, c.options(), accuracy)
		return r, "", err
	}
	samples, err := s.Calibration(e.Context)
	if err != nil {
		return r, "", err
	}
	g, _, err := convert.Apply(e.Context, s.Graph, samples, convert.Check{Aligned: true, Pooled: true}, convert.Quantize{Levels: cmp.Or(c.Levels, onwardLevels)})
	if err != nil {
		return r, "", err
	}
	o := onward{qcfsMethod, g, encode.Constant{}, 1}
	if text, err = c.train(e, f, m, s, &o); err != nil {
		return r, "", err
	}
	s.Graph = o.graph
	if r, err = s.Run(e.Context, method, c.options(), accuracy); err == nil {
		r.Report.Add(r.Graph.Outputs[0].Node, network.Changed, "%s", text)
	}
	return r, text, err
}

// train trains a network on from its weights, on the training samples but those that are held out,
// and says what it did. The model that training starts from and the run are in folders of --out,
// METHOD-start.safetensors and METHOD, without it in one that is removed.
func (c *Convert) train(e Env, f *modelfile.File, m *catalog.Model, s convert.Study, o *onward) (string, error) {
	dir := c.Out
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "synfire-*"); err != nil {
			return "", err
		}
		defer os.RemoveAll(dir)
	}
	cfg, err := c.onwardConfig(e, f, o)
	if err != nil {
		return "", err
	}
	cfg.Init = filepath.Join(dir, o.method+"-start.safetensors")
	start, err := e.Catalog.WithGraph(m, o.graph)
	if err == nil {
		err = modelfile.Write(cfg.Init, start)
	}
	if err != nil {
		return "", err
	}
	options := e.Data(c.DataDir)
	trainSet, testSet, err := e.Catalog.Load(e.Context, cfg.Data, options)
	if err != nil {
		return "", err
	}
	for _, src := range []*sample.Source{&trainSet, &testSet} { // classes are the model's
		if *src == nil {
			continue
		}
		if *src, err = m.Fit(*src); err != nil {
			return "", err
		}
	}
	e.Status("")
	fmt.Fprintf(e.Err, "convert: %s trains on, epochs: %d, steps of time: %d\n", o.method, cfg.Epochs, o.steps)
	progress := view.NewProgress(e.Screen)
	t, err := recipe.Train(e.Context, &recipe.Env{
		Catalog: e.Catalog, Seed: cfg.Seed, Pool: s.Pool, Resume: c.Resume, SaveEvery: 200, Data: options, Observer: progress, Now: time.Now,
	}, filepath.Join(dir, o.method), cfg, trainSet, testSet)
	progress.Done()
	switch {
	case err != nil:
		return "", err
	case len(t.Left) > 0:
		return "", fmt.Errorf("of the converted network %v", t.Left)
	}
	o.graph.Nodes = t.Network().Graph().Nodes // outputs stay as the conversion reads them
	return c.told(o.method, t), nil
}

// kept says of an interruption that a training is saved, where one is.
func (c *Convert) kept(err error) error {
	if c.Out == "" || !errors.Is(err, train.ErrInterrupted) && !errors.Is(err, context.Canceled) {
		return err
	}
	for _, method := range c.Method {
		if _, none := os.Stat(filepath.Join(c.Out, method, "config.yaml")); none == nil && trains(method) {
			return fmt.Errorf("%w: the training of %s is saved; continue by the same command and --resume", train.ErrInterrupted, method)
		}
	}
	return err
}

// told is what training on did.
func (c *Convert) told(method string, t *recipe.Trained) string {
	in := "in steps of time: " + fmt.Sprint(t.Config.Steps)
	if method == qcfsMethod {
		in = "with staircases in place of rectified units"
	}
	text := fmt.Sprintf("Trained on %s, epochs: %d, learning rate: %v", in, len(t.Epochs), cmp.Or(c.Rate, onwardRate))
	for _, part := range []struct {
		name string
		ev   *train.Evaluation
	}{{"held out", t.Result.Valid}, {"of the test", t.Result.Test}} {
		if part.ev != nil {
			text += fmt.Sprintf("; %.2f %% of the samples %s are right", part.ev.Value("accuracy"), part.name)
		}
	}
	return text + "."
}

// onwardConfig is the training of a network that stands.
func (c *Convert) onwardConfig(e Env, f *modelfile.File, o *onward) (model.Config, error) {
	cfg, err := e.Catalog.Onward(f, c.Data)
	if err != nil {
		return cfg, err
	}
	r := bptt.NewRule()
	r.Loss = []bptt.Term{{Loss: loss.MembraneCrossEntropy{}}}
	r.Optimizer = optim.Adam{LR: cmp.Or(c.Rate, onwardRate), Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	r.Schedule = optim.Cosine{}
	if o.steps > 1 {
		r.Memory = onwardMemory
	}
	for _, nd := range o.graph.Nodes {
		r.Layers = append(r.Layers, nd.Node)
	}
	for _, out := range o.graph.Outputs {
		r.Outputs = append(r.Outputs, bptt.Output{Name: out.Name, Node: out.Node})
	}
	cfg.Rule, cfg.Encoder, cfg.Steps, cfg.Epochs = r, o.encoder, o.steps, cmp.Or(c.Epochs, onwardEpochs)
	cfg.Patience, cfg.Finish, cfg.WatchTest, cfg.Convert = 0, 0, false, nil
	return cfg, nil
}
