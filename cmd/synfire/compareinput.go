package main

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/compare/recording"
	"synfire/internal/par"
	"synfire/model"
	"synfire/train"
)

// representation is the responses of one layer, or of a recording, to stimuli.
type representation struct {
	compare.Responses
	source string // file
}

// load reads a recording, or the activity of a network's layers on the data set.
func (c *compareCmd) load(a *app, path string, layers []string) ([]representation, error) {
	r, err := recording.Read(path)
	if errors.Is(err, recording.ErrNone) && !strings.EqualFold(filepath.Ext(path), ".npz") {
		return c.network(a, path, layers)
	}
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", path, err)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(a.err, "warning: %s: %s\n", r.Name, note)
	}
	return []representation{{r.Responses, path}}, nil
}

// network records the layers of a checkpoint's network.
func (c *compareCmd) network(a *app, path string, layers []string) ([]representation, error) {
	ck, err := train.ReadCheckpoint(path)
	if err != nil {
		return nil, fmt.Errorf("compare %s: neither a checkpoint nor a recording with an array x: %w", path, err)
	}
	if ck.Kind != train.KindBPTT {
		return nil, fmt.Errorf("compare %s: the layers of a learner %q cannot be recorded", path, ck.Kind)
	}
	if c.Data == "" {
		return nil, usageError{fmt.Errorf("compare %s: a network needs images: name a data set by --data", path)}
	}
	cfg, err := model.Default().Decode(path, ck.Config)
	if err != nil {
		return nil, err
	}
	d, err := named(c.Data, cfg.Data)
	if err != nil {
		return nil, err
	}
	trainSet, set, err := d.Load(a.ctx, dataOptions(a, c.DataDir))
	if err != nil {
		return nil, err
	}
	if c.Split == "train" || set == nil {
		set = trainSet
	}
	set = cfg.Data.Normalized(set)
	learner, err := train.FromConfig(cfg, trainSet, (*par.Pool)(nil))
	if err != nil {
		return nil, err
	}
	if err := learner.SetState(ck.State); err != nil {
		return nil, err
	}
	recordings, err := train.Record(a.ctx, train.RecordConfig{
		Net: learner.Network(), Steps: cfg.Steps, Encoder: cfg.Encoder, Seed: cfg.Seed, Set: set, Samples: min(c.N, set.Len()), Layers: layers, Times: c.Dissimilarity == "spikes",
	})
	if err != nil {
		return nil, usageError{fmt.Errorf("compare %s: %w", path, err)}
	}
	var out []representation
	for _, r := range recordings {
		x := representation{compare.Responses{Name: r.Layer, X: mat.NewDense(r.Samples, r.Units, r.Mean)}, path}
		if !r.Spikes {
			x.Roundoff = 0x1p-24 // means of float32 numbers
		}
		if r.Spikes && c.Dissimilarity == "spikes" {
			x.Trials = r.Trials()
		}
		if r.Spikes && c.Dissimilarity == "poisson" {
			x.X.Apply(func(_, _ int, v float64) float64 { return math.Round(v * float64(r.T)) }, x.X) // counts
		}
		out = append(out, x)
	}
	return out, nil
}
