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
