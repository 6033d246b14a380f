package compare_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"synfire/compare"
	"synfire/distance"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/spike"
)

// poisson is trials of stimuli whose units fire at their own rates.
func poisson(seed uint64, stimuli, trials, units int, rate func(stimulus, unit int) float64) []compare.Trials {
	out := make([]compare.Trials, stimuli)
	for i := range out {
		for t := range trials {
			s := rng.New(seed, "poisson").Int(uint64(i)).Int(uint64(t)).Source()
			trains := make([]spike.Train, units)
			for u := range trains {
				trains[u].Stop = 100
				for at := -math.Log(1-s.Float64()) / rate(i, u); at < 100; at -= math.Log(1-s.Float64()) / rate(i, u) {
					trains[u].Times = append(trains[u].Times, at)
				}
			}
			out[i] = append(out[i], trains)
		}
	}
	return out
}

func train(times ...float64) compare.Trials {
	return compare.Trials{{{Times: times, Stop: 100}}}
}

// The two trains of the card: a = (10, 30, 50), b = (12, 33, 70).
func TestSpikeNumbers(t *testing.T) {
	stimuli := []compare.Trials{train(10, 30, 50), train(12, 33, 70), train()}
	for _, c := range []struct {
		d    compare.TrainDistance
		want float64
	}{
		{distance.VictorPurpura{Cost: 0}, 0}, {distance.VictorPurpura{Cost: .05}, 1.25}, {distance.VictorPurpura{Cost: .1}, 2.5},
		{distance.VictorPurpura{Cost: 1}, 6}, {distance.VictorPurpura{Cost: 10}, 6},
		{distance.VanRossum{Tau: 5, Squared: true}, 3.487089}, {distance.VanRossum{Tau: 10, Squared: true}, 2.505806},
		{distance.VanRossum{Tau: math.Inf(1), Squared: true}, 0}, {distance.VanRossum{Tau: 0, Squared: true}, 6},
	} {
		got, err := compare.SpikeRDM(stimuli, c.d, nil)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "distance", got.D.At(0, 1), c.want, 5e-7)
	}
}

// Traces give van Rossum's D² for any τ, the limits included.
func TestTraces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n, units, steps = 4, 2, 9
		counts := mat.NewDense(n, units*steps, nil)
		stimuli := make([]compare.Trials, n)
		for i := range n {
			trains := make([]spike.Train, units)
			for u := range units {
				trains[u].Stop = steps
				for k := range steps {
					if rapid.Bool().Draw(t, "spike") {
						counts.Set(i, u*steps+k, 1)
						trains[u].Times = append(trains[u].Times, float64(k))
					}
				}
			}
			stimuli[i] = compare.Trials{trains}
		}
		tau := rapid.SampledFrom([]float64{0, .3, 1, 5, 40, math.Inf(1)}).Draw(t, "tau")
		traces, err := compare.Traces(counts, steps, tau)
		if err != nil {
			t.Fatal(err)
		}
		got, err := compare.Euclidean(traces)
		if err != nil {
			t.Fatal(err)
		}
		want, err := compare.SpikeRDM(stimuli, distance.VanRossum{Tau: tau, Squared: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range want.D.Values { // a mean over units there, over features here
			if math.Abs(got.Values[k]*units*steps-v*units) > 1e-9 {
				t.Errorf("τ = %v: %v, want %v", tau, got.Values[k]*units*steps, v*units)
			}
		}
	})
}

