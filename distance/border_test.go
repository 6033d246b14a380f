package distance_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"synfire/distance"
	"synfire/spike"
)

// length is the window of ticks.
const length = 60

// ticks draws places of spikes, on the edges of the window and on the borders of
// windows of coincidence often among them.
func ticks(t *rapid.T, name string) []int {
	return slices.Sorted(slices.Values(rapid.SliceOfNDistinct(rapid.IntRange(0, length), 0, 10, rapid.ID[int]).Draw(t, name)))
}

// in is a train of ticks of a unit of time, from an offset in ticks on.
func in(ticks []int, unit float64, offset int) spike.Train {
	t := spike.Train{Start: float64(offset) * unit, Stop: float64(length+offset) * unit}
	for _, k := range ticks {
		t.Times = append(t.Times, float64(k+offset)*unit)
	}
	return t
}

var units = []float64{0.1, 0.001, 1. / 3, 0.7, 1000, 1e-9, 0x1p-20, 0x1p10, 3e7}

// inUnit are all measures, for times in a unit.
func inUnit(unit float64) []distance.Measure {
	return []distance.Measure{
		distance.ISI{}, distance.ISI{MRTS: 7 * unit}, distance.SPIKE{}, distance.SPIKE{RateIndependent: true}, distance.SPIKE{MRTS: 7 * unit},
		distance.SPIKE{MRTS: 7 * unit, RateIndependent: true},
		distance.Sync{}, distance.Sync{MRTS: 8 * unit}, distance.Sync{MaxTau: 2 * unit}, distance.Order{}, distance.Order{MRTS: 8 * unit}, distance.Order{MaxTau: 2 * unit},
		distance.Directionality{}, distance.Directionality{Normalized: true, MaxTau: 3 * unit},
		distance.VanRossum{Tau: 3 * unit}, distance.VanRossum{Tau: 3 * unit, Squared: true}, distance.VanRossum{}, distance.VanRossum{Tau: math.Inf(1)},
		distance.VictorPurpura{}, distance.VictorPurpura{Cost: 0.5 / unit}, distance.VictorPurpura{Cost: 2 / unit}, distance.VictorPurpura{Cost: math.Inf(1)},
	}
}

// close compares values, roots by their squares, which rounding takes to 10⁻⁷ where
// they are nearly 0.
func close(a, b float64) bool { return near(a, b) || math.Abs(a*a-b*b) < 1e-11*max(1, a*a) }

