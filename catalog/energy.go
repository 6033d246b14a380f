package catalog

import (
	"context"
	"fmt"

	"synfire/convert"
	"synfire/energy"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/train"
)

// countedSamples is how many samples operations are counted on, at most.
const countedSamples = 200

// Account is the energy that the model needs for a sample, by three accounts (package energy):
// means over at most 200 evenly spaced samples of a source, in all steps. Rules that train no network
// of layers have none.
func (m *Model) Account(ctx context.Context, src sample.Source, c energy.Constants) (energy.Account, error) {
	src, err := m.Fit(src)
	if err == nil {
		src, err = sample.Spaced(src, countedSamples)
	}
	if err != nil {
		return energy.Account{}, err
	}
	g, err := m.Graph()
	if err != nil {
		return energy.Account{}, fmt.Errorf("energy: %w", err)
	}
	net, err := g.Build(0)
	if err != nil {
		return energy.Account{}, err
	}
	measured, err := energy.Measure(ctx, net, convert.Samples{
		Source: src, Normalize: m.Normalization, Encoder: m.Config.Encoder, Steps: m.Config.Steps, Batch: 20, Seed: m.Config.Seed,
	}.Calibration(ctx))
	return measured.Account(c), err
}

// Stopping is the model's predictor, or one that answers early: as the model's rule says, or by a
// lead that is given; and how many samples it takes at once, 0 for any number.
func (m *Model) Stopping(given *bptt.Lead) (train.Predictor, int, error) {
	lead := bptt.Lead{}
	if r, ok := m.Config.Rule.(interface{ Exit() bptt.Lead }); ok {
		lead = r.Exit()
	}
	if given != nil {
		lead = *given
	}
	if !lead.On() {
		return m.Predictor(), 0, nil
	}
	early, ok := m.Predictor().(interface {
		EarlyExit(lead bptt.Lead, window int) (*bptt.EarlyExit, error)
	})
	if !ok {
		return nil, 0, fmt.Errorf("a model of rule %s runs all its steps; leave --early-exit out", m.Rule)
	}
	p, err := early.EarlyExit(lead, 0)
	return p, 1, err // what a sample takes is then its own
}
