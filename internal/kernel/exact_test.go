package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"synfire/internal/par"
)

// fused is a·b + c rounded once to float32, in arithmetic that needs no such
// instruction: the product is exact in float64, and the sum is rounded to odd,
// so that rounding it again to fewer bits cannot go wrong.
func fused(a, b, c Float) Float {
	p, d := float64(a)*float64(b), float64(c)
	s := p + d
	if math.IsNaN(s) || math.IsInf(s, 0) {
		return Float(s)
	}
	t := s - p
	lost := (p - (s - t)) + (d - t)
	if lost != 0 && math.Float64bits(s)&1 == 0 {
		if (lost > 0) == (s > 0) {
			s = math.Float64frombits(math.Float64bits(s) + 1)
		} else {
			s = math.Float64frombits(math.Float64bits(s) - 1)
		}
	}
	return Float(s)
}

// mulAdd is the multiply-add that defines the level.
func mulAdd(l Level) func(a, b, c Float) Float {
	if l == Go {
		return func(a, b, c Float) Float { return Float(a*b) + c }
	}
	return fused
}

func TestFused(t *testing.T) {
	if math.MaxUint32 < Float(math.MaxUint32)+0.5 {
		t.Skip("the emulation is of float32")
	}
	big, tiny := Float(1<<24), Float(math.SmallestNonzeroFloat32)
	for _, c := range []struct{ a, b, c, want Float }{
		{1 + 1.0/4096, 1 + 1.0/4096, 1.0 / (1 << 24), 1 + 1.0/2048 + 1.0/(1<<23)}, // a tie in two roundings, above it in one
		{big, 1, 1, big},
		{big, 1, 1 + 1.0/(1<<23), big + 2}, // 2²⁴ + 1 + a little: above the tie
		{-big, 1, -1, -big},
		{tiny, 0.5, tiny, 2 * tiny}, // 1½ denormal steps: the tie goes to even
		{tiny, 0.5, 0, 0},
	} {
		if got := fused(c.a, c.b, c.c); !same(got, c.want) {
			t.Errorf("fused(%g, %g, %g) = %g, want %g", c.a, c.b, c.c, got, c.want)
		}
	}
}

// same is equality of bits, but that any NaN equals any other.
func same(a, b Float) bool {
	if a != a || b != b {
		return a != a && b != b
	}
	return a == b && math.Signbit(float64(a)) == math.Signbit(float64(b))
}

func compare(t *testing.T, what string, got, want []Float) {
	t.Helper()
	for i := range want {
		if !same(got[i], want[i]) {
			t.Fatalf("%s: element %d is %g (%x), want %g (%x)", what, i,
				got[i], math.Float32bits(float32(got[i])), want[i], math.Float32bits(float32(want[i])))
		}
	}
}

// forLevels runs f under each level that is supported here.
func forLevels(t *testing.T, f func(t *testing.T, l Level)) {
	for _, l := range Levels() {
		t.Run(l.String(), func(t *testing.T) {
			restore, err := SetLevel(l)
			if err != nil {
				t.Fatal(err)
			}
			defer restore()
			f(t, l)
		})
	}
}

const guard Float = -123456

// guarded is a slice of n floats, at an odd offset from any alignment,
// between words that check reports when they change.
func guarded(n int) (s []Float, check func(t *testing.T, what string)) {
	const before, after = 33, 40
	all := make([]Float, before+n+after)
	for i := range all {
		all[i] = guard
	}
	return all[before : before+n : before+n], func(t *testing.T, what string) {
		t.Helper()
		for i, x := range all {
			if (i < before || i >= before+n) && x != guard {
				t.Fatalf("%s: wrote outside: float %d of a slice of %d", what, i-before, n)
			}
		}
	}
}

// source draws test data. With odd set, about one value in eight is NaN,
// infinite, denormal, a signed zero, huge or tiny.
type source struct {
	*rand.Rand
	odd bool
}

var special = []Float{Float(math.NaN()), Float(math.Inf(1)), Float(math.Inf(-1)), 1e-41, -3e-45, 0,
	Float(math.Copysign(0, -1)), 3e38, -3e38, 1e-30, -2e-22}

func newSource(seed uint64, odd bool) source {
	return source{rand.New(rand.NewPCG(seed, 7)), odd}
}

func (r source) value() Float {
	if r.odd && r.IntN(8) == 0 {
		return special[r.IntN(len(special))]
	}
	return Float(r.NormFloat64())
}

func (r source) fill(s []Float) []Float {
	for i := range s {
		s[i] = r.value()
	}
	return s
}

// pools are the thread counts that must all give the same bits.
func pools(t testing.TB) []*par.Pool {
	all := []*par.Pool{nil}
	for _, n := range []int{1, 2, 3, 8} {
		p := par.New(n)
		t.Cleanup(p.Close)
		all = append(all, p)
	}
	return all
}

func panics(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: did not panic", what)
		}
	}()
	f()
}

func threads(p *par.Pool) string {
	if p == nil {
		return "no pool"
	}
	return fmt.Sprintf("%d threads", p.Threads())
}