// One recording has one value in all units of time, from any start on: of pairs, in
// matrices, of many trains in whatever order, over pieces of the window, and over
// time.
func TestOneValueInAnyUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := [][]int{ticks(t, "a"), ticks(t, "b"), ticks(t, "c")}
		unit, offset := rapid.SampledFrom(units).Draw(t, "unit"), rapid.IntRange(-100, 100).Draw(t, "offset")
		cut := rapid.IntRange(1, length-1).Draw(t, "cut")
		var plain, other []spike.Train
		for _, k := range k {
			plain, other = append(plain, in(k, 1, 0)), append(other, in(k, unit, offset))
		}
		pieces := func(unit float64, offset int) []distance.Interval {
			at := func(k int) float64 { return float64(k+offset) * unit }
			return []distance.Interval{{From: at(cut), To: at(length)}, {From: at(0), To: at(cut)}}
		}
		elsewhere := inUnit(unit)
		for i, m := range inUnit(1) {
			n := elsewhere[i]
			name := fmt.Sprintf("%T%+v in units of %v from %d on", m, m, unit, offset)
			want, err := distance.Matrix(m, plain, distance.Options{Threads: 1})
			got, err2 := distance.Matrix(n, other, distance.Options{Threads: 1})
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			for i := range want {
				for j := range want {
					if pair := value(t, n, other[i], other[j]); !close(want[i][j], got[i][j]) || !close(want[i][j], pair) {
						t.Errorf("%s: %d, %d: matrix %v, pair %v, want %v", name, i, j, got[i][j], pair, want[i][j])
					}
				}
			}
			x, err := distance.Multi(m, plain, distance.Options{})
			y, err2 := distance.Multi(n, other, distance.Options{})
			if err != nil || err2 != nil || !close(x, y) {
				t.Errorf("%s: Multi %v, %v, want %v, %v", name, y, err2, x, err)
			}
			_, order := m.(distance.Order)
			_, direction := m.(distance.Directionality)
			if z, err := distance.Multi(n, []spike.Train{other[2], other[0], other[1]}, distance.Options{}); err != nil || !order && !direction && !close(y, z) {
				t.Errorf("%s: Multi %v, in another order of trains %v, %v", name, y, z, err)
			}
			if !direction {
				x, err = distance.Multi(m, plain, distance.Options{Intervals: pieces(1, 0)})
				y, err2 = distance.Multi(n, other, distance.Options{Intervals: pieces(unit, offset)})
				if err != nil || err2 != nil || !close(x, y) {
					t.Errorf("%s: in pieces from %d on %v, %v, want %v, %v", name, cut, y, err2, x, err)
				}
			}
			p, ok := m.(distance.Profiler)
			if !ok {
				continue
			}
			for _, many := range []bool{false, true} {
				profile := func(p distance.Profiler, trains []spike.Train) (distance.Profile, error) {
					if many {
						return distance.MultiProfile(p, trains, distance.Options{Threads: 2})
					}
					return p.Profile(trains[0], trains[1])
				}
				a, err := profile(p, plain)
				b, err2 := profile(n.(distance.Profiler), other)
				if err != nil || err2 != nil {
					t.Fatal(err, err2)
				}
				if !slices.EqualFunc(a.Y, b.Y, near) || !slices.Equal(a.Weight, b.Weight) || !slices.EqualFunc(a.X, b.X, func(x, y float64) bool { return near(x+float64(offset), y/unit) }) {
					t.Errorf("%s: profile %+v, want %+v", name, b, a)
				}
				for k := range length + 1 {
					if x, y := a.At(float64(k)), b.At(float64(k+offset)*unit); !(near(x, y) || math.IsNaN(x) && math.IsNaN(y)) {
						t.Errorf("%s: profile at %d: %v, want %v", name, k, y, x)
					}
				}
				x, err := a.Mean(pieces(1, 0)...)
				y, err2 := b.Mean(pieces(unit, offset)...)
				if err != nil || err2 != nil || !near(x, y) {
					t.Errorf("%s: mean over pieces from %d on %v, %v, want %v, %v", name, cut, y, err2, x, err)
				}
			}
		}
		x, err := distance.AutoMRTS(plain)
		y, err2 := distance.AutoMRTS(other)
		if err != nil || err2 != nil || !near(x, y/unit) {
			t.Errorf("AutoMRTS %v, %v, in units of %v %v, %v", x, err, unit, y, err2)
		}
		for _, weigh := range []func(unit float64, trains []spike.Train) ([][]float64, error){
			func(unit float64, trains []spike.Train) ([][]float64, error) {
				return distance.Sync{MaxTau: 4 * unit}.Values(trains)
			},
			func(_ float64, trains []spike.Train) ([][]float64, error) {
				return distance.Directionality{}.Values(trains)
			},
		} {
			a, err := weigh(1, plain)
			b, err2 := weigh(unit, other)
			if err != nil || err2 != nil || !slices.EqualFunc(a, b, slices.Equal) {
				t.Errorf("values %v, %v, in units of %v %v, %v", a, err, unit, b, err2)
			}
		}
		s, err := distance.Order{}.Sort(plain, 1)
		r, err2 := distance.Order{}.Sort(other, 1)
		if err != nil || err2 != nil || !slices.Equal(s.Order, r.Order) || s.Sum != r.Sum {
			t.Errorf("sorted %+v, %v, in units of %v %+v, %v", s, err, unit, r, err2)
		}
		for _, q := range []float64{0.5, math.Inf(1)} {
			for _, label := range []float64{0, 0.7, 2} {
				x, err := distance.LabelledVictorPurpura{Cost: q, LabelCost: label}.Distance(plain[:2], plain[1:])
				y, err2 := distance.LabelledVictorPurpura{Cost: q / unit, LabelCost: label}.Distance(other[:2], other[1:])
				if err != nil || err2 != nil || !near(x, y) {
					t.Errorf("labelled Victor–Purpura, q = %v, k = %v: %v, %v, in units of %v %v, %v", q, label, x, err, unit, y, err2)
				}
			}
		}
		for _, tau := range []float64{0, 2} {
			x, err := distance.LabelledVanRossum{Tau: tau, Cosine: 0.4}.Distance(plain[:2], plain[1:])
			y, err2 := distance.LabelledVanRossum{Tau: tau * unit, Cosine: 0.4}.Distance(other[:2], other[1:])
			if err != nil || err2 != nil || !close(x, y) {
				t.Errorf("labelled van Rossum, τ = %v: %v, %v, in units of %v %v, %v", tau, x, err, unit, y, err2)
			}
		}
	})
}

