package snntest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"synfire/data"
	"synfire/format/safetensors"
	"synfire/sample"
	"synfire/snntest"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// prototypes is a small rule with a readout: it learns the mean of the samples, and
// finishing labels it with the sum of the classes. Its faults are set.
type prototypes struct{ fault string }

func (prototypes) Validate() error { return nil }

var seeds atomic.Uint64

func (p prototypes) Learner(s train.Setting) (train.Learner, error) {
	l := &prototype{fault: p.fault, mean: make([]float64, s.Spec.Size()), label: []uint64{0}}
	if p.fault == "random start" {
		l.mean[0] = float64(seeds.Add(1))
	}
	return l, nil
}

func (p prototypes) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	mean, err := model["mean"].F64s()
	if err != nil || len(mean) != s.Spec.Size() {
		return nil, errors.New("no mean")
	}
	label, err := model["label"].U64s()
	if err != nil || len(label) != 1 {
		return nil, errors.New("no label")
	}
	if len(model) != 2 && p.fault != "predictor takes more" {
		return nil, errors.New("more than a model")
	}
	l := &prototype{fault: p.fault, mean: mean, label: label, finished: true}
	if p.fault == "predictor" {
		l.mean[0]++
	}
	return l, nil
}

type prototype struct {
	fault    string
	mean     []float64
	label    []uint64
	n        float64
	hidden   float64
	finished bool
	scores   []tensor.Float
	sums     []train.Sum

	restarted bool // with the state of the beginning
}

func (l *prototype) Predict(_ context.Context, b *sample.Batch) (train.Prediction, error) {
	if !l.finished && l.fault != "eager" {
		return train.Prediction{}, errors.New("not finished")
	}
	l.scores = l.scores[:0]
	size := b.Spec.Size()
	for i := range b.Len() {
		sum := float64(l.label[0])
		for k, m := range l.mean {
			sum += m * float64(b.X[i*size+k])
		}
		l.scores = append(l.scores, tensor.Float(sum))
	}
	switch l.fault {
	case "predict learns":
		l.mean[0]++
	case "wants targets":
		l.scores[0] += tensor.Float(len(b.Targets))
	}
	return train.Prediction{Outputs: []task.Output{{Name: "sum", Shape: tensor.Shape{1}, Scores: l.scores}}, Metrics: train.Metrics{N: b.Len()}}, nil
}

func (l *prototype) Fork() train.Predictor {
	other := *l
	other.scores = nil
	if l.fault == "forks" {
		other.mean = slices.Clone(l.mean)
		other.mean[1] += 1
	}
	return &other
}

func (l *prototype) Step(_ context.Context, b *sample.Batch) (train.Metrics, error) {
	l.finished = false
	if l.fault == "finish is felt" && l.label[0] > 0 {
		l.mean[0] = 0
	}
	for i, v := range b.X {
		l.n++
		l.mean[i%len(l.mean)] += (float64(v) - l.mean[i%len(l.mean)]) / l.n
	}
	l.hidden++
	m := train.Metrics{N: b.Len(), Sums: []train.Sum{{Name: "size", Total: l.n}}}
	l.sums = append(l.sums[:0], m.Sums...) // a learner may reuse what it returns
	m.Sums = l.sums
	if l.fault == "first figures" && l.restarted {
		m.Sums[0].Total++
	}
	l.restarted = false
	if l.fault == "forgets" {
		m.Sums[0].Total = l.hidden
	}
	return m, nil
}

func (l *prototype) Model() map[string]train.Array {
	return map[string]train.Array{"mean": safetensors.F64(l.mean, len(l.mean)), "label": safetensors.U64(l.label, 1)}
}

func (l *prototype) State() map[string]train.Array {
	s := l.Model()
	s["n"] = safetensors.F64([]float64{l.n}, 1)
	if l.fault == "model apart" {
		delete(s, "label")
	}
	return s
}

func (l *prototype) SetState(s map[string]train.Array) error {
	mean, err := s["mean"].F64s()
	if l.fault == "half" && err == nil && len(mean) == len(l.mean) {
		l.mean = mean
	}
	n, err2 := s["n"].F64s()
	label, err3 := s["label"].U64s()
	if err := errors.Join(err, err2, err3); err != nil || len(mean) != len(l.mean) || len(n) != 1 || len(label) != 1 {
		return fmt.Errorf("not a state: %w", err)
	}
	if len(s) != 3 && l.fault != "takes more" {
		return fmt.Errorf("%d arrays: %v", len(s), slices.Collect(maps.Keys(s)))
	}
	l.mean, l.n, l.label, l.finished, l.restarted = mean, n[0], label, false, n[0] == 0
	return nil
}

func (l *prototype) Finish(ctx context.Context, c *data.Cursor) error {
	if ctx.Err() != nil {
		if l.fault == "interrupted" {
			l.label = []uint64{9}
		}
		return ctx.Err()
	}
	sum, b := uint64(0), sample.Batch{}
	if l.fault == "adds up" {
		sum = l.label[0]
	}
	for {
		more, err := c.Next(ctx, &b)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		for _, class := range b.Targets[0].Class {
			sum += uint64(class)
		}
	}
	if l.fault == "finish learns" {
		l.n++
	}
	l.label, l.finished = []uint64{sum}, true
	return nil
}

func (l *prototype) Finished() bool { return l.finished }

// A rule that does what it should passes, and each fault of one is found.
func TestLearnerFaults(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{3}, Targets: []sample.Field{{Name: "class", Kind: sample.Class, Classes: []string{"a", "b"}}}}
	for fault, want := range map[string]string{
		"":                     "",
		"random start":         "begin with different arrays mean",
		"forgets":              "the figures are others",
		"first figures":        "continued at batch 0 the figures are others",
		"model apart":          "array label of the model is not in the state",
		"predictor":            "something else than the learner",
		"predict learns":       "predicting changes array mean",
		"wants targets":        "without targets",
		"forks":                "in parallel: other predictions",
		"half":                 "changes array mean",
		"takes more":           "SetState takes a state: an array too many",
		"predictor takes more": "Predictor takes a model: an array too many",
		"eager":                "is no error",
		"interrupted":          "interrupted, changes array label",
		"adds up":              "another after Finish is called again",
		"finish learns":        "which is no part of the model",
		"finish is felt":       "finished in between",
	} {
		c := &complaints{TB: t}
		got := c.of(func(tb testing.TB) {
			var batches []*sample.Batch
			for _, x := range snntest.Cases(tb, spec, "", tensor.Shape{1}, 1, 20) {
				batches = append(batches, x.Batch)
			}
			snntest.Learner(tb, prototypes{fault}, train.Setting{Spec: spec, Samples: 20, Batch: 7, Epochs: 1}, batches...)
		})
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q lacks %q", fault, got, want)
		}
	}
	c := &complaints{TB: t}
	got := c.of(func(tb testing.TB) {
		snntest.Learner(tb, prototypes{""}, train.Setting{Spec: spec, Samples: 20, Batch: 7, Epochs: 1}, make([]*sample.Batch, 2)...)
	})
	if !strings.Contains(got, "three batches or more") {
		t.Errorf("of two batches: %q", got)
	}
}
