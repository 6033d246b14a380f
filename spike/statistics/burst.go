package statistics

import (
	"fmt"
	"math"

	"synfire/spike"
)

// Burst is spikes of one unit that follow one another fast.
type Burst struct {
	Start, Stop float64 // its first and last spike
	First, N    int     // the place of the first among the train's, and how many there are
	Surprise    float64 // of SurpriseBursts, else 0; +Inf where all its spikes are at one time
}

// Bursts are the longest runs of at least so many spikes with no interval above longest.
func Bursts(t spike.Train, longest float64, least int) ([]Burst, error) {
	const op = "statistics.Bursts"
	if err := spike.Check(op, t); err != nil {
		return nil, err
	}
	if err := positive(op, "longest interval", longest); err != nil {
		return nil, err
	}
	if least < 2 {
		return nil, fmt.Errorf("%s: bursts of %d spikes; want at least 2", op, least)
	}
	var out []Burst
	for from := 0; from < len(t.Times); {
		to := from + 1
		for to < len(t.Times) && !t.Slack().Before(longest, t.Times[to]-t.Times[to-1]) {
			to++
		}
		if to-from >= least {
			out = append(out, burst(t, from, to))
		}
		from = to
	}
	return out, nil
}

func burst(t spike.Train, from, to int) Burst {
	return Burst{Start: t.Times[from], Stop: t.Times[to-1], First: from, N: to - from}
}

// Surprise is how little a Poisson process of rate r is to be expected to have n spikes or
// more in a time T, S = −ln Σ_{i≥n} e^{−rT} (rT)^i/i!: 0 where n ≤ 0, +Inf where rT is 0.
func Surprise(n int, expected float64) float64 {
	if n <= 0 {
		return 0
	}
	if expected == 0 {
		return math.Inf(1)
	}
	if float64(n) <= expected { // the rest below n is the smaller part
		below, term := 0.0, math.Exp(-expected)
		for i := range n {
			below += term
			term *= expected / float64(i+1)
		}
		if below < 1 { // the first term may be 0 where much is expected
			return max(0, -math.Log1p(-below))
		}
	}
	sum, term := 1.0, 1.0
	for i := n + 1; term > sum*1e-17; i++ {
		term *= expected / float64(i)
		sum += term
	}
	factorial, _ := math.Lgamma(float64(n) + 1)
	return max(0, expected-float64(n)*math.Log(expected)+factorial-math.Log(sum))
}

// The numbers of Legéndy & Salcman.
const (
	seedFactor   = 0.5 // of the mean interval, below which two intervals begin a burst
	breakFactor  = 2   // of the mean interval, beyond which an interval ends it
	farthestLook = 10  // intervals that may be added before one that raises the surprise
)

// SurpriseBursts are the bursts of a train by their Poisson surprise (Legéndy & Salcman
// 1985, J. Neurophysiol. 53:926) of at least so much, and at least three spikes. A burst of n
// spikes from its first to its last, T apart, has the surprise of n spikes where the train's
// mean rate, 1/(mean interval), has rT. Two consecutive intervals below half the mean begin
// one; it grows by following intervals as long as one of the next ten raises the surprise and
// none before is above twice the mean; then spikes are left out at its beginning while that
// raises it. They speak of bursts from a surprise of 10 on.
func SurpriseBursts(t spike.Train, least float64) ([]Burst, error) {
	const op = "statistics.SurpriseBursts"
	if err := spike.Check(op, t); err != nil {
		return nil, err
	}
	if !(least >= 0) || math.IsInf(least, 1) {
		return nil, fmt.Errorf("%s: a surprise of %v; want a number from 0 on", op, least)
	}
	n := len(t.Times)
	if n < 3 || t.Times[n-1] == t.Times[0] {
		return nil, nil
	}
	mean := (t.Times[n-1] - t.Times[0]) / float64(n-1)
	surprise := func(from, to int) float64 { return Surprise(to-from, (t.Times[to-1]-t.Times[from])/mean) }
	interval := func(i int) float64 { return t.Times[i] - t.Times[i-1] } // that ends with spike i
	short := func(i int) bool { return t.Slack().Before(interval(i), seedFactor*mean) }
	var out []Burst
	for at := 0; at+2 < n; at++ {
		if !short(at+1) || !short(at+2) {
			continue
		}
		from, to := at, at+3
		best := surprise(from, to)
		for end := to; end < n && end-to < farthestLook && !t.Slack().Before(breakFactor*mean, interval(end)); end++ {
			if s := surprise(from, end+1); s > best {
				best, to = s, end+1
			}
		}
		for to-from > 3 && surprise(from+1, to) > best {
			from++
			best = surprise(from, to)
		}
		at = to - 1
		if best >= least {
			b := burst(t, from, to)
			b.Surprise = best
			out = append(out, b)
		}
	}
	return out, nil
}
