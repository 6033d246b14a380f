package bptt_test

import (
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/data"
	"synfire/internal/par"
)

// In no more steps than layers that act late nothing reaches the scores: an error before
// training, not class 0 for every sample.
func TestTooFewStepsForLateLayers(t *testing.T) {
	const file = `
data: {npz: ../../examples/testdata/digits.npz}
steps: 2
layers:
  - flatten
  - {kind: linear, out: 9, no-bias: true}
  - &stdb {kind: spiking, neuron: stdb, surrogate: spike-time}
  - {kind: linear, out: 9, no-bias: true}
  - *stdb
  - {kind: linear, out: 10, no-bias: true}
`
	for steps, want := range map[string]string{"steps: 2": "give steps 3 or more", "steps: 3": ""} {
		c, err := catalog.Default().Decode("x.yaml", []byte(strings.Replace(file, "steps: 2", steps, 1)))
		if err != nil {
			t.Fatal(err)
		}
		trainSet, testSet, err := catalog.Default().Load(t.Context(), c.Data, data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c, sets, err := c.Prepare(t.Context(), trainSet, testSet)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Loop(sets, par.New(1))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", steps, err, want)
		}
	}
}
