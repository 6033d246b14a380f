package convert

import (
	"cmp"
	"context"
	"fmt"

	"synfire/data"
	"synfire/encode"
	"synfire/internal/rng"
	"synfire/network"
	"synfire/sample"
	"synfire/signal"
)

// Samples say what a network is calibrated by: some of the training samples, encoded.
type Samples struct {
	Source    sample.Source         // the training samples; those held out and test samples choose nothing here
	Normalize *sample.Normalization // as in training
	Encoder   encode.Encoder
	Steps     int    // of a sample
	Count     int    // samples, drawn by Seed; 0: all
	Batch     int    // samples at once, whose signals of all steps are held
	Seed      uint64 // of the choice and of random encodings
}

// Calibration yields the samples batch after batch, the same at each range. Values that
// a Poisson encoding would clip are an error.
func (s Samples) Calibration(ctx context.Context) network.Calibration {
	return func(yield func(*signal.Signal, error) bool) {
		if s.Steps < 1 || s.Batch < 1 || s.Count < 0 || s.Encoder == nil {
			yield(nil, fmt.Errorf("calibration: %d steps, batches of %d, %d samples, encoder %T: want at least one step and sample at once, and an encoder", s.Steps, s.Batch, s.Count, s.Encoder))
			return
		}
		cur, err := data.NewCursor(s.Source, data.CursorOptions{Batch: s.Batch, Seed: s.Seed, Shuffle: true, Normalize: s.Normalize})
		if err != nil {
			yield(nil, err)
			return
		}
		count := s.Source.Len()
		if s.Count > 0 {
			count = min(s.Count, count)
		}
		var b sample.Batch
		var in signal.Signal
		for left := count; left > 0; left -= b.Len() {
			more, err := cur.Next(ctx, &b)
			if err == nil && more && b.Len() > left {
				b = first(b, left)
			}
			if err == nil && more {
				err = s.encode(&in, &b)
			}
			if err != nil {
				yield(nil, fmt.Errorf("calibration: %w", err))
				return
			}
			if !more || !yield(&in, nil) {
				return
			}
		}
	}
}

func (s Samples) encode(in *signal.Signal, b *sample.Batch) error {
	if err := unclipped(s.Encoder, b); err != nil {
		return err
	}
	base := rng.New(s.Seed, "calibrate")
	keys := make([]rng.Key, b.Len())
	for k, i := range b.Index {
		keys[k] = base.Int(uint64(i))
	}
	s.Encoder.Encode(in, b, keys, encode.Window{T1: s.Steps, Steps: s.Steps})
	return nil
}

// unclipped returns an error for values that a Poisson encoding would clip.
func unclipped(e encode.Encoder, b *sample.Batch) error {
	p, ok := e.(encode.Poisson)
	if !ok {
		return nil
	}
	scale := cmp.Or(p.Scale, 1)
	for i, v := range b.X {
		if p := scale * float64(v); !(p >= 0 && p <= 1) {
			return fmt.Errorf("sample %d has the value %v, which is no probability: encoder poisson would clip it; leave values in [0, 1] (normalize: false), or use encoder constant", b.Index[i/b.Spec.Size()], v)
		}
	}
	return nil
}

// first is the first n samples of a batch of values.
func first(b sample.Batch, n int) sample.Batch {
	b.Index = b.Index[:n]
	if b.X != nil {
		b.X = b.X[:n*b.Spec.Size()]
	}
	if b.Events != nil {
		b.Events = b.Events[:n]
	}
	return b
}
