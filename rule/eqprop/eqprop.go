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

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/limit"
	"synfire/rule/eqprop/sparse"
	"synfire/rule/eqprop/unit"
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

// Config describes a network and how it learns. Sizes, LearningRates, Beta, Free and
// Nudged are required.
type Config struct {
	Seed       uint64           // of all random numbers; in files that of the run
	Sizes      []int            `yaml:"sizes,omitempty"` // n_0 … n_L, units of the input and of each layer
	Step       float64          `yaml:"step"`            // ε in (0, 2); 0: 0.5
	Activation unit.Activation  `yaml:"activation"`      // σ of the discrete dynamics; continuous: none
	Schedule   Schedule         `yaml:"schedule"`        // the order in which a step updates the layers
	Output     Output           `yaml:"output"`          // the readout and its cost
	Weights    coupling.Weights `yaml:"weights"`         // the distribution of the initial weights

	Free          int       `yaml:"free"`           // steps of the free phase
	Nudged        int       `yaml:"nudged"`         // steps of each nudged phase
	Beta          float64   `yaml:"beta"`           // β, the strength of the nudge, positive
	Nudge         Nudge     `yaml:"nudge"`          // which phases are compared
	CostScale     float64   `yaml:"cost-scale"`     // κ; 0: 0.5
	LearningRates []float64 `yaml:"learning-rates"` // α_1 … α_L, one for each matrix of weights
	Anneal        int       `yaml:"anneal"`         // steps of learning over which the rates fall to zero, along half a cosine; 0: never
	Tolerance     float64   `yaml:"tolerance"`      // largest change of a state at which a sample's phase ends; 0: none
	Particles     int       `yaml:"particles"`      // training samples, by their places in the file, whose free states are kept from one epoch to the next; 0: none
	TestParticles int       `yaml:"test-particles"` // predicted samples, by their places in the file, whose free states are kept from one prediction in training to the next; 0: none

	Convolutional *coupling.Convolutional `yaml:"convolutional,omitempty"` // the first layers; none: all are fully connected
	Predictor     *Predictor              `yaml:"predictor,omitempty"`     // a forward network that the free phase starts from
	Spiking       *unit.Spiking           `yaml:"spiking,omitempty"`       // units send bits in place of their states
	TopK          *limit.TopK             `yaml:"top-k,omitempty"`         // a limit of activity
	Pruning       *sparse.Pruning         `yaml:"pruning,omitempty"`       // removes weights in training
	Binary        *unit.Binary            `yaml:"binary,omitempty"`        // weights are signs

	Pool *par.Pool // threads to run on; nil: one
}

