package spike

import (
	"fmt"
	"math"

	"synfire/internal/rng"
)

// InverseGaussian is a renewal process whose intervals have an inverse Gaussian
// distribution, as those of a perfect integrator driven by noise: mean 1/Rate, and CV of
// any size above 0. The process is in equilibrium.
type InverseGaussian struct{ Rate, CV float64 }

// Train draws a train in [start, stop].
func (g InverseGaussian) Train(key rng.Key, start, stop float64) (Train, error) {
	mean := 1 / g.Rate
	draw := func(s *rng.Source) float64 { return inverseGaussian(s, mean, mean/(g.CV*g.CV)) }
	longer := func(s *rng.Source) float64 { return mean * mean / draw(s) } // weighted by length: the reciprocal
	return renewal("spike.InverseGaussian", g.Rate, g.CV, draw, longer, key, start, stop)
}

// inverseGaussian draws from the distribution of a mean and a shape λ (Michael, Schucany &
// Haas 1976).
func inverseGaussian(s *rng.Source, mean, lambda float64) float64 {
	z := s.Norm()
	y := mean * z * z / (2 * lambda)
	// 1 + y − √(y² + 2y), without the difference of large numbers
	x := mean / (1 + y + math.Sqrt(y*y+2*y))
	if s.Float64() <= mean/(mean+x) {
		return x
	}
	return mean * mean / x
}

// LogNormal is a renewal process whose intervals have logarithms of a normal distribution:
// mean 1/Rate, and CV of any size above 0. The process is in equilibrium.
type LogNormal struct{ Rate, CV float64 }

// Train draws a train in [start, stop].
func (l LogNormal) Train(key rng.Key, start, stop float64) (Train, error) {
	variance := math.Log1p(l.CV * l.CV)
	draw := func(s *rng.Source) float64 { return math.Exp(math.Sqrt(variance)*s.Norm()-variance/2) / l.Rate }
	longer := func(s *rng.Source) float64 { return draw(s) * math.Exp(variance) } // the mean of the logarithm is variance higher
	return renewal("spike.LogNormal", l.Rate, l.CV, draw, longer, key, start, stop)
}

// renewal draws a train of a process in equilibrium: the window begins within an interval
// that is met in proportion to its length, which longer draws.
func renewal(op string, rate, cv float64, draw, longer func(s *rng.Source) float64, key rng.Key, start, stop float64) (Train, error) {
	if !(cv > 0) || math.IsInf(cv, 1) {
		return Train{}, fmt.Errorf("%s: a CV of %v; want a number above 0", op, cv)
	}
	if err := checkRate(rate, 0, start, stop); err != nil {
		return Train{}, fmt.Errorf("%s: %w", op, err)
	}
	t := Train{Start: start, Stop: stop}
	if rate == 0 {
		return t, nil
	}
	s := key.Source()
	for at := start + s.Float64()*longer(s); at <= stop; at += draw(s) {
		t.add(at)
	}
	return t, nil
}

// Compound is a compound Poisson process: trains of one rate whose counts in any bins have
// one correlation coefficient between each pair. Each spike of a Poisson process of rate
// Rate/Correlation is copied into each train with the probability Correlation (Kuhn, Aertsen &
// Rotter 2003: multiple interaction process); so correlated spikes are at the same time, and
// each train is a Poisson process. A correlation of 0 is trains without any.
type Compound struct {
	Units       int
	Rate        float64
	Correlation float64 // in [0, 1]
}

// Trains draws the trains in [start, stop].
func (c Compound) Trains(key rng.Key, start, stop float64) ([]Train, error) {
	const op = "spike.Compound"
	if c.Units < 1 || !(c.Correlation >= 0 && c.Correlation <= 1) {
		return nil, fmt.Errorf("%s: %d units of correlation %v; want at least one, and a correlation from 0 to 1", op, c.Units, c.Correlation)
	}
	out := make([]Train, c.Units)
	if c.Correlation == 0 {
		for i := range out {
			var err error
			if out[i], err = (Poisson{Rate: c.Rate}).Train(key.Int(uint64(i)), start, stop); err != nil {
				return nil, fmt.Errorf("%s: %w", op, err)
			}
		}
		return out, nil
	}
	mother, err := Poisson{Rate: c.Rate / c.Correlation}.Train(key.Str("mother"), start, stop)
	if err != nil {
		return nil, fmt.Errorf("%s: the common process of rate %v: %w", op, c.Rate/c.Correlation, err)
	}
	for i := range out {
		out[i] = Train{Start: start, Stop: stop}
		s := key.Int(uint64(i)).Source()
		for _, at := range mother.Times {
			if s.Float64() < c.Correlation {
				out[i].Times = append(out[i].Times, at)
			}
		}
	}
	return out, nil
}
