package distance_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"synfire/distance"
	"synfire/spike"
)

const window = 16

// grid draws a train on a grid of eighths, so that spikes of two trains often
// coincide, stand on the edges, and sums of times are exact.
func grid(t *rapid.T, name string) spike.Train {
	ticks := rapid.SliceOfNDistinct(rapid.IntRange(0, 8*window), 0, 12, rapid.ID).Draw(t, name)
	tr := spike.Train{Stop: window}
	for _, k := range ticks {
		tr.Times = append(tr.Times, float64(k)/8)
	}
	return tr.Sort()
}

// mapped is the train with its times and window under a map.
func mapped(t spike.Train, f func(float64) float64) spike.Train {
	out := spike.Train{Start: f(t.Start), Stop: f(t.Stop)}
	if out.Start > out.Stop {
		out.Start, out.Stop = out.Stop, out.Start
	}
	for _, x := range t.Times {
		out.Times = append(out.Times, f(x))
	}
	return out.Sort()
}

func value(t interface{ Fatal(...any) }, m distance.Measure, a, b spike.Train) float64 {
	v, err := m.Distance(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-11*max(1, math.Abs(a)) }

// onEdge says that a train has one spike, and that on an edge: there SPIKE is not
// the same forward and backward.
func onEdge(t spike.Train) bool {
	return len(t.Times) == 1 && (t.Times[0] == t.Start || t.Times[0] == t.Stop)
}

// Each verb gives the value of a pair that the others give.
func TestVerbsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trains := []spike.Train{grid(t, "a"), grid(t, "b"), grid(t, "c")}
		for _, m := range all {
			name := fmt.Sprintf("%T%+v", m, m)
			matrix, err := distance.Matrix(m, trains, distance.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range trains {
				for j, b := range trains {
					if v := value(t, m, a, b); !near(v, matrix[i][j]) {
						t.Errorf("%s: matrix[%d][%d] = %v, Distance %v", name, i, j, matrix[i][j], v)
					}
				}
			}
			ab := value(t, m, trains[0], trains[1])
			if v, err := distance.Multi(m, trains[:2], distance.Options{}); err != nil || v != ab {
				t.Errorf("%s: Multi = %v, %v, Distance %v", name, v, err, ab)
			}
			p, ok := m.(distance.Profiler)
			if !ok {
				continue
			}
			profile, err := p.Profile(trains[0], trains[1])
			if mean, err2 := profile.Mean(); err != nil || err2 != nil || !near(mean, ab) {
				t.Errorf("%s: mean of the profile %v, %v, %v, Distance %v", name, mean, err, err2, ab)
			}
			multi, err := distance.MultiProfile(p, trains, distance.Options{Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			mean, err2 := multi.Mean()
			if v, err := distance.Multi(m, trains, distance.Options{}); err != nil || err2 != nil || !near(mean, v) {
				t.Errorf("%s: mean of all profiles %v, %v, Multi %v, %v", name, mean, err2, v, err)
			}
		}
	})
}

// A train and itself; the order of the two; the range of values.
func TestAxioms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := grid(t, "a"), grid(t, "b")
		for _, m := range all {
			name, self := fmt.Sprintf("%T%+v", m, m), 0.0
			d, back := value(t, m, a, b), value(t, m, b, a)
			switch m := m.(type) {
			case distance.Sync:
				self = 1
			case distance.Order:
				if len(a.Times) == 0 {
					self = 1
				}
				if empty := len(a.Times)+len(b.Times) == 0; !empty {
					back = -back
				}
			case distance.Directionality:
				if back = -back; m.Normalized {
					back *= float64(max(len(b.Times), 1)) / float64(max(len(a.Times), 1))
				}
			}
			if v := value(t, m, a, a); v != self {
				t.Errorf("%s: a train and itself: %v, want %v", name, v, self)
			}
			if !near(d, back) {
				t.Errorf("%s: %v, and the other way round %v", name, d, back)
			}
			switch m.(type) {
			case distance.ISI, distance.SPIKE, distance.Sync:
				if !(d >= 0 && d <= 1) {
					t.Errorf("%s: %v is not in [0, 1]", name, d)
				}
			case distance.Order:
				if s := value(t, distance.Sync{}, a, b); math.Abs(d) > s {
					t.Errorf("%s: %v is beyond the synchronisation %v", name, d, s)
				}
			}
		}
	})
}

