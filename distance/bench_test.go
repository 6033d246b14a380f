package distance_test

import (
	"fmt"
	"slices"
	"testing"

	"synfire/distance"
	"synfire/internal/rng"
	"synfire/spike"
)

// uniform is n trains of k spikes each at a rate of 1.
func uniform(n, k int, seed uint64) []spike.Train {
	src := rng.New(seed, "distance test").Source()
	trains := make([]spike.Train, n)
	for i := range trains {
		t := spike.Train{Stop: float64(k)}
		for range k {
			t.Times = append(t.Times, t.Stop*src.Float64())
		}
		trains[i] = t.Sort()
	}
	return trains
}

var all = []distance.Measure{
	distance.ISI{}, distance.ISI{MRTS: 2}, distance.SPIKE{}, distance.SPIKE{RateIndependent: true}, distance.SPIKE{MRTS: 2},
	distance.Sync{}, distance.Sync{MRTS: 2}, distance.Sync{MaxTau: 0.1}, distance.Order{}, distance.Directionality{},
	distance.Directionality{Normalized: true}, distance.VanRossum{Tau: 1}, distance.VanRossum{Tau: 1, Squared: true}, distance.VictorPurpura{Cost: 1},
}

// W6: all pairs of 100 trains of 1,000 spikes.
func BenchmarkMatrix(b *testing.B) {
	trains := uniform(100, 1000, 1)
	for _, m := range all {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%+v/%T/%d", m, m, threads), func(b *testing.B) {
				for b.Loop() {
					if _, err := distance.Matrix(m, trains, distance.Options{Threads: threads}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// One pair of 1,000 spikes each.
func BenchmarkDistance(b *testing.B) {
	trains := uniform(2, 1000, 1)
	for _, m := range slices.Concat(all, []distance.Measure{distance.VictorPurpura{Cost: 0.001}}) {
		b.Run(fmt.Sprintf("%+v/%T", m, m), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Distance(trains[0], trains[1]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
