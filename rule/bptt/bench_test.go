package bptt_test

import (
	"strings"
	"testing"

	"synfire/encode"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/loss"
	"synfire/network"
	"synfire/network/named"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// A training step of ordinary networks on images of CIFAR's size, on one thread.
func BenchmarkOrdinary(b *testing.B) {
	const images = 50
	spec := sample.Spec{Shape: tensor.Shape{32, 32, 3}, Targets: []sample.Field{{Name: "class", Kind: sample.Class, Classes: strings.Split("0123456789", "")}}}
	for _, n := range []struct {
		name string
		net  network.Architecture
	}{{"vgg-fast", named.NewFast()}, {"resnet-20", named.NewResNet(20)}, {"vgg-7", named.NewVGG(7)}, {"vgg-16", named.NewVGG(16)}} {
		b.Run(n.name, func(b *testing.B) {
			pool := par.New(1)
			defer pool.Close()
			r := bptt.NewRule()
			r.Layers, r.Loss = n.net.Nodes(), []bptt.Term{{Loss: loss.MembraneCrossEntropy{}}}
			r.Optimizer = optim.SGD{LR: 0.01, Momentum: 0.9, Nesterov: true}
			l, err := r.Learner(train.Setting{Spec: spec, Samples: images, Encoder: encode.Constant{}, Steps: 1, Epochs: 1, Batch: images, Seed: 1, Pool: pool})
			if err != nil {
				b.Fatal(err)
			}
			batch := &sample.Batch{}
			batch.Reset(&spec, 0)
			src := rng.New(1, "BenchmarkOrdinary").Source()
			for i := range images {
				x := batch.Slot()
				for j := range x {
					x[j] = tensor.Float(2*src.Float64() - 1)
				}
				if err := batch.Append(i, &sample.Sample{X: x, Targets: []sample.Target{{Class: i % 10}}}); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if _, err := l.Step(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N*images), "ms/image")
		})
	}
}
