package encode_test

import (
	"fmt"

	"synfire/encode"
	"synfire/internal/rng"
	"synfire/signal"
	"synfire/tensor"
)

// Spikes for one sample of three units, and their counts over time.
func Example() {
	x := []tensor.Float{0.1, 0.5, 1}
	shape := tensor.Shape{3}
	keys := []rng.Key{rng.New(1, rng.Encode)}

	var spikes, dense signal.Signal
	encode.Poisson{}.Encode(&spikes, x, shape, keys, 0, 1000)
	spikes.Densify(&dense)

	counts := make([]tensor.Float, 3)
	encode.Count{}.Decode(counts, &dense)
	fmt.Println(counts)
	// Output: [107 538 1000]
}
