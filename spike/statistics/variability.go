package statistics

import (
	"fmt"
	"math"

	"synfire/spike"
)

// intervals are those of all trials, in order.
func intervals(trials []spike.Train) (all []float64) {
	for _, t := range trials {
		all = append(all, t.Intervals()...)
	}
	return all
}

// CV is the coefficient of variation of the intervals of all trials: their standard
// deviation (of the population) over their mean. It is NaN where there is no interval,
// and where all are 0.
func CV(trials []spike.Train) (float64, error) {
	if err := check("statistics.CV", trials); err != nil {
		return 0, err
	}
	mean, variance := spike.Moments(intervals(trials))
	return math.Sqrt(variance) / mean, nil
}

// CV2 is the mean of 2|I_{i+1} − I_i|/(I_{i+1} + I_i) over pairs of consecutive
// intervals (Holt et al. 1996), NaN where no trial has three spikes. A pair of zeros
// counts as 0, here and in LV and LvR.
func CV2(trials []spike.Train) (float64, error) {
	return pairs("statistics.CV2", trials, func(a, b float64) float64 { return 2 * math.Abs(b-a) / (a + b) })
}

// LV is the local variation, the mean of 3((I_{i+1} − I_i)/(I_{i+1} + I_i))² (Shinomoto
// et al. 2003), NaN where no trial has three spikes.
func LV(trials []spike.Train) (float64, error) {
	return pairs("statistics.LV", trials, varied(0))
}

// LvR is the local variation revised by a refractoriness constant R (Shinomoto et al.
// 2009, equation 3; they take 5 ms), the mean over pairs of consecutive intervals of
//
//	3 (1 − 4 I_i I_{i+1}/(I_i + I_{i+1})²) (1 + 4R/(I_i + I_{i+1}))
//
// It is NaN where no trial has three spikes, and LV where R is 0.
func LvR(trials []spike.Train, r float64) (float64, error) {
	if !(r >= 0) || math.IsInf(r, 1) {
		return 0, fmt.Errorf("statistics.LvR: a refractoriness constant of %v; want a time from 0 on", r)
	}
	return pairs("statistics.LvR", trials, varied(r))
}

func varied(r float64) func(a, b float64) float64 {
	return func(a, b float64) float64 {
		contrast := (b - a) / (b + a)
		return 3 * contrast * contrast * (1 + 4*r/(a+b))
	}
}

// pairs is the mean of f over pairs of consecutive intervals of a trial.
func pairs(op string, trials []spike.Train, f func(a, b float64) float64) (float64, error) {
	if err := check(op, trials); err != nil {
		return 0, err
	}
	sum, n := 0.0, 0
	for _, t := range trials {
		in := t.Intervals()
		for i := 1; i < len(in); i++ {
			if in[i-1] != in[i] {
				sum += f(in[i-1], in[i])
			}
			n++
		}
	}
	if n == 0 {
		return math.NaN(), nil
	}
	return sum / float64(n), nil
}

// IntervalHistogram is intervals by length.
type IntervalHistogram struct {
	spike.Histogram     // counts; the first bin begins at 0
	Above           int // intervals beyond the last bin
}

// Intervals counts the intervals of all trials in bins of exactly the given width up to
// longest, rounded up to whole bins. An interval on the border of two bins counts for the
// later one.
func Intervals(trials []spike.Train, width, longest float64) (IntervalHistogram, error) {
	const op = "statistics.Intervals"
	if err := check(op, trials); err != nil {
		return IntervalHistogram{}, err
	}
	e := trials[0].Slack()
	n := e.Ceil(longest, width)
	if !(width > float64(e) && n >= 1 && n <= maxBins) {
		return IntervalHistogram{}, fmt.Errorf("%s: bins of width %v up to %v; want a width above 0 and 1 to %d bins", op, width, longest, maxBins)
	}
	h := IntervalHistogram{Histogram: spike.Histogram{Width: width, Values: make([]float64, int(n))}}
	for _, v := range intervals(trials) {
		if bin := e.Floor(v, width); bin < n {
			h.Values[int(bin)]++
		} else {
			h.Above++
		}
	}
	return h, nil
}

// maxBins bounds the bins of histograms, as in package spike.
const maxBins = 1 << 24

// FanoOverTrials is the Fano factor in each bin of spike.PSTH: the variance of the count
// over trials (of the population, as in spike.Fano) over its mean; NaN in bins without a
// spike. It needs two trials.
func FanoOverTrials(trials []spike.Train, width float64) (spike.Histogram, error) {
	const op = "statistics.FanoOverTrials"
	if err := check(op, trials); err != nil {
		return spike.Histogram{}, err
	}
	if len(trials) < 2 {
		return spike.Histogram{}, fmt.Errorf("%s: there is one trial; want two or more, or the Fano factor over time", op)
	}
	counts, err := countsOf(trials, width)
	if err != nil {
		return spike.Histogram{}, fmt.Errorf("%s: %w", op, err)
	}
	out := counts[0]
	out.Values = make([]float64, len(counts[0].Values))
	of := make([]float64, len(trials))
	for bin := range out.Values {
		for i, c := range counts {
			of[i] = c.Values[bin]
		}
		mean, variance := spike.Moments(of)
		out.Values[bin] = variance / mean
	}
	return out, nil
}

// FanoOverTime is the Fano factor of the counts in successive bins of spike.PSTH, those of
// all trials together: variance (of the population) over mean; NaN without a spike. A rate
// that changes over time raises it.
func FanoOverTime(trials []spike.Train, width float64) (float64, error) {
	const op = "statistics.FanoOverTime"
	if err := check(op, trials); err != nil {
		return 0, err
	}
	counts, err := countsOf(trials, width)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", op, err)
	}
	mean, variance := spike.Moments(concatenated(counts))
	return variance / mean, nil
}

// countsOf are the binned counts of each train.
func countsOf(trains []spike.Train, width float64) ([]spike.Histogram, error) {
	out := make([]spike.Histogram, len(trains))
	for i, t := range trains {
		var err error
		if out[i], err = spike.Counts(t, width); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func concatenated(counts []spike.Histogram) (all []float64) {
	for _, c := range counts {
		all = append(all, c.Values...)
	}
	return all
}
