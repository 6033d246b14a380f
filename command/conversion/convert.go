// Package conversion holds the verb that makes ordinary networks spiking.
package conversion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"synfire/catalog"
	"synfire/convert"
	"synfire/data"
	"synfire/detect"
	"synfire/encode"
	"synfire/energy"
	"synfire/internal/atomicfile"
	"synfire/internal/par"
	"synfire/layer/temporal"
	"synfire/modelfile"
	"synfire/neuron"
	"synfire/report"
	"synfire/sample"
	"synfire/train"
	"synfire/view"
	"synfire/zoo"
)

// Env is what the verb works with.
type Env struct {
	view.Screen
	Context context.Context
	Catalog catalog.Catalog
	Data    func(dir string) data.Options
}

// Convert is the verb convert.
type Convert struct {
	Model      string   `arg:"" help:"Model file of an ordinary network, or name of one that ships (synfire models): rectified units, constant input."`
	Method     []string `help:"How scales are found, one or several: model, data, percentile, channel, spike-norm, rmp, spiking-resnet, balance, calibrate, qcfs; hybrid, which trains on by spikes; or ttfs, single spikes." default:"percentile" placeholder:"METHOD,…"`
	Data       string   `help:"Data set, or your own as folder:PATH, npz:FILE, or yaml:FILE with the keys that training files have under data. Default: what the model was trained on." placeholder:"DATA"`
	Split      string   `help:"Part of the data that is measured: train, valid, test or all." enum:"train,valid,test,all" default:"test"`
	Steps      []int    `help:"Steps of time after which the answer is read off; the model is for the last." default:"16,32,64,128" placeholder:"T,…"`
	Input      string   `help:"What the spiking network gets in a step: constant (the values) or poisson (spikes of their probability)." enum:"constant,poisson" default:"constant"`
	Reset      string   `help:"What a spike does to the membrane: subtract (soft) or zero (hard). Default: the method's." enum:",subtract,zero" default:"" placeholder:"RESET"`
	Start      *float64 `help:"Membrane before the first step, as a share of the threshold: 0, or 0.5, which rounds. Default: the method's." placeholder:"SHARE"`
	Neuron     string   `help:"What spikes can be: if (one or none in a step), snm and sigma-delta (also taken back), or graded (as many as it takes)." enum:"if,snm,sigma-delta,graded" default:"if" placeholder:"NEURON"`
	Residual   int      `help:"Steps before the run, after which neurons whose membrane is not above 0 are silenced; they are among --steps." placeholder:"TAU"`
	Negative   string   `help:"Of a detector's leaky units: signed (spikes of −1, behind a threshold that the leak scales) or suppressed (none, to compare with)." enum:"signed,suppressed" default:"signed"`
	Readout    string   `help:"What a detector's boxes are read off: membrane (sums of what comes in) or counts (spikes)." enum:"membrane,counts" default:"membrane"`
	MaxPool    string   `help:"What becomes of max pooling: gate (it counts spikes exactly), leader (spikes of the element with the most), or (any spike), average (another function) or refuse." enum:"gate,leader,or,average,refuse" default:"gate"`
	Delay      string   `help:"Steps that scores leave out at the beginning: a number below the first of --steps, or auto, which finds it by training samples without their classes." default:"0" placeholder:"N|auto"`
	Percentile float64  `help:"Percentile of activations, 0: 99.9; with spike-norm and rmp of currents, 0: the largest." placeholder:"P"`
	Nonzero    bool     `help:"The percentile is of the activations that are not 0."`
	Factor     float64  `help:"Factor of thresholds of spike-norm (0: 1) and rmp (0: found), or of weights of spiking-resnet (0: 1)." placeholder:"F"`
	Rescale    bool     `help:"Of spike-norm: shortcuts are rescaled, in place of thresholds of 1 in residual blocks."`
	Samples    int      `help:"Training samples that scales are found by." default:"500" placeholder:"N"`
	Epochs     int      `help:"Of hybrid, and of qcfs where the network has rectified units: epochs of training on (0: 1)." placeholder:"N"`
	Rate       float64  `help:"The learning rate of that (0: 0.0003)." placeholder:"RATE"`
	Levels     int      `help:"Of qcfs: levels of the units that training puts in the place of rectified ones (0: 8)." placeholder:"L"`
	Resume     bool     `help:"Continue the training that --out holds."`
	Energy     string   `help:"Constants that energy is accounted by: those of Horowitz at 45 nm (45nm), or of a YAML file." default:"45nm" placeholder:"45nm|FILE"`
	Out        string   `help:"Directory for the converted models and a report." placeholder:"DIR"`
	Threads    int      `help:"Threads; 0 means one for each processor." default:"0"`
	DataDir    string   `help:"Folder with your own copies of data sets." placeholder:"DIR"`
	JSON       bool     `help:"Print JSON, a line for each method."`
}

