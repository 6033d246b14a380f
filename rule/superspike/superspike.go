// Package superspike trains layers of spiking neurons to emit given spike trains, by an
// online rule of three factors (Zenke and Ganguli, "SuperSpike: Supervised learning in
// multilayer spiking neural networks", Neural Computation 30, 2018). Nothing is unrolled in
// time: what a synapse must know of the past stands in traces.
//
// Times are in milliseconds, potentials and weights in millivolts. In a step of Δ, for
// neuron i with potential U, current I and input spikes S_j:
//
//	U_i ← U_i + (Δ/τ_mem)·(U_rest − U_i + I_i)
//	a spike where U_i > ϑ: U_i ← U_rest, held there for the refractory time
//	I_i ← e^(−Δ/τ_syn)·I_i + Σ_j w_ij S_j                      felt by U in the next step
//
// The loss is the van Rossum distance ½ Σ_i ∫ (α∗(Ŝ_i − S_i))² dt of the output trains S from
// their targets Ŝ, α a double exponential of τ_rise and τ_decay. The derivative of a spike
// train is replaced by that of a fast sigmoid of U after its reset, and what resets change is
// left out:
//
//	σ'_i = 1/(1 + β·|U_i − ϑ|)²,   0 below −80 mV
//	e_i = α∗err_i,   err_i = Ŝ_i − S_i at the output
//	∂w_ij/∂t = r_ij · e_i · α∗(σ'_i · (ε∗S_j))                 ε: synapse, then membrane
//
// Hidden layers receive the mismatches of the outputs through feedback weights and filter
// them by α themselves: err_i = Σ_k b_ki·err_k, where b is the transpose of the current
// weights, layer by layer (symmetric), fixed normal numbers (random) or 1 (uniform), straight
// from the outputs. With a feedback delay the traces of hidden layers wait for the late error.
//
// With m the integral since the last update, over n steps that last T_b (RMaxProp):
//
//	g = m/n,   v ← max(g², γ·v),   γ = e^(−T_b/τ_rms),   w ← w + r₀·g/(√v + ε) within ±bound
//
// so that no weight moves by more than r₀. The optional regulariser takes ρ·w_ij·e_i²·z_i⁴
// off the integrand, z_i a trace of the neuron's own spikes with τ_het, or, not gated by the
// error, ρ·w_ij·z_i⁴ as the program that the authors released does.
//
// A Stream computes this step by step in a memory that does not grow with time, 5 numbers a
// synapse: it learns from a pipe of events, and is the reference. The learner of a Rule, which
// has trials with a beginning and an end, needs no trace of a synapse: m is linear in the
// input spikes, so the filters run backwards over e·σ', n·T numbers, and each input spike
// adds a row of the result to m. Both agree but for rounding.
package superspike

import (
	"errors"
	"fmt"
	"math"

	"synfire/internal/enum"
	"synfire/tensor"
)

// Kind names the rule in configurations and model files.
const Kind = "superspike"

// Feedback says how hidden layers receive the error of the outputs.
type Feedback uint8

// The kinds of feedback.
const (
	Symmetric Feedback = iota // the transpose of the forward weights
	Random                    // fixed normal numbers
	Uniform                   // 1 for all
)

var feedbackNames = [...]string{"symmetric", "random", "uniform"}

// String is the name in configuration files.
func (f Feedback) String() string { return enum.Name(f, feedbackNames[:]) }

// MarshalText is String.
func (f Feedback) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText is the inverse of String.
func (f *Feedback) UnmarshalText(text []byte) error {
	return enum.Parse(f, text, "feedback", feedbackNames[:])
}

// lowest is the potential in mV below which a neuron does not learn.
const lowest = -80

