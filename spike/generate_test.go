package spike_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/spike"
)

// A stream decides a train; neighbouring streams are independent.
func ExamplePoisson() {
	for trial := range uint64(2) {
		t, err := spike.Poisson{Rate: 3}.Train(spike.Stream(1, trial), 0, 1)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%.3f\n", t.Times)
	}
	// Output:
	// [0.282 0.993]
	// [0.216 0.227 0.750 0.839]
}

// Rates and irregularity of long trains are those asked for, within five
// standard errors, the start of the window included.
func TestGenerators(t *testing.T) {
	const rate, stop = 5.0, 4000.0
	for _, c := range []struct {
		name  string
		g     spike.Gamma
		cv    float64
		least float64
	}{
		{"Poisson", spike.Gamma{Rate: rate, Shape: 1}, 1, 0},
		{"refractory", spike.Gamma{Rate: rate, Shape: 1, Refractory: 0.05}, 0.75, 0.05},
		{"regular", spike.Gamma{Rate: rate, Shape: 4}, 0.5, 0},
		{"bursts", spike.Gamma{Rate: rate, Shape: 0.25}, 2, 0},
		{"regular, refractory", spike.Gamma{Rate: rate, Shape: 4, Refractory: 0.1}, 0.25, 0.1},
	} {
		tr, err := c.g.Train(spike.Stream(3), 0, stop)
		if err != nil {
			t.Fatal(err)
		}
		n := rate * stop
		near(t, c.name+": rate", tr.Rate(), rate, 5*rate*c.cv/math.Sqrt(n))
		near(t, c.name+": CV", must(tr.CV())(t), c.cv, 5*2*c.cv/math.Sqrt(n)*max(1, c.cv))
		if got := slices.Min(tr.Intervals()); got < c.least-1e-9 {
			t.Errorf("%s: an interval of %v", c.name, got)
		}
		// Spikes in the first tenth of a mean interval, over many trains: in
		// equilibrium as many as anywhere.
		early := 0
		for i := range uint64(20000) {
			tr, err := c.g.Train(spike.Stream(4, i), 0, 0.1/rate)
			if err != nil {
				t.Fatal(err)
			}
			early += len(tr.Times)
		}
		near(t, c.name+": spikes at the start", float64(early), 2000, 5*math.Sqrt(2000)*max(1, c.cv))
	}
}

func TestPoissonIsGammaOne(t *testing.T) {
	p, err := spike.Poisson{Rate: 4, Refractory: 0.1}.Train(spike.Stream(9), 2, 8)
	g, err2 := spike.Gamma{Rate: 4, Shape: 1, Refractory: 0.1}.Train(spike.Stream(9), 2, 8)
	if err != nil || err2 != nil || !reflect.DeepEqual(p, g) || len(p.Times) == 0 {
		t.Errorf("%v, %v; %v, %v", p, g, err, err2)
	}
}

// A rate that is 0 in one half and 10 in the other fills that half alone, and
// a refractory time is obeyed.
func TestInhomogeneous(t *testing.T) {
	half := func(at float64) float64 {
		if at < 500 {
			return 0
		}
		return 10
	}
	tr, err := spike.Inhomogeneous{Rate: half, Max: 20}.Train(spike.Stream(5), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "spikes", float64(len(tr.Times)), 5000, 5*math.Sqrt(5000))
	if tr.Times[0] < 500 {
		t.Errorf("a spike at %v, where the rate is 0", tr.Times[0])
	}
	near(t, "CV", must(tr.CV())(t), 1, 5/math.Sqrt(5000))
	tr, err = spike.Inhomogeneous{Rate: half, Max: 20, Refractory: 0.1}.Train(spike.Stream(5), 0, 1000)
	if err != nil || slices.Min(tr.Intervals()) < 0.1 {
		t.Errorf("refractory: %v, shortest interval %v", err, slices.Min(tr.Intervals()))
	}
	// intervals of 0.1 + 0.1 ± 0.1, so counts of 500/0.2 with half of a Poisson process' deviation
	near(t, "refractory rate", float64(len(tr.Times)), 2500, 5*math.Sqrt(2500)/2)
}

