package temporal_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// signedTrace is what a neuron gives for a series of inputs, in windows of some steps, and its
// membrane at the end.
func signedTrace(t testing.TB, l temporal.Signed, window int, x []tensor.Float) (q []tensor.Float, v float64) {
	t.Helper()
	n, err := network.Sequential(tensor.Shape{1}, 1, l)
	if err != nil {
		t.Fatal(err)
	}
	pass, state := n.Compile(nil, false).NewPass(network.Options{}), n.NewState(1)
	for part := range slices.Chunk(x, window) {
		outs, err := pass.Forward(state, &signal.Signal{Kind: signal.Dense, T: len(part), B: 1, Shape: tensor.Shape{1}, Data: part}, false)
		if err != nil {
			t.Fatal(err)
		}
		q = append(q, outs[0].Data...)
	}
	of, err := state.Node(n, "signed1")
	if err != nil {
		t.Fatal(err)
	}
	return q, float64(of[2])
}

func leaky(code temporal.SignedCode, start float64) temporal.Signed {
	return temporal.Signed{Code: code, Slope: 0.1, Threshold: 1, Start: start}
}

func sum(q []tensor.Float) (n float64) {
	for _, v := range q {
		n += float64(v)
	}
	return n
}

// Graded neurons fire what they are off by in whole spikes, from h on: cut off from 0, rounded from ½, and with
// h = ¾ up from three quarters. Below zero the slope of 0.1 makes −7.5 of −75.
func TestGradedByHand(t *testing.T) {
	for start, want := range map[float64][]tensor.Float{0: {2, 3, 0, -12}, 0.5: {3, 2, 1, -14}, 0.25: {2, 3, 1, -13}} {
		if q, _ := signedTrace(t, leaky(temporal.LeakyGraded, start), 4, []tensor.Float{2.5, 2.5, 0.75, -80.75}); !slices.Equal(q, want) {
			t.Errorf("from %v: %v, want %v", start, q, want)
		}
	}
}

// The steps of spikes for constant inputs, by hand: θ = 1 and −θ/α = −10.
func TestImbalanced(t *testing.T) {
	for _, c := range []struct {
		z     tensor.Float
		steps int
		at    []int // of spikes, from 1
		sign  tensor.Float
		rest  float64
	}{
		{-4, 20, []int{3, 5, 8, 10, 13, 15, 18, 20}, -1, 0},
		{-3, 20, []int{4, 7, 10, 14, 17, 20}, -1, 0},
		{-0.3125, 64, []int{32, 64}, -1, 0},
		{0.6875, 32, nil, 1, 0},
		{-12.5, 20, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}, -1, -50},
		{1.5, 20, nil, 1, 10},
	} {
		for _, window := range []int{1, 7, 64} {
			q, v := signedTrace(t, leaky(temporal.Imbalanced, 0), window, slices.Repeat([]tensor.Float{c.z}, c.steps))
			if v != c.rest {
				t.Errorf("input %v: membrane %v, want %v", c.z, v, c.rest)
			}
			var at []int
			for i, v := range q {
				if v != 0 && v != c.sign {
					t.Fatalf("input %v: a spike of %v", c.z, v)
				}
				if v != 0 {
					at = append(at, i+1)
				}
			}
			if c.at != nil && !slices.Equal(at, c.at) || c.z == 0.6875 && len(at) != 22 || c.z == 1.5 && len(at) != 20 {
				t.Errorf("input %v: spikes at %v, want %v", c.z, at, c.at)
			}
		}
	}
}

// What is not a number gives no spike, whatever the code.
func TestSignedNaN(t *testing.T) {
	nan := tensor.Float(math.NaN())
	for _, code := range []temporal.SignedCode{temporal.Imbalanced, temporal.LeakyDelta, temporal.LeakyGraded} {
		if q, _ := signedTrace(t, leaky(code, 0), 3, []tensor.Float{1, nan, 5}); !slices.Equal(q, []tensor.Float{1, 0, 0}) {
			t.Errorf("%v: %v, want a spike and then none", code, q)
		}
	}
}

// A transient of the wrong sign stays in the imbalanced neuron's count; sigma-delta forgets it.
func TestTransients(t *testing.T) {
	first := append([]tensor.Float{-11}, slices.Repeat([]tensor.Float{0.5}, 60)...)
	second := append([]tensor.Float{3}, slices.Repeat([]tensor.Float{-1}, 40)...)
	for _, c := range []struct {
		code temporal.SignedCode
		x    []tensor.Float
		want float64
	}{{temporal.Imbalanced, first, 28}, {temporal.LeakyDelta, first, 19}, {temporal.Imbalanced, second, -1}, {temporal.LeakyDelta, second, -3}} {
		if q, _ := signedTrace(t, leaky(c.code, 0), 100, c.x); sum(q) != c.want {
			t.Errorf("%v: %v spikes, want %v", c.code, sum(q), c.want)
		}
	}
}

