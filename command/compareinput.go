package command

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"gonum.org/v1/gonum/mat"

	"synfire/activity"
	"synfire/catalog"
	"synfire/compare"
	"synfire/compare/recording"
	"synfire/zoo"
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
	f, err := zoo.Read(path)
	if err != nil {
		return nil, fmt.Errorf("compare %s: neither a model nor a recording with an array x: %w", path, err)
	}
	if c.Data == "" {
		return nil, usageError{fmt.Errorf("compare %s: a network needs samples: name a data set by --data", path)}
	}
	part, err := a.measurable("compare", f, c.Data, c.Split, c.DataDir)
	if err != nil {
		return nil, err
	}
	spec := part.Source.Spec()
	m, err := a.Catalog.FromFile(f, catalog.OpenOptions{Spec: &spec})
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", path, err)
	}
	src, err := m.Fit(part.Source)
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", path, err)
	}
	recordings, err := activity.Of(a.ctx, m.Predictor(), activity.Options{
		Steps: m.Config.Steps, Encoder: m.Config.Encoder, Normalize: m.Normalization, Seed: m.Config.Seed,
		Source: src, Samples: min(c.N, src.Len()), Layers: layers, Times: c.Dissimilarity == "spikes",
	})
	if errors.Is(err, activity.ErrHidden) {
		return nil, fmt.Errorf("compare %s: the layers of a model of rule %s cannot be recorded", path, m.Rule)
	}
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
