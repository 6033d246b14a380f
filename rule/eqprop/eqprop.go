// Package eqprop is equilibrium propagation: a layered network relaxes to a
// minimum of its energy, once freely and once with its outputs drawn towards the
// target, and the difference of a local product between the two states is the
// gradient. Nothing is propagated backwards.
//
// # Energy and dynamics
//
// For the input s_0 = x, states s_l of layers l = 1 … L, ρ(s) = min(max(s, 0), 1),
// weights W_l [n_{l−1}, n_l] and biases b_l,
//
//	E(s)    = Σ_l ½‖s_l‖² − ρ(s_{l−1})ᵀ W_l ρ(s_l) − b_lᵀ ρ(s_l)
//	F(s, β) = E(s) + β C(s),   C(s) = κ‖y − s_L‖²
//
// With the drive z_l = b_l + W_lᵀ s_{l−1} + W_{l+1} s_{l+1}, a step ε of the
// continuous dynamics ds/dt = −∂F/∂s is
//
//	s_l ← clip((1 − ε)·s_l + ε·(z_l + [l = L] 2κβ(y − s_L)), 0, 1)
//
// where ρ′ is 1 on the closed interval [0, 1] that the clip keeps states in. The
// discrete dynamics drop the leak: s_l ← (1 − ε)·s_l + ε·(σ(z_l) + nudge). The first
// layers may be convolutions with pooling, see Convolutional.
//
// # Learning
//
// From the free state s⁰ a nudged one follows for each sign of β, and for states
// p and m of the two phases that are compared, γ apart in β, the step is
//
//	W_l += α_l/γ · mean[p_{l−1} p_lᵀ − m_{l−1} m_lᵀ],   b_l += α_l/γ · mean[p_l − m_l]
//
// an estimate of −α_l ∂C(s⁰)/∂W_l: one-sided (p = s^β, m = s⁰, γ = β) with an error
// of order β, centred (p = s^β, m = s^−β, γ = 2β) of order β².
//
// Scellier and Bengio, "Equilibrium Propagation", Front. Comput. Neurosci. 11, 2017
// (energy, one-sided and random-sign nudging); Ernoult et al., "Updates of
// Equilibrium Prop Match Gradients of Backprop Through Time", NeurIPS 2019
// (discrete dynamics); Laborieux et al., "Scaling Equilibrium Propagation to Deep
// ConvNets", Front. Neurosci. 15, 2021 (centred nudging, cross-entropy readout).
package eqprop

import (
	"errors"
	"fmt"
	"math"

	"synfire/internal/par"
)

// Nudge says which phases are compared.
type Nudge uint8

// The ways of nudging.
const (
	Centred    Nudge = iota // +β and −β, each from the free state
	OneSided                // +β and the free state
	RandomSign              // ±β, drawn for each batch, and the free state
)

// Schedule says in which order the layers of a step are updated.
type Schedule uint8

// The schedules. Sweeps read the new states of layers that were updated before.
const (
	Simultaneous Schedule = iota // all layers from the states before the step
	SweepForward                 // from the input to the output
	SweepBackward
)

// Output is the readout and its cost.
type Output uint8

// The readouts.
const (
	// SquaredError is C = κ‖y − s_L‖², with the outputs part of the dynamics.
	SquaredError Output = iota
	// CrossEntropy reads o = softmax(W_Lᵀ s_{L−1} + b_L) off the layer below, which
	// alone is nudged: z_{L−1} += β W_L (y − o), anew in each step. The readout
	// learns by its own gradient at the nudged states.
	CrossEntropy
)

// Activation is σ of the discrete dynamics.
type Activation uint8

// The activations.
const (
	Continuous  Activation = iota // none: the continuous dynamics
	HardSigmoid                   // min(max(z, 0), 1)
	HalfSigmoid                   // min(max(z/2, 0), 1)
	Logistic                      // 1/(1 + exp(−4(z − ½)))
	Tanh
)

// Weights is the distribution that initial weights are drawn from.
type Weights uint8

// The distributions.
const (
	Glorot Weights = iota // U(±√(6/(n_{l−1}+n_l))), biases 0
	FanIn                 // U(±1/√n_{l−1}), biases too
)

// Config describes a network and how it learns. Sizes, Rates, Beta, Free and
// Nudged are required.
type Config struct {
	Sizes      []int   // n_0 … n_L
	Step       float64 // ε in (0, 2); 0 means ½
	Activation Activation
	Schedule   Schedule
	Output     Output
	Weights    Weights

	Free, Nudged int     // steps of the phases
	Beta         float64 // β > 0
	Nudge        Nudge
	CostScale    float64   // κ; 0 means ½
	Rates        []float64 // α_1 … α_L
	// Anneal is the steps of learning over which the rates fall to zero, along half a
	// cosine; 0 keeps them.
	Anneal int
	// Tolerance ends a sample's phase when no state moved by more; 0 takes all steps.
	Tolerance float64
	// Particles is the number of training samples whose free states are kept from
	// one epoch to the next and start their free phase; 0 starts from zeros. It
	// counts places in the data set's file.
	Particles int

	Convolutional *Convolutional // nil: all layers are fully connected

	Predictor *Predictor // nil: no forward network
	Spiking   *Spiking   // nil: units send their states
	TopK      *TopK      // nil: no limit of activity
	Pruning   *Pruning   // nil: all weights are kept
	Binary    *Binary    // nil: weights are numbers
	Seed      uint64
	Pool      *par.Pool
}

