package encode_test

import (
	"fmt"

	"synfire/encode"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// Spikes for one sample of three units, and their counts over time.
func Example() {
	x := []tensor.Float{0.1, 0.5, 1}
	in := &sample.Batch{Spec: &sample.Spec{Shape: tensor.Shape{3}}, Index: []int{0}, X: x}
	keys := []rng.Key{rng.New(1, rng.Encode)}

	var spikes, dense signal.Signal
	encode.Poisson{}.Encode(&spikes, in, keys, encode.Window{T0: 0, T1: 1000, Steps: 1000})
	spikes.Densify(&dense)

	counts := make([]tensor.Float, 3)
	encode.Count{}.Decode(counts, &dense)
	fmt.Println(counts)
	// Output: [107 538 1000]
}
