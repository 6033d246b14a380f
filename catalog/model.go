package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"

	"synfire/data"
	"synfire/detect"
	"synfire/encode"
	"synfire/internal/par"
	"synfire/model"
	"synfire/modelfile"
	"synfire/network"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
	"synfire/zoo"
)

// OpenOptions say how a model file is opened. The zero value opens any of today's.
type OpenOptions struct {
	Pool *par.Pool
	// Spec and Normalization are of the training samples, for files of format 1, which
	// do not hold them.
	Spec          *sample.Spec
	Normalization *sample.Normalization
}

// ErrFacts says that a file of format 1 was opened without the facts that it lacks.
var ErrFacts = errors.New("the file is of an older format and does not say what its samples are like; give the data that it was trained on")

// Model is a trained model with all that it takes to use it.
type Model struct {
	Config        model.Config
	Rule          string // its kind
	Spec          sample.Spec
	Normalization *sample.Normalization
	File          *modelfile.File // without its arrays, which the predictor has

	predictor train.Predictor
	forks     sync.Pool // of predictors; nil elements never
	alone     sync.Mutex
}

// large is the size of arrays, in bytes, whose copies in a file's memory are given back once
// a model has its own.
const large = 16 << 20

// Open opens a model file or a checkpoint of any rule of the catalogue, or a model that is
// part of the program by its name (package zoo).
func (c Catalog) Open(path string, o OpenOptions) (*Model, error) {
	f, err := zoo.Read(path)
	if err != nil {
		return nil, err
	}
	size := 0
	for _, a := range f.Arrays {
		size += len(a.Data)
	}
	m, err := c.FromFile(f, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if size >= large {
		debug.FreeOSMemory()
	}
	return m, nil
}

// Knows returns an error where the rule of a file is none of the catalogue's.
func (c Catalog) Knows(f *modelfile.File) error {
	if _, ok := c.Rules[f.Rule]; !ok {
		return fmt.Errorf("its rule %q is not known to this program, which knows %v; use the program that made it, or a newer one", sample.Printable(f.Rule), slices.Sorted(maps.Keys(c.Rules)))
	}
	return nil
}

// FromFile is Open of a file that has been read.
func (c Catalog) FromFile(f *modelfile.File, o OpenOptions) (*Model, error) {
	if err := c.Knows(f); err != nil {
		return nil, err
	}
	config := f.Config
	if f.Format == 1 {
		config = modernised(f.Rule, config)
	}
	cfg, err := c.Decode("its configuration", config)
	if err != nil {
		return nil, err
	}
	m := &Model{Config: cfg, Rule: f.Rule, Normalization: f.Normalization}
	switch {
	case f.Spec != nil:
		m.Spec = *f.Spec
	case o.Spec != nil:
		m.Spec = *o.Spec
	default:
		return nil, ErrFacts
	}
	if f.Format == 1 {
		cfg.Valid = 0 // nothing was held out then
		m.Normalization = o.Normalization
		if len(cfg.Data.Mean) > 0 {
			m.Normalization = &sample.Normalization{Mean: cfg.Data.Mean, Std: cfg.Data.Std}
		}
	}
	if m.Config, err = cfg.For(m.Spec); err != nil {
		return nil, err
	}
	if f.Format > 1 && !f.Finished {
		return nil, fmt.Errorf("its model is not finished: its rule completes it at the end of an epoch; use the run's best checkpoint or model, or resume the run")
	}
	if m.predictor, err = m.open(f, o.Pool); err != nil {
		return nil, err
	}
	bare := *f
	bare.Arrays = nil
	m.File = &bare
	return m, nil
}

// open makes the predictor. A file of format 1 holds a learner's whole state.
func (m *Model) open(f *modelfile.File, pool *par.Pool) (train.Predictor, error) {
	s := m.Config.Setting(model.Sets{Spec: m.Spec}, pool)
	if f.Format == 1 {
		l, err := m.Config.Rule.Learner(s)
		if err != nil {
			return nil, err
		}
		return l, l.SetState(f.Arrays)
	}
	return m.Config.Rule.Predictor(s, f.Arrays)
}

// Predictor is the model itself, for one goroutine. It takes normalised batches.
func (m *Model) Predictor() train.Predictor { return m.predictor }

// Classes are the names of the classes that the first task tells apart, nil where it
// does not classify.
func (m *Model) Classes() []string {
	if len(m.Config.Task) == 0 {
		return nil
	}
	f, err := m.Spec.Target(m.Config.Task[0].Target)
	if err != nil || f.Kind != sample.Class {
		return nil
	}
	return f.Classes
}

// Answer is what a model says of one sample, the first reading by itself.
type Answer struct {
	Reading
	Steps    int // of time that were run
	Spikes   int
	Readings []Reading     // of all tasks, and of the outputs that none is for
	Outputs  []task.Output // all of the model's, of this sample
}

// Reading is what a task's output says of one sample. Values that give back the sample
// are in its units, with the normalisation undone.
type Reading struct {
	Name   string // of the task, or of an output without one
	Task   string // the kind of the task's target: "class", "values", "trains"; "" without a task
	Class  string // of a class
	Scores map[string]float64
	Values []float64
	Course [][]float64 // of values that are read at each step: [step][value]
	Trains [][]float64 // of trains: the steps in which each unit fires
}

// Predict says what a model takes samples for: values as the source of its training
// data gives them, so bytes scaled to [0, 1], and not normalised, which is done here.
// It is safe for use by several goroutines.
func (m *Model) Predict(ctx context.Context, samples ...*sample.Sample) ([]Answer, error) {
	spec := m.Spec
	spec.Targets = nil
	var b sample.Batch
	b.Reset(&spec, 0)
	for i, s := range samples {
		one := *s
		one.Targets = nil
		if err := m.check(&one); err != nil {
			return nil, fmt.Errorf("predict: sample %d: %w", i, err)
		}
		if !spec.Events {
			one.X = slices.Clone(one.X)
			m.Normalization.Apply(one.X)
		}
		if err := b.Append(i, &one); err != nil {
			return nil, fmt.Errorf("predict: sample %d: %w", i, err)
		}
	}
	if len(samples) == 0 {
		return nil, nil
	}
	p, release := m.take()
	defer release()
	out, err := train.InViews(p, m.Config.Data.Views).Predict(ctx, &b)
	if err != nil {
		return nil, fmt.Errorf("predict: %w", err)
	}
	answers := make([]Answer, len(samples))
	for i := range answers {
		if answers[i], err = m.answer(out, &b, i); err != nil {
			return nil, fmt.Errorf("predict: %w", err)
		}
	}
	return answers, nil
}

// check returns an error for a sample that the model cannot take.
func (m *Model) check(s *sample.Sample) error {
	if m.Spec.Events {
		for k, e := range s.Events {
			if e.Unit < 0 || int(e.Unit) >= m.Spec.Shape.Size() || !(e.Time >= 0) {
				return fmt.Errorf("event %d is at place %d, time %v; the model takes places below %d and times from 0", k, e.Unit, e.Time, m.Spec.Shape.Size())
			}
		}
		return nil
	}
	if len(s.X) != m.Spec.Size() {
		return fmt.Errorf("%d values, and the model takes samples of %v, %d values", len(s.X), m.Spec, m.Spec.Size())
	}
	if k, ok := tensor.Finite(s.X); !ok {
		return fmt.Errorf("value %d is %v; fill it in", k, s.X[k])
	}
	return nil
}

// take is a predictor for one goroutine, until it is released.
func (m *Model) take() (p train.Predictor, release func()) {
	f, ok := m.predictor.(train.Forker)
	if !ok {
		m.alone.Lock()
		return m.predictor, m.alone.Unlock
	}
	if p, ok = m.forks.Get().(train.Predictor); !ok {
		p = f.Fork()
	}
	return p, func() { m.forks.Put(p) }
}

// answer is what a prediction says of sample i of a batch.
func (m *Model) answer(p train.Prediction, b *sample.Batch, i int) (Answer, error) {
	a := Answer{Steps: m.Config.Steps}
	if p.Steps != nil {
		a.Steps = p.Steps[i]
	}
	if b.Len() == 1 {
		for _, r := range p.Metrics.Rates {
			a.Spikes += r.Spikes
		}
	}
	for _, o := range p.Outputs {
		one := task.Output{Name: o.Name, Shape: o.Shape, Scores: slices.Clone(o.Of(i))}
		a.Outputs = append(a.Outputs, one)
	}
	tasks := m.Config.Task
	if len(tasks) == 0 {
		tasks = []task.Binding{{}}
	}
	read := map[string]bool{}
	for k, binding := range tasks {
		o, ok := p.Output(binding.Output)
		if !ok {
			return a, fmt.Errorf("the model has no output %q", binding.Output)
		}
		r, err := m.reading(binding, o, b, i)
		if err != nil {
			return a, err
		}
		if len(m.Config.Task) > 0 {
			r.Name = task.Names(tasks)[k]
		}
		a.Readings, read[o.Name] = append(a.Readings, r), true
	}
	for _, o := range p.Outputs {
		if !read[o.Name] {
			a.Readings = append(a.Readings, Reading{Name: o.Name, Values: doubles(o.Of(i))})
		}
	}
	a.Reading = a.Readings[0]
	return a, nil
}

// reading is what an output says of sample i of a batch to a task.
func (m *Model) reading(binding task.Binding, o task.Output, b *sample.Batch, i int) (r Reading, err error) {
	field, err := m.Spec.Target(binding.Target)
	if err != nil {
		return r, err
	}
	switch r.Task = field.Kind.String(); field.Kind {
	case sample.Class:
		r.Class, r.Scores = field.Classes[o.Answer(i)], map[string]float64{}
		for k, v := range o.Of(i) {
			r.Scores[field.Classes[k]] = float64(v)
		}
		return r, nil
	case sample.Trains:
		r.Trains = spikeSteps(o, i, b.Len())
		return r, nil
	}
	inUnits := doubles
	if binding.Target == sample.Input && m.Normalization != nil {
		inUnits = func(v []tensor.Float) []float64 { return doubles(m.Normalization.Undo(slices.Clone(v))) }
	}
	r.Values = inUnits(o.Of(i))
	reader, ok := binding.Task.(task.Reader)
	if !ok {
		return r, nil
	}
	read := reader.Reads(field)
	if read == task.ReadScores {
		return r, nil
	}
	rows, err := task.Case{Output: o, Batch: b, Valid: b.Valid(m.Config.Steps)}.Answers(i, read)
	if err != nil {
		return r, err
	}
	if read != task.ReadEach {
		r.Values = inUnits(rows[0])
		return r, nil
	}
	for _, row := range rows {
		r.Course = append(r.Course, inUnits(row))
	}
	return r, nil
}

func doubles(v []tensor.Float) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// spikeSteps are the steps in which each unit of sample i fires.
func spikeSteps(o task.Output, i, n int) [][]float64 {
	k := o.Shape.Size()
	out := make([][]float64, k)
	for u := range out {
		out[u] = []float64{}
		for t := 0; o.Signal != nil && t < o.Signal.T; t++ {
			if o.Signal.Data[(t*n+i)*k+u] != 0 {
				out[u] = append(out[u], float64(t))
			}
		}
	}
	return out
}

// Evaluate scores the model on a source, whose classes are matched by name.
func (m *Model) Evaluate(ctx context.Context, p train.Predictor, src sample.Source, batch int, progress func(done, total int)) (*train.Evaluation, error) {
	src, err := m.Fit(src)
	if err != nil {
		return nil, err
	}
	ahead := 0
	if data.Lazy(src) {
		ahead = 2
	}
	return train.Evaluate(ctx, p, src, train.EvaluateOptions{Tasks: m.Config.Task, Normalize: m.Normalization, Views: m.Config.Data.Views, Batch: batch, Prefetch: ahead, Progress: progress})
}

// Fit is a source as the model takes it: classes numbered as the model's. Samples or
// targets that the model was not made for are an error.
func (m *Model) Fit(src sample.Source) (sample.Source, error) {
	spec := src.Spec()
	if !spec.Alike(m.Spec) {
		return nil, fmt.Errorf("the data are samples of %v, the model was trained on %v: use the data set that it is for", spec, m.Spec)
	}
	if a, b := spec.Columns, m.Spec.Columns; a != nil && b != nil && !slices.Equal(a, b) {
		return nil, fmt.Errorf("the data have the columns %s, the model was trained on %s: use tables with the same names in the same order", data.Names(a), data.Names(b))
	}
	if a, b := spec.Rate, m.Spec.Rate; a != b && a > 0 && b > 0 {
		return nil, fmt.Errorf("the data are sounds at %d Hz, the model was trained on ones at %d Hz: convert them", a, b)
	}
	for _, f := range m.Spec.Targets {
		i, err := spec.Field(f.Name)
		if err != nil {
			return nil, fmt.Errorf("the model was trained on target %q, which is %v: %w", f.Name, f.Kind, err)
		}
		if kind := spec.Targets[i].Kind; kind != f.Kind {
			return nil, fmt.Errorf("the model was trained on target %q, which is %v, and that of the data is %v: use the data that it is for", f.Name, f.Kind, kind)
		}
		if f.Kind != sample.Class && f.Kind != sample.Boxes {
			continue
		}
		if src, err = sample.Reclass(src, f.Name, f.Classes); err != nil {
			return nil, err
		}
	}
	return src, nil
}

// Graph is the model's network as an editable value: for transforms, conversion and
// exchange. Models of rules that train no network have none.
func (m *Model) Graph() (network.Graph, error) {
	n, err := m.network()
	if err != nil {
		return network.Graph{}, err
	}
	g := n.Graph()
	g.Outputs = m.read(g.Outputs)
	return g, nil
}

// Outputs are those of the model's network, with what reads them.
func (m *Model) Outputs() ([]network.Output, error) {
	n, err := m.network()
	if err != nil {
		return nil, err
	}
	return m.read(n.Outputs()), nil
}

// Heads are the outputs that a task detect reads, as the two of a YOLOv3 for objects of different
// size. Boxes of an output that it does not read are an error: they would be missed in silence.
func (m *Model) Heads(b task.Binding) ([]string, error) {
	all, err := m.Outputs()
	if err != nil {
		return nil, err
	}
	names := b.Outputs()
	names[0] = cmp.Or(names[0], all[0].Name)
	for _, o := range all {
		if _, ok := detect.AsBoxes(o.Read); ok && !slices.Contains(names, o.Name) {
			return nil, fmt.Errorf("output %q is boxes, too, which the model's task detect does not read: import it once more, or name it there under others", o.Name)
		}
	}
	return names, nil
}

func (m *Model) network() (*network.Network, error) {
	n, ok := m.predictor.(interface{ Network() *network.Network })
	if !ok {
		return nil, fmt.Errorf("the model is one of rule %s, which is no network of layers", m.Rule)
	}
	return n.Network(), nil
}

// read fills in what the loss of an output reads it by.
func (m *Model) read(outputs []network.Output) []network.Output {
	for i := range outputs {
		if o := &outputs[i]; o.Read == nil {
			o.Read = m.decoder(o.Name, i == 0)
		}
	}
	return outputs
}

// decoder is how the loss of an output reads it, where that is more than the loss's own affair;
// nil else.
func (m *Model) decoder(output string, first bool) encode.Decoder {
	r, ok := m.Config.Rule.(bptt.Rule)
	if !ok {
		return nil
	}
	for _, t := range r.Loss {
		if of, ok := t.Loss.(interface{ Decoder() encode.Decoder }); ok && (t.Output == output || t.Output == "" && first) {
			return of.Decoder()
		}
	}
	return nil
}

// WithGraph is the model file of a network that took the place of the model's: it takes
// the same samples, for the same tasks.
func (c Catalog) WithGraph(m *Model, g network.Graph) (modelfile.File, error) {
	r, arrays, err := bptt.NewGraph(g)
	if err != nil {
		return modelfile.File{}, err
	}
	cfg := m.Config
	cfg.Rule = r
	text, err := c.Encode(cfg)
	if err != nil {
		return modelfile.File{}, err
	}
	return modelfile.File{Rule: bptt.GraphKind, Config: text, Spec: &m.Spec, Normalization: m.Normalization, Arrays: arrays, Finished: true}, nil
}
