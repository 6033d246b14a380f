package certify

import (
	"testing"

	"synfire/exchange/nir"
)

// A spike that one has and the other has not is rounding where the voltage of the one without
// is within 10⁻⁵ of the node's largest voltage or threshold, which is 4 here, of its threshold,
// and the voltages were alike before.
func TestRoundingIsOfOneSpike(t *testing.T) {
	file := &nir.Graph{Nodes: []nir.Node{{Name: "n", Kind: "IF", Params: map[string]nir.Param{"v_threshold": {Shape: []int{2}, Data: []float64{2, 4}}}}}}
	for name, c := range map[string]struct {
		before, below   float64 // how far voltages are apart before, and the one without a spike from 4
		expected, found float64
		want            string
	}{
		"found":          {0, 3e-5, 0, 1, Rounding},
		"expected":       {3e-5, 3e-5, 1, 0, Rounding},
		"far below":      {0, 5e-5, 0, 1, Unknown},
		"apart before":   {5e-5, 3e-5, 0, 1, Unknown},
		"a voltage":      {0, 3e-5, 3.5, 3.9, Unknown},
		"two spikes":     {0, 3e-5, 0, 2, Unknown},
		"no difference":  {0, 3e-5, 1, 1, Unknown},
		"above by a bit": {0, -3e-5, 0, 1, Rounding},
	} {
		without := [][]float64{{0, 1}, {0, 4 - c.below}}
		with := [][]float64{{0, 1 + c.before}, {0, 0}}
		k, other := comparison{file: file, own: Course{Voltages: map[string][][]float64{"n": with}}}, Course{Voltages: map[string][][]float64{"n": without}}
		if c.expected > c.found {
			k.own, other = other, k.own
		}
		if got := k.cause(&Difference{Node: "n", Neuron: 1, Step: 1, Expected: c.expected, Found: c.found}, other); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
