package bench

import (
	"fmt"

	"synfire/encode"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/loss"
	"synfire/network/named"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// An epoch of W10 is as many images as CIFAR-10 has for training.
const w10Epoch = 50_000

// w10 is the training of the ordinary network that conversions start from, with the
// optimiser, the average of weights and the frozen first layer of the recipe vgg-fast.
func w10(s Selection) Case {
	net, side := named.NewFast(), pick(s.Small, 32, 16)
	if s.Small {
		net.Kernels, net.Widths = 8, []int{8, 16, 16}
	}
	return Case{
		Workload: "W10", Phase: Train, Shape: fmt.Sprintf("%dx%dx3-vgg-fast-10", side, side), Threads: s.Threads,
		run: func(one Case, o Options) ([]Row, error) {
			return ordinary(one, o, net, side, pick(s.Small, 125, 8))
		},
	}
}

// ordinary times steps of training, each repeat from the same weights, for labels are random:
// samples in a second, and the seconds that an epoch of so many steps takes. Reading,
// augmenting and validating images are not in it.
func ordinary(one Case, o Options, net named.Fast, side, batch int) ([]Row, error) {
	pool := par.New(one.Threads)
	defer pool.Close()
	r := one.row()
	r.Steps, r.Batch = 1, batch
	b := normal(side, batch)
	rule := bptt.Rule{
		Layers: net.Nodes(), Loss: []bptt.Term{{Loss: loss.MembraneCrossEntropy{Smoothing: 0.2}}},
		Optimizer: optim.SGD{LR: 1e-3 * float64(batch), Momentum: 0.85, Decay: 1e-6 * float64(batch), Nesterov: true, Decoupled: true},
		ShiftRate: 64, Average: optim.LookAhead{Every: 5, Alpha: 0.226, Power: 3}, Frozen: []string{"conv2d1"},
	}
	learner, err := rule.Learner(train.Setting{Spec: *b.Spec, Samples: w10Epoch, Encoder: encode.Constant{}, Steps: 1, Epochs: 1, Batch: batch, Seed: seed, Pool: pool})
	if err != nil {
		return nil, err
	}
	l, epoch := newLesson(learner, b), r
	epoch.Shape, epoch.Unit = r.Shape+"@epoch", "s"
	var speed, seconds []float64
	err = r.each(o, l.restart, l.step, func(n int, s float64) {
		speed, seconds = append(speed, float64(n*batch)/s), append(seconds, w10Epoch*s/float64(n*batch))
	})
	r.statistics(speed)
	epoch.statistics(seconds)
	r.FinalLoss, epoch.FinalLoss, epoch.Handoff = finalLoss(l.last), finalLoss(l.last), r.Handoff
	return []Row{r, epoch}, err
}

// normal draws images of which each value is normalised, with labels.
func normal(side, n int) *sample.Batch {
	src := rng.New(seed, "bench").Str("W10").Source()
	b := newBatch(tensor.Shape{side, side, 3})
	b.X = make([]tensor.Float, n*side*side*3)
	for i := range b.X {
		b.X[i] = tensor.Float(src.Norm())
	}
	for i := range n {
		b.Index = append(b.Index, i)
		b.Targets[0].Add(sample.Target{Class: src.IntN(10)})
	}
	return b
}
