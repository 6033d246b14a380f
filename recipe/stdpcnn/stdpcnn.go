// Package stdpcnn reproduces convolutional networks that learn features by the order of spikes
// (Kheradpisheh et al., Neural Networks 99:56, 2018; Mozafari et al., Pattern Recognition 94:87,
// 2019): differences of Gaussians, one spike an input and the earlier the larger, two layers whose
// maps compete and learn without labels, then a linear readout; and a last layer that learns by
// reward and punishment alone.
package stdpcnn

import (
	"context"
	"fmt"
	"slices"

	"synfire/data/mnist"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/recipe"
	"synfire/report"
	"synfire/sample"
	"synfire/tensor"
)

// Recipe is the study.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "stdp-cnn", Paper: "survey-2018", Title: "Convolutional features by the order of spikes",
		Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 15, report.Full: 45},
		Claims:  claims(), Run: reproduce,
	}
}

// claims are on MNIST's test images.
func claims() []report.Claim {
	one := report.Seeds{Short: 1, Full: 1}
	n := report.Samples{Short: 10_000, Full: 10_000}
	value := func(v float64) *float64 { return &v }
	readout := recipe.Bounded("readout", "MNIST test accuracy of a linear readout of the second layer", "%", "reported", report.AtLeast, 96, one, n)
	readout.Published, readout.Bounds.Full = value(98.4), value(97)
	readout.Note = "The published figure is Kheradpisheh's, with a support vector machine; constants of the layers are Mozafari's. At short the readout learns 20,000 images, at full 60,000."
	const control = "no paper: what is left to the readout alone"
	shuffled := recipe.Bounded("beats-shuffled", "the same less that of the best of five networks with each map's taps in another order", "points", control, report.AtLeast, 1, one, n)
	shuffled.Note = "Thresholds of these let as many neurons fire as learned ones; pooling and readout are the same."
	chance := recipe.Bounded("beats-shuffled-p", "McNemar's p of the two", "", control, report.AtMost, 0.01, one, n)
	reward := recipe.Bounded("r-stdp", "accuracy on test images of 3 and 8 of a layer that learns by reward and punishment, ten epochs", "%", "no paper: a task of two classes", report.AtLeast, 90, report.Seeds{Short: 5, Full: 5}, report.Samples{})
	paired := recipe.Bounded("punishment", "the same less that without punishment, mean over seeds", "points", "no paper: the same task", report.AtLeast, 0.01, report.Seeds{Short: 5, Full: 5}, report.Samples{})
	paired.Statistic = report.Mean
	return []report.Claim{readout, shuffled, chance, reward, paired}
}

// sizes are those of a scale.
type sizes struct {
	first, second int // images that the layers learn
	labelled      int // that the readout learns
	test          int
	maps          [2]int
	doubles       int // images after which the layers' rates double
	shuffles      int
	epochs, seeds int // of learning by reward
}

var scales = map[report.Scale]sizes{
	report.Smoke: {200, 200, 300, 200, [2]int{10, 30}, 30, 1, 3, 1},
	report.Short: {4000, 8000, 20_000, 10_000, [2]int{30, 250}, 500, 5, 10, 5},
	report.Full:  {10_000, 20_000, 60_000, 10_000, [2]int{30, 250}, 500, 5, 10, 5},
}

// images are codes of images and their classes.
type images struct {
	codes []wave
	class []int
}

// read encodes the first n images.
func read(ctx context.Context, s sample.Source, n int, pool *par.Pool) (images, error) {
	n = min(n, s.Len())
	out := images{make([]wave, n), make([]int, n)}
	list, failed := filters(), make([]error, n)
	side := s.Spec().Shape[0]
	pool.For(n, 16, func(_, lo, hi int) {
		x := make([]tensor.Float, s.Spec().Size())
		for i := lo; i < hi; i++ {
			one := sample.Sample{X: x}
			if failed[i] = ctx.Err(); failed[i] == nil {
				failed[i] = s.Read(ctx, i, &one)
			}
			if failed[i] == nil {
				out.codes[i], out.class[i] = code(x, side, list), one.Targets[0].Class
			}
		}
	})
	for _, err := range failed {
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

func (v images) first(n int) images {
	n = min(n, len(v.codes))
	return images{v.codes[:n], v.class[:n]}
}

// network is the two layers. Pooling is by 2 behind the first and by 3 behind the second.
type network struct{ a, b *layer }

// learned is a network that has learned: first one layer, then the other.
func learned(ctx context.Context, v images, z sizes, seed uint64) (*network, error) {
	src := rng.New(seed, "stdp-cnn").Str("weights").Source()
	n := &network{
		newLayer(len(filters()), z.maps[0], 5, 15, 5, 3, src),
		newLayer(z.maps[0], z.maps[1], 3, 10, 8, 1, src),
	}
	n.a.doubles, n.b.doubles = z.doubles, z.doubles
	var p, q pass
	for _, in := range v.first(z.first).codes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n.a.learn(in, &p)
	}
	for _, in := range v.first(z.second).codes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n.a.run(in, &p)
		n.b.learn(p.out.pool(2), &q)
	}
	return n, nil
}

