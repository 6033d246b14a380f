package statistics

import (
	"fmt"
	"math"

	"synfire/spike"
)

// Correlogram is how a cross-correlogram is made of counts of pairs (spike.Correlogram).
type Correlogram struct {
	Width, Longest float64 // of bins, which are centred at multiples of Width; the longest lag
	Border         bool    // counts are multiplied by T/(T − |lag|): pairs at a lag fit into less of the window T
	Rate           bool    // values are divided by N_a Width: the rate of b at a lag from a spike of a
	Smooth         float64 // standard deviation of a Gaussian over lags, 0 for none
}

// Of is the correlogram of two units over their trials, which belong together by their
// order: pairs of a spike of a and one of b, whose lag is b − a. Where auto is set, a and b
// are one unit, and no spike makes a pair with itself. The Gaussian's weights are made to
// add up to 1 over the lags that there are. A rate is NaN where a has no spike.
func (c Correlogram) Of(a, b []spike.Train, auto bool) (spike.Histogram, error) {
	const op = "statistics.Correlogram"
	if err := together(op, a, b); err != nil {
		return spike.Histogram{}, err
	}
	if !(c.Smooth >= 0) || math.IsInf(c.Smooth, 1) {
		return spike.Histogram{}, fmt.Errorf("%s: smoothing over %v; want a time from 0 on", op, c.Smooth)
	}
	var out spike.Histogram
	spikes := 0
	for i := range a {
		h, err := c.counts(a[i], b[i], auto)
		if err != nil {
			return spike.Histogram{}, fmt.Errorf("%s: %w", op, err)
		}
		if i == 0 {
			out = h
		} else {
			for k, v := range h.Values {
				out.Values[k] += v
			}
		}
		spikes += len(a[i].Times)
	}
	whole := a[0].Duration()
	for k := range out.Values {
		if c.Border {
			left := whole - math.Abs(out.Centre(k))
			if left <= float64(a[0].Slack()) {
				return spike.Histogram{}, fmt.Errorf("%s: lags up to %v in a window of %v; border correction needs shorter ones", op, c.Longest, whole)
			}
			out.Values[k] *= whole / left
		}
		if c.Rate {
			out.Values[k] /= float64(spikes) * out.Width
		}
	}
	if c.Smooth > 0 {
		out.Values = weighted(out.Values, c.Smooth/out.Width)
	}
	return out, nil
}

func (c Correlogram) counts(a, b spike.Train, auto bool) (spike.Histogram, error) {
	if auto {
		return spike.AutoCorrelogram(a, c.Width, c.Longest)
	}
	return spike.Correlogram(a, b, c.Width, c.Longest)
}

// weighted is the mean about each value by Gaussian weights of a width in places.
func weighted(x []float64, width float64) []float64 {
	k, out := bell(width, len(x)), make([]float64, len(x))
	for i := range x {
		total := 0.0
		for j := max(0, i-len(k)+1); j < min(len(x), i+len(k)); j++ {
			out[i] += k[max(i-j, j-i)] * x[j]
			total += k[max(i-j, j-i)]
		}
		out[i] /= total
	}
	return out
}

// together returns an error unless two units have trials that belong together.
func together(op string, a, b []spike.Train) error {
	if len(a) != len(b) {
		return fmt.Errorf("%s: %d trials of one unit and %d of the other; want as many", op, len(a), len(b))
	}
	if err := check(op, append(append([]spike.Train{}, a...), b...)); err != nil {
		return err
	}
	return nil
}

// Coefficient is the correlation coefficient of two units' counts x and y in bins of
// spike.PSTH, by lag in whole bins, the sums over all bins and trials:
//
//	ρ_k = Σ_m (x_m − x̄)(y_{m+k} − ȳ) / √(Σ (x_m − x̄)² Σ (y_m − ȳ)²)
//
// At lag 0 it is that of Correlation. With border it is multiplied by n/(n − |k|), since of
// n bins n − |k| have a partner. It is NaN where the counts of a unit are the same in all
// bins, as those of a silent unit are. Lags reach up to the last whole bin in longest.
func Coefficient(a, b []spike.Train, width, longest float64, border bool) (spike.Histogram, error) {
	const op = "statistics.Coefficient"
	if err := together(op, a, b); err != nil {
		return spike.Histogram{}, err
	}
	x, err := countsOf(a, width)
	if err == nil {
		var y []spike.Histogram
		if y, err = countsOf(b, width); err == nil {
			return coefficient(op, x, y, longest, a[0].Slack(), border)
		}
	}
	return spike.Histogram{}, fmt.Errorf("%s: %w", op, err)
}

