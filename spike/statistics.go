package spike

import (
	"errors"
	"fmt"
	"math"
)

// Duration is the length of the window.
func (t Train) Duration() float64 { return t.Stop - t.Start }

// Rate is spikes per unit of time, N / (Stop − Start).
func (t Train) Rate() float64 { return float64(len(t.Times)) / t.Duration() }

// Intervals is the N − 1 differences I₁, I₂, … of consecutive spike times.
func (t Train) Intervals() []float64 {
	if len(t.Times) < 2 {
		return nil
	}
	intervals := make([]float64, len(t.Times)-1)
	for i := range intervals {
		intervals[i] = t.Times[i+1] - t.Times[i]
	}
	return intervals
}

// Check returns an error that begins with op unless the trains' times are in order, of
// which some may be equal, and inside their windows. Statistics of others would be numbers
// without meaning.
func Check(op string, trains ...Train) error {
	for i, t := range trains {
		err := t.validate(true)
		switch {
		case err != nil && len(trains) > 1:
			return fmt.Errorf("%s: train %d: %w", op, i, err)
		case err != nil:
			return fmt.Errorf("%s: %w", op, err)
		}
	}
	return nil
}

// CV is the coefficient of variation of the intervals, their standard deviation
// (of the population, not of a sample) over their mean: 0 for a clock, 1 for a
// Poisson process. It is NaN below two spikes, and an error for times that are not
// in order or outside the window, as all statistics are.
func (t Train) CV() (float64, error) {
	if err := Check("spike: CV", t); err != nil {
		return 0, err
	}
	mean, variance := Moments(t.Intervals())
	return math.Sqrt(variance) / mean, nil
}

// CV2 compares each interval with the next alone, so that a rate that drifts
// slowly does not count as irregular (Holt et al. 1996): the mean of
// 2|I_{i+1} − I_i| / (I_{i+1} + I_i). It is NaN below three spikes.
func (t Train) CV2() (float64, error) {
	return t.neighbours("spike: CV2", func(contrast float64) float64 { return 2 * math.Abs(contrast) })
}

// LV is the local variation of Shinomoto et al. 2003, the mean of
// 3 ((I_{i+1} − I_i) / (I_{i+1} + I_i))². It is NaN below three spikes.
func (t Train) LV() (float64, error) {
	return t.neighbours("spike: LV", func(contrast float64) float64 { return 3 * contrast * contrast })
}

// neighbours is the mean of f over the contrasts of consecutive intervals. Two
// intervals of zero differ by nothing.
func (t Train) neighbours(op string, f func(contrast float64) float64) (float64, error) {
	if err := Check(op, t); err != nil {
		return 0, err
	}
	sum, n := 0.0, len(t.Times)-2
	for i := range max(n, 0) {
		a, b := t.Times[i+1]-t.Times[i], t.Times[i+2]-t.Times[i+1]
		if a != b {
			sum += f((b - a) / (b + a))
		}
	}
	if n < 1 {
		return math.NaN(), nil
	}
	return sum / float64(n), nil
}

// Fano is the Fano factor of repeated trials: the variance of their spike
// counts over the mean, 1 for Poisson processes and 0 where all counts are
// equal. It is NaN where no trial has a spike. Counts of windows of different
// lengths cannot be compared, which is an error.
func Fano(trials []Train) (float64, error) {
	if len(trials) == 0 {
		return 0, errors.New("spike.Fano: no trials; give at least one train")
	}
	if err := Check("spike.Fano", trials...); err != nil {
		return 0, err
	}
	for i, t := range trials {
		if first := trials[0]; !max(t.Slack(), first.Slack()).Same(t.Duration(), first.Duration()) {
			return 0, fmt.Errorf("spike.Fano: trial %d is observed for %v, trial 0 for %v; cut them to one length", i, t.Duration(), first.Duration())
		}
	}
	counts := make([]float64, len(trials))
	for i, t := range trials {
		counts[i] = float64(len(t.Times))
	}
	mean, variance := Moments(counts)
	return variance / mean, nil
}

// Histogram is values over bins of equal width, the first from Start on.
type Histogram struct {
	Start, Width float64
	Values       []float64
}

// Centre is the middle of bin i.
func (h Histogram) Centre(i int) float64 { return h.Start + (float64(i)+0.5)*h.Width }

// maxBins bounds the bins of a histogram.
const maxBins = 1 << 24

// PSTH is the peri-stimulus time histogram: the rate over the window, averaged
// over trials, in bins of at most the given width (their number is whole). A
// spike on the border of two bins counts for the later one, and one at the
// window's end for the last. Trials must share their window.
func PSTH(trials []Train, width float64) (Histogram, error) {
	if len(trials) == 0 {
		return Histogram{}, fmt.Errorf("spike.PSTH: no trials; give at least one train")
	}
	if err := Check("spike.PSTH", trials...); err != nil {
		return Histogram{}, err
	}
	h, err := histogram("spike.PSTH", trials, width)
	for i := range h.Values {
		h.Values[i] /= h.Width * float64(len(trials))
	}
	return h, err
}

// Counts is the spikes of a train in each bin of PSTH.
func Counts(t Train, width float64) (Histogram, error) {
	if err := Check("spike.Counts", t); err != nil {
		return Histogram{}, err
	}
	return histogram("spike.Counts", []Train{t}, width)
}

