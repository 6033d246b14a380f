package bench

import (
	"context"
	"fmt"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/internal/par"
	"synfire/rule/s4nn"
	"synfire/sample"
	"synfire/task"
	"synfire/train"
)

// An epoch of W8 is as many images as MNIST has. The thousand of its sample are walked
// over, after as many passes, in which hidden neurons get silent that need not fire.
const (
	w8Epoch  = 60_000
	w8Passes = 20
)

// w8 is an epoch of learning spike times, of handwritten digits: the work depends on when
// pixels fire, so that drawn ones would not do.
func w8(s Selection) Case {
	hidden, images, passes := pick(s.Small, 400, 40), pick(s.Small, 1000, 50), pick(s.Small, w8Passes, 1)
	return Case{
		Workload: "W8", Phase: Train, Shape: fmt.Sprintf("784-%d-10", hidden), Threads: s.Threads,
		run: func(one Case, o Options) ([]Row, error) { return spikeTimes(one, o, hidden, images, passes) },
	}
}

// spikeTimes times an epoch, in seconds. Each repeat starts from the same weights.
func spikeTimes(one Case, o Options, hidden, images, passes int) ([]Row, error) {
	pool := par.New(one.Threads)
	defer pool.Close()
	r := one.row()
	r.Unit, r.Steps, r.Batch = "s", 256, 1
	rule := s4nn.NewRule()
	rule.Hidden = []int{hidden}
	set, _ := mnist.Sample()
	learner, err := rule.Learner(train.Setting{
		Spec: set.Spec(), Samples: images, Steps: r.Steps, Batch: images, Epochs: 1, Seed: seed, Pool: pool,
		Tasks: []task.Binding{{Task: task.Classify{}}},
	})
	if err != nil {
		return nil, err
	}
	b, err := firstOf(set, images)
	if err != nil {
		return nil, err
	}
	for range passes {
		if _, err := learner.Step(context.Background(), b); err != nil {
			return nil, err
		}
	}
	l := newLesson(learner, b)
	var seconds []float64
	err = r.each(o, l.restart, l.step, func(n int, s float64) { seconds = append(seconds, s/float64(n)*w8Epoch/float64(images)) })
	r.statistics(seconds)
	r.Layers, r.Calibration = []string{"hidden", s4nn.Output}, []float64{1, 1} // as they have learned
	r.FiringRate, r.RateEnd, r.FinalLoss = rates(l.first), rates(l.last), finalLoss(l.last)
	return []Row{r}, err
}

// firstOf is the first samples of a source in a batch.
func firstOf(src sample.Source, n int) (*sample.Batch, error) {
	c, err := data.NewCursor(src, data.CursorOptions{Batch: n})
	if err != nil {
		return nil, err
	}
	var b sample.Batch
	_, err = c.Next(context.Background(), &b)
	return &b, err
}
