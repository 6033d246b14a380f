package spike_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"synfire/spike"
)

// ticks draws up to 40 places of spikes among 0 … 100.
func ticks(t *rapid.T, label string) []int {
	return slices.Sorted(slices.Values(rapid.SliceOfNDistinct(rapid.IntRange(0, 100), 0, 40, rapid.ID[int]).Draw(t, label)))
}

// in is a train of ticks of a length of time, which is a unit of time, from an offset
// in ticks on.
func in(ticks []int, unit float64, offset int) spike.Train {
	t := spike.Train{Start: float64(offset) * unit, Stop: float64(100+offset) * unit}
	for _, k := range ticks {
		t.Times = append(t.Times, float64(k+offset)*unit)
	}
	return t
}

// units are grids: few of their times are binary fractions, but all are one grid.
var units = []float64{0.1, 0.001, 1. / 3, 0.7, 1000, 1e-9, 0x1p-20, 0x1p10, 3e7}

// Each statistic has one value in all units of time and from any start on.
func TestStatisticsInAnyUnit(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ka, kb := ticks(r, "a"), ticks(r, "b")
		a, b := in(ka, 1, 0), in(kb, 1, 0)
		unit, offset := rapid.SampledFrom(units).Draw(r, "unit"), rapid.IntRange(-200, 200).Draw(r, "offset")
		u, v := in(ka, unit, offset), in(kb, unit, offset)
		same := func(what string, x float64, err error, y float64, err2 error) {
			if err != nil || err2 != nil || math.IsNaN(x) != math.IsNaN(y) || math.Abs(x-y) > 1e-9 {
				r.Errorf("%s: %v, %v; in units of %v from %d on %v, %v", what, x, err, unit, offset, y, err2)
			}
		}
		for _, name := range []string{"CV", "CV2", "LV"} {
			f := map[string]func(spike.Train) (float64, error){"CV": spike.Train.CV, "CV2": spike.Train.CV2, "LV": spike.Train.LV}[name]
			x, err := f(a)
			y, err2 := f(u)
			same(name, x, err, y, err2)
		}
		x, err := spike.Fano([]spike.Train{a, b})
		y, err2 := spike.Fano([]spike.Train{u, v})
		same("Fano", x, err, y, err2)
		dt := rapid.IntRange(0, 20).Draw(r, "dt")
		x, err = spike.STTC(a, b, float64(dt))
		y, err2 = spike.STTC(u, v, float64(dt)*unit)
		same("STTC", x, err, y, err2)
		back, err2 := spike.STTC(b, a, float64(dt))
		same("STTC the other way round", x, err, back, err2)

		width := rapid.IntRange(1, 30).Draw(r, "width")
		h, err := spike.PSTH([]spike.Train{a, b}, float64(width))
		g, err2 := spike.PSTH([]spike.Train{u, v}, float64(width)*unit)
		if err != nil || err2 != nil || len(h.Values) != len(g.Values) {
			r.Fatalf("PSTH: %v, %v; %v, %v", h, err, g, err2)
		}
		for i := range h.Values {
			if n, m := h.Values[i]*h.Width*2, g.Values[i]*g.Width*2; math.Abs(n-m) > 1e-9 {
				r.Errorf("PSTH, bin %d: %v spikes, in units of %v from %d on %v", i, n, unit, offset, m)
			}
		}
		lag := rapid.IntRange(0, 90).Draw(r, "lag")
		h, err = spike.Correlogram(a, b, float64(width), float64(lag))
		g, err2 = spike.Correlogram(u, v, float64(width)*unit, float64(lag)*unit)
		if err != nil || err2 != nil || !slices.Equal(h.Values, g.Values) {
			r.Errorf("Correlogram: %v, %v; in units of %v from %d on %v, %v", h, err, unit, offset, g, err2)
		}
	})
}

