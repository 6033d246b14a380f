package bptt_test

import (
	"context"
	"fmt"
	"log"

	"synfire/encode"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/surrogate"
	"synfire/tensor"
	"synfire/train"
)

// Two neurons learn to say which of two inputs is the larger one.
func Example() {
	net, err := network.Sequential(tensor.Shape{2}, 1, layer.Linear{Out: 2},
		layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}})
	if err != nil {
		log.Fatal(err)
	}
	learner, err := bptt.New(bptt.Options{
		Net: net, Steps: 10, Encoder: encode.Constant{},
		Losses:    []bptt.Term{{Loss: loss.CountCrossEntropy{}}},
		Optimizer: optim.Adam{LR: 0.05}, Seed: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	batch := sample.Labelled([]int{0, 1}, []tensor.Float{0.8, 0.2, 0.3, 0.7}, []int{0, 1}, 2)
	for range 50 {
		if _, err := learner.Step(context.Background(), batch); err != nil {
			log.Fatal(err)
		}
	}
	p, err := learner.Predict(context.Background(), batch)
	if err != nil {
		log.Fatal(err)
	}
	spikes, _ := p.Output("")
	l, _ := p.Metrics.Mean(train.Loss)
	fmt.Println(spikes.Answer(0), spikes.Answer(1), l < 0.1)
	// Output: 0 1 true
}
