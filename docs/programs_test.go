package docs_test

import (
	"context"
	"fmt"
	"log"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/encode"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/surrogate"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// The program of faq.md; a spike is bit 0 of the word of its step.
func Example_faq() {
	for _, k := range []struct {
		name string
		n    neuron.Neuron
	}{
		{"synfire", neuron.LIF{Beta: 0.9, Threshold: 1}},
		{"snnTorch", neuron.SnnTorchLeaky(0.9, 1)},
		{"SpikingJelly", neuron.SpikingJelly(10, 1)},
		{"Norse", neuron.Norse(5, 10, 1, 1)},
	} {
		spikes := make([]uint64, 16) // a step each
		k.n.Forward(neuron.Window{
			Steps: 16, Units: 1, Input: neuron.Strided{Data: []tensor.Float{0.3}}, // stride 0: constant
			State: make([]tensor.Float, k.n.States()), Spikes: neuron.Bits{Data: spikes, Stride: 1},
		})
		fmt.Println(k.name, spikes)
	}
	// Output:
	// synfire [0 0 0 1 0 0 0 1 0 0 0 1 0 0 0 1]
	// snnTorch [0 0 0 1 0 0 0 0 1 0 0 0 1 0 0 0]
	// SpikingJelly [0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0]
	// Norse [0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1]
}

// The program of guide.md.
func Example_guide() {
	trainSet, testSet := mnist.Sample() // mnist.Load for all 60,000
	net, err := network.Sequential(trainSet.Shape, 1,
		layer.Flatten{}, layer.Linear{Out: 100},
		layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}},
		layer.Linear{Out: 10}, layer.Readout{Beta: 0.95})
	if err != nil {
		log.Fatal(err)
	}
	learner, err := bptt.New(bptt.Options{
		Net: net, Steps: 10, Encoder: encode.Poisson{Scale: 1}, Losses: []bptt.Term{{Loss: loss.MembraneCrossEntropy{}}},
		Optimizer: optim.Adam{LR: 0.002, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, Seed: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	cursor, err := data.NewCursor(trainSet, data.CursorOptions{Batch: 50, Seed: 1, Shuffle: true})
	if err != nil {
		log.Fatal(err)
	}
	loop := train.Loop{Learner: learner, Train: cursor, Test: testSet, Tasks: []task.Binding{{Task: task.Classify{}}}, Epochs: 4}
	result, err := loop.Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("better than 70 %:", result.Test.Value("accuracy") > 70)
	// Output: better than 70 %: true
}
