package stdpcnn

import (
	"math"
	"slices"
	"testing"

	"synfire/internal/rng"
	"synfire/rule/stdpconv"
	"synfire/tensor"
)

// McNemar's p of 8 against 1 is 2·(9 + 1)/2⁹.
func TestMcNemar(t *testing.T) {
	first, second := slices.Repeat([]bool{true}, 20), slices.Repeat([]bool{true}, 20)
	for i := range 8 {
		second[i] = false
	}
	first[10] = false
	if p := mcNemar(first, second); math.Abs(p-20.0/512) > 1e-9 {
		t.Errorf("p %v, want %v", p, 20.0/512)
	}
	if p := mcNemar(first, first); p != 1 {
		t.Errorf("the same: p %v", p)
	}
}

// Two classes that fire at different inputs are told apart by reward; weights stay in bounds.
func TestDecision(t *testing.T) {
	src := rng.New(1, "x").Source()
	var list []stdpconv.Wave
	var class []int
	for range 200 {
		v, c := stdpconv.NewWave(2, 2, 8), src.IntN(2)
		for i := range v.When {
			if p := src.Float64(); i%8/4 == c && p < 0.8 || p < 0.1 {
				v.When[i] = int8(src.IntN(15))
			}
		}
		list, class = append(list, v), append(class, c)
	}
	d := newDecision(8, 3, 2, true, src)
	var p stdpconv.Pass
	for range 20 {
		if err := d.epoch(t.Context(), list, class, &p, src); err != nil {
			t.Fatal(err)
		}
	}
	if a := d.accuracy(list, class, &p); a < 90 {
		t.Errorf("%v %% are right", a)
	}
	if slices.Min(d.Weight) < lowest || slices.Max(d.Weight) > highest {
		t.Errorf("weights from %v to %v", slices.Min(d.Weight), slices.Max(d.Weight))
	}
	if _, said := d.decide(stdpconv.NewWave(2, 2, 8), &p); said != -1 {
		t.Errorf("silence is decided as %d", said)
	}
}

// Taps in another order are the same taps of each map.
func TestShuffled(t *testing.T) {
	l := stdpconv.NewLayer(3, stdpconv.Stage{Maps: 2, Kernel: 3, Threshold: 1, Winners: 1, Reach: 1}, stdpconv.Published(), rng.New(1, "x").Source())
	s := reordered(l, rng.New(2, "x").Source())
	for m := range 2 {
		var a, b []tensor.Float
		for k := m; k < len(l.Weight); k += 2 {
			a, b = append(a, l.Weight[k]), append(b, s.Weight[k])
		}
		if slices.Equal(a, b) {
			t.Error("the order is the same")
		}
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Error("the taps are others")
		}
	}
}
