package recipe

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"synfire/data"
	"synfire/model"
	"synfire/modelfile"
	"synfire/network"
	"synfire/report"
	"synfire/report/figure"
	"synfire/run"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// Trained is a finished training run with what its report needs.
type Trained struct {
	Name    string // of the job
	Config  model.Config
	YAML    []byte
	Sets    model.Sets
	Learner train.Learner // its model is the result
	Result  *train.Result
	Points  []run.Point
	Epochs  []run.Epoch
	Left    []string // what did not fit of the model that weights started from
	Doubts  []string // about the classes of the training samples

	Converted network.Report // what was done to make that model spiking; nil where nothing was
}

// Train runs a configuration in a directory, continuing an earlier run of it where
// Env.Resume asks for that. The test samples are nil where the configuration holds
// some out for it.
func Train(ctx context.Context, e *Env, out string, c model.Config, trainSet, testSet sample.Source) (*Trained, error) {
	t, loop, err := begin(ctx, e, c, trainSet, testSet)
	if err != nil {
		return nil, err
	}
	c = t.Config
	if c.Init != "" {
		if t.Left, err = t.initialise(ctx, e); err != nil {
			return nil, err
		}
		for _, left := range t.Left {
			if e.Observer != nil {
				e.Observer.Warn("init: " + left)
			}
		}
	}
	if t.Doubts, err = data.Doubts(t.Sets.Train); err != nil {
		return nil, err
	}
	for _, text := range t.Doubts {
		if e.Observer != nil {
			e.Observer.Warn(text)
		}
	}
	if w, ok := loop.Learner.(train.Warner); ok {
		for _, text := range w.Warnings() {
			e.Observer.Warn(text)
		}
	}
	dir, err := run.Open(out, t.YAML, e.Resume)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if loop.Logs, err = train.NewLogs(out, e.Logs); err != nil {
		return nil, err
	}
	loop.Dir, loop.Observer, loop.Now = dir, e.Observer, e.Now
	loop.SaveEvery, loop.LogEvery = e.SaveEvery, max(1, loop.Train.Len()/pointsAnEpoch)
	loop.Model = modelfile.File{Rule: e.Catalog.RuleName(c.Rule), Config: t.YAML, Spec: &t.Sets.Spec, Normalization: t.Sets.Normalization}
	if t.Result, err = loop.Run(ctx); err != nil {
		return nil, err
	}
	t.Points, t.Epochs, err = dir.History()
	return t, err
}

// begin is a run of a configuration before its first step.
func begin(ctx context.Context, e *Env, c model.Config, trainSet, testSet sample.Source) (*Trained, *train.Loop, error) {
	c, note, err := e.Catalog.KeepSplit(c)
	if err != nil {
		return nil, nil, UsageError{err}
	}
	if note != "" && e.Observer != nil {
		e.Observer.Warn(note)
	}
	c, sets, err := c.Prepare(ctx, trainSet, testSet)
	if err != nil {
		return nil, nil, UsageError{err}
	}
	yaml, err := e.Catalog.Encode(c)
	if err != nil {
		return nil, nil, fmt.Errorf("write the resolved configuration: %w", err)
	}
	loop, err := c.Loop(sets, e.Pool)
	if err != nil {
		return nil, nil, UsageError{err}
	}
	return &Trained{Config: c, YAML: yaml, Sets: sets, Learner: loop.Learner}, loop, nil
}

// pointsAnEpoch is how many points the training curve has in an epoch.
const pointsAnEpoch = 25

// Network is the network that was trained, or nil where the rule trains none.
func (t *Trained) Network() *network.Network {
	if n, ok := t.Learner.(interface{ Network() *network.Network }); ok {
		return n.Network()
	}
	return nil
}

// WeightsSHA256 is a sum over what was learnt, for comparing runs.
func (t *Trained) WeightsSHA256() string {
	h := sha256.New()
	t.writeWeights(h)
	return hex.EncodeToString(h.Sum(nil))
}