// Surrogates of one recording are one train in all units of time.
func TestSurrogatesInAnyUnit(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		k := ticks(r, "a")
		unit, offset := rapid.SampledFrom(units).Draw(r, "unit"), rapid.IntRange(-200, 200).Draw(r, "offset")
		a, u, key := in(k, 1, 0), in(k, unit, offset), spike.Stream(rapid.Uint64().Draw(r, "seed"))
		width := rapid.IntRange(1, 30).Draw(r, "width")
		for _, s := range [][2]spike.Surrogate{
			{spike.ShuffleIntervals{}, spike.ShuffleIntervals{}},
			{spike.ShuffleBins{Width: float64(width)}, spike.ShuffleBins{Width: float64(width) * unit}},
			{spike.Dither{Width: float64(width)}, spike.Dither{Width: float64(width) * unit}},
		} {
			x, err := s[0].Shuffle(a, key)
			y, err2 := s[1].Shuffle(u, key)
			if err != nil || err2 != nil || len(x.Times) != len(y.Times) {
				r.Fatalf("%T: %v, %v; in units of %v from %d on %v, %v", s[0], x, err, unit, offset, y, err2)
			}
			for i := range x.Times {
				if d := (y.Times[i]-y.Start)/unit - x.Times[i]; math.Abs(d) > 1e-9 {
					r.Errorf("%T: spike %d at %v, in units of %v from %d on at %v", s[0], i, x.Times[i], unit, offset, y.Times[i])
				}
			}
		}
	})
}

// A train of equal intervals is its own surrogate, to the bit, however its times were
// rounded.
func TestRegularTrainIsItsSurrogate(t *testing.T) {
	for _, unit := range units {
		for _, n := range []int{3, 20, 1000, 50000} {
			a := spike.Train{Stop: float64(n) * unit}
			for k := range n {
				a.Times = append(a.Times, float64(k)*unit)
			}
			b, err := spike.ShuffleIntervals{}.Shuffle(a, spike.Stream(1))
			if err != nil || !slices.Equal(a.Times, b.Times) {
				t.Errorf("%d spikes, %v apart: %v", n, unit, err)
			}
			if b, err = (spike.ShuffleBins{Width: unit}).Shuffle(a, spike.Stream(1)); err != nil || !slices.Equal(a.Times, b.Times) {
				t.Errorf("%d spikes, %v apart, one in each bin: %v", n, unit, err)
			}
		}
	}
}

// The p-value of values that are equal but for rounding counts them.
func TestEqualValuesCount(t *testing.T) {
	a := []spike.Train{in([]int{1, 5, 9}, 1, 0)}
	calls := 0
	measure := func([]spike.Train) (float64, error) {
		calls++
		return 0.3 + float64(calls%3-1)*1e-16, nil
	}
	for _, tail := range []spike.Tail{spike.Small, spike.Large} {
		got, err := spike.Test(a, measure, spike.Dither{Width: 1}, 19, tail, spike.Stream(1), nil)
		if err != nil || got.P != 1 {
			t.Errorf("tail %v: %+v, %v, want p = 1", tail, got, err)
		}
	}
}

// Times on an edge but for rounding are on it; others beyond it are dropped.
func TestClipAtRoundedEdges(t *testing.T) {
	tenth := 0.1
	third := 3 * tenth // above 0.3
	got, dropped := train(0, 1, 0.1, 0.2, third, 0.31).Clip(0.1, 0.3)
	if !slices.Equal(got.Times, []float64{0.1, 0.2, 0.3}) || dropped != 1 || got.Validate() != nil {
		t.Errorf("%v, %d dropped", got, dropped)
	}
	if got := train(0, 1, 0.3, third, 0.9).Sort(); !slices.Equal(got.Times, []float64{0.3, 0.9}) {
		t.Errorf("sorted %v", got.Times)
	}
	outside := train(0.1, 0.3, 0.2, third)
	if got := outside.OnEdges(); outside.Validate() == nil || got.Validate() != nil || outside.Times[1] != third {
		t.Errorf("on edges %v, before %v", got.Times, outside.Times)
	}
}

