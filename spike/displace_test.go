package spike_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"synfire/spike"
)

// displacing are the surrogates of displace.go, with times in ticks of a unit.
func displacing(unit float64) []spike.Surrogate {
	return []spike.Surrogate{
		spike.Shift{Width: 30 * unit}, spike.Jitter{Width: 10 * unit}, spike.Randomize{},
		spike.RefractoryDither{Width: 4 * unit, Refractory: 2 * unit},
		spike.JointDither{Width: 8 * unit, Smooth: 2 * unit, Longest: 40 * unit},
	}
}

// Each gives a train of the window with as many spikes or, where two fall together, fewer;
// the same for the same key, and in any unit of time.
func TestDisplacingSurrogates(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		k := ticks(r, "a")
		a, unit := in(k, 1, 0), rapid.SampledFrom(units).Draw(r, "unit")
		b := in(k, unit, 0)
		key := spike.Stream(rapid.Uint64().Draw(r, "seed"))
		kept := slices.Clone(a.Times)
		for i, s := range displacing(1) {
			x, err := s.Shuffle(a, key)
			if err != nil || x.Validate() != nil || len(x.Times) > len(a.Times) || len(x.Times) < len(a.Times)-1 || x.Stop != a.Stop {
				r.Fatalf("%T: %v, %v", s, x, err)
			}
			again, _ := s.Shuffle(a, key)
			if !slices.Equal(again.Times, x.Times) || !slices.Equal(a.Times, kept) {
				r.Fatalf("%T changed the original, or differs the second time", s)
			}
			y, err := displacing(unit)[i].Shuffle(b, key)
			if err != nil || len(y.Times) != len(x.Times) {
				r.Fatalf("%T in units of %v: %v, %v, want %v", s, unit, y, err, x)
			}
			for j := range y.Times {
				if math.Abs(y.Times[j]/unit-x.Times[j]) > 1e-6 {
					r.Fatalf("%T in units of %v: %v, want %v", s, unit, y, x)
				}
			}
		}
	})
}

