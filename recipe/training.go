package recipe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"synfire/catalog"
	"synfire/model"
	"synfire/modelfile"
	"synfire/network"
	"synfire/report"
	"synfire/run"
	"synfire/sample"
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
}

// Train runs a configuration in a directory, continuing an earlier run of it where
// Env.Resume asks for that. The test samples are nil where the configuration holds
// some out for it.
func Train(ctx context.Context, e *Env, out string, c model.Config, trainSet, testSet sample.Source) (*Trained, error) {
	c, sets, err := c.Prepare(ctx, trainSet, testSet)
	if err != nil {
		return nil, err
	}
	yaml, err := e.Catalog.Encode(c)
	if err != nil {
		return nil, fmt.Errorf("write the resolved configuration: %w", err)
	}
	loop, err := c.Loop(sets, e.Pool)
	if err != nil {
		return nil, err
	}
	t := &Trained{Config: c, YAML: yaml, Sets: sets, Learner: loop.Learner}
	if c.Init != "" {
		if t.Left, err = catalog.Initialise(loop.Learner, c.Init); err != nil {
			return nil, err
		}
		for _, left := range t.Left {
			if e.Observer != nil {
				e.Observer.Warn("init: " + left)
			}
		}
	}
	dir, err := run.Open(out, yaml, e.Resume)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if loop.Logs, err = train.NewLogs(out, e.Logs); err != nil {
		return nil, err
	}
	loop.Dir, loop.Observer, loop.Now = dir, e.Observer, e.Now
	loop.SaveEvery, loop.LogEvery = e.SaveEvery, max(1, loop.Train.Len()/pointsAnEpoch)
	loop.Model = modelfile.File{Rule: e.Catalog.RuleName(c.Rule), Config: yaml, Spec: &sets.Spec, Normalization: sets.Normalization}
	if t.Result, err = loop.Run(ctx); err != nil {
		return nil, err
	}
	t.Points, t.Epochs, err = dir.History()
	return t, err
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

// WeightsSHA256 is a sum over the names, shapes and values of the model's arrays, for
// comparing runs.
func (t *Trained) WeightsSHA256() string {
	h := sha256.New()
	m := t.Learner.Model()
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(h, "%s %v\n", name, m[name].Shape)
		h.Write(m[name].Data)
	}
	return hex.EncodeToString(h.Sum(nil))
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
			m[split+"_"+strings.NewReplacer("/", "_", "-", "_").Replace(name)] = v
		}
	}
	return m
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
	sum         []byte // of all models, in order
	err         error
}

// NewStudy begins a study whose jobs learn from one data set.
func NewStudy(e *Env, trainSet, testSet sample.Source) *Study {
	return &Study{Env: e, train: trainSet, test: testSet, measured: map[string]report.Measurement{}, Metrics: report.Metrics{}}
}

// Run trains a job in a directory of its own and keeps it. It is nil after an error.
func (s *Study) Run(ctx context.Context, j Job) *Trained {
	if s.err != nil {
		return nil
	}
	t, err := Train(ctx, s.Env, filepath.Join(s.Env.Out, fmt.Sprintf("%s-s%d", j.Name, j.Config.Seed)), j.Config, s.train, s.test)
	return s.keep(j, t, err)
}

// RunAlone trains the only job of a study, in the study's own directory.
func (s *Study) RunAlone(ctx context.Context, j Job) *Trained {
	if s.err != nil {
		return nil
	}
	t, err := Train(ctx, s.Env, s.Env.Out, j.Config, s.train, s.test)
	return s.keep(j, t, err)
}

func (s *Study) keep(j Job, t *Trained, err error) *Trained {
	if err != nil {
		s.Fail(fmt.Errorf("%s, seed %d: %w", j.Name, j.Config.Seed, err))
		return nil
	}
	t.Name = j.Name
	s.Jobs = append(s.Jobs, t)
	h := sha256.Sum256(append(s.sum, t.WeightsSHA256()...))
	s.sum = h[:]
	return t
}

// Fail ends the study with an error.
func (s *Study) Fail(err error) { s.err = errors.Join(s.err, err) }

// Err is the error that ended the study.
func (s *Study) Err() error { return s.err }

// Test is the test samples.
func (s *Study) Test() sample.Source { return s.test }

// Add adds a figure to a claim, of n samples.
func (s *Study) Add(claim string, value float64, n int) {
	if s.err == nil && claim != "" {
		m := s.measured[claim]
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

// Outcome is the result, with a page for the finished run.
func (s *Study) Outcome(page func(r report.Run) report.Page) (*Outcome, error) {
	if s.err != nil {
		return nil, s.err
	}
	sum := hex.EncodeToString(s.sum)
	if len(s.Jobs) == 1 {
		sum = s.Jobs[0].WeightsSHA256()
	}
	return &Outcome{Measured: s.measured, Metrics: s.Metrics, WeightsSHA256: sum, Page: page}, nil
}
