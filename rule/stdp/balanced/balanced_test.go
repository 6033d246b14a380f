package balanced

import (
	"strings"
	"testing"
)

// Inputs from elsewhere come at 10·η Hz from as many trains as there are excitatory inputs, and
// a smaller network has the same mean input.
func TestNew(t *testing.T) {
	for _, excitatory := range []int{400, 4000} {
		n, err := New(Regime{G: 5, Eta: 2}, excitatory, 1)
		if err != nil {
			t.Fatal(err)
		}
		if n.Excitatory.Len() != excitatory || n.Inhibitory.Len() != excitatory/4 {
			t.Errorf("%d and %d neurons of %d", n.Excitatory.Len(), n.Inhibitory.Len(), excitatory)
		}
		m := n.Monitor(n.Excitatory)
		if err := n.Run(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		if rate := float64(len(m.Units)) / float64(excitatory) / 0.1; rate < 10 || rate > 150 {
			t.Errorf("%d neurons fire at %v Hz, want some 40", excitatory, rate)
		}
	}
	if _, err := New(Regimes()[0], 90, 1); err == nil || !strings.Contains(err.Error(), "multiple of 40") {
		t.Errorf("90 neurons: %v", err)
	}
}