// Shifting and stretching time, with the parameters that are times, changes
// nothing; reversing it changes the sign of what tells leaders.
func TestInvariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := grid(t, "a"), grid(t, "b")
		shift := func(x float64) float64 { return x - 40 }
		stretch := func(x float64) float64 { return 4 * x }
		reverse := func(x float64) float64 { return window - x }
		for i, m := range all {
			d := value(t, m, a, b)
			if v := value(t, m, mapped(a, shift), mapped(b, shift)); !near(v, d) {
				t.Errorf("%T%+v: %v, shifted %v", m, m, d, v)
			}
			if v := value(t, stretched[i], mapped(a, stretch), mapped(b, stretch)); !near(v, d) {
				t.Errorf("%T%+v: %v, stretched %v", m, m, d, v)
			}
			v := value(t, m, mapped(a, reverse), mapped(b, reverse))
			switch m.(type) {
			case distance.Order:
				if len(a.Times)+len(b.Times) > 0 {
					v = -v
				}
			case distance.Directionality:
				v = -v
			case distance.SPIKE:
				if onEdge(a) || onEdge(b) {
					continue
				}
			}
			if !near(v, d) {
				t.Errorf("%T%+v: %v, reversed %v", m, m, d, v)
			}
		}
	})
}

// stretched is all, for times four times as long.
var stretched = []distance.Measure{
	distance.ISI{}, distance.ISI{MRTS: 8}, distance.SPIKE{}, distance.SPIKE{RateIndependent: true}, distance.SPIKE{MRTS: 8},
	distance.Sync{}, distance.Sync{MRTS: 8}, distance.Sync{MaxTau: 0.4}, distance.Order{}, distance.Directionality{},
	distance.Directionality{Normalized: true}, distance.VanRossum{Tau: 4}, distance.VanRossum{Tau: 4, Squared: true}, distance.VictorPurpura{Cost: 0.25},
}

// The one exception to reversal: a single spike on an edge.
func TestSPIKEReversedOnAnEdge(t *testing.T) {
	a := spike.Train{Times: []float64{0}, Stop: 10}
	b := spike.Train{Times: []float64{2, 3, 9}, Stop: 10}
	back := func(x float64) float64 { return 10 - x }
	d, r := value(t, distance.SPIKE{}, a, b), value(t, distance.SPIKE{}, mapped(a, back), mapped(b, back))
	if math.Abs(d-0.2207) > 5e-5 || math.Abs(r-0.1984) > 5e-5 {
		t.Errorf("%.4f, reversed %.4f; want 0.2207, 0.1984", d, r)
	}
}

// excess is by how much the way over b is shorter than the direct one.
func excess(t interface{ Fatal(...any) }, m distance.Measure, a, b, c spike.Train) float64 {
	d := func(a, b spike.Train) float64 {
		if v := value(t, m, a, b); m.Name() != "sync" {
			return v
		} else {
			return 1 - v
		}
	}
	return d(a, c) - d(a, b) - d(b, c)
}

func TestTriangleInequality(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := grid(t, "a"), grid(t, "b"), grid(t, "c")
		for _, m := range []distance.Measure{
			distance.ISI{}, distance.ISI{MRTS: 2}, distance.VictorPurpura{Cost: 1}, distance.VictorPurpura{Cost: 0.1},
			distance.VanRossum{Tau: 1}, distance.VanRossum{Tau: 0}, distance.VanRossum{Tau: math.Inf(1)},
		} {
			if e := excess(t, m, a, b, c); e > 1e-9 {
				t.Errorf("%T%+v: the way over the second train is shorter by %v", m, m, e)
			}
		}
	})
}

// It fails for the others, which are therefore no metrics: three random trains show
// it for each.
func TestNoMetric(t *testing.T) {
	for _, m := range []distance.Measure{distance.SPIKE{}, distance.SPIKE{RateIndependent: true}, distance.Sync{}} {
		worst := 0.0
		for seed := range uint64(300) {
			trains := uniform(3, 4, seed)
			worst = max(worst, excess(t, m, trains[0], trains[1], trains[2]))
		}
		if worst < 1e-3 {
			t.Errorf("%s: no counter-example to the triangle inequality in 300 triples (worst %v)", m.Name(), worst)
		}
	}
}

// A larger threshold makes less of differences, and finds more coincidences.
func TestThresholdIsMonotonic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := grid(t, "a"), grid(t, "b")
		isi, spk, sync := math.Inf(1), math.Inf(1), -1.0
		for _, mrts := range []float64{0, 0.25, 1, 4, 16, math.Inf(1)} {
			i, s, c := value(t, distance.ISI{MRTS: mrts}, a, b), value(t, distance.SPIKE{MRTS: mrts}, a, b), value(t, distance.Sync{MRTS: mrts}, a, b)
			if i > isi+1e-12 || s > spk+1e-12 || c < sync {
				t.Errorf("MRTS %v: isi %v after %v, spike %v after %v, sync %v after %v", mrts, i, isi, s, spk, c, sync)
			}
			isi, spk, sync = i, s, c
		}
	})
}

