// Package ecd is event-driven contrastive divergence (Neftci, Das, Pedroni, Kreutz-Delgado and
// Cauwenberghs, "Event-driven contrastive divergence for spiking neuromorphic systems", Front.
// Neurosci. 7:272, 2014): a restricted Boltzmann machine of noisy integrate-and-fire neurons, whose
// spikes sample from its distribution, and whose weights learn by the times of these spikes while
// the net runs.
//
// A unit is 1 for τ_r = 4 ms after a spike, in which it cannot fire again. In steps of 1 ms, with
// white noise ξ and the drive x in log-odds,
//
//	u ← e^{−1/τ_m}·u + (1 − e^{−1/τ_m})·(offset + gain·x) + √(1 − e^{−2/τ_m})·ξ,   τ_m = 1 ms
//	spike and u ← 0 where u ≥ θ, then u = 0 until τ_r is over
//	x_i = b_i + Σ_j w_ij·s_j,   s ← e^{−1/τ_s}·s + τ_r·(1 − e^{−1/τ_s})·[spike],   τ_s = 4 ms
//
// so that P(z_i = 1) is about 1/(1 + e^{−x_i}), the chance that Gibbs sampling gives it (neural
// sampling, Buesing et al. 2011). Weights of visible and hidden units follow pairs of their spikes,
// whichever comes first, by a global signal g(t): +1 while data are shown, −1 while the net
// reconstructs them by itself, 0 while either begins:
//
//	dw_ij/dt = η'·g(t)·(v_i(t)·h̄_j(t) + h_j(t)·v̄_i(t)),   h̄ and v̄ the spikes so far, fading with τ_s
//
// η' being such that a long run changes w by η·(⟨v·h⟩_data − ⟨v·h⟩_model). A bias learns as the
// weight from a unit that is always 1.
//
// A sample's label is shown by units for each class. To answer, inputs are held and these run
// freely; the class that fires most is the answer.
//
// Otherwise than in the paper, noise and potentials are in steps of 1 ms, biases are constant
// currents, visible units that are shown data get nothing else, weights change after a
// sample (of a batch, by the mean) and not within it, and each sample begins with a net at rest.
package ecd

import (
	"errors"
	"fmt"

	"synfire/optim"
	"synfire/train"
	"synfire/train/online"
)

// Kind names the rule in configurations and model files.
const Kind = "event-cd"

// Rule is event-driven contrastive divergence as a configuration describes it: a restricted
// Boltzmann machine of noisy integrate-and-fire neurons learns by the times of their spikes.
// Samples are values in [0, 1] with a class each; the run's steps and encoder do not matter.
// Neftci et al. 2014.
type Rule struct {
	Hidden   int            `yaml:"hidden"`    // hidden units
	PerClass int            `yaml:"per-class"` // visible units for each class
	Phase    int            `yaml:"phase"`     // ms that data are shown, and as many of reconstruction
	BurnIn   int            `yaml:"burn-in"`   // ms at the beginning of each in which nothing is learned or counted
	Duration int            `yaml:"duration"`  // of an answer, in ms
	LR       float64        `yaml:"lr"`        // η
	Schedule optim.Schedule `yaml:"schedule"`  // of the rate over the run
	Initial  float64        `yaml:"initial"`   // deviation of weights at first
}

// NewRule has the defaults of a configuration file.
func NewRule() Rule {
	return Rule{Hidden: 500, PerClass: 4, Phase: 50, BurnIn: 10, Duration: 200, LR: 0.1, Schedule: optim.Fixed{}, Initial: 0.05}
}

// Ignores are the encoder and the steps: the rule has steps of its own.
func (Rule) Ignores() []string { return []string{"encoder", "steps"} }

// Validate returns an error for options that make no sense.
func (r Rule) Validate() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("event-cd: "+format, args...) }
	for _, o := range []struct {
		name               string
		value, most, usual int
	}{{"hidden", r.Hidden, 1 << 16, 500}, {"per-class", r.PerClass, 1 << 10, 4}, {"phase", r.Phase, 10_000, 50}, {"duration", r.Duration, 1_000_000, 200}} {
		if o.value < 1 || o.value > o.most {
			return fail("%s is %d, want from 1 to %d; %d is usual", o.name, o.value, o.most, o.usual)
		}
	}
	switch {
	case r.BurnIn < 0 || r.BurnIn >= r.Phase || r.BurnIn >= r.Duration:
		return fail("burn-in is %d ms, want from 0 to below phase %d and duration %d; 10 is usual", r.BurnIn, r.Phase, r.Duration)
	case !(r.LR > 0 && r.LR <= 1e6):
		return fail("lr is %v, want a positive number up to 1e6; 0.1 is usual", r.LR)
	case !(r.Initial > 0 && r.Initial <= 100):
		return fail("initial is %v, want a positive deviation up to 100; 0.05 is usual", r.Initial)
	case r.Schedule == nil:
		return errors.New("event-cd: there is no schedule; fixed keeps the rate")
	}
	return nil
}

func (r Rule) net(s train.Setting) (online.Network, online.Options, error) {
	if err := r.Validate(); err != nil {
		return nil, online.Options{}, err
	}
	inputs, classes, err := online.Sizes(Kind, s)
	if err != nil {
		return nil, online.Options{}, err
	}
	if visible := inputs + classes*r.PerClass; visible > 1<<28/r.Hidden {
		return nil, online.Options{}, fmt.Errorf("event-cd: %d visible and %d hidden units, want at most 2²⁸ weights; take fewer", visible, r.Hidden)
	}
	if r.Hidden > 1<<26/r.Phase {
		return nil, online.Options{}, fmt.Errorf("event-cd: %d hidden units for %d ms a phase, want at most 2²⁶ of both multiplied, which a sample of a batch keeps twice; take fewer", r.Hidden, r.Phase)
	}
	return r.NewNet(inputs, classes, s.Seed), online.Options{Rule: Kind, Inputs: inputs, Classes: classes, Schedule: r.Schedule}, nil
}

// Learner makes the learner.
func (r Rule) Learner(s train.Setting) (train.Learner, error) { return online.Maker(r.net).Learner(s) }

// Predictor is the net of a model's arrays.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	return online.Maker(r.net).Predictor(s, model)
}
