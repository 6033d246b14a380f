package energy

import (
	"math"
	"testing"

	"synfire/internal/rng"
	"synfire/signal"
	"synfire/spike"
	"synfire/tensor"
)

// Spikes counted by words are those counted one by one, whatever the elements cost.
func TestCountByWords(t *testing.T) {
	src := rng.New(1, "energy test").Source()
	for _, units := range []int{1, 63, 64, 65, 200} {
		for _, kinds := range []int{1, 2, 7} {
			f := &fans{weighted: make([]int32, units), plain: make([]int32, units)}
			for i := range units {
				k := int32(src.IntN(kinds))
				f.weighted[i], f.plain[i] = 9-k, k%2
			}
			f.findUsual()
			s := &signal.Signal{Kind: signal.Spikes, T: 3, B: 1, Shape: tensor.Shape{units}, Raster: spike.NewRaster(3, units)}
			var want Tally
			for r := range 3 {
				for i := range units {
					if src.IntN(3) == 0 {
						s.Raster.Row(r)[i/64] |= 1 << (i % 64)
						want.Add(Tally{Spikes: 1, Additions: int(f.weighted[i]), Sums: int(f.plain[i])})
					}
				}
			}
			var c Counter
			if c.count(f, s, true); c.Tally != want {
				t.Errorf("%d units of %d kinds: %+v, want %+v", units, kinds, c.Tally, want)
			}
			c.Tally = Tally{}
			if c.count(nil, s, true); c.Tally != (Tally{Spikes: want.Spikes}) {
				t.Errorf("%d units that nothing takes: %+v", units, c.Tally)
			}
		}
	}
}

// Graded and signed spikes are counted by their size, wherever they are; what is no whole number is a product.
func TestCountByValues(t *testing.T) {
	src := rng.New(2, "energy test").Source()
	nan, inf := tensor.Float(math.NaN()), tensor.Float(math.Inf(-1))
	for _, units := range []int{1, 64, 65, 200} {
		f := &fans{weighted: make([]int32, units), plain: make([]int32, units)}
		for i := range units {
			k := int32(src.IntN(3))
			f.weighted[i], f.plain[i] = 9-k, k%2
		}
		f.findUsual()
		s := &signal.Signal{Kind: signal.Dense, T: 3, B: 2, Shape: tensor.Shape{units}, Data: make([]tensor.Float, 6*units)}
		var want Tally
		for k := range s.Data {
			v := []tensor.Float{0, 0, 1, -1, 7, 0.5, -2.25, nan, inf}[src.IntN(9)]
			s.Data[k] = v
			size, w, p := int(max(v, -v)), int(f.weighted[k%units]), int(f.plain[k%units])
			switch v {
			case 0:
			case 1, -1, 7:
				want.Add(Tally{Spikes: size, Additions: size * w, Sums: size * p})
			default:
				want.Products += w
			}
		}
		var c Counter
		if c.count(f, s, true); c.Tally != want {
			t.Errorf("%d units: %+v, want %+v", units, c.Tally, want)
		}
		c.Tally = Tally{}
		if c.count(nil, s, true); c.Tally != (Tally{Spikes: want.Spikes}) {
			t.Errorf("%d units that nothing takes: %+v", units, c.Tally)
		}
	}
}
