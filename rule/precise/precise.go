// Package precise trains neurons to fire at given times, by four rules that are written in
// spikes: ReSuMe (Ponulak and Kasiński 2010), SPAN (Mohemmed et al. 2012), the E-learning of the
// chronotron (Florian 2012) and the gradient of the likelihood (Pfister et al. 2006).
//
// Times are in milliseconds. All four have one neuron, whose own spikes t_o take θ off:
//
//	u(t) = Σ_i w_i λ_i(t) − θ Σ_{t_o<t} e^(−(t−t_o)/τ),   λ_i(t) = Σ_{t_i<t} K(t − t_i)
//	K(s) = V₀·(e^(−s/τ) − e^(−s/τ_s)),   max K = 1;   a spike where u reaches θ
//
// After a trial with own spikes t_o and wanted ones t_d,
//
//	resume      Δw_i = η·[Σ_d (a + x_i(t_d)) − Σ_o (a + x_i(t_o))],   x_i(t) = Σ_{t_i<t} e^(−(t−t_i)/τ_l)
//	span        Δw_i = η·(e/2)²·[Σ_{d,i} s(t_d − t_i) − Σ_{o,i} s(t_o − t_i)],   s(x) = (1 + |x|/τ_l)·e^(−|x|/τ_l)
//	chronotron  Δw_i = η·[Σ_{t_d to insert} λ_i(t_d) − Σ_{t_o to delete} λ_i(t_o) + γ/τ_q² Σ_{pairs} (t_o − t_d)·λ_i(t_o)]
//	pfister     Δw_i = η/Δ·[Σ_d λ_i(t_d) − ∫ ρ(t)·λ_i(t) dt],   ρ = ρ₀·e^((u−θ)/Δ), u with the wanted spikes' resets
//
// SPAN is the Widrow–Hoff rule on trains filtered by (e/τ_l)·s·e^(−s/τ_l), integrated in closed
// form and divided by τ_l; it counts inputs after a spike too. The chronotron pairs spikes as
// the distance of Victor and Purpura does, with a cost of (t_o − t_d)²/(2τ_q²) for a pair and 1 for
// a spike without. Pfister's is the gradient of ln p(wanted) = Σ_d ln ρ(t_d) − ∫ρ, concave in w, of a neuron
// that fires by chance; here its weights are those of the neuron that does not.
//
// Between two spikes u is a·e^(−h/τ) − b·e^(−h/τ_s), so that crossings are exact.
package precise

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// Spike is one of an input.
type Spike struct {
	At   float64 // ms
	Unit int
}

// Trial is input spikes, in the order of their times, over a duration in ms.
type Trial struct {
	Spikes   []Spike
	Duration float64
}

// Sort brings the spikes in order.
func (t *Trial) Sort() {
	slices.SortStableFunc(t.Spikes, func(a, b Spike) int { return cmp.Compare(a.At, b.At) })
}

// Cell is the constants of the neurons.
type Cell struct {
	Tau, TauS, Threshold float64
	scale                float64 // V₀
}

// NewCell makes the constants.
func NewCell(tau, tauS, threshold float64) Cell {
	peak := tau * tauS / (tau - tauS) * math.Log(tau/tauS)
	return Cell{tau, tauS, threshold, 1 / (math.Exp(-peak/tau) - math.Exp(-peak/tauS))}
}

// kernel is K.
func (c Cell) kernel(s float64) float64 {
	if s <= 0 {
		return 0
	}
	return c.scale * (math.Exp(-s/c.Tau) - math.Exp(-s/c.TauS))
}

// MostSpikes is how many times a neuron may fire in a trial.
const MostSpikes = 100_000

var errWild = errors.New("a neuron fires more than 100,000 times in a trial; lower lr or initial")

// Run is the spikes of a neuron with the weights.
func (c Cell) Run(t *Trial, w []float64) (own []float64, err error) {
	a, b, at := 0.0, 0.0, 0.0
	for k := range len(t.Spikes) + 1 {
		next := t.Duration
		if k < len(t.Spikes) {
			next = min(t.Spikes[k].At, t.Duration)
		}
		for next > at {
			h := c.cross(a, b, next-at)
			fires := h >= 0
			if !fires {
				h = next - at
			}
			a, b = a*math.Exp(-h/c.Tau), b*math.Exp(-h/c.TauS)
			if !fires {
				break
			}
			at += h
			own = append(own, at)
			if len(own) > MostSpikes {
				return nil, errWild
			}
			a -= c.Threshold / c.scale
		}
		at = next
		if k < len(t.Spikes) {
			a, b = a+w[t.Spikes[k].Unit], b+w[t.Spikes[k].Unit]
		}
	}
	return own, nil
}

func (c Cell) value(a, b, h float64) float64 {
	return c.scale * (a*math.Exp(-h/c.Tau) - b*math.Exp(-h/c.TauS))
}

