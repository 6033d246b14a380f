// Package activity records what the layers of a network do: for each sample the
// outputs of a layer, step by step or in their mean over time, in the form in which
// package compare takes them. Of sample i, unit k and the steps t = 0 … T − 1,
//
//	Steps[(i·units + k)·T + t] = o_k[t],   Mean[i·units + k] = Σ_t o_k[t]/T
//
// which of spikes is the firing rate.
package activity

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"synfire/compare"
	"synfire/data"
	"synfire/encode"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/sample"
	"synfire/signal"
	"synfire/spike"
	"synfire/tensor"
)

// Options say whose activity is recorded on what. Net, Steps, Encoder and Source are
// required.
type Options struct {
	Net       *network.Network
	Steps     int // T
	Encoder   encode.Encoder
	Normalize *sample.Normalization // of the samples
	Seed      uint64                // of the encoder, as when the network is evaluated
	Source    sample.Source
	Samples   int      // the first of the source; 0: all
	Layers    []string // names of nodes; nil: each that fires or rectifies, and the last
	Times     bool     // keep each step, not the mean over steps alone
}

// Recording is what a layer did: Mean holds Samples × Units outputs, the mean over
// the steps, and Steps, where they are kept, Samples × Units × T, the steps of a
// unit adjacent. Spikes tells whether the outputs are spikes, so Mean is rates.
type Recording struct {
	Layer          string
	Samples, Units int
	T              int
	Spikes         bool
	Mean           []float64
	Steps          []float64
}

// recordBatch samples are run at once.
const recordBatch = 64

// Record runs a network over samples, without learning, and keeps what its layers
// do.
func Record(ctx context.Context, c Options) ([]Recording, error) {
	if c.Net == nil || c.Encoder == nil || c.Source == nil || c.Steps < 1 {
		return nil, fmt.Errorf("activity.Record: network, encoder, source and at least one step must be given")
	}
	src, err := sample.First(c.Source, c.Samples)
	if err != nil {
		return nil, fmt.Errorf("activity.Record: %w", err)
	}
	recordings, err := c.start(src.Len())
	if err != nil {
		return nil, err
	}
	cursor, err := data.NewCursor(src, data.CursorOptions{Batch: min(recordBatch, src.Len()), Normalize: c.Normalize})
	if err != nil {
		return nil, fmt.Errorf("activity.Record: %w", err)
	}
	packed, in := c.Net.Compile(nil, false), &signal.Signal{}
	key := rng.New(c.Seed, rng.Eval).Int(0)
	first := 0
	var b sample.Batch
	for {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("activity.Record: %w", ctx.Err())
		}
		more, err := cursor.Next(ctx, &b)
		if err != nil {
			return nil, fmt.Errorf("activity.Record: %w", err)
		}
		if !more {
			return recordings, nil
		}
		var keys []rng.Key
		for _, i := range b.Index {
			keys = append(keys, key.Int(uint64(i)))
		}
		c.Encoder.Encode(in, &b, keys, encode.Window{T1: c.Steps, Steps: c.Steps})
		err = packed.Activity(in, func(nd network.Info, out *signal.Signal) error {
			i := slices.IndexFunc(recordings, func(r Recording) bool { return r.Layer == nd.Name })
			if i >= 0 {
				recordings[i].add(out, first)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("activity.Record: %w", err)
		}
		first += b.Len()
	}
}

// start makes the empty recordings in the order of the nodes.
func (c Options) start(samples int) (out []Recording, err error) {
	nodes := c.Net.Nodes()
	var names []string
	for i, nd := range nodes {
		names = append(names, nd.Name)
		chosen := layer.Fires(nd.Layer) || ordinary.Rectified(nd.Layer) || i == len(nodes)-1
		if c.Layers != nil {
			chosen = slices.Contains(c.Layers, nd.Name)
		}
		if !chosen {
			continue
		}
		r := Recording{Layer: nd.Name, Samples: samples, Units: nd.Out.Size(), T: c.Steps, Spikes: layer.Fires(nd.Layer)}
		r.Mean = make([]float64, samples*r.Units)
		if c.Times {
			r.Steps = make([]float64, samples*r.Units*c.Steps)
		}
		out = append(out, r)
	}
	for _, name := range c.Layers {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("activity.Record: the network has no layer %q; it has %s", name, strings.Join(names, ", "))
		}
	}
	return out, nil
}

// add takes the outputs of a batch that starts at the sample first; one that is
// constant is the same at each step.
func (r *Recording) add(out *signal.Signal, first int) {
	row := make([]tensor.Float, r.Units)
	for t := range r.T {
		for b := range out.B {
			from := t*out.B + b
			if out.Kind == signal.Constant {
				from = b
			}
			out.ReadRow(row, from)
			at := (first + b) * r.Units
			for u, v := range row {
				r.Mean[at+u] += float64(v) / float64(r.T)
				if r.Steps != nil {
					r.Steps[(at+u)*r.T+t] = float64(v)
				}
			}
		}
	}
}

// Trials are the spike trains of each sample, one repetition of all units, with
// times in steps. The steps must have been kept, and the layer must fire.
func (r Recording) Trials() []compare.Trials {
	out := make([]compare.Trials, r.Samples)
	for i := range out {
		trains := make([]spike.Train, r.Units)
		for u := range trains {
			trains[u].Stop = float64(r.T)
			for t, v := range r.Steps[(i*r.Units+u)*r.T:][:r.T] {
				if v != 0 {
					trains[u].Times = append(trains[u].Times, float64(t))
				}
			}
		}
		out[i] = compare.Trials{trains}
	}
	return out
}
