package stbp

import (
	"slices"
	"testing"

	"synfire/activity"
)

// Two samples of two places of three maps: means by hand.
func TestMapRates(t *testing.T) {
	r := activity.Recording{Samples: 2, Units: 6, Mean: []float64{0, 0.5, 1, 0.25, 0.5, 1, 0.25, 0, 1, 0.5, 1, 1}}
	if got, want := mapRates(r, 3), []float64{0.25, 0.5, 1}; !slices.Equal(got, want) {
		t.Errorf("rates %v, want %v", got, want)
	}
}