// withDefaults fills in what may be left out.
func (c Config) withDefaults() Config {
	if c.Step == 0 {
		c.Step = 0.5
	}
	if c.CostScale == 0 {
		c.CostScale = 0.5
	}
	if c.Predictor != nil && c.Predictor.Leak == 0 {
		p := *c.Predictor
		p.Leak = 0.01
		c.Predictor = &p
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
	case len(c.LearningRates) != layers:
		return fail("%d learning rates for %d matrices of weights; give one for each, from the input on", len(c.LearningRates), layers)
	case !(c.Step > 0 && c.Step < 2):
		return fail("step %v, want one in (0, 2): beyond, even a single unit's leak (1 − step) grows; try 0.5", c.Step)
	case c.Activation != unit.Continuous && c.Step > 1:
		return fail("step %v of discrete dynamics, want one in (0, 1]", c.Step)
	case !(c.Beta > 0) || math.IsInf(c.Beta, 0):
		return fail("beta %v, want a positive number: the update is divided by it, and its sign follows from the way of nudging", c.Beta)
	case !(c.CostScale > 0) || math.IsInf(c.CostScale, 0):
		return fail("cost scale %v, want a positive number; ½ and 1 are common", c.CostScale)
	case c.Free < 1 || c.Nudged < 0:
		return fail("%d free and %d nudged steps, want at least one free step", c.Free, c.Nudged)
	case !(c.Tolerance >= 0) || c.Particles < 0 || c.TestParticles < 0 || c.Anneal < 0:
		return fail("tolerance %v, particles %d, test particles %d, anneal %d: none may be negative", c.Tolerance, c.Particles, c.TestParticles, c.Anneal)
	case c.Output == CrossEntropy && layers < 2:
		return fail("cross-entropy reads off a hidden layer, and there is none; add one, or use the squared error")
	case c.Nudge > RandomSign || c.Schedule > SweepBackward || c.Output > CrossEntropy || c.Activation > unit.Tanh || c.Weights > coupling.FanIn:
		return fail("nudge %d, schedule %d, output %d, activation %d, weights %d: one of them is unknown", c.Nudge, c.Schedule, c.Output, c.Activation, c.Weights)
	}
	for l, r := range c.LearningRates {
		if !(r >= 0) || math.IsInf(r, 0) {
			return fail("learning rate %v of matrix %d, want a number that is not negative", r, l+1)
		}
	}
	for _, part := range []func() error{c.validateConvolutional, c.validateSpiking, c.validateTopK, c.validateBinary, c.validatePruning, c.validatePredictor} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// validateConvolutional checks the convolutions, and that they go with the rest.
func (c Config) validateConvolutional() error {
	if c.Convolutional == nil {
		return nil
	}
	if err := c.Convolutional.Validate(); err != nil {
		return err
	}
	convs := len(c.Convolutional.Layers)
	if len(c.Sizes)-1-convs < 1 {
		return fmt.Errorf("eqprop: sizes %v behind %d convolutions: want a fully connected layer of outputs at the end", c.Sizes, convs)
	}
	want := c.Convolutional.Sizes(c.Sizes[1+convs:]...)
	for l, n := range want {
		if c.Sizes[l] != n {
			return fmt.Errorf("eqprop: sizes %v, want %v by the convolutions; take Convolutional.Sizes", c.Sizes, want)
		}
	}
	switch {
	case c.Spiking != nil || c.Predictor != nil:
		return errors.New("eqprop: convolutions go with neither spikes nor a predictor; leave these out")
	case c.Pruning != nil || c.Binary != nil:
		return errors.New("eqprop: convolutions go with neither pruning nor binary weights, which are of fully connected matrices; leave these out")
	case c.TopK != nil && c.TopK.Variant == limit.Hard:
		return errors.New("eqprop: convolutions do not go with hard top-k: a drive that moves with the places of a pooling cannot be held down; take the budget, or soft top-k")
	case c.Schedule == SweepForward:
		return errors.New("eqprop: convolutions are swept backwards or updated at once: a forward sweep would move a state before its places in the windows above are known; take another schedule")
	}
	return nil
}

// keeps tells whether free states are kept.
func (c Config) keeps() bool { return c.Particles > 0 || c.TestParticles > 0 }

func (c Config) validateSpiking() error {
	switch {
	case c.Spiking == nil:
		return nil
	case c.Activation != unit.Continuous || c.Output != SquaredError || c.Schedule != Simultaneous || c.Tolerance > 0 || c.keeps():
		return errors.New("eqprop: spiking networks have continuous dynamics, simultaneous updates and the squared error, without tolerance and particles; leave these out")
	case c.Spiking.Warm > 0 && c.Predictor == nil:
		return fmt.Errorf("eqprop: spiking: warm %d: it goes with a predictor, and is not negative", c.Spiking.Warm)
	}
	return c.Spiking.Validate()
}

func (c Config) validateTopK() error {
	switch {
	case c.TopK == nil:
		return nil
	case c.Activation != unit.Continuous:
		return errors.New("eqprop: top-k goes with continuous dynamics; leave activation out")
	}
	return c.TopK.Validate()
}

func (c Config) validateBinary() error {
	if c.Binary != nil && (c.Activation != unit.Continuous || c.Output != SquaredError || c.Weights != coupling.Glorot || c.keeps()) {
		return errors.New("eqprop: binary networks have continuous dynamics, the squared error and Glorot's weights, without particles; leave these out")
	}
	return nil
}

func (c Config) validatePruning() error {
	switch {
	case c.Pruning == nil:
		return nil
	case c.Pruning.SharedMask && c.Predictor == nil:
		return errors.New("eqprop: pruning with a shared mask, and there is no predictor to share it; leave it out")
	}
	return c.Pruning.Validate()
}

func (c Config) validatePredictor() error {
	if c.Predictor == nil {
		return nil
	}
	switch {
	case c.keeps():
		return errors.New("eqprop: particles and a predictor both say where the free phase starts; choose one")
	case c.Output != SquaredError || c.Activation != unit.Continuous:
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

// lambda is the strength of a predictor's pull.
func (c Config) lambda() float64 {
	if c.Predictor == nil {
		return 0
	}
	return c.Predictor.Lambda
}

// move is the step of all layers.
func (c Config) move() kernel.Relax { return c.Activation.Move(c.Step, c.lambda()) }

// Warnings names the bounds that a configuration breaks whatever the weights.
func (c Config) Warnings() (all []string) {
	c = c.withDefaults()
	lambda := c.lambda()
	if k := 2 * c.CostScale * c.Beta; c.Nudge != OneSided && c.Output == SquaredError && k >= 1+lambda {
		all = append(all, fmt.Sprintf("negative nudges of 2κβ = %.3g: the outputs' leak 1 + λ − 2κβ = %.3g must be positive for a fixed point; the clip and %d nudged steps alone hold the states; take β below %.3g, centred at most %.3g",
			k, 1+lambda-k, c.Nudged, (1+lambda)/(2*c.CostScale), 0.3/c.CostScale))
	}
	if c.Nudged < c.dynamic() {
		all = append(all, fmt.Sprintf("%d nudged steps for %d layers: the nudge reaches one layer a step, and the first ones learn nothing; take at least %d", c.Nudged, c.dynamic(), c.dynamic()))
	}
	if c.Free < c.dynamic() && c.Predictor == nil && c.Particles == 0 {
		all = append(all, fmt.Sprintf("%d free steps from zeros for %d layers: the input reaches one layer a step; take at least %d, or a predictor", c.Free, c.dynamic(), c.dynamic()))
	}
	return all
}
