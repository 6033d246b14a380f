package dynamics

import (
	"errors"
	"fmt"
	"math"
)

// LIF is the leaky integrate-and-fire neuron with synapses that are currents,
//
//	C v' = −g(v − E) + I + i,   τ_s i' = −i,   a spike that arrives: i ← i + weight
//	v ≥ threshold:  v ← reset, and stays for the refractory time, while i goes on
//
// solved exactly over each step Δ (Rotter and Diesmann 1999), τ = C/g:
//
//	v ← E + p₂₂(v − E) + p₂₁·i + p₂₀·I,   i ← p₁₁·i
//	p₁₁ = e^(−Δ/τ_s),  p₂₂ = e^(−Δ/τ),  p₂₁ = ττ_s/(C(τ − τ_s))·(p₂₂ − p₁₁),  p₂₀ = (1 − p₂₂)/g
//
// and p₂₁ = Δ/C·p₂₂ for τ_s = τ. Spikes arrive at the end of the step before, as in NEST's
// iaf_psc_exp. It fires at the end of the first step in which v is at the threshold or above.
type LIF struct {
	Capacity   float64 `yaml:"capacity"`    // C in pF
	Leak       float64 `yaml:"leak"`        // g in nS
	Rest       float64 `yaml:"rest"`        // E in mV
	Threshold  float64 `yaml:"threshold"`   // mV
	Reset      float64 `yaml:"reset"`       // mV
	Refractory float64 `yaml:"refractory"`  // ms, rounded to steps
	TauSynapse float64 `yaml:"tau-synapse"` // τ_s in ms
}

// Unit is pA.
func (LIF) Unit() string { return "pA" }

// Validate returns an error unless capacity, leak and tau-synapse are positive, and for levels
// that make no sense.
func (n LIF) Validate() error {
	return errors.Join(
		positive("current-lif", named{"capacity", n.Capacity}, named{"leak", n.Leak}, named{"tau-synapse", n.TauSynapse}),
		finite("current-lif", named{"rest", n.Rest}, named{"threshold", n.Threshold}, named{"reset", n.Reset}),
		levels("current-lif", n.Reset, n.Threshold, n.Refractory))
}

// Rheobase is the current in pA whose membrane just reaches the threshold, after an infinite time.
func (n LIF) Rheobase() float64 { return n.Leak * (n.Threshold - n.Rest) }

// Period is the time in ms between spikes under a current that stands still, in continuous time:
// t_ref + τ·ln((v∞ − reset)/(v∞ − threshold)), infinite where v∞ = E + I/g is not above the threshold.
func (n LIF) Period(current float64) float64 {
	end := n.Rest + current/n.Leak
	if !(end > n.Threshold) {
		return math.Inf(1)
	}
	return n.Refractory + n.Capacity/n.Leak*math.Log((end-n.Reset)/(end-n.Threshold))
}

// Cell is a neuron at rest.
func (n LIF) Cell(step float64) (Cell, error) {
	if err := errors.Join(n.Validate(), checkStep("current-lif", step)); err != nil {
		return nil, err
	}
	return &lif{LIF: n, propagator: propagate(n.Capacity, n.Leak, n.TauSynapse, step), v: n.Rest, whole: int(math.Round(n.Refractory / step))}, nil
}

// propagator is the exact solution of a membrane and a synapse over a step.
type propagator struct{ p11, p22, p21, p20 float64 }

func propagate(capacity, leak, tauSynapse, step float64) propagator {
	tau := capacity / leak
	p := propagator{p11: math.Exp(-step / tauSynapse), p22: math.Exp(-step / tau), p20: -math.Expm1(-step/tau) / leak}
	// ττ_s/(C(τ − τ_s))·(p₂₂ − p₁₁), with d = Δ(1/τ_s − 1/τ), which may be 0.
	p.p21 = step / capacity * p.p22
	if d := step/tauSynapse - step/tau; d != 0 {
		p.p21 *= -math.Expm1(-d) / d
	}
	return p
}

type lif struct {
	LIF
	propagator
	v, i          float64
	whole, paused int
}

func (c *lif) Receive(weight float64) { c.i += weight }

