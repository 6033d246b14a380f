package s4nn

import (
	"testing"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/internal/par"
	"synfire/internal/shared"
)

// The authors' released weights have the figures that two other programs measured.
func TestWitness(t *testing.T) {
	if testing.Short() {
		t.Skip("wants MNIST")
	}
	path := shared.File(t, "golden/"+WitnessFile)
	_, test, err := mnist.Load(t.Context(), data.DefaultOptions())
	if err != nil {
		t.Skip(err)
	}
	pool := par.New(0)
	defer pool.Close()
	ev, err := witness(t.Context(), path, test, pool)
	if err != nil {
		t.Fatal(err)
	}
	if names := differing(ev); len(names) > 0 {
		t.Errorf("%q differ: %+v", names, ev.Metrics.Scalars())
	}
}
