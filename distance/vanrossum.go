package distance

import (
	"math"

	"synfire/spike"
)

// VanRossum is the distance of the trains' traces f(t) = Σ_{u_i ≤ t} e^{−(t−u_i)/τ}
// (van Rossum 2001), scaled so that one spike against none gives 1:
//
//	D² = (2/τ)·∫ (f − g)² dt = K(u,u) + K(v,v) − 2·K(u,v),   K(a,b) = Σ_ij e^{−|a_i−b_j|/τ}
//
// The root D is a metric. The window does not matter: what remains of the traces
// after its end counts.
type VanRossum struct {
	Tau     float64 // τ, in the unit of the trains; 0 and +Inf are allowed
	Squared bool    // D² in place of D
}

// Name is "van-rossum".
func (VanRossum) Name() string { return "van-rossum" }

// Distance is D, or D².
func (m VanRossum) Distance(a, b spike.Train) (float64, error) {
	return distanceOf(m, a, b)
}

func (m VanRossum) check() error { return nonnegative("Tau", m.Tau) }

func (VanRossum) prepare(*train) {}

func (m VanRossum) pair(_ *workspace, a, b *train) tally {
	return tally{m.scale(m.square(a.Times, b.Times, a.slack)), 1}
}

// scale is the value of a D².
func (m VanRossum) scale(d2 float64) float64 {
	if d2 = max(d2, 0); m.Squared {
		return d2
	}
	return math.Sqrt(d2)
}

// square is D² of times that may repeat.
func (m VanRossum) square(u, v []float64, e spike.Slack) float64 {
	switch {
	case m.Tau == 0:
		return float64(len(u) + len(v) - 2*simultaneous(u, v, e))
	case math.IsInf(m.Tau, 1):
		d := float64(len(u) - len(v))
		return d * d
	}
	return m.sweepPair(u, v)
}

// sweepPair adds up, event by event, what a spike shares with those before it: r is the
// difference of the traces.
func (m VanRossum) sweepPair(u, v []float64) float64 {
	r, last, d2 := 0.0, math.Inf(-1), 0.0
	for len(u) > 0 || len(v) > 0 {
		var t, sign float64
		if len(v) == 0 || len(u) > 0 && u[0] <= v[0] {
			t, sign, u = u[0], 1, u[1:]
		} else {
			t, sign, v = v[0], -1, v[1:]
		}
		if t > last {
			r *= math.Exp((last - t) / m.Tau)
		}
		d2 += 1 + 2*sign*r
		r, last = r+sign, t
	}
	return d2
}