// Means over two intervals make that over both; all of the window in pieces is the
// whole.
func TestIntervals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := grid(t, "a"), grid(t, "b")
		mid := rapid.Float64Range(1, 15).Draw(t, "mid")
		left, right := distance.Interval{From: 0, To: mid}, distance.Interval{From: mid, To: window}
		for _, m := range []distance.Profiler{distance.ISI{}, distance.SPIKE{}, distance.SPIKE{RateIndependent: true, MRTS: 1}} {
			p, err := m.Profile(a, b)
			if err != nil {
				t.Fatal(err)
			}
			before, err := p.Mean(left)
			behind, err2 := p.Mean(right)
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			sum := (mid*before + (window-mid)*behind) / window
			both, err := distance.Multi(m, []spike.Train{a, b}, distance.Options{Intervals: []distance.Interval{right, left}})
			if d := value(t, m, a, b); err != nil || !near(sum, d) || !near(both, d) {
				t.Errorf("%s: pieces %v, both %v, %v, whole %v", m.Name(), sum, both, err, d)
			}
		}
	})
}

// dense is the textbook programme for Victor–Purpura.
func dense(q float64, u, v []float64) float64 {
	g := make([][]float64, len(u)+1)
	for i := range g {
		g[i] = make([]float64, len(v)+1)
		for j := range g[i] {
			switch {
			case i == 0:
				g[i][j] = float64(j)
			case j == 0:
				g[i][j] = float64(i)
			default:
				g[i][j] = min(g[i-1][j]+1, g[i][j-1]+1, g[i-1][j-1]+q*math.Abs(u[i-1]-v[j-1]))
			}
		}
	}
	return g[len(u)][len(v)]
}

func TestVictorPurpura(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := grid(t, "a"), grid(t, "b")
		costs := []float64{0, 0.01, 0.1, 0.3, 1, 2, 10, 1e4, math.Inf(1)}
		got, err := distance.VictorPurpuraCosts(a, b, costs)
		if err != nil {
			t.Fatal(err)
		}
		n, m := float64(len(a.Times)), float64(len(b.Times))
		for i, q := range costs {
			if want := dense(min(q, 1e6), a.Times, b.Times); math.Abs(got[i]-want) > 1e-9 {
				t.Errorf("q = %v: %v, want %v", q, got[i], want)
			}
			if got[i] < math.Abs(n-m) || got[i] > n+m || i > 0 && got[i] < got[i-1]-1e-12 {
				t.Errorf("q = %v: %v is out of [|N−M|, N+M] or falls: %v", q, got[i], got)
			}
		}
	})
	for seed := range uint64(20) {
		for _, q := range []float64{0.03, 0.3, 1, 3, 30} {
			trains := uniform(2, 100, seed)
			d, want := value(t, distance.VictorPurpura{Cost: q}, trains[0], trains[1]), dense(q, trains[0].Times, trains[1].Times)
			if math.Abs(d-want) > 1e-10 {
				t.Errorf("q = %v: %v, want %v", q, d, want)
			}
		}
	}
}

// doubleSum is van Rossum's distance by its definition.
func doubleSum(tau float64, u, v []float64) float64 {
	k := func(a, b []float64) (sum float64) {
		for _, x := range a {
			for _, y := range b {
				sum += math.Exp(-math.Abs(x-y) / tau)
			}
		}
		return sum
	}
	return k(u, u) + k(v, v) - 2*k(u, v)
}

// One pass over a pair, and the sweep over many trains, give the double sum.
func TestVanRossum(t *testing.T) {
	trains := uniform(6, 120, 3)
	trains = append(trains, trains[0], spike.Train{Stop: 120}, spike.Train{Times: []float64{0, 120}, Stop: 120})
	for _, tau := range []float64{1e-3, 0.1, 1, 10, 1e4} {
		m := distance.VanRossum{Tau: tau, Squared: true}
		matrix, err := distance.Matrix(m, trains, distance.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range trains {
			for j, b := range trains {
				want, n := doubleSum(tau, a.Times, b.Times), float64(len(a.Times)+len(b.Times))
				if v := value(t, m, a, b); math.Abs(v-want) > 1e-11*n || math.Abs(matrix[i][j]-want) > 1e-11*n*n {
					t.Errorf("τ = %v: pair %v, matrix %v, want %v", tau, v, matrix[i][j], want)
				}
			}
		}
		if matrix[0][6] != 0 {
			t.Errorf("τ = %v: equal trains are %v apart", tau, matrix[0][6])
		}
	}
}

// Intervals of measures without a profile leave the spikes within.
func TestIntervalsCrop(t *testing.T) {
	trains := uniform(3, 50, 4)
	o := distance.Options{Intervals: []distance.Interval{{From: 5, To: 10}, {From: 20, To: 42}}}
	cut := make([]spike.Train, len(trains))
	for i, tr := range trains {
		cut[i] = spike.Train{Stop: tr.Stop, Times: slices.DeleteFunc(slices.Clone(tr.Times), func(x float64) bool {
			return x < 5 || x > 10 && x < 20 || x > 42
		})}
	}
	for _, m := range []distance.Measure{distance.VictorPurpura{Cost: 1}, distance.VanRossum{Tau: 2}} {
		got, err := distance.Multi(m, trains, o)
		want, err2 := distance.Multi(m, cut, distance.Options{})
		if err != nil || err2 != nil || got != want {
			t.Errorf("%s: %v, %v; want %v, %v", m.Name(), got, err, want, err2)
		}
	}
}
