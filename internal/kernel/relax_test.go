package kernel

import (
	"math"
	"slices"
	"testing"
)

func TestRelax(t *testing.T) {
	bounds := [][2]Float{{0, 1}, {-1, 1}, {0.25, 0.5}, {Float(math.Inf(-1)), Float(math.Inf(1))}}
	eachLength(t, func(t *testing.T, what string, n int, r source) {
		b := bounds[n%len(bounds)]
		p := Relax{Keep: 0.4, Gain: 0.7, Lo: b[0], Hi: b[1]}
		z := r.fill(make([]Float, n))
		s, check := guarded(n)
		want := slices.Clone(r.fill(s))
		change := p.Step(s, z)
		if got := p.stepGo(want, z); !same(got, change) {
			t.Fatalf("%s: change %g, want %g", what, change, got)
		}
		compare(t, what, s, want)
		check(t, what)
		want = slices.Clone(s) // states that are their own drives
		p.stepGo(want, want)
		p.Step(s, s)
		compare(t, what+", in place", s, want)
	})
}

// The bounds hold, the change is the largest one, and what is no number ends at
// the lower bound.
func TestRelaxValues(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		nan := Float(math.NaN())
		s := []Float{0, 1, 0.5, 0.5, nan, 0.5}
		change := Relax{Keep: 0.5, Gain: 0.5, Lo: 0, Hi: 1}.Step(s, []Float{-3, 4, 1, nan, 1, 0.5})
		compare(t, l.String(), s, []Float{0, 1, 0.75, 0, 0, 0.5})
		if change != 0.5 {
			t.Errorf("%v: change %v, want 0.5", l, change)
		}
	})
}

func TestAdapt(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for n := range 100 {
			r := newSource(uint64(n), false)
			p := Adapt{Nu: 0.3, Keep: 0.7, Floor: 1e-15}
			var got, want [5][]Float
			var checks [5]func(t *testing.T, what string)
			for i := range got {
				got[i], checks[i] = guarded(n)
				for j := range got[i] { // moments and spreads are positive
					got[i][j] = size(r.value())
				}
				want[i] = slices.Clone(got[i])
			}
			d := r.fill(make([]Float, n))
			p.Step(got[0], d, got[1], got[2], got[3], got[4])
			p.stepGo(want[0], d, want[1], want[2], want[3], want[4])
			for i := range got {
				compare(t, l.String(), got[i], want[i])
				checks[i](t, l.String())
			}
		}
	})
}

func size(x Float) Float { return max(x, -x) }

// A drive that never moves has no step but the first, and no result is not a number.
func TestAdaptStandsStill(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		var z [5][]Float
		for i := range z {
			z[i] = make([]Float, 3)
		}
		for range 50 {
			Adapt{Nu: 0.3, Keep: 0.7, Floor: 1e-15}.Step(z[0], []Float{0, 0, 0}, z[1], z[2], z[3], z[4])
		}
		compare(t, l.String(), slices.Concat(z[0], z[1], z[2], z[4]), make([]Float, 12))
	})
}