func (c *lif) Step(current float64) (float64, bool) {
	if c.paused > 0 {
		c.paused--
	} else {
		c.v = c.Rest + c.p22*(c.v-c.Rest) + c.p21*c.i + c.p20*current
	}
	c.i *= c.p11
	v := c.v
	if v < c.Threshold {
		return v, false
	}
	c.v, c.paused = c.Reset, c.whole
	return v, true
}

// Conductance is the leaky integrate-and-fire neuron with synapses that are conductances,
//
//	C v' = −g(v − E) − g_e(v − E_e) − g_i(v − E_i) + I,   τ_e g_e' = −g_e,   τ_i g_i' = −g_i
//
// with the reset of LIF. A step is that of exponential Euler, exact for conductances that stand
// still and stable for any: with G = g + g_e + g_i and v∞ = (gE + g_eE_e + g_iE_i + I)/G,
//
//	v ← v∞ + (v − v∞)·e^(−ΔG/C),   then the conductances decay
//
// Open conductances stay: they are what a bombardment by many spikes amounts to.
type Conductance struct {
	Capacity      float64 `yaml:"capacity"`                  // C in pF
	Leak          float64 `yaml:"leak"`                      // g in nS
	Rest          float64 `yaml:"rest"`                      // E in mV
	Threshold     float64 `yaml:"threshold"`                 // mV
	Reset         float64 `yaml:"reset"`                     // mV
	Refractory    float64 `yaml:"refractory"`                // ms, rounded to steps
	Excitatory    float64 `yaml:"excitatory"`                // E_e in mV
	Inhibitory    float64 `yaml:"inhibitory"`                // E_i in mV
	TauExcitatory float64 `yaml:"tau-excitatory"`            // ms
	TauInhibitory float64 `yaml:"tau-inhibitory"`            // ms
	OpenE         float64 `yaml:"open-excitatory,omitempty"` // nS, an excitatory conductance that stays
	OpenI         float64 `yaml:"open-inhibitory,omitempty"` // nS, an inhibitory one
}

// Unit is pA.
func (Conductance) Unit() string { return "pA" }

// Validate returns an error unless capacity, leak and time constants are positive, and for levels
// that make no sense.
func (n Conductance) Validate() error {
	err := errors.Join(
		positive("conductance-lif", named{"capacity", n.Capacity}, named{"leak", n.Leak}, named{"tau-excitatory", n.TauExcitatory}, named{"tau-inhibitory", n.TauInhibitory}),
		finite("conductance-lif", named{"rest", n.Rest}, named{"threshold", n.Threshold}, named{"reset", n.Reset}, named{"excitatory", n.Excitatory}, named{"inhibitory", n.Inhibitory}, named{"open-excitatory", n.OpenE}, named{"open-inhibitory", n.OpenI}),
		levels("conductance-lif", n.Reset, n.Threshold, n.Refractory))
	if err == nil && (n.OpenE < 0 || n.OpenI < 0) {
		err = fmt.Errorf("neuron conductance-lif: open conductances of %v and %v nS, want none below 0", n.OpenE, n.OpenI)
	}
	return err
}

// Cell is a neuron at rest with its synapses closed.
func (n Conductance) Cell(step float64) (Cell, error) {
	if err := errors.Join(n.Validate(), checkStep("conductance-lif", step)); err != nil {
		return nil, err
	}
	return &conductance{Conductance: n, step: step, v: n.Rest, whole: int(math.Round(n.Refractory / step)), decayE: math.Exp(-step / n.TauExcitatory), decayI: math.Exp(-step / n.TauInhibitory)}, nil
}

type conductance struct {
	Conductance
	step, v        float64
	ge, gi         float64
	decayE, decayI float64
	whole, paused  int
}

func (c *conductance) Receive(weight float64) {
	if weight < 0 {
		c.gi -= weight
		return
	}
	c.ge += weight
}

func (c *conductance) Step(current float64) (float64, bool) {
	ge, gi := c.ge+c.OpenE, c.gi+c.OpenI
	total := c.Leak + ge + gi
	end := (c.Leak*c.Rest + ge*c.Excitatory + gi*c.Inhibitory + current) / total
	if c.paused > 0 {
		c.paused--
	} else {
		c.v = end + (c.v-end)*math.Exp(-c.step*total/c.Capacity)
	}
	c.ge, c.gi = c.ge*c.decayE, c.gi*c.decayI
	v := c.v
	if v < c.Threshold {
		return v, false
	}
	c.v, c.paused = c.Reset, c.whole
	return v, true
}
