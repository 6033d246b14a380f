package train

import (
	"fmt"

	"synfire/data"
	"synfire/internal/par"
	"synfire/model"
)

// KindBPTT names the learner BPTT in checkpoints.
const KindBPTT = "bptt"

// FromConfig makes the learner of a configuration for a data set of n training
// samples.
func FromConfig(c model.Config, train *data.Set, pool *par.Pool) (*BPTT, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	net, err := c.Network(train)
	if err != nil {
		return nil, err
	}
	batches := (train.Len() + c.Batch - 1) / c.Batch
	return NewBPTT(BPTTConfig{
		Net: net, Steps: c.Steps, Encoder: c.Encoder, Loss: c.Loss, Optimizer: c.Optimizer, Schedule: c.Schedule,
		Total: c.Epochs * batches, Clip: c.Clip, Window: c.Window, Seed: c.Seed, Pool: pool,
		Memory: int64(c.Memory), Batch: c.Batch, Truncate: c.Truncate, Regularizers: c.Regularizers,
	})
}

// NewLoop makes the loop of a configuration: learner, cursor and test set.
// Datasets are prepared and cut to the configured sizes; test is nil where the
// configuration holds samples out for it.
func NewLoop(c model.Config, train, test *data.Set, pool *par.Pool) (*Loop, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	var err error
	if c.Data, train, test, err = c.Data.Resolve(train, test); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if train, err = cut(train, c.Data.Train); err != nil {
		return nil, fmt.Errorf("data.train: %w", err)
	}
	if test, err = cut(test, c.Data.Test); err != nil {
		return nil, fmt.Errorf("data.test: %w", err)
	}
	learner, err := FromConfig(c, train, pool)
	if err != nil {
		return nil, err
	}
	cursor, err := data.NewCursor(train, data.CursorOptions{Batch: c.Batch, Seed: c.Seed, Shuffle: true, Augment: c.Data.Augment})
	if err != nil {
		return nil, err
	}
	return &Loop{Learner: learner, Train: cursor, Test: test, Epochs: c.Epochs}, nil
}

// cut is the first n samples of a set, or all for 0.
func cut(s *data.Set, n int) (*data.Set, error) {
	if n == 0 {
		return s, nil
	}
	if n > s.Len() {
		return nil, fmt.Errorf("%d samples asked for, the %s split of %s has %d", n, s.Split, s.Name, s.Len())
	}
	return s.Subset(firstN(n))
}

func firstN(n int) []int {
	idx := make([]int, n)
	for i := range idx {
		idx[i] = i
	}
	return idx
}