func coefficient(op string, x, y []spike.Histogram, longest float64, e spike.Slack, border bool) (spike.Histogram, error) {
	n, width := len(x[0].Values), x[0].Width
	side := e.Floor(longest, width)
	if !(side >= 0 && side < float64(n)) {
		return spike.Histogram{}, fmt.Errorf("%s: lags up to %v in bins of %v; want lags from 0 on, below the window's %d bins", op, longest, width, n)
	}
	most := int(side)
	dx, vx := centred(x)
	dy, vy := centred(y)
	h := spike.Histogram{Start: -(side + 0.5) * width, Width: width, Values: make([]float64, 2*most+1)}
	for k := -most; k <= most; k++ {
		sum := 0.0
		for i := range dx {
			for m := max(0, -k); m < min(n, n-k); m++ {
				sum += dx[i][m] * dy[i][m+k]
			}
		}
		if border {
			sum *= float64(n) / float64(n-max(k, -k))
		}
		h.Values[k+most] = sum / math.Sqrt(vx*vy)
	}
	return h, nil
}

// centred is counts less their mean over all trials, and the sum of their squares.
func centred(counts []spike.Histogram) (d [][]float64, squares float64) {
	mean, _ := spike.Moments(concatenated(counts))
	d = make([][]float64, len(counts))
	for i, c := range counts {
		d[i] = make([]float64, len(c.Values))
		for m, v := range c.Values {
			d[i][m] = v - mean
			squares += d[i][m] * d[i][m]
		}
	}
	return d, squares
}

// Timescale is how long a unit's counts in bins of width w remember themselves,
//
//	τ = 2 ∫ (ρ_k/ρ_1)²   from lag w to longest, by the trapezoidal rule
//
// the integral of the squared autocorrelation without its peak at 0, which a train has by
// being one, relative to its value next to 0 (Wieland et al. 2015, with counts in bins for
// rates, as elephant has it, whose ρ lacks the border correction). ρ is Coefficient's with
// border correction. Where little is correlated ρ_1 is noise, and τ anything: choose bins of
// many counts, take long recordings, and compare with surrogates. It is NaN where Coefficient
// is or ρ_1 is 0, and an error where longest holds less than two bins.
func Timescale(trials []spike.Train, width, longest float64) (float64, error) {
	h, err := Coefficient(trials, trials, width, longest, true)
	if err != nil {
		return 0, fmt.Errorf("statistics.Timescale: %w", err)
	}
	zero := len(h.Values) / 2
	if math.IsNaN(h.Values[zero]) {
		return math.NaN(), nil
	}
	if zero < 2 {
		return 0, fmt.Errorf("statistics.Timescale: lags up to %v in bins of %v; want two bins or more", longest, h.Width)
	}
	first := h.Values[zero+1]
	if math.Abs(first) < 1e-12 { // but for rounding
		return math.NaN(), nil
	}
	sum := 0.0
	for k := zero + 1; k+1 < len(h.Values); k++ {
		a, b := h.Values[k]/first, h.Values[k+1]/first
		sum += (a*a + b*b) / 2
	}
	return 2 * h.Width * sum, nil
}

// Covariance is the matrix of covariances of the units' counts in the n bins of spike.PSTH,
// 1/(n − 1) Σ (x − x̄)(y − ȳ), of all trials together; units[i] are the trials of unit i.
// It is NaN where there is one bin.
func Covariance(units [][]spike.Train, width float64) ([][]float64, error) {
	return products("statistics.Covariance", units, width, func(sum, _, _ float64, n int) float64 { return sum / float64(n-1) })
}

// Correlation is the matrix of Pearson's coefficients of the units' counts in the bins of
// spike.PSTH, of all trials together; NaN in the row and column of a unit whose counts are
// all the same, as those of a silent unit.
func Correlation(units [][]spike.Train, width float64) ([][]float64, error) {
	return products("statistics.Correlation", units, width, func(sum, vx, vy float64, _ int) float64 { return sum / math.Sqrt(vx*vy) })
}

func products(op string, units [][]spike.Train, width float64, f func(sum, vx, vy float64, n int) float64) ([][]float64, error) {
	d, squares := make([][]float64, len(units)), make([]float64, len(units))
	for i, u := range units {
		if err := together(op, u, units[0]); err != nil {
			return nil, err
		}
		counts, err := countsOf(u, width)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		rows, v := centred(counts)
		for _, r := range rows {
			d[i] = append(d[i], r...)
		}
		squares[i] = v
	}
	return matrix(len(units), func(i, j int) (float64, error) {
		sum := 0.0
		for m, v := range d[i] {
			sum += v * d[j][m]
		}
		return f(sum, squares[i], squares[j], len(d[i])), nil
	})
}

// matrix is a symmetric one, from its upper half.
func matrix(n int, f func(i, j int) (float64, error)) ([][]float64, error) {
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, n)
	}
	for i := range out {
		for j := i; j < n; j++ {
			v, err := f(i, j)
			if err != nil {
				return nil, err
			}
			out[i][j], out[j][i] = v, v
		}
	}
	return out, nil
}

// STTC is the matrix of spike-time tiling coefficients (spike.STTC) of units, NaN in the
// row and column of a silent one.
func STTC(units []spike.Train, dt float64) ([][]float64, error) {
	if err := check("statistics.STTC", units); err != nil {
		return nil, err
	}
	return matrix(len(units), func(i, j int) (float64, error) { return spike.STTC(units[i], units[j], dt) })
}