// STTC of an unsorted train with itself was 0.154, and spikes outside the window were
// a panic.
func TestStatisticsOfBadTrains(t *testing.T) {
	unsorted, outside := train(0, 10, 5, 1, 9, 3), train(0, 10, 1, 12)
	before, empty := train(0, 10, -3), train(3, 3)
	good := train(0, 10, 1, 2, 3)
	second := func(_ any, err error) error { return err }
	for _, bad := range []spike.Train{unsorted, outside, before, empty, train(0, 10, math.NaN()), train(0, 10, 1, math.Inf(1)), train(math.Inf(-1), 10, 1)} {
		for name, err := range map[string]error{
			"CV": second(bad.CV()), "CV2": second(bad.CV2()), "LV": second(bad.LV()),
			"Fano":        second(spike.Fano([]spike.Train{good, bad})),
			"PSTH":        second(spike.PSTH([]spike.Train{bad}, 1)),
			"Correlogram": second(spike.Correlogram(good, bad, 1, 3)), "AutoCorrelogram": second(spike.AutoCorrelogram(bad, 1, 3)),
			"STTC":   second(spike.STTC(bad, bad, 1)),
			"Dither": second(spike.Dither{Width: 1}.Shuffle(bad, spike.Stream(1))), "ShuffleBins": second(spike.ShuffleBins{Width: 1}.Shuffle(bad, spike.Stream(1))),
			"ShuffleIntervals": second(spike.ShuffleIntervals{}.Shuffle(bad, spike.Stream(1))),
		} {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s of %v: %v", name, bad, err)
			}
		}
	}
}

// Counts of unequal windows cannot be compared.
func TestFanoOfUnequalWindows(t *testing.T) {
	if v, err := spike.Fano([]spike.Train{train(0, 9, 1), train(0, 10, 1, 2)}); err == nil || !strings.Contains(err.Error(), "trial 1 is observed for 10") {
		t.Errorf("%v, %v", v, err)
	}
	if _, err := spike.Fano([]spike.Train{train(0.1, 0.4, 0.2), train(0.4, 0.7, 0.5)}); err != nil {
		t.Errorf("equal but for rounding: %v", err)
	}
	if _, err := spike.Fano(nil); err == nil {
		t.Error("no trials: no error")
	}
}

// One recording in seconds and in milliseconds gives one p.
func TestPInAnyUnit(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ka, kb := append(ticks(r, "a"), 101), append(ticks(r, "b"), 101)
		unit, dt := rapid.SampledFrom(units).Draw(r, "unit"), rapid.IntRange(0, 5).Draw(r, "dt")
		p := func(unit float64, s spike.Surrogate) float64 {
			a, b := in(ka, unit, 0), in(kb, unit, 0)
			a.Stop, b.Stop = 101*unit, 101*unit
			got, err := spike.Test([]spike.Train{a, b}, func(t []spike.Train) (float64, error) {
				v, err := spike.STTC(t[0], t[1], float64(dt)*unit)
				if math.IsNaN(v) {
					err = errors.New("undefined")
				}
				return v, err
			}, s, 19, spike.Large, spike.Stream(3), nil)
			if err != nil {
				r.Fatal(err)
			}
			return got.P
		}
		for _, s := range [][2]spike.Surrogate{{spike.ShuffleIntervals{}, spike.ShuffleIntervals{}}, {spike.ShuffleBins{Width: 7}, spike.ShuffleBins{Width: 7 * unit}}} {
			if x, y := p(1, s[0]), p(unit, s[1]); x != y {
				r.Errorf("%T: p = %v, in units of %v %v", s[0], x, unit, y)
			}
		}
	})
}

// Surrogates of a train whose spikes are nearer than times can be told apart are
// trains.
func TestSurrogatesWithinTheSlack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a := spike.Train{Stop: 10}
		for _, k := range ticks(r, "a") {
			a.Times = append(a.Times, 5+float64(k)*1e-12)
		}
		for _, s := range surrogates {
			if b, err := s.Shuffle(a, spike.Stream(1)); err != nil || b.Validate() != nil {
				r.Errorf("%T of %v: %v, %v, %v", s, a.Times, b.Times, err, b.Validate())
			}
		}
	})
}