// Rule is SuperSpike as a configuration describes it. Samples become spikes by the encoder,
// events for trains of one's own; the duration of the samples over steps is Δ.
type Rule struct {
	Hidden   []int    `yaml:"hidden,omitempty"` // units of the layers between input and output
	Target   string   `yaml:"target,omitempty"` // the trains to emit; empty: the first target that is trains
	Feedback Feedback `yaml:"feedback"`         // symmetric, random or uniform, to hidden layers
	Frozen   bool     `yaml:"frozen,omitempty"` // leave hidden layers as they were drawn, a control

	Rate       float64 `yaml:"rate"`                  // r₀ in mV, the most that an update moves a weight by
	Decay      float64 `yaml:"decay"`                 // factor of the rate after each decay-every updates
	DecayEvery int     `yaml:"decay-every,omitempty"` // updates; 0: the rate stays
	TauRMS     float64 `yaml:"tau-rms"`               // ms, in which the largest gradient is forgotten
	Epsilon    float64 `yaml:"epsilon"`               // added to √v
	LayerMax   bool    `yaml:"layer-max,omitempty"`   // one √v for a layer, its largest
	Bound      float64 `yaml:"bound"`                 // mV, of a weight's size
	Init       float64 `yaml:"initial"`               // mV; weights begin with a deviation of initial/√inputs

	FeedbackDelay float64 `yaml:"feedback-delay,omitempty"` // ms that errors take to hidden layers
	Rho           float64 `yaml:"rho,omitempty"`            // ρ of the regulariser, weights in mV
	Ungated       bool    `yaml:"ungated,omitempty"`        // regularise whether or not there is an error
	TauHet        float64 `yaml:"tau-het"`                  // ms, of the trace of own spikes

	Rest       float64 `yaml:"rest"`       // U_rest in mV
	Threshold  float64 `yaml:"threshold"`  // ϑ in mV
	Beta       float64 `yaml:"beta"`       // β in 1/mV, the steepness of the surrogate
	TauMem     float64 `yaml:"tau-mem"`    // ms
	TauSyn     float64 `yaml:"tau-syn"`    // ms
	Refractory float64 `yaml:"refractory"` // ms
	TauRise    float64 `yaml:"tau-rise"`   // ms, of the error's filter α
	TauDecay   float64 `yaml:"tau-decay"`  // ms, of the error's filter α
}

// NewRule has the defaults of a configuration file: those of the authors' program.
func NewRule() Rule {
	return Rule{
		Rate: 1, Decay: 0.1, TauRMS: 30_000, Epsilon: 1e-12, Bound: 100, Init: 50, TauHet: 100,
		Rest: -60, Threshold: -50, Beta: 1, TauMem: 10, TauSyn: 5, Refractory: 5, TauRise: 5, TauDecay: 10,
	}
}

// Validate returns an error for options that make no sense.
func (r Rule) Validate() error {
	for _, p := range []struct {
		name  string
		value float64
	}{
		{"rate", r.Rate}, {"decay", r.Decay}, {"tau-rms", r.TauRMS}, {"epsilon", r.Epsilon}, {"bound", r.Bound}, {"tau-het", r.TauHet},
		{"beta", r.Beta}, {"tau-mem", r.TauMem}, {"tau-syn", r.TauSyn}, {"tau-rise", r.TauRise}, {"tau-decay", r.TauDecay},
	} {
		if !(p.value > 0) || huge(p.value) {
			return fmt.Errorf("superspike: %s is %v, want a finite number above 0", p.name, p.value)
		}
	}
	for _, p := range []struct {
		name  string
		value float64
	}{{"initial", r.Init}, {"feedback-delay", r.FeedbackDelay}, {"rho", r.Rho}, {"refractory", r.Refractory}} {
		if !(p.value >= 0) || huge(p.value) {
			return fmt.Errorf("superspike: %s is %v, want a finite number from 0 on", p.name, p.value)
		}
	}
	for i, n := range r.Hidden {
		if n < 1 {
			return fmt.Errorf("superspike: hidden layer %d has %d units, want at least 1", i+1, n)
		}
	}
	switch {
	case int(r.Feedback) >= len(feedbackNames):
		return fmt.Errorf("superspike: %v: want symmetric, random or uniform", r.Feedback)
	case !(r.Threshold > r.Rest) || huge(r.Threshold-r.Rest):
		return fmt.Errorf("superspike: the threshold is %v mV and rest %v mV; want it above rest", r.Threshold, r.Rest)
	case r.Decay > 1:
		return fmt.Errorf("superspike: decay is %v, and the rate would grow; want a factor up to 1", r.Decay)
	case r.DecayEvery < 0:
		return fmt.Errorf("superspike: decay-every is %d updates, want 0 for a rate that stays, or more", r.DecayEvery)
	case r.Ungated && r.Rho == 0:
		return errors.New("superspike: ungated is set, and there is no regulariser; set rho too, or leave it out")
	case len(r.Hidden) == 0 && (r.Frozen || r.FeedbackDelay > 0 || r.Feedback != Symmetric):
		return errors.New("superspike: frozen, feedback and feedback-delay are of hidden layers, and there are none; set hidden, or leave them out")
	}
	return nil
}

// huge is beyond what a Float holds.
func huge(v float64) bool { return math.IsInf(float64(tensor.Float(v)), 0) }

// clock is the constants of a step. Potentials are relative to rest.
type clock struct {
	dt                         float64 // Δ in ms
	mem, syn, rise, decay, het tensor.Float
	threshold, beta, lowest    tensor.Float
	width                      tensor.Float // Δ
	rho                        tensor.Float
	ungated                    bool
	refractory                 int32
	delay                      int // steps, of the feedback
	energyQ, energyE, energyQE float64
	spike                      float64 // energy of a single mismatch
}

