package statistics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"synfire/spike"
)

// Shape is that of a kernel. Each is a probability density of standard deviation 1.
type Shape string

// The shapes, as functions of x.
const (
	Gaussian    Shape = "gaussian"    // e^{−x²/2}/√(2π)
	Boxcar      Shape = "boxcar"      // 1/(2√3) for |x| ≤ √3
	Exponential Shape = "exponential" // e^{−x} for x ≥ 0: a spike counts from its time on
	Alpha       Shape = "alpha"       // 2x e^{−√2 x} for x ≥ 0
)

// Shapes are the names of the shapes.
func Shapes() []Shape { return []Shape{Gaussian, Boxcar, Exponential, Alpha} }

// Kernel is what each spike counts over time: a shape and its standard deviation.
type Kernel struct {
	Shape Shape
	Width float64
}

// density is the shape at x.
func (s Shape) density(x float64) float64 {
	switch {
	case s == Gaussian:
		return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
	case s == Boxcar && math.Abs(x) <= math.Sqrt(3):
		return 1 / (2 * math.Sqrt(3))
	case s == Exponential && x >= 0:
		return math.Exp(-x)
	case s == Alpha && x >= 0:
		return 2 * x * math.Exp(-math.Sqrt2*x)
	}
	return 0
}

// within is the integral of the shape from −after to before, both from 0 on. It is a sum of two
// parts, which keeps its figures where a kernel is far wider than the window.
func (s Shape) within(before, after float64) float64 {
	switch s {
	case Gaussian:
		return (math.Erf(before/math.Sqrt2) + math.Erf(after/math.Sqrt2)) / 2
	case Boxcar:
		return (min(before/math.Sqrt(3), 1) + min(after/math.Sqrt(3), 1)) / 2
	case Exponential:
		return -math.Expm1(-before)
	}
	return mathext.GammaIncReg(2, math.Sqrt2*before)
}

// reach is how far a shape is above 10⁻¹⁷ of its largest value, before and after 0.
func (s Shape) reach() (before, after float64) {
	switch s {
	case Gaussian:
		return 9, 9
	case Boxcar:
		return 1.75, 1.75
	}
	return 0, 40
}

// KernelRate is the rate in spikes per unit of time, averaged over n trials,
//
//	r(t) = 1/n Σ k((t − s)/σ)/σ   over the spikes s of all trials
//
// at the centres of bins of at most step (as of spike.PSTH). Where a kernel reaches over
// the border of the window, spikes beyond it are missing. With border the sum is divided by
// the part of the kernel inside the window, ∫ k((t − s)/σ)/σ ds (Diggle 1985), which leaves a
// constant rate unbiased, and is NaN where that part is 0; without, rates fall off at the
// borders.
func KernelRate(trials []spike.Train, k Kernel, step float64, border bool) (spike.Histogram, error) {
	const op = "statistics.KernelRate"
	if err := check(op, trials); err != nil {
		return spike.Histogram{}, err
	}
	if err := positive(op, "kernel's width", k.Width); err != nil {
		return spike.Histogram{}, err
	}
	if k.Shape.density(0.5) == 0 {
		return spike.Histogram{}, fmt.Errorf("%s: no kernel %q; want one of %v", op, string(k.Shape), Shapes())
	}
	first, e := trials[0], float64(trials[0].Slack())
	h, err := spike.Counts(spike.Train{Start: first.Start, Stop: first.Stop}, step)
	if err != nil {
		return spike.Histogram{}, fmt.Errorf("%s: %w", op, err)
	}
	before, after := k.Shape.reach()
	for _, t := range trials {
		for _, s := range t.Times {
			lo := int(max(0, math.Floor((s-before*k.Width-h.Start)/h.Width)-1))
			hi := int(min(float64(len(h.Values)), (s+after*k.Width-h.Start)/h.Width+1))
			for i := lo; i < hi; i++ {
				x := h.Centre(i) - s
				if x < 0 && x >= -e {
					x = 0 // at the time of the spike, where some shapes jump
				}
				h.Values[i] += k.Shape.density(x / k.Width)
			}
		}
	}
	for i := range h.Values {
		h.Values[i] /= k.Width * float64(len(trials))
		if border {
			t := h.Centre(i)
			h.Values[i] /= k.Shape.within((t-first.Start)/k.Width, (first.Stop-t)/k.Width)
		}
	}
	return h, nil
}

// Interval is a histogram of rates with bounds.
type Interval struct {
	spike.Histogram
	Low, High []float64
}

// PSTH is spike.PSTH with an interval for the rate in each bin, that of the mean of a
// Poisson variable of which the count k of all n trials was seen (Garwood 1936),
//
//	[½ χ²_{α/2}(2k), ½ χ²_{1−α/2}(2k + 2)] / (n width),  α = 1 − level
//
// from 0 where k is 0. It supposes that counts are Poisson, and is too narrow where they
// vary more (FanoOverTrials tells).
func PSTH(trials []spike.Train, width, level float64) (Interval, error) {
	const op = "statistics.PSTH"
	if !(level > 0 && level < 1) {
		return Interval{}, fmt.Errorf("%s: a level of %v; want one between 0 and 1, such as 0.95", op, level)
	}
	if err := check(op, trials); err != nil {
		return Interval{}, err
	}
	h, err := spike.PSTH(trials, width)
	if err != nil {
		return Interval{}, err
	}
	out := Interval{h, make([]float64, len(h.Values)), make([]float64, len(h.Values))}
	per := h.Width * float64(len(trials))
	for i, rate := range h.Values {
		k, tail := math.Round(rate*per), (1-level)/2
		if k > 0 {
			out.Low[i] = mathext.GammaIncRegInv(k, tail) / per
		}
		out.High[i] = mathext.GammaIncRegCompInv(k+1, tail) / per
	}
	return out, nil
}

// Population is the rate of all units together, in spikes per unit of time: the sum of
// their rates in the bins of spike.PSTH.
func Population(units []spike.Train, width float64) (spike.Histogram, error) {
	if err := check("statistics.Population", units); err != nil {
		return spike.Histogram{}, err
	}
	h, err := spike.PSTH(units, width)
	for i := range h.Values {
		h.Values[i] *= float64(len(units))
	}
	return h, err
}
