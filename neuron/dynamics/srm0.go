package dynamics

import (
	"errors"
	"fmt"
	"math"
)

// SRM0 is the simplified spike response model (Gerstner et al. 2014): its membrane is what its
// inputs sum up to, which no spike resets, and the response to its own last spike t̂ alone,
//
//	u(t) = E + h(t) + η(t − t̂),   η(s) = −drop·e^(−s/τ_η)
//	h is the membrane of LIF without a threshold: κ(s) = e^(−s/τ)/C for currents,
//	ε(s) = ττ_s/(C(τ − τ_s))·(e^(−s/τ) − e^(−s/τ_s)) for spikes of 1 pA
//
// It fires where u ≥ threshold and the refractory time is over. With τ_η = τ and a drop of the
// threshold above rest, a current that stands still has it fire every −τ·ln((RI − ϑ)/ϑ) ms for
// ϑ < RI < 2ϑ, R = 1/g, ϑ = threshold − E; each spike forgets those before it. h is solved exactly.
type SRM0 struct {
	Capacity   float64 `yaml:"capacity"`    // C in pF
	Leak       float64 `yaml:"leak"`        // g in nS
	Rest       float64 `yaml:"rest"`        // E in mV
	Threshold  float64 `yaml:"threshold"`   // mV
	Drop       float64 `yaml:"drop"`        // mV, what a spike takes off the membrane
	TauDrop    float64 `yaml:"tau-drop"`    // τ_η in ms
	Refractory float64 `yaml:"refractory"`  // ms, rounded to steps
	TauSynapse float64 `yaml:"tau-synapse"` // τ_s in ms
}

// Unit is pA.
func (SRM0) Unit() string { return "pA" }

// Validate returns an error unless capacity, leak and time constants are positive, and for a rest
// at the threshold or a negative drop or time.
func (n SRM0) Validate() error {
	err := errors.Join(
		positive("srm0", named{"capacity", n.Capacity}, named{"leak", n.Leak}, named{"tau-drop", n.TauDrop}, named{"tau-synapse", n.TauSynapse}),
		finite("srm0", named{"threshold", n.Threshold}, named{"drop", n.Drop}),
		levels("srm0", n.Rest, n.Threshold, n.Refractory))
	if err == nil && n.Drop < 0 {
		err = fmt.Errorf("neuron srm0: drop is %v mV, want what a spike takes off the membrane, not below 0", n.Drop)
	}
	return err
}

// Cell is a neuron at rest that has not fired.
func (n SRM0) Cell(step float64) (Cell, error) {
	if err := errors.Join(n.Validate(), checkStep("srm0", step)); err != nil {
		return nil, err
	}
	return &srm0{SRM0: n, propagator: propagate(n.Capacity, n.Leak, n.TauSynapse, step), decay: math.Exp(-step / n.TauDrop), whole: int(math.Round(n.Refractory / step))}, nil
}

type srm0 struct {
	SRM0
	propagator
	h, i, eta, decay float64
	whole, paused    int
}

func (c *srm0) Receive(weight float64) { c.i += weight }

func (c *srm0) Step(current float64) (float64, bool) {
	c.h = c.p22*c.h + c.p21*c.i + c.p20*current
	c.i *= c.p11
	c.eta *= c.decay
	u := c.Rest + c.h + c.eta
	if c.paused > 0 {
		c.paused--
		return u, false
	}
	if u < c.Threshold {
		return u, false
	}
	c.eta, c.paused = -c.Drop, c.whole
	return u, true
}