// cross is when a potential below θ reaches it within h, −1 where it does not. It has one
// maximum at most.
func (c Cell) cross(a, b, h float64) float64 {
	if a > 0 && b > 0 && b*c.Tau > a*c.TauS {
		h = min(h, c.Tau*c.TauS/(c.Tau-c.TauS)*math.Log(b*c.Tau/(a*c.TauS)))
	}
	if c.value(a, b, h) < c.Threshold {
		return -1
	}
	lo, hi := 0.0, h
	for range 200 {
		mid := lo + (hi-lo)/2
		if mid <= lo || mid >= hi {
			break
		}
		if c.value(a, b, mid) >= c.Threshold {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// Effects adds by times λ_i(at) of each input to dst.
func (c Cell) Effects(dst []float64, t *Trial, at, by float64) {
	for _, s := range t.Spikes {
		if s.At >= at {
			break
		}
		dst[s.Unit] += by * c.kernel(at-s.At)
	}
}

// ReSuMe adds its change to dw.
func ReSuMe(dw []float64, t *Trial, own, want []float64, rate, a, tau float64) {
	add := func(times []float64, by float64) {
		for _, at := range times {
			for i := range dw {
				dw[i] += by * a
			}
			for _, s := range t.Spikes {
				if s.At >= at {
					break
				}
				dw[s.Unit] += by * math.Exp((s.At-at)/tau)
			}
		}
	}
	add(want, rate)
	add(own, -rate)
}

// SPAN adds its change to dw.
func SPAN(dw []float64, t *Trial, own, want []float64, rate, tau float64) {
	rate *= math.E * math.E / 4
	add := func(times []float64, by float64) {
		for _, at := range times {
			for _, s := range t.Spikes {
				x := math.Abs(at-s.At) / tau
				dw[s.Unit] += by * (1 + x) * math.Exp(-x)
			}
		}
	}
	add(want, rate)
	add(own, -rate)
}

// Chronotron adds its change to dw.
func (c Cell) Chronotron(dw []float64, t *Trial, own, want []float64, rate, gamma, tauQ float64) {
	pairs, remove, insert := Match(own, want, tauQ)
	for _, k := range insert {
		c.Effects(dw, t, want[k], rate)
	}
	for _, k := range remove {
		c.Effects(dw, t, own[k], -rate)
	}
	for _, p := range pairs {
		c.Effects(dw, t, own[p[0]], rate*gamma/(tauQ*tauQ)*(own[p[0]]-want[p[1]]))
	}
}

// Match pairs the spikes of two trains at the least cost: (difference/τ_q)²/2 a pair, 1 for each
// spike of own that is removed and of want that is inserted. Results are places in the trains.
func Match(own, want []float64, tauQ float64) (pairs [][2]int, remove, insert []int) {
	n, m := len(own), len(want)
	cost := make([][]float64, n+1)
	pair := func(i, j int) float64 {
		d := (own[i] - want[j]) / tauQ
		return d * d / 2
	}
	for i := range cost {
		cost[i] = make([]float64, m+1)
		for j := range cost[i] {
			switch {
			case i == 0:
				cost[i][j] = float64(j)
			case j == 0:
				cost[i][j] = float64(i)
			default:
				cost[i][j] = min(cost[i-1][j]+1, cost[i][j-1]+1, cost[i-1][j-1]+pair(i-1, j-1))
			}
		}
	}
	for i, j := n, m; i > 0 || j > 0; {
		switch {
		case i > 0 && j > 0 && cost[i][j] == cost[i-1][j-1]+pair(i-1, j-1):
			i, j = i-1, j-1
			pairs = append(pairs, [2]int{i, j})
		case i > 0 && cost[i][j] == cost[i-1][j]+1:
			i--
			remove = append(remove, i)
		default:
			j--
			insert = append(insert, j)
		}
	}
	return pairs, remove, insert
}

// Escape is how a neuron fires by chance: ρ₀ in 1/ms, Δ in the unit of u, and the step in ms of
// the integral.
type Escape struct{ Rho, Width, Step float64 }

// Likelihood is ln p(want), and adds its gradient times rate to dw, nil for none.
func (c Cell) Likelihood(dw []float64, t *Trial, w, want []float64, e Escape, rate float64) (ln float64) {
	slow, fast := make([]float64, len(w)), make([]float64, len(w))
	keep, keepFast := math.Exp(-e.Step/c.Tau), math.Exp(-e.Step/c.TauS)
	reset, next, nextWant := 0.0, 0, 0
	for _, at := range want {
		u := 0.0
		effect := make([]float64, len(w))
		c.Effects(effect, t, at, 1)
		for i, v := range effect {
			u += w[i] * v
		}
		for _, before := range want {
			if before < at {
				u -= c.Threshold * math.Exp((before-at)/c.Tau)
			}
		}
		ln += math.Log(e.Rho) + (u-c.Threshold)/e.Width
		for i := range dw {
			dw[i] += rate / e.Width * effect[i]
		}
	}
	for k := range int(t.Duration / e.Step) { // midpoints
		at := (float64(k) + 0.5) * e.Step
		for i := range slow {
			slow[i] *= keep
			fast[i] *= keepFast
		}
		reset *= keep
		for ; next < len(t.Spikes) && t.Spikes[next].At < at; next++ {
			s := t.Spikes[next]
			slow[s.Unit] += math.Exp((s.At - at) / c.Tau)
			fast[s.Unit] += math.Exp((s.At - at) / c.TauS)
		}
		for ; nextWant < len(want) && want[nextWant] < at; nextWant++ {
			reset += c.Threshold * math.Exp((want[nextWant]-at)/c.Tau)
		}
		u := -reset
		for i, v := range slow {
			u += w[i] * c.scale * (v - fast[i])
		}
		rho := e.Rho * math.Exp(min((u-c.Threshold)/e.Width, 50)) * e.Step
		ln -= rho
		for i := range dw {
			dw[i] -= rate / e.Width * rho * c.scale * (slow[i] - fast[i])
		}
	}
	return ln
}