// histogram counts the spikes of all trials in bins of at most a width.
func histogram(op string, trials []Train, width float64) (Histogram, error) {
	first := trials[0]
	n, err := first.bins(op, width)
	if err != nil {
		return Histogram{}, err
	}
	h := Histogram{Start: first.Start, Width: first.Duration() / float64(n), Values: make([]float64, n)}
	for i, t := range trials {
		if t.Start != first.Start || t.Stop != first.Stop {
			return Histogram{}, fmt.Errorf("%s: trial %d has the window [%v, %v], trial 0 [%v, %v]; cut them to one", op, i, t.Start, t.Stop, first.Start, first.Stop)
		}
		for _, s := range t.Times {
			h.Values[first.Slack().bin(s-h.Start, h.Width, n)]++
		}
	}
	return h, nil
}

// bins is the number of bins, at most width wide, that the window falls into.
func (t Train) bins(op string, width float64) (int, error) {
	n := t.Slack().Ceil(t.Duration(), width) // 0.3 / 0.1 is three bins
	if !(width > 0 && n >= 1 && n <= maxBins) {
		return 0, fmt.Errorf("%s: bins of width %v in the window [%v, %v]; want 1 to %d of them", op, width, t.Start, t.Stop, maxBins)
	}
	return int(n), nil
}

// bin is the bin of n that a time is in, counted from their start: on a border the
// later one, and on the last border the last.
func (e Slack) bin(offset, width float64, n int) int {
	return min(int(e.Floor(offset, width)), n-1)
}

// Correlogram is the cross-correlogram of two trains: for each bin the number of
// pairs of a spike of a and one of b whose lag b_j − a_i falls into it. Bins are
// centred at the multiples of width up to maxLag; a lag on the border of two
// counts for the later. Edges are not corrected for.
func Correlogram(a, b Train, width, maxLag float64) (Histogram, error) {
	return correlogram("spike.Correlogram", a, b, width, maxLag, false)
}

// AutoCorrelogram is the correlogram of a train with itself, without the pairs
// of a spike and itself. It is symmetric but for lags on the borders of bins.
func AutoCorrelogram(t Train, width, maxLag float64) (Histogram, error) {
	return correlogram("spike.AutoCorrelogram", t, t, width, maxLag, true)
}

func correlogram(op string, a, b Train, width, maxLag float64, auto bool) (Histogram, error) {
	if err := Check(op, a, b); err != nil {
		return Histogram{}, err
	}
	e := max(a.Slack(), b.Slack())
	side := e.Floor(maxLag, width)
	if !(width > 4*float64(e) && side >= 0 && 2*side+1 <= maxBins) {
		return Histogram{}, fmt.Errorf("%s: bins of width %v up to a lag of %v; want a width above 0 and what rounding is (%.1g), a lag from 0 on, and at most %d bins", op, width, maxLag, float64(e), maxBins)
	}
	reach := (side + 0.5) * width
	h := Histogram{Start: -reach, Width: width, Values: make([]float64, 2*int(side)+1)}
	lo := 0
	for i, s := range a.Times {
		for lo < len(b.Times) && e.Before(b.Times[lo]-s, -reach) {
			lo++
		}
		for j := lo; j < len(b.Times) && e.Before(b.Times[j]-s, reach); j++ {
			if !auto || i != j {
				h.Values[e.bin(b.Times[j]-s+reach, width, len(h.Values))]++
			}
		}
	}
	return h, nil
}

// STTC is the spike-time tiling coefficient of Cutts & Eglen 2014, a correlation
// in [−1, 1] that the trains' rates do not bias:
//
//	½ (P_a − T_b)/(1 − P_a T_b) + ½ (P_b − T_a)/(1 − P_b T_a)
//
// P_a is the share of a's spikes within ±dt of one of b's, borders included, and T_a
// the share of the window within ±dt of a spike of a. A term with P T = 1 is ½. The trains
// must share their window; where one is empty the coefficient is NaN.
func STTC(a, b Train, dt float64) (float64, error) {
	if !(dt >= 0) || math.IsInf(dt, 1) {
		return 0, fmt.Errorf("spike.STTC: a reach of %v; want a time from 0 on", dt)
	}
	if a.Start != b.Start || a.Stop != b.Stop {
		return 0, fmt.Errorf("spike.STTC: windows [%v, %v] and [%v, %v]; cut both trains to one", a.Start, a.Stop, b.Start, b.Stop)
	}
	if err := Check("spike.STTC", a, b); err != nil {
		return 0, err
	}
	if len(a.Times) == 0 || len(b.Times) == 0 {
		return math.NaN(), nil
	}
	return (tiling(share(a, b, dt), cover(b, dt)) + tiling(share(b, a, dt), cover(a, dt))) / 2, nil
}

func tiling(p, t float64) float64 {
	if p*t == 1 {
		return 1
	}
	return (p - t) / (1 - p*t)
}

// share is the part of a's spikes that lie within ±dt of one of b's.
func share(a, b Train, dt float64) float64 {
	near, j, e := 0, 0, a.Slack()
	for _, s := range a.Times {
		for j < len(b.Times) && e.Before(b.Times[j], s-dt) {
			j++
		}
		if j < len(b.Times) && !e.Before(s+dt, b.Times[j]) {
			near++
		}
	}
	return float64(near) / float64(len(a.Times))
}

// cover is the part of the window that lies within ±dt of a spike.
func cover(t Train, dt float64) float64 {
	total, end := 0.0, t.Start
	for _, s := range t.Times {
		lo, hi := max(s-dt, end), min(s+dt, t.Stop)
		if hi > lo {
			total += hi - lo
			end = hi
		}
	}
	return total / t.Duration()
}