// A regular train with a refractory time, for what surrogates keep of it.
func refractoryTrain(t *testing.T) spike.Train {
	t.Helper()
	a, err := spike.Gamma{Rate: 20, Shape: 3, Refractory: 0.01}.Train(spike.Stream(3), 0, 200)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func shuffled(t *testing.T, s spike.Surrogate, a spike.Train) spike.Train {
	t.Helper()
	b, err := s.Shuffle(a, spike.Stream(9))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What each keeps, and what it destroys.
func TestMomentsOfSurrogates(t *testing.T) {
	a := refractoryTrain(t)
	n := len(a.Times)
	cv, _ := a.CV()
	// Shift: all intervals but one.
	b := shuffled(t, spike.Shift{Width: 100}, a)
	same := 0
	of := a.Intervals()
	for _, v := range b.Intervals() {
		if slices.ContainsFunc(of, func(w float64) bool { return math.Abs(v-w) < 1e-9 }) {
			same++
		}
	}
	if len(b.Times) != n || same < n-2 {
		t.Errorf("shift: %d of %d intervals kept", same, n-1)
	}
	// Jitter: counts of bins.
	b = shuffled(t, spike.Jitter{Width: 0.5}, a)
	x, _ := spike.Counts(a, 0.5)
	y, _ := spike.Counts(b, 0.5)
	if !slices.Equal(x.Values, y.Values) {
		t.Error("jitter: counts of bins changed")
	}
	sum := 0.0
	for _, at := range b.Times {
		sum += math.Mod(at, 0.5)
	}
	near(t, "jitter: mean place in the bin", sum/float64(n), 0.25, 5*0.5/math.Sqrt(12*float64(n)))
	// Randomisation: a Poisson process.
	b = shuffled(t, spike.Randomize{}, a)
	poisson, _ := b.CV()
	near(t, "randomisation: CV", poisson, 1, 0.06)
	// Dither with a refractory time: no short intervals, and it moves.
	b = shuffled(t, spike.RefractoryDither{Width: 0.02, Refractory: 0.01}, a)
	if slices.Min(b.Intervals()) < 0.01-1e-9 || len(b.Times) != n {
		t.Errorf("refractory dither: shortest interval %v of %d", slices.Min(b.Intervals()), len(b.Times))
	}
	moved, mean := 0, 0.0
	for i := range a.Times {
		by := b.Times[i] - a.Times[i]
		if mean += by; by != 0 {
			moved++
		}
	}
	if moved < n*9/10 {
		t.Errorf("refractory dither: %d of %d moved", moved, n)
	}
	near(t, "refractory dither: mean move", mean/float64(n), 0, 5*0.02/math.Sqrt(3*float64(n)))
	plain := shuffled(t, spike.Dither{Width: 0.02}, a)
	if slices.Min(plain.Intervals()) > 0.005 {
		t.Errorf("plain dither left no short interval: %v", slices.Min(plain.Intervals()))
	}
	// Joint dither: the CV stays, where plain dither raises it.
	b = shuffled(t, spike.JointDither{Width: 0.04, Smooth: 0.005, Longest: 0.3}, a)
	joint, _ := b.CV()
	wide, _ := shuffled(t, spike.Dither{Width: 0.04}, a).CV()
	if math.Abs(joint-cv) > 0.06 || wide < cv+0.15 {
		t.Errorf("CV %v, of joint dither %v, of plain dither %v", cv, joint, wide)
	}
	moved = 0
	for i := range min(n, len(b.Times)) {
		if math.Abs(b.Times[i]-a.Times[i]) > 0.002 {
			moved++
		}
	}
	if moved < n/2 {
		t.Errorf("joint dither: %d of %d moved", moved, n)
	}
}

func TestDisplacingErrors(t *testing.T) {
	a := train(0, 10, 1, 2, 3)
	for _, s := range []spike.Surrogate{
		spike.Shift{Width: -1}, spike.Shift{Width: 11}, spike.Jitter{}, spike.RefractoryDither{Width: 1, Refractory: math.NaN()},
		spike.JointDither{Width: 1}, spike.JointDither{Width: 1e-9, Longest: 1}, spike.JointDither{Width: 1, Longest: 2, Smooth: -1},
	} {
		if _, err := s.Shuffle(a, spike.Stream(1)); err == nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("%#v: %v", s, err)
		}
	}
	for _, s := range displacing(1) {
		if _, err := s.Shuffle(train(0, 100, 2, 1), spike.Stream(1)); err == nil || !strings.Contains(err.Error(), "sort") {
			t.Errorf("%T: %v", s, err)
		}
	}
}

// Each spike is put after the one before where that is now, not where it was. Without pairs of
// intervals to go by places are uniform: of spikes at 0, 2, 4 and 6 the second comes to x in
// [0, 4], and the third, in [x, 6], before 2 now and then, which from its old place it could not.
func TestJointDitherGoesByMovedSpikes(t *testing.T) {
	a, err := spike.NewTrain([]float64{0, 2, 4, 6}, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	early, n := 0, 20000
	for seed := range uint64(n) {
		b, err := spike.JointDither{Width: 10, Longest: 1.25}.Shuffle(a, spike.Stream(8, seed))
		if err != nil || len(b.Times) != 4 || b.Times[0] != 0 || b.Times[3] != 6 {
			t.Fatalf("%v, %v", b.Times, err)
		}
		if b.Times[2] < 2 {
			early++
		}
	}
	// ∫₀² dx/4 · (2 − x)/(6 − x) = ½ − ln(3/2)
	p := 0.5 - math.Log(1.5)
	near(t, "share of third spikes before 2", float64(early)/float64(n), p, 5*math.Sqrt(p*(1-p)/float64(n)))
}
