package activity_test

import (
	"context"
	"fmt"
	"log"

	"synfire/activity"
	"synfire/data/mnist"
	"synfire/encode"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/surrogate"
)

// The rates of a layer that nobody has trained, on ten digits.
func Example() {
	_, test := mnist.Sample()
	net, err := network.Sequential(test.Shape, 1, layer.Flatten{}, layer.Linear{Out: 20},
		layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}})
	if err != nil {
		log.Fatal(err)
	}
	recordings, err := activity.Record(context.Background(), activity.Options{
		Net: net, Steps: 8, Encoder: encode.Poisson{Scale: 1}, Seed: 1, Source: test, Samples: 10,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range recordings {
		fmt.Println(r.Layer, r.Samples, "samples,", r.Units, "units, spikes:", r.Spikes, len(r.Mean))
	}
	// Output: spiking1 10 samples, 20 units, spikes: true 200
}
