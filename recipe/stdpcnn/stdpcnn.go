// Package stdpcnn reproduces convolutional networks that learn features by the order of spikes
// (Kheradpisheh et al., Neural Networks 99:56, 2018; Mozafari et al., Pattern Recognition 94:87,
// 2019): differences of Gaussians, one spike an input and the earlier the larger, two layers whose
// maps compete and learn without labels, then a linear readout, all of package rule/stdpconv; and a
// last layer that learns by reward and punishment alone.
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
	"synfire/rule/stdpconv"
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
	codes []stdpconv.Wave
	class []int
}

// read encodes the first n images.
func read(ctx context.Context, s sample.Source, n int, pool *par.Pool) (images, error) {
	n = min(n, s.Len())
	out := images{make([]stdpconv.Wave, n), make([]int, n)}
	f, failed := front(), make([]error, n)
	side := s.Spec().Shape[0]
	pool.For(n, 16, func(_, lo, hi int) {
		x := make([]tensor.Float, s.Spec().Size())
		for i := lo; i < hi; i++ {
			one := sample.Sample{X: x}
			if failed[i] = ctx.Err(); failed[i] == nil {
				failed[i] = s.Read(ctx, i, &one)
			}
			if failed[i] == nil {
				out.codes[i], out.class[i] = f.Code(x, side, side, 1), one.Targets[0].Class
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

// front is that of Mozafari et al. (2019).
func front() *stdpconv.Front { return stdpconv.NewFront([]int{3, 7, 13}, 50, 17, 15) }

// network is the two layers.
type network struct{ stdpconv.Net }

// learned is a network that has learned: first one layer, then the other.
func learned(ctx context.Context, v images, z sizes, seed uint64) (*network, error) {
	src := rng.New(seed, "stdp-cnn").Str("weights").Source()
	rates := stdpconv.Published()
	rates.Double = z.doubles
	n := &network{stdpconv.Net{
		stdpconv.NewLayer(front().Maps(), stdpconv.Stage{Maps: z.maps[0], Kernel: 5, Threshold: 15, Winners: 5, Reach: 3, Pool: 2}, rates, src),
		stdpconv.NewLayer(z.maps[0], stdpconv.Stage{Maps: z.maps[1], Kernel: 3, Threshold: 10, Winners: 8, Reach: 1, Pool: 3}, rates, src),
	}}
	p := make([]stdpconv.Pass, 2)
	for k, samples := range []int{z.first, z.second} {
		for _, in := range v.first(samples).codes {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			n.Net[k].Learn(n.Net[:k].Run(in, p), &p[k])
		}
	}
	return n, nil
}

// shuffled has the taps of each map in another order, and thresholds that let as many neurons fire
// for some images.
func (n *network) shuffled(v images, seed uint64) *network {
	src := rng.New(seed, "stdp-cnn").Str("shuffle").Source()
	out := &network{stdpconv.Net{reordered(n.Net[0], src), reordered(n.Net[1], src)}}
	p := make([]stdpconv.Pass, 2)
	for k, l := range out.Net {
		var these, others []tensor.Float // potentials of this network's layer and of the other's
		for _, in := range v.codes {
			n.Net[:k+1].Run(in, p)
			these = append(these, p[k].Potential...)
		}
		for _, in := range v.codes {
			out.Net[:k+1].Run(in, p)
			others = append(others, p[k].Potential...)
		}
		l.Threshold = matched(these, n.Net[k].Threshold, others)
	}
	return out
}

// reordered is a layer with the taps of each map in another order.
func reordered(l *stdpconv.Layer, src *rng.Source) *stdpconv.Layer {
	out := *l
	out.Weight = make([]tensor.Float, len(l.Weight))
	n := len(l.Weight) / l.Maps
	for m := range l.Maps {
		for to, from := range src.Perm(n) {
			out.Weight[to*l.Maps+m] = l.Weight[from*l.Maps+m]
		}
	}
	return &out
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
func (n *network) features(ctx context.Context, v images, global bool, pool *par.Pool) ([]stdpconv.Example, int, error) {
	out := make([]stdpconv.Example, len(v.codes))
	units := 0
	passes := make([][2]stdpconv.Pass, pool.Threads())
	count := make([]int, pool.Threads())
	pool.For(len(out), 16, func(worker, lo, hi int) {
		for i := lo; i < hi; i++ {
			if ctx.Err() != nil {
				return
			}
			w := n.Run(v.codes[i], passes[worker][:])
			count[worker] = len(w.When)
			out[i] = stdpconv.Example{Active: w.Active(global), Class: v.class[i]}
		}
	})
	for _, c := range count {
		units = max(units, c)
	}
	if global {
		units = n.Net[1].Maps
	}
	return out, units, ctx.Err()
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
