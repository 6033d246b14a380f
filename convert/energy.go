package convert

import (
	"context"
	"fmt"

	"synfire/encode"
	"synfire/energy"
	"synfire/network"
	"synfire/sample"
)

// Energy is what a conversion and the ordinary network need, by three accounts (package energy).
type Energy struct {
	Constants energy.Constants

	Ordinary  energy.NeuroBench // on evenly spaced ones of the samples that were measured
	Spiking   energy.NeuroBench // on the same, after the last of the steps
	Quantised Quantised
	Beside    []energy.Comparison // with Quantised, by the ways through memory; after the last of the steps
}

// PapersOrdinary is the papers' account of the ordinary network, in µJ a sample.
func (e Energy) PapersOrdinary() float64 { return 1e-6 * e.Constants.MAC * e.Ordinary.Dense }

// Quantised is the ordinary network with the fewest bits with which it is as accurate as the spiking
// one, on training samples; where that is the better one by chance, as accurate as without rounding.
type Quantised struct {
	energy.Ordinary
	Accuracy float64 // of the samples that were measured, in percent
	Samples  int     // of training
	Trained  float64 // its accuracy on these
	Aim      float64 // what it reaches: that of the spiking or of the unrounded network, the lower one
	Reached  bool    // else it has the most bits that were tried
}

// countedSamples is how many samples operations of all layers are counted on, and triedBits the
// most that activations are given.
const (
	countedSamples = 200
	triedBits      = 8
)

// account is the energy of a conversion whose curve is measured.
func (s Study) account(ctx context.Context, r Result) (e Energy, err error) {
	e.Constants = s.Constants
	if e.Constants == (energy.Constants{}) {
		e.Constants = energy.Horowitz()
	}
	if err := e.Constants.Validate(); err != nil {
		return e, fmt.Errorf("convert: energy: %w", err)
	}
	last := r.Points[len(r.Points)-1].Work
	counted, err := sample.Spaced(s.Test, countedSamples)
	if err != nil {
		return e, err
	}
	measure := func(g network.Graph, enc encode.Encoder, steps int) (energy.Measured, error) {
		n, err := g.Build(0)
		if err != nil {
			return energy.Measured{}, err
		}
		return energy.Measure(ctx, n, Samples{Source: counted, Normalize: s.Normalize, Encoder: enc, Steps: steps, Batch: 50, Seed: s.Seed}.Calibration(ctx))
	}
	m, err := measure(r.Ordinary, encode.Constant{}, 1)
	if err != nil {
		return e, err
	}
	e.Ordinary = m.NeuroBench
	if m, err = measure(r.Graph, s.Encoder, last.Steps); err != nil {
		return e, err
	}
	e.Spiking = m.NeuroBench
	g, err := s.quantised(ctx, r, &e.Quantised)
	if err != nil {
		return e, err
	}
	if m, err = measure(g, encode.Constant{}, 1); err != nil {
		return e, err
	}
	e.Quantised.counts(m, last.Plan)
	for _, f := range energy.Flows() {
		e.Beside = append(e.Beside, last.Compare(e.Constants, f, e.Quantised.Ordinary))
	}
	return e, nil
}

// counts takes the products of the layers, those whose input is held in the spiking network apart.
func (q *Quantised) counts(m energy.Measured, spiking *energy.Plan) {
	q.Units = float64(spiking.Neurons)
	for _, l := range m.Layers {
		to := &q.Rest
		if spiking.IsFirst(l.Name) {
			to = &q.First
		}
		to.Dense += l.Dense
		to.Effective += l.Effective
	}
}

// quantised finds the least bits by training samples, and measures.
func (s Study) quantised(ctx context.Context, r Result, q *Quantised) (g network.Graph, err error) {
	train, err := sample.Spaced(s.Train, s.Samples)
	if err != nil {
		return g, err
	}
	on := func(src sample.Source, g network.Graph, e encode.Encoder, steps int) (float64, error) {
		o := s.curve(e, []int{steps})
		o.Source = src
		points, err := Curve(ctx, g, o)
		if err != nil {
			return 0, err
		}
		return points[0].Accuracy, nil
	}
	q.Samples = train.Len()
	if q.Aim, err = on(train, r.Graph, s.Encoder, r.Points[len(r.Points)-1].Steps); err != nil {
		return g, err
	}
	whole, err := on(train, r.Ordinary, encode.Constant{}, 1)
	if err != nil {
		return g, err
	}
	q.Aim = min(q.Aim, whole)
	for q.Bits = r.leastBits(); ; q.Bits++ {
		if g, err = r.Quantised(ctx, q.Bits); err == nil {
			q.Trained, err = on(train, g, encode.Constant{}, 1)
		}
		if q.Reached = q.Trained >= q.Aim; err != nil || q.Reached || q.Bits == triedBits {
			break
		}
	}
	if err == nil {
		q.Accuracy, err = on(s.Test, g, encode.Constant{}, 1)
	}
	return g, err
}