// writeWeights writes names, shapes and values: of a network its parameters, as
// doubles, of other rules the arrays of the learner's state.
func (t *Trained) writeWeights(w io.Writer) {
	if net := t.Network(); net != nil {
		var b [8]byte
		for _, p := range net.Params() {
			fmt.Fprintf(w, "%s %v\n", p.Name, p.Value.Shape)
			for _, v := range p.Value.Data {
				binary.LittleEndian.PutUint64(b[:], math.Float64bits(float64(v)))
				w.Write(b[:]) // a hash takes everything
			}
		}
		return
	}
	s := t.Learner.State()
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(w, "%s %v\n", name, s[name].Shape)
		w.Write(s[name].Data)
	}
}

// Metrics are the figures of the result: test_ACCURACY and the like, and the number of
// epochs.
func (t *Trained) Metrics() report.Metrics {
	m := report.Metrics{"epochs": float64(len(t.Epochs))}
	for split, ev := range map[string]*train.Evaluation{train.SplitValid: t.Result.Valid, train.SplitTest: t.Result.Test} {
		if ev == nil {
			continue
		}
		for name, v := range ev.Figures() {
			m[metric(split, name)] = v
		}
	}
	return m
}

// metric is what a figure of a split is called among the metrics.
func metric(split, name string) string {
	return split + "_" + strings.NewReplacer("/", "_", "-", "_").Replace(name)
}

// figure is the metric of the first task's first figure, of the test where there is one.
func (t *Trained) figure() string {
	for _, part := range []struct {
		split string
		ev    *train.Evaluation
	}{{train.SplitTest, t.Result.Test}, {train.SplitValid, t.Result.Valid}} {
		if part.ev != nil && len(part.ev.Scalars) > 0 {
			return metric(part.split, part.ev.Scalars[0].Name)
		}
	}
	return ""
}

// EpochSeconds is the mean time of an epoch.
func (t *Trained) EpochSeconds() float64 {
	seconds := 0.0
	for _, e := range t.Epochs {
		seconds += e.Seconds
	}
	return seconds / float64(max(1, len(t.Epochs)))
}

// Job is one training run of a study.
type Job struct {
	Name   string // of its directory, with the seed behind it
	Config model.Config
}

// Study runs jobs and collects what is measured of them. After an error it does
// nothing more.
type Study struct {
	Env     *Env
	Metrics report.Metrics
	Jobs    []*Trained // in the order in which they ran

	train, test sample.Source
	measured    map[string]report.Measurement
	weights     hash.Hash // of all jobs, in order
	err         error
}

// NewStudy begins a study whose jobs learn from one data set.
func NewStudy(e *Env, trainSet, testSet sample.Source) *Study {
	return &Study{Env: e, train: trainSet, test: testSet, measured: map[string]report.Measurement{}, Metrics: report.Metrics{}, weights: sha256.New()}
}

// Load begins a study whose jobs learn from the data that a configuration names.
func Load(ctx context.Context, e *Env, d model.Data) (*Study, error) {
	trainSet, testSet, err := e.Catalog.Load(ctx, d, e.Data)
	if err != nil {
		return nil, err
	}
	return NewStudy(e, trainSet, testSet), nil
}

// EachTest hands over the values and the class of each test sample, in order.
func (t *Trained) EachTest(ctx context.Context, f func(x []tensor.Float, class int) error) error {
	const batch = 100
	cursor, err := data.NewCursor(t.Sets.Test, data.CursorOptions{Batch: batch})
	if err != nil {
		return err
	}
	var b sample.Batch
	for {
		if ctx.Err() != nil {
			return train.ErrInterrupted
		}
		more, err := cursor.Next(ctx, &b)
		if err != nil || !more {
			return err
		}
		size := len(b.X) / b.Len()
		for i, class := range b.Classes() {
			if err := f(b.X[i*size:][:size], class); err != nil {
				return fmt.Errorf("sample %d: %w", b.Index[i], err)
			}
		}
	}
}

// Run trains a job in a directory of its own and keeps it. It is nil after an error.
func (s *Study) Run(ctx context.Context, j Job) *Trained {
	return s.run(ctx, filepath.Join(s.Env.Out, fmt.Sprintf("%s-s%d", j.Name, j.Config.Seed)), j)
}

