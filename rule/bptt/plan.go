package train

import (
	"context"
	"fmt"
	"math"
	"time"
	"unsafe"

	"synfire/data"
	"synfire/encode"
	"synfire/internal/par"
	"synfire/model"
	"synfire/network"
	"synfire/tensor"
)

// Plan is what a training run will need, told without its memory being taken.
// Bytes are upper bounds of what grows with the network and the batch; a program
// and its data set come on top.
type Plan struct {
	Net        *network.Network // an outline: shapes without values
	Parameters int64
	Train      int64 // bytes
	Weights    int64 // bytes of Train that are parameters and what goes with them
	Infer      int64 // bytes, for batches of 256 samples
	Window     int   // steps of time held at once
	Batches    int   // of an epoch
}

// NewPlan works out the plan of a configuration for a data set.
//
// Training holds each parameter with its gradient, the optimiser's buffers and
// two packed copies, and the larger of a batch's window of time and of what an
// evaluation takes. Inference holds the parameters, a packed copy, and a batch.
func NewPlan(c model.Config, set *data.Set) (Plan, error) {
	if err := c.Validate(); err != nil {
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	set, err := cut(set, c.Data.Train)
	if err != nil {
		return Plan{}, fmt.Errorf("plan: data.train: %w", err)
	}
	net, err := c.Outline(set)
	if err != nil {
		return Plan{}, err
	}
	b := BPTTConfig{Net: net, Steps: c.Steps, Window: c.Window, Memory: int64(c.Memory), Batch: c.Batch, Truncate: c.Truncate}
	if err := b.chooseWindow(); err != nil {
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	const float = float64(unsafe.Sizeof(tensor.Float(0)))
	weights := float * float64(net.ParamCount())
	_, constant := c.Encoder.(encode.Constant)
	infer := net.InferenceMemory(c.Steps, testBatch, constant)
	window := max(b.windowNeed(b.Window), infer)
	return Plan{
		Net: net, Parameters: net.ParamCount(), Window: b.Window, Batches: (set.Len() + c.Batch - 1) / c.Batch,
		Train:   wholeBytes(weights*float64(4+c.Optimizer.Buffers()) + window),
		Weights: wholeBytes(weights * float64(4+c.Optimizer.Buffers())),
		Infer:   wholeBytes(2*weights + infer),
	}, nil
}

func wholeBytes(v float64) int64 {
	if v >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(v)
}

// EpochSeconds measures the time of an epoch, its evaluation included, by
// training on batches for about the time of budget, at least two, and evaluating
// as long. Nothing is kept.
func EpochSeconds(ctx context.Context, c model.Config, trainSet, testSet *data.Set, pool *par.Pool, now func() time.Time, budget time.Duration) (float64, error) {
	l, err := NewLoop(c, trainSet, testSet, pool)
	if err != nil {
		return 0, err
	}
	step, err := meanSeconds(l.Train, now, budget, func(b *data.Batch) error {
		_, err := l.Learner.Step(ctx, b)
		return err
	})
	if err != nil {
		return 0, err
	}
	test, err := data.NewCursor(l.Test, data.CursorOptions{Batch: testBatch})
	if err != nil {
		return 0, err
	}
	predict, err := meanSeconds(test, now, budget, func(b *data.Batch) error {
		_, err := l.Learner.Predict(ctx, b)
		return err
	})
	return step*float64(l.Train.Samples()) + predict*float64(test.Samples()), err
}

// meanSeconds is the time of one sample, over at least two batches; one before
// them, which takes memory and packs weights, does not count.
func meanSeconds(cur *data.Cursor, now func() time.Time, budget time.Duration, do func(b *data.Batch) error) (float64, error) {
	var b data.Batch
	var spent time.Duration
	samples := 0
	for i := 0; i < 3 || spent < budget; i++ {
		if !cur.Next(&b) {
			cur.Next(&b) // of the next epoch
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
