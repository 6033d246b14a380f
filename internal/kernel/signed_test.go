package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// signedUnits are units in the middle of a run: inputs and states of which many are at a threshold.
type signedUnits struct{ x, sums, count, v []Float }

func newSignedUnits(r source, n int) (u signedUnits) {
	u = signedUnits{r.fill(make([]Float, n)), r.fill(make([]Float, n)), make([]Float, n), r.fill(make([]Float, n))}
	for i := range n {
		u.count[i] = Float(r.IntN(7) - 3)
		switch r.IntN(4) {
		case 0: // exactly at a threshold of ±1, or of ±½ from the count
			u.x[i], u.v[i], u.sums[i] = Float(r.IntN(3)-1), Float(r.IntN(3)-1), Float(r.IntN(9)-4)/2
		case 1: // zeros of both signs
			u.x[i], u.v[i], u.sums[i] = special[6], special[6], special[6]
		}
	}
	return u
}

func TestSigned(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for n := range 200 {
			r := newSource(uint64(n), n%2 == 1)
			u := newSignedUnits(r, n)
			what := fmt.Sprintf("%v n=%d", l, n)
			testImbalanced(t, what, Imbalanced{Above: 1, Below: []Float{1, 10, 0.75}[n%3]}, u)
			testDelta(t, what, Delta{Theta: []Float{1, 0.7}[n%2], Slope: []Float{1, 0.1, 0.5}[n%3], Half: []Float{0.5, 1, 0.6}[n/3%3]}, u)
		}
	})
}

func testImbalanced(t *testing.T, what string, p Imbalanced, u signedUnits) {
	t.Helper()
	n := len(u.x)
	y, sums, count, v := make([]Float, n), slices.Clone(u.sums), slices.Clone(u.count), slices.Clone(u.v)
	for i, in := range u.x {
		sums[i] += in
		m := v[i] + in
		v[i] = m + 0 // no −0
		switch {
		case m >= p.Above:
			y[i], v[i] = 1, m-p.Above
		case m <= -p.Below:
			y[i], v[i] = -1, m+p.Below
		}
		count[i] += y[i]
	}
	got, check := signedState(u)
	p.Step(got[0], u.x, got[1], got[2], got[3])
	for k, want := range [][]Float{y, sums, count, v} {
		compare(t, fmt.Sprintf("%s %+v, array %d", what, p, k), got[k], want)
	}
	check(t, what)
}

func testDelta(t *testing.T, what string, p Delta, u signedUnits) {
	t.Helper()
	n := len(u.x)
	y, sums, count := make([]Float, n), slices.Clone(u.sums), slices.Clone(u.count)
	for i, in := range u.x {
		sums[i] += in
		f := sums[i]
		if f < 0 {
			f *= p.Slope
		}
		switch d := f/p.Theta - count[i]; {
		case d >= p.Half:
			y[i] = 1
		case d <= -p.Half:
			y[i] = -1
		}
		count[i] += y[i]
	}
	got, check := signedState(u)
	p.Step(got[0], u.x, got[1], got[2])
	for k, want := range [][]Float{y, sums, count} {
		compare(t, fmt.Sprintf("%s %+v, array %d", what, p, k), got[k], want)
	}
	check(t, what)
}

// signedState is spikes, sums, counts and membranes with guards around them.
func signedState(u signedUnits) (all [4][]Float, check func(t *testing.T, what string)) {
	var checks []func(*testing.T, string)
	for k, from := range [][]Float{u.x, u.sums, u.count, u.v} {
		s, c := guarded(len(from))
		copy(s, from)
		all[k], checks = s, append(checks, c)
	}
	return all, func(t *testing.T, what string) {
		t.Helper()
		for _, c := range checks {
			c(t, what)
		}
	}
}

func TestSignedChecksLengths(t *testing.T) {
	a, short := make([]Float, 20), make([]Float, 19)
	Imbalanced{}.Step(a, a, a, a, a)
	Imbalanced{}.Step(nil, nil, nil, nil, nil)
	Delta{Theta: 1}.Step(nil, nil, nil, nil)
	for k := range 5 {
		args := [5][]Float{a, a, a, a, a}
		args[k] = short
		panics(t, fmt.Sprint("imbalanced, argument ", k), func() { Imbalanced{}.Step(args[0], args[1], args[2], args[3], args[4]) })
		if k < 4 {
			panics(t, fmt.Sprint("delta, argument ", k), func() { Delta{}.Step(args[0], args[1], args[2], args[3]) })
		}
	}
}

func TestSumMagnitudes(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for _, n := range []int{0, 1, 31, 32, 33, 100, 4097} {
			r, want := newSource(uint64(n), false), 0.0
			x := make([]Float, n)
			for i := range x {
				k := r.IntN(7) - 3
				x[i] = Float(k)
				want += math.Abs(float64(k))
			}
			if got := SumMagnitudes(x); got != want {
				t.Errorf("%v n=%d: %v, want %v", l, n, got, want)
			}
		}
		if got, want := SumMagnitudes(slices.Repeat([]Float{1 << 24, -1 << 24, 1}, 40)), 40.0*(2<<24+1); got != want {
			t.Errorf("%v: large numbers sum to %v, want %v", l, got, want)
		}
	})
}
