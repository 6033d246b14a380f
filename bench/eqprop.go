package bench

import (
	"fmt"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/rule/eqprop"
	"synfire/rule/eqprop/unit"
	"synfire/sample"
	"synfire/tensor"
)

// w7 is learning by equilibrium propagation, one-sided, on images of the density of
// handwritten digits.
func w7(s Selection) Case {
	c := eqprop.Config{
		Sizes: []int{784, pick(s.Small, 512, 40), 10}, Free: 20, Nudged: 4, Beta: 0.5, Nudge: eqprop.OneSided,
		LearningRates: []float64{0.1, 0.1}, Seed: seed,
	}
	return Case{
		Workload: "W7", Phase: Train, Shape: fmt.Sprintf("784-%d-10", c.Sizes[1]), Threads: s.Threads,
		run: func(one Case, o Options) ([]Row, error) { return relax(one, o, c, pick(s.Small, 100, 8)) },
	}
}

// w7Spiking is the same with units that send one bit a step, on the network and with the
// phases of the recipe spiking-eqprop. An epoch of its 50,000 images is 50,000 of these
// samples, and their test some more.
func w7Spiking(s Selection) Case {
	c := eqprop.Config{
		Sizes: []int{784, pick(s.Small, 500, 40), 10}, CostScale: 1, Free: 100, Nudged: 50, Beta: 0.5, Nudge: eqprop.RandomSign,
		LearningRates: []float64{0.1, 0.05}, Spiking: &unit.Spiking{Drift: 0.0346, Lambda: 0.275}, Seed: seed,
	}
	return Case{
		Workload: "W7", Phase: Train, Shape: fmt.Sprintf("784-%d-10@spiking", c.Sizes[1]), Threads: s.Threads,
		run: func(one Case, o Options) ([]Row, error) { return relax(one, o, c, pick(s.Small, 20, 8)) },
	}
}

// relax times steps of learning: the free and the nudged phase and the update. The
// rates of its row are the shares of hidden units above zero, and each repeat
// starts from the same weights, for labels are random.
func relax(one Case, o Options, c eqprop.Config, batch int) ([]Row, error) {
	pool := par.New(one.Threads)
	defer pool.Close()
	c.Pool = pool
	r := one.row()
	r.Steps, r.Batch = c.Free+c.Nudged, batch
	learner, err := eqprop.New(c)
	if err != nil {
		return nil, err
	}
	l := newLesson(learner, digits(c.Sizes[0], batch))
	err = r.rate(o, float64(batch), l.restart, l.step)
	r.Layers, r.Calibration = []string{"layer1"}, []float64{1} // as they were drawn
	if c.Spiking != nil {
		r.Layers[0] = "input" // whose spikes are the first rate
	}
	r.FiringRate, r.RateEnd = rates(l.first)[:min(1, len(l.first.Rates))], rates(l.last)[:min(1, len(l.last.Rates))]
	r.FinalLoss = finalLoss(l.last)
	return []Row{r}, err
}

// digits draws images of which 19 % of the pixels are not zero, with labels.
func digits(pixels, n int) *sample.Batch {
	src := rng.New(seed, "bench").Str("W7").Source()
	b := newBatch(tensor.Shape{pixels})
	b.X = make([]tensor.Float, n*pixels)
	for i := range b.X {
		if src.Float64() < 0.19 {
			b.X[i] = tensor.Float(src.Float64())
		}
	}
	for i := range n {
		b.Index = append(b.Index, i)
		b.Targets[0].Add(sample.Target{Class: src.IntN(10)})
	}
	return b
}
