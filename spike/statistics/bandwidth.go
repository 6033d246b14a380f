package statistics

import (
	"fmt"
	"math"

	"synfire/spike"
)

// Bandwidth is the width of a Gaussian kernel that the spikes of all trials ask for: the w
// of least
//
//	C(w) = 1/(2√π w) · [N + Σ_{i<j} (2 e^{−Δ²/4w²} − 4√2 e^{−Δ²/2w²})],  Δ = s_i − s_j
//
// which estimates the integrated squared error but for a constant (Shimazaki & Shinomoto
// 2010, section 2.1; borders of the window are not regarded). It is searched between the
// shortest interval that is not 0 and the length of the window: where the rate does not
// change, or hardly, the second is the answer. It is NaN below two distinct times.
//
// Spikes within w/32 of one another stand at their mean, which changes C by less than 10⁻³
// of what it is for one spike.
func Bandwidth(trials []spike.Train) (float64, error) {
	if err := check("statistics.Bandwidth", trials); err != nil {
		return 0, err
	}
	times, e := pooled(trials), trials[0].Slack()
	shortest := math.Inf(1)
	for i := 1; i < len(times); i++ {
		if e.Before(times[i-1], times[i]) {
			shortest = min(shortest, times[i]-times[i-1])
		}
	}
	if math.IsInf(shortest, 1) {
		return math.NaN(), nil
	}
	from, to := math.Log(shortest), math.Log(trials[0].Duration())
	if from >= to {
		return trials[0].Duration(), nil
	}
	return math.Exp(leastOf(from, to, func(logw float64) float64 { return bandwidthCost(times, trials[0], math.Exp(logw)) })), nil
}

// gridPoints is how many places leastOf looks at before it closes in.
const gridPoints = 60

// leastOf is where f is least in [from, to]: at the best of a grid of points, and between
// its neighbours by golden section.
func leastOf(from, to float64, f func(x float64) float64) float64 {
	best, least, step := from, math.Inf(1), (to-from)/(gridPoints-1)
	for i := range gridPoints {
		if v := f(from + float64(i)*step); v < least {
			best, least = from+float64(i)*step, v
		}
	}
	const golden = 0.6180339887498949
	a, b := max(from, best-step), min(to, best+step)
	x, y := b-golden*(b-a), a+golden*(b-a)
	fx, fy := f(x), f(y)
	for b-a > 1e-6 {
		if fx <= fy {
			b, y, fy = y, x, fx
			x = b - golden*(b-a)
			fx = f(x)
		} else {
			a, x, fx = x, y, fy
			y = a + golden*(b-a)
			fy = f(y)
		}
	}
	if middle := (a + b) / 2; f(middle) < least {
		return middle
	}
	return best // an end of the range
}

// bandwidthCost is C(w).
func bandwidthCost(times []float64, t spike.Train, w float64) float64 {
	at, n := gathered(times, t, w/32)
	sum, same := 0.0, 2-4*math.Sqrt2
	for i, s := range at {
		sum += n[i] * (n[i] - 1) / 2 * same
		for j := i - 1; j >= 0 && s-at[j] < 12.2*w; j-- { // beyond, e^{−Δ²/4w²} < 10⁻¹⁶
			near := math.Exp(-(s - at[j]) * (s - at[j]) / (4 * w * w))
			sum += n[i] * n[j] * (2*near - 4*math.Sqrt2*near*near)
		}
	}
	return (float64(len(times)) + sum) / (2 * math.Sqrt(math.Pi) * w)
}

// gathered is times in cells of the window: the mean of each cell that has any, and their
// number.
func gathered(times []float64, t spike.Train, cell float64) (at, n []float64) {
	last, e := -1.0, t.Slack()
	for _, s := range times {
		c := e.Floor(s-t.Start, cell)
		if c != last || len(at) == 0 {
			at, n, last = append(at, 0), append(n, 0), c
		}
		k := len(at) - 1
		n[k]++
		at[k] += (s - at[k]) / n[k]
	}
	return at, n
}

// maxAdaptive bounds the bins of AdaptiveRate, whose work grows with their square.
const maxAdaptive = 1024

// localWidths is how many kernels and windows AdaptiveRate chooses among.
const localWidths = 32

