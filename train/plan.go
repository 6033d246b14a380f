package train

import (
	"context"
	"errors"
	"time"

	"synfire/data"
	"synfire/sample"
)

// EpochSeconds measures the time of an epoch of the loop, evaluations included, by
// training on batches for about the time of budget, at least two, and predicting as
// long. The learner is not what it was afterwards.
func (l *Loop) EpochSeconds(ctx context.Context, now func() time.Time, budget time.Duration) (float64, error) {
	step, err := meanSeconds(ctx, l.Train, now, budget, func(b *sample.Batch) error {
		_, err := l.Learner.Step(ctx, b)
		return err
	})
	if err != nil {
		return 0, err
	}
	seconds := step * float64(l.Train.Samples())
	if f, ok := l.Learner.(Finisher); ok {
		start := now()
		if err := l.finish(ctx, f); err != nil {
			return 0, err
		}
		seconds += now().Sub(start).Seconds()
	}
	measured := []sample.Source{l.Valid}
	if l.WatchTest {
		measured = append(measured, l.Test)
	}
	for _, src := range measured {
		if src == nil {
			continue
		}
		c, err := data.NewCursor(src, data.CursorOptions{Batch: evalBatch, Normalize: l.Eval.Normalize, Prefetch: l.Eval.Prefetch})
		if err != nil {
			return 0, err
		}
		predict, err := meanSeconds(ctx, c, now, budget, func(b *sample.Batch) error {
			_, err := l.Learner.Predict(ctx, b)
			return err
		})
		if err != nil {
			return 0, err
		}
		seconds += predict * float64(src.Len())
	}
	return seconds, nil
}

// meanSeconds is the time of one sample, over at least two batches; one before them,
// which takes memory and packs weights, does not count.
func meanSeconds(ctx context.Context, c *data.Cursor, now func() time.Time, budget time.Duration, do func(b *sample.Batch) error) (float64, error) {
	var b sample.Batch
	var spent time.Duration
	samples := 0
	for i := 0; i < 3 || spent < budget; i++ {
		more, err := c.Next(ctx, &b)
		if err == nil && !more { // the next epoch
			more, err = c.Next(ctx, &b)
		}
		if err != nil {
			return 0, err
		}
		if !more {
			return 0, errors.New("there are no samples to measure with")
		}
		start := now()
		if err := do(&b); err != nil {
			return 0, err
		}
		if i > 0 {
			spent += now().Sub(start)
			samples += b.Len()
		}
	}
	return spent.Seconds() / float64(samples), nil
}
