package recipe

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"synfire/catalog"
	"synfire/convert"
	"synfire/encode"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/report"
)

// What thresholds are set by unless the configuration says otherwise.
const (
	convertSamples = 200
	convertSteps   = 100
	convertBatch   = 10
)

// initialise lets the learner start from the model that the configuration names, made
// spiking first where it says so.
func (t *Trained) initialise(ctx context.Context, e *Env) (left []string, err error) {
	if t.Config.Convert == nil {
		return catalog.Initialise(t.Learner, t.Config.Init)
	}
	m, err := e.Catalog.Open(t.Config.Init, catalog.OpenOptions{Pool: e.Pool})
	if err != nil {
		return nil, fmt.Errorf("init: %w", err)
	}
	g, err := m.Graph()
	if err != nil {
		return nil, fmt.Errorf("init: %w", err)
	}
	if g, t.Converted, err = t.convert(ctx, g); err != nil {
		return nil, UsageError{fmt.Errorf("init %s: %w", t.Config.Init, err)}
	}
	for _, l := range t.Converted {
		if l.Effect == network.Lost && e.Observer != nil {
			e.Observer.Warn(fmt.Sprintf("convert: %s: %s", l.Node, l.Text))
		}
	}
	f, err := e.Catalog.WithGraph(m, g)
	if err != nil {
		return nil, err
	}
	return catalog.InitialiseFrom(t.Learner, &f, t.Config.Init)
}

// convert makes an ordinary network one of the neurons that the learner's has, by training
// samples encoded as in the run.
func (t *Trained) convert(ctx context.Context, g network.Graph) (network.Graph, network.Report, error) {
	spiking, err := t.neurons()
	if err != nil {
		return g, nil, err
	}
	return t.Balanced(ctx, g, spiking, t.Config.Encoder, *t.Config.Convert)
}

// Balanced is an ordinary network with neurons in the place of its units, whose thresholds
// are set by the training samples of t: what training goes on from where a configuration
// has convert.
func (t *Trained) Balanced(ctx context.Context, g network.Graph, spiking layer.Spiking, encoder encode.Encoder, how model.Conversion) (network.Graph, network.Report, error) {
	s := convert.Samples{
		Source: t.Sets.Train, Normalize: t.Sets.Normalization, Encoder: encoder,
		Steps: convertSteps, Count: convertSamples, Batch: convertBatch, Seed: t.Config.Seed,
	}
	if how.Samples > 0 {
		s.Count = how.Samples
	}
	if how.Steps > 0 {
		s.Steps = how.Steps
	}
	return convert.Apply(ctx, g, s.Calibration(ctx), convert.Check{}, convert.Swap{Spiking: spiking}, convert.Balance{Factor: how.Factor, Percentile: how.Percentile})
}

// Onward runs a job that starts from the model of an ordinary network made spiking. All of
// it must be taken up; it is nil after an error.
func (s *Study) Onward(ctx context.Context, j Job, from *Trained, how model.Conversion) *Trained {
	j.Config.Init = filepath.Join(s.Env.Out, fmt.Sprintf("%s-s%d", from.Name, from.Config.Seed), "model.safetensors")
	j.Config.Convert = &how
	t := s.Run(ctx, j)
	if t != nil && len(t.Left) > 0 {
		s.Fail(fmt.Errorf("%s, seed %d: of the converted network %s", j.Name, j.Config.Seed, strings.Join(t.Left, "; ")))
		return nil
	}
	return t
}

// neurons are those of the learner's network, whose thresholds a conversion sets.
func (t *Trained) neurons() (layer.Spiking, error) {
	if net := t.Network(); net != nil {
		for _, nd := range net.Nodes() {
			l, ok := nd.Layer.(layer.Spiking)
			if !ok {
				continue
			}
			if _, ok := l.Neuron.(neuron.STDB); ok && l.Varied["threshold"] == layer.PerChannel {
				return l, nil
			}
		}
	}
	return layer.Spiking{}, fmt.Errorf("convert: the network has no neurons that take up thresholds; give its spiking layers neuron: {kind: stdb} and varied: {threshold: channel}")
}

// Conversion is a table of what a conversion did, empty where there was none.
func (t *Trained) Conversion() report.Table {
	table := report.Table{Caption: "Conversion", Head: []string{"layer", "", "what was done"}, Right: []bool{false, false, false}}
	for _, l := range t.Converted {
		table.Rows = append(table.Rows, []string{l.Node, l.Effect.String(), l.Text})
	}
	return table
}