// Help is the verb's longer help.
func (Convert) Help() string {
	return `Makes an ordinary network a spiking one, and tells how accurate it is after how many steps,
and which layers lose what. Scales are found by training samples; the samples that are
measured choose nothing. Two methods train: hybrid trains the spiking network on in the last
of --steps, qcfs a network of rectified units with staircases in their place. With --out the
models are kept, METHOD.safetensors each, for eval and predict. Of a detector it tells the
mean average precision, and the models are for detect. See docs/convert.md.

  synfire convert mlp.safetensors --method percentile,rmp --steps 16,64,256 --out spiking
  synfire convert mlp.safetensors --method hybrid --steps 4,8 --epochs 2 --out spiking
  synfire convert detector.safetensors --method channel --neuron sigma-delta --start 0.5`
}

// Validate returns an error for what no conversion could be made of.
func (c *Convert) Validate() error {
	if err := c.checkTTFS(); err != nil {
		return err
	}
	ascend := len(c.Steps) > 0 && c.Steps[0] > 0
	for i := 1; i < len(c.Steps); i++ {
		ascend = ascend && c.Steps[i] > c.Steps[i-1]
	}
	if ascend && (c.late() < convert.FindLate || c.late() >= c.Steps[0]) {
		return fmt.Errorf("--delay: %q, want auto, or a number of steps below %d, after which the first answer is read off", c.Delay, c.Steps[0])
	}
	switch {
	case len(c.Method) == 0:
		return errors.New("--method: none is given")
	case !ascend:
		return fmt.Errorf("--steps: %v, want numbers that ascend from 1 or more, such as 16,32,64", c.Steps)
	case c.Steps[len(c.Steps)-1] > convert.MostSteps:
		return fmt.Errorf("--steps: %d, want at most %d, above which spikes are not counted exactly; 1024 tell what there is to tell", c.Steps[len(c.Steps)-1], convert.MostSteps)
	case c.Residual > 0 && c.Delay != "0":
		return errors.New("--delay: scores leave out the steps before the run (--residual) already; give one of the two")
	case c.Residual < 0 || c.Residual > 0 && c.Steps[0] <= c.Residual:
		return fmt.Errorf("--residual: %d steps before the run, which are among --steps %v; want a number below all of these, such as 4", c.Residual, c.Steps)
	case c.Samples < 1:
		return fmt.Errorf("--samples: %d, want at least 1 training sample to calibrate by", c.Samples)
	}
	if err := c.checkOnward(); err != nil {
		return err
	}
	return c.checkMethods()
}