func TestGeneratorErrors(t *testing.T) {
	key := spike.Stream(1)
	one := func(float64) float64 { return 1 }
	for name, run := range map[string]func() (spike.Train, error){
		"product must stay below 1": func() (spike.Train, error) { return spike.Poisson{Rate: 10, Refractory: 0.1}.Train(key, 0, 1) },
		"from 0 on":                 func() (spike.Train, error) { return spike.Poisson{Rate: -1}.Train(key, 0, 1) },
		"shape":                     func() (spike.Train, error) { return spike.Gamma{Rate: 1}.Train(key, 0, 1) },
		"empty":                     func() (spike.Train, error) { return spike.Poisson{Rate: 1}.Train(key, 1, 1) },
		"lower the rate":            func() (spike.Train, error) { return spike.Poisson{Rate: 1e12}.Train(key, 0, 1) },
		"no rate":                   func() (spike.Train, error) { return spike.Inhomogeneous{Max: 1}.Train(key, 0, 1) },
		"Max = 0.5":                 func() (spike.Train, error) { return spike.Inhomogeneous{Rate: one, Max: 0.5}.Train(key, 0, 100) },
		"refractory time of -1": func() (spike.Train, error) {
			return spike.Inhomogeneous{Rate: one, Max: 1, Refractory: -1}.Train(key, 0, 1)
		},
	} {
		if _, err := run(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want an error about %q, found %v", name, err)
		}
	}
	for _, g := range []interface {
		Train(key rng.Key, start, stop float64) (spike.Train, error)
	}{spike.Poisson{}, spike.Gamma{Shape: 2}, spike.Inhomogeneous{Rate: one}} {
		if tr, err := g.Train(key, 0, 1); err != nil || len(tr.Times) != 0 {
			t.Errorf("rate 0: %v, %v", tr, err)
		}
	}
}

var surrogates = []spike.Surrogate{spike.Dither{Width: 0.5}, spike.ShuffleIntervals{}, spike.ShuffleBins{Width: 0.7}}

// Surrogates keep the window and the count, leave the original alone, and are
// decided by the stream.
func TestSurrogateProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a := anyTrain(r, "a")
		kept := slices.Clone(a.Times)
		key := spike.Stream(rapid.Uint64().Draw(r, "seed"))
		for _, s := range surrogates {
			b, err := s.Shuffle(a, key)
			if err != nil {
				r.Fatal(err)
			}
			if _, err := spike.NewTrain(b.Times, a.Start, a.Stop); err != nil || len(b.Times) != len(a.Times) || b.Start != a.Start || b.Stop != a.Stop {
				r.Fatalf("%T: %v, %v", s, b, err)
			}
			again, _ := s.Shuffle(a, key)
			if !slices.Equal(a.Times, kept) || !slices.Equal(again.Times, b.Times) {
				r.Fatalf("%T changed the original, or differs the second time", s)
			}
		}
		b, _ := spike.ShuffleIntervals{}.Shuffle(a, key)
		x, y := slices.Sorted(slices.Values(gaps(a))), slices.Sorted(slices.Values(gaps(b)))
		for i := range x {
			if math.Abs(x[i]-y[i]) > 1e-12 {
				r.Fatalf("intervals %v became %v", x, y)
			}
		}
	})
}

func gaps(t spike.Train) []float64 {
	return train(t.Start, t.Stop, append([]float64{t.Start}, t.Times...)...).Intervals()
}

// Dither stays near, bins keep the place in the bin, and both really move.
func TestSurrogatesMove(t *testing.T) {
	a := train(0, 100)
	for i := range 100 {
		a.Times = append(a.Times, float64(i)+0.25)
	}
	b, err := spike.Dither{Width: 0.2}.Shuffle(a, spike.Stream(1))
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.Times {
		if d := math.Abs(a.Times[i] - b.Times[i]); d > 0.2 || d == 0 {
			t.Errorf("spike %d moved by %v", i, d)
		}
	}
	a.Times = a.Times[:10]
	if b, err = (spike.ShuffleBins{Width: 1}).Shuffle(a, spike.Stream(1)); err != nil || slices.Equal(a.Times, b.Times) {
		t.Errorf("bins: %v, %v", b, err)
	}
	for _, at := range b.Times {
		near(t, "place in the bin", at-math.Floor(at), 0.25, 1e-9)
	}
	for _, s := range []spike.Surrogate{spike.Dither{Width: -1}, spike.Dither{Width: 1e9}, spike.Dither{Width: math.NaN()}, spike.ShuffleBins{}} {
		if _, err := s.Shuffle(a, spike.Stream(1)); err == nil {
			t.Errorf("%#v: no error", s)
		}
	}
}