// Trains of one interval, half of it apart: each difference is the window of
// coincidence, which is strict. Spikes every 0.2 s gave a synchronisation of 0.3 and
// an order of 0.1.
func TestHalfIntervalsDoNotCoincide(t *testing.T) {
	for _, unit := range append(units, 1) {
		a, b := spike.Train{Stop: 2000 * unit}, spike.Train{Stop: 2000 * unit}
		for k := range 1000 {
			a.Times, b.Times = append(a.Times, float64(2*k)*unit), append(b.Times, float64(2*k+1)*unit)
		}
		for _, m := range []distance.Measure{distance.Sync{}, distance.Order{}, distance.Directionality{}} {
			matrix, err := distance.Matrix(m, []spike.Train{a, b}, distance.Options{})
			if v := value(t, m, a, b); v != 0 || err != nil || matrix[0][1] != 0 || matrix[1][0] != 0 {
				t.Errorf("%s in units of %v: %v, matrix %v, %v; want 0", m.Name(), unit, v, matrix, err)
			}
		}
	}
}

// Spikes at one time but for rounding neither lead nor follow.
func TestRoundedTimesAreSimultaneous(t *testing.T) {
	tenth := 0.1
	a, b := train(3*tenth, 0.7), train(0.3, 7*tenth)
	for _, c := range []struct {
		m    distance.Measure
		want float64
	}{
		{distance.Sync{}, 1}, {distance.Sync{MaxTau: 1e-30}, 1}, {distance.Order{}, 0}, {distance.Directionality{}, 0},
		{distance.VictorPurpura{Cost: math.Inf(1)}, 0}, {distance.VanRossum{}, 0},
	} {
		if v := value(t, c.m, a, b); v != c.want {
			t.Errorf("%T%+v: %v, want %v", c.m, c.m, v, c.want)
		}
	}
	p, err := distance.Sync{}.Profile(a, b)
	if err != nil || len(p.X) != 2 || !slices.Equal(p.Y, []float64{2, 2}) || !slices.Equal(p.Weight, []float64{2, 2}) {
		t.Errorf("profile %+v, %v", p, err)
	}
}

// A single spike is on the edge of the window also where it was rounded beside it.
func TestSpikeOnARoundedEdge(t *testing.T) {
	third, tenth := 0.3, 0.1
	on := func(first float64) spike.Train { return spike.Train{Times: []float64{first}, Start: third, Stop: 1.3} }
	b := spike.Train{Times: []float64{0.5, 0.6, 1.2}, Start: third, Stop: 1.3}
	if x, y := value(t, distance.SPIKE{}, on(third), b), value(t, distance.SPIKE{}, on(3*tenth), b); math.Abs(x-y) > 1e-12 {
		t.Errorf("on the edge %v, rounded %v", x, y)
	}
}

// The mean over intervals that are reversed, overlap or lie outside was a number.
func TestMeanOfBadIntervals(t *testing.T) {
	for _, m := range []distance.Profiler{distance.ISI{}, distance.SPIKE{}, distance.Sync{}} {
		p, err := m.Profile(train(1, 3, 6), train(2, 6.5))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			in   []distance.Interval
			want string
		}{
			{[]distance.Interval{{From: 5, To: 2}}, "[5, 2] is empty or not within"},
			{[]distance.Interval{{From: 2, To: 2}}, "is empty"},
			{[]distance.Interval{{From: -1, To: 2}}, "not within the window [0, 10]"},
			{[]distance.Interval{{From: 2, To: 20}}, "not within the window [0, 10]"},
			{[]distance.Interval{{From: 12, To: 20}}, "not within the window [0, 10]"},
			{[]distance.Interval{{From: math.NaN(), To: 3}}, "is empty"},
			{[]distance.Interval{{From: 1, To: 4}, {From: 3, To: 5}}, "overlap"},
		} {
			if v, err := p.Mean(c.in...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s over %v: %v, %v, want %q", m.Name(), c.in, v, err, c.want)
			}
		}
		given := []distance.Interval{{From: 6, To: 7}, {From: 1, To: 2}}
		if _, err := p.Mean(given...); err != nil || given[0].From != 6 {
			t.Errorf("%v: the intervals given are now %v", err, given)
		}
	}
}