// RunAlone trains the only job of a study, in the study's own directory.
func (s *Study) RunAlone(ctx context.Context, j Job) *Trained { return s.run(ctx, s.Env.Out, j) }

func (s *Study) run(ctx context.Context, out string, j Job) *Trained {
	if s.err != nil {
		return nil
	}
	if s.Env.Rehearse != nil {
		s.Env.Rehearse(&j)
	}
	t, err := Train(ctx, s.Env, out, j.Config, s.train, s.test)
	if err != nil {
		s.Fail(fmt.Errorf("%s, seed %d: %w", j.Name, j.Config.Seed, err))
		return nil
	}
	t.Name = j.Name
	s.Jobs = append(s.Jobs, t)
	t.writeWeights(s.weights)
	return t
}

// Fail ends the study with an error.
func (s *Study) Fail(err error) { s.err = errors.Join(s.err, err) }

// Err is the error that ended the study.
func (s *Study) Err() error { return s.err }

// Train is the training samples.
func (s *Study) Train() sample.Source { return s.train }

// Test is the test samples.
func (s *Study) Test() sample.Source { return s.test }

// On lets the coming jobs learn from other samples.
func (s *Study) On(trainSet, testSet sample.Source) { s.train, s.test = trainSet, testSet }

// Names are those of the jobs that ran, each once.
func (s *Study) Names() (names []string) {
	for _, t := range s.Jobs {
		if !slices.Contains(names, t.Name) {
			names = append(names, t.Name)
		}
	}
	return names
}

// Configs is the configuration of each job, one after another.
func (s *Study) Configs() string {
	var all []string
	for _, t := range s.Jobs {
		all = append(all, fmt.Sprintf("# %s, seed %d\n%s", t.Name, t.Config.Seed, t.YAML))
	}
	return strings.Join(all, "\n")
}

// Course is a figure over the epochs of a job, in the mean over its seeds with their
// range.
func (s *Study) Course(name string, value func(run.Epoch) float64) figure.Series {
	line, seeds := figure.Series{Name: name}, 0.0
	for _, t := range s.Jobs {
		if t.Name != name {
			continue
		}
		seeds++
		for i, e := range t.Epochs {
			v := value(e)
			if i == len(line.Y) {
				line.Y, line.Low, line.High = append(line.Y, v), append(line.Low, v), append(line.High, v)
				continue
			}
			line.Y[i] += (v - line.Y[i]) / seeds
			line.Low[i], line.High[i] = min(line.Low[i], v), max(line.High[i], v)
		}
	}
	if seeds == 1 {
		line.Low, line.High = nil, nil
	}
	return line
}

// Add adds a figure to a claim, of n samples. A claim that was left stays so: with the figures of
// the seeds behind it would be told that too few ran.
func (s *Study) Add(claim string, value float64, n int) {
	if m := s.measured[claim]; s.err == nil && claim != "" && m.Why == "" {
		m.Values, m.N = append(m.Values, value), n
		s.measured[claim] = m
	}
}

// Seeds is the number of seeds of a claim with several figures of each.
func (s *Study) Seeds(claim string, n int) {
	m := s.measured[claim]
	m.Seeds = n
	s.measured[claim] = m
}

// Leave says why nothing is measured of a claim.
func (s *Study) Leave(claim, why string) { s.measured[claim] = report.Measurement{Why: why} }

// Missing warns of data that cannot be had, and leaves the claims on them with the reason.
func (s *Study) Missing(what string, err error, claims ...string) {
	s.Env.Observer.Warn(what + " is left out: " + err.Error())
	for _, id := range claims {
		s.Leave(id, "the data are missing: "+err.Error())
	}
}

// Outcome is the result, with a page for the finished run.
func (s *Study) Outcome(page func(r report.Run) report.Page) (*Outcome, error) {
	if s.err != nil {
		return nil, s.err
	}
	return &Outcome{Measured: s.measured, Metrics: s.Metrics, WeightsSHA256: hex.EncodeToString(s.weights.Sum(nil)), Page: page}, nil
}