// checkMethods returns an error for methods that there are not or that are given twice, and for options
// that one does not take, before anything is measured.
func (c *Convert) checkMethods() error {
	for i, name := range c.Method {
		if slices.Contains(c.Method[:i], name) {
			return fmt.Errorf("--method: %s is given twice; leave one out", name)
		}
		switch name {
		case ttfsMethod:
			continue
		case hybridMethod:
			name = hybridBase
		}
		m, err := convert.MethodOf(name)
		if err == nil {
			err = m.Check(c.options())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Run converts by each method.
func (c *Convert) Run(e Env) error {
	if err := c.run(e); err != nil {
		return fmt.Errorf("convert %s: %w", c.Model, err)
	}
	return nil
}

func (c *Convert) run(e Env) error {
	if err := c.prepare(); err != nil {
		return err
	}
	pool := par.New(c.Threads)
	defer pool.Close()
	f, err := zoo.Read(c.Model)
	if err != nil {
		return err
	}
	m, s, err := c.study(e, f, pool)
	if err != nil {
		return err
	}
	if task, bound, ok := detect.Of(m.Config.Task); ok {
		if _, err := m.Heads(bound); err != nil {
			return err
		}
		return c.detectors(e, m, s, task)
	}
	if c.Negative != "signed" || c.Readout != "membrane" {
		return errors.New("--negative and --readout are for detectors; leave them out")
	}
	e.Status("measuring the ordinary network")
	ordinary, err := s.Accuracy(e.Context)
	if err != nil {
		return err
	}
	if c.Method[0] == ttfsMethod {
		return c.firstSpikes(e, s, ordinary)
	}
	var results []convert.Result
	var trained []report.Fact
	for _, name := range c.Method {
		e.Status("%s", name)
		s.Progress = e.Share(name)
		r, text, err := c.by(name, e, f, m, s, ordinary)
		if err != nil {
			return c.kept(err)
		}
		e.Status("")
		if c.JSON {
			err = json.NewEncoder(e.Out).Encode(resultOf(r))
		} else if err = e.Conversion(r); text != "" {
			e.Paragraph(0, text)
		}
		if err != nil {
			return err
		}
		if results = append(results, r); text != "" {
			trained = append(trained, report.Fact{Label: name, Value: text})
		}
	}
	return c.keep(e, m, results, trained)
}

// by converts by a method, and measures what came of it. The text says what a method that trains did.
func (c *Convert) by(name string, e Env, f *modelfile.File, m *catalog.Model, s convert.Study, ordinary float64) (r convert.Result, text string, err error) {
	switch name {
	case hybridMethod:
		return c.hybrid(e, f, m, s, ordinary)
	case qcfsMethod:
		return c.staircases(e, f, m, s, ordinary)
	}
	method, err := convert.MethodOf(name)
	if err != nil {
		return r, "", err
	}
	r, err = s.Run(e.Context, method, c.options(), ordinary)
	return r, "", err
}

// prepare makes the directory: what cannot be written to, or holds models that the new report would
// not tell of, is told before hours of work.
func (c *Convert) prepare() error {
	if c.Out == "" {
		return nil
	}
	if err := atomicfile.Folder(c.Out); err != nil {
		return err
	}
	for _, method := range c.Method {
		name := filepath.Join(c.Out, method)
		if _, err := os.Stat(name); err == nil && trains(method) && !c.Resume {
			return fmt.Errorf("%s is an earlier training: continue it by the same command and --resume, or give another --out", name)
		}
	}
	names := []string{hybridMethod}
	for _, m := range convert.Methods() {
		names = append(names, m.Name)
	}
	for _, method := range names {
		name := filepath.Join(c.Out, method+".safetensors")
		if _, err := os.Stat(name); err == nil && !slices.Contains(c.Method, method) {
			return fmt.Errorf("%s is of an earlier conversion, and the new report would not tell of it: give another --out, or move it away", name)
		}
	}
	return nil
}

// study is the model with the samples to calibrate by and to measure with.
func (c *Convert) study(e Env, f *modelfile.File, pool *par.Pool) (*catalog.Model, convert.Study, error) {
	var s convert.Study
	calibration, err := e.Catalog.Measurable(e.Context, f, c.Data, train.SplitTrain, e.Data(c.DataDir))
	if none := (*catalog.NoPartError)(nil); errors.As(err, &none) {
		return nil, s, fmt.Errorf("%s has no part train, by which scales are found: convert by data that have one, leave --data out for those of training, and measure %s by eval with the model of --out", none.Data, none.Data)
	}
	if err != nil {
		return nil, s, fmt.Errorf("samples to calibrate by: %w", err)
	}
	if n := calibration.Source.Len(); n < c.Samples {
		e.Status("")
		fmt.Fprintf(e.Err, "convert: there are %d training samples to find scales by, not %d\n", n, c.Samples)
		c.Samples = n
	}
	part, err := e.Catalog.Measurable(e.Context, f, c.Data, c.Split, e.Data(c.DataDir))
	if err != nil {
		return nil, s, err
	}
	spec := part.Source.Spec()
	m, err := e.Catalog.FromFile(f, catalog.OpenOptions{Pool: pool, Spec: &spec})
	if err != nil {
		return nil, s, err
	}
	for _, src := range []*sample.Source{&calibration.Source, &part.Source} {
		if *src, err = m.Fit(*src); err != nil {
			return nil, s, err
		}
	}
	g, err := m.Graph()
	if err != nil {
		return nil, s, err
	}
	if _, ok := m.Config.Encoder.(encode.Constant); !ok {
		return nil, s, fmt.Errorf("its encoder is %T, and an ordinary network takes samples as they are: train it with encoder constant and steps 1", m.Config.Encoder)
	}
	constants, err := energy.Named(c.Energy)
	if err != nil {
		return nil, s, err
	}
	s = convert.Study{
		Constants: constants,
		Graph:     g, Train: calibration.Source, Test: part.Source, Normalize: m.Normalization, Encoder: encode.Constant{},
		Steps: c.Steps, Samples: c.Samples, Seed: m.Config.Seed, Pool: pool,
	}
	if c.Input == "poisson" {
		s.Encoder = encode.Poisson{Scale: 1}
	}
	m.Config.Encoder, m.Config.Steps = s.Encoder, c.Steps[len(c.Steps)-1] // of the models that are kept
	return m, s, nil
}

// late is the delay as convert takes it; what is no delay is below all that are.
func (c *Convert) late() int {
	if c.Delay == "auto" {
		return convert.FindLate
	}
	if n, err := strconv.Atoi(c.Delay); err == nil && n >= 0 {
		return n
	}
	return convert.FindLate - 1
}

func (c *Convert) options() convert.Options {
	o := convert.Options{Start: c.Start, Pooling: map[string]convert.Pooling{"leader": convert.Leads, "or": convert.Any, "average": convert.Means, "refuse": convert.Refuse}[c.MaxPool], Percentile: c.Percentile, Nonzero: c.Nonzero, Factor: c.Factor, Rescale: c.Rescale, Late: c.late(), Residual: c.Residual, Suppressed: c.Negative == "suppressed", Counts: c.Readout == "counts"}
	for code := temporal.Plain; code <= temporal.Graded; code++ {
		if code.String() == c.Neuron {
			o.Code = code
		}
	}
	if c.Reset != "" {
		o.Reset = new(neuron.Reset)
		if c.Reset == "zero" {
			*o.Reset = neuron.Zero
		}
	}
	return o
}

// keep writes the converted models and the report, all together: of a command that fails
// in its second method nothing is left that no report tells of.
func (c *Convert) keep(e Env, m *catalog.Model, results []convert.Result, trained []report.Fact) error {
	if c.Out == "" {
		return nil
	}
	for _, r := range results {
		f, err := e.Catalog.WithGraph(m, r.Graph)
		if err != nil {
			return err
		}
		if err := modelfile.Write(filepath.Join(c.Out, r.Method+".safetensors"), f); err != nil {
			return err
		}
	}
	return c.report(e, results, trained)
}

// report writes the page, its figures and the results into the directory, with what training did.
func (c *Convert) report(e Env, results []convert.Result, trained []report.Fact) error {
	page, err := view.ConversionPage("Conversion of "+filepath.Base(c.Model), results)
	if err != nil {
		return err
	}
	page.Facts = append(page.Facts, report.Fact{Label: "model", Value: c.Model}, report.Fact{Label: "input", Value: c.Input}, report.Fact{Label: "samples of the calibration", Value: fmt.Sprint(c.Samples)})
	page.Facts = append(page.Facts, trained...)
	if err := page.Write(c.Out); err != nil {
		return err
	}
	var all []conversion
	for _, r := range results {
		all = append(all, resultOf(r))
	}
	if err := atomicfile.Write(filepath.Join(c.Out, "result.json"), func(w io.Writer) error { return json.NewEncoder(w).Encode(all) }); err != nil || c.JSON {
		return err
	}
	_, err = fmt.Fprintf(e.Out, "\nmodels and report: %s\n", filepath.Join(c.Out, "report.html"))
	return err
}