// Of trains that fire together the distance is far below that of surrogates; of
// independent trains p-values are spread evenly.
func TestTest(t *testing.T) {
	distance := func(trains []spike.Train) (float64, error) {
		c, err := spike.STTC(trains[0], trains[1], 0.02)
		return 1 - c, err
	}
	pair := func(seed uint64, jitter float64) []spike.Train {
		a, err := spike.Poisson{Rate: 10}.Train(spike.Stream(seed, 0), 0, 5)
		if err != nil {
			t.Fatal(err)
		}
		b, err := spike.Dither{Width: jitter}.Shuffle(a, spike.Stream(seed, 1))
		if err != nil {
			t.Fatal(err)
		}
		return []spike.Train{a, b}
	}
	pool := par.New(2)
	defer pool.Close()
	s := spike.Dither{Width: 0.5}
	got, err := spike.Test(pair(1, 0.01), distance, s, 99, spike.Small, spike.Stream(2), pool)
	if err != nil || got.P != 0.01 || got.N != 99 || got.Mean < 0.5 || got.Std <= 0 || got.Value > 0.1 {
		t.Errorf("%+v, %v", got, err)
	}
	alone, err := spike.Test(pair(1, 0.01), distance, s, 99, spike.Small, spike.Stream(2), nil)
	if err != nil || alone != got {
		t.Errorf("on one thread %+v, on two %+v", alone, got)
	}
	if large, err := spike.Test(pair(1, 0.01), distance, s, 99, spike.Large, spike.Stream(2), pool); err != nil || large.P != 1 {
		t.Errorf("other tail: %+v, %v", large, err)
	}
	// A shuffle of shuffled bins is one more draw from the same distribution.
	low, bins, chance := 0, spike.ShuffleBins{Width: 0.05}, pair(7, 0.3)
	for seed := range uint64(200) {
		var trains []spike.Train
		for i, c := range chance {
			b, err := bins.Shuffle(c, spike.Stream(4, seed, uint64(i)))
			if err != nil {
				t.Fatal(err)
			}
			trains = append(trains, b)
		}
		one, err := spike.Test(trains, distance, bins, 19, spike.Small, spike.Stream(3, seed), pool)
		if err != nil {
			t.Fatal(err)
		}
		if one.P <= 0.5 {
			low++
		}
	}
	near(t, "p-values of at most ½, of 200", float64(low), 100, 5*math.Sqrt(50))
	if _, err := spike.Test(pair(1, 0.1), distance, s, 0, spike.Small, spike.Stream(2), pool); err == nil {
		t.Error("no surrogates: no error")
	}
	if _, err := spike.Test([]spike.Train{train(0, 1), train(0, 1)}, distance, s, 9, spike.Small, spike.Stream(2), pool); err == nil || !strings.Contains(err.Error(), "not a number") {
		t.Errorf("empty trains: %v", err)
	}
}

// TestShuffleBinsKeepsTheSpikeOnTheEnd: it was put into the last bin, at a place no
// other spike of a bin can have, and met the first spike of the bin that came next.
func TestShuffleBinsKeepsTheSpikeOnTheEnd(t *testing.T) {
	a := train(0, 4, 0, 1, 2, 3, 4)
	moved := train(0, 4, 0, 1.5, 4)
	orders := map[float64]bool{}
	for seed := range uint64(50) {
		b, err := spike.ShuffleBins{Width: 1}.Shuffle(a, spike.Stream(seed))
		if err != nil || !slices.Equal(b.Times, a.Times) {
			t.Fatalf("seed %d: %v, %v; want the train itself", seed, b, err)
		}
		b, err = spike.ShuffleBins{Width: 1}.Shuffle(moved, spike.Stream(seed))
		if err != nil || len(b.Times) != 3 || b.Times[2] != 4 {
			t.Fatalf("seed %d: %v, %v; want 3 spikes, one of them at 4", seed, b, err)
		}
		orders[b.Times[1]-b.Times[0]] = true
	}
	if len(orders) < 4 {
		t.Errorf("%d distances of the two spikes that move, want several", len(orders))
	}
}
