package spike_test

import (
	"slices"
	"strings"
	"testing"

	"synfire/spike"
)

func TestEpochs(t *testing.T) {
	a := train(0, 10, 0, 1, 2, 2.5, 4, 9.5)
	got, err := a.Epochs([]float64{1, 2, 9}, 1, 1)
	if err != nil || !slices.Equal(got[0].Times, []float64{-1, 0, 1}) || !slices.Equal(got[1].Times, []float64{-1, 0, 0.5}) || !slices.Equal(got[2].Times, []float64{0.5}) || got[1].Start != -1 || got[1].Stop != 1 {
		t.Errorf("%v, %v", got, err)
	}
	for want, f := range map[string]func() error{
		"onset 1, [8.5, 10.5], reaches out": func() error { _, err := a.Epochs([]float64{1, 9.5}, 1, 1); return err },
		"not empty":                         func() error { _, err := a.Epochs([]float64{1}, -1, 1); return err },
		"sort the times":                    func() error { _, err := train(0, 1, 1, 0).Epochs(nil, 1, 1); return err },
		"cut them to one":                   func() error { _, err := spike.Union([]spike.Train{a, train(0, 9)}); return err },
		"no trains":                         func() error { _, err := spike.Union(nil); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	// On a grid that is none in binary numbers the spikes on the edges are in.
	b := train(0, 1)
	for i := range 11 {
		b.Times = append(b.Times, float64(i)/10)
	}
	if got, err := b.Epochs([]float64{0.3, 0.7}, 0.3, 0.3); err != nil || len(got[0].Times) != 7 || len(got[1].Times) != 7 || got[1].Validate() != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestMovedAndUnion(t *testing.T) {
	a := train(0, 10, 1, 10)
	if got := a.Moved(2.5); got.Start != 2.5 || got.Stop != 12.5 || !slices.Equal(got.Times, []float64{3.5, 12.5}) || a.Times[0] != 1 {
		t.Errorf("%v", got)
	}
	got, err := spike.Union([]spike.Train{a, train(0, 10, 0.5, 1)})
	if err != nil || !slices.Equal(got.Times, []float64{0.5, 1, 1, 10}) {
		t.Errorf("%v, %v", got, err)
	}
}
