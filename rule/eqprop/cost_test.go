package eqprop

import (
	"slices"
	"testing"

	"synfire/data"
	"synfire/tensor"
)

// counted is 3–2–2 with weights of zero, so that products can be counted by hand.
func counted(t *testing.T, c Config) *Learner {
	t.Helper()
	c.Sizes, c.Rates, c.Free, c.Nudged, c.Beta = []int{3, 2, 2}, []float64{0.1, 0.1}, 3, 2, 0.3
	l := learner(t, c)
	copy(l.Net().W[0].Value.Data, []tensor.Float{1, 0, 1, 1, 0.5, -2})
	copy(l.Net().W[1].Value.Data, []tensor.Float{0.5, 0, 1, 1})
	l.Refresh()
	return l
}

// The first sample keeps one hidden unit and one output active, the second all of them.
// From zeros the first step sends nothing, the second sends up, the third up and down.
func TestCost(t *testing.T) {
	b := &data.Batch{Shape: tensor.Shape{3}, Index: []int{0, 1}, Labels: []int{0, 1}, X: []tensor.Float{1, 0, 0.5, 0, 1, 0}}
	plain := (3 + 0 + 1 + (1 + 2)) + (2 + 0 + 3 + (3 + 3))
	for name, c := range map[string]struct {
		Config
		products, forward int
		active            []int
	}{
		"plain": {Config{}, plain, 0, []int{3, 3}},
		// The choice reads what comes from above, 2 and 3, and in the step after it all is
		// active still. Of the second sample's hidden units, alike but for what comes from
		// above, the second is left.
		"hard": {Config{TopK: &TopK{K: 1, Variant: Hard}}, plain + (2 + 3 + 3) + (3 + 6 + 2 + 3), 0, []int{2, 3}},
	} {
		got := must(counted(t, c.Config).Cost(t.Context(), b))
		if got.Products != c.products || got.Forward != c.forward || !slices.Equal(got.Active, c.active) {
			t.Errorf("%s: %+v, want %d products, %d of them forward, %v active", name, got, c.products, c.forward, c.active)
		}
	}
	got := must(counted(t, Config{Predictor: &Predictor{Lambda: 0.1}}).Cost(t.Context(), b))
	if want := (4 + 4) + (2 + 4); got.Forward != want || got.Products <= want {
		t.Errorf("predictor: %+v, want %d products forward, and more in all", got, want)
	}
	spiking := counted(t, Config{Spiking: &Spiking{Drift: 0.05}})
	if got := must(spiking.Cost(t.Context(), b)); got.Products != spiking.SynapticOperations() || got.Products == 0 {
		t.Errorf("spiking: %+v, want the %d additions of the run", got, spiking.SynapticOperations())
	}
	if _, err := counted(t, Config{Tolerance: 0.1}).Cost(t.Context(), b); err == nil {
		t.Error("no error of phases that end early")
	}
	var sum Cost
	sum.Add(Cost{1, 2, []int{3, 4}})
	sum.Add(Cost{5, 6, []int{7, 8}})
	if sum.Products != 6 || sum.Forward != 8 || !slices.Equal(sum.Active, []int{10, 12}) {
		t.Errorf("sum %+v", sum)
	}
}
