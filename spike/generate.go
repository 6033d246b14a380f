package spike

import (
	"errors"
	"fmt"
	"math"

	"synfire/internal/rng"
)

// Stream names the random numbers of one train: a pure function of a seed and
// of whatever indices tell it from others (the experiment, the trial, the unit).
// The same stream gives the same train, whoever asks for it and when.
func Stream(seed uint64, path ...uint64) rng.Key {
	key := rng.New(seed, rng.Train)
	for _, i := range path {
		key = key.Int(i)
	}
	return key
}

// maxExpected bounds the spikes that a generator may be expected to make.
const maxExpected = 1 << 27

// Poisson is a Poisson process of a constant rate, in spikes per unit of time.
// With a refractory time the intervals are that time and an exponential rest,
// whose mean is such that the rate remains Rate.
type Poisson struct{ Rate, Refractory float64 }

// Train draws a train in [start, stop].
func (p Poisson) Train(key rng.Key, start, stop float64) (Train, error) {
	return Gamma{Rate: p.Rate, Shape: 1, Refractory: p.Refractory}.train("spike.Poisson", key, start, stop)
}

// Gamma is a renewal process whose intervals are Refractory + G, G from a gamma
// distribution of the given shape: 1 is a Poisson process, more is more regular
// (without a refractory time CV = 1/√Shape), less comes in bursts. The process
// is in equilibrium: it did not start at the window's edge.
type Gamma struct{ Rate, Shape, Refractory float64 }

// Train draws a train in [start, stop].
func (g Gamma) Train(key rng.Key, start, stop float64) (Train, error) {
	return g.train("spike.Gamma", key, start, stop)
}

func (g Gamma) train(op string, key rng.Key, start, stop float64) (Train, error) {
	if !(g.Shape > 0) || math.IsInf(g.Shape, 1) {
		return Train{}, fmt.Errorf("%s: shape %v; want a number above 0", op, g.Shape)
	}
	if err := checkRate(g.Rate, g.Refractory, start, stop); err != nil {
		return Train{}, fmt.Errorf("%s: %w", op, err)
	}
	t := Train{Start: start, Stop: stop}
	if g.Rate == 0 {
		return t, nil
	}
	s := key.Source()
	scale := (1/g.Rate - g.Refractory) / g.Shape
	for at := start + g.first(s, scale); at <= stop; at += g.Refractory + scale*gamma(s, g.Shape) {
		t.add(at)
	}
	return t, nil
}

// add appends a spike, unless it is so soon that its time rounds to that of the
// last one.
func (t *Train) add(at float64) {
	if n := len(t.Times); n == 0 || at > t.Times[n-1] {
		t.Times = append(t.Times, at)
	}
}

// first is the time from a moment chosen at random to the next spike: a uniform
// part of an interval that is met in proportion to its length. Weighted by
// length, a gamma variable has a shape one higher.
func (g Gamma) first(s *rng.Source, scale float64) float64 {
	shape := g.Shape
	if s.Float64() >= g.Refractory*g.Rate {
		shape++
	}
	return s.Float64() * (g.Refractory + scale*gamma(s, shape))
}

// gamma draws from the gamma distribution of scale 1 (Marsaglia & Tsang 2000).
func gamma(s *rng.Source, shape float64) float64 {
	if shape == 1 {
		return -math.Log(1 - s.Float64())
	}
	if shape < 1 {
		return gamma(s, shape+1) * math.Pow(1-s.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	for {
		x := s.Norm()
		v := 1 + x/math.Sqrt(9*d)
		v *= v * v
		if v > 0 && math.Log(1-s.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// Inhomogeneous is a Poisson process of a rate that follows time, drawn by
// thinning: candidates come at the constant rate Max, and the one at t stays
// with probability Rate(t)/Max (Lewis & Shedler 1979). Candidates within the
// refractory time of a spike are left out, which lowers the rate.
type Inhomogeneous struct {
	Rate       func(t float64) float64
	Max        float64 // the highest rate; one above it is an error
	Refractory float64
}

// Train draws a train in [start, stop].
func (p Inhomogeneous) Train(key rng.Key, start, stop float64) (Train, error) {
	const op = "spike.Inhomogeneous"
	if p.Rate == nil {
		return Train{}, fmt.Errorf("%s: no rate; give a function of time", op)
	}
	if err := checkRate(p.Max, 0, start, stop); err != nil {
		return Train{}, fmt.Errorf("%s: %w", op, err)
	}
	if !(p.Refractory >= 0) {
		return Train{}, fmt.Errorf("%s: a refractory time of %v; want one from 0 on", op, p.Refractory)
	}
	t := Train{Start: start, Stop: stop}
	if p.Max == 0 {
		return t, nil
	}
	s := key.Source()
	free := start // the neuron may fire from here on
	for at := start + gamma(s, 1)/p.Max; at <= stop; at += gamma(s, 1) / p.Max {
		rate := p.Rate(at)
		if !(rate >= 0 && rate <= p.Max) {
			return Train{}, fmt.Errorf("%s: the rate is %v at %v; want it in [0, Max = %v]", op, rate, at, p.Max)
		}
		if s.Float64()*p.Max < rate && at >= free {
			t.add(at)
			free = at + p.Refractory
		}
	}
	return t, nil
}

func checkRate(rate, refractory, start, stop float64) error {
	switch {
	case !(start < stop) || math.IsInf(stop-start, 1):
		return fmt.Errorf("the window [%v, %v] is empty or endless; give a stop after the start", start, stop)
	case !(rate >= 0) || !(refractory >= 0):
		return fmt.Errorf("rate %v and refractory time %v; want both from 0 on", rate, refractory)
	case rate*refractory >= 1:
		return fmt.Errorf("rate %v with a refractory time of %v; their product must stay below 1", rate, refractory)
	case rate*(stop-start) > maxExpected:
		return errors.New("more than 2²⁷ spikes are to be expected; lower the rate or shorten the window")
	}
	return nil
}
