// Command extend is synfire with kinds of its own: a neuron, a surrogate, a layer, a
// source, a task, a transform of networks and a learning rule. It is a module of its
// own, as yours would be, and has every verb of synfire:
//
//	cd examples/extend
//	go run . train net.yaml
//	go run . train perceptron.yaml
//	go run . kinds bounded-lif
package main

import (
	"synfire/catalog"
	"synfire/model"
)

// kinds is synfire's catalogue with the kinds of this module.
func kinds() catalog.Catalog {
	c := catalog.Default()
	c.Neurons["bounded-lif"] = model.Kind{
		New:     func() any { return &BoundedLIF{Beta: 0.9, Threshold: 1, Floor: 1} },
		Example: BoundedLIF{Beta: 0.8, Threshold: 0.3, Floor: 0.2},
	}
	c.Surrogates["gaussian"] = model.Kind{New: func() any { return &Gaussian{Width: 0.5} }, Example: Gaussian{Width: 0.4}}
	c.Layers["gain"] = model.Kind{New: func() any { return &Gain{Start: 1} }, Example: Gain{Start: 0.7}}
	c.Layers["smooth"] = model.Kind{New: func() any { return &Smooth{Keep: 0.5} }, Example: Smooth{Keep: 0.3}}
	c.Sources["stripes"] = model.Kind{New: func() any { return &Stripes{Train: 600, Test: 200, Noise: 0.15} }, Example: Stripes{Train: 8, Test: 4}}
	c.Tasks["confidence"] = model.Kind{New: func() any { return &Confidence{} }, Example: Confidence{}}
	c.Rules["perceptron"] = model.Kind{New: func() any { return &Perceptron{Rate: 0.1} }, Example: Perceptron{Rate: 0.1}}
	return c
}
