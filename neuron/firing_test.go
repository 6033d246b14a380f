package neuron

import (
	"math"
	"slices"
	"testing"

	"synfire/tensor"
)

// The error at a spike has, by way of the reset, the error at the state times what the reset
// adds to the membrane: −θ, or −u to zero. A refractory unit is not reset.
func TestErrorsThroughTheReset(t *testing.T) {
	gs, gv, u := []tensor.Float{1, 2, 3}, []tensor.Float{4, -8, 16}, []tensor.Float{3, 0.5, refractory}
	for reset, want := range map[Reset][]tensor.Float{Subtract: {1 - 4*2, 2 + 8*2, 3}, Zero: {1 - 4*3, 2 + 8*0.5, 3}, None: {1, 2, 3}} {
		if got := newFiring(2, false, reset, 1).throughReset(make([]tensor.Float, 3), gs, gv, u); !slices.Equal(got, want) {
			t.Errorf("reset %v: %v, want %v", reset, got, want)
		}
	}
}

// A threshold that a Float does not hold is an error, not a neuron that never fires or always does.
func TestThresholdBeyondFloat(t *testing.T) {
	for _, v := range []float64{1e300, 1e-300} {
		if held := float64(tensor.Float(v)); (held == 0 || held > math.MaxFloat64) && (LIF{Beta: 0.5, Threshold: v}).Validate() == nil {
			t.Errorf("a threshold of %v is taken", v)
		}
	}
}
