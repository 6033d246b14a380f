package bench

import (
	"fmt"

	"synfire/data/mnist"
	"synfire/internal/par"
	"synfire/rule/stdp"
	"synfire/train"
)

// w5 is learning by the times of spikes, of handwritten digits at up to 128 Hz: how many
// spikes there are decides the work, of the inputs and of the neurons.
func w5(s Selection) Case {
	neurons, images := pick(s.Small, 400, 20), pick(s.Small, 500, 20)
	return Case{
		Workload: "W5", Phase: Train, Shape: fmt.Sprintf("784-%d", neurons), Threads: s.Threads,
		run: func(one Case, o Options) ([]Row, error) { return plasticity(one, o, neurons, images) },
	}
}

// w5Passes is how many times the images were learned before the time is taken: of the first
// ones each makes many neurons fire.
const w5Passes = 2

// plasticity times the learning of images in samples a second. Each repeat starts from the
// same weights.
func plasticity(one Case, o Options, neurons, images int) ([]Row, error) {
	pool := par.New(one.Threads)
	defer pool.Close()
	r := one.row()
	r.Steps, r.Batch = 350, 1
	rule := stdp.NewRule()
	rule.Neurons = neurons
	set, _ := mnist.Sample()
	learner, err := rule.Learner(train.Setting{Spec: set.Spec(), Samples: images, Steps: r.Steps, Batch: images, Epochs: 1, Seed: seed, Pool: pool})
	if err != nil {
		return nil, err
	}
	b, err := firstOf(set, images)
	if err != nil {
		return nil, err
	}
	l := newLesson(learner, b)
	for range w5Passes {
		if err := l.step(); err != nil {
			return nil, err
		}
	}
	l = newLesson(learner, b)
	err = r.rate(o, float64(images), l.restart, l.step)
	r.Layers, r.Calibration = []string{stdp.Output}, []float64{1} // as they have learned
	r.FiringRate, r.RateEnd = rates(l.first), rates(l.last)
	return []Row{r}, err
}