// clock is the constants for steps of dt milliseconds.
func (r Rule) clock(dt float64) (clock, error) {
	slowest := min(r.TauMem, r.TauDecay)
	if !(dt > 0) || math.IsInf(dt, 0) || dt > slowest {
		return clock{}, fmt.Errorf("superspike: a step lasts %v ms, want at most the shorter of tau-mem and tau-decay, %v ms; set steps to more, as to the duration over 0.1 ms", dt, slowest)
	}
	remains := func(tau float64) tensor.Float { return tensor.Float(math.Exp(-dt / tau)) }
	k := clock{
		dt: dt, mem: tensor.Float(dt / r.TauMem), syn: remains(r.TauSyn), rise: remains(r.TauRise), decay: tensor.Float(dt / r.TauDecay), het: remains(r.TauHet),
		threshold: tensor.Float(r.Threshold - r.Rest), beta: tensor.Float(r.Beta), lowest: tensor.Float(lowest - r.Rest),
		width: tensor.Float(dt), rho: tensor.Float(r.Rho), ungated: r.Ungated,
	}
	steps := func(name string, ms float64) (int32, error) {
		n := math.Round(ms / dt)
		if n > 1<<24 {
			return 0, fmt.Errorf("superspike: %s of %v ms is %.0f steps of %v ms, want at most %d; choose fewer steps", name, ms, n, dt, 1<<24)
		}
		return int32(n), nil
	}
	var err error
	if k.refractory, err = steps("refractory", r.Refractory); err != nil {
		return k, err
	}
	delay, err := steps("feedback-delay", r.FeedbackDelay)
	k.delay = int(delay)
	k.energies()
	return k, err
}

// energies works out what remains to come of ∫e² from a state (q, e) without events, a
// quadratic form, and what one mismatch gives in all.
func (k *clock) energies() {
	rest := func(q, e float64) (sum float64) {
		a, b := float64(k.rise), float64(k.decay)
		for {
			q *= a
			e += b * (q - e)
			sum += e * e
			if q*q+e*e < 1e-14*sum || sum == 0 && q == 0 {
				return sum
			}
		}
	}
	k.energyQ, k.energyE = rest(1, 0), rest(0, 1)
	k.energyQE = rest(1, 1) - k.energyQ - k.energyE
	b := float64(k.decay)
	k.spike = b*b + k.tail(1, b)
}

// tail is the energy after a state (q, e).
func (k *clock) tail(q, e float64) float64 {
	return max(0, k.energyQ*q*q+k.energyE*e*e+k.energyQE*q*e)
}

// advance is a step of some neurons: potentials u, currents, steps of silence that remain.
// It appends those that fire to fired, numbered from base on. Where slope is not nil it
// becomes σ'.
func (k *clock) advance(u, current []tensor.Float, pause []int32, slope []tensor.Float, fired []int32, base int) []int32 {
	current, pause = current[:len(u)], pause[:len(u)]
	for i, v := range u {
		v += tensor.Float(k.mem * (current[i] - v)) // the conversion keeps compilers from fusing
		current[i] *= k.syn
		switch {
		case pause[i] > 0:
			pause[i]--
			v = 0
		case v > k.threshold:
			fired = append(fired, int32(base+i))
			pause[i] = k.refractory
			v = 0
		}
		u[i] = v
	}
	if slope == nil {
		return fired
	}
	slope = slope[:len(u)]
	for i, v := range u {
		h := k.beta * (v - k.threshold)
		if h < 0 {
			h = -h
		}
		h = 1 / ((1 + h) * (1 + h))
		if v < k.lowest {
			h = 0
		}
		slope[i] = h
	}
	return fired
}

// filter is a step of the error's filter α; err is nil where nothing mismatches.
func (k *clock) filter(q, e, err []tensor.Float) {
	e = e[:len(q)]
	if err == nil {
		for i, v := range q {
			v *= k.rise
			q[i] = v
			e[i] += tensor.Float(k.decay * (v - e[i]))
		}
		return
	}
	err = err[:len(q)]
	for i, v := range q {
		v = tensor.Float(v*k.rise) + err[i]
		q[i] = v
		e[i] += tensor.Float(k.decay * (v - e[i]))
	}
}

// tiny is below what counts: states that decay are set to 0 there now and then, before
// they become numbers that processors are slow with.
const (
	tiny       = 1e-25
	flushEvery = 256 // steps
)

func flush(states ...[]tensor.Float) {
	for _, s := range states {
		for i, v := range s {
			if v < tiny && v > -tiny {
				s[i] = 0
			}
		}
	}
}
