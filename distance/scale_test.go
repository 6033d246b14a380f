package distance_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"synfire/distance"
	"synfire/internal/rng"
	"synfire/spike"
)

// uneven is trains of very different rates in one window, some silent, some with spikes on
// the edges and at one time: longer than a stretch, and in several pieces.
func uneven() []spike.Train {
	src := rng.New(3, "uneven").Source()
	var trains []spike.Train
	for _, n := range []int{0, 1, 2, 30, 511, 512, 513, 700, 1500, 5000, 0, 40_000} {
		t := spike.Train{Stop: 1000}
		for range n {
			t.Times = append(t.Times, 1000*src.Float64())
		}
		if n == 700 {
			t.Times = append(t.Times, 0, 1000)
		}
		trains = append(trains, t.Sort())
	}
	copied := trains[8]
	copied.Times = append([]float64{0}, copied.Times[:900]...)
	return append(trains, copied, spike.Train{Times: []float64{0}, Stop: 1000}, spike.Train{Times: []float64{1000}, Stop: 1000})
}

// The parts into which a matrix is cut do not show: the value of a pair is that of the pair
// by itself, and its profile's mean, and any number of threads gives the same bits.
func TestPartsDoNotShow(t *testing.T) {
	trains := uneven()
	for _, m := range []distance.Measure{
		distance.ISI{}, distance.SPIKE{}, distance.SPIKE{RateIndependent: true}, distance.SPIKE{MRTS: 3}, distance.Sync{}, distance.Order{},
		distance.Directionality{}, distance.VanRossum{Tau: 1}, distance.VictorPurpura{Cost: 5},
	} {
		one, err := distance.Matrix(m, trains, distance.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		other, value, err := distance.MatrixMulti(m, trains, distance.Options{Threads: 3})
		if err != nil || !slices.EqualFunc(one, other, slices.Equal) {
			t.Errorf("%s: three threads give other values, %v", m.Name(), err)
		}
		multi, err := distance.Multi(m, trains, distance.Options{Threads: 2})
		if err != nil || math.Abs(multi-value) > 1e-12*max(1, math.Abs(multi)) {
			t.Errorf("%s: MatrixMulti %v, Multi %v, %v", m.Name(), value, multi, err)
		}
		for i := range trains {
			for j := range i {
				want, err := m.Distance(trains[i], trains[j])
				if err != nil || math.Abs(one[i][j]-want) > 1e-12*max(1, want) {
					t.Errorf("%s of trains %d, %d: matrix %v, pair %v, %v", m.Name(), i, j, one[i][j], want, err)
				}
				p, ok := m.(distance.Profiler)
				if !ok || len(trains[i].Times)+len(trains[j].Times) > 10_000 {
					continue
				}
				profile, err := p.Profile(trains[i], trains[j])
				if mean, undefined := profile.Mean(); errors.Join(err, undefined) != nil || math.Abs(mean-want) > 1e-11 {
					t.Errorf("%s of trains %d, %d: profile %v, pair %v, %v", m.Name(), i, j, mean, want, err)
				}
			}
		}
	}
}

// Progress rises to all of the work, and an error of it ends a verb.
func TestProgress(t *testing.T) {
	trains, enough := uneven(), errors.New("enough")
	responses := [][]spike.Train{trains[:2], trains[2:4], trains[4:6]}
	for name, f := range map[string]func(o distance.Options) error{
		"sweep": func(o distance.Options) error { _, err := distance.Matrix(distance.ISI{}, trains, o); return err },
		"rows":  func(o distance.Options) error { _, err := distance.Matrix(distance.SPIKE{}, trains, o); return err },
		"multi": func(o distance.Options) error { _, err := distance.Multi(distance.Sync{}, trains, o); return err },
		"population": func(o distance.Options) error {
			_, err := distance.PopulationMatrix(distance.LabelledVanRossum{Tau: 1}, responses, o)
			return err
		},
	} {
		last, calls := 0, 0
		err := f(distance.Options{Threads: 2, Progress: func(done, total int) error {
			if calls++; done < last || done > total {
				return fmt.Errorf("%d of %d after %d", done, total, last)
			}
			last = done
			return nil
		}})
		if err != nil || calls < 2 || last == 0 {
			t.Errorf("%s: %d calls, %v", name, calls, err)
		}
		if err := f(distance.Options{Threads: 2, Progress: func(int, int) error { return enough }}); !errors.Is(err, enough) {
			t.Errorf("%s: %v, want the error of Progress", name, err)
		}
	}
}
