package joint_test

import (
	"context"
	"fmt"
	"log"

	"synfire/encode"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/rule/joint"
	"synfire/sample"
	"synfire/surrogate"
	"synfire/tensor"
	"synfire/train"
)

// Two classes by which of two inputs is the larger one, told by both branches.
func Example() {
	b := sample.Labelled([]int{0, 1, 2, 3}, []tensor.Float{0.8, 0.2, 0.3, 0.7, 0.9, 0.4, 0.1, 0.6}, []int{0, 1, 0, 1}, 2)
	rule := joint.NewRule()
	rule.Layers = network.Chain(
		layer.Linear{Out: 20, NoBias: true},
		layer.Spiking{Neuron: neuron.STDB{Beta: 1, Threshold: 1}, Surrogate: surrogate.Triangle{Height: 0.3, Width: 1}},
		layer.Linear{Out: 2, NoBias: true})
	rule.Optimizer = optim.Adam{LR: 0.02}
	learner, err := rule.Learner(train.Setting{Spec: *b.Spec, Encoder: encode.Constant{}, Steps: 8, Samples: 4, Batch: 4, Epochs: 100, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	for range 100 {
		if _, err := learner.Step(context.Background(), b); err != nil {
			log.Fatal(err)
		}
	}
	p, err := learner.Predict(context.Background(), b)
	if err != nil {
		log.Fatal(err)
	}
	for _, o := range p.Outputs {
		fmt.Println(o.Name, o.Answer(0), o.Answer(1), o.Answer(2), o.Answer(3))
	}
	// Output:
	// output 0 1 0 1
	// ann 0 1 0 1
}