// withDefaults fills in what may be left out.
func (c Config) withDefaults() Config {
	if c.Step == 0 {
		c.Step = 0.5
	}
	if c.CostScale == 0 {
		c.CostScale = 0.5
	}
	return c
}

// Validate returns an error for a network that cannot learn.
func (c Config) Validate() error {
	c = c.withDefaults()
	fail := func(format string, args ...any) error { return fmt.Errorf("eqprop: "+format, args...) }
	if len(c.Sizes) < 2 {
		return fail("sizes %v: want those of the input and at least one layer", c.Sizes)
	}
	for l, n := range c.Sizes {
		if n < 1 {
			return fail("sizes %v: layer %d has %d units, want at least one", c.Sizes, l, n)
		}
	}
	layers := len(c.Sizes) - 1
	switch {
	case len(c.Rates) != layers:
		return fail("%d rates for %d matrices of weights; give one for each, from the input on", len(c.Rates), layers)
	case !(c.Step > 0 && c.Step < 2):
		return fail("step %v, want one in (0, 2): beyond, even a single unit's leak (1 − step) grows; try 0.5", c.Step)
	case c.Activation != Continuous && c.Step > 1:
		return fail("step %v of discrete dynamics, want one in (0, 1]", c.Step)
	case !(c.Beta > 0) || math.IsInf(c.Beta, 0):
		return fail("beta %v, want a positive number: the update is divided by it, and its sign follows from the way of nudging", c.Beta)
	case !(c.CostScale > 0) || math.IsInf(c.CostScale, 0):
		return fail("cost scale %v, want a positive number; ½ and 1 are common", c.CostScale)
	case c.Free < 1 || c.Nudged < 0:
		return fail("%d free and %d nudged steps, want at least one free step", c.Free, c.Nudged)
	case !(c.Tolerance >= 0) || c.Particles < 0 || c.Anneal < 0:
		return fail("tolerance %v, particles %d, anneal %d: none may be negative", c.Tolerance, c.Particles, c.Anneal)
	case c.Output == CrossEntropy && layers < 2:
		return fail("cross-entropy reads off a hidden layer, and there is none; add one, or use the squared error")
	case c.Nudge > RandomSign || c.Schedule > SweepBackward || c.Output > CrossEntropy || c.Activation > Tanh || c.Weights > FanIn:
		return fail("nudge %d, schedule %d, output %d, activation %d, weights %d: one of them is unknown", c.Nudge, c.Schedule, c.Output, c.Activation, c.Weights)
	}
	for l, r := range c.Rates {
		if !(r >= 0) || math.IsInf(r, 0) {
			return fail("rate %v of matrix %d, want a number that is not negative", r, l+1)
		}
	}
	if c.Convolutional != nil {
		if err := c.Convolutional.validate(c); err != nil {
			return err
		}
	}
	if c.Spiking != nil {
		if err := c.Spiking.validate(c); err != nil {
			return err
		}
	}
	if c.TopK != nil {
		if err := c.TopK.validate(c); err != nil {
			return err
		}
	}
	if c.Binary != nil {
		if err := c.Binary.validate(c); err != nil {
			return err
		}
	}
	if c.Pruning != nil {
		if err := c.Pruning.validate(c); err != nil {
			return err
		}
	}
	return c.validatePredictor()
}

func (c Config) validatePredictor() error {
	if c.Predictor == nil {
		return nil
	}
	switch {
	case c.Particles > 0:
		return errors.New("eqprop: particles and a predictor both say where the free phase starts; choose one")
	case c.Output != SquaredError || c.Activation != Continuous:
		return errors.New("eqprop: a predictor needs the squared error and continuous dynamics; leave output and activation out")
	}
	return c.Predictor.validate(c)
}

// annealed is the share of the rates that is left at a step.
func (c Config) annealed(step int) float64 {
	if c.Anneal == 0 {
		return 1
	}
	return (1 + math.Cos(math.Pi*float64(min(step, c.Anneal))/float64(c.Anneal))) / 2
}

// dynamic is the number of layers whose states relax.
func (c Config) dynamic() int {
	if c.Output == CrossEntropy {
		return len(c.Sizes) - 2
	}
	return len(c.Sizes) - 1
}
