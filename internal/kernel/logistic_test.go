package kernel

import (
	"math"
	"slices"
	"testing"
)

func TestLogistic(t *testing.T) {
	eachLength(t, func(t *testing.T, what string, n int, r source) {
		p := Logistic{Threshold: 0.3, Slope: Float(1 + n%40)}
		z := r.fill(make([]Float, n))
		for i, v := range z {
			if v != v {
				z[i] = Float(i)
			}
		}
		m, check := guarded(n)
		want, sums := make([]Float, n), [2 * logisticLanes]Float{}
		sum, spread := p.Of(m, z)
		p.ofGo(want, z, &sums)
		compare(t, what, m, want)
		check(t, what)
		var shares, products float64
		for _, v := range want {
			shares += float64(v)
			products += float64(v) * float64(1-v)
		}
		if math.Abs(float64(sum)-shares) > 1e-6*shares || math.Abs(float64(spread)-products) > 1e-6*(1+products) {
			t.Fatalf("%s: sums %v and %v, want %v and %v", what, sum, spread, shares, products)
		}
		inPlace := slices.Clone(z)
		if a, b := p.Of(inPlace, inPlace); a != sum || b != spread {
			t.Fatalf("%s: sums %v and %v in place, want %v and %v", what, a, b, sum, spread)
		}
		compare(t, what+", in place", inPlace, want)
	})
}

// Shares are those of the mathematical library within 10⁻⁶ of them, and far scores
// have 0 and 1.
func TestLogisticValues(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for u := -79.0; u < 79; u += 0.0137 {
			m := []Float{Float(u)}
			Logistic{Slope: 1}.Of(m, m)
			want := 1 / (1 + math.Exp(-float64(Float(u))))
			if d := math.Abs(float64(m[0]) - want); d > 1e-6*want {
				t.Fatalf("%v: %v of %v, want %v", l, m[0], u, want)
			}
		}
		m := []Float{-1e6, 1e6, Float(math.Inf(-1)), Float(math.Inf(1)), 0}
		Logistic{Slope: 20}.Of(m, m)
		if m[0] > 1e-30 || m[1] != 1 || m[2] > 1e-30 || m[3] != 1 || m[4] != 0.5 {
			t.Errorf("%v: %v", l, m)
		}
	})
}

// BenchmarkLogistic is the shares of 500 units.
func BenchmarkLogistic(b *testing.B) {
	z := newSource(1, false).fill(make([]Float, 500))
	m := make([]Float, len(z))
	for b.Loop() {
		Logistic{Threshold: 0.5, Slope: 20}.Of(m, z)
	}
}