// AdaptiveRate is the rate by a Gaussian kernel whose width w(t) follows time, averaged over
// trials, and w(t) (Shimazaki & Shinomoto 2010, section 2.3):
//
//	r(t) = 1/n Σ k_{w(t)}(t − s)
//
// For windows of Gaussian weight of widths W about t, the width w of least local cost is
// found; of these the w(t) with w = γW is taken, and smoothed by weights of width W. γ is the
// one of least cost over the whole, from that at which w is constant up to 1. Times are those of bins of at most step (as
// of spike.PSTH; at most 1,024); widths are 32, evenly apart by their logarithms, from two
// bins to the whole window. Borders are not corrected. Without a spike w is NaN.
func AdaptiveRate(trials []spike.Train, step float64) (rate, width spike.Histogram, err error) {
	const op = "statistics.AdaptiveRate"
	if err := check(op, trials); err != nil {
		return rate, width, err
	}
	h, err := spike.PSTH(trials, step)
	if err != nil {
		return rate, width, fmt.Errorf("%s: %w", op, err)
	}
	if len(h.Values) > maxAdaptive || len(h.Values) < 4 {
		return rate, width, fmt.Errorf("%s: %d bins; want 4 to %d: choose another step, or a piece of the recording", op, len(h.Values), maxAdaptive)
	}
	a := newAdaptive(h, len(trials))
	width, rate = h, h
	if a.spikes == 0 {
		rate.Values, width.Values = make([]float64, a.n), make([]float64, a.n)
		for i := range width.Values {
			width.Values[i] = math.NaN()
		}
		return rate, width, nil
	}
	local := a.localWidths()
	gamma := math.Exp(leastOf(-math.Log(float64(a.n)/2), 0, func(g float64) float64 { return a.cost(a.variable(local, math.Exp(g))) }))
	w := a.variable(local, gamma)
	rate.Values, width.Values = a.rate(w), make([]float64, a.n)
	for i := range w {
		rate.Values[i] /= float64(len(trials)) * h.Width
		width.Values[i] = w[i] * h.Width
	}
	return rate, width, nil
}

// adaptive works in bins: times and widths are numbers of them.
type adaptive struct {
	n      int
	counts []float64
	spikes float64
	widths []float64
}

func newAdaptive(h spike.Histogram, trials int) adaptive {
	a := adaptive{n: len(h.Values), counts: make([]float64, len(h.Values))}
	for i, v := range h.Values {
		a.counts[i] = math.Round(v * h.Width * float64(trials))
		a.spikes += a.counts[i]
	}
	for i := range localWidths {
		a.widths = append(a.widths, 2*math.Pow(float64(a.n)/2, float64(i)/(localWidths-1)))
	}
	return a
}

// bell is a Gaussian density of width w at whole distances 0, 1, … as far as it counts.
func bell(w float64, n int) []float64 {
	out := make([]float64, min(n, int(9*w)+1))
	for d := range out {
		x := float64(d) / w
		out[d] = math.Exp(-x*x/2) / (w * math.Sqrt(2*math.Pi))
	}
	return out
}

// smooth is Σ_m values[m] k(t − m).
func smooth(values, k []float64) []float64 {
	out := make([]float64, len(values))
	for m, v := range values {
		if v == 0 {
			continue
		}
		for t := max(0, m-len(k)+1); t < min(len(out), m+len(k)); t++ {
			out[t] += v * k[max(t-m, m-t)]
		}
	}
	return out
}

// localWidths is the best kernel's width for each window's width and time.
func (a adaptive) localWidths() [][]float64 {
	costs := make([][]float64, len(a.widths))
	for j, w := range a.widths {
		k := bell(w, a.n)
		r := smooth(a.counts, k)
		for m := range r {
			r[m] = r[m]*r[m] - 2*a.counts[m]*(r[m]-k[0])
		}
		costs[j] = r
	}
	best := make([][]float64, len(a.widths))
	for i, window := range a.widths {
		k := bell(window, a.n)
		best[i] = make([]float64, a.n)
		least := make([]float64, a.n)
		for j := range costs {
			for t, c := range smooth(costs[j], k) {
				if j == 0 || c < least[t] {
					best[i][t], least[t] = a.widths[j], c
				}
			}
		}
	}
	return best
}

// variable is w(t) for a stiffness γ: γ times the largest window whose best kernel is at
// least γ of it, or the smallest width where there is none; then the mean of its
// neighbours by weights as wide as their windows.
func (a adaptive) variable(best [][]float64, gamma float64) []float64 {
	raw := make([]float64, a.n)
	for t := range raw {
		raw[t] = a.widths[0]
		for i, window := range a.widths {
			if best[i][t] >= gamma*window {
				raw[t] = max(raw[t], gamma*window)
			}
		}
	}
	sum, weight := make([]float64, a.n), make([]float64, a.n)
	for s, w := range raw {
		k := bell(w/gamma, a.n)
		for t := max(0, s-len(k)+1); t < min(a.n, s+len(k)); t++ {
			z := k[max(t-s, s-t)]
			sum[t] += z * w
			weight[t] += z
		}
	}
	for t := range sum {
		sum[t] /= weight[t]
	}
	return sum
}

// rate is Σ_m counts[m] k_{w(t)}(t − m).
func (a adaptive) rate(w []float64) []float64 {
	out := make([]float64, a.n)
	for m, c := range a.counts {
		if c == 0 {
			continue
		}
		for t := range out {
			x := float64(t-m) / w[t]
			out[t] += c * math.Exp(-x*x/2) / (w[t] * math.Sqrt(2*math.Pi))
		}
	}
	return out
}

// cost is ∫ r² dt − 2 Σ_{i≠j} k_{w(t_i)}(t_i − t_j).
func (a adaptive) cost(w []float64) float64 {
	sum := 0.0
	for t, r := range a.rate(w) {
		sum += r*r - 2*a.counts[t]*(r-1/(w[t]*math.Sqrt(2*math.Pi)))
	}
	return sum
}