// Spike trains are arranged as their rates are once τ reaches the presentation: what van
// Rossum's distance becomes, and no finding about a network.
func TestTracesBecomeRates(t *testing.T) {
	const n, units, steps = 40, 30, 32
	random := rng.New(7, "rates").Source()
	counts, rates := mat.NewDense(n, units*steps, nil), mat.NewDense(n, units, nil)
	for i := range n {
		for u := range units {
			for k, p := 0, random.Float64(); k < steps; k++ {
				if random.Float64() < p {
					counts.Set(i, u*steps+k, 1)
					rates.Set(i, u, rates.At(i, u)+1)
				}
			}
		}
	}
	want, err := compare.Euclidean(rates)
	if err != nil {
		t.Fatal(err)
	}
	for tau, least := range map[float64]float64{steps: 0.95, 10 * steps: 0.999, math.Inf(1): 1 - 1e-12} {
		traces, err := compare.Traces(counts, steps, tau)
		if err != nil {
			t.Fatal(err)
		}
		got, err := compare.Euclidean(traces)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := compare.Pearson(got, want); err != nil || r < least {
			t.Errorf("τ = %v: correlation %v of the RDMs, %v; want %v or more", tau, r, err, least)
		}
	}
}

// Without a difference between stimuli the corrected distances are 0 on average,
// the plain ones are not; threads change nothing.
func TestSpikeNoise(t *testing.T) {
	d := distance.VanRossum{Tau: 10, Squared: true}
	var plain, corrected, crossed []float64
	for seed := range uint64(25) {
		stimuli := poisson(seed, 5, 3, 3, func(int, int) float64 { return 0.1 })
		s, err := compare.SpikeRDM(stimuli, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.NoiseCorrected()
		if err != nil {
			t.Fatal(err)
		}
		cv, err := compare.SpikeRDMCV(stimuli, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		plain, corrected, crossed = append(plain, mean(s.D.Values)), append(corrected, mean(c.Values)), append(crossed, mean(cv.Values))
	}
	for name, v := range map[string][]float64{"corrected": corrected, "cross-validated": crossed} {
		if m, se := mean(v), deviation(v)/math.Sqrt(float64(len(v))); math.Abs(m) > 3*se {
			t.Errorf("%s: mean %v, standard error %v; want 0 within 3", name, m, se)
		}
	}
	if mean(plain) < 5 {
		t.Errorf("plain distances of noise: %v", mean(plain))
	}
	stimuli := poisson(1, 6, 2, 4, func(i, u int) float64 { return 0.02 + 0.1*float64((i+u)%4) })
	pool := par.New(3)
	defer pool.Close()
	one, err := compare.SpikeRDM(stimuli, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if many, err := compare.SpikeRDM(stimuli, d, pool); err != nil || !reflect.DeepEqual(one, many) {
		t.Errorf("three threads differ from one, %v", err)
	}
	// stimuli that differ are told apart
	cv, err := compare.SpikeRDMCV(stimuli, d, pool)
	if err != nil || cv.At(0, 4) > cv.At(0, 2) {
		t.Errorf("stimuli 0 and 4 have the same rates, 0 and 2 do not: %v and %v, %v", cv.At(0, 4), cv.At(0, 2), err)
	}
}

func TestSpikeErrors(t *testing.T) {
	three := []compare.Trials{train(1), train(2), train(3)}
	d := distance.VanRossum{Tau: 10, Squared: true}
	for _, c := range []struct {
		want    string
		stimuli []compare.Trials
	}{
		{"of 2 stimuli", three[:2]},
		{"stimulus 0 has no spike trains", []compare.Trials{{}, train(1), train(2)}},
		{"stimulus 1 has no repetition", []compare.Trials{train(1), {}, train(2)}},
		{"2 units in repetition 0 of stimulus 2", []compare.Trials{train(1), train(2), {{{Stop: 1}, {Stop: 1}}}}},
		{"stimuli 0 and 1", []compare.Trials{train(5, 1), train(2), train(3)}},
	} {
		if _, err := compare.SpikeRDM(c.stimuli, d, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if _, err := compare.SpikeRDMCV(three, d, nil); err == nil || !strings.Contains(err.Error(), "at least 2") {
		t.Errorf("one repetition: %v", err)
	}
	s, err := compare.SpikeRDM(three, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.NoiseCorrected(); err == nil || !strings.Contains(err.Error(), "shown once") {
		t.Errorf("one repetition: %v", err)
	}
}
