package spike_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"synfire/spike"
)

// statistic is one of the package's for the property tests: its values of two trains,
// with parameters in a unit of time, brought to what must not depend on that unit.
type statistic struct {
	of func(a, b spike.Train, width, dt, unit float64) ([]float64, error)
	// What else leaves the values as they are.
	exchange bool // a and b
	reverse  bool // the direction of time
}

func one(v float64, err error) ([]float64, error) { return []float64{v}, err }

// counts are a histogram's values as numbers of spikes, so that no width is in them.
func counts(h spike.Histogram, err error) ([]float64, error) {
	out := slices.Clone(h.Values)
	for i := range out {
		out[i] *= h.Width
	}
	return out, err
}

var statistics = map[string]statistic{
	"Rate": {func(a, _ spike.Train, _, _, unit float64) ([]float64, error) { return []float64{a.Rate() * unit}, nil }, false, true},
	"Duration": {func(a, _ spike.Train, _, _, unit float64) ([]float64, error) {
		return []float64{a.Duration() / unit}, nil
	}, false, true},
	"Intervals": {func(a, _ spike.Train, _, _, unit float64) (out []float64, _ error) {
		for _, v := range a.Intervals() {
			out = append(out, v/unit)
		}
		return out, nil
	}, false, false},
	"CV":  {func(a, _ spike.Train, _, _, _ float64) ([]float64, error) { return one(a.CV()) }, false, true},
	"CV2": {func(a, _ spike.Train, _, _, _ float64) ([]float64, error) { return one(a.CV2()) }, false, true},
	"LV":  {func(a, _ spike.Train, _, _, _ float64) ([]float64, error) { return one(a.LV()) }, false, true},
	"Fano": {func(a, b spike.Train, _, _, _ float64) ([]float64, error) {
		return one(spike.Fano([]spike.Train{a, b}))
	}, true, true},
	"PSTH": {func(a, b spike.Train, width, _, _ float64) ([]float64, error) {
		return counts(spike.PSTH([]spike.Train{a, b}, width))
	}, true, false},
	"Counts": {func(a, _ spike.Train, width, _, _ float64) ([]float64, error) {
		h, err := spike.Counts(a, width)
		return h.Values, err
	}, false, false},
	"Correlogram": {func(a, b spike.Train, width, dt, _ float64) ([]float64, error) {
		h, err := spike.Correlogram(a, b, width, dt)
		return h.Values, err
	}, false, false},
	"AutoCorrelogram": {func(a, _ spike.Train, width, dt, _ float64) ([]float64, error) {
		h, err := spike.AutoCorrelogram(a, width, dt)
		return h.Values, err
	}, false, false},
	"STTC": {func(a, b spike.Train, _, dt, _ float64) ([]float64, error) { return one(spike.STTC(a, b, dt)) }, true, true},
}

// What statistics.go exports has properties here.
func TestEveryStatisticIsListed(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "statistics.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || !fn.Name.IsExported() || fn.Name.Name == "Centre" || fn.Name.Name == "Check" { // no statistic of trains
			continue
		}
		found++
		if _, ok := statistics[fn.Name.Name]; !ok {
			t.Errorf("%s has no properties in this test: add a row", fn.Name.Name)
		}
	}
	if found != len(statistics) {
		t.Errorf("statistics.go has %d statistics, the table %d", found, len(statistics))
	}
}

// Every statistic has one value in all units of time and from any start on; those that
// say so do not see which train is the first, nor the direction of time.
func TestEveryStatistic(t *testing.T) {
	for name, s := range statistics {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				ka, kb := ticks(t, "a"), ticks(t, "b")
				unit, offset := rapid.SampledFrom(units).Draw(t, "unit"), rapid.IntRange(-200, 200).Draw(t, "offset")
				width, dt := float64(rapid.IntRange(1, 30).Draw(t, "width")), float64(rapid.IntRange(0, 40).Draw(t, "dt"))
				a, b := in(ka, 1, 0), in(kb, 1, 0)
				want, err := s.of(a, b, width, dt, 1)
				if err != nil {
					t.Fatal(err)
				}
				same := func(what string, got []float64, err error) {
					if err != nil || !slices.EqualFunc(got, want, equalButForRounding) {
						t.Errorf("%v %s: %v, %v", want, what, got, err)
					}
				}
				got, err := s.of(in(ka, unit, offset), in(kb, unit, offset), width*unit, dt*unit, unit)
				same("in another unit", got, err)
				if s.exchange {
					got, err = s.of(b, a, width, dt, 1)
					same("of b and a", got, err)
				}
				if s.reverse {
					got, err = s.of(in(backwards(ka), 1, 0), in(backwards(kb), 1, 0), width, dt, 1)
					same("with time reversed", got, err)
				}
			})
		})
	}
}

func equalButForRounding(x, y float64) bool {
	return math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= 1e-9*max(1, math.Abs(x))
}

// backwards are ticks of a window of 100 as time reversed has them.
func backwards(ticks []int) (out []int) {
	for _, k := range slices.Backward(ticks) {
		out = append(out, 100-k)
	}
	return out
}

// The other way round, a correlogram is its mirror image, but for lags on borders of
// bins, which count for the later bin: widths that are odd have none of whole lags.
func TestCorrelogramIsMirrored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := in(ticks(t, "a"), 1, 0), in(ticks(t, "b"), 1, 0)
		width := float64(2*rapid.IntRange(0, 14).Draw(t, "half") + 1)
		lag := float64(rapid.IntRange(0, 90).Draw(t, "lag"))
		h, err := spike.Correlogram(a, b, width, lag)
		g, err2 := spike.Correlogram(b, a, width, lag)
		slices.Reverse(g.Values)
		if err != nil || err2 != nil || !slices.Equal(h.Values, g.Values) {
			t.Errorf("%v, %v; the other way round %v, %v", h.Values, err, g.Values, err2)
		}
		auto, err := spike.AutoCorrelogram(a, width, lag)
		whole, err2 := spike.Correlogram(a, a, width, lag)
		whole.Values[len(whole.Values)/2] -= float64(len(a.Times)) // each spike and itself
		if err != nil || err2 != nil || !slices.Equal(auto.Values, whole.Values) {
			t.Errorf("auto %v, %v; of a with itself %v, %v", auto.Values, err, whole.Values, err2)
		}
	})
}
