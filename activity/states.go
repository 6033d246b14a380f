package activity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"synfire/data"
	"synfire/network"
	"synfire/sample"
	"synfire/task"
)

// Settler is a model without a course in time: of a sample each layer has one state, in
// which the model comes to rest.
type Settler interface {
	// Settled is the states of the layers for the samples of a batch, in order of the layers,
	// as Scores. They are valid until the next call.
	Settled(ctx context.Context, b *sample.Batch) ([]task.Output, error)
}

// ErrHidden is wrapped by the error about a model that shows no layers.
var ErrHidden = errors.New("the model shows no layers")

// Of records a model's layers: by Record where it is a network, by RecordStates where it
// settles.
func Of(ctx context.Context, model any, c Options) ([]Recording, error) {
	switch m := model.(type) {
	case interface{ Network() *network.Network }:
		c.Net = m.Network()
		return Record(ctx, c)
	case Settler:
		return RecordStates(ctx, m, c)
	}
	return nil, fmt.Errorf("activity: %w", ErrHidden)
}

// RecordStates keeps the states in which a model's layers come to rest, as Recordings of
// one step. Of the options it takes Source, Samples, Normalize and Layers (nil: all).
func RecordStates(ctx context.Context, m Settler, c Options) ([]Recording, error) {
	if m == nil || c.Source == nil {
		return nil, errors.New("activity.RecordStates: model and source must be given")
	}
	src, err := sample.First(c.Source, c.Samples)
	if err != nil {
		return nil, fmt.Errorf("activity.RecordStates: %w", err)
	}
	cursor, err := data.NewCursor(src, data.CursorOptions{Batch: min(recordBatch, src.Len()), Normalize: c.Normalize})
	if err != nil {
		return nil, fmt.Errorf("activity.RecordStates: %w", err)
	}
	var out []Recording
	var b sample.Batch
	for {
		more, err := cursor.Next(ctx, &b)
		if err != nil {
			return nil, fmt.Errorf("activity.RecordStates: %w", err)
		}
		if !more {
			return out, nil
		}
		states, err := m.Settled(ctx, &b)
		if err != nil {
			return nil, fmt.Errorf("activity.RecordStates: %w", err)
		}
		if out == nil {
			if out, err = recordingsOf(states, src.Len(), c.Layers); err != nil {
				return nil, err
			}
		}
		for k := range out {
			i := slices.IndexFunc(states, func(s task.Output) bool { return s.Name == out[k].Layer })
			for _, v := range states[i].Scores {
				out[k].Mean = append(out[k].Mean, float64(v))
			}
		}
	}
}

// recordingsOf are empty recordings of the layers that are chosen.
func recordingsOf(states []task.Output, samples int, chosen []string) (out []Recording, err error) {
	var names []string
	for _, s := range states {
		names = append(names, s.Name)
		if chosen == nil || slices.Contains(chosen, s.Name) {
			out = append(out, Recording{Layer: s.Name, Samples: samples, Units: s.Shape.Size(), T: 1})
		}
	}
	for _, name := range chosen {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("activity.RecordStates: the model has no layer %q; it has %s", name, strings.Join(names, ", "))
		}
	}
	return out, nil
}