// Spikes of a train that are nearer to each other than times can be told apart: the
// sweep and the walk of a pair still agree, and nothing coincides twice.
func TestSpikesWithinTheSlack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dense := func(name string) spike.Train {
			tr := spike.Train{Stop: 10}
			for _, k := range rapid.SliceOfNDistinct(rapid.IntRange(0, 60), 0, 12, rapid.ID[int]).Draw(t, name) {
				tr.Times = append(tr.Times, 5+float64(k)*1e-12)
			}
			slices.Sort(tr.Times)
			return tr
		}
		a, b := dense("a"), dense("b")
		for _, m := range []distance.Measure{distance.Sync{}, distance.Order{}, distance.Sync{MaxTau: 1e-13}, distance.Directionality{}} {
			matrix, err := distance.Matrix(m, []spike.Train{a, b}, distance.Options{Threads: 1})
			if v := value(t, m, a, b); err != nil || v != matrix[0][1] || m.Name() != "directionality" && math.Abs(v) > 1 {
				t.Errorf("%T%+v: %v, matrix %v, %v", m, m, v, matrix, err)
			}
			if p, ok := m.(distance.Profiler); ok {
				if _, err := distance.MultiProfile(p, []spike.Train{a, b, a}, distance.Options{}); err != nil {
					t.Error(err)
				}
			}
		}
		if _, err := distance.MultiProfile(distance.SPIKE{}, []spike.Train{a, b, a}, distance.Options{}); err != nil {
			t.Error(err)
		}
	})
}

// Equally close clusters are joined in the order of their numbers, whatever rounding
// made of their distances.
func TestLinkageOfRoundedTies(t *testing.T) {
	tenth := 0.1
	d := [][]float64{{0, 3 * tenth, 9, 9}, {3 * tenth, 0, 9, 9}, {9, 9, 0, 0.3}, {9, 9, 0.3, 0}}
	links, err := distance.Linkage(d, distance.Average)
	if err != nil || links[0].A != 0 || links[0].B != 1 {
		t.Errorf("%+v, %v", links, err)
	}
}

// Means over pieces of the window, integrated by hand in fractions, in any unit of time:
// pieces cut intervals, and end and begin on spikes.
func TestMeanOverPieces(t *testing.T) {
	for _, c := range []struct {
		m     distance.Profiler
		a, b  []float64
		whole float64 // 0: not asked
		piece float64
	}{
		{distance.ISI{}, []float64{0, 3, 4, 9}, []float64{2, 4, 10}, 1. / 4, 19. / 78},
		{distance.SPIKE{}, []float64{0, 3, 4, 9}, []float64{2, 4, 10}, 0.17728191000918272, 3977. / 18876},
		{distance.SPIKE{RateIndependent: true}, []float64{0, 3, 4, 9}, []float64{2, 4, 10}, 0.1690909090909091, 1169. / 5720},
		{distance.Sync{}, []float64{0, 3, 4, 9}, []float64{2, 4, 10}, 4. / 7, 1. / 3},
		{distance.ISI{}, nil, []float64{2, 4, 10}, 0, 0.5538461538461539},
		{distance.SPIKE{}, nil, []float64{2, 4, 10}, 0, 0.19497863247863248},
	} {
		for _, unit := range []float64{1, 1e-3, 1. / 3, 1e6} {
			in := func(times []float64) spike.Train {
				u := spike.Train{Stop: 10 * unit}
				for _, at := range times {
					u.Times = append(u.Times, at*unit)
				}
				return u
			}
			p, err := c.m.Profile(in(c.a), in(c.b))
			if err != nil {
				t.Fatal(err)
			}
			whole, err := p.Mean()
			if err != nil || c.whole != 0 && !near(whole, c.whole) {
				t.Errorf("%s in %v: %v (%v), want %v", c.m.Name(), unit, whole, err, c.whole)
			}
			piece, err := p.Mean(distance.Interval{From: unit, To: 3.5 * unit}, distance.Interval{From: 6 * unit, To: 10 * unit})
			if err != nil || !near(piece, c.piece) {
				t.Errorf("%s over pieces in %v: %v (%v), want %v", c.m.Name(), unit, piece, err, c.piece)
			}
		}
	}
}
