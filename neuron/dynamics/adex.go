package dynamics

import (
	"errors"
	"fmt"
	"math"
)

// AdEx is the adaptive exponential integrate-and-fire neuron (Brette and Gerstner 2005):
//
//	C v' = −g(v − E) + gΔ·e^((v − V_T)/Δ) + I − w,   τ_w w' = a(v − E) − w
//	v > peak:  v ← reset, w ← w + b
//
// by Euler's method from v = E, w = 0. The exponential grows no further than at the peak, which
// the membrane passes in the next step whatever it is.
type AdEx struct {
	Capacity  float64 `yaml:"capacity"`  // C in pF
	Leak      float64 `yaml:"leak"`      // g in nS
	Rest      float64 `yaml:"rest"`      // E in mV
	Threshold float64 `yaml:"threshold"` // V_T in mV, where the exponential takes over
	Width     float64 `yaml:"width"`     // Δ in mV
	Coupling  float64 `yaml:"coupling"`  // a in nS
	TauW      float64 `yaml:"tau-w"`     // ms
	Jump      float64 `yaml:"jump"`      // b in pA
	Reset     float64 `yaml:"reset"`     // mV
	Peak      float64 `yaml:"peak"`      // mV
}

// Unit is pA.
func (AdEx) Unit() string { return "pA" }

// Validate returns an error unless capacity, leak, width and tau-w are positive, and for a reset
// or threshold at or above the peak.
func (n AdEx) Validate() error {
	err := errors.Join(
		positive("adex", named{"capacity", n.Capacity}, named{"leak", n.Leak}, named{"width", n.Width}, named{"tau-w", n.TauW}),
		finite("adex", named{"rest", n.Rest}, named{"threshold", n.Threshold}, named{"coupling", n.Coupling}, named{"jump", n.Jump}, named{"peak", n.Peak}),
		levels("adex", n.Reset, n.Peak, 0))
	if err == nil && n.Threshold >= n.Peak {
		err = fmt.Errorf("neuron adex: threshold %v mV, peak %v mV: want the threshold below the peak", n.Threshold, n.Peak)
	}
	return err
}

// Rheobase is the current in pA above which no point of rest is left, where v' and w' are both 0:
// (g + a)(V_T − E − Δ + Δ·ln(1 + a/g)). With a large a the rest turns unstable below it. NaN for
// a ≤ −g.
func (n AdEx) Rheobase() float64 {
	return (n.Leak + n.Coupling) * (n.Threshold - n.Rest - n.Width + n.Width*math.Log(1+n.Coupling/n.Leak))
}

// Cell is a neuron at rest.
func (n AdEx) Cell(step float64) (Cell, error) {
	if err := errors.Join(n.Validate(), checkStep("adex", step)); err != nil {
		return nil, err
	}
	if tau := n.Capacity / n.Leak; step > tau || step > n.TauW {
		return nil, fmt.Errorf("neuron adex: a step of %v ms with time constants of %v and %v ms: Euler's method needs a shorter one, such as 0.1", step, tau, n.TauW)
	}
	return &adex{AdEx: n, step: step, v: n.Rest}, nil
}

type adex struct {
	AdEx
	step, v, w float64
}

func (c *adex) Step(current float64) (float64, bool) {
	grown := c.Leak * c.Width * math.Exp(min(c.v, c.Peak)/c.Width-c.Threshold/c.Width)
	v := c.v + c.step/c.Capacity*(-c.Leak*(c.v-c.Rest)+grown+current-c.w)
	c.w += c.step / c.TauW * (c.Coupling*(c.v-c.Rest) - c.w)
	if c.v = v; v <= c.Peak {
		return v, false
	}
	c.v, c.w = c.Reset, c.w+c.Jump
	return c.Peak, true
}
