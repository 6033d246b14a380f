package train_test

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
	"synfire/surrogate"
	"synfire/train"
)

func Example() {
	trainSet, testSet := mnist.Sample() // mnist.Load for all 60,000
	spiking := layer.Spiking{
		Neuron:    neuron.LIF{Beta: 0.9, Threshold: 1},
		Surrogate: surrogate.FastSigmoid{Slope: 5},
	}
	net, err := network.Sequential(trainSet.Shape, 1,
		layer.Conv2D{Out: 8, Kernel: []int{5}}, layer.MaxPool{Size: 2}, spiking,
		layer.Flatten{}, layer.Linear{Out: 10}, spiking)
	if err != nil {
		log.Fatal(err)
	}
	learner, err := train.NewBPTT(train.BPTTConfig{
		Net: net, Steps: 5, Encoder: encode.Constant{}, Loss: loss.CountCrossEntropy{},
		Optimizer: optim.Adam{LR: 0.002}, Seed: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	cursor, err := data.NewCursor(trainSet, data.CursorOptions{Batch: 25, Seed: 1, Shuffle: true})
	if err != nil {
		log.Fatal(err)
	}
	loop := train.Loop{Learner: learner, Train: cursor, Test: testSet, Epochs: 3}
	result, err := loop.Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("better than 70 %:", result.Metrics.Accuracy() > 70)
	// Output: better than 70 %: true
}
