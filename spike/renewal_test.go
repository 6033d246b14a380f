package spike_test

import (
	"math"
	"strings"
	"testing"

	"synfire/internal/rng"
	"synfire/spike"
)

// Rate and CV of intervals are those asked for; the skewness of intervals is that of the
// distribution: 3 CV of the inverse Gaussian, (e^{σ²} + 2)√(e^{σ²} − 1) = CV³ + 3 CV of the
// log-normal.
func TestRenewalProcesses(t *testing.T) {
	type process interface {
		Train(key rng.Key, start, stop float64) (spike.Train, error)
	}
	for name, c := range map[string]struct {
		p        process
		cv, skew float64
	}{
		"regular inverse Gaussian": {spike.InverseGaussian{Rate: 20, CV: 0.3}, 0.3, 0.9},
		"inverse Gaussian":         {spike.InverseGaussian{Rate: 20, CV: 0.8}, 0.8, 2.4},
		"log-normal":               {spike.LogNormal{Rate: 20, CV: 0.4}, 0.4, 0.4*0.4*0.4 + 1.2},
	} {
		a, err := c.p.Train(spike.Stream(5), -10, 5000)
		if err != nil {
			t.Fatal(err)
		}
		n := float64(len(a.Times))
		near(t, name+": rate", a.Rate(), 20, 5*20*c.cv/math.Sqrt(n))
		cv, _ := a.CV()
		near(t, name+": CV", cv, c.cv, 0.02)
		mean, third, sd := 0.0, 0.0, 0.0
		for _, v := range a.Intervals() {
			mean += v / (n - 1)
		}
		for _, v := range a.Intervals() {
			third += math.Pow(v-mean, 3) / (n - 1)
			sd += (v - mean) * (v - mean) / (n - 1)
		}
		near(t, name+": skewness", third/math.Pow(sd, 1.5), c.skew, 0.2*c.skew)
		// In equilibrium the rate is the same from the start on: 4,000 windows of half a mean interval.
		first := 0
		for seed := range uint64(4000) {
			w, err := c.p.Train(spike.Stream(6, seed), 0, 0.025)
			if err != nil {
				t.Fatal(err)
			}
			first += len(w.Times)
		}
		near(t, name+": spikes in the first 25 ms", float64(first)/4000, 0.5, 5*0.6/math.Sqrt(4000))
	}
}

// Each train is Poisson of its rate; counts of pairs have the correlation, in fine bins and
// in coarse ones.
func TestCompound(t *testing.T) {
	for _, rho := range []float64{0, 0.2, 0.7, 1} {
		trains, err := spike.Compound{Units: 4, Rate: 10, Correlation: rho}.Trains(spike.Stream(7), 0, 2000)
		if err != nil || len(trains) != 4 {
			t.Fatal(err)
		}
		for _, width := range []float64{0.01, 0.5} {
			near(t, "correlation", correlation(t, trains[0], trains[3], width), rho, 0.06)
		}
		for _, a := range trains {
			near(t, "rate", a.Rate(), 10, 5*math.Sqrt(10.0/2000))
			cv, _ := a.CV()
			near(t, "CV", cv, 1, 0.04)
		}
	}
}

func correlation(t *testing.T, a, b spike.Train, width float64) float64 {
	t.Helper()
	x, err := spike.Counts(a, width)
	if err != nil {
		t.Fatal(err)
	}
	y, _ := spike.Counts(b, width)
	var sx, sy, xx, yy, xy float64
	n := float64(len(x.Values))
	for i, v := range x.Values {
		w := y.Values[i]
		sx, sy, xx, yy, xy = sx+v, sy+w, xx+v*v, yy+w*w, xy+v*w
	}
	return (xy - sx*sy/n) / math.Sqrt((xx-sx*sx/n)*(yy-sy*sy/n))
}

func TestRenewalErrors(t *testing.T) {
	for want, err := range map[string]error{
		"a CV of 0":        fails(spike.InverseGaussian{Rate: 1}.Train(spike.Stream(1), 0, 1)),
		"a CV of -1":       fails(spike.LogNormal{Rate: 1, CV: -1}.Train(spike.Stream(1), 0, 1)),
		"rate -1":          fails(spike.LogNormal{Rate: -1, CV: 1}.Train(spike.Stream(1), 0, 1)),
		"empty or endless": fails(spike.InverseGaussian{Rate: 1, CV: 1}.Train(spike.Stream(1), 1, 1)),
		"correlation 2":    fails(spike.Compound{Units: 1, Rate: 1, Correlation: 2}.Trains(spike.Stream(1), 0, 1)),
		"0 units":          fails(spike.Compound{Rate: 1}.Trains(spike.Stream(1), 0, 1)),
		"more than 2²⁷":    fails(spike.Compound{Units: 1, Rate: 1e6, Correlation: 1e-6}.Trains(spike.Stream(1), 0, 1000)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if silent, err := (spike.LogNormal{CV: 1}).Train(spike.Stream(1), 0, 1); err != nil || len(silent.Times) != 0 {
		t.Errorf("rate 0: %v, %v", silent, err)
	}
}

func fails[T any](_ T, err error) error { return err }

// The time from the start of a window to the first spike of a process in equilibrium has the mean
// E[I²]/(2 E[I]) = (1 + CV²)/(2 rate), whatever the distribution of intervals.
func TestFirstSpikeOfRenewalProcesses(t *testing.T) {
	type process interface {
		Train(key rng.Key, start, stop float64) (spike.Train, error)
	}
	for name, c := range map[string]struct {
		p  process
		cv float64
	}{
		"inverse Gaussian":   {spike.InverseGaussian{Rate: 20, CV: 1.3}, 1.3},
		"log-normal":         {spike.LogNormal{Rate: 20, CV: 1.3}, 1.3},
		"gamma":              {spike.Gamma{Rate: 20, Shape: 0.5}, math.Sqrt2},
		"refractory Poisson": {spike.Poisson{Rate: 20, Refractory: 0.025}, 0.5},
	} {
		const n = 4000
		sum, squares := 0.0, 0.0
		for seed := range uint64(n) {
			w, err := c.p.Train(spike.Stream(7, seed), 3, 5) // forty mean intervals
			if err != nil || len(w.Times) == 0 {
				t.Fatalf("%s: %v, %v", name, w, err)
			}
			v := w.Times[0] - 3
			sum, squares = sum+v/n, squares+v*v/n
		}
		near(t, name+": time to the first spike", sum, (1+c.cv*c.cv)/40, 5*math.Sqrt((squares-sum*sum)/n))
	}
}
