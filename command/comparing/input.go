package comparing

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"gonum.org/v1/gonum/mat"

	"synfire/activity"
	"synfire/catalog"
	"synfire/command/exchange"
	"synfire/compare"
	"synfire/compare/recording"
	"synfire/zoo"
)

// representation is the responses of one layer, or of a recording, to stimuli.
type representation struct {
	compare.Responses
	source string // file
}

// Shown is what networks are shown.
type Shown struct {
	Data    string `help:"Data set whose images the networks see."`
	Split   string `help:"Split: train or test." enum:"train,test" default:"test"`
	N       int    `help:"Images, from the first." default:"500"`
	DataDir string `help:"Folder with your own copies of data sets." placeholder:"DIR"`
}

// load reads a recording, or the activity of a network's layers on the data set.
func (c *Shown) load(e Env, verb, path string, layers []string, dissimilarity string) ([]representation, error) {
	r, err := recording.Read(path)
	if errors.Is(err, recording.ErrNone) && !strings.EqualFold(filepath.Ext(path), ".npz") {
		return c.network(e, verb, path, layers, dissimilarity)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", verb, path, err)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(e.Err, "warning: %s: %s\n", r.Name, note)
	}
	return []representation{{r.Responses, path}}, nil
}

// network records the layers of a checkpoint's network.
func (c *Shown) network(e Env, verb, path string, layers []string, dissimilarity string) ([]representation, error) {
	f, err := zoo.Read(path)
	if err != nil {
		return nil, fmt.Errorf("%s %s: neither a model nor a recording with an array x: %w", verb, path, err)
	}
	if c.Data == "" {
		return nil, exchange.Usage{Err: fmt.Errorf("%s %s: a network needs samples: name a data set by --data", verb, path)}
	}
	part, err := e.Measurable(verb, f, c.Data, c.Split, c.DataDir)
	if err != nil {
		return nil, err
	}
	spec := part.Source.Spec()
	m, err := e.Catalog.FromFile(f, catalog.OpenOptions{Spec: &spec})
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", verb, path, err)
	}
	src, err := m.Fit(part.Source)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", verb, path, err)
	}
	recordings, err := activity.Of(e.Context, m.Predictor(), activity.Options{
		Steps: m.Config.Steps, Encoder: m.Config.Encoder, Normalize: m.Normalization, Seed: m.Config.Seed,
		Source: src, Samples: min(c.N, src.Len()), Layers: layers, Times: dissimilarity == "spikes",
	})
	if errors.Is(err, activity.ErrHidden) {
		return nil, fmt.Errorf("%s %s: the layers of a model of rule %s cannot be recorded", verb, path, m.Rule)
	}
	if err != nil {
		return nil, exchange.Usage{Err: fmt.Errorf("%s %s: %w", verb, path, err)}
	}
	var out []representation
	for _, r := range recordings {
		x := representation{compare.Responses{Name: r.Layer, X: mat.NewDense(r.Samples, r.Units, r.Mean)}, path}
		if !r.Spikes {
			x.Roundoff = 0x1p-24 // means of float32 numbers
		}
		if r.Spikes && dissimilarity == "spikes" {
			x.Trials = r.Trials()
		}
		if r.Spikes && dissimilarity == "poisson" {
			x.X.Apply(func(_, _ int, v float64) float64 { return math.Round(v * float64(r.T)) }, x.X) // counts
		}
		out = append(out, x)
	}
	return out, nil
}
