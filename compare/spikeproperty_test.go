package compare_test

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"synfire/compare"
	"synfire/spike"
)

// recorded draws trains on a grid of 30 ticks: [stimulus][repetition][unit] → ticks.
func recorded(t *rapid.T, name string, stimuli, repetitions, units int) [][][][]int {
	out := make([][][][]int, stimuli)
	for i := range out {
		out[i] = make([][][]int, repetitions)
		for r := range out[i] {
			for range units {
				k := rapid.SliceOfNDistinct(rapid.IntRange(0, 30), 0, 4, rapid.ID[int]).Draw(t, name)
				out[i][r] = append(out[i][r], slices.Sorted(slices.Values(k)))
			}
		}
	}
	return out
}

// inUnits are the trains of ticks of a length, from an offset in ticks on.
func inUnits(ticks [][][][]int, unit float64, offset int) compare.Responses {
	out := compare.Responses{X: mat.NewDense(len(ticks), 1, nil)}
	for _, stimulus := range ticks {
		var trials compare.Trials
		for _, repetition := range stimulus {
			var trains []spike.Train
			for _, k := range repetition {
				tr := spike.Train{Start: float64(offset) * unit, Stop: float64(30+offset) * unit}
				for _, k := range k {
					tr.Times = append(tr.Times, float64(k+offset)*unit)
				}
				trains = append(trains, tr)
			}
			trials = append(trials, trains)
		}
		out.Trials = append(out.Trials, trials)
	}
	return out
}

// picked is v in another order.
func picked[T any](v []T, order []int) []T {
	out := make([]T, len(v))
	for i, k := range order {
		out[i] = v[k]
	}
	return out
}

// eachTrial is the ticks with the trials of each stimulus changed.
func eachTrial(ticks [][][][]int, f func(trials [][][]int) [][][]int) [][][][]int {
	out := make([][][][]int, len(ticks))
	for i, trials := range ticks {
		out[i] = f(trials)
	}
	return out
}

// Every metric of dissimilarities with every distance of spike trains: the unit and the
// origin of time, the order of stimuli, of repetitions and of units, and which side is
// the first do not matter, nor to p.
func TestMetricsOfSpikesAreInvariant(t *testing.T) {
	for _, m := range compare.Metrics() {
		if !m.OfDissimilarities() {
			continue
		}
		for _, d := range compare.Distances() {
			t.Run(m.Name+" "+d, func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) {
					a, b := recorded(t, "a", 5, 2, 2), recorded(t, "b", 5, 2, 3)
					p := compare.DefaultParams()
					p.Dissimilarity, p.Distance = "spikes", d
					p.Kendall = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "kendall")
					scales := []float64{0.5, 4, 0} // in ticks; 0: auto
					if d == "van-rossum" {
						scales[0] = 2 // e^{−2k} of k ticks comes as near to what rounding leaves as one likes, which the offset widens
					}
					scale := rapid.SampledFrom(scales).Draw(t, "scale")
					p.Permutations = rapid.SampledFrom([]int{0, 9}).Draw(t, "permutations")
					of := func(a, b compare.Responses, unit float64) compare.Result {
						p.Tau, p.Cost = "auto", "auto"
						if scale > 0 {
							p.Tau, p.Cost = strconv.FormatFloat(scale*unit, 'g', -1, 64), strconv.FormatFloat(1/(scale*unit), 'g', -1, 64)
						}
						r, err := m.Compare(a, b, p, nil)
						if err != nil {
							t.Fatal(err)
						}
						return r
					}
					plain := func(a, b [][][][]int) compare.Result { return of(inUnits(a, 1, 0), inUnits(b, 1, 0), 1) }
					want := plain(a, b)
					same := func(what string, got compare.Result) {
						t.Helper()
						if math.Abs(got.Value-want.Value) > 1e-9 || got.Undefined == "" != (want.Undefined == "") || got.P != want.P {
							t.Errorf("%s: %+v, before %+v", what, got, want)
						}
					}
					unit := rapid.SampledFrom([]float64{0.1, 0.001, 1. / 3, 1000, 1e-9, 0x1p-20, 3e7}).Draw(t, "unit")
					offset := rapid.IntRange(-100, 100).Draw(t, "offset")
					same("in another unit", of(inUnits(a, unit, offset), inUnits(b, unit, offset), unit))
					same("repetitions in another order", plain(eachTrial(a, func(v [][][]int) [][][]int { return picked(v, []int{1, 0}) }), b))
					same("units in another order", plain(a, eachTrial(b, func(v [][][]int) [][][]int {
						return [][][]int{picked(v[0], []int{2, 0, 1}), picked(v[1], []int{2, 0, 1})}
					})))
					if p.Permutations == 0 { // which permutes the second
						same("the other way round", plain(b, a))
						order := rapid.Permutation([]int{0, 1, 2, 3, 4}).Draw(t, "order")
						same("stimuli in another order", plain(picked(a, order), picked(b, order)))
					}
				})
			})
		}
	}
}

// oneSided are the metrics that do not treat their sides alike.
var oneSided = map[string]bool{"ridge": true, "pls": true, "pwcca": true}

// Which side is the first matters to maps from one to the other alone.
func TestMetricsAreSymmetric(t *testing.T) {
	for _, m := range compare.Metrics() {
		t.Run(m.Name, func(t *testing.T) {
			differ := 0
			for seed := range uint64(10) {
				x, y := gaussian(seed, 14, 4), gaussian(seed+100, 14, 3)
				y.Add(y, times(x, gaussian(seed+200, 4, 3)))
				a, err := m.Compare(compare.Responses{X: x}, compare.Responses{X: y}, compare.DefaultParams(), nil)
				b, err2 := m.Compare(compare.Responses{X: y}, compare.Responses{X: x}, compare.DefaultParams(), nil)
				if err != nil || err2 != nil {
					t.Fatal(err, err2)
				}
				if math.Abs(a.Value-b.Value) > 1e-12 {
					differ++
				}
			}
			if oneSided[m.Name] != (differ > 0) {
				t.Errorf("one-sided: %v; %d of 10 values change where the sides do", oneSided[m.Name], differ)
			}
		})
	}
}