// run runs both layers.
func (n *network) run(in wave, p, q *pass) wave {
	n.a.run(in, p)
	n.b.run(p.out.pool(2), q)
	return q.out.pool(3)
}

// shuffled has the taps of each map in another order, and thresholds that let as many neurons fire
// for some images.
func (n *network) shuffled(v images, seed uint64) *network {
	src := rng.New(seed, "stdp-cnn").Str("shuffle").Source()
	out := &network{n.a.shuffled(src), n.b.shuffled(src)}
	var p, q pass
	var as, bs [2][]tensor.Float // potentials of this network's layers and of the other's
	for _, in := range v.codes {
		n.a.run(in, &p)
		as[0] = append(as[0], p.potential...)
		n.b.run(p.out.pool(2), &q)
		bs[0] = append(bs[0], q.potential...)
		out.a.run(in, &p)
		as[1] = append(as[1], p.potential...)
	}
	out.a.threshold = matched(as[0], n.a.threshold, as[1])
	for _, in := range v.codes {
		out.a.run(in, &p)
		out.b.run(p.out.pool(2), &q)
		bs[1] = append(bs[1], q.potential...)
	}
	out.b.threshold = matched(bs[0], n.b.threshold, bs[1])
	return out
}

// matched is the threshold that as many of the others exceed as of these exceed theirs.
func matched(these []tensor.Float, threshold tensor.Float, others []tensor.Float) tensor.Float {
	above := 0
	for _, v := range these {
		if v > threshold {
			above++
		}
	}
	slices.Sort(others)
	return others[max(0, len(others)-above-1)]
}

// features are the pooled spikes of each image; where global, of each map anywhere.
func (n *network) features(ctx context.Context, v images, global bool, pool *par.Pool) ([]example, int, error) {
	out := make([]example, len(v.codes))
	units := 0
	passes := make([][2]pass, pool.Threads())
	count := make([]int, pool.Threads())
	pool.For(len(out), 16, func(worker, lo, hi int) {
		for i := lo; i < hi; i++ {
			if ctx.Err() != nil {
				return
			}
			w := n.run(v.codes[i], &passes[worker][0], &passes[worker][1])
			count[worker] = len(w.when)
			out[i] = example{active(w, global), v.class[i]}
		}
	})
	for _, c := range count {
		units = max(units, c)
	}
	if global {
		units = n.b.maps
	}
	return out, units, ctx.Err()
}

// active are the units that fire, ascending.
func active(w wave, global bool) (list []int32) {
	for i, t := range w.when {
		switch {
		case t == never:
		case !global:
			list = append(list, int32(i))
		default:
			list = append(list, int32(i%w.channels))
		}
	}
	if global {
		slices.Sort(list)
		list = slices.Compact(list)
	}
	return list
}

// open opens the images of a scale.
func open(ctx context.Context, e *recipe.Env, z sizes) (train, test images, err error) {
	var trainSet, testSet sample.Source
	if e.Scale == report.Smoke {
		trainSet, testSet = mnist.Sample()
	} else if trainSet, testSet, err = mnist.Load(ctx, e.Data); err != nil {
		return train, test, err
	}
	if train, err = read(ctx, trainSet, max(z.labelled, z.second), e.Pool); err != nil {
		return train, test, fmt.Errorf("stdp-cnn: %w", err)
	}
	test, err = read(ctx, testSet, z.test, e.Pool)
	return train, test, err
}
