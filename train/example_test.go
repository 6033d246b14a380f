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
	"synfire/rule/bptt"
	"synfire/surrogate"
	"synfire/task"
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
	learner, err := bptt.New(bptt.Options{
		Net: net, Steps: 5, Encoder: encode.Constant{}, Losses: []bptt.Term{{Loss: loss.CountCrossEntropy{}}},
		Optimizer: optim.Adam{LR: 0.002}, Seed: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	cursor, err := data.NewCursor(trainSet, data.CursorOptions{Batch: 25, Seed: 1, Shuffle: true})
	if err != nil {
		log.Fatal(err)
	}
	loop := train.Loop{
		Learner: learner, Train: cursor, Test: testSet, Epochs: 3,
		Tasks: []task.Binding{{Task: task.Classify{}}}, // what is measured
	}
	result, err := loop.Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("better than 70 %:", result.Test.Value("accuracy") > 70)
	// Output: better than 70 %: true
}