// For constant input n = ⌊T·z⌋ or −⌊T·α·|z|⌋; as long as the sign stays sigma-delta of h = 1 gives the
// same spikes; with h = ½ counts are rounded; graded neurons are right whatever the order.
func TestSignedCounts(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		steps := 1 + r.IntN(60)
		z := float64(r.IntN(353)-320) / 32 // of a step, exact in binary
		x := slices.Repeat([]tensor.Float{tensor.Float(z)}, steps)
		a, _ := signedTrace(t, leaky(temporal.Imbalanced, 0), 100, x)
		want := math.Floor(float64(steps) * z)
		if z < 0 {
			want = -math.Floor(0.1*float64(steps)*-z + 1e-9)
		}
		if sum(a) != want {
			t.Fatalf("%d steps of %v: %v spikes, want %v", steps, z, sum(a), want)
		}
		if b, _ := signedTrace(t, temporal.Signed{Code: temporal.LeakyDelta, Slope: 0.125, Threshold: 1}, 100, x); z != 0 {
			c, _ := signedTrace(t, temporal.Signed{Slope: 0.125, Threshold: 1}, 100, x)
			if !slices.Equal(b, c) {
				t.Fatalf("%d steps of %v: %v, and imbalanced %v", steps, z, b, c)
			}
		}
		for i := range x {
			x[i] = tensor.Float(r.IntN(129)-64) / 16
		}
		g, _ := signedTrace(t, temporal.Signed{Code: temporal.LeakyGraded, Slope: 0.125, Threshold: 1, Start: 0.5}, 100, x)
		total := sum(x)
		if total < 0 {
			total *= 0.125
		}
		if math.Abs(sum(g)-total) > 0.5 {
			t.Fatalf("graded: %v spikes for %v", sum(g), total)
		}
		slices.Reverse(x)
		if back, _ := signedTrace(t, temporal.Signed{Code: temporal.LeakyGraded, Slope: 0.125, Threshold: 1, Start: 0.5}, 100, x); math.Abs(sum(back)-sum(g)) > 0 && math.Abs(math.Abs(total-math.Trunc(total))-0.5) > 1e-9 {
			t.Fatalf("graded: %v spikes for the reverse, not %v", sum(back), sum(g))
		}
	}
}

func TestSignedErrors(t *testing.T) {
	for want, l := range map[string]temporal.Signed{
		"slope is 0":     {Threshold: 1},
		"slope is 1.5":   {Threshold: 1, Slope: 1.5},
		"threshold is 0": {Slope: 0.1},
		"start is 0.5":   {Slope: 0.1, Threshold: 1, Start: 0.5},
		"start is 1":     {Code: temporal.LeakyDelta, Slope: 0.1, Threshold: 1, Start: 1},
		"code 9":         {Code: 9, Slope: 0.1, Threshold: 1},
	} {
		if _, err := l.Output(tensor.Shape{1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Threads take parts of samples: what a unit gives does not depend on how many others a sample has.
func TestManySignedUnits(t *testing.T) {
	const units, steps = 2500, 3
	source := rand.New(rand.NewPCG(7, 0))
	x := make([]tensor.Float, steps*2*units)
	for i := range x {
		x[i] = tensor.Float(4 * source.NormFloat64())
	}
	pool := layer.NewPool(2)
	defer pool.Close()
	for _, code := range []temporal.SignedCode{temporal.Imbalanced, temporal.LeakyDelta, temporal.LeakyGraded} {
		n, err := network.Sequential(tensor.Shape{units}, 1, leaky(code, 0))
		if err != nil {
			t.Fatal(err)
		}
		pass := n.Compile(pool, false).NewPass(network.Options{Pool: pool})
		outs, err := pass.Forward(n.NewState(2), &signal.Signal{Kind: signal.Dense, T: steps, B: 2, Shape: tensor.Shape{units}, Data: x}, false)
		if err != nil {
			t.Fatal(err)
		}
		for b := range 2 {
			for i := 0; i < units; i += 97 {
				var own, got []tensor.Float
				for s := range steps {
					at := (s*2+b)*units + i
					own, got = append(own, x[at]), append(got, outs[0].Data[at])
				}
				if want, _ := signedTrace(t, leaky(code, 0), steps, own); !slices.Equal(got, want) {
					t.Fatalf("%v, sample %d, unit %d: %v, alone %v", code, b, i, got, want)
				}
			}
		}
	}
}
