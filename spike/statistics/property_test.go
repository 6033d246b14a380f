package statistics_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"synfire/spike"
	"synfire/spike/statistics"
)

// scene is trains on a grid of 200 ticks, as they are in some unit of time.
type scene struct {
	units [][]spike.Train // of two trials each
	tick  float64
}

func (s scene) first() (out []spike.Train) {
	for _, u := range s.units {
		out = append(out, u[0])
	}
	return out
}

func one(v float64, err error) ([]float64, error) { return []float64{v}, err }

func scaled(h spike.Histogram, by float64, err error) ([]float64, error) {
	out := slices.Clone(h.Values)
	for i := range out {
		out[i] *= by
	}
	return out, err
}

// everyStatistic has each of the package's, its parameters in ticks and its values brought
// to what does not depend on the unit of time.
var everyStatistic = map[string]func(s scene) ([]float64, error){
	"CV":       func(s scene) ([]float64, error) { return one(statistics.CV(s.units[0])) },
	"CV2":      func(s scene) ([]float64, error) { return one(statistics.CV2(s.units[0])) },
	"LV":       func(s scene) ([]float64, error) { return one(statistics.LV(s.units[0])) },
	"LvR":      func(s scene) ([]float64, error) { return one(statistics.LvR(s.units[0], 5*s.tick)) },
	"FanoTime": func(s scene) ([]float64, error) { return one(statistics.FanoOverTime(s.units[0], 20*s.tick)) },
	"FanoTrials": func(s scene) ([]float64, error) {
		h, err := statistics.FanoOverTrials(s.units[0], 20*s.tick)
		return h.Values, err
	},
	"Intervals": func(s scene) ([]float64, error) {
		h, err := statistics.Intervals(s.units[0], 3*s.tick, 30*s.tick)
		return append(h.Values, float64(h.Above)), err
	},
	"KernelRate": func(s scene) ([]float64, error) {
		h, err := statistics.KernelRate(s.units[0], statistics.Kernel{Shape: statistics.Exponential, Width: 7 * s.tick}, 1*s.tick, true)
		return scaled(h, s.tick, err)
	},
	"Bandwidth": func(s scene) ([]float64, error) {
		w, err := statistics.Bandwidth(s.units[0])
		return one(math.Round(w/s.tick*1e3)/1e3, err)
	},
	"PSTH": func(s scene) ([]float64, error) {
		h, err := statistics.PSTH(s.units[0], 10*s.tick, 0.95)
		all, err := scaled(h.Histogram, s.tick, err)
		for i := range h.Low {
			all = append(all, h.Low[i]*s.tick, h.High[i]*s.tick)
		}
		return all, err
	},
	"Correlogram": func(s scene) ([]float64, error) {
		h, err := statistics.Correlogram{Width: 3 * s.tick, Longest: 30 * s.tick, Border: true, Smooth: 4 * s.tick}.Of(s.units[0], s.units[1], false)
		return h.Values, err
	},
	"Coefficient": func(s scene) ([]float64, error) {
		h, err := statistics.Coefficient(s.units[0], s.units[1], 5*s.tick, 30*s.tick, true)
		return h.Values, err
	},
	"Timescale": func(s scene) ([]float64, error) {
		v, err := statistics.Timescale(s.units[0], 5*s.tick, 30*s.tick)
		return one(v/s.tick, err)
	},
	"Covariance": func(s scene) ([]float64, error) {
		m, err := statistics.Covariance(s.units, 10*s.tick)
		return slices.Concat(m...), err
	},
	"Contrast": func(s scene) ([]float64, error) {
		c, err := statistics.Contrast(s.first(), 2*s.tick)
		return append([]float64{c.Value}, c.Values...), err
	},
	"Complexity": func(s scene) ([]float64, error) { return statistics.Complexity(s.first(), 2*s.tick) },
	"Synchrofacts": func(s scene) ([]float64, error) {
		list, err := statistics.Synchrofacts(s.first(), 1*s.tick, 2)
		var out []float64
		for _, v := range list {
			out = append(out, math.Round((v.Start-s.units[0][0].Start)/s.tick), float64(v.Spikes))
		}
		return out, err
	},
	"Bursts": func(s scene) ([]float64, error) {
		list, err := statistics.Bursts(s.units[0][0], 3*s.tick, 3)
		var out []float64
		for _, b := range list {
			out = append(out, float64(b.First), float64(b.N))
		}
		return out, err
	},
	"SurpriseBursts": func(s scene) ([]float64, error) {
		list, err := statistics.SurpriseBursts(s.units[0][0], 1)
		var out []float64
		for _, b := range list {
			out = append(out, b.Surprise)
		}
		return out, err
	},
	"Population": func(s scene) ([]float64, error) {
		h, err := statistics.Population(s.first(), 10*s.tick)
		return scaled(h, s.tick, err)
	},
}

// unordered are those that do not see the order of units.
var unordered = []string{"Contrast", "Complexity", "Synchrofacts", "Population"}

// Every statistic has one value in all units of time and from any start on; spikes on a grid
// of ticks lie on many borders of bins.
func TestEveryStatistic(t *testing.T) {
	for name, f := range everyStatistic {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				var ticks [][][]int
				for range 3 {
					var unit [][]int
					for range 2 {
						list := rapid.SliceOfN(rapid.IntRange(0, 200), 0, 40).Draw(t, "ticks")
						slices.Sort(list)
						unit = append(unit, list)
					}
					ticks = append(ticks, unit)
				}
				in := func(tick float64, offset int, order []int) scene {
					s := scene{tick: tick}
					at := func(k int) float64 { return float64(k+offset) * tick }
					for _, i := range order {
						var trials []spike.Train
						for _, list := range ticks[i] {
							train := spike.Train{Start: at(0), Stop: at(200)}
							for _, k := range list {
								train.Times = append(train.Times, at(k))
							}
							trials = append(trials, train)
						}
						s.units = append(s.units, trials)
					}
					return s
				}
				want, err := f(in(1, 0, []int{0, 1, 2}))
				if err != nil {
					t.Fatal(err)
				}
				same := func(what string, s scene) {
					got, err := f(s)
					if err != nil || !slices.EqualFunc(got, want, func(x, y float64) bool { return near(x, y, 2e-3) && (name == "Bandwidth" || near(x, y, 1e-6)) }) {
						t.Errorf("%s: %v, %v, want %v", what, got, err, want)
					}
				}
				tick := rapid.SampledFrom([]float64{1e-3, 0.1, 0.3, 86400}).Draw(t, "tick")
				same("in another unit", in(tick, rapid.IntRange(-300, 300).Draw(t, "offset"), []int{0, 1, 2}))
				if slices.Contains(unordered, name) {
					same("in another order", in(1, 0, []int{2, 0, 1}))
				}
			})
		})
	}
}
