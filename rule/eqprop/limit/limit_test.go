package limit

import (
	"math"
	"slices"
	"testing"

	"synfire/internal/rng"
	"synfire/tensor"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, want %v within %v", what, got, want, tolerance)
	}
}

// draw is n numbers in [0, 1).
func draw(n int) []tensor.Float {
	src := rng.New(1, "test").Source()
	x := make([]tensor.Float, n)
	for i := range x {
		x[i] = tensor.Float(src.Float64())
	}
	return x
}

var scores = []tensor.Float{.9, .1, .4, .75, .35, .6}

// The card's values, which were found by hand and by Sinkhorn's iteration.
func TestTopKValues(t *testing.T) {
	for what, c := range map[string]struct {
		run  func(z []tensor.Float)
		want []float64
	}{
		"budget": {func(z []tensor.Float) { new(Limiter).Project(z, 2) }, []float64{.7, 0, .2, .55, .15, .4}},
		"soft":   {func(z []tensor.Float) { new(Limiter).Soft(z, 2, 0.05, Unsought) }, []float64{.989198, .000010, .004140, .820123, .001527, .185002}},
		"wide":   {func(z []tensor.Float) { new(Limiter).Project(z, 6) }, []float64{.9, .1, .4, .75, .35, .6}},
	} {
		z := slices.Clone(scores)
		c.run(z)
		for i, v := range z {
			near(t, what, float64(v), c.want[i], 2e-6)
		}
	}
}

// The projection holds its bounds, is idempotent, keeps equal inputs equal and moves
// no two points apart.
func TestProjection(t *testing.T) {
	src := rng.New(1, "test").Source()
	for range 300 {
		n := 1 + src.IntN(40)
		k := tensor.Float(0.1 + src.Float64()*float64(n))
		u, v := make([]tensor.Float, n), make([]tensor.Float, n)
		before := 0.0
		for i := range u {
			u[i], v[i] = tensor.Float(2*src.Norm()), tensor.Float(2*src.Norm())
		}
		u[n-1] = u[0]
		for i := range u {
			before += math.Pow(float64(u[i]-v[i]), 2)
		}
		new(Limiter).Project(u, k)
		new(Limiter).Project(v, k)
		after, sum := 0.0, 0.0
		for i := range u {
			after += math.Pow(float64(u[i]-v[i]), 2)
			sum += float64(u[i])
			if u[i] < 0 || u[i] > 1 {
				t.Fatalf("%v outside [0, 1]", u[i])
			}
		}
		if after > before*(1+1e-5)+1e-9 || sum > float64(k)+1e-4 || u[n-1] != u[0] {
			t.Fatalf("distance %v, was %v; sum %v of %v; %v, %v", after, before, sum, k, u[0], u[n-1])
		}
		again := slices.Clone(u)
		new(Limiter).Project(again, k)
		for i := range u {
			near(t, "again", float64(again[i]), float64(u[i]), 1e-4)
		}
	}
}

// Soft membership sums to k, and a constant added to all scores changes nothing.
func TestSoft(t *testing.T) {
	for _, k := range []tensor.Float{0.5, 1, 3.3, 5.9} {
		for _, tau := range []tensor.Float{0.01, 0.1, 5} {
			a, b := slices.Clone(scores), slices.Clone(scores)
			sum := 0.0
			for i := range b {
				b[i] += 2
			}
			new(Limiter).Soft(a, k, tau, Unsought)
			new(Limiter).Soft(b, k, tau, Unsought)
			for i := range a {
				sum += float64(a[i])
				near(t, "shifted", float64(b[i]), float64(a[i]), 1e-4)
			}
			near(t, "sum", sum, float64(k), 1e-5)
		}
	}
}

// Ties go to the lowest index, and the mean over noise sums to k.
func TestLargest(t *testing.T) {
	var m Limiter
	if !slices.Equal(m.Largest([]tensor.Float{3, 1, 3, 2, 3}, 2), []bool{true, false, true, false, false}) {
		t.Errorf("chosen %v", m.chosen)
	}
	z := draw(33)
	m.Perturbed(z, Noise(7, 1, 33), 6, 0.3)
	sum := 0.0
	for _, v := range z {
		sum += float64(v)
	}
	near(t, "sum", sum, 6, 1e-5)
}

// A search that begins anywhere ends at the same shares, which sum to k, and allocates
// nothing.
func TestSoftSearch(t *testing.T) {
	src := rng.New(3, "test").Source()
	var m Limiter
	for range 300 {
		n := 2 + src.IntN(200)
		k := tensor.Float((0.02 + 0.96*src.Float64()) * float64(n))
		tau := tensor.Float(math.Pow(10, -2.5+3*src.Float64()))
		z := make([]tensor.Float, n)
		for i := range z {
			z[i] = tensor.Float(2 * src.Norm())
		}
		var cold []tensor.Float
		for _, theta := range []tensor.Float{Unsought, 0, -30, 1e4} {
			s, sum := slices.Clone(z), 0.0
			m.Soft(s, k, tau, theta)
			for _, v := range s {
				sum += float64(v)
			}
			// The last bit of θ, in temperatures, is what single precision leaves.
			tolerance := 2e-6 * float64(k) * (1 + 0.2/float64(tau))
			near(t, "sum", sum, float64(k), tolerance)
			if cold == nil {
				cold = s
			}
			for i, v := range s {
				near(t, "share", float64(v), float64(cold[i]), tolerance)
			}
		}
	}
	z := make([]tensor.Float, 500)
	if n := testing.AllocsPerRun(20, func() {
		for i := range z {
			z[i] = tensor.Float(i*37%500) / 500
		}
		m.Soft(z, 10, 0.05, Unsought)
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkProject is the budget's projection of 500 units, as a step of the
// relaxation meets them.
func BenchmarkProject(b *testing.B) {
	x := draw(500)
	for i, v := range x {
		x[i] = tensor.Float(math.Sin(float64(40*v))) / 2
	}
	v := make([]tensor.Float, len(x))
	var m Limiter
	for b.Loop() {
		copy(v, x)
		m.Project(v, 10)
	}
}

// The limit of a layer falls from all its units to K, and the temperature by the same
// factor in each step.
func TestSchedules(t *testing.T) {
	k := TopK{K: 3, Begin: 1, End: 5}
	for step, want := range []float64{33, 33, 33 - 30*(1-27.0/64), 33 - 30*(1-1.0/8), 33 - 30*(1-1.0/64), 3, 3} {
		near(t, "limit", float64(k.At(step, 33)), math.Round(want), 0)
	}
	near(t, "limit of a small layer", float64(k.At(2, 2)), 3, 0)
	k = TopK{K: 3, Variant: Soft, Temperature: 0.05, Hot: 0.5, Cooling: 4}
	for step := range 6 {
		near(t, "temperature", k.TemperatureAt(step), 0.5*math.Pow(0.1, math.Min(float64(step), 4)/4), 1e-12)
	}
}
