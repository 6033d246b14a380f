package distance_test

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"synfire/distance"
	"synfire/spike"
)

func train(times ...float64) spike.Train { return spike.Train{Times: times, Stop: 10} }

// Values that can be checked with a pencil.
func TestByHand(t *testing.T) {
	inf := math.Inf(1)
	u, v := train(1, 3, 6), train(2, 6.5)
	for _, c := range []struct {
		m    distance.Measure
		a, b spike.Train
		want float64
	}{
		{distance.ISI{}, train(4), train(4.5), (4.0/9 + 0.5/4 + 5.5/12) / 10},
		{distance.SPIKE{}, train(4), train(4.5), 0.5 * (4/4.25 + 0.5/5.25 + 5.5/5.75) / 10},
		{distance.SPIKE{RateIndependent: true}, train(4), train(4.5), 0.5 * (4/4.25 + 0.5/5.25 + 5.5/5.75) / 10},
		{distance.Sync{}, train(4), train(4.5), 1},
		{distance.Order{}, train(4), train(4.5), 1},
		{distance.VictorPurpura{Cost: 1}, train(4), train(4.5), 0.5},
		{distance.VanRossum{Tau: 1}, train(4), train(4.5), math.Sqrt(2 - 2*math.Exp(-0.5))},
		{distance.ISI{}, train(), train(4), 0.48},
		{distance.VictorPurpura{Cost: 0}, u, v, 1},
		{distance.VictorPurpura{Cost: 0.5}, u, v, 1.75},
		{distance.VictorPurpura{Cost: 1}, u, v, 2.5},
		{distance.VictorPurpura{Cost: 4}, u, v, 5},
		{distance.VanRossum{Tau: 1, Squared: true}, u, v, 2.6161599},
		{distance.Sync{MaxTau: 0.1}, train(2, 5, 8), train(2.4, 5.4, 8.4), 0},
		// Windows of coincidence are strict.
		{distance.Sync{}, train(0.25, 1.25, 2.25), train(0.75, 1.75, 2.75), 0},

		// Trains without spikes or with one.
		{distance.ISI{}, train(), train(), 0},
		{distance.SPIKE{}, train(), train(), 0},
		{distance.Sync{}, train(), train(), 1},
		{distance.Order{}, train(), train(), 1},
		{distance.VictorPurpura{Cost: 1}, train(), train(), 0},
		{distance.VanRossum{Tau: 1}, train(), train(), 0},
		{distance.ISI{}, train(), train(5), 0.5},
		{distance.Sync{}, train(), train(5), 0},
		{distance.Order{}, train(), train(5), 0},
		{distance.VictorPurpura{Cost: 1}, train(), train(5), 1},
		{distance.VanRossum{Tau: 1}, train(), train(5), 1},
		{distance.ISI{}, train(), train(0, 10), 0},
		{distance.SPIKE{}, train(), train(0, 10), 0},
		{distance.Sync{}, train(), train(0, 10), 0},
		{distance.VictorPurpura{Cost: 1}, train(), train(0, 10), 2},
		{distance.ISI{}, train(10), train(10), 0},
		{distance.SPIKE{}, train(10), train(10), 0},
		{distance.Sync{}, train(10), train(10), 1},
		{distance.VanRossum{Tau: 0, Squared: true}, u, train(1, 2, 6, 7), 3},
		{distance.VanRossum{Tau: inf}, u, train(2), 2},
		{distance.VictorPurpura{Cost: inf}, u, train(1, 2, 6, 7), 3},
		{distance.Directionality{}, train(1, 3, 6), train(1.1, 3.1, 5.9), 1},
		{distance.Directionality{Normalized: true}, train(1, 3, 6), train(1.1, 3.1, 5.9), 1.0 / 3},
		{distance.Directionality{Normalized: true}, train(), train(5), 0},
	} {
		if got := value(t, c.m, c.a, c.b); !(math.Abs(got-c.want) < 1e-7) {
			t.Errorf("%s%+v of %v and %v: %v, want %v", c.m.Name(), c.m, c.a.Times, c.b.Times, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	good := train(1, 2)
	other := spike.Train{Times: []float64{1}, Stop: 11}
	for _, c := range []struct {
		m    distance.Measure
		a, b spike.Train
		want string
	}{
		{distance.ISI{}, good, train(2, 1), "isi: train 1: spike 1 at 1 comes after one at 2; sort"},
		{distance.SPIKE{}, train(2, 2), good, "train 0: spikes 0 and 1 are both at 2"},
		{distance.Sync{}, good, train(11), "train 1: spike 0 at 11 lies outside the window [0, 10]"},
		{distance.Order{}, good, train(math.NaN()), "want a finite time"},
		{distance.VanRossum{}, good, other, "train 1 has the window [0, 11] and train 0 [0, 10]"},
		{distance.VictorPurpura{}, good, spike.Train{}, "train 1: the window [0, 0] is empty"},
		{distance.VictorPurpura{Cost: -1}, good, good, "the cost is -1, want 0 or more"},
		{distance.VictorPurpura{Cost: math.NaN()}, good, good, "the cost is NaN"},
		{distance.VanRossum{Tau: -1}, good, good, "Tau is -1"},
		{distance.ISI{MRTS: -1}, good, good, "a-isi: MRTS is -1"},
		{distance.SPIKE{MRTS: math.NaN()}, good, good, "MRTS is NaN"},
		{distance.Sync{MaxTau: -2}, good, good, "MaxTau is -2"},
		{distance.Directionality{MaxTau: -2}, good, good, "MaxTau is -2"},
		{distance.ISI{}, good, train(0, 1e-200), "use another unit of time"},
	} {
		_, err := c.m.Distance(c.a, c.b)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s%+v of %v and %v: %v, want %q", c.m.Name(), c.m, c.a, c.b, err, c.want)
		}
		for i, err := range []error{
			second(distance.Matrix(c.m, []spike.Train{c.a, c.b}, distance.Options{})),
			second(distance.Multi(c.m, []spike.Train{c.a, c.b}, distance.Options{})),
			distance.Pairs(c.m, []spike.Train{c.a, c.b}, distance.Options{}, func(int, int, float64) error { return nil }),
		} {
			if err == nil {
				t.Errorf("verb %d of %s took %v and %v", i, c.m.Name(), c.a, c.b)
			}
		}
	}
	two := []spike.Train{good, good}
	for _, c := range []struct {
		err  error
		want string
	}{
		{second(distance.Multi(distance.ISI{}, two[:1], distance.Options{})), "1 trains, want two"},
		{second(distance.MultiProfile(distance.ISI{}, two[:1], distance.Options{})), "1 trains, want two"},
		{second(distance.Multi(distance.ISI{}, two, within(2, 1))), "[2, 1] is empty or not within"},
		{second(distance.Multi(distance.ISI{}, two, within(2, 11))), "[2, 11] is empty or not within"},
		{second(distance.Multi(distance.ISI{}, two, within(1, 3, 2, 4))), "overlap"},
		{second(distance.Matrix(distance.Directionality{}, two, within(1, 3))), "does not take"},
		{second(distance.MultiProfile(distance.ISI{}, two, within(1, 3))), "give them to the Mean"},
		{second(distance.AutoMRTS([]spike.Train{good, other})), "AutoMRTS: train 1 has the window"},
		{second(distance.VictorPurpuraCosts(good, good, []float64{1, -1})), "cost 1: the cost is -1"},
		{second(distance.Order{}.Sort(two[:1], 1)), "1 trains, want two"},
		{second(distance.LabelledVictorPurpura{Cost: 1}.Distance(two, two[:1])), "responses of 2 and 1 neurons"},
		{second(distance.LabelledVictorPurpura{LabelCost: -1}.Distance(two, two)), "the label cost is -1"},
		{second(distance.LabelledVanRossum{Cosine: 2}.Distance(two, two)), "the cosine is 2"},
		{second(distance.PopulationMatrix(distance.LabelledVanRossum{}, [][]spike.Train{two, two[:1]}, distance.Options{})), "responses 0 and 1"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%v, want %q", c.err, c.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// within are intervals between pairs of times.
func within(times ...float64) (o distance.Options) {
	for i := 0; i < len(times); i += 2 {
		o.Intervals = append(o.Intervals, distance.Interval{From: times[i], To: times[i+1]})
	}
	return o
}

// The same bits for any number of threads.
func TestThreads(t *testing.T) {
	trains := append(uniform(19, 40, 5), spike.Train{Stop: 40})
	for _, m := range all {
		want, err := distance.Matrix(m, trains, distance.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		multi, _ := distance.Multi(m, trains, distance.Options{Threads: 1})
		for _, threads := range []int{2, 3, 7} {
			o := distance.Options{Threads: threads}
			got, err := distance.Matrix(m, trains, o)
			if err != nil || !slices.EqualFunc(got, want, slices.Equal) {
				t.Errorf("%s: another matrix with %d threads, %v", m.Name(), threads, err)
			}
			if v, err := distance.Multi(m, trains, o); v != multi || err != nil {
				t.Errorf("%s: Multi = %v, %v with %d threads, %v with 1", m.Name(), v, err, threads, multi)
			}
			p, ok := m.(distance.Profiler)
			if !ok {
				continue
			}
			one, _ := distance.MultiProfile(p, trains, distance.Options{Threads: 1})
			many, err := distance.MultiProfile(p, trains, o)
			if err != nil || !slices.Equal(one.Y, many.Y) || !slices.Equal(one.X, many.X) {
				t.Errorf("%s: another profile with %d threads, %v", m.Name(), threads, err)
			}
		}
	}
}

// A million pairs, of which nothing stays.
func TestStreamHoldsNothing(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 100_000
	}
	trains := uniform(64, 3, 6)
	pairs := func(yield func(a, b spike.Train) bool) {
		for i := range n {
			if !yield(trains[i%64], trains[(i/64)%64]) {
				return
			}
		}
	}
	for _, m := range []distance.Measure{distance.SPIKE{}, distance.VictorPurpura{Cost: 1}} {
		count, sum := 0, 0.0
		bytes := allocated(func() {
			for v, err := range distance.Stream(m, pairs) {
				if err != nil {
					t.Fatal(err)
				}
				count++
				sum += v
			}
		})
		if count != n || !(sum > 0) || bytes > 1<<16 {
			t.Errorf("%s: %d values of %d, sum %v, %d bytes allocated", m.Name(), count, n, sum, bytes)
		}
	}
}

// Pairs of many trains hold a row and what is known of the trains.
func TestPairsHoldARow(t *testing.T) {
	const n = 1415 // a million pairs
	trains := uniform(n, 3, 7)
	count, sum := 0, 0.0
	bytes := allocated(func() {
		err := distance.Pairs(distance.ISI{}, trains, distance.Options{Threads: 2}, func(i, j int, v float64) error {
			if !(0 <= i && i < j && j < n) {
				t.Fatalf("pair %d, %d", i, j)
			}
			count++
			sum += v
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	if want := n * (n - 1) / 2; count != want || !(sum > 0) {
		t.Errorf("%d pairs, want %d; sum %v", count, want, sum)
	}
	if whole := uint64(n * n * 8); bytes > whole/4 {
		t.Errorf("%d bytes allocated; the matrix has %d", bytes, whole)
	}
	stop := errors.New("enough")
	if err := distance.Pairs(distance.ISI{}, trains, distance.Options{}, func(int, int, float64) error { return stop }); err != stop {
		t.Errorf("Pairs = %v, want the visitor's error", err)
	}
}

// A matrix allocates for its trains and nothing for its pairs.
func TestMatrixAllocatesNothingForPairs(t *testing.T) {
	few, many := uniform(20, 10, 8), uniform(80, 10, 8)
	for _, m := range all {
		run := func(trains []spike.Train) float64 {
			return testing.AllocsPerRun(3, func() {
				if _, err := distance.Matrix(m, trains, distance.Options{Threads: 1}); err != nil {
					t.Fatal(err)
				}
			})
		}
		// Sixteen times the pairs; four times the trains with 12 allocations each.
		if a, b := run(few), run(many); b-a > 60*12 {
			t.Errorf("%s: %v allocations for 20 trains, %v for 80", m.Name(), a, b)
		}
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// foreign is a measure from outside of the package.
type foreign struct{ fails bool }

func (foreign) Name() string { return "foreign" }

func (f foreign) Distance(a, b spike.Train) (float64, error) {
	if f.fails {
		return 0, errors.New("it fails")
	}
	return math.Abs(float64(len(a.Times) - len(b.Times))), nil
}

// The verbs take measures of others, and hand on their errors.
func TestForeignMeasure(t *testing.T) {
	trains := []spike.Train{train(1), train(1, 2), train(1, 2, 5)}
	m, err := distance.Matrix(foreign{}, trains, distance.Options{})
	if err != nil || m[0][2] != 2 || m[2][1] != 1 || m[1][1] != 0 {
		t.Errorf("%v, %v", m, err)
	}
	if v, err := distance.Multi(foreign{}, trains, distance.Options{}); err != nil || math.Abs(v-4.0/3) > 1e-15 {
		t.Errorf("Multi = %v, %v", v, err)
	}
	if _, err := distance.Matrix(foreign{true}, trains, distance.Options{}); err == nil || !strings.Contains(err.Error(), "it fails") {
		t.Errorf("error %v", err)
	}
}

// Profiles between and at their borders.
func TestProfileAt(t *testing.T) {
	a, b := train(4), train(4.5)
	isi, err := distance.ISI{}.Profile(a, b)
	if err != nil {
		t.Fatal(err)
	}
	spk, _ := distance.SPIKE{}.Profile(a, b)
	sync, _ := distance.Sync{}.Profile(a, b)
	for _, c := range []struct {
		p       distance.Profile
		t, want float64
	}{
		{isi, 0, 1.0 / 9}, {isi, 2, 1.0 / 9}, {isi, 4, (1.0/9 + 0.25) / 2}, {isi, 10, 1.0 / 12},
		{spk, 0, 0.5 / 4.25}, {spk, 10, 0.5 / 5.75}, {sync, 4, 1}, {sync, 4.25, math.NaN()}, {isi, 11, math.NaN()}, {isi, -1, math.NaN()},
	} {
		if got := c.p.At(c.t); !(math.Abs(got-c.want) < 1e-12 || math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s at %v: %v, want %v", c.p.Kind, c.t, got, c.want)
		}
	}
}

func TestSort(t *testing.T) {
	// A chain of 20 trains, shuffled: too many to try all orders.
	const n = 20
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.Permutation(func() (p []int) {
			for i := range n {
				p = append(p, i)
			}
			return p
		}()).Draw(t, "order")
		trains := make([]spike.Train, n)
		for i, place := range order {
			x := float64(place) / 100
			trains[i] = train(1+x, 5+x, 9+x)
		}
		s, err := distance.Order{}.Sort(trains, 1)
		if err != nil {
			t.Fatal(err)
		}
		if s.Indicator != 1 || s.Sum != 3*n*(n-1)/2 {
			t.Errorf("indicator %v, sum %v", s.Indicator, s.Sum)
		}
		again, _ := distance.Order{}.Sort(trains, 1)
		if !slices.Equal(s.Order, again.Order) {
			t.Error("the seed does not decide")
		}
	})
	// Few trains: no order is better.
	rapid.Check(t, func(t *rapid.T) {
		trains := []spike.Train{grid(t, "a"), grid(t, "b"), grid(t, "c"), grid(t, "d")}
		s, err := distance.Order{}.Sort(trains, 1)
		if err != nil {
			t.Fatal(err)
		}
		sorted := make([]spike.Train, len(trains))
		for i, k := range s.Order {
			sorted[i] = trains[k]
		}
		if f, _ := distance.Multi(distance.Order{}, sorted, distance.Options{}); !near(f, s.Indicator) {
			t.Errorf("indicator %v, in that order %v", s.Indicator, f)
		}
		for range 24 {
			p := rapid.Permutation(trains).Draw(t, "permutation")
			if f, _ := distance.Multi(distance.Order{}, p, distance.Options{}); f > s.Indicator+1e-12 {
				t.Errorf("another order has %v, sorted %v", f, s.Indicator)
			}
		}
	})
}

func TestFilter(t *testing.T) {
	trains := []spike.Train{train(1, 4, 8), train(1.1, 4, 6), train(1.2, 9)}
	values, err := distance.Sync{}.Values(trains)
	if err != nil || !slices.Equal(values[0], []float64{1, 0.5, 0.5}) || !slices.Equal(values[1], []float64{1, 0.5, 0}) {
		t.Fatalf("%v, %v", values, err)
	}
	kept, err := distance.Sync{}.Filter(trains, 0.5)
	if err != nil || !slices.Equal(kept[0].Times, []float64{1}) || !slices.Equal(kept[1].Times, []float64{1.1}) || !slices.Equal(kept[2].Times, []float64{1.2}) {
		t.Errorf("%v, %v", kept, err)
	}
}

// labelledDense is the textbook programme for two neurons: one response merged, the
// other with an index for each neuron.
func labelledDense(q, k float64, a, b []spike.Train) float64 {
	type event struct {
		t     float64
		label int
	}
	var events []event
	for p, tr := range a {
		for _, t := range tr.Times {
			events = append(events, event{t, p})
		}
	}
	slices.SortStableFunc(events, func(x, y event) int { return int(math.Copysign(1, x.t-y.t)) })
	n0, n1 := len(b[0].Times), len(b[1].Times)
	before := make([][]float64, n0+1)
	for i := 0; i <= len(events); i++ {
		now := make([][]float64, n0+1)
		for j0 := range now {
			now[j0] = make([]float64, n1+1)
			for j1 := range now[j0] {
				best := math.Inf(1)
				if i == 0 && j0 == 0 && j1 == 0 {
					best = 0
				}
				if i > 0 {
					best = min(best, before[j0][j1]+1)
				}
				for l, j := range []int{j0, j1} {
					if j == 0 {
						continue
					}
					c0, c1 := j0-(1-l), j1-l
					best = min(best, now[c0][c1]+1)
					if i > 0 {
						e, cost := events[i-1], 0.0
						if e.label != l {
							cost = k
						}
						best = min(best, before[c0][c1]+cost+q*math.Abs(e.t-b[l].Times[j-1]))
					}
				}
				now[j0][j1] = best
			}
		}
		before = now
	}
	return before[n0][n1]
}

func TestPopulations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := []spike.Train{grid(t, "a0"), grid(t, "a1")}, []spike.Train{grid(t, "b0"), grid(t, "b1")}
		for _, q := range []float64{0, 0.1, 1, 8} {
			for _, k := range []float64{0, 0.3, 1, 1.9, 2, 3} {
				got, err := distance.LabelledVictorPurpura{Cost: q, LabelCost: k}.Distance(a, b)
				if want := labelledDense(q, k, a, b); err != nil || math.Abs(got-want) > 1e-9 {
					t.Errorf("q = %v, k = %v: %v, %v, want %v", q, k, got, err, want)
				}
			}
		}
		for _, c := range []float64{0, 0.4, 1} {
			m := distance.LabelledVanRossum{Tau: 2, Cosine: c, Squared: true}
			got, err := m.Distance(a, b)
			if want := labelledSum(c, 2, a, b); err != nil || math.Abs(got-want) > 1e-10*(1+want) {
				t.Errorf("c = %v: %v, %v, want %v", c, got, err, want)
			}
			matrix, err := distance.PopulationMatrix(m, [][]spike.Train{a, b, a}, distance.Options{Threads: 2})
			if err != nil || matrix[0][1] != got || !near(matrix[2][1], got) || matrix[0][2] > 1e-12 {
				t.Errorf("%v, %v", matrix, err)
			}
		}
	})
}

// labelledSum is the distance by its definition, a double sum over neurons.
func labelledSum(c, tau float64, a, b []spike.Train) (sum float64) {
	inner := func(p, s int) (v float64) {
		for _, x := range []struct {
			sign float64
			u, v []float64
		}{{1, a[p].Times, a[s].Times}, {1, b[p].Times, b[s].Times}, {-1, a[p].Times, b[s].Times}, {-1, b[p].Times, a[s].Times}} {
			for _, s := range x.u {
				for _, t := range x.v {
					v += x.sign * math.Exp(-math.Abs(s-t)/tau)
				}
			}
		}
		return v
	}
	for p := range a {
		for s := range a {
			if p == s {
				sum += inner(p, s)
			} else {
				sum += c * inner(p, s)
			}
		}
	}
	return sum
}
