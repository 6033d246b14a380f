// Command extend adds a neuron, a layer and a data set of its own to synfire, and
// trains a network of them. It is a module of its own, as yours would be:
//
//	cd examples/extend && go run .
package main

import (
	"context"
	_ "embed"
	"fmt"
	"log"

	"synfire/layer"
	"synfire/model"
	"synfire/train"
)

//go:embed net.yaml
var file []byte

// table is synfire's table of kinds with two more.
func table() model.Table {
	t := model.Default()
	t.Neurons["bounded-lif"] = model.Kind{
		New:     func() any { return &BoundedLIF{Beta: 0.9, Threshold: 1, Floor: 1} },
		Example: BoundedLIF{Beta: 0.8, Threshold: 0.3, Floor: 0.2},
	}
	t.Layers["gain"] = model.Kind{New: func() any { return &Gain{Start: 1} }, Example: Gain{Start: 0.7}}
	return t
}

func main() {
	log.SetFlags(0)
	accuracy, err := run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f %% of the test images are classified correctly\n", accuracy)
}

// run trains the network of net.yaml and returns its accuracy in percent.
func run(ctx context.Context) (float64, error) {
	c, err := table().Decode("net.yaml", file)
	if err != nil {
		return 0, err
	}
	pool := layer.NewPool(0)
	defer pool.Close()
	loop, err := train.NewLoop(c, Stripes("train", 600, 1), Stripes("test", 200, 2), pool)
	if err != nil {
		return 0, model.Locate("net.yaml", file, err)
	}
	result, err := loop.Run(ctx)
	if err != nil {
		return 0, err
	}
	return result.Metrics.Accuracy(), nil
}
